// EchoStore: where an ICMP echo waits between the frame that asked and the reply, because a command has no room for it.
// receive puts messages in, transmit takes them out in the same order; one thread each, nothing waits or allocates.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "hugepages/base/check.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/common/limits.hpp"

namespace crosswire {

class EchoStore {
 public:
  /// Entries, a power of two. At least 2: receive holds its newest command back, so the entry that this command names
  /// cannot come free before the burst ends.
  static constexpr std::size_t kEntries = 64;
  /// Bytes of an entry: any ICMP message of a datagram.
  static constexpr std::size_t kEntryBytes = kMtu;
  static_assert(kMaxIcmpMessage <= kEntryBytes);

  /// The arena outlives the store.
  explicit EchoStore(Arena& arena) : entries_(arena.array<Entry>(kEntries)) {}
  EchoStore(const EchoStore&) = delete;
  EchoStore& operator=(const EchoStore&) = delete;

  static std::size_t bytes_for() { return Arena::bytes_for<Entry>(kEntries); }

  /// receive: may put() be called now?
  bool has_room() const { return put_count() - free_count() < kEntries; }

  /// receive: copies an ICMP message of at most kEntryBytes; there is room (both CHECKed). Returns its entry, for
  /// EchoAsk::slot. The command that names it is published afterwards, which makes the bytes visible to transmit.
  std::uint16_t put(std::span<const std::uint8_t> message) {
    CHECK(has_room() && message.size() <= kEntryBytes, "a message of %zu bytes", message.size());
    const std::uint64_t number = put_count();
    const std::size_t entry = number % kEntries;
    std::copy(message.begin(), message.end(), entries_[entry].bytes);
    put_.count.store(number + 1, std::memory_order_release);
    return static_cast<std::uint16_t>(entry);
  }

  /// transmit: whether the entry is that of the oldest message which is not free. Not so for a command that is run
  /// again, whose message was another run's.
  bool is_oldest(std::uint16_t entry) const {
    const std::uint64_t number = free_count();
    return number < put_.count.load(std::memory_order_acquire) && entry == number % kEntries;
  }

  /// transmit: the message of an echo_reply event (EchoAsk::slot and length). Valid until free_oldest().
  std::span<const std::uint8_t> message(std::uint16_t entry, std::uint16_t length) const {
    CHECK(entry < kEntries && length <= kEntryBytes, "entry %u, %u bytes", entry, length);
    return {entries_[entry].bytes, length};
  }

  /// transmit: the reply to the oldest message is written; its entry is free again.
  void free_oldest() {
    const std::uint64_t number = free_count();
    CHECK(number < put_.count.load(std::memory_order_acquire), "all %llu messages are free",
          static_cast<unsigned long long>(number));
    freed_.count.store(number + 1, std::memory_order_release);
  }

 private:
  struct Entry {
    std::uint8_t bytes[kEntryBytes];
  };
  struct alignas(kCacheLine) Cursor {
    std::atomic<std::uint64_t> count{0};  // messages since the start
  };

  std::uint64_t put_count() const { return put_.count.load(std::memory_order_relaxed); }
  std::uint64_t free_count() const { return freed_.count.load(std::memory_order_acquire); }

  std::span<Entry> entries_;
  Cursor put_;    // receive's
  Cursor freed_;  // transmit's
};

}  // namespace crosswire
