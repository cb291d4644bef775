// Breakers trip: an account that has reached one of its own is stopped as by an operator's kill, until an operator
// allows it again. What is counted: breakers.hpp. The rest of the engine: engine.cpp.
#include "engine/inside.hpp"

namespace crosswire {

/// An Enter or Replace of an account that has limits and may enter orders was Rejected. A halt is no fault of whom it
/// meets: all who go on quoting would be stopped by it.
void Engine::count_rejected(SessionId session, std::uint16_t reason) {
  if (reason == static_cast<std::uint16_t>(Reject::halted)) return;
  if (reason == static_cast<std::uint16_t>(Reject::account_rate)) return;
  if (reason == static_cast<std::uint16_t>(Reject::symbol_rate)) return;
  trip(session, risk_.count_rejected(session));
}

/// The aggressor has executed against `resting`. Some account has breakers that count it.
void Engine::count_fill(const Command& command, const HotOrder& resting, Price price, Quantity quantity) {
  const TimeNs now_ns = command.time_ns;
  const SessionId other = resting.session();
  trip(command.session,
       risk_.count_execution(command.session, at_symbol_, terms_.buy(), price, quantity, false, now_ns));
  trip(other, risk_.count_execution(other, at_symbol_, resting.buy(), price, quantity, true, now_ns));
}

/// Two orders have executed in a cross. Likewise.
void Engine::count_crossed(const HotOrder& buyer, const HotOrder& seller, Price price, Quantity quantity) {
  for (const HotOrder* order : {&buyer, &seller}) {
    const SessionId session = order->session();
    trip(session, risk_.count_execution(session, at_symbol_, order->buy(), price, quantity, false, TimeNs{}));
  }
}

/// No order of the account is taken from here on, and none executes: they go in turns, as a killed one's. kNoBreaker:
/// nothing is done.
void Engine::trip(SessionId session, RiskLimit breaker) {
  Account& account = this->account(session);
  if (breaker == kNoBreaker || (account.stops & kTripped) != 0) return;
  account.stops |= kTripped;
  risk_.note_tripped(session, breaker, last_ref_);
  counters_.add(counter_of(breaker));
  if (!day_over_) open_sweep(session, {.reason = kReasonOfKill});
}

}  // namespace crosswire
