// What goes on in turns: Mass Cancels, sessions' ends, kills, lives and closes of more orders than one turn takes, by
// hand. Against the reference exchange, in turns of every length: property_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/state.hpp"
#include "tests/engine/engine_rig.hpp"

namespace crosswire::testing::jobs_test {
namespace {

constexpr Side B = Side::buy;
constexpr Side S = Side::sell;
constexpr std::uint32_t kPrice = 1'000'000;
constexpr std::uint16_t kBusy = 0;  // who has the orders
constexpr std::uint16_t kOther = 1;

/// Account kBusy has `kOrders` bids for a share, numbered from 1, at one price.
struct Jobs : ::testing::Test {
  static constexpr std::uint32_t kActs = 40, kOrders = 3 * kActs + 8;

  Jobs() {
    rig.run(phase(Phase::continuous));
    for (std::uint32_t i = 1; i <= kOrders; ++i) rig.run(enter(kBusy, i, B, kPrice, 1));
  }
  static EngineConfig config() {
    EngineConfig config = small_config(2);
    config.max_orders = 10'000;
    return config;
  }
  static Command mass_cancel(std::uint32_t number) { return firm_wide(CommandKind::mass_cancel, kBusy, number); }
  static Command kill(std::uint64_t request) { return stop(OperatorAction::kill, request, SessionId{kBusy}); }
  static Command turn() { return plain(CommandKind::turn); }

  std::size_t cancels(const std::vector<Outcome>& outcomes) {
    return static_cast<std::size_t>(std::ranges::count(outcomes, EventKind::canceled, &Outcome::kind));
  }
  const Engine& engine() const { return rig.engine(); }

  EngineRig rig{config()};
};

TEST_F(Jobs, AMassCancelCancelsFortyOrdersBehindItselfAndAsManyBehindEachLaterCommand) {
  const auto first = rig.outcomes(mass_cancel(1'000));
  EXPECT_EQ(first.at(0).kind, EventKind::mass_cancel);
  EXPECT_EQ(cancels(first), kActs);
  const auto second = rig.outcomes(enter(kOther, 1, B, kPrice - 100, 100));
  EXPECT_EQ(second.at(0).kind, EventKind::accepted) << "who is not concerned is answered first";
  EXPECT_EQ(second.at(1).number, kActs + 1) << "and the job goes on by number";
  EXPECT_EQ(cancels(second), kActs);
  EXPECT_EQ(cancels(rig.outcomes(turn())), kActs);
  EXPECT_TRUE(engine().has_jobs());
  EXPECT_EQ(cancels(rig.outcomes(turn())), 8u);
  EXPECT_FALSE(engine().has_jobs());
  EXPECT_TRUE(rig.outcomes(turn()).empty());
  EXPECT_EQ(engine().live_orders(), 1u);
}

TEST_F(Jobs, AMassCancelOfAsManyOrdersAsATurnTakesIsDoneWithIt) {
  rig.run(mass_cancel(1'000));
  rig.finish_jobs();
  for (std::uint32_t i = 1; i <= kActs; ++i) rig.run(enter(kBusy, 1'000 + i, B, kPrice, 1));
  EXPECT_EQ(cancels(rig.outcomes(mass_cancel(2'000))), kActs);
  EXPECT_FALSE(engine().has_jobs());
}

TEST_F(Jobs, EntersAndReplacesOfTheAccountAreRejectedUntilItsJobIsDoneAndNobodyElses) {
  rig.run(mass_cancel(1'000));
  const auto entered = rig.outcomes(enter(kBusy, 1'001, B, kPrice, 1));
  EXPECT_EQ(entered.at(0).kind, EventKind::rejected);
  EXPECT_EQ(entered.at(0).code, 0x000B);
  EXPECT_EQ(rig.outcomes(replace(kBusy, kOrders, 1'002, kPrice + 100, 5)).at(0).code, 0x000B);
  EXPECT_EQ(rig.outcomes(enter(kOther, 1, B, kPrice, 1)).at(0).kind, EventKind::accepted);
  rig.finish_jobs();
  EXPECT_EQ(rig.outcomes(enter(kBusy, 1'003, B, kPrice, 1)).at(0).kind, EventKind::accepted);
}

TEST_F(Jobs, CancelsOfTheAccountAreTakenMeanwhileAndAnOrderThatIsGoneIsPassedBy) {
  rig.run(mass_cancel(1'000));
  EXPECT_EQ(rig.outcomes(cancel(kBusy, kActs + 1)).at(0).number, kActs + 1) << "where the job stood";
  EXPECT_EQ(rig.outcomes(cancel(kBusy, kOrders)).at(0).number, kOrders);
  rig.finish_jobs();
  EXPECT_EQ(engine().live_orders(), 0u);
  EXPECT_EQ(engine().counters().get(EngineCounter::canceled), kOrders);
}

TEST_F(Jobs, OrdersOfAMassCancelMayExecuteUntilTheirTurnComes) {
  rig.run(mass_cancel(1'000));
  const auto sold = rig.outcomes(enter(kOther, 1, S, kPrice, 3, TimeInForce::ioc));
  EXPECT_EQ(std::ranges::count(sold, EventKind::executed, &Outcome::kind), 3);
  EXPECT_EQ(sold.at(1).number_b, kActs + 1) << "the oldest that is left";
  rig.finish_jobs();
  EXPECT_EQ(engine().live_orders(), 0u);
}

TEST_F(Jobs, ASecondMassCancelJoinsTheFirstAndAThirdIsRejectedUnlessItMeansEverything) {
  const auto of_side = [](std::uint32_t number, Side side) {
    Command c = mass_cancel(number);
    c.firm.side = side;
    return c;
  };
  rig.run(of_side(1'000, B));
  EXPECT_EQ(rig.outcomes(of_side(1'001, S)).at(0).kind, EventKind::mass_cancel);
  EXPECT_EQ(rig.outcomes(of_side(1'002, B)).at(0).kind, EventKind::mass_cancel) << "the first again";
  rig.run(enter(kOther, 1, B, kPrice, 1));
  EngineRig slow(config());
  slow.run(phase(Phase::continuous));
  for (std::uint32_t i = 1; i <= 5'000; ++i) slow.run(enter(kBusy, i, B, kPrice, 1));
  slow.run(of_side(10'000, B));
  slow.run(of_side(10'001, S));
  const auto third = slow.outcomes(firm_wide(CommandKind::mass_cancel, kBusy, 10'002, 1));
  EXPECT_EQ(third.at(0).kind, EventKind::rejected);
  EXPECT_EQ(third.at(0).code, 0x000B);
  EXPECT_EQ(slow.outcomes(mass_cancel(10'003)).at(0).kind, EventKind::mass_cancel) << "of everything";
  EXPECT_EQ(slow.outcomes(session_close(kBusy, SessionEndReason::reset)).at(0).kind, EventKind::session_close)
      << "a session's end has a place in any case";
  slow.finish_jobs();
  EXPECT_EQ(slow.engine().live_orders(), 0u);
}

TEST_F(Jobs, OfTwoAccountsGoOnInTurnsAndWhoseCommandItIsComesFirst) {
  for (std::uint32_t i = 1; i <= 100; ++i) rig.run(enter(kOther, i, B, kPrice, 1));
  for (std::uint32_t i = 1; i <= 10; ++i) rig.run(enter(2, i, B, kPrice, 1));
  rig.run(mass_cancel(1'000));
  const auto few = rig.outcomes(firm_wide(CommandKind::mass_cancel, 2, 1'000));
  EXPECT_EQ(std::ranges::count(few, 2u, &Outcome::session), 11) << "its Response and all its orders";
  const auto whose = [&](const std::vector<Outcome>& outcomes) { return outcomes.back().session; };
  EXPECT_EQ(whose(rig.outcomes(firm_wide(CommandKind::mass_cancel, kOther, 1'000))), kOther);
  EXPECT_EQ(whose(rig.outcomes(turn())), kBusy);
  rig.finish_jobs();
  EXPECT_EQ(engine().live_orders(), 0u);
}

TEST_F(Jobs, LivesEndWhileAccountsHaveJobs) {
  Command gtt = enter(kOther, 1, B, kPrice, 1, TimeInForce::gtt);
  gtt.order.expire_seconds = 1;
  rig.run(gtt);
  EngineRig many(config());
  many.run(phase(Phase::continuous));
  many.run(gtt);
  for (std::uint32_t i = 1; i <= 5'000; ++i) many.run(enter(kBusy, i, B, kPrice, 1));
  many.run(mass_cancel(10'000));
  bool ended = false;
  const auto look = [&](const std::vector<Outcome>& outcomes) {
    for (const Outcome& o : outcomes) ended |= o.kind == EventKind::canceled && o.session == kOther;
  };
  look(many.outcomes(tick(1'000'000'000)));
  look(many.outcomes(turn()));
  EXPECT_TRUE(ended) << "every other turn begins with them";
  EXPECT_TRUE(many.engine().has_jobs());
}

TEST_F(Jobs, AMassCancelOfASideMeansWhatAModifyHasMarkedSince) {
  EngineRig marked(config());
  marked.run(phase(Phase::continuous));
  marked.run(enter(kBusy, 1, S, kPrice, 5));
  for (std::uint32_t i = 2; i <= 200; ++i) marked.run(enter(kBusy, i, Side::sell_short, kPrice, 5));
  Command shorts = mass_cancel(1'000);
  shorts.firm.side = Side::sell_short;
  marked.run(shorts);
  marked.run(modify(kBusy, 1, Side::sell_short, 5));
  shorts.firm.user_ref_num = UserRefNum{1'001};
  marked.run(shorts);
  marked.finish_jobs();
  EXPECT_EQ(marked.engine().live_orders(), 0u);
}

TEST_F(Jobs, AnAccountIsAllowedAgainWhenItsOrdersAreGone) {
  rig.run(kill(1));
  const auto allowed = rig.outcomes(stop(OperatorAction::allow, 2, SessionId{kBusy}));
  EXPECT_EQ(cancels(allowed), kOrders - kActs);
  EXPECT_EQ(engine().live_orders(), 0u);
  EXPECT_EQ(rig.outcomes(enter(kBusy, 1'000, B, kPrice, 1)).at(0).kind, EventKind::accepted);
}

TEST_F(Jobs, WhatNeedsToKnowNothingDoesNotWaitForAKill) {
  rig.run(kill(1));
  for (const Command& command : {operate(OperatorAction::halt, 2, 1), replace(kBusy, kOrders, 1'000, kPrice, 5),
                                 replace(kOther, 7, 8, kPrice, 5)}) {
    EXPECT_LE(cancels(rig.outcomes(command)), kActs);
  }
}

TEST_F(Jobs, NoOrderOfAKilledAccountExecutesFromTheKillOn) {
  rig.run(enter(kOther, 1, B, kPrice, 7));
  const auto killed = rig.outcomes(kill(1));
  EXPECT_EQ(cancels(killed), kActs);
  EXPECT_EQ(killed.back().kind, EventKind::operated);
  EXPECT_EQ(killed.back().ref_b, kOrders) << "orders that lived";
  const auto sold = rig.outcomes(enter(2, 1, S, kPrice, 10));
  const auto executed = std::ranges::count(sold, EventKind::executed, &Outcome::kind);
  EXPECT_EQ(executed, 1) << "against the one that is not of the account";
  for (const Outcome& o : sold) {
    if (o.kind == EventKind::executed) {
      EXPECT_EQ(o.session_b, kOther);
    }
    if (o.kind == EventKind::canceled) {
      EXPECT_EQ(o.code, 'S');
    }
  }
  EXPECT_EQ(cancels(sold), kOrders - kActs);
  EXPECT_EQ(rig.outcomes(enter(kBusy, 1'000, B, kPrice, 1)).at(0).code, 0x000C);
  rig.finish_jobs();
  EXPECT_EQ(engine().live_orders(), 1u) << "what was left of the sale";
}

TEST_F(Jobs, AMinimumCountsNoneOfAKilledAccountAndWaitsForNoKill) {
  rig.run(enter(kOther, 1, B, kPrice, 7));
  rig.run(kill(1));
  const auto at_least = [](std::uint32_t number, Quantity least) {
    Command sale = enter(2, number, S, kPrice, 10);
    sale.order.min_quantity = least;
    return sale;
  };
  const auto refused = rig.outcomes(at_least(1, 8));
  EXPECT_EQ(refused.at(0).code, 'D') << "seven shares are there, and eight were the least";
  EXPECT_EQ(cancels(refused), kActs) << "its own turn, and no more";
  const auto sold = rig.outcomes(at_least(2, 7));
  const auto executed = std::ranges::find(sold, EventKind::executed, &Outcome::kind);
  ASSERT_NE(executed, sold.end());
  EXPECT_EQ(executed->session_b, kOther);
  EXPECT_EQ(cancels(sold), kOrders - 2 * kActs) << "it meets those that are left on its way";
}

TEST_F(Jobs, APostOnlyOrderIsJudgedByTheBookThatItSeesAndWaitsForNoKill) {
  rig.run(kill(1));
  Command sale = enter(2, 1, S, kPrice, 10);
  sale.order.post_only = PostOnly::yes;
  const auto sold = rig.outcomes(sale);
  EXPECT_EQ(sold.at(1).code, 'G') << "the killed account's orders are still displayed";
  EXPECT_EQ(cancels(sold), 1 + kActs);
}

TEST_F(Jobs, AnOrderMeetsNoMoreOfAKilledAccountThanOfAnybody) {
  EngineConfig few = config();
  few.max_fills_per_order = 3;
  EngineRig tight(few);
  tight.run(phase(Phase::continuous));
  for (std::uint32_t i = 1; i <= kOrders; ++i) tight.run(enter(kBusy, i, B, kPrice, 1));
  tight.run(kill(1));
  const auto sold = tight.outcomes(enter(kOther, 1, S, kPrice, 10));
  EXPECT_EQ(cancels(sold), 3 + 1 + kActs) << "three that it meets, itself, and its turn";
  EXPECT_EQ(sold.at(4).code, 'Z');
}

TEST_F(Jobs, AnImbalanceIsOfTheBookAsItIsShownAndWaitsForNoKill) {
  rig.run(phase(Phase::closing_call));
  rig.run(enter(2, 1, S, kPrice, 50));
  rig.run(kill(1));
  const auto ticked = rig.outcomes(tick(kNsPerSecond));
  EXPECT_EQ(cancels(ticked), kActs);
  const auto said = std::ranges::find(ticked, EventKind::imbalance, &Outcome::kind);
  ASSERT_NE(said, ticked.end());
  EXPECT_EQ(said->quantity, 48u) << "paired with what the turns have left";
}

TEST_F(Jobs, ACrossWaitsForAKill) {
  rig.run(phase(Phase::closing_call));
  rig.run(enter(kOther, 1, B, kPrice, 5));
  rig.run(enter(2, 1, S, kPrice, 50));
  rig.run(kill(1));
  const auto crossed = rig.outcomes(phase(Phase::continuous));
  const auto done = std::ranges::find(crossed, EventKind::cross_done, &Outcome::kind);
  ASSERT_NE(done, crossed.end());
  EXPECT_EQ(done->quantity, 5u);
}

TEST_F(Jobs, LivesThatAreOverEndInTurns) {
  for (std::uint32_t i = 1; i <= kActs + 36; ++i) {
    Command gtt = enter(kOther, i, B, kPrice, 1, TimeInForce::gtt);
    gtt.order.expire_seconds = 1;
    rig.run(gtt);
  }
  const auto ticked = rig.outcomes(tick(1'000'000'000));
  EXPECT_EQ(cancels(ticked), kActs);
  EXPECT_EQ(ticked.back().kind, EventKind::tick);
  EXPECT_EQ(cancels(rig.outcomes(turn())), 36u);
  EXPECT_EQ(engine().live_orders(), kOrders);
}

TEST_F(Jobs, ACloseGoesOnInTurnsWhileTheSymbolIsClosed) {
  rig.run(enter(kOther, 1, B, kPrice, 1, TimeInForce::day, 2));
  const auto closed = rig.outcomes(phase(Phase::closed));
  EXPECT_EQ(cancels(closed), kActs);
  EXPECT_EQ(engine().phase(SymbolId{1}), Phase::closed);
  EXPECT_EQ(rig.outcomes(replace(kBusy, kOrders, 1'000, kPrice, 5)).at(0).code, 0x0002);
  EXPECT_EQ(rig.outcomes(cancel(kBusy, kOrders)).at(0).code, 'U') << "its client was faster";
  const auto rest = rig.finish_jobs();
  EXPECT_EQ(rest.back().symbol, 2u);
  EXPECT_EQ(engine().live_orders(), 0u);
}

TEST_F(Jobs, NoOrderOfAClosedBookLivesOnWhenItsSymbolIsOpenedAgain) {
  rig.run(phase(Phase::closed));
  const auto opened = rig.outcomes(phase(Phase::continuous));
  EXPECT_EQ(cancels(opened), kOrders - kActs);
  EXPECT_EQ(engine().live_orders(), 0u);
}

TEST_F(Jobs, TheDaysEndWaitsForAllJobs) {
  rig.run(phase(Phase::closed));
  const auto ended = rig.outcomes(plain(CommandKind::day_end));
  EXPECT_EQ(cancels(ended), kOrders - kActs);
  EXPECT_EQ(ended.back().kind, EventKind::day_end);
  EXPECT_EQ(engine().live_orders(), 0u);
}

TEST_F(Jobs, TheStateHashTellsHowFarAJobIs) {
  EngineRig other(config());
  other.run(phase(Phase::continuous));
  for (std::uint32_t i = 1; i <= kOrders; ++i) other.run(enter(kBusy, i, B, kPrice, 1));
  Command filtered = mass_cancel(1'000);
  filtered.firm.side = B;
  rig.run(mass_cancel(1'000));
  other.run(filtered);
  EXPECT_NE(engine().state_hash(), other.engine().state_hash()) << "the same orders live, and the jobs differ";
  rig.finish_jobs();
  other.finish_jobs();
  EXPECT_EQ(engine().live_orders(), other.engine().live_orders());
}

TEST_F(Jobs, TheSmallestRingHoldsThemAll) {
  EngineRig tight(config(), 2);
  tight.run(phase(Phase::continuous));
  for (std::uint32_t i = 1; i <= kOrders; ++i) tight.run(enter(kBusy, i, B, kPrice, 1));
  const auto wide = rig.outcomes(mass_cancel(1'000));
  EXPECT_EQ(tight.outcomes(mass_cancel(1'000)), wide);
  EXPECT_EQ(tight.finish_jobs(), rig.finish_jobs());
}

}  // namespace
}  // namespace crosswire::testing::jobs_test
