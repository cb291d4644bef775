// What the engine's parts (engine.cpp, orders.cpp, matching.cpp, day.cpp ..) share and want inline. Nobody else
// includes it.
#pragma once

#include <cstring>

#include "engine/engine.hpp"

namespace crosswire {

/// With no body yet: whoever emits writes what it has, the rest is zero.
inline Event& Engine::emit(const Command& command, EventKind kind, SessionId session, SymbolId symbol, Out& out) {
  Event& event = out.claim();
  event.cause = command.sequence;
  event.time_ns = command.time_ns;
  event.kind = kind;
  event.flags = 0;
  event.session = session;
  event.symbol = symbol;
  event.reject = 0;
  std::memset(event.body, 0, sizeof event.body);
  return event;
}

/// Field by field into the ring: an OrderEvent made aside would be copied before its own stores have settled. emit()
/// has cleared the rest.
inline void Engine::report_order(Event& event, OrderIndex index, const HotOrder& order, Price price, Quantity quantity,
                                 char code, FeedAction feed) const {
  OrderEvent& to = event.order;
  to.order = index;
  to.price = price;
  to.quantity = quantity;
  to.open = order.open;
  to.ref = order.ref();
  to.user_ref_num = users_.number_at(place_of(order));
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

/// Removes an order whose last event is emitted. Its slot goes back when every reader has passed that.
inline void Engine::remove_order(const Command& command, OrderIndex index, const HotOrder& order, Out& out) {
  const SessionId session = order.session();
  users_.erase(refs(session, channel_of(index, order)), place_of(order));
  if (order.waits) [[unlikely]]
    waiting_.remove(index);
  --live_;
  --account(session).live;
  returner_.retire(index, command.sequence.value, emitted(out));
}

/// The order that a number means from now on. Its hot record is written; it learns its place.
inline void Engine::add_live(SessionId session, Channel channel, UserRefNum number, OrderIndex index, HotOrder& order) {
  const UserRefs::Place place = users_.insert(refs(session, channel), session, channel, number, index);
  order.ref_block = place.block;
  order.place_in_refs = place.at & 7u;
  ++live_;
  ++account(session).live;
}

inline void Engine::execute(Event& event, OrderIndex order, OrderIndex resting, HotOrder& a, HotOrder& b,
                            SymbolState& symbol, Price price, Quantity quantity) {
  a.executed = (a.executed + quantity) & 0xFFFFFu;
  b.executed = (b.executed + quantity) & 0xFFFFFu;
  event.execution = {order, resting, price, quantity, MatchNumber{++last_match_}, a.ref(), ref_on_feed(b)};
  symbol.reference = price;
  symbol.volume += quantity;
  counters_.add(EngineCounter::executions);
  counters_.add(EngineCounter::executed_shares, quantity);
}

/// Of an order in the book or outside it.
inline void Engine::take_shares(SymbolId symbol, HotOrder& order, Quantity shares) {
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
