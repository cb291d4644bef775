// Jobs and their turns: see jobs.hpp. The rest of the engine: engine.cpp.
#include "engine/jobs.hpp"

#include "engine/inside.hpp"

namespace crosswire {

/// Has the account's orders cancelled that `ask` means, from this command's turn on, in which it comes first.
void Engine::open_sweep(SessionId session, const SweepAsk& ask) {
  Account& account = this->account(session);
  if (account.live == 0) return;
  if ((account.stops & kSweeping) == 0) {
    sweeps_.open(session);
    account.stops |= kSweeping;
    open_jobs_ |= kSweeps;
  }
  if (sweeps_.add(session, ask)) sweeps_.of(session).at = first_order(session, 0);
  sweeps_.bring_forward(session);
}

/// The ask that means the order; nullptr: none does.
const SweepAsk* Engine::ask_for(const Sweep& sweep, OrderIndex index, const HotOrder& order) const {
  for (const SweepAsk& ask : sweep.all()) {
    if (ask.side != kNoSide && order.side() != ask.side) continue;
    const OrderResolved& resolved = pools_.orders.resolved(index);
    if (ask.spares_staying && resolved.kept.stays_on_disconnect) continue;
    if (ask.group_given && resolved.kept.group_id != ask.group_id) continue;
    if (ask.symbol != kAllSymbols && symbol_of(index, order) != ask.symbol) continue;
    return &ask;
  }
  return nullptr;
}

/// The first account's job. What a Mass Cancel that does not mean all looks at in vain is charged, as it is looked at.
/// False: there was no room for an event.
bool Engine::sweep(const Command& command, Out& out) {
  const SessionId session = sweeps_.first();
  Account& account = this->account(session);
  Sweep& sweep = sweeps_.of(session);
  const bool charged =
      std::ranges::any_of(sweep.all(), [](const SweepAsk& ask) { return ask.reason == 'U' && ask.is_filtered(); });
  for (; sweep.at != kNoOrder && turn_has_more(); ++looks_) {
    const OrderIndex index = sweep.at;
    const HotOrder& order = pools_.orders.hot(index);
    const SweepAsk* const ask = ask_for(sweep, index, order);
    if (ask != nullptr && !out.has_room()) return false;
    sweep.at = order_after(index);
    if (ask == nullptr) {
      if (charged) account.looks.charge(command.time_ns, 1, look_ns_);
      continue;
    }
    ++acts_;
    if (ask->spares_staying) counters_.add(EngineCounter::canceled_with_session);
    cancel_shares(command, index, order.open, ask->reason, out);
  }
  if (sweep.at != kNoOrder) return true;
  account.stops = static_cast<std::uint8_t>(account.stops & ~kSweeping);
  sweeps_.close_first();
  if (!sweeps_.any()) open_jobs_ &= static_cast<std::uint8_t>(~kSweeps);
  return true;
}

/// An order is about to be removed, whoever removes it: a job of its account does not stand at it.
void Engine::pass_by(OrderIndex index, const HotOrder& order) {
  Sweep& sweep = sweeps_.of(order.session());
  if (sweep.at == index) sweep.at = order_after(index);
}

/// Cancels the GTT orders whose life is over at the last tick's time. False: there was no room for an event.
bool Engine::end_lives(const Command& command, Out& out) {
  for (; next_second_ * kNsPerSecond <= lives_until_ns_; ++next_second_) {
    const std::uint32_t list = list_of(next_second_);
    for (OrderIndex index = waiting_.front(list); index != kNoOrder; index = waiting_.front(list)) {
      if (!turn_has_more()) return true;
      if (!out.has_room()) return false;
      ++acts_;
      cancel_shares(command, index, pools_.orders.hot(index).open, 'T', out);
    }
  }
  open_jobs_ &= static_cast<std::uint8_t>(~kLives);
  return true;
}

/// Cancels what is left in a closed symbol's book, and waits beside it. False: there was no room for an event, or the
/// turn is over.
bool Engine::expire(const Command& command, SymbolId symbol, Out& out) {
  const Book& book = state(symbol).book;
  const std::uint32_t waiting = list_of(symbol, CrossType::closing);
  for (;;) {
    OrderIndex index = waiting_.front(waiting);
    for (const bool buy : {false, true})
      if (!book.side(buy).empty()) index = pools_.levels[book.side(buy).best_level()].head;
    if (index == kNoOrder) return true;
    if (!turn_has_more() || !out.has_room()) return false;
    ++acts_;
    cancel_shares(command, index, pools_.orders.hot(index).open, 'E', out);
  }
}

/// What an order left over that is closed: see expire(). The job that ends it begins with the first such symbol.
void Engine::open_closing(SymbolId symbol) {
  if ((open_jobs_ & kClosing) == 0 || symbol.value < at_closing_.value) at_closing_ = symbol;
  open_jobs_ |= kClosing;
}

/// False: there was no room for an event.
bool Engine::close_books(const Command& command, Out& out) {
  for (; at_closing_.value <= symbol_count(); ++at_closing_.value, ++looks_) {
    if (!turn_has_more()) return true;
    if (state(at_closing_).phase == Phase::closed && !expire(command, at_closing_, out)) return !turn_has_more();
  }
  open_jobs_ &= static_cast<std::uint8_t>(~kClosing);
  return true;
}

/// What is left of the command's turn. By turns accounts come first, or what the day ends; kills in any case. False:
/// there was no room for an event.
bool Engine::take_turn(const Command& command, Out& out) {
  while (open_jobs_ != 0 && turn_has_more()) {
    const bool accounts_first = command.sequence.value % 2 == 0 || sweeps_.kills() > 0;
    const bool sweeps = (open_jobs_ & kSweeps) != 0 && (accounts_first || open_jobs_ == kSweeps);
    const bool room = sweeps                       ? sweep(command, out)
                      : (open_jobs_ & kLives) != 0 ? end_lives(command, out)
                                                   : close_books(command, out);
    if (!room) return false;
  }
  return true;
}

/// Behind a command's turn: the next one is another account's.
void Engine::end_turn() {
  if ((open_jobs_ & kSweeps) != 0) sweeps_.pass_on();
}

/// All that is open, a turn an apply(), so that other stages have theirs. True: nothing is, and there is room for an
/// event.
bool Engine::finish_jobs(const Command& command, Out& out) {
  if (!take_turn(command, out)) return false;
  if (open_jobs_ == 0) return out.has_room();
  begin_turn();
  return !(yielded_ = true);
}

/// The same of kills alone: they come first. The command's own turn begins behind them.
bool Engine::finish_kills(const Command& command, Out& out) {
  while (sweeps_.kills() > 0 && turn_has_more()) {
    sweeps_.bring_kill_forward();
    if (!sweep(command, out)) return false;
  }
  begin_turn();
  if (sweeps_.kills() == 0) return out.has_room();
  return !(yielded_ = true);
}

/// Whether the command may execute a cross, which pairs whole queues, while orders are in the books that may not
/// execute. No client's command does. (A tick may, too: it waits where a call ends with it, in end_calls().)
bool Engine::waits_for_kills(const Command& command) const {
  if (command.kind == CommandKind::phase) return command.phase.phase != Phase::halted;
  // Also what lets an account trade again: none of its orders that were there executes.
  if (command.kind == CommandKind::configure)
    return command.configure.row == ConfigRow::enabled && command.configure.value != 0;
  return command.kind == CommandKind::operate && command.operate.action != OperatorAction::halt &&
         command.operate.action != OperatorAction::kill;
}

/// What of the open jobs the command waits for.
Engine::Wait Engine::waits(const Command& command) const {
  if (command.kind == CommandKind::day_end || command.kind == CommandKind::run_end) return Wait::jobs;
  // No order of a closed book lives on where its symbol is opened.
  const bool opens = command.kind == CommandKind::phase     ? command.phase.phase != Phase::closed
                     : command.kind == CommandKind::operate ? command.operate.action == OperatorAction::resume ||
                                                                  (command.operate.action == OperatorAction::phase &&
                                                                   command.operate.phase != Phase::closed)
                                                            : false;
  if (opens && (open_jobs_ & kClosing) != 0) return Wait::jobs;
  return sweeps_.kills() > 0 && waits_for_kills(command) ? Wait::kills : Wait::none;
}

}  // namespace crosswire
