// UDP checksums that were left to a network card: which are taken for none, and that nothing else is.
#include "netstack/port/partial_checksum.hpp"

#include <gtest/gtest.h>

#include <random>

#include "port_testing.hpp"
#include "tests/seed.hpp"

namespace crosswire::partial_checksum_test {
namespace {

/// 10.99.0.100:40001 to 10.99.0.1:26400 with 5 bytes; `tagged` on VLAN 101. The checksum as Linux leaves it.
FrameBytes datagram(bool tagged = false) {
  FrameBytes frame = {0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 1, 1};
  if (tagged) frame.insert(frame.end(), {0x81, 0x00, 0x00, 0x65});
  frame.insert(frame.end(), {0x08, 0x00, 0x45, 0, 0, 33, 0, 1, 0x40, 0, 64, 17, 0, 0, 10, 99, 0, 100, 10, 99, 0, 1});
  // 0A63 + 0064 + 0A63 + 0001 + 0011 + 000D = 1549
  frame.insert(frame.end(), {0x9C, 0x41, 0x67, 0x20, 0, 13, 0x15, 0x49, 'h', 'e', 'l', 'l', 'o'});
  return frame;
}
std::size_t checksum_at(bool tagged) { return tagged ? 44 : 40; }

TEST(PartialChecksums, AreTakenForNoneTaggedOrNot) {
  for (const bool tagged : {false, true}) {
    FrameBytes frame = datagram(tagged);
    EXPECT_TRUE(settle_partial_checksum(frame.data(), frame.size()));
    EXPECT_EQ(frame[checksum_at(tagged)] | frame[checksum_at(tagged) + 1], 0);
    EXPECT_FALSE(settle_partial_checksum(frame.data(), frame.size())) << "once";
  }
}

TEST(PartialChecksums, AreNoneThatIsWrongInAnyBit) {
  for (unsigned bit = 0; bit < 16; ++bit) {
    FrameBytes frame = datagram();
    frame[checksum_at(false) + bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    const FrameBytes before = frame;
    EXPECT_FALSE(settle_partial_checksum(frame.data(), frame.size()));
    EXPECT_EQ(frame, before);
  }
}

TEST(PartialChecksums, AreNotLookedForInFragmentsOptionsAndOtherProtocols) {
  const auto refuses = [](std::size_t at, std::uint8_t value) {
    FrameBytes frame = datagram();
    frame[at] = value;
    return !settle_partial_checksum(frame.data(), frame.size());
  };
  EXPECT_TRUE(refuses(12, 0x86));  // not IPv4
  EXPECT_TRUE(refuses(14, 0x46));  // options
  EXPECT_TRUE(refuses(20, 0x20));  // more fragments
  EXPECT_TRUE(refuses(21, 0x01));  // a later fragment
  EXPECT_TRUE(refuses(23, 6));     // TCP
}

TEST(PartialChecksums, AreLookedForWithinTheFrameAlone) {
  const auto seed = static_cast<unsigned>(test::seed());
  std::mt19937 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const FrameBytes whole = datagram(random() % 2 == 0);
    const FrameBytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(random() % whole.size()));
    FrameBytes frame = cut;  // of its very size, for AddressSanitizer
    for (unsigned n = random() % 4; n > 0 && !frame.empty(); --n) {
      frame[random() % frame.size()] ^= static_cast<std::uint8_t>(1u << random() % 8);
    }
    settle_partial_checksum(frame.data(), frame.size());
  }
}

}  // namespace
}  // namespace crosswire::partial_checksum_test
