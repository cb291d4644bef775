// The call auction's price. Match stage; a pure function of a book.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/book.hpp"
#include "engine/collar.hpp"

namespace crosswire {

struct AuctionPrice {
  Price price;              // kNoPrice: nothing pairs
  std::uint64_t paired;     // shares that execute at `price`
  std::uint64_t imbalance;  // shares at `price` or better that do not, all on one side
  bool buy_surplus;         // whose they are, where imbalance > 0
};

/// Market orders that wait for a cross: shares of both sides, and how far they go: `bought` up to range.high, `sold`
/// down to range.low.
struct AuctionMarket {
  PriceRange range;
  std::uint64_t bought = 0;
  std::uint64_t sold = 0;
};

/// The price at which some orders of both queues cross, told their shares price by price, from the lowest up. Among the
/// limit prices of these orders, and where market orders of both sides are among them the reference, in this order: the
/// greatest volume; the least imbalance; the highest if every price still in the running has buyers in surplus, the
/// lowest if every one has sellers; the nearest to the reference, the higher of two as near. Market orders are bid and
/// offered at each price to which they go.
class AuctionTally {
 public:
  AuctionTally() = default;
  AuctionTally(Price reference, const AuctionMarket& market) : reference_(reference), market_(market) {}

  /// Shares bid at a price that is in the running. Before any price.
  void add_demand(std::uint64_t shares) { demand_ += shares; }
  /// The next price: shares of limit orders offered at it, and bid. The reference is told among them where there may be
  /// market orders of both sides.
  void take_price(Price price, std::uint64_t offered, std::uint64_t wanted);
  /// Nothing pairs where nothing was told.
  AuctionPrice result() const;

 private:
  void consider(Price price);

  Price reference_{};
  AuctionMarket market_{};
  // Of limit orders.
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
/// that a book of any size is bounded work at a time. Market orders are as asks and bids at the ends of `market` there.
/// The book must not change between begin() and the end.
class AuctionWalk {
 public:
  void begin(const Book& book, const BookPools& pools, Price reference, PriceRange market);
  /// Looks at up to `levels` more levels (two at a time where the sides meet). True when the price is found.
  bool step(const Book& book, const BookPools& pools, std::size_t levels);

  // After step() said true.
  AuctionPrice result() const { return all_.result(); }
  /// That of the orders for the call's cross alone.
  AuctionPrice far() const { return one_cross_.result(); }

 private:
  enum class Part : std::uint8_t { demand, prices, done };

  /// What comes next, from the lowest price up; kNoPrice: nothing does.
  struct Next {
    Price price{};
    bool wants = false;   // the bid at bid_ has it
    bool offers = false;  // the ask at ask_ has it
  };
  Next next(const BookPools& pools) const;
  bool has_bid() const { return bid_.rank() != kNoRank && bid_.rank() != kMarketRank; }

  Part part_ = Part::done;
  Ladder::Cursor bid_;
  Ladder::Cursor ask_;
  Rank last_bid_{};  // the lowest bid that counts: at or above the lowest ask
  Price highest_{};  // in the running
  Price pending_{};  // the reference, where it is to be told still; else kNoPrice
  AuctionTally all_;
  AuctionTally one_cross_;
};

/// The whole walk at once.
AuctionPrice auction_price(const Book& book, const BookPools& pools, Price reference,
                           PriceRange market = {Price{0}, kMaxPrice});

}  // namespace crosswire
