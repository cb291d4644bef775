// What the engine's parts (engine.cpp, orders.cpp, matching.cpp, day.cpp ..) share and want inline. Nobody else
// includes it.
#pragma once

#include <cstring>

#include "engine/engine.hpp"

namespace crosswire {

/// The body is to be written, all of it.
[[gnu::always_inline]] inline Event& Engine::emit_head(const Command& command, EventKind kind, SessionId session,
                                                       SymbolId symbol, Out& out) {
  Event& event = out.claim();
  event.cause = command.sequence;
  event.time_ns = command.time_ns;
  event.kind = kind;
  event.flags = 0;
  event.session = session;
  event.symbol = symbol;
  event.reject = 0;
  return event;
}

/// With no body yet: whoever emits writes what it has, the rest is zero.
inline Event& Engine::emit(const Command& command, EventKind kind, SessionId session, SymbolId symbol, Out& out) {
  Event& event = emit_head(command, kind, session, symbol, out);
  std::memset(event.body, 0, sizeof event.body);
  return event;
}

/// Field by field into the ring: an OrderEvent made aside would be copied before its own stores have settled. emit()
/// has cleared the rest.
inline void Engine::report_order(Event& event, OrderIndex index, const HotOrder& order, UserRefNum number, Price price,
                                 Quantity quantity, char code, FeedAction feed) const {
  OrderEvent& to = event.order;
  to.order = index;
  to.price = price;
  to.quantity = quantity;
  to.open = order.open;
  to.ref = order.ref();
  to.user_ref_num = number;
  to.side = order.side();
  to.code = code;
  to.feed = feed;
}

inline Engine::Shown Engine::shown(const HotOrder& order) {
  if (order.hidden) return Shown::no;
  return order.attributable ? Shown::named : Shown::plain;
}

/// Of a live order, in a book or not.
inline SymbolId Engine::symbol_of(OrderIndex index, const HotOrder& order) const {
  return order.level == kNoLevel ? pools_.orders.resolved(index).symbol : pools_.levels[order.level].symbol;
}

inline Channel Engine::channel_of(OrderIndex index, const HotOrder& order) const {
  return order.has_channel ? pools_.orders.asked(index).user_ref_idx : Channel{0};
}

/// The slot of an order whose last event is emitted goes back when every reader has passed that.
[[gnu::always_inline]] inline void Engine::retire(const Command& command, OrderIndex index, Out& out) {
  returner_.retire(index, command.sequence.value, emitted(out));
}

/// Removes a live order whose last event is emitted.
[[gnu::always_inline]] inline void Engine::remove_order(const Command& command, OrderIndex index, const HotOrder& order,
                                                        Out& out) {
  Account& account = pools_.account_of(order);
  if ((account.stops & kSweeping) != 0) [[unlikely]]
    pass_by(index, order);
  ChannelRefs* refs = &account.own;
  if (order.waits || order.has_channel) [[unlikely]] {
    refs = &this->refs(order.session(), channel_of(index, order));
    if (order.waits) waiting_.remove(index);
  }
  users_.erase(*refs, place_of(order));
  --live_;
  --account.live;
  retire(command, index, out);
}

/// The order that a number means from now on: one that rests or waits. Its hot record is written; it learns its place.
inline void Engine::add_live(const Command& command, HotOrder& order) {
  const OrderAsk& ask = command.order;
  const SessionId session = command.session;
  const UserRefs::Place place =
      users_.insert(refs(session, ask.user_ref_idx), session, ask.user_ref_idx, ask.user_ref_num, ask.order);
  order.ref_block = place.block;
  order.place_in_refs = place.at & 7u;
  ++live_;
  ++account(session).live;
}

// ---- Limits and ledger of accounts that have them
// -------------------------------------------------------------------------

/// Whether one more Enter or Replace is within the rate of an account that has limits; it is counted then.
inline bool Engine::takes_order(SessionId session, TimeNs now_ns) { return risk_.orders(session).take(now_ns); }
/// The same of what cancels.
inline bool Engine::takes_cancel(SessionId session, TimeNs now_ns) { return risk_.cancels(session).take(now_ns); }

/// Why an account takes no order, of which Account::stops has something.
inline Reject why_stopped(std::uint8_t stops) {
  return stops == kSweeping ? Reject::cancel_pending : Reject::firm_not_authorised;
}

/// Of a live order: that at which it entered the book, or will; of a market order how far it may go.
inline Price Engine::limit_of(OrderIndex index, const HotOrder& order) const {
  const Price price = order.level != kNoLevel ? pools_.levels[order.level].price
                                              : Price{static_cast<std::uint32_t>(pools_.orders.asked(index).price)};
  if (!is_limit_price(price)) [[unlikely]]
    return pools_.orders.resolved(index).bound;
  return price;
}

/// Of the level at which the order of terms_ would rest.
inline Price Engine::level_price() const {
  if (terms_.market) [[unlikely]]
    return state(at_symbol_).book.market_price(terms_.buy());
  return terms_.price;
}

/// Shares that are open in the book, or outside it, from now on.
inline void Engine::reserve(const HotOrder& order, SymbolId symbol, Price limit) {
  if (pools_.account_of(order).ledger) [[unlikely]]
    risk_.reserve(order.session(), symbol, order.buy(), limit, order.open);
}

/// And that are not any more. Before they are taken off.
inline void Engine::release(const HotOrder& order, SymbolId symbol, Price limit, Quantity shares) {
  if (pools_.account_of(order).ledger) [[unlikely]]
    risk_.release(order.session(), symbol, order.buy(), limit, shares);
}

/// And that are executed at `price`.
inline void Engine::settle(const HotOrder& order, SymbolId symbol, Price price, Quantity shares) {
  if (pools_.account_of(order).ledger) [[unlikely]]
    risk_.settle(order.session(), symbol, order.buy(), Money{price.value} * shares, shares);
}

// ---------------------------------------------------------------------------------------------------------------------

inline void Engine::execute(Event& event, OrderIndex order, OrderIndex resting, HotOrder& a, HotOrder& b,
                            SymbolState& symbol, Price price, Quantity quantity) {
  a.executed = (a.executed + quantity) & 0xFFFFFu;
  b.executed = (b.executed + quantity) & 0xFFFFFu;
  event.execution = {order, resting, price, quantity, MatchNumber{++last_match_}, a.ref(), ref_on_feed(b)};
  symbol.reference = price;
  symbol.volume += quantity;
  settle(a, at_symbol_, price, quantity);
  settle(b, at_symbol_, price, quantity);
  if (risk_.counts_executions()) [[unlikely]]
    count_crossed(a, b, price, quantity);
  counters_.add(EngineCounter::executions);
  counters_.add(EngineCounter::executed_shares, quantity);
}

/// Of an order in the book or outside it.
inline void Engine::take_shares(SymbolId symbol, OrderIndex index, HotOrder& order, Quantity shares) {
  if (pools_.account_of(order).ledger) [[unlikely]]
    release(order, symbol, limit_of(index, order), shares);
  if (order.level == kNoLevel) [[unlikely]] {
    CHECK(shares <= order.open, "%u shares of %u open", shares, order.open);
    order.open -= shares;
    return;
  }
  if (order.one_cross) [[unlikely]]
    pools_.levels.one_cross_shares(order.level) -= shares;
  state(symbol).book.reduce(pools_, order, shares);
}

}  // namespace crosswire
