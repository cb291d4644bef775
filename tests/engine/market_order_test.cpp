// Market orders, one sentence each. (That they hold with everything else is property_test's.)
#include <gtest/gtest.h>

#include "tests/engine/limits_rig.hpp"

namespace crosswire::testing::market_order_test {
namespace {

constexpr Side B = Side::buy, S = Side::sell;
constexpr std::uint32_t kMarket = kMarketPrice.value, kPrice = 1'000'000;
constexpr SymbolId kSymbol{1};

/// Market orders go 1 % through the best opposite price.
class MarketOrderOf : public LimitsRig {
 protected:
  MarketOrderOf() { config.symbols[0].collar.market_percent_e2 = 100; }

  std::vector<Outcome> outcomes(const Command& command) { return rig->outcomes(command); }
  /// Of the one that its command ends with; 0: with none.
  int last_cancel(const Command& command) {
    const auto all = outcomes(command);
    return !all.empty() && all.back().kind == EventKind::canceled ? all.back().code : 0;
  }
  bool is_empty() const {
    const Book& book = rig->engine().book(kSymbol);
    return book.side(true).empty() && book.side(false).empty();
  }
};

TEST_F(MarketOrderOf, ExecutesUpToItsCollarAndTheRestIsCancelled) {
  start();
  for (const std::uint32_t price : {kPrice, kPrice + 10'000, kPrice + 10'100})
    rig->run(enter(0, price - kPrice + 1, S, price, 100));
  const auto all = outcomes(enter(1, 1, B, kMarket, 500));
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].price, kMarket);
  EXPECT_EQ(all[1].price, kPrice);
  EXPECT_EQ(all[2].price, kPrice + 10'000);
  EXPECT_EQ(all[3].quantity, 300u);
  EXPECT_EQ(all[3].code, 'K');
  EXPECT_EQ(rig->engine().live_orders(), 1u);
}

TEST_F(MarketOrderOf, ThatUsesUpTheOtherSideIsAnIocsRest) {
  start();
  rig->run(enter(0, 1, B, kPrice, 100));
  EXPECT_EQ(last_cancel(enter(1, 1, S, kMarket, 500)), 'I');
}

TEST_F(MarketOrderOf, GoesNoFurtherThanTheLastTickWithinItsCollar) {
  config.symbols[0].tick_e4 = 700;
  config.symbols[0].reference = Price{1'400 * 700};
  start();
  const std::uint32_t best = 1'400 * 700;  // 1 % are 14 ticks
  rig->run(enter(0, 1, B, best, 1));
  rig->run(enter(0, 2, B, best - 14 * 700, 1));
  rig->run(enter(0, 3, B, best - 15 * 700, 1));
  EXPECT_EQ(told(enter(1, 1, S, kMarket, 3)), "A E E C");
}

TEST_F(MarketOrderOf, IsRejectedWhereNobodyShowsAPrice) {
  start();
  EXPECT_EQ(told(enter(1, 1, B, kMarket, 10)), "J 0001");
  Command hidden = enter(0, 1, S, kPrice, 10);
  hidden.order.display = Display::hidden;
  rig->run(hidden);
  EXPECT_EQ(told(enter(1, 2, B, kMarket, 10)), "J 0001");
}

TEST_F(MarketOrderOf, MeasuresItsCollarFromTheBestPriceThatIsShown) {
  start();
  Command hidden = enter(0, 1, S, kPrice - 10'000, 10);
  hidden.order.display = Display::hidden;
  rig->run(hidden);
  rig->run(enter(0, 2, S, kPrice, 10));
  rig->run(enter(0, 3, S, kPrice + 10'000, 10));
  EXPECT_EQ(told(enter(1, 1, B, kMarket, 30)), "A E E E");
}

TEST_F(MarketOrderOf, LooksForAQuoteAtSoManyLevelsAndIsChargedForThem) {
  config.looks_for_minimum = 2;
  config.looks_per_second = 1;
  start();
  for (std::uint32_t i = 1; i <= 3; ++i) {
    Command order = enter(0, i, S, kPrice + 100 * i, 10);
    if (i < 3) order.order.display = Display::hidden;
    rig->run(order);
  }
  EXPECT_EQ(told(enter(1, 1, B, kMarket, 10)), "J 0001");
  EXPECT_EQ(told(enter(1, 2, B, kMarket, 10)), "J 0029");
  EXPECT_EQ(told(enter(2, 1, B, kMarket, 10)), "J 0001") << "another account's looks";
}

TEST_F(MarketOrderOf, IsRejectedInASymbolThatTakesNone) {
  start();
  rig->run(enter(0, 1, S, kPrice, 10, TimeInForce::day, 2));
  EXPECT_EQ(told(enter(1, 1, B, kMarket, 10, TimeInForce::day, 2)), "J 002c");
  EXPECT_EQ(told(enter(1, 2, B, kMarket, 10)), "J 0001");
}

TEST_F(MarketOrderOf, MeansTheSameForTheDayAndAsIoc) {
  start();
  for (std::uint32_t i = 1; i <= 3; ++i) rig->run(enter(0, i, S, kPrice + (i - 1) * 20'000, 10));
  EXPECT_EQ(last_cancel(enter(1, 1, B, kMarket, 5)), 0);
  EXPECT_EQ(last_cancel(enter(1, 2, B, kMarket, 15, TimeInForce::ioc)), 'K');
  EXPECT_EQ(last_cancel(enter(1, 3, B, kMarket, 15)), 'K');
}

TEST_F(MarketOrderOf, FillOrKillExecutesWithinItsCollarOrNotAtAll) {
  start();
  rig->run(enter(0, 1, S, kPrice, 10));
  rig->run(enter(0, 2, S, kPrice + 10'100, 10));
  Command order = enter(1, 1, B, kMarket, 11, TimeInForce::ioc);
  order.order.min_quantity = 11;
  EXPECT_EQ(told(order), "dead");
  order.order.user_ref_num = UserRefNum{2};
  order.order.quantity = order.order.min_quantity = 10;
  EXPECT_EQ(told(order), "A E");
}

TEST_F(MarketOrderOf, IsNotPostOnly) {
  start();
  rig->run(enter(0, 1, S, kPrice, 10));
  Command order = enter(1, 1, B, kMarket, 10);
  order.order.post_only = PostOnly::yes;
  EXPECT_EQ(told(order), "J 000f");
}

TEST_F(MarketOrderOf, ThatWouldPassTheDynamicRangeInterruptsTheSymbolAndIsCancelled) {
  config.symbols[0].collar.dynamic_percent_e2 = 50;
  start();
  rig->run(enter(0, 1, S, kPrice, 10));
  rig->run(enter(0, 2, S, kPrice + 6'000, 10));
  const auto all = outcomes(enter(1, 1, B, kMarket, 20));
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[2].kind, EventKind::phase);
  EXPECT_EQ(all[3].code, 'K');
  EXPECT_EQ(rig->engine().phase(kSymbol), Phase::interrupted);
}

TEST_F(MarketOrderOf, ReservesAndIsJudgedAtItsCollar) {
  limit(1, RiskLimit::funds, 10 * (kPrice + 10'000));
  start();
  rig->run(enter(0, 1, S, kPrice, 20));
  EXPECT_EQ(told(enter(1, 1, B, kMarket, 11)), "J 0020");
  EXPECT_EQ(told(enter(1, 2, B, kMarket, 10)), "A E");
  EXPECT_EQ(rig->engine().risk().account(SessionId{1}).purse.cash, 10 * 10'000) << "what it did not cost";
}

TEST_F(MarketOrderOf, IsRefusedBeyondANotionalOrABandThatItsCollarPasses) {
  limit(1, RiskLimit::order_notional, 10 * kPrice);
  limit(2, RiskLimit::price_band, 99);
  start();
  rig->run(enter(0, 1, S, kPrice, 20));
  EXPECT_EQ(told(enter(1, 1, B, kMarket, 10)), "J 0030");
  EXPECT_EQ(told(enter(1, 2, B, kMarket, 9)), "A E");
  EXPECT_EQ(told(enter(2, 1, B, kMarket, 1)), "J 0026");
}

TEST_F(MarketOrderOf, AReplaceMakesOneByTheSameRules) {
  start();
  rig->run(enter(1, 1, B, kPrice - 100, 10));
  EXPECT_EQ(told(replace(1, 1, 2, kMarket, 10)), "J 0001") << "and the original stays";
  rig->run(enter(0, 1, S, kPrice, 4));
  EXPECT_EQ(told(replace(1, 1, 3, kMarket, 10)), "U E C");
  EXPECT_TRUE(is_empty());
}

TEST_F(MarketOrderOf, OfAnAccountThatMayEnterNoneIsRefused) {
  config.risk[1].forbidden = set_of({OrderType::market});
  start();
  rig->run(enter(0, 1, S, kPrice, 20));
  EXPECT_EQ(told(enter(1, 1, B, kMarket, 10)), "J 002c");
  EXPECT_EQ(told(enter(2, 1, B, kMarket, 10)), "A E");
}

// ---- Calls ----------------------------------------------------------------------------------------------------------

class MarketOrderInACall : public MarketOrderOf {
 protected:
  void start_call() {
    rig.emplace(config);
    rig->run(phase(Phase::opening_call));
  }
  /// "2/1 30 at 1000000", ..: who bought from whom in the cross, by their accounts, and "canceled 1 20 K".
  std::vector<std::string> end_call(Phase to = Phase::continuous) {
    std::vector<std::string> all;
    for (const Outcome& o : outcomes(phase(to))) {
      if (o.kind == EventKind::crossed)
        all.push_back(std::to_string(o.session) + "/" + std::to_string(o.session_b) + " " + std::to_string(o.quantity) +
                      " at " + std::to_string(o.price));
      if (o.kind == EventKind::canceled)
        all.push_back("canceled " + std::to_string(o.session) + " " + std::to_string(o.quantity) + " " +
                      static_cast<char>(o.code));
    }
    return all;
  }
};
using Said = std::vector<std::string>;

TEST_F(MarketOrderInACall, ComesBeforeEveryLimitOrderOfItsSideInTimeOrder) {
  start_call();
  rig->run(enter(0, 1, B, kPrice + 100, 10));
  rig->run(enter(1, 1, B, kMarket, 10));
  rig->run(enter(2, 1, B, kMarket, 10));
  rig->run(enter(3, 1, S, kPrice, 25));
  EXPECT_EQ(end_call(), (Said{"1/3 10 at 1000100", "2/3 10 at 1000100", "0/3 5 at 1000100"}));
}

TEST_F(MarketOrderInACall, IsNeverOnTheFeed) {
  start_call();
  for (const Outcome& o : outcomes(enter(1, 1, B, kMarket, 10))) EXPECT_EQ(o.feed, int(FeedAction::none));
  for (const Outcome& o : outcomes(cancel(1, 1))) EXPECT_EQ(o.feed, int(FeedAction::none));
  EXPECT_TRUE(is_empty());
}

TEST_F(MarketOrderInACall, MeetsItsLikeAtTheReference) {
  start_call();
  rig->run(enter(1, 1, B, kMarket, 10));
  rig->run(enter(2, 1, S, kMarket, 30));
  EXPECT_EQ(end_call(), (Said{"1/2 10 at 1000000", "canceled 2 20 K"}));
  EXPECT_TRUE(is_empty());
}

TEST_F(MarketOrderInACall, CountsForThePriceAtEachPriceToWhichItGoes) {
  start_call();
  rig->run(enter(0, 1, S, kPrice + 100, 10));
  rig->run(enter(0, 2, S, kPrice + 10'000, 10));
  rig->run(enter(0, 3, S, kPrice + 10'100, 10));
  rig->run(enter(1, 1, B, kMarket, 40));
  EXPECT_EQ(end_call(), (Said{"1/0 10 at 1010000", "1/0 10 at 1010000", "canceled 1 20 K"}));
}

TEST_F(MarketOrderInACall, ThatDoesNotGoAsFarAsThePriceLeavesBeforeTheCross) {
  start_call();
  rig->run(enter(1, 1, B, kMarket, 40));
  rig->run(enter(2, 1, B, kPrice + 20'000, 10));
  rig->run(enter(0, 1, S, kPrice + 20'000, 10));
  EXPECT_EQ(end_call(), (Said{"canceled 1 40 K", "2/0 10 at 1020000"}));
}

TEST_F(MarketOrderInACall, GoesAsFarAsTheStaticRangeOfASymbolThatHasOne) {
  config.symbols[0].collar.static_percent_e2 = 300;
  start_call();
  rig->run(enter(0, 1, S, kPrice + 30'000, 10));
  rig->run(enter(1, 1, B, kMarket, 10));
  EXPECT_EQ(end_call(), (Said{"1/0 10 at 1030000"}));
}

TEST_F(MarketOrderInACall, WithoutTheOtherSideIsCancelledAtItsEnd) {
  start_call();
  rig->run(enter(1, 1, B, kMarket, 10));
  EXPECT_EQ(end_call(), (Said{"canceled 1 10 K"}));
  rig->run(phase(Phase::closing_call));
  rig->run(enter(1, 2, S, kMarket, 10));
  EXPECT_EQ(end_call(Phase::closed), (Said{"canceled 1 10 E"}));
}

TEST_F(MarketOrderInACall, OutlivesAHaltAndExecutesInTheCrossBehindIt) {
  start_call();
  rig->run(enter(1, 1, B, kMarket, 10));
  rig->run(enter(2, 1, S, kPrice, 10));
  EXPECT_EQ(end_call(Phase::halted), Said{});
  EXPECT_EQ(end_call(), (Said{"1/2 10 at 1000000"}));
}

TEST_F(MarketOrderInACall, OnOpenAndOnCloseExecuteInTheirCrossAlone) {
  start_call();
  Command on_open = enter(1, 1, B, kMarket, 10);
  on_open.order.cross_type = CrossType::opening;
  rig->run(on_open);
  Command on_close = enter(1, 2, B, kMarket, 10);
  on_close.order.cross_type = CrossType::closing;
  rig->run(on_close);
  rig->run(enter(2, 1, S, kPrice, 4));
  EXPECT_EQ(end_call(), (Said{"1/2 4 at 1000000", "canceled 1 6 T"}));
  rig->run(phase(Phase::closing_call));
  rig->run(enter(2, 2, S, kPrice + 100, 4));
  EXPECT_EQ(end_call(), (Said{"1/2 4 at 1000100", "canceled 1 6 T"}));
}

TEST_F(MarketOrderInACall, ReservesAsMuchAsItMayCostAndGivesItBack) {
  limit(1, RiskLimit::funds, 10 * (kPrice + 10'000));
  start_call();
  EXPECT_EQ(told(enter(1, 1, B, kMarket, 11)), "J 0020");
  EXPECT_EQ(told(enter(1, 2, B, kMarket, 10)), "A");
  const Purse& purse = rig->engine().risk().account(SessionId{1}).purse;
  EXPECT_EQ(purse.reserved(), 10 * (kPrice + 10'000));
  EXPECT_EQ(told(cancel(1, 2)), "C");
  EXPECT_EQ(purse.reserved(), 0);
}

TEST_F(MarketOrderInACall, ThatWaitsForTheCloseIsBoundAnewThereAndCancelledWithoutFundsForIt) {
  limit(1, RiskLimit::funds, 10 * (kPrice + 10'000));
  limit(2, RiskLimit::funds, 10 * (kPrice + 20'100));
  start();
  for (const std::uint16_t session : {std::uint16_t{1}, std::uint16_t{2}}) {
    Command order = enter(session, 1, B, kMarket, 10);
    order.order.cross_type = CrossType::closing;
    EXPECT_EQ(told(order), "A");
  }
  rig->run(enter(3, 1, S, kPrice + 10'000, 1));
  rig->run(enter(0, 1, B, kPrice + 10'000, 1));
  const auto all = outcomes(phase(Phase::closing_call));
  ASSERT_EQ(all.size(), 1u + config.symbols.size()) << "a cancel, and the phases";
  EXPECT_EQ(all[0].session, 1u);
  EXPECT_EQ(all[0].code, 'Z');
  EXPECT_EQ(rig->engine().risk().account(SessionId{1}).purse.reserved(), 0);
  EXPECT_EQ(rig->engine().risk().account(SessionId{2}).purse.reserved(), 10 * (kPrice + 20'100));
}

}  // namespace
}  // namespace crosswire::testing::market_order_test
