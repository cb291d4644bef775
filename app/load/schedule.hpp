// When a load generator's orders are due: fixed before the run, whatever the server does (an open loop). Whole numbers
// only, so that one seed gives the same times everywhere. Set-up only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "app/flow/random.hpp"
#include "engine/types.hpp"

namespace crosswire {

class LoadSchedule {
 public:
  /// One order each 1 / `rate` seconds. `rate`: orders per second, 1 .. 10^9; so in the other two.
  static LoadSchedule constant(std::uint64_t rate) { return burst(rate, 1); }
  /// Gaps distributed exponentially around 1 / `rate`.
  static LoadSchedule poisson(std::uint64_t rate, std::uint64_t seed);
  /// `orders` (>= 1) due at one time, `rate` orders per second on average.
  static LoadSchedule burst(std::uint64_t rate, std::uint64_t orders);
  /// The gaps of a capture, one after the other and from the first again. Not empty, and not all 0.
  static LoadSchedule gaps(std::vector<std::uint64_t> gaps_ns);

  /// When the next order is due, ns from the start; never falls.
  TimeNs next();

 private:
  explicit LoadSchedule(std::uint64_t rate, std::uint64_t seed) : rate_(rate), random_(seed) {}

  std::uint64_t rate_;
  std::uint64_t burst_ = 1;
  std::vector<std::uint64_t> gaps_ns_;
  bool poisson_ = false;
  FlowRandom random_;
  std::uint64_t count_ = 0;     // orders so far
  std::uint64_t at_parts_ = 0;  // poisson and gaps: the last order's time, in parts of a nanosecond
};

}  // namespace crosswire
