// Which connections of a capture are SoupBinTCP sessions, and what is said in them in the order of time.
#include "app/flow/captured_streams.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/app/flow/tcp_capture.hpp"

namespace crosswire {
namespace {

using test::Buffer;
using test::Client;
using test::kExchange;
using test::login;
using test::order;
using test::packet;
using test::operator+=;
using Said = std::vector<std::string>;

class Streams {
 public:
  explicit Streams(std::optional<std::uint16_t> port = std::nullopt)
      : streams(port, [this](const StreamEvent& event) { note(event); }) {}

  void take(const Buffer& frame, TimeNs step_ns = 1'000'000) {
    TcpFrame tcp;
    ASSERT_EQ(read_tcp_frame(frame, tcp), FrameFate::taken);
    now_ns += step_ns;
    streams.take(tcp, {++number, now_ns});
  }
  const StreamReport& only() {
    streams.finish();
    EXPECT_EQ(streams.reports().size(), 1u);
    return streams.reports().at(0);
  }

  Said said;
  std::vector<std::uint64_t> frames;
  std::uint64_t number = 0;
  TimeNs now_ns = 0;
  CapturedStreams streams;

 private:
  void note(const StreamEvent& event) {
    frames.push_back(event.at.frame);
    switch (event.kind) {
      case StreamEvent::Kind::login:
        return said.push_back("login");
      case StreamEvent::Kind::message: {
        const auto* const order = wire::view_as<wire::ouch::EnterOrder>(event.bytes);
        return said.push_back(order == nullptr ? "message" : std::to_string(order->user_ref_num.value()));
      }
      case StreamEvent::Kind::logout:
        return said.push_back("logout");
      case StreamEvent::Kind::ended:
        return said.push_back("ended");
    }
  }
};

Client client_with(std::uint32_t orders, std::uint32_t first = 1) {
  Client client;
  client.stream = login("ALPHA");
  for (std::uint32_t i = 0; i < orders; ++i) client.stream += order(first + i);
  return client;
}

constexpr std::size_t kLogin = 49;
constexpr std::size_t kOrder = 50;

TEST(CapturedStreams, FollowASessionFromItsHandshakeToItsEnd) {
  const Client client = client_with(2);
  Streams streams;
  for (const Buffer& frame : {client.syn(), client.syn_ack(), client.all(), client.ack(149), client.fin()})
    streams.take(frame);
  EXPECT_EQ(streams.said, (Said{"login", "1", "2", "ended"}));
  const StreamReport& report = streams.only();
  EXPECT_EQ(report.beginning, StreamBeginning::handshake);
  EXPECT_EQ(report.client, client.client);
  EXPECT_EQ(report.exchange, kExchange);
  EXPECT_TRUE(report.acknowledgements);
  EXPECT_EQ(report.stream.missing, 0u);
}

TEST(CapturedStreams, KnowTheFirstByteByTheAnswerToTheSynAlone) {
  const Client client = client_with(2);
  Streams streams;
  streams.take(client.syn_ack());
  streams.take(client.data(kLogin, 149));  // the login is lost
  const StreamReport& report = streams.only();
  EXPECT_EQ(report.beginning, StreamBeginning::half_handshake);
  EXPECT_EQ(report.stream.missing, kLogin);
  EXPECT_EQ(streams.said, (Said{"1", "2"}));
}

TEST(CapturedStreams, BeginAtALoginWithoutAnyHandshake) {
  const Client client = client_with(1);
  Streams streams;
  streams.take(client.data(0, kLogin));
  streams.take(client.data(kLogin, 99));
  EXPECT_EQ(streams.only().beginning, StreamBeginning::login);
  EXPECT_EQ(streams.said, (Said{"login", "1"}));
}

TEST(CapturedStreams, BeginInTheMiddleWhereABoundaryIsCertain) {
  const Client client = client_with(3);
  Streams streams;
  streams.take(client.data(70, 99));   // the end of an order
  streams.take(client.data(99, 149));  // an order
  streams.take(client.data(149, 199));
  const StreamReport& report = streams.only();
  EXPECT_EQ(report.beginning, StreamBeginning::middle);
  EXPECT_EQ(streams.said, (Said{"2", "3"}));
  EXPECT_EQ(report.packets.skipped, 0u);  // whose connection was known only then

  Streams told(9001);
  told.take(client.data(70, 99));
  told.take(client.data(99, 149));
  EXPECT_EQ(told.only().packets.skipped, 29u);
  EXPECT_EQ(told.said, Said{"2"});
}

TEST(CapturedStreams, TakeAnotherSynForAnotherConnectionAndTheSameForTheSame) {
  const Client before = client_with(2);
  Client after = client_with(2, 7);
  after.isn = 0x9000'0000;
  Streams streams;
  for (const Buffer& frame : {before.syn(), before.data(0, 99), before.syn(), before.syn_ack(), before.data(99, 149)})
    streams.take(frame);
  for (const Buffer& frame : {after.syn(), after.all()}) streams.take(frame);
  streams.streams.finish();
  EXPECT_EQ(streams.said, (Said{"login", "1", "2", "login", "7", "8"}));
  EXPECT_EQ(streams.streams.reports().size(), 2u);
}

TEST(CapturedStreams, FindANewConnectionOfOldPortsWithoutItsSyn) {
  const Client before = client_with(1);
  Client after = client_with(1, 7);
  after.isn = 0x9000'0000;
  for (const bool closed : {true, false}) {
    Streams streams;
    streams.take(before.syn());
    streams.take(before.all());
    if (closed) streams.take(before.reset());
    streams.take(after.all());
    streams.streams.finish();
    EXPECT_EQ(streams.said, closed ? (Said{"login", "1", "ended", "login", "7"}) : (Said{"login", "1", "login", "7"}));
  }
}

TEST(CapturedStreams, GoOnWhereNumbersWrap) {
  Client client = client_with(4);
  client.isn = 0xFFFF'FFC0;
  Streams streams;
  streams.take(client.syn());
  for (const std::size_t at : {100u, 0u, 50u, 150u}) streams.take(client.data(at, std::min<std::size_t>(at + 50, 249)));
  streams.take(client.data(200, 249));
  EXPECT_EQ(streams.only().stream.missing, 0u);
  EXPECT_EQ(streams.said, (Said{"login", "1", "2", "3", "4"}));
}

TEST(CapturedStreams, LeaveOtherProtocolsAlone) {
  Client web;
  web.client.port = 50'000;
  web.stream = test::text("GET / HTTP/1.1\r\n\r\n");
  Streams streams;
  for (const Buffer& frame : {web.syn(), web.syn_ack(), web.all(), web.all(), web.fin()}) streams.take(frame);
  streams.take(web.other(500, Buffer(100, 'x')));
  streams.streams.finish();
  EXPECT_TRUE(streams.said.empty());
  EXPECT_TRUE(streams.streams.reports().empty());
}

TEST(CapturedStreams, HeedThePortThatTheyAreGiven) {
  const Client client = client_with(1);
  Streams other(9002);
  for (const Buffer& frame : {client.syn(), client.all()}) other.take(frame);
  other.streams.finish();
  EXPECT_TRUE(other.streams.reports().empty());
  EXPECT_EQ(other.streams.other_segments(), 2u);
}

TEST(CapturedStreams, TellWhatComesFirstFirstAlsoOfAConnectionThatWaits) {
  Client one = client_with(3);
  Client two = client_with(2, 7);
  two.client.port = 40'002;
  Streams streams;
  streams.take(one.syn());                        // 1
  streams.take(two.syn());                        // 2
  streams.take(one.data(0, 99));                  // 3
  streams.take(one.data(149, 199));               // 4: behind a hole
  streams.take(two.data(0, 99));                  // 5
  EXPECT_EQ(streams.said, (Said{"login", "1"}));  // what 5 says has to wait: 4 may have said something before
  streams.take(two.data(99, 149), CapturedStreams::kHoleWaitNs + 2);  // 6
  EXPECT_EQ(streams.said, (Said{"login", "1", "3", "login", "7", "8"}));
  EXPECT_EQ(streams.frames, (std::vector<std::uint64_t>{3, 3, 4, 5, 5, 6}));
  streams.streams.finish();
  ASSERT_EQ(streams.streams.reports().size(), 2u);
  ASSERT_EQ(streams.streams.reports()[0].holes.size(), 1u);
  EXPECT_EQ(streams.streams.reports()[0].holes[0].offset, 99u);
  EXPECT_EQ(streams.streams.reports()[0].holes[0].length, kOrder);
}

TEST(CapturedStreams, EndWithTheExchangesFinOrReset) {
  for (const std::uint8_t flags : {tcp::kFin, tcp::kRst}) {
    const Client client = client_with(1);
    Streams streams;
    for (const Buffer& frame : {client.syn(), client.all(), client.ack(99, flags | tcp::kAck), client.fin()})
      streams.take(frame);
    EXPECT_EQ(streams.said, (Said{"login", "1", "ended"}));
  }
}

TEST(CapturedStreams, TakeDataOfASyn) {
  const Client client = client_with(1);
  Streams streams;
  streams.take(test::tcp_frame(client.client, kExchange, client.isn, 0, tcp::kSyn, client.stream));
  EXPECT_EQ(streams.only().stream.missing, 0u);
  EXPECT_EQ(streams.said, (Said{"login", "1"}));
}

TEST(CapturedStreams, KeepNoMoreConnectionsThanTheyMay) {
  Streams streams;
  Client client;
  for (std::uint32_t i = 0; i < CapturedStreams::kMostConnections + 10; ++i) {  // never a word
    client.client = {0x0B00'0000 + i / 50'000, static_cast<std::uint16_t>(1 + i % 50'000)};
    streams.take(client.syn());
  }
  const Client later = client_with(1);  // those make room
  for (const Buffer& frame : {later.syn(), later.all()}) streams.take(frame);
  streams.streams.finish();
  EXPECT_EQ(streams.said, (Said{"login", "1"}));
  EXPECT_EQ(streams.streams.left_out(), 0u);
}

}  // namespace
}  // namespace crosswire
