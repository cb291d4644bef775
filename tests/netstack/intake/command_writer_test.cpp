// How commands are numbered, stamped, held back and marked.
#include "netstack/intake/command_writer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "hugepages/memory/arena.hpp"

namespace crosswire::test {
namespace {

struct CommandWriterTest : ::testing::Test {
  /// The flags of what is published, which is released.
  std::vector<int> read() {
    std::vector<int> flags;
    for (; reader.available() > 0; reader.release()) flags.push_back(reader.peek().flags);
    return flags;
  }

  Arena arena{BroadcastRing<Command>::bytes_for(4), HugepagePolicy::off};
  BroadcastRing<Command> ring{arena, 4};
  BroadcastRing<Command>::GatingReader& reader = ring.add_gating("test");
  ReceiveCounters counters;
  CommandWriter commands{ring.producer(), counters, EngineConfig{}, 1000};
};

TEST_F(CommandWriterTest, NumbersAndStampsACommandAndClearsItsBody) {
  for (std::uint64_t n = 1; n <= 9; ++n) {  // through every slot, so that old bodies are there
    commands.move_on(1000 * n);
    Command& command = commands.make(CommandKind::tick, SessionId{7});
    EXPECT_EQ(command.sequence, Sequence{n});
    EXPECT_EQ(command.time_ns, 1000 * n);
    EXPECT_EQ(command.kind, CommandKind::tick);
    EXPECT_EQ(command.session, SessionId{7});
    EXPECT_EQ(command.symbol, kNoSymbol);
    EXPECT_EQ(command.flags + command.reject, 0);
    EXPECT_TRUE(std::all_of(std::begin(command.body), std::end(command.body), [](auto byte) { return byte == 0; }));
    std::fill(std::begin(command.body), std::end(command.body), std::uint8_t{0xEE});
    command.reject = 1;
    command.symbol = SymbolId{5};
    commands.finish_burst();
    EXPECT_EQ(read().size(), 1u);
  }
  EXPECT_EQ(commands.made(), 9u);
  EXPECT_EQ(counters.get(ReceiveCounter::commands), 9u);
}

TEST_F(CommandWriterTest, MarksTheLastOfABurstAlone) {
  for (int i = 0; i < 3; ++i) commands.make(CommandKind::tick, kNoSession);
  EXPECT_EQ(read(), (std::vector<int>{0, 0})) << "the newest is held back";
  commands.finish_burst();
  commands.finish_burst();  // there is nothing left to mark
  EXPECT_EQ(read(), std::vector<int>{kLastOfBurst});
}

TEST_F(CommandWriterTest, PublishesWhatIsHeldBackUnmarked) {
  commands.make(CommandKind::tick, kNoSession);
  commands.publish_held_back();
  EXPECT_EQ(read(), std::vector<int>{0});
  commands.make(CommandKind::tick, kNoSession);
  commands.finish_burst();
  EXPECT_EQ(read(), std::vector<int>{kLastOfBurst});
}

TEST_F(CommandWriterTest, HasRoomForWhatTheReadersHaveReleased) {
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(commands.has_room());
    commands.make(CommandKind::tick, kNoSession);
  }
  EXPECT_FALSE(commands.has_room());
  EXPECT_EQ(read().size(), 3u);
  EXPECT_TRUE(commands.has_room());
}

}  // namespace
}  // namespace crosswire::test
