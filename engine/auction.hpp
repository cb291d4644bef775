// The call auction's price. Match stage; a pure function of a book.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/book.hpp"

namespace crosswire {

struct AuctionPrice {
  Price price;              // kNoPrice: nothing pairs
  std::uint64_t paired;     // shares that execute at `price`
  std::uint64_t imbalance;  // shares at `price` or better that do not, all on one side
  bool buy_surplus;         // whose they are, where imbalance > 0
};

/// The price at which some orders of both queues cross, told their shares price by price, from the lowest up. Among the
/// limit prices of these orders, in this order: the greatest volume; the least imbalance; the highest if every price
/// still in the running has buyers in surplus, the lowest if every one has sellers; the nearest to the reference, the
/// higher of two as near.
class AuctionTally {
 public:
  AuctionTally() = default;
  explicit AuctionTally(Price reference) : reference_(reference) {}

  /// Shares bid at a price that is in the running. Before any price.
  void add_demand(std::uint64_t shares) { demand_ += shares; }
  /// The next price: shares offered at it, and bid.
  void take_price(Price price, std::uint64_t offered, std::uint64_t wanted);
  /// Nothing pairs where nothing was told.
  AuctionPrice result() const;

 private:
  void consider(Price price);

  Price reference_{};
  std::uint64_t demand_ = 0;  // shares bid at the present price or above
  std::uint64_t supply_ = 0;  // shares offered at the present price or below
  // The prices that are equal on volume and imbalance so far, lowest first.
  std::uint64_t paired_ = 0;
  std::uint64_t imbalance_ = 0;
  Price lowest_{}, highest_{}, nearest_{};
  bool nearest_buy_surplus_ = false;
  bool all_buy_surplus_ = true;
  bool all_sell_surplus_ = true;
};

/// One walk over the bids down to the best ask, then one over both sides between best ask and best bid; in steps, so
/// that a book of any size is bounded work at a time. The book must not change between begin() and the end.
class AuctionWalk {
 public:
  void begin(const Book& book, const BookPools& pools, Price reference);
  /// Looks at up to `levels` more levels (two at a time where the sides meet). True when the price is found.
  bool step(const Book& book, const BookPools& pools, std::size_t levels);

  // After step() said true.
  AuctionPrice result() const { return all_.result(); }
  /// That of the orders for the call's cross alone.
  AuctionPrice far() const { return one_cross_.result(); }

 private:
  enum class Part : std::uint8_t { demand, prices, done };

  Part part_ = Part::done;
  Ladder::Cursor bid_;
  Ladder::Cursor ask_;
  Rank last_bid_{};  // the lowest bid that counts: at or above the best ask
  AuctionTally all_;
  AuctionTally one_cross_;
};

/// The whole walk at once.
AuctionPrice auction_price(const Book& book, const BookPools& pools, Price reference);

}  // namespace crosswire
