// EchoStore: what receive puts in, transmit takes out in the same order.
#include "netstack/ip/echo_store.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace crosswire {
namespace {

TEST(EchoStore, KeepsMessagesInOrderUntilTheyAreFreedAndThenHasRoomAgain) {
  Arena arena(EchoStore::bytes_for(), HugepagePolicy::off);
  EchoStore store(arena);
  std::vector<std::uint16_t> entries;
  const auto message = [](std::size_t n) {
    return std::vector<std::uint8_t>(n % EchoStore::kEntryBytes + 1, static_cast<std::uint8_t>(n));
  };
  std::size_t put = 0;
  std::size_t freed = 0;
  for (int round = 0; round < 100; ++round) {
    for (; store.has_room(); ++put) entries.push_back(store.put(message(put)));
    EXPECT_EQ(put - freed, EchoStore::kEntries);
    for (int i = 0; i <= round % 7; ++i, ++freed) {
      const auto expected = message(freed);
      const auto bytes = store.message(entries[freed], static_cast<std::uint16_t>(expected.size()));
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), expected.begin(), expected.end())) << freed;
      store.free_oldest();
    }
  }
}

TEST(EchoStore, KnowsTheOldestMessageOfThoseThatAreNotFree) {
  Arena arena(EchoStore::bytes_for(), HugepagePolicy::off);
  EchoStore store(arena);
  EXPECT_FALSE(store.is_oldest(0)) << "there is none";
  const std::vector<std::uint8_t> message(9);
  for (std::size_t i = 0; i < 2 * EchoStore::kEntries; ++i) {
    const std::uint16_t first = store.put(message);
    const std::uint16_t second = store.put(message);
    EXPECT_TRUE(store.is_oldest(first));
    EXPECT_FALSE(store.is_oldest(second));
    store.free_oldest();
    EXPECT_FALSE(store.is_oldest(first));
    EXPECT_TRUE(store.is_oldest(second));
    store.free_oldest();
    EXPECT_FALSE(store.is_oldest(second));
  }
}

TEST(EchoStoreDeathTest, StopsTheProcessWhenUsedBeyondItsEntries) {
  Arena arena(EchoStore::bytes_for(), HugepagePolicy::off);
  EchoStore store(arena);
  EXPECT_DEATH(store.free_oldest(), "are free");
  EXPECT_DEATH(store.put(std::vector<std::uint8_t>(1501)), "1501 bytes");
}

}  // namespace
}  // namespace crosswire
