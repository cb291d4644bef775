// Calibration of the time stamp counter. Runs in the app at set-up; it sleeps, so no stage may call it.
#include "netstack/port/tsc_clock.hpp"

#include <time.h>

#include <limits>
#include <stdexcept>
#include <thread>

namespace crosswire {
namespace {

struct Reading {
  std::uint64_t tsc;
  std::int64_t clock_ns;
};

std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

/// The pair read closest together of some attempts: an interrupt in between would spoil a single one.
Reading paired_reading(clockid_t clock) {
  constexpr int kAttempts = 32;
  Reading best{};
  auto narrowest = std::numeric_limits<std::uint64_t>::max();
  for (int i = 0; i < kAttempts; ++i) {
    const std::uint64_t before = TscClock::read();
    const std::int64_t now_ns = clock_ns(clock);
    const std::uint64_t width = TscClock::read() - before;
    if (width >= narrowest) continue;
    narrowest = width;
    best = {before + width / 2, now_ns};
  }
  return best;
}

}  // namespace

TscClock TscClock::calibrated() {
  // The rate from the clock that is never stepped, the date from the one that knows it.
  const Reading first = paired_reading(CLOCK_MONOTONIC);
  std::this_thread::sleep_for(std::chrono::nanoseconds(kCalibrationNs));
  const Reading last = paired_reading(CLOCK_MONOTONIC);
  if (last.tsc <= first.tsc || last.clock_ns <= first.clock_ns) {
    throw std::runtime_error(
        "the processor's time stamp counter does not run forward; use a host with an invariant TSC (constant_tsc, "
        "nonstop_tsc in /proc/cpuinfo)");
  }
  const Reading date = paired_reading(CLOCK_REALTIME);
  const auto elapsed_ns = static_cast<std::uint64_t>(last.clock_ns - first.clock_ns);
  TscClock clock;
  clock.base_tsc_ = date.tsc;
  clock.base_epoch_ns_ = date.clock_ns;
  clock.ns_per_tick_ =
      static_cast<std::uint64_t>((static_cast<Wide>(elapsed_ns) << kFractionBits) / (last.tsc - first.tsc));
  return clock;
}

double TscClock::ticks_per_ns() const {
  return static_cast<double>(std::uint64_t{1} << kFractionBits) / static_cast<double>(ns_per_tick_);
}

}  // namespace crosswire
