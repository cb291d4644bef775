// Numbers that nobody may foresee: cookies are known again for a while and only where they belong, initial sequence
// numbers grow.
#include "netstack/tcp/numbers.hpp"

#include <gtest/gtest.h>

#include <random>

#include "netstack/tcp/connection_table.hpp"
#include "netstack/tcp/sequence.hpp"
#include "tests/seed.hpp"

namespace crosswire::tcp::numbers_test {
namespace {

constexpr std::uint64_t kKey = 0x0A63'0002'9C40'0007;
constexpr TimeNs kSlot = TimeNs{1} << 36;  // 68.7 s
constexpr TimeNs kMorning = 36'000 * kNsPerSecond;

TEST(Numbers, ACookieIsKnownForAtLeastAMinuteAndAtMostForTwoSlotsOfTime) {
  std::mt19937_64 random(test::seed());
  for (int i = 0; i < 2'000; ++i) {
    const Numbers numbers({random(), random()});
    const TimeNs made = kMorning + random() % (100 * kSlot);
    const auto irs = static_cast<std::uint32_t>(random());
    const std::uint64_t key = random();
    const std::uint32_t cookie = numbers.cookie(key, irs, 1460, made);
    for (const TimeNs age : {TimeNs{0}, 1 * kNsPerSecond, 30 * kNsPerSecond, 60 * kNsPerSecond}) {
      ASSERT_EQ(numbers.mss_of_cookie(key, irs, cookie, made + age), 1460) << age;
    }
    ASSERT_FALSE(numbers.mss_of_cookie(key, irs, cookie, made + 2 * kSlot));
    ASSERT_FALSE(numbers.mss_of_cookie(key, irs, cookie, made + (2 + random() % 60) * kSlot));
  }
}

TEST(Numbers, ACookieIsNotKnownInTheTimeBeforeItWasMade) {
  const Numbers numbers({3, 4});
  const std::uint32_t cookie = numbers.cookie(kKey, 5, 1460, 10 * kSlot);
  EXPECT_FALSE(numbers.mss_of_cookie(kKey, 5, cookie, 9 * kSlot));
  const std::uint32_t first = numbers.cookie(kKey, 5, 1460, 0);
  EXPECT_TRUE(numbers.mss_of_cookie(kKey, 5, first, 0)) << "the clock may begin at 0";
}

TEST(Numbers, ACookieBelongsToOneConnectionOneInitialNumberAndOneSecret) {
  std::mt19937_64 random(test::seed());
  int guessed = 0;
  constexpr int kTries = 200'000;
  for (int i = 0; i < kTries; ++i) {
    const SipKey secret{random(), random()};
    const Numbers numbers(secret);
    const auto irs = static_cast<std::uint32_t>(random());
    const std::uint64_t key = random();
    const std::uint32_t cookie = numbers.cookie(key, irs, 1460, kMorning);
    switch (i % 4) {
      case 0:
        guessed += numbers.mss_of_cookie(key ^ std::uint64_t{1} << random() % 64, irs, cookie, kMorning).has_value();
        break;
      case 1:
        guessed += numbers.mss_of_cookie(key, irs ^ 1u << random() % 32, cookie, kMorning).has_value();
        break;
      case 2:
        guessed += numbers.mss_of_cookie(key, irs, cookie ^ 1u << random() % 32, kMorning).has_value();
        break;
      default:
        guessed += Numbers({secret.first ^ std::uint64_t{1} << random() % 64, secret.second})
                       .mss_of_cookie(key, irs, cookie, kMorning)
                       .has_value();
    }
  }
  EXPECT_LE(guessed, 2) << "24 bits: one in 16.8 million";
}

TEST(Numbers, ACookieCarriesTheLargestOfEightSegmentSizesThatThePeerTakes) {
  const Numbers numbers({5, 6});
  for (unsigned mss = 0; mss <= 0xFFFF; ++mss) {
    const std::uint32_t cookie = numbers.cookie(kKey, 1, static_cast<std::uint16_t>(mss), kMorning);
    const auto told = numbers.mss_of_cookie(kKey, 1, cookie, kMorning);
    ASSERT_TRUE(told);
    if (mss >= 64) {
      ASSERT_LE(*told, mss);
    } else {
      ASSERT_EQ(*told, 64) << "smaller ones are not believed";
    }
    if (mss >= 1460) {
      ASSERT_EQ(*told, 1460);
    }
    if (mss >= 536) {
      ASSERT_GE(*told, 536);
    }
  }
}

TEST(Numbers, TheInitialNumberOfAConnectionGrowsWithTimeEvery4Microseconds) {
  std::mt19937_64 random(test::seed());
  const Numbers numbers({random(), random()});
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t key = random();
    const TimeNs now = kMorning + random() % kMorning;
    const TimeNs later = now + random() % (3'600 * kNsPerSecond);
    const std::uint32_t grown = numbers.initial(key, later) - numbers.initial(key, now);
    ASSERT_EQ(grown, static_cast<std::uint32_t>((later >> 12) - (now >> 12)));
  }
  EXPECT_TRUE(before(numbers.initial(kKey, kMorning), numbers.initial(kKey, kMorning + 4'096)));
}

TEST(Numbers, OfTwoConnectionsOrTwoSecretsTellNothingOfEachOther) {
  const Numbers numbers({7, 8});
  const Numbers others({7, 9});
  std::uint32_t together = ~0u;
  std::uint32_t either = 0;
  for (std::uint32_t port = 1; port <= 64; ++port) {
    const std::uint64_t key = ConnectionTable::key_of(0x0A63'0002, static_cast<std::uint16_t>(port), 7);
    const std::uint32_t apart = numbers.initial(key + 0x1'0000, kMorning) - numbers.initial(key, kMorning);
    together &= apart;
    either |= apart;
    EXPECT_NE(numbers.initial(key, kMorning), others.initial(key, kMorning));
    EXPECT_NE(numbers.timestamp(key, kMorning), others.timestamp(key, kMorning));
    EXPECT_NE(numbers.timestamp(key, kMorning), numbers.initial(key, kMorning));
  }
  EXPECT_EQ(together, 0u) << "a bit is always set";
  EXPECT_EQ(either, ~0u) << "a bit is never set";
}

TEST(Numbers, TimestampsTickOnceAMillisecondOrSo) {
  const Numbers numbers({7, 8});
  EXPECT_EQ(numbers.timestamp(kKey, kMorning + kNsPerSecond) - numbers.timestamp(kKey, kMorning), 954u);  // 2^-20 s
  EXPECT_EQ(numbers.timestamp(kKey, 0), numbers.timestamp(kKey, (1 << 20) - 1));
}

TEST(Numbers, TheNthRandomNumberIsAlwaysTheSameAndNoOther) {
  const Numbers numbers({7, 8});
  EXPECT_EQ(numbers.random(5), numbers.random(5));
  EXPECT_NE(numbers.random(5), numbers.random(6));
  EXPECT_NE(numbers.random(5), Numbers({8, 7}).random(5));
}

}  // namespace
}  // namespace crosswire::tcp::numbers_test
