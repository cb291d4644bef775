// A send half that was without its core: what its peer has said meanwhile is heard before a timer says that it is late.
#include <gtest/gtest.h>

#include "netstack/tcp/echo_service.hpp"
#include "netstack/tcp/segment_template.hpp"
#include "tests/netstack/tcp/station.hpp"

namespace crosswire::standstill_test {
namespace {

constexpr std::uint16_t kPort = 7;
constexpr TimeNs kMs = 1'000'000;

struct Standstill : ::testing::Test {
  Standstill() {
    service.write_to(station.send());
    // A round trip of 50 us, then an answer of one byte that is under way.
    station.inject(segment(1000, 0, tcp::kSyn, 0));
    first = number_sent();
    station.set_now(50'000);
    station.inject(segment(1001, first + 1, tcp::kAck, 0));
    station.inject(segment(1001, first + 1, tcp::kAck, 1));
    station.take_frames();
  }

  static tcp::TcpConfig config() {
    tcp::TcpConfig tcp;
    tcp.connections = 4;
    tcp.ports = {kPort};
    tcp.standstill_ns = kMs;
    return tcp;
  }

  FrameBytes segment(std::uint32_t sequence, std::uint32_t acknowledgement, std::uint8_t flags,
                     std::size_t bytes) const {
    FrameBytes frame(kMaxFrame);
    const tcp::Remote to{station.net().address, kPort, 0, station.net().mac};
    const tcp::SegmentTemplate header(peer, 40'000, to);
    frame.resize(header.finish(frame.data(), {sequence, acknowledgement, 65'535, flags}, 0, bytes));
    return frame;
  }

  std::uint32_t number_sent() {
    wire::be32 number;
    std::memcpy(&number, station.take_frames().at(0).bytes.data() + kEthernetBytes + kIpv4Bytes + 4, sizeof number);
    return number.value();
  }

  std::uint64_t timeouts() {
    using enum tcp::TcpSendCounter;
    return station.send().counters().get(tcp_timeouts) + station.send().counters().get(tcp_probes_of_tail);
  }

  NetConfig peer = test::station_config(2);
  Arena arena{tcp::EchoService::bytes_for(config()) + 4096, HugepagePolicy::off};
  tcp::EchoService service{arena, config(), tcp::EchoService::Mode::echo};
  test::TcpStation station{config(), test::station_config(1), service, service};
  std::uint32_t first = 0;
};

TEST_F(Standstill, WhatWasSaidInItIsHeardBeforeATimerExpires) {
  station.set_now(500 * kMs);
  station.settle();
  EXPECT_EQ(timeouts(), 0u);
  station.inject(segment(1002, first + 2, tcp::kAck, 0));
  for (TimeNs ms = 1; ms < 10; ++ms) {
    station.set_now((500 + ms) * kMs);
    station.settle();
  }
  EXPECT_EQ(timeouts(), 0u);
  EXPECT_TRUE(station.take_frames().empty());
}

TEST_F(Standstill, TimersExpireBehindIt) {
  station.set_now(500 * kMs);
  station.settle();
  station.set_now(501 * kMs);
  station.settle();
  EXPECT_EQ(timeouts(), 1u);
  EXPECT_EQ(station.take_frames().size(), 1u);
}

TEST_F(Standstill, TimersExpireForWhoIsAlwaysLate) {
  for (TimeNs ms = 500; ms <= 504; ms += 2) {
    station.set_now(ms * kMs);
    station.settle();
  }
  EXPECT_GE(timeouts(), 1u);
}

}  // namespace
}  // namespace crosswire::standstill_test
