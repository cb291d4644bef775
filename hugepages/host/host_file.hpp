// A host in a file, as hwloc's XML, so that it can be planned for elsewhere. Set-up only.
#pragma once

#include <string>

#include "hugepages/host/topology.hpp"

namespace crosswire {

/// A host from an hwloc XML file (`lstopo host.xml`). Its kernel lists are those that save_host() has put there, else
/// empty: hwloc does not know them. A copy of this process reads the file first, so call it before other threads run.
/// Throws std::runtime_error (one line: what, where, how to fix it).
HostTopology read_host_file(const std::string& path);

/// This host as such a file, the kernel's lists included. Throws std::runtime_error (one line).
void save_host(const std::string& path);

}  // namespace crosswire
