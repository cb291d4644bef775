// The exchange as a deterministic state machine: see engine.hpp. Commands, orders and the digest are here, the day in
// day.cpp.
#include "engine/engine.hpp"

#include <algorithm>
#include <cstring>

namespace crosswire {
namespace {

/// Every side has a root; beyond it a level shares most of its path with its neighbours. Prices that do not, scattered
/// over the whole range, may run the nodes out before the levels: the engine answers both alike.
std::uint32_t ladder_nodes(const EngineConfig& config) {
  return static_cast<std::uint32_t>(config.symbols.size()) * 2 * Ladder::kMaxDepth + 2 * config.max_levels;
}

std::uint64_t emitted(const Engine::Out& out) { return out.published() + out.unpublished(); }

class Digest {
 public:
  void add(std::uint64_t value) {
    // splitmix64's finaliser over a running state: order matters, every bit spreads.
    std::uint64_t x = state_ + value * 0x9E3779B97F4A7C15u + 0x632BE59BD9B4E019u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    state_ = x ^ (x >> 31);
  }
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0;
};

}  // namespace

Engine::Engine(const EngineConfig& config, Orders& orders, SlotReturner& returner, Arena& arena)
    : pools_{LadderNodes(arena, ladder_nodes(config)), Levels(arena, config.max_levels), orders},
      returner_(returner),
      symbols_(arena.array<SymbolState>(config.symbols.size())),
      last_user_ref_num_(arena.array<UserRefNum>(config.sessions)),
      users_(arena, config.sessions, config.user_ref_window, config.max_orders, config.hash_key),
      max_orders_(config.max_orders),
      imbalance_interval_ns_(config.imbalance_interval_ns) {
  CHECK(!config.symbols.empty() && config.symbols.size() < 0xFFFF, "%zu symbols", config.symbols.size());
  CHECK(orders.capacity() > config.max_orders, "%u slots for %u live orders", orders.capacity(), config.max_orders);
  for (std::uint16_t i = 0; i < symbol_count(); ++i) {
    symbols_[i].book.init(pools_, config.symbols[i], SymbolId{static_cast<std::uint16_t>(i + 1)});
    symbols_[i].reference = config.symbols[i].reference;
  }
}

std::size_t Engine::bytes_for(const EngineConfig& config) {
  return LadderNodes::bytes_for(ladder_nodes(config)) + Levels::bytes_for(config.max_levels) +
         Arena::bytes_for<SymbolState>(config.symbols.size()) + Arena::bytes_for<UserRefNum>(config.sessions) +
         UserRefs::bytes_for(config.sessions, config.user_ref_window, config.max_orders);
}

std::size_t Engine::apply(std::span<const Command> commands, Out& out) {
  std::size_t done = 0;
  yielded_ = false;
  for (; done < commands.size(); ++done) {
    const Command& command = commands[done];
    if (step_ == Step::begin) {
      // One place at least: most commands need one, and one without events may have to close the burst.
      if (!out.has_room()) break;
      CHECK(command.sequence.value == last_command_ + 1 && command.time_ns >= last_time_ns_,
            "command %llu at %llu after %llu at %llu", static_cast<unsigned long long>(command.sequence.value),
            static_cast<unsigned long long>(command.time_ns), static_cast<unsigned long long>(last_command_),
            static_cast<unsigned long long>(last_time_ns_));
      events_before_ = emitted(out);
    }
    if (!advance(command, out)) {
      out.publish_all_but_last();
      break;
    }
    finish(command, out);
  }
  return done;
}

/// Does as much of the command as there is room for. True: all of it.
bool Engine::advance(const Command& command, Out& out) {
  switch (command.kind) {
    case CommandKind::enter:
      return step_ == Step::begin ? enter(command, out) : match(command, out);
    case CommandKind::replace:
      return step_ == Step::begin ? replace(command, out) : match(command, out);
    case CommandKind::cancel:
      cancel(command, out);
      return true;
    case CommandKind::modify:
      modify(command, out);
      return true;
    case CommandKind::account_query:
      account_query(command, out);
      return true;
    case CommandKind::phase:
      return change_phase(command, out);
    case CommandKind::tick:
      return tick(command, out);
    case CommandKind::day_start:
      return day_start(command, out);
    case CommandKind::day_end:
      return day_end(command, out);
    case CommandKind::session_open:
      pass_on(command, EventKind::session_open, out);
      return true;
    case CommandKind::session_close:
      pass_on(command, EventKind::session_close, out);
      return true;
    case CommandKind::login_reject:
      pass_on(command, EventKind::login_reject, out);
      return true;
    case CommandKind::resend:
      pass_on(command, EventKind::resend, out);
      return true;
    case CommandKind::feed_resend:
      pass_on(command, EventKind::feed_resend, out);
      return true;
    case CommandKind::arp_reply:
      pass_on(command, EventKind::arp_reply, out);
      return true;
    case CommandKind::echo_reply:
      pass_on(command, EventKind::echo_reply, out);
      return true;
    case CommandKind::none:
      break;
  }
  CHECK(false, "command of kind %u", static_cast<unsigned>(command.kind));
}

void Engine::finish(const Command& command, Out& out) {
  const bool any = emitted(out) > events_before_;
  burst_has_events_ |= any;
  if ((command.flags & kLastOfBurst) != 0) {
    // The newest event is held back until here, so it can still be marked.
    if (!any && burst_has_events_) emit(command, EventKind::burst_end, kNoSession, kNoSymbol, out);
    if (burst_has_events_) out.last_claimed().flags |= kLastOfBurst;
    burst_has_events_ = false;
  }
  out.publish();
  step_ = Step::begin;
  last_command_ = command.sequence.value;
  last_time_ns_ = command.time_ns;
  counters_.add(EngineCounter::commands);
}

Event& Engine::emit(const Command& command, EventKind kind, SessionId session, SymbolId symbol, Out& out) {
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

void Engine::pass_on(const Command& command, EventKind kind, Out& out) {
  Event& event = emit(command, kind, command.session, command.symbol, out);
  std::memcpy(event.body, command.body, sizeof event.body);
}

OrderEvent Engine::order_event(OrderIndex index, Price price, Quantity quantity, char code, FeedAction feed) const {
  const HotOrder& order = pools_.orders.hot(index);
  return {.order = index,
          .price = price,
          .quantity = quantity,
          .open = order.open,
          .ref = OrderRef{order.ref},
          .old_ref = {},
          .user_ref_num = order.user_ref_num,
          .side = static_cast<Side>(order.side),
          .code = code,
          .feed = feed,
          .reserved = 0};
}

/// The order is dead; its last event is emitted. Its slot goes back when every reader has passed that.
void Engine::bury(const Command& command, OrderIndex index, Out& out) {
  const HotOrder& order = pools_.orders.hot(index);
  users_.erase(SessionId{static_cast<std::uint16_t>(order.session)}, order.user_ref_num);
  --live_;
  returner_.retire(index, command.sequence.value, emitted(out));
}

// ---- Orders -------------------------------------------------------------------------------------------------------

Reject Engine::check_phase_and_price(const Command& command, const SymbolState& symbol) const {
  switch (symbol.phase) {
    case Phase::pre_open:
    case Phase::closed:
      return Reject::destination_closed;
    case Phase::halted:
      return Reject::halted;
    case Phase::opening_call:
    case Phase::continuous:
    case Phase::closing_call:
      break;
  }
  return symbol.book.scale().on_tick(command.order.price) ? Reject::none : Reject::invalid_price;
}

/// Whether the order can do what it is going to: only one that rests where there is no level yet needs a new one. What
/// an aggressor leaves over is not known before, and cancelled if it finds no place. `leaving`: the order that a
/// Replace takes out of the book first.
bool Engine::has_place(const Command& command, const SymbolState& symbol, bool buy, const HotOrder* leaving) const {
  const Book& book = symbol.book;
  const Price price = command.order.price;
  if (command.order.time_in_force == TimeInForce::ioc || book.can_rest(pools_, buy)) return true;
  if (symbol.phase == Phase::continuous && book.crosses(buy, price)) return true;
  if (book.has_level(pools_, buy, price)) return true;
  return leaving != nullptr && pools_.levels[leaving->level].count == 1 &&
         pools_.nodes.free_count() >= book.side(buy).nodes_needed();
}

void Engine::reject(const Command& command, std::uint16_t reason, Out& out) {
  Event& event = emit(command, EventKind::rejected, command.session, command.symbol, out);
  event.reject = reason;
  event.order.order = command.order.order;
  event.order.user_ref_num = command.order.user_ref_num;
  event.order.side = command.order.side;
  returner_.retire(command.order.order, command.sequence.value, emitted(out));
  counters_.add(EngineCounter::rejected);
}

bool Engine::enter(const Command& command, Out& out) {
  const OrderAsk& ask = command.order;
  CHECK(command.session.value < last_user_ref_num_.size(), "session %u", command.session.value);
  counters_.add(EngineCounter::orders);
  if (ask.user_ref_idx != 0) {
    // Numbers of another channel, none of which is offered: they neither count nor are counted here (WIRE 3.1).
    CHECK(command.reject != 0, "an order of channel %u is not rejected", ask.user_ref_idx);
    reject(command, command.reject, out);
    return true;
  }
  UserRefNum& last = last_user_ref_num_[command.session.value];
  if (ask.user_ref_num <= last) {
    counters_.add(EngineCounter::ignored_used_ref_num);
    returner_.retire(ask.order, command.sequence.value, emitted(out));
    return true;
  }
  last = ask.user_ref_num;

  if (command.reject != 0) {
    reject(command, command.reject, out);
    return true;
  }
  SymbolState& symbol = state(command.symbol);
  Reject reason = check_phase_and_price(command, symbol);
  if (reason == Reject::none && (live_ >= max_orders_ || !has_place(command, symbol, is_buy(ask.side), nullptr))) {
    reason = Reject::processing;
  }
  if (reason != Reject::none) {
    reject(command, static_cast<std::uint16_t>(reason), out);
    return true;
  }

  HotOrder& order = pools_.orders.hot(ask.order);
  order = {};
  order.level = kNoLevel;
  order.open = ask.quantity;
  order.ref = ++last_ref_ & 0xFFFF'FFFF'FFFFu;
  order.session = command.session.value;
  order.side = static_cast<unsigned char>(ask.side);
  order.user_ref_num = ask.user_ref_num;
  users_.insert(command.session, ask.user_ref_num, ask.order);
  ++live_;
  counters_.add(EngineCounter::accepted);
  Event& event = emit(command, EventKind::accepted, command.session, command.symbol, out);
  event.order = order_event(ask.order, ask.price, ask.quantity, 'L', FeedAction::none);
  return place(command, out, event, FeedAction::add);
}

/// The order of an Enter or Replace, its event emitted but not finished: executes, rests, or dies at once.
bool Engine::place(const Command& command, Out& out, Event& event, FeedAction resting) {
  const OrderAsk& ask = command.order;
  SymbolState& symbol = state(event.symbol);
  const bool buy = is_buy(event.order.side);
  const FeedAction gone = resting == FeedAction::replace ? FeedAction::remove : FeedAction::none;
  if (symbol.phase == Phase::continuous && symbol.book.crosses(buy, ask.price)) {
    event.order.feed = gone;
    aggressor_ = ask.order;
    at_symbol_ = event.symbol;
    step_ = Step::match;
    return match(command, out);
  }
  if (ask.time_in_force == TimeInForce::ioc) {
    // Accepted and dead in one message: nothing more comes for it (WIRE 3.3, order_state).
    event.order.code = 'D';
    event.order.open = 0;
    event.order.feed = gone;
    pools_.orders.hot(ask.order).open = 0;
    bury(command, ask.order, out);
    return true;
  }
  event.order.feed = resting;
  symbol.book.rest(pools_, ask.order, buy, ask.price);
  return true;
}

void Engine::execute(Event& event, OrderIndex order, OrderIndex resting, SymbolState& symbol, Price price,
                     Quantity quantity) {
  HotOrder& a = pools_.orders.hot(order);
  HotOrder& b = pools_.orders.hot(resting);
  a.executed = (a.executed + quantity) & 0xFFFFFFu;
  b.executed = (b.executed + quantity) & 0xFFFFFFu;
  event.execution = {order, resting, price, quantity, MatchNumber{++last_match_}, OrderRef{a.ref}, OrderRef{b.ref}};
  symbol.reference = price;
  symbol.volume += quantity;
  counters_.add(EngineCounter::executions);
  counters_.add(EngineCounter::executed_shares, quantity);
}

/// The aggressor takes the other side's queue, best price and oldest order first, at the resting orders' prices.
bool Engine::match(const Command& command, Out& out) {
  SymbolState& symbol = state(at_symbol_);
  HotOrder& order = pools_.orders.hot(aggressor_);
  const bool buy = is_buy(static_cast<Side>(order.side));
  const Ladder& contra = symbol.book.side(!buy);
  const Rank limit = symbol.book.scale().rank(!buy, command.order.price);

  while (order.open > 0 && contra.best() <= limit) {  // an empty side's best is kNoRank, beyond any limit
    if (!out.has_room()) return false;
    const Level& level = pools_.levels[contra.best_level()];
    const OrderIndex resting = level.head;
    const Quantity quantity = std::min(order.open, pools_.orders.hot(resting).open);
    Event& event = emit(command, EventKind::executed, command.session, at_symbol_, out);
    execute(event, aggressor_, resting, symbol, level.price, quantity);
    order.open -= quantity;
    symbol.book.reduce(pools_, resting, quantity);
    if (pools_.orders.hot(resting).open == 0) bury(command, resting, out);
  }
  if (order.open == 0) {
    bury(command, aggressor_, out);
    return true;
  }
  if (!out.has_room()) return false;
  const bool ioc = command.order.time_in_force == TimeInForce::ioc;
  if (ioc || !(symbol.book.can_rest(pools_, buy) || symbol.book.has_level(pools_, buy, command.order.price))) {
    const Quantity left = order.open;
    order.open = 0;
    Event& event = emit(command, EventKind::canceled, command.session, at_symbol_, out);
    event.order = order_event(aggressor_, kNoPrice, left, ioc ? 'I' : 'Z', FeedAction::none);
    counters_.add(EngineCounter::canceled);
    bury(command, aggressor_, out);
    return true;
  }
  Event& event = emit(command, EventKind::rested, command.session, at_symbol_, out);
  event.order = order_event(aggressor_, command.order.price, order.open, 'L', FeedAction::add);
  symbol.book.rest(pools_, aggressor_, buy, command.order.price);
  return true;
}

/// Takes shares off a resting order, which dies if none is left.
void Engine::take_off(const Command& command, OrderIndex index, Quantity shares, char reason, Out& out) {
  HotOrder& order = pools_.orders.hot(index);
  const SymbolId symbol = pools_.levels[order.level].symbol;
  state(symbol).book.reduce(pools_, index, shares);
  Event& event = emit(command, EventKind::canceled, SessionId{static_cast<std::uint16_t>(order.session)}, symbol, out);
  event.order = order_event(index, kNoPrice, shares, reason, order.open > 0 ? FeedAction::reduce : FeedAction::remove);
  counters_.add(EngineCounter::canceled);
  if (order.open == 0) bury(command, index, out);
}

bool Engine::replace(const Command& command, Out& out) {
  const OrderAsk& ask = command.order;
  CHECK(command.session.value < last_user_ref_num_.size(), "session %u", command.session.value);
  counters_.add(EngineCounter::orders);
  UserRefNum& last = last_user_ref_num_[command.session.value];
  // No order is on a channel other than 0, so none of theirs can be live.
  const OrderIndex old_index = ask.user_ref_idx == 0 ? users_.find(command.session, ask.orig_user_ref_num) : kNoOrder;
  if (old_index == kNoOrder || ask.user_ref_num <= last) {
    // Silence, and the new number is not consumed (WIRE 3.1).
    counters_.add(old_index == kNoOrder ? EngineCounter::ignored_dead_order : EngineCounter::ignored_used_ref_num);
    returner_.retire(ask.order, command.sequence.value, emitted(out));
    return true;
  }
  const HotOrder& old = pools_.orders.hot(old_index);
  const SymbolId symbol_id = pools_.levels[old.level].symbol;
  SymbolState& symbol = state(symbol_id);
  const bool buy = is_buy(static_cast<Side>(old.side));

  Reject reason = check_phase_and_price(command, symbol);
  const bool bad_details = command.reject != 0 || reason == Reject::invalid_price;
  if (reason == Reject::invalid_price) reason = Reject::none;
  const bool goes_on = reason == Reject::none && !bad_details && ask.quantity > old.executed;
  if (goes_on && !has_place(command, symbol, buy, &old)) reason = Reject::processing;
  if (reason != Reject::none) {
    // The original cannot be touched now: it stays, and the number is consumed.
    last = ask.user_ref_num;
    reject(command, static_cast<std::uint16_t>(reason), out);
    return true;
  }
  if (bad_details || ask.quantity <= old.executed) {
    // Bad details cancel the original; so does a size that is executed already. The number is not consumed.
    take_off(command, old_index, old.open, bad_details ? 'Z' : 'U', out);
    returner_.retire(ask.order, command.sequence.value, emitted(out));
    return true;
  }
  last = ask.user_ref_num;

  HotOrder& order = pools_.orders.hot(ask.order);
  order = old;
  order.next = order.prev = kNoOrder;
  order.level = kNoLevel;
  order.open = ask.quantity - old.executed;
  order.ref = ++last_ref_ & 0xFFFF'FFFF'FFFFu;
  order.user_ref_num = ask.user_ref_num;
  pools_.orders.resolved(ask.order) = pools_.orders.resolved(old_index);
  counters_.add(EngineCounter::replaced);
  Event& event = emit(command, EventKind::replaced, command.session, symbol_id, out);
  event.order = order_event(ask.order, ask.price, order.open, 'L', FeedAction::none);
  event.order.old_ref = OrderRef{old.ref};
  event.order.user_ref_num = ask.orig_user_ref_num;

  symbol.book.reduce(pools_, old_index, old.open);
  bury(command, old_index, out);
  users_.insert(command.session, ask.user_ref_num, ask.order);
  ++live_;
  return place(command, out, event, FeedAction::replace);
}

void Engine::cancel(const Command& command, Out& out) {
  counters_.add(EngineCounter::orders);
  const OrderIndex index = users_.find(command.session, command.order.user_ref_num);
  if (index == kNoOrder) {
    counters_.add(EngineCounter::ignored_dead_order);
    return;
  }
  // Quantity is the most that may execute in all (WIRE 3.1).
  const HotOrder& order = pools_.orders.hot(index);
  const Quantity executed = order.executed;
  const Quantity may_stay = command.order.quantity > executed ? command.order.quantity - executed : 0;
  if (may_stay >= order.open) {
    counters_.add(EngineCounter::ignored_superfluous);
    return;
  }
  take_off(command, index, order.open - may_stay, 'U', out);
}

void Engine::modify(const Command& command, Out& out) {
  counters_.add(EngineCounter::orders);
  const OrderIndex index = users_.find(command.session, command.order.user_ref_num);
  if (index == kNoOrder) {
    counters_.add(EngineCounter::ignored_dead_order);
    return;
  }
  HotOrder& order = pools_.orders.hot(index);
  const Side from = static_cast<Side>(order.side);
  const Side to = command.order.side;
  const bool re_marks = (from == Side::sell && (to == Side::sell_short || to == Side::sell_short_exempt)) ||
                        (from == Side::sell_short_exempt && to == Side::sell_short);
  const Quantity executed = order.executed;
  const Quantity may_stay = command.order.quantity > executed ? command.order.quantity - executed : 0;
  const Quantity taken = may_stay < order.open ? order.open - may_stay : 0;  // an increase is ignored
  if ((from != to && !re_marks) || (from == to && taken == 0)) {
    counters_.add(EngineCounter::ignored_superfluous);
    return;
  }
  if (taken == order.open) {
    take_off(command, index, taken, 'U', out);
    return;
  }
  const SymbolId symbol = pools_.levels[order.level].symbol;
  order.side = static_cast<unsigned char>(to);
  if (taken > 0) state(symbol).book.reduce(pools_, index, taken);
  Event& event = emit(command, EventKind::modified, command.session, symbol, out);
  event.order = order_event(index, kNoPrice, taken, 0, taken > 0 ? FeedAction::reduce : FeedAction::none);
  counters_.add(EngineCounter::modified);
}

void Engine::account_query(const Command& command, Out& out) {
  counters_.add(EngineCounter::orders);
  Event& event = emit(command, EventKind::account, command.session, kNoSymbol, out);
  event.order.order = kNoOrder;
  event.order.user_ref_num = UserRefNum{last_user_ref_num_[command.session.value].value + 1};
}

std::uint64_t Engine::state_hash() const {
  Digest digest;
  digest.add(last_ref_);
  digest.add(last_match_);
  digest.add(market_open_);
  for (const UserRefNum number : last_user_ref_num_) digest.add(number.value);
  for (const SymbolState& symbol : symbols_) {
    digest.add(static_cast<std::uint64_t>(symbol.phase) << 32 | symbol.reference.value);
    digest.add(symbol.volume);
    for (const bool buy : {true, false}) {
      const Ladder& side = symbol.book.side(buy);
      for (Rank rank = side.best(); rank != kNoRank; rank = side.after(pools_.nodes, rank)) {
        const Level& level = pools_.levels[side.find(pools_.nodes, rank)];
        digest.add(std::uint64_t{buy} << 63 | std::uint64_t{level.count} << 32 | level.price.value);
        for (OrderIndex i = level.head; i != kNoOrder; i = pools_.orders.hot(i).next) {
          const HotOrder& order = pools_.orders.hot(i);
          digest.add(std::uint64_t{order.session} << 48 | order.ref);
          digest.add(std::uint64_t{order.user_ref_num.value} << 32 | order.open);
          digest.add(std::uint64_t{order.side} << 32 | order.executed);
        }
      }
    }
  }
  return digest.value();
}

}  // namespace crosswire
