// What of the configuration changes within a day, row by row: what it does to orders and ledgers that there are.
#include "tests/engine/limits_rig.hpp"

namespace crosswire::testing::configure_test {
namespace {

using enum RiskLimit;

class EngineConfigure : public LimitsRig {
 protected:
  /// Whether the row was taken.
  bool change(ConfigRow row, std::uint16_t of, std::int64_t value, RiskLimit which = {}, std::uint16_t symbol = 0) {
    const auto outcomes = rig->outcomes(configure(row, of, value, which, symbol));
    EXPECT_FALSE(outcomes.empty());
    return !outcomes.empty() && outcomes.front().kind == EventKind::configured &&
           outcomes.front().code == int(OperatorResult::done);
  }
  bool limit_to(std::uint16_t of, RiskLimit which, std::int64_t value) {
    return change(ConfigRow::limit, of, value, which);
  }
  std::string buy(std::uint32_t number, Quantity shares, std::uint16_t session = 0, TimeNs at = 0) {
    return told(at, enter(session, number, Side::buy, 1'000'000, shares));
  }
};

TEST_F(EngineConfigure, ALimitOfAnOrderComesChangesAndGoes) {
  limit(0, order_quantity, 100);
  start();
  EXPECT_EQ(buy(1, 101), "J 0031");
  EXPECT_TRUE(limit_to(0, order_quantity, 101));
  EXPECT_EQ(buy(2, 101), "A");
  EXPECT_TRUE(limit_to(0, order_quantity, 10));
  EXPECT_EQ(buy(3, 11), "J 0031");
  EXPECT_TRUE(limit_to(0, order_quantity, RiskConfig::kNoLimit));
  EXPECT_EQ(buy(4, 100'000), "A");
  // Of an account that had none.
  EXPECT_TRUE(limit_to(3, order_notional, 1'100'000));
  EXPECT_EQ(buy(1, 2, 3), "J 0030");
  EXPECT_EQ(buy(2, 1, 3), "A");
  EXPECT_TRUE(limit_to(3, price_band, 100));
  EXPECT_EQ(told(enter(3, 3, Side::buy, 1'020'000, 1)), "J 0026");
}

TEST_F(EngineConfigure, WhatIsTakenOfARateCountsForItsNewLimit) {
  limit(0, orders_per_second, 3);
  start();
  for (std::uint32_t number = 1; number <= 3; ++number) EXPECT_EQ(buy(number, 1), "A");
  EXPECT_EQ(buy(4, 1), "J 0029");
  EXPECT_TRUE(limit_to(0, orders_per_second, 4));
  EXPECT_EQ(buy(5, 1), "A");
  EXPECT_TRUE(limit_to(0, orders_per_second, 2));
  EXPECT_EQ(buy(6, 1), "J 0029");
  EXPECT_EQ(buy(7, 1, 0, 2'000'000'000), "A");
  EXPECT_EQ(buy(8, 1, 0, 2'000'000'000), "A");
  EXPECT_EQ(buy(9, 1, 0, 2'000'000'000), "J 0029");
  EXPECT_TRUE(limit_to(0, orders_per_second, RiskConfig::kNoLimit));
  EXPECT_EQ(buy(10, 1, 0, 2'000'000'000), "A");
}

TEST_F(EngineConfigure, BehindFundsThatAreLoweredBelowWhatIsReservedOnlySalesAndCancelsAreLeft) {
  limit(0, funds, 100'000'000);
  start();
  EXPECT_EQ(buy(1, 100), "A");
  EXPECT_EQ(buy(2, 1), "J 0020");
  EXPECT_TRUE(limit_to(0, funds, 50'000'000));
  EXPECT_EQ(rig->engine().risk().account(SessionId{0}).purse.cash, 50'000'000);
  EXPECT_EQ(rig->engine().risk().account(SessionId{0}).purse.reserved(), 100'000'000);
  EXPECT_EQ(buy(3, 1), "J 0020");
  EXPECT_EQ(told(replace(0, 1, 4, 1'000'000, 90)), "U") << "it takes shares off";
  EXPECT_EQ(told(enter(0, 5, Side::sell, 1'100'000, 10)), "A");
  EXPECT_EQ(told(cancel(0, 4)), "C");
  EXPECT_EQ(buy(6, 51), "J 0020");
  EXPECT_EQ(buy(7, 50), "A");
  EXPECT_TRUE(limit_to(0, funds, 51'000'000));
  EXPECT_EQ(buy(8, 1), "A");
}

TEST_F(EngineConfigure, AFirmsFundsChangeForAllItsAccounts) {
  limit(0, firm_funds, 10'000'000);
  limit(1, firm_funds, 10'000'000);
  start();
  EXPECT_EQ(buy(1, 8), "A");
  EXPECT_EQ(buy(1, 3, 1), "J 0020");
  EXPECT_TRUE(change(ConfigRow::firm_limit, 0, 11'000'000, firm_funds));
  EXPECT_EQ(buy(2, 3, 1), "A");
  EXPECT_FALSE(change(ConfigRow::firm_limit, 1, 11'000'000, firm_funds)) << "this firm has none";
  EXPECT_EQ(rig->engine().risk().firm_limit(FirmId{0}), 11'000'000);
}

TEST_F(EngineConfigure, APositionsLimitChangesForEachSymbolThatHasNoneOfItsOwn) {
  limit(0, position_long, 100);
  config.risk[0].positions = {{.symbol = SymbolId{2}, .most_long = 100}};
  start();
  EXPECT_EQ(buy(1, 90), "A");
  EXPECT_TRUE(limit_to(0, position_long, 50));
  EXPECT_EQ(buy(2, 1), "J 0020");
  EXPECT_EQ(told(cancel(0, 1)), "C");
  EXPECT_EQ(buy(3, 51), "J 0020");
  EXPECT_EQ(buy(4, 50), "A");
  const auto in_second = [this](std::uint32_t number, Quantity shares) {
    return told(enter(0, number, Side::buy, 1'000'000, shares, TimeInForce::day, 2));
  };
  EXPECT_EQ(in_second(5, 100), "A");
  EXPECT_EQ(in_second(6, 1), "J 0020");
  EXPECT_TRUE(change(ConfigRow::position_limit, 0, 102, position_long, 2));
  EXPECT_EQ(in_second(7, 2), "A");
  EXPECT_TRUE(change(ConfigRow::position_limit, 0, RiskConfig::kNoLimit, position_long, 2));
  EXPECT_EQ(in_second(8, 1), "J 0020") << "the account's own holds again";
  EXPECT_FALSE(change(ConfigRow::position_limit, 3, 5, position_long, 2)) << "its positions are not limited";
}

TEST_F(EngineConfigure, WhatIsMeasuredAgainstWhatIsKeptFromTheDaysStartOnNeitherComesNorGoes) {
  limit(0, funds, 100'000'000);
  start();
  EXPECT_FALSE(limit_to(0, funds, RiskConfig::kNoLimit));
  for (const RiskLimit which : {funds, position_long, position_short, duplicate_window, rejects_in_a_row, loss_of_day,
                                symbol_orders_per_second, executions_per_second_count, executions_per_second_shares})
    EXPECT_FALSE(limit_to(1, which, 5)) << int(which);
}

TEST_F(EngineConfigure, WhereNobodyHadALimitNoneComes) {
  config.risk.clear();
  start();
  EXPECT_FALSE(limit_to(0, order_quantity, 5));
  EXPECT_FALSE(change(ConfigRow::forbids, 0, set_of({OrderType::ioc})));
  EXPECT_EQ(buy(1, 6), "A");
}

TEST_F(EngineConfigure, ABreakerThatIsLoweredTripsWithTheNextThatItCounts) {
  limit(0, rejects_in_a_row, 10);
  limit(0, order_quantity, 1);
  start();
  for (std::uint32_t number = 1; number <= 5; ++number) EXPECT_EQ(buy(number, 2), "J 0031");
  EXPECT_TRUE(limit_to(0, rejects_in_a_row, 3));
  EXPECT_FALSE(rig->engine().tripped(SessionId{0}));
  EXPECT_EQ(buy(6, 2), "J 0031");
  EXPECT_TRUE(rig->engine().tripped(SessionId{0}));
}

TEST_F(EngineConfigure, AnAccountThatIsSwitchedOffTakesNoOrderUntilItIsSwitchedOn) {
  config.switched_off = {SessionId{1}};
  limit(0, order_quantity, 100);
  start();
  EXPECT_EQ(buy(1, 1, 1), "J 000c");
  EXPECT_EQ(buy(1, 1), "A");
  EXPECT_TRUE(change(ConfigRow::enabled, 0, 0));
  rig->finish_jobs();
  EXPECT_EQ(rig->engine().live_orders(), 0u);
  EXPECT_EQ(buy(2, 1), "J 000c");
  EXPECT_EQ(told(firm_wide(CommandKind::enable, 0, 3)), "J 000c") << "its client may not";
  rig->run(stop(OperatorAction::allow, 1, SessionId{0}));
  EXPECT_EQ(buy(4, 1), "J 000c") << "nor an operator's allow";
  EXPECT_TRUE(change(ConfigRow::enabled, 0, 1));
  EXPECT_EQ(buy(5, 1), "A");
  rig->run(stop(OperatorAction::kill, 2, SessionId{0}));
  EXPECT_TRUE(change(ConfigRow::enabled, 0, 1));
  rig->finish_jobs();
  EXPECT_EQ(buy(6, 1), "J 000c") << "a kill is not the configuration's to end";
}

TEST_F(EngineConfigure, ForbiddenTypesSelfTradeAndTheEndsOfASessionChange) {
  limit(0, order_quantity, 100);
  config.self_trade.assign(config.sessions, {.group = 7, .action = SelfTrade::newest});
  start();
  EXPECT_TRUE(change(ConfigRow::forbids, 0, set_of({OrderType::short_sale, OrderType::ioc})));
  EXPECT_EQ(told(enter(0, 1, Side::sell_short, 1'100'000, 1)), "J 002b");
  EXPECT_EQ(told(enter(0, 2, Side::buy, 1'000'000, 1, TimeInForce::ioc)), "J 002c");
  EXPECT_TRUE(change(ConfigRow::forbids, 0, 0));
  EXPECT_EQ(told(enter(0, 3, Side::sell_short, 1'100'000, 1)), "A");
  EXPECT_TRUE(change(ConfigRow::self_trade, 1, static_cast<int>(SelfTrade::oldest)));
  rig->run(enter(1, 1, Side::buy, 1'100'000, 1));
  EXPECT_EQ(rig->engine().find(SessionId{0}, UserRefNum{3}), kNoOrder) << "the older one went";
  EXPECT_TRUE(change(ConfigRow::cancel_on, 1, 0));
  rig->run(session_close(1, SessionEndReason::logout));
  rig->finish_jobs();
  EXPECT_EQ(rig->engine().live_orders(), 1u);
}

TEST_F(EngineConfigure, EqualRowsAtEqualPlacesComeToEqualStatesAndOthersDoNot) {
  limit(0, order_quantity, 100);
  const auto hash_of = [this](std::int64_t to) {
    start();
    rig->run(enter(0, 1, Side::buy, 1'000'000, 1));
    rig->run(configure(ConfigRow::limit, 0, to, order_quantity));
    return rig->engine().state_hash();
  };
  EXPECT_EQ(hash_of(50), hash_of(50));
  EXPECT_NE(hash_of(50), hash_of(51));
}

TEST_F(EngineConfigure, WhatReceiveHasRefusedChangesNothing) {
  limit(0, order_quantity, 100);
  start();
  Command command = configure(ConfigRow::limit, 0, 5, order_quantity);
  command.configure.refused = OperatorResult::unknown_account;
  EXPECT_EQ(rig->outcomes(command).front().code, int(OperatorResult::unknown_account));
  EXPECT_EQ(buy(1, 100), "A");
  EXPECT_EQ(rig->free_slots(), rig->slots() - 1);
}

}  // namespace
}  // namespace crosswire::testing::configure_test
