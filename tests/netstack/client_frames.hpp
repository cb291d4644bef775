// Frames as a client sends them, built byte by byte and apart from the code under test. Tests only.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/types.hpp"
#include "netstack/common/config.hpp"
#include "netstack/port/memory_port.hpp"
#include "netstack/wire/mold.hpp"
#include "netstack/wire/ouch.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire::test {

using Payload = std::vector<std::uint8_t>;

inline constexpr MacAddress kOurMac{2, 0, 0, 0, 0, 1};
inline constexpr std::uint32_t kOurAddress = 0x0A630001;  // 10.99.0.1
inline constexpr std::uint16_t kOrderPort = 26400;
inline constexpr std::uint16_t kRequestPort = 26478;
inline constexpr std::string_view kOrderSession = "O00000ABCD";
inline constexpr std::string_view kFeedSession = "F00000ABCD";

inline void put16(Payload& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}
inline void put32(Payload& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xFFFF);
}
/// Byte by byte: at -O3 GCC 12 takes a vector's insert() of constants for an overflow.
template <class Bytes>
void put(Payload& out, const Bytes& bytes) {
  for (const auto byte : bytes) out.push_back(static_cast<std::uint8_t>(byte));
}
inline void set16(Payload& bytes, std::size_t at, std::size_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}
inline std::size_t get16(const Payload& bytes, std::size_t at) { return std::size_t{bytes[at]} << 8 | bytes[at + 1]; }

/// RFC 1071, the slow way.
inline std::uint32_t sum16(const Payload& bytes, std::size_t from, std::size_t end) {
  std::uint32_t sum = 0;
  for (std::size_t i = from; i < end; i += 2) sum += std::uint32_t{bytes[i]} << 8 | (i + 1 < end ? bytes[i + 1] : 0u);
  return sum;
}
inline std::size_t folded(std::uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return ~sum & 0xFFFF;
}

struct Client {
  MacAddress mac{2, 0, 0, 0, 1, 1};
  std::uint16_t vlan = 0;  // 0 = untagged
  std::uint32_t address = 0x0A630064;
  std::uint16_t port = 40000;

  std::size_t link_bytes() const { return vlan == 0 ? 14 : 18; }
};

inline Payload ethernet(const Client& client, const MacAddress& destination, std::size_t type, const Payload& payload) {
  Payload frame;
  put(frame, destination);
  put(frame, client.mac);
  if (client.vlan != 0) {
    put16(frame, 0x8100);
    put16(frame, client.vlan);
  }
  put16(frame, type);
  put(frame, payload);
  return frame;
}

/// Sets the header checksum of the IPv4 header at `at` anew.
inline void fix_ip(Payload& frame, std::size_t at) {
  const std::size_t end = at + (frame[at] & 15u) * 4u;
  set16(frame, at + 10, 0);
  set16(frame, at + 10, folded(sum16(frame, at, end)));
}

inline Payload ipv4(const Client& client, std::uint8_t protocol, const Payload& payload, std::uint32_t to = kOurAddress,
                    const Payload& options = {}) {
  Payload packet;
  packet.push_back(static_cast<std::uint8_t>(0x40 | (5 + options.size() / 4)));
  packet.push_back(0);
  put16(packet, 20 + options.size() + payload.size());
  put32(packet, 0x12344000);  // id, don't fragment
  packet.push_back(64);
  packet.push_back(protocol);
  put16(packet, 0);
  put32(packet, client.address);
  put32(packet, to);
  put(packet, options);
  put(packet, payload);
  fix_ip(packet, 0);
  return packet;
}

/// Sets the UDP checksum of a frame without IP options anew; `at`: the IPv4 header.
inline void fix_udp(Payload& frame, std::size_t at) {
  const std::size_t udp = at + 20;
  const std::size_t length = get16(frame, udp + 4);
  set16(frame, udp + 6, 0);
  const std::uint32_t pseudo = sum16(frame, at + 12, at + 20) + 17 + static_cast<std::uint32_t>(length);
  const std::size_t checksum = folded(pseudo + sum16(frame, udp, udp + length));
  set16(frame, udp + 6, checksum == 0 ? 0xFFFF : checksum);
}

inline Payload udp_frame(const Client& client, std::uint16_t to_port, const Payload& payload,
                         const Payload& ip_options = {}) {
  Payload datagram;
  put16(datagram, client.port);
  put16(datagram, to_port);
  put16(datagram, 8 + payload.size());
  put16(datagram, 0);
  put(datagram, payload);
  Payload frame = ethernet(client, kOurMac, 0x0800, ipv4(client, 17, datagram, kOurAddress, ip_options));
  if (ip_options.empty()) fix_udp(frame, client.link_bytes());
  return frame;
}

template <class Layout>
Payload bytes(const Layout& layout) {
  const wire::Bytes view = wire::bytes_of(layout);
  return {view.begin(), view.end()};
}

inline Payload soup_packet(char type, const Payload& payload = {}) {
  Payload packet;
  put16(packet, 1 + payload.size());
  packet.push_back(static_cast<std::uint8_t>(type));
  put(packet, payload);
  return packet;
}

inline Payload login_packet(std::string_view user, std::string_view password, std::string_view session = "") {
  return soup_packet('L', bytes(wire::soup::login_request(user, password, session, 1)));
}

inline Payload mold_header(std::string_view session, std::uint64_t sequence, std::uint16_t count) {
  return bytes(wire::mold::Header{.session = session, .sequence = sequence, .count = count});
}

inline Payload mold_packet(std::uint64_t sequence, const std::vector<Payload>& messages,
                           std::string_view session = kOrderSession) {
  Payload packet = mold_header(session, sequence, static_cast<std::uint16_t>(messages.size()));
  for (const Payload& message : messages) {
    put16(packet, message.size());
    put(packet, message);
  }
  return packet;
}

/// A message with an appendage: `options` are its options, one after the other.
inline Payload with_options(Payload message, const Payload& options) {
  put16(message, options.size());
  put(message, options);
  return message;
}

inline Payload option(wire::ouch::Tag tag, const Payload& value) {
  Payload result{static_cast<std::uint8_t>(1 + value.size()), static_cast<std::uint8_t>(tag)};
  put(result, value);
  return result;
}

inline Payload letter(char c) { return {static_cast<std::uint8_t>(c)}; }
inline Payload u16(std::size_t value) {
  Payload bytes;
  put16(bytes, value);
  return bytes;
}
inline Payload u32(std::uint32_t value) {
  Payload bytes;
  put32(bytes, value);
  return bytes;
}

inline wire::ouch::EnterOrder enter_fields(std::uint32_t user_ref_num) {
  return {.user_ref_num = user_ref_num,
          .side = 'B',
          .quantity = 100u,
          .symbol = std::string_view{"AAA"},
          .price = std::uint64_t{123'4500},
          .time_in_force = '0',
          .display = 'Y',
          .capacity = 'A',
          .iso = 'N',
          .cross_type = 'N',
          .cl_ord_id = std::string_view{"order"}};
}

inline wire::ouch::ReplaceOrder replace_fields(std::uint32_t original, std::uint32_t user_ref_num) {
  return {.orig_user_ref_num = original,
          .user_ref_num = user_ref_num,
          .quantity = 200u,
          .price = std::uint64_t{124'0000},
          .time_in_force = '3',
          .display = 'Y',
          .iso = 'N',
          .cl_ord_id = std::string_view{"again"}};
}

inline Payload enter_message(std::uint32_t user_ref_num, const Payload& options = {}) {
  return with_options(bytes(enter_fields(user_ref_num)), options);
}
inline Payload replace_message(std::uint32_t original, std::uint32_t user_ref_num, const Payload& options = {}) {
  return with_options(bytes(replace_fields(original, user_ref_num)), options);
}
inline Payload cancel_message(std::uint32_t user_ref_num, std::uint32_t quantity = 0) {
  return bytes(wire::ouch::CancelOrder{.user_ref_num = user_ref_num, .quantity = quantity});
}
inline Payload modify_message(std::uint32_t user_ref_num, char side, std::uint32_t quantity) {
  return bytes(wire::ouch::ModifyOrder{.user_ref_num = user_ref_num, .side = side, .quantity = quantity});
}
inline Payload query_message() { return bytes(wire::ouch::AccountQuery{}); }
inline Payload mass_cancel_message(std::uint32_t user_ref_num, std::string_view firm, std::string_view symbol,
                                   const Payload& options = {}) {
  return with_options(bytes(wire::ouch::MassCancel{.user_ref_num = user_ref_num, .firm = firm, .symbol = symbol}),
                      options);
}
inline Payload disable_message(std::uint32_t user_ref_num, std::string_view firm, const Payload& options = {}) {
  return with_options(bytes(wire::ouch::DisableOrderEntry{.user_ref_num = user_ref_num, .firm = firm}), options);
}
inline Payload enable_message(std::uint32_t user_ref_num, std::string_view firm, const Payload& options = {}) {
  return with_options(bytes(wire::ouch::EnableOrderEntry{.user_ref_num = user_ref_num, .firm = firm}), options);
}

inline Payload arp_packet(std::uint16_t operation, const MacAddress& sender, std::uint32_t sender_address,
                          std::uint32_t target_address) {
  Payload packet;
  put16(packet, 1);
  put16(packet, 0x0800);
  packet.push_back(6);
  packet.push_back(4);
  put16(packet, operation);
  put(packet, sender);
  put32(packet, sender_address);
  put(packet, MacAddress{});
  put32(packet, target_address);
  return packet;
}

inline constexpr MacAddress kBroadcast{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

inline Payload arp_frame(const Client& client) {
  return ethernet(client, kBroadcast, 0x0806, arp_packet(1, client.mac, client.address, kOurAddress));
}

inline Payload icmp_message(std::uint8_t type, std::size_t length) {
  Payload message{type, 0, 0, 0};
  for (std::size_t i = message.size(); i < length; ++i) message.push_back(static_cast<std::uint8_t>(i));
  set16(message, 2, folded(sum16(message, 0, message.size())));
  return message;
}

inline Payload echo_frame(const Client& client, std::size_t length = 64) {
  return ethernet(client, kOurMac, 0x0800, ipv4(client, 1, icmp_message(8, length)));
}

inline Payload login_frame(const Client& client, std::string_view user, std::string_view password,
                           std::string_view session = "") {
  return udp_frame(client, kOrderPort, login_packet(user, password, session));
}
inline Payload data_frame(const Client& client, std::uint64_t sequence, const std::vector<Payload>& messages) {
  return udp_frame(client, kOrderPort, mold_packet(sequence, messages));
}

}  // namespace crosswire::test
