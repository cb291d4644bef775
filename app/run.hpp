// `crosswire run`: the appliance on a device, until SIGINT or SIGTERM; then it drains and prints its figures.
#pragma once

#include <string>

namespace crosswire {

struct RunOptions {
  std::string config;
  std::string record;  // capture to write the input into; "" = none
  std::string report;  // figures as JSON; "" = none
};

/// The subcommand. Returns the exit status.
int run_main(const RunOptions& options);

}  // namespace crosswire
