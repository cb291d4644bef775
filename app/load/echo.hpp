// `crosswire echo`: the floor. A plain DPDK echo in an appliance's place, for `crosswire load --floor`.
#pragma once

#include <string>

namespace crosswire {

/// The subcommand, until SIGINT or SIGTERM. Returns the exit status.
int echo_main(const std::string& config_path);

}  // namespace crosswire
