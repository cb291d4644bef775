// Orders, in all that they may ask: Enter, Replace, Cancel, Modify. What most of them ask takes the way
// in apply.cpp; this one is for all. The rest of the engine: engine.cpp.
#include <algorithm>

#include "engine/inside.hpp"

namespace crosswire {
namespace {

RecentOrder recent(const Command& command) {
  const OrderAsk& ask = command.order;
  return {command.time_ns, ask.price, ask.quantity, command.symbol, ask.side};
}
// Aside: nearly no account has its orders remembered.
[[gnu::noinline]] bool is_duplicate(const Risk& risk, const Command& command) {
  return risk.is_duplicate(command.session, recent(command));
}
[[gnu::noinline]] void remember(Risk& risk, const Command& command) { risk.remember(command.session, recent(command)); }

}  // namespace

/// Takes a number of a channel. False: it is not above the last one, and the message is a repeat (WIRE 3.1).
bool Engine::consume(ChannelRefs& refs, UserRefNum number) {
  UserRefNum& last = refs.last;
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
  if (terms.post_only && (ioc || terms.one_cross() || terms.market || terms.min_quantity > 0)) return Reject::other;
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
    case Phase::intraday_call:
    case Phase::interrupted:
      break;
  }
  return terms.cross == CrossType::opening ? Reject::invalid_cross_order : Reject::none;
}

/// What of terms_ an account may be forbidden.
OrderTypes Engine::types_of_terms() const {
  OrderTypes types = risk_types(terms_.side);
  const auto add = [&types](bool is, OrderType type) {
    if (is) types |= set_of({type});
  };
  add(terms_.time_in_force == TimeInForce::ioc, OrderType::ioc);
  add(terms_.time_in_force == TimeInForce::gtt, OrderType::gtt);
  add(terms_.display == Display::hidden, OrderType::hidden);
  add(terms_.min_quantity > 0, OrderType::min_quantity);
  add(terms_.post_only, OrderType::post_only);
  add(terms_.cross == CrossType::opening, OrderType::on_open);
  add(terms_.cross == CrossType::closing, OrderType::on_close);
  add(terms_.market, OrderType::market);
  return types;
}

/// Whether the account's limits take the order of terms_. `original`: the live order that it replaces, or nullptr.
Reject Engine::judge(SessionId session, const HotOrder* original, Price original_limit) const {
  const OrderTypes types = risk_.account(session).forbidden == 0 ? OrderTypes{0} : types_of_terms();
  RiskAsk ask{session, at_symbol_, terms_.side, terms_.price, terms_.open, types};
  if (original != nullptr) {
    ask.freed = original->open;
    ask.freed_price = original_limit;
    ask.only_lowers = only_lowers(*original, original_limit);
  }
  return risk_.judge(ask, state(at_symbol_).reference);
}

/// Whether the Replace of terms_ only takes shares off.
bool Engine::only_lowers(const HotOrder& original, Price limit) const {
  return terms_.price == limit && !terms_.market && terms_.side == original.side() && terms_.open < original.open;
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

/// Whether the order of terms_ finds a level where it rests. `leaving`: the order that a Replace takes out of the book
/// first.
bool Engine::has_level(SessionId session, const HotOrder* leaving) const {
  const Book& book = state(at_symbol_).book;
  const bool buy = terms_.buy();
  return may_open_level(account(session), book, buy) || finds_level(session, book, buy, level_price(), leaving);
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
  retire(command, command.order.order, out);
  count_reject(reason);
  const Account& account = this->account(command.session);
  if (account.checked && account.stops == 0) count_rejected(command.session, reason);
}

/// The new order's hot record, from terms_. Its number means it from when it rests or waits: who dies in the command
/// that brings him is never looked for.
void Engine::fill_hot(const Command& command, std::uint32_t executed) {
  HotOrder& order = pools_.orders.hot(command.order.order);
  const bool one_cross = terms_.one_cross();
  order = {.next = {},
           .prev = {},
           .level = kNoLevel,
           .open = terms_.open,
           .ref_and_session = HotOrder::pack(OrderRef{++last_ref_}, command.session),
           .executed = executed & 0xFFFFFu,
           .side_bits = HotOrder::bits_of(terms_.side) & 7u,
           .place_in_refs = 0,
           .hidden = terms_.display == Display::hidden || one_cross || terms_.market,
           .attributable = terms_.display == Display::attributable,
           .one_cross = one_cross,
           .waits = 0,
           .has_channel = command.order.user_ref_idx != 0,
           .ref_block = 0};
}

bool Engine::enter(const Command& command, Out& out) {
  const OrderAsk& ask = command.order;
  CHECK(command.session.value < pools_.accounts.size(), "session %u", command.session.value);
  counters_.add(EngineCounter::orders);
  Account& account = this->account(command.session);
  if (!consume(refs(command.session, ask.user_ref_idx), ask.user_ref_num)) {
    retire(command, ask.order, out);
    return true;
  }
  if (account.checked && !takes_order(command.session, command.time_ns)) {
    reject(command, static_cast<std::uint16_t>(Reject::account_rate), out);
    return true;
  }
  if (command.reject != 0) {
    reject(command, command.reject, out);
    return true;
  }
  CHECK(command.symbol.value - 1u < symbols_.size(), "symbol %u", command.symbol.value);
  if ((account.checked & kHasSymbolRate) != 0) [[unlikely]] {
    const Reject rate = risk_.take_in_symbol(command.session, command.symbol, command.time_ns);
    if (rate != Reject::none) {
      reject(command, static_cast<std::uint16_t>(rate), out);
      return true;
    }
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
            .expire_seconds = ask.expire_seconds,
            .keeps_life = false};
  const SymbolState& symbol = state(at_symbol_);
  Reject reason = account.stops != 0 ? why_stopped(account.stops) : Reject::none;
  // A plain order's terms exclude nothing, and a continuous phase takes it.
  if ((command.flags & kPlain) == 0 || symbol.phase != Phase::continuous) {
    terms_.market = ask.price == kMarketPrice;
    if (reason == Reject::none) reason = check_terms(terms_);
    if (reason == Reject::none) reason = check_phase(terms_, symbol.phase);
    if (reason == Reject::none && terms_.market) reason = price_market(command);
  }
  if (reason == Reject::none && !symbol.book.scale().on_tick(terms_.price)) reason = Reject::invalid_price;
  if (reason == Reject::none && account.checked) [[unlikely]] {
    reason = judge(command.session, nullptr, kNoPrice);
    if (reason == Reject::none && is_duplicate(risk_, command)) reason = Reject::risk_duplicate;
  }
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
  if (account.checked) [[unlikely]]
    remember(risk_, command);
  fill_hot(command, 0);
  counters_.add(EngineCounter::accepted);
  Event& event = emit(command, EventKind::accepted, command.session, at_symbol_, out);
  report_order(event, ask.order, pools_.orders.hot(ask.order), ask.user_ref_num, ask.price, ask.quantity, 'L',
               FeedAction::none);
  return match_or_rest(command, out, event, fate, Shown::no);
}

/// The order of an Enter or Replace, its event emitted but not finished. `before`: how the order that it replaces
/// stood on the feed.
bool Engine::match_or_rest(const Command& command, Out& out, Event& event, Fate fate, Shown before) {
  HotOrder& order = pools_.orders.hot(command.order.order);
  aggressor_ = command.order.order;
  refusal_ = 0;
  fills_left_ = max_fills_;
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
      retire(command, aggressor_, out);
      return true;
    case Fate::wait:
      add_live(command, order);
      reserve(order, at_symbol_, terms_.price);
      if (terms_.market) pools_.orders.resolved(aggressor_).bound = terms_.price;
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
  rest(command, aggressor_, order);
  return true;
}

/// terms_ of a Replace: what it names, and what the original has where it names nothing. `quantity`: with what that has
/// executed.
void Engine::resolve_terms(const OrderAsk& ask, std::uint64_t quantity, OrderIndex original) {
  const HotOrder& old = pools_.orders.hot(original);
  const OrderResolved& resolved = pools_.orders.resolved(original);
  const bool gtt = ask.time_in_force == TimeInForce::gtt;
  const PostOnly post_only = ask.post_only == PostOnly::unsaid ? resolved.kept.post_only : ask.post_only;
  terms_ = {.side = ask.side == kNoSide ? old.side() : ask.side,
            .time_in_force = ask.time_in_force,
            .display = ask.display,
            .cross = static_cast<CrossType>(resolved.cross_type),
            .post_only = post_only == PostOnly::yes,
            .price = ask.price,
            .open = quantity > old.executed ? static_cast<Quantity>(quantity) - old.executed : 0,
            .min_quantity = ask.min_quantity,
            .expire_seconds = ask.expire_seconds == 0 && gtt ? resolved.kept.expire_seconds : ask.expire_seconds,
            .keeps_life = ask.expire_seconds == 0 && gtt,
            .market = ask.price == kMarketPrice};
}

bool Engine::replace(const Command& command, Out& out) {
  const OrderAsk& ask = command.order;
  CHECK(command.session.value < pools_.accounts.size(), "session %u", command.session.value);
  counters_.add(EngineCounter::orders);
  Account& account = this->account(command.session);
  UserRefNum& last = refs(command.session, ask.user_ref_idx).last;
  const OrderIndex old_index = users_.find(command.session, ask.user_ref_idx, ask.orig_user_ref_num);
  if (old_index == kNoOrder || ask.user_ref_num <= last) {
    // Silence, and the new number is not consumed (WIRE 3.1).
    counters_.add(old_index == kNoOrder ? EngineCounter::ignored_dead_order : EngineCounter::ignored_used_ref_num);
    retire(command, ask.order, out);
    return true;
  }
  HotOrder& original = pools_.orders.hot(old_index);
  const HotOrder old = original;
  at_symbol_ = symbol_of(old_index, old);
  // With what the original has executed.
  const std::uint64_t quantity =
      (command.flags & kQuantityIsOpen) != 0 ? std::uint64_t{ask.quantity} + old.executed : ask.quantity;
  resolve_terms(ask, quantity, old_index);

  // What cannot be now leaves the original as it is, and the number is consumed. What can never be, and a size that
  // is executed already, cancel the original, and the number stays free.
  const Price limit = limit_of(old_index, old);
  Reject reason = account.stops != 0 ? why_stopped(account.stops) : check_phase(terms_, state(at_symbol_).phase);
  if (account.checked && !only_lowers(old, limit)) {
    Reject rate = Reject::none;
    if (!takes_order(command.session, command.time_ns)) {
      rate = Reject::account_rate;
    } else if ((account.checked & kHasSymbolRate) != 0) {
      rate = risk_.take_in_symbol(command.session, at_symbol_, command.time_ns);
    }
    if (rate != Reject::none) reason = rate;
  }
  const bool done = quantity <= old.executed;
  const bool bad = command.reject != 0 || quantity > kMaxQuantity ||
                   (!terms_.market && !state(at_symbol_).book.scale().on_tick(ask.price)) ||
                   (terms_.buy() != is_buy(old.side())) || (!done && check_terms(terms_) != Reject::none);
  Fate fate{};
  may_rest_ = true;  // in the original's place
  if (reason == Reject::none && !bad && !done && terms_.market) reason = price_market(command);
  if (reason == Reject::none && !bad && !done && account.checked) reason = judge(command.session, &old, limit);
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
    retire(command, ask.order, out);
    return true;
  }
  last = ask.user_ref_num;
  fill_hot(command, old.executed);
  OrderResolved& resolved = pools_.orders.resolved(ask.order);
  resolved = pools_.orders.resolved(old_index);
  resolved.kept.post_only = terms_.post_only ? PostOnly::yes : PostOnly::no;
  resolved.kept.expire_seconds = terms_.expire_seconds;
  if (ask.stay_on_disconnect != StayOnDisconnect::unsaid)
    resolved.kept.stays_on_disconnect = ask.stay_on_disconnect == StayOnDisconnect::yes;
  if (account.checked) [[unlikely]]
    risk_.note_taken(command.session);
  counters_.add(EngineCounter::replaced);
  Event& event = emit(command, EventKind::replaced, command.session, at_symbol_, out);
  report_order(event, ask.order, pools_.orders.hot(ask.order), ask.orig_user_ref_num, ask.price, terms_.open, 'L',
               FeedAction::none);
  event.order.old_ref = old.ref();

  take_shares(at_symbol_, old_index, original, old.open);
  remove_order(command, old_index, original, out);
  return match_or_rest(command, out, event, fate, shown(old));
}

/// The live order that a Cancel or Modify names; kNoOrder, and counted: there is none.
OrderIndex Engine::named_order(const Command& command) {
  counters_.add(EngineCounter::orders);
  const OrderIndex index = users_.find(command.session, command.order.user_ref_idx, command.order.user_ref_num);
  if (index == kNoOrder) counters_.add(EngineCounter::ignored_dead_order);
  return index;
}

/// Whether a Cancel or Modify of a live order is within its account's rate, and does not mark a sale as the account may
/// not sell; else it is refused, and the order stays as it is.
bool Engine::admit_cancel(const Command& command, OrderIndex index, Out& out) {
  const SessionId session = command.session;
  if (!account(session).checked) return true;
  const HotOrder& order = pools_.orders.hot(index);
  const bool marks = command.kind == CommandKind::modify && command.order.side != order.side();
  const bool forbidden = marks && (risk_.account(session).forbidden & risk_types(command.order.side)) != 0;
  if (!forbidden && takes_cancel(session, command.time_ns)) return true;
  Event& event = emit(command, EventKind::refused, session, symbol_of(index, order), out);
  report_order(event, index, order, command.order.user_ref_num, kNoPrice, 0, 0, FeedAction::none);
  counters_.add(EngineCounter::cancels_refused);
  return false;
}

void Engine::cancel(const Command& command, Out& out) {
  const OrderIndex index = named_order(command);
  if (index == kNoOrder) return;
  // Quantity is the most that may execute in all (WIRE 3.1).
  const HotOrder& order = pools_.orders.hot(index);
  const Quantity executed = order.executed;
  const Quantity may_stay = command.order.quantity > executed ? command.order.quantity - executed : 0;
  if (may_stay >= order.open) {
    counters_.add(EngineCounter::ignored_superfluous);
    return;
  }
  if (!admit_cancel(command, index, out)) return;
  cancel_shares(command, index, order.open - may_stay, 'U', out);
}

void Engine::modify(const Command& command, Out& out) {
  const OrderIndex index = named_order(command);
  if (index == kNoOrder) return;
  HotOrder& order = pools_.orders.hot(index);
  const Side from = order.side();
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
  if (!admit_cancel(command, index, out)) return;
  if (canceled == order.open) {
    cancel_shares(command, index, canceled, 'U', out);
    return;
  }
  const SymbolId symbol = symbol_of(index, order);
  order.side_bits = HotOrder::bits_of(to) & 7u;
  if (canceled > 0) take_shares(symbol, index, order, canceled);
  Event& event = emit(command, EventKind::modified, command.session, symbol, out);
  const bool says = canceled > 0 && shown(order) != Shown::no;
  report_order(event, index, order, number_of(order), kNoPrice, canceled, 0,
               says ? FeedAction::reduce : FeedAction::none);
  counters_.add(EngineCounter::modified);
}

}  // namespace crosswire
