// A book: two ladders of price levels, each level a queue of orders in time order. Match stage only; no allocation.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "engine/account.hpp"
#include "engine/config.hpp"
#include "engine/ladder.hpp"
#include "engine/order.hpp"
#include "engine/types.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

/// One price of one side: a queue of orders, the displayed ones first, each part in time order. Invariant: count > 0,
/// shares = sum of their open shares, hidden ones included.
struct Level {
  OrderIndex head;
  OrderIndex tail;
  std::uint64_t shares;
  std::uint32_t count;
  Price price;
  OrderIndex last_displayed;  // kNoOrder: all are hidden
  SymbolId symbol;
  bool buy;
};
static_assert(sizeof(Level) == 32);

/// All levels of a partition. Fixed number; a free list runs through `count`.
class Levels {
 public:
  Levels(Arena& arena, std::uint32_t capacity)
      : levels_(arena.array<Level>(capacity)),
        one_cross_shares_(arena.array<std::uint64_t>(capacity)),
        free_count_(capacity) {
    for (std::uint32_t i = 0; i < capacity; ++i) levels_[i].count = i + 1;
  }
  static std::size_t bytes_for(std::uint32_t capacity) {
    return Arena::bytes_for<Level>(capacity) + Arena::bytes_for<std::uint64_t>(capacity);
  }

  Level& operator[](std::uint32_t index) { return levels_[index]; }
  const Level& operator[](std::uint32_t index) const { return levels_[index]; }
  std::uint32_t capacity() const { return static_cast<std::uint32_t>(levels_.size()); }
  std::uint32_t free_count() const { return free_count_; }
  /// Of the level's shares, those of orders for one cross (HotOrder::one_cross). The engine keeps them: where orders
  /// execute at once none is in the book.
  std::uint64_t& one_cross_shares(std::uint32_t index) { return one_cross_shares_[index]; }
  std::uint64_t one_cross_shares(std::uint32_t index) const { return one_cross_shares_[index]; }

  std::uint32_t take() {
    CHECK(free_count_ > 0, "no level left; the engine must ask free_count() first");
    const std::uint32_t index = free_head_;
    free_head_ = levels_[index].count;
    --free_count_;
    return index;
  }
  void give_back(std::uint32_t index) {
    levels_[index].count = free_head_;
    free_head_ = index;
    ++free_count_;
  }

 private:
  std::span<Level> levels_;
  std::span<std::uint64_t> one_cross_shares_;  // beside the levels: outside a call nobody asks for them
  std::uint32_t free_head_ = 0;
  std::uint32_t free_count_;
};

/// Prices to ticks and back. The division is a multiplication by a 64-bit reciprocal, exact for 32-bit prices
/// (Lemire, Kaser, Kurz 2019: floor(n * ceil(2^64 / d) / 2^64) = floor(n / d)).
class TickScale {
 public:
  TickScale() = default;
  explicit TickScale(std::uint32_t tick)
      : tick_(tick), reciprocal_(tick > 1 ? UINT64_MAX / tick + 1 : 0), ticks_max_(kMaxPrice.value / tick) {}

  /// Highest price in ticks that an order may have.
  std::uint32_t ticks_max() const { return ticks_max_; }
  std::uint32_t ticks(Price price) const {
    if (tick_ == 1) return price.value;
    return static_cast<std::uint32_t>((Uint128{reciprocal_} * price.value) >> 64);
  }
  bool on_tick(Price price) const { return ticks(price) * tick_ == price.value; }
  /// Asks rank upwards from 0, bids downwards from the highest price.
  Rank ask_rank(Price price) const { return Rank{ticks(price)}; }
  Rank bid_rank(Price price) const { return Rank{ticks_max_ - ticks(price)}; }
  Rank rank(bool buy, Price price) const { return buy ? bid_rank(price) : ask_rank(price); }
  Price price(bool buy, Rank rank) const { return Price{(buy ? ticks_max_ - rank.value : rank.value) * tick_}; }

 private:
  std::uint32_t tick_ = 1;
  std::uint64_t reciprocal_ = 0;
  std::uint32_t ticks_max_ = kMaxPrice.value;
};

/// What all books of a partition share.
struct BookPools {
  BookPools(LadderNodes its_nodes, Levels its_levels, Orders& its_orders, std::span<Account> its_accounts)
      : nodes(its_nodes), levels(its_levels), orders(its_orders), accounts(its_accounts) {}

  LadderNodes nodes;
  Levels levels;
  Orders& orders;
  std::span<Account> accounts;  // by SessionId; a level counts as that of the order at the head of its queue

  Account& account_of(const HotOrder& order) { return accounts[order.session().value]; }
};

class Book {
 public:
  void init(BookPools& pools, const SymbolConfig& symbol, SymbolId id) {
    scale_ = TickScale(symbol.tick_e4);
    id_ = id;
    bids_.init(pools.nodes, scale_.ticks_max() + 1);
    asks_.init(pools.nodes, scale_.ticks_max() + 1);
  }

  const TickScale& scale() const { return scale_; }
  Ladder& side(bool buy) { return buy ? bids_ : asks_; }
  const Ladder& side(bool buy) const { return buy ? bids_ : asks_; }

  /// Whether an order of this side and limit would execute against the other side's best.
  bool crosses(bool buy, Price limit) const {
    return side(!buy).best() <= scale_.rank(!buy, limit) && !side(!buy).empty();
  }
  bool crossed(const Levels& levels) const {
    return !bids_.empty() && !asks_.empty() && levels[bids_.best_level()].price >= levels[asks_.best_level()].price;
  }

  /// Whether rest() has the level and the nodes that a new price may need.
  bool can_rest(const BookPools& pools, bool buy) const {
    return pools.levels.free_count() > 0 && pools.nodes.free_count() >= side(buy).nodes_needed();
  }

  /// Ladder::kNothing: there is none.
  std::uint32_t level_at(const BookPools& pools, bool buy, Price price) const {
    return side(buy).find(pools.nodes, scale_.rank(buy, price));
  }

  /// Puts the order (hot record: open, side and hidden set) at the end of its price's queue, a displayed one before the
  /// hidden ones. can_rest() holds, or it has a level.
  void rest(BookPools& pools, OrderIndex index, bool buy, Price price) {
    Ladder& ladder = side(buy);
    const Rank rank = scale_.rank(buy, price);
    HotOrder& order = pools.orders.hot(index);
    std::uint32_t at = ladder.find(pools.nodes, rank);
    if (at == Ladder::kNothing) {
      at = pools.levels.take();
      ladder.insert(pools.nodes, rank, at);
      pools.levels[at] = {index, index, order.open, 1, price, order.hidden ? kNoOrder : index, id_, buy};
      order.next = order.prev = kNoOrder;
      ++pools.account_of(order).levels;
    } else {
      Level& level = pools.levels[at];
      link(pools, order, index, level);
      level.shares += order.open;
      ++level.count;
    }
    order.level = at;
  }

  /// Takes `shares` <= open off a resting order; with none left it leaves the book.
  void reduce(BookPools& pools, OrderIndex index, Quantity shares) {
    HotOrder& order = pools.orders.hot(index);
    Level& level = pools.levels[order.level];
    CHECK(shares <= order.open && shares <= level.shares, "%u shares of %u open, level has %llu", shares, order.open,
          static_cast<unsigned long long>(level.shares));
    order.open -= shares;
    level.shares -= shares;
    if (order.open == 0) unlink(pools, order, index, level);
  }

 private:
  friend struct EngineState;

  static void pass_level(BookPools& pools, const HotOrder& from, const HotOrder& to) {
    --pools.account_of(from).levels;
    ++pools.account_of(to).levels;
  }

  static void link(BookPools& pools, HotOrder& order, OrderIndex index, Level& level) {
    order.prev = order.hidden ? level.tail : level.last_displayed;
    if (order.prev == kNoOrder) pass_level(pools, pools.orders.hot(level.head), order);
    OrderIndex& to_me = order.prev == kNoOrder ? level.head : pools.orders.hot(order.prev).next;
    order.next = to_me;
    to_me = index;
    (order.next == kNoOrder ? level.tail : pools.orders.hot(order.next).prev) = index;
    if (!order.hidden) level.last_displayed = index;
  }

  void unlink(BookPools& pools, HotOrder& order, OrderIndex index, Level& level) {
    if (--level.count == 0) {
      CHECK(level.shares == 0, "an empty level has %llu shares", static_cast<unsigned long long>(level.shares));
      side(level.buy).erase(pools.nodes, scale_.rank(level.buy, level.price));
      pools.levels.give_back(order.level);
      --pools.account_of(order).levels;
    } else {
      if (order.prev == kNoOrder) pass_level(pools, order, pools.orders.hot(order.next));
      (order.prev == kNoOrder ? level.head : pools.orders.hot(order.prev).next) = order.next;
      (order.next == kNoOrder ? level.tail : pools.orders.hot(order.next).prev) = order.prev;
      if (level.last_displayed == index) level.last_displayed = order.prev;  // hidden ones are never before it
    }
    order.level = kNoLevel;
  }

  Ladder bids_;
  Ladder asks_;
  TickScale scale_;
  SymbolId id_;
};

}  // namespace crosswire
