// A firm's order entry as a whole: Mass Cancel, Disable, Enable, and what goes with its session. The rest of the
// engine: engine.cpp.
#include "engine/inside.hpp"

namespace crosswire {
namespace {

/// Whether a Mass Cancel may look at orders that it does not mean.
bool picks(const Command& command) {
  return command.symbol != kAllSymbols || command.firm.side != kNoSide || command.firm.group_given;
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

/// Whether a Mass Cancel, its session's end or a kill means this order.
bool Engine::is_meant(const Command& command, OrderIndex index) const {
  if (command.kind == CommandKind::operate) return true;
  if (command.kind != CommandKind::mass_cancel) return !pools_.orders.resolved(index).kept.stays_on_disconnect;
  const FirmAsk& ask = command.firm;
  const HotOrder& order = pools_.orders.hot(index);
  if (ask.side != kNoSide && order.side() != ask.side) return false;
  if (ask.group_given && pools_.orders.resolved(index).kept.group_id != ask.group_id) return false;
  return command.symbol == kAllSymbols || symbol_of(index, order) == command.symbol;
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

void Engine::begin_sweep(SessionId session) {
  idle_looks_ = 0;
  at_order_ = account(session).live > 0 ? first_order(session, 0) : kNoOrder;
  step_ = Step::sweep;
}

/// Cancels those of the session's own orders that are meant, channel by channel and in each by number, which is oldest
/// first.
bool Engine::sweep(const Command& command, char reason, Out& out) {
  for (std::size_t looks = 0; at_order_ != kNoOrder; ++looks) {
    if (looks == kMostLooks) return !(yielded_ = true);
    const OrderIndex index = at_order_;
    const bool meant = is_meant(command, index);
    if (meant && !out.has_room()) return false;
    at_order_ = order_after(index);
    if (meant) {
      cancel_shares(command, index, pools_.orders.hot(index).open, reason, out);
    } else {
      ++idle_looks_;
    }
  }
  return true;
}

/// The answer first, then the orders.
bool Engine::mass_cancel(const Command& command, Out& out) {
  if (step_ == Step::begin) {
    CHECK(command.session.value < pools_.accounts.size(), "session %u", command.session.value);
    counters_.add(EngineCounter::orders);
    if (!consume(refs(command.session, command.firm.user_ref_idx), command.firm.user_ref_num)) return true;
    if (account(command.session).checked && !takes_cancel(command.session, command.time_ns)) {
      reject_firm(command, static_cast<std::uint16_t>(Reject::account_rate), out);
      return true;
    }
    if (command.reject != 0) {
      reject_firm(command, command.reject, out);
      return true;
    }
    if (picks(command) && account(command.session).looks.spent(command.time_ns)) {
      reject_firm(command, static_cast<std::uint16_t>(Reject::account_rate), out);
      return true;
    }
    pass_on(command, EventKind::mass_cancel, out);
    counters_.add(EngineCounter::mass_cancels);
    begin_sweep(command.session);
  }
  if (!sweep(command, 'U', out)) return false;
  account(command.session).looks.charge(command.time_ns, idle_looks_, look_ns_);
  return true;
}

/// A login or a session's end. Passed on first, so that its client, if he can still be told, is told in this order;
/// then the orders that go with the session. Nobody may refuse that, so it is not charged either. Behind the day's end
/// nothing is said of orders any more.
bool Engine::session_changes(const Command& command, EventKind kind, Out& out) {
  if (step_ == Step::begin) {
    pass_on(command, kind, out);
    const bool of_account = command.session.value < pools_.accounts.size();
    if (!of_account || day_over_ || (account(command.session).cancel_on & set_of({end_of(command)})) == 0) return true;
    begin_sweep(command.session);
  }
  const std::uint64_t canceled = counters_.get(EngineCounter::canceled);
  const bool done = sweep(command, 'Z', out);
  counters_.add(EngineCounter::canceled_with_session, counters_.get(EngineCounter::canceled) - canceled);
  return done;
}

void Engine::set_disabled(const Command& command, bool disabled, Out& out) {
  CHECK(command.session.value < pools_.accounts.size(), "session %u", command.session.value);
  counters_.add(EngineCounter::orders);
  if (!consume(refs(command.session, command.firm.user_ref_idx), command.firm.user_ref_num)) return;
  if (account(command.session).checked && !takes_cancel(command.session, command.time_ns)) {
    reject_firm(command, static_cast<std::uint16_t>(Reject::account_rate), out);
    return;
  }
  if (command.reject != 0) {
    reject_firm(command, command.reject, out);
    return;
  }
  std::uint8_t& stops = account(command.session).stops;
  if (!disabled && (stops & kKilled) != 0) {
    reject_firm(command, static_cast<std::uint16_t>(Reject::firm_not_authorised), out);
    return;
  }
  stops = static_cast<std::uint8_t>(disabled ? stops | kDisabled : stops & ~kDisabled);
  pass_on(command, disabled ? EventKind::disable : EventKind::enable, out);
}

}  // namespace crosswire
