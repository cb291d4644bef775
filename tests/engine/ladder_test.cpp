// The price ladder against a std::map.
#include "engine/ladder.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace crosswire {
namespace {

struct Rig {
  explicit Rig(std::uint32_t ranks, std::uint32_t node_count = 20'000)
      : arena(LadderNodes::bytes_for(node_count), HugepagePolicy::off), nodes(arena, node_count) {
    ladder.init(nodes, ranks);
  }
  Arena arena;
  LadderNodes nodes;
  Ladder ladder;
};

TEST(Ladder, IsAsDeepAsItsPricesNeed) {
  EXPECT_EQ(Ladder::depth_for(1), 1u);
  EXPECT_EQ(Ladder::depth_for(64), 1u);
  EXPECT_EQ(Ladder::depth_for(65), 2u);
  EXPECT_EQ(Ladder::depth_for(20'000'000), 5u);
  EXPECT_EQ(Ladder::depth_for(1'999'999'901), 6u);
}

TEST(Ladder, AgreesWithAMapOverRandomInsertsAndErases) {
  for (const std::uint32_t ranks : {1u, 2u, 64u, 65u, 5000u, 20'000'000u, 1'999'999'901u}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      SCOPED_TRACE(testing::Message() << ranks << " ranks, seed " << seed);
      Rig rig(ranks);
      const std::uint32_t nodes_at_first = rig.nodes.free_count();
      std::map<std::uint32_t, std::uint32_t> model;
      std::mt19937_64 random(seed);
      // Half of the prices near each other, half anywhere, the ends of the range included.
      const auto a_rank = [&]() -> std::uint32_t {
        switch (random() % 4) {
          case 0:
            return static_cast<std::uint32_t>(random() % ranks);
          case 1:
            return random() % 2 == 0 ? 0 : ranks - 1;
          default:
            return static_cast<std::uint32_t>((ranks / 2 + random() % 200) % ranks);
        }
      };
      for (std::uint32_t i = 0; i < 20'000; ++i) {
        const std::uint32_t rank = a_rank();
        const bool present = model.contains(rank);
        ASSERT_EQ(rig.ladder.find(rig.nodes, Rank{rank}), present ? model[rank] : Ladder::kNothing);
        if (present) {
          rig.ladder.erase(rig.nodes, Rank{rank});
          model.erase(rank);
        } else if (model.size() < 500) {
          rig.ladder.insert(rig.nodes, Rank{rank}, i);
          model[rank] = i;
        }
        ASSERT_EQ(rig.ladder.empty(), model.empty());
        if (!model.empty()) {
          ASSERT_EQ(rig.ladder.best().value, model.begin()->first);
          ASSERT_EQ(rig.ladder.best_level(), model.begin()->second);
        }
        const std::uint32_t probe = a_rank();
        const auto after = model.upper_bound(probe);
        const auto not_before = model.lower_bound(probe);
        ASSERT_EQ(rig.ladder.after(rig.nodes, Rank{probe}), after == model.end() ? kNoRank : Rank{after->first});
        ASSERT_EQ(rig.ladder.before(rig.nodes, Rank{probe}),
                  not_before == model.begin() ? kNoRank : Rank{std::prev(not_before)->first});
      }
      while (!model.empty()) {
        rig.ladder.erase(rig.nodes, Rank{model.begin()->first});
        model.erase(model.begin());
      }
      EXPECT_EQ(rig.nodes.free_count(), nodes_at_first) << "an empty ladder holds only its root";
    }
  }
}

}  // namespace
}  // namespace crosswire
