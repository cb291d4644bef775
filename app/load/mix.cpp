// The orders of a load generator: see mix.hpp. On the generator's one polling thread.
#include "app/load/mix.hpp"

#include <algorithm>
#include <bit>

#include "hugepages/base/check.hpp"

namespace crosswire {
namespace {

/// Slots at least, of all sessions: more than any link and appliance have under way.
constexpr std::uint64_t kLeastSlots = 1u << 20;
constexpr std::uint64_t kLeastPerSession = 64;
/// Orders live as long as `resting` adds take, on average.
constexpr std::uint64_t kSlotsPerResting = 3;

}  // namespace

LoadMix::LoadMix(const LoadMixOptions& options, const std::vector<SymbolConfig>& symbols, std::uint32_t sessions)
    : options_(options), sessions_(sessions), random_(options.seed), used_(sessions) {
  CHECK(options.adds + options.cancels + options.crossing == 100 && sessions >= 1 && !symbols.empty(), "mix %u/%u/%u",
        options.adds, options.cancels, options.crossing);
  const std::uint64_t count = slots(options, sessions);
  CHECK(count < std::uint64_t{1} << 31, "%llu slots", static_cast<unsigned long long>(count));
  per_session_ = static_cast<std::uint32_t>(count / sessions);
  orders_.resize(count);
  live_.reserve(orders_.size());
  books_.reserve(symbols.size());
  for (const SymbolConfig& symbol : symbols) {
    const std::uint32_t ticks = symbol.reference.value / symbol.tick_e4;
    CHECK(ticks >= 2, "a reference price of %u ticks", ticks);
    books_.push_back({ticks * symbol.tick_e4, symbol.tick_e4, std::min(kLevels, ticks - 1)});
  }
}

std::uint64_t LoadMix::slots(const LoadMixOptions& options, std::uint32_t sessions) {
  const std::uint64_t wanted = std::max(kLeastSlots, kSlotsPerResting * options.resting) / sessions;
  return std::bit_ceil(std::max(wanted, kLeastPerSession)) * sessions;
}

std::uint64_t LoadMix::memory(const LoadMixOptions& options, std::uint32_t sessions) {
  return slots(options, sessions) * (sizeof(Resting) + sizeof(std::uint32_t));
}

LoadOrder LoadMix::next() {
  Dice dice(random_.next());
  const std::uint32_t kind = dice.below(100);
  if (kind < options_.cancels && live_.size() > options_.resting) {
    return cancel(live_[dice.below(static_cast<std::uint32_t>(live_.size()))]);
  }
  return kind >= options_.cancels && kind < options_.cancels + options_.crossing ? cross(dice) : add(dice);
}

LoadOrder LoadMix::add(Dice dice) {
  const std::uint32_t session = dice.below(sessions_);
  if (const std::uint32_t next = slot_of(session, turns_ahead()); orders_[next].alive) [[unlikely]]
    return cancel(next);
  const std::uint32_t slot = slot_of(session);
  Resting& order = orders_[slot];
  ++used_[session];
  const std::uint32_t symbol = dice.below(static_cast<std::uint32_t>(books_.size()));
  const bool buy = dice.below(2) != 0;
  Book& book = books_[symbol];
  const std::uint32_t at = dice.below(book.levels);
  Side& side = book.sides[buy];
  Level& level = side.levels[at];
  order = {.at = static_cast<std::uint32_t>(live_.size()),
           .before = level.last,
           .symbol = static_cast<std::uint16_t>(symbol),
           .level = static_cast<std::uint8_t>(at),
           .buy = buy,
           .alive = true};
  (level.last == kNone ? level.first : orders_[level.last].next) = slot;
  level.last = slot;
  side.used |= std::uint64_t{1} << at;
  live_.push_back(slot);
  const std::uint32_t away = (at + 1) * book.tick;
  return {
      LoadKind::add, buy, static_cast<std::uint16_t>(session), order.symbol, buy ? book.mid - away : book.mid + away,
      slot};
}

LoadOrder LoadMix::cancel(std::uint32_t slot) {
  const Resting& order = orders_[slot];
  const LoadOrder cancel{LoadKind::cancel, order.buy, static_cast<std::uint16_t>(slot / per_session_),
                         order.symbol,     0,         slot};
  end(slot);
  return cancel;
}

/// At a price behind all that rest on the other side; takes the first of them in price and time. An add where none do.
LoadOrder LoadMix::cross(Dice dice) {
  const bool buy = dice.below(2) != 0;
  const std::uint32_t symbol = dice.below(static_cast<std::uint32_t>(books_.size()));
  const Book& book = books_[symbol];
  const Side& other = book.sides[buy ? 0 : 1];
  if (other.used == 0) return add(dice);
  const std::uint32_t session = dice.below(sessions_);
  if (const std::uint32_t next = slot_of(session, turns_ahead()); orders_[next].alive) [[unlikely]]
    return cancel(next);
  const std::uint32_t slot = slot_of(session);
  ++used_[session];
  end(other.levels[static_cast<std::size_t>(std::countr_zero(other.used))].first);
  return {LoadKind::cross,
          buy,
          static_cast<std::uint16_t>(session),
          static_cast<std::uint16_t>(symbol),
          buy ? book.mid + book.levels * book.tick : book.mid - book.levels * book.tick,
          slot};
}

void LoadMix::end(std::uint32_t slot) {
  Resting& order = orders_[slot];
  Side& side = books_[order.symbol].sides[order.buy];
  Level& level = side.levels[order.level];
  (order.before == kNone ? level.first : orders_[order.before].next) = order.next;
  (order.next == kNone ? level.last : orders_[order.next].before) = order.before;
  if (level.first == kNone) side.used &= ~(std::uint64_t{1} << order.level);
  order.alive = false;
  live_[order.at] = live_.back();
  orders_[live_.back()].at = order.at;
  live_.pop_back();
}

}  // namespace crosswire
