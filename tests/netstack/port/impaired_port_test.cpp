// Ports behind a bad link: without impairments they are not there; with some, each frame is late, lost or changed as
// configured, and what is no frame of the wire passes.
#include "netstack/port/impaired_port.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <vector>

#include "netstack/port/recorder.hpp"
#include "port_testing.hpp"
#include "tests/seed.hpp"

namespace crosswire::impaired_port_test {
namespace {

using Count = ImpairmentCounter;
constexpr TimeNs kMs = 1'000'000;
constexpr std::size_t kBuffers = 256;
const ImpairmentConfig kAll{.loss = 0.1,
                            .burst_loss = 0.02,
                            .duplicate = 0.1,
                            .corrupt = 0.1,
                            .reorder = 0.1,
                            .delay_ns = 300'000,
                            .jitter_ns = 500'000};

// ---- In ----------------------------------------------------------------------------------------------------------

/// A burst with its bytes.
struct Seen {
  TimeNs time_ns;
  std::vector<FrameBytes> frames;
  bool ended, out_of_band, day_ended;
  bool operator==(const Seen&) const = default;
};

Seen next(RxPort& port) {
  const RxBurst burst = port.receive();
  Seen seen{burst.time_ns, {}, burst.ended, burst.out_of_band, burst.day_ended};
  for (const RxFrame& frame : burst.frames) seen.frames.push_back(bytes_of(frame));
  return seen;
}

Seen burst_of(TimeNs time_ns, std::vector<FrameBytes> frames) {
  return {time_ns, std::move(frames), false, false, false};
}

/// All bursts that are more than a time.
std::vector<Seen> all(RxPort& port) {
  std::vector<Seen> bursts;
  for (TimeNs last_ns = 0;;) {
    const Seen seen = next(port);
    EXPECT_GE(seen.time_ns, last_ns);
    last_ns = seen.time_ns;
    if (!seen.frames.empty() || seen.day_ended || seen.ended) bursts.push_back(seen);
    if (seen.ended) return bursts;
  }
}

FrameBytes command() {
  wire::OperatorFrame frame{};
  frame.ether_type = wire::kRecorderEtherType;
  frame.version = wire::OperatorFrame::kVersion;
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&frame);
  return {bytes, bytes + sizeof frame};
}

/// The same for the same seed: bursts of any size, frames of any length, commands, empty polls, the ends.
void push_random_day(MemoryRxPort& port, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  TimeNs now = kOpen;
  std::uint32_t number = 0;
  for (int i = 0; i < 300; ++i) {
    now += 1 + random() % 200'000;
    if (random() % 40 == 0) port.push_operator(now++, command());
    std::vector<FrameBytes> frames(random() % 3 == 0 ? 0 : random() % (kMaxBurst + 1));
    for (FrameBytes& frame : frames) {
      const std::size_t lengths[] = {18, kMinFrame, kMaxFrame, 18 + random() % (kMaxFrame - 17)};
      frame = numbered_frame(number++, lengths[random() % 4]);
    }
    port.push_burst(now, std::move(frames), {random() % 2 == 0, random() % 2 == 0});
  }
  port.end_day(now + 1);
  port.push_burst(now + 2, {numbered_frame(number), FrameBytes{}, FrameBytes{1}});
  port.end(now + kMs);
}

TEST(ImpairedRxPort, IsNotThereWithoutImpairments) {
  const std::uint64_t seed = test::seed();
  MemoryRxPort plain;
  MemoryRxPort inner;
  push_random_day(plain, seed);
  push_random_day(inner, seed);
  ImpairedRxPort port(inner, {}, seed, kBuffers);
  for (bool ended = false; !ended;) {
    const RxBurst expected = plain.receive();
    const RxBurst burst = port.receive();
    ASSERT_EQ(burst.frames.size(), expected.frames.size());
    for (std::size_t i = 0; i < burst.frames.size(); ++i) {
      EXPECT_EQ(bytes_of(burst.frames[i]), bytes_of(expected.frames[i]));
      EXPECT_EQ(burst.frames[i].checked.ip, expected.frames[i].checked.ip);
      EXPECT_EQ(burst.frames[i].checked.udp, expected.frames[i].checked.udp);
    }
    EXPECT_EQ(burst.time_ns, expected.time_ns);
    EXPECT_EQ(burst.out_of_band, expected.out_of_band);
    EXPECT_EQ(burst.day_ended, expected.day_ended);
    EXPECT_EQ(burst.ended, expected.ended);
    ended = burst.ended;
  }
}

TEST(ImpairedRxPort, GivesADelayedFrameAtItsTimeOnceTheInnerPortsTimeHasPassedIt) {
  MemoryRxPort inner;
  inner.push_burst(kOpen, {numbered_frame(1), numbered_frame(2)});
  inner.push_burst(kOpen + 10, {numbered_frame(3)});
  inner.push_burst(kOpen + kMs - 1, {});
  inner.push_burst(kOpen + 2 * kMs, {numbered_frame(4)});
  inner.push_burst(kOpen + 3 * kMs, {});
  ImpairedRxPort port(inner, {.delay_ns = kMs}, 1, kBuffers);
  EXPECT_EQ(next(port), burst_of(kOpen, {}));
  EXPECT_EQ(next(port), burst_of(kOpen + 10, {}));
  EXPECT_EQ(next(port), burst_of(kOpen + kMs - 1, {}));
  EXPECT_EQ(next(port), burst_of(kOpen + kMs, {numbered_frame(1), numbered_frame(2)}));
  EXPECT_EQ(next(port), burst_of(kOpen + kMs + 10, {numbered_frame(3)}));
  EXPECT_EQ(next(port), burst_of(kOpen + 2 * kMs, {}));
  EXPECT_EQ(next(port), burst_of(kOpen + 3 * kMs, {numbered_frame(4)}));
  EXPECT_EQ(port.counters().get(Count::delayed), 4u);
}

TEST(ImpairedRxPort, LosesTheFramesThatAreListedAndKeepsTheirTimes) {
  MemoryRxPort inner;
  inner.push_burst(kOpen, {numbered_frame(1), numbered_frame(2), numbered_frame(3)});
  inner.push_burst(kOpen + 1, {numbered_frame(4)});
  ImpairedRxPort port(inner, {.lose_frames = {2, 4}}, 1, kBuffers);
  EXPECT_EQ(next(port), burst_of(kOpen, {numbered_frame(1), numbered_frame(3)}));
  EXPECT_EQ(next(port), burst_of(kOpen + 1, {}));
  EXPECT_EQ(port.counters().get(Count::lost_by_number), 2u);
}

TEST(ImpairedRxPort, GivesTwoBurstsOfOneTimeWhereDuplicatesAreTooManyForOne) {
  MemoryRxPort inner;
  std::vector<FrameBytes> frames;
  for (std::uint32_t i = 0; i < kMaxBurst; ++i) frames.push_back(numbered_frame(i));
  inner.push_burst(kOpen, frames);
  ImpairedRxPort port(inner, {.duplicate = 1}, 1, kBuffers);
  std::vector<FrameBytes> seen;
  for (int i = 0; i < 2; ++i) {
    const Seen burst = next(port);
    EXPECT_EQ(burst.time_ns, kOpen);
    EXPECT_EQ(burst.frames.size(), kMaxBurst);
    seen.insert(seen.end(), burst.frames.begin(), burst.frames.end());
  }
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], frames[i / 2]);
}

TEST(ImpairedRxPort, LetsGoOfWhatItHoldsBeforeCommandsAndEnds) {
  MemoryRxPort inner;
  inner.push_burst(kOpen, {numbered_frame(1)});
  inner.push_operator(kOpen + 1, command());
  inner.push_burst(kOpen + 2, {numbered_frame(2)});
  inner.end_day(kOpen + 3);
  inner.push_burst(kOpen + 4, {numbered_frame(3)});
  inner.end(kOpen + 5);
  ImpairedRxPort port(inner, {.delay_ns = kNsPerSecond}, 1, kBuffers);
  EXPECT_EQ(next(port), burst_of(kOpen, {}));
  EXPECT_EQ(next(port), burst_of(kOpen + 1, {numbered_frame(1)}));
  EXPECT_EQ(next(port), (Seen{kOpen + 1, {command()}, false, true, false}));
  EXPECT_EQ(next(port), burst_of(kOpen + 2, {}));
  EXPECT_EQ(next(port), burst_of(kOpen + 3, {numbered_frame(2)}));
  EXPECT_EQ(next(port), (Seen{kOpen + 3, {}, false, false, true}));
  EXPECT_EQ(next(port), burst_of(kOpen + 4, {}));
  EXPECT_EQ(next(port), burst_of(kOpen + 5, {numbered_frame(3)}));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(next(port), (Seen{kOpen + 5, {}, true, false, false}));
  EXPECT_EQ(port.counters().get(Count::let_go_early), 3u);
  EXPECT_EQ(port.counters().get(Count::frames), 3u);  // a command is none
}

/// A port whose clock the test sets.
class ClockedPort final : public RxPort {
 public:
  RxBurst receive() override {
    const bool first = !std::exchange(given_, true);
    return {first ? std::span<const RxFrame>(&view_, 1) : std::span<const RxFrame>(), now_ns, false};
  }
  TimeNs time_now() override { return now_ns; }
  TimeNs now_ns = kOpen;

 private:
  bool given_ = false;
  FrameBytes frame_ = numbered_frame(1);
  RxFrame view_{frame_.data(), static_cast<std::uint32_t>(frame_.size())};
};

TEST(ImpairedRxPort, GivesNothingBeforeATimeThatItHasTold) {
  ClockedPort inner;
  ImpairedRxPort port(inner, {.delay_ns = 10}, 1, kBuffers);
  EXPECT_EQ(next(port), burst_of(kOpen, {}));
  inner.now_ns = kOpen + 15;
  EXPECT_EQ(port.time_now(), kOpen + 15);
  inner.now_ns = kOpen + 20;
  EXPECT_EQ(next(port), burst_of(kOpen + 15, {numbered_frame(1)}));
  EXPECT_EQ(next(port), burst_of(kOpen + 20, {}));
  MemoryRxPort without_clock;
  EXPECT_EQ(ImpairedRxPort(without_clock, {}, 1, kBuffers).time_now(), 0u);
}

TEST(ImpairedRxPort, GivesTheSameForTheSameSeed) {
  const std::uint64_t day = test::seed();
  const auto bursts = [day](std::uint64_t seed) {
    MemoryRxPort inner;
    push_random_day(inner, day);
    ImpairedRxPort port(inner, kAll, seed, kBuffers);
    return all(port);
  };
  EXPECT_EQ(bursts(1), bursts(1));
  EXPECT_NE(bursts(1), bursts(2));
}

TEST(ImpairedRxPort, IsRecordedBehindItsImpairmentsSoThatTheReplayHasTheSameBursts) {
  const TemporaryFolder folder;
  Arena arena(RecordingRxPort::bytes_for(), HugepagePolicy::off);
  MemoryRxPort inner;
  push_random_day(inner, test::seed());
  ImpairedRxPort impaired(inner, kAll, 1, kBuffers);
  RecordingRxPort recorder(impaired, arena, kMidnight, kOpen);
  recorder.begin(folder.file("r.pcap"), {{2, 0, 0, 0, 0, 1}, {1, 2, 3}, {}, true});
  const std::vector<Seen> recorded = all(recorder);
  ASSERT_EQ(recorder.finish(), "");
  EXPECT_GT(impaired.counters().get(Count::lost), 0u);
  EXPECT_GT(impaired.counters().get(Count::reordered), 0u);

  CaptureRxPort capture(folder.file("r.pcap"), kMidnight);
  EXPECT_TRUE(capture.impaired());
  std::vector<Seen> replayed = all(capture);
  EXPECT_EQ(capture.error(), "");
  ASSERT_EQ(replayed.size(), recorded.size());
  for (std::size_t i = 0; i < recorded.size(); ++i) {
    if (recorded[i].out_of_band) {
      EXPECT_TRUE(replayed[i].out_of_band);
      replayed[i].frames = recorded[i].frames;  // but for the recording's tag
    }
    EXPECT_EQ(replayed[i], recorded[i]) << i;
  }
}

// ---- Out ---------------------------------------------------------------------------------------------------------

FrameOrigin at(std::uint64_t cause, TimeNs time_ns) { return {Sequence{cause}, time_ns, 1}; }

struct Out {
  std::uint32_t number;
  std::uint64_t cause;
  TimeNs time_ns;
  bool operator==(const Out&) const = default;
};

std::vector<Out> taken(MemoryTxPort& port) {
  std::vector<Out> frames;
  for (const MemoryTxPort::Sent& sent : port.take_frames()) {
    EXPECT_EQ(sent.origin.rank, 1);
    frames.push_back({number_of(sent.bytes.data()), sent.origin.cause.value, sent.origin.time_ns});
  }
  return frames;
}

TEST(ImpairedTxPort, IsNotThereWithoutImpairments) {
  std::mt19937_64 random(test::seed());
  MemoryTxPort plain;
  MemoryTxPort inner;
  ImpairedTxPort port(inner, {}, 1, kBuffers);
  TimeNs now = kOpen;
  for (std::uint32_t i = 0; i < 5'000; ++i) {
    const std::size_t lengths[] = {kMinFrame, kMaxFrame, 18 + random() % (kMaxFrame - 17)};
    const FrameBytes frame = numbered_frame(i, lengths[random() % 3]);
    now += random() % 3;
    ASSERT_TRUE(send(plain, frame, at(i, now)));
    ASSERT_TRUE(send(port, frame, at(i, now)));
    if (random() % 10 == 0) port.flush();
  }
  plain.flush();
  port.flush();
  EXPECT_FALSE(port.holds());
  const auto expected = plain.take_frames();
  const auto sent = inner.take_frames();
  ASSERT_EQ(sent.size(), expected.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(sent[i].bytes, expected[i].bytes);
    EXPECT_EQ(sent[i].origin.cause, expected[i].origin.cause);
    EXPECT_EQ(sent[i].origin.time_ns, expected[i].origin.time_ns);
    EXPECT_EQ(sent[i].origin.rank, expected[i].origin.rank);
  }
}

TEST(ImpairedTxPort, SendsADelayedFrameBeforeTheFirstOneThatIsLater) {
  MemoryTxPort inner;
  ImpairedTxPort port(inner, {.delay_ns = kMs}, 1, kBuffers);
  send(port, numbered_frame(1), at(1, kOpen));
  send(port, numbered_frame(2), at(2, kOpen + 1));
  port.flush();
  EXPECT_TRUE(taken(inner).empty());
  EXPECT_FALSE(port.unsent());
  EXPECT_TRUE(port.holds());
  send(port, numbered_frame(3), at(7, kOpen + kMs));
  port.flush();
  EXPECT_EQ(taken(inner), (std::vector<Out>{{1, 7, kOpen + kMs}}));
  port.let_go();
  const std::uint64_t last = UINT64_MAX;
  EXPECT_EQ(taken(inner), (std::vector<Out>{{2, last, kOpen + kMs + 1}, {3, last, kOpen + 2 * kMs}}));
  EXPECT_FALSE(port.holds());
}

TEST(ImpairedTxPort, SendsADelayedFrameWhenItsClockHasPassedIt) {
  std::atomic<TimeNs> clock{kOpen};
  MemoryTxPort inner;
  ImpairedTxPort port(inner, {.delay_ns = kMs}, 1, kBuffers, &clock);
  EXPECT_TRUE(port.wants_flush());                  // at each poll
  send(port, numbered_frame(1), at(1, kOpen - 5));  // the clock is ahead of what caused it
  port.flush();
  clock = kOpen + kMs - 1;
  port.flush();
  EXPECT_TRUE(taken(inner).empty());
  clock = kOpen + kMs;
  port.flush();
  EXPECT_EQ(taken(inner), (std::vector<Out>{{1, 1, kOpen + kMs}}));
}

TEST(ImpairedTxPort, LosesNothingToAnInnerPortWithoutRoom) {
  MemoryTxPort inner;
  ImpairedTxPort port(inner, {}, 1, kBuffers);
  inner.set_room(0);
  std::uint32_t sent = 0;
  while (send(port, numbered_frame(sent), at(sent, kOpen + sent))) ++sent;
  EXPECT_GE(sent, 2 * kMaxBurst);  // its own and the inner port's
  EXPECT_EQ(port.reserve(), nullptr);
  EXPECT_TRUE(port.unsent());
  for (std::uint32_t i = 0; i < sent; i += 5) {
    inner.set_room(5);
    port.flush();
  }
  inner.set_unlimited_room();
  port.flush();
  EXPECT_FALSE(port.holds());
  const std::vector<Out> out = taken(inner);
  ASSERT_EQ(out.size(), sent);
  for (std::uint32_t i = 0; i < sent; ++i) EXPECT_EQ(out[i], (Out{i, i, kOpen + i}));
  EXPECT_EQ(port.counters().get(Count::frames), sent);
}

TEST(ImpairedTxPort, KeepsTheReservedBufferUntilItIsCommitted) {
  MemoryTxPort inner;
  ImpairedTxPort port(inner, {}, 1, kBuffers);
  send(port, numbered_frame(1), at(1, kOpen));
  send(port, numbered_frame(2), at(2, kOpen));
  std::uint8_t* const reserved = port.reserve();
  EXPECT_EQ(port.flush(), 2u);
  EXPECT_EQ(port.reserve(), reserved);
}

/// Placement and speed decide how many frames wait when a stage flushes: they may not decide what comes out.
TEST(ImpairedTxPort, SendsTheSameHoweverManyFramesWaitForEachFlush) {
  const std::uint64_t seed = test::seed();
  const auto out = [seed](std::uint64_t flush_one_in) {
    std::mt19937_64 random(seed);
    std::mt19937_64 flushes(seed + flush_one_in);
    MemoryTxPort inner;
    ImpairmentConfig config = kAll;
    config.rate_bits_per_s = 100'000'000;
    config.queue_bytes = 10'000;
    ImpairedTxPort port(inner, config, 1, kBuffers);
    TimeNs now = kOpen;
    for (std::uint32_t i = 0; i < 5'000; ++i) {
      now += random() % 50'000;
      EXPECT_TRUE(send(port, numbered_frame(i, kMinFrame + random() % 1'000), at(i, now)));
      if (flushes() % flush_one_in == 0) port.flush();
    }
    port.let_go();
    std::vector<std::pair<FrameBytes, TimeNs>> sent;
    std::uint64_t cause = 0;
    for (const MemoryTxPort::Sent& frame : inner.frames()) {
      EXPECT_GE(frame.origin.cause.value, cause);  // a capture is written by causes
      cause = frame.origin.cause.value;
      sent.emplace_back(frame.bytes, frame.origin.time_ns);
    }
    for (const Count counter : {Count::lost, Count::lost_in_burst, Count::queue_full, Count::reordered}) {
      EXPECT_GT(port.counters().get(counter), 0u);
    }
    return sent;
  };
  const auto once = out(1);
  EXPECT_TRUE(once == out(7));
  EXPECT_TRUE(once == out(1'000'000));
}

TEST(ImpairedTxPort, FlushesTheInnerPortForWhatIsItsOwnAndTellsItsTime) {
  class CalledPort final : public TxPort {
   public:
    CalledPort() { called_ = true; }
    std::size_t flush() override { return called_ = false; }
    TimeNs time_now() override { return kOpen; }

   private:
    bool refill() override { return false; }
  };
  CalledPort inner;
  ImpairedTxPort port(inner, {}, 1, kBuffers);
  EXPECT_TRUE(port.wants_flush());
  port.flush();
  EXPECT_FALSE(inner.wants_flush());
  EXPECT_EQ(port.time_now(), kOpen);
}

}  // namespace
}  // namespace crosswire::impaired_port_test
