// The match stage: commands from their ring through the engine into the event ring, and dead orders' slots back to
// receive. The only thread that touches the books.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/engine.hpp"
#include "hugepages/base/count_word.hpp"
#include "hugepages/rings/mailbox.hpp"

namespace crosswire {

using CommandRing = BroadcastRing<Command>;
using EventRing = BroadcastRing<Event>;

/// What an onlooker may know of a symbol. Shares include hidden ones; price and shares are 0 where a side is empty.
struct BookTop {
  Price bid, ask;
  std::uint64_t bid_shares, ask_shares;
  Price last;            // the last execution's price, before the first one the previous close
  std::uint64_t volume;  // shares executed
  Phase phase;
};
/// What an onlooker may know of a rate: `limit` 0 is none, and nothing is counted then.
struct RateState {
  std::uint32_t limit;
  std::uint32_t taken;  // within the last second, as of the last command
};
/// The same of an account. What is not kept is 0.
struct AccountState {
  std::uint8_t stops;  // Account::stops
  bool has_limits;     // any at all; else there is nothing below but live and levels
  bool has_funds, firm_has_funds, has_positions;
  std::uint32_t live;    // orders
  std::uint32_t levels;  // Account::levels
  RateState orders, cancels;
  std::uint32_t symbol_orders_limit;
  RateState rejected;            // in a row
  RateState executions, shares;  // of its orders that rested
  RiskLimit tripped;             // by which breaker it is stopped, or kNoBreaker
  Money most_loss, result;       // of the day; most_loss 0: no limit, and no result
  Purse purse, firm;
};
/// The same of one symbol for an account.
struct PositionState {
  SymbolId symbol;
  bool kept;  // else `position` says nothing
  Position position;
  std::uint32_t messages;  // within the last second, where the account's are counted by symbol
};
/// How full the engine's tables are, for any thread to read.
struct MatchGauges {
  CountWord live_orders;
  CountWord levels, nodes;  // of all books
};
/// Asked for symbols from a number on: 0 is SymbolId 1.
using BookTopMailbox = Mailbox<BookTop, 64>;
/// Asked for accounts from a number on: that of their SessionId.
using AccountMailbox = Mailbox<AccountState, 64>;
/// Asked for an account's positions, position_question(). The last item is that of the last symbol that was looked at,
/// also where it is not kept; with its SymbolId as `first` one goes on. No items: there are no more.
using PositionMailbox = Mailbox<PositionState, 64>;
/// `first`: 0 is SymbolId 1.
constexpr std::uint64_t position_question(SessionId account, std::uint16_t first) {
  return std::uint64_t{account.value} << 16 | first;
}

class MatchStage {
 public:
  /// The longest span that the engine gets at a time.
  static constexpr std::uint64_t kMaxCommands = 32;
  /// Symbols that it looks for positions at, for one answer: some tens of microseconds' worth.
  static constexpr std::uint32_t kMostSymbols = 1024;

  /// `in` is a gating reader of `commands`. All outlive the stage.
  MatchStage(Engine& engine, CommandRing& commands, CommandRing::GatingReader& in, EventRing& events,
             SlotReturner& returner)
      : engine_(engine), commands_(commands), in_(in), events_(events), returner_(returner) {}

  /// Applies up to kMaxCommands that wait, as far as the event ring has room. Returns how many it finished, and one
  /// more if it stopped in the middle of a long one.
  std::size_t poll() {
    if (top_mailbox_.asked() || account_mailbox_.asked() || position_mailbox_.asked()) [[unlikely]]
      report();
    std::size_t done = 0;
    if (const std::uint64_t waiting = in_.available(); waiting > 0) {
      const std::uint64_t until_wrap = commands_.capacity() - (in_.position() & (commands_.capacity() - 1));
      const std::size_t n = static_cast<std::size_t>(std::min({waiting, until_wrap, kMaxCommands}));
      done = engine_.apply({&in_.peek(0), n}, events_.producer());
      in_.release(done);
      tell_gauges();
      done += engine_.yielded();
    }
    if (returner_.waiting() > 0) {
      returner_.hand_back(commands_.slowest_gating_position(), events_.slowest_gating_position());
    }
    return done;
  }

  const Engine& engine() const { return engine_; }

  /// Any thread.
  const MatchGauges& gauges() const { return gauges_; }

  /// For control threads to ask.
  BookTopMailbox& top_mailbox() { return top_mailbox_; }
  AccountMailbox& account_mailbox() { return account_mailbox_; }
  PositionMailbox& position_mailbox() { return position_mailbox_; }

 private:
  void tell_gauges() {
    const BookPools& pools = engine_.pools();
    gauges_.live_orders.set(engine_.live_orders());
    gauges_.levels.set(pools.levels.capacity() - pools.levels.free_count());
    gauges_.nodes.set(pools.nodes.capacity() - pools.nodes.free_count());
  }

  void report() {
    if (top_mailbox_.asked()) report_tops();
    if (account_mailbox_.asked()) report_accounts();
    if (position_mailbox_.asked()) report_positions();
  }

  void report_tops() {
    top_mailbox_.answer([this](std::uint64_t first, std::span<BookTop> items) {
      std::size_t n = 0;
      for (; n < items.size() && first + n < engine_.symbol_count(); ++n) {
        items[n] = top(SymbolId{static_cast<std::uint16_t>(first + n + 1)});
      }
      return n;
    });
  }

  void report_accounts() {
    account_mailbox_.answer([this](std::uint64_t first, std::span<AccountState> items) {
      std::size_t n = 0;
      for (; n < items.size() && first + n < engine_.pools().accounts.size(); ++n) {
        items[n] = account(SessionId{static_cast<std::uint16_t>(first + n)});
      }
      return n;
    });
  }

  void report_positions() {
    position_mailbox_.answer([this](std::uint64_t question, std::span<PositionState> items) {
      return positions(SessionId{static_cast<std::uint16_t>(question >> 16)}, question & 0xFFFF, items);
    });
  }

  AccountState account(SessionId session) const {
    const Account& of = engine_.pools().accounts[session.value];
    AccountState state{
        .stops = of.stops, .has_limits = of.checked != 0, .live = of.live, .levels = of.levels, .tripped = kNoBreaker};
    if (!of.checked) return state;
    const RiskAccount& limits = engine_.risk().account(session);
    const auto rate = [this](const RollingCount& count) {
      return RateState{count.limit(), count.limit() == 0 ? 0 : count.taken(engine_.time_ns())};
    };
    state.has_funds = limits.has(kHasFunds);
    state.firm_has_funds = limits.has(kFirmHasFunds);
    state.has_positions = limits.has(kHasPositions);
    state.orders = rate(limits.orders);
    state.cancels = rate(limits.cancels);
    state.symbol_orders_limit = engine_.risk().symbol_rate(session);
    if (const Breakers* const breakers = engine_.risk().breakers(session); breakers != nullptr) {
      state.rejected = {breakers->most_rejects, limits.rejected_in_a_row};
      state.executions = rate(breakers->executions);
      state.shares = rate(breakers->shares);
      state.tripped = breakers->tripped;
      state.most_loss = breakers->most_loss;
      state.result = breakers->result;
    }
    if (state.has_funds) state.purse = limits.purse;
    if (state.firm_has_funds) state.firm = engine_.risk().firm(limits.firm);
    return state;
  }

  std::size_t positions(SessionId session, std::uint64_t first, std::span<PositionState> items) const {
    const bool any = session.value < engine_.pools().accounts.size() && account(session).has_positions;
    const std::uint64_t end = any ? std::min<std::uint64_t>(engine_.symbol_count(), first + kMostSymbols) : 0;
    std::size_t n = 0;
    bool kept = true;
    for (std::uint64_t at = first; at < end && n < items.size(); ++at) {
      const SymbolId symbol{static_cast<std::uint16_t>(at + 1)};
      const Position* const position = engine_.risk().position(session, symbol);
      kept = position != nullptr;
      items[n] = {symbol, kept, kept ? *position : Position{}, 0};
      if (kept && engine_.risk().account(session).has(kCountsInSymbols))
        items[n].messages = engine_.risk().messages_in(*position).taken(engine_.time_ns());
      n += kept;
    }
    return n + !kept;  // there is room for it: the last look was one with room
  }

  BookTop top(SymbolId symbol) const {
    const Book& book = engine_.book(symbol);
    BookTop top{};
    for (const bool buy : {true, false}) {
      const Ladder& side = book.side(buy);
      if (side.empty()) continue;
      const Level& best = engine_.pools().levels[side.best_level()];
      (buy ? top.bid : top.ask) = best.price;
      (buy ? top.bid_shares : top.ask_shares) = best.shares;
    }
    top.last = engine_.last_price(symbol);
    top.volume = engine_.volume(symbol);
    top.phase = engine_.phase(symbol);
    return top;
  }

  Engine& engine_;
  CommandRing& commands_;
  CommandRing::GatingReader& in_;
  EventRing& events_;
  SlotReturner& returner_;
  BookTopMailbox top_mailbox_;
  AccountMailbox account_mailbox_;
  PositionMailbox position_mailbox_;
  MatchGauges gauges_;
};

}  // namespace crosswire
