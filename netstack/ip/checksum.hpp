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
  const auto word_at = [](const std::uint8_t* bytes) {
    unsigned long long word;
    std::memcpy(&word, bytes, sizeof word);
    return word;
  };
  // The processor's own instruction, which compilers do not find in C++; both of ours know it by this name.
  const auto add_with_carry = [](unsigned char carry, unsigned long long a, unsigned long long b,
                                 unsigned long long* to) { return __builtin_ia32_addcarryx_u64(carry, a, b, to); };
  const auto add = [&sum](std::uint64_t word) {
    sum += word;
    sum += sum < word;
  };
  if (size < sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    if (size > 0) std::memcpy(&word, at, size);  // of nothing, `at` may be null
    add(word);
    return sum;
  }
  const std::uint8_t* const last = at + size - sizeof(std::uint64_t);
  for (; size >= 4 * sizeof(std::uint64_t); size -= 4 * sizeof(std::uint64_t)) {
    unsigned long long chain = sum;  // one carry goes from word to word, and at the end round
    unsigned char carry = add_with_carry(0, chain, word_at(at), &chain);
    carry = add_with_carry(carry, chain, word_at(at + 8), &chain);
    carry = add_with_carry(carry, chain, word_at(at + 16), &chain);
    carry = add_with_carry(carry, chain, word_at(at + 24), &chain);
    sum = chain + carry;  // no further carry: with one, the chain is at most 2^64 - 2
    at += 4 * sizeof(std::uint64_t);
  }
  for (; at <= last; at += sizeof(std::uint64_t)) add(word_at(at));
  // The 0 to 7 bytes behind whole words are the highest of the last eight: the others, added before, are shifted out.
  // In two steps, as one by 64 is not defined.
  add(word_at(last) >> 8 >> 8 * (7 - size % 8));
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
