// The call auction's price: see auction.hpp.
#include "engine/auction.hpp"

#include <algorithm>
#include <limits>

namespace crosswire {
namespace {

std::uint64_t distance(Price a, Price b) { return a > b ? a.value - b.value : b.value - a.value; }

}  // namespace

void AuctionWalk::begin(const Book& book, const BookPools& pools, Price reference, AuctionOf of) {
  *this = AuctionWalk();
  of_ = of;
  reference_ = reference;
  if (!book.crossed(pools.levels)) return;
  const Ladder& bids = book.side(true);
  const Ladder& asks = book.side(false);
  bid_ = Ladder::Cursor(bids, pools.nodes, bids.best());
  ask_ = Ladder::Cursor(asks, pools.nodes, asks.best());
  last_bid_ = book.scale().bid_rank(pools.levels[asks.best_level()].price);
  part_ = Part::demand;
}

std::uint64_t AuctionWalk::shares(const BookPools& pools, std::uint32_t level) const {
  return of_ == AuctionOf::all ? pools.levels[level].shares : pools.levels.one_cross_shares(level);
}

bool AuctionWalk::step(const Book& book, const BookPools& pools, std::size_t levels) {
  // Demand at the lowest price in the running, the best ask: every bid at or above it.
  for (; part_ == Part::demand && levels > 0; --levels) {
    demand_ += shares(pools, bid_.level(pools.nodes));
    bid_.worse(pools.nodes);
    if (bid_.rank() <= last_bid_) continue;
    // One too far, or past the end: back to the lowest that counts.
    const Ladder& bids = book.side(true);
    const Rank lowest =
        bids.find(pools.nodes, last_bid_) != Ladder::kNothing ? last_bid_ : bids.before(pools.nodes, last_bid_);
    bid_ = Ladder::Cursor(bids, pools.nodes, lowest);
    part_ = Part::prices;
  }
  // Up through the prices of both sides: asks at or below count as supply, bids below no longer as demand.
  for (; part_ == Part::prices && levels > 0; --levels) {
    const Level& bid = pools.levels[bid_.level(pools.nodes)];
    const bool asks_left = ask_.rank() != kNoRank;
    const Price ask_price = asks_left ? pools.levels[ask_.level(pools.nodes)].price : kMaxPrice;
    const bool ask_next = asks_left && ask_price <= bid.price;
    const Price price = ask_next ? ask_price : bid.price;
    const std::uint64_t offered = ask_next ? shares(pools, ask_.level(pools.nodes)) : 0;
    const std::uint64_t wanted = price == bid.price ? shares(pools, bid_.level(pools.nodes)) : 0;
    if (ask_next) {
      supply_ += offered;
      ask_.worse(pools.nodes);
    }
    if (offered > 0 || wanted > 0) consider(price);  // else no order that counts has this limit
    if (price == bid.price) {
      demand_ -= wanted;
      bid_.better(pools.nodes);
      if (bid_.rank() == kNoRank) part_ = Part::done;
    }
  }
  return part_ == Part::done;
}

void AuctionWalk::consider(Price price) {
  const std::uint64_t paired = std::min(demand_, supply_);
  const std::uint64_t imbalance = std::max(demand_, supply_) - paired;
  const bool buy_surplus = demand_ > supply_;
  if (paired == 0 || paired < paired_ || (paired == paired_ && imbalance > imbalance_)) return;
  if (paired > paired_ || imbalance < imbalance_) {
    paired_ = paired;
    imbalance_ = imbalance;
    lowest_ = nearest_ = price;
    nearest_buy_surplus_ = buy_surplus;
    all_buy_surplus_ = all_sell_surplus_ = true;
  }
  highest_ = price;
  all_buy_surplus_ &= buy_surplus;
  all_sell_surplus_ &= supply_ > demand_;
  if (distance(price, reference_) <= distance(nearest_, reference_)) {
    nearest_ = price;
    nearest_buy_surplus_ = buy_surplus;
  }
}

AuctionPrice AuctionWalk::result() const {
  if (paired_ == 0) return {};
  if (all_buy_surplus_) return {highest_, paired_, imbalance_, true};
  if (all_sell_surplus_) return {lowest_, paired_, imbalance_, false};
  return {nearest_, paired_, imbalance_, nearest_buy_surplus_};
}

AuctionPrice auction_price(const Book& book, const BookPools& pools, Price reference, AuctionOf of) {
  AuctionWalk walk;
  walk.begin(book, pools, reference, of);
  walk.step(book, pools, std::numeric_limits<std::size_t>::max());
  return walk.result();
}

}  // namespace crosswire
