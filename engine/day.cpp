// The exchange's day: phases, calls and their crosses, the market-wide messages. The rest of the engine: engine.cpp.
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "engine/inside.hpp"

namespace crosswire {
namespace {

char cross_letter(Phase from) {
  if (from == Phase::opening_call) return 'O';
  return from == Phase::closing_call ? 'C' : 'H';
}

}  // namespace

bool Engine::day_start(const Command& command, Out& out) {
  if (step_ == Step::begin) {
    next_second_ = command.time_ns / kNsPerSecond;
    emit(command, EventKind::system, kNoSession, kNoSymbol, out).system.event = 'O';
    at_symbol_ = SymbolId{1};
    step_ = Step::list;
  }
  for (; step_ == Step::list; ++at_symbol_.value) {
    if (at_symbol_.value > symbol_count()) break;
    if (!out.has_room()) return false;
    emit(command, EventKind::directory, kNoSession, at_symbol_, out);
  }
  if (step_ == Step::list) {
    at_symbol_ = SymbolId{1};
    step_ = Step::announce;
  }
  for (; at_symbol_.value <= symbol_count(); ++at_symbol_.value) {
    if (!out.has_room()) return false;
    const Phase phase = state(at_symbol_).phase;
    emit(command, EventKind::phase, kNoSession, at_symbol_, out).phase = {phase, phase, {}};
  }
  if (!out.has_room()) return false;
  if (step_ == Step::announce && decline_levels_e8_[0] != 0) {
    emit(command, EventKind::declines, kNoSession, kNoSymbol, out).declines.levels_e8 = decline_levels_e8_;
    step_ = Step::close;
    if (!out.has_room()) return false;
  }
  emit(command, EventKind::system, kNoSession, kNoSymbol, out).system.event = 'S';
  return true;
}

bool Engine::day_end(const Command& command, Out& out) {
  // One letter an event; market_open_ and at_symbol_ say how far it has come.
  if (step_ == Step::begin) {
    at_symbol_ = SymbolId{0};
    step_ = Step::close;
  }
  constexpr char kLetters[] = {'M', 'E', 'C'};
  for (; at_symbol_.value < std::size(kLetters); ++at_symbol_.value) {
    if (kLetters[at_symbol_.value] == 'M' && !market_open_) continue;
    if (!out.has_room()) return false;
    emit(command, EventKind::system, kNoSession, kNoSymbol, out).system.event = kLetters[at_symbol_.value];
  }
  if (!out.has_room()) return false;
  market_open_ = false;
  day_over_ = true;
  emit(command, EventKind::day_end, kNoSession, kNoSymbol, out);
  return true;
}

/// Goes on finding the price that begin() began. False: not yet, and other stages have waited long enough.
bool Engine::walk_auction(const SymbolState& symbol) {
  yielded_ = !walk_.step(symbol.book, pools_, kMostLooks);
  if (!yielded_) auction_ = walk_.result();
  return !yielded_;
}

bool Engine::tick(const Command& command, Out& out) {
  // What is left in the books has ended with the day, and is not cancelled one by one behind it.
  if (step_ == Step::begin) {
    step_ = day_over_ ? Step::close : Step::lives;
    if (!day_over_) {
      lives_until_ns_ = command.time_ns;
      open_jobs_ |= kLives;
    }
  }
  if (step_ == Step::lives) {
    if (!take_turn(command, out)) return false;
    at_symbol_ = SymbolId{1};
    step_ = Step::symbols;
  }
  if (step_ >= Step::symbols && step_ <= Step::announce) {
    if (!end_calls(command, out)) return false;
    at_symbol_ = SymbolId{1};
    const bool due = calls_ > 0 && command.time_ns % imbalance_interval_ns_ == 0;
    step_ = due ? Step::list : Step::close;
  }
  while (step_ != Step::close) {
    const SymbolState& symbol = state(at_symbol_);
    if (step_ == Step::list && is_call(symbol.phase)) {
      walk_.begin(symbol.book, pools_, symbol.reference, market_range(at_symbol_));
      step_ = Step::walk;
    }
    if (step_ == Step::walk) {
      if (!walk_auction(symbol)) return false;
      step_ = Step::say;
    }
    if (step_ == Step::say && !say_imbalance(command, out)) return false;
    step_ = at_symbol_.value == symbol_count() ? Step::close : Step::list;
    ++at_symbol_.value;
  }
  if (!out.has_room()) return false;
  pass_on(command, EventKind::tick, out);
  return true;
}

bool Engine::say_imbalance(const Command& command, Out& out) {
  const SymbolState& symbol = state(at_symbol_);
  if (!out.has_room()) return false;
  const char direction = auction_.paired == 0 ? 'O' : auction_.imbalance == 0 ? 'N' : auction_.buy_surplus ? 'B' : 'S';
  emit(command, EventKind::imbalance, kNoSession, at_symbol_, out).cross = {.paired = auction_.paired,
                                                                            .imbalance = auction_.imbalance,
                                                                            .match = {},
                                                                            .price = auction_.price,
                                                                            .far_price = walk_.far().price,
                                                                            .direction = direction,
                                                                            .cross_type = cross_letter(symbol.phase),
                                                                            .reserved = {}};
  return true;
}

/// The schedule's change. The market opens (system event Q) before the first symbol trades and closes (M) after the
/// last one has.
bool Engine::change_phase(const Command& command, Out& out) {
  if (step_ == Step::begin) begin_phases(command, command.phase.phase == Phase::continuous, out);
  return enter_phases(command, out);
}

void Engine::begin_phases(const Command& command, bool opens, Out& out) {
  at_symbol_ = command.symbol == kAllSymbols ? SymbolId{1} : command.symbol;
  step_ = Step::symbols;
  if (!opens || market_open_) return;
  market_open_ = true;
  emit(command, EventKind::system, kNoSession, kNoSymbol, out).system.event = 'Q';
}

/// Between two symbols of one command: a breaker may have tripped in the first one's cross. False: not yet, and other
/// stages have waited long enough.
bool Engine::finish_kills_between(const Command& command, Out& out) {
  if (sweeps_.kills() == 0 || (command.kind != CommandKind::tick && !waits_for_kills(command))) return true;
  return finish_kills(command, out);
}

/// Symbol by symbol.
bool Engine::enter_phases(const Command& command, Out& out) {
  const std::uint16_t last = command.symbol == kAllSymbols ? symbol_count() : command.symbol.value;
  CHECK(last <= symbol_count(), "phase of symbol %u of %u", last, symbol_count());
  while (step_ != Step::close) {
    if (step_ == Step::symbols) {
      if (!finish_kills_between(command, out)) return false;
      to_ = enters(command, state(at_symbol_));
    }
    if (!enter_phase(command, out)) return false;
    if (at_symbol_.value == last) step_ = Step::close;
    ++at_symbol_.value;
  }
  if (closed_ == symbol_count() && market_open_) {
    if (!out.has_room()) return false;
    market_open_ = false;
    emit(command, EventKind::system, kNoSession, kNoSymbol, out).system.event = 'M';
  }
  return true;
}

/// at_symbol_ enters to_, from Step::symbols to Step::symbols: cross where a call ends, clear the book of what does not
/// live on, then the new phase; or the call is prolonged. False: there was no room for an event, or other stages have
/// waited long enough.
bool Engine::enter_phase(const Command& command, Out& out) {
  SymbolState& symbol = state(at_symbol_);
  if (step_ == Step::symbols) {
    const bool goes_on = symbol.phase == Phase::interrupted && is_call(to_);
    const bool crosses = to_ == symbol.phase        ? false
                         : is_call(symbol.phase)    ? to_ != Phase::halted && !goes_on
                         : to_ == Phase::continuous ? symbol.book.crossed(pools_.levels)
                                                    : false;
    if (crosses) walk_.begin(symbol.book, pools_, symbol.reference, market_range(at_symbol_));
    step_ = crosses ? Step::price : Step::clear;
  }
  if (step_ == Step::price) {
    if (!walk_auction(symbol)) return false;
    step_ = Step::cross;
    cross_left_ = auction_.paired;
    if (prolongs_call(command)) {
      step_ = Step::price;
      if (!out.has_room()) return false;
      prolong_call(command, out);
      step_ = Step::symbols;
      return true;
    }
  }
  if (step_ == Step::cross) {
    if (!cross(command, out)) return false;
    step_ = Step::clear;
  }
  if (step_ == Step::clear) {
    if (!clear(command, out)) return false;
    const bool call = to_ == Phase::closing_call && symbol.phase != to_;
    at_order_ = call ? waiting_.front(list_of(at_symbol_, CrossType::closing)) : kNoOrder;
    step_ = Step::admit;
  }
  if (step_ == Step::admit) {
    if (!admit(command, out)) return false;
    step_ = Step::announce;
  }
  if (symbol.phase != to_) {
    if (!out.has_room()) return false;
    set_phase(command, at_symbol_, to_, out);
  }
  step_ = Step::symbols;
  return true;
}

/// The symbol is in another phase. Its call, if it was in one, does not end by itself any more; an interruption that
/// begins does. There is room for an event.
void Engine::set_phase(const Command& command, SymbolId id, Phase to, Out& out) {
  SymbolState& symbol = state(id);
  const Phase from = std::exchange(symbol.phase, to);
  emit(command, EventKind::phase, kNoSession, id, out).phase = {to, from, {}};
  calls_ += is_call(to);
  calls_ -= is_call(from);
  closed_ += to == Phase::closed;
  closed_ -= from == Phase::closed;
  CountWord& left = in_phase_[static_cast<std::size_t>(from)];
  left.set(left.get() - 1);
  in_phase_[static_cast<std::size_t>(to)].add();
  collars_[id.value - 1u].ends_ns = 0;
  collars_[id.value - 1u].prolonged = 0;
  if (to == Phase::interrupted) {
    end_call_at(id, command.time_ns);
    counters_.add(EngineCounter::interruptions_begun);
  }
  if (from == Phase::interrupted) counters_.add(EngineCounter::interruptions_ended);
}

/// Pairs both queues in price-time order at the auction's price until its volume is done (WIRE 5).
bool Engine::cross(const Command& command, Out& out) {
  SymbolState& symbol = state(at_symbol_);
  const char letter = cross_letter(symbol.phase);
  if (!drop_beyond_auction(command, out)) return false;
  while (cross_left_ > 0) {
    if (!out.has_room()) return false;
    const OrderIndex buyer = pools_.levels[symbol.book.side(true).best_level()].head;
    const OrderIndex seller = pools_.levels[symbol.book.side(false).best_level()].head;
    const Quantity quantity = static_cast<Quantity>(
        std::min<std::uint64_t>({pools_.orders.hot(buyer).open, pools_.orders.hot(seller).open, cross_left_}));
    Event& event = emit(command, EventKind::crossed, kNoSession, at_symbol_, out);
    event.cross_type = letter;
    HotOrder& bought = pools_.orders.hot(buyer);
    HotOrder& sold = pools_.orders.hot(seller);
    execute(event, buyer, seller, bought, sold, symbol, auction_.price, quantity);
    event.execution.ref = ref_on_feed(bought);
    cross_left_ -= quantity;
    take_shares(at_symbol_, buyer, bought, quantity);
    if (bought.open == 0) remove_order(command, buyer, bought, out);
    take_shares(at_symbol_, seller, sold, quantity);
    if (sold.open == 0) remove_order(command, seller, sold, out);
  }
  if (!out.has_room()) return false;
  emit(command, EventKind::cross_done, kNoSession, at_symbol_, out).cross = {.paired = auction_.paired,
                                                                             .imbalance = auction_.imbalance,
                                                                             .match = MatchNumber{++last_match_},
                                                                             .price = auction_.price,
                                                                             .far_price = kNoPrice,
                                                                             .direction = 'N',
                                                                             .cross_type = letter,
                                                                             .reserved = {}};
  counters_.add(EngineCounter::crosses);
  if (auction_.paired > 0) collars_[at_symbol_.value - 1u].reference = auction_.price;
  move_collar(at_symbol_);
  return true;
}

/// Orders for one cross do not outlive it in the book; a halt leaves everything as it is, and so does the call behind a
/// halt that has outlasted theirs: its cross is the one that they get. A list of them is in the book as a whole or not
/// at all: on-close orders enter it with the closing call, and no order is taken while it is halted.
bool Engine::clear(const Command& command, Out& out) {
  if (to_ == Phase::closed) {
    if (expire(command, at_symbol_, out)) return true;
    if (turn_has_more()) return false;  // for want of room
    open_closing(at_symbol_);
    return true;
  }
  if (to_ == Phase::halted) return true;
  constexpr std::pair<CrossType, Phase> kCalls[] = {{CrossType::opening, Phase::opening_call},
                                                    {CrossType::closing, Phase::closing_call}};
  for (const auto& [cross, call] : kCalls) {
    if (to_ == call || to_ == Phase::interrupted) continue;
    const std::uint32_t list = list_of(at_symbol_, cross);
    for (OrderIndex index = waiting_.front(list); index != kNoOrder; index = waiting_.front(list)) {
      if (pools_.orders.hot(index).level == kNoLevel) break;
      if (!out.has_room()) return false;
      cancel_shares(command, index, pools_.orders.hot(index).open, 'T', out);
    }
  }
  return clear_market_orders(command, out);
}

/// The on-close orders that wait, from at_order_ on, take their places in the book; one that finds none is cancelled.
bool Engine::admit(const Command& command, Out& out) {
  Book& book = state(at_symbol_).book;
  for (std::size_t looks = 0; at_order_ != kNoOrder; ++looks) {
    if (looks == kMostLooks) return !(yielded_ = true);
    const OrderIndex index = at_order_;
    HotOrder& order = pools_.orders.hot(index);
    const bool buy = order.buy();
    const Price asked{static_cast<std::uint32_t>(pools_.orders.asked(index).price)};
    const bool market = !is_limit_price(asked);
    const Price price = market ? book.market_price(buy) : asked;
    const bool waits = order.level == kNoLevel;
    const bool finds =
        may_open_level(account(order.session()), book, buy) || finds_level(order.session(), book, buy, price, nullptr);
    const bool may_rest = finds && (!waits || !market || rebind(index, order));
    if (waits && !may_rest && !out.has_room()) return false;
    at_order_ = waiting_.after(index);
    if (!waits) continue;
    if (may_rest) {
      book.rest(pools_, index, order, buy, price);
      pools_.levels.one_cross_shares(order.level) += order.open;
    } else {
      cancel_shares(command, index, order.open, 'Z', out);
    }
  }
  return true;
}

}  // namespace crosswire
