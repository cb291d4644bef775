// From a client's UserRefNum to its live order (WIRE 3.1). Match stage only; fixed size, nothing rehashes or grows.
//
// Clients count 1, 2, 3, so a live order nearly always sits in its session's window, an array indexed by the number's
// low bits. Any increasing 32-bit number is legal, though: a number whose entry is held by an older live order goes to
// one open-addressing table for all sessions, hashed with a key so that a client cannot aim for collisions.
//
// The channels of a session share its window, each turned by its own part of it. In one entry a number can only be of
// one channel (256 channels, 256 different turns), so an entry needs the number alone to know whose it is.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

#include "engine/types.hpp"
#include "hugepages/base/check.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

class UserRefs {
 public:
  static constexpr std::uint32_t kLeastWindow = kChannels;

  /// `window`: power of two, kLeastWindow or more. `max_orders`: most live orders, so most entries.
  UserRefs(Arena& arena, std::uint32_t sessions, std::uint32_t window, std::uint32_t max_orders, std::uint64_t hash_key)
      : window_(arena.array<Entry>(std::size_t{sessions} * window)),
        overflow_(arena.array<Overflow>(overflow_capacity(max_orders))),
        window_size_(window),
        hash_key_(hash_key) {
    CHECK(std::has_single_bit(window) && window >= kLeastWindow, "window %u is not a power of two >= %u", window,
          kLeastWindow);
  }
  static std::size_t bytes_for(std::uint32_t sessions, std::uint32_t window, std::uint32_t max_orders) {
    return Arena::bytes_for<Entry>(std::size_t{sessions} * window) +
           Arena::bytes_for<Overflow>(overflow_capacity(max_orders));
  }

  /// The live order, or kNoOrder.
  OrderIndex find(SessionId session, Channel channel, UserRefNum number) const {
    const Entry& entry = window_[window_index(session, channel, number)];
    if (entry.number == number) return number.value == 0 ? kNoOrder : entry.order;
    if (overflow_count_ == 0) return kNoOrder;
    const std::uint64_t key = key_of(session, channel, number);
    for (std::size_t i = home(key); overflow_[i].key != 0; i = next(i))
      if (overflow_[i].key == key) return overflow_[i].order;
    return kNoOrder;
  }

  /// Brings the entry that find(), insert() and erase() look at first on its way to the cache.
  void prefetch(SessionId session, Channel channel, UserRefNum number) const {
    __builtin_prefetch(&window_[window_index(session, channel, number)]);
  }
  /// What that entry holds, whether it is the number's or not: to prefetch the order by.
  OrderIndex guess(SessionId session, Channel channel, UserRefNum number) const {
    const Entry& entry = window_[window_index(session, channel, number)];
    return entry.number == number && number.value != 0 ? entry.order : kNoOrder;
  }

  /// `number` >= 1 and not present.
  void insert(SessionId session, Channel channel, UserRefNum number, OrderIndex order) {
    CHECK(number.value != 0, "UserRefNum 0 is not a number");
    Entry& entry = window_[window_index(session, channel, number)];
    if (entry.number.value == 0) {
      entry = {number, order};
      return;
    }
    CHECK(++overflow_count_ * 2 <= overflow_.size(), "%zu orders outside the windows", overflow_count_);
    const std::uint64_t key = key_of(session, channel, number);
    std::size_t i = home(key);
    while (overflow_[i].key != 0) i = next(i);
    overflow_[i] = {key, order};
  }

  /// `number` must be present.
  void erase(SessionId session, Channel channel, UserRefNum number) {
    Entry& entry = window_[window_index(session, channel, number)];
    if (entry.number == number) {
      entry = {};
      return;
    }
    const std::uint64_t key = key_of(session, channel, number);
    std::size_t hole = home(key);
    while (overflow_[hole].key != key) {
      CHECK(overflow_[hole].key != 0, "UserRefNum %u of session %u is not live", number.value, session.value);
      hole = next(hole);
    }
    --overflow_count_;
    // Backward shift: no tombstones, so a table that has been busy is as quick as a new one.
    for (std::size_t i = next(hole); overflow_[i].key != 0; i = next(i)) {
      const std::size_t distance = (i - home(overflow_[i].key)) & (overflow_.size() - 1);
      if (distance < ((i - hole) & (overflow_.size() - 1))) continue;
      overflow_[hole] = overflow_[i];
      hole = i;
    }
    overflow_[hole] = {};
  }

 private:
  friend struct EngineState;

  struct Entry {
    UserRefNum number;  // 0: free
    OrderIndex order;
  };
  struct Overflow {
    std::uint64_t key;  // session, channel and number; 0: free
    OrderIndex order;
  };

  static std::size_t overflow_capacity(std::uint32_t max_orders) {
    return std::bit_ceil(std::size_t{max_orders} * 2 + 2);
  }
  std::size_t window_index(SessionId session, Channel channel, UserRefNum number) const {
    const std::uint32_t turn = channel * (window_size_ / static_cast<std::uint32_t>(kChannels));
    return std::size_t{session.value} * window_size_ + ((number.value + turn) & (window_size_ - 1));
  }
  static std::uint64_t key_of(SessionId session, Channel channel, UserRefNum number) {
    return std::uint64_t{session.value} << 40 | std::uint64_t{channel} << 32 | number.value;
  }
  std::size_t home(std::uint64_t key) const {
    const Uint128 product = Uint128{key ^ hash_key_} * 0x9E3779B97F4A7C15u;
    const auto mixed = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64) ^ hash_key_;
    return (mixed * 0xD6E8FEB86659FD93u >> 20) & (overflow_.size() - 1);
  }
  std::size_t next(std::size_t i) const { return (i + 1) & (overflow_.size() - 1); }

  std::span<Entry> window_;
  std::span<Overflow> overflow_;
  std::size_t overflow_count_ = 0;
  std::uint32_t window_size_;
  std::uint64_t hash_key_;
};

}  // namespace crosswire
