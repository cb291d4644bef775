// SipHash-2-4 against its authors' vectors and against a reading of the paper byte by byte.
#include "netstack/common/siphash.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "tests/seed.hpp"

namespace crosswire::siphash_test {
namespace {

/// The paper's section 2, over any bytes, with a state of four words in an array.
std::uint64_t sip_of_bytes(const SipKey& key, const std::vector<std::uint8_t>& message) {
  std::uint64_t v[4] = {key.first ^ 0x736f6d6570736575, key.second ^ 0x646f72616e646f6d, key.first ^ 0x6c7967656e657261,
                        key.second ^ 0x7465646279746573};
  const auto turned = [](std::uint64_t word, int by) { return word << by | word >> (64 - by); };
  const auto mix = [&](int a, int b, int by_b, int by_a) {
    v[a] += v[b];
    v[b] = turned(v[b], by_b) ^ v[a];
    if (by_a != 0) v[a] = turned(v[a], by_a);
  };
  const auto rounds = [&](int n) {
    for (int i = 0; i < n; ++i) {
      mix(0, 1, 13, 32);
      mix(2, 3, 16, 0);
      mix(0, 3, 21, 0);
      mix(2, 1, 17, 32);
    }
  };
  std::vector<std::uint8_t> padded = message;
  while (padded.size() % 8 != 7) padded.push_back(0);
  padded.push_back(static_cast<std::uint8_t>(message.size()));
  for (std::size_t at = 0; at < padded.size(); at += 8) {
    std::uint64_t word = 0;
    for (int i = 7; i >= 0; --i) word = word << 8 | padded[at + static_cast<std::size_t>(i)];
    v[3] ^= word;
    rounds(2);
    v[0] ^= word;
  }
  v[2] ^= 0xFF;
  rounds(4);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

template <std::size_t N>
std::vector<std::uint8_t> bytes_of(const std::array<std::uint64_t, N>& words) {
  std::vector<std::uint8_t> bytes;
  for (const std::uint64_t word : words) {
    for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<std::uint8_t>(word >> (8 * i)));
  }
  return bytes;
}

// Key 00 01 .. 0f; the message is 00 01 02 .. of 0, 8, 16 and 24 bytes: of vectors.h of the reference, lines 0, 8, 16,
// 24. The fifth, of 15 bytes, is the paper's own (appendix A) and is had from the reading above alone.
constexpr SipKey kKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};
constexpr std::uint64_t kWord0 = 0x0706050403020100, kWord1 = 0x0f0e0d0c0b0a0908, kWord2 = 0x1716151413121110;

TEST(SipHash, GivesTheVectorsOfItsReference) {
  EXPECT_EQ(siphash(kKey, std::array<std::uint64_t, 0>{}), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(siphash(kKey, std::array{kWord0}), 0x93f5f5799a932462u);
  EXPECT_EQ(siphash(kKey, std::array{kWord0, kWord1}), 0x3f2acc7f57c29bdbu);
  EXPECT_EQ(siphash(kKey, std::array{kWord0, kWord1, kWord2}), 0xb8ad50c6f649af94u);
  std::vector<std::uint8_t> fifteen;
  for (std::uint8_t i = 0; i < 15; ++i) fifteen.push_back(i);
  EXPECT_EQ(sip_of_bytes(kKey, fifteen), 0xa129ca6149be45e5u);
}

TEST(SipHash, OfWholeWordsIsThatOfTheirBytes) {
  std::mt19937_64 random(test::seed());
  for (int i = 0; i < 10'000; ++i) {
    const SipKey key{random(), random()};
    const std::array<std::uint64_t, 3> words{random(), random(), random()};
    ASSERT_EQ(siphash(key, words), sip_of_bytes(key, bytes_of(words)));
    const std::array<std::uint64_t, 2> two{words[0], words[1]};
    ASSERT_EQ(siphash(key, two), sip_of_bytes(key, bytes_of(two)));
  }
}

TEST(SipHash, ChangesWithEveryBitOfKeyAndWords) {
  const std::array words{kWord0, kWord1};
  const std::uint64_t plain = siphash(kKey, words);
  for (int bit = 0; bit < 64; ++bit) {
    const std::uint64_t flip = std::uint64_t{1} << bit;
    EXPECT_NE(siphash(SipKey{kKey.first ^ flip, kKey.second}, words), plain);
    EXPECT_NE(siphash(SipKey{kKey.first, kKey.second ^ flip}, words), plain);
    EXPECT_NE(siphash(kKey, std::array{kWord0 ^ flip, kWord1}), plain);
    EXPECT_NE(siphash(kKey, std::array{kWord0, kWord1 ^ flip}), plain);
  }
}

}  // namespace
}  // namespace crosswire::siphash_test
