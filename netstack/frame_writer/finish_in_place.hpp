// DatagramTemplate::finish_in_place(): how headers get their lengths and checksums, in sight of who calls it.
// transmit runs it on the way of every order, and finish() is made of it; bytes alone, no DPDK.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hugepages/base/check.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/frame_writer/datagram_template.hpp"
#include "netstack/frame_writer/padding.hpp"
#include "netstack/ip/checksum.hpp"

namespace crosswire {

[[gnu::always_inline]] inline std::size_t DatagramTemplate::finish_in_place(std::uint8_t* frame,
                                                                            std::size_t payload_size) const {
  CHECK(payload_size <= kMaxUdpPayload, "a datagram of %zu bytes", payload_size);
  // Two copies of constant size; one of a variable size would be a call.
  if (payload_offset_ == kTaggedOffset) {
    std::memcpy(frame, headers_.data(), kTaggedOffset);
  } else {
    std::memcpy(frame, headers_.data(), kUntaggedOffset);
  }
  std::uint8_t* const payload = frame + payload_offset_;
  std::uint8_t* const udp = payload - kUdpBytes;
  std::uint8_t* const ip = udp - kIpv4Bytes;
  const auto put = [](std::uint8_t* at, std::uint16_t value) { std::memcpy(at, &value, sizeof value); };

  // All in memory order.
  const auto udp_length = static_cast<std::uint16_t>(kUdpBytes + payload_size);
  const std::uint16_t udp_word = __builtin_bswap16(udp_length);
  const std::uint16_t ip_word = __builtin_bswap16(static_cast<std::uint16_t>(kIpv4Bytes + udp_length));
  const std::uint32_t ip_sum = std::uint32_t{ip_sum_} + ip_word;
  // The length counts twice, in the pseudo-header and in the header.
  const std::uint64_t udp_sum = ip::ones_sum(payload, payload_size, std::uint64_t{udp_sum_} + 2u * udp_word);
  put(ip + kIpLength, ip_word);
  put(ip + kIpChecksum, static_cast<std::uint16_t>(~(ip_sum + (ip_sum >> 16))));  // two numbers give one carry at most
  put(udp + kUdpLength, udp_word);
  put(udp + kUdpChecksum, ip::udp_checksum(udp_sum));
  return padded(frame, payload_offset_ + payload_size);
}

}  // namespace crosswire
