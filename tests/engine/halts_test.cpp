// Halts that end by themselves, and those of all symbols at a level, one sentence each.
#include <gtest/gtest.h>

#include "tests/engine/engine_rig.hpp"

namespace crosswire::testing::halts_test {
namespace {

constexpr Side B = Side::buy, S = Side::sell;
constexpr std::uint32_t kPrice = 1'000'000;
constexpr SymbolId kOne{1}, kTwo{2};
constexpr TimeNs kSecond = kNsPerSecond;

EngineConfig config() {
  EngineConfig config = small_config(2);
  for (SymbolConfig& symbol : config.symbols) symbol.collar.interruption_seconds = 2;
  return config;
}

class HaltTest : public ::testing::Test {
 protected:
  HaltTest() { rig.run(phase(Phase::continuous)); }

  Operated told(const Command& command) { return rig.run(command).back().operated; }
  Phase phase_of(SymbolId symbol) { return rig.engine().phase(symbol); }
  std::vector<Outcome> at(TimeNs time_ns) { return rig.outcomes(tick(time_ns)); }

  EngineRig rig{config()};
};

TEST_F(HaltTest, AHaltForATimeEndsInACallAndReopensByAHaltCross) {
  rig.run(tick(kSecond));
  EXPECT_EQ(told(halt_for(3, 1, 1)).result, OperatorResult::done);
  at(4 * kSecond - kTickIntervalNs);
  EXPECT_EQ(phase_of(kOne), Phase::halted);
  EXPECT_EQ(phase_of(kTwo), Phase::continuous);
  at(4 * kSecond);
  EXPECT_EQ(phase_of(kOne), Phase::interrupted);
  EXPECT_FALSE(rig.engine().held(kOne));
  rig.run(enter(0, 1, B, kPrice, 100));
  rig.run(enter(1, 1, S, kPrice, 100));
  const std::vector<Outcome> reopened = at(6 * kSecond);
  EXPECT_EQ(phase_of(kOne), Phase::continuous);
  ASSERT_FALSE(reopened.empty());
  EXPECT_EQ(reopened[0].kind, EventKind::crossed);
  EXPECT_EQ(reopened[0].code, 'H');
}

TEST_F(HaltTest, BehindItTheSymbolEntersWhatElseTheScheduleHasByThen) {
  rig.run(halt_for(3, 1, 1));
  rig.run(phase(Phase::closing_call));
  at(3 * kSecond);
  EXPECT_EQ(phase_of(kOne), Phase::closing_call);
  at(10 * kSecond);
  EXPECT_EQ(phase_of(kOne), Phase::closing_call) << "the schedule ends it";
}

TEST_F(HaltTest, AResumeEndsItAtOnce) {
  rig.run(halt_for(3, 1, 1));
  EXPECT_EQ(told(operate(OperatorAction::resume, 2, 1)).result, OperatorResult::done);
  EXPECT_EQ(phase_of(kOne), Phase::continuous);
  at(3 * kSecond);
  EXPECT_EQ(phase_of(kOne), Phase::continuous);
}

TEST_F(HaltTest, AHaltNeverShortensAnother) {
  rig.run(halt_for(3, 1, 1));
  EXPECT_EQ(told(halt_for(2, 2, 1)).result, OperatorResult::halted_already);
  EXPECT_EQ(told(halt_for(5, 3, 1)).result, OperatorResult::done);
  at(3 * kSecond);
  EXPECT_EQ(phase_of(kOne), Phase::halted);
  EXPECT_EQ(told(operate(OperatorAction::halt, 4, 1)).result, OperatorResult::done) << "until resumed";
  EXPECT_EQ(told(halt_for(9, 5, 1)).result, OperatorResult::halted_already);
  at(20 * kSecond);
  EXPECT_EQ(phase_of(kOne), Phase::halted);
}

TEST_F(HaltTest, AHaltOfAllEndsOfAllButThoseThatWereHaltedForLonger) {
  rig.run(operate(OperatorAction::halt, 1, 2));
  EXPECT_EQ(told(halt_for(3, 2)).changed, 1);
  at(3 * kSecond);
  EXPECT_EQ(phase_of(kOne), Phase::interrupted);
  EXPECT_EQ(phase_of(kTwo), Phase::halted);
}

TEST_F(HaltTest, ItEndsWithTheClose) {
  rig.run(halt_for(3, 1));
  rig.run(phase(Phase::closed));
  EXPECT_FALSE(rig.engine().held(kOne));
  at(3 * kSecond);
  EXPECT_EQ(phase_of(kOne), Phase::closed);
}

TEST_F(HaltTest, AClosedSymbolStaysClosedUntilItIsOver) {
  rig.run(operate(OperatorAction::phase, 1, 1, Phase::closed));
  rig.run(halt_for(3, 2, 1));
  rig.run(phase(Phase::continuous));
  EXPECT_EQ(phase_of(kOne), Phase::closed);
  at(3 * kSecond);
  EXPECT_EQ(phase_of(kOne), Phase::interrupted);
}

TEST_F(HaltTest, TheLevelIsToldBeforeTheFirstSymbol) {
  const std::vector<Outcome> all = rig.outcomes(halt_for(3, 1, 0, 2));
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].kind, EventKind::halt_level);
  EXPECT_EQ(all[0].code, '2');
  EXPECT_EQ(all[1].kind, EventKind::phase);
  EXPECT_EQ(all[2].kind, EventKind::phase);
}

TEST(DeclineLevels, AreToldOnceWhenTheDayBeginsBehindTheSymbols) {
  EngineConfig with = config();
  with.decline_levels_e8 = {300, 200, 100};
  for (const std::uint64_t ring : {2u, 64u}) {
    EngineRig day(with, ring);
    const std::vector<Outcome> all = day.outcomes(Command{.kind = CommandKind::day_start, .session = kNoSession});
    ASSERT_EQ(all.size(), 7u) << "O, a directory and a phase for each of two symbols, the levels, S";
    EXPECT_EQ(all[5].kind, EventKind::declines);
    EXPECT_EQ(all[5].price, 300u);
    EXPECT_EQ(all[5].open, 100u);
    EXPECT_EQ(all[6].code, 'S');
  }
  EngineRig without(config());
  EXPECT_EQ(without.outcomes(Command{.kind = CommandKind::day_start, .session = kNoSession}).size(), 6u);
}

TEST_F(HaltTest, AFurtherLevelIsToldAlsoWhereAllAreHaltedAlready) {
  rig.run(operate(OperatorAction::halt, 1));
  EXPECT_EQ(rig.outcomes(halt_for(0, 2, 0, 3)).at(0).kind, EventKind::halt_level);
  EXPECT_EQ(told(halt_for(0, 3, 0, 3)).result, OperatorResult::done);
}

TEST_F(HaltTest, ARepeatWithAnotherTimeOrLevelIsAnotherCommand) {
  rig.run(halt_for(3, 1));
  EXPECT_EQ(told(halt_for(3, 1)).result, OperatorResult::done);
  EXPECT_EQ(told(halt_for(4, 1)).result, OperatorResult::other_request);
  EXPECT_EQ(told(halt_for(3, 1, 0, 1)).result, OperatorResult::other_request);
}

}  // namespace
}  // namespace crosswire::testing::halts_test
