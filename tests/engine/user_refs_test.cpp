// UserRefNum to order: windows and the table for what falls outside them.
#include "engine/user_refs.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace crosswire {
namespace {

TEST(UserRefs, AgreesWithAMapWhateverNumbersTheClientsChoose) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    constexpr std::uint32_t kSessions = 3, kMaxOrders = 200;
    const std::uint32_t window = 1u << (seed % 7);
    Arena arena(UserRefs::bytes_for(kSessions, window, kMaxOrders), HugepagePolicy::off);
    UserRefs refs(arena, kSessions, window, kMaxOrders, seed * 77);
    std::map<std::pair<std::uint16_t, std::uint32_t>, std::uint32_t> model;
    std::mt19937_64 random(seed);
    std::uint32_t next[kSessions] = {1, 1, 0xFFFF0000u};
    for (std::uint32_t i = 0; i < 30'000; ++i) {
      const auto session = static_cast<std::uint16_t>(random() % kSessions);
      if (model.size() < kMaxOrders && random() % 2 == 0) {
        const std::uint32_t step =
            random() % 10 == 0 ? window * static_cast<std::uint32_t>(random() % 3 + 1) : 1;  // aims at taken places
        if (next[session] > 0xFFFFFFFFu - step) continue;
        const std::uint32_t number = next[session];
        next[session] += step;
        refs.insert(SessionId{session}, UserRefNum{number}, OrderIndex{i});
        model[{session, number}] = i;
      } else if (!model.empty()) {
        const auto it = std::next(model.begin(), static_cast<std::ptrdiff_t>(random() % model.size()));
        refs.erase(SessionId{it->first.first}, UserRefNum{it->first.second});
        model.erase(it);
      }
      const std::uint32_t probe = next[session] - static_cast<std::uint32_t>(random() % 300);
      const auto it = model.find({session, probe});
      ASSERT_EQ(refs.find(SessionId{session}, UserRefNum{probe}),
                it == model.end() ? kNoOrder : OrderIndex{it->second});
    }
    for (const auto& [key, order] : model)
      ASSERT_EQ(refs.find(SessionId{key.first}, UserRefNum{key.second}), OrderIndex{order});
  }
}

TEST(UserRefs, FindsNothingUnderNumberZero) {
  Arena arena(UserRefs::bytes_for(1, 4, 4), HugepagePolicy::off);
  UserRefs refs(arena, 1, 4, 4, 1);
  EXPECT_EQ(refs.find(SessionId{0}, UserRefNum{0}), kNoOrder);
}

}  // namespace
}  // namespace crosswire
