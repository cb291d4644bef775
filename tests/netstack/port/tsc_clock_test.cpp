#include "netstack/port/tsc_clock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace crosswire::tsc_clock_test {
namespace {

std::int64_t system_epoch_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

TEST(TscClock, AgreesWithTheSystemsClockAfterAWhile) {
  const TscClock clock = TscClock::calibrated();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  // The processors of a test machine are shared: the reading in between may be interrupted, some attempt is not.
  constexpr std::int64_t kTolerance = 100'000;
  std::int64_t least_off_ns = std::numeric_limits<std::int64_t>::max();
  for (int attempt = 0; attempt < 100; ++attempt) {
    const std::int64_t before_ns = system_epoch_ns();
    const std::int64_t seen_ns = clock.now_epoch_ns();
    const std::int64_t after_ns = system_epoch_ns();
    const std::int64_t off_ns = std::max(before_ns - seen_ns, seen_ns - after_ns);
    least_off_ns = std::min(least_off_ns, std::max<std::int64_t>(off_ns, 0));
  }
  EXPECT_LT(least_off_ns, kTolerance);
}

TEST(TscClock, GoesForwardAndBackwardFromItsBaseAtOneRate) {
  const TscClock clock = TscClock::calibrated();
  const std::uint64_t now = TscClock::read();
  const auto second = static_cast<std::uint64_t>(clock.ticks_per_ns() * 1e9);
  EXPECT_NEAR(static_cast<double>(clock.epoch_ns(now + second) - clock.epoch_ns(now)), 1e9, 2.0);
  EXPECT_NEAR(static_cast<double>(clock.epoch_ns(now) - clock.epoch_ns(now - second)), 1e9, 2.0);
  EXPECT_NEAR(static_cast<double>(clock.span_ns(second)), 1e9, 2.0);
  // 200 days from the base nothing has overflowed.
  const std::uint64_t far = now + second * 86'400 * 200;
  EXPECT_NEAR(static_cast<double>(clock.epoch_ns(far) - clock.epoch_ns(now)), 86'400e9 * 200, 1e9);
}

}  // namespace
}  // namespace crosswire::tsc_clock_test
