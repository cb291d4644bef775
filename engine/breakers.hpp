// The breakers of an account: limits that stop it where they are reached (is_breaker() of engine/risk_limits.hpp), as a
// kill by an operator does. What they count is here, and which of them trips; what comes of it is in breakers.cpp.
// Match stage only, but for `trips`.
//
// Result of the day: with each execution of the account, the shares of the symbol that it has bought today less those
// that it has sold, before this execution, times what this execution's price is above that of its last one in the
// symbol. Added up, that is the money which its executions have brought and cost, and what they leave it with at the
// price of its last execution in each symbol: exact, and nothing is to be done when others trade.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/positions.hpp"
#include "engine/risk_limits.hpp"
#include "engine/rolling_count.hpp"
#include "engine/types.hpp"
#include "hugepages/base/count_word.hpp"

namespace crosswire {

/// No breaker.
inline constexpr RiskLimit kNoBreaker = RiskLimit::count_;
/// Of a breaker: 0 .. kBreakers - 1, in the order of their rows.
constexpr std::size_t breaker_index(RiskLimit breaker) {
  return static_cast<std::size_t>(breaker) - static_cast<std::size_t>(RiskLimit::rejects_in_a_row);
}
inline constexpr std::size_t kBreakers =
    static_cast<std::size_t>(std::ranges::count_if(kRiskRows, is_breaker, &RiskRow::limit));
constexpr RiskLimit breaker_of(std::size_t index) {
  return static_cast<RiskLimit>(static_cast<std::size_t>(RiskLimit::rejects_in_a_row) + index);
}
static_assert(breaker_index(RiskLimit::executions_per_second_shares) == kBreakers - 1);

struct alignas(64) Breakers {
  Money most_loss = 0;             // 0: no limit
  std::uint32_t most_rejects = 0;  // likewise
  RiskLimit tripped = kNoBreaker;  // by which the account is stopped
  std::uint64_t tripped_with = 0;  // the newest order's reference then
  Money result = 0;                // of the day, or since an operator has allowed the account again
  // Of its orders that rested.
  RollingCount executions;
  RollingCount shares;
  std::array<CountWord, kBreakers> trips;  // of the day, by breaker_index(). Any thread

  void begin(const RiskConfig& config) {
    using enum RiskLimit;
    const auto number = [&config](RiskLimit limit) { return static_cast<std::uint32_t>(config.limit(limit)); };
    if (config.has(rejects_in_a_row)) most_rejects = number(rejects_in_a_row);
    if (config.has(loss_of_day)) most_loss = config.limit(loss_of_day);
    if (config.has(executions_per_second_count)) executions.set_limit(number(executions_per_second_count));
    if (config.has(executions_per_second_shares)) shares.set_limit(number(executions_per_second_shares));
  }
  /// Another number for a breaker that there is, with what is counted as it is: it trips with the next that it counts.
  void change(RiskLimit breaker, std::int64_t to, TimeNs now_ns) {
    using enum RiskLimit;
    const auto number = static_cast<std::uint32_t>(to);
    if (breaker == rejects_in_a_row) most_rejects = number;
    if (breaker == loss_of_day) most_loss = to;
    if (breaker == executions_per_second_count) executions.change_limit(now_ns, number);
    if (breaker == executions_per_second_shares) shares.change_limit(now_ns, number);
  }
  /// Nothing has been counted yet.
  void begin_anew() {
    tripped = kNoBreaker;
    result = 0;
    executions.begin_anew();
    shares.begin_anew();
  }
  /// An execution of the account, which bought `bought` shares (below zero: sold), into its result.
  void mark(Position& position, Price price, std::int64_t bought) {
    __extension__ using Wide = __int128;
    const Wide now = result + Wide{position.net} * (std::int64_t{price.value} - position.mark.value);
    // Where it could not be counted any more a loss has tripped, and a gain counts for no more than this.
    result = static_cast<Money>(std::clamp<Wide>(now, -kMostMoney, kMostMoney));
    position.mark = price;
    position.trade(bought);
  }
  bool is_lost() const { return most_loss != 0 && result <= -most_loss; }
};

}  // namespace crosswire
