// Two bystanders trade on the whole appliance, all through an attack; what they get, and the feed, must be byte for
// byte and to the nanosecond what they get on the same day without it. In virtual time. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "app/partition/partition.hpp"
#include "netstack/port/memory_port.hpp"
#include "tests/netstack/client_frames.hpp"

namespace crosswire::test {

using Frames = std::vector<FrameBytes>;

/// When the attack's frames come.
enum class Attack {
  spread,   // among the bystanders' frames of ten rounds: before them, in their bursts, behind them
  at_once,  // all at one instant, before and in the bystanders' burst: rates give what they have saved up
};

/// A frame that left the appliance.
struct Left {
  TimeNs time_ns;
  FrameBytes bytes;
  bool operator==(const Left&) const = default;
};

/// What a day came to.
struct Day {
  std::vector<Left> ann, bob, feed;
  std::vector<Left> others;  // to anyone else
  std::array<std::uint64_t, kReceiveCounters.size()> receive{};
  std::array<std::uint64_t, kTransmitCounters.size()> transmit{};
  std::array<std::uint64_t, kPublishCounters.size()> publish{};
  EngineCounters engine;

  std::uint64_t count(ReceiveCounter counter) const { return receive[static_cast<std::size_t>(counter)]; }
  std::uint64_t count(TransmitCounter counter) const { return transmit[static_cast<std::size_t>(counter)]; }
  std::uint64_t count(PublishCounter counter) const { return publish[static_cast<std::size_t>(counter)]; }
};

inline MacAddress destination_of(const FrameBytes& frame) {
  MacAddress mac{};
  std::copy_n(frame.begin(), mac.size(), mac.begin());
  return mac;
}

/// Where a frame's IPv4 header begins.
inline std::size_t ip_of(const FrameBytes& frame) { return get16(frame, 12) == 0x8100 ? 18 : 14; }
inline bool is_udp(const FrameBytes& frame) {
  return get16(frame, ip_of(frame) - 2) == 0x0800 && frame[ip_of(frame) + 9] == 17;
}

/// UDP payload of a frame that the appliance sent.
inline Payload payload_of(const FrameBytes& frame) {
  const std::size_t udp = ip_of(frame) + 20;
  const std::size_t end = udp + get16(frame, udp + 4);
  return {frame.begin() + static_cast<std::ptrdiff_t>(udp) + 8, frame.begin() + static_cast<std::ptrdiff_t>(end)};
}

/// Fixture of every test about hostile input.
class Hostile : public ::testing::Test {
 protected:
  using Counts = std::map<ReceiveCounter, std::uint64_t>;

  static constexpr TimeNs kStart = 9 * 3600 * kNsPerSecond;
  static constexpr TimeNs kFirstRound = kStart + 100'000'000;
  static constexpr TimeNs kRound = 20'000'000;
  static constexpr unsigned kRounds = 30;
  static constexpr unsigned kAttackFrom = 10;  // rounds of the attack
  static constexpr unsigned kAttackEnd = 20;
  static constexpr unsigned kInstant = 15;  // round of an attack at once

  Hostile() {
    config_.net.mac = kOurMac;
    config_.net.address = kOurAddress;
    config_.net.order_session = kOrderSession;
    config_.net.feed_session = kFeedSession;
    config_.net.start_ns = kStart;
    config_.net.accounts = {{"ANN", "ann", {'A', 'N', 'N', ' '}, {}},
                            {"BOB", "bob", {'B', 'O', 'B', ' '}, {}},
                            {"MAL", "mal", {'M', 'A', 'L', ' '}, {}},
                            {"MAL2", "mal", {'M', 'A', 'L', ' '}, {}},
                            {"FAR", "far", {'F', 'A', 'R', ' '}, {{0xC0A80101, 32}}}};
    config_.net.schedule = {{kStart, kAllSymbols, Phase::continuous}};
    config_.net.messages_kept = 1024;
    config_.net.feed_messages_kept = 1024;
    config_.engine.symbols = {{{'A', 'A', 'A', ' ', ' ', ' ', ' ', ' '}, Price{100'0000}, 100},
                              {{'B', 'B', 'B', ' ', ' ', ' ', ' ', ' '}, Price{100'0000}, 100}};
    config_.engine.sessions = static_cast<std::uint32_t>(config_.net.accounts.size());
    config_.engine.max_orders = 4096;
    config_.engine.max_levels = 1024;
    config_.command_ring = 256;
    config_.event_ring = 512;
    config_.hugepages = HugepagePolicy::off;
  }

  /// All stations on this VLAN.
  void move_to_vlan(std::uint16_t vlan) {
    config_.net.vlans = {vlan};
    config_.net.feed_vlan = vlan;
    ann.vlan = bob.vlan = mal.vlan = vlan;
  }

  /// Runs the day without and with the attack. Asserts that the counters rose by exactly `counts`, that no other drop
  /// was counted, and that nobody else noticed. Returns what was sent to others because of the attack. `ordinary` are
  /// frames that come in the place of the attack on the day without it.
  Frames attack(const Frames& frames, const Counts& counts, Attack when = Attack::spread, const Frames& ordinary = {}) {
    quiet = run(ordinary, when);
    hostile = run(frames, when);
    expect_bystanders_unharmed();
    for (const auto& row : kReceiveCounters) {
      const auto named = counts.find(row.counter);
      if (named == counts.end() && row.kind != CounterKind::drop) continue;
      const std::uint64_t expected = named == counts.end() ? 0 : named->second;
      EXPECT_EQ(hostile.count(row.counter) - quiet.count(row.counter), expected) << row.label;
    }
    EXPECT_EQ(hostile.count(ReceiveCounter::frames) - quiet.count(ReceiveCounter::frames),
              frames.size() - ordinary.size());
    return attackers_share(hostile);
  }

  /// The same for what nobody may answer.
  void expect_silence(const Frames& frames, const Counts& counts, Attack when = Attack::spread) {
    EXPECT_EQ(attack(frames, counts, when).size(), 0u) << "frames sent in answer";
  }

  void expect_bystanders_unharmed() const {
    expect_same(hostile.ann, quiet.ann, "Ann");
    expect_same(hostile.bob, quiet.bob, "Bob");
    expect_same(hostile.feed, quiet.feed, "the feed");
    expect_numbers_go_on(hostile.ann, kOrderSession, 2);  // 1 was said before anyone was logged in
    expect_numbers_go_on(hostile.bob, kOrderSession, 2);
    expect_numbers_go_on(hostile.feed, kFeedSession, 1);
  }

  Day run(const Frames& attack, Attack when) const {
    static const TscClock clock = TscClock::calibrated();
    MemoryRxPort rx;
    MemoryTxPort tx;
    script_day(rx, attack, when);
    Partition partition(config_, {rx, tx, tx}, clock);
    unsigned without_work = 0;
    while (!partition.finished()) {
      without_work = partition.round() ? 0 : without_work + 1;
      CHECK(without_work < 1000, "no stage has had work for %u rounds", without_work);
    }
    return day_of(partition, tx);
  }

  /// Sent to others while the attack went on.
  static Frames attackers_share(const Day& day) {
    Frames frames;
    for (const Left& left : day.others) {
      const bool during = left.time_ns >= kFirstRound + kAttackFrom * kRound - kRound / 2 &&
                          left.time_ns < kFirstRound + kAttackEnd * kRound;
      if (during) frames.push_back(left.bytes);
    }
    return frames;
  }

  /// The attacker's next datagram: upstream numbers from 1.
  FrameBytes orders(const std::vector<Payload>& messages) {
    FrameBytes frame = data_frame(mal, upstream_, messages);
    upstream_ += messages.size();
    return frame;
  }
  FrameBytes to_orders(const Payload& payload) const { return udp_frame(mal, kOrderPort, payload); }
  FrameBytes to_requests(const Payload& payload) const { return udp_frame(mal, kRequestPort, payload); }
  FrameBytes heartbeat() const { return to_orders(soup_packet('R')); }
  std::size_t ip_at() const { return mal.link_bytes(); }

  /// OUCH messages in answers, in order.
  static std::vector<Payload> messages_of(const Frames& frames) {
    std::vector<Payload> messages;
    for (const FrameBytes& frame : frames) {
      const Payload payload = payload_of(frame);
      wire::mold::BlockReader reader(payload);
      while (reader.next()) messages.emplace_back(reader.block().begin(), reader.block().end());
      EXPECT_EQ(reader.fault(), wire::mold::BlockFault::none);
    }
    return messages;
  }
  static std::string types_of(const std::vector<Payload>& messages) {
    std::string types;
    for (const Payload& message : messages) types += static_cast<char>(message.at(0));
    return types;
  }

  Config config_;
  Client ann{.mac = {2, 0, 0, 0, 1, 1}, .address = 0x0A630064, .port = 40000};
  Client bob{.mac = {2, 0, 0, 0, 1, 2}, .address = 0x0A630065, .port = 40001};
  Client mal{.mac = {0x66, 0x6D, 0x61, 0x6C, 0x6C, 0x79}, .address = 0xC0A86666, .port = 51'666};
  Day quiet;    // without the attack
  Day hostile;  // with it

 private:
  static void expect_same(const std::vector<Left>& with, const std::vector<Left>& without, const char* who) {
    EXPECT_GT(without.size(), std::size_t{kRounds}) << who << " has hardly anything to lose";
    EXPECT_EQ(with.size(), without.size()) << "frames to " << who;
    const auto [a, b] = std::mismatch(with.begin(), with.end(), without.begin(), without.end());
    EXPECT_TRUE(a == with.end() && b == without.end())
        << "frame " << a - with.begin() << " to " << who << " is another than without the attack";
  }

  /// Datagrams with messages follow each other without a gap, heartbeats name the next number. Answers to re-requests
  /// go back, but not beyond it.
  static void expect_numbers_go_on(const std::vector<Left>& frames, std::string_view session, std::uint64_t next) {
    for (const Left& left : frames) {
      if (!is_udp(left.bytes)) continue;
      const Payload payload = payload_of(left.bytes);
      const auto* const header = wire::view_as<wire::mold::Header>(payload);
      if (header == nullptr || header->session != wire::alpha<10>(session)) continue;
      const std::uint64_t count = header->count == wire::mold::kEndOfSession ? 0 : header->count.value();
      EXPECT_LE(header->sequence, next) << "numbers are left out";
      EXPECT_TRUE(count > 0 || header->sequence == next) << "a heartbeat is wrong about the next number";
      next = std::max(next, header->sequence + count);
    }
    EXPECT_GT(next, kRounds);
  }

  static Payload order(std::uint32_t number, char side, std::uint32_t quantity, std::uint64_t price) {
    wire::ouch::EnterOrder enter = enter_fields(number);
    enter.side = side;
    enter.quantity = quantity;
    enter.price = price;
    return with_options(bytes(enter), {});
  }

  /// Both trade with each other, cancel and replace what rests, and ask for whatever can be asked for.
  Frames bystanders_frames(unsigned round) const {
    const std::uint32_t n = 3 * round + 1;
    const std::uint64_t price = 100'0000 + round % 7 * 100;
    Frames frames{
        data_frame(ann, n, {order(n, 'S', 100, price), order(n + 1, 'S', 50, price + 5000), cancel_message(n - 2)}),
        data_frame(bob, n,
                   {order(n, 'B', 60, price), order(n + 1, 'B', 40, price - 5000), replace_message(n - 2, n + 2)})};
    const bool all = round == kInstant;  // where an attack at once has just used up what it can
    if (all || round % 5 == 1) frames.push_back(udp_frame(ann, kOrderPort, mold_header(kOrderSession, 1 + round, 20)));
    if (all || round % 5 == 2) frames.push_back(udp_frame(bob, kRequestPort, mold_header(kFeedSession, 1 + round, 20)));
    if (all || round % 5 == 3) frames.push_back(arp_frame(ann));
    if (all || round % 5 == 0) frames.push_back(echo_frame(bob, 64 + round));
    if (all) frames.push_back(login_frame(bob, "BOB", "mistyped"));
    return frames;
  }

  /// Feeds bursts, at most kMaxBurst frames each.
  class Script {
   public:
    explicit Script(MemoryRxPort& port) : port_(port) {}
    void add(TimeNs time_ns, const Frames& frames) {
      for (std::size_t at = 0; at < frames.size(); at += kMaxBurst) {
        const auto begin = frames.begin() + static_cast<std::ptrdiff_t>(at);
        const auto size = static_cast<std::ptrdiff_t>(std::min(kMaxBurst, frames.size() - at));
        port_.push_burst(time_ns, {begin, begin + size});
      }
    }

   private:
    MemoryRxPort& port_;
  };

  /// The attack's frames of one round: half of them ahead of the bystanders', some between theirs, the rest behind. At
  /// once: none behind.
  static void mix(Script& script, TimeNs time_ns, const Frames& theirs, const Frames& attack, bool at_once) {
    const std::size_t room = kMaxBurst - theirs.size();
    const std::size_t elsewhere = attack.size() - std::min(attack.size(), room);
    const std::size_t ahead = at_once ? elsewhere : elsewhere / 2;
    const auto part = [&attack](std::size_t from, std::size_t size) {
      const auto begin = attack.begin() + static_cast<std::ptrdiff_t>(std::min(from, attack.size()));
      const auto end = attack.begin() + static_cast<std::ptrdiff_t>(std::min(from + size, attack.size()));
      return Frames(begin, end);
    };
    script.add(at_once ? time_ns : time_ns - 1, part(0, ahead));
    Frames mixed;
    const Frames between = part(ahead, room);
    for (std::size_t i = 0; i < std::max(between.size(), theirs.size()); ++i) {
      if (i < between.size()) mixed.push_back(between[i]);
      if (i < theirs.size()) mixed.push_back(theirs[i]);
    }
    script.add(time_ns, mixed);
    script.add(at_once ? time_ns : time_ns + 1, part(ahead + room, attack.size()));
  }

  void script_day(MemoryRxPort& port, const Frames& attack, Attack when) const {
    Script script(port);
    script.add(kStart + 1'000'000, {login_frame(ann, "ANN", "ann")});
    script.add(kStart + 2'000'000, {login_frame(bob, "BOB", "bob")});
    script.add(kStart + 3'000'000, {login_frame(mal, "MAL", "mal")});
    constexpr std::size_t kAttackRounds = kAttackEnd - kAttackFrom;
    const std::size_t share = (attack.size() + kAttackRounds - 1) / kAttackRounds;
    for (unsigned round = 0; round < kRounds; ++round) {
      Frames hostile_frames;
      if (when == Attack::at_once && round == kInstant) hostile_frames = attack;
      if (when == Attack::spread && round >= kAttackFrom && round < kAttackEnd) {
        const std::size_t from = std::min(attack.size(), (round - kAttackFrom) * share);
        const std::size_t end = std::min(attack.size(), from + share);
        hostile_frames.assign(attack.begin() + static_cast<std::ptrdiff_t>(from),
                              attack.begin() + static_cast<std::ptrdiff_t>(end));
      }
      mix(script, kFirstRound + round * kRound, bystanders_frames(round), hostile_frames, when == Attack::at_once);
    }
    port.end(kFirstRound + kRounds * kRound + 3 * kNsPerSecond);  // some heartbeats
  }

  Day day_of(const Partition& partition, MemoryTxPort& tx) const {
    Day day;
    std::vector<MemoryTxPort::Sent> all = tx.take_frames();
    // As a capture is written (app/replay/replay): how far transmit runs ahead of publish depends on how much there is
    // to do.
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
      return std::pair(a.origin.cause, a.origin.rank) < std::pair(b.origin.cause, b.origin.rank);
    });
    for (MemoryTxPort::Sent& sent : all) {
      const MacAddress to = destination_of(sent.bytes);
      std::vector<Left>& list = to == ann.mac ? day.ann : to == bob.mac ? day.bob : to[0] == 1 ? day.feed : day.others;
      list.push_back({sent.origin.time_ns, std::move(sent.bytes)});
    }
    for (std::size_t i = 0; i < day.receive.size(); ++i) {
      day.receive[i] = partition.receive().counters().get(static_cast<ReceiveCounter>(i));
    }
    for (std::size_t i = 0; i < day.transmit.size(); ++i) {
      day.transmit[i] = partition.transmit().counters().get(static_cast<TransmitCounter>(i));
    }
    for (std::size_t i = 0; i < day.publish.size(); ++i) {
      day.publish[i] = partition.publish().counters().get(static_cast<PublishCounter>(i));
    }
    day.engine = partition.engine().counters();
    return day;
  }

  std::uint64_t upstream_ = 1;
};

}  // namespace crosswire::test
