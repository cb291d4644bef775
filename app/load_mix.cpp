// The orders of a load generator: see load_mix.hpp. Set-up only.
#include "app/load_mix.hpp"

#include <algorithm>

#include "hugepages/check.hpp"

namespace crosswire {

LoadMix::LoadMix(const LoadMixOptions& options, const std::vector<SymbolConfig>& symbols, std::uint32_t sessions)
    : options_(options), sessions_(sessions), random_(options.seed) {
  CHECK(options.adds + options.cancels + options.crossing == 100 && sessions >= 1 && !symbols.empty(), "mix %u/%u/%u",
        options.adds, options.cancels, options.crossing);
  for (const SymbolConfig& symbol : symbols) {
    const std::uint32_t ticks = symbol.reference.value / symbol.tick_e4;
    CHECK(ticks >= 2, "a reference price of %u ticks", ticks);
    books_.push_back({ticks * symbol.tick_e4, symbol.tick_e4, std::min(kLevels, ticks - 1)});
  }
}

LoadOrder LoadMix::begin(LoadKind kind) {
  const auto number = static_cast<std::uint32_t>(orders_.size());
  orders_.push_back({});
  return {.kind = kind, .session = 0, .symbol = 0, .buy = false, .price = 0, .number = number};
}

LoadOrder LoadMix::next() {
  const std::uint32_t dice = random_.below(100);
  if (dice < options_.cancels && live_.size() > options_.resting) return cancel();
  if (dice >= options_.cancels && dice < options_.cancels + options_.crossing) {
    const auto symbol = static_cast<std::uint16_t>(random_.below(static_cast<std::uint32_t>(books_.size())));
    const bool buy = random_.chance(50);
    if (books_[symbol].sides[buy ? 0 : 1].alive > 0) return cross(symbol, buy);
  }
  return add();
}

LoadOrder LoadMix::add() {
  LoadOrder order = begin(LoadKind::add);
  order.session = static_cast<std::uint16_t>(random_.below(sessions_));
  order.symbol = static_cast<std::uint16_t>(random_.below(static_cast<std::uint32_t>(books_.size())));
  order.buy = random_.chance(50);
  Book& book = books_[order.symbol];
  const std::uint32_t level = random_.below(book.levels);
  const std::uint32_t away = (level + 1) * book.tick;
  order.price = order.buy ? book.mid - away : book.mid + away;
  Side& side = book.sides[order.buy];
  side.levels[level].push_back(order.number);
  ++side.alive;
  orders_.back() = {.at = static_cast<std::uint32_t>(live_.size()),
                    .session = order.session,
                    .symbol = order.symbol,
                    .level = static_cast<std::uint8_t>(level),
                    .buy = order.buy,
                    .alive = true};
  live_.push_back(order.number);
  return order;
}

LoadOrder LoadMix::cancel() {
  const std::uint32_t number = live_[random_.below(static_cast<std::uint32_t>(live_.size()))];
  LoadOrder order = begin(LoadKind::cancel);
  order.session = orders_[number].session;
  order.symbol = orders_[number].symbol;
  order.number = number;
  end(number);
  return order;
}

/// At a price behind all that rest on the other side; takes the first of them in price and time.
LoadOrder LoadMix::cross(std::uint16_t symbol, bool buy) {
  LoadOrder order = begin(LoadKind::cross);
  order.session = static_cast<std::uint16_t>(random_.below(sessions_));
  order.symbol = symbol;
  order.buy = buy;
  Book& book = books_[symbol];
  order.price = buy ? book.mid + book.levels * book.tick : book.mid - book.levels * book.tick;
  for (std::deque<std::uint32_t>& level : book.sides[buy ? 0 : 1].levels) {
    while (!level.empty() && !orders_[level.front()].alive) level.pop_front();
    if (level.empty()) continue;
    end(level.front());
    level.pop_front();
    return order;
  }
  CHECK(false, "no order rests where %u do", book.sides[buy ? 0 : 1].alive);
}

void LoadMix::end(std::uint32_t number) {
  Resting& order = orders_[number];
  order.alive = false;
  --books_[order.symbol].sides[order.buy].alive;
  live_[order.at] = live_.back();
  orders_[live_.back()].at = order.at;
  live_.pop_back();
}

}  // namespace crosswire
