// The engine in a box, through its front door alone.
#include "engine/box.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/engine/engine_rig.hpp"

namespace crosswire::testing::box_test {
namespace {

constexpr std::uint32_t kPrice = 1'000'000;

std::vector<EventKind> kinds(EngineBox& box, const Command& command) {
  std::vector<EventKind> kinds;
  box.run(command, [&](const Event& event) { kinds.push_back(event.kind); });
  return kinds;
}

std::size_t count(const std::vector<EventKind>& kinds, EventKind kind) {
  return static_cast<std::size_t>(std::count(kinds.begin(), kinds.end(), kind));
}

TEST(EngineBox, SaysAllThatCameOfACommand) {
  EngineBox box(small_config());
  kinds(box, phase(Phase::continuous));
  EXPECT_EQ(count(kinds(box, enter(0, 1, Side::sell, kPrice, 100)), EventKind::accepted), 1u);
  const auto crossing = kinds(box, enter(1, 1, Side::buy, kPrice, 100));
  EXPECT_EQ(count(crossing, EventKind::accepted), 1u);
  EXPECT_EQ(count(crossing, EventKind::executed), 1u);
  EXPECT_EQ(box.engine().live_orders(), 0u);
}

TEST(EngineBox, WritesTheColdLinesOfWhatACommandSays) {
  EngineBox box(small_config());
  Command command = enter(2, 7, Side::sell_short, kPrice, 300, TimeInForce::gtt);
  command.order.user_ref_idx = 5;
  command.order.expire_seconds = 9;
  command.order.min_quantity = 100;
  box.prepare(command);
  const OrderAsked& asked = box.orders().asked(command.order.order);
  EXPECT_EQ(asked.session, SessionId{2});
  EXPECT_EQ(asked.user_ref_num, UserRefNum{7});
  EXPECT_EQ(asked.user_ref_idx, 5);
  EXPECT_EQ(asked.price, kPrice);
  EXPECT_EQ(asked.quantity, 300u);
  EXPECT_EQ(asked.min_quantity, 100u);
  const OrderResolved& resolved = box.orders().resolved(command.order.order);
  EXPECT_EQ(resolved.symbol, SymbolId{1});
  EXPECT_EQ(resolved.side, Side::sell_short);
  EXPECT_EQ(resolved.cross_type, 'N');
  EXPECT_EQ(resolved.kept.expire_seconds, 9u);
}

TEST(EngineBox, NumbersCommandsWithoutGapsAndLetsNoTimeFall) {
  EngineBox box(small_config());
  Command first = tick(5 * kTickIntervalNs);
  Command second = tick(4 * kTickIntervalNs);
  box.prepare(first);
  box.prepare(second);
  EXPECT_EQ(first.sequence, Sequence{1});
  EXPECT_EQ(second.sequence, Sequence{2});
  EXPECT_EQ(second.time_ns, 5 * kTickIntervalNs);
}

TEST(EngineBox, AppliesABurstAsFarAsTheRingHasRoomAndTheRestWhenTheEventsAreTaken) {
  EngineBox box(small_config(), {.event_ring = 8});
  kinds(box, phase(Phase::continuous));
  std::vector<Command> burst;
  for (std::uint32_t i = 1; i <= 20; ++i) burst.push_back(enter(0, i, Side::buy, kPrice, 100));
  for (Command& command : burst) box.prepare(command);
  std::size_t done = 0;
  std::size_t accepted = 0;
  std::size_t rounds = 0;
  for (; done < burst.size(); ++rounds) {
    done += box.apply(std::span(burst).subspan(done));
    box.take_events([&](const Event& event) { accepted += event.kind == EventKind::accepted; });
  }
  EXPECT_EQ(accepted, 20u);
  EXPECT_GT(rounds, 2u);
}

TEST(EngineBox, GoesOnWithTheSmallestRingThereIs) {
  EngineBox box(small_config(), {.event_ring = 2});
  kinds(box, phase(Phase::continuous));
  for (std::uint32_t i = 1; i <= 50; ++i) kinds(box, enter(0, i, Side::sell, kPrice + 100 * i, 100));
  const auto swept = kinds(box, enter(1, 1, Side::buy, kPrice + 100 * 50, 5'000));
  EXPECT_EQ(count(swept, EventKind::executed), 50u);
}

TEST(EngineBox, HasAllSlotsFreeWhenNoOrderLives) {
  EngineBox box(small_config(), {.event_ring = 16});
  kinds(box, phase(Phase::continuous));
  for (std::uint32_t i = 1; i <= 5'000; ++i) {
    kinds(box, enter(0, 2 * i, Side::buy, kPrice, 100));
    kinds(box, replace(0, 2 * i, 2 * i + 1, kPrice + 100, 100));
    if (i % 2 == 0) kinds(box, cancel(0, 2 * i + 1));
    if (i % 500 == 0) kinds(box, firm_wide(CommandKind::mass_cancel, 0, 2 * i + 2));
  }
  kinds(box, phase(Phase::closed));
  box.finish_jobs([](const Event&) {});
  EXPECT_EQ(box.engine().live_orders(), 0u);
  EXPECT_EQ(box.free_slots(), box.slots());
}

TEST(EngineBox, HoldsAsManyOrdersAsItsConfigurationAllows) {
  const EngineConfig config = small_config();
  EngineBox box(config, {.event_ring = 2, .commands_ahead = 1});
  kinds(box, phase(Phase::continuous));
  for (std::uint32_t i = 1; i <= config.max_orders; ++i) kinds(box, enter(0, i, Side::buy, kPrice, 100));
  EXPECT_EQ(box.engine().live_orders(), config.max_orders);
  EXPECT_EQ(count(kinds(box, enter(0, config.max_orders + 1, Side::buy, kPrice, 100)), EventKind::rejected), 1u);
}

TEST(EngineBox, PreparesARecordThatWasAnotherCommandBefore) {
  EngineBox box(small_config());
  kinds(box, phase(Phase::continuous));
  const auto take = [](const Event&) {};
  Command command = enter(0, 1, Side::buy, kPrice, 100);
  box.prepare(command);
  box.apply({&command, 1});
  box.take_events(take);
  command.order.user_ref_num = UserRefNum{2};
  command.order.min_quantity = 50;
  command.order.user_ref_idx = 7;
  box.prepare(command);
  EXPECT_EQ(command.flags & kPlain, 0);
  box.apply({&command, 1});
  box.take_events(take);
  EXPECT_EQ(box.engine().live_orders(), 1u) << "the second finds no minimum and dies";
}

TEST(EngineBoxDeathTest, StopsAtASessionOrSymbolThatThereIsNoneOf) {
  EngineBox box(small_config());
  kinds(box, phase(Phase::continuous));
  for (const CommandKind kind : {CommandKind::mass_cancel, CommandKind::disable, CommandKind::enable})
    EXPECT_DEATH(kinds(box, firm_wide(kind, 9'999, 1)), "session 9999");
  EXPECT_DEATH(kinds(box, account_query(9'999)), "session 9999");
  EXPECT_DEATH(kinds(box, enter(9'999, 1, Side::buy, kPrice, 100)), "session 9999");
  Command ioc = enter(0, 1, Side::buy, kPrice, 100, TimeInForce::ioc);
  ioc.symbol = SymbolId{60'000};
  EXPECT_DEATH(kinds(box, ioc), "symbol 60000");
}

TEST(EngineBoxDeathTest, StopsWhenMoreIsPreparedThanWasToldAhead) {
  EngineBox box(small_config(), {.event_ring = 2, .commands_ahead = 1});
  EXPECT_DEATH(
      {
        for (std::uint32_t i = 1; i <= 2'000; ++i) {
          Command command = enter(0, i, Side::buy, kPrice, 100);
          box.prepare(command);
        }
      },
      "no slot with 0 orders live");
}

}  // namespace
}  // namespace crosswire::testing::box_test
