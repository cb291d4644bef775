// Random numbers for flows: whole numbers only, so that one seed gives the same flow with every compiler and library.
// Tools and benchmarks.
#pragma once

#include <bit>
#include <cstdint>

namespace crosswire {

/// xoshiro256**, seeded by splitmix64 (Blackman and Vigna).
class FlowRandom {
 public:
  explicit FlowRandom(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
      seed += 0x9E3779B97F4A7C15u;
      std::uint64_t x = seed;
      x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
      x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
      word = x ^ (x >> 31);
    }
  }

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// 0 .. n-1, n >= 1.
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(((next() >> 32) * n) >> 32); }

  bool chance(std::uint32_t percent) { return below(100) < percent; }

  /// Exponentially distributed with the given mean, below 2^40.
  std::uint64_t exponential(std::uint64_t mean) {
    constexpr std::uint64_t kLn2 = 45'426;  // in 1/65536
    return ((mean * minus_log2(next() | 1)) >> 16) * kLn2 >> 16;
  }

  /// Standard normal in 1/65536, between -6 and 6: the sum of twelve uniforms.
  std::int32_t normal() {
    std::int32_t sum = -6 * 65'536;
    for (int word = 0; word < 3; ++word) {
      for (std::uint64_t bits = next(), i = 0; i < 4; ++i, bits >>= 16) sum += static_cast<std::int32_t>(bits & 0xFFFF);
    }
    return sum;
  }

  /// About 2^(x / 65536) for x >= 0 and below 32 << 16; the fraction's power is taken as a line.
  static std::uint64_t power_of_2(std::uint32_t x) { return (std::uint64_t{65'536} + (x & 0xFFFF)) << (x >> 16) >> 16; }

 private:
  /// -log2(x / 2^64) in 1/65536: the whole part from the leading zeros, then bit by bit by squaring.
  static std::uint64_t minus_log2(std::uint64_t x) {
    const int zeros = std::countl_zero(x);
    std::uint64_t mantissa = x << zeros >> 32;  // 1 .. 2 in 1/2^31
    std::uint64_t log2 = static_cast<std::uint64_t>(63 - zeros) << 16;
    for (std::uint64_t bit = 1u << 15; bit != 0; bit >>= 1) {
      mantissa = mantissa * mantissa >> 31;
      if (mantissa < std::uint64_t{1} << 32) continue;
      mantissa >>= 1;
      log2 |= bit;
    }
    return (std::uint64_t{64} << 16) - log2;
  }

  std::uint64_t state_[4];
};

}  // namespace crosswire
