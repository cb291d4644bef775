// One account's order entry over SoupBinTCP (WIRE 1), from the client's side: writes the packets that it sends, reads
// the stream that it gets, and counts the numbers of the answers, which no packet carries. Clients only (tests, tools,
// the load generator); one thread, no sockets, no clock, no allocation. It trusts nothing that comes.
//
//   SoupClient client("U00001", "secret");
//   send(client.login(room, 0));                     // the connection's first bytes
//   client.take(bytes, [](std::uint64_t number, wire::Bytes answer) { .. });
//   if (client.logged_in()) send(client.order(room, message));
//   send(client.heartbeat(room));                    // when nothing else was sent for a second
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "netstack/client/soup_packets.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire::client {

enum class SoupState : std::uint8_t {
  idle,      // no login was written
  awaiting,  // its answer has not come
  logged_in,
  refused,  // SoupClient::refusal() says why
  ended,    // of the day: no message will follow, ever
  broken,   // the stream cannot be read any further
};

class SoupClient {
 public:
  /// `user` of at most 6 characters, `password` of at most 10.
  SoupClient(std::string_view user, std::string_view password) : user_(user), password_(password) {}

  // Each writes one packet into `room` and returns its size, 0 if it does not fit.

  /// The first packet of a connection: what is left of a stream before it is forgotten. `wanted`: number of the first
  /// answer to be sent, 0 for the next that there will be; next_answer() behind a connection that is lost.
  std::size_t login(std::span<std::uint8_t> room, std::uint64_t wanted);
  std::size_t heartbeat(std::span<std::uint8_t> room) const;
  std::size_t logout(std::span<std::uint8_t> room) const;
  /// An OUCH message, with its options.
  std::size_t order(std::span<std::uint8_t> room, wire::Bytes message) const;

  /// Takes the next bytes of the server's stream, all of them, and calls `deliver(number, message)` for each answer.
  template <class Deliver>
  SoupState take(wire::Bytes bytes, Deliver&& deliver) {
    const bool readable = packets_.take(bytes, [this, &deliver](const SoupPackets::Packet& packet) {
      if (packet.type != wire::soup::PacketType::sequenced_data || state_ != SoupState::logged_in) [[unlikely]] {
        take_other(packet);
        return;
      }
      const std::uint64_t number = next_++;
      if (packet.whole()) [[likely]] {
        deliver(number, packet.payload);
      } else {
        ++counts_.too_long;
      }
    });
    if (!readable) state_ = SoupState::broken;
    return state_;
  }

  SoupState state() const { return state_; }
  bool logged_in() const { return state_ == SoupState::logged_in; }
  /// The reason letter of the last refusal, 0 if there was none.
  char refusal() const { return refusal_; }
  /// The server's last remark, at most kMostRemark characters of it; such as why a session is gone. Empty: none.
  std::string_view remark() const { return {remark_.data(), remark_size_}; }
  /// As the login's answer named it; blank before.
  const wire::alpha<10>& session() const { return session_; }
  /// Number of the next answer; 0 before the first login.
  std::uint64_t next_answer() const { return next_; }

  /// Packets since the beginning, over all its connections.
  struct Counts {
    std::uint64_t heartbeats = 0;
    std::uint64_t unknown = 0;     // of types that no server sends: ignored
    std::uint64_t unexpected = 0;  // a login's answer when none is awaited, a message without a session: ignored
    std::uint64_t too_long = 0;    // messages that no answer is as long as: numbered, and not delivered
  };
  const Counts& counts() const { return counts_; }

  static constexpr std::size_t kMostRemark = 64;

 private:
  void take_other(const SoupPackets::Packet& packet);
  void take_accepted(const SoupPackets::Packet& packet);

  std::string user_;
  std::string password_;
  SoupPackets packets_;
  SoupState state_ = SoupState::idle;
  std::uint64_t next_ = 0;
  wire::alpha<10> session_{std::string_view{}};
  char refusal_ = 0;
  std::array<char, kMostRemark> remark_{};
  std::size_t remark_size_ = 0;
  Counts counts_;
};

}  // namespace crosswire::client
