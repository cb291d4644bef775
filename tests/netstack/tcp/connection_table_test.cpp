// The table of connections against a std::map.
#include "netstack/tcp/connection_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "tests/seed.hpp"

namespace crosswire::tcp::connection_table_test {
namespace {

constexpr std::size_t kMost = 512;

struct Table {
  explicit Table(const SipKey& key, std::size_t most = kMost)
      : arena(ConnectionTable::bytes_for(most) + 4096, HugepagePolicy::off), table(arena, most, key) {}
  Arena arena;
  ConnectionTable table;
};

TEST(ConnectionTable, IsAMapFromKeyToConnectionThroughInsertsAndErasesOfAllKinds) {
  std::mt19937_64 random(test::seed());
  for (int run = 0; run < 20; ++run) {
    // Few places, so that runs are long and wrap round the end.
    const std::size_t most = run % 2 == 0 ? kMost : 2 + random() % 7;
    Table under({random(), random()}, most);
    std::map<std::uint64_t, std::uint16_t> beside;
    const auto key = [&] {
      const auto port = static_cast<std::uint16_t>(1 + random() % (4 * most));
      return ConnectionTable::key_of(0x0A63'0001u + static_cast<std::uint32_t>(random() % 3), port, 7);
    };
    for (int step = 0; step < 20'000; ++step) {
      const std::uint64_t k = key();
      const auto it = beside.find(k);
      const std::optional<ConnectionId> found = under.table.find(k);
      ASSERT_EQ(found.has_value(), it != beside.end());
      if (found) {
        ASSERT_EQ(found->value, it->second);
      }
      if (it != beside.end() && random() % 2 == 0) {
        under.table.erase(k);
        beside.erase(it);
      } else if (it == beside.end() && beside.size() < most) {
        const auto id = static_cast<std::uint16_t>(random());
        under.table.insert(k, ConnectionId{id});
        beside[k] = id;
      }
      ASSERT_EQ(under.table.size(), beside.size());
    }
    for (const auto& [k, id] : beside) ASSERT_EQ(under.table.find(k)->value, id);
  }
}

TEST(ConnectionTable, FindsAllPortsOfOneStationThatCountUp) {
  const std::uint64_t seed = test::seed();
  Table under({seed, ~seed});
  for (std::uint16_t i = 0; i < kMost; ++i) {
    under.table.insert(ConnectionTable::key_of(0x0A63'0002, static_cast<std::uint16_t>(32'768 + i), 7),
                       ConnectionId{i});
  }
  for (std::uint16_t i = 0; i < kMost; i += 2) {
    under.table.erase(ConnectionTable::key_of(0x0A63'0002, static_cast<std::uint16_t>(32'768 + i), 7));
  }
  for (std::uint16_t i = 0; i < kMost; ++i) {
    const auto found =
        under.table.find(ConnectionTable::key_of(0x0A63'0002, static_cast<std::uint16_t>(32'768 + i), 7));
    ASSERT_EQ(found.has_value(), i % 2 == 1);
    if (found) {
      EXPECT_EQ(found->value, i);
    }
  }
}

TEST(ConnectionTable, TellsConnectionsApartByEachPartOfTheirKey) {
  Table under({1, 2});
  const std::uint64_t key = ConnectionTable::key_of(0x0A63'0002, 40'000, 7);
  under.table.insert(key, ConnectionId{9});
  EXPECT_TRUE(under.table.find(key));
  EXPECT_FALSE(under.table.find(ConnectionTable::key_of(0x0A63'0003, 40'000, 7)));
  EXPECT_FALSE(under.table.find(ConnectionTable::key_of(0x0A63'0002, 40'001, 7)));
  EXPECT_FALSE(under.table.find(ConnectionTable::key_of(0x0A63'0002, 40'000, 8)));
  EXPECT_FALSE(under.table.find(0)) << "a segment without addresses and ports finds nothing, also not a free place";
}

TEST(ConnectionTableDeathTest, TakesNoMoreThanItsMostAndNothingTwice) {
  Table under({1, 2}, 2);
  under.table.insert(5, ConnectionId{0});
  EXPECT_DEATH(under.table.insert(5, ConnectionId{1}), "connection 1");
  EXPECT_DEATH(under.table.erase(6), "no such connection");
  under.table.insert(6, ConnectionId{1});
  EXPECT_DEATH(under.table.insert(7, ConnectionId{2}), "connection 2 of 2");
}

}  // namespace
}  // namespace crosswire::tcp::connection_table_test
