// What the receive half makes of the segments of one burst: those that follow each other at a connection are one
// signal, and what is odd among them is told as if it had come alone.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

#include "netstack/tcp/receive_half.hpp"
#include "netstack/tcp/segment_template.hpp"
#include "tests/netstack/tcp/station.hpp"

namespace crosswire::burst_test {
namespace {

using tcp::kAck, tcp::kSyn;

constexpr std::uint16_t kPort = 26'400;
constexpr std::uint32_t kPeerIss = 5000;

class Reader final : public tcp::StreamReader {
 public:
  void opened(tcp::ConnectionId, const tcp::Remote&, std::uint16_t) override {}
  Taken take(tcp::ConnectionId, wire::Bytes bytes) override {
    read += bytes.size();
    return {bytes.size(), tcp::kNoNumber};
  }
  void finished(tcp::ConnectionId) override {}
  void gone(tcp::ConnectionId, tcp::EndReason) override {}

  std::uint64_t read = 0;
};

/// The receive half with one connection, of which the send half has said that 100,000 bytes are under way.
class TcpBurst : public testing::Test {
 protected:
  static constexpr std::uint32_t kUnderWay = 100'000;
  static constexpr std::uint64_t kOfTheHandshake = 1;  // acknowledgement

  void SetUp() override {
    take(segment(kSyn, kPeerIss, 0, 1));
    const tcp::ToSend opening = told().at(0);
    iss = opening.opening.iss;
    take(segment(kAck, kPeerIss + 1, iss + 1, 1));
    told();
    ASSERT_TRUE(signals.to_receive.push({tcp::ToReceiveKind::sent, tcp::EndReason::none, opening.connection,
                                         iss + 1 + kUnderWay, peer.address, 40'000, kPort, opening.opening.turn}));
    receive.take_signals();
  }

  /// `tick`: of the timestamp; its echo is 1000 more.
  std::vector<std::uint8_t> segment(std::uint8_t flags, std::uint32_t sequence, std::uint32_t ack, std::uint32_t tick,
                                    std::size_t payload = 0, std::uint16_t window = 0xFFFF) const {
    const tcp::SegmentTemplate header(peer, 40'000, {us.address, kPort, 0, us.mac});
    std::array<std::uint8_t, kMaxFrame> frame{};
    const std::array<std::uint32_t, 3> options{(flags & kSyn) != 0 ? 0x0402'080Au : 0x0101'080Au, tick, tick + 1000};
    std::size_t at = header.options_offset();
    for (const std::uint32_t word : options) {
      const std::uint32_t swapped = __builtin_bswap32(word);
      std::memcpy(frame.data() + at, &swapped, sizeof swapped);
      at += sizeof swapped;
    }
    header.finish(frame.data(), {sequence, ack, window, flags}, 12, 12 + payload);
    const auto* begin = frame.data() + kEthernetBytes + kIpv4Bytes;
    return {begin, begin + tcp::kTcpHeaderBytes + 12 + payload};
  }
  /// The next acknowledgement, of all before the `n`-th byte.
  std::vector<std::uint8_t> ack_of(std::uint32_t n, std::uint16_t window = 0xFFFF) const {
    return segment(kAck, kPeerIss + 1 + sent, iss + 1 + n, 2 + n, 0, window);
  }
  void take(const std::vector<std::uint8_t>& bytes) {
    ASSERT_TRUE(receive.take({peer.mac, 0, peer.address}, bytes, false, 0));
  }
  /// All that was told, behind the burst.
  std::vector<tcp::ToSend> told() {
    receive.end_burst();
    std::vector<tcp::ToSend> all;
    for (; const tcp::ToSend* one = signals.to_send.front(); signals.to_send.drop_front()) all.push_back(*one);
    return all;
  }
  std::uint64_t count(tcp::TcpReceiveCounter counter) const { return receive.counters().get(counter); }

  static tcp::TcpConfig config() {
    tcp::TcpConfig made;
    made.connections = 4;
    made.ports = {kPort};
    made.secret = {1, 2};
    return made;
  }

  tcp::TcpConfig tcp_config = config();
  NetConfig us = test::station_config(1), peer = test::station_config(2);
  Reader reader;
  Arena arena{tcp::Signals::bytes_for() + tcp::ReceiveHalf::bytes_for(tcp_config) + 4096, HugepagePolicy::off};
  tcp::Signals signals{arena};
  tcp::ReceiveHalf receive{tcp_config, us.address, signals, reader, arena};
  std::uint32_t iss = 0;
  std::uint32_t sent = 0;  // by the peer
};

TEST_F(TcpBurst, AcknowledgementsInARowAreOneSignal) {
  for (std::uint32_t n = 1; n <= 100; ++n) take(ack_of(n * 10));
  const auto all = told();
  ASSERT_EQ(all.size(), 1u);
  ASSERT_EQ(all[0].kind, tcp::ToSendKind::segment);
  const tcp::SegmentSignal& signal = all[0].segment;
  EXPECT_EQ(signal.segments, 100);
  EXPECT_EQ(signal.ack, iss + 1 + 1000);
  EXPECT_EQ(signal.ts_recent, 2u + 1000);
  EXPECT_EQ(signal.ts_echo, 2u + 10 + 1000) << "the first that acknowledges says what was answered";
  EXPECT_EQ(signal.bits, tcp::kTakesAck | tcp::kEchoes);
  EXPECT_EQ(signal.sacks, 0);
  EXPECT_EQ(signal.covers, tcp::kNoNumber);
  EXPECT_EQ(count(tcp::TcpReceiveCounter::tcp_acks), kOfTheHandshake + 100);
}

TEST_F(TcpBurst, MoreThanASignalCanCountAreSeveral) {
  for (std::uint32_t n = 1; n <= 1000; ++n) take(ack_of(n));
  unsigned segments = 0;
  std::uint32_t ack = iss + 1;
  for (const tcp::ToSend& one : told()) {
    ASSERT_EQ(one.kind, tcp::ToSendKind::segment);
    EXPECT_TRUE(tcp::before(ack, one.segment.ack));
    segments += one.segment.segments;
    ack = one.segment.ack;
  }
  EXPECT_EQ(segments, 1000u);
  EXPECT_EQ(ack, iss + 1 + 1000);
}

TEST_F(TcpBurst, WhatIsWrongAmongThemIsNotTaken) {
  take(ack_of(10));
  take(ack_of(20));
  for (std::size_t at = 0; at < 32; ++at) {
    std::vector<std::uint8_t> bad = ack_of(30);
    bad[at] ^= 0x40;
    take(bad);
  }
  EXPECT_EQ(count(tcp::TcpReceiveCounter::tcp_checksum) + count(tcp::TcpReceiveCounter::tcp_data_offset), 32u);
  take(ack_of(kUnderWay + 1));
  EXPECT_EQ(count(tcp::TcpReceiveCounter::tcp_ack_invalid), 1u);
  take(segment(kAck, kPeerIss + 1, iss + 31, 5));
  EXPECT_EQ(count(tcp::TcpReceiveCounter::tcp_old_timestamp), 1u);
  for (const tcp::ToSend& one : told()) EXPECT_EQ(one.segment.ack, iss + 1 + 20);
  take(ack_of(40));
  EXPECT_EQ(told().at(0).segment.ack, iss + 1 + 40);
}

TEST_F(TcpBurst, OneThatRepeatsTheLastIsToldAlone) {
  take(ack_of(10));
  take(ack_of(20));
  take(ack_of(20));
  take(ack_of(20));
  take(ack_of(30));
  const auto all = told();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].segment.segments, 2);
  EXPECT_EQ(all[1].segment.bits, tcp::kRepeatsAck | tcp::kEchoes);
  EXPECT_EQ(all[2].segment.bits, tcp::kRepeatsAck | tcp::kEchoes);
  EXPECT_EQ(all[3].segment.ack, iss + 1 + 30);
}

TEST_F(TcpBurst, OneFromAnotherStationIsToldAsMoved) {
  take(ack_of(10));
  take(ack_of(20));
  MacAddress other = peer.mac;
  other[5] ^= 1;
  ASSERT_TRUE(receive.take({other, 0, peer.address}, ack_of(30), false, 0));
  take(ack_of(40));
  const auto all = told();
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0].segment.ack, iss + 1 + 20) << "what came before is told as it was";
  EXPECT_EQ(all[1].kind, tcp::ToSendKind::moved);
  EXPECT_EQ(all[1].remote.mac, other);
  EXPECT_EQ(all[2].segment.ack, iss + 1 + 30);
  EXPECT_EQ(all[3].remote.mac, peer.mac);
}

TEST_F(TcpBurst, DataAndWindowsAmongThemAreInTheSameSignal) {
  take(ack_of(10));
  take(ack_of(20));
  take(segment(kAck, kPeerIss + 1, iss + 1 + 30, 40, 50));
  sent = 50;
  take(ack_of(40));
  take(ack_of(50, 5000));
  take(ack_of(60, 5000));
  const auto all = told();
  ASSERT_EQ(all.size(), 1u);
  const tcp::SegmentSignal& signal = all[0].segment;
  EXPECT_EQ(signal.segments, 6);
  EXPECT_EQ(signal.bits, tcp::kTakesAck | tcp::kEchoes | tcp::kAckLater | tcp::kTakesWindow);
  EXPECT_EQ(signal.ack, iss + 1 + 60);
  EXPECT_EQ(signal.window, 5000u);
  EXPECT_EQ(signal.receive_next, kPeerIss + 1 + 50);
  EXPECT_EQ(signal.bytes, 50);
  EXPECT_EQ(reader.read, 50u);
}

TEST_F(TcpBurst, WhereThereIsNoRoomNothingHappens) {
  while (signals.to_send.has_room(tcp::ReceiveHalf::kMostSignals)) {
    signals.to_send.next() = {};
    signals.to_send.publish();
  }
  EXPECT_FALSE(receive.take({peer.mac, 0, peer.address}, ack_of(10), false, 0));
  EXPECT_EQ(count(tcp::TcpReceiveCounter::tcp_acks), kOfTheHandshake);
  told();
  take(ack_of(10));
  EXPECT_EQ(told().at(0).segment.ack, iss + 1 + 10);
}

}  // namespace
}  // namespace crosswire::burst_test
