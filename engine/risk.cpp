// Pre-trade risk: set-up, and what is not asked of every order. See the header.
#include "engine/risk.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "hugepages/base/check.hpp"

namespace crosswire {
namespace {

std::size_t words_of_a_set(const EngineConfig& config) { return config.symbols.size() / 64 + 1; }

/// Each set once, however many accounts have it.
std::map<std::vector<SymbolId>, std::uint32_t> sets_of(const EngineConfig& config) {
  std::map<std::vector<SymbolId>, std::uint32_t> sets;
  for (const RiskConfig& account : config.risk) {
    if (account.symbols.empty()) continue;
    const auto at = static_cast<std::uint32_t>(1 + sets.size() * words_of_a_set(config));
    sets.try_emplace(account.symbols, at);
  }
  return sets;
}

std::size_t words(const EngineConfig& config) {
  return config.risk.empty() ? 0 : 1 + sets_of(config).size() * words_of_a_set(config);
}

std::uint32_t positions_of(const EngineConfig& config) {
  const auto keep =
      std::count_if(config.risk.begin(), config.risk.end(), [](const RiskConfig& of) { return of.keeps_positions(); });
  const std::size_t all = static_cast<std::size_t>(keep) * config.symbols.size();
  return static_cast<std::uint32_t>(std::min<std::size_t>(all, config.max_positions));
}

bool counts_in_symbols(const EngineConfig& config) {
  return std::any_of(config.risk.begin(), config.risk.end(),
                     [](const RiskConfig& of) { return of.has(RiskLimit::symbol_orders_per_second); });
}

std::size_t rememberers(const EngineConfig& config) {
  const bool any = std::any_of(config.risk.begin(), config.risk.end(),
                               [](const RiskConfig& of) { return of.has(RiskLimit::duplicate_window); });
  return any ? config.risk.size() : 0;
}

std::size_t breaking(const EngineConfig& config) {
  const bool any =
      std::any_of(config.risk.begin(), config.risk.end(), [](const RiskConfig& of) { return of.has_breaker(); });
  return any ? config.risk.size() : 0;
}

std::size_t firms_of(const EngineConfig& config) { return config.risk.empty() ? 0 : firm_count(config); }

RiskAccount made_of(const RiskConfig& config) {
  using enum RiskLimit;
  RiskAccount account;
  if (config.has(order_quantity)) account.order_quantity = static_cast<Quantity>(config.limit(order_quantity));
  if (config.has(order_notional)) account.order_notional = config.limit(order_notional);
  if (config.has(price_band)) account.price_band = static_cast<std::uint32_t>(config.limit(price_band));
  if (config.has(orders_per_second))
    account.orders.set_limit(static_cast<std::uint32_t>(config.limit(orders_per_second)));
  if (config.has(cancels_per_second))
    account.cancels.set_limit(static_cast<std::uint32_t>(config.limit(cancels_per_second)));
  if (config.has(funds)) account.purse = Purse::of(config.limit(funds));
  if (config.has(duplicate_window))
    account.duplicate_window_ms = static_cast<std::uint32_t>(config.limit(duplicate_window));
  if (config.has(position_long)) account.most_long = config.limit(position_long);
  if (config.limits_positions()) account.most_short = std::max<std::int64_t>(0, config.limit(position_short));
  account.forbidden = config.forbidden;
  const auto check = [&account](RiskChecks what, bool is) {
    if (is) account.checks |= what;
  };
  check(kChecksSymbols, !config.symbols.empty());
  check(kChecksBand, config.has(price_band));
  check(kForbidsShort, (config.forbidden & set_of({OrderType::short_sale, OrderType::short_exempt})) != 0);
  check(kRefusesDuplicates, config.has(duplicate_window));
  check(kHasFunds, config.has(funds));
  check(kFirmHasFunds, config.has(firm_funds));
  check(kHasPositions, config.keeps_positions());
  check(kSaleNeedsShares, config.limits_positions());
  check(kCountsInSymbols, config.has(symbol_orders_per_second));
  check(kCountsExecutions, config.counts_executions());
  return account;
}

/// Of what is checked of each order; without a limit, what no order is beyond.
void set_number(RiskAccount& account, RiskLimit limit, std::int64_t to) {
  using enum RiskLimit;
  const bool none = to == RiskConfig::kNoLimit;
  if (limit == order_quantity) account.order_quantity = none ? kMaxQuantity : static_cast<Quantity>(to);
  if (limit == order_notional) account.order_notional = none ? kMostMoney : to;
  if (limit != price_band) return;
  account.price_band = none ? 0 : static_cast<std::uint32_t>(to);
  account.checks = static_cast<RiskChecks>(none ? account.checks & ~kChecksBand : account.checks | kChecksBand);
}

}  // namespace

Risk::Risk(const EngineConfig& config, Arena& arena)
    : accounts_(arena.array<RiskAccount>(config.risk.size())),
      firms_(arena.array<Purse>(firms_of(config))),
      sets_(arena.array<std::uint64_t>(words(config))),
      positions_(arena, positions_of(config), counts_in_symbols(config)),
      recent_(arena.array<RecentOrders>(rememberers(config))),
      symbol_rates_(arena.array<std::uint32_t>(counts_in_symbols(config) ? config.risk.size() : 0)),
      breakers_(arena.array<Breakers>(breaking(config))),
      limits_(arena.array<LimitsNow>(config.risk.size())),
      firm_limits_(arena.array<CountWord>(firms_of(config))) {
  CHECK(config.risk.empty() || config.risk.size() == config.sessions, "limits of %zu accounts of %u",
        config.risk.size(), config.sessions);
  const auto sets = sets_of(config);
  for (const auto& [symbols, at] : sets) {
    for (const SymbolId symbol : symbols) sets_[at + symbol.value / 64] |= std::uint64_t{1} << symbol.value % 64;
  }
  for (CountWord& limit : firm_limits_) limit.set(static_cast<std::uint64_t>(RiskConfig::kNoLimit));
  for (std::uint16_t i = 0; i < accounts_.size(); ++i) {
    const RiskConfig& of = config.risk[i];
    RiskAccount& account = accounts_[i];
    account = made_of(of);
    for (const RiskRow& row : kRiskRows) limits_[i].set(row.limit, of.limit(row.limit));
    limits_[i].forbidden.set(of.forbidden);
    if (!of.symbols.empty()) account.symbols = sets.at(of.symbols);
    account.firm = config.firms.empty() ? FirmId{i} : config.firms[i];
    if (account.has(kCountsInSymbols))
      symbol_rates_[i] = static_cast<std::uint32_t>(of.limit(RiskLimit::symbol_orders_per_second));
    counts_executions_ |= account.has(kCountsExecutions);
    if (!breakers_.empty()) breakers_[i].begin(of);
    if (account.has(kFirmHasFunds)) {
      firms_[account.firm.value] = Purse::of(of.limit(RiskLimit::firm_funds));
      firm_limits_[account.firm.value].set(static_cast<std::uint64_t>(of.limit(RiskLimit::firm_funds)));
    }
    for (const PositionConfig& position : of.positions) {
      Position& kept = position_of(account, SessionId{i}, position.symbol);
      PositionLimits limits = account.position_limits();
      if (position.most_long >= 0) limits.most_long = position.most_long;
      if (position.most_short >= 0) limits.most_short = position.most_short;
      kept.begin(position.shares, limits);
      kept.own_long = position.most_long >= 0;
      kept.own_short = position.most_short >= 0;
    }
  }
}

std::size_t Risk::bytes_for(const EngineConfig& config) {
  return Arena::bytes_for<RiskAccount>(config.risk.size()) + Arena::bytes_for<Purse>(firms_of(config)) +
         Arena::bytes_for<std::uint64_t>(words(config)) +
         Positions::bytes_for(positions_of(config), counts_in_symbols(config)) +
         Arena::bytes_for<RecentOrders>(rememberers(config)) + Arena::bytes_for<Breakers>(breaking(config)) +
         Arena::bytes_for<std::uint32_t>(counts_in_symbols(config) ? config.risk.size() : 0) +
         Arena::bytes_for<LimitsNow>(config.risk.size()) + Arena::bytes_for<CountWord>(firms_of(config));
}

/// Of a type that is forbidden: the first one's reason.
Reject Risk::refused_type(const RiskAccount& account, const RiskAsk& ask) {
  for (const OrderTypeRow& row : kOrderTypes) {
    if ((account.forbidden & ask.types & set_of({row.type})) != 0) return static_cast<Reject>(row.code);
  }
  return Reject::none;
}

Reject Risk::judge_ledger(const RiskAccount& account, const RiskAsk& ask) const {
  const bool buy = is_buy(ask.side);
  // What it replaces is of its side.
  const Money more = Purse::amount_of(buy, ask.price, ask.open) - Purse::amount_of(buy, ask.freed_price, ask.freed);
  if (account.has(kHasFunds)) {
    const Reject reason = account.purse.judge(buy, more);
    if (reason != Reject::none) return reason;
  }
  if (account.has(kFirmHasFunds)) {
    const Reject reason = firms_[account.firm.value].judge(buy, more);
    if (reason != Reject::none) return reason;
  }
  if (!account.has(kHasPositions)) return Reject::none;
  const Position* const kept = positions_.find(ask.session, ask.symbol);
  if (kept == nullptr && !positions_.has_room()) return Reject::processing;
  Position none;
  if (kept == nullptr) none.begin(0, account.position_limits());
  const Position& position = kept == nullptr ? none : *kept;
  const std::int64_t left = position.room[buy] - (std::int64_t{ask.open} - ask.freed);
  return left >= position.least_room(ask.side) ? Reject::none : Reject::risk_exposure;
}

Position& Risk::position_of(const RiskAccount& account, SessionId session, SymbolId symbol) {
  if (Position* const kept = positions_.find(session, symbol); kept != nullptr) return *kept;
  Position& position = positions_.add(session, symbol);
  position.begin(0, account.position_limits());
  if (account.has(kCountsInSymbols)) positions_.rate_of(position).set_limit(symbol_rates_[session.value]);
  return position;
}

/// The first message in a symbol gives the account its position there, though no order may come of it.
Reject Risk::take_in_symbol(SessionId session, SymbolId symbol, TimeNs now_ns) {
  if (positions_.find(session, symbol) == nullptr && !positions_.has_room()) return Reject::processing;
  const Position& position = position_of(accounts_[session.value], session, symbol);
  return positions_.rate_of(position).take(now_ns) ? Reject::none : Reject::symbol_rate;
}

void Risk::reserve(SessionId session, SymbolId symbol, bool buy, Price price, Quantity shares) {
  RiskAccount& account = accounts_[session.value];
  const Money amount = Purse::amount_of(buy, price, shares);
  if (account.has(kHasFunds)) account.purse.take(buy, amount);
  if (account.has(kFirmHasFunds)) firms_[account.firm.value].take(buy, amount);
  if (account.has(kHasPositions)) position_of(account, session, symbol).room[buy] -= shares;
}

bool Risk::move_limit(SessionId session, Price from, Price to, Quantity shares) {
  RiskAccount& account = accounts_[session.value];
  const Money more = (Money{to.value} - Money{from.value}) * shares;
  Purse* const purses[] = {account.has(kHasFunds) ? &account.purse : nullptr,
                           account.has(kFirmHasFunds) ? &firms_[account.firm.value] : nullptr};
  for (const Purse* const purse : purses)
    if (purse != nullptr && more > 0 && purse->judge(true, more) != Reject::none) return false;
  for (Purse* const purse : purses)
    if (purse != nullptr) purse->give_back(true, -more);
  return true;
}

void Risk::settle(SessionId session, SymbolId symbol, bool buy, Money value, std::int64_t shares) {
  RiskAccount& account = accounts_[session.value];
  if (account.has(kHasFunds)) account.purse.settle(buy, value);
  if (account.has(kFirmHasFunds)) firms_[account.firm.value].settle(buy, value);
  if (account.has(kHasPositions)) position_of(account, session, symbol).settle(buy, shares);
}

bool Risk::change_limit(SessionId session, RiskLimit limit, std::int64_t to, TimeNs now_ns) {
  using enum RiskLimit;
  const std::int64_t before = limits_[session.value].limit(limit);
  const bool both = before != RiskConfig::kNoLimit && to != RiskConfig::kNoLimit;
  if (!both && !comes_within_a_day(limit)) return false;
  RiskAccount& account = accounts_[session.value];
  limits_[session.value].set(limit, to);
  const auto rate = static_cast<std::uint32_t>(std::max<std::int64_t>(0, to));
  set_number(account, limit, to);
  if (limit == orders_per_second) account.orders.change_limit(now_ns, rate);
  if (limit == cancels_per_second) account.cancels.change_limit(now_ns, rate);
  if (limit == funds) account.purse.fund(to - before);
  if (limit == duplicate_window) account.duplicate_window_ms = rate;
  if (limit == position_long) account.most_long = to;
  if (limit == position_short) account.most_short = to;
  if (limit == symbol_orders_per_second) symbol_rates_[session.value] = rate;
  if (is_breaker(limit)) breakers_[session.value].change(limit, to, now_ns);
  return true;
}

bool Risk::change_firm_limit(FirmId firm, std::int64_t to) {
  const std::int64_t before = firm_limit(firm);
  if (before == RiskConfig::kNoLimit || to == RiskConfig::kNoLimit) return false;
  firm_limits_[firm.value].set(static_cast<std::uint64_t>(to));
  firms_[firm.value].fund(to - before);
  return true;
}

void Risk::change_forbidden(SessionId session, OrderTypes to) {
  RiskAccount& account = accounts_[session.value];
  const bool sales = (to & set_of({OrderType::short_sale, OrderType::short_exempt})) != 0;
  limits_[session.value].forbidden.set(to);
  account.forbidden = to;
  account.checks = static_cast<RiskChecks>(sales ? account.checks | kForbidsShort : account.checks & ~kForbidsShort);
}

void Risk::change_position(SessionId session, SymbolId symbol, RiskLimit limit, TimeNs now_ns) {
  Position* const position = positions_.find(session, symbol);
  if (position == nullptr) return;
  const RiskAccount& account = accounts_[session.value];
  if (limit == RiskLimit::position_long && !position->own_long) position->change_long(account.most_long);
  if (limit == RiskLimit::position_short && !position->own_short) position->change_short(account.most_short);
  if (limit == RiskLimit::symbol_orders_per_second)
    positions_.rate_of(*position).change_limit(now_ns, symbol_rates_[session.value]);
}

bool Risk::change_own_limit(SessionId session, SymbolId symbol, RiskLimit limit, std::int64_t to) {
  const RiskAccount& account = accounts_[session.value];
  if (!account.has(kSaleNeedsShares)) return false;
  if (positions_.find(session, symbol) == nullptr && !positions_.has_room()) return false;
  Position& position = position_of(account, session, symbol);
  const bool own = to != RiskConfig::kNoLimit;
  if (limit == RiskLimit::position_long) {
    position.own_long = own;
    position.change_long(own ? to : account.most_long);
  } else {
    position.own_short = own;
    position.change_short(own ? to : account.most_short);
  }
  return true;
}

RiskLimit Risk::count_rejected(SessionId session) {
  if (breakers_.empty()) return kNoBreaker;
  const std::uint32_t most = breakers_[session.value].most_rejects;
  return most != 0 && ++accounts_[session.value].rejected_in_a_row >= most ? RiskLimit::rejects_in_a_row : kNoBreaker;
}

RiskLimit Risk::count_execution(SessionId session, SymbolId symbol, bool buy, Price price, Quantity shares, bool rested,
                                TimeNs now_ns) {
  const RiskAccount& account = accounts_[session.value];
  if (!account.has(kCountsExecutions)) return kNoBreaker;
  Breakers& breakers = breakers_[session.value];
  if (breakers.most_loss != 0) {
    const std::int64_t bought = buy ? std::int64_t{shares} : -std::int64_t{shares};
    breakers.mark(position_of(account, session, symbol), price, bought);
  }
  const bool often = rested && breakers.executions.add(now_ns, 1);
  const bool much = rested && breakers.shares.add(now_ns, shares);
  return breakers.is_lost() ? RiskLimit::loss_of_day
         : often            ? RiskLimit::executions_per_second_count
         : much             ? RiskLimit::executions_per_second_shares
                            : kNoBreaker;
}

}  // namespace crosswire
