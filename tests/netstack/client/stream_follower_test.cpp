// A follower of a numbered stream: each message once and in order, whatever the network does.
#include "netstack/client/stream_follower.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "tests/netstack/client_frames.hpp"
#include "tests/seed.hpp"

namespace crosswire::client {
namespace {

using test::mold_header;
using test::mold_packet;
using test::Payload;

constexpr std::string_view kSession = test::kFeedSession;

Payload message(std::uint64_t number) {
  return {static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}

Payload packet(std::uint64_t first, std::uint64_t count) {
  std::vector<Payload> messages;
  for (std::uint64_t n = first; n < first + count; ++n) messages.push_back(message(n));
  return mold_packet(first, messages, kSession);
}

struct Follower : StreamFollower {
  Follower() : StreamFollower(kSession) {}
  StreamPacket take(const Payload& bytes) {
    return StreamFollower::take(bytes, [this](std::uint64_t number, wire::Bytes m) {
      EXPECT_EQ(Payload(m.begin(), m.end()), message(number));
      EXPECT_EQ(number, got + 1);
      got = number;
    });
  }
  std::uint64_t got = 0;
};

TEST(StreamFollower, HandsOutEachMessageOnceThoughItComesTwice) {
  Follower follower;
  EXPECT_EQ(follower.take(packet(1, 3)), StreamPacket::data);
  EXPECT_EQ(follower.take(packet(2, 3)), StreamPacket::data);
  EXPECT_EQ(follower.got, 4u);
  EXPECT_EQ(follower.repeats(), 2u);
}

TEST(StreamFollower, LeavesWhatLiesBehindAGapAndAsksFromWhereItIs) {
  Follower follower;
  follower.take(packet(1, 1));
  follower.take(packet(4, 2));
  EXPECT_EQ(follower.got, 1u);
  EXPECT_EQ(follower.missing(), 4u);
  ASSERT_TRUE(follower.request().has_value());
  EXPECT_EQ(follower.request()->sequence, 2u);
  EXPECT_EQ(follower.request()->count, 4u);
  follower.take(packet(2, 4));
  EXPECT_EQ(follower.got, 5u);
  EXPECT_FALSE(follower.request().has_value());
}

TEST(StreamFollower, LearnsFromAHeartbeatThatTheLastMessagesAreLost) {
  Follower follower;
  EXPECT_EQ(follower.take(mold_header(kSession, 8, 0)), StreamPacket::heartbeat);
  EXPECT_EQ(follower.missing(), 7u);
}

TEST(StreamFollower, KnowsTheEndAndCanStillAskForWhatCameBeforeIt) {
  Follower follower;
  EXPECT_EQ(follower.take(mold_header(kSession, 3, 0xFFFF)), StreamPacket::end_of_session);
  EXPECT_TRUE(follower.ended());
  EXPECT_EQ(follower.request()->count, 2u);
}

TEST(StreamFollower, AsksForNoMoreThanARequestCanName) {
  Follower follower;
  follower.take(mold_header(kSession, 200'001, 0));
  EXPECT_EQ(follower.request()->count, 65'534u);
}

TEST(StreamFollower, GoesOnBehindWhatTheExchangeKeepsNoMoreWhenItGivesUp) {
  Follower follower;
  follower.take(packet(1, 1));
  follower.take(mold_header(kSession, 101, 0));
  follower.take(packet(60, 3));  // the oldest that are kept
  EXPECT_EQ(follower.request()->sequence, 2u);
  EXPECT_EQ(follower.give_up(), 58u);
  EXPECT_EQ(follower.next(), 60u);
  follower.got = 59;
  follower.take(packet(60, 41));
  EXPECT_EQ(follower.got, 100u);
  EXPECT_EQ(follower.missing(), 0u);
  EXPECT_EQ(follower.give_up(), 0u);
}

TEST(StreamFollower, TakesNothingOfAnotherSessionNorOfABrokenDatagram) {
  Follower follower;
  EXPECT_EQ(follower.take(mold_packet(1, {message(1)}, "OTHER00000")), StreamPacket::foreign);
  Payload cut = packet(1, 2);
  cut.pop_back();
  EXPECT_EQ(follower.take(cut), StreamPacket::malformed);
  EXPECT_EQ(follower.take({1, 2, 3}), StreamPacket::malformed);
  EXPECT_EQ(follower.got, 0u);
  EXPECT_EQ(follower.missing(), 0u);
}

TEST(StreamFollower, EndsWithEverythingOverANetworkThatLosesRepeatsAndReorders) {
  const std::uint64_t seed = test::seed();
  std::mt19937_64 random(seed);
  Follower follower;
  constexpr std::uint64_t kMessages = 5'000;
  std::uint64_t sent = 0;
  std::vector<Payload> on_the_way;
  for (int steps = 0; follower.got < kMessages; ++steps) {
    ASSERT_LT(steps, 200'000);
    if (sent < kMessages && random() % 3 == 0) {
      const std::uint64_t count = std::min<std::uint64_t>(1 + random() % 5, kMessages - sent);
      on_the_way.push_back(packet(sent + 1, count));
      sent += count;
    }
    if (random() % 10 == 0) on_the_way.push_back(mold_header(kSession, sent + 1, 0));
    if (const auto request = follower.request(); request && random() % 4 == 0) {
      const std::uint64_t count = std::min<std::uint64_t>({request->count, 40, sent + 1 - request->sequence});
      on_the_way.push_back(packet(request->sequence, count));
    }
    if (on_the_way.empty()) continue;
    const std::size_t next = random() % on_the_way.size();
    if (random() % 4 != 0) follower.take(on_the_way[next]);
    if (random() % 4 != 0) on_the_way.erase(on_the_way.begin() + static_cast<std::ptrdiff_t>(next));
  }
  EXPECT_EQ(follower.next(), kMessages + 1);
}

}  // namespace
}  // namespace crosswire::client
