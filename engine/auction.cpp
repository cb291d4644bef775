// The call auction's price: see auction.hpp.
#include "engine/auction.hpp"

#include <algorithm>
#include <limits>

namespace crosswire {
namespace {

std::uint64_t distance(Price a, Price b) { return a > b ? a.value - b.value : b.value - a.value; }

}  // namespace

void AuctionTally::take_price(Price price, std::uint64_t offered, std::uint64_t wanted) {
  if ((offered | wanted) == 0) return;  // no order that counts has this limit
  supply_ += offered;
  consider(price);
  demand_ -= wanted;
}

void AuctionTally::consider(Price price) {
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

AuctionPrice AuctionTally::result() const {
  if (paired_ == 0) return {};
  if (all_buy_surplus_) return {highest_, paired_, imbalance_, true};
  if (all_sell_surplus_) return {lowest_, paired_, imbalance_, false};
  return {nearest_, paired_, imbalance_, nearest_buy_surplus_};
}

void AuctionWalk::begin(const Book& book, const BookPools& pools, Price reference) {
  *this = AuctionWalk();
  all_ = one_cross_ = AuctionTally(reference);
  if (!book.crossed(pools.levels)) return;
  const Ladder& bids = book.side(true);
  const Ladder& asks = book.side(false);
  bid_ = Ladder::Cursor(bids, pools.nodes, bids.best());
  ask_ = Ladder::Cursor(asks, pools.nodes, asks.best());
  last_bid_ = book.scale().bid_rank(pools.levels[asks.best_level()].price);
  part_ = Part::demand;
}

bool AuctionWalk::step(const Book& book, const BookPools& pools, std::size_t levels) {
  // Demand at the lowest price in the running, the best ask: every bid at or above it.
  for (; part_ == Part::demand && levels > 0; --levels) {
    const std::uint32_t bid = bid_.level(pools.nodes);
    all_.add_demand(pools.levels[bid].shares);
    one_cross_.add_demand(pools.levels.one_cross_shares(bid));
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
    const std::uint32_t bid = bid_.level(pools.nodes);
    const Price bid_price = pools.levels[bid].price;
    const bool asks_left = ask_.rank() != kNoRank;
    const std::uint32_t ask = asks_left ? ask_.level(pools.nodes) : Ladder::kNothing;
    const bool offers = asks_left && pools.levels[ask].price <= bid_price;
    const Price price = offers ? pools.levels[ask].price : bid_price;
    const bool wants = price == bid_price;
    all_.take_price(price, offers ? pools.levels[ask].shares : 0, wants ? pools.levels[bid].shares : 0);
    one_cross_.take_price(price, offers ? pools.levels.one_cross_shares(ask) : 0,
                          wants ? pools.levels.one_cross_shares(bid) : 0);
    if (offers) ask_.worse(pools.nodes);
    if (wants) {
      bid_.better(pools.nodes);
      if (bid_.rank() == kNoRank) part_ = Part::done;
    }
  }
  return part_ == Part::done;
}

AuctionPrice auction_price(const Book& book, const BookPools& pools, Price reference) {
  AuctionWalk walk;
  walk.begin(book, pools, reference);
  walk.step(book, pools, std::numeric_limits<std::size_t>::max());
  return walk.result();
}

}  // namespace crosswire
