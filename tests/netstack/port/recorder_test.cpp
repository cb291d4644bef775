// The recorder: what it wrote, replayed, is what the inner port handed on; nothing is lost when the ring is full.
#include "netstack/port/recorder.hpp"

#include <sys/resource.h>

#include <csignal>
#include <random>

#include "port_testing.hpp"

namespace crosswire {
namespace {

constexpr std::size_t kSmallRing = std::size_t{1} << 17;

class Recordings : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::string path_ = folder_.file("r.pcap");
  Arena arena_{RecordingRxPort::bytes_for(kSmallRing), HugepagePolicy::off};
};

TEST_F(Recordings, ReplayToTheSameBurstsStartAndEnd) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
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
}  // namespace crosswire
