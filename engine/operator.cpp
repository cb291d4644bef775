// What operators do to the market by command: halt, resume, a phase by hand. Each is done once, whatever is repeated,
// and each is answered by one event behind all that it caused. The rest of the engine: engine.cpp; the phases: day.cpp.
#include "engine/inside.hpp"

namespace crosswire {

bool Engine::operate(const Command& command, Out& out) {
  const OperatorAsk& ask = command.operate;
  if (step_ == Step::begin) {
    if (const OperatorLog::Entry* const before = operator_log_.find(ask.request); before != nullptr) {
      report_operated(command, *before, out);
      return true;
    }
    changed_ = held_ = 0;
    if (ask.refused == OperatorResult::none) {
      const bool opens = ask.action == OperatorAction::phase && ask.phase == Phase::continuous;
      begin_phases(command, opens, out);
    } else {
      step_ = Step::close;
    }
  }
  // In Step::close the symbols are done, but the market may still have to close.
  if (ask.refused == OperatorResult::none && !enter_phases(command, out)) return false;
  if (!out.has_room()) return false;
  const OperatorResult result = ask.refused == OperatorResult::none ? result_of(ask.action) : ask.refused;
  const bool of_one = command.symbol != kAllSymbols && ask.refused == OperatorResult::none;
  const OperatorLog::Entry done{.request = ask.request,
                                .done_by = command.sequence,
                                .done_ns = command.time_ns,
                                .symbol = command.symbol,
                                .action = ask.action,
                                .to = ask.phase,
                                .result = result,
                                .phase = of_one ? state(command.symbol).phase : Phase{},
                                .changed = changed_,
                                .held = held_};
  operator_log_.add(done);
  report_operated(command, done, out);
  return true;
}

/// The phase that the schedule, or an operator, has the symbol enter; its own: none.
Phase Engine::enters(const Command& command, SymbolState& symbol) {
  const bool operated = command.kind == CommandKind::operate;
  const OperatorAction action = operated ? command.operate.action : OperatorAction::phase;
  switch (action) {
    case OperatorAction::halt:
      if (symbol.held) return symbol.phase;
      symbol.held = true;
      counters_.add(EngineCounter::symbols_held);
      ++changed_;
      return symbol.phase == Phase::closed ? Phase::closed : Phase::halted;
    case OperatorAction::resume:
      if (!symbol.held) return symbol.phase;
      symbol.held = false;
      counters_.add(EngineCounter::symbols_released);
      ++changed_;
      return symbol.scheduled;
    case OperatorAction::phase:
    case OperatorAction::none:
      break;
  }
  symbol.scheduled = operated ? command.operate.phase : command.phase.phase;
  if (symbol.held && symbol.scheduled == Phase::closed) {
    symbol.held = false;
    counters_.add(EngineCounter::symbols_released);
  }
  ++(symbol.held ? held_ : changed_);
  return symbol.held ? symbol.phase : symbol.scheduled;
}

/// By what the symbols' answers came to.
OperatorResult Engine::result_of(OperatorAction action) const {
  if (action == OperatorAction::phase || changed_ > 0) return OperatorResult::done;
  return action == OperatorAction::resume ? OperatorResult::not_halted : OperatorResult::halted_already;
}

/// `done`: the command itself, or an earlier one with its request number, which need not have been the same.
void Engine::report_operated(const Command& command, const OperatorLog::Entry& done, Out& out) {
  Operated& operated = emit(command, EventKind::operated, kNoSession, command.symbol, out).operated;
  operated.request = done.request;
  operated.done_by = done.done_by;
  operated.done_ns = done.done_ns;
  operated.slot = command.operate.slot;
  operated.action = command.operate.action;
  operated.result = done.is(command) ? done.result : OperatorResult::other_request;
  operated.changed = done.changed;
  operated.held = done.held;
  operated.phase = done.phase;
  retire(command, command.operate.slot, out);
  counters_.add(EngineCounter::operated);
}

}  // namespace crosswire
