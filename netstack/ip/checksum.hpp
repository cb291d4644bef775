// The internet checksum (RFC 1071), eight bytes at a time. Receive checks with it, transmit and publish write with it;
// pure functions over bytes. DPDK's own goes two bytes at a time and was a fifth of the receive stage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace crosswire::ip {

/// Ones' complement sum of 16-bit words in memory order (section 2: the sum does not depend on byte order), added to
/// `sum` with the carry brought round. An odd last byte counts as one with a zero behind it.
inline std::uint64_t ones_sum(const std::uint8_t* at, std::size_t size, std::uint64_t sum = 0) {
  const auto add = [&sum](std::uint64_t word) {
    sum += word;
    sum += sum < word;
  };
  const auto take = [&]<class Word>(Word word) {
    std::memcpy(&word, at, sizeof word);
    add(word);
    at += sizeof word;
  };
  for (; size >= 8; size -= 8) take(std::uint64_t{});
  if ((size & 4) != 0) take(std::uint32_t{});
  if ((size & 2) != 0) take(std::uint16_t{});
  if ((size & 1) != 0) take(std::uint8_t{});  // the low byte of a word in memory order on a little-endian machine
  return sum;
}
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

/// The sum's 16 bits.
inline std::uint16_t folded(std::uint64_t sum) {
  sum = (sum >> 32) + (sum & 0xFFFF'FFFF);
  sum = (sum >> 32) + (sum & 0xFFFF'FFFF);
  sum = (sum >> 16) + (sum & 0xFFFF);
  sum = (sum >> 16) + (sum & 0xFFFF);
  return static_cast<std::uint16_t>(sum);
}

/// What goes into a header whose bytes, with 0 in its place, have this sum.
inline std::uint16_t checksum(std::uint64_t sum) { return static_cast<std::uint16_t>(~folded(sum)); }

/// Whether bytes that hold their own checksum are as they were sent; `sum`: of a pseudo-header.
inline bool checksum_holds(const std::uint8_t* at, std::size_t size, std::uint64_t sum = 0) {
  return folded(ones_sum(at, size, sum)) == 0xFFFF;
}

}  // namespace crosswire::ip
