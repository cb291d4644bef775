// What a peer, or a stranger in its name, might do to keep a place, to have a stream stand still, or to learn what is
// not told: each once worked.
#include <gtest/gtest.h>

#include <string>

#include "netstack/tcp/echo_service.hpp"
#include "netstack/tcp/segment_template.hpp"
#include "tests/netstack/tcp/station.hpp"

namespace crosswire::grudges_test {
namespace {

using tcp::kAck, tcp::kFin, tcp::kPsh, tcp::kRst, tcp::kSyn;
using State = tcp::SendHalf::State;
using Options = std::vector<std::uint8_t>;

constexpr std::uint16_t kPort = 7;
constexpr TimeNs kHour = 3600 * kNsPerSecond;

/// Notes what it is told.
class Notes final : public tcp::StreamReader, public tcp::StreamWriter {
 public:
  void opened(tcp::ConnectionId id, const tcp::Remote&, std::uint16_t) override {
    last = id;
    ++opened_n;
  }
  Taken take(tcp::ConnectionId, wire::Bytes bytes) override {
    read += bytes.size();
    return {bytes.size(), tcp::kNoNumber};
  }
  void finished(tcp::ConnectionId) override { ++finished_n; }
  void gone(tcp::ConnectionId, tcp::EndReason) override { ++gone_n; }
  void ready(tcp::ConnectionId id) override { last = id; }
  void copy(tcp::ConnectionId, std::uint64_t, std::span<std::uint8_t> to) override {
    std::fill(to.begin(), to.end(), std::uint8_t{0});
  }
  void acknowledged(tcp::ConnectionId, std::uint64_t) override {}
  void heard(tcp::ConnectionId) override {}
  void finished_by_peer(tcp::ConnectionId) override {}
  void closed(tcp::ConnectionId, tcp::EndReason) override { ++closed_n; }

  tcp::ConnectionId last{};
  std::uint64_t read = 0;
  unsigned opened_n = 0, finished_n = 0, gone_n = 0, closed_n = 0;
};

struct Peer {
  FrameBytes segment(std::uint32_t sequence, std::uint32_t ack, std::uint8_t flags, std::uint16_t window = 65'535,
                     std::size_t bytes = 0, const Options& options = {}) const {
    FrameBytes frame(kMaxFrame);
    const NetConfig us = test::station_config(1);
    const tcp::SegmentTemplate header(net, port, {us.address, theirs, 0, us.mac});
    std::copy(options.begin(), options.end(), frame.begin() + static_cast<std::ptrdiff_t>(header.options_offset()));
    frame.resize(header.finish(frame.data(), {sequence, ack, window, flags}, options.size(), options.size() + bytes));
    return frame;
  }

  NetConfig net = test::station_config(2);
  std::uint16_t port = 40'000;
  std::uint16_t theirs = kPort;
};

struct Seen {
  std::uint32_t sequence;
  std::uint32_t ack;
  std::uint8_t flags;
  std::size_t options;
  std::size_t bytes;
};

class Grudges : public ::testing::Test {
 public:
  static tcp::TcpConfig usual() {
    tcp::TcpConfig tcp;
    tcp.connections = 8;
    tcp.opened_by_us = 2;
    tcp.ports = {kPort};
    tcp.secret = {1, 2};
    return tcp;
  }
  void start(const tcp::TcpConfig& config) {
    notes = {};
    station.emplace(config, test::station_config(1), notes, notes);
    station->set_now(10 * kHour);
  }

  void after(TimeNs span) { station->advance_to(station->now() + span); }
  std::vector<Seen> seen() {
    std::vector<Seen> all;
    for (const test::TcpStation::Frame& frame : station->take_frames()) {
      if (frame.bytes[12] != 8 || frame.bytes[13] != 0) continue;
      const std::uint8_t* const tcp = frame.bytes.data() + kEthernetBytes + kIpv4Bytes;
      const auto& header = *reinterpret_cast<const tcp::Header*>(tcp);
      const std::size_t options = (header.data_offset >> 4) * std::size_t{4} - tcp::kTcpHeaderBytes;
      const std::size_t total = static_cast<std::size_t>(frame.bytes[16] << 8 | frame.bytes[17]);
      all.push_back({header.sequence, header.acknowledgement, header.flags, options,
                     total - kIpv4Bytes - tcp::kTcpHeaderBytes - options});
    }
    return all;
  }
  /// A connection of the peer's; returns our initial number. The peer's is 1000.
  std::uint32_t open(const Peer& from, std::uint16_t window = 65'535, const Options& options = {}) {
    station->inject(from.segment(1000, 0, kSyn, window, 0, options));
    const std::uint32_t iss = seen().at(0).sequence;
    station->inject(from.segment(1001, iss + 1, kAck, window));
    seen();
    return iss;
  }
  State state() { return station->send().state(notes.last); }
  std::size_t connections() { return station->receive().connections(); }

  Grudges() { start(usual()); }

  Notes notes;
  std::optional<test::TcpStation> station;
  Peer peer;
};

TEST_F(Grudges, AFinAcknowledgedWithAShutWindowEndsInTimeAllTheSame) {
  const std::uint32_t iss = open(peer);
  station->send().close(notes.last);
  station->settle();
  station->inject(peer.segment(1001, iss + 2, kAck, 0));
  EXPECT_EQ(state(), State::fin_wait_2);
  after(kHour);
  EXPECT_EQ(connections(), 0u);
}

TEST_F(Grudges, AWindowThatOpensAndShutsDoesNotPutOffTheEndOfAClosedConnection) {
  const std::uint32_t iss = open(peer);
  station->send().close(notes.last);
  station->settle();
  for (std::uint16_t i = 0; i < 10; ++i) {
    station->inject(peer.segment(1001, iss + 2, kAck, i & 1));
    after(25 * kNsPerSecond);
  }
  EXPECT_EQ(connections(), 0u);
}

TEST_F(Grudges, CloseHasALimitWhileAPeerTakesNothing) {
  const std::uint32_t iss = open(peer, 0);
  station->send().extend(notes.last, 100);
  station->send().close(notes.last);
  station->settle();
  for (unsigned i = 0; i < 200 && connections() > 0; ++i) {
    after(kNsPerSecond);
    if (!seen().empty()) station->inject(peer.segment(1001, iss + 1, kAck, 0));
  }
  EXPECT_EQ(connections(), 0u);
}

TEST_F(Grudges, AnAnswerToASynThatWasGivenUpLeavesNoPlaceBehind) {
  peer.port = 9;
  peer.theirs = 50'000;
  const auto id = station->send().connect({peer.net.address, 9, 0, peer.net.mac}, 50'000);
  ASSERT_TRUE(id);
  station->settle();
  const std::uint32_t iss = seen().at(0).sequence;
  // The receive half takes the answer before the send half gives up, and tells of it behind that.
  station->receive().take_signals();
  const FrameBytes answer = peer.segment(5000, iss + 1, kSyn | kAck);
  station->receive().take({peer.net.mac, 0, peer.net.address},
                          wire::Bytes(answer).subspan(kEthernetBytes + kIpv4Bytes, tcp::kTcpHeaderBytes), true,
                          station->now());
  station->receive().end_burst();
  station->send().abort(*id);
  station->settle();
  after(kHour);
  EXPECT_EQ(connections(), 0u);
  EXPECT_EQ(notes.closed_n, 1u);
  EXPECT_EQ(notes.opened_n, notes.gone_n);
  EXPECT_TRUE(station->send().connect({peer.net.address, 9, 0, peer.net.mac}, 50'000)) << "its place is free again";
}

TEST_F(Grudges, ABareSynBehindTheEndOfOursIsNoConnection) {
  peer.port = 9;
  peer.theirs = 50'000;
  const auto id = station->send().connect({peer.net.address, 9, 0, peer.net.mac}, 50'000);
  station->settle();
  station->receive().take_signals();
  station->send().abort(*id);
  station->send().poll(station->now());
  const FrameBytes syn = peer.segment(5000, 0, kSyn);
  station->receive().take({peer.net.mac, 0, peer.net.address},
                          wire::Bytes(syn).subspan(kEthernetBytes + kIpv4Bytes, tcp::kTcpHeaderBytes), true,
                          station->now());
  station->receive().end_burst();
  station->settle();
  after(60 * kNsPerSecond);
  EXPECT_EQ(connections(), 0u);
  EXPECT_EQ(station->send().state(*id), State::unused);
}

TEST_F(Grudges, NothingIsOpenedFromAPortWherePeersConnect) {
  peer.port = 9;
  open(peer);
  EXPECT_FALSE(station->send().connect({peer.net.address, 9, 0, peer.net.mac}, kPort));
}

TEST_F(Grudges, OneProbeThatIsLostDoesNotMakeALivePeerSilent) {
  const std::uint32_t iss = open(peer, 0);
  station->send().extend(notes.last, 100);
  station->settle();
  bool lost = false;
  for (unsigned i = 0; i < 400; ++i) {
    after(kNsPerSecond);
    if (seen().empty()) continue;
    if (i > 120 && !lost) {
      lost = true;
      continue;
    }
    station->inject(peer.segment(1001, iss + 1, kAck, 0));
    seen();
  }
  EXPECT_TRUE(lost);
  EXPECT_EQ(connections(), 1u);
}

TEST_F(Grudges, ASynThatComesAgainWithItsAcknowledgementDrawsNoSynFromAConnection) {
  station->inject(peer.segment(1000, 0, kSyn));
  const std::uint32_t iss = seen().at(0).sequence;
  std::vector<FrameBytes> burst;
  burst.push_back(peer.segment(1000, 0, kSyn));
  burst.push_back(peer.segment(1001, iss + 1, kAck));
  station->inject_burst(std::move(burst));
  EXPECT_EQ(state(), State::established);
  for (const Seen& segment : seen()) EXPECT_EQ(segment.flags & kSyn, 0);
}

TEST_F(Grudges, RangesCountAgainstThePeersSegmentSize) {
  constexpr std::size_t kMss = 536;
  const std::uint32_t iss = open(peer, 65'535, {2, 4, kMss >> 8, kMss & 255, 1, 1, 4, 2});
  for (const std::uint32_t at : {1101u, 1301u, 1501u}) station->inject(peer.segment(at, iss + 1, kAck, 65'535, 50));
  seen();
  station->send().extend(notes.last, 1000);
  station->settle();
  const std::vector<Seen> sent = seen();
  ASSERT_FALSE(sent.empty());
  for (const Seen& segment : sent) EXPECT_LE(segment.options + segment.bytes, kMss);
}

TEST_F(Grudges, ACookieOpensOnce) {
  tcp::TcpConfig config = usual();
  config.backlog = 0;
  start(config);
  station->inject(peer.segment(1000, 0, kSyn));
  const std::uint32_t iss = seen().at(0).sequence;
  const FrameBytes first = peer.segment(1001, iss + 1, kAck | kPsh, 65'535, 100);
  station->inject(first);
  EXPECT_EQ(notes.read, 100u);
  station->inject(peer.segment(1101, iss + 1, kAck | kFin));
  station->send().finish(notes.last);
  station->settle();
  station->inject(peer.segment(1102, iss + 2, kAck));
  EXPECT_EQ(connections(), 0u);
  seen();
  station->inject(first);
  EXPECT_EQ(notes.read, 100u);
  EXPECT_EQ(connections(), 0u);
}

TEST_F(Grudges, ResetsThatAreLeftDoNotTellWhichConnectionsLive) {
  // A hundred forged segments: were the budget fixed, a dead connection would show by a hundred resets fewer.
  unsigned answered[2];
  for (const bool live : {false, true}) {
    start(usual());
    Peer victim;
    victim.port = 41'234;
    if (live) open(victim);
    for (unsigned i = 0; i < 100; ++i) station->inject(victim.segment(777, 777, kAck));
    seen();
    Peer stranger;
    stranger.net = test::station_config(3);
    stranger.theirs = 9;
    for (unsigned i = 0; i < 2000; ++i) station->inject(stranger.segment(1, 0, kSyn));
    answered[live] = static_cast<unsigned>(seen().size());
    EXPECT_GE(answered[live], 400u);
    EXPECT_LE(answered[live], 1500u);
    EXPECT_NE(answered[live], live ? 1000u : 900u);
  }
}

TEST_F(Grudges, AStrangersSynsDoNotKeepADeadPeersConnection) {
  open(peer);
  station->send().extend(notes.last, 100);
  station->settle();
  for (std::uint32_t i = 0; i < 20; ++i) {
    after(5 * kNsPerSecond);
    station->inject(peer.segment(i * 77'777'777u, 0, kSyn));
  }
  EXPECT_EQ(notes.closed_n, 1u);
}

TEST_F(Grudges, APlaceInTimeWaitIsOpenedAnewWhateverTheBacklog) {
  tcp::TcpConfig config = usual();
  config.backlog = 1;
  start(config);
  const std::uint32_t iss = open(peer);
  station->send().finish(notes.last);
  station->settle();
  station->inject(peer.segment(1001, iss + 2, kAck | kFin));
  EXPECT_EQ(state(), State::time_wait);
  Peer other;
  other.net = test::station_config(9);
  station->inject(other.segment(1, 0, kSyn));
  seen();
  station->inject(peer.segment(500'000, 0, kSyn));
  const std::vector<Seen> answers = seen();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].flags, kSyn | kAck);
}

TEST_F(Grudges, AFinBelowWhatHasComeIsNone) {
  const std::uint32_t iss = open(peer);
  station->inject(peer.segment(1101, iss + 1, kAck, 65'535, 200));
  station->inject(peer.segment(1151, iss + 1, kAck | kFin));
  station->inject(peer.segment(1001, iss + 1, kAck, 65'535, 100));
  EXPECT_EQ(notes.read, 300u);
  EXPECT_EQ(notes.finished_n, 0u);
  station->inject(peer.segment(1301, iss + 1, kAck | kFin));
  EXPECT_EQ(notes.finished_n, 1u);
}

TEST(Echo, BytesThatTheReaderTakesLateAreSentBackToo) {
  tcp::TcpConfig config = Grudges::usual();
  Arena arena(tcp::EchoService::bytes_for(config, 4096) + 4096, HugepagePolicy::off);
  tcp::EchoService service(arena, config, tcp::EchoService::Mode::echo, 4096);
  test::TcpStation station(config, test::station_config(1), service, service);
  service.write_to(station.send());
  station.set_now(10 * kHour);
  Peer peer;
  station.inject(peer.segment(1000, 0, kSyn));
  const auto iss = [&] {
    wire::be32 number;
    std::memcpy(&number, station.take_frames().at(0).bytes.data() + kEthernetBytes + kIpv4Bytes + 4, sizeof number);
    return number.value();
  }();
  station.inject(peer.segment(1001, iss + 1, kAck));
  // Its ring is full, and 100 bytes wait behind it: too few to open the window.
  for (std::uint32_t at = 0; at < 4096 + 100; at += 1049) {
    station.inject(peer.segment(1001 + at, iss + 1, kAck, 65'535, std::min<std::uint32_t>(1049, 4196 - at)));
  }
  EXPECT_EQ(service.bytes(), 4096u);
  station.inject(peer.segment(1001 + 4196, iss + 1 + 4096, kAck));
  station.advance_to(station.now() + kNsPerSecond);
  EXPECT_EQ(service.bytes(), 4196u);
  const auto id = station.send().find(peer.net.address, peer.port, kPort);
  ASSERT_TRUE(id);
  EXPECT_EQ(station.send().offered(*id), 4196u);
}

}  // namespace
}  // namespace crosswire::grudges_test
