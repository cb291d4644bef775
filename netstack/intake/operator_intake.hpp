// OperatorIntake: an operator's frame in, which came past the wire, a command out. What it asks for is match's to
// judge; that it can be read, and names a symbol that there is, is seen here. receive stage alone; never waits or
// allocates.
#pragma once

#include "engine/config.hpp"
#include "engine/order.hpp"
#include "netstack/intake/command_writer.hpp"
#include "netstack/intake/order_intake.hpp"
#include "netstack/receive/counters.hpp"
#include "netstack/session/logins.hpp"
#include "netstack/wire/bytes.hpp"
#include "netstack/wire/operator_frame.hpp"

namespace crosswire {

class OperatorIntake {
 public:
  /// All but `engine`, which says what accounts and firms there are, outlive it. Slots come from `slots`; who asks, and
  /// why, is written into `orders`.
  /// `logins`: nullptr where nobody logs in.
  OperatorIntake(const EngineConfig& engine, const OrderIntake& symbols, CommandWriter& commands, Orders& orders,
                 SlotSource& slots, ReceiveCounters& counters, Logins* logins)
      : accounts_(engine.sessions),
        firms_(firm_count(engine)),
        symbols_(symbols),
        commands_(commands),
        orders_(orders),
        slots_(slots),
        counters_(counters),
        logins_(logins) {}

  /// `frame`: an OperatorFrame. Makes its command, or counts why there is none; a changed password holds from then on.
  /// False: no room for the command or no free slot; nothing has changed, and the same frame is to be taken again.
  bool take(wire::Bytes frame);

 private:
  bool is_known(const OperatorAsk& ask) const;
  void make_operate(const wire::OperatorFrame& asked, OrderIndex slot);
  void make_configure(const wire::OperatorFrame& asked, OrderIndex slot);
  OperatorResult fault_of(const wire::OperatorFrame& asked, SymbolId symbol) const;

  std::uint32_t accounts_;
  std::uint32_t firms_;
  const OrderIntake& symbols_;
  CommandWriter& commands_;
  Orders& orders_;
  SlotSource& slots_;
  ReceiveCounters& counters_;
  Logins* logins_;
};

}  // namespace crosswire
