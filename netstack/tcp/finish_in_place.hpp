// SegmentTemplate::finish_in_place(): how the headers of a segment get what differs, in sight of who calls it. And the
// words of options.
// transmit runs it on the way of every order that is answered over TCP, and finish() is made of it; bytes alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hugepages/base/check.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/frame_writer/padding.hpp"
#include "netstack/ip/checksum.hpp"
#include "netstack/tcp/segment_template.hpp"

namespace crosswire::tcp {

inline void put_word(std::uint8_t* at, std::uint32_t value) {
  const std::uint32_t word = __builtin_bswap32(value);
  std::memcpy(at, &word, sizeof word);
}

/// The option and its padding, kTimestampBytes.
inline std::size_t put_timestamps(std::uint8_t* at, std::uint32_t value, std::uint32_t echo) {
  put_word(at, 0x0101'080A);
  put_word(at + 4, value);
  put_word(at + 8, echo);
  return kTimestampBytes;
}

[[gnu::always_inline]] inline std::size_t SegmentTemplate::finish_in_place(std::uint8_t* frame, const SegmentHead& head,
                                                                           std::size_t option_bytes,
                                                                           std::size_t behind) const {
  CHECK(behind <= kMtu - kIpv4Bytes - kTcpHeaderBytes && option_bytes <= behind, "a segment of %zu bytes", behind);
  if (tcp_offset_ == kTagged) {
    std::memcpy(frame, headers_.data(), kTagged);
  } else {
    std::memcpy(frame, headers_.data(), kUntagged);
  }
  std::uint8_t* const tcp = frame + tcp_offset_;
  std::uint8_t* const ip = tcp - kIpv4Bytes;
  const std::size_t tcp_bytes = kTcpHeaderBytes + behind;
  const std::uint16_t ip_length = __builtin_bswap16(static_cast<std::uint16_t>(kIpv4Bytes + tcp_bytes));
  const std::uint32_t ip_sum = std::uint32_t{ip_sum_} + ip_length;
  const auto ip_checksum = static_cast<std::uint16_t>(~(ip_sum + (ip_sum >> 16)));
  std::memcpy(ip + 2, &ip_length, sizeof ip_length);
  std::memcpy(ip + 10, &ip_checksum, sizeof ip_checksum);

  const bool acks = (head.flags & kAck) != 0;
  const std::uint32_t sequence = __builtin_bswap32(head.sequence);
  const std::uint32_t acknowledgement = acks ? __builtin_bswap32(head.acknowledgement) : 0;
  const auto offset = static_cast<std::uint8_t>((kTcpHeaderBytes + option_bytes) / 4 << 4);
  // Data offset and flags, then the window, as one word of memory.
  const std::uint32_t words =
      offset | std::uint32_t{head.flags} << 8 | std::uint32_t{__builtin_bswap16(head.window)} << 16;
  // What lies in registers is summed there: read back from the frame it would wait for the stores.
  std::uint64_t sum = std::uint64_t{pseudo_sum_} + __builtin_bswap16(static_cast<std::uint16_t>(tcp_bytes));
  sum += std::uint64_t{sequence} + acknowledgement + words;
  sum = ip::ones_sum(tcp + kTcpHeaderBytes, behind, sum);
  const std::uint16_t checksum = ip::checksum(sum);
  std::memcpy(tcp, &ports_, 4);
  std::memcpy(tcp + 4, &sequence, 4);
  std::memcpy(tcp + 8, &acknowledgement, 4);
  std::memcpy(tcp + 12, &words, 4);
  const std::uint32_t last = checksum;  // the urgent pointer is 0
  std::memcpy(tcp + 16, &last, 4);
  return padded(frame, static_cast<std::size_t>(tcp - frame) + tcp_bytes);
}

}  // namespace crosswire::tcp
