// From a client's UserRefNum to its live order (WIRE 3.1), and a session's live orders by number. Match stage only;
// fixed size, nothing rehashes or grows.
//
// Clients count 1, 2, 3, so eight numbers in a row share a *block*, one cache line that holds their orders; a channel's
// blocks are a list, lowest numbers first. Any increasing 32-bit number is legal, though: only blocks with a live order
// are kept, so that there are never more of them than orders, and an open-addressing directory of all sessions finds
// one by its key. Entries of sixteen blocks in a row have homes side by side; where, is hashed with a secret, so that
// a client cannot aim for collisions.
//
//   session, channel, number ── / 8 ──► key ── hash ──► directory ──► block: key, list, orders[8] ── % 8 ──► order
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>

#include "engine/types.hpp"
#include "hugepages/base/check.hpp"
#include "hugepages/base/prefetch.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

/// A channel's numbers.
struct ChannelRefs {
  UserRefNum last;           // processed
  std::uint32_t oldest = 0;  // block of UserRefs, 0: it has none
  std::uint32_t newest = 0;
};

class UserRefs {
 public:
  static constexpr std::uint32_t kPerBlock = 8;

  /// `max_orders`: most live orders at once.
  UserRefs(Arena& arena, std::uint32_t sessions, std::uint32_t max_orders, std::uint64_t hash_key)
      : blocks_(arena.array<Block>(block_count(sessions, max_orders))),
        directory_(arena.array<std::uint32_t>(directory_size(sessions, max_orders))),
        multiplier_((hash_key * 0x9E3779B97F4A7C15u) | 1),
        shift_(64u - static_cast<unsigned>(std::countr_zero(directory_.size() / kNeighbours))) {
    for (std::uint32_t i = 1; i < blocks_.size(); ++i) blocks_[i].newer = i + 1;
    std::fill(std::begin(blocks_[0].orders), std::end(blocks_[0].orders), kNoOrder);
  }
  static std::size_t bytes_for(std::uint32_t sessions, std::uint32_t max_orders) {
    return Arena::bytes_for<Block>(block_count(sessions, max_orders)) +
           Arena::bytes_for<std::uint32_t>(directory_size(sessions, max_orders));
  }

  /// Where a number's order is, if it has a block. Of a live order it does not change.
  struct Place {
    std::uint32_t block;  // 0: none
    std::uint32_t at;
  };
  Place place(SessionId session, Channel channel, UserRefNum number) const {
    return {block_of(key_of(session, channel, number)), number.value % kPerBlock};
  }
  /// The live order, or kNoOrder.
  OrderIndex order_at(const Place& of) const { return blocks_[of.block].orders[of.at]; }
  OrderIndex find(SessionId session, Channel channel, UserRefNum number) const {
    return order_at(place(session, channel, number));
  }

  /// Of a live order.
  UserRefNum number_at(const Place& of) const {
    return UserRefNum{static_cast<std::uint32_t>(blocks_[of.block].key) * kPerBlock + of.at};
  }

  /// `number` >= 1, not present, and above all of the channel that are. `refs`: the channel's.
  [[gnu::always_inline]] Place insert(ChannelRefs& refs, SessionId session, Channel channel, UserRefNum number,
                                      OrderIndex order) {
    const std::uint64_t key = key_of(session, channel, number);
    if (blocks_[refs.newest].key != key) [[unlikely]]
      add_block(refs, key);
    Block& block = blocks_[refs.newest];
    OrderIndex& at = block.orders[number.value % kPerBlock];
    CHECK(number.value != 0 && at == kNoOrder, "UserRefNum %u of session %u is live", number.value, session.value);
    at = order;
    ++block.live;
    return {refs.newest, number.value % kPerBlock};
  }

  /// There is an order there; `refs`: its channel's.
  [[gnu::always_inline]] void erase(ChannelRefs& refs, const Place& of) {
    Block& block = blocks_[of.block];
    CHECK(of.block != 0 && block.orders[of.at] != kNoOrder, "place %u of block %u has no live order", of.at, of.block);
    block.orders[of.at] = kNoOrder;
    --block.live;
    // A channel's numbers go on where they were: its newest block stays for the next one, if it is the session's own.
    if (block.live == 0 && !(of.block == refs.newest && block.of_own_channel())) [[unlikely]]
      remove_block(refs, of.block);
  }

  /// The channel's live order with the lowest number of all, or the next above a live one's; kNoOrder: there is none.
  OrderIndex first(const ChannelRefs& refs) const { return first_from({refs.oldest, 0}); }
  OrderIndex after(const Place& of) const { return first_from({of.block, of.at + 1}); }

  /// Calls each(number, order) with the channel's live orders, by number.
  template <class Each>
  void for_each(const ChannelRefs& refs, Each each) const {
    for (std::uint32_t block = refs.oldest; block != 0; block = blocks_[block].newer)
      for (std::uint32_t at = 0; at < kPerBlock; ++at)
        if (blocks_[block].orders[at] != kNoOrder) each(number_at({block, at}), blocks_[block].orders[at]);
  }

  /// For a look ahead, in steps that each bring on its way what the next one reads: look() to see(), see() to guess().
  struct Look {
    std::uint64_t key;
    std::size_t home;
  };
  Look look(SessionId session, Channel channel, UserRefNum number) const {
    const std::uint64_t key = key_of(session, channel, number);
    const std::size_t at = home(key);
    prefetch_to_read(&directory_[at]);
    return {key, at};
  }
  void see(const Look& look) const { prefetch_to_write(&blocks_[directory_[look.home]]); }
  /// The order, if it is where it most likely is, or kNoOrder.
  OrderIndex guess(const Look& look, UserRefNum number) const {
    const Block& block = blocks_[directory_[look.home]];
    return block.key == look.key ? block.orders[number.value % kPerBlock] : kNoOrder;
  }

 private:
  friend struct EngineState;

  struct alignas(kCacheLine) Block {
    std::uint64_t key;    // 0: free
    std::uint32_t newer;  // of the channel's list; of a free one: the next free one
    std::uint32_t older;
    std::uint32_t live;  // orders
    OrderIndex orders[kPerBlock];

    bool of_own_channel() const { return ((key >> kChannelShift) & (kChannels - 1)) == 0; }
  };
  static_assert(sizeof(Block) == kCacheLine);

  /// One for each live order and each session's own channel, and that one that is no block.
  static std::size_t block_count(std::uint32_t sessions, std::uint32_t max_orders) {
    return std::size_t{max_orders} + sessions + 2;
  }
  static std::size_t directory_size(std::uint32_t sessions, std::uint32_t max_orders) {
    return std::bit_ceil(std::max(2 * block_count(sessions, max_orders), 2 * kNeighbours));
  }

  // A number by 8 has 29 bits. The 1 in front makes no key 0, which block 0 has.
  static constexpr unsigned kChannelShift = 29;
  static std::uint64_t key_of(SessionId session, Channel channel, UserRefNum number) {
    return std::uint64_t{1} << (kChannelShift + 24) | std::uint64_t{session.value} << (kChannelShift + 8) |
           std::uint64_t{channel} << kChannelShift | number.value / kPerBlock;
  }
  /// Two multiplications, one by a secret, with a fold between them: clients count, and one multiplication alone lays
  /// some progressions on few places. Other bits of the product turn the neighbours, so that who uses one block of each
  /// sixteen crowds no place.
  std::size_t home(std::uint64_t key) const {
    std::uint64_t mixed = key / kNeighbours * multiplier_;
    mixed = (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93u;
    return (mixed >> shift_) * kNeighbours + ((key ^ mixed >> 32) % kNeighbours);
  }
  std::size_t next(std::size_t i) const { return (i + 1) & (directory_.size() - 1); }

  std::uint32_t block_of(std::uint64_t key) const {
    std::uint32_t block = directory_[home(key)];
    if (blocks_[block].key == key) [[likely]]
      return block;
    for (std::size_t i = home(key); block != 0 && blocks_[block].key != key; block = directory_[i]) i = next(i);
    return block;
  }

  OrderIndex first_from(Place from) const {
    for (; from.block != 0; from = {blocks_[from.block].newer, 0}) {
      const Block& block = blocks_[from.block];
      for (; from.at < kPerBlock; ++from.at)
        if (block.orders[from.at] != kNoOrder) return block.orders[from.at];
    }
    return kNoOrder;
  }

  [[gnu::noinline]] void add_block(ChannelRefs& refs, std::uint64_t key) {
    if (refs.newest != 0 && blocks_[refs.newest].live == 0) remove_block(refs, refs.newest);
    const std::uint32_t index = free_;
    CHECK(index < blocks_.size(), "no block left of %zu", blocks_.size());
    Block& block = blocks_[index];
    free_ = block.newer;
    block.key = key;
    block.live = 0;
    block.newer = 0;
    block.older = refs.newest;
    std::fill(std::begin(block.orders), std::end(block.orders), kNoOrder);
    (refs.newest == 0 ? refs.oldest : blocks_[refs.newest].newer) = index;
    refs.newest = index;
    std::size_t i = home(key);
    while (directory_[i] != 0) i = next(i);
    directory_[i] = index;
  }

  [[gnu::noinline]] void remove_block(ChannelRefs& refs, std::uint32_t index) {
    Block& block = blocks_[index];
    std::size_t hole = home(block.key);
    while (directory_[hole] != index) hole = next(hole);
    // Backward shift: no tombstones, so a directory that has been busy is as quick as a new one.
    for (std::size_t i = next(hole); directory_[i] != 0; i = next(i)) {
      const std::size_t distance = (i - home(blocks_[directory_[i]].key)) & (directory_.size() - 1);
      if (distance < ((i - hole) & (directory_.size() - 1))) continue;
      directory_[hole] = directory_[i];
      hole = i;
    }
    directory_[hole] = 0;
    (block.older == 0 ? refs.oldest : blocks_[block.older].newer) = block.newer;
    (block.newer == 0 ? refs.newest : blocks_[block.newer].older) = block.older;
    block.key = 0;
    block.newer = free_;
    free_ = index;
  }

  static constexpr std::size_t kNeighbours = 16;

  std::span<Block> blocks_;  // the first is none, and has no order
  std::span<std::uint32_t> directory_;
  std::uint32_t free_ = 1;
  std::uint64_t multiplier_;
  unsigned shift_;
};

}  // namespace crosswire
