// `crosswire top`: a running appliance in the terminal, from the figures on its telemetry socket. A process of its own,
// without DPDK: it needs only the right to the socket. ask asks, page says what is shown, terminal shows it.
#pragma once

#include <string>

namespace crosswire {

/// What the command line gave.
struct TopOptions {
  std::string prefix = "crosswire";
  std::string socket;
  double interval_s = 1;
  bool once = false;
  bool json = false;
};

/// The subcommand: a page, or pages until q is pressed. Returns the exit status.
int top_main(const TopOptions& options);

}  // namespace crosswire
