// The recorder: what it wrote, replayed, is what the inner port handed on; a disk that is slow, full or gone with its
// process costs the recording's end and nothing else.
#include "netstack/port/recorder.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include "port_testing.hpp"
#include "tests/seed.hpp"

namespace crosswire::recorder_test {
namespace {

constexpr std::size_t kSmallRing = std::size_t{1} << 17;

/// A port with a clock that the test sets: a burst of one numbered frame at each call.
class ClockedPort final : public RxPort {
 public:
  RxBurst receive() override {
    frame_ = numbered_frame(++handed_on, kMaxFrame);
    view_ = {frame_.data(), static_cast<std::uint32_t>(frame_.size())};
    return {{&view_, 1}, ++clock_ns, false};
  }
  TimeNs time_now() override { return clock_ns; }

  TimeNs clock_ns = kOpen;
  std::uint32_t handed_on = 0;

 private:
  FrameBytes frame_;
  RxFrame view_{};
};

class Recordings : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::string path_ = folder_.file("r.pcap");
  Arena arena_{RecordingRxPort::bytes_for(kSmallRing), HugepagePolicy::off};
};

TEST_F(Recordings, ReplayToTheSameBurstsStartAndEnd) {
  const auto seed = static_cast<unsigned>(test::seed());
  std::mt19937 random(seed);
  MemoryRxPort source;
  TimeNs time_ns = kOpen + 10;
  // Several times the ring, so that it wraps and holds back.
  for (std::uint32_t burst = 0, number = 0; burst < 200; ++burst) {
    std::vector<FrameBytes> frames(random() % (kMaxBurst + 1));
    for (FrameBytes& frame : frames) frame = numbered_frame(number++, 18 + random() % (kMaxFrame - 17));
    source.push_burst(time_ns += 1 + random() % 3, std::move(frames));
  }
  source.end(time_ns + 5);

  RecordingRxPort recorder(source, arena_, kMidnight, kOpen, kSmallRing);
  recorder.begin(path_);
  const SeenRun seen = play(recorder);
  EXPECT_EQ(recorder.finish(), "");
  EXPECT_EQ(recorder.finish(), "");

  CaptureRxPort capture(path_, kMidnight, kOpen + kNsPerSecond);
  const SeenRun replayed = play(capture);
  EXPECT_EQ(capture.start_time_ns(), kOpen);
  EXPECT_EQ(replayed.bursts, seen.bursts);
  EXPECT_EQ(replayed.end_ns, time_ns + 5);
  EXPECT_EQ(capture.error(), "");
}

TEST_F(Recordings, HoldOperatorsCommandsUnderTheirTagAndReplayThemOutOfBand) {
  constexpr wire::RecordingTag kTag = {9, 8, 7};
  wire::OperatorFrame command{};
  command.ether_type = wire::kRecorderEtherType;
  command.version = wire::OperatorFrame::kVersion;
  command.request = 42;
  const wire::Bytes bytes = wire::bytes_of(command);
  MemoryRxPort source;
  source.push_burst(kOpen + 1, {numbered_frame(1)});
  source.push_operator(kOpen + 2, {bytes.begin(), bytes.end()});
  source.end(kOpen + 3);
  RecordingRxPort recorder(source, arena_, kMidnight, kOpen, kSmallRing);
  recorder.begin(path_, {{}, kTag});
  play(recorder);
  EXPECT_EQ(recorder.finish(), "");

  CaptureRxPort capture(path_, kMidnight);
  EXPECT_FALSE(capture.receive().out_of_band);
  const RxBurst burst = capture.receive();
  EXPECT_TRUE(burst.out_of_band);
  ASSERT_EQ(burst.frames.size(), 1u);
  const auto* const seen = wire::view_as<wire::OperatorFrame>({burst.frames[0].data, burst.frames[0].length});
  ASSERT_NE(seen, nullptr);
  EXPECT_EQ(seen->tag, kTag);
  EXPECT_EQ(seen->request, 42u);
}

TEST_F(Recordings, HoldTheDaysEndAndWhatCameBehindIt) {
  constexpr wire::RecordingTag kTag = {9, 8, 7};
  MemoryRxPort source;
  source.push_burst(kOpen + 1, {numbered_frame(1)});
  source.end_day(kOpen + 2);
  source.push_burst(kOpen + 3, {numbered_frame(2)});
  source.end(kOpen + 5);
  RecordingRxPort recorder(source, arena_, kMidnight, kOpen, kSmallRing);
  recorder.begin(path_, {{}, kTag});
  play(recorder);
  EXPECT_EQ(recorder.finish(), "");

  CaptureRxPort capture(path_, kMidnight, kOpen + kNsPerSecond);
  capture.linger(kNsPerSecond);
  EXPECT_EQ(capture.receive().frames.size(), 1u);
  const RxBurst end = capture.receive();
  EXPECT_TRUE(end.day_ended);
  EXPECT_EQ(end.time_ns, kOpen + 2);
  EXPECT_EQ(capture.receive().time_ns, kOpen + 3);
  const RxBurst ended = capture.receive();
  EXPECT_TRUE(ended.ended);
  EXPECT_EQ(ended.time_ns, kOpen + 5);
}

TEST_F(Recordings, HoldTheirOneEndMarkerHoweverOftenTheEndIsPolled) {
  MemoryRxPort source;
  source.push_burst(kOpen + 1, {numbered_frame(1)});
  source.end(kOpen + 2);
  RecordingRxPort recorder(source, arena_, kMidnight, kOpen, kSmallRing);
  recorder.begin(path_);
  play(recorder);
  EXPECT_TRUE(recorder.receive().ended);
  EXPECT_TRUE(recorder.receive().ended);
  EXPECT_EQ(recorder.finish(), "");
  EXPECT_EQ(contents(path_).size(), 24 + 3 * 16 + kStartMarkerLength + 60 + kEndMarkerLength);
}

TEST_F(Recordings, WithoutAnEndAreStillWholeCaptures) {
  MemoryRxPort source;
  source.push_burst(kOpen + 1, {numbered_frame(1)});
  RecordingRxPort recorder(source, arena_, kMidnight, kOpen, kSmallRing);
  recorder.begin(path_);
  recorder.receive();
  EXPECT_EQ(recorder.finish(), "");
  CaptureRxPort capture(path_, kMidnight);
  EXPECT_EQ(play(capture).bursts, (std::vector<SeenBurst>{{kOpen + 1, {numbered_frame(1)}}}));
}

TEST_F(Recordings, CannotBeginWhereTheFileCannotBeWritten) {
  MemoryRxPort source;
  RecordingRxPort recorder(source, arena_, kMidnight, kOpen, kSmallRing);
  EXPECT_THROW(recorder.begin(folder_.file("no/such/r.pcap")), std::runtime_error);
}

TEST_F(Recordings, DoNotStopTheExchangeWhenTheDiskIsFull) {
  MemoryRxPort source;
  constexpr std::size_t kBursts = 100;
  for (std::size_t i = 0; i < kBursts; ++i) {
    source.push_burst(kOpen + i, std::vector<FrameBytes>(kMaxBurst, numbered_frame(1, kMaxFrame)));
  }
  source.end(kOpen + kBursts);
  // A file that may not grow beyond this stands for a disk that fills up.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{kMaxFrame, before.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);
  testing::internal::CaptureStderr();
  RecordingRxPort recorder(source, arena_, kMidnight, kOpen, kSmallRing);
  recorder.begin(path_);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_EQ(play(recorder).bursts.size(), kBursts);
  const std::string error = recorder.finish();
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_NE(error.find(path_ + ": cannot be written: "), std::string::npos) << error;
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("recording broken off"), std::string::npos) << said;
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  EXPECT_FALSE(recorder.going_on());
}

TEST_F(Recordings, AreBrokenOffAndTheExchangeGoesOnWhenTheRingHasBeenFullFor100Ms) {
  // A pipe that nobody reads stands for a disk that takes nothing.
  const std::string pipe = folder_.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  ClockedPort source;
  RecordingRxPort recorder(source, arena_, kMidnight, kOpen, kSmallRing);
  testing::internal::CaptureStderr();
  recorder.begin(pipe);
  // A millisecond of the port's time for each poll that finds no room: a hundred in a row are the end.
  TimeNs last_ns = kOpen;
  std::uint32_t recorded = 0;
  while (recorder.going_on()) {
    const RxBurst burst = recorder.receive();
    EXPECT_GE(burst.time_ns, last_ns);
    last_ns = burst.time_ns;
    if (!burst.frames.empty()) {
      recorded = number_of(burst.frames[0].data);
      continue;
    }
    EXPECT_EQ(burst.time_ns, source.clock_ns) << "time stands still";
    source.clock_ns += 1'000'000;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  EXPECT_GE(recorder.counters().get(RecorderCounter::recorder_held_back), 100u);
  EXPECT_EQ(recorded, source.handed_on) << "nothing is lost before";
  EXPECT_EQ(recorder.receive().frames.size(), 1u) << "from then on frames are handed on unrecorded";

  // The disk comes to life again: what was in the ring is written.
  std::string written;
  std::jthread drain([&] {
    char part[65536];
    for (ssize_t n = -1; n != 0;) {
      n = read(reader, part, sizeof part);
      if (n > 0) written.append(part, static_cast<std::size_t>(n));
      if (n < 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  EXPECT_NE(recorder.finish().find("pipe: the disk has taken too little for 100 ms"), std::string::npos);
  drain.join();
  close(reader);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("recording broken off: "), std::string::npos) << said;
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;

  put_contents(path_, written);
  CaptureRxPort capture(path_, kMidnight);
  const SeenRun run = play(capture);
  ASSERT_EQ(run.bursts.size(), recorded);
  EXPECT_EQ(run.bursts.back().frames, (std::vector<FrameBytes>{numbered_frame(recorded, kMaxFrame)}));
  EXPECT_NE(capture.broken_off().find("the recording was broken off at 2023-11-15 09:30:00."), std::string::npos)
      << capture.broken_off();
}

TEST_F(Recordings, TellTimeOnlyWhereTheInnerPortHasAClock) {
  MemoryRxPort source;
  for (TimeNs i = 1; i <= 10; ++i) {
    source.push_burst(kOpen + i, std::vector<FrameBytes>(kMaxBurst, numbered_frame(1, kMaxFrame)));
  }
  RecordingRxPort recorder(source, arena_, kMidnight, kOpen, kSmallRing);  // nobody takes anything out of the ring
  TimeNs last_ns = 0;
  for (int i = 0; i < 1'000; ++i) {
    const RxBurst burst = recorder.receive();
    EXPECT_GE(burst.time_ns, last_ns);
    last_ns = burst.time_ns;
  }
  EXPECT_TRUE(recorder.going_on());
  EXPECT_GT(recorder.counters().get(RecorderCounter::recorder_held_back), 990u);
}

TEST_F(Recordings, AreTheirOwnersAloneAndHaveTheSecretOfTcp) {
  MemoryRxPort source;
  RecordingRxPort recorder(source, arena_, kMidnight, kOpen, kSmallRing);
  recorder.begin(path_, {{}, {7}, {}, false, std::array<std::uint64_t, 2>{5, 6}});
  EXPECT_EQ(recorder.finish(), "");
  EXPECT_EQ(std::filesystem::status(path_).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(CaptureRxPort(path_, kMidnight).tcp_secret(), (std::array<std::uint64_t, 2>{5, 6}));
}

TEST_F(Recordings, HoldTheReferencePricesThatTheirRunBeganWith) {
  RecordingStart start{{}, {7}, {}};
  for (std::uint32_t i = 0; i < 1'000; ++i) {
    std::string name = "S" + std::to_string(i);
    name.resize(8, ' ');
    ReferencePrice& reference = start.references.emplace_back();
    std::copy(name.begin(), name.end(), reference.symbol.begin());
    reference.price = Price{i + 1};
  }
  MemoryRxPort source;
  source.push_burst(kOpen + 1, {numbered_frame(1)});
  source.end(kOpen + 2);
  RecordingRxPort recorder(source, arena_, kMidnight, kOpen, kSmallRing);
  recorder.begin(path_, start);
  play(recorder);
  EXPECT_EQ(recorder.finish(), "");
  CaptureRxPort capture(path_, kMidnight);
  EXPECT_EQ(capture.references(), start.references);
  EXPECT_EQ(capture.start_time_ns(), kOpen);
  EXPECT_EQ(play(capture).bursts, (std::vector<SeenBurst>{{kOpen + 1, {numbered_frame(1)}}}));
}

/// What a process that is to be killed tells its parent.
struct HandedOn {
  std::atomic<std::uint32_t> number;         // of the last frame
  std::atomic<std::uint32_t> number_before;  // of the last one of kSure ago and more
};

/// Records a frame each millisecond, until it is killed.
[[noreturn]] void record_until_killed(const std::string& path, HandedOn& told) {
  using Clock = std::chrono::steady_clock;
  // What is promised, and a little for a writer that was without a core just then.
  constexpr std::chrono::milliseconds kSure{100 + 50};
  Arena arena(RecordingRxPort::bytes_for(kSmallRing), HugepagePolicy::off);
  ClockedPort source;
  RecordingRxPort recorder(source, arena, kMidnight, kOpen, kSmallRing);
  recorder.begin(path);
  std::vector<Clock::time_point> times = {Clock::now()};
  std::uint32_t sure = 0;
  while (true) {
    if (!recorder.receive().frames.empty()) times.push_back(Clock::now());
    while (sure + 1 < times.size() && Clock::now() - times[sure + 1] >= kSure) ++sure;
    told.number_before.store(sure);
    told.number.store(source.handed_on);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST_F(Recordings, OfAKilledProcessLackNoMoreThanItsLastTenthOfASecond) {
  void* const shared = mmap(nullptr, sizeof(HandedOn), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  HandedOn& told = *new (shared) HandedOn{};
  // A busy machine may keep a thread from its core for longer than what is measured: then again.
  constexpr int kTries = 20;
  bool in_time = false;
  for (int i = 0; i < kTries && !in_time; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) record_until_killed(path_, told);
    std::this_thread::sleep_for(std::chrono::milliseconds(480));  // not far from a half of a second
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);

    CaptureRxPort capture(path_, kMidnight);
    const SeenRun run = play(capture);
    EXPECT_EQ(capture.error(), "");
    EXPECT_NE(capture.broken_off(), "");
    std::uint32_t number = 0;
    for (const SeenBurst& burst : run.bursts) {
      EXPECT_EQ(burst.frames, (std::vector<FrameBytes>{numbered_frame(++number, kMaxFrame)})) << "whole, in order";
    }
    EXPECT_LE(number, told.number.load() + 1);
    in_time = told.number_before.load() > 0 && number >= told.number_before.load();
  }
  EXPECT_TRUE(in_time);
  munmap(shared, sizeof(HandedOn));
}

TEST_F(Recordings, CannotBeginOnAFullDisk) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full to write to";
  MemoryRxPort source;
  RecordingRxPort recorder(source, arena_, kMidnight, kOpen, kSmallRing);
  EXPECT_THROW(recorder.begin("/dev/full"), std::runtime_error);
}

TEST_F(Recordings, HoldTheirStartFromTheBeginningAndSoonWhatCame) {
  MemoryRxPort source;
  source.push_burst(kOpen + 1, {numbered_frame(1)});
  RecordingRxPort recorder(source, arena_, kMidnight, kOpen, kSmallRing);
  recorder.begin(path_);
  EXPECT_EQ(contents(path_).size(), 24 + 16 + kStartMarkerLength);
  recorder.receive();
  for (int i = 0; i < 6'000 && contents(path_).size() == 24 + 16 + kStartMarkerLength; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(contents(path_).size(), 24 + 2 * 16 + kStartMarkerLength + 60);  // as a killed process leaves it
}

TEST(RecordRing, HoldsTheProducerBackUntilTheConsumerHasTaken) {
  Arena arena(Arena::bytes_for<std::uint8_t>(kSmallRing), HugepagePolicy::off);
  RecordRing ring(arena, kSmallRing);
  constexpr std::size_t kRecord = RecordRing::record_bytes(kMaxFrame);
  std::uint32_t appended = 0;
  std::uint32_t consumed = 0;
  RecordRing::Header header{};
  FrameBytes frame(kMaxFrame);
  // Three times around, each time until nothing fits.
  for (int round = 0; round < 3; ++round) {
    for (; ring.has_room(kRecord); ++appended) {
      ring.append({appended, kMaxFrame, 7}, numbered_frame(appended, kMaxFrame).data());
    }
    EXPECT_EQ(appended - consumed, kSmallRing / kRecord);
    EXPECT_FALSE(ring.take(header, frame.data())) << "not before publish()";
    ring.publish();
    for (; ring.take(header, frame.data()); ++consumed) {
      EXPECT_EQ(header.time_ns, consumed);
      EXPECT_EQ(header.kind, 7u);
      EXPECT_EQ(frame, numbered_frame(consumed, kMaxFrame));
    }
    EXPECT_EQ(consumed, appended);
  }
}

}  // namespace
}  // namespace crosswire::recorder_test
