// Accounts on the telemetry socket: see the header. DPDK has no signed numbers of 64 bits for a table.
#include "app/figures/telemetry_accounts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/figures/telemetry_answer.hpp"

namespace crosswire::telemetry {
namespace {

std::uint64_t above_zero(std::int64_t value) { return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0)); }

void write_account(const AccountFigure& account, Columns& columns) {
  const AccountState& state = account.state;
  columns.text("user", account.user);
  columns.text("firm", account.firm);
  columns.number("disabled", (state.stops & kDisabled) != 0 ? 1 : 0);
  columns.number("killed", (state.stops & kKilledByAny) != 0 ? 1 : 0);
  columns.number("killed_itself", (state.stops & kKilledItself) != 0 ? 1 : 0);
  columns.number("tripped", state.tripped == kNoBreaker ? 0 : breaker_index(state.tripped) + 1);
  columns.number("live_orders", state.live);
  columns.number("price_levels", state.levels);
  columns.number("has_limits", state.has_limits ? 1 : 0);
  columns.number("orders_limit", state.orders.limit);
  columns.number("orders_taken", state.orders.taken);
  columns.number("cancels_limit", state.cancels.limit);
  columns.number("cancels_taken", state.cancels.taken);
  columns.number("symbol_orders_limit", state.symbol_orders_limit);
  columns.number("rejected_limit", state.rejected.limit);
  columns.number("rejected_taken", state.rejected.taken);
  columns.number("loss_limit_e4", above_zero(state.most_loss));
  columns.number("gain_e4", above_zero(state.result));
  columns.number("loss_e4", above_zero(-state.result));
  columns.number("executions_limit", state.executions.limit);
  columns.number("executions_taken", state.executions.taken);
  columns.number("shares_limit", state.shares.limit);
  columns.number("shares_taken", state.shares.taken);
  columns.number("has_positions", state.has_positions ? 1 : 0);
  columns.number("has_funds", state.has_funds ? 1 : 0);
  columns.number("cash_e4", above_zero(state.purse.cash));
  columns.number("reserved_e4", above_zero(state.purse.reserved()));
  columns.number("open_sells", above_zero(state.purse.open_sells()));
  columns.number("firm_has_funds", state.firm_has_funds ? 1 : 0);
  columns.number("firm_cash_e4", above_zero(state.firm.cash));
  columns.number("firm_reserved_e4", above_zero(state.firm.reserved()));
  columns.number("firm_open_sells", above_zero(state.firm.open_sells()));
}

/// What is not limited is 0 beside a `set_..` that is 0.
void write_limits(const LimitsFigure& account, Columns& columns) {
  columns.text("user", account.user);
  columns.text("firm", account.firm);
  for (const RiskRow& row : kRiskRows) {
    const std::string key = fmt::format("{}{}", row.scope == RiskScope::firm ? "firm_" : "", row.key);
    columns.number(("set_" + key).c_str(), account.limits.has(row.limit) ? 1 : 0);
    columns.number(key.c_str(), above_zero(account.limits.limit(row.limit)));
  }
  std::string forbidden;
  for (const OrderTypeRow& row : kOrderTypes) {
    if ((account.limits.forbidden & set_of({row.type})) != 0) forbidden += fmt::format(" {}", row.name);
  }
  columns.text("forbids", forbidden.empty() ? forbidden : forbidden.substr(1));
  columns.number("symbols", account.limits.symbols.size());
}

/// FIRST to go on with behind these rows; 0: they were the last.
std::uint64_t next_of(const LiveFigures& figures, const std::pair<std::size_t, std::size_t>& asked, std::size_t rows) {
  const std::size_t next = asked.second + rows;
  return next < figures.account_count(asked.first) ? next : 0;
}

void write_position(const PositionFigure& figure, Columns& columns) {
  const Position& position = figure.position;
  columns.text("symbol", figure.symbol);
  columns.number("long", above_zero(position.shares));
  columns.number("short", above_zero(-position.shares));
  columns.number("open_buys", above_zero(position.open_buys()));
  columns.number("open_sells", above_zero(position.open_sells()));
  columns.number("most_long", above_zero(position.most_long));
  columns.number("most_short", above_zero(position.most_short));
  columns.number("messages", figure.messages);
}

}  // namespace

bool accounts(const LiveFigures& figures, std::string_view parameters, rte_tel_data* data) {
  const auto rows = find_rows(figures, parameters, data);
  if (!rows) return true;
  Columns columns;
  const std::vector<AccountFigure> found = figures.accounts(rows->first, rows->second);
  for (const AccountFigure& account : found) write_account(account, columns);
  Dict dict(data);
  if (!found.empty()) dict.add("next", next_of(figures, *rows, found.size()));
  columns.give_to(dict);
  return true;
}

bool limits(const LiveFigures& figures, std::string_view parameters, rte_tel_data* data) {
  const auto rows = find_rows(figures, parameters, data);
  if (!rows) return true;
  Columns columns;
  const std::vector<LimitsFigure> found = figures.limits(rows->first, rows->second);
  for (const LimitsFigure& account : found) write_limits(account, columns);
  Dict dict(data);
  if (!found.empty()) dict.add("next", next_of(figures, *rows, found.size()));
  columns.give_to(dict);
  return true;
}

bool positions(const LiveFigures& figures, std::string_view parameters, rte_tel_data* data) {
  const std::size_t comma = parameters.find(',');
  const std::string_view user = parameters.substr(0, comma);
  const auto rows =
      find_rows(figures, comma == std::string_view::npos ? std::string_view() : parameters.substr(comma + 1), data);
  if (!rows) return true;
  const auto account = figures.account(rows->first, user);
  if (!account) return fail(data, fmt::format("there is no account {}", named(user)));
  const auto found = figures.positions(rows->first, *account, rows->second);
  if (!found) return fail(data, "the match stage gives no answer; does it stand still?");
  Columns columns;
  for (const PositionFigure& position : found->positions) write_position(position, columns);
  Dict dict(data);
  dict.add("account", std::uint64_t{*account});
  dict.add("next", std::uint64_t{found->next});
  columns.give_to(dict);
  return true;
}

}  // namespace crosswire::telemetry
