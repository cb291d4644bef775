// The internet checksum (RFC 1071), eight bytes at a time. Receive checks with it, transmit and publish write with it;
// pure functions over bytes. DPDK's own goes two bytes at a time and was a fifth of the receive stage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace crosswire::ip {

/// A sum on its way from word to word, with its carry.
struct CarryChain {
  unsigned long long sum;
  unsigned char carry = 0;

  /// By the processor's own instruction, which compilers do not find in C++; both of ours know it by this name.
  CarryChain plus(const std::uint8_t* word) const {
    unsigned long long added, result;
    std::memcpy(&added, word, sizeof added);
    const unsigned char out = __builtin_ia32_addcarryx_u64(carry, sum, added, &result);
    return {result, out};
  }
  CarryChain plus_32(const std::uint8_t* words) const {
    return plus(words).plus(words + 8).plus(words + 16).plus(words + 24);
  }
  CarryChain plus_64(const std::uint8_t* words) const { return plus_32(words).plus_32(words + 32); }
  /// With the carry brought round: there is no further one, as with one the sum is at most 2^64 - 2.
  std::uint64_t end() const { return sum + carry; }
};

/// Ones' complement sum of 16-bit words in memory order (section 2: the sum does not depend on byte order), added to
/// `sum` with the carry brought round. An odd last byte counts as one with a zero behind it.
inline std::uint64_t ones_sum(const std::uint8_t* at, std::size_t size, std::uint64_t sum = 0) {
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
  const std::uint8_t* const end = at + size;
  // Most datagrams of orders are shorter than two of these blocks: so no loop, for whose sake a compiler would keep the
  // chain in memory.
  for (std::size_t blocks = size / 128; blocks > 0; --blocks) {
    sum = CarryChain{sum}.plus_64(at).plus_64(at + 64).end();
    at += 128;
  }
  if ((size & 64) != 0) {
    sum = CarryChain{sum}.plus_64(at).end();
    at += 64;
  }
  if ((size & 32) != 0) {
    sum = CarryChain{sum}.plus_32(at).end();
    at += 32;
  }
  if ((size & 16) != 0) {
    sum = CarryChain{sum}.plus(at).plus(at + 8).end();
    at += 16;
  }
  if ((size & 8) != 0) sum = CarryChain{sum}.plus(at).end();
  // The 0 to 7 bytes behind whole words are the highest of the last eight: the others, added before, are shifted out.
  // In two steps, as one by 64 is not defined.
  std::uint64_t last;
  std::memcpy(&last, end - sizeof last, sizeof last);
  add(last >> 8 >> 8 * (7 - size % 8));
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

/// The same of a sum that is not 0 for a UDP header, where 0 would say that there is none: 0xFFFF is sent for it (RFC
/// 768), the same number in ones' complement. Folding keeps the remainder by 0xFFFF, which a multiplication tells.
inline std::uint16_t udp_checksum(std::uint64_t sum) { return static_cast<std::uint16_t>(~(sum % 0xFFFF)); }

/// Whether bytes that hold their own checksum are as they were sent; `sum`: of a pseudo-header.
inline bool checksum_holds(const std::uint8_t* at, std::size_t size, std::uint64_t sum = 0) {
  // Folding keeps the remainder by 0xFFFF, which a multiplication tells: of all but zeros it is 0 where all bits are
  // set.
  const std::uint64_t whole = ones_sum(at, size, sum);
  return whole % 0xFFFF == 0 && whole != 0;
}

}  // namespace crosswire::ip
