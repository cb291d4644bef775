// `crosswire ctl account`, limits and rates: see the header.
#include "app/top/account.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/breakers.hpp"

namespace crosswire {
namespace {

std::string money(std::int64_t e4) {
  return fmt::format("{}{}.{:04}", e4 < 0 ? "-" : "", std::abs(e4) / 10'000, std::abs(e4) % 10'000);
}

std::string_view key_of(RiskLimit limit) { return kRiskRows[static_cast<std::size_t>(limit)].key; }

std::string state(const TopNumbers& now) {
  std::string text;
  const auto add = [&text](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
  if (value_of(now, "killed") != 0) add("killed by an operator");
  if (value_of(now, "killed_itself") != 0) add("killed by its client");
  const std::int64_t tripped = value_of(now, "tripped");
  if (tripped > 0 && tripped <= static_cast<std::int64_t>(kBreakers)) {
    add(fmt::format("stopped by its breaker {}", key_of(breaker_of(static_cast<std::size_t>(tripped - 1)))));
  }
  if (value_of(now, "disabled") != 0) add(text.empty() ? "disabled by its client" : "disabled by its client too");
  return text.empty() ? "trading" : text;
}

/// `whose`: "" of the account, "firm_" of its firm.
std::string funds(const TopNumbers& now, const std::string& whose) {
  const auto of = [&](const char* what) { return value_of(now, whose + what); };
  if (of("has_funds") == 0) return "no limit";
  const std::int64_t cash = of("cash_e4"), reserved = of("reserved_e4");
  return fmt::format("{} of the currency, {} reserved by open purchases, {} left", money(cash), money(reserved),
                     money(cash - reserved));
}

std::string rate(const TopNumbers& now, const std::string& what) {
  const std::int64_t limit = value_of(now, what + "_limit"), taken = value_of(now, what + "_taken");
  if (limit == 0) return "no limit";
  return fmt::format("{} messages, {} taken within the last second, {} left", limit, taken, limit - taken);
}

/// What a breaker counts: so many are taken of so many that stop the account. `within`: the span in which they count.
std::string breaker(const TopNumbers& now, const std::string& what, std::string_view unit, std::string_view within) {
  const std::int64_t limit = value_of(now, what + "_limit");
  if (limit == 0) return "no limit";
  return fmt::format("{} {}, {}{}", limit, unit, value_of(now, what + "_taken"), within);
}

std::string loss(const TopNumbers& now) {
  const std::int64_t limit = value_of(now, "loss_limit_e4");
  if (limit == 0) return "no limit";
  return fmt::format("{} of the currency, result {}", money(limit),
                     money(value_of(now, "gain_e4") - value_of(now, "loss_e4")));
}

std::string position_limit(std::int64_t shares) { return shares >= kMostShares ? "no limit" : std::to_string(shares); }

}  // namespace

std::string account_page(const TopAccount& account) {
  const TopNumbers& now = account.numbers;
  std::string page;
  const auto line = [&page](std::string_view name, const std::string& text) {
    page += fmt::format("{:<20}{}\n", name, text);
  };
  line("account", fmt::format("{}, firm {}, partition {}", account.user, account.firm.empty() ? "none" : account.firm,
                              account.partition));
  line("state", state(now));
  line("live orders",
       fmt::format("{}, at the head of {} price levels", value_of(now, "live_orders"), value_of(now, "price_levels")));
  line("funds", funds(now, ""));
  line("funds of the firm", funds(now, "firm_"));
  line(key_of(RiskLimit::orders_per_second), rate(now, "orders"));
  line(key_of(RiskLimit::cancels_per_second), rate(now, "cancels"));
  const auto wide = [&page](RiskLimit limit, const std::string& text) {
    page += fmt::format("{:<29}{}\n", key_of(limit), text);
  };
  const std::int64_t in_symbol = value_of(now, "symbol_orders_limit");
  wide(RiskLimit::symbol_orders_per_second,
       in_symbol == 0 ? "no limit" : fmt::format("{} messages, in each symbol by itself", in_symbol));
  wide(RiskLimit::rejects_in_a_row, breaker(now, "rejected", "Rejected", " by now"));
  wide(RiskLimit::loss_of_day, loss(now));
  constexpr std::string_view kSecond = " within the last second";
  wide(RiskLimit::executions_per_second_count, breaker(now, "executions", "executions", kSecond));
  wide(RiskLimit::executions_per_second_shares, breaker(now, "shares", "shares", kSecond));
  if (value_of(now, "has_positions") == 0) {
    line("positions", "no limit");
    return page;
  }
  const auto row = [&page](auto... cells) {
    page += fmt::format("{:<12}{:>16}{:>16}{:>16}{:>16}{:>16}{:>15}\n", cells...);
  };
  page += "\n";
  row("shares of", "position", "open purchases", "open sales", key_of(RiskLimit::position_long),
      key_of(RiskLimit::position_short), "last second's");
  for (const auto& [symbol, of] : account.positions) {
    row(symbol, value_of(of, "long") - value_of(of, "short"), value_of(of, "open_buys"), value_of(of, "open_sells"),
        position_limit(value_of(of, "most_long")), position_limit(value_of(of, "most_short")),
        value_of(of, "messages"));
  }
  if (account.positions.empty()) page += "none yet\n";
  return page;
}

std::string limits_page(const std::vector<TopAccount>& accounts) {
  std::string page;
  const auto row = [&page](auto... cells) { page += fmt::format("{:<8}  {:<22}{:>22}  {:<26}{}\n", cells...); };
  row("account", "limit", "value", "unit", "scope");
  for (const TopAccount& account : accounts) {
    const TopNumbers& now = account.numbers;
    for (const RiskRow& limit : kRiskRows) {
      const bool of_firm = limit.scope == RiskScope::firm;
      const std::string key = fmt::format("{}{}", of_firm ? "firm_" : "", limit.key);
      const bool set = value_of(now, "set_" + key) != 0;
      row(account.user, limit.key, set ? std::to_string(value_of(now, key)) : "not set", limit.unit,
          of_firm ? "firm " + account.firm : std::string("account"));
    }
    const std::int64_t symbols = value_of(now, "symbols");
    row(account.user, "symbols", symbols == 0 ? "not set" : std::to_string(symbols), "that it may trade", "account");
    row(account.user, "forbids", account.forbids.empty() ? "not set" : account.forbids, "kinds of orders", "account");
  }
  return page;
}

std::string rates_page(const std::vector<TopAccount>& accounts) {
  std::string page;
  const auto row = [&page](auto... cells) { page += fmt::format("{:<8}  {:<20}{:>12}{:>12}{:>12}\n", cells...); };
  row("account", "rate", "used", "left", "limit");
  constexpr std::pair<RiskLimit, const char*> kRates[] = {{RiskLimit::orders_per_second, "orders"},
                                                          {RiskLimit::cancels_per_second, "cancels"}};
  for (const TopAccount& account : accounts) {
    for (const auto& [limit, name] : kRates) {
      const std::int64_t most = value_of(account.numbers, fmt::format("{}_limit", name));
      const std::int64_t used = value_of(account.numbers, fmt::format("{}_taken", name));
      // Nothing is counted where nothing is limited.
      row(account.user, key_of(limit), most == 0 ? "-" : std::to_string(used),
          most == 0 ? "-" : std::to_string(most - used), most == 0 ? "not set" : std::to_string(most));
    }
  }
  return page;
}

namespace {

/// `table`: of the telemetry. `page`: what a person reads of it.
template <class Page>
int accounts_main(const AccountOptions& options, const char* name, std::string_view table, Page page) try {
  std::string raw;
  const std::string path = options.socket.empty() ? top_socket_path(options.prefix) : options.socket;
  const std::vector<TopAccount> accounts = ask_top_accounts(path, table, options.partition, options.user, &raw);
  fmt::print("{}", options.json ? raw + "\n" : page(accounts));
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "crosswire ctl {}: {}\n", name, error.what());
  return 1;
}

}  // namespace

int limits_main(const AccountOptions& options) { return accounts_main(options, "limits", "limits", limits_page); }

int rates_main(const AccountOptions& options) { return accounts_main(options, "rates", "accounts", rates_page); }

int account_main(const AccountOptions& options) try {
  std::string raw;
  const std::string path = options.socket.empty() ? top_socket_path(options.prefix) : options.socket;
  const TopAccount account = ask_top_account(path, options.partition, options.user, &raw);
  fmt::print("{}", options.json ? raw + "\n" : account_page(account));
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "crosswire ctl account: {}\n", error.what());
  return 1;
}

}  // namespace crosswire
