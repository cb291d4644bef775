// MessageStore: the newest messages of one numbered stream, kept for re-requests, and the packet that answers one.
// transmit has one per order session, publish one for the feed; one thread each. No allocation after construction.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "engine/command.hpp"
#include "hugepages/base/check.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/wire/bytes.hpp"
#include "netstack/wire/mold.hpp"

namespace crosswire {

/// Slots of `kSlotBytes`: a u16 length, then the message. Message n (from 1) lies in slot n mod the number kept.
template <std::size_t kSlotBytes>
class MessageStore {
  struct alignas(kSlotBytes) Slot {
    std::uint16_t length;
    std::uint8_t bytes[kSlotBytes - sizeof(std::uint16_t)];
  };
  static_assert(std::has_single_bit(kSlotBytes) && sizeof(Slot) == kSlotBytes);

 public:
  static constexpr std::size_t kMaxMessage = sizeof(Slot::bytes);

  MessageStore() = default;
  /// Keeps the newest `kept` messages, a power of two (CHECKed). The arena outlives the store.
  MessageStore(Arena& arena, std::uint32_t kept) : slots_(arena.array<Slot>(kept)) {
    CHECK(std::has_single_bit(kept), "keeping %u messages", kept);
  }

  static std::size_t bytes_for(std::uint32_t kept) { return Arena::bytes_for<Slot>(kept); }

  /// How many it keeps.
  std::size_t kept() const { return slots_.size(); }

  /// Number of the next message to be appended.
  std::uint64_t next() const { return next_; }

  /// Number of the oldest message kept; next() as long as there is none.
  std::uint64_t oldest() const { return next_ > slots_.size() ? next_ - slots_.size() : wire::mold::kFirstSequence; }

  /// Appends in two steps, so that a message is built where it is kept: fill() gives kMaxMessage bytes, commit() makes
  /// the first `length` of them message next() and returns its number. A full store loses its oldest message with
  /// fill().
  std::uint8_t* fill() { return slot(next_).bytes; }
  std::uint64_t commit(std::size_t length) {
    CHECK(length <= kMaxMessage, "a message of %zu bytes", length);
    slot(next_).length = static_cast<std::uint16_t>(length);
    prefetch(next_ + kAhead);
    return next_++;
  }

  std::uint64_t append(wire::Bytes message) {
    CHECK(message.size() <= kMaxMessage, "a message of %zu bytes", message.size());
    std::copy(message.begin(), message.end(), fill());
    return commit(message.size());
  }

  /// Bytes of the newest message; there is one (CHECKed).
  std::size_t newest_size() const {
    CHECK(next_ > wire::mold::kFirstSequence, "no message yet");
    return slots_[(next_ - 1) & (slots_.size() - 1)].length;
  }

  /// Message `number`, oldest() <= number < next() (CHECKed). Valid until it is overwritten.
  wire::Bytes get(std::uint64_t number) const {
    CHECK(number >= oldest() && number < next_, "message %llu of %llu to %llu", static_cast<unsigned long long>(number),
          static_cast<unsigned long long>(oldest()), static_cast<unsigned long long>(next_));
    const Slot& found = slots_[number & (slots_.size() - 1)];
    return {found.bytes, found.length};
  }

 private:
  /// A slot comes round after all others, so it is in no cache; and a store that waits for its line holds up all stores
  /// behind it. So the lines are fetched for writing a few messages ahead.
  static constexpr std::uint64_t kAhead = 4;

  Slot& slot(std::uint64_t number) { return slots_[number & (slots_.size() - 1)]; }
  void prefetch(std::uint64_t number) {
    const auto* const at = reinterpret_cast<const std::uint8_t*>(&slot(number));
    for (std::size_t line = 0; line < kSlotBytes; line += kCacheLine) __builtin_prefetch(at + line, 1);
  }

  std::span<Slot> slots_;
  std::uint64_t next_ = wire::mold::kFirstSequence;
};

/// What became of a re-request.
struct Resend {
  std::size_t size;       // bytes of the packet
  std::uint16_t count;    // messages in it
  bool begins_too_early;  // it asked for messages that are not kept any more
};

/// Writes the one packet that answers a re-request (WIRE 2, 7): messages from `ask.first` on, as many as were asked
/// for, exist below `end`, and fit. A request that begins at or after `end` gets a heartbeat with that number. One that
/// begins before the oldest message kept is answered from that one on: the header says so, and the client learns what
/// is lost. `end` is the number after the last message that may be sent, at most store.next().
template <std::size_t kSlotBytes>
Resend write_resend(std::span<std::uint8_t> payload, const wire::alpha<10>& session,
                    const MessageStore<kSlotBytes>& store, std::uint64_t end, const ResendAsk& ask) {
  const std::uint64_t oldest = store.oldest();
  const std::uint64_t first = ask.first < oldest ? oldest : ask.first;
  const bool begins_too_early = ask.first < oldest && oldest > wire::mold::kFirstSequence;
  wire::mold::PacketWriter packet(payload);
  if (first >= end) return {packet.finish(session, end), 0, begins_too_early};
  for (std::uint64_t number = first; number < end && packet.count() < ask.count; ++number) {
    const wire::Bytes message = store.get(number);
    std::uint8_t* const at = packet.try_append(message.size());
    if (at == nullptr) break;
    std::memcpy(at, message.data(), message.size());
  }
  return {packet.finish(session, first), packet.count(), begins_too_early};
}

}  // namespace crosswire
