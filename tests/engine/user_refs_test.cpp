// UserRefNum to order: windows and the table for what falls outside them.
#include "engine/user_refs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>
#include <vector>

namespace crosswire {
namespace {

TEST(UserRefs, AgreesWithAMapWhateverNumbersTheClientsChoose) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    constexpr std::uint32_t kSessions = 3, kMaxOrders = 200;
    const std::uint32_t window = UserRefs::kLeastWindow << (seed % 3);
    Arena arena(UserRefs::bytes_for(kSessions, window, kMaxOrders), HugepagePolicy::off);
    UserRefs refs(arena, kSessions, window, kMaxOrders, seed * 77);
    std::map<std::tuple<std::uint16_t, Channel, std::uint32_t>, std::uint32_t> model;
    std::mt19937_64 random(seed);
    constexpr Channel kUsed[] = {0, 1, 128, 255};
    std::uint32_t nexts[kSessions][kChannels];
    for (auto& of_session : nexts)
      std::fill(std::begin(of_session), std::end(of_session), seed % 4 == 0 ? 0xFFFF0000u : 1u);
    for (std::uint32_t i = 0; i < 30'000; ++i) {
      const auto session = static_cast<std::uint16_t>(random() % kSessions);
      const Channel channel = kUsed[random() % std::size(kUsed)];
      std::uint32_t& next = nexts[session][channel];
      if (model.size() < kMaxOrders && random() % 2 == 0) {
        const std::uint32_t step =
            random() % 10 == 0 ? window * static_cast<std::uint32_t>(random() % 3 + 1) : 1;  // aims at taken places
        if (next > 0xFFFFFFFFu - step) continue;
        const std::uint32_t number = next;
        next += step;
        refs.insert(SessionId{session}, channel, UserRefNum{number}, OrderIndex{i});
        model[{session, channel, number}] = i;
      } else if (!model.empty()) {
        const auto it = std::next(model.begin(), static_cast<std::ptrdiff_t>(random() % model.size()));
        refs.erase(SessionId{std::get<0>(it->first)}, std::get<1>(it->first), UserRefNum{std::get<2>(it->first)});
        model.erase(it);
      }
      const std::uint32_t probe = next - static_cast<std::uint32_t>(random() % 300);
      const auto it = model.find({session, channel, probe});
      ASSERT_EQ(refs.find(SessionId{session}, channel, UserRefNum{probe}),
                it == model.end() ? kNoOrder : OrderIndex{it->second});
    }
    for (const auto& [key, order] : model) {
      const auto& [session, channel, number] = key;
      ASSERT_EQ(refs.find(SessionId{session}, channel, UserRefNum{number}), OrderIndex{order});
    }
  }
}

TEST(UserRefs, FindsNothingUnderNumberZero) {
  Arena arena(UserRefs::bytes_for(1, 256, 4), HugepagePolicy::off);
  UserRefs refs(arena, 1, 256, 4, 1);
  EXPECT_EQ(refs.find(SessionId{0}, Channel{0}, UserRefNum{0}), kNoOrder);
  EXPECT_EQ(refs.find(SessionId{0}, Channel{7}, UserRefNum{0}), kNoOrder);
}

}  // namespace
}  // namespace crosswire
