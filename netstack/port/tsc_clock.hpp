// The time of live frames: the processor's time stamp counter, calibrated against the system's clocks. Read by the
// polling stages (one counter read, no system call); calibrated by the app before they start. What holds it to the
// system's time from then on is netstack/port/clock_discipline.
#pragma once

#include <rte_cycles.h>

#include <cstdint>

#include "hugepages/rings/seqlock.hpp"

namespace crosswire {

/// Turns counter values into nanoseconds since the Unix epoch. A value type: copy it to each thread that needs it.
/// The counter must be invariant and the same on all cores.
class TscClock {
 public:
  /// The date is CLOCK_REALTIME's, the rate CLOCK_MONOTONIC_RAW's over 200 ms, for which this sleeps; both stand from
  /// then on, and part from the system's time by what its clock is kept at: some ppm, while it is slewed 500. Throws
  /// std::runtime_error (one line) if the counter does not run.
  static TscClock calibrated();
  /// Says `epoch_ns` (since the Unix epoch) at the counter's value `tsc`, and runs at that rate, above 0 and below
  /// 2^20.
  static TscClock at(std::uint64_t tsc, std::int64_t epoch_ns, double ns_per_tick);

  /// The counter of this core, now.
  static std::uint64_t read() { return rte_rdtsc(); }

  [[nodiscard]] std::int64_t epoch_ns(std::uint64_t tsc) const {
    const bool before = tsc < base_tsc_;  // another core's counter may be a little behind
    const Wide ticks = before ? base_tsc_ - tsc : tsc - base_tsc_;
    const auto span_ns = static_cast<std::int64_t>((ticks * ns_per_tick_) >> kFractionBits);
    return before ? base_epoch_ns_ - span_ns : base_epoch_ns_ + span_ns;
  }
  [[nodiscard]] std::int64_t now_epoch_ns() const { return epoch_ns(read()); }

  /// Nanoseconds in a difference of two counter values, for latency figures.
  [[nodiscard]] std::uint64_t span_ns(std::uint64_t ticks) const {
    return static_cast<std::uint64_t>((static_cast<Wide>(ticks) * ns_per_tick_) >> kFractionBits);
  }
  [[nodiscard]] double ticks_per_ns() const;

 private:
  __extension__ using Wide = unsigned __int128;
  static constexpr unsigned kFractionBits = 40;

  std::uint64_t base_tsc_ = 0;
  std::int64_t base_epoch_ns_ = 0;
  std::uint64_t ns_per_tick_ = 0;  // fixed point, kFractionBits after the point
};

/// The clock of a process: written by the control thread, which disciplines it; each stage that tells time has a copy.
using SharedClock = Seqlock<TscClock>;

}  // namespace crosswire
