// What befalls frames on a bad link: each impairment by itself, exactly or within bounds, and that seeds decide.
#include "netstack/port/impairments.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bitset>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "netstack/common/limits.hpp"

namespace crosswire::impairments_test {
namespace {

using Count = ImpairmentCounter;
constexpr std::uint64_t kSeed = 7;  // fixed: what is drawn by lot is the same each time
constexpr TimeNs kMs = 1'000'000;
constexpr std::uint64_t kMany = 100'000;

/// 'x' for each frame that is lost, else how many copies of it there are.
std::string fates(const ImpairmentConfig& config, std::uint64_t frames, std::uint64_t seed = kSeed) {
  Impairments impairments(config, seed);
  std::string text;
  for (std::uint64_t i = 0; i < frames; ++i) {
    const std::size_t copies = impairments.next(i * kMs, 100).count;
    text += copies == 0 ? 'x' : static_cast<char>('0' + copies);
  }
  return text;
}

std::uint64_t count_of(const std::string& text, char what) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), what));
}

TEST(Impairments, DoNothingWhereNoneIsConfigured) {
  EXPECT_FALSE(ImpairmentConfig{}.any());
  Impairments impairments({}, kSeed);
  for (TimeNs now = 0; now < 1'000; ++now) {
    const Impairments::Fate fate = impairments.next(now, static_cast<std::uint32_t>(2 * now));
    ASSERT_EQ(fate.count, 1u);
    EXPECT_EQ(fate.copies[0].leaves_ns, now);
    EXPECT_EQ(fate.copies[0].overtakers, 0u);
    EXPECT_EQ(fate.flips, 0u);
  }
  for (const auto& row : kImpairmentCounters) {
    EXPECT_EQ(impairments.counters().get(row.counter), row.counter == Count::frames ? 1'000u : 0u) << row.label;
  }
}

TEST(Impairments, LoseFramesByChance) {
  EXPECT_EQ(count_of(fates({.loss = 1}, 1'000), 'x'), 1'000u);
  for (const double loss : {0.001, 0.01, 0.2, 0.9}) {
    Impairments impairments({.loss = loss}, kSeed);
    std::uint64_t lost = 0;
    for (std::uint64_t i = 0; i < kMany; ++i) lost += impairments.next(i, 60).count == 0 ? 1 : 0;
    EXPECT_NEAR(static_cast<double>(lost), loss * kMany, 5 * std::sqrt(kMany * loss * (1 - loss))) << loss;
    EXPECT_EQ(impairments.counters().get(Count::lost), lost);
  }
}

TEST(Impairments, LoseJustTheFramesThatAreListed) {
  EXPECT_EQ(fates({.lose_frames = {1, 3, 4, 10, 1'000}}, 11), "x1xx11111x1");
  EXPECT_EQ(fates({.lose_frames = {2}, .duplicate = 1}, 4), "2x22");
  Impairments impairments({.loss = 1, .lose_frames = {2, 3}}, kSeed);
  for (int i = 0; i < 5; ++i) impairments.next(0, 60);
  EXPECT_EQ(impairments.counters().get(Count::lost_by_number), 2u);
  EXPECT_EQ(impairments.counters().get(Count::lost), 3u);  // each is counted once
}

TEST(Impairments, LoseInBurstsOfTheirMeanLength) {
  for (const std::uint32_t mean : {1u, 4u, 20u}) {
    const std::string text = fates({.burst_loss = 0.01, .burst_frames = mean}, kMany);
    std::uint64_t bursts = 0;
    for (std::size_t i = 0; i < text.size(); ++i) bursts += text[i] == 'x' && (i == 0 || text[i - 1] != 'x') ? 1 : 0;
    const double lost = static_cast<double>(count_of(text, 'x'));
    EXPECT_NEAR(lost / static_cast<double>(bursts), mean, 0.1 * mean);
    EXPECT_NEAR(static_cast<double>(bursts), 0.01 * (kMany - lost), 100);  // each begins with a frame in good times
  }
}

TEST(Impairments, Duplicate) {
  EXPECT_EQ(fates({.duplicate = 1}, 5), "22222");
  EXPECT_NEAR(static_cast<double>(count_of(fates({.duplicate = 0.1}, kMany), '2')), 0.1 * kMany, 500);
}

TEST(Impairments, FlipSoManyBitsOfAFrameAndNoneTwice) {
  for (const std::uint32_t bits : {1u, 3u, 64u}) {
    for (const std::uint32_t length : {0u, 1u, 14u, static_cast<std::uint32_t>(kMaxFrame)}) {
      Impairments impairments({.corrupt = 1, .corrupt_bits = bits}, kSeed);
      const std::vector<std::uint8_t> whole(length, 0xA5);
      std::vector<std::uint8_t> frame = whole;
      Impairments::flip(impairments.next(0, length), frame);
      std::size_t differ = 0;
      for (std::size_t i = 0; i < length; ++i) {
        differ += std::bitset<8>(static_cast<unsigned>(frame[i] ^ whole[i])).count();
      }
      EXPECT_EQ(differ, std::min(bits, 8 * length)) << bits << " of " << length;
      EXPECT_EQ(impairments.counters().get(Count::corrupted), length == 0 ? 0u : 1u);
    }
  }
}

TEST(Impairments, FlipEveryBitAsLikely) {
  Impairments impairments({.corrupt = 1, .corrupt_bits = 2}, kSeed);
  std::vector<std::uint64_t> flipped(32);
  for (std::uint64_t i = 0; i < kMany; ++i) {
    const Impairments::Fate fate = impairments.next(0, 4);
    for (std::size_t bit = 0; bit < fate.flips; ++bit) ++flipped[fate.flipped[bit]];
  }
  for (const std::uint64_t times : flipped) EXPECT_NEAR(static_cast<double>(times), 2.0 * kMany / 32, 400);
}

TEST(Impairments, DelayEachFrameAndJitterItWithinItsBounds) {
  Impairments steady({.delay_ns = 5 * kMs}, kSeed);
  EXPECT_EQ(steady.next(kMs, 60).copies[0].leaves_ns, 6 * kMs);
  EXPECT_EQ(steady.counters().get(Count::delayed), 1u);
  Impairments jittery({.duplicate = 1, .delay_ns = 5 * kMs, .jitter_ns = 3}, kSeed);
  std::set<TimeNs> seen;
  bool copies_differ = false;
  for (int i = 0; i < 1'000; ++i) {
    const Impairments::Fate fate = jittery.next(kMs, 60);
    seen.insert({fate.copies[0].leaves_ns, fate.copies[1].leaves_ns});
    copies_differ |= fate.copies[0].leaves_ns != fate.copies[1].leaves_ns;
  }
  EXPECT_EQ(seen, (std::set<TimeNs>{6 * kMs, 6 * kMs + 1, 6 * kMs + 2, 6 * kMs + 3}));
  EXPECT_TRUE(copies_differ);
}

TEST(Impairments, SendAtTheRateAndLoseWhatItsQueueHasNoRoomFor) {
  // A frame of 1000 bytes takes a millisecond; three may be in the queue, the one under way included.
  Impairments impairments({.rate_bits_per_s = 8'000'000, .queue_bytes = 3'000}, kSeed);
  std::vector<TimeNs> left;
  const auto send = [&](TimeNs now, std::uint32_t length) {
    const Impairments::Fate fate = impairments.next(now, length);
    if (fate.count == 1) left.push_back(fate.copies[0].leaves_ns);
  };
  for (int i = 0; i < 5; ++i) send(kMs, 1'000);
  EXPECT_EQ(left, (std::vector<TimeNs>{2 * kMs, 3 * kMs, 4 * kMs}));
  EXPECT_EQ(impairments.counters().get(Count::queue_full), 2u);
  send(2 * kMs, 1'000);  // one has gone
  send(2 * kMs, 1'000);
  send(9 * kMs, 0);  // an idle link
  send(9 * kMs, 500);
  EXPECT_EQ(left, (std::vector<TimeNs>{2 * kMs, 3 * kMs, 4 * kMs, 5 * kMs, 9 * kMs, 9 * kMs + kMs / 2}));
  EXPECT_EQ(impairments.counters().get(Count::queue_full), 3u);
}

TEST(Impairments, KeepTheRateWithTheLargestQueueAndFrames) {
  constexpr std::uint32_t kMost = ImpairmentConfig::kMostQueueBytes;
  for (const std::uint64_t rate : {std::uint64_t{1'000}, std::uint64_t{400'000'000'000}}) {
    Impairments impairments({.rate_bits_per_s = rate, .queue_bytes = kMost}, kSeed);
    const std::uint32_t length = kMost / 4 - 1'000;
    const TimeNs each_ns = (std::uint64_t{length} * 8 * kNsPerSecond + rate - 1) / rate;
    for (std::uint64_t i = 1; i <= 4; ++i) {
      const Impairments::Fate fate = impairments.next(kMs, length);
      ASSERT_EQ(fate.count, 1u) << rate;
      EXPECT_EQ(fate.copies[0].leaves_ns, kMs + i * each_ns);
    }
    EXPECT_EQ(impairments.next(kMs, 5'000).count, 0u);
    EXPECT_EQ(impairments.next(kMs, UINT32_MAX).count, 0u);
  }
}

TEST(Impairments, AreTheSameForOneSeedAndOthersForAnother) {
  const ImpairmentConfig config{
      .loss = 0.1, .burst_loss = 0.01, .duplicate = 0.1, .corrupt = 0.1, .reorder = 0.1, .jitter_ns = kMs};
  const auto all = [&config](std::uint64_t seed) {
    Impairments impairments(config, seed);
    std::vector<std::uint64_t> numbers;
    for (TimeNs now = 0; now < 1'000; ++now) {
      const Impairments::Fate fate = impairments.next(now * kMs, 100);
      numbers.insert(numbers.end(), {fate.count, fate.flips, fate.flipped[0], fate.copies[0].leaves_ns,
                                     fate.copies[0].overtakers, fate.copies[1].leaves_ns});
    }
    return numbers;
  };
  EXPECT_EQ(all(1), all(1));
  std::set<std::vector<std::uint64_t>> seen;
  for (std::uint64_t seed = 0; seed < 20; ++seed) EXPECT_TRUE(seen.insert(all(seed)).second) << seed;
  for (std::uint32_t link = 0; link < 20; ++link) EXPECT_TRUE(seen.insert(all(seed_of(1, link))).second) << link;
}

/// Else one could not tell which of them a fault needs.
TEST(Impairments, ChangeNothingOfEachOther) {
  std::string lost = fates({.loss = 0.2}, 1'000);
  std::string with_others =
      fates({.loss = 0.2, .duplicate = 0.3, .corrupt = 0.5, .reorder = 0.5, .jitter_ns = 5}, 1'000);
  std::replace(with_others.begin(), with_others.end(), '2', '1');
  EXPECT_EQ(with_others, lost);
}

}  // namespace
}  // namespace crosswire::impairments_test
