// A book: two ladders of price levels, each level a queue of orders in time order. Match stage only; no allocation.
#pragma once

#include <algorithm>
#include <array>
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
      : tick_(tick), reciprocal_(tick > 1 ? UINT64_MAX / tick + 1 : 0), ticks_max_(kMaxPrice.value / tick + 1) {}

  /// In 1/10000.
  std::uint32_t tick() const { return tick_; }
  /// One more than an order's limit may have: it is of market orders to buy, as 0 is of those to sell.
  std::uint32_t ticks_max() const { return ticks_max_; }
  std::uint32_t ticks(Price price) const {
    if (tick_ == 1) return price.value;
    return static_cast<std::uint32_t>((Uint128{reciprocal_} * price.value) >> 64);
  }
  bool on_tick(Price price) const { return is_price(ticks(price), price); }
  /// Whether these ticks, of that price, are all of it.
  bool is_price(std::uint32_t ticks, Price price) const { return ticks * tick_ == price.value; }
  /// Asks rank upwards from 0, bids downwards from ticks_max().
  Rank ask_rank(Price price) const { return Rank{ticks(price)}; }
  Rank bid_rank(Price price) const { return Rank{ticks_max_ - ticks(price)}; }
  /// Without a branch: which side the next order is on is anyone's guess.
  Rank rank(bool buy, Price price) const { return rank_of(buy, ticks(price)); }
  Rank rank_of(bool buy, std::uint32_t ticks) const {
    const std::uint32_t mirror = 0u - buy;
    return Rank{(ticks ^ mirror) + ((ticks_max_ + 1) & mirror)};
  }
  /// The same price's on the other side.
  Rank mirrored(Rank rank) const { return Rank{ticks_max_ - rank.value}; }
  /// Of the lowest price at or above this one.
  Rank bid_rank_from(Price price) const { return Rank{ticks_max_ - ticks(price) - !on_tick(price)}; }
  Price price(bool buy, Rank rank) const { return Price{(buy ? ticks_max_ - rank.value : rank.value) * tick_}; }

 private:
  std::uint32_t tick_ = 1;
  std::uint64_t reciprocal_ = 0;
  std::uint32_t ticks_max_ = kMaxPrice.value + 1;
};

/// On either side, of market orders: ahead of every limit. They are in a book only while they wait for a cross.
inline constexpr Rank kMarketRank{0};

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
    for (Ladder& of : sides_) of.init(pools.nodes, scale_.ticks_max() + 1);
  }

  const TickScale& scale() const { return scale_; }
  Ladder& side(bool buy) { return sides_[buy]; }
  const Ladder& side(bool buy) const { return sides_[buy]; }

  /// Whether an order of this side and limit would execute against the other side's best.
  bool crosses(bool buy, Price limit) const {
    return side(!buy).best() <= scale_.rank(!buy, limit);  // an empty side's best is kNoRank, beyond any limit
  }
  bool crossed(const Levels& levels) const {
    return !side(true).empty() && !side(false).empty() &&
           levels[side(true).best_level()].price >= levels[side(false).best_level()].price;
  }

  /// Whether rest() has the level and the nodes that a new price may need.
  bool can_rest(const BookPools& pools, bool buy) const {
    return pools.levels.free_count() > 0 && pools.nodes.free_count() >= side(buy).nodes_needed();
  }

  /// Of the level of market orders, no limit (is_limit_price).
  Price market_price(bool buy) const { return scale_.price(buy, kMarketRank); }

  /// Ladder::kNothing: there is none.
  std::uint32_t level_at(const BookPools& pools, bool buy, Price price) const {
    return side(buy).find(pools.nodes, scale_.rank(buy, price));
  }

  /// Puts the order (hot record: open, side and hidden set) at the end of its price's queue, a displayed one before the
  /// hidden ones. can_rest() holds, or it has a level.
  void rest(BookPools& pools, OrderIndex index, HotOrder& order, bool buy, Price price) {
    rest_at(pools, index, order, buy, scale_.rank(buy, price), price, order.hidden, order.open);
  }
  /// The same of who knows the order's terms: its rank, whether it is hidden, what is open of it.
  [[gnu::always_inline]] void rest_at(BookPools& pools, OrderIndex index, HotOrder& order, bool buy, Rank rank,
                                      Price price, bool hidden, Quantity open) {
    Ladder& ladder = side(buy);
    const std::uint32_t at = ladder.find(pools.nodes, rank);
    if (at == Ladder::kNothing) [[unlikely]] {
      open_level(pools, ladder, rank, index, order, buy, price);
      return;
    }
    join(pools, index, order, at, hidden, open);
  }
  /// The same of who has found the level.
  [[gnu::always_inline]] void join(BookPools& pools, OrderIndex index, HotOrder& order, std::uint32_t at, bool hidden,
                                   Quantity open) {
    Level& level = pools.levels[at];
    order.level = at;
    level.shares += open;
    ++level.count;
    link(pools, order, index, level, hidden);
  }
  /// The same of who has found that there is none.
  [[gnu::noinline]] void open_level(BookPools& pools, Ladder& ladder, Rank rank, OrderIndex index, HotOrder& order,
                                    bool buy, Price price) {
    const std::uint32_t at = pools.levels.take();
    ladder.insert(pools.nodes, rank, at);
    pools.levels[at] = {index, index, order.open, 1, price, order.hidden ? kNoOrder : index, id_, buy};
    order.next = order.prev = kNoOrder;
    order.level = at;
    ++pools.account_of(order).levels;
  }

  /// Takes `shares` <= open off a resting order; with none left it leaves the book.
  [[gnu::always_inline]] void reduce(BookPools& pools, HotOrder& order, Quantity shares) {
    Level& level = pools.levels[order.level];
    CHECK(shares <= order.open && shares <= level.shares, "%u shares of %u open, level has %llu", shares, order.open,
          static_cast<unsigned long long>(level.shares));
    order.open -= shares;
    level.shares -= shares;
    if (order.open == 0) unlink(pools, order, level);
  }

  /// The same of the order at the head of its side's best level.
  [[gnu::always_inline]] void reduce_first(BookPools& pools, OrderIndex index, HotOrder& order, Level& level,
                                           Quantity shares) {
    CHECK(shares <= order.open && shares <= level.shares, "%u shares of %u open, level has %llu", shares, order.open,
          static_cast<unsigned long long>(level.shares));
    order.open -= shares;
    level.shares -= shares;
    if (order.open > 0) return;
    const OrderIndex next = order.next;
    if (next == kNoOrder) [[unlikely]] {
      close_level(pools, order, level, side(level.buy).best());
      return;
    }
    HotOrder& behind = pools.orders.hot(next);
    --level.count;
    behind.prev = kNoOrder;
    level.head = next;
    if (level.last_displayed == index) level.last_displayed = kNoOrder;  // the hidden ones are left
    pass_level(pools, order, behind);
    order.level = kNoLevel;
  }

 private:
  friend struct EngineState;

  /// The level is another's from now on: of who has come to the head of its queue.
  static void pass_level(BookPools& pools, const HotOrder& from, const HotOrder& to) {
    --pools.account_of(from).levels;
    ++pools.account_of(to).levels;
  }

  /// The last order of the level leaves, and takes it along.
  [[gnu::noinline]] void close_level(BookPools& pools, HotOrder& order, Level& level, Rank rank) {
    CHECK(level.shares == 0 && level.count == 1, "an empty level has %llu shares, %u orders",
          static_cast<unsigned long long>(level.shares), level.count - 1);
    side(level.buy).erase(pools.nodes, rank);
    pools.levels.give_back(order.level);
    --pools.account_of(order).levels;
    order.level = kNoLevel;
  }

  [[gnu::always_inline]] static void link(BookPools& pools, HotOrder& order, OrderIndex index, Level& level,
                                          bool hidden) {
    const OrderIndex before = hidden ? level.tail : level.last_displayed;
    order.prev = before;
    if (!hidden) level.last_displayed = index;
    if (before == level.tail) [[likely]] {  // none is hidden
      order.next = kNoOrder;
      pools.orders.hot(before).next = index;
      level.tail = index;
      return;
    }
    const OrderIndex behind = before == kNoOrder ? level.head : pools.orders.hot(before).next;
    order.next = behind;
    pools.orders.hot(behind).prev = index;
    if (before == kNoOrder) {
      pass_level(pools, pools.orders.hot(behind), order);
      level.head = index;
    } else {
      pools.orders.hot(before).next = index;
    }
  }

  [[gnu::always_inline]] void unlink(BookPools& pools, HotOrder& order, Level& level) {
    const OrderIndex next = order.next, prev = order.prev;
    if (level.count == 1) [[unlikely]] {
      close_level(pools, order, level, scale_.rank(level.buy, level.price));
      return;
    }
    --level.count;
    // A displayed one that is the last of them stands at the tail, or before a hidden one.
    if (next == kNoOrder) {
      if (!order.hidden) level.last_displayed = prev;
      level.tail = prev;
    } else {
      HotOrder& behind = pools.orders.hot(next);
      if (behind.hidden && !order.hidden) level.last_displayed = prev;
      behind.prev = prev;
    }
    if (prev == kNoOrder) {
      pass_level(pools, order, pools.orders.hot(next));
      level.head = next;
    } else {
      pools.orders.hot(prev).next = next;
    }
    order.level = kNoLevel;
  }

  std::array<Ladder, 2> sides_;  // asks, bids
  TickScale scale_;
  SymbolId id_;
};

}  // namespace crosswire
