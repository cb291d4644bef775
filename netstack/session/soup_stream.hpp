// SoupStream: what of a session's SoupBinTCP stream is under way over TCP, without a second copy of it. A ring maps
// offsets of the stream to runs of messages, which lie in the session's MessageStore, and to control packets, whose few
// bytes lie here. TCP has any part of it composed again (WIRE section 1).
// transmit; one of each connection. It never waits or allocates after construction.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "hugepages/base/check.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/common/message_store.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire {

class SoupStream {
 public:
  /// Bytes of a control packet, its header included: login answers, heartbeats, ends, a word of reason.
  static constexpr std::size_t kMaxControl = 44;
  /// Messages of one run, which may be walked through to find a byte.
  static constexpr std::uint16_t kMostMessages = 32;

  SoupStream() = default;
  /// For so many runs and control packets that are not acknowledged, a power of two. The arena outlives this.
  SoupStream(Arena& arena, std::size_t runs) : runs_(arena.array<Run>(runs)) {
    CHECK(std::has_single_bit(runs), "%zu runs", runs);
  }

  static std::size_t bytes_for(std::size_t runs) { return Arena::bytes_for<Run>(runs); }

  /// A connection begins: offset 0, nothing under way.
  void clear() {
    first_ = last_ = end_ = 0;
    copied_ = {};
  }

  /// Bytes of the stream so far: the offset of what is appended next.
  std::uint64_t end() const { return end_; }
  bool empty() const { return first_ == last_; }

  /// Message `number` of `bytes`, as a sequenced data packet. False: no room, the connection has fallen behind.
  bool append_message(std::uint64_t number, std::size_t bytes) {
    Run* const newest = empty() ? nullptr : &run(last_ - 1);
    if (newest != nullptr && newest->messages > 0 && newest->messages < kMostMessages &&
        newest->number + newest->messages == number) {
      ++newest->messages;
    } else {
      if (full()) return false;
      Run& begun = run(last_++);
      begun.offset = end_;
      begun.number = number;
      begun.messages = 1;
    }
    end_ += sizeof(wire::soup::Header) + bytes;
    return true;
  }

  /// A packet that is no message, whole, 1 .. kMaxControl bytes (CHECKed). False: no room.
  bool append_control(wire::Bytes packet) {
    CHECK(!packet.empty() && packet.size() <= kMaxControl, "a control packet of %zu bytes", packet.size());
    if (full()) return false;
    Run& begun = run(last_++);
    begun.offset = end_;
    begun.messages = 0;
    begun.bytes = static_cast<std::uint8_t>(packet.size());
    std::memcpy(begun.control, packet.data(), packet.size());
    end_ += packet.size();
    return true;
  }

  /// The peer has all before `offset`.
  void acknowledged(std::uint64_t offset) {
    while (!empty() && (first_ + 1 == last_ ? end_ : run(first_ + 1).offset) <= offset) ++first_;
  }

  /// The oldest message that may be asked for again; 0: none. It must not be overwritten in its store while it is: who
  /// would, cuts the connection first.
  std::uint64_t oldest_message() const {
    for (std::uint64_t i = first_; i < last_; ++i) {
      if (run(i).messages > 0) return run(i).number;
    }
    return 0;
  }
  /// Would the next message that `store` keeps overwrite one of these?
  template <std::size_t kSlotBytes>
  bool loses_by_next(const MessageStore<kSlotBytes>& store) const {
    const std::uint64_t oldest = oldest_message();
    return oldest != 0 && oldest + store.kept() <= store.next();
  }

  /// Writes the stream's bytes from `offset` on; all of them lie in front of end() and are not acknowledged (CHECKed).
  template <std::size_t kSlotBytes>
  void copy(const MessageStore<kSlotBytes>& store, std::uint64_t offset, std::span<std::uint8_t> to) {
    CHECK(!empty() && offset >= run(first_).offset && offset + to.size() <= end_, "%zu bytes from %llu on", to.size(),
          static_cast<unsigned long long>(offset));
    if (!copy_next(store, offset, to)) copy_any(store, offset, to);
  }

 private:
  template <std::size_t kSlotBytes>
  [[gnu::noinline]] void copy_any(const MessageStore<kSlotBytes>& store, std::uint64_t offset,
                                  std::span<std::uint8_t> to) {
    // Nearly always on from where the last copy ended.
    Place place = copied_;
    if (place.offset + place.skip != offset || place.run < first_) [[unlikely]]
      place = find(offset);
    while (!to.empty()) {
      const Run& source = run(place.run);
      if (place.packet == std::max<std::uint16_t>(source.messages, 1)) {
        ++place.run;
        place.packet = 0;
        continue;
      }
      std::size_t size = source.bytes;
      if (source.messages == 0) {
        put({source.control, source.bytes}, place.skip, to);
      } else {
        const wire::Bytes message = store.get(source.number + place.packet);
        size = sizeof(wire::soup::Header) + message.size();
        if (place.skip == 0 && to.size() >= size) [[likely]] {
          place.skip = write_packet(to.data(), message);
          to = to.subspan(size);
        } else {
          std::uint8_t packet[sizeof(wire::soup::Header) + MessageStore<kSlotBytes>::kMaxMessage];
          put({packet, write_packet(packet, message)}, place.skip, to);
        }
      }
      if (place.skip < size) break;
      place.skip -= size;
      place.offset += size;
      ++place.packet;
    }
    copied_ = place;
  }

  struct alignas(kCacheLine) Run {
    std::uint64_t offset;
    std::uint64_t number;    // of the first message
    std::uint16_t messages;  // 0: a control packet
    std::uint8_t bytes;      // of that
    std::uint8_t control[kMaxControl];
  };
  static_assert(sizeof(Run) == kCacheLine);

  bool full() const { return last_ - first_ == runs_.size(); }
  Run& run(std::uint64_t i) { return runs_[i & (runs_.size() - 1)]; }
  const Run& run(std::uint64_t i) const { return runs_[i & (runs_.size() - 1)]; }

  /// A packet of the stream, and how many of its bytes lie in front of what is meant.
  struct Place {
    std::uint64_t offset = 0;  // of the packet
    std::uint64_t skip = 0;
    std::uint64_t run = 0;
    std::uint16_t packet = 0;  // of the run
  };

  /// The shortest way: one message alone and whole, behind where the last copy ended. False: it is not that.
  template <std::size_t kSlotBytes>
  bool copy_next(const MessageStore<kSlotBytes>& store, std::uint64_t offset, std::span<std::uint8_t> to) {
    const Run& source = run(copied_.run);
    if (copied_.offset != offset || copied_.skip != 0 || copied_.run < first_ || copied_.packet >= source.messages) {
      return false;
    }
    const wire::Bytes message = store.get(source.number + copied_.packet);
    if (to.size() != sizeof(wire::soup::Header) + message.size()) return false;
    copied_.offset += write_packet(to.data(), message);
    ++copied_.packet;
    return true;
  }

  /// From the start of the run that holds the offset.
  Place find(std::uint64_t offset) const {
    std::uint64_t low = first_, high = last_;
    while (high - low > 1) {
      const std::uint64_t middle = low + (high - low) / 2;
      (run(middle).offset <= offset ? low : high) = middle;
    }
    return {run(low).offset, offset - run(low).offset, low, 0};
  }

  /// Writes the packet whole; returns its size.
  [[gnu::always_inline]] static std::size_t write_packet(std::uint8_t* at, wire::Bytes message) {
    wire::overlay<wire::soup::Header>(at) = {.length = static_cast<std::uint16_t>(1 + message.size()),
                                             .type = wire::soup::PacketType::sequenced_data};
    std::uint8_t* const to = at + sizeof(wire::soup::Header);
    // Of a message that is as long as most are: its first and its last bytes, in two pieces of one size, and no call.
    if (const std::size_t size = message.size(); size >= 64 && size <= 128) {
      std::memcpy(to, message.data(), 64);
      std::memcpy(to + size - 64, message.data() + size - 64, 64);
    } else if (size >= 16 && size <= 32) {
      std::memcpy(to, message.data(), 16);
      std::memcpy(to + size - 16, message.data() + size - 16, 16);
    } else {
      std::memcpy(to, message.data(), size);
    }
    return sizeof(wire::soup::Header) + message.size();
  }

  /// What of `packet` lies behind its first `skip` bytes, as far as there is room; `skip` is then behind that.
  static void put(wire::Bytes packet, std::uint64_t& skip, std::span<std::uint8_t>& to) {
    if (skip >= packet.size()) return;
    const std::size_t n = std::min(packet.size() - skip, to.size());
    std::memcpy(to.data(), packet.data() + skip, n);
    to = to.subspan(n);
    skip += n;
  }

  std::span<Run> runs_;
  std::uint64_t first_ = 0;  // the oldest that is not acknowledged
  std::uint64_t last_ = 0;
  std::uint64_t end_ = 0;
  Place copied_;  // where the last copy ended
};

}  // namespace crosswire
