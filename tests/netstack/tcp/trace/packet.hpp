// Frames of a trace: from bytes to fields and back, and in words. Tests only; standard library only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace crosswire::trace {

enum Flag : std::uint8_t { kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16, kUrg = 32, kEce = 64, kCwr = 128 };

enum class OptionKind : std::uint8_t { mss, wscale, sack_permitted, sack, timestamps, other };

struct TcpOption {
  OptionKind kind = OptionKind::other;
  std::uint32_t first = 0;                                      // mss, shift, TSval
  std::uint32_t second = 0;                                     // TSecr
  std::vector<std::pair<std::uint32_t, std::uint32_t>> blocks;  // of sack
  std::vector<std::uint8_t> bytes;                              // as they came; of `other` the option
};

/// What a frame says. Numbers are absolute, in host byte order.
struct Packet {
  enum class Kind { tcp, icmp, arp, other };
  Kind kind = Kind::other;
  std::uint8_t to_mac[6] = {};
  std::uint8_t from_mac[6] = {};
  std::optional<std::uint16_t> vlan;

  std::uint32_t from_address = 0;  // of ARP: the sender's
  std::uint32_t to_address = 0;    // of ARP: the target's
  std::uint16_t identity = 0;
  std::uint16_t fragment = 0;  // flags and offset, as in the header
  std::uint8_t ttl = 64;
  std::uint8_t traffic_class = 0;
  std::vector<std::uint8_t> ip_options;

  std::uint16_t from_port = 0;
  std::uint16_t to_port = 0;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint8_t flags = 0;
  std::uint16_t window = 0;
  std::uint16_t urgent = 0;
  std::vector<std::uint8_t> options;  // bytes, a multiple of four
  std::vector<std::uint8_t> payload;  // of ICMP: all behind type, code and checksum

  std::uint8_t icmp_type = 0;  // of ARP: the operation
  std::uint8_t icmp_code = 0;
  std::string fault;  // what is wrong with it; "" nothing

  [[nodiscard]] bool has(Flag flag) const { return (flags & flag) != 0; }
  /// Sequence numbers that it takes.
  [[nodiscard]] std::uint32_t sequence_length() const {
    return static_cast<std::uint32_t>(payload.size()) + (has(kSyn) ? 1 : 0) + (has(kFin) ? 1 : 0);
  }
};

/// Lays an IPv4 frame of TCP or ICMP, or an ARP frame, with right lengths and checksums.
std::vector<std::uint8_t> frame_of(const Packet& packet);
/// The fields of a frame; checksums and lengths are checked (Packet::fault).
Packet packet_of(std::span<const std::uint8_t> frame);

/// The options of a segment, in order, without NOP and EOL; what is malformed is the last one, of kind `other`.
std::vector<TcpOption> options_of(std::span<const std::uint8_t> bytes);
/// One's complement sum of `bytes` upon `start`, folded and inverted.
std::uint16_t checksum_of(std::span<const std::uint8_t> bytes, std::uint32_t start = 0);
/// Sums up the pseudo header of a segment of `length` bytes.
std::uint32_t pseudo_header_sum(const Packet& packet, std::size_t length);

/// "SA", "." for none.
std::string flags_text(std::uint8_t flags);
/// "10.99.0.1"
std::string address_text(std::uint32_t address);
/// "1.500000 s"; microseconds are shown, nanoseconds where they are not zero.
std::string time_text(std::int64_t time_ns);

/// In a trace's words, with sequence numbers relative to those given.
std::string text_of(const Packet& packet, std::uint32_t seq_base, std::uint32_t ack_base, std::uint32_t ts_base);

}  // namespace crosswire::trace
