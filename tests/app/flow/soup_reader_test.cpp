// SoupBinTCP packets out of a stream of which parts are lost.
#include "app/flow/soup_reader.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/app/flow/tcp_capture.hpp"
#include "tests/seed.hpp"

namespace crosswire {
namespace {

using test::Buffer;
using test::cut;
using test::login;
using test::order;
using test::packet;
using test::operator+=;
using Verdict = SoupReader::Verdict;

class Notes final : public SoupHandler {
 public:
  void login(const wire::soup::LoginRequest& login, CapturedAt) override {
    said.push_back("login " + std::string(login.username.text()));
  }
  void message(wire::Bytes message, CapturedAt at) override {
    const auto* const order = wire::view_as<wire::ouch::EnterOrder>(message);
    said.push_back(order == nullptr ? "message" : "order " + std::to_string(order->user_ref_num.value()));
    last = at.frame;
  }
  void logout(CapturedAt) override { said.push_back("logout"); }
  void ended(CapturedAt) override { said.push_back("ended"); }

  std::vector<std::string> said;
  std::uint64_t last = 0;
};

struct Read {
  explicit Read(bool at_boundary = true, bool trusted = false) : reader(notes, at_boundary, trusted) {}
  void bytes(const Buffer& bytes, bool segment = true) { reader.bytes(bytes, segment, {++frame, frame}); }

  Notes notes;
  SoupReader reader;
  std::uint64_t frame = 0;
};

using Said = std::vector<std::string>;

TEST(SoupReader, ReadsPacketsHoweverTheyAreCut) {
  Buffer stream = login("ALPHA");
  for (std::uint32_t i = 1; i <= 3; ++i) stream += order(i);
  stream += packet('R');
  stream += packet('+', test::text("hello"));
  stream += packet('O');
  for (const std::size_t size : {1u, 2u, 3u, 47u, 1000u}) {
    Read read;
    for (std::size_t at = 0; at < stream.size(); at += size)
      read.bytes(cut(stream, at, std::min(at + size, stream.size())));
    EXPECT_EQ(read.notes.said, (Said{"login ALPHA", "order 1", "order 2", "order 3", "logout"})) << size;
    EXPECT_EQ(read.reader.figures().heartbeats, 1u);
    EXPECT_EQ(read.reader.figures().others, 1u);
    EXPECT_EQ(read.reader.figures().skipped, 0u);
  }
}

TEST(SoupReader, TakesNoOtherProtocolForIt) {
  for (const Buffer& bytes : {test::text("GET / HTTP/1.1\r\n\r\n"), order(1), packet('R'), Buffer{0, 0x2F, 'X'},
                              Buffer{0, 0x2F, 'L', 1, 2, 3}}) {
    Read read;
    read.bytes(bytes);
    read.bytes(Buffer(100, 9));
    EXPECT_EQ(read.reader.verdict(), Verdict::not_soup);
    EXPECT_TRUE(read.notes.said.empty());
  }
}

TEST(SoupReader, TakesAnyClientsPacketAsTheFirstWhereItIsTold) {
  Read read(true, true);
  read.bytes(order(1));
  EXPECT_EQ(read.notes.said, Said{"order 1"});
  Read server(true, true);
  server.bytes(packet('A', Buffer(30, ' ')));
  EXPECT_EQ(server.reader.verdict(), Verdict::not_soup);
}

TEST(SoupReader, GoesOnBehindAHoleWithinAPacketWhoseLengthItKnows) {
  Read read;
  read.bytes(login("ALPHA"));
  const Buffer lost = order(1);
  read.bytes(cut(lost, 0, 10));
  read.reader.gap(20);
  Buffer more = cut(lost, 30, lost.size());
  more += order(2);
  read.bytes(more, false);
  EXPECT_EQ(read.notes.said, (Said{"login ALPHA", "order 2"}));
  EXPECT_EQ(read.reader.figures().skipped, lost.size() - 20);
  EXPECT_EQ(read.reader.figures().resynced, 0u);

  Read whole;  // the hole ends where the packet does
  whole.bytes(login("ALPHA"));
  whole.bytes(cut(lost, 0, 2));
  whole.reader.gap(lost.size() - 2);
  whole.bytes(order(2), false);
  EXPECT_EQ(whole.notes.said, (Said{"login ALPHA", "order 2"}));
}

TEST(SoupReader, FindsTheBoundaryAgainOnlyWhereASegmentCanBeginAtNothingElse) {
  Read read;
  read.bytes(login("ALPHA"));
  read.reader.gap(40);
  read.bytes(cut(order(1), 5, 50));  // the end of a packet
  read.bytes(order(2), false);       // of which a segment's beginning is not known
  Buffer two = order(3);
  two += cut(order(4), 0, 20);
  read.bytes(two);  // one whole packet and a part might be chance
  EXPECT_EQ(read.notes.said, Said{"login ALPHA"});
  Buffer three = order(5);
  three += order(6);
  three += cut(order(7), 0, 20);
  read.bytes(three);
  read.bytes(cut(order(7), 20, 50));
  EXPECT_EQ(read.notes.said, (Said{"login ALPHA", "order 5", "order 6", "order 7"}));
  EXPECT_EQ(read.reader.figures().resynced, 1u);
  EXPECT_EQ(read.reader.figures().skipped, 45u + 50u + 70u);
}

TEST(SoupReader, BelievesAHeartbeatAloneOnlyOfWhoIsKnownToSpeakIt) {
  EXPECT_TRUE(is_packet_chain(packet('R'), true));
  EXPECT_FALSE(is_packet_chain(packet('R'), false));
  EXPECT_FALSE(is_packet_chain(packet('H'), true));
  EXPECT_FALSE(is_packet_chain({}, true));
  Buffer both = packet('R');
  both += order(1);
  EXPECT_TRUE(is_packet_chain(both, false));
}

TEST(SoupReader, ReadsNothingMoreBehindALengthOfNoughtUntilItIsCertainAgain) {
  Read read;
  read.bytes(login("ALPHA"));
  Buffer bad{0, 0};
  bad += order(1);
  read.bytes(bad);
  EXPECT_EQ(read.notes.said, Said{"login ALPHA"});
  read.bytes(order(2));
  EXPECT_EQ(read.notes.said, (Said{"login ALPHA", "order 2"}));
}

TEST(SoupReader, PassesOverAPacketThatIsTooLongForAnOrder) {
  Read read;
  read.bytes(login("ALPHA"));
  Buffer long_one = packet('U', Buffer(40'000, 0));
  for (std::size_t at = 0; at < long_one.size(); at += 1000) {
    read.bytes(cut(long_one, at, std::min(at + 1000, long_one.size())));
  }
  read.bytes(order(2), false);
  EXPECT_EQ(read.notes.said, (Said{"login ALPHA", "order 2"}));
  EXPECT_EQ(read.reader.figures().others, 1u);
}

TEST(SoupReader, TakesWhateverComes) {
  FlowRandom random(test::seed());
  for (int round = 0; round < 2000; ++round) {
    Read read(random.chance(50), random.chance(50));
    for (std::uint32_t pieces = random.below(30); pieces > 0; --pieces) {
      Buffer bytes = random.chance(30) ? login("A") : random.chance(60) ? order(1) : packet('R');
      if (random.chance(30))
        bytes[random.below(static_cast<std::uint32_t>(bytes.size()))] = static_cast<std::uint8_t>(random.next());
      if (random.chance(20)) read.reader.gap(1 + random.below(100));
      read.bytes(cut(bytes, random.below(3), bytes.size()), random.chance(50));
    }
  }
}

}  // namespace
}  // namespace crosswire
