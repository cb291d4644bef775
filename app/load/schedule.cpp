// Send times of a load generator: see schedule.hpp. Set-up only.
#include "app/load/schedule.hpp"

#include <algorithm>
#include <utility>

#include "hugepages/base/check.hpp"

namespace crosswire {
namespace {

constexpr std::uint64_t kMaxRate = 1'000'000'000;
/// Parts of a nanosecond: at millions of orders a second a mean gap in whole nanoseconds would be off by much.
constexpr std::uint64_t kParts = 256;

}  // namespace

LoadSchedule LoadSchedule::poisson(std::uint64_t rate, std::uint64_t seed) {
  CHECK(rate >= 1 && rate <= kMaxRate, "rate %llu", static_cast<unsigned long long>(rate));
  LoadSchedule schedule(rate, seed);
  schedule.poisson_ = true;
  return schedule;
}

LoadSchedule LoadSchedule::burst(std::uint64_t rate, std::uint64_t orders) {
  CHECK(rate >= 1 && rate <= kMaxRate && orders >= 1, "rate %llu", static_cast<unsigned long long>(rate));
  LoadSchedule schedule(rate, 0);
  schedule.burst_ = orders;
  return schedule;
}

LoadSchedule LoadSchedule::gaps(std::vector<std::uint64_t> gaps_ns) {
  CHECK(std::any_of(gaps_ns.begin(), gaps_ns.end(), [](std::uint64_t gap) { return gap > 0; }), "no gap of any length");
  LoadSchedule schedule(0, 0);
  schedule.gaps_ns_ = std::move(gaps_ns);
  return schedule;
}

TimeNs LoadSchedule::next() {
  const std::uint64_t order = count_++;
  if (!gaps_ns_.empty()) {
    // The first order is due at 0.
    if (order > 0) at_parts_ += gaps_ns_[(order - 1) % gaps_ns_.size()];
    return at_parts_;
  }
  if (poisson_) {
    at_parts_ += random_.exponential(kNsPerSecond * kParts / rate_);
    return at_parts_ / kParts;
  }
  // Seconds apart, so that nothing overflows and no error adds up.
  const std::uint64_t in_step = order / burst_ * burst_;
  return in_step / rate_ * kNsPerSecond + in_step % rate_ * kNsPerSecond / rate_;
}

}  // namespace crosswire
