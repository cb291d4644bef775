// Timing wheel: at most one time for each connection, in a hierarchy of slots (Varghese and Lauck, 1987). transmit
// core, on the clock that its port gives; setting, clearing and expiring touch a few words and never allocate.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/types.hpp"
#include "hugepages/base/check.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire::tcp {

/// Times are rounded up to a tick of 8 us, so that nothing expires early. The furthest is some two hours ahead; what is
/// set beyond expires there, and its owner sets it again.
class TimerWheel {
 public:
  static constexpr unsigned kTickBits = 13;

  /// For entries 0 .. `entries` - 1. The arena outlives it.
  TimerWheel(Arena& arena, std::size_t entries) : nodes_(arena.array<Node>(entries)) {
    for (auto& level : heads_) level.fill(kNone);
  }
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  static std::size_t bytes_for(std::size_t entries) { return Arena::bytes_for<Node>(entries); }

  bool is_set(std::uint16_t entry) const { return nodes_[entry].level != kUnset; }

  /// From now on the entry expires at `at`, in place of what was set before.
  void set(std::uint16_t entry, TimeNs at) {
    clear(entry);
    nodes_[entry].tick = (at + kTickNs - 1) >> kTickBits;
    if (nodes_[entry].tick <= now_) nodes_[entry].tick = now_ + 1;
    put(entry);
  }

  void clear(std::uint16_t entry) {
    Node& node = nodes_[entry];
    if (node.level == kUnset) return;
    if (node.previous == kNone) {
      heads_[node.level][node.slot] = node.next;
      if (node.next == kNone) used_[node.level] &= ~(std::uint64_t{1} << node.slot);
    } else {
      nodes_[node.previous].next = node.next;
    }
    if (node.next != kNone) nodes_[node.next].previous = node.previous;
    node.level = kUnset;
    --size_;
  }

  /// Whether advance() to `now` has anything to do.
  bool wants(TimeNs now) const { return now >> kTickBits > now_; }

  /// Calls `expired(entry)` for each whose time has come at `now`, in order of their ticks; each is cleared before. It
  /// may set any entry again, not earlier than the next tick.
  template <class Expired>
  void advance(TimeNs now, Expired expired) {
    const std::uint64_t target = now >> kTickBits;
    while (now_ < target) {
      const std::uint64_t next = next_stop(target);
      now_ = next;
      cascade();
      for (std::uint16_t entry = heads_[0][now_ & kSlotMask]; entry != kNone; entry = heads_[0][now_ & kSlotMask]) {
        clear(entry);
        expired(entry);
      }
    }
  }

  /// Ticks pass from here: before anything is set, where the clock begins late in the day.
  void start_at(TimeNs now) {
    CHECK(size_ == 0, "%zu entries are set", size_);
    now_ = now >> kTickBits;
  }

  /// When the first entry may expire, at the earliest; `none` if nothing is set. Tests and simulators.
  TimeNs earliest(TimeNs none) const {
    std::uint64_t best = ~std::uint64_t{0};
    for (const Node& node : nodes_) {
      if (node.level != kUnset && node.tick < best) best = node.tick;
    }
    return best == ~std::uint64_t{0} ? none : best << kTickBits;
  }

 private:
  static constexpr TimeNs kTickNs = TimeNs{1} << kTickBits;
  static constexpr unsigned kLevels = 5;
  static constexpr unsigned kSlotBits = 6;
  static constexpr std::uint64_t kSlots = 1 << kSlotBits;
  static constexpr std::uint64_t kSlotMask = kSlots - 1;
  static constexpr std::uint64_t kFurthest = (std::uint64_t{1} << (kLevels * kSlotBits)) - kSlots;
  static constexpr std::uint16_t kNone = 0xFFFF;
  static constexpr std::uint8_t kUnset = 0xFF;

  struct Node {
    std::uint64_t tick = 0;
    std::uint16_t previous = kNone;
    std::uint16_t next = kNone;
    std::uint8_t level = kUnset;
    std::uint8_t slot = 0;
  };

  void put(std::uint16_t entry) {
    Node& node = nodes_[entry];
    const std::uint64_t ahead = node.tick - now_;
    if (ahead > kFurthest) node.tick = now_ + kFurthest;
    // The highest group of bits in which the tick differs from now: in that level its slot comes round before it.
    const std::uint64_t differs = node.tick ^ now_;
    unsigned level = differs == 0 ? 0 : static_cast<unsigned>(std::bit_width(differs) - 1) / kSlotBits;
    if (level >= kLevels) level = kLevels - 1;
    const auto slot = static_cast<std::uint8_t>(node.tick >> (level * kSlotBits) & kSlotMask);
    node.level = static_cast<std::uint8_t>(level);
    node.slot = slot;
    node.previous = kNone;
    node.next = heads_[level][slot];
    if (node.next != kNone) nodes_[node.next].previous = entry;
    heads_[level][slot] = entry;
    used_[level] |= std::uint64_t{1} << slot;
    ++size_;
  }

  /// The next tick, up to `target`, at which a slot is due or a level above comes round.
  std::uint64_t next_stop(std::uint64_t target) const {
    if (size_ == 0) return target;
    const std::uint64_t here = now_ & kSlotMask;
    const std::uint64_t later = here == kSlotMask ? 0 : used_[0] & ~std::uint64_t{0} << (here + 1);
    const std::uint64_t round = (now_ | kSlotMask) + 1;
    const std::uint64_t stop =
        later != 0 ? (now_ & ~kSlotMask) + static_cast<std::uint64_t>(std::countr_zero(later)) : round;
    return stop < target ? stop : target;
  }

  /// Where a level comes round, what lies in the slot above goes down.
  void cascade() {
    for (unsigned level = 1; level < kLevels && (now_ & ((std::uint64_t{1} << (level * kSlotBits)) - 1)) == 0;
         ++level) {
      const auto slot = static_cast<std::size_t>(now_ >> (level * kSlotBits) & kSlotMask);
      std::uint16_t entry = heads_[level][slot];
      while (entry != kNone) {
        const std::uint16_t next = nodes_[entry].next;
        clear(entry);
        put(entry);
        entry = next;
      }
    }
  }

  std::span<Node> nodes_;
  std::array<std::array<std::uint16_t, kSlots>, kLevels> heads_{};
  std::array<std::uint64_t, kLevels> used_{};
  std::uint64_t now_ = 0;
  std::size_t size_ = 0;
};

}  // namespace crosswire::tcp
