// Properties of the receive stage over random input: the same commands however often it had to stop for room, no crash
// whatever the bytes, and every frame counted once.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <memory>

#include "tests/netstack/receive/random_bursts.hpp"
#include "tests/netstack/receive/receive_rig.hpp"

namespace crosswire::test {
namespace {

constexpr std::uint64_t kRingSizes[] = {2, 4, 16, 1024};

std::vector<std::uint64_t> all_counts(const ReceiveRig& rig) {
  std::vector<std::uint64_t> counts;
  for (const auto& row : kReceiveCounters) counts.push_back(rig.count(row.counter));
  return counts;
}

/// What a command says, without the places it lies in.
std::string meaning(MadeCommand made) {
  if (made.command.kind == CommandKind::enter || made.command.kind == CommandKind::replace) {
    made.command.order.order = kNoOrder;
  }
  std::string text(reinterpret_cast<const char*>(&made.command), sizeof(made.command));
  text.append(reinterpret_cast<const char*>(&made.asked), sizeof(made.asked));
  text.append(reinterpret_cast<const char*>(&made.resolved), sizeof(made.resolved));
  return text.append(made.echo.begin(), made.echo.end());
}

NetConfig busy_net() {
  NetConfig net = test_net();
  for (unsigned i = 0; i < 200; ++i) {
    net.schedule.push_back(
        {net.start_ns + i * 4 * kTickIntervalNs + (i % 2) * 50'000'000, kAllSymbols, static_cast<Phase>(i % 6)});
  }
  return net;
}

struct Outcome {
  std::vector<MadeCommand> commands;
  std::vector<std::uint64_t> counts;
};

/// The input of `seed` through a ring and a pool of the given sizes, with a reader that takes at random.
Outcome run_with(std::uint32_t seed, std::uint64_t ring_capacity, std::uint32_t slots, bool lazy) {
  const NetConfig net = busy_net();
  ReceiveRig rig(ring_capacity, slots, net);
  RandomBursts input(seed, net.start_ns);
  TimeNs last = 0;
  for (int i = 0; i < 300; ++i) {
    TimedBurst burst = input.next();
    last = std::max(last, burst.time_ns);
    rig.port().push_burst(burst.time_ns, std::move(burst.frames));
  }
  rig.port().end(last + kNsPerSecond / 3);
  Outcome run;
  std::mt19937 random(seed + 1);
  for (unsigned idle = 0; !rig.stage().ended(); ++idle) {
    const std::size_t work = rig.stage().poll();
    const std::size_t before = run.commands.size();
    rig.read(lazy ? random() % 4 : 1'000'000, run.commands);
    if (work > 0 || run.commands.size() > before) idle = 0;
    if (idle > 1000) break;  // stuck: the comparison shows where
  }
  rig.read(1'000'000, run.commands);
  run.counts = all_counts(rig);
  return run;
}

TEST(ReceiveProperty, MakesTheSameCommandsHoweverOftenItHasToWaitForRoom) {
  for (std::uint32_t seed = 1; seed <= 8; ++seed) {
    const Outcome expected = run_with(seed, 4096, 4096, false);
    ASSERT_EQ(expected.commands.back().command.kind, CommandKind::run_end);
    ASSERT_GT(expected.commands.size(), 1000u);
    for (const std::uint64_t ring : kRingSizes) {
      for (const std::uint32_t slots : {1u, 3u, 512u}) {
        SCOPED_TRACE("seed " + std::to_string(seed) + ", ring of " + std::to_string(ring) + ", slots " +
                     std::to_string(slots));
        const Outcome run = run_with(seed, ring, slots, true);
        ASSERT_EQ(run.commands.size(), expected.commands.size());
        for (std::size_t i = 0; i < run.commands.size(); ++i) {
          ASSERT_EQ(meaning(run.commands[i]), meaning(expected.commands[i])) << "command " << i;
        }
        ASSERT_EQ(run.counts, expected.counts);
      }
    }
  }
}

TEST(ReceiveProperty, NumbersCommandsWithoutGapsAndNeverLetsTimeFall) {
  const Outcome run = run_with(77, 64, 64, true);
  Sequence sequence{0};
  TimeNs time = 0;
  std::size_t unmarked = 0;
  for (const MadeCommand& made : run.commands) {
    EXPECT_EQ(made.command.sequence.value, ++sequence.value);
    EXPECT_GE(made.command.time_ns, time);
    const bool marked = (made.command.flags & kLastOfBurst) != 0;
    EXPECT_TRUE(unmarked == 0 || made.command.time_ns == time) << "a burst has one time";
    unmarked = marked ? 0 : unmarked + 1;
    time = made.command.time_ns;
  }
  EXPECT_EQ(unmarked, 0u);
}

// ---- Hostile frames -------------------------------------------------------------------------------------------------

/// Hands out frames that each end where their memory does, so that AddressSanitizer sees a read beyond.
class ExactRxPort final : public RxPort {
 public:
  void set(TimeNs time, const std::vector<FrameBytes>& frames) {
    copies_.clear();
    views_.clear();
    for (const FrameBytes& frame : frames) {
      copies_.push_back(std::make_unique<std::uint8_t[]>(frame.size()));
      std::copy(frame.begin(), frame.end(), copies_.back().get());
      views_.push_back({copies_.back().get(), static_cast<std::uint32_t>(frame.size())});
    }
    time_ = time;
    fresh_ = true;
  }

  RxBurst receive() override {
    if (!std::exchange(fresh_, false)) return {{}, time_, false};
    return {views_, time_, false};
  }

 private:
  std::vector<std::unique_ptr<std::uint8_t[]>> copies_;
  std::vector<RxFrame> views_;
  TimeNs time_ = 0;
  bool fresh_ = false;
};

/// Changes what is there: bytes, length, order; then often fixes the checksums, so that the lie gets further in.
class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  FrameBytes mutate(FrameBytes frame) {
    for (std::uint64_t n = random_() % 6; n > 0 && !frame.empty(); --n) {
      const std::size_t at = random_() % frame.size();
      switch (random_() % 6) {
        case 0:
          frame[at] = static_cast<std::uint8_t>(random_());
          break;
        case 1:
          frame[at] ^= static_cast<std::uint8_t>(1u << random_() % 8);
          break;
        case 2:
          frame[at] = random_() % 2 == 0 ? 0 : 255;
          break;
        case 3:
          frame.resize(at);
          break;
        case 4:
          frame.insert(frame.end(), random_() % 40, static_cast<std::uint8_t>(random_()));
          break;
        default:
          set16_within(frame, at, random_() % 4 == 0 ? random_() & 0xFFFF : random_() % 64);
      }
    }
    if (random_() % 4 != 0) fix_checksums(frame);
    return frame;
  }

  FrameBytes noise() {
    FrameBytes frame(random_() % 200);
    for (std::uint8_t& byte : frame) byte = static_cast<std::uint8_t>(random_());
    return frame;
  }

 private:
  static void set16_within(FrameBytes& frame, std::size_t at, std::size_t value) {
    if (at + 1 < frame.size()) set16(frame, at, value);
  }

  static void fix_checksums(FrameBytes& frame) {
    constexpr std::size_t kIp = 14;
    if (frame.size() < kIp + 20 || kIp + (frame[kIp] & 15u) * 4u > frame.size()) return;
    if ((frame[kIp] & 15u) * 4u >= 12) fix_ip(frame, kIp);
    const bool plain_udp = frame[kIp] == 0x45 && frame[kIp + 9] == 17 && frame.size() >= kIp + 28;
    if (!plain_udp || kIp + 20 + get16(frame, kIp + 24) > frame.size() || get16(frame, kIp + 24) < 8) return;
    fix_udp(frame, kIp);
  }

  std::mt19937_64 random_;
};

/// How often this test's loop runs: CROSSWIRE_FUZZ_FRAMES, or what fits an ordinary test run.
std::uint64_t fuzz_frames() {
  const char* const asked = std::getenv("CROSSWIRE_FUZZ_FRAMES");
  return asked == nullptr ? 100'000 : std::strtoull(asked, nullptr, 10);
}

TEST(ReceiveProperty, SurvivesAnyFrameAndCountsEachExactlyOnce) {
  const NetConfig net = test_net();
  const EngineConfig engine = test_engine();
  constexpr std::uint32_t kSlots = 512;
  Arena arena(BroadcastRing<Command>::bytes_for(1024) + Orders::bytes_for(kSlots) + SlotReturnRing::bytes_for(kSlots) +
                  SlotSource::bytes_for(kSlots) + EchoStore::bytes_for() + ReceiveStage::bytes_for(net, engine),
              HugepagePolicy::off);
  BroadcastRing<Command> ring(arena, 1024);
  auto& reader = ring.add_gating("test");
  Orders orders(arena, kSlots);
  SlotReturnRing returns(arena, kSlots);
  SlotSource slots(arena, returns, kSlots);
  EchoStore echoes(arena);
  ExactRxPort port;
  ReceiveStage stage(net, engine, port, ring.producer(), orders, slots, echoes, arena);

  constexpr std::uint32_t kSeed = 20240607;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  RandomBursts good(kSeed, net.start_ns);
  Mutator mutator(kSeed);
  const std::uint64_t wanted = fuzz_frames();
  std::uint64_t pushed = 0;
  while (pushed < wanted) {
    TimedBurst burst = good.next();
    for (FrameBytes& frame : burst.frames) {
      const std::uint64_t kind = good.below(8);
      if (kind == 0) frame = mutator.noise();
      if (kind > 2) frame = mutator.mutate(std::move(frame));
    }
    pushed += burst.frames.size();
    port.set(burst.time_ns, burst.frames);
    while (stage.poll() > 0 || reader.available() > 0) {
      for (; reader.available() > 0; reader.release()) {
        const Command& command = reader.peek();
        if (command.kind == CommandKind::echo_reply) echoes.free_oldest();
        const bool has_slot = command.kind == CommandKind::enter || command.kind == CommandKind::replace;
        ASSERT_TRUE(!has_slot || returns.push(command.order.order));
      }
    }
  }

  using enum ReceiveCounter;
  const auto count = [&stage](ReceiveCounter counter) { return stage.counters().get(counter); };
  const auto sum = [&count](std::initializer_list<ReceiveCounter> counters) {
    std::uint64_t total = 0;
    for (const ReceiveCounter counter : counters) total += count(counter);
    return total;
  };
  const auto message_drops = {order_repeats, ouch_short, ouch_type_unknown, ouch_appendage, ouch_side};
  std::uint64_t frame_drops = 0;
  for (const auto& row : kReceiveCounters) frame_drops += row.kind == CounterKind::drop ? count(row.counter) : 0;
  frame_drops -= sum(message_drops);
  const std::uint64_t accepted = sum({arp_requests, icmp_echoes, feed_requests, logins, logins_refused, heartbeats,
                                      logouts, order_datagrams, order_requests});
  EXPECT_EQ(count(ReceiveCounter::frames), pushed);
  EXPECT_EQ(frame_drops + accepted, pushed);
  EXPECT_GT(accepted, pushed / 10) << "the input is too hostile to reach the inner parsers";
  EXPECT_GT(sum({enters, replaces, cancels, modifies, account_queries}), pushed / 10);
  EXPECT_GT(sum({mass_cancels, disables, enables}), pushed / 100);
  EXPECT_EQ(slots.free_count(), kSlots);
}

}  // namespace
}  // namespace crosswire::test
