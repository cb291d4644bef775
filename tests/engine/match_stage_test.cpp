// What the match stage tells of accounts to who asks its mailboxes. (Of books: tests/app/figures.)
#include "engine/match_stage.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/engine/limits_rig.hpp"

namespace crosswire::testing::match_stage_test {
namespace {

using enum RiskLimit;
constexpr Side B = Side::buy, S = Side::sell;
constexpr std::uint32_t kPrice = 1'000'000;
constexpr Money kOne = kPrice;  // what a share costs there

class MatchTellsOf : public LimitsRig {
 protected:
  std::vector<AccountState> accounts(std::uint64_t first = 0) { return rig->ask(&MatchStage::account_mailbox, first); }
  std::vector<PositionState> positions(std::uint16_t session, std::uint16_t first) {
    return rig->ask(&MatchStage::position_mailbox, position_question(SessionId{session}, first));
  }
};

TEST_F(MatchTellsOf, AllAccountsFromOneOn) {
  config = small_config();
  config.sessions = 100;
  start();
  EXPECT_EQ(accounts(0).size(), 64u);
  EXPECT_EQ(accounts(64).size(), 36u);
  EXPECT_EQ(accounts(100).size(), 0u);
  EXPECT_FALSE(accounts().at(0).has_limits) << "nobody has any";
  EXPECT_TRUE(positions(0, 0).empty());
}

TEST_F(MatchTellsOf, FundsOfTheAccountAndOfItsFirm) {
  limit(0, funds, 1'000 * kOne);
  limit(0, firm_funds, 3'000 * kOne);
  limit(1, firm_funds, 3'000 * kOne);
  start();
  rig->run(enter(3, 1, S, kPrice, 10));
  rig->run(enter(0, 1, B, kPrice, 100));
  rig->run(enter(1, 1, B, kPrice, 200));
  const std::vector<AccountState> told = accounts();
  ASSERT_EQ(told.size(), 4u);
  EXPECT_TRUE(told[0].has_limits && told[0].has_funds && told[0].firm_has_funds && !told[0].has_positions);
  EXPECT_EQ(told[0].live, 1u);
  EXPECT_EQ(told[0].levels, 1u);
  EXPECT_EQ(told[0].purse.cash, 990 * kOne);
  EXPECT_EQ(told[0].purse.reserved(), 90 * kOne);
  EXPECT_FALSE(told[1].has_funds);
  EXPECT_EQ(told[1].purse.reserved(), 0);
  for (const std::size_t session : {0, 1}) {
    EXPECT_EQ(told[session].firm.cash, 2'990 * kOne);
    EXPECT_EQ(told[session].firm.reserved(), 290 * kOne);
  }
  EXPECT_FALSE(told[3].has_limits || told[3].has_funds || told[3].firm_has_funds);
}

TEST_F(MatchTellsOf, WhatIsTakenOfARateAsOfTheLastCommandAndChangesNothing) {
  limit(0, orders_per_second, 10);
  start();
  for (const std::uint32_t number : {1, 2, 3}) {
    Command command = enter(0, number, B, kPrice, 10);
    command.time_ns = kNsPerSecond + number;
    rig->run(command);
  }
  EXPECT_EQ(accounts().at(0).orders.taken, 3u);
  EXPECT_EQ(accounts().at(0).orders.limit, 10u);
  EXPECT_EQ(accounts().at(0).cancels.limit, 0u);
  rig->run(tick(kNsPerSecond * 3 / 2));
  EXPECT_EQ(accounts().at(0).orders.taken, 3u);
  rig->run(tick(3 * kNsPerSecond));
  const std::uint64_t before = rig->engine().state_hash();
  EXPECT_EQ(accounts().at(0).orders.taken, 0u);
  EXPECT_EQ(rig->engine().state_hash(), before);
}

TEST_F(MatchTellsOf, WhoHasStoppedAnAccount) {
  start();
  rig->run(firm_wide(CommandKind::disable, 0, 1));
  rig->run(stop(OperatorAction::kill, 1, kNoSession, FirmId{0}));
  const std::vector<AccountState> told = accounts();
  EXPECT_EQ(told.at(0).stops, kDisabled | kKilled);
  EXPECT_EQ(told.at(1).stops, kKilled);
  EXPECT_EQ(told.at(2).stops, 0);
}

TEST_F(MatchTellsOf, PositionsThatAreKeptAndHowToGoOn) {
  constexpr std::uint16_t kSymbols = 3'000;
  config.symbols = small_config(kSymbols).symbols;
  std::vector<std::uint16_t> kept;
  for (std::uint16_t symbol = 10; symbol < 110; ++symbol) kept.push_back(symbol);
  kept.insert(kept.end(), {1'134, 2'999});
  for (const std::uint16_t symbol : kept)
    config.risk[0].positions.push_back({.symbol = SymbolId{symbol}, .shares = symbol, .most_long = 5'000});
  start();
  rig->run(enter(0, 1, S, kPrice, 3, TimeInForce::day, 10));
  EXPECT_EQ(positions(0, 0).size(), 64u) << "all that there is room for";
  std::vector<std::uint16_t> told;
  std::uint16_t first = 0;
  std::size_t answers = 0;
  for (auto items = positions(0, first); !items.empty(); items = positions(0, first), ++answers) {
    ASSERT_GT(items.back().symbol.value, first);
    ASSERT_LE(items.back().symbol.value - first, MatchStage::kMostSymbols);
    for (const PositionState& item : items) {
      if (!item.kept) continue;
      told.push_back(item.symbol.value);
      ASSERT_EQ(item.position.shares, item.symbol.value);
      ASSERT_EQ(item.position.most_long, 5'000);
      ASSERT_EQ(item.position.open_sells(), item.symbol.value == 10 ? 3 : 0);
    }
    first = items.back().symbol.value;
  }
  EXPECT_EQ(told, kept);
  EXPECT_EQ(first, kSymbols);
  EXPECT_EQ(answers, 4u);
  EXPECT_TRUE(positions(1, 0).empty());
  EXPECT_TRUE(positions(99, 0).empty()) << "there is no such account";
}

}  // namespace
}  // namespace crosswire::testing::match_stage_test
