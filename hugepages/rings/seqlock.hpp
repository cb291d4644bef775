// Seqlock: a small value that one control thread writes now and then, and stages read at every burst. Costs a stage one
// load and one predicted branch while the value is the same. Nobody waits on a polling thread: where the writer is just
// at it, a stage goes on with the value that it has.
//
//   writer                                   a stage's copy
//   sequence = odd (relaxed)                 sequence (acquire) as it was: the copy is of now
//   words (each release)                     odd: the copy is good enough, next time
//   sequence = even (release)                words (each acquire)
//                                            sequence (relaxed) has moved on: what was read is void, next time
//
// If any word that was read belongs to a later value, its acquire load met the writer's release store of that word,
// before which the sequence had become odd; the reader's last load then sees it. No fences, which ThreadSanitizer
// misreads; on x86-64 every access here is an ordinary mov.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <thread>
#include <type_traits>

#include "hugepages/base/cache_line.hpp"

namespace crosswire {

/// `Atomic`: std::atomic, or in tests a model of it that tries every order (tests/hugepages/rings/model).
template <class T, template <class> class Atomic = std::atomic>
class alignas(kCacheLine) Seqlock {
  static_assert(std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T>);
  using Word = std::uint64_t;
  static_assert(sizeof(T) % sizeof(Word) == 0, "the value is copied in whole words");

 public:
  explicit Seqlock(const T& value) { write(value); }
  Seqlock(const Seqlock&) = delete;
  Seqlock& operator=(const Seqlock&) = delete;

  /// One thread, always the same.
  void write(const T& value) {
    std::array<Word, kWords> words;
    std::memcpy(words.data(), &value, sizeof value);
    const std::uint64_t sequence = sequence_.load(std::memory_order_relaxed);
    sequence_.store(sequence + 1, std::memory_order_relaxed);
    for (std::size_t w = 0; w < kWords; ++w) words_[w].store(words[w], std::memory_order_release);
    sequence_.store(sequence + 2, std::memory_order_release);
  }

  /// The value, now. Any thread but a polling one: while the writer is at it, it waits.
  T read() const {
    for (;;) {
      const std::uint64_t sequence = sequence_.load(std::memory_order_acquire);
      if (const std::optional<T> value = read_of(sequence)) return *value;
      std::this_thread::yield();
    }
  }

  /// A polling thread's own copy, which never waits.
  class Copy {
   public:
    /// `from` outlives this. Waits once, if the writer is just at it.
    explicit Copy(const Seqlock& from) : from_(&from), value_(from.read()) {}

    /// The last value that was there whole.
    const T& latest() {
      const std::uint64_t sequence = from_->sequence_.load(std::memory_order_acquire);
      if (sequence != seen_) [[unlikely]]
        renew(sequence);
      return value_;
    }

   private:
    void renew(std::uint64_t sequence) {
      const std::optional<T> value = from_->read_of(sequence);
      if (!value) return;
      value_ = *value;
      seen_ = sequence;
    }

    const Seqlock* from_;
    std::uint64_t seen_ = 0;  // of no value: the first look renews
    T value_;
  };

 private:
  static constexpr std::size_t kWords = sizeof(T) / sizeof(Word);

  /// The value of that sequence; nothing while it is written, or once it is overwritten.
  std::optional<T> read_of(std::uint64_t sequence) const {
    if (sequence % 2 != 0) return std::nullopt;
    std::array<Word, kWords> words;
    for (std::size_t w = 0; w < kWords; ++w) words[w] = words_[w].load(std::memory_order_acquire);
    if (sequence_.load(std::memory_order_relaxed) != sequence) return std::nullopt;
    T value;
    std::memcpy(static_cast<void*>(&value), words.data(), sizeof value);
    return value;
  }

  Atomic<std::uint64_t> sequence_{0};  // odd: a value is being written
  std::array<Atomic<Word>, kWords> words_{};
};

}  // namespace crosswire
