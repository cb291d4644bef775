// OperatorIntake: an operator's frame in, which came past the wire, a command out. What it asks for is match's to
// judge; that it can be read, and names a symbol that there is, is seen here. receive stage alone; never waits or
// allocates.
#pragma once

#include "engine/config.hpp"
#include "engine/order.hpp"
#include "netstack/intake/command_writer.hpp"
#include "netstack/intake/order_intake.hpp"
#include "netstack/receive/counters.hpp"
#include "netstack/wire/bytes.hpp"

namespace crosswire {

class OperatorIntake {
 public:
  /// All but `engine`, which says what accounts and firms there are, outlive it. Slots come from `slots`; who asks, and
  /// why, is written into `orders`.
  OperatorIntake(const EngineConfig& engine, const OrderIntake& symbols, CommandWriter& commands, Orders& orders,
                 SlotSource& slots, ReceiveCounters& counters)
      : accounts_(engine.sessions),
        firms_(firm_count(engine)),
        symbols_(symbols),
        commands_(commands),
        orders_(orders),
        slots_(slots),
        counters_(counters) {}

  /// `frame`: an OperatorFrame (netstack/wire/operator_frame.hpp). Makes its command, or counts why there is none.
  /// False: no room for the command or no free slot; nothing has changed, and the same frame is to be taken again.
  bool take(wire::Bytes frame);

 private:
  bool is_known(const OperatorAsk& ask) const;

  std::uint32_t accounts_;
  std::uint32_t firms_;
  const OrderIntake& symbols_;
  CommandWriter& commands_;
  Orders& orders_;
  SlotSource& slots_;
  ReceiveCounters& counters_;
};

}  // namespace crosswire
