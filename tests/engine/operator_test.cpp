// What operators do to the market, one sentence each.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/engine.hpp"
#include "tests/engine/engine_rig.hpp"

namespace crosswire::testing::operator_test {
namespace {

constexpr Side B = Side::buy, S = Side::sell;
constexpr std::uint32_t kPrice = 1'000'000;
constexpr SymbolId kOne{1}, kTwo{2};
constexpr OperatorAction halt = OperatorAction::halt, resume = OperatorAction::resume;

class OperatorTest : public ::testing::Test {
 protected:
  OperatorTest() { rig.run(phase(Phase::continuous)); }

  /// The last event of a command, which is its answer.
  Operated told(const Command& command) {
    const std::vector<Event> events = rig.run(command);
    EXPECT_FALSE(events.empty());
    EXPECT_EQ(events.back().kind, EventKind::operated);
    return events.back().operated;
  }
  Phase phase_of(SymbolId symbol) { return rig.engine().phase(symbol); }

  EngineRig rig{small_config(2)};
};

TEST_F(OperatorTest, AHaltStopsTheSymbolAndNoOther) {
  const Operated answer = told(operate(halt, 1, 1));
  EXPECT_EQ(answer.result, OperatorResult::done);
  EXPECT_EQ(answer.changed, 1);
  EXPECT_EQ(phase_of(kOne), Phase::halted);
  EXPECT_EQ(phase_of(kTwo), Phase::continuous);
  EXPECT_EQ(rig.outcomes(enter(0, 1, B, kPrice, 100)).at(0).code, 0x0007);
}

TEST_F(OperatorTest, AHaltOutlastsTheSchedulesChangesAndAResumeEntersWhatItHasByThen) {
  rig.run(operate(halt, 1, 1));
  rig.run(phase(Phase::halted));
  rig.run(phase(Phase::closing_call));
  EXPECT_EQ(phase_of(kOne), Phase::halted);
  EXPECT_EQ(phase_of(kTwo), Phase::closing_call);
  EXPECT_EQ(told(operate(resume, 2, 1)).result, OperatorResult::done);
  EXPECT_EQ(phase_of(kOne), Phase::closing_call);
}

TEST_F(OperatorTest, AHaltEndsWithTheDay) {
  rig.run(enter(0, 1, B, kPrice, 100));
  rig.run(operate(halt, 1));
  rig.run(phase(Phase::closed));
  EXPECT_EQ(phase_of(kOne), Phase::closed);
  EXPECT_EQ(rig.engine().live_orders(), 0u);
  EXPECT_EQ(told(operate(resume, 2)).result, OperatorResult::not_halted);
}

TEST_F(OperatorTest, AHaltOfAClosedSymbolKeepsItClosedUntilItIsResumed) {
  rig.run(operate(OperatorAction::phase, 1, 1, Phase::closed));
  EXPECT_EQ(told(operate(halt, 2, 1)).result, OperatorResult::done);
  rig.run(phase(Phase::continuous));
  EXPECT_EQ(phase_of(kOne), Phase::closed);
  const Operated answer = told(operate(resume, 3, 1));
  EXPECT_EQ(answer.result, OperatorResult::done);
  EXPECT_EQ(answer.phase, Phase::continuous);
}

TEST_F(OperatorTest, AResumeSaysWhichPhaseTheSymbolHasNow) {
  rig.run(operate(halt, 1, 1));
  rig.run(phase(Phase::halted, 1));
  const Operated answer = told(operate(resume, 2, 1));
  EXPECT_EQ(answer.result, OperatorResult::done);
  EXPECT_EQ(answer.phase, Phase::halted) << "by the schedule";
}

TEST_F(OperatorTest, ARequestNumberOfAnotherCommandIsRefusedAndNamesThatCommand) {
  const std::vector<Event> first = rig.run(operate(halt, 8, 1));
  for (const Command& other : {operate(halt, 8), operate(resume, 8, 1), operate(halt, 8, 2),
                               operate(OperatorAction::phase, 8, 1, Phase::closed)}) {
    const Operated answer = told(other);
    EXPECT_EQ(answer.result, OperatorResult::other_request);
    EXPECT_EQ(answer.done_by, first.back().cause);
    EXPECT_EQ(answer.action, other.operate.action);
  }
  EXPECT_EQ(phase_of(kOne), Phase::halted);
  EXPECT_EQ(phase_of(kTwo), Phase::continuous);
  EXPECT_EQ(told(operate(halt, 8, 1)).result, OperatorResult::done) << "the same again";
}

TEST_F(OperatorTest, AHaltOfTheSchedulesIsNotAnOperatorsToResume) {
  rig.run(phase(Phase::halted, 1));
  EXPECT_EQ(told(operate(resume, 1, 1)).result, OperatorResult::not_halted);
  EXPECT_EQ(phase_of(kOne), Phase::halted);
}

TEST_F(OperatorTest, OneThatTakesOverTheSchedulesHaltKeepsIt) {
  rig.run(phase(Phase::halted, 1));
  EXPECT_EQ(told(operate(halt, 1, 1)).changed, 1);
  rig.run(phase(Phase::continuous, 1));
  EXPECT_EQ(phase_of(kOne), Phase::halted);
}

TEST_F(OperatorTest, AResumeIntoTradingCrossesWhatMeetsInTheBook) {
  rig.run(phase(Phase::opening_call, 1));
  rig.run(enter(0, 1, B, kPrice, 100));
  rig.run(enter(1, 1, S, kPrice, 100));
  rig.run(operate(halt, 1, 1));
  rig.run(phase(Phase::continuous, 1));
  const auto all = rig.outcomes(operate(resume, 2, 1));
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].kind, EventKind::crossed);
  EXPECT_EQ(all[0].code, 'H');
  EXPECT_EQ(all[2].kind, EventKind::phase);
  EXPECT_EQ(all[3].kind, EventKind::operated);
}

TEST_F(OperatorTest, APhaseByHandIsAsIfTheScheduleSaidSo) {
  const Operated answer = told(operate(OperatorAction::phase, 1, 0, Phase::closing_call));
  EXPECT_EQ(answer.result, OperatorResult::done);
  EXPECT_EQ(answer.changed, 2);
  EXPECT_EQ(phase_of(kOne), Phase::closing_call);
  rig.run(phase(Phase::continuous));
  EXPECT_EQ(phase_of(kTwo), Phase::continuous);
}

TEST_F(OperatorTest, APhaseByHandSaysWhichSymbolsStayHalted) {
  rig.run(operate(halt, 1, 2));
  const Operated answer = told(operate(OperatorAction::phase, 2, 0, Phase::closing_call));
  EXPECT_EQ(answer.changed, 1);
  EXPECT_EQ(answer.held, 1);
  EXPECT_EQ(phase_of(kTwo), Phase::halted);
}

TEST_F(OperatorTest, CountsTheSymbolsThatAreHeldAndThoseThatAreLetGo) {
  const auto held_now = [this] {
    return rig.engine().counters().get(EngineCounter::symbols_held) -
           rig.engine().counters().get(EngineCounter::symbols_released);
  };
  rig.run(operate(halt, 1));
  EXPECT_EQ(held_now(), 2u);
  rig.run(operate(halt, 2));
  EXPECT_EQ(held_now(), 2u) << "they are halted already";
  rig.run(operate(resume, 3, 1));
  EXPECT_EQ(held_now(), 1u);
  rig.run(phase(Phase::continuous));
  EXPECT_EQ(held_now(), 1u);
  rig.run(phase(Phase::closed));
  EXPECT_EQ(held_now(), 0u);
}

TEST_F(OperatorTest, APhaseByHandOpensAndClosesTheMarket) {
  rig.run(operate(OperatorAction::phase, 1, 0, Phase::closed));
  const auto opened = rig.outcomes(operate(OperatorAction::phase, 2, 1, Phase::continuous));
  EXPECT_EQ(opened.at(0).code, 'Q');
  const auto closed = rig.outcomes(operate(OperatorAction::phase, 3, 1, Phase::closed));
  ASSERT_EQ(closed.size(), 3u);
  EXPECT_EQ(closed[1].code, 'M');
}

TEST_F(OperatorTest, ARequestThatIsRepeatedIsAnsweredAndNotDoneAgain) {
  const std::vector<Event> first = rig.run(operate(halt, 77, 1));
  rig.run(operate(resume, 78, 1));
  const std::vector<Event> again = rig.run(operate(halt, 77, 1));
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].operated.result, OperatorResult::done);
  EXPECT_EQ(again[0].operated.done_by, first.back().cause);
  EXPECT_NE(again[0].cause, first.back().cause);
  EXPECT_EQ(phase_of(kOne), Phase::continuous);
}

TEST_F(OperatorTest, ARequestIsRememberedThroughSoManyOthersAndNoLonger) {
  rig.run(operate(halt, 1, 1));
  for (std::uint64_t i = 1; i < OperatorLog::kKept; ++i) rig.run(operate(halt, 1 + i, 1));
  EXPECT_EQ(told(operate(halt, 1, 1)).result, OperatorResult::done);  // the first one's
  rig.run(operate(halt, 5000, 1));
  EXPECT_EQ(told(operate(halt, 1, 1)).result, OperatorResult::halted_already);  // judged anew
}

TEST_F(OperatorTest, WhatReceiveRefusesIsAnsweredAndChangesNothing) {
  Command unknown = operate(halt, 1);
  unknown.operate.refused = OperatorResult::unknown_symbol;
  EXPECT_EQ(told(unknown).result, OperatorResult::unknown_symbol);
  EXPECT_EQ(phase_of(kOne), Phase::continuous);
}

TEST_F(OperatorTest, ADayWithoutOperatorsHashesAsIfThereWereNone) {
  EngineRig other{small_config(2)};
  other.run(phase(Phase::continuous));
  EXPECT_EQ(rig.engine().state_hash(), other.engine().state_hash());
  other.run(operate(halt, 1, 1));
  const std::uint64_t halted = other.engine().state_hash();
  other.run(operate(resume, 2, 1));
  EXPECT_NE(rig.engine().state_hash(), halted);
  EXPECT_NE(rig.engine().state_hash(), other.engine().state_hash());  // what it would answer to a repeat
}

TEST_F(OperatorTest, EachCommandsSlotComesBack) {
  const std::uint64_t free = rig.free_slots();
  for (std::uint64_t i = 1; i <= 200; ++i) rig.run(operate(i % 2 == 0 ? resume : halt, i % 151 + 1));
  rig.run(tick(kTickIntervalNs));
  EXPECT_EQ(rig.free_slots(), free);
}

TEST_F(OperatorTest, KnowsWhichAccountsAreOfOneFirm) {
  EngineConfig config = small_config(1);
  config.firms = {FirmId{0}, FirmId{1}, FirmId{0}, FirmId{2}};
  EngineRig firms(config);
  EXPECT_EQ(firms.engine().firm_of(SessionId{0}), firms.engine().firm_of(SessionId{2}));
  EXPECT_NE(firms.engine().firm_of(SessionId{1}), firms.engine().firm_of(SessionId{3}));
  EXPECT_EQ(rig.engine().firm_of(SessionId{3}), FirmId{3});
}

// ---- Kills ----

constexpr OperatorAction kill = OperatorAction::kill, allow = OperatorAction::allow;

TEST_F(OperatorTest, AKillCancelsTheAccountsOrdersAndTakesNoMore) {
  rig.run(enter(0, 1, B, kPrice, 100));
  rig.run(enter(0, 2, B, kPrice, 100, TimeInForce::day, 2));
  rig.run(enter(1, 1, B, kPrice, 100));
  const std::vector<Outcome> outcomes = rig.outcomes(stop(kill, 1, SessionId{0}));
  ASSERT_EQ(outcomes.size(), 3u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(outcomes[i].kind, EventKind::canceled);
    EXPECT_EQ(outcomes[i].code, 'S');
    EXPECT_EQ(outcomes[i].session, 0u);
  }
  EXPECT_EQ(outcomes[2].quantity, 1u) << "account";
  EXPECT_EQ(outcomes[2].ref_b, 2u) << "orders";
  EXPECT_TRUE(rig.engine().killed(SessionId{0}));
  EXPECT_EQ(rig.outcomes(enter(0, 3, B, kPrice, 100)).at(0).code, 0x000C);
  EXPECT_EQ(rig.engine().live_orders(), 1u);
  EXPECT_EQ(rig.outcomes(enter(1, 2, S, kPrice, 50)).size(), 2u) << "others trade on";
}

TEST_F(OperatorTest, AKilledAccountCannotEnableItself) {
  rig.run(stop(kill, 1, SessionId{0}));
  rig.run(session_open(0, 'T'));
  const Outcome refused = rig.outcomes(firm_wide(CommandKind::enable, 0, 1)).at(0);
  EXPECT_EQ(refused.kind, EventKind::rejected);
  EXPECT_EQ(refused.code, 0x000C);
  EXPECT_EQ(rig.outcomes(enter(0, 2, B, kPrice, 100)).at(0).code, 0x000C);
  EXPECT_EQ(told(stop(allow, 2, SessionId{0})).result, OperatorResult::done);
  EXPECT_EQ(rig.outcomes(enter(0, 3, B, kPrice, 100)).at(0).kind, EventKind::accepted);
}

TEST_F(OperatorTest, AnAllowLeavesWhatTheClientItselfHasStopped) {
  rig.run(firm_wide(CommandKind::disable, 0, 1));
  rig.run(stop(kill, 1, SessionId{0}));
  rig.run(stop(allow, 2, SessionId{0}));
  EXPECT_EQ(rig.outcomes(enter(0, 2, B, kPrice, 100)).at(0).code, 0x000C);
  rig.run(firm_wide(CommandKind::enable, 0, 3));
  EXPECT_EQ(rig.outcomes(enter(0, 4, B, kPrice, 100)).at(0).kind, EventKind::accepted);
}

Command kill_itself(std::uint16_t session, std::uint32_t number) {
  Command c = firm_wide(CommandKind::disable, session, number);
  c.firm.kills = true;
  return c;
}

using FirmKill = OperatorTest;

TEST_F(FirmKill, OfTheAccountItselfIsAsAnOperators) {
  rig.run(enter(0, 1, B, kPrice, 100));
  const auto all = rig.outcomes(kill_itself(0, 2));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].kind, EventKind::disable);
  EXPECT_EQ(all[1].kind, EventKind::canceled);
  EXPECT_EQ(all[1].code, 'S');
  EXPECT_EQ(rig.outcomes(enter(0, 3, B, kPrice, 100)).at(0).code, 0x000C);
  EXPECT_EQ(rig.outcomes(firm_wide(CommandKind::enable, 0, 4)).at(0).code, 0x000C);
  EXPECT_TRUE(rig.engine().killed(SessionId{0})) << "also over the day's end";
  EXPECT_EQ(told(stop(OperatorAction::allow, 1, SessionId{0})).result, OperatorResult::done);
  EXPECT_EQ(rig.outcomes(enter(0, 5, B, kPrice, 100)).at(0).kind, EventKind::accepted);
}

TEST_F(FirmKill, NoneOfItsOrdersExecutesFromThereOn) {
  for (std::uint32_t i = 1; i <= 200; ++i) rig.run(enter(0, i, B, kPrice, 10));
  rig.run(kill_itself(0, 201));
  const auto all = rig.outcomes(enter(1, 1, S, kPrice, 10, TimeInForce::ioc));
  EXPECT_EQ(std::ranges::count(all, EventKind::executed, &Outcome::kind), 0);
}

TEST_F(OperatorTest, AKillOfAFirmIsOfAllItsAccounts) {
  EngineConfig config = small_config(2);
  config.firms = {FirmId{0}, FirmId{1}, FirmId{0}, FirmId{1}};
  EngineRig firms(config, 2);
  firms.run(phase(Phase::continuous));
  for (std::uint16_t session = 0; session < 4; ++session)
    for (std::uint32_t i = 1; i <= 3; ++i) firms.run(enter(session, i, B, kPrice - 100 * i, 100));
  const Operated answer = firms.run(stop(kill, 1, kNoSession, FirmId{0})).back().operated;
  EXPECT_EQ(answer.changed, 2u);
  EXPECT_EQ(answer.canceled, 6u);
  EXPECT_EQ(firms.engine().live_orders(), 6u);
  EXPECT_TRUE(firms.engine().killed(SessionId{2}));
  EXPECT_FALSE(firms.engine().killed(SessionId{3}));
}

TEST_F(OperatorTest, WhatIsAlreadySoIsRefused) {
  EXPECT_EQ(told(stop(allow, 1, SessionId{0})).result, OperatorResult::not_killed);
  EXPECT_EQ(told(stop(kill, 2, SessionId{0})).result, OperatorResult::done);
  EXPECT_EQ(told(stop(kill, 3, SessionId{0})).result, OperatorResult::killed_already);
  EXPECT_EQ(told(stop(kill, 2, SessionId{0})).result, OperatorResult::done) << "a repeat gets its answer";
  EXPECT_EQ(told(stop(kill, 2, SessionId{1})).result, OperatorResult::other_request);
  EXPECT_FALSE(rig.engine().killed(SessionId{1}));
}

TEST_F(OperatorTest, AKillBehindTheDaysEndSaysNothingOfOrders) {
  rig.run(enter(0, 1, B, kPrice, 100));
  rig.run(plain(CommandKind::day_end));
  const std::vector<Outcome> outcomes = rig.outcomes(stop(kill, 1, SessionId{0}));
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].quantity, 1u);
  EXPECT_TRUE(rig.engine().killed(SessionId{0}));
}

TEST_F(OperatorTest, AKillTakesOrdersThatWaitForACall) {
  Command on_close = enter(0, 1, B, kPrice, 100);
  on_close.order.cross_type = CrossType::closing;
  on_close.order.stay_on_disconnect = StayOnDisconnect::yes;
  rig.run(on_close);
  EXPECT_EQ(told(stop(kill, 1, SessionId{0})).canceled, 1u);
  EXPECT_EQ(rig.engine().live_orders(), 0u);
}

}  // namespace
}  // namespace crosswire::testing::operator_test
