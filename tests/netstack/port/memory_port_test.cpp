// The contract of TxPort, on the port without a device; the same rules are tested for captures and devices.
#include "netstack/port/memory_port.hpp"

#include "port_testing.hpp"

namespace crosswire::memory_port_test {
namespace {

TEST(MemoryRxPort, PlaysItsScriptAndThenSaysThatItHasEnded) {
  MemoryRxPort port;
  port.push_burst(5, {numbered_frame(1), numbered_frame(2)});
  port.push_burst(6, {});
  port.push_burst(7, {numbered_frame(3)});
  port.end(9);
  const SeenRun run = play(port);
  ASSERT_EQ(run.bursts.size(), 2u);
  EXPECT_EQ(run.bursts[0], (SeenBurst{5, {numbered_frame(1), numbered_frame(2)}}));
  EXPECT_EQ(run.bursts[1], (SeenBurst{7, {numbered_frame(3)}}));
  EXPECT_EQ(run.end_ns, 9u);
}

TEST(MemoryRxPort, StaysAtTheLastTimeWhenItsScriptIsUsedUp) {
  MemoryRxPort port;
  port.push_burst(5, {});
  port.receive();
  const RxBurst burst = port.receive();
  EXPECT_TRUE(burst.frames.empty());
  EXPECT_EQ(burst.time_ns, 5u);
  EXPECT_FALSE(burst.ended);
}

TEST(MemoryTxPort, KeepsWhatAFullRingDoesNotTakeInOrder) {
  MemoryTxPort port;
  port.set_room(3);
  for (std::uint32_t i = 0; i < 5; ++i) ASSERT_TRUE(send(port, numbered_frame(i), {{i}, i, 0}));
  EXPECT_EQ(port.flush(), 3u);
  EXPECT_EQ(port.flush(), 0u);
  for (std::uint32_t i = 5; i < kMaxBurst + 3; ++i) ASSERT_TRUE(send(port, numbered_frame(i), {{i}, i, 0}));
  EXPECT_EQ(port.reserve(), nullptr) << "a full batch and no room";
  port.set_unlimited_room();
  EXPECT_NE(port.reserve(), nullptr) << "reserve() sends a full batch";
  ASSERT_EQ(port.frames().size(), kMaxBurst + 3);
  for (std::uint32_t i = 0; i < kMaxBurst + 3; ++i) {
    EXPECT_EQ(port.frames()[i].bytes, numbered_frame(i));
    EXPECT_EQ(port.frames()[i].origin.cause.value, i);
  }
}

TEST(MemoryTxPort, LeavesAReservedBufferReservedOverAFlush) {
  for (const std::size_t room : {0u, 1u, 2u, 100u}) {
    MemoryTxPort port;
    port.set_room(room);
    ASSERT_TRUE(send(port, numbered_frame(1)));
    ASSERT_TRUE(send(port, numbered_frame(2)));
    std::uint8_t* reserved = port.reserve();
    port.flush();
    EXPECT_EQ(port.reserve(), reserved) << "room for " << room;
  }
}

}  // namespace
}  // namespace crosswire::memory_port_test
