// Collars and the interruptions that they cause: see collar.hpp. The rest of the engine: engine.cpp.
#include "engine/collar.hpp"

#include <algorithm>

#include "engine/inside.hpp"

namespace crosswire {

/// The prices at which the symbol may execute, by its references as they are now.
void Engine::move_collar(SymbolId id) {
  const Collar& collar = collars_[id.value - 1u];
  if (!collar.config.is_on()) return;
  SymbolState& symbol = state(id);
  const PriceRange fixed = range_about(collar.reference, collar.config.static_percent_e2);
  const PriceRange moving = range_about(symbol.reference, collar.config.dynamic_percent_e2);
  symbol.low = std::max(fixed.low, moving.low);
  symbol.high = std::min(fixed.high, moving.high);
}

/// Of an aggressor that takes up to `limit`: up to where it may, in a symbol that has a collar. A queue whose best
/// price is outside, on whichever side, gives it nothing: what is behind that price does not execute before it.
Rank Engine::within(bool buy, Rank limit) const {
  const SymbolState& symbol = state(at_symbol_);
  const Ladder& contra = symbol.book.side(!buy);
  if (contra.empty() || !symbol.may_execute(pools_.levels[contra.best_level()].price)) return kNoRank;
  const TickScale& scale = symbol.book.scale();
  const std::uint32_t low = scale.ticks(symbol.low) + !scale.on_tick(symbol.low);
  return std::min(limit, scale.rank_of(!buy, buy ? scale.ticks(symbol.high) : low));
}

/// Where match() begins, or goes on, in a symbol that has a collar: the last rank that the aggressor may take; if that
/// is none it may meet no order. kNoRank: there was no room for an event.
Rank Engine::collared_limit(const Command& command, Rank limit, Out& out) {
  const SymbolState& symbol = state(at_symbol_);
  const Ladder& contra = symbol.book.side(!terms_.buy());
  Rank last = within(terms_.buy(), limit);
  // Orders of an account that is killed do not execute.
  while (last == kNoRank && sweeps_.kills() > 0 && fills_left_ > 0 && contra.best() <= limit) {
    const OrderIndex index = pools_.levels[contra.best_level()].head;
    if (!is_stopped(pools_.orders.hot(index).session())) break;
    if (!out.has_room()) return kNoRank;
    --fills_left_;
    cancel_shares(command, index, pools_.orders.hot(index).open, kReasonOfKill, out);
    last = within(terms_.buy(), limit);
  }
  if (last != kNoRank) return last;
  fills_left_ = 0;
  return limit;
}

/// Behind the executions of an aggressor in a symbol that has a collar: as match() goes on in others, but that what is
/// left may interrupt the symbol.
bool Engine::end_collared(const Command& command, Out& out) {
  const SymbolState& symbol = state(at_symbol_);
  const bool crosses = symbol.book.crosses(terms_.buy(), terms_.price);
  const bool may_execute =
      crosses && symbol.may_execute(pools_.levels[symbol.book.side(!terms_.buy()).best_level()].price);
  move_collar(at_symbol_);
  if (pools_.orders.hot(aggressor_).open == 0) {
    retire(command, aggressor_, out);
    return true;
  }
  if (may_execute && refusal_ == 0) refusal_ = 'Z';  // it may meet no more
  step_ = crosses && !may_execute && refusal_ == 0 ? Step::interrupt : Step::settle;
  return step_ == Step::interrupt ? interrupt(command, out) : settle(command, out);
}

/// What is left of the aggressor would execute outside the ranges next: the symbol is interrupted, unless the orders
/// that it would meet are of accounts that are killed.
bool Engine::interrupt(const Command& command, Out& out) {
  const SymbolState& symbol = state(at_symbol_);
  bool would_execute = symbol.book.crosses(terms_.buy(), terms_.price);
  while (would_execute && sweeps_.kills() > 0) {
    const OrderIndex index = pools_.levels[symbol.book.side(!terms_.buy()).best_level()].head;
    if (!is_stopped(pools_.orders.hot(index).session())) break;
    if (fills_left_ == 0) {
      refusal_ = 'Z';  // it may meet no more
      break;
    }
    if (!out.has_room()) return false;
    --fills_left_;
    cancel_shares(command, index, pools_.orders.hot(index).open, kReasonOfKill, out);
    would_execute = symbol.book.crosses(terms_.buy(), terms_.price);
  }
  if (would_execute && refusal_ == 0) {
    if (!out.has_room()) return false;
    set_phase(command, at_symbol_, Phase::interrupted, out);
  }
  step_ = Step::settle;
  return settle(command, out);
}

/// When the call that begins, or is prolonged, at `from_ns` ends by itself.
void Engine::end_call_at(SymbolId id, TimeNs from_ns) {
  Collar& collar = collars_[id.value - 1u];
  const TimeNs least_ns = from_ns + TimeNs{collar.config.interruption_seconds} * kNsPerSecond;
  TimeNs ticks = (least_ns + kTickIntervalNs - 1) / kTickIntervalNs;
  const TimeNs most_more = TimeNs{collar.config.interruption_random_seconds} * (kNsPerSecond / kTickIntervalNs);
  if (most_more > 0) ticks += draws_.draw(most_more + 1);
  collar.ends_ns = ticks * kTickIntervalNs;
  next_end_ns_ = std::min(next_end_ns_, collar.ends_ns);
}

/// Whether the call of at_symbol_, whose cross has been priced, goes on: one that ends by itself or by the schedule's
/// opening.
bool Engine::prolongs_call(const Command& command) const {
  const Collar& collar = collars_[at_symbol_.value - 1u];
  const bool opens =
      command.kind == CommandKind::phase && state(at_symbol_).phase == Phase::opening_call && to_ == Phase::continuous;
  if (!opens && command.kind != CommandKind::tick) return false;
  return collar.prolonged < collar.config.interruption_extensions && auction_.paired > 0 &&
         !range_about(collar.reference, collar.config.static_percent_e2).has(auction_.price);
}

/// It is said like a new phase. There is room for an event.
void Engine::prolong_call(const Command& command, Out& out) {
  end_call_at(at_symbol_, command.time_ns);
  ++collars_[at_symbol_.value - 1u].prolonged;
  const Phase phase = state(at_symbol_).phase;
  emit(command, EventKind::phase, kNoSession, at_symbol_, out).phase = {phase, phase, {}};
  counters_.add(EngineCounter::interruptions_prolonged);
}

/// Until when a halt lasts that an operator's command begins, on the tick grid; 0: until resumed.
TimeNs Engine::end_of_halt(const Command& command) {
  if (command.operate.seconds == 0) return 0;
  const TimeNs least_ns = command.time_ns + TimeNs{command.operate.seconds} * kNsPerSecond;
  return (least_ns + kTickIntervalNs - 1) / kTickIntervalNs * kTickIntervalNs;
}

/// What at_symbol_ enters, whose call or halt is over; a halt ends with it.
Phase Engine::enters_by_itself() {
  SymbolState& symbol = state(at_symbol_);
  if (!symbol.held) return Phase::continuous;
  end_halt(symbol);
  return symbol.scheduled == Phase::continuous ? Phase::interrupted : symbol.scheduled;
}

/// The calls and halts that end by themselves, and whose time has come, from at_symbol_ on. False: there was no room
/// for an event, or other stages have waited long enough.
bool Engine::end_calls(const Command& command, Out& out) {
  if (next_end_ns_ > command.time_ns) return true;
  for (; at_symbol_.value <= symbol_count(); ++at_symbol_.value) {
    if (step_ == Step::symbols) {
      const TimeNs ends_ns = collars_[at_symbol_.value - 1u].due_ns();
      if (ends_ns == 0 || ends_ns > command.time_ns) continue;
      if (!finish_kills_between(command, out)) return false;
      to_ = enters_by_itself();
    }
    if (!enter_phase(command, out)) return false;
  }
  next_end_ns_ = kNever;
  for (const Collar& collar : collars_)
    if (collar.due_ns() != 0) next_end_ns_ = std::min(next_end_ns_, collar.due_ns());
  return true;
}

}  // namespace crosswire
