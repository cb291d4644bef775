// Market orders: how far they go, and how they leave a book in which they have waited for a cross. The rest of the
// engine: engine.cpp.
#include <algorithm>

#include "engine/inside.hpp"

namespace crosswire {
namespace {

/// `price` moved to a tick, down for a purchase and up for a sale; never below one tick.
Price on_tick_within(std::uint32_t tick_e4, bool buy, Price price) {
  const std::uint32_t ticks = price.value / tick_e4;
  const std::uint32_t moved = buy || ticks * tick_e4 == price.value ? ticks : ticks + 1;
  return Price{std::max(moved, 1u) * tick_e4};
}

}  // namespace

/// The best price that the other side shows, of the order of terms_. Only the best levels are looked at, as for a
/// minimum; what was looked at in vain is charged.
Reject Engine::find_quote(const Command& command, Price& quote) {
  const Ladder& contra = state(at_symbol_).book.side(!terms_.buy());
  if (contra.empty()) return Reject::quote_unavailable;
  const Level& best = pools_.levels[contra.best_level()];
  quote = best.price;
  if (best.last_displayed != kNoOrder) return Reject::none;
  Budget& budget = account(command.session).looks;
  if (budget.spent(command.time_ns)) return Reject::account_rate;
  std::size_t looks = 0;
  for (Ladder::Cursor at(contra, pools_.nodes, contra.best()); looks < looks_for_minimum_ && at.rank() != kNoRank;
       ++looks, at.worse(pools_.nodes)) {
    const Level& level = pools_.levels[at.level(pools_.nodes)];
    quote = level.price;
    if (level.last_displayed != kNoOrder) return Reject::none;
  }
  budget.charge(command.time_ns, looks, look_ns_);
  return Reject::quote_unavailable;
}

/// Gives the market order of terms_ the limit to which it goes. Asked once: it may charge the account for its looks.
Reject Engine::price_market(const Command& command) {
  const CollarConfig& collar = collars_[at_symbol_.value - 1u].config;
  if (collar.market_percent_e2 == 0) return Reject::risk_order_type;
  const SymbolState& symbol = state(at_symbol_);
  const bool buy = terms_.buy();
  if (symbol.phase != Phase::continuous || terms_.one_cross()) {
    const PriceRange range = market_range(at_symbol_);
    terms_.price = buy ? range.high : range.low;
    return Reject::none;
  }
  Price quote;
  const Reject reason = find_quote(command, quote);
  if (reason != Reject::none) return reason;
  const PriceRange range = range_about(quote, collar.market_percent_e2);
  terms_.price = on_tick_within(symbol.book.scale().tick(), buy, buy ? range.high : range.low);
  return Reject::none;
}

/// How far market orders that wait for a cross go: to `high` who buys, to `low` who sells. It stays as it is while
/// nothing executes, and so for all that are in a book.
PriceRange Engine::market_range(SymbolId id) const {
  const Collar& collar = collars_[id.value - 1u];
  if (collar.config.market_percent_e2 == 0) return {Price{0}, kMaxPrice};
  const SymbolState& symbol = state(id);
  const PriceRange range = collar.config.static_percent_e2 > 0
                               ? range_about(collar.reference, collar.config.static_percent_e2)
                               : range_about(symbol.reference, collar.config.market_percent_e2);
  const std::uint32_t tick = symbol.book.scale().tick();
  return {on_tick_within(tick, false, range.low), on_tick_within(tick, true, range.high)};
}

/// A market order that has waited for the closing call goes as far as those that come now. False: its account's funds,
/// or its firm's, do not pay that, and it is as it was.
bool Engine::rebind(OrderIndex index, const HotOrder& order) {
  const SymbolId symbol = pools_.orders.resolved(index).symbol;
  const PriceRange range = market_range(symbol);
  Price& bound = pools_.orders.resolved(index).bound;
  const Price to = order.buy() ? range.high : range.low;
  if (order.buy() && account(order.session()).ledger && !risk_.move_limit(order.session(), bound, to, order.open))
    return false;
  bound = to;
  return true;
}

/// All of one side, oldest first. False: there was no room for an event.
bool Engine::cancel_market_orders(const Command& command, bool buy, Out& out) {
  const Ladder& side = state(at_symbol_).book.side(buy);
  while (side.best() == kMarketRank) {
    if (!out.has_room()) return false;
    const OrderIndex index = pools_.levels[side.best_level()].head;
    const HotOrder& order = pools_.orders.hot(index);
    cancel_shares(command, index, order.open, to_ == Phase::closed ? 'E' : order.one_cross ? 'T' : 'K', out);
  }
  return true;
}

/// Market orders would come first in the cross: those that do not go as far as its price leave before it. The range is
/// about its price once it has begun, so that none leaves then. False: there was no room for an event.
bool Engine::drop_beyond_auction(const Command& command, Out& out) {
  if (auction_.paired == 0) return true;
  const PriceRange range = market_range(at_symbol_);
  if (auction_.price > range.high && !cancel_market_orders(command, true, out)) return false;
  return auction_.price >= range.low || cancel_market_orders(command, false, out);
}

/// Behind their call no market order stays in the book; a halt, and a call as which an interruption goes on, are not
/// behind it. False: there was no room for an event.
bool Engine::clear_market_orders(const Command& command, Out& out) {
  const Phase from = state(at_symbol_).phase;
  if (to_ == from || (is_call(to_) && (from == Phase::interrupted || !is_call(from)))) return true;
  return cancel_market_orders(command, true, out) && cancel_market_orders(command, false, out);
}

}  // namespace crosswire
