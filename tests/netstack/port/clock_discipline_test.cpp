// The discipline of the live clock over hosts of our own making, in virtual time.
#include "netstack/port/clock_discipline.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "tests/seed.hpp"

namespace crosswire::clock_discipline_test {
namespace {

constexpr double kPpm = 1e-6;
constexpr double kSecond = 1e9;
constexpr double kLookEvery = 0.1 * kSecond;
constexpr std::int64_t kHour = 3'600'000'000'000;

/// A machine: its counter, what its kernel takes the counter's rate for, and a clock that is kept.
class Host {
 public:
  /// As `ppm` says runs RAW beside the true time, and so does REALTIME, but for the two rates below.
  explicit Host(double ghz = 2.9, double ppm = 12) : ticks_per_ns_(ghz), raw_rate_(1 + ppm * kPpm) {}

  double frequency = 0;  // of REALTIME beside RAW, as NTP keeps it
  double slew = 0;       // on top of it, as adjtime()

  void advance(double ns) {
    true_ns_ += ns;
    real_part_ns_ += ns * raw_rate_ * (1 + frequency + slew);
    const auto whole = static_cast<std::int64_t>(real_part_ns_);
    real_ns_ += whole;
    real_part_ns_ -= static_cast<double>(whole);
  }
  void set_clock_by(std::int64_t ns) { real_ns_ += ns; }
  /// As a virtual machine that is stopped: only the others go on.
  void stop_counter_for(double ns) {
    advance(ns);
    counter_lost_ns_ += ns;
  }

  std::uint64_t tsc() const {
    return kFirstTsc + static_cast<std::uint64_t>((true_ns_ - counter_lost_ns_) * ticks_per_ns_);
  }
  std::int64_t real_ns() const { return real_ns_; }
  double true_ns() const { return true_ns_; }
  std::int64_t raw_ns() const { return 77'000 + static_cast<std::int64_t>(true_ns_ * raw_rate_); }

  /// Off by `raw_error` and `real_error` of what the reading is uncertain by: -1 .. 1.
  ClockReading read(double uncertainty_ns = 50, double raw_error = 0, double real_error = 0) const {
    const double ticks = uncertainty_ns * ticks_per_ns_;
    const auto beside = [&](double error) {
      return tsc() + static_cast<std::uint64_t>(static_cast<std::int64_t>(error * ticks));
    };
    return {beside(raw_error), raw_ns(), beside(real_error), real_ns_, static_cast<std::uint64_t>(ticks) + 1};
  }

 private:
  static constexpr std::uint64_t kFirstTsc = 5'000'000'000'000;

  double ticks_per_ns_, raw_rate_;
  double true_ns_ = 0;
  double counter_lost_ns_ = 0;
  std::int64_t real_ns_ = 1'800'000'000'000'000'000;
  double real_part_ns_ = 0;
};

ClockDiscipline calibrated(Host& host) {
  const ClockReading first = host.read();
  host.advance(2 * kLookEvery);
  return {first, host.read()};
}

/// REALTIME ahead of ours, leaps that are not followed apart; of now.
std::int64_t offset_ns(const Host& host, const ClockDiscipline& discipline) {
  return host.real_ns() - discipline.unfollowed_ns() - discipline.clock().epoch_ns(host.tsc());
}

/// Looks every 100 ms for so long, and returns the largest offset that was met.
std::int64_t run(Host& host, ClockDiscipline& discipline, double seconds) {
  std::int64_t largest = 0;
  for (double ns = 0; ns < seconds * kSecond; ns += kLookEvery) {
    host.advance(kLookEvery);
    largest = std::max(largest, std::abs(offset_ns(host, discipline)));
    discipline.look(host.read());
  }
  return largest;
}

TEST(ClockDiscipline, StartedInASlewOf500PpmIsWithinItsBoundAndStays) {
  for (const double slew : {500 * kPpm, -500 * kPpm}) {
    Host host;
    host.slew = slew;
    ClockDiscipline discipline = calibrated(host);
    host.advance(3 * kSecond);  // the process starts: nobody looks
    EXPECT_LT(std::abs(offset_ns(host, discipline)), ClockDiscipline::kBoundNs);
    EXPECT_LT(run(host, discipline, 3'600), ClockDiscipline::kBoundNs);
    EXPECT_LT(run(host, discipline, 10), 1'000) << "steady";
  }
}

TEST(ClockDiscipline, CatchesUpWithinSecondsWhereTheCalibrationWasOff) {
  Host host;
  const ClockReading first = host.read();
  host.advance(2 * kLookEvery);
  host.set_clock_by(1'000'000);  // spoils the rate of REALTIME
  host.slew = 500 * kPpm;
  ClockDiscipline discipline(first, host.read());
  host.advance(2 * kSecond);
  EXPECT_GT(std::abs(offset_ns(host, discipline)), 900'000);
  run(host, discipline, 4);
  EXPECT_LT(run(host, discipline, 3'600), ClockDiscipline::kBoundNs);
}

TEST(ClockDiscipline, KeepsItsBoundWhenASlewBeginsAndEnds) {
  Host host;
  ClockDiscipline discipline = calibrated(host);
  run(host, discipline, 10);
  for (const double slew : {500 * kPpm, 0.0, -500 * kPpm, 0.0}) {
    host.advance(kLookEvery / 3);
    discipline.look(host.read());
    host.slew = slew;
    EXPECT_LT(run(host, discipline, 60), 60'000) << slew;
  }
}

TEST(ClockDiscipline, SlewsASmallStepAwayAtAtMost500Ppm) {
  for (const std::int64_t step_ns : {900'000'000, -900'000'000, 1'000'000, -1'000'000}) {
    Host host;
    ClockDiscipline discipline = calibrated(host);
    run(host, discipline, 10);
    host.set_clock_by(step_ns);
    for (double left = static_cast<double>(std::abs(step_ns)) / (500 * kPpm * kLookEvery) + 20; left > 0; --left) {
      const std::int64_t ours_before = discipline.clock().epoch_ns(host.tsc());
      const std::int64_t real_before = host.real_ns();
      host.advance(kLookEvery);
      const auto ours = static_cast<double>(discipline.clock().epoch_ns(host.tsc()) - ours_before);
      const auto real = static_cast<double>(host.real_ns() - real_before);
      EXPECT_LT(std::abs(ours / real - 1), 502 * kPpm);
      discipline.look(host.read());
      EXPECT_EQ(discipline.leap_ns(), 0);
    }
    EXPECT_LT(run(host, discipline, 10), 1'000) << step_ns;
  }
}

TEST(ClockDiscipline, TakesWhatLooksLikeASlewForOneAndDoesNotSwing) {
  for (const std::int64_t step_ns : {99'000, -99'000, 20'000, -20'000}) {
    Host host;
    ClockDiscipline discipline = calibrated(host);
    run(host, discipline, 10);
    host.set_clock_by(step_ns);
    EXPECT_LT(run(host, discipline, 1), ClockDiscipline::kBoundNs);
    run(host, discipline, 1);
    EXPECT_LT(run(host, discipline, 10), 1'000) << step_ns;
  }
}

TEST(ClockDiscipline, DoesNotFollowALeapAndTellsItOnce) {
  for (const std::int64_t leap_ns : {kHour, -kHour, std::int64_t{1'100'000'000}, std::int64_t{-1'100'000'000}}) {
    Host host;
    ClockDiscipline discipline = calibrated(host);
    run(host, discipline, 10);
    host.advance(kLookEvery);
    host.set_clock_by(leap_ns);
    discipline.look(host.read());
    EXPECT_NEAR(static_cast<double>(discipline.leap_ns()), static_cast<double>(leap_ns), 1'000);
    EXPECT_NEAR(static_cast<double>(discipline.unfollowed_ns()), static_cast<double>(leap_ns), 1'000);
    EXPECT_LT(run(host, discipline, 60), 1'000);
    EXPECT_EQ(discipline.leap_ns(), 0);
    // Back again, but for a remainder, which is slewed away.
    host.set_clock_by(10'000'000 - leap_ns);
    host.advance(kLookEvery);
    discipline.look(host.read());
    EXPECT_NEAR(static_cast<double>(discipline.leap_ns()), static_cast<double>(10'000'000 - leap_ns), 1'000);
    EXPECT_EQ(discipline.unfollowed_ns(), 0);
    EXPECT_NEAR(static_cast<double>(discipline.offset_ns()), 10e6, 1'000);
    run(host, discipline, 21);
    EXPECT_LT(run(host, discipline, 10), 1'000);
  }
}

TEST(ClockDiscipline, IsWithinItsBoundAfterNobodyLookedForTenSeconds) {
  Host host;
  host.frequency = 40 * kPpm;
  host.slew = 500 * kPpm;
  ClockDiscipline discipline = calibrated(host);
  run(host, discipline, 10);
  for (int i = 0; i < 10; ++i) {
    host.advance(10 * kSecond);
    EXPECT_LT(std::abs(offset_ns(host, discipline)), 10'000);
    discipline.look(host.read());
    EXPECT_GE(discipline.bound_ns(), std::abs(discipline.offset_ns()));
    run(host, discipline, 3);
  }
  // A slew that begins meanwhile is an offset, which is told and caught up with.
  host.slew = 0;
  host.advance(10 * kSecond);
  discipline.look(host.read());
  EXPECT_NEAR(static_cast<double>(discipline.offset_ns()), -5e6, 10'000);
  EXPECT_GE(discipline.bound_ns(), 5'000'000 - 10'000);
  run(host, discipline, 13);
  EXPECT_LT(run(host, discipline, 10), 1'000);
}

TEST(ClockDiscipline, IsNotJerkedByAReadingThatSomebodyCameBetween) {
  for (const double error : {1.0, -1.0}) {
    Host host;
    ClockDiscipline discipline = calibrated(host);
    run(host, discipline, 10);
    for (int i = 0; i < 100; ++i) {
      host.advance(kLookEvery);
      const bool wide = i % 3 == 0;
      discipline.look(host.read(wide ? 80'000 : 50, wide ? -error : 0, wide ? error : 0));
      EXPECT_LT(std::abs(offset_ns(host, discipline)), 1'000) << i;
    }
  }
}

TEST(ClockDiscipline, GoesOnWhereAVirtualMachineStoodStill) {
  Host host;
  ClockDiscipline discipline = calibrated(host);
  run(host, discipline, 2);
  host.stop_counter_for(10 * kSecond);
  host.advance(kLookEvery);
  discipline.look(host.read());
  EXPECT_NEAR(static_cast<double>(discipline.leap_ns()), 10e9, 200'000);
  EXPECT_LT(run(host, discipline, 600), 1'000);
}

TEST(ClockDiscipline, PassesOverAReadingFromBeforeTheLast) {
  Host host;
  ClockDiscipline discipline = calibrated(host);
  host.advance(kLookEvery);
  const ClockReading reading = host.read();
  discipline.look(reading);
  const std::int64_t bound_ns = discipline.bound_ns();
  discipline.look(reading);
  EXPECT_EQ(discipline.bound_ns(), bound_ns);
  EXPECT_LT(run(host, discipline, 10), 1'000);
}

/// A week on a host whose clock is kept badly, with readings that are uncertain and looks that come late.
class Week {
 public:
  explicit Week(std::uint64_t seed) : random_(seed), discipline_(calibrated(host_)) {}

  void run() {
    constexpr double kDay = 86'400 * kSecond;
    while (host_.true_ns() < 7 * kDay && !testing::Test::HasFatalFailure()) {
      if (leaps_ < kLeaps.size() && host_.true_ns() > static_cast<double>(leaps_ + 1) * kDay) leap(kLeaps[leaps_++]);
      const bool late = chance(kLookEvery / (1'200 * kSecond));
      const double interval = late ? between(0.15, 10) * kSecond : kLookEvery * between(0.95, 1.3);
      const double before = interval * uniform();
      const double begun_ns = host_.true_ns();
      const bool catching_up = excused();  // which goes on until somebody looks
      host_.advance(before);
      something_happens(interval);
      host_.advance(interval - before);
      if (changed_ns_ > begun_ns) changed_ns_ = host_.true_ns();  // nobody knows it before the look
      if (late && (host_.true_ns() - changed_ns_ < interval + 2 * kSecond || catching_up)) {
        excuse(interval + 3 * kSecond);
      }
      look(interval);
    }
  }

  std::uint64_t looks() const { return looks_; }
  std::uint64_t judged() const { return judged_; }
  std::uint64_t leaps_told() const { return leaps_told_; }
  std::int64_t largest_ns() const { return largest_ns_; }
  static std::size_t leaps() { return kLeaps.size(); }

 private:
  static constexpr std::array<std::int64_t, 4> kLeaps = {kHour, -kHour + 300'000'000, -kHour, kHour};

  double uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  double between(double low, double high) { return low + (high - low) * uniform(); }
  bool chance(double of) { return uniform() < of; }
  bool excused() const { return host_.true_ns() < excused_until_ns_; }
  /// The bound is not for what CLOCK_REALTIME was set by, until that is slewed away.
  void excuse(double ns) { excused_until_ns_ = std::max(excused_until_ns_, host_.true_ns()) + ns; }
  void set_clock_by(std::int64_t ns) {
    host_.set_clock_by(ns);
    changed_ns_ = host_.true_ns();
    excuse(static_cast<double>(std::abs(ns)) / (430 * kPpm) + 3 * kSecond);
  }

  void leap(std::int64_t ns) {
    host_.set_clock_by(ns);
    leapt_ns_ += ns;
    changed_ns_ = host_.true_ns();
    if (std::abs(leapt_ns_) >= ClockDiscipline::kLeapNs) return;
    excuse(static_cast<double>(std::abs(leapt_ns_)) / (430 * kPpm) + 3 * kSecond);  // what is left is followed
    leapt_ns_ = 0;
  }

  void something_happens(double interval) {
    const double seconds = interval / kSecond;
    if (chance(seconds / 16))
      host_.frequency = std::clamp(host_.frequency + between(-0.3, 0.3) * kPpm, -80 * kPpm, 80 * kPpm);
    if (chance(seconds / (host_.slew == 0 ? 1'800 : 200))) {
      host_.slew = host_.slew != 0 ? 0 : chance(0.5) ? 500 * kPpm : -500 * kPpm;
      changed_ns_ = host_.true_ns();
    }
    if (chance(seconds / 14'400) && host_.true_ns() - changed_ns_ > 30 * kSecond) {
      const auto step_ns = static_cast<std::int64_t>(1e5 * std::pow(9'000, uniform()));
      set_clock_by(chance(0.5) ? step_ns : -step_ns);
    }
  }

  double uncertainty_ns() {
    const double which = uniform();
    return which < 0.001 ? between(10'000, 200'000) : which < 0.02 ? between(300, 5'000) : between(30, 300);
  }

  void look(double interval) {
    const double uncertain_ns = uncertainty_ns();
    // While a slew begins, a reading that says little is as good as none.
    if (uncertain_ns > 2'000 && host_.true_ns() - changed_ns_ < kSecond) excuse(3 * kSecond);
    const std::int64_t off_ns = std::abs(offset_ns(host_, discipline_));
    const bool leaps_now = off_ns >= ClockDiscipline::kLeapNs && leaps_told_ < leaps_;
    const ClockReading reading = host_.read(uncertain_ns, between(-1, 1), between(-1, 1));
    const TscClock before = discipline_.clock();
    discipline_.look(reading);
    ++looks_;
    leaps_told_ += discipline_.leap_ns() != 0 ? 1 : 0;
    check_time(before, reading, interval);
    if (leaps_now) return;
    ASSERT_LE(off_ns, discipline_.bound_ns() + static_cast<std::int64_t>(uncertain_ns) + 2);
    if (excused()) return;
    ++judged_;
    largest_ns_ = std::max(largest_ns_, off_ns);
    ASSERT_LT(off_ns, ClockDiscipline::kBoundNs) << "after " << host_.true_ns() / kSecond << " s";
  }

  void check_time(const TscClock& before, const ClockReading& reading, double interval) {
    const TscClock& now = discipline_.clock();
    ASSERT_LE(std::abs(now.epoch_ns(reading.real_tsc) - before.epoch_ns(reading.real_tsc)), 1) << "a step";
    const std::int64_t ours_ns = before.epoch_ns(host_.tsc());
    ASSERT_GT(ours_ns, last_ours_ns_) << "a fall";
    const std::int64_t real_ns = host_.real_ns();
    // The rates are compared where CLOCK_REALTIME's was the same for some looks.
    if (looks_ > 1 && host_.true_ns() - changed_ns_ > kSecond + 2 * interval && last_uncertain_ < 5'000) {
      const double ratio = static_cast<double>(ours_ns - last_ours_ns_) / static_cast<double>(real_ns - last_real_ns_);
      ASSERT_LT(std::abs(ratio - 1), 560 * kPpm) << "after " << host_.true_ns() / kSecond << " s";
    }
    const double to_raw =
        static_cast<double>(now.epoch_ns(reading.raw_tsc + 2'900'000'000) - now.epoch_ns(reading.raw_tsc)) / kSecond;
    ASSERT_LT(std::abs(to_raw - 1), 1'600 * kPpm);
    ASSERT_LT(std::abs(discipline_.unfollowed_ns() - leapt_ns_), 1'000'000);
    last_ours_ns_ = ours_ns;
    last_real_ns_ = real_ns;
    last_uncertain_ = static_cast<double>(reading.uncertainty_ticks) / 2.9;
  }

  std::mt19937_64 random_;
  Host host_;
  ClockDiscipline discipline_;
  std::size_t leaps_ = 0;
  std::int64_t leapt_ns_ = 0;
  double changed_ns_ = -1e12;
  double excused_until_ns_ = 0;
  std::int64_t last_ours_ns_ = 0, last_real_ns_ = 0;
  double last_uncertain_ = 0;
  std::uint64_t looks_ = 0, judged_ = 0, leaps_told_ = 0;
  std::int64_t largest_ns_ = 0;
};

TEST(ClockDiscipline, KeepsItsBoundOverAWeekOfABadlyKeptClock) {
  const std::uint64_t seed = test::seed();
  Week week(seed);
  week.run();
  EXPECT_GT(week.looks(), 5'000'000u);
  EXPECT_GT(week.judged(), week.looks() / 2);
  EXPECT_EQ(week.leaps_told(), Week::leaps());
  std::printf("%llu looks, %llu judged, within %lld ns\n", static_cast<unsigned long long>(week.looks()),
              static_cast<unsigned long long>(week.judged()), static_cast<long long>(week.largest_ns()));
}

}  // namespace
}  // namespace crosswire::clock_discipline_test
