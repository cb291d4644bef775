// BroadcastRing on one thread: what each side sees after which call. The same with threads is in threads_test.cpp.
#include "hugepages/rings/broadcast_ring.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace crosswire::broadcast_ring_test {
namespace {

using Ring = BroadcastRing<std::uint64_t>;
using Read = Ring::LappableReader::Read;

Arena small_arena() { return Arena(64 * 1024, HugepagePolicy::off); }

/// Publishes n items, numbered on from what is published: item i holds 100 + i.
void publish(Ring& ring, std::uint64_t n) {
  for (std::uint64_t i = 0; i < n; ++i) {
    const std::uint64_t number = ring.producer().published() + ring.producer().unpublished();
    ring.producer().claim() = 100 + number;
  }
  ring.producer().publish();
}

TEST(BroadcastRing, ShowsEveryItemToEveryReaderInOrder) {
  Arena arena = small_arena();
  Ring ring(arena, 16);
  std::array readers = {&ring.add_gating("one"), &ring.add_gating("two")};
  publish(ring, 5);
  for (Ring::GatingReader* reader : readers) {
    ASSERT_EQ(reader->available(), 5u);
    for (std::uint64_t i = 0; i < 5; ++i) EXPECT_EQ(reader->peek(i), 100 + i);
    reader->release(5);
    EXPECT_EQ(reader->available(), 0u);
    EXPECT_EQ(reader->position(), 5u);
  }
}

TEST(BroadcastRing, ShowsNothingBeforeItIsPublished) {
  Arena arena = small_arena();
  Ring ring(arena, 4);
  Ring::GatingReader& reader = ring.add_gating("reader");
  ring.producer().claim() = 1;
  ring.producer().claim() = 2;
  EXPECT_EQ(reader.available(), 0u);
  EXPECT_EQ(ring.producer().unpublished(), 2u);
  EXPECT_EQ(ring.producer().published(), 0u);
  ring.producer().publish();
  EXPECT_EQ(reader.available(), 2u);
  EXPECT_EQ(ring.producer().unpublished(), 0u);
  EXPECT_EQ(ring.published(), 2u);
}

TEST(BroadcastRing, HoldsTheNewestBackUntilItIsMarked) {
  Arena arena = small_arena();
  Ring ring(arena, 8);
  Ring::GatingReader& reader = ring.add_gating("reader");
  Ring::Producer& producer = ring.producer();
  producer.publish_all_but_last();
  EXPECT_EQ(reader.available(), 0u);
  for (std::uint64_t i = 0; i < 3; ++i) producer.claim() = 100 + i;
  producer.publish_all_but_last();
  EXPECT_EQ(reader.available(), 2u);
  EXPECT_EQ(producer.unpublished(), 1u);
  producer.publish_all_but_last();
  EXPECT_EQ(producer.unpublished(), 1u);
  producer.last_claimed() = 999;
  producer.publish();
  reader.release(2);
  ASSERT_EQ(reader.available(), 1u);
  EXPECT_EQ(reader.peek(), 999u);
}

TEST(BroadcastRing, HoldsTheProducerBackForTheSlowestGatingReader) {
  Arena arena = small_arena();
  Ring ring(arena, 4);
  Ring::GatingReader& fast = ring.add_gating("fast");
  Ring::GatingReader& slow = ring.add_gating("slow");
  publish(ring, 4);
  EXPECT_FALSE(ring.producer().has_room());
  EXPECT_EQ(fast.available(), 4u);
  fast.release(4);
  EXPECT_EQ(ring.producer().room(), 0u);
  EXPECT_EQ(ring.producer().slowest_gating_position(), 0u);
  EXPECT_EQ(slow.available(), 4u);
  slow.release(1);
  EXPECT_EQ(ring.producer().room(), 1u);
  EXPECT_EQ(ring.producer().slowest_gating_position(), 1u);
  slow.release(3);
  EXPECT_EQ(ring.producer().room(), 1u) << "what is known suffices for one";
  EXPECT_EQ(ring.producer().room(2), 4u) << "asked for more, it looks again";
}

TEST(BroadcastRing, CountsClaimedSlotsAsTaken) {
  Arena arena = small_arena();
  Ring ring(arena, 2);
  ring.add_gating("reader");
  ring.producer().claim();
  EXPECT_EQ(ring.producer().room(), 1u);
  ring.producer().claim();
  EXPECT_FALSE(ring.producer().has_room());
}

TEST(BroadcastRing, KeepsItsItemsThroughManyLapsAtAnyCapacity) {
  for (const std::uint64_t capacity : {2u, 16u}) {
    Arena arena = small_arena();
    Ring ring(arena, capacity);
    Ring::GatingReader& reader = ring.add_gating("reader");
    std::uint64_t expected = 100;
    for (std::uint64_t round = 0; round < 1000; ++round) {
      publish(ring, 1 + round % capacity);
      for (; reader.available() > 0; reader.release()) ASSERT_EQ(reader.peek(), expected++) << "capacity " << capacity;
    }
    EXPECT_EQ(expected - 100, ring.published());
  }
}

TEST(BroadcastRing, RemembersTheMostItemsAReaderFoundWaiting) {
  Arena arena = small_arena();
  Ring ring(arena, 16);
  Ring::GatingReader& reader = ring.add_gating("reader");
  for (const std::uint64_t burst : {3u, 11u, 2u}) {
    publish(ring, burst);
    reader.release(reader.available());
  }
  EXPECT_EQ(reader.high_water(), 11u);
}

TEST(BroadcastRing, ShowsOnlookersHowFarAReaderHasCome) {
  Arena arena(Ring::bytes_for(8), HugepagePolicy::off);
  Ring ring(arena, 8);
  Ring::GatingReader& reader = ring.add_gating("reader");
  const ReaderProgress progress = reader.progress();
  EXPECT_TRUE(progress.is_there());
  EXPECT_FALSE(ReaderProgress().is_there());
  EXPECT_EQ(progress.capacity(), 8u);
  for (int i = 0; i < 5; ++i) ring.producer().claim();
  EXPECT_EQ(progress.published(), 0u);
  ring.producer().publish();
  EXPECT_EQ(progress.published(), 5u);
  EXPECT_EQ(progress.waiting(), 5u);
  EXPECT_EQ(reader.available(), 5u);
  reader.release(2);
  EXPECT_EQ(progress.position(), 2u);
  EXPECT_EQ(progress.waiting(), 3u);
  EXPECT_EQ(progress.high_water(), 5u);
}

TEST(BroadcastRing, LetsTheProducerRunFreeWithoutGatingReaders) {
  Arena arena = small_arena();
  Ring ring(arena, 4);
  for (int round = 0; round < 10; ++round) {
    EXPECT_EQ(ring.producer().room(4), 4u);
    publish(ring, 4);
  }
  EXPECT_EQ(ring.producer().slowest_gating_position(), 40u);
}

TEST(BroadcastRing, GivesALappableReaderEveryItemWhileItKeepsUp) {
  Arena arena = small_arena();
  Ring ring(arena, 4);
  Ring::LappableReader& reader = ring.add_lappable("shadow");
  std::uint64_t out = 0;
  EXPECT_EQ(reader.read(out), Read::nothing);
  for (std::uint64_t i = 0; i < 100; i += 4) {
    publish(ring, 4);
    for (std::uint64_t j = 0; j < 4; ++j) {
      ASSERT_EQ(reader.read(out), Read::item);
      EXPECT_EQ(out, 100 + i + j);
    }
    EXPECT_EQ(reader.read(out), Read::nothing);
  }
  EXPECT_EQ(reader.lost(), 0u);
}

TEST(BroadcastRing, TellsALappedReaderOnceAndGoesOnWithWhatComesNext) {
  Arena arena = small_arena();
  Ring ring(arena, 4);
  Ring::LappableReader& reader = ring.add_lappable("shadow");
  publish(ring, 4);
  publish(ring, 1);  // over item 0
  std::uint64_t out = 7;
  EXPECT_EQ(reader.read(out), Read::lapped);
  EXPECT_EQ(out, 7u) << "written only for an item";
  EXPECT_EQ(reader.lost(), 5u);
  EXPECT_EQ(reader.read(out), Read::nothing);
  publish(ring, 1);
  EXPECT_EQ(reader.read(out), Read::item);
  EXPECT_EQ(out, 105u);
  EXPECT_EQ(reader.position(), 6u);
}

TEST(BroadcastRing, DoesNotWaitForALappableReaderBesideAGatingOne) {
  Arena arena = small_arena();
  Ring ring(arena, 4);
  Ring::GatingReader& gating = ring.add_gating("transmit");
  Ring::LappableReader& lappable = ring.add_lappable("shadow");
  for (int round = 0; round < 3; ++round) {
    publish(ring, 4);
    ASSERT_EQ(gating.available(), 4u);
    gating.release(4);
  }
  std::uint64_t out = 0;
  EXPECT_EQ(lappable.read(out), Read::lapped);
  EXPECT_EQ(lappable.lost(), 12u);
}

/// An item that does not fill its last word.
struct Odd {
  std::array<std::uint8_t, 13> bytes;
};

TEST(BroadcastRing, MirrorsItemsOfAnySize) {
  Arena arena = small_arena();
  BroadcastRing<Odd> ring(arena, 2);
  auto& reader = ring.add_lappable("shadow");
  for (std::uint8_t i = 0; i < 9; ++i) {
    ring.producer().claim().bytes.fill(i);
    ring.producer().publish();
    Odd out{};
    ASSERT_EQ(reader.read(out), BroadcastRing<Odd>::LappableReader::Read::item);
    for (const std::uint8_t byte : out.bytes) EXPECT_EQ(byte, i);
  }
}

TEST(BroadcastRing, TakesTheBytesForeseenWithAndWithoutAMirror) {
  for (const bool lappable : {false, true}) {
    Arena arena = small_arena();
    BroadcastRing<Odd> ring(arena, 64);
    if (lappable) ring.add_lappable("shadow");
    if (lappable) ring.add_lappable("second shadow");
    EXPECT_EQ(arena.used(), BroadcastRing<Odd>::bytes_for(64, lappable));
  }
}

TEST(BroadcastRingDeathTest, StopsOnMisuse) {
  Arena arena = small_arena();
  EXPECT_DEATH(Ring(arena, 1), "capacity 1");
  EXPECT_DEATH(Ring(arena, 12), "capacity 12");
  Ring ring(arena, 2);
  Ring::GatingReader& reader = ring.add_gating("reader");
  EXPECT_DEATH((void)ring.producer().last_claimed(), "published");
  publish(ring, 2);
  EXPECT_DEATH(ring.producer().claim(), "claimed all of 2 slots");
  EXPECT_DEATH(ring.add_gating("late"), "reader late comes after the start");
  EXPECT_DEATH((void)reader.peek(), "reader reader: item 0 of 0") << "it has not asked what is available";
  ASSERT_EQ(reader.available(), 2u);
  EXPECT_DEATH((void)reader.peek(2), "item 2 of 2");
  EXPECT_DEATH(reader.release(3), "releases 3 of 2");
  Ring crowded(arena, 2);
  for (std::size_t i = 0; i < kMaxReaders; ++i) crowded.add_gating("reader");
  EXPECT_DEATH(crowded.add_lappable("ninth"), "one too many");
}

}  // namespace
}  // namespace crosswire::broadcast_ring_test
