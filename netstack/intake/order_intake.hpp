// OrderIntake: a session and an OUCH message in (WIRE 3), a command out, wherever the message came from. What can be
// said of the message alone is said here; the order's cold lines are written straight from it.
// receive stage alone; never waits, allocates after construction or calls the system, and no message can make it do
// more than count.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/command.hpp"
#include "engine/config.hpp"
#include "engine/order.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/common/config.hpp"
#include "netstack/common/fixed_map.hpp"
#include "netstack/common/token_bucket.hpp"
#include "netstack/intake/command_writer.hpp"
#include "netstack/intake/order_rules.hpp"
#include "netstack/receive/counters.hpp"
#include "netstack/wire/bytes.hpp"
#include "netstack/wire/ouch.hpp"

namespace crosswire {

/// Mass Cancels of one account that are carried out a second.
inline constexpr std::uint32_t kMassCancelsPerSecond = 10;

class OrderIntake {
 public:
  /// What is passed outlives it, but for `net` and `engine`. Slots come from `slots`, and their cold lines are written
  /// into `orders`. Symbols are unique (CHECKed).
  OrderIntake(const NetConfig& net, const EngineConfig& engine, CommandWriter& commands, Orders& orders,
              SlotSource& slots, ReceiveCounters& counters, Arena& arena);
  OrderIntake(const OrderIntake&) = delete;
  OrderIntake& operator=(const OrderIntake&) = delete;

  /// Arena bytes that the constructor takes.
  static std::size_t bytes_for(const NetConfig& net, const EngineConfig& engine);

  /// The message of an open session, an account's number: makes its command, or counts why there is none. False: no
  /// room for the command or no free slot; nothing has changed, and the same message is to be taken again at the next
  /// poll(), before any other.
  bool take(SessionId session, wire::Bytes message);

  /// Lives of GTT orders that may end with this tick, at most.
  std::uint64_t lives_over(TimeNs tick_ns) { return life_ends_.take(tick_ns); }

  /// By a name of the wire; kNoSymbol if there is none of it.
  SymbolId find_symbol(const wire::alpha<8>& name) const;

 private:
  /// What an account has of its own here.
  struct Account {
    std::array<char, 4> firm;
    TokenBucket mass_cancels;
  };

  /// As take(), of a message that is a `Message`. Each type has its own, in the source file alone.
  template <class Message>
  bool take_one(SessionId session, wire::Bytes message);
  template <class Message>
  bool take_switch(CommandKind kind, ReceiveCounter counter, SessionId session, wire::Bytes message);

  template <class Message>
  Command& make_order(CommandKind kind, SessionId session, OrderIndex slot, const Message& message,
                      const OrderOptions& options, const Judgement& judged);
  bool enter(SessionId session, OrderIndex index, const wire::ouch::EnterOrder& message, const OrderOptions& options);
  bool enter_with_options(SessionId session, OrderIndex index, wire::Bytes bytes);
  template <class Message>
  Command& make_firm(CommandKind kind, SessionId session, const Message& message, const OrderOptions& options);

  bool take_slot(OrderIndex& index);
  bool count(ReceiveCounter counter) {
    counters_.add(counter);
    return true;
  }

  CommandWriter& commands_;
  Orders& orders_;
  SlotSource& slots_;
  ReceiveCounters& counters_;
  FixedMap symbols_;             // the name's eight bytes to SymbolId
  std::span<Account> accounts_;  // by SessionId
  LifeEnds life_ends_;
};

}  // namespace crosswire
