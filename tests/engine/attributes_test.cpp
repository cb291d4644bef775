// Order attributes beyond the limit order for the day, one sentence each. (That they hold together is property_test's.)
#include <gtest/gtest.h>

#include "tests/engine/engine_rig.hpp"

namespace crosswire::testing::attributes_test {
namespace {

constexpr Side B = Side::buy, S = Side::sell;
constexpr std::uint32_t kPrice = 1'000'000;

Command hidden(Command c) {
  c.order.display = Display::hidden;
  return c;
}
Command attributable(Command c) {
  c.order.display = Display::attributable;
  return c;
}
Command at_least(Quantity shares, Command c) {
  c.order.min_quantity = shares;
  return c;
}
Command post_only(Command c, PostOnly is = PostOnly::yes) {
  c.order.post_only = is;
  return c;
}
Command lives(std::uint32_t seconds, Command c) {
  c.order.time_in_force = TimeInForce::gtt;
  c.order.expire_seconds = seconds;
  return c;
}
Command for_cross(CrossType cross, Command c) {
  c.order.cross_type = cross;
  return c;
}
Command on_channel(Channel channel, Command c) {
  c.order.user_ref_idx = channel;
  return c;
}
Command at(TimeNs time_ns, Command c) {
  c.time_ns = time_ns;
  return c;
}

class Attributes : public ::testing::Test {
 protected:
  Attributes() { rig.run(phase(Phase::continuous)); }

  Outcome only(const Command& command) {
    const auto all = rig.outcomes(command);
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? Outcome{} : all[0];
  }
  void silent(const Command& command) { EXPECT_TRUE(rig.outcomes(command).empty()); }
  /// Reasons and owners of what the command cancels.
  std::string cancels(const Command& command) {
    std::string text;
    for (const Outcome& o : rig.outcomes(command)) {
      if (o.kind == EventKind::canceled)
        text += std::to_string(o.session) + "/" + std::to_string(o.number) + char(o.code) + " ";
    }
    return text;
  }

  EngineRig rig{small_config(2)};
};

// ---- Hidden and attributable ----

TEST_F(Attributes, HiddenOrdersExecuteBehindTheDisplayedOfTheirPriceAndBeforeWorsePrices) {
  rig.run(hidden(enter(0, 1, S, kPrice, 100)));
  rig.run(enter(0, 2, S, kPrice, 100));
  rig.run(hidden(enter(0, 3, S, kPrice, 100)));
  rig.run(enter(0, 4, S, kPrice, 100));
  rig.run(enter(0, 5, S, kPrice + 100, 100));
  const auto all = rig.outcomes(enter(1, 1, B, kPrice + 100, 500));
  ASSERT_EQ(all.size(), 6u);
  const std::uint32_t order[] = {2, 4, 1, 3, 5};
  for (std::size_t i = 0; i < std::size(order); ++i) EXPECT_EQ(all[i + 1].number_b, order[i]);
  EXPECT_NE(all[1].ref_b, 0u);
  EXPECT_EQ(all[3].ref_b, 0u) << "a hidden order has no reference on the feed";
}

TEST_F(Attributes, TheFeedSaysNothingOfAHiddenOrdersComingAndGoing) {
  EXPECT_EQ(only(hidden(enter(0, 1, B, kPrice, 100))).feed, int(FeedAction::none));
  EXPECT_EQ(only(cancel(0, 1, 50)).feed, int(FeedAction::none));
  EXPECT_EQ(only(cancel(0, 1)).feed, int(FeedAction::none));
}

TEST_F(Attributes, AReplaceThatHidesIsADeleteAndOneThatShowsAnAdd) {
  rig.run(enter(0, 1, B, kPrice, 100));
  EXPECT_EQ(only(hidden(replace(0, 1, 2, kPrice, 100))).feed, int(FeedAction::remove));
  EXPECT_EQ(only(hidden(replace(0, 2, 3, kPrice - 100, 100))).feed, int(FeedAction::none));
  EXPECT_EQ(only(replace(0, 3, 4, kPrice, 100)).feed, int(FeedAction::add));
}

TEST_F(Attributes, AReplaceThatNamesTheFirmIsADeleteAndAnAddSinceItchKeepsTheAttribution) {
  rig.run(enter(0, 1, B, kPrice, 100));
  const auto all = rig.outcomes(attributable(replace(0, 1, 2, kPrice, 100)));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].feed, int(FeedAction::remove));
  EXPECT_EQ(all[1].kind, EventKind::rested);
  EXPECT_EQ(all[1].feed, int(FeedAction::add));
  EXPECT_EQ(only(attributable(replace(0, 2, 3, kPrice, 100))).feed, int(FeedAction::replace));
}

TEST_F(Attributes, AReplaceInItsPlaceNeedsNothingThatItDoesNotGiveBack) {
  EngineConfig config = small_config();
  config.max_levels = 10;
  EngineRig scattered(config);
  scattered.run(phase(Phase::continuous));
  // Prices that share nothing of their way through the ladder use its nodes up while there are levels left.
  const auto price_of = [](std::uint32_t number) { return 100 + number * 190'000'000; };
  std::uint32_t number = 1;
  while (scattered.outcomes(enter(0, number, B, price_of(number), 100)).at(0).kind == EventKind::accepted) ++number;
  ASSERT_GT(number, 3u);
  ASSERT_GT(scattered.engine().pools().levels.free_count(), 0u);
  const auto all = scattered.outcomes(attributable(replace(0, 2, number + 1, price_of(2), 100)));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].kind, EventKind::replaced);
  EXPECT_EQ(all[1].kind, EventKind::rested);
}

// ---- MinQty and FOK ----

TEST_F(Attributes, FillOrKillExecutesWholeOrNotAtAll) {
  rig.run(enter(0, 1, S, kPrice, 100));
  rig.run(enter(0, 2, S, kPrice + 100, 100));
  const auto killed = only(at_least(201, enter(1, 1, B, kPrice + 100, 201, TimeInForce::ioc)));
  EXPECT_EQ(killed.code, 'D');
  EXPECT_EQ(killed.open, 0u);
  const auto filled = rig.outcomes(at_least(200, enter(1, 2, B, kPrice + 100, 200, TimeInForce::ioc)));
  ASSERT_EQ(filled.size(), 3u);
  EXPECT_EQ(filled[2].quantity, 100u);
}

TEST_F(Attributes, AMinimumCountsWhatIsWithinTheLimitHiddenSharesIncluded) {
  rig.run(hidden(enter(0, 1, S, kPrice, 60)));
  rig.run(enter(0, 2, S, kPrice + 100, 100));
  EXPECT_EQ(only(at_least(61, enter(1, 1, B, kPrice, 200))).code, 'D') << "a day order dies as well";
  const auto all = rig.outcomes(at_least(60, enter(1, 2, B, kPrice, 200)));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[2].kind, EventKind::rested);
  EXPECT_EQ(all[2].open, 140u) << "the minimum met, the rest is an ordinary order";
}

TEST_F(Attributes, AMinimumDiesWhereNothingExecutesAtOnce) {
  EXPECT_EQ(only(at_least(1, enter(0, 1, B, kPrice, 100))).code, 'D');
  rig.run(phase(Phase::closing_call));
  rig.run(enter(0, 2, S, kPrice, 100));
  EXPECT_EQ(only(at_least(1, enter(1, 1, B, kPrice, 100))).code, 'D');
}

TEST_F(Attributes, AMinimumAboveTheQuantityIsRejected) {
  EXPECT_EQ(only(at_least(101, enter(0, 1, B, kPrice, 100))).code, 0x000D);
}

TEST_F(Attributes, AMinimumIsLookedForInTheBest128LevelsOnly) {
  EngineConfig config = small_config();
  config.max_orders = config.max_levels = 10'000;
  EngineRig deep(config);
  deep.run(phase(Phase::continuous));
  for (std::uint32_t i = 0; i < 129; ++i) deep.run(enter(0, i + 1, S, kPrice + 100 * i, 1));
  const std::uint32_t limit = kPrice + 1'000'000;
  EXPECT_EQ(deep.outcomes(at_least(129, enter(1, 1, B, limit, 129, TimeInForce::ioc))).at(0).code, 'D');
  EXPECT_EQ(deep.outcomes(at_least(128, enter(1, 2, B, limit, 129, TimeInForce::ioc))).size(), 130u);
}

// ---- Post-only ----

TEST_F(Attributes, PostOnlyRestsWhereNothingIsToExecuteAndIsCancelledWhereSomethingIs) {
  EXPECT_EQ(only(post_only(enter(0, 1, S, kPrice, 100))).feed, int(FeedAction::add));
  EXPECT_EQ(cancels(post_only(enter(1, 1, B, kPrice, 100))), "1/1G ");
  rig.run(cancel(0, 1));
  rig.run(hidden(enter(0, 2, S, kPrice, 100)));
  EXPECT_EQ(cancels(post_only(enter(1, 2, B, kPrice, 100))), "1/2F ");
  EXPECT_EQ(rig.engine().live_orders(), 1u);
}

TEST_F(Attributes, AReplaceKeepsPostOnlyUnlessItSaysOtherwise) {
  rig.run(enter(0, 1, S, kPrice, 100));
  rig.run(post_only(enter(1, 1, B, kPrice - 100, 100)));
  const auto all = rig.outcomes(replace(1, 1, 2, kPrice, 100));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].feed, int(FeedAction::remove));
  EXPECT_EQ(all[1].code, 'G');
  rig.run(post_only(enter(1, 3, B, kPrice - 100, 100)));
  EXPECT_EQ(rig.outcomes(post_only(replace(1, 3, 4, kPrice, 100), PostOnly::no)).at(1).kind, EventKind::executed);
}

TEST_F(Attributes, PostOnlyWithWhatCanOnlyTakeIsRejected) {
  EXPECT_EQ(only(post_only(enter(0, 1, B, kPrice, 100, TimeInForce::ioc))).code, 0x000F);
  EXPECT_EQ(only(post_only(at_least(10, enter(0, 2, B, kPrice, 100)))).code, 0x000F);
}

// ---- Good till time ----

TEST_F(Attributes, AGoodTillTimeOrderEndsWithTheSecondInWhichItsLifeDoes) {
  rig.run(at(1'500'000'000, lives(2, enter(0, 1, B, kPrice, 100))));
  EXPECT_EQ(cancels(tick(3'900'000'000)), "");
  EXPECT_EQ(cancels(tick(4'000'000'000)), "0/1T ");
  EXPECT_EQ(cancels(tick(5'000'000'000)), "");
}

TEST_F(Attributes, LivesEndInTheOrderOfTheirSecondsAndThenOfTheirOrders) {
  rig.run(lives(3, enter(0, 1, B, kPrice, 100)));
  rig.run(lives(2, enter(1, 1, B, kPrice, 100)));
  rig.run(lives(3, enter(2, 1, B, kPrice, 100)));
  rig.run(lives(86'399, enter(3, 1, B, kPrice, 100)));
  EXPECT_EQ(cancels(tick(9'000'000'000)), "1/1T 0/1T 2/1T ");
  EXPECT_EQ(cancels(tick(86'398'000'000'000)), "");
  EXPECT_EQ(cancels(tick(86'399'000'000'000)), "3/1T ");
}

TEST_F(Attributes, AReplaceKeepsTheLifeUnlessItNamesOne) {
  rig.run(lives(2, enter(0, 1, B, kPrice, 100)));
  rig.run(lives(2, enter(1, 1, B, kPrice, 100)));
  rig.run(at(1'000'000'000, replace(0, 1, 2, kPrice, 100, TimeInForce::gtt)));
  rig.run(at(1'000'000'000, replace(0, 2, 3, kPrice, 100, TimeInForce::gtt)));
  rig.run(at(1'000'000'000, lives(2, replace(1, 1, 2, kPrice, 100, TimeInForce::gtt))));
  EXPECT_EQ(cancels(tick(2'000'000'000)), "0/3T ");
  EXPECT_EQ(cancels(tick(3'000'000'000)), "1/2T ");
  rig.run(lives(2, enter(0, 4, B, kPrice, 100)));
  rig.run(replace(0, 4, 5, kPrice, 100));
  EXPECT_EQ(cancels(tick(60'000'000'000)), "") << "a Replace for the day takes the life's end away";
}

TEST_F(Attributes, AnExecutedOrCancelledOrderHasNoLifeLeftToEnd) {
  rig.run(lives(1, enter(0, 1, B, kPrice, 100)));
  rig.run(lives(1, enter(0, 2, B, kPrice, 100)));
  rig.run(enter(1, 1, S, kPrice, 100));
  rig.run(cancel(0, 2));
  EXPECT_EQ(cancels(tick(10'000'000'000)), "");
}

TEST_F(Attributes, LifeAndTimeInForceBelongTogether) {
  EXPECT_EQ(only(lives(0, enter(0, 1, B, kPrice, 100))).code, 0x000F);
  Command day = enter(0, 2, B, kPrice, 100);
  day.order.expire_seconds = 5;
  EXPECT_EQ(only(day).code, 0x000F);
  rig.run(enter(0, 3, B, kPrice, 100));
  EXPECT_EQ(cancels(replace(0, 3, 4, kPrice, 100, TimeInForce::gtt)), "0/3Z ") << "there is no life to keep";
}

// ---- On-open and on-close ----

TEST_F(Attributes, AnOnOpenOrderTradesInTheOpeningCrossAndEndsWithIt) {
  rig.run(phase(Phase::opening_call));
  EXPECT_EQ(only(for_cross(CrossType::opening, enter(0, 1, B, kPrice, 100))).feed, int(FeedAction::none));
  rig.run(enter(1, 1, S, kPrice, 40));
  const auto all = rig.outcomes(phase(Phase::continuous, 1));
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].kind, EventKind::crossed);
  EXPECT_EQ(all[0].ref, 0u);
  EXPECT_EQ(all[2].kind, EventKind::canceled);
  EXPECT_EQ(all[2].code, 'T');
  EXPECT_EQ(all[2].quantity, 60u);
}

TEST_F(Attributes, AnImbalanceTellsThePriceOfAllOrdersAndThatOfThoseForTheCrossAlone) {
  rig.run(phase(Phase::opening_call));
  auto imbalance = [&, seconds = TimeNs{0}]() mutable {
    const auto all = rig.outcomes(tick(++seconds * kNsPerSecond));
    EXPECT_EQ(all.at(0).kind, EventKind::imbalance);
    return all.at(0);
  };
  rig.run(enter(0, 1, B, kPrice + 20'000, 11));
  rig.run(enter(1, 1, S, kPrice + 10'000, 10));
  Outcome told = imbalance();
  EXPECT_EQ(told.price, kPrice + 20'000u) << "not the last price, at which 0 would be paired";
  EXPECT_EQ(told.quantity, 10u);
  EXPECT_EQ(told.open, 1u);
  EXPECT_EQ(told.ref, 0u) << "no order is for the cross alone";

  rig.run(for_cross(CrossType::opening, enter(0, 2, B, kPrice, 5)));
  EXPECT_EQ(imbalance().ref, 0u) << "of those for the cross there are buyers only";
  rig.run(for_cross(CrossType::opening, enter(1, 2, S, kPrice - 10'000, 7)));
  told = imbalance();
  EXPECT_EQ(told.price, kPrice + 10'000u) << "11 buy, 17 sell: the sellers are in surplus";
  EXPECT_EQ(told.quantity, 11u);
  EXPECT_EQ(told.open, 6u);
  EXPECT_EQ(told.ref, kPrice - 10'000u) << "5 buy, 7 sell";
  rig.run(cancel(1, 2, 5));
  EXPECT_EQ(imbalance().ref, kPrice + 0u) << "5 on either side: the nearest to the last price";
  rig.run(cancel(0, 2));
  EXPECT_EQ(imbalance().ref, 0u);
}

TEST_F(Attributes, InTheClosingCallTheOrdersForItsCrossAloneAreThoseOnClose) {
  rig.run(for_cross(CrossType::closing, enter(0, 1, B, kPrice + 300, 100)));
  rig.run(for_cross(CrossType::closing, enter(1, 1, S, kPrice + 100, 40)));
  rig.run(enter(1, 2, S, kPrice + 200, 500));
  rig.run(phase(Phase::closing_call));
  const auto all = rig.outcomes(tick(kNsPerSecond));
  EXPECT_EQ(all.at(0).price, kPrice + 200u);
  EXPECT_EQ(all.at(0).quantity, 100u);
  EXPECT_EQ(all.at(0).ref, kPrice + 300u) << "100 buy, 40 sell";
}

TEST_F(Attributes, AnOnOpenOrderIsTooLateAfterTheOpeningCall) {
  EXPECT_EQ(only(for_cross(CrossType::opening, enter(0, 1, B, kPrice, 100))).code, 0x0014);
  rig.run(phase(Phase::closing_call));
  EXPECT_EQ(only(for_cross(CrossType::opening, enter(0, 2, B, kPrice, 100))).code, 0x0014);
}

TEST_F(Attributes, AnOnCloseOrderWaitsOutsideTheBookUntilTheClosingCall) {
  rig.run(for_cross(CrossType::closing, enter(0, 1, B, kPrice, 100)));
  EXPECT_EQ(cancels(enter(1, 1, S, kPrice, 100, TimeInForce::ioc)), "") << "nobody there: dead on arrival";
  rig.run(enter(1, 2, S, kPrice, 100));
  rig.run(phase(Phase::closing_call, 1));
  const auto all = rig.outcomes(phase(Phase::closed, 1));
  EXPECT_EQ(all.at(0).kind, EventKind::crossed);
  EXPECT_EQ(all.at(0).quantity, 100u);
}

TEST_F(Attributes, AWaitingOnCloseOrderCanBeReducedReplacedAndCancelled) {
  rig.run(for_cross(CrossType::closing, enter(0, 1, B, kPrice, 100)));
  EXPECT_EQ(only(cancel(0, 1, 60)).open, 60u);
  EXPECT_EQ(only(replace(0, 1, 2, kPrice + 100, 80)).open, 80u);
  EXPECT_EQ(only(cancel(0, 2)).open, 0u);
  EXPECT_EQ(rig.engine().live_orders(), 0u);
}

TEST_F(Attributes, OnCloseOrdersThatFindNoLevelAreCancelledWhenTheCallBegins) {
  EngineConfig config = small_config();
  config.max_levels = 1;
  EngineRig narrow(config);
  narrow.run(phase(Phase::continuous));
  narrow.run(enter(0, 1, B, kPrice, 100));
  narrow.run(for_cross(CrossType::closing, enter(0, 2, B, kPrice, 100)));
  narrow.run(for_cross(CrossType::closing, enter(0, 3, B, kPrice + 100, 100)));
  const auto all = narrow.outcomes(phase(Phase::closing_call));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].number, 3u);
  EXPECT_EQ(all[0].code, 'Z');
  EXPECT_EQ(narrow.engine().live_orders(), 2u);
}

TEST_F(Attributes, AnOrderForACrossTakesNoOtherTimeInForce) {
  EXPECT_EQ(only(for_cross(CrossType::closing, enter(0, 1, B, kPrice, 100, TimeInForce::ioc))).code, 0x0014);
  EXPECT_EQ(only(for_cross(CrossType::closing, lives(5, enter(0, 2, B, kPrice, 100)))).code, 0x0014);
  EXPECT_EQ(only(for_cross(CrossType::closing, at_least(5, enter(0, 3, B, kPrice, 100)))).code, 0x000D);
}

// ---- Replace's side ----

TEST_F(Attributes, AReplaceMayMarkASaleAnewButNotTurnIt) {
  rig.run(enter(0, 1, S, kPrice, 100));
  Command marks = replace(0, 1, 2, kPrice, 100);
  marks.order.side = Side::sell_short;
  EXPECT_EQ(only(marks).side, 'T');
  Command turns = replace(0, 2, 3, kPrice, 100);
  turns.order.side = B;
  EXPECT_EQ(cancels(turns), "0/2Z ");
}

// ---- Channels ----

TEST_F(Attributes, EachChannelCountsItsOwnNumbersAndHasItsOwnOrders) {
  EXPECT_EQ(only(on_channel(7, enter(0, 5'000, B, kPrice, 100))).channel, 7u);
  EXPECT_EQ(only(enter(0, 1, B, kPrice, 100)).kind, EventKind::accepted);
  EXPECT_EQ(only(on_channel(255, enter(0, 1, B, kPrice, 100))).kind, EventKind::accepted);
  silent(on_channel(7, enter(0, 5'000, B, kPrice, 100)));
  silent(on_channel(7, cancel(0, 1)));
  EXPECT_EQ(only(on_channel(255, cancel(0, 1))).channel, 255u);
  EXPECT_EQ(only(account_query(0)).number, 2u);
  EXPECT_EQ(only(on_channel(7, account_query(0))).number, 5'001u);
  EXPECT_EQ(only(on_channel(8, account_query(0))).number, 1u);
}

// ---- Mass Cancel, Disable, Enable ----

TEST_F(Attributes, AMassCancelTakesTheSessionsOwnOrdersChannelByChannelAndOldestFirst) {
  rig.run(enter(0, 1, B, kPrice, 100));
  rig.run(enter(1, 1, B, kPrice, 100));
  rig.run(hidden(enter(0, 2, S, kPrice + 100, 100)));
  rig.run(on_channel(3, enter(0, 1, B, kPrice - 100, 100, TimeInForce::day, 2)));
  rig.run(for_cross(CrossType::closing, enter(0, 3, B, kPrice, 100)));
  rig.run(replace(0, 1, 4, kPrice, 50));
  const auto all = rig.outcomes(firm_wide(CommandKind::mass_cancel, 0, 5));
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0].kind, EventKind::mass_cancel);
  EXPECT_EQ(all[1].number, 2u);
  EXPECT_EQ(all[2].number, 3u);
  EXPECT_EQ(all[3].number, 4u);
  EXPECT_EQ(all[4].channel, 3u);
  EXPECT_EQ(rig.engine().live_orders(), 1u);
  silent(firm_wide(CommandKind::mass_cancel, 0, 5));
}

TEST_F(Attributes, AMassCancelMeansOneSymbolSideOrGroupIfItSaysSo) {
  for (std::uint32_t i = 0; i < 6; ++i)
    rig.run(enter(0, i + 1, i % 2 == 0 ? B : S, kPrice - 1'000 + 3'000 * (i % 2), 100));
  rig.run(enter(0, 7, B, kPrice, 100, TimeInForce::day, 2));
  Command group = firm_wide(CommandKind::mass_cancel, 0, 8);
  group.firm.group_given = true;
  group.firm.group_id = 0;
  EXPECT_EQ(cancels(group), "0/3U 0/6U ") << "groups go by number modulo 3 here";
  Command side = firm_wide(CommandKind::mass_cancel, 0, 9, 1);
  side.firm.side = S;
  EXPECT_EQ(cancels(side), "0/2U 0/4U ");
  EXPECT_EQ(cancels(firm_wide(CommandKind::mass_cancel, 0, 10, 2)), "0/7U ");
  EXPECT_EQ(cancels(firm_wide(CommandKind::mass_cancel, 0, 11)), "0/1U 0/5U ");
}

TEST_F(Attributes, AMassCancelOfManyOrdersGoesInTurns) {
  EngineConfig config = small_config();
  config.max_orders = 10'000;
  EngineRig many(config);
  many.run(phase(Phase::continuous));
  for (std::uint32_t i = 0; i < 5'000; ++i) many.run(enter(0, i + 1, B, kPrice, 1));
  Command none = firm_wide(CommandKind::mass_cancel, 0, 5'001);
  none.firm.side = S;
  many.run(none);
  int turns = 1;
  for (; many.engine().has_jobs(); ++turns) many.run(plain(CommandKind::turn));
  EXPECT_EQ(turns, 40) << "128 orders a turn";
  EXPECT_EQ(many.engine().live_orders(), 5'000u);
}

TEST_F(Attributes, ADisabledSessionEntersAndReplacesNothingUntilItIsEnabled) {
  rig.run(enter(0, 1, B, kPrice, 100));
  EXPECT_EQ(only(firm_wide(CommandKind::disable, 0, 2)).kind, EventKind::disable);
  EXPECT_EQ(only(enter(0, 3, B, kPrice, 100)).code, 0x000C);
  EXPECT_EQ(only(replace(0, 1, 4, kPrice, 50)).code, 0x000C);
  EXPECT_EQ(only(cancel(0, 1, 60)).open, 60u) << "what it has it can take out";
  EXPECT_EQ(only(enter(1, 1, B, kPrice, 100)).kind, EventKind::accepted) << "others are not disabled";
  EXPECT_EQ(only(firm_wide(CommandKind::enable, 0, 5)).kind, EventKind::enable);
  EXPECT_EQ(only(enter(0, 6, B, kPrice, 100)).kind, EventKind::accepted);
  silent(firm_wide(CommandKind::disable, 0, 6));
}

TEST_F(Attributes, TheDigestKnowsWhatOnlyTheFutureShows) {
  const auto digest_of = [](const Command& command) {
    EngineRig one(small_config());
    one.run(phase(Phase::continuous));
    one.run(command);
    return one.engine().state_hash();
  };
  const Command plain = enter(0, 1, B, kPrice, 100);
  const std::uint64_t hashes[] = {digest_of(plain),
                                  digest_of(hidden(plain)),
                                  digest_of(attributable(plain)),
                                  digest_of(lives(5, plain)),
                                  digest_of(lives(6, plain)),
                                  digest_of(for_cross(CrossType::closing, plain)),
                                  digest_of(on_channel(1, plain)),
                                  digest_of(on_channel(2, plain))};
  for (std::size_t i = 0; i < std::size(hashes); ++i)
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(hashes[i], hashes[j]) << i << " and " << j;
}

}  // namespace
}  // namespace crosswire::testing::attributes_test
