// `crosswire run`: the appliance, a partition on each of its devices, from day to day until SIGINT or SIGTERM; then it
// drains and prints its figures.
#pragma once

#include <string>
#include <vector>

#include "app/run/log.hpp"

namespace crosswire {

struct RunOptions {
  std::vector<std::string> configs;  // a partition each
  std::vector<std::string> records;  // captures to write the input into: none, or one for each configuration
  std::vector<std::string> reports;  // figures as JSON, likewise
  std::string hgrm;                  // folder for the latency histograms; "" = none
  bool resume = false;               // a start behind a phase of the day does not begin halted
  bool share_cores = false;          // begins on cores that another crosswire polls
  LogOptions log;
};

/// The subcommand. Returns the exit status.
int run_main(const RunOptions& options);

}  // namespace crosswire
