// Frames out: Ethernet, 802.1Q, IPv4, UDP headers from templates, ARP and ICMP echo replies.
// transmit and publish run it, on buffers of their TxPort. Pure functions over bytes: no allocation, no state beyond a
// template's. Checksums are computed here, because not every port can (af_packet, virtio and captures cannot).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/command.hpp"
#include "netstack/common/config.hpp"

namespace crosswire {

/// Longest IPv4 datagram sent (the rack's MTU), and what of it is left for a UDP payload.
inline constexpr std::size_t kMaxDatagram = 1500;
inline constexpr std::size_t kMaxUdpPayload = kMaxDatagram - 20 - 8;

/// Shortest Ethernet frame without FCS (IEEE 802.3); shorter ones are padded with zeros.
inline constexpr std::size_t kMinFrame = 60;

/// Another station on the link. Host byte order; vlan 0 = untagged.
struct Station {
  MacAddress mac;
  std::uint16_t vlan;
  std::uint32_t address;
};
Station station_of(const Peer& peer);
Station station_of(const ResendAsk& ask);
Station station_of(const EchoAsk& ask);

/// A multicast group as a station: its MAC holds the group's low 23 bits (RFC 1112 section 6.4).
Station station_of_group(std::uint32_t group, std::uint16_t vlan);

/// The headers of every datagram from one of our UDP ports to one place, built once. Lengths and checksums are filled
/// in per datagram: the parts of both sums that never change are summed up here (RFC 1071).
class DatagramTemplate {
 public:
  DatagramTemplate() = default;
  /// From `config`'s MAC and address. Identification 0 with Don't Fragment set: an atomic datagram (RFC 6864).
  DatagramTemplate(const NetConfig& config, std::uint16_t source_port, const Station& to, std::uint16_t to_port,
                   std::uint8_t ttl);

  /// Where in the frame the UDP payload goes, at most kMaxUdpPayload bytes of it.
  std::size_t payload_offset() const { return payload_offset_; }

  /// The payload is in its place: writes the headers in front of it and the padding behind it. Returns the frame's
  /// length.
  std::size_t finish(std::uint8_t* frame, std::size_t payload_size) const;

 private:
  std::array<std::uint8_t, 46> headers_{};
  std::uint16_t ip_sum_ = 0;   // of the IPv4 header, total length and checksum 0; memory order
  std::uint16_t udp_sum_ = 0;  // of pseudo-header and UDP header, both lengths and checksum 0; memory order
  std::uint8_t payload_offset_ = 42;
};
static_assert(sizeof(DatagramTemplate) <= 64);

/// An ARP reply from us to `to` (RFC 826). Returns the frame's length.
std::size_t write_arp_reply(std::uint8_t* frame, const NetConfig& config, const Station& to);

/// An ICMP echo reply (RFC 792) to `request`, a whole ICMP message of 8 bytes or more that fits the MTU (CHECKed).
/// Returns the frame's length.
std::size_t write_echo_reply(std::uint8_t* frame, const NetConfig& config, const Station& to,
                             std::span<const std::uint8_t> request);

}  // namespace crosswire
