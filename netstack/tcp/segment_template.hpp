// Segments out: Ethernet, 802.1Q, IPv4 and TCP headers of a connection, built once. transmit core, on buffers of its
// TxPort; no allocation. Checksums are computed here, because not every port can.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "netstack/common/config.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/tcp/config.hpp"
#include "netstack/tcp/segment.hpp"
#include "netstack/tcp/signals.hpp"

namespace crosswire::tcp {

/// What differs from segment to segment of a connection.
struct SegmentHead {
  std::uint32_t sequence;
  std::uint32_t acknowledgement;  // sent with kAck; else 0 is
  std::uint16_t window;
  std::uint8_t flags;
};

class SegmentTemplate {
 public:
  SegmentTemplate() = default;
  /// From `config`'s MAC and address and our `port`. Identification 0 with Don't Fragment set (RFC 6864).
  SegmentTemplate(const NetConfig& config, std::uint16_t port, const Remote& to);

  /// Where in the frame options begin; behind them the payload, at most kMaxFrame - kVlanTagBytes in all.
  std::size_t options_offset() const { return tcp_offset_ + kTcpHeaderBytes; }

  /// Options (a multiple of four bytes) and payload are in place, `behind` bytes together: writes the headers in front
  /// of them and the padding behind. Returns the frame's length.
  std::size_t finish(std::uint8_t* frame, const SegmentHead& head, std::size_t option_bytes, std::size_t behind) const;
  /// The same, in sight of the compiler: finish_in_place.hpp.
  std::size_t finish_in_place(std::uint8_t* frame, const SegmentHead& head, std::size_t option_bytes,
                              std::size_t behind) const;

 private:
  static constexpr std::size_t kUntagged = kEthernetBytes + kIpv4Bytes;
  static constexpr std::size_t kTagged = kUntagged + kVlanTagBytes;

  std::array<std::uint8_t, kTagged> headers_{};  // Ethernet to IPv4
  std::uint32_t ports_ = 0;                      // both, as in the header
  std::uint16_t ip_sum_ = 0;                     // of the IPv4 header, total length and checksum 0; memory order
  std::uint16_t pseudo_sum_ = 0;                 // of the pseudo-header without length, and the ports; memory order
  std::uint8_t tcp_offset_ = kUntagged;
};
static_assert(sizeof(SegmentTemplate) <= kCacheLine);

}  // namespace crosswire::tcp
