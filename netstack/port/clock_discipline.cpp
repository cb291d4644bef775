// The discipline of the live clock: see the header.
#include "netstack/port/clock_discipline.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace crosswire {
namespace {

/// An offset would be gone after this long: half of it until the next look, so that none swings.
constexpr double kCatchUpNs = 200e6;
/// A rate that is less certain is not taken: the longer the next measurement, the more exact.
constexpr double kMostUncertain = 50e-6;
/// What does not change is measured as exactly as this, and over this long.
constexpr double kExact = 1e-6;
constexpr double kLongNs = 2e9;

double raw_span_ns(const ClockReading& from, const ClockReading& to) {
  return static_cast<double>(to.raw_ns - from.raw_ns);
}
double real_span_ns(const ClockReading& from, const ClockReading& to) {
  return static_cast<double>(to.real_ns - from.real_ns);
}
double raw_ticks(const ClockReading& from, const ClockReading& to) {
  return static_cast<double>(to.raw_tsc - from.raw_tsc);
}
double real_ticks(const ClockReading& from, const ClockReading& to) {
  return static_cast<double>(to.real_tsc - from.real_tsc);
}

}  // namespace

ClockDiscipline::ClockDiscipline(const ClockReading& first, const ClockReading& second)
    : counter_from_(first),
      rate_from_(first),
      last_(second),
      ns_per_tick_(raw_span_ns(first, second) / raw_ticks(first, second)) {
  const Rate rate = rate_since(first, second);
  if (rate.uncertain <= kMostUncertain && std::abs(rate.is) <= kMostFollowed) followed_ = rate.is;
  bound_ns_ = std::llround(uncertainty_ns(second));
  clock_ = TscClock::at(second.real_tsc, second.real_ns, ns_per_tick_ * (1 + followed_));
}

const TscClock& ClockDiscipline::look(const ClockReading& reading) {
  leap_ns_ = 0;
  if (reading.raw_tsc <= last_.raw_tsc || reading.real_tsc <= last_.real_tsc) return clock_;
  measure_counter(reading);
  find_leap(reading);
  if (leap_ns_ == 0) measure_rate(reading);
  catch_up(reading);
  last_ = reading;
  return clock_;
}

double ClockDiscipline::uncertainty_ns(const ClockReading& reading) const {
  return ns_per_tick_ * static_cast<double>(reading.uncertainty_ticks);
}

ClockDiscipline::Rate ClockDiscipline::rate_since(const ClockReading& earlier, const ClockReading& now) const {
  const double raw_ns = ns_per_tick_ * real_ticks(earlier, now);
  return {real_span_ns(earlier, now) / raw_ns - 1, (uncertainty_ns(earlier) + uncertainty_ns(now)) / raw_ns};
}

/// Over the whole run; anew from here where counter and RAW have parted, as they may when a virtual machine is stopped
/// or moved: what was measured until then stands until the next look.
void ClockDiscipline::measure_counter(const ClockReading& now) {
  const double uncertain_ns = uncertainty_ns(last_) + uncertainty_ns(now);
  const double expected_ns = ns_per_tick_ * raw_ticks(last_, now);
  if (std::abs(raw_span_ns(last_, now) - expected_ns) > kMostFollowed * expected_ns + uncertain_ns) {
    counter_from_ = now;
    return;
  }
  const double since_ns = raw_span_ns(counter_from_, now);
  if (uncertainty_ns(counter_from_) + uncertainty_ns(now) > kMostUncertain * since_ns) return;
  ns_per_tick_ = since_ns / raw_ticks(counter_from_, now);
}

void ClockDiscipline::find_leap(const ClockReading& now) {
  const double expected_ns = ns_per_tick_ * (1 + followed_) * real_ticks(last_, now);
  const auto leapt_ns = now.real_ns - last_.real_ns - std::llround(expected_ns);
  if (std::abs(leapt_ns) < kLeapNs) return;
  leap_ns_ = leapt_ns;
  unfollowed_ns_ += leapt_ns;
  if (std::abs(unfollowed_ns_) < kLeapNs) unfollowed_ns_ = 0;
  rate_from_ = now;
}

/// A rate that has surely changed is taken at once; one that has not, as it is over some seconds, which is more exact.
void ClockDiscipline::measure_rate(const ClockReading& now) {
  const Rate since_last = rate_since(last_, now);
  if (std::abs(since_last.is) > kMostFollowed + since_last.uncertain) {
    rate_from_ = now;  // it was set by less than a leap: the offset shows it
    return;
  }
  const auto changed = [this](const Rate& rate) {  // the rate that is followed was uncertain as well
    return rate.uncertain <= kMostUncertain && std::abs(rate.is - followed_) > 2 * rate.uncertain;
  };
  const Rate over_long = rate_since(rate_from_, now);
  const bool exact = over_long.uncertain <= kExact && ns_per_tick_ * real_ticks(rate_from_, now) >= kLongNs;
  if (!changed(since_last) && !changed(over_long) && !exact) return;
  followed_ = std::clamp((changed(since_last) ? since_last : over_long).is, -kMostFollowed, kMostFollowed);
  rate_from_ = now;
}

/// What of the offset the reading is certain of. All that is uncertain may be noise: half a microsecond at best, and
/// where somebody else had the core between the two halves of a reading, as long as that took.
void ClockDiscipline::catch_up(const ClockReading& now) {
  const std::int64_t ours_ns = clock_.epoch_ns(now.real_tsc);
  const double uncertain_ns = uncertainty_ns(now);
  const std::int64_t before_ns = offset_ns_;
  offset_ns_ = now.real_ns - unfollowed_ns_ - ours_ns;
  bound_ns_ = std::max(std::abs(before_ns), std::abs(offset_ns_)) + std::llround(std::ceil(uncertain_ns));
  const auto offset = static_cast<double>(offset_ns_);
  const double certain = std::copysign(std::max(std::abs(offset) - uncertain_ns, 0.0), offset);
  const double slew = std::clamp(certain / kCatchUpNs, -kMostSlew, kMostSlew);
  clock_ = TscClock::at(now.real_tsc, ours_ns, ns_per_tick_ * (1 + followed_) * (1 + slew));
}

}  // namespace crosswire
