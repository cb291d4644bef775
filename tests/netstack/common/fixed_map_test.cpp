// FixedMap against the standard library's map.
#include "netstack/common/fixed_map.hpp"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>

namespace crosswire {
namespace {

TEST(FixedMap, FindsWhatWasInsertedAndNotErased) {
  for (const std::size_t most : {1u, 2u, 3u, 7u, 64u, 300u}) {
    for (const std::uint32_t seed : {1u, 2u, 3u, 4u}) {
      SCOPED_TRACE("most " + std::to_string(most) + ", seed " + std::to_string(seed));
      Arena arena(FixedMap::bytes_for(most), HugepagePolicy::off);
      FixedMap map(arena, most);
      std::unordered_map<std::uint64_t, std::uint16_t> model;
      std::mt19937 random(seed);
      for (int step = 0; step < 20'000; ++step) {
        const std::uint64_t key = random() % (2 * most);  // small keys: long runs, wrapped ones too
        const auto found = model.find(key);
        const std::uint16_t* const value = map.find(key);
        ASSERT_EQ(value != nullptr, found != model.end());
        ASSERT_TRUE(value == nullptr || *value == found->second);
        if (found != model.end()) {
          map.erase(key);
          model.erase(found);
        } else if (model.size() < most) {
          map.insert(key, static_cast<std::uint16_t>(step));
          model.emplace(key, static_cast<std::uint16_t>(step));
        }
        ASSERT_EQ(map.size(), model.size());
      }
      for (std::uint64_t key = 0; key < 2 * most; ++key) ASSERT_EQ(map.find(key) != nullptr, model.contains(key));
    }
  }
}

TEST(FixedMapDeathTest, StopsTheProcessAtAKeyTooMany) {
  Arena arena(FixedMap::bytes_for(1), HugepagePolicy::off);
  FixedMap map(arena, 1);
  map.insert(7, 1);
  EXPECT_DEATH(map.insert(8, 1), "one more than 1");
  EXPECT_DEATH(map.erase(8), "not there");
}

}  // namespace
}  // namespace crosswire
