// SpscRing on one thread; with two threads it is in threads_test.cpp.
#include "hugepages/rings/spsc_ring.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace crosswire::spsc_ring_test {
namespace {

TEST(SpscRing, IsFirstInFirstOutThroughManyLaps) {
  Arena arena(4096, HugepagePolicy::off);
  SpscRing<std::uint32_t> ring(arena, 4);
  std::uint32_t pushed = 0;
  std::uint32_t popped = 0;
  for (std::uint32_t round = 0; round < 100; ++round) {
    for (std::uint32_t i = 0; i <= round % 4; ++i) ASSERT_TRUE(ring.push(pushed++));
    std::uint32_t out = 0;
    while (ring.pop(out)) ASSERT_EQ(out, popped++);
    ASSERT_EQ(popped, pushed);
  }
}

TEST(SpscRing, HoldsExactlyItsCapacity) {
  Arena arena(4096, HugepagePolicy::off);
  for (const std::uint64_t capacity : {1u, 2u, 8u}) {
    SpscRing<std::uint64_t> ring(arena, capacity);
    for (std::uint64_t i = 0; i < capacity; ++i) EXPECT_TRUE(ring.push(i));
    EXPECT_FALSE(ring.push(99));
    EXPECT_EQ(ring.size(), capacity);
    std::uint64_t out = 77;
    EXPECT_TRUE(ring.pop(out));
    EXPECT_EQ(out, 0u);
    EXPECT_TRUE(ring.push(capacity));
    for (std::uint64_t i = 1; i <= capacity; ++i) {
      EXPECT_TRUE(ring.pop(out));
      EXPECT_EQ(out, i);
    }
  }
}

TEST(SpscRing, LeavesTheOutputAloneWhenItIsEmpty) {
  Arena arena(4096, HugepagePolicy::off);
  SpscRing<std::uint64_t> ring(arena, 2);
  std::uint64_t out = 77;
  EXPECT_FALSE(ring.pop(out));
  EXPECT_EQ(out, 77u);
  EXPECT_EQ(ring.size(), 0u);
}

TEST(SpscRing, ItemsAreWrittenAndReadWhereTheyLie) {
  Arena arena(4096, HugepagePolicy::off);
  SpscRing<std::uint64_t> ring(arena, 4);
  EXPECT_EQ(ring.front(), nullptr);
  std::uint64_t pushed = 0;
  std::uint64_t popped = 0;
  for (std::uint64_t round = 0; round < 100; ++round) {
    for (std::uint64_t i = 0; i <= round % 4; ++i) {
      ASSERT_TRUE(ring.has_room(1));
      ring.next() = pushed++;
      EXPECT_EQ(ring.size(), i) << "not there before it is published";
      ring.publish();
    }
    while (const std::uint64_t* const item = ring.front()) {
      ASSERT_EQ(ring.front(), item) << "looking takes nothing";
      ASSERT_EQ(*item, popped++);
      ring.drop_front();
    }
    ASSERT_EQ(popped, pushed);
  }
}

TEST(SpscRing, HasRoomForSoManyItemsAsAreFree) {
  Arena arena(4096, HugepagePolicy::off);
  SpscRing<std::uint64_t> ring(arena, 8);
  std::uint64_t inside = 0;
  std::uint64_t random = 1;
  for (int step = 0; step < 10'000; ++step) {
    random = random * 6'364'136'223'846'793'005u + 1;
    for (std::uint64_t items = 0; items <= 10; ++items) ASSERT_EQ(ring.has_room(items), inside + items <= 8);
    if (random >> 63 != 0 && inside < 8) {
      ring.next() = 0;
      ring.publish();
      ++inside;
    } else if (inside > 0) {
      ASSERT_NE(ring.front(), nullptr);
      ring.drop_front();
      --inside;
    }
  }
}

TEST(SpscRing, BothWaysOfPushingAndOfPoppingMayTakeTurns) {
  Arena arena(4096, HugepagePolicy::off);
  SpscRing<std::uint64_t> ring(arena, 2);
  std::uint64_t next = 0;
  for (std::uint64_t i = 0; i < 40; i += 2) {
    ASSERT_TRUE(ring.push(i));
    ASSERT_TRUE(ring.has_room(1));
    ring.next() = i + 1;
    ring.publish();
    EXPECT_FALSE(ring.push(99));
    EXPECT_FALSE(ring.has_room(1));
    ASSERT_EQ(*ring.front(), next++);
    ring.drop_front();
    std::uint64_t out = 0;
    ASSERT_TRUE(ring.pop(out));
    ASSERT_EQ(out, next++);
    EXPECT_EQ(ring.front(), nullptr);
  }
}

TEST(SpscRing, HandsOverNothingThatIsPlacedAndNotPublished) {
  Arena arena(SpscRing<std::uint32_t>::bytes_for(4), HugepagePolicy::off);
  SpscRing<std::uint32_t> ring(arena, 4);
  std::uint32_t next = 0;
  for (std::uint64_t placed = 0; placed < 100; placed += 3) {
    ASSERT_GT(ring.look_at_head() + ring.capacity(), placed + 2) << "no room";
    for (std::uint32_t i = 0; i < 3; ++i) ring.place(placed + i, static_cast<std::uint32_t>(placed + i));
    const auto take = [&next](std::uint32_t item) { ASSERT_EQ(item, next++); };
    EXPECT_EQ(ring.pop_each(4, take), 0u);
    ring.publish(placed + 3);
    EXPECT_EQ(ring.size(), 3u);
    EXPECT_EQ(ring.pop_each(2, take), 2u) << "no more than are wanted";
    EXPECT_EQ(ring.pop_each(2, take), 1u);
    EXPECT_EQ(ring.look_at_head(), placed + 3);
  }
  EXPECT_EQ(next, 102u);
}

TEST(SpscRingDeathTest, RefusesACapacityThatIsNoPowerOfTwo) {
  Arena arena(4096, HugepagePolicy::off);
  EXPECT_DEATH(SpscRing<std::uint64_t>(arena, 3), "capacity 3");
  EXPECT_DEATH(SpscRing<std::uint64_t>(arena, 0), "capacity 0");
}

}  // namespace
}  // namespace crosswire::spsc_ring_test
