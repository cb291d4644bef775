// Datagrams out: Ethernet, 802.1Q, IPv4 and UDP headers from a template.
// transmit and publish run it, on buffers of their TxPort; no allocation, no state beyond a template's. Checksums are
// computed here, because not every port can (af_packet, virtio and captures cannot).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "netstack/common/config.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/frame_writer/station.hpp"

namespace crosswire {

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
  /// The same, in sight of the compiler, which leaves no branch over a size that it knows: finish_in_place.hpp.
  std::size_t finish_in_place(std::uint8_t* frame, std::size_t payload_size) const;

  // Offsets in the headers of IPv4 and UDP.
  static constexpr std::size_t kIpLength = 2, kIpChecksum = 10, kUdpLength = 4, kUdpChecksum = 6;

 private:
  static constexpr std::size_t kUntaggedOffset = kEthernetBytes + kIpv4Bytes + kUdpBytes;
  static constexpr std::size_t kTaggedOffset = kUntaggedOffset + kVlanTagBytes;

  std::array<std::uint8_t, kTaggedOffset> headers_{};
  std::uint16_t ip_sum_ = 0;   // of the IPv4 header, total length and checksum 0; memory order
  std::uint16_t udp_sum_ = 0;  // of pseudo-header and UDP header, both lengths and checksum 0; memory order
  std::uint8_t payload_offset_ = kUntaggedOffset;
};
static_assert(sizeof(DatagramTemplate) <= 64);

}  // namespace crosswire
