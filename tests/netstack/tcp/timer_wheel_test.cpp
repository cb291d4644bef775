// The timing wheel against a sorted list of what is set.
#include "netstack/tcp/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "tests/seed.hpp"

namespace crosswire::tcp::timer_wheel_test {
namespace {

constexpr TimeNs kTick = TimeNs{1} << TimerWheel::kTickBits;
constexpr std::uint16_t kEntries = 64;

struct Wheel {
  Arena arena{TimerWheel::bytes_for(kEntries) + 4096, HugepagePolicy::off};
  TimerWheel wheel{arena, kEntries};
};

/// The wheel, and beside it who is set for when. Each expiry is held against that.
class Beside {
 public:
  explicit Beside(std::uint64_t seed) : random_(seed) {}

  void start_at(TimeNs now) {
    now_ = now;
    both_.wheel.start_at(now);
  }
  void set(std::uint16_t entry, TimeNs at) {
    both_.wheel.set(entry, at);
    due_[entry] = at;
    set_at_[entry] = now_;
  }
  void clear(std::uint16_t entry) {
    both_.wheel.clear(entry);
    due_.erase(entry);
  }
  /// `again`: every so manieth is set anew out of its own expiry, by so much.
  void advance(TimeNs to, unsigned again = 0, TimeNs by = 0) {
    TimeNs last = 0;
    now_ = to;
    both_.wheel.advance(to, [&](std::uint16_t entry) {
      ASSERT_TRUE(due_.count(entry) == 1) << "entry " << entry << " is not set";
      const TimeNs tick = tick_of(entry);
      EXPECT_LE(due_[entry], to) << "early";
      EXPECT_LE(last, tick) << "out of order";
      EXPECT_FALSE(both_.wheel.is_set(entry));
      last = tick;
      due_.erase(entry);
      ++expired_;
      if (again > 0 && random_() % again == 0) {
        // Out of an expiry the wheel stands at that tick: what is earlier than the next one comes at the next.
        due_[entry] = tick + by;
        set_at_[entry] = tick;
        both_.wheel.set(entry, tick + by);
      }
    });
    for (const auto& [entry, at] : due_) {
      EXPECT_TRUE(both_.wheel.is_set(entry));
      EXPECT_GT(tick_of(entry), to) << "entry " << entry << " is late";
    }
    const TimeNs earliest = both_.wheel.earliest(~TimeNs{0});
    for (const auto& [entry, at] : due_) EXPECT_LE(earliest, tick_of(entry));
    if (due_.empty()) {
      EXPECT_EQ(earliest, ~TimeNs{0});
    }
  }
  TimeNs now() const { return now_; }
  std::size_t expired() const { return expired_; }
  std::size_t set_now() const { return due_.size(); }
  std::mt19937_64& random() { return random_; }

 private:
  /// When it has to expire: at the first tick at or behind its time, but not in the tick in which it was set.
  TimeNs tick_of(std::uint16_t entry) const {
    const TimeNs at = (due_.at(entry) + kTick - 1) / kTick * kTick;
    const TimeNs soonest = (set_at_.at(entry) / kTick + 1) * kTick;
    return std::max(at, soonest);
  }

  Wheel both_;
  std::map<std::uint16_t, TimeNs> due_;
  std::map<std::uint16_t, TimeNs> set_at_;
  TimeNs now_ = 0;
  std::size_t expired_ = 0;
  std::mt19937_64 random_;
};

TEST(TimerWheel, ExpiresNothingEarlyAndNothingMoreThanATickLateWhateverIsSetAndCleared) {
  const std::uint64_t seed = test::seed();
  for (std::uint64_t run = 0; run < 40; ++run) {
    Beside beside(seed + run);
    std::mt19937_64& random = beside.random();
    if (run % 2 == 1) beside.start_at(random() >> 20);
    const TimeNs scale = TimeNs{1} << (14 + run % 24);  // from a tick to two minutes
    for (int step = 0; step < 400; ++step) {
      const auto entry = static_cast<std::uint16_t>(random() % kEntries);
      if (random() % 4 == 0) {
        beside.clear(entry);
      } else {
        beside.set(entry, beside.now() + random() % scale);
      }
      if (random() % 3 == 0) beside.advance(beside.now() + random() % (scale / 4), 3, random() % scale);
      if (testing::Test::HasFailure()) FAIL() << "run " << run;
    }
    EXPECT_GT(beside.expired(), 10u);
  }
}

TEST(TimerWheel, ALongJumpExpiresAllInOrder) {
  Beside beside(test::seed());
  beside.start_at(12'345'678'901);
  for (std::uint16_t entry = 0; entry < kEntries; ++entry) {
    beside.set(entry, beside.now() + (TimeNs{1} << (entry % 40)) + entry);
  }
  beside.advance(beside.now() + 3'600 * kNsPerSecond);
  EXPECT_EQ(beside.expired(), kEntries);
  EXPECT_EQ(beside.set_now(), 0u);
}

TEST(TimerWheel, WhatIsSetAgainCountsFromTheLastTimeOnly) {
  Wheel both;
  both.wheel.set(1, 10 * kTick);
  both.wheel.set(1, 5 * kTick);
  std::vector<std::uint16_t> expired;
  const auto note = [&](std::uint16_t entry) { expired.push_back(entry); };
  both.wheel.advance(5 * kTick, note);
  EXPECT_EQ(expired.size(), 1u);
  both.wheel.advance(20 * kTick, note);
  EXPECT_EQ(expired.size(), 1u);
  both.wheel.set(2, 21 * kTick);
  both.wheel.set(2, 100 * kTick);
  both.wheel.advance(99 * kTick, note);
  EXPECT_EQ(expired.size(), 1u);
  both.wheel.advance(100 * kTick, note);
  EXPECT_EQ(expired.size(), 2u);
}

TEST(TimerWheel, WhatIsSetOutOfAnExpiryForThePastComesAtTheNextTick) {
  Wheel both;
  both.wheel.set(3, kTick);
  unsigned times = 0;
  both.wheel.advance(10 * kTick, [&](std::uint16_t entry) {
    if (++times < 4) both.wheel.set(entry, 0);
  });
  EXPECT_EQ(times, 4u);
}

TEST(TimerWheel, WhatIsFurtherThanItReachesExpiresAtItsFurthestAndNotBefore) {
  constexpr TimeNs kFurthest = ((TimeNs{1} << 30) - 64) * kTick;
  for (const TimeNs start : {TimeNs{0}, 63 * kTick, ((TimeNs{1} << 24) - 1) * kTick, 987'654'321 * kTick}) {
    Wheel both;
    both.wheel.start_at(start);
    both.wheel.set(0, start + 3 * kFurthest);
    both.wheel.set(1, start + kFurthest);
    unsigned times = 0;
    const auto count = [&](std::uint16_t) { ++times; };
    both.wheel.advance(start + kFurthest - kTick, count);
    EXPECT_EQ(times, 0u) << start;
    both.wheel.advance(start + kFurthest, count);
    EXPECT_EQ(times, 2u) << start;
  }
}

TEST(TimerWheel, ClearingHeadMiddleAndTailOfOneSlotLeavesTheOthers) {
  for (std::uint16_t gone = 0; gone < 3; ++gone) {
    Wheel both;
    for (std::uint16_t entry = 0; entry < 3; ++entry) both.wheel.set(entry, 7 * kTick);
    both.wheel.clear(gone);
    both.wheel.clear(gone);  // twice is harmless
    std::vector<std::uint16_t> expired;
    both.wheel.advance(7 * kTick, [&](std::uint16_t entry) { expired.push_back(entry); });
    EXPECT_EQ(expired.size(), 2u);
    EXPECT_EQ(std::count(expired.begin(), expired.end(), gone), 0);
  }
}

}  // namespace
}  // namespace crosswire::tcp::timer_wheel_test
