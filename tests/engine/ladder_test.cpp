// The price ladder against a std::map.
#include "engine/ladder.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace crosswire::ladder_test {
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
  EXPECT_EQ(Ladder::depth_for(1), 2u);
  EXPECT_EQ(Ladder::depth_for(4'096), 2u);
  EXPECT_EQ(Ladder::depth_for(4'097), 3u);
  EXPECT_EQ(Ladder::depth_for(20'000'000), 5u);
  EXPECT_EQ(Ladder::depth_for(1'999'999'901), 6u);
}

/// Nodes below the root that a tree with these prices needs.
std::size_t nodes_of(const std::map<std::uint32_t, std::uint32_t>& levels, unsigned depth) {
  std::set<std::pair<unsigned, std::uint32_t>> nodes;
  for (const auto& [rank, level] : levels) {
    for (unsigned i = 1; i < depth; ++i) nodes.insert({i, rank >> 6 * i});
  }
  return nodes.size();
}

/// Half of the prices near each other, half anywhere, the ends of the range included.
void agrees_with_a_map(std::uint32_t ranks, std::uint64_t seed, std::size_t most_levels) {
  SCOPED_TRACE(::testing::Message() << ranks << " ranks, seed " << seed << ", " << most_levels << " levels");
  Rig rig(ranks);
  const std::uint32_t nodes_at_first = rig.nodes.free_count();
  std::map<std::uint32_t, std::uint32_t> model;
  std::mt19937_64 random(seed);
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
  const auto erase = [&](std::uint32_t rank) {
    rig.ladder.erase(rig.nodes, Rank{rank});
    model.erase(rank);
  };
  const auto look = [&](std::uint32_t probe) {
    ASSERT_EQ(rig.ladder.empty(), model.empty());
    ASSERT_EQ(rig.ladder.best(), model.empty() ? kNoRank : Rank{model.begin()->first});
    if (!model.empty()) {
      ASSERT_EQ(rig.ladder.best_level(), model.begin()->second);
    }
    const auto found = model.find(probe);
    ASSERT_EQ(rig.ladder.find(rig.nodes, Rank{probe}), found == model.end() ? Ladder::kNothing : found->second);
    const auto after = model.upper_bound(probe);
    const auto not_before = model.lower_bound(probe);
    ASSERT_EQ(rig.ladder.after(rig.nodes, Rank{probe}), after == model.end() ? kNoRank : Rank{after->first});
    ASSERT_EQ(rig.ladder.before(rig.nodes, Rank{probe}),
              not_before == model.begin() ? kNoRank : Rank{std::prev(not_before)->first});
  };
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    const std::uint32_t rank = a_rank();
    if (model.contains(rank)) {
      erase(rank);
    } else if (model.size() < most_levels) {
      rig.ladder.insert(rig.nodes, Rank{rank}, i);
      model[rank] = i;
    } else if (random() % 4 == 0) {
      erase(std::next(model.begin(), static_cast<std::ptrdiff_t>(random() % model.size()))->first);
    }
    ASSERT_NO_FATAL_FAILURE(look(rank));
    ASSERT_NO_FATAL_FAILURE(look(a_rank()));
    if (most_levels > 10 && i % 64 != 0) continue;
    // An empty one may have kept one way down to above a leaf, which an insert elsewhere gives back.
    const std::uint32_t used = nodes_at_first - rig.nodes.free_count();
    if (model.empty()) {
      ASSERT_LE(used, rig.ladder.nodes_needed());
    } else {
      ASSERT_EQ(used, nodes_of(model, Ladder::depth_for(ranks)));
    }
  }
  while (!model.empty()) erase(model.begin()->first);
  EXPECT_LE(nodes_at_first - rig.nodes.free_count(), rig.ladder.nodes_needed());
}

TEST(Ladder, AgreesWithAMapOverRandomInsertsAndErases) {
  for (const std::uint32_t ranks : {1u, 2u, 64u, 65u, 5000u, 20'000'000u, 1'999'999'901u}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) agrees_with_a_map(ranks, seed, 500);
  }
}

TEST(Ladder, AgreesWithAMapWhereItIsOftenEmpty) {
  for (const std::uint32_t ranks : {1u, 2u, 64u, 65u, 5000u, 20'000'000u, 1'999'999'901u}) {
    for (const std::size_t most_levels : {1u, 2u, 3u}) agrees_with_a_map(ranks, 1, most_levels);
  }
}

TEST(Ladder, TakesNoNodesFromOthersByWhatAnEmptyOneKeeps) {
  constexpr std::uint32_t kRanks = 1'999'999'901, kLadders = 50;
  Arena arena(LadderNodes::bytes_for(kLadders * Ladder::kMaxDepth), HugepagePolicy::off);
  LadderNodes nodes(arena, kLadders * Ladder::kMaxDepth);
  std::vector<Ladder> ladders(kLadders);
  for (Ladder& ladder : ladders) ladder.init(nodes, kRanks);
  std::mt19937_64 random(1);
  for (int round = 0; round < 20; ++round) {
    for (Ladder& ladder : ladders) {
      const Rank rank{static_cast<std::uint32_t>(random() % kRanks)};
      ladder.insert(nodes, rank, 1);
      ladder.erase(nodes, rank);
      ASSERT_TRUE(ladder.empty());
    }
  }
  EXPECT_EQ(nodes.free_count(), kLadders) << "each has kept a way, of five nodes with the root; its leaf is free";
}

}  // namespace
}  // namespace crosswire::ladder_test
