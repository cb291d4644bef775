// `crosswire flow`: recorded, captured or made-up order flows as captures, and what a replay did against what the
// exchange did.
#pragma once

#include <cstdint>
#include <string>

#include "app/flow/synthetic.hpp"

namespace crosswire {

/// What the command line gave: one of `orders`, `synthetic`, `from_capture` and a check, and what goes with it.
struct FlowArguments {
  std::string orders;
  std::string symbol;
  std::string day;
  std::string out;
  std::string config_out;
  std::string check_trades;
  std::string check_depth;
  std::string in;
  std::string from_capture;
  std::uint16_t port = 0;  // 0: any
  bool synthetic = false;
  std::uint32_t sessions = 1;
  SyntheticOptions options;
};

/// The subcommand. Returns the exit status: 0, or 1 after one line on stderr.
int flow_main(const FlowArguments& arguments);

}  // namespace crosswire
