// The price ladder: one side of one book, from price to level, best first. Match stage only; no allocation.
//
// A radix tree of 64-way nodes, each with a bitmap of its children, over the price's *rank*: 0 is the best price the
// side can have, so asks count ticks up from 0 and bids count them down from the highest. Depth is fixed by the number
// of ranks (5 for a tick of 0.01, 6 at most), so find, insert and erase cost a handful of loads that stay in L1 for the
// busy prices, whatever the prices look like, and the neighbour of a price is found with count-trailing-zeros. What
// happens in the leaf of the last insert costs one.
//
//   root  [..1..1..]           bits 24..29 of the rank
//            └─ [...11..]      bits 18..23
//                  └─ .. leaf  bits 0..5: child = level index
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

#include "hugepages/base/check.hpp"
#include "hugepages/base/strong.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

/// Distance in ticks from the best price that the side can have. Lower is better, on both sides.
using Rank = Strong<struct RankTag, std::uint32_t>;
inline constexpr Rank kNoRank{0xFFFFFFFFu};

struct LadderNode {
  std::uint64_t mask;
  std::uint32_t child[64];  // node index, or level index in a leaf; valid where mask has the bit
};

/// All nodes of all ladders of a partition. Fixed number; a free list runs through child[0].
class LadderNodes {
 public:
  LadderNodes(Arena& arena, std::uint32_t capacity) : nodes_(arena.array<LadderNode>(capacity)), free_count_(capacity) {
    for (std::uint32_t i = 0; i < capacity; ++i) nodes_[i].child[0] = i + 1;
  }
  static std::size_t bytes_for(std::uint32_t capacity) { return Arena::bytes_for<LadderNode>(capacity); }

  LadderNode& operator[](std::uint32_t index) { return nodes_[index]; }
  const LadderNode& operator[](std::uint32_t index) const { return nodes_[index]; }
  std::uint32_t capacity() const { return static_cast<std::uint32_t>(nodes_.size()); }
  std::uint32_t free_count() const { return free_count_; }

  std::uint32_t take() {
    CHECK(free_count_ > 0, "no ladder node left; the engine must ask free_count() first");
    const std::uint32_t index = free_head_;
    free_head_ = nodes_[index].child[0];
    --free_count_;
    nodes_[index].mask = 0;
    return index;
  }

  void give_back(std::uint32_t index) {
    nodes_[index].child[0] = free_head_;
    free_head_ = index;
    ++free_count_;
  }

 private:
  std::span<LadderNode> nodes_;
  std::uint32_t free_head_ = 0;
  std::uint32_t free_count_;
};

class Ladder {
 public:
  static constexpr unsigned kMaxDepth = 6;  // 31-bit prices, 6 bits a node
  static constexpr std::uint32_t kNothing = 0xFFFFFFFFu;

  /// Nodes that hold `ranks` ranks deep.
  static unsigned depth_for(std::uint32_t ranks) {
    const unsigned bits = static_cast<unsigned>(std::bit_width(ranks - 1));
    return bits <= 6 ? 1 : (bits + 5) / 6;
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
  std::uint32_t find(const LadderNodes& nodes, Rank rank) const {
    if (rank.value >> 6 == leaf_key_) return child_of(nodes[leaf_], rank.value & 63);
    std::uint32_t node = root_;
    for (unsigned shift = top_shift_; shift > 0; shift -= 6) {
      node = child_of(nodes[node], (rank.value >> shift) & 63);
      if (node == kNothing) return kNothing;
    }
    return child_of(nodes[node], rank.value & 63);
  }

  /// Adds a level at a rank that has none. Needs nodes_needed() free nodes.
  void insert(LadderNodes& nodes, Rank rank, std::uint32_t level) {
    if (rank.value >> 6 != leaf_key_) {
      if (empty() && leaf_key_ != kNothing) prune_empty_leaf(nodes);
      leaf_ = root_;
      for (unsigned shift = top_shift_; shift > 0; shift -= 6) {
        const unsigned slot = (rank.value >> shift) & 63;
        std::uint32_t child = child_of(nodes[leaf_], slot);
        if (child == kNothing) {
          child = nodes.take();
          set(nodes[leaf_], slot, child);
        }
        leaf_ = child;
      }
      leaf_key_ = rank.value >> 6;
    }
    CHECK(child_of(nodes[leaf_], rank.value & 63) == kNothing, "rank %u has a level already", rank.value);
    set(nodes[leaf_], rank.value & 63, level);
    ++levels_;
    if (rank < best_) {
      best_ = rank;
      best_level_ = level;
    }
  }

  /// Removes the level at `rank`, which must have one.
  void erase(LadderNodes& nodes, Rank rank) {
    if (rank.value >> 6 != leaf_key_ || !erase_in_leaf(nodes[leaf_], rank)) erase_in_tree(nodes, rank);
    --levels_;
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
    friend class Ladder;
    Cursor(const Ladder& ladder, const std::uint32_t* path, unsigned depth, Rank at)
        : depth_(depth), top_shift_(ladder.top_shift_), rank_(at) {
      std::copy_n(path, depth + 1, path_);
    }
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

  static std::uint32_t child_of(const LadderNode& node, unsigned slot) {
    return (node.mask >> slot) & 1 ? node.child[slot] : kNothing;
  }
  static std::uint64_t bit(unsigned slot) { return std::uint64_t{1} << slot; }
  static void set(LadderNode& node, unsigned slot, std::uint32_t child) {
    node.mask |= bit(slot);
    node.child[slot] = child;
  }

  /// Without a look at the tree above. False, and nothing is done: a node above has to change, or the next best is in
  /// another leaf.
  bool erase_in_leaf(LadderNode& leaf, Rank rank) {
    const unsigned slot = rank.value & 63;
    CHECK(child_of(leaf, slot) != kNothing, "rank %u has no level", rank.value);
    const std::uint64_t left = leaf.mask & ~bit(slot);
    const bool last = levels_ == 1;
    if (left == 0 && !last) return false;
    if (rank == best_) {
      const std::uint64_t worse = beyond<true>(left, slot);
      if (worse == 0 && !last) return false;
      best_ = last ? kNoRank : Rank{(rank.value & ~63u) | nearest<true>(worse)};
      best_level_ = last ? kNothing : leaf.child[best_.value & 63];
    }
    leaf.mask = left;
    return true;
  }

  void erase_in_tree(LadderNodes& nodes, Rank rank) {
    std::uint32_t path[kMaxDepth];
    const unsigned depth = descend(nodes, rank, path);
    CHECK(depth * 6 == top_shift_ && child_of(nodes[path[depth]], rank.value & 63) != kNothing, "rank %u has no level",
          rank.value);
    if (rank == best_) {
      Cursor next(*this, path, depth, rank);
      next.worse(nodes);
      best_ = next.rank();
      best_level_ = empty() ? kNothing : next.level(nodes);
    }
    prune(nodes, rank, path, depth);
  }

  /// Takes the way to `rank`, as far as it goes, out of the tree where nothing else hangs on it.
  void prune(LadderNodes& nodes, Rank rank, const std::uint32_t* path, unsigned depth) {
    for (unsigned at = depth;; --at) {
      LadderNode& node = nodes[path[at]];
      node.mask &= ~bit((rank.value >> (top_shift_ - 6 * at)) & 63);
      if (node.mask != 0 || at == 0) break;
      if (path[at] == leaf_) leaf_key_ = kNothing;
      nodes.give_back(path[at]);
    }
  }
  void prune_empty_leaf(LadderNodes& nodes) {
    const Rank in_leaf{leaf_key_ << 6};
    std::uint32_t path[kMaxDepth];
    prune(nodes, in_leaf, path, descend(nodes, in_leaf, path));
  }

  /// Follows `rank` down as far as there are nodes; fills the path and returns the last depth reached.
  unsigned descend(const LadderNodes& nodes, Rank rank, std::uint32_t* path) const {
    unsigned depth = 0;
    path[0] = root_;
    for (unsigned shift = top_shift_; shift > 0; shift -= 6) {
      const std::uint32_t child = child_of(nodes[path[depth]], (rank.value >> shift) & 63);
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

  Rank best_ = kNoRank;
  std::uint32_t best_level_ = kNothing;
  std::uint32_t root_ = 0;
  std::uint32_t top_shift_ = 0;
  std::uint32_t levels_ = 0;
  // The leaf of the last insert: most orders go where the last one went, and most levels leave from there. It stays
  // where its only level leaves an empty ladder, which as a rule gets its next one there; no other node is ever without
  // a child, but the root.
  std::uint32_t leaf_ = 0;
  std::uint32_t leaf_key_ = kNothing;
};

}  // namespace crosswire
