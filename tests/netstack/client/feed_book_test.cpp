// The book that a feed's messages make (WIRE 5). That it is the engine's own is lossy_clients_test's.
#include "netstack/client/feed_book.hpp"

#include <gtest/gtest.h>

#include "tests/netstack/client_frames.hpp"

namespace crosswire::client {
namespace {

namespace itch = wire::itch;
using Level = FeedBook::Level;

template <class M>
itch::Header head() {
  return itch::head<M>(1, 0, 0);
}

class FeedBookTest : public ::testing::Test {
 protected:
  template <class M>
  FeedFault apply(const M& message) {
    return book.apply(wire::bytes_of(message));
  }
  FeedFault add(std::uint64_t ref, char side, std::uint32_t shares, std::uint32_t price) {
    return apply(itch::AddOrder{.head = head<itch::AddOrder>(),
                                .order_ref = ref,
                                .side = side,
                                .shares = shares,
                                .stock = std::string_view("AAA"),
                                .price = price});
  }
  FeedFault execute(std::uint64_t ref, std::uint32_t shares) {
    return apply(itch::OrderExecuted{
        .head = head<itch::OrderExecuted>(), .order_ref = ref, .shares = shares, .match_number = std::uint64_t{1}});
  }
  const FeedBook::Symbol& symbol() { return book.symbols().at(1); }

  FeedBook book;
};

TEST_F(FeedBookTest, KeepsSharesAndOrdersOfEachPrice) {
  add(1, 'B', 100, 10);
  add(2, 'B', 50, 10);
  add(3, 'S', 70, 12);
  EXPECT_EQ(symbol().bids, (FeedBook::Side{{10, {150, 2}}}));
  EXPECT_EQ(symbol().asks, (FeedBook::Side{{12, {70, 1}}}));
  EXPECT_EQ(execute(1, 100), FeedFault::none);
  EXPECT_EQ(apply(itch::OrderCancel{.head = head<itch::OrderCancel>(), .order_ref = std::uint64_t{2}, .shares = 20u}),
            FeedFault::none);
  EXPECT_EQ(symbol().bids, (FeedBook::Side{{10, {30, 1}}}));
  EXPECT_EQ(apply(itch::OrderDelete{.head = head<itch::OrderDelete>(), .order_ref = std::uint64_t{2}}),
            FeedFault::none);
  EXPECT_TRUE(symbol().bids.empty());
  EXPECT_EQ(symbol().volume, 100u);
}

TEST_F(FeedBookTest, AReplaceKeepsSideStockAndAttribution) {
  apply(itch::AddOrderMpid{.head = head<itch::AddOrderMpid>(),
                           .order_ref = std::uint64_t{1},
                           .side = 'S',
                           .shares = 10u,
                           .stock = std::string_view("AAA"),
                           .price = 5u,
                           .attribution = std::string_view("FIRM")});
  EXPECT_EQ(apply(itch::OrderReplace{.head = head<itch::OrderReplace>(),
                                     .old_ref = std::uint64_t{1},
                                     .new_ref = std::uint64_t{2},
                                     .shares = 7u,
                                     .price = 6u}),
            FeedFault::none);
  const FeedBook::Order& order = book.orders().at(2);
  EXPECT_EQ(order.side, 'S');
  EXPECT_EQ(order.attribution, (std::array<char, 4>{'F', 'I', 'R', 'M'}));
  EXPECT_EQ(symbol().asks, (FeedBook::Side{{6, {7, 1}}}));
}

TEST_F(FeedBookTest, VolumeIsExecutionsPrintableOnesHiddenOnesAndCrosses) {
  add(1, 'B', 1'000, 10);
  execute(1, 1);
  const auto at_another_price = [&](char printable, std::uint32_t shares) {
    apply(itch::OrderExecutedWithPrice{.head = head<itch::OrderExecutedWithPrice>(),
                                       .order_ref = std::uint64_t{1},
                                       .shares = shares,
                                       .match_number = std::uint64_t{1},
                                       .printable = printable,
                                       .price = 9u});
  };
  at_another_price('N', 10);
  at_another_price('Y', 100);
  apply(itch::Trade{.head = head<itch::Trade>(), .side = 'B', .shares = 1'000u, .price = 9u});
  apply(itch::CrossTrade{
      .head = head<itch::CrossTrade>(), .shares = std::uint64_t{10'000}, .price = 9u, .cross_type = 'O'});
  EXPECT_EQ(symbol().volume, 11'101u);
  EXPECT_EQ(symbol().trades, 4u);
  EXPECT_EQ(symbol().bids, (FeedBook::Side{{10, {889, 1}}}));
}

TEST_F(FeedBookTest, WhatCannotBeIsNamedAndChangesNothing) {
  add(1, 'B', 100, 10);
  const auto before = symbol().bids;
  EXPECT_EQ(add(1, 'B', 100, 10), FeedFault::repeated_order);
  EXPECT_EQ(execute(2, 1), FeedFault::unknown_order);
  EXPECT_EQ(execute(1, 101), FeedFault::too_many_shares);
  EXPECT_EQ(apply(itch::OrderReplace{
                .head = head<itch::OrderReplace>(), .old_ref = std::uint64_t{1}, .new_ref = std::uint64_t{1}}),
            FeedFault::repeated_order);
  EXPECT_EQ(book.apply({}), FeedFault::unknown_type);
  const std::uint8_t unknown[] = {'z', 0, 0};
  EXPECT_EQ(book.apply(unknown), FeedFault::unknown_type);
  const std::uint8_t cut[] = {'D', 0, 0};
  EXPECT_EQ(book.apply(cut), FeedFault::wrong_length);
  EXPECT_EQ(symbol().bids, before);
  EXPECT_EQ(book.orders().size(), 1u);
  EXPECT_EQ(symbol().volume, 0u);
}

}  // namespace
}  // namespace crosswire::client
