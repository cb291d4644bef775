// A MoldUDP64 stream as its receiver sees it (WIRE 2): every message once and in order, and what to ask for again.
// Of an order session's answers and of the feed alike. Clients only (tests, tools, the load generator); one thread, no
// sockets, no clock, no allocation: datagrams are handed in, requests handed out.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "netstack/wire/mold.hpp"

namespace crosswire::client {

/// What a datagram turned out to be.
enum class StreamPacket : std::uint8_t {
  data,            // blocks; those that were due were handed out
  heartbeat,       // says how far the exchange is
  end_of_session,  // no message will follow
  foreign,         // of another session: not looked at
  malformed,       // not MoldUDP64, or its blocks do not fill it: nothing was handed out
};

class StreamFollower {
 public:
  /// Follows `session` from message `first` (1: from the start).
  explicit StreamFollower(const wire::alpha<10>& session, std::uint64_t first = wire::mold::kFirstSequence)
      : session_(session), next_(first), known_(first) {}

  /// Takes one datagram's UDP payload and calls `deliver(sequence, message)` for each message that is due, in order.
  /// Messages behind a gap are left: they come again when they are asked for.
  template <class Deliver>
  StreamPacket take(wire::Bytes datagram, Deliver&& deliver) {
    namespace mold = wire::mold;
    const mold::Header* const header = wire::view_as<mold::Header>(datagram);
    if (header == nullptr) return StreamPacket::malformed;
    if (header->session != session_) return StreamPacket::foreign;
    const std::uint64_t first = header->sequence;
    if (header->count == mold::kHeartbeat || header->count == mold::kEndOfSession) {
      known_ = std::max(known_, first);
      ended_ |= header->count == mold::kEndOfSession;
      return ended_ ? StreamPacket::end_of_session : StreamPacket::heartbeat;
    }
    if (mold::fault_of(datagram) != mold::BlockFault::none) return StreamPacket::malformed;
    known_ = std::max(known_, first + header->count);
    if (first > next_) {
      ++gaps_;
      beyond_ = std::min(beyond_, first);
    }
    std::uint64_t number = first;
    for (mold::BlockReader blocks(datagram); blocks.next(); ++number) {
      repeats_ += number < next_;
      if (number != next_) continue;
      ++next_;
      deliver(number, blocks.block());
    }
    if (beyond_ <= next_) beyond_ = kNothing;
    return StreamPacket::data;
  }

  /// Messages below `next` exist: heard by other means than a datagram of the stream.
  void expect(std::uint64_t next) { known_ = std::max(known_, next); }

  /// The number of the next message to hand out.
  std::uint64_t next() const { return next_; }
  /// Messages that are known to exist and have not come.
  std::uint64_t missing() const { return known_ - next_; }
  /// The exchange has ended the session; what is missing can still be asked for.
  bool ended() const { return ended_; }

  /// Asks for what is missing; nothing if nothing is. One answer brings one packet: ask on until missing() is 0.
  std::optional<wire::mold::Header> request() const {
    if (missing() == 0) return std::nullopt;
    const auto count = static_cast<std::uint16_t>(std::min<std::uint64_t>(missing(), wire::mold::kEndOfSession - 1));
    return wire::mold::Header{.session = session_, .sequence = next_, .count = count};
  }

  /// For when asking brings nothing any more, since the exchange keeps only so many: goes on at the oldest message that
  /// came from behind the gap, or where that is unknown at the end. Returns how many messages are lost for good.
  std::uint64_t give_up() {
    const std::uint64_t from = next_;
    next_ = std::min(beyond_, known_);
    beyond_ = kNothing;
    return next_ - from;
  }

  const wire::alpha<10>& session() const { return session_; }
  /// Datagrams that began beyond next(), and messages that had been there before.
  std::uint64_t gaps() const { return gaps_; }
  std::uint64_t repeats() const { return repeats_; }

 private:
  wire::alpha<10> session_;
  std::uint64_t next_;
  std::uint64_t known_;  // 1 + the highest number heard of
  static constexpr std::uint64_t kNothing = ~std::uint64_t{0};
  std::uint64_t beyond_ = kNothing;  // lowest number that a datagram beyond next_ began with
  std::uint64_t gaps_ = 0;
  std::uint64_t repeats_ = 0;
  bool ended_ = false;
};

}  // namespace crosswire::client
