// The exchange as a deterministic state machine: see engine.hpp. Commands and orders are here, the day in day.cpp, what
// a firm asks of all its orders in firm.cpp, the digest in digest.cpp.
#include "engine/engine.hpp"

#include <algorithm>
#include <cstring>

namespace crosswire {
namespace {

/// Every side has a root and, while it is empty, may keep one way down; beyond that a level shares most of its path
/// with its neighbours. Prices that do not, scattered over the whole range, may run the nodes out before the levels:
/// the engine answers both alike.
std::uint32_t ladder_nodes(const EngineConfig& config) {
  return static_cast<std::uint32_t>(config.symbols.size()) * 2 * Ladder::kMaxDepth + 2 * config.max_levels;
}

/// The event of what is passed on. Both lists have these in one order.
constexpr EventKind same_name(CommandKind kind) {
  return static_cast<EventKind>(static_cast<int>(EventKind::session_open) + static_cast<int>(kind) -
                                static_cast<int>(CommandKind::session_open));
}
static_assert(same_name(CommandKind::session_close) == EventKind::session_close &&
              same_name(CommandKind::login_reject) == EventKind::login_reject &&
              same_name(CommandKind::resend) == EventKind::resend &&
              same_name(CommandKind::feed_resend) == EventKind::feed_resend &&
              same_name(CommandKind::arp_reply) == EventKind::arp_reply &&
              same_name(CommandKind::echo_reply) == EventKind::echo_reply);

}  // namespace

Engine::Engine(const EngineConfig& config, Orders& orders, SlotReturner& returner, Arena& arena)
    : pools_{LadderNodes(arena, ladder_nodes(config)), Levels(arena, config.max_levels), orders,
             arena.array<Account>(config.sessions)},
      returner_(returner),
      symbols_(arena.array<SymbolState>(config.symbols.size())),
      users_(arena, config.sessions, config.user_ref_window, config.max_orders, config.hash_key),
      by_session_(arena, orders.capacity(), config.sessions),
      waiting_(arena, orders.capacity(), waiting_lists(config)),
      max_orders_(config.max_orders),
      orders_per_account_(orders_per_account(config)),
      levels_per_account_(levels_per_account(config)),
      look_ns_(kNsPerSecond / config.looks_per_second),
      query_ns_(kNsPerSecond / config.account_queries_per_second),
      imbalance_interval_ns_(config.imbalance_interval_ns) {
  CHECK(!config.symbols.empty() && config.symbols.size() < 0xFFFF, "%zu symbols", config.symbols.size());
  CHECK(orders.capacity() > config.max_orders, "%u slots for %u live orders", orders.capacity(), config.max_orders);
  for (std::uint16_t i = 0; i < symbol_count(); ++i) {
    symbols_[i].book.init(pools_, config.symbols[i], SymbolId{static_cast<std::uint16_t>(i + 1)});
    symbols_[i].reference = config.symbols[i].reference;
  }
  CHECK(config.firms.empty() || config.firms.size() == config.sessions, "%zu firms of %u sessions", config.firms.size(),
        config.sessions);
  in_phase_[static_cast<std::size_t>(Phase::pre_open)].set(symbol_count());
  for (std::uint16_t i = 0; i < config.sessions; ++i)
    pools_.accounts[i].firm = config.firms.empty() ? FirmId{i} : config.firms[i];
}

std::size_t Engine::bytes_for(const EngineConfig& config, std::uint32_t slots) {
  return LadderNodes::bytes_for(ladder_nodes(config)) + Levels::bytes_for(config.max_levels) +
         Arena::bytes_for<SymbolState>(config.symbols.size()) + Arena::bytes_for<Account>(config.sessions) +
         UserRefs::bytes_for(config.sessions, config.user_ref_window, config.max_orders) +
         OrderLists::bytes_for(slots, config.sessions) + OrderLists::bytes_for(slots, waiting_lists(config));
}

std::uint32_t Engine::waiting_lists(const EngineConfig& config) {
  return kWheelSeconds + 2 * static_cast<std::uint32_t>(config.symbols.size());
}

std::size_t Engine::apply(std::span<const Command> commands, Out& out) {
  std::size_t done = 0;
  yielded_ = false;
  if (commands.size() >= kLeastToPrefetch && live_ >= kDeepBooks) prefetch(commands);
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

/// In a deep book nearly everything that a command touches is far away: its number's entry, then the order there, then
/// that order's level. All commands of the burst wait for each of these together instead of one after the other.
void Engine::prefetch(std::span<const Command> commands) const {
  const auto is_new = [](const Command& c) { return c.kind == CommandKind::enter || c.kind == CommandKind::replace; };
  const auto names_order = [](const Command& c) {
    return c.kind == CommandKind::cancel || c.kind == CommandKind::replace || c.kind == CommandKind::modify;
  };
  const auto named = [](const Command& c) {
    return c.kind == CommandKind::replace ? c.order.orig_user_ref_num : c.order.user_ref_num;
  };
  for (const Command& c : commands) {
    if (is_new(c)) {
      __builtin_prefetch(&pools_.orders.hot(c.order.order), 1);
      by_session_.prefetch(c.order.order);
      users_.prefetch(c.session, c.order.user_ref_idx, c.order.user_ref_num);
    }
    if (names_order(c)) users_.prefetch(c.session, c.order.user_ref_idx, named(c));
  }
  for (const Command& c : commands) {
    if (!names_order(c)) continue;
    const OrderIndex order = users_.guess(c.session, c.order.user_ref_idx, named(c));
    if (order == kNoOrder) continue;
    __builtin_prefetch(&pools_.orders.hot(order), 1);
    by_session_.prefetch(order);
  }
  for (const Command& c : commands) {
    if (!names_order(c)) continue;
    const OrderIndex index = users_.guess(c.session, c.order.user_ref_idx, named(c));
    if (index == kNoOrder) continue;
    const HotOrder& order = pools_.orders.hot(index);
    if (order.level != kNoLevel) __builtin_prefetch(&pools_.levels[order.level], 1);
    if (order.prev != kNoOrder) __builtin_prefetch(&pools_.orders.hot(order.prev), 1);
    if (order.next != kNoOrder) __builtin_prefetch(&pools_.orders.hot(order.next), 1);
  }
}

/// Does as much of the command as there is room for. True: all of it.
bool Engine::advance(const Command& command, Out& out) {
  switch (command.kind) {
    case CommandKind::enter:
    case CommandKind::replace:
      if (step_ == Step::match) return match(command, out);
      if (step_ == Step::settle) return settle(command, out);
      if (step_ == Step::show) return show(command, out);
      return command.kind == CommandKind::enter ? enter(command, out) : replace(command, out);
    case CommandKind::cancel:
      cancel(command, out);
      return true;
    case CommandKind::modify:
      modify(command, out);
      return true;
    case CommandKind::account_query:
      account_query(command, out);
      return true;
    case CommandKind::mass_cancel:
      return mass_cancel(command, out);
    case CommandKind::disable:
      set_disabled(command, true, out);
      return true;
    case CommandKind::enable:
      set_disabled(command, false, out);
      return true;
    case CommandKind::phase:
      return change_phase(command, out);
    case CommandKind::tick:
      return tick(command, out);
    case CommandKind::operate:
      return operate(command, out);
    case CommandKind::day_start:
      return day_start(command, out);
    case CommandKind::day_end:
      return day_end(command, out);
    case CommandKind::run_end:
      emit(command, EventKind::run_end, kNoSession, kNoSymbol, out);
      return true;
    case CommandKind::session_open:
    case CommandKind::session_close:
    case CommandKind::login_reject:
    case CommandKind::resend:
    case CommandKind::feed_resend:
    case CommandKind::arp_reply:
    case CommandKind::echo_reply:
      pass_on(command, same_name(command.kind), out);
      return true;
    case CommandKind::resumed:
    case CommandKind::turn:
    case CommandKind::configure:
    case CommandKind::bust:
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
  counters_.set(EngineCounter::commands, last_command_);  // numbered from 1 without gaps
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

/// Field by field into the ring: an OrderEvent made aside would be copied before its own stores have settled. emit()
/// has cleared the rest.
void Engine::report_order(Event& event, OrderIndex index, Price price, Quantity quantity, char code,
                          FeedAction feed) const {
  const HotOrder& order = pools_.orders.hot(index);
  OrderEvent& to = event.order;
  to.order = index;
  to.price = price;
  to.quantity = quantity;
  to.open = order.open;
  to.ref = order.ref();
  to.user_ref_num = order.user_ref_num;
  to.side = static_cast<Side>(order.side);
  to.code = code;
  to.feed = feed;
}

Engine::Shown Engine::shown(const HotOrder& order) {
  if (order.hidden) return Shown::no;
  return order.attributable ? Shown::named : Shown::plain;
}

/// Of a live order, in a book or not.
SymbolId Engine::symbol_of(OrderIndex index) const {
  const std::uint32_t level = pools_.orders.hot(index).level;
  return level == kNoLevel ? pools_.orders.resolved(index).symbol : pools_.levels[level].symbol;
}

Channel Engine::channel_of(OrderIndex index) const {
  return pools_.orders.hot(index).has_channel ? pools_.orders.asked(index).user_ref_idx : Channel{0};
}

/// Removes an order whose last event is emitted. Its slot goes back when every reader has passed that.
void Engine::remove_order(const Command& command, OrderIndex index, Out& out) {
  const HotOrder& order = pools_.orders.hot(index);
  users_.erase(order.session(), channel_of(index), order.user_ref_num);
  by_session_.remove(index);
  if (order.waits) waiting_.remove(index);
  --live_;
  --account(order.session()).live;
  returner_.retire(index, command.sequence.value, emitted(out));
}

// ---- Orders -------------------------------------------------------------------------------------------------------

/// Takes a number of a channel. False: it is not above the last one, and the message is a repeat (WIRE 3.1).
bool Engine::consume(Account& account, Channel channel, UserRefNum number) {
  UserRefNum& last = account.last[channel];
  if (number <= last) {
    counters_.add(EngineCounter::ignored_used_ref_num);
    return false;
  }
  last = number;
  return true;
}

/// Terms that exclude each other.
Reject Engine::check_terms(const Terms& terms) {
  const bool ioc = terms.time_in_force == TimeInForce::ioc;
  const bool gtt = terms.time_in_force == TimeInForce::gtt;
  if (terms.min_quantity > terms.open) return Reject::invalid_min_quantity;
  if (gtt != (terms.expire_seconds > 0)) return Reject::other;
  if (terms.one_cross() && terms.time_in_force != TimeInForce::day) return Reject::invalid_cross_order;
  if (terms.one_cross() && terms.min_quantity > 0) return Reject::invalid_min_quantity;
  if (terms.post_only && (ioc || terms.one_cross() || terms.min_quantity > 0)) return Reject::other;
  return Reject::none;
}

/// Whether the phase takes such an order.
Reject Engine::check_phase(const Terms& terms, Phase phase) {
  switch (phase) {
    case Phase::pre_open:
    case Phase::closed:
      return Reject::destination_closed;
    case Phase::halted:
      return Reject::halted;
    case Phase::opening_call:
      return Reject::none;
    case Phase::continuous:
    case Phase::closing_call:
      break;
  }
  return terms.cross == CrossType::opening ? Reject::invalid_cross_order : Reject::none;
}

/// Whether the order of terms_ is an aggressor.
bool Engine::executes_now() const {
  const SymbolState& symbol = state(at_symbol_);
  return symbol.phase == Phase::continuous && !terms_.one_cross() && symbol.book.crosses(terms_.buy(), terms_.price);
}

/// What becomes of the order of terms_. Asked once: it may charge the account for its looks.
inline Engine::Fate Engine::fate(const Command& command) {
  if (terms_.one_cross()) {
    const Phase call = terms_.cross == CrossType::opening ? Phase::opening_call : Phase::closing_call;
    return state(at_symbol_).phase == call ? Fate::rest : Fate::wait;
  }
  if (executes_now()) {
    if (terms_.post_only) return Fate::refuse;
    return terms_.min_quantity == 0 ? Fate::execute : fate_of_minimum(command);
  }
  return terms_.time_in_force == TimeInForce::ioc || terms_.min_quantity > 0 ? Fate::die : Fate::rest;
}

/// Whether one more order of the account may rest or wait.
inline bool Engine::has_place(const Account& account) const {
  return live_ < max_orders_ && account.live < orders_per_account_;
}

/// Whether the order of terms_ finds a level where it rests. `leaving`: the order that a Replace takes out of the book
/// first.
inline bool Engine::has_level(SessionId session, const HotOrder* leaving) const {
  const Book& book = state(at_symbol_).book;
  const bool buy = terms_.buy();
  return may_open_level(account(session), book, buy) || finds_level(session, book, buy, terms_.price, leaving);
}

/// The same where the account may not open one more. Beyond its share it joins no level of another's either: that
/// would be its own when the other leaves.
bool Engine::finds_level(SessionId session, const Book& book, bool buy, Price price, const HotOrder* leaving) const {
  const std::uint32_t there = book.level_at(pools_, buy, price);
  if (there != Ladder::kNothing) {
    if (leaving != nullptr && leaving->level == there) return true;
    if (pools_.orders.hot(pools_.levels[there].head).session() == session) return true;
  }
  // What leaves the head of its level takes that with it, or leaves it to another.
  const bool heads = leaving != nullptr && leaving->level != kNoLevel && leaving->prev == kNoOrder;
  const bool alone = heads && leaving->next == kNoOrder;
  const bool passes = heads && (alone || pools_.orders.hot(leaving->next).session() != session);
  if (account(session).levels - passes >= levels_per_account_) return false;
  return there != Ladder::kNothing ||
         (pools_.levels.free_count() + alone > 0 && pools_.nodes.free_count() >= book.side(buy).nodes_needed());
}

/// Whether the order can do what it is going to. Who only takes needs neither place nor level; what an aggressor leaves
/// over is not known before, and cancelled if there is none.
inline Reject Engine::check_room(SessionId session, Fate fate, const HotOrder* leaving) const {
  if (fate == Fate::rest) return may_rest_ && has_level(session, leaving) ? Reject::none : Reject::processing;
  if (fate == Fate::overdraw) return Reject::account_rate;
  return fate != Fate::wait || may_rest_ ? Reject::none : Reject::processing;
}

/// Whether the minimum is there, among the best levels: a client must not have everyone wait for a sum over all. What
/// was looked at in vain is charged.
Engine::Fate Engine::fate_of_minimum(const Command& command) {
  Budget& budget = account(command.session).looks;
  if (budget.spent(command.time_ns)) return Fate::overdraw;
  const Book& book = state(at_symbol_).book;
  const Ladder& contra = book.side(!terms_.buy());
  const Rank limit = book.scale().rank(!terms_.buy(), terms_.price);
  std::uint64_t shares = 0;
  Ladder::Cursor at(contra, pools_.nodes, contra.best());
  std::size_t looks = 0;
  for (; looks < kMostLooks && at.rank() <= limit; ++looks, at.worse(pools_.nodes)) {
    shares += pools_.levels[at.level(pools_.nodes)].shares;
    if (shares >= terms_.min_quantity) return Fate::execute;
  }
  budget.charge(command.time_ns, looks, look_ns_);
  return Fate::die;
}

/// Why a post-only order is cancelled (WIRE 3.4): what it would have executed against.
char Engine::refusal() const {
  const Ladder& contra = state(at_symbol_).book.side(!terms_.buy());
  return pools_.levels[contra.best_level()].last_displayed == kNoOrder ? 'F' : 'G';
}

void Engine::reject(const Command& command, std::uint16_t reason, Out& out) {
  Event& event = emit(command, EventKind::rejected, command.session, command.symbol, out);
  event.reject = reason;
  event.order.order = command.order.order;
  event.order.user_ref_num = command.order.user_ref_num;
  event.order.side = command.order.side;
  event.order.user_ref_idx = command.order.user_ref_idx;
  returner_.retire(command.order.order, command.sequence.value, emitted(out));
  count_reject(reason);
}

void Engine::count_reject(std::uint16_t reason) {
  counters_.add(EngineCounter::rejected);
  if (reason == static_cast<std::uint16_t>(Reject::account_rate)) counters_.add(EngineCounter::overdrawn);
  if (reason == static_cast<std::uint16_t>(Reject::processing)) counters_.add(EngineCounter::no_room);
}

/// The new order's hot record, from terms_.
HotOrder& Engine::fill_hot(const Command& command, std::uint32_t executed) {
  HotOrder& order = pools_.orders.hot(command.order.order);
  const bool one_cross = terms_.one_cross();
  order = {.next = {},
           .prev = {},
           .level = kNoLevel,
           .open = terms_.open,
           .ref_and_session = HotOrder::pack(OrderRef{++last_ref_}, command.session),
           .executed = executed & 0xFFFFFu,
           .side = static_cast<unsigned char>(terms_.side) & 0x7Fu,
           .hidden = terms_.display == Display::hidden || one_cross,
           .attributable = terms_.display == Display::attributable,
           .one_cross = one_cross,
           .waits = 0,
           .has_channel = command.order.user_ref_idx != 0,
           .user_ref_num = command.order.user_ref_num};
  users_.insert(command.session, command.order.user_ref_idx, command.order.user_ref_num, command.order.order);
  by_session_.push_back(command.session.value, command.order.order);
  ++live_;
  return order;
}

bool Engine::enter(const Command& command, Out& out) {
  const OrderAsk& ask = command.order;
  CHECK(command.session.value < pools_.accounts.size(), "session %u", command.session.value);
  counters_.add(EngineCounter::orders);
  Account& account = this->account(command.session);
  if (!consume(account, ask.user_ref_idx, ask.user_ref_num)) {
    returner_.retire(ask.order, command.sequence.value, emitted(out));
    return true;
  }
  if (command.reject != 0) {
    reject(command, command.reject, out);
    return true;
  }
  at_symbol_ = command.symbol;
  terms_ = {.side = ask.side,
            .time_in_force = ask.time_in_force,
            .display = ask.display,
            .cross = ask.cross_type,
            .post_only = ask.post_only == PostOnly::yes,
            .price = ask.price,
            .open = ask.quantity,
            .min_quantity = ask.min_quantity,
            .expire_seconds = ask.expire_seconds};
  const SymbolState& symbol = state(at_symbol_);
  Reject reason = account.disabled ? Reject::firm_not_authorised : check_terms(terms_);
  if (reason == Reject::none) reason = check_phase(terms_, symbol.phase);
  if (reason == Reject::none && !symbol.book.scale().on_tick(ask.price)) reason = Reject::invalid_price;
  Fate fate{};
  may_rest_ = has_place(account);
  if (reason == Reject::none) {
    fate = this->fate(command);
    reason = check_room(command.session, fate, nullptr);
  }
  if (reason != Reject::none) {
    reject(command, static_cast<std::uint16_t>(reason), out);
    return true;
  }
  fill_hot(command, 0);
  ++account.live;
  counters_.add(EngineCounter::accepted);
  Event& event = emit(command, EventKind::accepted, command.session, at_symbol_, out);
  report_order(event, ask.order, ask.price, ask.quantity, 'L', FeedAction::none);
  return match_or_rest(command, out, event, fate, Shown::no);
}

/// The order of an Enter or Replace, its event emitted but not finished. `before`: how the order that it replaces
/// stood on the feed.
bool Engine::match_or_rest(const Command& command, Out& out, Event& event, Fate fate, Shown before) {
  HotOrder& order = pools_.orders.hot(command.order.order);
  aggressor_ = command.order.order;
  refusal_ = 0;
  event.order.feed = before == Shown::no ? FeedAction::none : FeedAction::remove;
  switch (fate) {
    case Fate::execute:
      step_ = Step::match;
      return match(command, out);
    case Fate::refuse:
      refusal_ = refusal();
      step_ = Step::settle;
      return settle(command, out);
    case Fate::die:
      // Accepted and dead in one message: nothing more comes for it (WIRE 3.3, order_state).
      event.order.code = 'D';
      event.order.open = 0;
      order.open = 0;
      remove_order(command, aggressor_, out);
      return true;
    case Fate::wait:
      order.waits = 1;
      waiting_.push_back(list_of(at_symbol_, terms_.cross), aggressor_);
      return true;
    case Fate::rest:
    case Fate::overdraw:
      break;
  }
  const Shown now = shown(order);
  if (before != Shown::no && now != Shown::no && before != now) {
    // ITCH's Replace keeps the attribution: another one takes a Delete and an Add.
    step_ = Step::show;
    return show(command, out);
  }
  if (now != Shown::no) event.order.feed = before == Shown::no ? FeedAction::add : FeedAction::replace;
  rest(command, aggressor_);
  return true;
}

/// Into the book, and into the list of what is to happen to it there.
void Engine::rest(const Command& command, OrderIndex index) {
  HotOrder& order = pools_.orders.hot(index);
  state(at_symbol_).book.rest(pools_, index, terms_.buy(), terms_.price);
  if (terms_.one_cross()) {
    pools_.levels.one_cross_shares(order.level) += order.open;
    order.waits = 1;
    waiting_.push_back(list_of(at_symbol_, terms_.cross), index);
  } else if (terms_.time_in_force == TimeInForce::gtt) {
    const std::uint64_t second = (command.time_ns + kNsPerSecond - 1) / kNsPerSecond + terms_.expire_seconds;
    CHECK(second >= next_second_ && second - next_second_ < kWheelSeconds, "a life ends at %llu s, ticks are at %llu s",
          static_cast<unsigned long long>(second), static_cast<unsigned long long>(next_second_));
    order.waits = 1;
    waiting_.push_back(list_of(second), index);
  }
}

void Engine::execute(Event& event, OrderIndex order, OrderIndex resting, SymbolState& symbol, Price price,
                     Quantity quantity) {
  HotOrder& a = pools_.orders.hot(order);
  HotOrder& b = pools_.orders.hot(resting);
  a.executed = (a.executed + quantity) & 0xFFFFFu;
  b.executed = (b.executed + quantity) & 0xFFFFFu;
  event.execution = {order, resting, price, quantity, MatchNumber{++last_match_}, a.ref(), ref_on_feed(b)};
  symbol.reference = price;
  symbol.volume += quantity;
  counters_.add(EngineCounter::executions);
  counters_.add(EngineCounter::executed_shares, quantity);
}

/// The aggressor takes the other side's queue, best price first, at the resting orders' prices.
bool Engine::match(const Command& command, Out& out) {
  SymbolState& symbol = state(at_symbol_);
  HotOrder& order = pools_.orders.hot(aggressor_);
  const bool buy = terms_.buy();
  const Ladder& contra = symbol.book.side(!buy);
  const Rank limit = symbol.book.scale().rank(!buy, terms_.price);

  while (order.open > 0 && contra.best() <= limit) {  // an empty side's best is kNoRank, beyond any limit
    if (!out.has_room()) return false;
    const Level& level = pools_.levels[contra.best_level()];
    const OrderIndex resting = level.head;
    const Quantity quantity = std::min(order.open, pools_.orders.hot(resting).open);
    Event& event = emit(command, EventKind::executed, command.session, at_symbol_, out);
    execute(event, aggressor_, resting, symbol, level.price, quantity);
    order.open -= quantity;
    symbol.book.reduce(pools_, resting, quantity);
    if (pools_.orders.hot(resting).open == 0) remove_order(command, resting, out);
  }
  if (order.open == 0) {
    remove_order(command, aggressor_, out);
    return true;
  }
  step_ = Step::settle;
  return settle(command, out);
}

/// What is left of the aggressor rests, or dies.
bool Engine::settle(const Command& command, Out& out) {
  if (!out.has_room()) return false;
  HotOrder& order = pools_.orders.hot(aggressor_);
  char reason = refusal_;
  if (reason == 0 && terms_.time_in_force == TimeInForce::ioc) reason = 'I';
  if (reason == 0 && !(may_rest_ && has_level(command.session, nullptr))) reason = 'Z';
  if (reason != 0) {
    const Quantity left = order.open;
    order.open = 0;
    Event& event = emit(command, EventKind::canceled, command.session, at_symbol_, out);
    report_order(event, aggressor_, kNoPrice, left, reason, FeedAction::none);
    counters_.add(EngineCounter::canceled);
    remove_order(command, aggressor_, out);
    return true;
  }
  return show(command, out);
}

/// The aggressor rests, and the feed says so. There is a level for it.
bool Engine::show(const Command& command, Out& out) {
  if (!out.has_room()) return false;
  const HotOrder& order = pools_.orders.hot(aggressor_);
  Event& event = emit(command, EventKind::rested, command.session, at_symbol_, out);
  const FeedAction feed = shown(order) == Shown::no ? FeedAction::none : FeedAction::add;
  report_order(event, aggressor_, terms_.price, order.open, 'L', feed);
  rest(command, aggressor_);
  return true;
}

/// Cancels shares of a live order, which is removed if none is left.
void Engine::cancel_shares(const Command& command, OrderIndex index, Quantity shares, char reason, Out& out) {
  HotOrder& order = pools_.orders.hot(index);
  const SymbolId symbol = symbol_of(index);
  FeedAction feed = shares < order.open ? FeedAction::reduce : FeedAction::remove;
  if (shown(order) == Shown::no) feed = FeedAction::none;
  take_shares(symbol, index, shares);
  Event& event = emit(command, EventKind::canceled, order.session(), symbol, out);
  report_order(event, index, kNoPrice, shares, reason, feed);
  counters_.add(EngineCounter::canceled);
  if (order.open == 0) remove_order(command, index, out);
}

/// Of an order in the book or outside it.
void Engine::take_shares(SymbolId symbol, OrderIndex index, Quantity shares) {
  HotOrder& order = pools_.orders.hot(index);
  if (order.level != kNoLevel) {
    if (order.one_cross) pools_.levels.one_cross_shares(order.level) -= shares;
    state(symbol).book.reduce(pools_, index, shares);
  } else {
    CHECK(shares <= order.open, "%u shares of %u open", shares, order.open);
    order.open -= shares;
  }
}

/// terms_ of a Replace: what it names, and what the original has where it names nothing.
void Engine::resolve_terms(const OrderAsk& ask, OrderIndex original) {
  const HotOrder& old = pools_.orders.hot(original);
  const OrderResolved& resolved = pools_.orders.resolved(original);
  const bool gtt = ask.time_in_force == TimeInForce::gtt;
  const PostOnly post_only = ask.post_only == PostOnly::unsaid ? resolved.kept.post_only : ask.post_only;
  terms_ = {.side = ask.side == kNoSide ? static_cast<Side>(old.side) : ask.side,
            .time_in_force = ask.time_in_force,
            .display = ask.display,
            .cross = static_cast<CrossType>(resolved.cross_type),
            .post_only = post_only == PostOnly::yes,
            .price = ask.price,
            .open = ask.quantity > old.executed ? ask.quantity - old.executed : 0,
            .min_quantity = ask.min_quantity,
            .expire_seconds = ask.expire_seconds == 0 && gtt ? resolved.kept.expire_seconds : ask.expire_seconds};
}

bool Engine::replace(const Command& command, Out& out) {
  const OrderAsk& ask = command.order;
  CHECK(command.session.value < pools_.accounts.size(), "session %u", command.session.value);
  counters_.add(EngineCounter::orders);
  Account& account = this->account(command.session);
  UserRefNum& last = account.last[ask.user_ref_idx];
  const OrderIndex old_index = users_.find(command.session, ask.user_ref_idx, ask.orig_user_ref_num);
  if (old_index == kNoOrder || ask.user_ref_num <= last) {
    // Silence, and the new number is not consumed (WIRE 3.1).
    counters_.add(old_index == kNoOrder ? EngineCounter::ignored_dead_order : EngineCounter::ignored_used_ref_num);
    returner_.retire(ask.order, command.sequence.value, emitted(out));
    return true;
  }
  const HotOrder old = pools_.orders.hot(old_index);
  at_symbol_ = symbol_of(old_index);
  resolve_terms(ask, old_index);

  // What cannot be now leaves the original as it is, and the number is consumed. What can never be, and a size that
  // is executed already, cancel the original, and the number stays free.
  Reject reason = account.disabled ? Reject::firm_not_authorised : check_phase(terms_, state(at_symbol_).phase);
  const bool done = ask.quantity <= old.executed;
  const bool bad = command.reject != 0 || !state(at_symbol_).book.scale().on_tick(ask.price) ||
                   (terms_.buy() != is_buy(static_cast<Side>(old.side))) ||
                   (!done && check_terms(terms_) != Reject::none);
  Fate fate{};
  may_rest_ = true;  // in the original's place
  if (reason == Reject::none && !bad && !done) {
    fate = this->fate(command);
    reason = check_room(command.session, fate, &old);
  }
  if (reason != Reject::none) {
    last = ask.user_ref_num;
    reject(command, static_cast<std::uint16_t>(reason), out);
    return true;
  }
  if (bad || done) {
    cancel_shares(command, old_index, old.open, bad ? 'Z' : 'U', out);
    returner_.retire(ask.order, command.sequence.value, emitted(out));
    return true;
  }
  last = ask.user_ref_num;
  fill_hot(command, old.executed);
  ++account.live;
  OrderResolved& resolved = pools_.orders.resolved(ask.order);
  resolved = pools_.orders.resolved(old_index);
  resolved.kept.post_only = terms_.post_only ? PostOnly::yes : PostOnly::no;
  resolved.kept.expire_seconds = terms_.expire_seconds;
  counters_.add(EngineCounter::replaced);
  Event& event = emit(command, EventKind::replaced, command.session, at_symbol_, out);
  report_order(event, ask.order, ask.price, terms_.open, 'L', FeedAction::none);
  event.order.old_ref = old.ref();
  event.order.user_ref_num = ask.orig_user_ref_num;

  take_shares(at_symbol_, old_index, old.open);
  remove_order(command, old_index, out);
  return match_or_rest(command, out, event, fate, shown(old));
}

void Engine::cancel(const Command& command, Out& out) {
  counters_.add(EngineCounter::orders);
  const OrderIndex index = users_.find(command.session, command.order.user_ref_idx, command.order.user_ref_num);
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
  cancel_shares(command, index, order.open - may_stay, 'U', out);
}

void Engine::modify(const Command& command, Out& out) {
  counters_.add(EngineCounter::orders);
  const OrderIndex index = users_.find(command.session, command.order.user_ref_idx, command.order.user_ref_num);
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
  const Quantity canceled = may_stay < order.open ? order.open - may_stay : 0;  // an increase is ignored
  if ((from != to && !re_marks) || (from == to && canceled == 0)) {
    counters_.add(EngineCounter::ignored_superfluous);
    return;
  }
  if (canceled == order.open) {
    cancel_shares(command, index, canceled, 'U', out);
    return;
  }
  const SymbolId symbol = symbol_of(index);
  order.side = static_cast<unsigned char>(to) & 0x7Fu;
  if (canceled > 0) take_shares(symbol, index, canceled);
  Event& event = emit(command, EventKind::modified, command.session, symbol, out);
  const bool says = canceled > 0 && shown(order) != Shown::no;
  report_order(event, index, kNoPrice, canceled, 0, says ? FeedAction::reduce : FeedAction::none);
  counters_.add(EngineCounter::modified);
}

void Engine::account_query(const Command& command, Out& out) {
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
  event.order.user_ref_num = UserRefNum{asks.last[command.order.user_ref_idx].value + 1};
}

}  // namespace crosswire
