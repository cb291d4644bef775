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

/// Whose price an AuctionWalk looks for: that of every order in the book, or of those for the call's cross alone.
enum class AuctionOf : std::uint8_t { all, one_cross };

/// The price at which both queues cross. Among the limit prices of the orders that count, in this order: the greatest
/// volume; the least imbalance; the highest if every price still in the running has buyers in surplus, the lowest if
/// every one has sellers; the nearest to `reference`, the higher of two as near. One walk over the bids down to the
/// best ask, then one over both sides between best ask and best bid; in steps, so that a book of any size is bounded
/// work at a time. The book must not change between begin() and the end.
class AuctionWalk {
 public:
  void begin(const Book& book, const BookPools& pools, Price reference, AuctionOf of = AuctionOf::all);
  /// Looks at up to `levels` more levels (two at a time where the sides meet). True when the price is found.
  bool step(const Book& book, const BookPools& pools, std::size_t levels);
  /// After step() said true; nothing pairs where nothing was begun.
  AuctionPrice result() const;

 private:
  enum class Part : std::uint8_t { demand, prices, done };

  std::uint64_t shares(const BookPools& pools, std::uint32_t level) const;
  void consider(Price price);

  Part part_ = Part::done;
  AuctionOf of_ = AuctionOf::all;
  Ladder::Cursor bid_;
  Ladder::Cursor ask_;
  Rank last_bid_{};           // the lowest bid that counts: at or above the best ask
  std::uint64_t demand_ = 0;  // shares bid at the present price or above
  std::uint64_t supply_ = 0;  // shares offered at the present price or below
  // The prices that are equal on volume and imbalance so far, lowest first.
  Price reference_{};
  std::uint64_t paired_ = 0;
  std::uint64_t imbalance_ = 0;
  Price lowest_{}, highest_{}, nearest_{};
  bool nearest_buy_surplus_ = false;
  bool all_buy_surplus_ = true;
  bool all_sell_surplus_ = true;
};

/// The whole walk at once.
AuctionPrice auction_price(const Book& book, const BookPools& pools, Price reference, AuctionOf of = AuctionOf::all);

}  // namespace crosswire
