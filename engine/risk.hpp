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

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/config.hpp"
#include "engine/positions.hpp"
#include "engine/reject.hpp"
#include "engine/risk_limits.hpp"
#include "engine/rolling_count.hpp"
#include "engine/types.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

/// Funds, and what is promised of them.
struct Purse {
  Money cash = 0;               // of the day's start, less purchases, and sales
  Money reserved = 0;           // limit price times open shares of live purchases
  std::int64_t open_sells = 0;  // shares of live sales

  /// `freed`, `freed_shares`: what the order gives back that it replaces.
  Reject judge(bool buy, Money notional, Quantity shares, Money freed, Quantity freed_shares) const {
    if (buy) return cash - reserved + freed >= notional ? Reject::none : Reject::risk_exposure;
    // Whatever the open sales fetch has to be countable.
    const std::int64_t sells = open_sells - freed_shares + shares;
    return sells <= (kMostMoney - std::max<Money>(cash, 0)) / kMaxPrice.value ? Reject::none : Reject::notional_sum;
  }
  void reserve(bool buy, Money notional, std::int64_t shares) {
    (buy ? reserved : open_sells) += buy ? notional : shares;
  }
  void settle(bool buy, Money value) { cash += buy ? -value : value; }
};

/// What the checks of one account's orders read: a line, with positions one more a symbol, with rates the next.
struct alignas(64) RiskAccount {
  Quantity order_quantity = kMaxQuantity;
  std::uint32_t price_band = 0;  // in 1/10000; 0: none
  Money order_notional = kMostMoney;
  Purse purse;
  std::uint32_t symbols = 0;  // where its set begins in Risk's words; 0: all symbols
  OrderTypes forbidden = 0;
  bool has_funds = false;
  bool has_positions = false;
  FirmId firm{};
  bool firm_has_funds = false;
  RollingCount orders;
  RollingCount cancels;
  std::int64_t most_long = kMostShares;  // of a symbol that has no limit of its own
  std::int64_t most_short = 0;
};

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

  /// Whether the account's limits take the order. `last`: the symbol's last price.
  Reject judge(const RiskAsk& ask, Price last) const {
    const RiskAccount& account = accounts_[ask.session.value];
    if (account.symbols != 0 && !may_trade(account, ask.symbol)) return Reject::risk_restricted;
    if ((account.forbidden & ask.types) != 0) [[unlikely]]
      return refused_type(account, ask);
    if (ask.only_lowers) return Reject::none;
    if (ask.open > account.order_quantity) return Reject::risk_quantity;
    const Money notional = Money{ask.price.value} * ask.open;
    if (notional > account.order_notional) return Reject::risk_notional;
    const bool buy = is_buy(ask.side);
    if (account.price_band != 0 && is_beyond(ask.price, buy, last, account.price_band)) return Reject::risk_price;
    return account.has_funds || account.has_positions || account.firm_has_funds ? judge_ledger(account, ask, notional)
                                                                                : Reject::none;
  }

  // Of accounts with a ledger (Account::ledger).

  /// Shares of an order that rests or waits from now on. There is room for its position: judge() has said so.
  void reserve(SessionId session, SymbolId symbol, bool buy, Price price, Quantity shares) {
    count(session, symbol, buy, Money{price.value} * shares, shares);
  }
  /// Of a live order, that are open no more.
  void release(SessionId session, SymbolId symbol, bool buy, Price price, Quantity shares) {
    count(session, symbol, buy, -(Money{price.value} * shares), -std::int64_t{shares});
  }
  /// That are executed, at the execution's price.
  void settle(SessionId session, SymbolId symbol, bool buy, Price price, Quantity shares);

  const RiskAccount& account(SessionId session) const { return accounts_[session.value]; }
  const Purse& firm(FirmId firm) const { return firms_[firm.value]; }
  /// nullptr: none is kept, or nothing was ever asked for.
  const Position* position(SessionId session, SymbolId symbol) const { return positions_.find(session, symbol); }

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
  Reject judge_ledger(const RiskAccount& account, const RiskAsk& ask, Money notional) const;
  void count(SessionId session, SymbolId symbol, bool buy, Money notional, std::int64_t shares);
  Position& position_of(const RiskAccount& account, SessionId session, SymbolId symbol);

  std::span<RiskAccount> accounts_;  // by SessionId; empty: no account has limits
  std::span<Purse> firms_;           // by FirmId
  std::span<std::uint64_t> sets_;    // of symbols, bit n is SymbolId n; the first word is nobody's
  Positions positions_;
};

}  // namespace crosswire
