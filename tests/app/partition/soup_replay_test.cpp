// A recorded day with sessions over TCP comes out of a replay as it was: what clients were told, the feed, the state.
#include <map>

#include "netstack/port/capture.hpp"
#include "tests/app/partition/soup_rig.hpp"
#include "tests/folder.hpp"
#include "tests/seed.hpp"

namespace crosswire::test {
namespace {

class SoupReplay : public Soup {
 protected:
  using Frames = std::vector<FrameBytes>;

  SoupReplay() {
    recording_ = folder_.file("day.pcap");
    config_.net.silence_ns = 2 * kNsPerSecond;
  }

  static std::uint32_t get32(const FrameBytes& frame, std::size_t at) {
    return static_cast<std::uint32_t>(get16(frame, at) << 16 | get16(frame, at + 2));
  }

  /// The messages that were told each client of TCP, by its address: all its connections' streams in turn.
  static std::map<std::uint32_t, std::vector<Payload>> told(const Frames& frames) {
    struct Stream {
      std::uint32_t begin = 0;
      std::map<std::uint32_t, Payload> pieces;  // by offset
    };
    std::map<std::pair<std::uint32_t, std::uint64_t>, Stream> streams;
    std::map<std::uint64_t, std::uint64_t> turns;  // of a pair of ports
    for (const FrameBytes& frame : frames) {
      if (get16(frame, 12) != 0x0800 || frame[23] != 6) continue;
      const std::uint32_t address = get32(frame, 30);
      const std::size_t tcp = 34, data = tcp + (frame[tcp + 12] >> 4) * 4u;
      const std::size_t end = 14 + get16(frame, 16);
      const std::uint32_t sequence = get32(frame, tcp + 4);
      const std::uint64_t pair = std::uint64_t{address} << 16 | get16(frame, tcp + 2);
      if ((frame[tcp + 13] & 2) != 0) {
        Stream& before = streams[{address, turns[pair] << 48 | pair}];
        if (before.begin != sequence + 1) ++turns[pair];
        streams[{address, turns[pair] << 48 | pair}].begin = sequence + 1;
        continue;
      }
      Stream& stream = streams[{address, turns[pair] << 48 | pair}];
      if (end > data) {
        Payload piece(frame.begin() + static_cast<std::ptrdiff_t>(data),
                      frame.begin() + static_cast<std::ptrdiff_t>(end));
        Payload& known = stream.pieces[sequence - stream.begin];
        if (piece.size() > known.size()) known = std::move(piece);
      }
    }
    std::map<std::uint32_t, std::vector<Payload>> told;
    for (const auto& [key, stream] : streams) {
      Payload bytes;
      for (const auto& [offset, piece] : stream.pieces) {
        if (offset > bytes.size()) break;
        const std::size_t known = bytes.size() - offset;
        if (piece.size() > known)
          bytes.insert(bytes.end(), piece.begin() + static_cast<std::ptrdiff_t>(known), piece.end());
      }
      for (std::size_t at = 0; at + 3 <= bytes.size() && at + 2 + get16(bytes, at) <= bytes.size();) {
        const std::size_t next = at + 2 + get16(bytes, at);
        if (bytes[at + 2] != 'H') {
          told[key.first].emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(at) + 2,
                                       bytes.begin() + static_cast<std::ptrdiff_t>(next));
        }
        at = next;
      }
    }
    return told;
  }
  static Frames over_udp(const Frames& frames) {
    Frames found;
    for (const FrameBytes& frame : frames) {
      if (get16(frame, 12) == 0x0800 && frame[23] == 17) found.push_back(frame);
    }
    return found;
  }

  /// Replays the recording, and compares.
  void expect_the_same_in_a_replay() {
    static const TscClock clock = TscClock::calibrated();
    Config config = config_;
    config.net.replays = true;
    CaptureRxPort capture(recording_, 0);
    ASSERT_TRUE(capture.tcp_secret().has_value());
    config.net.tcp_secret = *capture.tcp_secret();
    MemoryTxPort tx;
    Partition replay(config, {capture, tx, tx}, clock);
    for (unsigned without_work = 0; !replay.finished();) {
      without_work = replay.round() ? 0 : without_work + 1;
      ASSERT_LT(without_work, 1000u) << "the replay stands still";
    }
    EXPECT_EQ(capture.error(), "");
    Frames frames;
    for (MemoryTxPort::Sent& sent : tx.take_frames()) frames.push_back(std::move(sent.bytes));
    EXPECT_EQ(replay.engine().state_hash(), partition_->engine().state_hash());
    EXPECT_EQ(over_udp(frames), over_udp(all_)) << "the feed, and answers over UDP";
    const auto live = told(all_), again = told(frames);
    ASSERT_EQ(live.size(), again.size());
    for (const auto& [client, packets] : live) EXPECT_EQ(again.at(client), packets) << client;
  }

  Folder folder_;
};

TEST_F(SoupReplay, OfAnOrdinaryDayIsTheSame) {
  start();
  login(ann_, "ann", "ann");
  login(bob_, "bob", "bob");
  for (std::uint32_t i = 1; i <= 50; ++i) {
    ann_.write(enter(i, 'B', 10 * i));
    bob_.write(enter(i, 'S', 9 * i));
    pass(1'000'000);
  }
  ann_.write(enter(1));  // a number that was used: nothing comes of this burst
  pass(1'000'000);
  ann_.write(soup_packet('O'));
  pass(5'000'000);
  end();
  expect_the_same_in_a_replay();
}

TEST_F(SoupReplay, OfALongHistoryIsTheSame) {
  config_.net.messages_kept = 8192;
  start();
  login(ann_, "ann", "ann");
  std::uint32_t number = 0;
  for (int i = 0; i < 2000; ++i) {
    ann_.write(enter(++number, 'B', 10));
    ann_.write(soup_packet('U', cancel_message(number)));
    if (i % 50 == 0) pass(1'000'000);
  }
  pass(20'000'000);
  login(eve_, "ann", "ann", 1);
  for (int i = 0; i < 100; ++i) {
    eve_.write(enter(++number));
    pass(50'000, 50'000);
  }
  pass(50'000'000);
  EXPECT_EQ(eve_.messages().size(), 4101u);
  end();
  expect_the_same_in_a_replay();
}

TEST_F(SoupReplay, OfADayOfEndsIsTheSame) {
  random_.seed(seed());
  loss_ = 0.02;
  config_.engine.max_orders = 20'000;
  start();
  std::uint32_t anns = 0, bobs = 0;
  std::uniform_int_distribution<int> what(0, 99);
  login(ann_, "ann", "ann");
  login(bob_, "bob", "bob");
  for (int i = 0; i < 400; ++i) {
    SoupPeer& peer = i % 3 == 0 ? bob_ : ann_;
    const std::uint32_t number = i % 3 == 0 ? ++bobs : ++anns;
    const int chance = what(random_);
    peer.write(enter(number, i % 2 == 0 ? 'B' : 'S', 100 + static_cast<std::uint32_t>(chance)));
    if (chance < 3) ann_.reset();
    if (chance == 4) bob_.finish();
    if (chance == 5) pass(2'300'000'000, 20'000'000);  // both are silent
    if (chance >= 6 && chance < 9) {
      eve_.connect();
      eve_.write(login_of("ann", "ann", 1));
    }
    const bool over = chance < 9;
    pass(over ? 20'000'000 : 300'000, over ? 1'000'000 : 100'000);
    if (over) {
      ann_.connect();
      ann_.write(login_of("ann", "ann", 0));
      bob_.connect();
      bob_.write(login_of("bob", "bob", 0));
      pass(10'000'000);
    }
  }
  end();
  expect_the_same_in_a_replay();
}

}  // namespace
}  // namespace crosswire::test
