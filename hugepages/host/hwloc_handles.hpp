// hwloc's own handles, for the sources of this folder that ask it: owned, loaded, and checked to be of this host.
// Set-up only. What faults throw is std::runtime_error (one line).
#pragma once

#include <hwloc.h>

#include <memory>
#include <vector>

namespace crosswire::hwloc {

struct Destroy {
  void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
};
struct Free {
  void operator()(hwloc_bitmap_t bitmap) const { hwloc_bitmap_free(bitmap); }
};
using Topology = std::unique_ptr<hwloc_topology, Destroy>;
using Bitmap = std::unique_ptr<hwloc_bitmap_s, Free>;

/// Throws that the host cannot be read.
[[noreturn]] void fail_on_host();

/// Not loaded yet. Throws.
Topology make_topology();

/// Cores outside the cpuset stay visible, marked, so that a message can tell them from those that do not exist. False:
/// hwloc cannot.
bool load_with_devices(hwloc_topology_t topology);

/// Where its environment says so hwloc describes another host, and then binds no thread and calls that done. Throws.
void check_this_host(hwloc_topology_t topology);

/// Loaded with devices, and checked. Throws.
Topology load_this_host();

/// Numbers of the cores in it, ascending; none from kMostCores on.
std::vector<unsigned> cores_of(hwloc_const_bitmap_t bitmap);

/// The process's own limit (taskset), ascending; `online` where the kernel does not say.
std::vector<unsigned> affinity(hwloc_topology_t topology, const std::vector<unsigned>& online);

}  // namespace crosswire::hwloc
