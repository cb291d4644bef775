// The runner of traces, held against a stack that says by heart what it is to say.
#include "tests/netstack/tcp/trace/runner.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/folder.hpp"

namespace crosswire::trace {
namespace {

constexpr std::int64_t kAckDelayNs = 50'000, kRetransmitNs = 60'000'000;

/// Takes one connection, acknowledges data after 50 us, sends what it has again after 60 ms, once.
class ByHeart : public StackUnderTest {
 public:
  void inject(std::span<const std::uint8_t> frame) override {
    heard_ = packet_of(frame);
    if (!heard_.fault.empty() || heard_.kind != Packet::Kind::tcp) return;
    state_ = heard_.has(kSyn) ? "syn-received" : heard_.has(kRst) ? "closed: reset by peer" : "established";
    receive_next_ = heard_.seq + heard_.sequence_length();
    if (heard_.has(kSyn))
      leave(now_ns_, kSyn | kAck, kIss, 0, {2, 4, 0x05, 0xB4, 8, 10, 0, 0, 0, 77, 0, 0, 0, 5, 1, 1});
    if (!heard_.payload.empty()) due_ns_ = now_ns_ + kAckDelayNs;
    read_ += heard_.payload.size();
  }
  void advance_to(std::int64_t now_ns) override {
    if (due_ns_ != 0 && due_ns_ <= now_ns) leave(std::exchange(due_ns_, 0), kAck, kIss + 1, 0, {});
    if (again_ns_ != 0 && again_ns_ <= now_ns) leave(std::exchange(again_ns_, 0), kAck | kPsh, kIss + 1, written_, {});
    now_ns_ = now_ns;
  }
  std::vector<SentFrame> take_frames() override { return std::exchange(left_, {}); }
  bool listen(std::uint16_t) override { return true; }
  std::uint16_t connect(std::uint32_t, std::uint16_t) override { return 0; }
  bool write(const Connection&, std::uint64_t bytes) override {
    written_ = static_cast<std::uint32_t>(bytes);
    leave(now_ns_, kAck | kPsh, kIss + 1, written_, {});
    again_ns_ = now_ns_ + kRetransmitNs;
    return true;
  }
  void set_reading(const Connection&, bool) override {}
  void shutdown(const Connection&) override {}
  void close(const Connection&) override {}
  void abort(const Connection&) override { leave(now_ns_, kRst, kIss + 1, 0, {}); }
  std::uint64_t bytes_read(const Connection&) const override { return read_; }
  bool pattern_held(const Connection&) const override { return true; }
  std::string state(const Connection&) const override { return state_; }
  std::optional<std::uint64_t> counter(std::string_view name) const override {
    if (name == "seven") return 7;
    return std::nullopt;
  }

 private:
  static constexpr std::uint32_t kIss = 4'294'967'290U;  // wraps within the first bytes

  void leave(std::int64_t time_ns, std::uint8_t flags, std::uint32_t seq, std::uint32_t bytes,
             std::vector<std::uint8_t> options) {
    Packet packet;
    packet.kind = Packet::Kind::tcp;
    packet.from_address = kStackAddress;
    packet.to_address = heard_.from_address;
    packet.from_port = heard_.to_port;
    packet.to_port = heard_.from_port;
    packet.seq = seq;
    packet.ack = receive_next_;
    packet.flags = flags;
    packet.window = 1000;
    packet.options = std::move(options);
    for (std::uint32_t i = 0; i < bytes; ++i) packet.payload.push_back(pattern_at(seq - kIss - 1 + i));
    std::vector<std::uint8_t> frame = frame_of(packet);
    frame.resize(std::max<std::size_t>(frame.size(), 60));
    left_.push_back({time_ns, frame});
  }

  Packet heard_;
  std::string state_ = "none";
  std::uint32_t receive_next_ = 0, written_ = 0;
  std::uint64_t read_ = 0;
  std::int64_t now_ns_ = 0, due_ns_ = 0, again_ns_ = 0;
  std::vector<SentFrame> left_;
};

std::unique_ptr<StackUnderTest> make_by_heart(const Options&, std::string&) { return std::make_unique<ByHeart>(); }
std::unique_ptr<StackUnderTest> make_none(const Options&, std::string& why) {
  why = "there is none";
  return nullptr;
}

std::string failure(const std::string& text) {
  try {
    for (const Case& walk : parse_script("test", text, "/nonexistent").cases) {
      const Outcome outcome = run_case(walk, make_by_heart);
      if (!outcome.failure.empty()) return outcome.failure;
    }
  } catch (const TraceError& error) {
    return error.what();
  }
  return "";
}

const std::string kOpen =
    "listen\ninject S win 65535 <mss 1460, ts 5 0>\nexpect SA seq 0 ack 1 win 1000 <mss 1460, ts * 5>\ninject A\n";

testing::AssertionResult holds(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "no \"" << part << "\" in: " << text;
}

TEST(TraceRunner, FollowsAStackThatDoesAsSaid) {
  EXPECT_EQ(
      failure(kOpen + "inject PA 1:1001(1000) ack 1\nexpect nothing\nexpect after 50us A seq 1 ack 1001 <>\n"
                      "got 1000\nstate established\nwrite 300\nexpect PA 1:301(300) ack 1001\n"
                      "expect after 60ms A 1:301(300)\nadvance 10s\ninject R seq 1001\nstate closed: reset by peer\n"
                      "counter seven 7\n"),
      "");
}

TEST(TraceRunner, SaysScriptLineWantedGotAndThePacketsSoFar) {
  const std::string text = failure(kOpen + "inject A 1:1001(1000)\nexpect after 50us A seq 1 ack 1002\n");
  EXPECT_TRUE(holds(text, "test.trace:6"));
  EXPECT_TRUE(holds(text, "wanted: expect after 50us A seq 1 ack 1002"));
  EXPECT_TRUE(holds(text, "got:    A seq 1 ack 1001 win 1000   (ack is not 1002)"));
  EXPECT_TRUE(holds(text, "0.000000 s  > inject S win 65535 <mss 1460, ts 5 0>"));
  EXPECT_TRUE(holds(text, "0.000000 s  < SA seq 0 ack 1 win 1000 <mss 1460, ts 0 5>"));
  EXPECT_TRUE(holds(text, "0.000050 s  < A seq 1 ack 1001 win 1000"));
}

TEST(TraceRunner, IsExactInTime) {
  const std::string data = kOpen + "inject A 1:1001(1000)\n";
  EXPECT_TRUE(holds(failure(data + "expect after 49us A"), "got:    nothing"));
  EXPECT_TRUE(holds(failure(data + "expect after 51us A"), "it left at 0.000050 s"));
  EXPECT_EQ(failure(data + "expect after 40us..60us A"), "");
  EXPECT_EQ(failure(data + "expect within 1s A"), "");
  EXPECT_EQ(failure("tolerance 2us\n" + data + "expect after 49us A"), "");
  EXPECT_TRUE(holds(failure("tolerance 2us\n" + data + "expect after 51us A"), "it left at"));
}

TEST(TraceRunner, WantsEachPacketExpected) {
  const std::string data = kOpen + "inject A 1:1001(1000)\n";
  EXPECT_TRUE(holds(failure(data + "advance 1ms"), "a packet that nothing expects: A seq 1 ack 1001"));
  EXPECT_TRUE(holds(failure(kOpen + "write 5"), "a packet that nothing expects"));
  EXPECT_EQ(failure(data + "skip 1ms"), "");
}

TEST(TraceRunner, ComparesWhatALineSaysAndNothingElse) {
  const std::string syn = "listen\ninject S\n";
  EXPECT_EQ(failure(syn + "expect SA\n"), "");
  EXPECT_EQ(failure(syn + "expect SA <mss 1460, ...>\n"), "");
  EXPECT_TRUE(holds(failure(syn + "expect SA <mss 1460>\n"), "it has further options"));
  EXPECT_TRUE(holds(failure(syn + "expect SA <mss 1400, ...>\n"), "the options differ"));
  EXPECT_TRUE(holds(failure(syn + "expect S\n"), "the flags differ"));
  EXPECT_TRUE(holds(failure(syn + "expect SA win 5\n"), "win is not 5"));
  EXPECT_TRUE(holds(failure(syn + "expect SA ack =7\n"), "ack is not =7"));
  EXPECT_TRUE(holds(failure(kOpen + "write 5\nexpect A 1:5(4)\n"), "it carries 5 bytes"));
  EXPECT_TRUE(holds(failure(kOpen + "write 5\nexpect A 2:7(5)\n"), "seq is not 2"));
}

TEST(TraceRunner, UnrollsLoopsAndComputes) {
  EXPECT_EQ(failure(kOpen + "repeat 3 as i\n  inject A {1+i*100}:{101+i*100}(100)\n  expect after 50us A ack "
                            "{101+100*i}\nend\ngot 300\n"),
            "");
  EXPECT_TRUE(holds(failure("repeat 3\nlisten\n"), "repeat without end"));
  EXPECT_EQ(failure(kOpen +
                    "let next 101\nlet word established\ninject A 1:{next}({next-1})\nexpect after 50us A ack {next}\n"
                    "state {word}\n"),
            "");
  EXPECT_EQ(failure("repeat 0 as i\n  state never {i}\nend\n"), "");
}

TEST(TraceRunner, WalksEachCaseFromTheBeginning) {
  const std::string text =
      kOpen + "case one\ninject A 1:11(10)\nexpect after 50us A ack 11\ncase two\nstate established\ngot 0\n";
  EXPECT_EQ(failure(text), "");
  EXPECT_EQ(parse_script("test", text, "").cases.size(), 2U);
}

TEST(TraceRunner, NamesTheLineThatItCannotRead) {
  for (const auto& [line, why] : {std::pair{"listne", "no such statement: listne"},
                                  {"inject X", "no flags"},
                                  {"expect A 1:1001(999)", "999 bytes do not reach"},
                                  {"expect after 5 A", "a time wants a unit"},
                                  {"inject S <mess 5>", "no such option: mess"},
                                  {"inject S [worse]", "no such quirk: worse"},
                                  {"include nowhere", "there is no"},
                                  {"write {3/2}", "only + - * are computed"},
                                  {"listen 5 6", "what is this: 6"},
                                  {"option speed 5", "no such option: speed"}}) {
    const std::string text = failure(std::string("# a comment\n\n") + line + "\n");
    EXPECT_TRUE(holds(text, why));
    EXPECT_TRUE(holds(text, "test.trace:3"));
  }
}

TEST(TraceRunner, PutsInParts) {
  test::Folder folder;
  folder.write("parts/open.part", kOpen);
  const Script script = parse_script("test", "include open\ninject A 1:2(1)\nexpect after 50us A\n", folder.path());
  EXPECT_EQ(run_case(script.cases.at(0), make_by_heart).failure, "");
}

TEST(TraceRunner, SaysWhyAStackCannotBeAsAsked) {
  EXPECT_EQ(run_case(parse_script("test", "listen", "").cases.at(0), make_none).skipped, "there is none");
}

TEST(TracePacket, ComesBackFromItsFrameAsItWent) {
  Packet packet;
  packet.kind = Packet::Kind::tcp;
  packet.vlan = 5;
  packet.from_address = kPeerAddress;
  packet.to_address = kStackAddress;
  packet.from_port = 1;
  packet.to_port = 65535;
  packet.seq = 4'294'967'295U;
  packet.ack = 7;
  packet.flags = kAck | kFin;
  packet.payload = {1, 2, 3};
  packet.options = {5, 10, 0, 0, 0, 1, 0, 0, 0, 3, 1, 1};
  const Packet back = packet_of(frame_of(packet));
  EXPECT_EQ(back.fault, "");
  EXPECT_EQ(text_of(back, 4'294'967'295U, 0, 0), text_of(packet, 4'294'967'295U, 0, 0));
  EXPECT_EQ(text_of(back, 4'294'967'295U, 0, 0), "FA 0:3(3) ack 7 win 0 <sacks 1:3> [vlan 5]");
}

TEST(TracePacket, TellsWhatIsWrongWithIt) {
  Packet packet;
  packet.kind = Packet::Kind::tcp;
  const std::vector<std::uint8_t> good = frame_of(packet);
  const auto bent = [&](const char* words, const char* value) {
    std::vector<std::uint8_t> frame = good;
    bend(frame, {{words, value}});
    return packet_of(frame).fault;
  };
  EXPECT_EQ(bent("bad checksum", ""), "the TCP checksum is wrong");
  EXPECT_EQ(bent("bad ip checksum", ""), "the IPv4 checksum is wrong");
  EXPECT_EQ(bent("data offset", "4"), "the TCP header is cut short");
  EXPECT_EQ(bent("truncated", "3"), "the IPv4 header is wrong");
  EXPECT_EQ(bent("reserved", ""), "reserved bits are set");
  EXPECT_EQ(bent("padded", "6"), "");
}

}  // namespace
}  // namespace crosswire::trace
