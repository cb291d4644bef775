// Breakers of an account, one sentence each: what trips them, and what they stop. (That what they count is right under
// random commands is property_test's.)
#include "engine/breakers.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/engine/limits_rig.hpp"

namespace crosswire::testing::breakers_test {
namespace {

using enum RiskLimit;
constexpr Side B = Side::buy, S = Side::sell, T = Side::sell_short;
constexpr std::uint32_t kPrice = 1'000'000;
constexpr OperatorAction kill = OperatorAction::kill, allow = OperatorAction::allow;

/// Account 3 has no limits, and trades with the others.
class BreakerOf : public LimitsRig {
 protected:
  const Breakers& breakers(std::uint16_t session) { return *rig->engine().risk().breakers(SessionId{session}); }
  bool tripped(std::uint16_t session) { return rig->engine().tripped(SessionId{session}); }
  std::uint64_t counted(EngineCounter counter) { return rig->engine().counters().get(counter); }
  /// Of too many shares.
  Command bad(std::uint32_t number) { return enter(0, number, B, kPrice, 1'000); }

  void start_with_rejects(std::int64_t most) {
    limit(0, order_quantity, 100);
    limit(0, rejects_in_a_row, most);
    start();
  }
};

TEST_F(BreakerOf, SoManyRejectedInARowStopTheAccount) {
  start_with_rejects(3);
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 10)), "A");
  EXPECT_EQ(told(bad(2)), "J 0031");
  EXPECT_EQ(told(replace(0, 1, 3, kPrice, 1'000)), "J 0031");
  EXPECT_FALSE(tripped(0));
  EXPECT_EQ(told(bad(4)), "J 0031 C") << "its order goes behind the answer that was one too many";
  EXPECT_TRUE(tripped(0));
  EXPECT_EQ(breakers(0).tripped, rejects_in_a_row);
  EXPECT_EQ(counted(EngineCounter::breaker_rejects), 1u);
  EXPECT_EQ(told(enter(0, 5, B, kPrice, 10)), "J 000c");
  EXPECT_EQ(told(enter(3, 1, B, kPrice, 10)), "A") << "others trade on";
}

TEST_F(BreakerOf, AnAcceptedOrReplacedOneInBetweenBeginsTheRowAnew) {
  start_with_rejects(2);
  EXPECT_EQ(told(bad(1)), "J 0031");
  EXPECT_EQ(told(enter(0, 2, B, kPrice, 10)), "A");
  EXPECT_EQ(told(bad(3)), "J 0031");
  EXPECT_EQ(told(replace(0, 2, 4, kPrice, 20)), "U");
  EXPECT_EQ(told(bad(5)), "J 0031");
  EXPECT_EQ(told(enter(0, 6, B, kPrice, 10, TimeInForce::ioc)), "dead") << "it was Accepted";
  EXPECT_EQ(told(bad(7)), "J 0031");
  EXPECT_EQ(told(cancel(0, 4)), "C") << "a Cancel is neither";
  EXPECT_EQ(told(bad(8)), "J 0031");
  EXPECT_TRUE(tripped(0));
}

TEST_F(BreakerOf, WhatIsRejectedForARateOrAStopIsNotInTheRow) {
  limit(0, orders_per_second, 3);
  start_with_rejects(2);
  EXPECT_EQ(told(firm_wide(CommandKind::disable, 0, 1)), "G");
  for (std::uint32_t i = 2; i <= 3; ++i) EXPECT_EQ(told(enter(0, i, B, kPrice, 10)), "J 000c");
  EXPECT_EQ(told(firm_wide(CommandKind::enable, 0, 4)), "");
  EXPECT_EQ(told(bad(5)), "J 0031");
  for (std::uint32_t i = 6; i <= 9; ++i) EXPECT_EQ(told(bad(i)), "J 0029");
  EXPECT_FALSE(tripped(0));
  EXPECT_EQ(told(2 * kNsPerSecond, bad(10)), "J 0031");
  EXPECT_TRUE(tripped(0));
}

TEST_F(BreakerOf, AHaltStopsNobodyWhoGoesOnQuoting) {
  start_with_rejects(2);
  told(phase(Phase::halted));
  for (std::uint32_t i = 1; i <= 5; ++i) EXPECT_EQ(told(enter(0, i, B, kPrice, 10)), "J 0007");
  EXPECT_FALSE(tripped(0));
  EXPECT_EQ(told(bad(6)), "J 0007") << "the phase is asked before the limits";
  EXPECT_FALSE(tripped(0));
}

TEST_F(BreakerOf, OnlyAnOperatorEndsIt) {
  start_with_rejects(1);
  EXPECT_EQ(told(bad(1)), "J 0031");
  rig->run(session_close(0, SessionEndReason::logout));
  rig->run(session_open(0));
  EXPECT_EQ(told(firm_wide(CommandKind::enable, 0, 2)), "J 000c");
  EXPECT_EQ(told(enter(0, 3, B, kPrice, 10)), "J 000c");
  EXPECT_EQ(rig->run(stop(allow, 1, SessionId{0})).back().operated.result, OperatorResult::done);
  EXPECT_EQ(counted(EngineCounter::breakers_ended), 1u);
  EXPECT_EQ(counted(EngineCounter::accounts_allowed), 0u) << "it was not killed";
  EXPECT_EQ(breakers(0).tripped, kNoBreaker);
  EXPECT_EQ(told(enter(0, 4, B, kPrice, 10)), "A");
  EXPECT_EQ(rig->run(stop(allow, 2, SessionId{0})).back().operated.result, OperatorResult::not_killed);
}

TEST_F(BreakerOf, AnAllowEndsAKillAndABreakerTogether) {
  start_with_rejects(1);
  EXPECT_EQ(told(bad(1)), "J 0031");
  EXPECT_EQ(rig->run(stop(kill, 1, SessionId{0})).back().operated.changed, 1u);
  EXPECT_EQ(rig->run(stop(allow, 2, SessionId{0})).back().operated.changed, 1u) << "account";
  EXPECT_EQ(counted(EngineCounter::accounts_allowed), 1u);
  EXPECT_EQ(counted(EngineCounter::breakers_ended), 1u);
  EXPECT_EQ(told(enter(0, 2, B, kPrice, 10)), "A");
}

TEST_F(BreakerOf, CancelsAreTakenWhileItIsTripped) {
  config.acts_of_turn = 1;
  start_with_rejects(1);
  for (std::uint32_t i = 1; i <= 3; ++i) EXPECT_EQ(told(enter(0, i, B, kPrice, 10)), "A");
  EXPECT_EQ(told(bad(4)), "J 0031 C") << "the others' turn comes";
  EXPECT_EQ(told(cancel(0, 3)), "C C");
  EXPECT_EQ(rig->engine().live_orders(), 0u);
}

TEST_F(BreakerOf, OrdersThatStayOverASessionsEndGoToo) {
  start_with_rejects(1);
  Command stays = enter(0, 1, B, kPrice, 10);
  stays.order.stay_on_disconnect = StayOnDisconnect::yes;
  stays.order.cross_type = CrossType::closing;
  EXPECT_EQ(told(stays), "A");
  EXPECT_EQ(told(bad(2)), "J 0031 C");
}

TEST_F(BreakerOf, SoManyExecutionsOfRestingOrdersWithinASecondStopTheAccount) {
  limit(0, executions_per_second_count, 3);
  start();
  for (std::uint32_t i = 1; i <= 5; ++i) EXPECT_EQ(told(0, enter(0, i, S, kPrice, 10)), "A");
  EXPECT_EQ(told(0, enter(3, 1, B, kPrice, 10)), "A E");
  EXPECT_EQ(told(kNsPerSecond, enter(3, 2, B, kPrice, 10)), "A E");
  EXPECT_EQ(told(2 * kNsPerSecond, enter(3, 3, B, kPrice, 10)), "A E") << "the first is long past";
  EXPECT_EQ(told(2 * kNsPerSecond, enter(3, 4, B, kPrice, 10)), "A E C");
  EXPECT_EQ(breakers(0).tripped, executions_per_second_count);
  EXPECT_EQ(counted(EngineCounter::breaker_executions), 1u);
}

TEST_F(BreakerOf, SoManySharesWithinASecondStopTheAccount) {
  limit(0, executions_per_second_shares, 100);
  start();
  EXPECT_EQ(told(enter(0, 1, S, kPrice, 500)), "A");
  EXPECT_EQ(told(enter(3, 1, B, kPrice, 99)), "A E");
  EXPECT_FALSE(tripped(0));
  EXPECT_EQ(told(enter(3, 2, B, kPrice, 1)), "A E C");
  EXPECT_EQ(breakers(0).tripped, executions_per_second_shares);
  EXPECT_EQ(counted(EngineCounter::breaker_shares), 1u);
}

TEST_F(BreakerOf, WhatItExecutesOnArrivalIsNotCountedNorIsACross) {
  limit(0, executions_per_second_count, 1);
  start();
  EXPECT_EQ(told(enter(3, 1, S, kPrice, 10)), "A");
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 10)), "A E");
  rig->run(phase(Phase::closing_call));
  EXPECT_EQ(told(enter(0, 2, S, kPrice, 10)), "A");
  EXPECT_EQ(told(enter(3, 2, B, kPrice, 10)), "A");
  rig->run(phase(Phase::closed));
  EXPECT_EQ(rig->engine().volume(SymbolId{1}), 20u);
  EXPECT_FALSE(tripped(0));
}

TEST_F(BreakerOf, NoOrderExecutesFromTheTrippingExecutionOnAndTheAggressorMeetsOthers) {
  limit(0, executions_per_second_count, 2);
  start();
  EXPECT_EQ(told(enter(0, 1, S, kPrice, 10)), "A");
  EXPECT_EQ(told(enter(0, 2, S, kPrice, 10)), "A");
  EXPECT_EQ(told(enter(0, 3, S, kPrice, 10)), "A");
  EXPECT_EQ(told(enter(2, 1, S, kPrice + 100, 10)), "A");
  EXPECT_EQ(told(enter(0, 4, B, kPrice - 100, 10)), "A");
  EXPECT_EQ(told(enter(3, 1, B, kPrice + 100, 30)), "A E E C E C") << "the third is cancelled in its way";
}

TEST_F(BreakerOf, AnOrderWithAMinimumGetsWhatItWasPromised) {
  limit(0, executions_per_second_count, 1);
  start();
  for (std::uint32_t i = 1; i <= 4; ++i) EXPECT_EQ(told(enter(0, i, S, kPrice, 10)), "A");
  Command all = enter(3, 1, B, kPrice, 30, TimeInForce::ioc);
  all.order.min_quantity = 30;
  EXPECT_EQ(told(all), "A E E E C");
  EXPECT_TRUE(tripped(0));
}

TEST_F(BreakerOf, ALossAtTheLimitStopsTheAccount) {
  limit(0, loss_of_day, 100 * 100);
  start();
  EXPECT_EQ(told(enter(3, 1, S, kPrice, 200)), "A");
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 100)), "A E");
  EXPECT_EQ(breakers(0).result, 0);
  EXPECT_EQ(told(enter(0, 2, S, kPrice + 500, 10)), "A");
  EXPECT_EQ(told(enter(2, 1, B, kPrice - 100, 1)), "A") << "what others trade at is nothing to it";
  EXPECT_EQ(told(enter(2, 2, S, kPrice - 100, 1)), "A E");
  EXPECT_EQ(breakers(0).result, 0);
  EXPECT_EQ(told(enter(2, 3, B, kPrice - 100, 1)), "A");
  EXPECT_EQ(told(enter(0, 3, S, kPrice - 100, 1)), "A E C") << "100 shares lost 0.01 each";
  EXPECT_EQ(breakers(0).result, -100 * 100);
  EXPECT_EQ(breakers(0).tripped, loss_of_day);
  EXPECT_EQ(counted(EngineCounter::breaker_loss), 1u);
}

TEST_F(BreakerOf, TheResultIsWhatWasEarnedAndWhatIsLeftAtItsLastPrice) {
  limit(0, loss_of_day, kMostMoney / 2);
  config.risk[0].positions = {{.symbol = SymbolId{1}, .shares = 1'000}};
  start();
  std::uint32_t number = 0;
  const auto trade = [&](Side side, std::uint32_t price, std::uint32_t shares, std::uint16_t symbol) {
    ++number;
    rig->run(enter(3, number, side == B ? S : B, price, shares, TimeInForce::day, symbol));
    EXPECT_EQ(told(enter(0, number, side, price, shares, TimeInForce::day, symbol)), "A E");
  };
  trade(B, kPrice, 100, 1);
  trade(B, kPrice + 300, 50, 1);
  trade(S, kPrice + 500, 120, 1);
  trade(B, kPrice, 10, 2);
  trade(S, kPrice - 200, 100, 1);
  // What it had when the day began counts for nothing.
  const std::int64_t cash = -100 * 1'000'000 - 50 * 1'000'300 + 120 * 1'000'500 + 100 * 999'800;
  EXPECT_EQ(breakers(0).result, cash + (100 + 50 - 120 - 100) * 999'800);
}

TEST_F(BreakerOf, ALossStopsTheOrderThatBringsIt) {
  limit(0, loss_of_day, 1'000);
  start();
  EXPECT_EQ(told(enter(3, 1, S, kPrice, 10)), "A");
  EXPECT_EQ(told(enter(3, 2, B, kPrice - 100, 10)), "A");
  EXPECT_EQ(told(enter(3, 3, B, kPrice - 200, 10)), "A");
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 10)), "A E");
  const std::vector<Outcome> outcomes = rig->outcomes(enter(0, 2, T, kPrice - 200, 20));
  ASSERT_EQ(outcomes.size(), 3u) << "Accepted, one execution, and what is left of it goes";
  EXPECT_EQ(outcomes[2].kind, EventKind::canceled);
  EXPECT_EQ(outcomes[2].code, 'S');
  EXPECT_EQ(outcomes[2].quantity, 10u);
}

TEST_F(BreakerOf, ALossLimitAloneLimitsNoPosition) {
  limit(0, loss_of_day, kMostMoney / 2);
  start();
  EXPECT_EQ(told(enter(0, 1, S, kPrice, kMaxQuantity)), "A");
  EXPECT_EQ(told(enter(0, 2, T, kPrice, kMaxQuantity)), "A");
  EXPECT_EQ(told(enter(0, 3, B, kPrice - 100, kMaxQuantity)), "A");
}

TEST_F(BreakerOf, ACrossIsDoneAsAWholeAndTheNextSymbolsIsWithoutTheAccount) {
  limit(0, loss_of_day, 1'000);
  start();
  EXPECT_EQ(told(enter(3, 1, S, kPrice, 10)), "A");
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 10)), "A E");
  rig->run(phase(Phase::halted));
  rig->run(phase(Phase::opening_call));
  std::uint32_t number = 1;
  for (const std::uint16_t symbol : {std::uint16_t{1}, std::uint16_t{2}}) {
    for (int i = 0; i < 2; ++i) {
      ++number;
      EXPECT_EQ(told(enter(0, number, S, kPrice - 100, 10, TimeInForce::day, symbol)), "A");
      EXPECT_EQ(told(enter(3, number, B, kPrice - 100, 10, TimeInForce::day, symbol)), "A");
    }
  }
  rig->run(phase(Phase::continuous));
  EXPECT_TRUE(tripped(0));
  EXPECT_EQ(rig->engine().volume(SymbolId{1}), 30u) << "both of its orders there";
  EXPECT_EQ(rig->engine().volume(SymbolId{2}), 0u);
  EXPECT_EQ(rig->engine().live_orders(), 2u);
}

TEST_F(BreakerOf, AnAllowBeginsAllCountsAnew) {
  limit(0, order_quantity, 100);
  limit(0, rejects_in_a_row, 2);
  limit(0, executions_per_second_count, 2);
  limit(0, loss_of_day, 1'000);
  start();
  EXPECT_EQ(told(enter(3, 1, S, kPrice, 10)), "A");
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 10)), "A E");
  EXPECT_EQ(told(enter(0, 2, S, kPrice - 50 * 100, 10)), "A");
  EXPECT_EQ(told(enter(3, 2, B, kPrice, 1)), "A E C") << "at 0.50 less";
  EXPECT_TRUE(tripped(0));
  rig->run(stop(allow, 1, SessionId{0}));
  EXPECT_EQ(breakers(0).result, 0);
  EXPECT_EQ(breakers(0).executions.taken(rig->engine().time_ns()), 0u);
  EXPECT_EQ(told(bad(3)), "J 0031");
  rig->run(stop(kill, 2, SessionId{0}));
  rig->run(stop(allow, 3, SessionId{0}));
  EXPECT_EQ(told(bad(4)), "J 0031");
  EXPECT_TRUE(tripped(0)) << "what ended a kill left the row of an account that its breaker had not stopped";
}

TEST_F(BreakerOf, ABreakerBehindTheDaysEndSaysNothingOfOrders) {
  start_with_rejects(1);
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 10)), "A");
  rig->run(plain(CommandKind::day_end));
  EXPECT_EQ(told(bad(2)), "J 0031");
  EXPECT_TRUE(tripped(0));
}

TEST(RollingCountOf, IsReachedByWhatASecondHas) {
  RollingCount count;
  count.set_limit(100);
  EXPECT_FALSE(count.add(0, 99));
  EXPECT_FALSE(count.add(kNsPerSecond + RollingCount::kBucketNs, 99)) << "the first are past";
  EXPECT_TRUE(count.add(kNsPerSecond + RollingCount::kBucketNs, 1));
  count.begin_anew();
  EXPECT_EQ(count.limit(), 100u);
  EXPECT_FALSE(count.add(kNsPerSecond + RollingCount::kBucketNs, 99));
  EXPECT_TRUE(count.add(kNsPerSecond + RollingCount::kBucketNs, 1'000'000)) << "beyond it too";
  RollingCount none;
  EXPECT_FALSE(none.add(kNsPerDay, 1'000'000'000));
}

}  // namespace
}  // namespace crosswire::testing::breakers_test
