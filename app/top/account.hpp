// `crosswire ctl account`: what is left of an account's limits (docs/rules.md), from a running appliance's telemetry.
#pragma once

#include <string>

#include "app/top/ask.hpp"

namespace crosswire {

/// What the command line gave.
struct AccountOptions {
  std::string user;
  std::string partition;             // "": the only one
  std::string prefix = "crosswire";  // DPDK file prefix of the appliance
  std::string socket;                // path of its telemetry socket; "": by the prefix
  bool json = false;
};

/// The subcommand. Returns the exit status: 0 told, 1 no such account or not reached.
int account_main(const AccountOptions& options);

/// What a person reads of it, lines ended.
std::string account_page(const TopAccount& account);

}  // namespace crosswire
