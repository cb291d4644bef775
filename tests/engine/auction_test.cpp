// The call auction's price, rule by rule. (That it agrees with trying every price is property_test's.)
#include "engine/auction.hpp"

#include <gtest/gtest.h>

#include "tests/engine/engine_rig.hpp"

namespace crosswire::testing::auction_test {
namespace {

struct Order {
  Side side;
  std::uint32_t price;
  Quantity quantity;
};

/// Price of a call of these orders; the previous close is 100.0000.
AuctionPrice call_of(std::initializer_list<Order> orders) {
  EngineRig rig(small_config());
  rig.run(phase(Phase::opening_call));
  std::uint32_t number = 0;
  for (const Order& o : orders) rig.run(enter(0, ++number, o.side, o.price, o.quantity));
  return auction_price(rig.engine().book(SymbolId{1}), rig.engine().pools(), Price{1'000'000});
}

constexpr Side B = Side::buy, S = Side::sell;

TEST(Auction, HasNoPriceWhereNothingPairs) {
  EXPECT_EQ(call_of({}).price, kNoPrice);
  EXPECT_EQ(call_of({{B, 1'000'000, 100}}).price, kNoPrice);
  EXPECT_EQ(call_of({{B, 990'000, 100}, {S, 1'000'000, 100}}).price, kNoPrice);
}

TEST(Auction, TakesThePriceOfTheGreatestVolume) {
  const AuctionPrice a = call_of({{B, 1'020'000, 100}, {B, 1'010'000, 200}, {S, 1'000'000, 150}, {S, 1'010'000, 100}});
  EXPECT_EQ(a.price, Price{1'010'000});
  EXPECT_EQ(a.paired, 250u);
  EXPECT_EQ(a.imbalance, 50u);
  EXPECT_TRUE(a.buy_surplus);
}

TEST(Auction, TakesTheLeastImbalanceOfEqualVolumes) {
  // 100 pair at either price: 300 are wanted at the lower one, 100 at the higher.
  const AuctionPrice a = call_of({{B, 1'010'000, 100}, {B, 1'000'000, 200}, {S, 1'000'000, 100}});
  EXPECT_EQ(a.price, Price{1'010'000});
  EXPECT_EQ(a.imbalance, 0u);
}

TEST(Auction, TakesTheHighestPriceWhereBuyersAreInSurplusThroughout) {
  // The Shanghai opening of 2023-02-07 in small: two prices tie, buyers are left over at both.
  const AuctionPrice a = call_of({{B, 1'010'000, 300}, {S, 1'000'000, 100}});
  EXPECT_EQ(a.price, Price{1'010'000});
  EXPECT_EQ(a.imbalance, 200u);
}

TEST(Auction, TakesTheLowestPriceWhereSellersAreInSurplusThroughout) {
  const AuctionPrice a = call_of({{B, 1'010'000, 100}, {S, 1'000'000, 300}});
  EXPECT_EQ(a.price, Price{1'000'000});
  EXPECT_FALSE(a.buy_surplus);
}

TEST(Auction, TakesThePriceNearestTheReferenceWhereNobodyIsInSurplus) {
  EXPECT_EQ(call_of({{B, 1'050'000, 100}, {S, 990'000, 100}}).price, Price{990'000});
  EXPECT_EQ(call_of({{B, 1'010'000, 100}, {S, 950'000, 100}}).price, Price{1'010'000});
}

TEST(Auction, TakesTheHigherOfTwoPricesAsNearToTheReference) {
  EXPECT_EQ(call_of({{B, 1'010'000, 100}, {S, 990'000, 100}}).price, Price{1'010'000});
}

}  // namespace
}  // namespace crosswire::testing::auction_test
