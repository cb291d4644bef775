// BroadcastRing: one producer, several readers that each see every item (the LMAX Disruptor's shape).
// Joins the stages of a partition; each side runs on its own stage's thread and never waits, locks, allocates or calls
// the system.
//
//   slots   | 8 | 9 | 2 | 3 | 4 | 5 | 6 | 7 |      capacity 8, a power of two; item n (from 0) lies in slot n mod 8
//                     ^slowest reader   ^published = 8, claimed = 10 (8 and 9 are being written)
//
// Cursors count items since the start, so they never wrap in practice and "the first n items" needs no modulo. With
// commands and events numbered from 1, a cursor of n means: up to and including number n.
//
// Gating readers hold the producer back: it claims a slot only when all of them have released what was in it. Their
// items are read in place. The order is: producer writes slot, stores `published` (release); reader loads it (acquire),
// reads the slot, stores `released` (release); producer loads that (acquire) before it writes the slot again.
//
// Lappable readers do not hold the producer back, so they must not look into the slots at all: the producer's plain
// stores would be a data race with any copy, however clever. Only a ring that has a lappable reader therefore keeps
// a second array, the mirror, made of atomic words. publish() copies each item into it, as a seqlock's writer does:
//
//   producer: begun = n (relaxed)            reader of item i: published > i (acquire)
//             mirror words (each release)                      mirror words (each acquire)
//             published = n (release)                          begun > i + capacity (relaxed)? then the copy is void
//
// If any word that the reader took belongs to a later item, its acquire load met the producer's release store of that
// word, before which `begun` had already passed i + capacity; the reader's last load then sees it. No fences, which
// ThreadSanitizer misreads; on x86-64 every access here is an ordinary mov. Without lappable readers the price is one
// predicted branch per publish().
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "hugepages/base/check.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

/// Readers of one ring, both kinds together.
inline constexpr std::size_t kMaxReaders = 8;

/// How far a gating reader has come, whatever the items of its ring are. Any thread; the ring outlives it.
class ReaderProgress {
 public:
  /// Of no reader: is_there() is all that may be asked.
  ReaderProgress() = default;

  bool is_there() const { return released_ != nullptr; }
  /// Items released since the start.
  std::uint64_t position() const { return released_->load(std::memory_order_acquire); }
  /// Items published to it since the start.
  std::uint64_t published() const { return published_->load(std::memory_order_acquire); }
  /// Items that wait for it.
  std::uint64_t waiting() const {
    const std::uint64_t released = position();  // first: it is then never ahead of what was published
    return published() - released;
  }
  /// The most items it ever found waiting when it had read all it knew of.
  std::uint64_t high_water() const { return high_water_->load(std::memory_order_relaxed); }
  /// Items that its ring holds.
  std::uint64_t capacity() const { return capacity_; }

 private:
  template <class T, template <class> class Atomic>
  friend class BroadcastRing;
  using Count = std::atomic<std::uint64_t>;
  ReaderProgress(const Count& released, const Count& published, const Count& high_water, std::uint64_t capacity)
      : released_(&released), published_(&published), high_water_(&high_water), capacity_(capacity) {}

  const Count* released_ = nullptr;
  const Count* published_ = nullptr;
  const Count* high_water_ = nullptr;
  std::uint64_t capacity_ = 0;
};

/// `Atomic`: std::atomic, or in tests a model of it that tries every order (tests/hugepages/rings/model).
template <class T, template <class> class Atomic = std::atomic>
class BroadcastRing {
  static_assert(std::is_trivially_copyable_v<T>, "items are overwritten without destruction and mirrored by bytes");

  /// A count that one thread writes and others read, alone on its cache line.
  struct alignas(kCacheLine) Cursor {
    Atomic<std::uint64_t> count{0};
  };
  static_assert(sizeof(Cursor) == kCacheLine);

  using Word = std::uint64_t;
  static constexpr std::size_t kWordsPerItem = (sizeof(T) + sizeof(Word) - 1) / sizeof(Word);

 public:
  /// The writing side; one thread. Whoever writes an item writes all of it: a claimed slot still holds an old item.
  class alignas(kCacheLine) Producer {
   public:
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;

    /// Slots that may be claimed now. Looks at the readers' cursors only when what it knew says less than `wanted`.
    std::uint64_t room(std::uint64_t wanted = 1) {
      if (known_room() < wanted) [[unlikely]]
        limit_ = ring_->slowest_gating_position() + mask_ + 1;
      return known_room();
    }
    bool has_room() { return room() > 0; }

    /// The next slot, to be written and then published; several may be claimed before. CHECKs that there is room.
    T& claim() {
      CHECK(has_room(), "claimed all of %llu slots", as_ull(mask_ + 1));
      return slots_[claimed_++ & mask_];
    }

    /// The newest slot claimed and not yet published: for a mark that is known only afterwards. CHECKs that there is
    /// one.
    T& last_claimed() {
      CHECK(unpublished() > 0, "all %llu items are published", as_ull(claimed_));
      return slots_[(claimed_ - 1) & mask_];
    }

    std::uint64_t unpublished() const { return claimed_ - published_; }

    /// Everything claimed becomes readable, with one release store.
    void publish() { publish_up_to(claimed_); }

    /// As publish(), but the newest stays back so that it can still be marked. Nothing claimed: nothing happens.
    void publish_all_but_last() {
      if (unpublished() > 1) publish_up_to(claimed_ - 1);
    }

    /// Items published since the start.
    std::uint64_t published() const { return published_; }

    /// As the ring's function of the same name.
    std::uint64_t slowest_gating_position() const { return ring_->slowest_gating_position(); }

   private:
    friend class BroadcastRing;
    Producer() = default;

    std::uint64_t known_room() const { return limit_ - claimed_; }

    void publish_up_to(std::uint64_t count) {
      if (count == published_) return;
      if (!ring_->mirror_.empty()) [[unlikely]]
        ring_->mirror_items(published_, count);
      published_ = count;
      ring_->published_.count.store(count, std::memory_order_release);
    }

    BroadcastRing* ring_ = nullptr;
    T* slots_ = nullptr;
    std::uint64_t mask_ = 0;
    std::uint64_t claimed_ = 0;
    std::uint64_t published_ = 0;
    std::uint64_t limit_ = 0;  // slowest gating position when last looked at, and the capacity; never ahead of the truth
  };

  /// A reader that the producer waits for; one thread, position() and high_water() apart.
  class GatingReader {
   public:
    GatingReader(const GatingReader&) = delete;
    GatingReader& operator=(const GatingReader&) = delete;

    /// Items readable now. Looks at the producer's cursor only when all it knew of are released.
    std::uint64_t available() {
      if (seen_ == position_) refresh();
      return seen_ - position_;
    }

    /// The i-th item not yet released, i < what available() last returned less what was released since (CHECKed). Valid
    /// until released. Items lie side by side in memory up to where position() + i is a multiple of the capacity.
    const T& peek(std::uint64_t i = 0) const {
      CHECK(i < seen_ - position_, "reader %s: item %llu of %llu", name_, as_ull(i), as_ull(seen_ - position_));
      return slots_[(position_ + i) & mask_];
    }

    /// Gives the oldest `n` back to the producer.
    void release(std::uint64_t n = 1) {
      CHECK(n <= seen_ - position_, "reader %s: releases %llu of %llu", name_, as_ull(n), as_ull(seen_ - position_));
      position_ += n;
      released_.count.store(position_, std::memory_order_release);
    }

    /// Items released since the start. Any thread.
    std::uint64_t position() const { return released_.count.load(std::memory_order_acquire); }

    /// The most items it ever found waiting when it had read all it knew of. Any thread.
    std::uint64_t high_water() const { return high_water_.load(std::memory_order_relaxed); }

    const char* name() const { return name_; }

    /// position(), high_water() and what there is to read, for who only looks on.
    ReaderProgress progress() const { return {released_.count, *published_, high_water_, mask_ + 1}; }

   private:
    friend class BroadcastRing;
    GatingReader() = default;

    void refresh() {
      const std::uint64_t published = published_->load(std::memory_order_acquire);
      if (published == seen_) return;
      seen_ = published;
      if (seen_ - position_ > high_water_.load(std::memory_order_relaxed)) {
        high_water_.store(seen_ - position_, std::memory_order_relaxed);
      }
    }

    Cursor released_;                               // read by the producer
    alignas(kCacheLine) const T* slots_ = nullptr;  // from here on the reader's own line
    std::uint64_t mask_ = 0;
    const Atomic<std::uint64_t>* published_ = nullptr;
    std::uint64_t position_ = 0;
    std::uint64_t seen_ = 0;
    Atomic<std::uint64_t> high_water_{0};
    const char* name_ = "";
  };
  static_assert(sizeof(GatingReader) == 2 * kCacheLine);

  /// A reader that the producer does not wait for; one thread.
  class alignas(kCacheLine) LappableReader {
   public:
    enum class Read { item, nothing, lapped };

    LappableReader(const LappableReader&) = delete;
    LappableReader& operator=(const LappableReader&) = delete;

    /// item: `out` is the next one. nothing: all published items are read. lapped: some were overwritten before they
    /// could be read; said once, then reading goes on with the first item published after this moment. `out` is
    /// written only for item.
    Read read(T& out) {
      const std::uint64_t published = ring_->published_.count.load(std::memory_order_acquire);
      if (next_ == published) return Read::nothing;
      const std::uint64_t capacity = ring_->capacity();
      std::array<Word, kWordsPerItem> copy;
      const std::size_t first_word = (next_ & (capacity - 1)) * kWordsPerItem;
      for (std::size_t w = 0; w < kWordsPerItem; ++w) {
        copy[w] = ring_->mirror_[first_word + w].load(std::memory_order_acquire);
      }
      if (ring_->mirror_begun_.count.load(std::memory_order_relaxed) > next_ + capacity) return skip_to(published);
      std::memcpy(static_cast<void*>(&out), copy.data(), sizeof(T));
      ++next_;
      return Read::item;
    }

    /// Items read or skipped since the start: the number of the next one, from 0.
    std::uint64_t position() const { return next_; }
    /// Items skipped since the start.
    std::uint64_t lost() const { return lost_; }
    const char* name() const { return name_; }

   private:
    friend class BroadcastRing;
    LappableReader() = default;

    Read skip_to(std::uint64_t position) {
      lost_ += position - next_;
      next_ = position;
      return Read::lapped;
    }

    const BroadcastRing* ring_ = nullptr;
    std::uint64_t next_ = 0;
    std::uint64_t lost_ = 0;
    const char* name_ = "";
  };

  /// `capacity` in items, a power of two, at least 2 (CHECKed). The arena outlives the ring; so does nothing else.
  BroadcastRing(Arena& arena, std::uint64_t capacity) : arena_(arena), slots_(arena.array<T>(checked(capacity))) {
    producer_.ring_ = this;
    producer_.slots_ = slots_.data();
    producer_.mask_ = capacity - 1;
    producer_.limit_ = capacity;
  }
  BroadcastRing(const BroadcastRing&) = delete;
  BroadcastRing& operator=(const BroadcastRing&) = delete;

  /// Bytes of arena for the ring; `lappable` if it is going to have lappable readers.
  static std::size_t bytes_for(std::uint64_t capacity, bool lappable = false) {
    const std::size_t mirror = lappable ? Arena::bytes_for<Atomic<Word>>(capacity * kWordsPerItem) : 0;
    return Arena::bytes_for<T>(capacity) + mirror;
  }

  /// Readers are added before the first item is claimed (CHECKed), at most kMaxReaders. `name` must outlive the ring.
  GatingReader& add_gating(const char* name) {
    check_may_add(name);
    GatingReader& reader = gating_[gating_count_++];
    reader.slots_ = slots_.data();
    reader.mask_ = capacity() - 1;
    reader.published_ = &published_.count;
    reader.name_ = name;
    return reader;
  }

  /// The first lappable reader takes the mirror from the arena.
  LappableReader& add_lappable(const char* name) {
    check_may_add(name);
    if (mirror_.empty()) mirror_ = arena_.array<Atomic<Word>>(capacity() * kWordsPerItem);
    LappableReader& reader = lappable_[lappable_count_++];
    reader.ring_ = this;
    reader.name_ = name;
    return reader;
  }

  Producer& producer() { return producer_; }
  std::uint64_t capacity() const { return slots_.size(); }

  /// Items published since the start. Any thread.
  std::uint64_t published() const { return published_.count.load(std::memory_order_acquire); }

  /// Items that every gating reader has released; without gating readers, all that are published. Any thread: what
  /// readers did before they released happens before what the caller does after.
  std::uint64_t slowest_gating_position() const {
    if (gating_count_ == 0) return published();
    std::uint64_t slowest = gating_[0].position();
    for (std::size_t i = 1; i < gating_count_; ++i) slowest = std::min(slowest, gating_[i].position());
    return slowest;
  }

 private:
  static unsigned long long as_ull(std::uint64_t value) { return value; }

  static std::uint64_t checked(std::uint64_t capacity) {
    CHECK(capacity >= 2 && std::has_single_bit(capacity), "capacity %llu", as_ull(capacity));
    return capacity;
  }

  void check_may_add(const char* name) const {
    CHECK(producer_.claimed_ == 0, "reader %s comes after the start", name);
    CHECK(gating_count_ + lappable_count_ < kMaxReaders, "reader %s is one too many", name);
  }

  /// Producer's thread. Items first .. end-1, at most capacity of them.
  void mirror_items(std::uint64_t first, std::uint64_t end) {
    mirror_begun_.count.store(end, std::memory_order_relaxed);
    for (std::uint64_t item = first; item < end; ++item) {
      const std::uint64_t slot = item & (capacity() - 1);
      std::array<Word, kWordsPerItem> words{};
      std::memcpy(words.data(), &slots_[slot], sizeof(T));
      for (std::size_t w = 0; w < kWordsPerItem; ++w) {
        mirror_[slot * kWordsPerItem + w].store(words[w], std::memory_order_release);
      }
    }
  }

  // Fixed before the start.
  Arena& arena_;
  std::span<T> slots_;
  std::span<Atomic<Word>> mirror_;  // empty without lappable readers
  std::size_t gating_count_ = 0;
  std::size_t lappable_count_ = 0;
  // Each on lines of its own from here on.
  Cursor published_;
  Cursor mirror_begun_;
  Producer producer_;
  GatingReader gating_[kMaxReaders];
  LappableReader lappable_[kMaxReaders];
};

}  // namespace crosswire
