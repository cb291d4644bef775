// OrderPool: the orders' records by index, and the two ends of the way by which an index becomes free again.
// receive takes an index and writes its cold lines; match uses the hot record; readers of both rings read the cold
// lines; match retires the index, and hands it back when every gating reader of both rings has passed it. No allocation
// after construction, no pointers inside the pool. Standard library only.
//
//            take()                    command ring            event ring
//   receive ────────► writes cold ───────────────────► match ─────────────► transmit, publish
//      ▲  SlotSource                                     │ retire(index, last command, last event): placed
//      └───────────── SpscRing<OrderIndex> ◄─────────────┘ hand_back(commands passed, events passed): published
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "hugepages/base/check.hpp"
#include "hugepages/base/prefetch.hpp"
#include "hugepages/base/strong.hpp"
#include "hugepages/memory/arena.hpp"
#include "hugepages/rings/spsc_ring.hpp"

namespace crosswire {

/// Hot: match's own record. Line0, Line1: one cache line each, adjacent, so that the pair is one 128-byte prefetch.
template <class Hot, class Line0, class Line1>
class OrderPool {
  static_assert(kCacheLine % sizeof(Hot) == 0, "a hot record must not straddle two lines");
  static_assert(sizeof(Line0) == kCacheLine && sizeof(Line1) == kCacheLine);
  static_assert(std::is_trivially_copyable_v<Hot> && std::is_trivially_copyable_v<Line0> &&
                std::is_trivially_copyable_v<Line1>);

 public:
  struct alignas(2 * kCacheLine) Cold {
    Line0 asked;
    Line1 resolved;
  };
  static_assert(sizeof(Cold) == 2 * kCacheLine);

  /// Indices 0 .. n-1. n is at least 1 and below kNoOrder (CHECKed). The arena outlives the pool.
  OrderPool(Arena& arena, std::uint32_t n) : hot_(arena.array<Hot>(n)), cold_(arena.array<Cold>(n)) {
    CHECK(n >= 1 && n < kNoOrder.value, "%u orders", n);
  }

  static std::size_t bytes_for(std::uint32_t n) { return Arena::bytes_for<Hot>(n) + Arena::bytes_for<Cold>(n); }

  [[gnu::always_inline]] Hot& hot(OrderIndex index) { return hot_[checked(index)]; }
  [[gnu::always_inline]] const Hot& hot(OrderIndex index) const { return hot_[checked(index)]; }
  /// Both cold lines.
  Cold& cold(OrderIndex index) { return cold_[checked(index)]; }
  Line0& asked(OrderIndex index) { return cold_[checked(index)].asked; }
  const Line0& asked(OrderIndex index) const { return cold_[checked(index)].asked; }
  /// Brings both cold lines on their way, to be written.
  void prefetch_cold(OrderIndex index) const {
    const Cold& cold = cold_[checked(index)];
    prefetch_to_write(&cold.asked);
    prefetch_to_write(&cold.resolved);
  }
  Line1& resolved(OrderIndex index) { return cold_[checked(index)].resolved; }
  const Line1& resolved(OrderIndex index) const { return cold_[checked(index)].resolved; }

  std::uint32_t capacity() const { return static_cast<std::uint32_t>(hot_.size()); }

 private:
  [[gnu::always_inline]] std::size_t checked(OrderIndex index) const {
    CHECK(index.value < hot_.size(), "order index %u of %zu", index.value, hot_.size());
    return index.value;
  }

  std::span<Hot> hot_;
  std::span<Cold> cold_;
};

/// The way back from match to receive. Holds every slot of the pool, so it is never full.
using SlotReturnRing = SpscRing<OrderIndex>;
inline std::uint64_t slot_return_capacity(std::uint32_t slots) { return std::bit_ceil(std::uint64_t{slots}); }

/// receive's side: the free slots. On lines of its own: receive writes it with each order, and match, on another core,
/// its own side.
template <class Returns>
class alignas(kCacheLine) SlotSourceOf {
 public:
  /// All of 0 .. slots-1 are free. `returns` has at least slot_return_capacity(slots) and outlives the source.
  SlotSourceOf(Arena& arena, Returns& returns, std::uint32_t slots)
      : stack_(arena.array<OrderIndex>(slots)), returns_(returns), depth_(slots), drain_at_(slots) {
    CHECK(returns.capacity() >= slots, "%llu places for %u slots", static_cast<unsigned long long>(returns.capacity()),
          slots);
    for (std::uint32_t i = 0; i < slots; ++i) stack_[i] = OrderIndex{slots - 1 - i};
  }
  SlotSourceOf(const SlotSourceOf&) = delete;
  SlotSourceOf& operator=(const SlotSourceOf&) = delete;

  static std::size_t bytes_for(std::uint32_t slots) { return Arena::bytes_for<OrderIndex>(slots); }

  /// False: none is free now, `out` is untouched.
  bool take(OrderIndex& out) {
    if (depth_ == drain_at_) [[unlikely]] {
      drain();
      if (depth_ == 0) return false;
    }
    out = stack_[--depth_];
    return true;
  }

  /// The slot that is taken after `after` more, unless some come back before; the last one there is if there are no
  /// more. For whoever will write its cold lines, to fetch them. There is a free slot in the stack.
  OrderIndex ahead(std::size_t after) const { return stack_[depth_ > after ? depth_ - 1 - after : 0]; }

  /// Returns a slot that was taken and then not sent to match.
  void give_back_local(OrderIndex index) { put(index); }

  /// Free slots, those under way in the return ring included.
  std::uint64_t free_count() const { return depth_ + returns_.size(); }

 private:
  // Returned slots go on top of the stack soon after they come back, not only when it is empty: the slots in use then
  // stay as few as the live orders and warm in the caches, instead of walking the whole pool. Draining takes more than
  // was taken since, so that what a mass cancel returned does not stay in the ring.
  static constexpr std::size_t kTakesPerDrain = 32;
  static constexpr std::uint64_t kMostPerDrain = 2 * kTakesPerDrain;

  [[gnu::noinline]] void drain() {
    returns_.pop_each(kMostPerDrain, [this](OrderIndex index) { put(index); });
    drain_at_ = depth_ > kTakesPerDrain ? depth_ - kTakesPerDrain : 0;
  }

  void put(OrderIndex index) {
    CHECK(depth_ < stack_.size() && index.value < stack_.size(), "slot %u comes back, %zu of %zu are free", index.value,
          depth_, stack_.size());
    stack_[depth_++] = index;
  }

  std::span<OrderIndex> stack_;  // 0 .. depth_-1 are free, the top is taken next
  Returns& returns_;
  std::size_t depth_;
  std::size_t drain_at_;  // the depth at which it looks for what has come back; never above depth_
};

using SlotSource = SlotSourceOf<SlotReturnRing>;

/// match's side: dead slots that some reader may still look at. They lie in the return ring already, behind what
/// receive may have, in the order in which they died; by groups they become receive's, none of which is copied. On
/// lines of its own, too.
template <class Returns>
class alignas(kCacheLine) SlotReturnerOf {
  struct Group {
    std::uint64_t end;  // of the return ring: slots placed when it was closed
    std::uint64_t last_command;
    std::uint64_t last_event;
  };

 public:
  /// For a pool of `slots`. `returns` has at least slot_return_capacity(slots) and outlives the returner.
  SlotReturnerOf(Arena& arena, Returns& returns, std::uint32_t slots)
      : groups_(arena.array<Group>(slot_return_capacity(slots))), returns_(returns), slots_(slots) {
    CHECK(returns.capacity() >= slots, "%llu places for %u slots", static_cast<unsigned long long>(returns.capacity()),
          slots);
  }
  SlotReturnerOf(const SlotReturnerOf&) = delete;
  SlotReturnerOf& operator=(const SlotReturnerOf&) = delete;

  static std::size_t bytes_for(std::uint32_t slots) { return Arena::bytes_for<Group>(slot_return_capacity(slots)); }

  /// The last command and the last event that name the slot, as numbers from 1 (the n-th item of the ring is n; 0 =
  /// none ever did). Neither may fall from one call to the next (CHECKed).
  void retire(OrderIndex index, std::uint64_t last_command, std::uint64_t last_event) {
    CHECK(last_command >= newest_command_ && last_event >= newest_event_,
          "slot %u dies at command %llu, event %llu after %llu, %llu", index.value, as_ull(last_command),
          as_ull(last_event), as_ull(newest_command_), as_ull(newest_event_));
    if (placed_ == stop_) [[unlikely]]
      go_on();
    newest_command_ = last_command;
    newest_event_ = last_event;
    returns_.place(placed_++, index);
  }

  /// `commands_passed`, `events_passed`: BroadcastRing::slowest_gating_position() of the two rings. Hands back what
  /// both have passed, at most kMostPerHandBack slots; returns how many. What has died since the last call waits for
  /// the last of it. To be called at every poll(), idle or not: receive may be waiting for just these slots.
  std::uint32_t hand_back(std::uint64_t commands_passed, std::uint64_t events_passed) {
    const std::uint64_t before = handed_back_;
    const auto passed = [&](const Group& group) {
      return group.last_command <= commands_passed && group.last_event <= events_passed &&
             group.end - before <= kMostPerHandBack;
    };
    for (; head_ != tail_ && passed(groups_[head_ & (groups_.size() - 1)]); ++head_)
      handed_back_ = groups_[head_ & (groups_.size() - 1)].end;
    if (head_ == tail_) {
      // Whenever none waits the first places are used again: the few that do as a rule stay in the cache.
      head_ = tail_ = 0;
      if (passed({placed_, newest_command_, newest_event_})) handed_back_ = closed_ = placed_;
    }
    close();
    if (handed_back_ != before) returns_.publish(handed_back_);
    return static_cast<std::uint32_t>(handed_back_ - before);
  }

  /// Dead slots not yet handed back.
  std::uint64_t waiting() const { return placed_ - handed_back_; }

  static constexpr std::uint32_t kMostPerHandBack = 64;  // and the most slots of a group

 private:
  static unsigned long long as_ull(std::uint64_t value) { return value; }

  /// All that have died since the last group are one.
  void close() {
    if (closed_ != placed_) groups_[tail_++ & (groups_.size() - 1)] = {placed_, newest_command_, newest_event_};
    closed_ = placed_;
    stop_ = std::min(closed_ + kMostPerHandBack, known_room_);
  }

  /// At stop_: the group is as large as it may be, or there were no more places when last looked at.
  void go_on() {
    known_room_ = returns_.look_at_head() + slots_;
    CHECK(placed_ < known_room_, "%llu slots wait already", as_ull(placed_ - (known_room_ - slots_)));
    close();
  }

  std::span<Group> groups_;  // head_ .. tail_-1 wait, oldest first; each has a slot, so that there is room
  Returns& returns_;
  std::uint64_t slots_;
  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
  // Of the slots that have died since the start, in their order:
  std::uint64_t placed_ = 0;          // all, each in its place of the ring
  std::uint64_t stop_ = 0;            // where retire() has to look
  std::uint64_t closed_ = 0;          // in a group
  std::uint64_t handed_back_ = 0;     // receive's
  std::uint64_t known_room_ = 0;      // for which there were places when last looked at
  std::uint64_t newest_command_ = 0;  // of the last retire()
  std::uint64_t newest_event_ = 0;
};

using SlotReturner = SlotReturnerOf<SlotReturnRing>;

}  // namespace crosswire
