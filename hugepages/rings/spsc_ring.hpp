// SpscRing: a bounded queue from one thread to one other. Slots on their way back from match to receive, recorded
// bytes. Each side runs on its own stage's thread and never waits. Each keeps the other's index as it last saw it
// beside its own, and looks again only when that says full or empty: so the index lines move between cores once per
// lap, not per item.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "hugepages/base/check.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

/// `Atomic`: std::atomic, or in tests a model of it that tries every order (tests/hugepages/rings/model).
template <class T, template <class> class Atomic = std::atomic>
class SpscRing {
  static_assert(std::is_nothrow_copy_assignable_v<T> && std::is_trivially_destructible_v<T>, "slots are written over");

 public:
  /// `capacity` in items, a power of two (CHECKed); all of it usable. The arena outlives the ring.
  SpscRing(Arena& arena, std::uint64_t capacity) : slots_(arena.array<T>(capacity)), mask_(capacity - 1) {
    CHECK(std::has_single_bit(capacity), "capacity %llu", static_cast<unsigned long long>(capacity));
  }
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  static std::size_t bytes_for(std::uint64_t capacity) { return Arena::bytes_for<T>(capacity); }

  /// Pushing thread. False: full, nothing happened.
  bool push(const T& item) {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - known_head_ == capacity()) {
      if (tail - look_at_head() == capacity()) return false;
    }
    place(tail, item);
    publish(tail + 1);
    return true;
  }

  /// push() in its parts, for who pushes many as one, and counts what he has pushed. Pushing thread. There is room for
  /// item number `n` (from 0) when look_at_head(), the items popped so far, is above n - capacity().
  std::uint64_t look_at_head() { return known_head_ = head_.load(std::memory_order_acquire); }
  void place(std::uint64_t n, const T& item) { slots_[n & mask_] = item; }
  /// The first `count` items can be popped from now on.
  void publish(std::uint64_t count) { tail_.store(count, std::memory_order_release); }

  /// Popping thread. False: empty, `out` is untouched.
  bool pop(T& out) {
    return pop_each(1, [&out](const T& item) { out = item; }) > 0;
  }

  /// Calls take(item) with the oldest items, at most `most` of them; returns how many. Popping thread.
  template <class Take>
  std::uint64_t pop_each(std::uint64_t most, Take take) {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (head == known_tail_) {
      known_tail_ = tail_.load(std::memory_order_acquire);
      if (head == known_tail_) return 0;
    }
    const std::uint64_t count = std::min(most, known_tail_ - head);
    for (std::uint64_t i = head; i != head + count; ++i) take(slots_[i & mask_]);
    head_.store(head + count, std::memory_order_release);
    return count;
  }

  /// Pushing thread. Is there room for `items` more?
  bool has_room(std::uint64_t items) {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    return tail - known_head_ + items <= capacity() || tail - look_at_head() + items <= capacity();
  }
  /// Pushing thread. The next item, to be written where it lies; there is room (has_room()). It holds what was there
  /// before. publish() pushes it.
  T& next() { return slots_[tail_.load(std::memory_order_relaxed) & mask_]; }
  void publish() { tail_.store(tail_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

  /// Popping thread. The oldest item where it lies, until drop_front(); nullptr: empty.
  const T* front() {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (head == known_tail_) {
      known_tail_ = tail_.load(std::memory_order_acquire);
      if (head == known_tail_) return nullptr;
    }
    return &slots_[head & mask_];
  }
  void drop_front() { head_.store(head_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

  /// Items inside, at some moment during the call. Any thread.
  std::uint64_t size() const {
    const std::uint64_t head = head_.load(std::memory_order_acquire);  // first, so that it is not ahead of the tail
    return std::min(tail_.load(std::memory_order_acquire) - head, capacity());
  }

  std::uint64_t capacity() const { return mask_ + 1; }

 private:
  std::span<T> slots_;
  std::uint64_t mask_;
  // The pushing side's line, then the popping side's.
  alignas(kCacheLine) Atomic<std::uint64_t> tail_{0};
  std::uint64_t known_head_ = 0;
  alignas(kCacheLine) Atomic<std::uint64_t> head_{0};
  std::uint64_t known_tail_ = 0;
};

}  // namespace crosswire
