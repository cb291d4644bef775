// An order meets the book: it executes, rests or dies, and shares are cancelled. The rest of the engine: engine.cpp.
#include <algorithm>
#include <utility>

#include "engine/inside.hpp"

namespace crosswire {

/// The order of terms_ into the book, and into the list of what is to happen to it there; it lives from now on.
void Engine::rest(const Command& command, OrderIndex index, HotOrder& order) {
  add_live(command, order);
  reserve(order, at_symbol_, terms_.price);
  if (terms_.market) pools_.orders.resolved(index).bound = terms_.price;
  state(at_symbol_).book.rest(pools_, index, order, terms_.buy(), level_price());
  if (terms_.one_cross()) {
    pools_.levels.one_cross_shares(order.level) += order.open;
    order.waits = 1;
    waiting_.push_back(list_of(at_symbol_, terms_.cross), index);
  } else if (terms_.time_in_force == TimeInForce::gtt) {
    std::uint32_t& second = pools_.orders.resolved(index).life_ends_s;
    if (!terms_.keeps_life)
      second = static_cast<std::uint32_t>((command.time_ns + kNsPerSecond - 1) / kNsPerSecond) + terms_.expire_seconds;
    CHECK(second >= next_second_ && second - next_second_ < kWheelSeconds, "a life ends at %llu s, ticks are at %llu s",
          static_cast<unsigned long long>(second), static_cast<unsigned long long>(next_second_));
    order.waits = 1;
    waiting_.push_back(list_of(second), index);
  }
}

/// Whether the minimum is there, among the best levels: a client must not have everyone wait for a sum over all. What
/// was looked at in vain is charged.
Engine::Fate Engine::fate_of_minimum(const Command& command) {
  Budget& budget = account(command.session).looks;
  if (budget.spent(command.time_ns)) return Fate::overdraw;
  const Book& book = state(at_symbol_).book;
  const Ladder& contra = book.side(!terms_.buy());
  Rank limit = book.scale().rank(!terms_.buy(), terms_.price);
  if (state(at_symbol_).high != kNoPrice) [[unlikely]] {
    limit = within(terms_.buy(), limit);
    if (limit == kNoRank) return Fate::die;
  }
  std::uint64_t shares = 0;
  std::size_t looks = 0;
  if (sweeps_.kills() > 0) [[unlikely]] {
    if (finds_minimum(limit, looks)) return Fate::execute;
    budget.charge(command.time_ns, looks, look_ns_);
    return Fate::die;
  }
  Ladder::Cursor at(contra, pools_.nodes, contra.best());
  std::uint32_t orders = max_fills_;  // that may still be met
  for (; looks < looks_for_minimum_ && orders > 0 && at.rank() <= limit; ++looks, at.worse(pools_.nodes)) {
    const Level& level = pools_.levels[at.level(pools_.nodes)];
    std::uint32_t met = std::min(orders, level.count);
    if (met < level.count) [[unlikely]] {
      met = std::min(met, looks_for_minimum_);
      const bool enough = holds(level, met, terms_.min_quantity - shares);
      looks += met + 1;
      if (enough) return Fate::execute;
      break;
    }
    shares += level.shares;
    orders -= met;
    if (shares >= terms_.min_quantity) return Fate::execute;
  }
  budget.charge(command.time_ns, looks, look_ns_);
  return Fate::die;
}

/// The same while orders are in the books that may not execute: order by order, and these do not count.
bool Engine::finds_minimum(Rank limit, std::size_t& looks) const {
  const Ladder& contra = state(at_symbol_).book.side(!terms_.buy());
  const std::size_t most = std::min(looks_for_minimum_, max_fills_);
  std::uint64_t shares = 0;
  for (Ladder::Cursor at(contra, pools_.nodes, contra.best()); at.rank() <= limit; at.worse(pools_.nodes)) {
    const Level& level = pools_.levels[at.level(pools_.nodes)];
    for (OrderIndex index = level.head; index != kNoOrder; index = pools_.orders.hot(index).next) {
      if (looks == most) return false;
      ++looks;
      const HotOrder& order = pools_.orders.hot(index);
      if ((account(order.session()).stops & kStopped) == 0) shares += order.open;
      if (shares >= terms_.min_quantity) return true;
    }
  }
  return false;
}

/// Whether the newest order, an aggressor, has the account's orders cancelled instead of executing against them. Who
/// has a minimum has been promised it, by accounts that a breaker has stopped since too.
bool Engine::is_stopped(SessionId session) const {
  const std::uint8_t stops = account(session).stops;
  if ((stops & kStopped) == 0) return false;
  const bool by_breaker_alone = (stops & kStopped) == kTripped;
  return !by_breaker_alone || terms_.min_quantity == 0 || risk_.breakers(session)->tripped_with != last_ref_;
}

/// Whether so many orders at the head of the level have so many shares. Looks at no more than will execute, if so.
bool Engine::holds(const Level& level, std::uint32_t orders, std::uint64_t shares) const {
  for (OrderIndex at = level.head; orders > 0; --orders, at = pools_.orders.hot(at).next) {
    const Quantity open = pools_.orders.hot(at).open;
    if (open >= shares) return true;
    shares -= open;
  }
  return false;
}

/// The aggressor takes the other side's queue, best price first, at the resting orders' prices. What is counted over
/// all executions is booked once, behind them.
bool Engine::match(const Command& command, Out& out) {
  SymbolState& symbol = state(at_symbol_);
  HotOrder& order = pools_.orders.hot(aggressor_);
  const Ladder& contra = symbol.book.side(!terms_.buy());
  Rank limit = symbol.book.scale().rank(!terms_.buy(), terms_.price);
  if (symbol.high != kNoPrice) [[unlikely]] {
    limit = collared_limit(command, limit, out);
    if (limit == kNoRank) return false;
  }
  const OrderRef ref = order.ref();
  const OrderIndex aggressor = aggressor_;
  const SymbolId symbol_id = at_symbol_;
  const std::uint64_t matches_before = last_match_;
  std::uint64_t match_number = last_match_;
  const bool ledgers = risk_.is_on();
  Money value = 0;  // of the aggressor's executions
  Quantity left = order.open;
  Price price = symbol.reference;

  const std::uint16_t group = account(command.session).self_trade_group;
  bool asks_whose = group != 0 || sweeps_.kills() > 0;
  Quantity prevented = 0;
  std::uint32_t fills = fills_left_;
  // An empty side's best is kNoRank.
  while (left > 0 && ((contra.best() <= limit && fills > 0) || owed_.quantity > 0)) {
    if (!out.has_room()) break;
    if (owed_.quantity > 0) [[unlikely]] {
      left -= owed_.quantity;
      prevented += owed_.quantity;
      report_prevention(command, aggressor, order, command.order.user_ref_num, std::exchange(owed_, {}), out);
      continue;
    }
    Level& level = pools_.levels[contra.best_level()];
    const OrderIndex index = level.head;
    HotOrder& resting = pools_.orders.hot(index);
    if (asks_whose) [[unlikely]] {
      const Account& whose = pools_.account_of(resting);
      if (is_stopped(resting.session())) {
        --fills;
        cancel_shares(command, index, resting.open, kReasonOfKill, out);
        continue;
      }
      if (group != 0 && whose.self_trade_group == group) {
        --fills;
        prevent(command, index, level.price, left, out);
        continue;
      }
    }
    --fills;
    const Quantity quantity = std::min(left, resting.open);
    left -= quantity;
    price = level.price;
    Event& event = emit_head(command, EventKind::executed, command.session, symbol_id, out);
    event.execution = {aggressor, index, price, quantity, MatchNumber{++match_number}, ref, ref_on_feed(resting)};
    if (ledgers) {
      value += Money{price.value} * quantity;
      if (pools_.account_of(resting).ledger) risk_.fill(resting.session(), symbol_id, resting.buy(), price, quantity);
      if (risk_.counts_executions()) [[unlikely]] {
        count_fill(command, resting, price, quantity);
        asks_whose = true;
        if ((account(command.session).stops & kTripped) != 0) {
          fills = 0;
          refusal_ = kReasonOfKill;
        }
      }
    }
    symbol.book.reduce_first(pools_, index, resting, level, quantity);
    if (resting.open == 0) {
      remove_order(command, index, resting, out);
    } else {
      resting.executed = (resting.executed + quantity) & 0xFFFFFu;
    }
  }

  const Quantity taken = order.open - prevented - left;
  if (ledgers && taken > 0 && account(command.session).ledger)
    risk_.settle(command.session, symbol_id, terms_.buy(), value, taken);
  order.open = left;
  order.executed = (order.executed + taken) & 0xFFFFFu;
  symbol.reference = price;
  symbol.volume += taken;
  last_match_ = match_number;
  counters_.add(EngineCounter::executions, last_match_ - matches_before);
  counters_.add(EngineCounter::executed_shares, taken);
  fills_left_ = fills;
  if (left > 0 && ((contra.best() <= limit && fills > 0) || owed_.quantity > 0)) return false;  // for want of room
  if (symbol.high != kNoPrice) [[unlikely]]
    return end_collared(command, out);
  if (left == 0) {
    retire(command, aggressor_, out);
    return true;
  }
  if (contra.best() <= limit && refusal_ == 0) refusal_ = 'Z';  // it may meet no more
  step_ = Step::settle;
  return settle(command, out);
}

/// The aggressor, of which `left` is open, meets a resting order of its own group, which would execute at `price`: the
/// resting one loses shares now, the aggressor what is owed_ then, or one of them alone.
void Engine::prevent(const Command& command, OrderIndex index, Price price, Quantity left, Out& out) {
  HotOrder& resting = pools_.orders.hot(index);
  const SelfTrade asked = command.order.self_trade;
  const SelfTrade action = asked == SelfTrade::unsaid ? account(command.session).self_trade : asked;
  const Quantity would = std::min(left, resting.open);
  const bool decrement = action == SelfTrade::decrement;
  counters_.add(EngineCounter::self_trades_prevented);
  Prevention said{};
  said.price = price;
  said.would = would;
  said.action = action;
  if (action != SelfTrade::oldest) {
    owed_ = said;
    owed_.quantity = decrement ? would : left;
    owed_.open = left - owed_.quantity;
  }
  if (action == SelfTrade::newest) return;
  said.quantity = decrement ? would : resting.open;
  said.resting = true;
  said.feed = said.quantity < resting.open ? FeedAction::reduce : FeedAction::remove;
  if (shown(resting) == Shown::no) said.feed = FeedAction::none;
  take_shares(at_symbol_, index, resting, said.quantity);
  said.open = resting.open;
  report_prevention(command, index, resting, number_of(resting), said, out);
  if (resting.open == 0) remove_order(command, index, resting, out);
}

void Engine::report_prevention(const Command& command, OrderIndex index, const HotOrder& order, UserRefNum number,
                               Prevention said, Out& out) {
  said.order = index;
  said.ref = order.ref();
  said.user_ref_num = number;
  said.side = order.side();
  emit(command, EventKind::prevented, order.session(), at_symbol_, out).prevention = said;
}

/// What is left of the aggressor rests, or dies.
bool Engine::settle(const Command& command, Out& out) {
  if (!out.has_room()) return false;
  HotOrder& order = pools_.orders.hot(aggressor_);
  char reason = refusal_;
  // What is left of a market order may go no further, or finds nobody any more.
  if (reason == 0 && terms_.market) reason = state(at_symbol_).book.side(!terms_.buy()).empty() ? 'I' : 'K';
  if (reason == 0 && terms_.time_in_force == TimeInForce::ioc) reason = 'I';
  if (reason == 0 && !(may_rest_ && has_level(command.session, nullptr))) reason = 'Z';
  if (reason != 0) {
    const Quantity left = order.open;
    order.open = 0;
    Event& event = emit(command, EventKind::canceled, command.session, at_symbol_, out);
    report_order(event, aggressor_, order, command.order.user_ref_num, kNoPrice, left, reason, FeedAction::none);
    counters_.add(EngineCounter::canceled);
    retire(command, aggressor_, out);
    return true;
  }
  return show(command, out);
}

/// The aggressor rests, and the feed says so. There is a level for it.
bool Engine::show(const Command& command, Out& out) {
  if (!out.has_room()) return false;
  HotOrder& order = pools_.orders.hot(aggressor_);
  Event& event = emit(command, EventKind::rested, command.session, at_symbol_, out);
  const FeedAction feed = shown(order) == Shown::no ? FeedAction::none : FeedAction::add;
  report_order(event, aggressor_, order, command.order.user_ref_num, terms_.price, order.open, 'L', feed);
  rest(command, aggressor_, order);
  return true;
}

/// Cancels shares of a live order, which is removed if none is left.
void Engine::cancel_shares(const Command& command, OrderIndex index, Quantity shares, char reason, Out& out) {
  HotOrder& order = pools_.orders.hot(index);
  const SymbolId symbol = symbol_of(index, order);
  FeedAction feed = shares < order.open ? FeedAction::reduce : FeedAction::remove;
  if (shown(order) == Shown::no) feed = FeedAction::none;
  take_shares(symbol, index, order, shares);
  Event& event = emit(command, EventKind::canceled, order.session(), symbol, out);
  report_order(event, index, order, number_of(order), kNoPrice, shares, reason, feed);
  counters_.add(EngineCounter::canceled);
  if (order.open == 0) remove_order(command, index, order, out);
}

}  // namespace crosswire
