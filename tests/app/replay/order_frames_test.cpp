// What a replay says last, and its exit status, where the capture's orders came to nothing.
#include "app/replay/order_frames.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/app/program.hpp"
#include "tests/app/replay/replay_rig.hpp"

namespace crosswire {
namespace {

using test::Folder;
using test::Input;
using test::kAnn;
using test::kBob;
using test::kMs;
using test::kStart;
using test::order;
using test::Payload;
using test::Ran;

RxFrame view(const Payload& frame) { return {frame.data(), static_cast<std::uint32_t>(frame.size())}; }

Payload order_frame(const test::Client& client = kAnn, std::uint16_t port = test::kOrderPort) {
  return test::udp_frame(client, port, test::mold_packet(1, {order(1, 'B', 100, 1'000'000)}, test::replay_session()));
}

Payload tcp_frame(std::size_t bytes) {
  Payload segment(20 + bytes);
  test::set16(segment, 2, test::kOrderPort);
  segment[12] = 0x50;
  return test::ethernet(kAnn, test::kOurMac, 0x0800, test::ipv4(kAnn, 6, segment));
}

TEST(OrderFrames, AreToldByWhatCanBeSeenOfThem) {
  const auto is = [](const Payload& frame) { return is_order_frame(view(frame), test::kOrderPort); };
  EXPECT_TRUE(is(order_frame()));
  EXPECT_TRUE(is(tcp_frame(200)));
  Payload cut = order_frame();
  cut.resize(46);  // the beginning of its payload is left
  EXPECT_TRUE(is(cut));
  test::Client tagged = kAnn;
  tagged.vlan = 7;
  EXPECT_TRUE(is(order_frame(tagged)));
  EXPECT_FALSE(is(order_frame(kAnn, 9)));
  EXPECT_FALSE(is(tcp_frame(0)));
  EXPECT_FALSE(is(test::login_frame(kAnn, "ann", "secret")));
  EXPECT_FALSE(is(test::udp_frame(kAnn, test::kOrderPort, test::mold_header(test::replay_session(), 1, 5))));
  EXPECT_FALSE(is(test::echo_frame(kAnn)));
  const Payload whole = order_frame();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    is(Payload(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)));  // nothing is read beyond it
  }
}

class ReplaysEnd : public ::testing::Test {
 protected:
  void SetUp() override {
    if (test::program().empty()) GTEST_SKIP() << "CROSSWIRE does not name the program: run it by meson test";
  }

  /// The replay of in.pcap with this text made that one in its configuration.
  Ran replay(const std::string& from = "", const std::string& to = "", const std::string& options = "") const {
    std::string config = test::config_text();
    if (!from.empty()) config.replace(config.find(from), from.size(), to);
    return test::shell(test::program() + " replay --config " + folder_.write("c.toml", config) + " --in " +
                       folder_.file("in.pcap") + " --out " + folder_.file("out.pcap") + " " + options);
  }

  static std::string last_line(const Ran& ran) {
    const std::string text = ran.output.substr(0, ran.output.size() - 1);
    return text.substr(text.rfind('\n') + 1);
  }

  /// Exit status 1 and these words in the last line; 0 where drops are allowed, with the line all the same.
  void expect_most_dropped(const std::string& from, const std::string& to, std::initializer_list<std::string> words,
                           const std::string& options = "") const {
    const Ran ran = replay(from, to, options);
    EXPECT_EQ(ran.status, 1) << ran.output;
    for (const std::string& word : words) EXPECT_NE(last_line(ran).find(word), std::string::npos) << last_line(ran);
    const Ran allowed = replay(from, to, options + " --allow-drops");
    EXPECT_EQ(allowed.status, 0) << allowed.output;
    EXPECT_NE(last_line(allowed).find("were dropped"), std::string::npos) << allowed.output;
  }

  void write_good_day() const {
    Input in(folder_.file("in.pcap"));
    in.login(kStart, kAnn, "ann");
    for (std::uint32_t i = 1; i <= 4; ++i) in.messages(kStart + i * kMs, kAnn, {order(i, 'B', 100, 1'000'000)});
  }

  Folder folder_;
};

TEST_F(ReplaysEnd, AreNotSpokenOfWhereThereAreNone) {
  write_good_day();
  const Ran ran = replay();
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_EQ(ran.output.find("were dropped"), std::string::npos) << ran.output;
}

TEST_F(ReplaysEnd, OfAnotherAddressPortOrVlan) {
  write_good_day();
  expect_most_dropped(
      "\"10.99.0.1\"", "\"10.99.0.2\"",
      {"in.pcap: 4 of 4 order frames (100 %) were dropped; most as receive.ip_other_destination (5): to "
       "another IPv4 address; give [port] address"});
  expect_most_dropped("[orders]\n", "[orders]\nudp_port = 9999\n",
                      {"no frame carries orders to port 9999, and 5 of 5 frames (100 %) were dropped; most as "
                       "receive.udp_port_unknown (5)"});
  expect_most_dropped("address = \"10.99.0.1\"\n", "address = \"10.99.0.1\"\nvlans = [7]\n",
                      {"4 of 4 order frames", "receive.vlan_not_accepted", "give [port] vlans"});
}

TEST_F(ReplaysEnd, OfOtherAccounts) {
  write_good_day();
  expect_most_dropped("password = \"secret\"", "password = \"other\"",
                      {"4 of 4 order frames (100 %)", "receive.order_source_unknown (4)", "logins refused: 1"});
}

TEST_F(ReplaysEnd, OfACaptureThatHoldsTheBeginningOfEachFrame) {
  {
    Input in(folder_.file("in.pcap"));
    Payload login = test::login_frame(kAnn, "ann", "secret");
    Payload frame = order_frame();
    login.resize(60);
    frame.resize(60);
    in.frame(kStart, login);
    in.frame(kStart + kMs, frame);
  }
  expect_most_dropped("", "", {"1 of 1 order frames", "receive.ip_total_length", "tcpdump -s 0"});
}

TEST_F(ReplaysEnd, OfACaptureOfTcp) {
  {
    Input in(folder_.file("in.pcap"));
    in.frame(kStart, tcp_frame(0));
    for (TimeNs i = 1; i < 5; ++i) in.frame(kStart + i * kMs, tcp_frame(200));
  }
  expect_most_dropped("", "", {"4 of 4 order frames", "receive.ip_protocol_unknown", "sent over TCP"});
}

TEST_F(ReplaysEnd, OfOneWrongTimestampThatIsTaken) {
  {
    Input in(folder_.file("in.pcap"));
    in.login(kStart, kAnn, "ann");
    in.messages(kStart + kMs, kAnn, {order(1, 'B', 100, 1'000'000)});
    in.messages(kStart + 12 * 3600 * kNsPerSecond, kAnn, {order(2, 'B', 100, 1'000'000)});
    for (std::uint32_t i = 3; i <= 10; ++i) in.messages(kStart + i * kMs, kAnn, {order(i, 'B', 100, 1'000'000)});
  }
  EXPECT_NE(last_line(replay()).find("frame 4: its time"), std::string::npos) << "it is an error by itself";
  expect_most_dropped("", "", {" of 10 order frames", "frames stamped before an earlier one: 8, see whether"},
                      "--allow-time-fall");
}

TEST_F(ReplaysEnd, AreToldWhereTheyAreFewAndNoFailure) {
  {
    Input in(folder_.file("in.pcap"));
    in.login(kStart, kAnn, "ann");
    for (std::uint32_t i = 1; i <= 3; ++i) in.messages(kStart + i * kMs, kAnn, {order(i, 'B', 100, 1'000'000)});
    in.messages(kStart + 9 * kMs, kBob, {order(1, 'B', 100, 1'000'000)});  // not logged in
  }
  const Ran ran = replay();
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_NE(last_line(ran).find("1 of 4 order frames (25 %) were dropped; most as receive.order_source_unknown (1)"),
            std::string::npos)
      << ran.output;
}

TEST_F(ReplaysEnd, ThatAreNoOrdersInTheirFrames) {
  {
    Input in(folder_.file("in.pcap"));
    in.login(kStart, kAnn, "ann");
    in.messages(kStart + kMs, kAnn, {{'?', 1, 2, 3}, {'?', 1, 2, 3}, order(1, 'B', 100, 1'000'000)});
  }
  expect_most_dropped("", "", {"2 of 3 order messages (67 %)", "receive.ouch_type_unknown", "docs/protocol.md"});
}

TEST_F(ReplaysEnd, AreNoneOfALinkOnWhichNobodyTraded) {
  {
    Input in(folder_.file("in.pcap"));
    Payload noise = order_frame();
    noise[0] = 0x33;   // to a group
    noise[12] = 0x86;  // IPv6
    noise[13] = 0xDD;
    for (TimeNs i = 0; i < 5; ++i) in.frame(kStart + i * kMs, noise);
  }
  EXPECT_EQ(replay().status, 0);
}

TEST_F(ReplaysEnd, AreNoneOfOtherTrafficOnTheLink) {
  {
    Input in(folder_.file("in.pcap"));
    in.login(kStart, kAnn, "ann");
    in.messages(kStart + kMs, kAnn, {order(1, 'B', 100, 1'000'000)});
    Payload other = order_frame(kBob, 9);
    other[5] = 77;  // another station's
    for (TimeNs i = 2; i < 30; ++i) in.frame(kStart + i * kMs, other);
  }
  EXPECT_EQ(replay().status, 0);
}

}  // namespace
}  // namespace crosswire
