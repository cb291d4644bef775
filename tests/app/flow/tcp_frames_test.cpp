// TCP segments out of any capture's frames.
#include "app/flow/tcp_frames.hpp"

#include <gtest/gtest.h>

#include "tests/app/flow/tcp_capture.hpp"

namespace crosswire {
namespace {

using test::Buffer;
using test::FrameShape;

constexpr Endpoint kFrom{0x0A000101, 40'001};
constexpr Endpoint kTo{0x0A000001, 9001};

Buffer frame(const FrameShape& shape = {}) { return test::tcp_frame(kFrom, kTo, 5, 6, tcp::kAck, {1, 2, 3}, shape); }

FrameFate fate(const Buffer& bytes) {
  TcpFrame out;
  return read_tcp_frame(bytes, out);
}

TEST(TcpFrames, AreFoundBehindTagsAndEndWhereTheDatagramDoes) {
  for (const std::vector<std::uint16_t>& tags : {std::vector<std::uint16_t>{}, {0x8100}, {0x88A8, 0x8100}}) {
    TcpFrame out;
    const Buffer bytes = frame({.tags = tags, .trailer = 16});
    ASSERT_EQ(read_tcp_frame(bytes, out), FrameFate::taken);
    EXPECT_EQ(out.source, kFrom);
    EXPECT_EQ(out.destination, kTo);
    EXPECT_EQ(out.segment.sequence, 5u);
    EXPECT_EQ(Buffer(out.segment.payload.begin(), out.segment.payload.end()), (Buffer{1, 2, 3}));
  }
}

TEST(TcpFrames, OfAHostMayHaveTheirChecksumLeftToItsCard) {
  EXPECT_EQ(fate(frame({.partial_checksum = true})), FrameFate::taken_partial);
  Buffer wrong = frame();
  wrong[14 + 20 + 20] ^= 1;
  EXPECT_EQ(fate(wrong), FrameFate::checksum);
}

TEST(TcpFrames, OfAllElseSayWhyTheyAreNone) {
  EXPECT_EQ(fate({}), FrameFate::other);
  EXPECT_EQ(fate(frame({.tags = {0x8100, 0x8100, 0x8100, 0x8100, 0x8100}})), FrameFate::other);
  EXPECT_EQ(fate(frame({.protocol = 17})), FrameFate::other);
  EXPECT_EQ(fate(frame({.fragment = 0x2000})), FrameFate::fragment);
  EXPECT_EQ(fate(frame({.fragment = 185})), FrameFate::fragment);
  Buffer short_datagram = frame();
  short_datagram[17] = 30;  // less than its header of TCP
  EXPECT_EQ(fate(short_datagram), FrameFate::damaged);
  Buffer options = frame();
  options[14 + 20 + 12] = 0xF0;
  EXPECT_EQ(fate(options), FrameFate::damaged);
}

TEST(TcpFrames, AreNeverReadBeyondTheirEnd) {
  const Buffer whole = test::tcp_frame(kFrom, kTo, 5, 6, tcp::kAck, Buffer(100, 7), {.tags = {0x8100}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Buffer part = test::cut(whole, 0, size);
    EXPECT_EQ(fate(part), size < 18 + 20 ? FrameFate::other : FrameFate::cut_off) << size;
  }
}

}  // namespace
}  // namespace crosswire
