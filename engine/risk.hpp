// Pre-trade risk: whether an account's limits (engine/risk_limits.hpp) take an order, and the ledger that they are
// measured against: funds, what open purchases reserve of them, positions. Match stage only; nothing is allocated.
//
// An order is judged before it reaches the book, on all that it may come to. From when it rests or waits until it dies,
// its shares are reserved: a purchase reserves its limit price for each in the account's purse and in its firm's, and
// both sides count in the position. An execution frees the shares' reservation and books what they came to, so that a
// better price is given back at once; a sale's proceeds can be spent at once.
//
// Between two commands, for each purse: cash - reserved >= 0 and for each position: open_buys + shares <= most_long,
// shares - open_sells >= -most_short, unless it began beyond: then it was admitted only what does not make that worse.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/breakers.hpp"
#include "engine/config.hpp"
#include "engine/positions.hpp"
#include "engine/recent_orders.hpp"
#include "engine/reject.hpp"
#include "engine/risk_limits.hpp"
#include "engine/rolling_count.hpp"
#include "engine/types.hpp"
#include "hugepages/base/count_word.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

/// Funds, and how far open orders may still go: `room`, by side, index 1 the purchases, so that no step has to branch
/// on which it is. A sale is counted as the most that it could fetch, so that whatever is fetched can be counted.
///   room[1] = cash - limit price times shares of live purchases
///   room[0] = kMostMoney - cash - kMaxPrice times shares of live sales
struct alignas(32) Purse {
  Money cash = 0;  // of the day's start, less purchases, and sales
  std::array<Money, 2> room{kMostMoney, 0};

  static Purse of(Money cash) { return {.cash = cash, .room = {kMostMoney - cash, cash}}; }
  Money reserved() const { return cash - room[1]; }
  /// Shares of live sales.
  std::int64_t open_sells() const { return (kMostMoney - cash - room[0]) / kMaxPrice.value; }
  /// What an order takes of its side's room.
  static Money amount_of(bool buy, Price price, std::int64_t shares) {
    return (buy ? price.value : kMaxPrice.value) * shares;
  }
  Reject judge(bool buy, Money amount) const {
    return room[buy] >= amount ? Reject::none : buy ? Reject::risk_exposure : Reject::notional_sum;
  }
  /// Judges and takes; the caller gives back what is refused.
  bool take(bool buy, Money amount) { return (room[buy] -= amount) >= 0; }
  void give_back(bool buy, Money amount) { room[buy] += amount; }
  /// More of it, or below zero less: then there may be less than what is reserved, and only sales are left.
  void fund(Money more) { settle(false, more); }
  /// An execution of shares that were not open before, or are not any more.
  void settle(bool buy, Money value) {
    const Money less = buy ? value : -value;
    cash -= less;
    room[1] -= less;
    room[0] += less;
  }
};

/// RiskAccount::checks: what an account has, and pays for.
using RiskChecks = std::uint16_t;
inline constexpr RiskChecks kChecksSymbols = 1;
inline constexpr RiskChecks kChecksBand = 2;
inline constexpr RiskChecks kForbidsShort = 4;  // sales that are marked short, of either kind
inline constexpr RiskChecks kHasFunds = 8;
inline constexpr RiskChecks kFirmHasFunds = 16;
inline constexpr RiskChecks kHasPositions = 32;
inline constexpr RiskChecks kRefusesDuplicates = 64;
inline constexpr RiskChecks kSaleNeedsShares = 128;   // one that is not marked short
inline constexpr RiskChecks kCountsExecutions = 256;  // a breaker of it does
inline constexpr RiskChecks kCountsInSymbols = 512;   // messages
inline constexpr RiskChecks kHasLedger = kHasFunds | kFirmHasFunds | kHasPositions;

/// What the checks of one account's orders read: a line and the head of its rate, with positions one more a symbol.
struct alignas(64) RiskAccount {
  RiskChecks checks = 0;
  OrderTypes forbidden = 0;
  Quantity order_quantity = kMaxQuantity;
  Money order_notional = kMostMoney;
  std::uint32_t price_band = 0;  // in 1/10000; 0: none
  std::uint32_t symbols = 0;     // where its set begins in Risk's words; 0: all symbols
  FirmId firm{};
  std::uint16_t rejected_in_a_row = 0;  // Enters and Replaces, as far as a breaker counts them
  std::uint32_t duplicate_window_ms = 0;
  Purse purse;
  RollingCount orders;
  RollingCount cancels;
  std::int64_t most_long = kMostShares;  // of a symbol that has no limit of its own
  std::int64_t most_short = kMostShares;

  bool has(RiskChecks any_of) const { return (checks & any_of) != 0; }
  PositionLimits position_limits() const { return {most_long, most_short, has(kSaleNeedsShares)}; }
};
static_assert(offsetof(RiskAccount, orders) == 64 && sizeof(RiskAccount) == 256);

/// The limits of an account as they are by now, as its configuration has them. Any thread.
struct alignas(64) LimitsNow {
  std::array<CountWord, kRiskRows.size()> limits;  // firms' are the firm's (Risk::firm_limit)
  CountWord forbidden;

  std::int64_t limit(RiskLimit of) const {
    return static_cast<std::int64_t>(limits[static_cast<std::size_t>(of)].get());
  }
  void set(RiskLimit of, std::int64_t to) { limits[static_cast<std::size_t>(of)].set(static_cast<std::uint64_t>(to)); }
};

/// What of its side an account may be forbidden.
inline OrderTypes risk_types(Side side) {
  if (side == Side::sell_short) return set_of({OrderType::short_sale});
  return side == Side::sell_short_exempt ? set_of({OrderType::short_exempt}) : OrderTypes{0};
}

/// An order as it is judged: what it may come to, and what is given back by the one that it replaces.
struct RiskAsk {
  SessionId session;
  SymbolId symbol;
  Side side;
  Price price;
  Quantity open;
  OrderTypes types = 0;
  Price freed_price{};
  Quantity freed = 0;
  bool only_lowers = false;  // a Replace that takes shares off and leaves price and side
};

class Risk {
 public:
  Risk(const EngineConfig& config, Arena& arena);
  static std::size_t bytes_for(const EngineConfig& config);

  /// Whether any account has limits at all: else none of its other functions is called.
  bool is_on() const { return !accounts_.empty(); }

  RollingCount& orders(SessionId session) { return accounts_[session.value].orders; }
  RollingCount& cancels(SessionId session) { return accounts_[session.value].cancels; }

  /// Whether one more Enter or Replace in the symbol is within the rate there of an account that has one; it is counted
  /// then.
  Reject take_in_symbol(SessionId session, SymbolId symbol, TimeNs now_ns);

  /// Whether the account's limits take the order. `last`: the symbol's last price.
  Reject judge(const RiskAsk& ask, Price last) const {
    const RiskAccount& account = accounts_[ask.session.value];
    if (account.symbols != 0 && !may_trade(account, ask.symbol)) return Reject::risk_restricted;
    if ((account.forbidden & ask.types) != 0) [[unlikely]]
      return refused_type(account, ask);
    if (ask.only_lowers) return Reject::none;
    if (ask.open > account.order_quantity) return Reject::risk_quantity;
    if (Money{ask.price.value} * ask.open > account.order_notional) return Reject::risk_notional;
    const bool buy = is_buy(ask.side);
    if (account.price_band != 0 && is_beyond(ask.price, buy, last, account.price_band)) return Reject::risk_price;
    return account.has(kHasLedger) ? judge_ledger(account, ask) : Reject::none;
  }

  /// The whole of a plain order in one pass: its rate, its limits, and the shares that rest from now on. False: nothing
  /// is done, for whatever reason; who wants to know it asks the above.
  [[gnu::always_inline]] bool admit_plain(SessionId session, SymbolId symbol, Side side, Price price, Quantity open,
                                          Price last, TimeNs now_ns) {
    RiskAccount& account = accounts_[session.value];
    const RiskChecks checks = account.checks;
    const bool buy = is_buy(side);
    if (open > account.order_quantity || Money{price.value} * open > account.order_notional) return false;
    if ((checks & kChecksSymbols) != 0 && !may_trade(account, symbol)) return false;
    if ((checks & (kForbidsShort | kRefusesDuplicates | kCountsInSymbols)) != 0) [[unlikely]] {
      // An account whose orders are remembered, or counted by symbol, takes the way for all.
      if ((checks & (kRefusesDuplicates | kCountsInSymbols)) != 0 || (account.forbidden & risk_types(side)) != 0)
        return false;
    }
    if ((checks & kChecksBand) != 0 && is_beyond(price, buy, last, account.price_band)) return false;
    const Money amount = Purse::amount_of(buy, price, open);
    if ((checks & kHasPositions) != 0) {
      Position* const position = positions_.find(session, symbol);
      if (position == nullptr) [[unlikely]]
        return false;
      if ((position->room[buy] -= open) < position->least_room(side)) [[unlikely]] {
        position->room[buy] += open;
        return false;
      }
    }
    if ((checks & kHasFunds) != 0 && !account.purse.take(buy, amount)) [[unlikely]]
      return undo(account, session, symbol, buy, amount, open, checks & (kHasPositions | kHasFunds));
    if ((checks & kFirmHasFunds) != 0 && !firms_[account.firm.value].take(buy, amount)) [[unlikely]]
      return undo(account, session, symbol, buy, amount, open, checks & kHasLedger);
    if (!account.orders.take(now_ns)) [[unlikely]]
      return undo(account, session, symbol, buy, amount, open, checks & kHasLedger);
    account.rejected_in_a_row = 0;
    return true;
  }
  /// The same of the Cancel of a whole order in a book.
  [[gnu::always_inline]] bool cancel_plain(SessionId session, SymbolId symbol, bool buy, Price price, Quantity open,
                                           TimeNs now_ns) {
    RiskAccount& account = accounts_[session.value];
    if (!account.cancels.take(now_ns)) [[unlikely]]
      return false;
    give_back(account, session, symbol, buy, Purse::amount_of(buy, price, open), open, account.checks);
    return true;
  }

  /// Of an Enter at its time: whether the account has entered it before, within the span that its limits say.
  bool is_duplicate(SessionId session, const RecentOrder& order) const {
    const RiskAccount& account = accounts_[session.value];
    return account.has(kRefusesDuplicates) &&
           recent_[session.value].has(order, account.duplicate_window_ms * (kNsPerSecond / 1000));
  }
  /// One that is accepted.
  void remember(SessionId session, const RecentOrder& order) {
    if (accounts_[session.value].has(kRefusesDuplicates)) recent_[session.value].add(order);
    note_taken(session);
  }

  // Breakers (engine/breakers.hpp). What is counted answers which of them trips by it, or kNoBreaker.

  /// Whether a breaker of any account counts executions.
  bool counts_executions() const { return counts_executions_; }
  /// An Enter or Replace of an account that has limits was Accepted or Replaced.
  void note_taken(SessionId session) { accounts_[session.value].rejected_in_a_row = 0; }
  /// One was Rejected.
  RiskLimit count_rejected(SessionId session);
  /// One side's execution of an order. `rested`: it was in the book, and the other one was not.
  RiskLimit count_execution(SessionId session, SymbolId symbol, bool buy, Price price, Quantity shares, bool rested,
                            TimeNs now_ns);
  /// The account is stopped by it; its orders are about to go.
  void note_tripped(SessionId session, RiskLimit breaker, std::uint64_t newest_order) {
    breakers_[session.value].tripped = breaker;
    breakers_[session.value].tripped_with = newest_order;
    breakers_[session.value].trips[breaker_index(breaker)].add();
  }
  /// It may go on.
  void begin_breakers_anew(SessionId session) {
    accounts_[session.value].rejected_in_a_row = 0;
    breakers_[session.value].begin_anew();
  }
  /// nullptr: no account has any.
  const Breakers* breakers(SessionId session) const { return breakers_.empty() ? nullptr : &breakers_[session.value]; }

  // Of accounts with a ledger (Account::ledger).

  /// Shares of an order that rests or waits from now on. There is room for its position: judge() has said so.
  void reserve(SessionId session, SymbolId symbol, bool buy, Price price, Quantity shares);
  /// The limit of a live purchase becomes another one. False: the funds do not pay that, and nothing is done.
  bool move_limit(SessionId session, Price from, Price to, Quantity shares);
  /// Of a live order, that are open no more.
  void release(SessionId session, SymbolId symbol, bool buy, Price price, Quantity shares) {
    RiskAccount& account = accounts_[session.value];
    give_back(account, session, symbol, buy, Purse::amount_of(buy, price, shares), shares, account.checks);
  }
  /// Of an order, not open before or released, that are executed for `value`.
  void settle(SessionId session, SymbolId symbol, bool buy, Money value, std::int64_t shares);
  /// Of a live order, that are executed at its own limit: release() and settle().
  [[gnu::always_inline]] void fill(SessionId session, SymbolId symbol, bool buy, Price limit, Quantity shares) {
    RiskAccount& account = accounts_[session.value];
    const RiskChecks checks = account.checks;
    const Money amount = Purse::amount_of(buy, limit, shares);
    const Money value = Money{limit.value} * shares;
    const auto book = [=](Purse& purse) {
      purse.give_back(buy, amount);
      purse.settle(buy, value);
    };
    if ((checks & kHasFunds) != 0) book(account.purse);
    if ((checks & kFirmHasFunds) != 0) book(firms_[account.firm.value]);
    if ((checks & kHasPositions) != 0) positions_.find(session, symbol)->fill(buy, shares);
  }

  // Changes of the configuration within a day. False: it may not change so, and has not.

  /// A limit of accounts. Positions that there are, where it is about such, are for who asks to change one by one.
  bool change_limit(SessionId session, RiskLimit limit, std::int64_t to, TimeNs now_ns);
  bool change_firm_limit(FirmId firm, std::int64_t to);
  void change_forbidden(SessionId session, OrderTypes to);
  /// Whether positions have to change with the limit.
  static bool is_of_positions(RiskLimit limit) {
    return limit == RiskLimit::position_long || limit == RiskLimit::position_short ||
           limit == RiskLimit::symbol_orders_per_second;
  }
  /// A position of the account, if it is kept, with the account's limit.
  void change_position(SessionId session, SymbolId symbol, RiskLimit limit, TimeNs now_ns);
  /// position_long or position_short of one symbol; kNoLimit: as the account's.
  bool change_own_limit(SessionId session, SymbolId symbol, RiskLimit limit, std::int64_t to);

  const LimitsNow& limits(SessionId session) const { return limits_[session.value]; }
  /// Funds of the day's start; kNoLimit: none. Any thread.
  std::int64_t firm_limit(FirmId firm) const { return static_cast<std::int64_t>(firm_limits_[firm.value].get()); }
  const RiskAccount& account(SessionId session) const { return accounts_[session.value]; }
  const Purse& firm(FirmId firm) const { return firms_[firm.value]; }
  /// nullptr: none is kept, or nothing was ever asked for.
  const Position* position(SessionId session, SymbolId symbol) const { return positions_.find(session, symbol); }
  /// Messages that the account may send in a second in one symbol; 0: no limit.
  std::uint32_t symbol_rate(SessionId session) const {
    return symbol_rates_.empty() ? 0 : symbol_rates_[session.value];
  }
  /// What an account whose messages are counted by symbol has sent in the symbol of one of its positions.
  const RollingCount& messages_in(const Position& position) const { return positions_.rate_of(position); }

 private:
  friend struct EngineState;

  bool may_trade(const RiskAccount& account, SymbolId symbol) const {
    return (sets_[account.symbols + symbol.value / 64] >> symbol.value % 64 & 1) != 0;
  }
  static bool is_beyond(Price price, bool buy, Price last, std::uint32_t band) {
    const std::int64_t away = buy ? std::int64_t{price.value} - last.value : std::int64_t{last.value} - price.value;
    return away * 10'000 > std::int64_t{last.value} * band;
  }
  static Reject refused_type(const RiskAccount& account, const RiskAsk& ask);
  Reject judge_ledger(const RiskAccount& account, const RiskAsk& ask) const;
  /// `of`: what of the ledger. The position is there.
  [[gnu::always_inline]] void give_back(RiskAccount& account, SessionId session, SymbolId symbol, bool buy,
                                        Money amount, std::int64_t shares, RiskChecks of) {
    if ((of & kHasFunds) != 0) account.purse.give_back(buy, amount);
    if ((of & kFirmHasFunds) != 0) firms_[account.firm.value].give_back(buy, amount);
    if ((of & kHasPositions) != 0) positions_.find(session, symbol)->room[buy] += shares;
  }
  [[gnu::noinline]] bool undo(RiskAccount& account, SessionId session, SymbolId symbol, bool buy, Money amount,
                              std::int64_t shares, unsigned of) {
    give_back(account, session, symbol, buy, amount, shares, static_cast<RiskChecks>(of));
    return false;
  }
  Position& position_of(const RiskAccount& account, SessionId session, SymbolId symbol);

  std::span<RiskAccount> accounts_;  // by SessionId; empty: no account has limits
  std::span<Purse> firms_;           // by FirmId
  std::span<std::uint64_t> sets_;    // of symbols, bit n is SymbolId n; the first word is nobody's
  Positions positions_;
  std::span<RecentOrders> recent_;         // by SessionId; empty: nobody's orders are remembered
  std::span<std::uint32_t> symbol_rates_;  // by SessionId; empty: nobody's messages are counted by symbol
  std::span<Breakers> breakers_;           // by SessionId; empty: nobody has any
  std::span<LimitsNow> limits_;            // by SessionId
  std::span<CountWord> firm_limits_;       // by FirmId
  bool counts_executions_ = false;
};

}  // namespace crosswire
