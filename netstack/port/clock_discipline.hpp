// The discipline of the live clock: how the processor's counter is held to the system's time while it runs. A function
// of readings alone, which the control thread takes about every 100 ms and tests make up. docs/time.md explains it to
// operators.
//
// The counter's rate comes from CLOCK_MONOTONIC_RAW, which nobody slews, over the whole run. On top of it goes the rate
// at which CLOCK_REALTIME runs beside RAW (what NTP or PTP makes it do), and what brings the remaining offset to
// nothing. So our time runs as CLOCK_REALTIME does, and is never set.
#pragma once

#include <cstdint>
#include <utility>

#include "netstack/port/clock_reading.hpp"
#include "netstack/port/tsc_clock.hpp"

namespace crosswire {

class ClockDiscipline {
 public:
  /// Our time is within this of CLOCK_REALTIME, once it has caught up with what that was set by: also while that is
  /// slewed, whose rate may change by up to 500 ppm from one look to the next.
  static constexpr std::int64_t kBoundNs = 100'000;
  /// Of CLOCK_REALTIME's own rate beside RAW, what is followed: a frequency and a slew of 500 ppm each reach this.
  static constexpr double kMostFollowed = 1000e-6;
  /// Beyond CLOCK_REALTIME's rate, to catch up with it.
  static constexpr double kMostSlew = 500e-6;
  /// A leap of CLOCK_REALTIME of so much is not followed: no trading day goes on an hour later at once.
  static constexpr std::int64_t kLeapNs = 1'000'000'000;

  /// Of a calibration's two readings. The clock starts with the date and rate of CLOCK_REALTIME.
  ClockDiscipline(const ClockReading& first, const ClockReading& second);

  /// With a new reading, about every 100 ms; one from before the last is passed over. Returns the clock to use from now
  /// on: it says the same as the one before at `reading.real_tsc`, and may run at another rate.
  const TscClock& look(const ClockReading& reading);

  const TscClock& clock() const { return clock_; }
  /// Ahead of us is CLOCK_REALTIME by so much at the last look, leaps that were not followed apart.
  std::int64_t offset_ns() const { return offset_ns_; }
  /// Within this of it was our time since the look before: the larger offset of the two, and what the reading is
  /// uncertain by.
  std::int64_t bound_ns() const { return bound_ns_; }
  /// By so much CLOCK_REALTIME has leapt in all, and we have not. A leap back that leaves less than kLeapNs makes it 0:
  /// the remainder is an offset, to be slewed away.
  std::int64_t unfollowed_ns() const { return unfollowed_ns_; }
  /// By so much it has leapt at the last look; 0 where it has not.
  std::int64_t leap_ns() const { return leap_ns_; }

 private:
  /// CLOCK_REALTIME's rate beside RAW, less 1, and what that is uncertain by.
  struct Rate {
    double is;
    double uncertain;
  };

  [[nodiscard]] double uncertainty_ns(const ClockReading& reading) const;
  [[nodiscard]] Rate rate_since(const ClockReading& earlier, const ClockReading& now) const;
  void measure_counter(const ClockReading& now);
  void find_leap(const ClockReading& now);
  void measure_rate(const ClockReading& now);
  void catch_up(const ClockReading& now);

  ClockReading counter_from_;  // where the measurement of the counter's rate began
  ClockReading rate_from_;     // that of CLOCK_REALTIME's
  ClockReading last_;
  double ns_per_tick_;   // of RAW
  double followed_ = 0;  // rate of CLOCK_REALTIME beside RAW, less 1
  TscClock clock_;
  std::int64_t offset_ns_ = 0;
  std::int64_t bound_ns_ = 0;
  std::int64_t unfollowed_ns_ = 0;
  std::int64_t leap_ns_ = 0;
};

}  // namespace crosswire
