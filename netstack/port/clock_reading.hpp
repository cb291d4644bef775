// The system's clocks beside the processor's counter, and whether anybody keeps them: what the live clock is calibrated
// and disciplined by. Control threads; the calibration sleeps.
#pragma once

#include <cstdint>
#include <utility>

namespace crosswire {

/// One look at the system's clocks. Each was read as close to the counter as could be.
struct ClockReading {
  std::uint64_t raw_tsc;            // the counter when CLOCK_MONOTONIC_RAW was read
  std::int64_t raw_ns;              // CLOCK_MONOTONIC_RAW, which nobody slews or sets
  std::uint64_t real_tsc;           // the counter when CLOCK_REALTIME was read
  std::int64_t real_ns;             // CLOCK_REALTIME, ns since the Unix epoch
  std::uint64_t uncertainty_ticks;  // the counter may have been off its clock by so much; of the worse of the two
};

/// Reads the clocks, now: of each the best of some attempts. Some microseconds.
ClockReading read_clocks();

/// Two readings some 200 ms apart; sleeps in between. Throws std::runtime_error (one line) if the counter does not run.
std::pair<ClockReading, ClockReading> read_clocks_twice();

/// The kernel takes its clock for unsynchronised (STA_UNSYNC): no NTP or PTP keeps it, or not for long now. True as
/// well where the kernel does not say.
bool clock_unsynchronised();

}  // namespace crosswire
