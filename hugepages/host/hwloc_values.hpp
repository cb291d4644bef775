// From hwloc's objects to plain values: for the sources of this folder that have a host from hwloc. Set-up only.
#pragma once

#include <hwloc.h>

#include "hugepages/host/topology.hpp"

namespace crosswire::hwloc {

/// What a loaded topology says, without its source and the kernel's lists. Throws std::runtime_error without the source
/// ("has no cores") where the topology has none or is not one that Linux can have.
HostTopology values_of(hwloc_topology_t topology);

}  // namespace crosswire::hwloc
