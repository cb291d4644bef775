// The budget's order flow (DESIGN 8): 45 % adds, 45 % cancels, 10 % crossing, about a given number of orders resting.
// Benchmarks only.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "engine/command.hpp"

namespace crosswire::bench {

inline constexpr std::uint32_t kMid = 1'000'000, kTick = 100;

/// One client's orders, without what a session or slot adds. Always the same.
class OrderMix {
 public:
  /// `levels`: prices a side that adds are spread over. `symbols`: 1 .. 65,534, each order one at random.
  explicit OrderMix(std::uint32_t resting, std::uint32_t levels = 50, std::uint32_t symbols = 1)
      : resting_(resting), levels_(levels), symbols_(symbols) {}

  Command next() {
    const std::uint32_t dice = below(100);
    if (live_.size() > resting_ && dice >= 10 && dice < 55) return cancel();
    const bool buy = below(2) == 0;
    const bool crossing = live_.size() > resting_ / 2 && dice < 10;
    const std::uint32_t away = below(levels_) * kTick;
    Command c = begin(CommandKind::enter, ++number_);
    if (symbols_ > 1) c.symbol = SymbolId{static_cast<std::uint16_t>(1 + below(symbols_))};
    c.order.side = buy ? Side::buy : Side::sell;
    c.order.quantity = 100;
    c.order.time_in_force = crossing ? TimeInForce::ioc : TimeInForce::day;
    c.order.display = Display::visible;
    c.order.cross_type = CrossType::continuous;
    c.order.post_only = PostOnly::no;
    const std::uint32_t reach = (levels_ + 50) * kTick;
    c.order.price =
        Price{crossing ? (buy ? kMid + reach : kMid - reach) : (buy ? kMid - kTick - away : kMid + kTick + away)};
    if (!crossing) live_.push_back(number_);
    return c;
  }

 private:
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }

  static Command begin(CommandKind kind, std::uint32_t number) {
    Command c{};
    c.kind = kind;
    c.session = SessionId{0};
    c.symbol = SymbolId{1};
    c.order.user_ref_num = UserRefNum{number};
    return c;
  }

  /// An executed order's cancel finds it dead, as in life.
  Command cancel() {
    const std::size_t at = random_() % live_.size();
    const Command c = begin(CommandKind::cancel, live_[at]);
    live_[at] = live_.back();
    live_.pop_back();
    return c;
  }

  std::uint32_t resting_;
  std::uint32_t levels_;
  std::uint32_t symbols_;
  std::mt19937_64 random_{42};
  std::vector<std::uint32_t> live_;
  std::uint32_t number_ = 0;
};

}  // namespace crosswire::bench
