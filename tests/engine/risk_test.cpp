// What an account's limits refuse, one sentence each. (That ledger and limits hold together is property_test's.)
#include "engine/risk.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/engine/limits_rig.hpp"

namespace crosswire::testing::risk_test {
namespace {

using enum RiskLimit;
constexpr Side B = Side::buy, S = Side::sell, T = Side::sell_short, E = Side::sell_short_exempt;
constexpr std::uint32_t kPrice = 1'000'000;
constexpr Money kOne = kPrice;  // what a share costs there

class RiskOf : public LimitsRig {
 protected:
  const Purse& purse(std::uint16_t session) { return rig->engine().risk().account(SessionId{session}).purse; }
  const Position& position(std::uint16_t session, std::uint16_t symbol = 1) {
    static const Position kNone{};
    const Position* const found = rig->engine().risk().position(SessionId{session}, SymbolId{symbol});
    return found == nullptr ? kNone : *found;
  }

  std::uint32_t n = 0;  // numbers
};

Command changed(Command command, auto change) {
  change(command.order);
  return command;
}

TEST_F(RiskOf, AnAccountWithoutLimitsNothingIsAsked) {
  start();
  EXPECT_EQ(told(enter(3, 1, B, kPrice * 1000, kMaxQuantity)), "A");
  EXPECT_EQ(told(enter(0, 1, T, kPrice, kMaxQuantity)), "A E");
}

TEST_F(RiskOf, AnOrdersSizeIsLimited) {
  limit(0, order_quantity, 500);
  start();
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 500)), "A");
  EXPECT_EQ(told(enter(0, 2, B, kPrice, 501)), "J 0031");
  EXPECT_EQ(told(replace(0, 1, 3, kPrice, 501)), "J 0031");
  EXPECT_EQ(told(cancel(0, 1)), "C") << "the original stays when its Replace fails a limit";
}

TEST_F(RiskOf, AnOrdersNotionalIsLimited) {
  limit(0, order_notional, 100 * kOne);
  start();
  EXPECT_EQ(told(enter(0, 1, S, kPrice, 100)), "A");
  EXPECT_EQ(told(enter(0, 2, S, kPrice + 100, 100)), "J 0030");
}

TEST_F(RiskOf, APriceIsLimitedOnTheSideOnWhichItIsDangerous) {
  limit(0, price_band, 100);  // 1 %
  start();
  EXPECT_EQ(told(enter(0, 1, B, kPrice * 101 / 100, 10)), "A");
  EXPECT_EQ(told(enter(0, 2, B, kPrice * 101 / 100 + 100, 10)), "J 0026");
  EXPECT_EQ(told(enter(0, 3, B, kPrice / 2, 10)), "A") << "a low bid harms nobody";
  EXPECT_EQ(told(cancel(0, 1)), "C");
  EXPECT_EQ(told(enter(0, 4, S, kPrice * 99 / 100, 10)), "A");
  EXPECT_EQ(told(enter(0, 5, S, kPrice * 99 / 100 - 100, 10)), "J 0026");
  EXPECT_EQ(told(enter(0, 6, S, kPrice * 2, 10)), "A");
}

TEST_F(RiskOf, ThePriceIsMeasuredFromTheLastExecution) {
  limit(0, price_band, 100);
  start();
  EXPECT_EQ(told(enter(0, 1, B, kPrice * 11 / 10, 10)), "J 0026");
  rig->run(enter(3, 1, S, kPrice * 11 / 10, 10));
  rig->run(enter(3, 2, B, kPrice * 11 / 10, 10));
  EXPECT_EQ(told(enter(0, 2, B, kPrice * 11 / 10, 10)), "A");
}

TEST_F(RiskOf, ASymbolMayBeForbidden) {
  config.risk[0].symbols = {SymbolId{2}};
  start();
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 10, TimeInForce::day, 1)), "J 0022");
  EXPECT_EQ(told(enter(0, 2, B, kPrice, 10, TimeInForce::day, 2)), "A");
}

TEST_F(RiskOf, EachOrderTypeMayBeForbidden) {
  const auto with = [](auto change) { return changed(enter(0, 1, S, kPrice, 10), change); };
  const Command of[] = {
      with([](OrderAsk& ask) { ask.time_in_force = TimeInForce::ioc; }),
      with([](OrderAsk& ask) {
        ask.time_in_force = TimeInForce::gtt;
        ask.expire_seconds = 5;
      }),
      with([](OrderAsk& ask) { ask.display = Display::hidden; }),
      with([](OrderAsk& ask) { ask.min_quantity = 5; }),
      with([](OrderAsk& ask) { ask.post_only = PostOnly::yes; }),
      with([](OrderAsk& ask) { ask.cross_type = CrossType::opening; }),
      with([](OrderAsk& ask) { ask.cross_type = CrossType::closing; }),
      with([](OrderAsk& ask) { ask.side = T; }),
      with([](OrderAsk& ask) { ask.side = E; }),
      with([](OrderAsk& ask) { ask.price = kMarketPrice; }),
  };
  config.symbols[0].collar.market_percent_e2 = 100;
  static_assert(std::size(of) == kOrderTypes.size());
  for (std::size_t i = 0; i < kOrderTypes.size(); ++i) {
    config.risk[0].forbidden = set_of({kOrderTypes[i].type});
    rig.emplace(config);
    rig->run(phase(Phase::opening_call));
    char reason[16];
    std::snprintf(reason, sizeof reason, "J %04x", unsigned{kOrderTypes[i].code});
    EXPECT_EQ(told(of[i]), reason) << kOrderTypes[i].name;
    EXPECT_EQ(told(enter(0, 2, S, kPrice, 10)), "A") << "without " << kOrderTypes[i].name;
  }
}

TEST_F(RiskOf, AReplaceMayNotBecomeWhatIsForbidden) {
  config.risk[0].forbidden = set_of({OrderType::hidden});
  start();
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 10)), "A");
  EXPECT_EQ(told(changed(replace(0, 1, 2, kPrice, 5), [](OrderAsk& ask) { ask.display = Display::hidden; })), "J 002c");
  EXPECT_EQ(told(cancel(0, 1)), "C");
}

TEST_F(RiskOf, AModifyMayNotMarkASaleAsWhatIsForbidden) {
  config.risk[0].forbidden = set_of({OrderType::short_sale});
  start();
  EXPECT_EQ(told(enter(0, 1, S, kPrice, 10)), "A");
  EXPECT_EQ(told(modify(0, 1, T, 10)), "I") << "it stays as it is";
  EXPECT_EQ(told(modify(0, 1, E, 10)), "M");
  EXPECT_EQ(told(modify(0, 1, T, 10)), "I");
}

TEST_F(RiskOf, FundsCanBeSpentToTheLastUnit) {
  limit(0, funds, 100 * kOne);
  start();
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 101)), "J 0020");
  EXPECT_EQ(told(enter(0, 2, B, kPrice, 60)), "A");
  EXPECT_EQ(told(enter(0, 3, B, kPrice, 41)), "J 0020");
  EXPECT_EQ(told(enter(0, 4, B, kPrice, 40)), "A");
  EXPECT_EQ(told(enter(0, 5, B, 100, 1)), "J 0020");
  EXPECT_EQ(purse(0).cash, purse(0).reserved());
  EXPECT_EQ(told(cancel(0, 2)), "C");
  EXPECT_EQ(told(enter(0, 6, B, kPrice, 60)), "A");
  rig->run(enter(3, 1, S, kPrice, 200));
  EXPECT_EQ(purse(0).cash, 0);
  EXPECT_EQ(purse(0).reserved(), 0);
  EXPECT_EQ(told(enter(0, 7, B, 100, 1)), "J 0020");
}

TEST_F(RiskOf, ABetterPriceIsGivenBackAtOnce) {
  limit(0, funds, 100 * kOne);
  start();
  rig->run(enter(3, 1, S, kPrice / 2, 100));
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 100)), "A E");
  EXPECT_EQ(purse(0).cash, 50 * kOne);
  EXPECT_EQ(purse(0).reserved(), 0);
}

TEST_F(RiskOf, WhatASaleFetchesCanBeSpent) {
  limit(0, funds, 0);
  start();
  EXPECT_EQ(told(enter(0, 1, B, 100, 1)), "J 0020");
  EXPECT_EQ(told(enter(0, 2, S, kPrice, 10)), "A");
  rig->run(enter(3, 1, B, kPrice, 4));
  EXPECT_EQ(purse(0).cash, 4 * kOne);
  EXPECT_EQ(told(enter(0, 3, B, kPrice / 2, 8)), "A");
  EXPECT_EQ(told(enter(0, 4, B, 100, 1)), "J 0020");
}

TEST_F(RiskOf, AReplaceIsJudgedByTheDifference) {
  limit(0, funds, 100 * kOne);
  start();
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 80)), "A");
  EXPECT_EQ(told(replace(0, 1, 2, kPrice, 101)), "J 0020");
  EXPECT_EQ(told(replace(0, 1, 3, kPrice, 100)), "U");
  EXPECT_EQ(told(replace(0, 3, 4, kPrice * 2, 50)), "U");
  EXPECT_EQ(purse(0).reserved(), 100 * kOne);
}

TEST_F(RiskOf, AReplaceThatOnlyLowersIsNeverRefused) {
  limit(0, orders_per_second, 1);
  limit(0, order_quantity, 100);
  limit(0, funds, 100 * kOne);
  start();
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 100)), "A");
  EXPECT_EQ(told(enter(0, 2, B, kPrice, 1)), "J 0029");
  EXPECT_EQ(told(replace(0, 1, 3, kPrice, 99)), "U");
  EXPECT_EQ(told(replace(0, 3, 4, kPrice, 98)), "U");
  EXPECT_EQ(told(replace(0, 4, 5, kPrice, 98)), "J 0029") << "as many shares again";
  EXPECT_EQ(purse(0).reserved(), 98 * kOne);
}

TEST_F(RiskOf, AFirmsFundsAreAllItsAccounts) {
  for (const std::uint32_t session : {0u, 1u}) limit(session, firm_funds, 100 * kOne);
  limit(0, funds, 80 * kOne);
  start();
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 70)), "A");
  EXPECT_EQ(told(enter(1, 1, B, kPrice, 31)), "J 0020") << "30 are left of the firm's";
  EXPECT_EQ(told(enter(1, 2, B, kPrice, 30)), "A");
  EXPECT_EQ(told(enter(0, 2, B, kPrice, 1)), "J 0020") << "10 of its own, none of the firm's";
  EXPECT_EQ(told(enter(2, 1, B, kPrice, 1)), "A") << "another firm";
  EXPECT_EQ(told(cancel(1, 2)), "C");
  EXPECT_EQ(told(enter(0, 3, B, kPrice, 11)), "J 0020") << "10 of its own";
  EXPECT_EQ(told(enter(0, 4, B, kPrice, 10)), "A");
}

TEST_F(RiskOf, APositionCountsOpenOrdersIn) {
  limit(0, position_long, 100);
  limit(0, position_short, 50);
  start();
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 101)), "J 0020");
  EXPECT_EQ(told(enter(0, 2, B, kPrice, 60)), "A");
  EXPECT_EQ(told(enter(0, 3, B, kPrice, 41)), "J 0020");
  EXPECT_EQ(told(enter(0, 4, B, kPrice, 40)), "A");
  EXPECT_EQ(told(enter(0, 5, T, kPrice + 100, 51)), "J 0020");
  EXPECT_EQ(told(enter(0, 6, T, kPrice + 100, 50)), "A");
  EXPECT_EQ(told(enter(0, 7, E, kPrice + 100, 1)), "J 0020");
  EXPECT_EQ(told(enter(0, 8, B, kPrice, 1, TimeInForce::day, 2)), "A") << "each symbol has its own";
  rig->run(enter(3, 1, S, kPrice, 100));
  EXPECT_EQ(position(0).shares, 100);
  EXPECT_EQ(position(0).open_buys(), 0);
  EXPECT_EQ(told(enter(0, 9, B, kPrice, 1)), "J 0020");
  EXPECT_EQ(told(enter(0, 10, T, kPrice + 100, 100)), "A") << "through zero";
  EXPECT_EQ(told(enter(0, 11, T, kPrice + 100, 1)), "J 0020");
}

TEST_F(RiskOf, ASaleNotMarkedShortNeedsTheShares) {
  limit(0, position_short, 1'000);
  config.risk[0].positions = {{.symbol = SymbolId{1}, .shares = 100}};
  start();
  EXPECT_EQ(told(enter(0, 1, S, kPrice, 101)), "J 0020");
  EXPECT_EQ(told(enter(0, 2, S, kPrice, 100)), "A");
  EXPECT_EQ(told(enter(0, 3, S, kPrice, 1)), "J 0020");
  EXPECT_EQ(told(enter(0, 4, T, kPrice, 1'000)), "A");
  EXPECT_EQ(told(enter(0, 5, E, kPrice, 1)), "J 0020");
}

TEST_F(RiskOf, ASymbolsOwnLimitsComeBeforeTheAccounts) {
  limit(0, position_long, 10);
  config.risk[0].positions = {{.symbol = SymbolId{2}, .shares = -5, .most_long = 100, .most_short = 7}};
  start();
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 11)), "J 0020");
  EXPECT_EQ(told(enter(0, 2, B, kPrice, 105, TimeInForce::day, 2)), "A");
  EXPECT_EQ(told(enter(0, 3, B, kPrice, 1, TimeInForce::day, 2)), "J 0020");
  EXPECT_EQ(told(enter(0, 4, T, 2 * kPrice, 2, TimeInForce::day, 2)), "A");
  EXPECT_EQ(told(enter(0, 5, T, 2 * kPrice, 1, TimeInForce::day, 2)), "J 0020");
}

TEST_F(RiskOf, WhoBeginsBeyondALimitMayOnlyReduce) {
  limit(0, position_long, 10);
  config.risk[0].positions = {{.symbol = SymbolId{1}, .shares = 50}};
  start();
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 1)), "J 0020");
  EXPECT_EQ(told(enter(0, 2, S, kPrice, 45)), "A");
  rig->run(enter(3, 1, B, kPrice, 45));
  EXPECT_EQ(told(enter(0, 3, B, kPrice, 6)), "J 0020");
  EXPECT_EQ(told(enter(0, 4, B, kPrice, 5)), "A");
}

TEST_F(RiskOf, SumsOfMoneyStayCountable) {
  limit(0, funds, kMostMoney / 2);
  config.max_orders = 1u << 14;
  start();
  // What the open sales may fetch and the cash stay below kMostMoney.
  const auto most = static_cast<std::uint32_t>((kMostMoney / 2) / kMaxPrice.value / kMaxQuantity);
  for (std::uint32_t i = 1; i <= most; ++i) ASSERT_EQ(told(enter(0, i, S, kPrice, kMaxQuantity)), "A") << i;
  EXPECT_EQ(told(enter(0, most + 1, S, kPrice, kMaxQuantity)), "J 001f");
  EXPECT_EQ(told(cancel(0, 1)), "C");
  EXPECT_EQ(told(enter(0, most + 2, S, kPrice, kMaxQuantity)), "A");
  EXPECT_EQ(told(enter(0, most + 3, B, 100, 1)), "A") << "a purchase is another matter";
}

TEST_F(RiskOf, OrdersWaitForNoCrossUnreserved) {
  limit(0, funds, 100 * kOne);
  start();
  const Command on_close =
      changed(enter(0, 1, B, kPrice, 100), [](OrderAsk& ask) { ask.cross_type = CrossType::closing; });
  EXPECT_EQ(told(on_close), "A");
  EXPECT_EQ(told(enter(0, 2, B, 100, 1)), "J 0020");
  rig->run(phase(Phase::closing_call));
  EXPECT_EQ(purse(0).reserved(), 100 * kOne);
  rig->run(enter(3, 1, S, kPrice / 2, 100));
  rig->run(phase(Phase::closed));
  EXPECT_EQ(purse(0).reserved(), 0);
  EXPECT_EQ(purse(0).cash, 100 * (kOne - rig->engine().last_price(SymbolId{1}).value));
}

TEST_F(RiskOf, EveryEndOfAnOrderReleasesIt) {
  limit(0, funds, 1'000 * kOne);
  config.cancel_on = std::vector<SessionEndReasons>(config.sessions, kCancelOn);
  start();
  const auto gtt = [](std::uint32_t number) {
    return changed(enter(0, number, B, kPrice, 100), [](OrderAsk& ask) {
      ask.time_in_force = TimeInForce::gtt;
      ask.expire_seconds = 1;
    });
  };
  for (std::uint32_t i = 1; i <= 4; ++i) EXPECT_EQ(told(enter(0, i, B, kPrice, 100)), "A");
  EXPECT_EQ(told(gtt(5)), "A");
  EXPECT_EQ(purse(0).reserved(), 500 * kOne);
  EXPECT_EQ(told(cancel(0, 1, 30)), "C");
  EXPECT_EQ(purse(0).reserved(), 430 * kOne);
  EXPECT_EQ(told(modify(0, 1, B, 20)), "M");
  EXPECT_EQ(purse(0).reserved(), 420 * kOne);
  rig->run(tick(2 * kNsPerSecond));
  EXPECT_EQ(purse(0).reserved(), 320 * kOne);
  rig->run(session_close(0, SessionEndReason::logout));
  EXPECT_EQ(purse(0).reserved(), 0);
  EXPECT_EQ(told(enter(0, 6, B, kPrice, 100)), "A");
  EXPECT_EQ(told(firm_wide(CommandKind::mass_cancel, 0, 7)), "X C");
  EXPECT_EQ(purse(0).reserved(), 0);
  EXPECT_EQ(told(enter(0, 8, B, kPrice, 100)), "A");
  rig->run(phase(Phase::closed));
  EXPECT_EQ(purse(0).reserved(), 0);
  EXPECT_EQ(purse(0).cash, 1'000 * kOne);
}

// ---- Rates ----

TEST_F(RiskOf, ASecondHasNoMoreOrdersThanTheRateAllows) {
  limit(0, orders_per_second, 3);
  start();
  for (std::uint32_t i = 1; i <= 3; ++i) EXPECT_EQ(told(0, enter(0, i, B, kPrice, 10)), "A");
  EXPECT_EQ(told(0, enter(0, 4, B, kPrice, 10)), "J 0029");
  EXPECT_EQ(told(0, enter(3, 1, B, kPrice, 10)), "A") << "each account has its own";
  EXPECT_EQ(told(kNsPerSecond - 1, enter(0, 5, B, kPrice, 10)), "J 0029");
  EXPECT_EQ(told(kNsPerSecond, enter(0, 6, B, kPrice, 10)), "J 0029") << "to the strict side";
  const TimeNs after = kNsPerSecond + kNsPerSecond / 16;
  for (std::uint32_t i = 7; i <= 9; ++i) EXPECT_EQ(told(after, enter(0, i, B, kPrice, 10)), "A");
  EXPECT_EQ(told(after, enter(0, 10, B, kPrice, 10)), "J 0029");
}

TEST_F(RiskOf, ASecondHasNoMoreOrdersInASymbolThanItsRateAllows) {
  limit(0, symbol_orders_per_second, 2);
  start();
  const auto in = [](std::uint32_t number, std::uint16_t symbol) {
    return enter(0, number, B, kPrice, 10, TimeInForce::day, symbol);
  };
  EXPECT_EQ(told(0, in(1, 1)), "A");
  EXPECT_EQ(told(0, replace(0, 1, 2, kPrice, 20)), "U");
  EXPECT_EQ(told(0, in(3, 1)), "J 0028");
  EXPECT_EQ(told(0, replace(0, 2, 4, kPrice, 30)), "J 0028");
  EXPECT_EQ(told(0, replace(0, 2, 5, kPrice, 10)), "U") << "only lowers";
  for (std::uint32_t i = 6; i <= 7; ++i) EXPECT_EQ(told(0, in(i, 2)), "A") << "each symbol has its own";
  EXPECT_EQ(told(0, in(8, 2)), "J 0028");
  const TimeNs after = kNsPerSecond + kNsPerSecond / 16;
  EXPECT_EQ(told(after, in(9, 1)), "A");
  Command late = in(10, 1);
  late.order.cross_type = CrossType::opening;
  EXPECT_EQ(told(after, late), "J 0014") << "what is refused for another reason counts";
  EXPECT_EQ(told(after, in(11, 1)), "J 0028");
  EXPECT_EQ(told(after, enter(3, 1, B, kPrice, 10)), "A") << "another account's";
}

TEST_F(RiskOf, ARateInASymbolLimitsNoPosition) {
  limit(0, symbol_orders_per_second, 1'000);
  start();
  EXPECT_EQ(told(enter(0, 1, S, kPrice, kMaxQuantity)), "A");
  EXPECT_EQ(told(enter(0, 2, T, kPrice, kMaxQuantity)), "A");
}

TEST_F(RiskOf, WithoutAPlaceForItsCountAMessageIsRefused) {
  limit(0, symbol_orders_per_second, 1'000);
  config.max_positions = 1;
  start();
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 10)), "A");
  EXPECT_EQ(told(enter(0, 2, B, kPrice, 10, TimeInForce::day, 2)), "J 000a");
  EXPECT_EQ(told(enter(0, 3, B, kPrice, 10)), "A");
}

TEST_F(RiskOf, WhatIsRefusedForTheRateCountsForNothing) {
  limit(0, orders_per_second, 1);
  start();
  EXPECT_EQ(told(0, enter(0, 1, B, kPrice, 10)), "A");
  for (std::uint32_t i = 0; i < 17; ++i)
    EXPECT_EQ(told(i * kNsPerSecond / 16, enter(0, 2 + i, B, kPrice, 10)), "J 0029") << i;
  EXPECT_EQ(told(17 * kNsPerSecond / 16, enter(0, 30, B, kPrice, 10)), "A") << "though it never stopped asking";
}

TEST_F(RiskOf, ReplacesAndBadOrdersCountAsOrders) {
  limit(0, orders_per_second, 3);
  start();
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 10)), "A");
  EXPECT_EQ(told(replace(0, 1, 2, kPrice - 100, 10)), "U");
  Command bad = enter(0, 3, B, kPrice, 10);
  bad.reject = 0x0003;
  EXPECT_EQ(told(bad), "J 0003");
  EXPECT_EQ(told(replace(0, 2, 4, kPrice, 10)), "J 0029");
  EXPECT_EQ(told(enter(0, 3, B, kPrice, 10)), "") << "a repeat is nothing";
  EXPECT_EQ(told(cancel(0, 2)), "C") << "the original stays";
}

TEST_F(RiskOf, CancelsHaveARateOfTheirOwn) {
  limit(0, orders_per_second, 4);
  limit(0, cancels_per_second, 2);
  start();
  for (std::uint32_t i = 1; i <= 4; ++i) EXPECT_EQ(told(enter(0, i, B, kPrice, 10)), "A");
  EXPECT_EQ(told(enter(0, 5, B, kPrice, 10)), "J 0029");
  EXPECT_EQ(told(cancel(0, 1)), "C") << "never behind orders";
  EXPECT_EQ(told(cancel(0, 99)), "") << "what is ignored does not count";
  EXPECT_EQ(told(cancel(0, 2, 5)), "C");
  EXPECT_EQ(told(cancel(0, 2)), "I") << "the order stays";
  EXPECT_EQ(told(modify(0, 3, B, 5)), "I");
  EXPECT_EQ(told(firm_wide(CommandKind::mass_cancel, 0, 6)), "J 0029");
  EXPECT_EQ(told(firm_wide(CommandKind::disable, 0, 7)), "J 0029");
  EXPECT_EQ(told(2 * kNsPerSecond, cancel(0, 2)), "C");
  EXPECT_EQ(told(2 * kNsPerSecond, firm_wide(CommandKind::mass_cancel, 0, 8)), "X C C");
}

TEST_F(RiskOf, TheNumberOfWhatIsRefusedIsConsumed) {
  limit(0, order_quantity, 10);
  limit(0, orders_per_second, 2);
  start();
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 11)), "J 0031");
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 10)), "");
  EXPECT_EQ(told(enter(0, 2, B, kPrice, 10)), "A");
  EXPECT_EQ(told(enter(0, 3, B, kPrice, 10)), "J 0029");
  EXPECT_EQ(told(2 * kNsPerSecond, enter(0, 3, B, kPrice, 10)), "");
}

TEST_F(RiskOf, AnOrderSentTwiceIsRefusedWithinTheWindow) {
  limit(0, duplicate_window, 500);
  start();
  constexpr TimeNs kMs = kNsPerSecond / 1000;
  EXPECT_EQ(told(1'000 * kMs, enter(0, 1, B, kPrice, 10)), "A");
  EXPECT_EQ(told(1'000 * kMs, enter(0, 2, B, kPrice, 10)), "J 002a");
  EXPECT_EQ(told(1'500 * kMs - 1, enter(0, 3, B, kPrice, 10)), "J 002a");
  EXPECT_EQ(told(1'500 * kMs, enter(0, 4, B, kPrice, 10)), "A") << "what was refused is not remembered";
  EXPECT_EQ(told(1'999 * kMs, enter(0, 5, B, kPrice, 10)), "J 002a");
  EXPECT_EQ(told(9'000 * kMs, enter(0, 6, B, kPrice, 10)), "A");
  EXPECT_EQ(told(9'000 * kMs, enter(3, 1, B, kPrice, 10)), "A") << "another account's";
}

TEST_F(RiskOf, WhatDiffersInSideSymbolPriceOrSharesIsNoDuplicate) {
  limit(0, duplicate_window, 500);
  start();
  EXPECT_EQ(told(enter(0, 1, S, kPrice, 10)), "A");
  EXPECT_EQ(told(enter(0, 2, T, kPrice, 10)), "A");
  EXPECT_EQ(told(enter(0, 3, S, kPrice + 100, 10)), "A");
  EXPECT_EQ(told(enter(0, 4, S, kPrice, 11)), "A");
  EXPECT_EQ(told(enter(0, 5, S, kPrice, 10, TimeInForce::day, 2)), "A");
  EXPECT_EQ(told(enter(0, 6, S, kPrice, 10)), "J 002a");
  EXPECT_EQ(told(replace(0, 4, 7, kPrice, 10)), "U") << "a Replace is none";
}

TEST_F(RiskOf, TheLastEightOrdersAreRemembered) {
  limit(0, duplicate_window, 500);
  start();
  for (std::uint32_t i = 1; i <= 8; ++i) EXPECT_EQ(told(enter(0, i, B, kPrice, i)), "A");
  EXPECT_EQ(told(enter(0, 9, B, kPrice, 1)), "J 002a");
  EXPECT_EQ(told(enter(0, 10, B, kPrice, 9)), "A");
  EXPECT_EQ(told(enter(0, 11, B, kPrice, 2)), "J 002a");
  EXPECT_EQ(told(enter(0, 12, B, kPrice, 1)), "A") << "the oldest is forgotten";
}

TEST(RollingCountOf, AnySecondHasNoMoreThanItsLimit) {
  RollingCount count;
  count.set_limit(5);
  std::vector<TimeNs> taken;
  TimeNs now = 0;
  std::uint64_t state = 12345;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    now += (state >> 33) % (state >> 40 & 1 ? 300'000'000 : 20'000'000);
    if (count.take(now)) taken.push_back(now);
  }
  ASSERT_GT(taken.size(), 1'000u);
  for (std::size_t i = 5; i < taken.size(); ++i) ASSERT_GT(taken[i] - taken[i - 5], kNsPerSecond) << i;
}

TEST(RollingCountOf, WhatIsSaidToBeTakenIsWhatIsNotLeft) {
  RollingCount count;
  count.set_limit(5);
  TimeNs now = 0;
  std::uint64_t state = 54321;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    now += (state >> 33) % (state >> 40 & 1 ? 2'000'000'000 : 100'000'000);
    RollingCount all = count;
    const std::uint32_t said = count.taken(now);
    std::uint32_t left = 0;
    while (all.take(now)) ++left;
    ASSERT_EQ(said + left, 5u) << i;
    if (state >> 41 & 1) count.take(now);
  }
}

}  // namespace
}  // namespace crosswire::testing::risk_test
