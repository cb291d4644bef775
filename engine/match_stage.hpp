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
/// How full the engine's tables are, for any thread to read.
struct MatchGauges {
  CountWord live_orders;
  CountWord levels, nodes;  // of all books
};
/// Asked for symbols from a number on: 0 is SymbolId 1.
using BookTopMailbox = Mailbox<BookTop, 64>;

class MatchStage {
 public:
  /// The longest span that the engine gets at a time.
  static constexpr std::uint64_t kMaxCommands = 32;

  /// `in` is a gating reader of `commands`. All outlive the stage.
  MatchStage(Engine& engine, CommandRing& commands, CommandRing::GatingReader& in, EventRing& events,
             SlotReturner& returner)
      : engine_(engine), commands_(commands), in_(in), events_(events), returner_(returner) {}

  /// Applies up to kMaxCommands that wait, as far as the event ring has room. Returns how many it finished, and one
  /// more if it stopped in the middle of a long one.
  std::size_t poll() {
    if (top_mailbox_.asked()) [[unlikely]]
      report_tops();
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

 private:
  void tell_gauges() {
    const BookPools& pools = engine_.pools();
    gauges_.live_orders.set(engine_.live_orders());
    gauges_.levels.set(pools.levels.capacity() - pools.levels.free_count());
    gauges_.nodes.set(pools.nodes.capacity() - pools.nodes.free_count());
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
  MatchGauges gauges_;
};

}  // namespace crosswire
