// SoupBinTCP 3.00 (WIRE 1): packet framing over a stream or in a datagram, and the login packets.
// Receive reads, transmit writes. Pure: no allocation, no exceptions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "netstack/wire/bytes.hpp"

namespace crosswire::wire::soup {

/// Header::type.
enum class PacketType : char {
  debug = '+',  // either way; text for humans, ignored
  // To the client.
  login_accepted = 'A',
  login_rejected = 'J',
  sequenced_data = 'S',
  server_heartbeat = 'H',
  end_of_session = 'Z',
  // To the exchange.
  login_request = 'L',
  unsequenced_data = 'U',
  client_heartbeat = 'R',
  logout_request = 'O',
};

struct Header {
  be16 length;  // bytes after this field: 1 + payload
  PacketType type;
};
static_assert(kIsLayout<Header> && sizeof(Header) == 3 && offsetof(Header, type) == 2);

/// Nasdaq's own client reads the length as signed 16 bits: write none above this (WIRE 1.1).
inline constexpr std::size_t kMaxPayload = 32'766;

/// Payload of `L`. Written as WIRE 1.1 says; read through parse(), which takes either justification.
struct LoginRequest {
  static constexpr PacketType kType = PacketType::login_request;

  alpha<6> username;   // left-justified
  alpha<10> password;  // left-justified
  alpha<10> session;   // right-justified; blank = the current one
  alpha<20> sequence;  // right-justified decimal: next number wanted; 0 = from the most recently generated message on
};
static_assert(kIsLayout<LoginRequest> && sizeof(LoginRequest) == 46 && offsetof(LoginRequest, sequence) == 26);

/// Payload of `A`.
struct LoginAccepted {
  static constexpr PacketType kType = PacketType::login_accepted;

  alpha<10> session;   // right-justified
  alpha<20> sequence;  // right-justified decimal: number that the next sequenced message will have
};
static_assert(kIsLayout<LoginAccepted> && sizeof(LoginAccepted) == 30 && offsetof(LoginAccepted, sequence) == 10);

enum class RejectCode : char { not_authorised = 'A', session_not_available = 'S' };

/// Payload of `J`.
struct LoginRejected {
  static constexpr PacketType kType = PacketType::login_rejected;

  RejectCode reason;
};
static_assert(kIsLayout<LoginRejected> && sizeof(LoginRejected) == 1);

// Heartbeats, logout and end of session have no payload; debug, sequenced and unsequenced data have any.

/// A packet of a fixed payload, header included: overlay<Framed<LoginAccepted>>(at) = {.payload = login_accepted(..)}.
template <class Payload>
struct Framed {
  Header header{.length = std::uint16_t{1 + sizeof(Payload)}, .type = Payload::kType};
  Payload payload;
};
static_assert(kIsLayout<Framed<LoginAccepted>> && sizeof(Framed<LoginAccepted>) == 33);

/// `session` of at most 10 characters, blank for the current one; user at most 6, password at most 10: the rest is cut.
inline LoginRequest login_request(std::string_view username, std::string_view password, std::string_view session,
                                  std::uint64_t sequence) {
  LoginRequest login{.username = username, .password = password};
  login.session.set_right(session);
  login.sequence.set_decimal_right(sequence);
  return login;
}

inline LoginAccepted login_accepted(std::string_view session, std::uint64_t sequence) {
  LoginAccepted accepted;
  accepted.session.set_right(session);
  accepted.sequence.set_decimal_right(sequence);
  return accepted;
}

/// What a login says, padding gone. Views into the packet.
struct Login {
  std::string_view username;
  std::string_view password;
  std::string_view session;               // empty = the current one
  std::optional<std::uint64_t> sequence;  // nothing if it is not a number
};

inline Login parse(const LoginRequest& login) {
  return {login.username.text(), login.password.text(), login.session.text(), login.sequence.decimal()};
}

/// User names and passwords are compared without regard to padding and case (WIRE 1.3, rule 3).
constexpr bool same_credential(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  a = stripped(a);
  b = stripped(b);
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [lower](char x, char y) { return lower(x) == lower(y); });
}

enum class ReadStatus : std::uint8_t {
  packet,      // one whole packet
  incomplete,  // a stream brings the rest later; a datagram never does
  malformed,   // length 0, so no type: the stream is lost
};

struct Read {
  ReadStatus status;
  PacketType type{};
  Bytes payload;         // into `bytes`
  std::size_t size = 0;  // of the packet, header included: where the next one begins
};

/// The first packet in `bytes`, which begin at a packet's start.
inline Read read(Bytes bytes) {
  const be16* const length = view_as<be16>(bytes);
  if (length == nullptr) return {.status = ReadStatus::incomplete};
  if (*length == 0) return {.status = ReadStatus::malformed};
  const std::size_t size = sizeof(be16) + *length;
  if (bytes.size() < size) return {.status = ReadStatus::incomplete};
  return {ReadStatus::packet, static_cast<PacketType>(bytes[2]), bytes.subspan(sizeof(Header), size - sizeof(Header)),
          size};
}

/// The packet that is all of a datagram (WIRE 7); malformed if it ends before or after it.
inline Read read_datagram(Bytes datagram) {
  const Read result = read(datagram);
  if (result.status != ReadStatus::packet || result.size != datagram.size()) return {.status = ReadStatus::malformed};
  return result;
}

/// Writes a packet's header and leaves room for its payload; nullptr if it does not fit `room` or exceeds kMaxPayload.
/// The packet has sizeof(Header) + payload_size bytes.
inline std::uint8_t* begin_packet(std::span<std::uint8_t> room, PacketType type, std::size_t payload_size) {
  if (payload_size > kMaxPayload || room.size() < sizeof(Header) + payload_size) return nullptr;
  overlay<Header>(room.data()) = {.length = static_cast<std::uint16_t>(1 + payload_size), .type = type};
  return room.data() + sizeof(Header);
}

}  // namespace crosswire::wire::soup
