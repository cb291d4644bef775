// A firm's order entry as a whole: Mass Cancel, Disable, Enable, Account Query, and what goes with its session. The
// rest of the engine: engine.cpp.
#include "engine/inside.hpp"

namespace crosswire {
namespace {

/// What a Mass Cancel means.
SweepAsk sweep_ask(const Command& command) {
  const FirmAsk& ask = command.firm;
  return {.symbol = command.symbol,
          .group_id = ask.group_given ? ask.group_id : std::uint16_t{0},
          .side = ask.side,
          .reason = 'U',
          .group_given = ask.group_given};
}

/// Of a login only that one which takes a session over ends anything.
SessionEndReason end_of(const Command& command) {
  if (command.kind == CommandKind::session_close) return command.end.reason;
  return command.peer.code == 'T' ? SessionEndReason::takeover : SessionEndReason::none;
}

}  // namespace

void Engine::reject_firm(const Command& command, std::uint16_t reason, Out& out) {
  Event& event = emit(command, EventKind::rejected, command.session, command.symbol, out);
  event.reject = reason;
  event.order.order = kNoOrder;
  event.order.user_ref_num = command.firm.user_ref_num;
  event.order.user_ref_idx = command.firm.user_ref_idx;
  count_reject(reason);
}

void Engine::count_reject(std::uint16_t reason) {
  counters_.add(EngineCounter::rejected);
  if (reason == static_cast<std::uint16_t>(Reject::account_rate)) counters_.add(EngineCounter::overdrawn);
  if (reason == static_cast<std::uint16_t>(Reject::processing)) counters_.add(EngineCounter::no_room);
  if (is_limit(static_cast<Reject>(reason))) counters_.add(EngineCounter::over_limit);
}

/// The session's live order with the lowest number of the first channel from `channel` on that has any; kNoOrder: none.
OrderIndex Engine::first_order(SessionId session, std::uint32_t channel) const {
  for (; channel < kChannels; ++channel) {
    const OrderIndex first = users_.first(refs(session, static_cast<Channel>(channel)));
    if (first != kNoOrder) return first;
  }
  return kNoOrder;
}

/// The next one of the session behind a live order: by channel, and there by number.
OrderIndex Engine::order_after(OrderIndex index) const {
  const HotOrder& order = pools_.orders.hot(index);
  const OrderIndex after = users_.after(place_of(order));
  return after != kNoOrder ? after : first_order(order.session(), channel_of(index, order) + 1u);
}

/// The answer first, then the orders.
void Engine::mass_cancel(const Command& command, Out& out) {
  CHECK(command.session.value < pools_.accounts.size(), "session %u", command.session.value);
  counters_.add(EngineCounter::orders);
  if (!consume(refs(command.session, command.firm.user_ref_idx), command.firm.user_ref_num)) return;
  Account& account = this->account(command.session);
  if (account.checked && !takes_cancel(command.session, command.time_ns)) {
    reject_firm(command, static_cast<std::uint16_t>(Reject::account_rate), out);
    return;
  }
  if (command.reject != 0) {
    reject_firm(command, command.reject, out);
    return;
  }
  const SweepAsk ask = sweep_ask(command);
  if (ask.is_filtered() && account.looks.spent(command.time_ns)) {
    reject_firm(command, static_cast<std::uint16_t>(Reject::account_rate), out);
    return;
  }
  if ((account.stops & kSweeping) != 0 && !sweeps_.takes(command.session, ask)) {
    reject_firm(command, static_cast<std::uint16_t>(Reject::cancel_pending), out);
    return;
  }
  pass_on(command, EventKind::mass_cancel, out);
  counters_.add(EngineCounter::mass_cancels);
  open_sweep(command.session, ask);
}

/// A login or a session's end. Passed on first, so that its client, if he can still be told, is told in this order;
/// then the orders that go with the session. Nobody may refuse that, so it is not charged either. Behind the day's end
/// nothing is said of orders any more.
void Engine::session_changes(const Command& command, EventKind kind, Out& out) {
  pass_on(command, kind, out);
  const bool of_account = command.session.value < pools_.accounts.size();
  if (!of_account || day_over_ || (account(command.session).cancel_on & set_of({end_of(command)})) == 0) return;
  open_sweep(command.session, {.reason = 'Z', .spares_staying = true});
}

/// With the option Kill it is as an operator's kill: the answer first, then the orders, of which none executes from
/// here on.
/// No rate refuses it.
void Engine::set_disabled(const Command& command, bool disabled, Out& out) {
  CHECK(command.session.value < pools_.accounts.size(), "session %u", command.session.value);
  counters_.add(EngineCounter::orders);
  if (!consume(refs(command.session, command.firm.user_ref_idx), command.firm.user_ref_num)) return;
  const bool kills = disabled && command.firm.kills;
  if (account(command.session).checked && !takes_cancel(command.session, command.time_ns) && !kills) {
    reject_firm(command, static_cast<std::uint16_t>(Reject::account_rate), out);
    return;
  }
  if (command.reject != 0) {
    reject_firm(command, command.reject, out);
    return;
  }
  std::uint8_t& stops = account(command.session).stops;
  if (!disabled && (stops & kStopped) != 0) {
    reject_firm(command, static_cast<std::uint16_t>(Reject::firm_not_authorised), out);
    return;
  }
  counters_.add(EngineCounter::accounts_killed, kills && (stops & kKilledByAny) == 0);
  stops = static_cast<std::uint8_t>(kills ? stops | kKilledItself : disabled ? stops | kDisabled : stops & ~kDisabled);
  pass_on(command, disabled ? EventKind::disable : EventKind::enable, out);
  if (kills && !day_over_) open_sweep(command.session, {.reason = kReasonOfKill});
}

void Engine::account_query(const Command& command, Out& out) {
  CHECK(command.session.value < pools_.accounts.size(), "session %u", command.session.value);
  counters_.add(EngineCounter::orders);
  Account& asks = account(command.session);
  if (asks.queries.spent(command.time_ns)) {
    counters_.add(EngineCounter::ignored_query_rate);
    return;
  }
  asks.queries.charge(command.time_ns, 1, query_ns_);
  Event& event = emit(command, EventKind::account, command.session, kNoSymbol, out);
  event.order.order = kNoOrder;
  event.order.user_ref_idx = command.order.user_ref_idx;
  event.order.user_ref_num = UserRefNum{refs(command.session, command.order.user_ref_idx).last.value + 1};
}

}  // namespace crosswire
