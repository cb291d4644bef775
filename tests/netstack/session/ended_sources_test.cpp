// Which sources had a session: what is remembered of them, and for how long.
#include "netstack/session/ended_sources.hpp"

#include <gtest/gtest.h>

namespace crosswire {
namespace {

constexpr TimeNs kFor = 5 * kNsPerSecond;
constexpr SessionId kOne{1};

Source source(std::uint16_t port) {
  return {.mac = {2, 0, 0, 0, 1, 1}, .vlan = 0, .address = 0x0A630064, .port = port};
}

struct EndedSourcesTest : ::testing::Test {
  Arena arena{EndedSources::bytes_for(2), HugepagePolicy::off};
  EndedSources ended{arena, 2};
};

TEST_F(EndedSourcesTest, KnowsHowTheLastSessionOfEachSourceEnded) {
  EXPECT_EQ(ended.reason_of(source(1)), SessionEndReason::none);
  ended.remember(source(1), kOne, SessionEndReason::silence, false, 10);
  ended.remember(source(2), kOne, SessionEndReason::logout, false, 10);
  EXPECT_EQ(ended.reason_of(source(1)), SessionEndReason::silence);
  EXPECT_EQ(ended.reason_of(source(2)), SessionEndReason::logout);
  ended.remember(source(1), SessionId{0}, SessionEndReason::takeover, true, 10);
  EXPECT_EQ(ended.reason_of(source(1)), SessionEndReason::takeover) << "of another account, at the same time";
  EXPECT_EQ(ended.reason_of(source(3)), SessionEndReason::none);
}

TEST_F(EndedSourcesTest, TellsSourcesApartByAllThatALoginBinds) {
  ended.remember(source(1), kOne, SessionEndReason::silence, false, 10);
  Source other = source(1);
  other.mac[5] = 9;
  EXPECT_EQ(ended.reason_of(other), SessionEndReason::none);
  other = source(1);
  other.vlan = 7;
  EXPECT_EQ(ended.reason_of(other), SessionEndReason::none);
  other = source(1);
  other.address += 1;
  EXPECT_EQ(ended.reason_of(other), SessionEndReason::none);
}

TEST_F(EndedSourcesTest, KnowsForSoLongWhoWasTakenOver) {
  ended.remember(source(1), kOne, SessionEndReason::takeover, true, 10);
  EXPECT_TRUE(ended.lost_it_lately(source(1), kOne, 10, kFor));
  EXPECT_TRUE(ended.lost_it_lately(source(1), kOne, 10 + kFor - 1, kFor));
  EXPECT_FALSE(ended.lost_it_lately(source(1), kOne, 10 + kFor, kFor));
  EXPECT_FALSE(ended.lost_it_lately(source(1), SessionId{0}, 10, kFor)) << "another account's login is its own";
  EXPECT_FALSE(ended.lost_it_lately(source(2), kOne, 10, kFor));
  ended.remember(source(1), SessionId{0}, SessionEndReason::logout, false, 20);
  EXPECT_TRUE(ended.lost_it_lately(source(1), kOne, 20, kFor)) << "what happened to another session changes nothing";
  ended.remember(source(1), kOne, SessionEndReason::silence, false, 20);
  EXPECT_FALSE(ended.lost_it_lately(source(1), kOne, 20, kFor)) << "it had it again since then";
}

TEST_F(EndedSourcesTest, AnAccountThatIsEverywhereMakesNoOtherBeForgotten) {
  for (std::uint16_t port = 2; port <= 4'000; ++port)
    ended.remember(source(port), SessionId{0}, SessionEndReason::takeover, true, 0);
  ended.remember(source(1), kOne, SessionEndReason::takeover, true, 10);
  for (std::uint16_t port = 4'001; port <= 20'000; ++port)
    ended.remember(source(port), SessionId{0}, SessionEndReason::takeover, true, 20);
  EXPECT_TRUE(ended.lost_it_lately(source(1), kOne, 20, kFor));
}

TEST_F(EndedSourcesTest, RemembersManySourcesOfOneAccountAndForgetsTheOldestWhereItIsFull) {
  for (std::uint16_t port = 1; port <= 64; ++port)
    ended.remember(source(port), kOne, SessionEndReason::takeover, true, 0);
  for (std::uint16_t port = 1; port <= 64; ++port) EXPECT_TRUE(ended.lost_it_lately(source(port), kOne, 1, kFor));
  for (std::uint16_t port = 1; port <= 60'000; ++port)
    ended.remember(source(port), kOne, SessionEndReason::takeover, true, 0);
  EXPECT_TRUE(ended.lost_it_lately(source(60'000), kOne, 1, kFor));
  EXPECT_EQ(ended.reason_of(source(1)), SessionEndReason::none);
}

}  // namespace
}  // namespace crosswire
