// A bad link in one direction: in which order and when frames leave it, and that it loses none but by name.
#include "netstack/port/impaired_line.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "port_testing.hpp"
#include "tests/seed.hpp"

namespace crosswire::impaired_line_test {
namespace {

using Count = ImpairmentCounter;
constexpr TimeNs kMs = 1'000'000;

void put(ImpairedLine& line, TimeNs now_ns, std::uint32_t number) {
  const FrameBytes frame = numbered_frame(number);
  line.put(now_ns, {frame.data(), static_cast<std::uint32_t>(frame.size())});
}

struct Left {
  std::uint32_t number;
  TimeNs at_ns;
  bool operator==(const Left&) const = default;
};

/// What leaves up to `until_ns`.
std::vector<Left> leave(ImpairedLine& line, TimeNs until_ns) {
  std::vector<Left> left;
  for (auto next = line.next_ns(); next && *next <= until_ns; next = line.next_ns()) {
    const ImpairedLine::Leaving leaving = line.take();
    EXPECT_EQ(leaving.at_ns, *next);
    EXPECT_TRUE(left.empty() || left.back().at_ns <= leaving.at_ns);
    left.push_back({number_of(leaving.frame.data), leaving.at_ns});
    line.give_back(leaving.buffer);
  }
  return left;
}

std::vector<std::uint32_t> numbers(const std::vector<Left>& left) {
  std::vector<std::uint32_t> numbers;
  for (const Left& frame : left) numbers.push_back(frame.number);
  return numbers;
}

TEST(ImpairedLine, HandsFramesOnAtOnceAndInOrderWithoutImpairments) {
  ImpairedLine line({}, 1, ImpairedLine::kLeastBuffers);
  for (std::uint32_t i = 1; i <= 10; ++i) put(line, kMs, i);
  EXPECT_EQ(numbers(leave(line, kMs)), (std::vector<std::uint32_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_TRUE(line.empty());
}

/// Seeds of which the first of so many frames is reordered and no other.
std::uint64_t seed_that_reorders_the_first_alone(const ImpairmentConfig& config, int frames) {
  for (std::uint64_t seed = 0;; ++seed) {
    Impairments impairments(config, seed);
    bool first_alone = impairments.next(0, 60).copies[0].overtakers > 0;
    for (int i = 1; i < frames; ++i) first_alone &= impairments.next(0, 60).copies[0].overtakers == 0;
    if (first_alone) return seed;
  }
}

TEST(ImpairedLine, HoldsAReorderedFrameBackUntilSoManyLaterOnesHaveLeft) {
  const ImpairmentConfig config{.reorder = 0.2, .reorder_by = 3};
  const std::uint64_t seed = seed_that_reorders_the_first_alone(config, 6);
  ImpairedLine line(config, seed, ImpairedLine::kLeastBuffers);
  for (std::uint32_t i = 1; i <= 6; ++i) put(line, i, i);
  EXPECT_EQ(leave(line, 10), (std::vector<Left>{{2, 2}, {3, 3}, {4, 4}, {1, 4}, {5, 5}, {6, 6}}));
  EXPECT_EQ(line.counters().get(Count::reordered), 1u);
}

TEST(ImpairedLine, LetsAReorderedFrameGoWhereNoLaterOnesCome) {
  const ImpairmentConfig config{.reorder = 0.2, .reorder_by = 3, .reorder_wait_ns = kMs};
  const std::uint64_t seed = seed_that_reorders_the_first_alone(config, 3);
  ImpairedLine line(config, seed, ImpairedLine::kLeastBuffers);
  put(line, 5, 1);
  EXPECT_EQ(leave(line, kMs + 4), std::vector<Left>{});
  EXPECT_EQ(leave(line, kMs + 5), (std::vector<Left>{{1, kMs + 5}}));
  EXPECT_EQ(line.counters().get(Count::reordered), 0u);  // nothing has passed it

  ImpairedLine other(config, seed, ImpairedLine::kLeastBuffers);
  for (std::uint32_t i = 1; i <= 3; ++i) put(other, i, i);
  EXPECT_EQ(leave(other, 2 * kMs), (std::vector<Left>{{2, 2}, {3, 3}, {1, kMs + 1}}));
  EXPECT_EQ(other.counters().get(Count::reordered), 1u);
}

TEST(ImpairedLine, LetsFramesOvertakeByJitter) {
  ImpairedLine line({.delay_ns = 10, .jitter_ns = 1'000}, 1, 256);
  for (std::uint32_t i = 1; i <= 200; ++i) put(line, i, i);
  const std::vector<Left> left = leave(line, 5'000);
  ASSERT_EQ(left.size(), 200u);
  EXPECT_FALSE(std::is_sorted(left.begin(), left.end(), [](auto& a, auto& b) { return a.number < b.number; }));
  for (const Left& frame : left) {
    EXPECT_GE(frame.at_ns, frame.number + 10);
    EXPECT_LE(frame.at_ns, frame.number + 1'010);
  }
}

TEST(ImpairedLine, LetsGoOfAllInTheOrderInWhichTheyWouldHaveLeft) {
  const ImpairmentConfig config{.reorder = 0.3, .reorder_by = 1'000, .delay_ns = kMs, .jitter_ns = kMs};
  ImpairedLine line(config, 1, 64);
  ImpairedLine other(config, 1, 64);
  for (std::uint32_t i = 1; i <= 50; ++i) {
    put(line, i, i);
    put(other, i, i);
  }
  const std::vector<Left> early = leave(line, kMs + kMs / 2);
  ASSERT_FALSE(early.empty());
  line.let_go(kMs + kMs / 2);
  const std::vector<Left> rest = leave(line, kMs + kMs / 2);
  std::vector<std::uint32_t> all = numbers(early);
  for (const Left& frame : rest) {
    EXPECT_EQ(frame.at_ns, kMs + kMs / 2);
    all.push_back(frame.number);
  }
  EXPECT_TRUE(line.empty());
  EXPECT_EQ(all, numbers(leave(other, 1'000 * kMs)));
  EXPECT_EQ(line.counters().get(Count::let_go_early), rest.size());
}

TEST(ImpairedLine, LosesWhatItHasNoBufferForAndCountsIt) {
  ImpairedLine line({.delay_ns = kMs}, 1, ImpairedLine::kLeastBuffers);
  for (std::uint32_t i = 1; i <= ImpairedLine::kLeastBuffers + 3; ++i) put(line, 0, i);
  EXPECT_EQ(line.counters().get(Count::no_buffer), 3u);
  EXPECT_EQ(leave(line, kMs).size(), ImpairedLine::kLeastBuffers);
  put(line, kMs, 1);  // they are free again
  EXPECT_EQ(leave(line, 2 * kMs).size(), 1u);
  const FrameBytes longer(kMaxFrame + 1);
  line.put(3 * kMs, {longer.data(), kMaxFrame + 1});
  EXPECT_TRUE(line.empty());
  EXPECT_EQ(line.counters().get(Count::no_buffer), 4u);
}

TEST(ImpairedLine, KeepsWhatTheDeviceSaysOfChecksumsButForCorruptedFrames) {
  const FrameBytes frame = numbered_frame(1);
  for (const double corrupt : {0.0, 1.0}) {
    ImpairedLine line({.corrupt = corrupt}, 1, ImpairedLine::kLeastBuffers);
    line.put(0, {frame.data(), static_cast<std::uint32_t>(frame.size()), {true, true}});
    const ImpairedLine::Leaving leaving = line.take();
    EXPECT_EQ(leaving.frame.checked.ip, corrupt == 0.0);
    EXPECT_EQ(leaving.frame.checked.udp, corrupt == 0.0);
    EXPECT_EQ(bytes_of(leaving.frame) == frame, corrupt == 0.0);
  }
}

TEST(ImpairedLine, LosesNothingUnnamedWhateverBefallsFramesOfAnySize) {
  std::mt19937_64 random(test::seed());
  const auto chance = [&random] { return random() % 3 == 0 ? 0.0 : static_cast<double>(random() % 21) / 100; };
  for (int round = 0; round < 200; ++round) {
    ImpairmentConfig config{
        .loss = chance(), .burst_loss = chance(), .duplicate = chance(), .corrupt = chance(), .reorder = chance()};
    config.reorder_by = 1 + static_cast<std::uint32_t>(random() % 10);
    config.corrupt_bits = 1 + static_cast<std::uint32_t>(random() % ImpairmentConfig::kMostCorruptBits);
    config.delay_ns = random() % 2 * (random() % kMs);
    config.jitter_ns = random() % 2 * (random() % kMs);
    config.rate_bits_per_s = random() % 2 * (1'000'000 + random() % 1'000'000'000);
    ImpairedLine line(config, random(), ImpairedLine::kLeastBuffers + random() % 100);
    std::uint64_t left = 0;
    TimeNs now = kOpen;
    FrameBytes frame(kMaxFrame);
    for (int i = 0; i < 2'000; ++i) {
      const std::size_t sizes[] = {0, 1, kMinFrame, kMaxFrame, random() % (kMaxFrame + 1)};
      line.put(now, {frame.data(), static_cast<std::uint32_t>(sizes[random() % 5])});
      now += random() % 20'000;
      while (line.next_ns().value_or(now + 1) <= now) {
        line.give_back(line.take().buffer);
        ++left;
      }
    }
    line.let_go(now);
    for (; !line.empty(); ++left) line.give_back(line.take().buffer);
    const auto count = [&line](Count counter) { return line.counters().get(counter); };
    EXPECT_EQ(count(Count::frames) + count(Count::duplicated), left + count(Count::lost) + count(Count::lost_in_burst) +
                                                                   count(Count::queue_full) + count(Count::no_buffer));
  }
}

}  // namespace
}  // namespace crosswire::impaired_line_test
