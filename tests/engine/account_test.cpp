// What one account may take of what all share: orders, price levels, the match stage's time.
#include <gtest/gtest.h>

#include "engine/account.hpp"
#include "tests/engine/engine_rig.hpp"

namespace crosswire::testing::account_test {
namespace {

constexpr Side B = Side::buy, S = Side::sell;
constexpr std::uint32_t kPrice = 1'000'000;
constexpr std::uint32_t kTick = 100;

Command at(TimeNs time_ns, Command c) {
  c.time_ns = time_ns;
  return c;
}
Command fill_or_kill(std::uint32_t number, Side side, std::uint32_t price, Quantity quantity) {
  Command c = enter(0, number, side, price, quantity, TimeInForce::ioc);
  c.order.min_quantity = quantity;
  return c;
}
/// Of a group that none of the rig's orders has.
Command mass_cancel_of_none(std::uint32_t number) {
  Command c = firm_wide(CommandKind::mass_cancel, 0, number);
  c.firm.group_given = true;
  c.firm.group_id = 999;
  return c;
}

TEST(BudgetTest, GivesASecondsWorthAtOnceThenAsMuchAsTimePaysBack) {
  Budget budget;
  constexpr TimeNs kEach = kNsPerSecond / 4;
  const TimeNs start = 5 * kNsPerSecond;
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(budget.spent(start));
    budget.charge(start, 1, kEach);
  }
  EXPECT_TRUE(budget.spent(start));
  EXPECT_FALSE(budget.spent(start + 1)) << "a part of one is enough to overdraw";
  budget.charge(start + 1, 8, kEach);
  EXPECT_TRUE(budget.spent(start + 2 * kNsPerSecond));
  EXPECT_FALSE(budget.spent(start + 2 * kNsPerSecond + 1));
}

TEST(BudgetTest, DoesNotGatherMoreThanASecondsWorth) {
  Budget budget;
  budget.charge(100 * kNsPerSecond, 1, kNsPerSecond);
  EXPECT_TRUE(budget.spent(100 * kNsPerSecond));
}

TEST(FairShare, IsAQuarterOrTheEqualShareOfFewerThanFour) {
  EXPECT_EQ(fair_share(1000, 1), 1000u);
  EXPECT_EQ(fair_share(1000, 2), 500u);
  EXPECT_EQ(fair_share(1000, 3), 333u);
  EXPECT_EQ(fair_share(1000, 4), 250u);
  EXPECT_EQ(fair_share(1000, 100), 250u);
  EXPECT_EQ(fair_share(1, 100), 1u) << "never none";
  EngineConfig config = small_config();
  config.orders_per_account = config.levels_per_account = 0;
  EXPECT_EQ(orders_per_account(config), config.max_orders / 4);
  EXPECT_EQ(levels_per_account(config), config.max_levels / 4);
  config.orders_per_account = 7;
  EXPECT_EQ(orders_per_account(config), 7u);
}

/// One account with `orders` at rest.
class Looks : public ::testing::Test {
 protected:
  explicit Looks(std::uint32_t orders = 300) {
    rig.run(phase(Phase::continuous));
    for (std::uint32_t i = 1; i <= orders; ++i) rig.run(enter(0, i, B, kPrice, 1));
  }
  static EngineConfig config() {
    EngineConfig c = small_config(2);
    c.looks_per_second = 500;
    return c;
  }
  EngineRig rig{config()};
};

TEST_F(Looks, AMassCancelThatFindsNothingIsChargedAndRejectedWhenTheyAreUsedUp) {
  EXPECT_EQ(rig.outcomes(mass_cancel_of_none(1'001)).at(0).kind, EventKind::mass_cancel);
  rig.finish_jobs();
  EXPECT_EQ(rig.outcomes(mass_cancel_of_none(1'002)).at(0).kind, EventKind::mass_cancel) << "overdraws";
  rig.finish_jobs();
  const auto third = rig.outcomes(mass_cancel_of_none(1'003));
  ASSERT_EQ(third.size(), 1u);
  EXPECT_EQ(third[0].kind, EventKind::rejected);
  EXPECT_EQ(third[0].code, 0x0029);
  EXPECT_EQ(third[0].number, 1'003u);
  EXPECT_TRUE(rig.outcomes(enter(0, 1'003, B, kPrice, 1)).empty()) << "the number is consumed";
  EXPECT_EQ(rig.engine().counters().get(EngineCounter::overdrawn), 1u);
  // 600 looks are owed: one is there again after 200 ms and a bit.
  EXPECT_EQ(rig.outcomes(at(200'000'000, mass_cancel_of_none(1'004))).at(0).code, 0x0029);
  EXPECT_EQ(rig.outcomes(at(200'000'001, mass_cancel_of_none(1'005))).at(0).kind, EventKind::mass_cancel);
}

TEST_F(Looks, OfAnotherAccountAreNotUsedUp) {
  rig.run(mass_cancel_of_none(1'001));
  rig.run(mass_cancel_of_none(1'002));
  Command other = mass_cancel_of_none(1);
  other.session = SessionId{1};
  EXPECT_EQ(rig.outcomes(other).at(0).kind, EventKind::mass_cancel);
}

TEST_F(Looks, AMassCancelOfEverythingIsNeverRefused) {
  rig.run(mass_cancel_of_none(1'001));
  rig.run(mass_cancel_of_none(1'002));
  const auto all = rig.outcomes(firm_wide(CommandKind::mass_cancel, 0, 1'003));
  EXPECT_EQ(all.at(0).kind, EventKind::mass_cancel);
  EXPECT_EQ(all.size() + rig.finish_jobs().size(), 301u);
}

TEST_F(Looks, WhatAMassCancelCancelsIsFree) {
  Command of_symbol = firm_wide(CommandKind::mass_cancel, 0, 1'001, 1);
  EXPECT_EQ(rig.outcomes(of_symbol).size(), 41u);
  EXPECT_EQ(rig.finish_jobs().size(), 260u);
  for (std::uint32_t i = 0; i < 5; ++i) {
    of_symbol.firm.user_ref_num = UserRefNum{1'002 + i};
    EXPECT_EQ(rig.outcomes(of_symbol).at(0).kind, EventKind::mass_cancel) << "nothing was looked at";
  }
}

/// Asks on 200 levels, one share each.
class Minimum : public Looks {
 protected:
  Minimum() : Looks(0) {
    for (std::uint32_t i = 0; i < 200; ++i) rig.run(enter(1, i + 1, S, kPrice + i * kTick, 1));
  }
};

TEST_F(Minimum, IsAskedOnceAndChargedWhereItIsNotThere) {
  std::uint32_t number = 0;
  // 500 looks a second, of which each takes 128: the fourth overdraws them.
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(rig.outcomes(fill_or_kill(++number, B, kMaxPrice.value / kTick * kTick, 999'999)).at(0).code, 'D');
  }
  const auto fifth = rig.outcomes(fill_or_kill(++number, B, kMaxPrice.value / kTick * kTick, 999'999));
  ASSERT_EQ(fifth.size(), 1u);
  EXPECT_EQ(fifth[0].kind, EventKind::rejected);
  EXPECT_EQ(fifth[0].code, 0x0029);
  EXPECT_EQ(rig.outcomes(enter(0, ++number, B, kPrice, 1)).at(1).kind, EventKind::executed)
      << "an order without a minimum looks at nothing in vain";
  EXPECT_EQ(rig.outcomes(fill_or_kill(++number, B, kPrice - kTick, 5)).at(0).code, 'D') << "it meets nobody";
}

TEST_F(Minimum, ThatIsThereIsFree) {
  for (std::uint32_t number = 1; number <= 6; ++number) {
    EXPECT_EQ(rig.outcomes(fill_or_kill(number, B, kPrice + 150 * kTick, 20)).size(), 21u);
  }
}

TEST_F(Minimum, OfAReplaceIsRejectedAndItsOriginalStays) {
  rig.run(enter(0, 1, B, kPrice - kTick, 10));
  std::uint32_t number = 1;
  for (int i = 0; i < 4; ++i) rig.run(fill_or_kill(++number, B, kMaxPrice.value / kTick * kTick, 999'999));
  Command c = replace(0, 1, ++number, kPrice + 50 * kTick, 1'000);
  c.order.min_quantity = 900;
  EXPECT_EQ(rig.outcomes(c).at(0).code, 0x0029);
  EXPECT_EQ(rig.outcomes(cancel(0, 1)).at(0).quantity, 10u);
}

EngineConfig shared_by_four() {
  EngineConfig config = small_config();
  config.orders_per_account = config.levels_per_account = 0;
  config.max_orders = 40;
  config.max_levels = 20;
  return config;
}

class Shares : public ::testing::Test {
 protected:
  Shares() { rig.run(phase(Phase::continuous)); }
  /// The first letter or number of what is said about a command.
  int code(const Command& command) { return rig.outcomes(command).at(0).code; }
  /// Session 0 rests 10 orders, its share.
  void take_share(Side side = B) {
    for (std::uint32_t i = 1; i <= 10; ++i) EXPECT_EQ(code(enter(0, i, side, kPrice, 10)), 'L');
  }
  EngineRig rig{shared_by_four()};
};

TEST_F(Shares, AnAccountRestsNoMoreThanItsShareAndOthersGoOn) {
  take_share();
  EXPECT_EQ(code(enter(0, 11, B, kPrice, 10)), 0x000A);
  EXPECT_EQ(code(enter(1, 1, B, kPrice, 10)), 'L');
  rig.run(cancel(0, 1));
  EXPECT_EQ(code(enter(0, 12, B, kPrice, 10)), 'L') << "one is gone";
  EXPECT_EQ(code(replace(0, 12, 13, kPrice, 20)), 'L') << "in the original's place";
}

TEST_F(Shares, WithoutAPlaceAnOrderExecutesAndWhatIsLeftIsCancelled) {
  take_share();
  rig.run(enter(1, 1, S, kPrice + kTick, 5));
  const auto said = rig.outcomes(enter(0, 11, B, kPrice + kTick, 8));
  ASSERT_EQ(said.size(), 3u);
  EXPECT_EQ(said[0].kind, EventKind::accepted);
  EXPECT_EQ(said[1].kind, EventKind::executed);
  EXPECT_EQ(said[1].quantity, 5u);
  EXPECT_EQ(said[2].kind, EventKind::canceled);
  EXPECT_EQ(said[2].code, 'Z');
  EXPECT_EQ(said[2].quantity, 3u);
  EXPECT_EQ(rig.engine().live_orders(), 10u);
}

TEST_F(Shares, AtTheLimitOfAllAnIocTakes) {
  for (std::uint16_t session = 0; session < 4; ++session)
    for (std::uint32_t i = 1; i <= 10; ++i) EXPECT_EQ(code(enter(session, i, B, kPrice, 10)), 'L');
  ASSERT_EQ(rig.engine().live_orders(), 40u);
  EXPECT_EQ(code(enter(1, 11, B, kPrice, 1)), 0x000A);
  const auto said = rig.outcomes(enter(1, 12, S, kPrice, 25, TimeInForce::ioc));
  EXPECT_EQ(said.at(0).kind, EventKind::accepted);
  EXPECT_EQ(said.size(), 4u) << "three executions";
  EXPECT_EQ(code(enter(1, 13, S, kPrice + kTick, 25, TimeInForce::ioc)), 'D') << "who dies needs no place either";
}

TEST_F(Shares, AnOrderThatWaitsForTheCloseNeedsAPlace) {
  take_share();
  Command c = enter(0, 11, B, kPrice, 10);
  c.order.cross_type = CrossType::closing;
  EXPECT_EQ(code(c), 0x000A);
}

TEST_F(Shares, AnAccountOpensNoMoreThanItsShareOfTheLevels) {
  for (std::uint32_t i = 1; i <= 5; ++i) EXPECT_EQ(code(enter(0, i, B, kPrice - i * kTick, 10)), 'L');
  EXPECT_EQ(code(enter(0, 6, B, kPrice - 6 * kTick, 10)), 0x000A);
  EXPECT_EQ(code(enter(0, 7, B, kPrice - 5 * kTick, 10)), 'L') << "joins one";
  EXPECT_EQ(code(enter(1, 1, B, kPrice - 6 * kTick, 10)), 'L');
  EXPECT_EQ(code(enter(0, 8, B, kPrice - 6 * kTick, 10)), 0x000A) << "it would be its own when the other leaves";
  EXPECT_EQ(code(replace(0, 1, 9, kPrice - 8 * kTick, 10)), 'L') << "its own level goes first";
  EXPECT_EQ(code(replace(0, 5, 10, kPrice - 9 * kTick, 10)), 0x000A) << "its level stays, with its other order";
  rig.run(enter(2, 1, S, kPrice - kTick, 10));
  EXPECT_EQ(code(enter(0, 11, B, kPrice - 10 * kTick, 10)), 0x000A);
}

TEST_F(Shares, ALevelPassesToTheNextInItsQueue) {
  for (std::uint32_t i = 1; i <= 5; ++i) rig.run(enter(0, i, B, kPrice - i * kTick, 10));
  rig.run(enter(1, 1, B, kPrice - kTick, 10));
  EXPECT_EQ(code(replace(0, 1, 6, kPrice - 7 * kTick, 10)), 'L') << "leaves its level to the other account";
  EXPECT_EQ(code(enter(0, 7, B, kPrice - 8 * kTick, 10)), 0x000A);
  rig.run(enter(2, 1, S, kPrice - kTick, 10, TimeInForce::ioc));
  EXPECT_EQ(code(enter(0, 8, B, kPrice - kTick, 10)), 0x000A) << "the level is gone, but was not its own";
}

TEST_F(Shares, AnAccountCannotGatherTheLevelsThatAnotherLeavesToIt) {
  std::uint32_t number = 0, joined = 0;
  for (std::uint32_t round = 0; round < 4; ++round) {
    for (std::uint32_t i = 1; i <= 5; ++i) {
      const std::uint32_t price = kPrice - (5 * round + i) * kTick;
      EXPECT_EQ(code(enter(0, ++number, B, price, 10)), 'L');
      joined += code(enter(1, number, B, price, 10)) == 'L';
    }
    rig.run(firm_wide(CommandKind::mass_cancel, 0, ++number));
  }
  EXPECT_EQ(joined, 5u);
}

TEST_F(Shares, ADisplayedOrderTakesTheHeadOfAHiddenQueueAndItsLevel) {
  for (std::uint32_t i = 1; i <= 5; ++i) {
    Command c = enter(0, i, B, kPrice - i * kTick, 10);
    c.order.display = Display::hidden;
    rig.run(c);
  }
  EXPECT_EQ(code(enter(0, 6, B, kPrice - 6 * kTick, 10)), 0x000A);
  EXPECT_EQ(code(enter(1, 1, B, kPrice - kTick, 10)), 'L');
  EXPECT_EQ(code(enter(0, 7, B, kPrice - 6 * kTick, 10)), 'L');
}

TEST_F(Shares, AnOnCloseOrderThatFindsNoLevelOfItsAccountIsCancelledInTheCall) {
  for (std::uint32_t i = 1; i <= 6; ++i) {
    Command c = enter(0, i, B, kPrice - i * kTick, 10);
    c.order.cross_type = CrossType::closing;
    EXPECT_EQ(code(c), 'L') << "it waits outside the book";
  }
  const auto said = rig.outcomes(phase(Phase::closing_call));
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[0].code, 'Z');
  EXPECT_EQ(said[0].number, 6u);
}

TEST(AccountQueries, BeyondTheRateOfTheirAccountHaveNoAnswer) {
  EngineConfig config = small_config();
  config.account_queries_per_second = 10;
  EngineRig rig(config);
  std::size_t answers = 0;
  for (int i = 0; i < 484; ++i) answers += rig.outcomes(account_query(0)).size();
  EXPECT_EQ(answers, 10u);
  EXPECT_EQ(rig.engine().counters().get(EngineCounter::ignored_query_rate), 474u);
  EXPECT_EQ(rig.outcomes(account_query(1)).size(), 1u) << "another account's";
  EXPECT_EQ(rig.outcomes(at(1, account_query(0))).size(), 1u) << "overdrawn";
  EXPECT_EQ(rig.outcomes(at(100'000'000, account_query(0))).size(), 0u);
  EXPECT_EQ(rig.outcomes(at(100'000'001, account_query(0))).size(), 1u);
}

}  // namespace
}  // namespace crosswire::testing::account_test
