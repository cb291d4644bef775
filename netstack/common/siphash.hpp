// SipHash-2-4 (Aumasson and Bernstein, 2012) of whole 64-bit words: the keyed hash of connections' addresses. Whoever
// does not know the key can neither foresee a hash nor make many connections fall on one place.
// Any stage; pure, standard library only.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace crosswire {

struct SipKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

/// Of `words` as the bytes that they are in little-endian memory.
template <std::size_t N>
constexpr std::uint64_t siphash(const SipKey& key, const std::array<std::uint64_t, N>& words) {
  std::uint64_t v0 = key.first ^ 0x736f6d6570736575;
  std::uint64_t v1 = key.second ^ 0x646f72616e646f6d;
  std::uint64_t v2 = key.first ^ 0x6c7967656e657261;
  std::uint64_t v3 = key.second ^ 0x7465646279746573;
  const auto round = [&] {
    v0 += v1;
    v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  };
  const auto take = [&](std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  };
  for (const std::uint64_t word : words) take(word);
  take(std::uint64_t{N * sizeof(std::uint64_t)} << 56);
  v2 ^= 0xFF;
  for (int i = 0; i < 4; ++i) round();
  return v0 ^ v1 ^ v2 ^ v3;
}

}  // namespace crosswire
