// `crosswire ctl account`: what is left of an account's limits (docs/rules.md), from a running appliance's telemetry;
// and of all accounts, or one, their limits and what they have used of their rates.
#pragma once

#include <string>
#include <vector>

#include "app/top/ask.hpp"

namespace crosswire {

/// What the command line gave.
struct AccountOptions {
  std::string user;                  // limits, rates: "" of all
  std::string partition;             // "": the only one
  std::string prefix = "crosswire";  // DPDK file prefix of the appliance
  std::string socket;                // path of its telemetry or control socket; "": by the prefix
  bool json = false;
};

/// The subcommands. They return the exit status: 0 told, 1 no such account or not reached.
int account_main(const AccountOptions& options);
int limits_main(const AccountOptions& options);
int rates_main(const AccountOptions& options);

/// What a person reads of it, lines ended.
std::string account_page(const TopAccount& account);
/// Of ask_top_accounts("limits"): a line for each limit that there is, set or not.
std::string limits_page(const std::vector<TopAccount>& accounts);
/// Of ask_top_accounts("accounts").
std::string rates_page(const std::vector<TopAccount>& accounts);

}  // namespace crosswire
