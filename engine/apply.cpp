// The commands' round, and what most commands are, on the shortest way: an Enter or Replace for the day that only
// rests, a Cancel of a whole order. Where anything else is asked, or anything stands in the way, nothing has happened
// yet, and the way for all takes the command (orders.cpp), which would come to the same.
#include <algorithm>
#include <array>
#include <utility>

#include "engine/inside.hpp"

namespace crosswire {
namespace {

/// The record of a displayed order on its session's own channel, which is not in a book yet.
[[gnu::always_inline]] inline void write_plain(HotOrder& order, OrderRef ref, SessionId session, Side side,
                                               bool attributable, Quantity open, std::uint32_t executed,
                                               const UserRefs::Place& place) {
  order = {.next = kNoOrder,
           .prev = kNoOrder,
           .level = kNoLevel,
           .open = open,
           .ref_and_session = HotOrder::pack(ref, session),
           .executed = executed & 0xFFFFFu,
           .side_bits = HotOrder::bits_of(side) & 7u,
           .place_in_refs = place.at & 7u,
           .hidden = 0,
           .attributable = attributable,
           .one_cross = 0,
           .waits = 0,
           .has_channel = 0,
           .ref_block = place.block};
}

}  // namespace

/// Of an account that may enter orders, with limits or without: who has none pays for none. False: nothing is done.
template <bool kLimited>
[[gnu::always_inline]] inline bool Engine::rest_plain_of(const Command& command, ShortWays& done, Out& out) {
  const OrderAsk& ask = command.order;
  const SessionId session = command.session;
  const SymbolId symbol_id = command.symbol;
  const UserRefNum number = ask.user_ref_num;
  Account& account = this->account(session);
  SymbolState& symbol = state(symbol_id);
  if (number <= account.own.last || symbol.phase != Phase::continuous) return false;
  const bool buy = is_buy(ask.side);
  const Price price = ask.price;
  const TickScale& scale = symbol.book.scale();
  const std::uint32_t ticks = scale.ticks(price);
  const Rank rank = scale.rank_of(buy, ticks);
  if (!scale.is_price(ticks, price) || symbol.book.side(!buy).best() <= scale.mirrored(rank)) return false;
  if (!has_place(account) || account.levels >= levels_per_account_) return false;
  Ladder& ladder = symbol.book.side(buy);
  const std::uint32_t level = ladder.find(pools_.nodes, rank);
  if (level == Ladder::kNothing && !symbol.book.can_rest(pools_, buy)) return false;
  if constexpr (kLimited) {
    if (!risk_.admit_plain(session, symbol_id, ask.side, price, ask.quantity, symbol.reference, command.time_ns))
      return false;
  }

  account.own.last = number;
  const UserRefs::Place place = users_.insert(account.own, session, Channel{0}, number, ask.order);
  ++live_;
  ++account.live;
  const Quantity open = ask.quantity;
  const OrderIndex index = ask.order;
  const OrderRef ref{++last_ref_};
  HotOrder& order = pools_.orders.hot(index);
  write_plain(order, ref, session, ask.side, ask.display == Display::attributable, open, 0, place);
  if (level != Ladder::kNothing) {
    symbol.book.join(pools_, index, order, level, false, open);
  } else {
    symbol.book.open_level(pools_, ladder, rank, index, order, buy, price);
  }
  Event& event = emit_head(command, EventKind::accepted, session, symbol_id, out);
  event.order = {.order = index,
                 .price = price,
                 .quantity = open,
                 .open = open,
                 .ref = ref,
                 .old_ref = {},
                 .user_ref_num = number,
                 .side = ask.side,
                 .code = 'L',
                 .feed = FeedAction::add,
                 .user_ref_idx = 0};
  ++done.entered;
  return true;
}

/// Aside: in one piece with the other they would want more registers than there are.
[[gnu::noinline]] bool Engine::rest_limited(const Command& command, ShortWays& done, Out& out) {
  return rest_plain_of<true>(command, done, out);
}

/// False: nothing is done.
[[gnu::always_inline]] inline bool Engine::rest_plain(const Command& command, ShortWays& done, Out& out) {
  CHECK(command.session.value < pools_.accounts.size() && command.symbol.value - 1u < symbols_.size(),
        "session %u, symbol %u", command.session.value, command.symbol.value);
  if (command.order.time_in_force != TimeInForce::day) return false;
  const Account& account = this->account(command.session);
  if (account.stops == 0 && !account.checked) [[likely]]
    return rest_plain_of<false>(command, done, out);
  return account.stops == 0 && rest_limited(command, done, out);
}

/// False: nothing is done.
inline bool Engine::replace_plain(const Command& command, ShortWays& done, Out& out) {
  const OrderAsk& ask = command.order;
  if (ask.time_in_force != TimeInForce::day || (command.flags & kQuantityIsOpen) != 0) return false;
  CHECK(command.session.value < pools_.accounts.size(), "session %u", command.session.value);
  Account& account = this->account(command.session);
  if (account.stops != 0 || account.checked || ask.user_ref_num <= account.own.last) return false;
  const OrderIndex old_index = users_.find(command.session, Channel{0}, ask.orig_user_ref_num);
  if (old_index == kNoOrder) return false;
  HotOrder& old = pools_.orders.hot(old_index);
  const bool attributable = ask.display == Display::attributable;
  if (old.waits || old.hidden || old.level == kNoLevel || old.attributable != attributable) return false;
  if (ask.quantity <= old.executed || ask.quantity > kMaxQuantity) return false;
  const Side side = ask.side == kNoSide ? old.side() : ask.side;
  const bool buy = is_buy(side);
  const SymbolId symbol_id = pools_.levels[old.level].symbol;
  SymbolState& symbol = state(symbol_id);
  const TickScale& scale = symbol.book.scale();
  if (buy != old.buy() || symbol.phase != Phase::continuous || !scale.on_tick(ask.price)) return false;
  if (symbol.book.crosses(buy, ask.price) || !may_open_level(account, symbol.book, buy)) return false;

  account.own.last = ask.user_ref_num;
  const OrderRef old_ref = old.ref(), ref{++last_ref_};
  const Quantity executed = old.executed, open = ask.quantity - executed;
  const UserRefs::Place place = users_.insert(account.own, command.session, Channel{0}, ask.user_ref_num, ask.order);
  ++live_;
  ++account.live;
  OrderResolved& resolved = pools_.orders.resolved(ask.order);
  resolved = pools_.orders.resolved(old_index);
  const bool post_only = ask.post_only == PostOnly::unsaid && resolved.kept.post_only == PostOnly::yes;
  resolved.kept.post_only = post_only ? PostOnly::yes : PostOnly::no;
  if (ask.stay_on_disconnect != StayOnDisconnect::unsaid) [[unlikely]]
    resolved.kept.stays_on_disconnect = ask.stay_on_disconnect == StayOnDisconnect::yes;
  symbol.book.reduce(pools_, old, old.open);
  HotOrder& order = pools_.orders.hot(ask.order);
  write_plain(order, ref, command.session, side, attributable, open, executed, place);
  Event& event = emit(command, EventKind::replaced, command.session, symbol_id, out);
  event.order.order = ask.order;
  event.order.price = ask.price;
  event.order.quantity = event.order.open = open;
  event.order.ref = ref;
  event.order.old_ref = old_ref;
  event.order.user_ref_num = ask.orig_user_ref_num;
  event.order.side = side;
  event.order.code = 'L';
  event.order.feed = FeedAction::replace;
  remove_order(command, old_index, old, out);
  symbol.book.rest_at(pools_, ask.order, order, buy, scale.rank(buy, ask.price), ask.price, false, open);
  ++done.replaced;
  return true;
}

/// False: nothing is done.
[[gnu::always_inline]] inline bool Engine::cancel_plain(const Command& command, ShortWays& done, Out& out) {
  const OrderAsk& ask = command.order;
  const UserRefNum number = ask.user_ref_num;
  const OrderIndex index = users_.find(command.session, ask.user_ref_idx, number);
  if (index == kNoOrder || ask.quantity != 0) return false;
  HotOrder& order = pools_.orders.hot(index);
  if (order.waits || order.level == kNoLevel) return false;
  const Quantity shares = order.open;
  const SymbolId symbol = pools_.levels[order.level].symbol;
  if (pools_.account_of(order).checked) {
    const Price limit = pools_.levels[order.level].price;
    if (!is_limit_price(limit) ||
        !risk_.cancel_plain(command.session, symbol, order.buy(), limit, shares, command.time_ns))
      return false;
  }
  state(symbol).book.reduce(pools_, order, shares);
  Event& event = emit_head(command, EventKind::canceled, command.session, symbol, out);
  event.order = {.order = index,
                 .price = {},
                 .quantity = shares,
                 .open = 0,
                 .ref = order.ref(),
                 .old_ref = {},
                 .user_ref_num = number,
                 .side = order.side(),
                 .code = 'U',
                 .feed = order.hidden ? FeedAction::none : FeedAction::remove,
                 .user_ref_idx = 0};
  remove_order(command, index, order, out);
  ++done.canceled;
  return true;
}

std::size_t Engine::apply(std::span<const Command> commands, Out& out) {
  std::size_t done = 0;
  ShortWays short_ways;
  yielded_ = false;
  for (; done < commands.size(); ++done) {
    if (done % kMostAhead == 0 && live_ >= kDeepBooks && commands.size() - done >= kLeastToLookAhead &&
        step_ == Step::begin)
      look_ahead(commands.subspan(done));
    const Command& command = commands[done];
    if (step_ == Step::begin) [[likely]] {
      // One place at least: most commands need one, and one without events may have to close the burst.
      if (!out.has_room()) break;
      CHECK(command.sequence.value == last_command_ + 1 && command.time_ns >= last_time_ns_,
            "command %llu at %llu after %llu at %llu", static_cast<unsigned long long>(command.sequence.value),
            static_cast<unsigned long long>(command.time_ns), static_cast<unsigned long long>(last_command_),
            static_cast<unsigned long long>(last_time_ns_));
      const bool is_done = command.kind == CommandKind::cancel    ? cancel_plain(command, short_ways, out)
                           : (command.flags & kPlain) == 0        ? false
                           : command.kind == CommandKind::enter   ? rest_plain(command, short_ways, out)
                           : command.kind == CommandKind::replace ? replace_plain(command, short_ways, out)
                                                                  : false;
      if (is_done && open_jobs_ == 0) {
        finish(command, true, out);
        continue;
      }
      begin_turn();
      events_before_ = emitted(out) - is_done;
      if (is_done) {
        step_ = Step::turn;
      } else if (open_jobs_ != 0) [[unlikely]] {
        const Wait wait = waits(command);
        if (wait != Wait::none) step_ = wait == Wait::jobs ? Step::jobs : Step::kills;
      }
    }
    if (step_ != Step::turn && advance(command, out)) step_ = Step::turn;
    if (step_ != Step::turn || (open_jobs_ != 0 && !take_turn(command, out))) {
      out.publish_all_but_last();
      break;
    }
    if (open_jobs_ != 0) end_turn();
    step_ = Step::begin;
    finish(command, emitted(out) > events_before_, out);
  }
  counters_.set(EngineCounter::commands, last_command_);  // numbered from 1 without gaps
  count(short_ways);
  return done;
}

inline void Engine::count(const ShortWays& done) {
  counters_.add(EngineCounter::orders, done.entered + done.replaced + done.canceled);
  counters_.add(EngineCounter::accepted, done.entered);
  counters_.add(EngineCounter::replaced, done.replaced);
  counters_.add(EngineCounter::canceled, done.canceled);
}

/// `any`: it had an event.
[[gnu::always_inline]] inline void Engine::finish(const Command& command, bool any, Out& out) {
  burst_has_events_ |= any;
  if ((command.flags & kLastOfBurst) != 0) end_burst(command, any, out);
  out.publish();
  last_command_ = command.sequence.value;
  last_time_ns_ = command.time_ns;
}

void Engine::end_burst(const Command& command, bool any, Out& out) {
  // The newest event is held back until here, so it can still be marked.
  if (!any && burst_has_events_) emit(command, EventKind::burst_end, kNoSession, kNoSymbol, out);
  if (burst_has_events_) out.last_claimed().flags |= kLastOfBurst;
  burst_has_events_ = false;
}

/// Nearly everything that a command touches is far away: its number's block, then the order there, then that order's
/// level and neighbours. All commands of the burst wait for each of these together instead of one after the other.
/// Which commands are of a kind is anyone's guess, so that they are sorted without a branch.
void Engine::look_ahead(std::span<const Command> commands) const {
  commands = commands.first(std::min(commands.size(), kMostAhead));
  std::array<const Command*, kMostAhead> named;
  std::array<UserRefs::Look, kMostAhead> looks;
  std::array<OrderIndex, kMostAhead> orders;
  std::size_t names = 0;
  for (const Command& c : commands) {
    named[names] = &c;
    names += (c.kind == CommandKind::cancel) | (c.kind == CommandKind::replace) | (c.kind == CommandKind::modify);
  }
  const auto number_of = [](const Command& c) {
    return c.kind == CommandKind::replace ? c.order.orig_user_ref_num : c.order.user_ref_num;
  };
  for (std::size_t i = 0; i < names; ++i) {
    const Command& c = *named[i];
    looks[i] = users_.look(c.session, c.order.user_ref_idx, number_of(c));
  }
  look_ahead_at_levels(commands);
  for (std::size_t i = 0; i < names; ++i) users_.see(looks[i]);
  for (std::size_t i = 0; i < names; ++i) {
    orders[i] = users_.guess(looks[i], number_of(*named[i]));
    if (orders[i] != kNoOrder) prefetch_to_write(&pools_.orders.hot(orders[i]));
  }
  for (std::size_t i = 0; i < names; ++i) {
    if (orders[i] == kNoOrder) continue;
    const HotOrder& order = pools_.orders.hot(orders[i]);
    if (order.level != kNoLevel) prefetch_to_write(&pools_.levels[order.level]);
    if (order.prev != kNoOrder) prefetch_to_write(&pools_.orders.hot(order.prev));
    if (order.next != kNoOrder) prefetch_to_write(&pools_.orders.hot(order.next));
  }
}

/// Where the burst's Enters will rest.
void Engine::look_ahead_at_levels(std::span<const Command> commands) const {
  std::array<std::uint32_t, kMostAhead> levels;
  std::size_t enters = 0;
  for (const Command& c : commands) {
    if (c.kind != CommandKind::enter || (c.flags & kPlain) == 0 || c.symbol.value - 1u >= symbols_.size()) continue;
    prefetch_to_write(&pools_.orders.hot(c.order.order));
    const std::uint32_t level = state(c.symbol).book.level_at(pools_, is_buy(c.order.side), c.order.price);
    if (level == Ladder::kNothing) continue;
    prefetch_to_write(&pools_.levels[level]);
    levels[enters++] = level;
  }
  for (const std::uint32_t level : std::span(levels).first(enters)) {
    const OrderIndex last = pools_.levels[level].tail;
    if (last != kNoOrder) prefetch_to_write(&pools_.orders.hot(last));
  }
}

}  // namespace crosswire
