// The call auction's price: see auction.hpp.
#include "engine/auction.hpp"

#include <algorithm>
#include <limits>

namespace crosswire {
namespace {

std::uint64_t distance(Price a, Price b) { return a > b ? a.value - b.value : b.value - a.value; }

}  // namespace

void AuctionTally::take_price(Price price, std::uint64_t offered, std::uint64_t wanted) {
  const bool is_reference = price == reference_ && market_.bought > 0 && market_.sold > 0;
  if ((offered | wanted) == 0 && !is_reference) return;  // no order that counts has this limit
  supply_ += offered;
  consider(price);
  demand_ -= wanted;
}

void AuctionTally::consider(Price price) {
  const std::uint64_t demand = demand_ + (price <= market_.range.high ? market_.bought : 0);
  const std::uint64_t supply = supply_ + (price >= market_.range.low ? market_.sold : 0);
  const std::uint64_t paired = std::min(demand, supply);
  const std::uint64_t imbalance = std::max(demand, supply) - paired;
  const bool buy_surplus = demand > supply;
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
  all_sell_surplus_ &= supply > demand;
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

void AuctionWalk::begin(const Book& book, const BookPools& pools, Price reference, PriceRange market) {
  *this = AuctionWalk();
  const Ladder& bids = book.side(true);
  const Ladder& asks = book.side(false);
  const bool buys = bids.best() == kMarketRank;
  const bool sells = asks.best() == kMarketRank;
  AuctionMarket all{.range = market}, one_cross{.range = market};
  if (buys) {
    all.bought = pools.levels[bids.best_level()].shares;
    one_cross.bought = pools.levels.one_cross_shares(bids.best_level());
  }
  if (sells) {
    all.sold = pools.levels[asks.best_level()].shares;
    one_cross.sold = pools.levels.one_cross_shares(asks.best_level());
  }
  all_ = AuctionTally(reference, all);
  one_cross_ = AuctionTally(reference, one_cross);
  if (bids.empty() || asks.empty()) return;
  bid_ = Ladder::Cursor(bids, pools.nodes, bids.best());
  ask_ = Ladder::Cursor(asks, pools.nodes, asks.best());
  if (buys) bid_.worse(pools.nodes);
  if (sells) ask_.worse(pools.nodes);
  Price lowest = sells ? market.low : kMaxPrice;
  if (ask_.rank() != kNoRank) lowest = std::min(lowest, pools.levels[ask_.level(pools.nodes)].price);
  highest_ = buys ? market.high : kNoPrice;
  if (bid_.rank() != kNoRank) highest_ = std::max(highest_, pools.levels[bid_.level(pools.nodes)].price);
  if (lowest > highest_) return;
  if (buys && sells && lowest <= reference && reference <= highest_) pending_ = reference;
  last_bid_ = book.scale().bid_rank_from(lowest);
  part_ = Part::demand;
  if (bid_.rank() <= last_bid_) return;
  bid_ = Ladder::Cursor();
  part_ = Part::prices;
}

AuctionWalk::Next AuctionWalk::next(const BookPools& pools) const {
  constexpr Price kFar{std::numeric_limits<std::uint32_t>::max()};
  const Price bid = has_bid() ? pools.levels[bid_.level(pools.nodes)].price : kFar;
  Price ask = ask_.rank() != kNoRank ? pools.levels[ask_.level(pools.nodes)].price : kFar;
  if (ask > highest_) ask = kFar;
  const Price price = std::min({bid, ask, pending_ == kNoPrice ? kFar : pending_});
  if (price == kFar) return {};
  return {price, price == bid, price == ask};
}

bool AuctionWalk::step(const Book& book, const BookPools& pools, std::size_t levels) {
  // Demand at the lowest price in the running: every bid at or above it.
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
  if (part_ != Part::prices) return part_ == Part::done;
  Next at = next(pools);
  for (; at.price != kNoPrice && levels > 0; --levels, at = next(pools)) {
    const std::uint32_t bid = at.wants ? bid_.level(pools.nodes) : Ladder::kNothing;
    const std::uint32_t ask = at.offers ? ask_.level(pools.nodes) : Ladder::kNothing;
    all_.take_price(at.price, at.offers ? pools.levels[ask].shares : 0, at.wants ? pools.levels[bid].shares : 0);
    one_cross_.take_price(at.price, at.offers ? pools.levels.one_cross_shares(ask) : 0,
                          at.wants ? pools.levels.one_cross_shares(bid) : 0);
    if (at.offers) ask_.worse(pools.nodes);
    if (at.wants) bid_.better(pools.nodes);
    if (at.price == pending_) pending_ = kNoPrice;
  }
  if (at.price == kNoPrice) part_ = Part::done;
  return part_ == Part::done;
}

AuctionPrice auction_price(const Book& book, const BookPools& pools, Price reference, PriceRange market) {
  AuctionWalk walk;
  walk.begin(book, pools, reference, market);
  walk.step(book, pools, std::numeric_limits<std::size_t>::max());
  return walk.result();
}

}  // namespace crosswire
