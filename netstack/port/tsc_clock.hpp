// The time of live frames: the processor's time stamp counter, calibrated once at start against the system's clock.
// Read by the polling stages (one counter read, no system call); calibrated by the app before they start.
#pragma once

#include <rte_cycles.h>

#include <cstdint>

namespace crosswire {

/// Turns counter values into nanoseconds since the Unix epoch. A value type: copy it to each thread that needs it.
/// The counter must be invariant and the same on all cores. The rate is measured over kCalibrationNs and then stands:
/// an error of 1 ppm, 86 ms a day, is what to expect; a running day never sees a step of the system's clock.
class TscClock {
 public:
  /// Length of the measurement. 200 ms against the ~50 ns that one paired reading is uncertain by.
  static constexpr std::int64_t kCalibrationNs = 200'000'000;

  /// Measures; sleeps for kCalibrationNs. Throws std::runtime_error (one line) if the counter does not run.
  static TscClock calibrated();

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

}  // namespace crosswire
