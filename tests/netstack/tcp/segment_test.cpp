// Segments in: the header's and the options' every malformed length, and never a byte beyond.
#include "netstack/tcp/segment.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "tests/netstack/client_frames.hpp"
#include "tests/seed.hpp"

namespace crosswire::tcp::segment_test {
namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr std::uint32_t kSource = 0x0A63'0002, kDestination = 0x0A63'0001;

/// A segment of `flags` with these options (padded by End) and payload, its checksum right.
Bytes segment_bytes(std::uint8_t flags, Bytes options, const Bytes& payload = {}) {
  while (options.size() % 4 != 0) options.push_back(0);
  Bytes bytes;
  test::put16(bytes, 40'000);
  test::put16(bytes, 7);
  test::put32(bytes, 0x0102'0304);
  test::put32(bytes, 0x0506'0708);
  bytes.push_back(static_cast<std::uint8_t>((5 + options.size() / 4) << 4));
  bytes.push_back(flags);
  test::put16(bytes, 0x1234);
  test::put32(bytes, 0);  // checksum, urgent pointer
  test::put(bytes, options);
  test::put(bytes, payload);
  return bytes;
}

/// The checksum as RFC 9293 words it, over the pseudo-header put together.
std::size_t checksum_of(const Bytes& segment) {
  Bytes all;
  test::put32(all, kSource);
  test::put32(all, kDestination);
  test::put16(all, 6);
  test::put16(all, segment.size());
  test::put(all, segment);
  return test::folded(test::sum16(all, 0, all.size()));
}

/// Parses a copy in a heap buffer of exactly its size: under AddressSanitizer a byte beyond is a fault.
struct Parsed {
  explicit Parsed(const Bytes& bytes, bool checked = true) : exact(new std::uint8_t[bytes.size()]) {
    std::copy(bytes.begin(), bytes.end(), exact.get());
    drop = parse_segment({exact.get(), bytes.size()}, kSource, kDestination, checked, segment);
  }
  std::unique_ptr<std::uint8_t[]> exact;
  Segment segment{};
  TcpReceiveCounter drop;
};

TEST(Segment, ReadsEveryFieldOfTheHeader) {
  Bytes bytes = segment_bytes(kAck | kPsh | 0xC0, {}, {1, 2, 3});
  test::set16(bytes, 16, checksum_of(bytes));
  const Parsed parsed(bytes, false);
  ASSERT_EQ(parsed.drop, kNoTcpDrop);
  const Segment& segment = parsed.segment;
  EXPECT_EQ(segment.source_port, 40'000);
  EXPECT_EQ(segment.destination_port, 7);
  EXPECT_EQ(segment.sequence, 0x0102'0304u);
  EXPECT_EQ(segment.acknowledgement, 0x0506'0708u);
  EXPECT_EQ(segment.window, 0x1234);
  EXPECT_EQ(segment.flags, kAck | kPsh) << "ECN's flags are not looked at";
  EXPECT_EQ(Bytes(segment.payload.begin(), segment.payload.end()), (Bytes{1, 2, 3}));
  EXPECT_EQ(segment.length(), 3u);
  EXPECT_FALSE(segment.has_timestamps || segment.sack_permitted);
  EXPECT_EQ(segment.shift, kNoShift);
  EXPECT_EQ(segment.mss, 0);
  EXPECT_EQ(segment.sacks, 0);
}

TEST(Segment, SynAndFinTakeANumberEach) {
  EXPECT_EQ(Parsed(segment_bytes(kSyn, {}, {1})).segment.length(), 2u);
  EXPECT_EQ(Parsed(segment_bytes(kFin | kAck, {}, {1})).segment.length(), 2u);
  EXPECT_EQ(Parsed(segment_bytes(kSyn | kFin, {})).segment.length(), 2u);
}

TEST(Segment, SaysWhyItIsNone) {
  const Bytes whole = segment_bytes(kAck, {}, {1, 2, 3, 4});
  for (std::size_t size = 0; size < 20; ++size) {
    EXPECT_EQ(Parsed(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))).drop,
              TcpReceiveCounter::tcp_short);
  }
  for (unsigned words = 0; words < 16; ++words) {
    Bytes bytes = whole;  // 24 bytes in all
    bytes[12] = static_cast<std::uint8_t>(words << 4);
    const bool right = words == 5 || words == 6;
    EXPECT_EQ(Parsed(bytes).drop, right ? kNoTcpDrop : TcpReceiveCounter::tcp_data_offset) << words;
  }
  for (const std::size_t port : {0u, 2u}) {
    Bytes bytes = whole;
    test::set16(bytes, port, 0);
    EXPECT_EQ(Parsed(bytes).drop, TcpReceiveCounter::tcp_port_zero);
  }
}

TEST(Segment, TheChecksumHasToBeRightUnlessADeviceHasFoundItSo) {
  std::mt19937_64 random(test::seed());
  for (std::size_t size = 0; size < 300; ++size) {
    Bytes payload(size);
    for (std::uint8_t& byte : payload) byte = static_cast<std::uint8_t>(random());
    Bytes bytes = segment_bytes(kAck, {}, payload);
    test::set16(bytes, 16, checksum_of(bytes));
    ASSERT_EQ(Parsed(bytes, false).drop, kNoTcpDrop) << size;
    bytes[random() % bytes.size()] ^= static_cast<std::uint8_t>(1u << random() % 8);
    const TcpReceiveCounter drop = Parsed(bytes, false).drop;
    ASSERT_TRUE(drop == TcpReceiveCounter::tcp_checksum || drop == TcpReceiveCounter::tcp_data_offset) << size;
  }
}

// ---- Options --------------------------------------------------------------------------------------------------------

Bytes option(std::uint8_t kind, std::uint8_t length, std::size_t body) {
  Bytes bytes{kind, length};
  for (std::size_t i = 0; i < body; ++i) bytes.push_back(static_cast<std::uint8_t>(i + 1));
  return bytes;
}

TEST(Segment, ReadsEachOptionOfItsRightLength) {
  Bytes options = option(2, 4, 2);
  test::put(options, option(3, 3, 1));
  test::put(options, option(4, 2, 0));
  test::put(options, Bytes{1, 1, 1});  // no operation
  test::put(options, option(8, 10, 8));
  const Parsed parsed(segment_bytes(kSyn, options));
  ASSERT_EQ(parsed.drop, kNoTcpDrop);
  EXPECT_EQ(parsed.segment.mss, 0x0102);
  EXPECT_EQ(parsed.segment.shift, 1);
  EXPECT_TRUE(parsed.segment.sack_permitted);
  EXPECT_TRUE(parsed.segment.has_timestamps);
  EXPECT_EQ(parsed.segment.ts_value, 0x0102'0304u);
  EXPECT_EQ(parsed.segment.ts_echo, 0x0506'0708u);
}

TEST(Segment, ReadsUpToFourRangesOfSack) {
  for (std::uint8_t n = 1; n <= 4; ++n) {
    const Parsed parsed(segment_bytes(kAck, option(5, static_cast<std::uint8_t>(2 + 8 * n), 8u * n)));
    ASSERT_EQ(parsed.segment.sacks, n);
    for (std::uint8_t i = 0; i < n; ++i) {
      const std::uint32_t first = 8u * i + 1;
      const std::uint32_t begin = first << 24 | (first + 1) << 16 | (first + 2) << 8 | (first + 3);
      EXPECT_EQ(parsed.segment.sack[i], (Range{begin, begin + 0x0404'0404u}));
    }
  }
}

TEST(Segment, AWindowShiftAbove14CountsAs14) {
  for (unsigned shift = 0; shift < 256; ++shift) {
    const Parsed parsed(segment_bytes(kSyn, {3, 3, static_cast<std::uint8_t>(shift)}));
    EXPECT_EQ(parsed.segment.shift, std::min(shift, 14u));
  }
}

TEST(Segment, WhatBelongsToASynIsNotReadOutOfOtherSegments) {
  Bytes options = option(2, 4, 2);
  test::put(options, option(3, 3, 1));
  test::put(options, option(4, 2, 0));
  const Parsed parsed(segment_bytes(kAck, options));
  EXPECT_EQ(parsed.segment.mss, 0);
  EXPECT_EQ(parsed.segment.shift, kNoShift);
  EXPECT_FALSE(parsed.segment.sack_permitted);
}

TEST(Segment, AKnownOptionOfAnotherLengthThanItsOwnIsPassedOver) {
  for (const int known : {2, 3, 4, 5, 8}) {
    const auto kind = static_cast<std::uint8_t>(known);
    for (std::uint8_t length = 2; length <= 36; ++length) {
      const bool right = (kind == 2 && length == 4) || (kind == 3 && length == 3) || (kind == 4 && length == 2) ||
                         (kind == 8 && length == 10) || (kind == 5 && length > 2 && (length - 2) % 8 == 0);
      Bytes options = option(kind, length, length - 2u);
      test::put(options, Bytes{4, 2});  // something right behind it
      const Segment segment = Parsed(segment_bytes(kSyn, options)).segment;
      EXPECT_TRUE(segment.sack_permitted) << unsigned{kind} << " " << unsigned{length};
      const bool read = segment.mss != 0 || segment.shift != kNoShift || segment.sacks > 0 || segment.has_timestamps;
      EXPECT_EQ(read, right && kind != 4) << unsigned{kind} << " " << unsigned{length};
    }
  }
}

TEST(Segment, AnOptionOfALengthThatCannotBeEndsThemAll) {
  for (unsigned kind = 2; kind < 256; ++kind) {
    for (unsigned length = 0; length < 256; ++length) {
      Bytes options{1, 1, static_cast<std::uint8_t>(kind), static_cast<std::uint8_t>(length)};
      options.resize(40 - 2, 1);
      test::put(options, Bytes{4, 2});
      const Segment segment = Parsed(segment_bytes(kSyn, options)).segment;
      const bool whole = length >= 2 && length <= 36;  // and what is behind it is read
      ASSERT_EQ(segment.sack_permitted, whole || (kind == 4 && length == 2)) << kind << " " << length;
    }
  }
  // A kind as the very last byte has no length.
  Bytes options(39, 1);
  options.push_back(8);
  EXPECT_FALSE(Parsed(segment_bytes(kAck, options)).segment.has_timestamps);
}

TEST(Segment, TheEndOfOptionsEndsThem) {
  EXPECT_FALSE(Parsed(segment_bytes(kSyn, {0, 0, 4, 2})).segment.sack_permitted);
  EXPECT_TRUE(Parsed(segment_bytes(kSyn, {4, 2, 0, 0})).segment.sack_permitted);
}

TEST(Segment, TimestampsInTheirUsualPlaceAreReadAsInAnyOther) {
  std::mt19937_64 random(test::seed());
  for (int i = 0; i < 1'000; ++i) {
    Bytes body(8);
    for (std::uint8_t& byte : body) byte = static_cast<std::uint8_t>(random());
    Bytes usual{1, 1, 8, 10};
    Bytes other{8, 10};
    test::put(usual, body);
    test::put(other, body);
    test::put(other, Bytes{1, 1});
    const Parsed fast(segment_bytes(kAck, usual, {9}));
    const Parsed slow(segment_bytes(kAck, other, {9}));
    Segment slowest{};
    read_options(usual, slowest);
    for (const Segment* segment : {&fast.segment, &slow.segment, static_cast<const Segment*>(&slowest)}) {
      ASSERT_TRUE(segment->has_timestamps);
      ASSERT_EQ(segment->ts_value, fast.segment.ts_value);
      ASSERT_EQ(segment->ts_echo, fast.segment.ts_echo);
    }
    ASSERT_EQ(fast.segment.ts_value, std::uint32_t{body[0]} << 24 | body[1] << 16 | body[2] << 8 | body[3]);
  }
}

TEST(Segment, NothingOfTheSegmentBeforeIsLeft) {
  const Bytes full = [] {
    Bytes options = option(2, 4, 2);
    test::put(options, Bytes{3, 3, 7, 4, 2});
    test::put(options, option(8, 10, 8));
    test::put(options, option(5, 10, 8));
    return segment_bytes(kSyn, options);
  }();
  for (const Bytes& next :
       {segment_bytes(kAck, {}), segment_bytes(kAck, {1, 1, 1, 1}), segment_bytes(kSyn, {0, 0, 0, 0})}) {
    Segment segment{};
    ASSERT_EQ(parse_segment({full.data(), full.size()}, kSource, kDestination, true, segment), kNoTcpDrop);
    ASSERT_EQ(segment.sacks, 1);
    ASSERT_EQ(parse_segment({next.data(), next.size()}, kSource, kDestination, true, segment), kNoTcpDrop);
    EXPECT_FALSE(segment.has_timestamps || segment.sack_permitted);
    EXPECT_EQ(segment.sacks, 0);
    EXPECT_EQ(segment.mss, 0);
    EXPECT_EQ(segment.shift, kNoShift);
  }
}

TEST(Segment, NeverReadsBeyondWhateverTheBytesAre) {
  std::mt19937_64 random(test::seed());
  for (int i = 0; i < 200'000; ++i) {
    Bytes bytes(random() % 80);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random() % 4 == 0 ? random() : random() % 12);
    if (bytes.size() > 13) bytes[12] = static_cast<std::uint8_t>((5 + random() % 11) << 4);
    const Parsed parsed(bytes);
    if (parsed.drop != kNoTcpDrop) continue;
    const wire::Bytes payload = parsed.segment.payload;
    ASSERT_EQ(payload.data() + payload.size(), parsed.exact.get() + bytes.size());
    ASSERT_LE(parsed.segment.sacks, kMaxSackRanges);
  }
}

}  // namespace
}  // namespace crosswire::tcp::segment_test
