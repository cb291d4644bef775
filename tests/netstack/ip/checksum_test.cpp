// The internet checksum against the slow way of saying it, for every length and alignment that frames have.
#include "netstack/ip/checksum.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "tests/netstack/client_frames.hpp"

namespace crosswire::ip {
namespace {

using test::Payload;

std::uint16_t slow(const Payload& bytes) {
  const auto value = static_cast<std::uint16_t>(test::folded(test::sum16(bytes, 0, bytes.size())));
  return static_cast<std::uint16_t>(value >> 8 | value << 8);  // into memory order
}

TEST(Checksum, AgreesWithTheSlowWayForEveryLength) {
  std::mt19937_64 random(1);
  for (std::size_t length = 0; length <= 1'500; ++length) {
    Payload bytes(length);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    EXPECT_EQ(checksum(ones_sum(bytes.data(), length)), slow(bytes)) << length << " bytes";
  }
}

TEST(Checksum, BringsEveryCarryRound) {
  for (std::size_t length = 1; length <= 64; ++length) {
    const Payload ones(length, 0xFF);
    EXPECT_EQ(checksum(ones_sum(ones.data(), length)), slow(ones)) << length << " bytes";
  }
  const Payload ones(1'480, 0xFF);
  EXPECT_EQ(checksum(ones_sum(ones.data(), ones.size(), ~std::uint64_t{0})), 0u);
}

TEST(Checksum, HoldsWhereItWasPutAndNotWithOneBitTurned) {
  std::mt19937_64 random(2);
  for (std::size_t length = 2; length < 200; length += 2) {
    Payload bytes(length);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    bytes[0] = bytes[1] = 0;
    const std::uint16_t put = checksum(ones_sum(bytes.data(), length));
    std::memcpy(bytes.data(), &put, sizeof put);
    EXPECT_TRUE(checksum_holds(bytes.data(), length));
    bytes[random() % length] ^= static_cast<std::uint8_t>(1u << random() % 8);
    EXPECT_FALSE(checksum_holds(bytes.data(), length));
  }
}

}  // namespace
}  // namespace crosswire::ip
