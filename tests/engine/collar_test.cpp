// Collars and interruptions, one sentence each. (That they hold with everything else is property_test's.)
#include "engine/collar.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "tests/engine/engine_rig.hpp"

namespace crosswire::testing::collar_test {
namespace {

constexpr Side B = Side::buy, S = Side::sell;
constexpr SymbolId kSymbol{1};

TEST(PriceRangeOf, IsNeverRoundedOutwards) {
  EXPECT_EQ(range_about(Price{1'000'050}, 1).low, Price{999'950});     // 999,949.995
  EXPECT_EQ(range_about(Price{1'000'050}, 1).high, Price{1'000'150});  // 1,000,150.005
  EXPECT_EQ(range_about(Price{3}, 10'000).low, Price{0});
  EXPECT_EQ(range_about(kMaxPrice, 10'000).high, kMaxPrice);
  EXPECT_TRUE(range_about(Price{100}, 0).has(kMaxPrice));
}

TEST(DrawsOf, AreWithinTheirRangeAndMeetItsEnds) {
  Draws draws(1);
  std::set<std::uint64_t> met;
  for (int i = 0; i < 1'000; ++i) met.insert(draws.draw(3));
  EXPECT_EQ(met, (std::set<std::uint64_t>{0, 1, 2}));
}

/// 1 % about the last execution, which was at 100.0000.
class CollarOf : public ::testing::Test {
 protected:
  static EngineConfig with(CollarConfig collar) {
    EngineConfig config = small_config();
    config.symbols[0].collar = collar;
    return config;
  }
  std::vector<EventKind> kinds(const Command& command) {
    std::vector<EventKind> kinds;
    for (const Outcome& o : rig.outcomes(command)) kinds.push_back(o.kind);
    return kinds;
  }
  std::uint64_t count(EngineCounter counter) const { return rig.engine().counters().get(counter); }

  EngineRig rig{with({.dynamic_percent_e2 = 100, .interruption_seconds = 10})};
};

TEST_F(CollarOf, AnInterruptionIsToldBeforeWhatIsLeftRests) {
  rig.run(phase(Phase::continuous));
  rig.run(enter(0, 1, S, 1'010'000, 100));
  rig.run(enter(0, 2, S, 1'010'100, 100));
  EXPECT_EQ(kinds(enter(1, 1, B, 1'020'000, 150)),
            (std::vector{EventKind::accepted, EventKind::executed, EventKind::phase, EventKind::rested}));
  EXPECT_EQ(rig.engine().phase(kSymbol), Phase::interrupted);
  EXPECT_EQ(rig.engine().symbols_in(Phase::interrupted), 1u);
  EXPECT_EQ(count(EngineCounter::interruptions_begun), 1u);
}

TEST_F(CollarOf, WhoseLastFillWasPreventedInterruptsAsOthersDoWhateverRoomThereIs) {
  for (const std::uint64_t event_ring : {64, 4, 2}) {
    EngineConfig config = with({.dynamic_percent_e2 = 100, .interruption_seconds = 10});
    config.max_fills_per_order = 1;
    config.self_trade = {{1, SelfTrade::decrement}, {1, SelfTrade::decrement}, {}, {}};
    EngineRig small(config, event_ring);
    small.run(phase(Phase::continuous));
    small.run(enter(0, 1, S, 1'010'000, 4));
    small.run(enter(2, 1, S, 1'010'100, 100));
    std::vector<EventKind> told;
    for (const Outcome& o : small.outcomes(enter(1, 1, B, 1'020'000, 150))) told.push_back(o.kind);
    EXPECT_EQ(told, (std::vector{EventKind::accepted, EventKind::prevented, EventKind::prevented, EventKind::phase,
                                 EventKind::rested}))
        << "a ring of " << event_ring;
  }
}

TEST_F(CollarOf, AnInterruptionEndsAtTheFirstTickAtItsTime) {
  rig.run(phase(Phase::continuous));
  rig.run(tick(kTickIntervalNs));
  rig.run(enter(0, 1, S, 1'010'100, 100));
  Command late = enter(1, 1, B, 1'020'000, 150);
  late.time_ns = kTickIntervalNs + 1;
  rig.run(late);
  rig.run(tick(10 * kNsPerSecond + kTickIntervalNs));
  EXPECT_EQ(rig.engine().phase(kSymbol), Phase::interrupted);
  rig.run(tick(10 * kNsPerSecond + 2 * kTickIntervalNs));
  EXPECT_EQ(rig.engine().phase(kSymbol), Phase::continuous);
  EXPECT_EQ(rig.engine().volume(kSymbol), 100u);
  EXPECT_EQ(rig.engine().last_price(kSymbol), Price{1'020'000});
  EXPECT_EQ(count(EngineCounter::interruptions_ended), 1u);
}

TEST_F(CollarOf, WhoIsKilledInterruptsNothing) {
  rig.run(phase(Phase::continuous));
  for (std::uint32_t i = 1; i <= 200; ++i) rig.run(enter(0, i, S, 1'020'000, 1));
  rig.run(stop(OperatorAction::kill, 1, SessionId{0}));
  ASSERT_TRUE(rig.engine().has_jobs());
  rig.run(enter(1, 1, B, 1'020'000, 150));
  EXPECT_EQ(rig.engine().phase(kSymbol), Phase::continuous);
  EXPECT_EQ(rig.engine().live_orders(), 1u);
}

TEST_F(CollarOf, APostOnlyOrderInterruptsNothing) {
  rig.run(phase(Phase::continuous));
  rig.run(enter(0, 1, S, 1'020'000, 100));
  Command order = enter(1, 1, B, 1'020'000, 100);
  order.order.post_only = PostOnly::yes;
  EXPECT_EQ(kinds(order), (std::vector{EventKind::accepted, EventKind::canceled}));
  EXPECT_EQ(rig.engine().phase(kSymbol), Phase::continuous);
}

TEST(CollarSeed, DecidesTheDrawnEndAndIsOfTheState) {
  std::set<TimeNs> ends;
  std::set<std::uint64_t> digests;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    EngineConfig config = small_config();
    config.symbols[0].collar = {
        .dynamic_percent_e2 = 100, .interruption_seconds = 1, .interruption_random_seconds = 60};
    config.interruption_seed = seed;
    EngineRig rig(config);
    rig.run(phase(Phase::continuous));
    digests.insert(rig.engine().state_hash());
    rig.run(enter(0, 1, S, 1'020'000, 100));
    rig.run(enter(1, 1, B, 1'020'000, 100));
    TimeNs now = 0;
    while (rig.engine().phase(kSymbol) == Phase::interrupted) rig.run(tick(now += kTickIntervalNs));
    EXPECT_GE(now, kNsPerSecond);
    EXPECT_LE(now, 61 * kNsPerSecond);
    ends.insert(now);
  }
  EXPECT_EQ(digests.size(), 8u);
  EXPECT_GT(ends.size(), 4u);
}

}  // namespace
}  // namespace crosswire::testing::collar_test
