// Headers of datagrams: every length and checksum, read back by the RFCs alone.
#include "netstack/frame_writer/datagram_template.hpp"

#include <gtest/gtest.h>

#include <random>
#include <utility>

#include "netstack/frame_writer/finish_in_place.hpp"
#include "tests/netstack/transmit/transmit_fixture.hpp"

namespace crosswire::testing::datagram_template_test {
namespace {

TEST(DatagramTemplate, AChecksumOfZeroIsSentAsAllOnes) {
  const DatagramTemplate header(net_config(), 26400, station_of(peer(1)), 30001, 64);
  int all_ones = 0;
  for (unsigned word = 0; word <= 0xFFFF; ++word) {
    FrameBytes frame(kMaxFrame);
    frame[header.payload_offset()] = static_cast<std::uint8_t>(word >> 8);
    frame[header.payload_offset() + 1] = static_cast<std::uint8_t>(word);
    frame.resize(header.finish(frame.data(), 2));
    all_ones += number_at(frame, 40, 2) == 0xFFFF;
    read_frame(frame);
  }
  EXPECT_EQ(all_ones, 1);
}

TEST(DatagramTemplate, HeadersAreRightForEveryLengthOfPayload) {
  std::mt19937_64 random(1);
  for (const std::uint16_t vlan : {std::uint16_t{0}, std::uint16_t{4094}}) {
    const DatagramTemplate header(net_config(), 26400, station_of(peer(1, vlan)), 65535, 64);
    for (std::size_t size = 0; size <= kMaxUdpPayload; ++size) {
      FrameBytes frame(kMaxFrame, 0xEE);
      Block payload(size);
      for (std::uint8_t& byte : payload) byte = static_cast<std::uint8_t>(random());
      std::copy(payload.begin(), payload.end(), frame.begin() + static_cast<std::ptrdiff_t>(header.payload_offset()));
      const std::size_t length = header.finish(frame.data(), size);
      frame.resize(length);
      const ReadFrame read = read_frame(frame);
      ASSERT_EQ(read.payload, payload);
      EXPECT_EQ(read.vlan, vlan);
      EXPECT_EQ(read.to_port, 65535);
    }
  }
}

template <std::size_t kSize>
void expect_the_same_in_place(const DatagramTemplate& header) {
  FrameBytes frame(kMaxFrame, 0xEE);
  for (std::size_t i = 0; i < kSize; ++i) frame[header.payload_offset() + i] = static_cast<std::uint8_t>(37 * i + 200);
  FrameBytes in_place = frame;
  const std::size_t length = header.finish(frame.data(), kSize);
  EXPECT_EQ(header.finish_in_place(in_place.data(), kSize), length);
  EXPECT_EQ(in_place, frame) << kSize;
}

TEST(DatagramTemplate, HeadersAreTheSameWhereTheCompilerKnowsTheLength) {
  for (const std::uint16_t vlan : {std::uint16_t{0}, std::uint16_t{4094}}) {
    const DatagramTemplate header(net_config(), 26400, station_of(peer(1, vlan)), 30001, 64);
    [&header]<std::size_t... kSizes>(std::index_sequence<kSizes...>) {
      (expect_the_same_in_place<kSizes>(header), ...);
    }
    (std::make_index_sequence<100>());
  }
}

TEST(Station, AGroupsMacHoldsItsLow23Bits) {
  const Station group = station_of_group(0xEFFF8102, 7);
  EXPECT_EQ(group.mac, (MacAddress{0x01, 0x00, 0x5E, 0x7F, 0x81, 0x02}));
  EXPECT_EQ(group.vlan, 7);
  EXPECT_EQ(group.address, 0xEFFF8102u);
}

}  // namespace
}  // namespace crosswire::testing::datagram_template_test
