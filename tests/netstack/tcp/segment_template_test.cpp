// Headers of segments, read back by the RFCs alone.
#include "netstack/tcp/segment_template.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "tests/netstack/client_frames.hpp"
#include "tests/seed.hpp"

namespace crosswire::tcp::segment_template_test {
namespace {

using Bytes = std::vector<std::uint8_t>;

NetConfig config() {
  NetConfig net;
  net.mac = {2, 0, 0, 0, 0, 1};
  net.address = 0x0A63'0001;
  return net;
}
Remote remote(std::uint16_t vlan) { return {0x0A63'00FE, 40'000, vlan, {2, 0, 0, 0, 0, 9}}; }

std::uint32_t get32(const Bytes& bytes, std::size_t at) {
  return static_cast<std::uint32_t>(test::get16(bytes, at) << 16 | test::get16(bytes, at + 2));
}

void expect_ethernet(const Bytes& frame, std::uint16_t vlan) {
  const Bytes to{2, 0, 0, 0, 0, 9}, from{2, 0, 0, 0, 0, 1};
  EXPECT_EQ(Bytes(frame.begin(), frame.begin() + 6), to);
  EXPECT_EQ(Bytes(frame.begin() + 6, frame.begin() + 12), from);
  if (vlan != 0) {
    EXPECT_EQ(test::get16(frame, 12), 0x8100u);
    EXPECT_EQ(test::get16(frame, 14), vlan);
  }
  EXPECT_EQ(test::get16(frame, vlan == 0 ? 12 : 16), 0x0800u);
}

void expect_ipv4(const Bytes& frame, std::size_t at, std::size_t length) {
  EXPECT_EQ(frame[at], 0x45);
  EXPECT_EQ(test::get16(frame, at + 2), length);
  EXPECT_EQ(get32(frame, at + 4), 0x0000'4000u) << "identification 0, don't fragment";
  EXPECT_EQ(frame[at + 8], 64);
  EXPECT_EQ(frame[at + 9], 6);
  EXPECT_EQ(get32(frame, at + 12), 0x0A63'0001u);
  EXPECT_EQ(get32(frame, at + 16), 0x0A63'00FEu);
  EXPECT_EQ(test::folded(test::sum16(frame, at, at + 20)), 0u) << "the header's checksum";
}

/// Pseudo-header and segment together sum up to nothing (RFC 9293 3.1).
void expect_tcp_checksum(const Bytes& frame, std::size_t ip, std::size_t tcp_bytes) {
  Bytes all(frame.begin() + static_cast<std::ptrdiff_t>(ip) + 12, frame.begin() + static_cast<std::ptrdiff_t>(ip) + 20);
  test::put16(all, 6);
  test::put16(all, tcp_bytes);
  const auto tcp = frame.begin() + static_cast<std::ptrdiff_t>(ip) + 20;
  all.insert(all.end(), tcp, tcp + static_cast<std::ptrdiff_t>(tcp_bytes));
  EXPECT_EQ(test::folded(test::sum16(all, 0, all.size())), 0u);
}

TEST(SegmentTemplate, HeadersAreRightForEveryLengthTaggedAndUntagged) {
  std::mt19937_64 random(test::seed());
  for (const std::uint16_t vlan : {std::uint16_t{0}, std::uint16_t{7}, std::uint16_t{4094}}) {
    const SegmentTemplate header(config(), 7, remote(vlan));
    const std::size_t ip = vlan == 0 ? 14 : 18;
    ASSERT_EQ(header.options_offset(), ip + 40);
    for (std::size_t behind = 0; behind <= kOurMss; ++behind) {
      const std::size_t options = std::min<std::size_t>(random() % 11 * 4, behind / 4 * 4);
      Bytes frame(kMaxFrame, 0xEE);
      Bytes content(behind);
      for (std::uint8_t& byte : content) byte = static_cast<std::uint8_t>(random());
      std::copy(content.begin(), content.end(), frame.begin() + static_cast<std::ptrdiff_t>(header.options_offset()));
      const SegmentHead head{static_cast<std::uint32_t>(random()), static_cast<std::uint32_t>(random()),
                             static_cast<std::uint16_t>(random()), static_cast<std::uint8_t>(random() % 64)};
      const std::size_t length = header.finish(frame.data(), head, options, behind);
      ASSERT_EQ(length, std::max<std::size_t>(60, ip + 40 + behind));
      for (std::size_t i = ip + 40 + behind; i < length; ++i) ASSERT_EQ(frame[i], 0) << "padding is zeros";
      for (std::size_t i = length; i < frame.size(); ++i) ASSERT_EQ(frame[i], 0xEE) << "nothing behind is touched";
      frame.resize(length);
      expect_ethernet(frame, vlan);
      expect_ipv4(frame, ip, 40 + behind);
      const std::size_t tcp = ip + 20;
      EXPECT_EQ(test::get16(frame, tcp), 7u);
      EXPECT_EQ(test::get16(frame, tcp + 2), 40'000u);
      EXPECT_EQ(get32(frame, tcp + 4), head.sequence);
      EXPECT_EQ(get32(frame, tcp + 8), (head.flags & kAck) != 0 ? head.acknowledgement : 0);
      EXPECT_EQ(frame[tcp + 12], (5 + options / 4) << 4);
      EXPECT_EQ(frame[tcp + 13], head.flags);
      EXPECT_EQ(test::get16(frame, tcp + 14), head.window);
      EXPECT_EQ(test::get16(frame, tcp + 18), 0u) << "nothing is urgent";
      expect_tcp_checksum(frame, ip, 20 + behind);
      const auto start = frame.begin() + static_cast<std::ptrdiff_t>(ip + 40);
      ASSERT_TRUE(std::equal(content.begin(), content.end(), start)) << "options and payload stay";
      if (testing::Test::HasFailure()) FAIL() << "vlan " << vlan << ", " << behind << " bytes";
    }
  }
}

TEST(SegmentTemplate, OurOwnReaderTakesWhatItWrites) {
  const SegmentTemplate header(config(), 7, remote(0));
  Bytes frame(kMaxFrame);
  frame[54] = 'x';
  frame.resize(header.finish(frame.data(), {1, 2, 3, kAck | kPsh}, 0, 1));
  Segment segment{};
  ASSERT_EQ(parse_segment({frame.data() + 34, 21}, 0x0A63'0001, 0x0A63'00FE, false, segment), kNoTcpDrop);
  EXPECT_EQ(segment.sequence, 1u);
  EXPECT_EQ(segment.acknowledgement, 2u);
  EXPECT_EQ(segment.window, 3);
  EXPECT_EQ(segment.payload.size(), 1u);
}

TEST(SegmentTemplateDeathTest, RefusesWhatIsLongerThanAFrame) {
  const SegmentTemplate header(config(), 7, remote(0));
  Bytes frame(2 * kMaxFrame);
  EXPECT_DEATH(header.finish(frame.data(), {1, 2, 3, kAck}, 0, kOurMss + 1u), "a segment of 1461 bytes");
  EXPECT_DEATH(header.finish(frame.data(), {1, 2, 3, kAck}, 8, 4), "a segment of 4 bytes");
}

}  // namespace
}  // namespace crosswire::tcp::segment_template_test
