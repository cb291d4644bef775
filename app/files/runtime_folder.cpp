// The runtime folder: see the header.
#include "app/files/runtime_folder.hpp"

#include <unistd.h>

#include <cstdlib>

namespace crosswire {

std::string runtime_folder() {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  std::string folder = variable("RUNTIME_DIRECTORY");
  if (folder.empty()) folder = geteuid() == 0 ? "/var/run" : variable("XDG_RUNTIME_DIR");
  return folder.empty() ? "/tmp" : folder;
}

std::string telemetry_socket_path(const std::string& prefix) {
  return runtime_folder() + "/dpdk/" + prefix + "/dpdk_telemetry.v2";
}

}  // namespace crosswire
