// TCP segments, inbound: header, options and payload of one IPv4 payload (RFC 9293 section 3.1; options: RFC 2018, RFC
// 7323). receive core. Pure; trusts nothing in the frame, and says why it makes nothing of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "netstack/ip/checksum.hpp"
#include "netstack/tcp/config.hpp"
#include "netstack/tcp/counters.hpp"
#include "netstack/tcp/sequence.hpp"
#include "netstack/wire/bytes.hpp"

namespace crosswire::tcp {

// Flags of the header (RFC 9293 3.1).
inline constexpr std::uint8_t kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16, kUrg = 32;

inline constexpr std::uint8_t kProtocol = 6;
/// Ranges in one SACK option: four fill the header's room for options, three beside timestamps.
inline constexpr std::size_t kMaxSackRanges = 4;
inline constexpr std::uint8_t kNoShift = 0xFF;
/// RFC 7323 2.3: a larger one counts as 14.
inline constexpr std::uint8_t kMaxShift = 14;

/// The header as it lies in the frame.
struct Header {
  wire::be16 source_port;
  wire::be16 destination_port;
  wire::be32 sequence;
  wire::be32 acknowledgement;
  std::uint8_t data_offset;  // in 32-bit words, in the high half
  std::uint8_t flags;
  wire::be16 window;
  wire::be16 checksum;
  wire::be16 urgent;
};
static_assert(sizeof(Header) == kTcpHeaderBytes && alignof(Header) == 1);

/// One segment. Numbers in host byte order; the payload lies in the frame.
struct Segment {
  std::uint16_t source_port;
  std::uint16_t destination_port;
  std::uint32_t sequence;
  std::uint32_t acknowledgement;
  std::uint16_t window;  // as in the header, unscaled
  std::uint8_t flags;
  bool has_timestamps = false;
  bool sack_permitted = false;
  std::uint8_t shift = kNoShift;  // of the sender's window; kNoShift: no such option
  std::uint8_t sacks = 0;
  std::uint16_t mss = 0;  // 0: no such option
  std::uint32_t ts_value = 0;
  std::uint32_t ts_echo = 0;
  wire::Bytes payload;
  std::array<Range, kMaxSackRanges> sack;

  bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
  /// What it takes of the sequence space: SYN and FIN count as a byte each.
  std::uint32_t length() const {
    return static_cast<std::uint32_t>(payload.size()) + (has(kSyn) ? 1u : 0u) + (has(kFin) ? 1u : 0u);
  }
};

/// The pseudo-header's part of the checksum (RFC 9293 3.1), addresses in host byte order.
inline std::uint64_t pseudo_sum(std::uint32_t source, std::uint32_t destination, std::size_t tcp_bytes) {
  return std::uint64_t{__builtin_bswap32(source)} + __builtin_bswap32(destination) +
         __builtin_bswap16(std::uint16_t{kProtocol}) + __builtin_bswap16(static_cast<std::uint16_t>(tcp_bytes));
}

/// Reads the options in `bytes`, at most 40. What is malformed ends them: nothing behind it is believed. Of an option
/// that comes twice the last counts, which is harmless in any.
void read_options(wire::Bytes bytes, Segment& segment);

/// `bytes`: an IPv4 payload between the two addresses (host byte order). `checked`: a device has found the checksum
/// right. Returns kNoTcpDrop and fills `segment`, or why not.
inline TcpReceiveCounter parse_segment(wire::Bytes bytes, std::uint32_t source, std::uint32_t destination, bool checked,
                                       Segment& segment) {
  if (bytes.size() < sizeof(Header)) return TcpReceiveCounter::tcp_short;
  const auto& header = *reinterpret_cast<const Header*>(bytes.data());
  const std::size_t header_bytes = (header.data_offset >> 4) * std::size_t{4};
  if (header_bytes < sizeof(Header) || header_bytes > bytes.size()) return TcpReceiveCounter::tcp_data_offset;
  if (!checked && !ip::checksum_holds(bytes.data(), bytes.size(), pseudo_sum(source, destination, bytes.size()))) {
    return TcpReceiveCounter::tcp_checksum;
  }
  segment.source_port = header.source_port;
  segment.destination_port = header.destination_port;
  if (segment.source_port == 0 || segment.destination_port == 0) return TcpReceiveCounter::tcp_port_zero;
  segment.sequence = header.sequence;
  segment.acknowledgement = header.acknowledgement;
  segment.window = header.window;
  segment.flags = header.flags & (kFin | kSyn | kRst | kPsh | kAck | kUrg);
  segment.payload = bytes.subspan(header_bytes);

  segment.has_timestamps = segment.sack_permitted = false;
  segment.shift = kNoShift;
  segment.sacks = 0;
  segment.mss = 0;
  read_options(bytes.subspan(sizeof(Header), header_bytes - sizeof(Header)), segment);
  return kNoTcpDrop;
}

}  // namespace crosswire::tcp
