// UserRefNum to order, and a channel's orders by number.
#include "engine/user_refs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <tuple>
#include <vector>

namespace crosswire::user_refs_test {
namespace {

struct Rig {
  Rig(std::uint32_t sessions, std::uint32_t max_orders, std::uint64_t hash_key)
      : arena(UserRefs::bytes_for(sessions, max_orders), HugepagePolicy::off),
        refs(arena, sessions, max_orders, hash_key),
        channels(sessions * kChannels) {}

  ChannelRefs& of(SessionId session, Channel channel) { return channels[session.value * kChannels + channel]; }
  void insert(SessionId session, Channel channel, std::uint32_t number, std::uint32_t order) {
    refs.insert(of(session, channel), session, channel, UserRefNum{number}, OrderIndex{order});
  }
  void erase(SessionId session, Channel channel, std::uint32_t number) {
    refs.erase(of(session, channel), refs.place(session, channel, UserRefNum{number}));
  }

  Arena arena;
  UserRefs refs;
  std::vector<ChannelRefs> channels;
};

constexpr Channel kUsed[] = {0, 1, 128, 255};

TEST(UserRefs, AgreesWithAMapWhateverNumbersTheClientsChoose) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    constexpr std::uint32_t kSessions = 3, kMaxOrders = 200;
    Rig rig(kSessions, kMaxOrders, seed * 77);
    std::map<std::tuple<std::uint16_t, Channel, std::uint32_t>, std::uint32_t> model;
    std::mt19937_64 random(seed);
    std::uint32_t nexts[kSessions][kChannels];
    for (auto& of_session : nexts)
      std::fill(std::begin(of_session), std::end(of_session), seed % 4 == 0 ? 0xFFFF0000u : 1u);
    // Numbers in a row, now and then far apart, or one a block, or one of as many blocks as are neighbours.
    const std::uint32_t kSteps[] = {1, UserRefs::kPerBlock, 16 * UserRefs::kPerBlock, 4'096};
    const std::uint32_t usual = kSteps[seed % std::size(kSteps)];
    for (std::uint32_t i = 0; i < 30'000; ++i) {
      const auto session = static_cast<std::uint16_t>(random() % kSessions);
      const Channel channel = kUsed[random() % std::size(kUsed)];
      std::uint32_t& next = nexts[session][channel];
      if (model.size() < kMaxOrders && random() % 2 == 0) {
        const std::uint32_t step = random() % 10 == 0 ? static_cast<std::uint32_t>(random() % 300 + 1) : usual;
        if (next > 0xFFFFFFFFu - step) continue;
        const std::uint32_t number = next;
        next += step;
        rig.insert(SessionId{session}, channel, number, i);
        model[{session, channel, number}] = i;
      } else if (!model.empty()) {
        const auto it = std::next(model.begin(), static_cast<std::ptrdiff_t>(random() % model.size()));
        rig.erase(SessionId{std::get<0>(it->first)}, std::get<1>(it->first), std::get<2>(it->first));
        model.erase(it);
      }
      const std::uint32_t probe = next - static_cast<std::uint32_t>(random() % 300);
      const auto it = model.find({session, channel, probe});
      ASSERT_EQ(rig.refs.find(SessionId{session}, channel, UserRefNum{probe}),
                it == model.end() ? kNoOrder : OrderIndex{it->second});
    }
    // A walk over a channel meets its orders by number, and all of them.
    std::size_t met = 0;
    for (std::uint16_t session = 0; session < kSessions; ++session) {
      for (const Channel channel : kUsed) {
        OrderIndex at = rig.refs.first(rig.of(SessionId{session}, channel));
        for (auto it = model.lower_bound({session, channel, 0}); it != model.end(); ++it) {
          const auto& [of_session, of_channel, number] = it->first;
          if (of_session != session || of_channel != channel) break;
          ASSERT_EQ(at, OrderIndex{it->second});
          ASSERT_EQ(rig.refs.find(SessionId{session}, channel, UserRefNum{number}), at);
          const UserRefs::Place here = rig.refs.place(SessionId{session}, channel, UserRefNum{number});
          ASSERT_EQ(rig.refs.number_at(here), UserRefNum{number});
          at = rig.refs.after(here);
          ++met;
        }
        ASSERT_EQ(at, kNoOrder);
      }
    }
    ASSERT_EQ(met, model.size());
  }
}

TEST(UserRefs, HasAPlaceForEachLiveOrderHoweverFarApartTheirNumbersAre) {
  constexpr std::uint32_t kSessions = 5, kMaxOrders = 64;
  Rig rig(kSessions, kMaxOrders, 9);
  // Each session's own channel keeps an empty block, and then all orders are the others'.
  for (std::uint16_t session = 0; session < kSessions; ++session) {
    rig.insert(SessionId{session}, 0, 1, 1);
    rig.erase(SessionId{session}, 0, 1);
  }
  for (int round = 0; round < 3; ++round) {
    for (std::uint32_t i = 1; i <= kMaxOrders; ++i)
      rig.insert(SessionId{static_cast<std::uint16_t>(i % kSessions)}, static_cast<Channel>(1 + i / 2),
                 static_cast<std::uint32_t>(round) * 1'000'000 + i * 1'000, i);
    for (std::uint32_t i = kMaxOrders; i >= 1; --i)
      rig.erase(SessionId{static_cast<std::uint16_t>(i % kSessions)}, static_cast<Channel>(1 + i / 2),
                static_cast<std::uint32_t>(round) * 1'000'000 + i * 1'000);
  }
}

TEST(UserRefs, FindsNothingUnderNumberZero) {
  Rig rig(1, 4, 1);
  EXPECT_EQ(rig.refs.find(SessionId{0}, Channel{0}, UserRefNum{0}), kNoOrder);
  EXPECT_EQ(rig.refs.find(SessionId{0}, Channel{7}, UserRefNum{0}), kNoOrder);
  rig.insert(SessionId{0}, 0, 1, 5);  // of the same block
  EXPECT_EQ(rig.refs.find(SessionId{0}, Channel{0}, UserRefNum{0}), kNoOrder);
}

}  // namespace
}  // namespace crosswire::user_refs_test
