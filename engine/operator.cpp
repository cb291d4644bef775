// What operators do by command: halt, resume, a phase by hand; kill accounts and allow them again. Each is done once,
// whatever is repeated, and each is answered by one event behind all that it caused. The rest of the engine:
// engine.cpp; the phases: day.cpp.
#include <algorithm>

#include "engine/inside.hpp"

namespace crosswire {

bool Engine::operate(const Command& command, Out& out) {
  const OperatorAsk& ask = command.operate;
  if (step_ == Step::begin) {
    if (const OperatorLog::Entry* const before = operator_log_.find(ask.request); before != nullptr) {
      report_operated(command, *before, out);
      return true;
    }
    begin_operate(command, out);
  }
  if (ask.refused == OperatorResult::none) {
    // In Step::close the symbols are done, but the market may still have to close.
    if (!is_about_accounts(ask.action) && !enter_phases(command, out)) return false;
    if (!take_turn(command, out)) return false;
  }
  if (!out.has_room()) return false;
  const OperatorResult result = ask.refused == OperatorResult::none ? result_of(ask) : ask.refused;
  const bool of_one = command.symbol != kAllSymbols && ask.refused == OperatorResult::none;
  const OperatorLog::Entry done{.request = ask.request,
                                .done_by = command.sequence,
                                .done_ns = command.time_ns,
                                .symbol = command.symbol,
                                .action = ask.action,
                                .to = ask.phase,
                                .account = ask.account,
                                .firm = ask.firm,
                                .level = ask.level,
                                .seconds = ask.seconds,
                                .result = result,
                                .phase = of_one ? state(command.symbol).phase : Phase{},
                                .changed = changed_,
                                .held = held_,
                                .canceled = canceled_};
  operator_log_.add(done);
  report_operated(command, done, out);
  return true;
}

void Engine::begin_operate(const Command& command, Out& out) {
  const OperatorAsk& ask = command.operate;
  changed_ = held_ = 0;
  canceled_ = 0;
  step_ = Step::close;
  if (ask.refused != OperatorResult::none) return;
  if (!is_about_accounts(ask.action)) {
    if (ask.level != 0)
      emit(command, EventKind::halt_level, kNoSession, kNoSymbol, out).halt_level.level =
          static_cast<char>('0' + ask.level);
    begin_phases(command, ask.action == OperatorAction::phase && ask.phase == Phase::continuous, out);
    return;
  }
  stop_accounts(ask);
}

/// Whether a kill or its end is about the account.
bool Engine::is_target(const OperatorAsk& ask, std::uint32_t account) const {
  return ask.account == kNoSession ? pools_.accounts[account].firm == ask.firm : ask.account.value == account;
}

/// No order of theirs is taken from here on, and none of a killed one executes: they go in turns. Behind the day's end
/// nothing is said of orders any more.
void Engine::stop_accounts(const OperatorAsk& ask) {
  const bool kills = ask.action == OperatorAction::kill;
  for (std::uint32_t i = 0; i < pools_.accounts.size(); ++i) {
    if (!is_target(ask, i)) continue;
    Account& account = pools_.accounts[i];
    const SessionId session{static_cast<std::uint16_t>(i)};
    if (!kills) {
      allow_again(session);
      continue;
    }
    if ((account.stops & kKilled) == 0) {
      counters_.add(EngineCounter::accounts_killed, (account.stops & kKilledByAny) == 0);
      account.stops |= kKilled;
      ++changed_;
    }
    if (day_over_) continue;
    canceled_ += account.live;
    open_sweep(session, {.reason = kReasonOfKill});
  }
}

/// Ends a kill, its client's own one too, and what a breaker of the account has stopped: it begins to count anew.
void Engine::allow_again(SessionId session) {
  std::uint8_t& stops = account(session).stops;
  constexpr std::uint8_t kEnds = kKilledByAny | kTripped;
  changed_ = static_cast<std::uint16_t>(changed_ + ((stops & kEnds) != 0));
  counters_.add(EngineCounter::accounts_allowed, (stops & kKilledByAny) != 0);
  if ((stops & kTripped) != 0) {
    risk_.begin_breakers_anew(session);
    counters_.add(EngineCounter::breakers_ended);
  }
  stops = static_cast<std::uint8_t>(stops & ~kEnds);
}

/// at_symbol_ is halted by an operator from now on, or for longer than it was: no halt shortens another one. False: it
/// is halted for as long already.
bool Engine::hold(const Command& command, SymbolState& symbol) {
  TimeNs& until_ns = collars_[at_symbol_.value - 1u].halted_until_ns;
  const TimeNs wanted_ns = end_of_halt(command);
  if (symbol.held && (until_ns == 0 || (wanted_ns != 0 && wanted_ns <= until_ns))) return false;
  counters_.add(EngineCounter::symbols_held, !symbol.held);
  symbol.held = true;
  until_ns = wanted_ns;
  if (wanted_ns != 0) next_end_ns_ = std::min(next_end_ns_, wanted_ns);
  return true;
}

/// at_symbol_ is halted by no operator any more.
void Engine::end_halt(SymbolState& symbol) {
  symbol.held = false;
  collars_[at_symbol_.value - 1u].halted_until_ns = 0;
  counters_.add(EngineCounter::symbols_released);
}

/// The phase that the schedule, or an operator, has the symbol enter; its own: none.
Phase Engine::enters(const Command& command, SymbolState& symbol) {
  const bool operated = command.kind == CommandKind::operate;
  const OperatorAction action = operated ? command.operate.action : OperatorAction::phase;
  switch (action) {
    case OperatorAction::halt:
      if (!hold(command, symbol)) return symbol.phase;
      ++changed_;
      return symbol.phase == Phase::closed ? Phase::closed : Phase::halted;
    case OperatorAction::resume:
      if (!symbol.held) return symbol.phase;
      end_halt(symbol);
      ++changed_;
      return symbol.scheduled;
    case OperatorAction::phase:
    case OperatorAction::none:
    case OperatorAction::kill:
    case OperatorAction::allow:
    case OperatorAction::reload:
      break;
  }
  symbol.scheduled = operated ? command.operate.phase : command.phase.phase;
  if (symbol.held && symbol.scheduled == Phase::closed) end_halt(symbol);
  ++(symbol.held ? held_ : changed_);
  return symbol.held ? symbol.phase : symbol.scheduled;
}

/// By what the symbols, or the accounts, came to.
OperatorResult Engine::result_of(const OperatorAsk& ask) const {
  const OperatorAction action = ask.action;
  if (ask.level != 0) return OperatorResult::done;  // the feed has told the level, whatever was halted before
  if (action == OperatorAction::phase || changed_ > 0) return OperatorResult::done;
  if (is_about_accounts(action))
    return action == OperatorAction::kill ? OperatorResult::killed_already : OperatorResult::not_killed;
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
  operated.canceled = done.canceled;
  retire(command, command.operate.slot, out);
  counters_.add(EngineCounter::operated);
}

}  // namespace crosswire
