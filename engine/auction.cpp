// The call auction's price: see auction.hpp.
#include "engine/auction.hpp"

namespace crosswire {
namespace {

std::uint64_t distance(Price a, Price b) { return a > b ? a.value - b.value : b.value - a.value; }

/// The prices that are equal on volume and imbalance so far, lowest first.
class Running {
 public:
  explicit Running(Price reference) : reference_(reference) {}

  void consider(Price price, std::uint64_t demand, std::uint64_t supply) {
    const std::uint64_t paired = std::min(demand, supply);
    const std::uint64_t imbalance = std::max(demand, supply) - paired;
    if (paired == 0 || paired < paired_ || (paired == paired_ && imbalance > imbalance_)) return;
    if (paired > paired_ || imbalance < imbalance_) {
      *this = Running(reference_);
      paired_ = paired;
      imbalance_ = imbalance;
      lowest_ = nearest_ = price;
      nearest_buy_surplus_ = demand > supply;
    }
    highest_ = price;
    all_buy_surplus_ &= demand > supply;
    all_sell_surplus_ &= supply > demand;
    if (distance(price, reference_) <= distance(nearest_, reference_)) {
      nearest_ = price;
      nearest_buy_surplus_ = demand > supply;
    }
  }

  AuctionPrice best() const {
    if (paired_ == 0) return {};
    if (all_buy_surplus_) return {highest_, paired_, imbalance_, true};
    if (all_sell_surplus_) return {lowest_, paired_, imbalance_, false};
    return {nearest_, paired_, imbalance_, nearest_buy_surplus_};
  }

 private:
  Price reference_;
  std::uint64_t paired_ = 0;
  std::uint64_t imbalance_ = 0;
  Price lowest_{}, highest_{}, nearest_{};
  bool nearest_buy_surplus_ = false;
  bool all_buy_surplus_ = true;
  bool all_sell_surplus_ = true;
};

}  // namespace

AuctionPrice auction_price(const Book& book, const BookPools& pools, Price reference) {
  if (!book.crossed(pools.levels)) return {};
  const Ladder& bids = book.side(true);
  const Ladder& asks = book.side(false);
  const auto bid_at = [&](Rank rank) -> const Level& { return pools.levels[bids.find(pools.nodes, rank)]; };
  const auto ask_at = [&](Rank rank) -> const Level& { return pools.levels[asks.find(pools.nodes, rank)]; };

  // Demand at the lowest candidate, the best ask: every bid at or above it. `bid` ends at the lowest of them.
  const Rank last_bid = book.scale().bid_rank(ask_at(asks.best()).price);
  std::uint64_t demand = 0;
  Rank bid = kNoRank;
  for (Rank r = bids.best(); r <= last_bid; r = bids.after(pools.nodes, r)) {
    demand += bid_at(r).shares;
    bid = r;
  }

  // Up through the prices of both sides: asks at or below count as supply, bids below no longer as demand.
  Running running(reference);
  std::uint64_t supply = 0;
  Rank ask = asks.best();
  while (bid != kNoRank) {
    const Price bid_price = bid_at(bid).price;
    const Price ask_price = ask == kNoRank ? kMaxPrice : ask_at(ask).price;
    const bool ask_next = ask != kNoRank && ask_price <= bid_price;
    const Price price = ask_next ? ask_price : bid_price;
    if (ask_next) {
      supply += ask_at(ask).shares;
      ask = asks.after(pools.nodes, ask);
    }
    running.consider(price, demand, supply);
    if (price == bid_price) {
      demand -= bid_at(bid).shares;
      bid = bids.before(pools.nodes, bid);
    }
  }
  return running.best();
}

}  // namespace crosswire
