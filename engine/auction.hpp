// The call auction's price. Match stage; a pure function of a book.
#pragma once

#include <cstdint>

#include "engine/book.hpp"

namespace crosswire {

struct AuctionPrice {
  Price price;              // kNoPrice: nothing pairs
  std::uint64_t paired;     // shares that execute at `price`
  std::uint64_t imbalance;  // shares at `price` or better that do not, all on one side
  bool buy_surplus;         // whose they are, where imbalance > 0
};

/// The price at which both queues cross. Among the limit prices in the book, in this order: the greatest volume; the
/// least imbalance; the highest if every price still in the running has buyers in surplus, the lowest if every one has
/// sellers; the nearest to `reference`, the higher of two as near.
/// Cost: one walk over the levels between best ask and best bid, plus one over the bids above the best ask.
AuctionPrice auction_price(const Book& book, const BookPools& pools, Price reference);

}  // namespace crosswire
