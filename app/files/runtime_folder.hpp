// Where a running process keeps its sockets: the folder that DPDK chooses, so that all of them lie together.
#pragma once

#include <string>

namespace crosswire {

/// systemd's RUNTIME_DIRECTORY; without it /var/run for root, XDG_RUNTIME_DIR for others, /tmp where that is not set.
/// DPDK's own is dpdk/FILE-PREFIX below it.
std::string runtime_folder();
/// DPDK's telemetry socket of the process with this file prefix.
std::string telemetry_socket_path(const std::string& prefix);

}  // namespace crosswire
