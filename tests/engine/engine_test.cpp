// The rules of WIRE 3.1 and DESIGN 3, one sentence each.
#include "engine/engine.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/engine/engine_rig.hpp"

namespace crosswire::testing::engine_test {
namespace {

constexpr Side B = Side::buy, S = Side::sell;
constexpr std::uint32_t kPrice = 1'000'000;

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() { rig.run(phase(Phase::continuous)); }

  /// The one outcome of a command.
  Outcome only(const Command& command) {
    const auto all = rig.outcomes(command);
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? Outcome{} : all[0];
  }
  void silent(const Command& command) { EXPECT_TRUE(rig.outcomes(command).empty()); }

  EngineRig rig{small_config(2)};
};

TEST_F(EngineTest, ExecutesAtTheRestingOrdersPriceBestPriceFirst) {
  rig.run(enter(0, 1, S, kPrice + 200, 100));
  rig.run(enter(0, 2, S, kPrice + 100, 100));
  const auto all = rig.outcomes(enter(1, 1, B, kPrice + 300, 150));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].kind, EventKind::accepted);
  EXPECT_EQ(all[1].number_b, 2u);
  EXPECT_EQ(all[1].price, kPrice + 100);
  EXPECT_EQ(all[1].quantity, 100u);
  EXPECT_EQ(all[2].number_b, 1u);
  EXPECT_EQ(all[2].price, kPrice + 200);
  EXPECT_EQ(all[2].quantity, 50u);
}

TEST_F(EngineTest, AnIntradayCallEndsByACrossAndLeavesWhatWaitsForTheClose) {
  Command on_close = enter(0, 1, B, kPrice, 100);
  on_close.order.cross_type = CrossType::closing;
  rig.run(on_close);
  rig.run(enter(0, 2, B, kPrice, 100));
  rig.run(phase(Phase::intraday_call));
  EXPECT_EQ(only(enter(1, 1, S, kPrice, 60)).code, 'L');
  const auto all = rig.outcomes(phase(Phase::continuous, 1));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].kind, EventKind::crossed);
  EXPECT_EQ(all[0].number, 2u);
  EXPECT_EQ(all[1].code, 'H');
  EXPECT_EQ(all[2].kind, EventKind::phase);
  EXPECT_EQ(rig.engine().live_orders(), 2u);
}

TEST_F(EngineTest, ExecutesTheOldestOrderOfAPriceFirst) {
  rig.run(enter(0, 1, S, kPrice, 100));
  rig.run(enter(1, 1, S, kPrice, 100));
  const auto all = rig.outcomes(enter(2, 1, B, kPrice, 100));
  EXPECT_EQ(all.at(1).session_b, 0u);
}

TEST_F(EngineTest, AnOrderMeetsNoMoreOthersThanItMay) {
  EngineConfig config = small_config();
  config.max_fills_per_order = 3;
  EngineRig few(config);
  few.run(phase(Phase::continuous));
  for (std::uint32_t i = 1; i <= 5; ++i) few.run(enter(0, i, Side::sell, kPrice, 10));
  const auto met = few.outcomes(enter(1, 1, Side::buy, kPrice, 100));
  EXPECT_EQ(std::ranges::count(met, EventKind::executed, &Outcome::kind), 3);
  EXPECT_EQ(met.back().kind, EventKind::canceled);
  EXPECT_EQ(met.back().code, 'Z');
  EXPECT_EQ(met.back().quantity, 70u);
  const auto all = few.outcomes(enter(1, 2, Side::buy, kPrice, 100));
  EXPECT_EQ(all.back().kind, EventKind::rested) << "there are but two";
}

TEST_F(EngineTest, AMinimumIsLookedForAmongTheOrdersThatOneMayMeet) {
  EngineConfig config = small_config();
  config.max_fills_per_order = 3;
  EngineRig few(config);
  few.run(phase(Phase::continuous));
  for (std::uint32_t i = 1; i <= 5; ++i) few.run(enter(0, i, Side::sell, kPrice + (i > 2 ? 100 : 0), 10));
  Command order = enter(1, 1, Side::buy, kPrice + 100, 50, TimeInForce::ioc);
  order.order.min_quantity = 31;
  EXPECT_EQ(few.outcomes(order).at(0).code, 'D');
  order.order.user_ref_num = UserRefNum{2};
  order.order.min_quantity = 30;
  const auto met = few.outcomes(order);
  EXPECT_EQ(std::ranges::count(met, EventKind::executed, &Outcome::kind), 3);
}

TEST_F(EngineTest, RestsWhatAnAggressorLeavesAtItsOwnLimit) {
  rig.run(enter(0, 1, S, kPrice, 100));
  const auto all = rig.outcomes(enter(1, 1, B, kPrice + 500, 300));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[2].kind, EventKind::rested);
  EXPECT_EQ(all[2].price, kPrice + 500);
  EXPECT_EQ(all[2].open, 200u);
}

TEST_F(EngineTest, AcceptsAnIocThatMeetsNobodyAsDeadInOneMessage) {
  const Outcome o = only(enter(0, 1, B, kPrice, 100, TimeInForce::ioc));
  EXPECT_EQ(o.kind, EventKind::accepted);
  EXPECT_EQ(o.code, 'D');
  EXPECT_EQ(o.open, 0u);
  silent(cancel(0, 1));
}

TEST_F(EngineTest, CancelsWhatAnIocLeavesWithReasonI) {
  rig.run(enter(0, 1, S, kPrice, 100));
  const auto all = rig.outcomes(enter(1, 1, B, kPrice, 300, TimeInForce::ioc));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].code, 'L');
  EXPECT_EQ(all[2].kind, EventKind::canceled);
  EXPECT_EQ(all[2].code, 'I');
  EXPECT_EQ(all[2].quantity, 200u);
  EXPECT_EQ(all[2].feed, static_cast<int>(FeedAction::none)) << "the feed never saw it";
}

TEST_F(EngineTest, IgnoresANumberNotAboveTheLastOne) {
  rig.run(enter(0, 5, B, kPrice, 100));
  silent(enter(0, 5, B, kPrice, 100));
  silent(enter(0, 4, B, kPrice, 100));
  EXPECT_EQ(only(enter(1, 4, B, kPrice, 100)).kind, EventKind::accepted) << "numbers are per session";
  EXPECT_EQ(rig.engine().counters().get(EngineCounter::ignored_used_ref_num), 2u);
}

TEST_F(EngineTest, ConsumesTheNumberOfARejectedEnter) {
  Command bad = enter(0, 7, B, kPrice, 100);
  bad.reject = 0x0017;
  bad.symbol = kNoSymbol;
  EXPECT_EQ(only(bad).code, 0x0017);
  silent(enter(0, 7, B, kPrice, 100));
  EXPECT_EQ(only(account_query(0)).number, 8u);
}

TEST_F(EngineTest, RejectsAPriceOffTheTick) { EXPECT_EQ(only(enter(0, 1, B, kPrice + 1, 100)).code, 0x001D); }

TEST_F(EngineTest, ReplaceLosesPriorityAndCountsTheWholeChain) {
  rig.run(enter(0, 1, S, kPrice, 100));
  rig.run(enter(1, 1, S, kPrice, 100));
  rig.run(enter(2, 1, B, kPrice, 40));
  const Outcome o = only(replace(0, 1, 2, kPrice, 100));
  EXPECT_EQ(o.kind, EventKind::replaced);
  EXPECT_EQ(o.number_b, 1u);
  EXPECT_EQ(o.number, 2u);
  EXPECT_EQ(o.open, 60u) << "40 of the chain's 100 are executed";
  EXPECT_EQ(o.feed, static_cast<int>(FeedAction::replace));
  EXPECT_EQ(rig.outcomes(enter(2, 2, B, kPrice, 100)).at(1).session_b, 1u);
}

TEST_F(EngineTest, ReplaceOfADeadOrderIsSilentAndConsumesNoNumber) {
  silent(replace(0, 1, 2, kPrice, 100));
  EXPECT_EQ(only(account_query(0)).number, 1u);
  rig.run(enter(0, 1, B, kPrice, 100));
  silent(replace(0, 1, 1, kPrice, 100));
  EXPECT_EQ(rig.engine().live_orders(), 1u);
}

TEST_F(EngineTest, ReplaceWithBadDetailsCancelsTheOriginalAndConsumesNoNumber) {
  rig.run(enter(0, 1, B, kPrice, 100));
  Command bad = replace(0, 1, 2, kPrice, 0);
  bad.reject = 0x0013;
  const Outcome o = only(bad);
  EXPECT_EQ(o.kind, EventKind::canceled);
  EXPECT_EQ(o.number, 1u);
  EXPECT_EQ(only(account_query(0)).number, 2u);
}

TEST_F(EngineTest, ReplaceInAHaltIsRejectedAndTheOriginalStays) {
  rig.run(enter(0, 1, B, kPrice, 100));
  rig.run(phase(Phase::halted));
  EXPECT_EQ(only(replace(0, 1, 2, kPrice, 50)).code, 0x0007);
  EXPECT_EQ(only(account_query(0)).number, 3u) << "the number is consumed";
  EXPECT_EQ(only(cancel(0, 1)).kind, EventKind::canceled) << "cancels are possible in a halt";
}

TEST_F(EngineTest, ReplaceThatCrossesLeavesTheFeedFirst) {
  rig.run(enter(0, 1, B, kPrice - 100, 100));
  rig.run(enter(1, 1, S, kPrice, 60));
  const auto all = rig.outcomes(replace(0, 1, 2, kPrice, 100));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].feed, static_cast<int>(FeedAction::remove));
  EXPECT_EQ(all[1].kind, EventKind::executed);
  EXPECT_EQ(all[2].kind, EventKind::rested);
  EXPECT_EQ(all[2].open, 40u);
}

TEST_F(EngineTest, CancelNamesTheMostThatMayExecuteAndKeepsPriority) {
  rig.run(enter(0, 1, S, kPrice, 100));
  rig.run(enter(1, 1, S, kPrice, 100));
  rig.run(enter(2, 1, B, kPrice, 30));
  const Outcome o = only(cancel(0, 1, 50));
  EXPECT_EQ(o.quantity, 50u);
  EXPECT_EQ(o.open, 20u) << "30 are executed, 50 may execute in all";
  EXPECT_EQ(o.feed, static_cast<int>(FeedAction::reduce));
  EXPECT_EQ(rig.outcomes(enter(2, 2, B, kPrice, 10)).at(1).session_b, 0u);
  silent(cancel(0, 1, 50));
  EXPECT_EQ(only(cancel(0, 1, 0)).open, 0u);
  silent(cancel(0, 1, 0));
}

TEST_F(EngineTest, ModifyMarksASaleAndReducesInPlace) {
  rig.run(enter(0, 1, S, kPrice, 100));
  Outcome o = only(modify(0, 1, Side::sell_short_exempt, 80));
  EXPECT_EQ(o.kind, EventKind::modified);
  EXPECT_EQ(o.side, 'E');
  EXPECT_EQ(o.quantity, 20u);
  EXPECT_EQ(o.open, 80u);
  o = only(modify(0, 1, Side::sell_short, 500));
  EXPECT_EQ(o.open, 80u) << "an increase is ignored, the mark is not";
  silent(modify(0, 1, S, 80));
  silent(modify(0, 1, B, 80));
  EXPECT_EQ(only(modify(0, 1, Side::sell_short, 0)).kind, EventKind::canceled);
}

TEST_F(EngineTest, RejectsMoreThanMaxOrdersAndTakesThemAgainWhenSomeAreGone) {
  EngineConfig config = small_config();
  config.max_orders = 2;
  EngineRig tight(config);
  tight.run(phase(Phase::continuous));
  tight.run(enter(0, 1, B, kPrice, 1));
  tight.run(enter(0, 2, B, kPrice, 1));
  EXPECT_EQ(tight.outcomes(enter(0, 3, B, kPrice, 1)).at(0).code, 0x000A);
  tight.run(cancel(0, 1));
  EXPECT_EQ(tight.outcomes(enter(0, 4, B, kPrice, 1)).at(0).kind, EventKind::accepted);
}

class WithoutLevels : public ::testing::Test {
 protected:
  static EngineConfig config() {
    EngineConfig c = small_config();
    c.max_levels = 2;
    return c;
  }
  /// A bid and an ask take both levels.
  WithoutLevels() {
    rig.run(phase(Phase::continuous));
    rig.run(enter(0, 1, B, kPrice, 10));
    rig.run(enter(0, 2, S, kPrice + 200, 10));
  }
  EngineRig rig{config()};
};

TEST_F(WithoutLevels, AnOrderThatNeedsANewOneIsRejected) {
  EXPECT_EQ(rig.outcomes(enter(0, 3, B, kPrice - 100, 1)).at(0).code, 0x000A);
  EXPECT_EQ(rig.outcomes(replace(0, 1, 4, kPrice - 100, 1)).at(0).kind, EventKind::replaced) << "its own goes first";
}

TEST_F(WithoutLevels, OrdersThatNeedNoneGoOn) {
  EXPECT_EQ(rig.outcomes(enter(1, 1, B, kPrice, 5)).at(0).kind, EventKind::accepted) << "joins a level";
  EXPECT_EQ(rig.outcomes(enter(1, 2, S, kPrice, 5, TimeInForce::ioc)).at(1).kind, EventKind::executed);
  EXPECT_EQ(rig.outcomes(enter(1, 3, B, kPrice + 200, 5)).at(1).kind, EventKind::executed);
  EXPECT_EQ(rig.outcomes(enter(1, 4, S, kPrice + 100, 5, TimeInForce::ioc)).at(0).code, 'D');
}

TEST_F(WithoutLevels, AReplaceOfOneOfSeveralOrdersAtAPriceIsRejectedAndStays) {
  rig.run(enter(1, 1, B, kPrice, 5));
  EXPECT_EQ(rig.outcomes(replace(1, 1, 2, kPrice - 100, 5)).at(0).code, 0x000A);
  EXPECT_EQ(rig.outcomes(cancel(1, 1)).at(0).open, 0u);
}

TEST_F(EngineTest, TakesNoOrdersBeforeTheOpenAndAfterTheClose) {
  EngineRig fresh(small_config());
  EXPECT_EQ(fresh.outcomes(enter(0, 1, B, kPrice, 1)).at(0).code, 0x0002);
  rig.run(phase(Phase::closed));
  EXPECT_EQ(only(enter(0, 1, B, kPrice, 1)).code, 0x0002);
}

TEST_F(EngineTest, CancelsEveryDayOrderAtTheCloseWithReasonE) {
  rig.run(enter(0, 1, B, kPrice, 100));
  rig.run(enter(1, 1, S, kPrice + 100, 100));
  const auto all = rig.outcomes(phase(Phase::closed));
  EXPECT_EQ(all.at(0).code, 'E');
  EXPECT_EQ(all.at(1).code, 'E');
  EXPECT_EQ(rig.engine().live_orders(), 0u);
}

TEST_F(EngineTest, CrossesAtTheEndOfACallInPriceTimeOrder) {
  rig.run(phase(Phase::closing_call));
  rig.run(enter(0, 1, B, kPrice, 100));
  rig.run(enter(0, 2, B, kPrice + 100, 100));
  rig.run(enter(1, 1, S, kPrice - 100, 150));
  const auto all = rig.outcomes(phase(Phase::closed));
  ASSERT_GE(all.size(), 4u);
  EXPECT_EQ(all[0].kind, EventKind::crossed);
  EXPECT_EQ(all[0].number, 2u) << "the better bid first";
  EXPECT_EQ(all[0].price, kPrice);
  EXPECT_EQ(all[0].code, 'C');
  EXPECT_EQ(all[1].number, 1u);
  EXPECT_EQ(all[1].quantity, 50u);
  EXPECT_EQ(all[2].kind, EventKind::cross_done);
  EXPECT_EQ(all[2].quantity, 150u);
  EXPECT_EQ(all[2].match, 3u) << "a number of its own";
}

TEST_F(EngineTest, AHaltInACallLeavesTheCrossToTheEndOfTheHalt) {
  rig.run(phase(Phase::opening_call, 1));
  rig.run(enter(0, 1, B, kPrice, 100));
  rig.run(enter(1, 1, S, kPrice, 100));
  EXPECT_EQ(only(phase(Phase::halted, 1)).kind, EventKind::phase);
  const auto all = rig.outcomes(phase(Phase::continuous, 1));
  EXPECT_EQ(all.at(0).kind, EventKind::crossed);
  EXPECT_EQ(all.at(0).code, 'H');
}

TEST_F(EngineTest, FindsTheIndicativePriceOfADeepBookInTurnsWithTheOtherStages) {
  EngineConfig config = small_config();
  config.max_orders = config.max_levels = 20'000;
  EngineRig deep(config);
  deep.run(phase(Phase::opening_call));
  for (std::uint32_t i = 1; i <= 5'000; ++i) {
    deep.run(enter(0, i, B, kPrice + 100 * i, 1));
    deep.run(enter(1, i, S, kPrice - 100 * i, 1));
  }
  const AuctionPrice at_once = auction_price(deep.engine().book(SymbolId{1}), deep.engine().pools(), Price{1'000'000});
  deep.submit(tick(kNsPerSecond));
  int turns = 0;
  std::vector<Event> events;
  for (; deep.unapplied() > 0; ++turns) {
    EXPECT_TRUE(deep.poll_match()) << "a turn that goes on with a walk is work";
    deep.read(events);
  }
  EXPECT_GE(turns, 5);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].cross.price, at_once.price);
  EXPECT_EQ(events[0].cross.paired, 5'000u);
}

TEST_F(EngineTest, LooksAheadInDeepBooksWithoutChangingAnything) {
  EngineConfig config = small_config();
  config.max_orders = 20'000;
  config.max_levels = 2'000;
  // Enters, cancels, replaces and modifies of live, dead and unknown orders, of two sessions and two channels.
  const auto hash_of = [&config](std::size_t burst) {
    EngineRig deep(config, 4096);
    deep.run(phase(Phase::continuous));
    std::mt19937_64 random(7);
    std::vector<Event> events;
    for (std::uint32_t i = 1; i <= 24'000; ++i) {
      const auto session = static_cast<std::uint16_t>(i % 2);
      const auto old = static_cast<std::uint32_t>(1 + random() % (i + 100));
      const std::uint32_t price = kPrice - 100 * static_cast<std::uint32_t>(1 + random() % 900);
      const std::uint64_t dice = i < 12'000 ? 9 : random() % 10;
      Command c = dice < 2   ? cancel(session, old)
                  : dice < 4 ? replace(session, old, i, price, 50)
                  : dice < 5 ? modify(session, old, B, 10)
                             : enter(session, i, B, price, 100);
      c.order.user_ref_idx = i % 3 == 0 ? 200 : 0;
      deep.submit(c);
      if (i % burst != 0) continue;
      while (deep.unapplied() > 0) {
        deep.poll_match();
        deep.read(events);
        events.clear();
      }
    }
    EXPECT_GT(deep.engine().live_orders(), 10'000u) << "as many as it takes to look ahead";
    return deep.engine().state_hash();
  };
  const std::uint64_t one_by_one = hash_of(1);
  EXPECT_EQ(hash_of(8), one_by_one);
  EXPECT_EQ(hash_of(32), one_by_one);
}

TEST_F(EngineTest, OpensTheMarketWithItsFirstSymbolAndClosesItWithItsLast) {
  EngineRig two(small_config(2));
  const auto letters = [&](const Command& c) {
    std::string said;
    for (const Event& e : two.run(c))
      if (e.kind == EventKind::system) said += e.system.event;
    return said;
  };
  EXPECT_EQ(letters(phase(Phase::continuous, 2)), "Q");
  EXPECT_EQ(letters(phase(Phase::continuous, 1)), "");
  EXPECT_EQ(letters(phase(Phase::closed, 1)), "");
  EXPECT_EQ(letters(phase(Phase::closed, 2)), "M");
}

TEST_F(EngineTest, MarksTheLastEventOfABurstEvenIfItsLastCommandHasNone) {
  Command last = cancel(0, 99);
  last.flags = kLastOfBurst;
  EXPECT_TRUE(rig.run(last).empty()) << "nothing happened in this burst";
  rig.run(enter(0, 1, B, kPrice, 100));
  const auto events = rig.run(last);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, EventKind::burst_end);
  EXPECT_EQ(events[0].flags, kLastOfBurst);
  Command marked = enter(0, 2, B, kPrice, 100);
  marked.flags = kLastOfBurst;
  EXPECT_EQ(rig.run(marked).at(0).flags, kLastOfBurst);
}

TEST_F(EngineTest, PassesOnWhatIsNotItsBusinessUnchanged) {
  Command login = plain(CommandKind::session_open);
  login.session = SessionId{3};
  login.peer = {.mac = {1, 2, 3, 4, 5, 6}, .vlan = 7, .address = 8, .port = 9, .code = 'T', .reserved = {}};
  const auto events = rig.run(login);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, EventKind::session_open);
  EXPECT_EQ(events[0].session, SessionId{3});
  EXPECT_EQ(std::memcmp(events[0].body, login.body, sizeof login.body), 0);
}

TEST_F(EngineTest, BeginsAndEndsTheDayAsTheFeedExpects) {
  EngineRig fresh(small_config(2));
  std::string day;
  for (const Command& c : {plain(CommandKind::day_start), phase(Phase::continuous), phase(Phase::closed),
                           plain(CommandKind::day_end), plain(CommandKind::run_end)})
    for (const Event& e : fresh.run(c))
      day += e.kind == EventKind::system      ? e.system.event
             : e.kind == EventKind::directory ? 'r'
             : e.kind == EventKind::phase     ? 'h'
                                              : '.';
  EXPECT_EQ(day, "OrrhhSQhhhhMEC..");
}

TEST_F(EngineTest, GivesTheSameEventsThroughTheSmallestRing) {
  // A cross of 300 pairs, expiries and a sweep, through rings of 2 slots to 4,096.
  std::vector<std::vector<Event>> runs;
  std::vector<std::uint64_t> hashes;
  for (const std::uint64_t ring : {2u, 16u, 4096u}) {
    EngineRig r(small_config(), ring);
    std::vector<Event> events;
    r.run(plain(CommandKind::day_start), events);
    r.run(phase(Phase::opening_call), events);
    for (std::uint32_t i = 1; i <= 300; ++i) {
      r.run(enter(0, i, B, kPrice + 100 * (i % 7), 100 + i), events);
      r.run(enter(1, i, S, kPrice + 100 * (i % 5), 90 + i), events);
    }
    r.run(phase(Phase::continuous), events);
    r.run(enter(2, 1, S, 100, 999'999), events);
    hashes.push_back(r.engine().state_hash());
    r.run(phase(Phase::closed), events);
    for (Event& e : events)  // slot numbers may differ: they never leave the box
      if (e.kind <= EventKind::rejected)
        e.order.order = kNoOrder;
      else if (e.kind == EventKind::executed || e.kind == EventKind::crossed)
        e.execution.order = e.execution.resting = kNoOrder;
    runs.push_back(events);
  }
  EXPECT_GT(runs[0].size(), 900u);
  for (std::size_t i = 1; i < runs.size(); ++i) {
    ASSERT_EQ(runs[0].size(), runs[i].size());
    EXPECT_EQ(std::memcmp(runs[0].data(), runs[i].data(), runs[0].size() * sizeof(Event)), 0);
    EXPECT_EQ(hashes[0], hashes[i]);
  }
}

TEST_F(EngineTest, HashesBooksAndNumbersNotSlots) {
  EngineRig a(small_config()), b(small_config());
  for (EngineRig* r : {&a, &b}) r->run(phase(Phase::continuous));
  EXPECT_EQ(a.engine().state_hash(), b.engine().state_hash());
  b.run(enter(0, 1, B, kPrice, 0xFFFF));  // takes another slot for what follows, and is ignored
  a.run(enter(0, 1, B, kPrice, 0xFFFF));
  b.run(enter(0, 1, B, kPrice, 5));
  a.run(enter(0, 2, B, kPrice, 7));
  EXPECT_NE(a.engine().state_hash(), b.engine().state_hash());
  b.run(enter(0, 2, B, kPrice, 7));
  a.run(enter(0, 1, B, kPrice, 5));  // ignored as well, and as many commands
  EXPECT_EQ(a.engine().state_hash(), b.engine().state_hash());
}

TEST_F(EngineTest, GivesEverySlotBackWhenTheReadersHavePassed) {
  std::mt19937_64 random(7);
  for (std::uint32_t i = 1; i < 5'000; ++i) {
    rig.run(enter(0, i, random() % 2 ? B : S, kPrice + 100 * static_cast<std::uint32_t>(random() % 5), 100));
    if (random() % 3 == 0) rig.run(replace(0, i, i + 1, kPrice, 50)), ++i;
    if (random() % 3 == 0) rig.run(cancel(0, i));
  }
  rig.run(phase(Phase::closed));
  for (int i = 0; i < 1'000; ++i) rig.poll_match();
  EXPECT_EQ(rig.engine().live_orders(), 0u);
  EXPECT_EQ(rig.free_slots(), rig.slots());
}

}  // namespace
}  // namespace crosswire::testing::engine_test
