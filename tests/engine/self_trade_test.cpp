// Orders of one group do not execute against each other, one sentence each. (That it holds with everything else is
// property_test's.)
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/engine/engine_rig.hpp"

namespace crosswire::testing::self_trade_test {
namespace {

constexpr Side B = Side::buy, S = Side::sell;
constexpr std::uint32_t kPrice = 1'000'000;

/// Accounts 0 and 1 are of one group, 2 and 3 of none.
class SelfTradeOf : public ::testing::Test {
 protected:
  explicit SelfTradeOf(SelfTrade action = SelfTrade::newest) {
    EngineConfig config = small_config();
    config.self_trade = {{1, action}, {1, SelfTrade::both}, {}, {}};
    rig.emplace(config);
    rig->run(phase(Phase::continuous));
    rig->run(enter(1, 1, S, kPrice, 100));
    rig->run(enter(2, 1, S, kPrice, 100));
  }
  /// Each answer: whose, what, how many shares, how many are left open.
  std::vector<std::string> told(Command command, SelfTrade asked = SelfTrade::unsaid) {
    command.order.self_trade = asked;
    std::vector<std::string> lines;
    for (const Outcome& o : rig->outcomes(command)) {
      const char* const kind = o.kind == EventKind::accepted    ? "accepted"
                               : o.kind == EventKind::replaced  ? "replaced"
                               : o.kind == EventKind::prevented ? "prevented"
                               : o.kind == EventKind::executed  ? "executed"
                               : o.kind == EventKind::rested    ? "rested"
                               : o.kind == EventKind::canceled  ? "canceled"
                                                                : "other";
      lines.push_back(std::to_string(o.session) + " " + kind + " " + std::to_string(o.quantity) + " of " +
                      std::to_string(o.quantity + o.open));
    }
    return lines;
  }
  std::uint64_t shares(bool buy) {
    const Ladder& side = rig->engine().book(SymbolId{1}).side(buy);
    return side.empty() ? 0 : rig->engine().pools().levels[side.best_level()].shares;
  }

  std::optional<EngineRig> rig;
};
using Lines = std::vector<std::string>;

TEST_F(SelfTradeOf, TheNewestIsCancelledByDefault) {
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 150)), (Lines{"0 accepted 150 of 300", "0 prevented 150 of 150"}));
  EXPECT_EQ(shares(false), 200u);
  EXPECT_EQ(shares(true), 0u);
}

TEST_F(SelfTradeOf, TheOldestMakesWayForTheNext) {
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 150), SelfTrade::oldest),
            (Lines{"0 accepted 150 of 300", "1 prevented 100 of 100", "0 executed 100 of 100", "0 rested 50 of 100"}));
}

TEST_F(SelfTradeOf, BothAreCancelled) {
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 150), SelfTrade::both),
            (Lines{"0 accepted 150 of 300", "1 prevented 100 of 100", "0 prevented 150 of 150"}));
  EXPECT_EQ(shares(false), 100u);
}

TEST_F(SelfTradeOf, BothAreDecrementedByWhatWouldHaveExecuted) {
  EXPECT_EQ(
      told(enter(0, 1, B, kPrice, 150), SelfTrade::decrement),
      (Lines{"0 accepted 150 of 300", "1 prevented 100 of 100", "0 prevented 100 of 150", "0 executed 50 of 50"}));
  EXPECT_EQ(told(enter(1, 2, S, kPrice, 10)), (Lines{"1 accepted 10 of 20"}));
  EXPECT_EQ(shares(false), 60u);
}

TEST_F(SelfTradeOf, ASmallerAggressorIsDecrementedAwayAndTheRestingOneStays) {
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 30), SelfTrade::decrement),
            (Lines{"0 accepted 30 of 60", "1 prevented 30 of 100", "0 prevented 30 of 30"}));
  EXPECT_EQ(shares(false), 170u);
}

TEST_F(SelfTradeOf, TheAggressorsInstructionDecides) {
  rig->run(enter(0, 1, S, kPrice - 100, 10));
  EXPECT_EQ(told(enter(1, 2, B, kPrice - 100, 10)),
            (Lines{"1 accepted 10 of 20", "0 prevented 10 of 10", "1 prevented 10 of 10"}));
}

TEST_F(SelfTradeOf, AnAccountIsOfItsOwnGroup) {
  EXPECT_EQ(told(enter(1, 2, B, kPrice, 100), SelfTrade::newest),
            (Lines{"1 accepted 100 of 200", "1 prevented 100 of 100"}));
}

TEST_F(SelfTradeOf, WhoIsOfNoGroupTradesWithHimself) {
  EXPECT_EQ(told(cancel(1, 1)), (Lines{"1 canceled 100 of 100"}));
  EXPECT_EQ(told(enter(2, 2, B, kPrice, 100)), (Lines{"2 accepted 100 of 200", "2 executed 100 of 100"}));
}

TEST_F(SelfTradeOf, AReplaceIsAnAggressorToo) {
  EXPECT_EQ(told(enter(0, 1, B, kPrice - 100, 10)), (Lines{"0 accepted 10 of 20"}));
  EXPECT_EQ(told(replace(0, 1, 2, kPrice, 10), SelfTrade::oldest),
            (Lines{"0 replaced 10 of 20", "1 prevented 100 of 100", "0 executed 10 of 10"}));
}

TEST_F(SelfTradeOf, NothingIsPreventedInACross) {
  rig->run(phase(Phase::closing_call));
  EXPECT_EQ(told(enter(0, 1, B, kPrice, 100)), (Lines{"0 accepted 100 of 200"}));
  std::vector<Event> events = rig->run(phase(Phase::closed));
  EXPECT_TRUE(std::any_of(events.begin(), events.end(), [](const Event& e) { return e.kind == EventKind::crossed; }));
}

TEST_F(SelfTradeOf, WhatIsPreventedIsNoVolumeAndMovesNoPrice) {
  EXPECT_EQ(told(enter(0, 1, B, kPrice + 500, 10), SelfTrade::decrement).size(), 3u);
  EXPECT_EQ(rig->engine().volume(SymbolId{1}), 0u);
  EXPECT_EQ(rig->engine().last_price(SymbolId{1}), Price{1'000'000});
  EXPECT_EQ(rig->engine().counters().get(EngineCounter::self_trades_prevented), 1u);
}

}  // namespace
}  // namespace crosswire::testing::self_trade_test
