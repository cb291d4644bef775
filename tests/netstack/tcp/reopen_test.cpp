// A peer that opens its connection anew right behind the RST that has ended it, both in one burst.
#include <gtest/gtest.h>

#include "netstack/tcp/echo_service.hpp"
#include "netstack/tcp/segment_template.hpp"
#include "tests/netstack/tcp/station.hpp"

namespace crosswire::reopen_test {
namespace {

constexpr std::uint16_t kPort = 7;

struct Reopening : ::testing::Test {
  Reopening() { service.write_to(station.send()); }

  static tcp::TcpConfig config() {
    tcp::TcpConfig tcp;
    tcp.connections = 4;
    tcp.ports = {kPort};
    return tcp;
  }

  FrameBytes segment(std::uint32_t sequence, std::uint32_t acknowledgement, std::uint8_t flags) const {
    FrameBytes frame(kMaxFrame);
    const tcp::Remote to{station.net().address, kPort, 0, station.net().mac};
    const tcp::SegmentTemplate header(peer, 40'000, to);
    frame.resize(header.finish(frame.data(), {sequence, acknowledgement, 65'535, flags}, 0, 0));
    return frame;
  }

  /// The number of the last segment that the station sent, if it has these flags.
  std::uint32_t number_sent(std::uint8_t flags) {
    const std::vector<test::TcpStation::Frame> frames = station.take_frames();
    if (frames.empty() || frames.back().bytes[kEthernetBytes + kIpv4Bytes + 13] != flags) return 0;
    wire::be32 number;
    std::memcpy(&number, frames.back().bytes.data() + kEthernetBytes + kIpv4Bytes + 4, sizeof number);
    return number.value();
  }

  std::uint64_t received(tcp::TcpReceiveCounter counter) { return station.receive().counters().get(counter); }

  NetConfig peer = test::station_config(2);
  Arena arena{tcp::EchoService::bytes_for(config()) + 4096, HugepagePolicy::off};
  tcp::EchoService service{arena, config(), tcp::EchoService::Mode::echo};
  test::TcpStation station{config(), test::station_config(1), service, service};
};

TEST_F(Reopening, ASynBehindTheRstOfItsLastConnectionIsAnsweredAtOnce) {
  station.inject(segment(1000, 0, tcp::kSyn));
  const std::uint32_t first = number_sent(tcp::kSyn | tcp::kAck);
  ASSERT_NE(first, 0u);
  station.inject(segment(1001, first + 1, tcp::kAck));
  ASSERT_EQ(service.connections(), 1u);

  std::vector<FrameBytes> burst;
  burst.push_back(segment(1001, 0, tcp::kRst));
  burst.push_back(segment(500, 0, tcp::kSyn));
  station.inject_burst(std::move(burst));
  const std::uint32_t second = number_sent(tcp::kSyn | tcp::kAck);
  ASSERT_NE(second, 0u);
  EXPECT_GT(second - first, 65'536u);
  station.inject(segment(501, second + 1, tcp::kAck));
  EXPECT_EQ(service.connections(), 2u);
  EXPECT_EQ(received(tcp::TcpReceiveCounter::tcp_opened), 2u);
  EXPECT_EQ(received(tcp::TcpReceiveCounter::tcp_dead), 0u);
}

TEST_F(Reopening, WhatElseFollowsARstIsDropped) {
  station.inject(segment(1000, 0, tcp::kSyn));
  const std::uint32_t first = number_sent(tcp::kSyn | tcp::kAck);
  station.inject(segment(1001, first + 1, tcp::kAck));
  std::vector<FrameBytes> burst;
  burst.push_back(segment(1001, 0, tcp::kRst));
  burst.push_back(segment(1001, first + 1, tcp::kAck));
  station.inject_burst(std::move(burst));
  EXPECT_TRUE(station.take_frames().empty());
  EXPECT_EQ(received(tcp::TcpReceiveCounter::tcp_dead), 1u);
}

}  // namespace
}  // namespace crosswire::reopen_test
