// Calibration of the time stamp counter. Runs in the app at set-up; it sleeps, so no stage may call it.
#include "netstack/port/tsc_clock.hpp"

#include "netstack/port/clock_reading.hpp"

namespace crosswire {

TscClock TscClock::calibrated() {
  // The rate from the clock that nobody slews, the date from the one that knows it.
  const auto [first, last] = read_clocks_twice();
  return at(last.real_tsc, last.real_ns,
            static_cast<double>(last.raw_ns - first.raw_ns) / static_cast<double>(last.raw_tsc - first.raw_tsc));
}

TscClock TscClock::at(std::uint64_t tsc, std::int64_t epoch_ns, double ns_per_tick) {
  TscClock clock;
  clock.base_tsc_ = tsc;
  clock.base_epoch_ns_ = epoch_ns;
  clock.ns_per_tick_ = static_cast<std::uint64_t>(ns_per_tick * static_cast<double>(std::uint64_t{1} << kFractionBits));
  return clock;
}

double TscClock::ticks_per_ns() const {
  return static_cast<double>(std::uint64_t{1} << kFractionBits) / static_cast<double>(ns_per_tick_);
}

}  // namespace crosswire
