// The price ladder: one side of one book, from price to level, best first. Match stage only; no allocation.
//
// A radix tree of 64-way nodes, each with a bitmap of its children, over the price's *rank*: 0 is the best price the
// side can have, so asks count ticks up from 0 and bids count them down from the highest. Depth is fixed by the number
// of ranks (5 for a tick of 0.01, 6 at most), so find, insert and erase cost a handful of loads, whatever the prices
// look like, and the neighbour of a price is found with count-trailing-zeros. Business is near somewhere: the two
// lowest storeys of the last insert, 4096 prices in a row, are reached without the tree above.
//
//   root  [..1..1..]           bits 24..29 of the rank
//            └─ [...11..]      bits 18..23
//                  └─ .. near  bits 6..11
//                         └─ leaf   bits 0..5: child = level index
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <iterator>
#include <span>

#include "hugepages/base/check.hpp"
#include "hugepages/base/strong.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

/// Distance in ticks from the best price that the side can have. Lower is better, on both sides.
using Rank = Strong<struct RankTag, std::uint32_t>;
inline constexpr Rank kNoRank{0xFFFFFFFFu};

struct LadderNode {
  std::uint64_t mask;       // bits of the children that there are
  std::uint32_t child[64];  // node index, or level index in a leaf; Ladder::kNothing: there is none
};

/// All nodes of all ladders of a partition. Fixed number; a free list runs through `mask` of those without a child.
class LadderNodes {
 public:
  LadderNodes(Arena& arena, std::uint32_t capacity) : nodes_(arena.array<LadderNode>(capacity)), free_count_(capacity) {
    for (std::uint32_t i = 0; i < capacity; ++i) {
      nodes_[i].mask = i + 1;
      std::fill(std::begin(nodes_[i].child), std::end(nodes_[i].child), kNoChild);
    }
  }
  static std::size_t bytes_for(std::uint32_t capacity) { return Arena::bytes_for<LadderNode>(capacity); }

  LadderNode& operator[](std::uint32_t index) { return nodes_[index]; }
  const LadderNode& operator[](std::uint32_t index) const { return nodes_[index]; }
  std::uint32_t capacity() const { return static_cast<std::uint32_t>(nodes_.size()); }
  std::uint32_t free_count() const { return free_count_; }

  std::uint32_t take() {
    CHECK(free_count_ > 0, "no ladder node left; the engine must ask free_count() first");
    const std::uint32_t index = free_head_;
    free_head_ = static_cast<std::uint32_t>(nodes_[index].mask);
    --free_count_;
    nodes_[index].mask = 0;
    return index;
  }

  /// It has no child.
  void give_back(std::uint32_t index) {
    nodes_[index].mask = free_head_;
    free_head_ = index;
    ++free_count_;
  }

  static constexpr std::uint32_t kNoChild = 0xFFFFFFFFu;

 private:
  std::span<LadderNode> nodes_;
  std::uint32_t free_head_ = 0;
  std::uint32_t free_count_;
};

class alignas(32) Ladder {
 public:
  static constexpr unsigned kMaxDepth = 6;  // 31-bit prices, 6 bits a node
  static constexpr std::uint32_t kNothing = LadderNodes::kNoChild;

  /// Nodes that hold `ranks` ranks deep.
  static unsigned depth_for(std::uint32_t ranks) {
    const unsigned bits = static_cast<unsigned>(std::bit_width(ranks - 1));
    return std::max(2u, (bits + 5) / 6);
  }

  /// `ranks` >= 1 different prices. Takes the root from `nodes`.
  void init(LadderNodes& nodes, std::uint32_t ranks) {
    top_shift_ = 6 * (depth_for(ranks) - 1);
    root_ = nodes.take();
    best_ = kNoRank;
  }

  bool empty() const { return best_ == kNoRank; }
  Rank best() const { return best_; }
  std::uint32_t best_level() const { return best_level_; }
  /// Nodes that one insert() may take.
  unsigned nodes_needed() const { return top_shift_ / 6; }

  /// Level at `rank`, or kNothing.
  [[gnu::always_inline]] std::uint32_t find(const LadderNodes& nodes, Rank rank) const {
    if (rank.value >> kNearBits != near_key_) [[unlikely]]
      return find_far(nodes, rank);
    return find_below(nodes[near_], nodes, rank);
  }

  /// Adds a level at a rank that has none. Needs nodes_needed() free nodes.
  void insert(LadderNodes& nodes, Rank rank, std::uint32_t level) {
    if (rank.value >> kNearBits != near_key_) [[unlikely]]
      go_near(nodes, rank);
    const unsigned at = (rank.value >> 6) & 63;
    std::uint32_t leaf = nodes[near_].child[at];
    if (leaf == kNothing) {
      leaf = nodes.take();
      set(nodes[near_], at, leaf);
    }
    CHECK(nodes[leaf].child[rank.value & 63] == kNothing, "rank %u has a level already", rank.value);
    set(nodes[leaf], rank.value & 63, level);
    ++levels_;
    if (rank < best_) {
      best_ = rank;
      best_level_ = level;
    }
  }

  /// Removes the level at `rank`, which must have one.
  void erase(LadderNodes& nodes, Rank rank) {
    if (rank.value >> kNearBits != near_key_) [[unlikely]]
      go_near(nodes, rank);
    const unsigned at = (rank.value >> 6) & 63;
    const std::uint32_t leaf_index = nodes[near_].child[at];
    CHECK(leaf_index != kNothing && nodes[leaf_index].child[rank.value & 63] != kNothing, "rank %u has no level",
          rank.value);
    LadderNode& leaf = nodes[leaf_index];
    clear(leaf, rank.value & 63);
    --levels_;
    // What is left is worse than the best: the first of it, in the smallest storey that has any.
    if (rank == best_ && leaf.mask != 0) {
      set_best(Rank{rank.value & ~63u}, leaf);
      return;
    }
    if (leaf.mask != 0) return;
    nodes.give_back(leaf_index);
    clear(nodes[near_], at);
    if (nodes[near_].mask == 0 && levels_ > 0) prune_near(nodes);
    if (rank == best_) find_best(nodes);
  }

  /// The next worse rank that has a level, or kNoRank.
  Rank after(const LadderNodes& nodes, Rank rank) const { return neighbour<true>(nodes, rank); }
  /// The next better rank that has a level, or kNoRank.
  Rank before(const LadderNodes& nodes, Rank rank) const { return neighbour<false>(nodes, rank); }

  /// Walks the levels one by one, next to the last in the tree and so for a load or two each. The ladder must not
  /// change meanwhile. Starts at the level at `start`, which must have one.
  class Cursor {
   public:
    Cursor() = default;
    Cursor(const Ladder& ladder, const LadderNodes& nodes, Rank start) : top_shift_(ladder.top_shift_), rank_(start) {
      depth_ = ladder.descend(nodes, start, path_);
      CHECK(depth_ * 6 == top_shift_, "rank %u has no level", start.value);
    }

    /// kNoRank: past the end, where it stays.
    Rank rank() const { return rank_; }
    std::uint32_t level(const LadderNodes& nodes) const { return nodes[path_[depth_]].child[rank_.value & 63]; }
    /// To the next worse level.
    void worse(const LadderNodes& nodes) { step<true>(nodes); }
    /// To the next better level.
    void better(const LadderNodes& nodes) { step<false>(nodes); }

   private:
    template <bool kAfter>
    void step(const LadderNodes& nodes) {
      rank_ = climb<kAfter>(nodes, path_, depth_, top_shift_, rank_);
    }

    std::uint32_t path_[kMaxDepth] = {};
    unsigned depth_ = 0;
    std::uint32_t top_shift_ = 0;
    Rank rank_ = kNoRank;
  };

 private:
  friend struct EngineState;

  /// `node`: the one of the last storey but one on the way to `rank`.
  static std::uint32_t find_below(const LadderNode& node, const LadderNodes& nodes, Rank rank) {
    const std::uint32_t leaf = node.child[(rank.value >> 6) & 63];
    return leaf == kNothing ? kNothing : nodes[leaf].child[rank.value & 63];
  }
  [[gnu::noinline]] std::uint32_t find_far(const LadderNodes& nodes, Rank rank) const {
    std::uint32_t node = root_;
    for (unsigned shift = top_shift_; shift > 6; shift -= 6) {
      node = nodes[node].child[(rank.value >> shift) & 63];
      if (node == kNothing) return kNothing;
    }
    return find_below(nodes[node], nodes, rank);
  }

  static std::uint64_t bit(unsigned slot) { return std::uint64_t{1} << slot; }
  static void set(LadderNode& node, unsigned slot, std::uint32_t child) {
    node.mask |= bit(slot);
    node.child[slot] = child;
  }
  static void clear(LadderNode& node, unsigned slot) {
    node.mask &= ~bit(slot);
    node.child[slot] = kNothing;
  }

  /// The first of a leaf that begins at `first`.
  void set_best(Rank first, const LadderNode& leaf) {
    const unsigned slot = nearest<true>(leaf.mask);
    best_ = Rank{first.value | slot};
    best_level_ = leaf.child[slot];
  }

  void find_best(const LadderNodes& nodes) {
    best_ = kNoRank;
    best_level_ = kNothing;
    if (levels_ == 0) return;
    std::uint32_t node = root_;
    std::uint32_t first = 0;
    for (unsigned shift = top_shift_; shift > 0; shift -= 6) {
      const unsigned slot = nearest<true>(nodes[node].mask);
      first |= slot << shift;
      node = nodes[node].child[slot];
    }
    set_best(Rank{first}, nodes[node]);
  }

  /// near_ becomes the node of the last storey but one on the way to `rank`; makes the way where it is missing.
  void go_near(LadderNodes& nodes, Rank rank) {
    if (empty() && near_key_ != kNothing) prune_near(nodes);
    std::uint32_t node = root_;
    for (unsigned shift = top_shift_; shift > 6; shift -= 6) {
      const unsigned slot = (rank.value >> shift) & 63;
      std::uint32_t child = nodes[node].child[slot];
      if (child == kNothing) {
        child = nodes.take();
        set(nodes[node], slot, child);
      }
      node = child;
    }
    near_ = node;
    near_key_ = rank.value >> kNearBits;
  }

  /// Takes near_, which has no child, out of the tree, and what led to it alone; the root stays.
  void prune_near(LadderNodes& nodes) {
    std::uint32_t path[kMaxDepth];
    const std::uint64_t rank = std::uint64_t{near_key_} << kNearBits;
    const unsigned depth = descend(nodes, Rank{static_cast<std::uint32_t>(rank)}, path);
    for (unsigned at = depth; at > 0 && nodes[path[at]].mask == 0; --at) {
      nodes.give_back(path[at]);
      clear(nodes[path[at - 1]], (rank >> (top_shift_ - 6 * (at - 1))) & 63);
    }
    near_key_ = kNothing;
  }

  /// Follows `rank` down as far as there are nodes; fills the path and returns the last depth reached.
  unsigned descend(const LadderNodes& nodes, Rank rank, std::uint32_t* path) const {
    unsigned depth = 0;
    path[0] = root_;
    for (unsigned shift = top_shift_; shift > 0; shift -= 6) {
      const std::uint32_t child = nodes[path[depth]].child[(rank.value >> shift) & 63];
      if (child == kNothing) break;
      path[++depth] = child;
    }
    return depth;
  }

  /// Slots of `mask` strictly after (or before) `slot`.
  template <bool kAfter>
  static std::uint64_t beyond(std::uint64_t mask, unsigned slot) {
    if constexpr (kAfter) return slot == 63 ? 0 : mask & (~std::uint64_t{0} << (slot + 1));
    return mask & ((std::uint64_t{1} << slot) - 1);
  }
  template <bool kAfter>
  static unsigned nearest(std::uint64_t mask) {
    return static_cast<unsigned>(kAfter ? std::countr_zero(mask) : 63 - std::countl_zero(mask));
  }

  /// The neighbour of a rank that has a level or not.
  template <bool kAfter>
  Rank neighbour(const LadderNodes& nodes, Rank rank) const {
    if (empty()) return kNoRank;
    std::uint32_t path[kMaxDepth];
    unsigned depth = descend(nodes, rank, path);
    return climb<kAfter>(nodes, path, depth, top_shift_, rank);
  }

  /// Climbs from path[depth], on the way to `rank`, to the first node with a child beyond it, then takes the nearest
  /// way down. The path is left at what was found; kNoRank if nothing was.
  template <bool kAfter>
  static Rank climb(const LadderNodes& nodes, std::uint32_t* path, unsigned& depth, std::uint32_t top_shift,
                    Rank rank) {
    for (;; --depth) {
      unsigned shift = top_shift - 6 * depth;
      std::uint64_t mask = beyond<kAfter>(nodes[path[depth]].mask, (rank.value >> shift) & 63);
      if (mask != 0) {
        std::uint32_t found = static_cast<std::uint32_t>((std::uint64_t{rank.value} >> (shift + 6)) << (shift + 6));
        for (;; shift -= 6, mask = nodes[path[depth]].mask) {
          const unsigned slot = nearest<kAfter>(mask);
          found |= slot << shift;
          if (shift == 0) return Rank{found};
          path[depth + 1] = nodes[path[depth]].child[slot];
          ++depth;
        }
      }
      if (depth == 0) return kNoRank;
    }
  }

  static constexpr unsigned kNearBits = 12;

  Rank best_ = kNoRank;
  std::uint32_t best_level_ = kNothing;
  // The last storey but one where the last insert or erase was; near_key_: the bits above kNearBits of the ranks below
  // it, or kNothing. It has a child unless the ladder is empty: the way to where the last level was stays, since as a
  // rule the next one comes there. No other node but the root is ever without a child.
  std::uint32_t near_ = 0;
  std::uint32_t near_key_ = kNothing;
  std::uint32_t levels_ = 0;
  std::uint32_t root_ = 0;
  std::uint32_t top_shift_ = 0;
};

}  // namespace crosswire
