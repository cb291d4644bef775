// The internet checksum (RFC 1071), eight bytes at a time. Receive checks with it, transmit and publish write with it;
// pure functions over bytes. DPDK's own goes two bytes at a time and was a fifth of the receive stage.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace crosswire::ip {

/// `sum` and kWords words of memory, with the carry brought round: there is no further one, as with one the sum is at
/// most 2^64 - 2. The processor's own instruction, by hand: compilers do not find it in C++, and of the builtin that
/// they have for it GCC 12 stores the sum behind each word.
template <std::size_t kWords>
[[gnu::always_inline]] inline std::uint64_t plus_words(std::uint64_t sum, const std::uint8_t* at) {
  static_assert(std::has_single_bit(kWords) && kWords <= 16);
  const auto& words = *reinterpret_cast<const std::uint8_t(*)[8 * kWords]>(at);
  if constexpr (kWords == 1) {
    asm inline("addq (%[at]), %[sum]\n\tadcq $0, %[sum]" : [sum] "+&r"(sum) : [at] "r"(at), "m"(words) : "cc");
  } else if constexpr (kWords == 2) {
    asm inline("addq (%[at]), %[sum]\n\tadcq 8(%[at]), %[sum]\n\tadcq $0, %[sum]"
               : [sum] "+&r"(sum)
               : [at] "r"(at), "m"(words)
               : "cc");
  } else if constexpr (kWords == 4) {
    asm inline(
        "addq (%[at]), %[sum]\n\tadcq 8(%[at]), %[sum]\n\tadcq 16(%[at]), %[sum]\n\t"
        "adcq 24(%[at]), %[sum]\n\tadcq $0, %[sum]"
        : [sum] "+&r"(sum)
        : [at] "r"(at), "m"(words)
        : "cc");
  } else if constexpr (kWords == 8) {
    asm inline(
        "addq (%[at]), %[sum]\n\tadcq 8(%[at]), %[sum]\n\tadcq 16(%[at]), %[sum]\n\t"
        "adcq 24(%[at]), %[sum]\n\tadcq 32(%[at]), %[sum]\n\tadcq 40(%[at]), %[sum]\n\t"
        "adcq 48(%[at]), %[sum]\n\tadcq 56(%[at]), %[sum]\n\tadcq $0, %[sum]"
        : [sum] "+&r"(sum)
        : [at] "r"(at), "m"(words)
        : "cc");
  } else {
    asm inline(
        "addq (%[at]), %[sum]\n\tadcq 8(%[at]), %[sum]\n\tadcq 16(%[at]), %[sum]\n\t"
        "adcq 24(%[at]), %[sum]\n\tadcq 32(%[at]), %[sum]\n\tadcq 40(%[at]), %[sum]\n\t"
        "adcq 48(%[at]), %[sum]\n\tadcq 56(%[at]), %[sum]\n\tadcq 64(%[at]), %[sum]\n\t"
        "adcq 72(%[at]), %[sum]\n\tadcq 80(%[at]), %[sum]\n\tadcq 88(%[at]), %[sum]\n\t"
        "adcq 96(%[at]), %[sum]\n\tadcq 104(%[at]), %[sum]\n\tadcq 112(%[at]), %[sum]\n\t"
        "adcq 120(%[at]), %[sum]\n\tadcq $0, %[sum]"
        : [sum] "+&r"(sum)
        : [at] "r"(at), "m"(words)
        : "cc");
  }
  return sum;
}

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
  // Most datagrams of orders are shorter than two of these blocks: so no loop for less.
  for (std::size_t blocks = size / 128; blocks > 0; --blocks) {
    sum = plus_words<16>(sum, at);
    at += 128;
  }
  if ((size & 64) != 0) {
    sum = plus_words<8>(sum, at);
    at += 64;
  }
  if ((size & 32) != 0) {
    sum = plus_words<4>(sum, at);
    at += 32;
  }
  if ((size & 16) != 0) {
    sum = plus_words<2>(sum, at);
    at += 16;
  }
  if ((size & 8) != 0) sum = plus_words<1>(sum, at);
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

/// Whether a sum is that of bytes that hold their own checksum, of which not all are 0: whether 0xFFFF divides it. By a
/// multiplication, as the inverse of 0xFFFF takes its multiples, and these alone, to their quotients: a compiler that
/// thinks the place a rare one would divide.
inline bool sum_holds(std::uint64_t sum) {
  constexpr std::uint64_t kInverse = 0xFFFE'FFFE'FFFE'FFFF;
  static_assert(0xFFFF * kInverse == 1);
  return sum * kInverse <= ~std::uint64_t{0} / 0xFFFF;
}

/// Whether bytes that hold their own checksum are as they were sent; `sum`: of a pseudo-header.
inline bool checksum_holds(const std::uint8_t* at, std::size_t size, std::uint64_t sum = 0) {
  const std::uint64_t whole = ones_sum(at, size, sum);
  return sum_holds(whole) && whole != 0;
}

/// The same of an IPv4 header without options, in sight of the compiler: its version is not 0, and so no sum is.
[[gnu::always_inline]] inline bool header_holds(const std::uint8_t* at) {
  std::uint32_t last;
  std::memcpy(&last, at + 16, sizeof last);
  return sum_holds(plus_words<2>(last, at));
}

}  // namespace crosswire::ip
