// Readings of the system's clocks: see the header.
#include "netstack/port/clock_reading.hpp"

#include <rte_cycles.h>
#include <sys/timex.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <thread>

namespace crosswire {
namespace {

/// Of a measurement of the counter's rate: 200 ms against the ~50 ns that a reading is uncertain by.
constexpr std::chrono::milliseconds kCalibration(200);

struct PairedReading {
  std::uint64_t tsc;
  std::int64_t clock_ns;
  std::uint64_t width_ticks;
};

/// The pair read closest together of some attempts: an interrupt in between would spoil a single one.
PairedReading read_beside_tsc(clockid_t clock) {
  constexpr int kAttempts = 32;
  PairedReading best{0, 0, std::numeric_limits<std::uint64_t>::max()};
  for (int i = 0; i < kAttempts; ++i) {
    timespec now{};
    const std::uint64_t before = rte_rdtsc();
    clock_gettime(clock, &now);
    const std::uint64_t width = rte_rdtsc() - before;
    if (width >= best.width_ticks) continue;
    best = {before + width / 2, std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec, width};
  }
  return best;
}

}  // namespace

ClockReading read_clocks() {
  const PairedReading raw = read_beside_tsc(CLOCK_MONOTONIC_RAW);
  const PairedReading real = read_beside_tsc(CLOCK_REALTIME);
  return {raw.tsc, raw.clock_ns, real.tsc, real.clock_ns, std::max(raw.width_ticks, real.width_ticks) / 2 + 1};
}

std::pair<ClockReading, ClockReading> read_clocks_twice() {
  const ClockReading first = read_clocks();
  std::this_thread::sleep_for(kCalibration);
  const ClockReading second = read_clocks();
  if (second.raw_tsc <= first.raw_tsc || second.real_tsc <= first.real_tsc || second.raw_ns <= first.raw_ns) {
    throw std::runtime_error(
        "the processor's time stamp counter does not run forward; use a host with an invariant TSC (constant_tsc, "
        "nonstop_tsc in /proc/cpuinfo)");
  }
  return {first, second};
}

bool clock_unsynchronised() {
  timex state{};
  return adjtimex(&state) < 0 || (state.status & STA_UNSYNC) != 0;
}

}  // namespace crosswire
