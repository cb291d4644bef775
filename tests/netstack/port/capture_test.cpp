// Captures in and out: times to the nanosecond, bursts, markers, order, and every way in which a file can be broken.
#include "netstack/port/capture.hpp"

#include "port_testing.hpp"

namespace crosswire::capture_test {
namespace {

constexpr std::size_t kFileHeader = 24;
constexpr std::size_t kFrameHeader = 16;

struct Timed {
  TimeNs time_ns;
  FrameBytes bytes;
};

std::string write_capture(const std::string& path, const std::vector<Timed>& frames) {
  CaptureWriter writer(path);
  for (const Timed& frame : frames) writer.write(kMidnight + static_cast<std::int64_t>(frame.time_ns), frame.bytes);
  EXPECT_EQ(writer.close(), "");
  return path;
}

template <class Array>
FrameBytes bytes(const Array& array) {
  return {array.begin(), array.end()};
}

std::string reason_not_to_open(const std::string& path) {
  try {
    const CaptureRxPort port(path, kMidnight);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

class Captures : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::string path_ = folder_.file("a.pcap");
};

TEST_F(Captures, GiveBackFramesAndTimesToTheNanosecond) {
  write_capture(path_, {{kOpen, numbered_frame(1)},
                        {kOpen + 1, numbered_frame(2, 14)},
                        {kOpen + 999'999'999, numbered_frame(3, kMaxFrame)}});
  CaptureRxPort port(path_, kMidnight);
  EXPECT_EQ(port.start_time_ns(), kOpen);
  const SeenRun run = play(port);
  const std::vector<SeenBurst> expected = {{kOpen, {numbered_frame(1)}},
                                           {kOpen + 1, {numbered_frame(2, 14)}},
                                           {kOpen + 999'999'999, {numbered_frame(3, kMaxFrame)}}};
  EXPECT_EQ(run.bursts, expected);
  EXPECT_EQ(run.end_ns, kOpen + 999'999'999);
  EXPECT_EQ(port.error(), "");
  EXPECT_EQ(port.counters().get(CaptureCounter::frames), 3u);
}

TEST_F(Captures, AreClassicPcapInNanosecondsAndEthernet) {
  write_capture(path_, {{kOpen + 5, numbered_frame(1)}});
  const std::string file = contents(path_);
  ASSERT_EQ(file.size(), kFileHeader + kFrameHeader + 60);
  const std::string header("\x4D\x3C\xB2\xA1\x02\x00\x04\x00\0\0\0\0\0\0\0\0\xFF\xFF\x00\x00\x01\x00\x00\x00", 24);
  EXPECT_EQ(file.substr(0, kFileHeader), header);
  std::uint32_t words[4];
  std::memcpy(words, file.data() + kFileHeader, sizeof words);
  EXPECT_EQ(words[0], static_cast<std::uint32_t>(kMidnight / 1'000'000'000) + 34'200);
  EXPECT_EQ(words[1], 5u);
  EXPECT_EQ(words[2], 60u);
  EXPECT_EQ(words[3], 60u);
}

TEST_F(Captures, GroupUpTo32ConsecutiveFramesOfOneTimestamp) {
  std::vector<Timed> frames;
  for (std::uint32_t i = 0; i < 33; ++i) frames.push_back({kOpen, numbered_frame(i)});
  frames.push_back({kOpen + 1, numbered_frame(33)});
  frames.push_back({kOpen + 1, numbered_frame(34)});
  write_capture(path_, frames);
  CaptureRxPort port(path_, kMidnight);
  const SeenRun run = play(port);
  ASSERT_EQ(run.bursts.size(), 3u);
  EXPECT_EQ(run.bursts[0].frames.size(), 32u);
  EXPECT_EQ(run.bursts[1].frames.size(), 1u);
  EXPECT_EQ(run.bursts[1].time_ns, kOpen);
  EXPECT_EQ(run.bursts[2].frames.size(), 2u);
  std::uint32_t next = 0;
  for (const SeenBurst& burst : run.bursts) {
    for (const FrameBytes& frame : burst.frames) EXPECT_EQ(frame, numbered_frame(next++));
  }
}

TEST_F(Captures, PlayTheScheduleToItsEndAfterTheLastFrame) {
  write_capture(path_, {{kOpen, numbered_frame(1)}});
  CaptureRxPort before(path_, kMidnight, kOpen + 100);
  EXPECT_EQ(play(before).end_ns, kOpen + 100);
  CaptureRxPort after(path_, kMidnight, kOpen - 100);
  EXPECT_EQ(play(after).end_ns, kOpen);
  const RxBurst again = after.receive();
  EXPECT_TRUE(again.ended);
  EXPECT_EQ(again.time_ns, kOpen);
}

TEST_F(Captures, SwallowTheMarkersAndTakeTheirTimes) {
  write_capture(path_,
                {{kOpen - 7, bytes(start_marker())}, {kOpen, numbered_frame(1)}, {kOpen + 9, bytes(end_marker())}});
  CaptureRxPort port(path_, kMidnight, kOpen + 1'000);
  EXPECT_EQ(port.start_time_ns(), kOpen - 7);
  const SeenRun run = play(port);
  EXPECT_EQ(run.bursts, (std::vector<SeenBurst>{{kOpen, {numbered_frame(1)}}}));
  EXPECT_EQ(run.end_ns, kOpen + 9) << "the end marker wins over the schedule";
  EXPECT_EQ(port.station(), (std::array<std::uint8_t, 6>{})) << "a marker need not say whose run it was";
}

TEST_F(Captures, TellWhoseRunWasRecorded) {
  const std::array<std::uint8_t, 6> station = {2, 0, 0, 0, 0xAB, 9};
  write_capture(path_, {{kOpen - 7, bytes(start_marker({station, {}}))}, {kOpen, numbered_frame(1)}});
  CaptureRxPort port(path_, kMidnight);
  EXPECT_EQ(port.station(), station);
  EXPECT_EQ(port.start_time_ns(), kOpen - 7);
  EXPECT_EQ(play(port).bursts.size(), 1u) << "the marker is no frame";
}

/// An operator's command as a recording with `tag` has it.
std::vector<std::uint8_t> operators_frame(std::uint64_t request, const wire::RecordingTag& tag) {
  wire::OperatorFrame frame{};
  frame.ether_type = wire::kRecorderEtherType;
  frame.tag = tag;
  frame.version = wire::OperatorFrame::kVersion;
  frame.request = request;
  const wire::Bytes bytes = wire::bytes_of(frame);
  return {bytes.begin(), bytes.end()};
}
constexpr wire::RecordingTag kTag = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

TEST_F(Captures, HandOperatorsCommandsOnOutOfBandEachInABurstOfItsOwn) {
  const auto command = operators_frame(1, kTag);
  write_capture(path_, {{kOpen, bytes(start_marker({{}, kTag}))},
                        {kOpen + 1, numbered_frame(1)},
                        {kOpen + 1, command},
                        {kOpen + 1, numbered_frame(2)},
                        {kOpen + 2, command}});
  CaptureRxPort port(path_, kMidnight);
  std::vector<bool> out_of_band;
  std::vector<std::size_t> lengths;
  for (RxBurst burst = port.receive(); !burst.ended; burst = port.receive()) {
    ASSERT_EQ(burst.frames.size(), 1u);
    out_of_band.push_back(burst.out_of_band);
    lengths.push_back(burst.frames[0].length);
  }
  EXPECT_EQ(out_of_band, (std::vector<bool>{false, true, false, true}));
  EXPECT_EQ(lengths[1], command.size());
}

TEST_F(Captures, EndTheDayWhereTheRecordingSaysSoAndThemselvesAtItsEnd) {
  write_capture(path_, {{kOpen, bytes(start_marker({{}, kTag}))},
                        {kOpen + 1, numbered_frame(1)},
                        {kOpen + 1, bytes(day_end_marker(kTag))},
                        {kOpen + 1, bytes(day_end_marker({9}))},
                        {kOpen + 7, bytes(end_marker())}});
  CaptureRxPort port(path_, kMidnight, kOpen + 1'000);
  port.linger(500);
  EXPECT_FALSE(port.receive().day_ended);
  const RxBurst end = port.receive();
  EXPECT_TRUE(end.day_ended && end.frames.empty() && !end.ended);
  EXPECT_EQ(end.time_ns, kOpen + 1);
  const RxBurst behind = port.receive();
  EXPECT_EQ(behind.frames.size(), 1u) << "with another tag it is a frame like any other";
  EXPECT_FALSE(behind.day_ended);
  const RxBurst ended = port.receive();
  EXPECT_TRUE(ended.ended);
  EXPECT_EQ(ended.time_ns, kOpen + 7) << "it lingered for as long as the run did";
}

TEST_F(Captures, LingerBehindTheScheduleWhereNothingSaysWhenTheyEnded) {
  write_capture(path_, {{kOpen, numbered_frame(1)}, {kOpen + 1, bytes(day_end_marker({}))}});
  CaptureRxPort port(path_, kMidnight, kOpen + 1'000);
  port.linger(500);
  EXPECT_EQ(port.receive().frames.size(), 1u);
  EXPECT_EQ(port.receive().frames.size(), 1u) << "without a start marker there is none for the day's end either";
  const RxBurst end = port.receive();
  EXPECT_TRUE(end.day_ended && !end.ended);
  EXPECT_EQ(end.time_ns, kOpen + 1'000);
  for (int i = 0; i < 2; ++i) {
    const RxBurst ended = port.receive();
    EXPECT_TRUE(ended.ended && !ended.day_ended);
    EXPECT_EQ(ended.time_ns, kOpen + 1'500);
  }
}

TEST_F(Captures, CutOffBehindTheDaysEndLingerFromThere) {
  write_capture(path_, {{kOpen, bytes(start_marker({{}, kTag}))},
                        {kOpen + 1, bytes(day_end_marker(kTag))},
                        {kOpen + 9, numbered_frame(1)}});
  CaptureRxPort port(path_, kMidnight, kOpen + 1'000);
  port.linger(500);
  EXPECT_TRUE(port.receive().day_ended);
  EXPECT_EQ(port.receive().frames.size(), 1u);
  const RxBurst ended = port.receive();
  EXPECT_TRUE(ended.ended);
  EXPECT_EQ(ended.time_ns, kOpen + 501);
}

TEST_F(Captures, TakeAnOperatorsCommandWithoutTheirTagForAnOrdinaryFrame) {
  wire::RecordingTag other = kTag;
  other[15] ^= 1;
  write_capture(path_, {{kOpen, bytes(start_marker({{}, kTag}))},
                        {kOpen + 1, operators_frame(1, other)},
                        {kOpen + 2, operators_frame(1, {})}});
  CaptureRxPort port(path_, kMidnight);
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(port.receive().out_of_band) << i;
}

TEST_F(Captures, EndAtAnOperatorsCommandOfAnotherVersion) {
  std::vector<std::uint8_t> longer = operators_frame(1, kTag);
  longer.push_back(0);
  std::vector<std::uint8_t> newer = operators_frame(1, kTag);
  newer[31] = wire::OperatorFrame::kVersion + 1;
  for (const auto& unknown : {longer, newer}) {
    write_capture(path_,
                  {{kOpen, bytes(start_marker({{}, kTag}))}, {kOpen + 1, numbered_frame(1)}, {kOpen + 2, unknown}});
    CaptureRxPort port(path_, kMidnight);
    EXPECT_EQ(port.receive().frames.size(), 1u);
    EXPECT_TRUE(port.receive().ended);
    EXPECT_NE(port.error().find("frame 3: an operator's command that this version does not know"), std::string::npos);
  }
}

TEST_F(Captures, HaveNoOperatorsCommandsWhereNoMarkerHasATag) {
  const wire::RecordingTag none{};
  write_capture(path_, {{kOpen, bytes(start_marker())}, {kOpen + 1, operators_frame(1, none)}});
  CaptureRxPort marked(path_, kMidnight);
  EXPECT_FALSE(marked.receive().out_of_band);
  write_capture(path_, {{kOpen + 1, operators_frame(1, none)}, {kOpen + 2, operators_frame(1, kTag)}});
  CaptureRxPort bare(path_, kMidnight);
  EXPECT_FALSE(bare.receive().out_of_band);
  EXPECT_FALSE(bare.receive().out_of_band);
}

TEST_F(Captures, TakenOnTheSendingHostHaveChecksumsThatAreTakenForNoneWhereAskedTo) {
  FrameBytes frame = {0x02, 0,  0,    0,    0,    1,    0x02, 0,  0,    0,    1,   1,   0x08, 0x00, 0x45, 0,
                      0,    33, 0,    1,    0x40, 0,    64,   17, 0,    0,    10,  99,  0,    100,  10,   99,
                      0,    1,  0x9C, 0x41, 0x67, 0x20, 0,    13, 0x15, 0x49, 'h', 'e', 'l',  'l',  'o'};
  write_capture(path_, {{kOpen, frame}});
  CaptureRxPort as_it_is(path_, kMidnight);
  EXPECT_EQ(bytes_of(as_it_is.receive().frames[0]), frame);
  CaptureRxPort settled(path_, kMidnight);
  settled.take_partial_checksums();
  frame[40] = frame[41] = 0;
  EXPECT_EQ(bytes_of(settled.receive().frames[0]), frame);
  EXPECT_EQ(settled.counters().get(CaptureCounter::checksum_partial), 1u);
}

/// What a port says when it has no frames (any more): "day 5, end 8", in nanoseconds since the open.
std::string ends_of(CaptureRxPort& port) {
  std::string text;
  RxBurst burst{};
  do {
    burst = port.receive();
    const std::string at = std::to_string(burst.time_ns - kOpen);
    if (burst.day_ended) text += "day " + at + ", ";
    if (burst.ended) text += "end " + at;
    EXPECT_TRUE(burst.frames.empty() || (!burst.day_ended && !burst.ended));
  } while (!burst.ended);
  EXPECT_TRUE(port.receive().ended);
  return text;
}

TEST_F(Captures, EndTheirDayAndThemselvesWhereTheirMarkersSayOrElseTheScheduleAndTheLinger) {
  const Timed start = {kOpen, bytes(start_marker({{}, kTag, {}}))};
  const Timed frame = {kOpen + 1, numbered_frame(1)};
  const Timed day_end = {kOpen + 5, bytes(day_end_marker(kTag))};
  const Timed behind = {kOpen + 6, numbered_frame(2)};
  const Timed end = {kOpen + 8, bytes(end_marker())};
  struct Case {
    std::vector<Timed> frames;
    TimeNs schedule_end_ns, linger_ns;
    std::string ends;
  };
  for (const Case& one : std::vector<Case>{
           {{start, frame, day_end, behind, end}, kOpen + 100, 3, "day 5, end 8"},
           {{start, frame, day_end, behind, end}, kOpen + 100, 0, "day 5, end 8"},
           {{start, frame, end}, kOpen + 100, 3, "end 8"},                     // of an older version
           {{start, frame, day_end, behind}, kOpen + 100, 3, "day 5, end 8"},  // broken off
           {{start, frame, day_end, behind}, kOpen + 100, 0, "day 5, end 6"},
           {{start, frame}, kOpen + 100, 3, "day 100, end 103"},
           {{start, frame}, kOpen + 100, 0, "end 100"},
           {{frame}, kOpen + 100, 3, "day 100, end 103"},  // of another tool
           {{frame}, 0, 3, "day 1, end 4"},
           {{frame}, 0, 0, "end 1"},
       }) {
    write_capture(path_, one.frames);
    CaptureRxPort port(path_, kMidnight, one.schedule_end_ns);
    port.linger(one.linger_ns);
    EXPECT_EQ(ends_of(port), one.ends) << one.frames.size() << " frames, linger " << one.linger_ns;
  }
}

TEST_F(Captures, TakeADayEndWithoutTheirTagOrASecondOneForAnOrdinaryFrame) {
  wire::RecordingTag other = kTag;
  other[15] ^= 1;
  for (const wire::RecordingTag& tag : {kTag, wire::RecordingTag{}}) {
    write_capture(path_, {{kOpen, bytes(start_marker({{}, tag, {}}))},
                          {kOpen + 1, bytes(day_end_marker(other))},
                          {kOpen + 2, bytes(day_end_marker({}))}});
    CaptureRxPort port(path_, kMidnight);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(port.receive().frames.size(), 1u) << i;
    EXPECT_TRUE(port.receive().ended);
  }
  write_capture(path_, {{kOpen, bytes(start_marker({{}, kTag, {}}))},
                        {kOpen + 1, bytes(day_end_marker(kTag))},
                        {kOpen + 2, bytes(day_end_marker(kTag))}});
  CaptureRxPort port(path_, kMidnight);
  EXPECT_TRUE(port.receive().day_ended);
  EXPECT_EQ(port.receive().frames.size(), 1u);
}

TEST_F(Captures, OfARecordingThatWasBrokenOffSayWhenAndLeaveOutWhatIsNotWhole) {
  write_capture(path_,
                {{kOpen, bytes(start_marker())}, {kOpen + 1, numbered_frame(1)}, {kOpen + 2, numbered_frame(2)}});
  const std::string whole = contents(path_);
  for (std::size_t length = whole.size() - 60 - kFrameHeader; length <= whole.size(); ++length) {
    put_contents(path_, whole.substr(0, length));
    CaptureRxPort port(path_, kMidnight);
    const std::size_t frames = length < whole.size() ? 1 : 2;
    EXPECT_EQ(play(port).bursts.size(), frames) << length;
    EXPECT_EQ(port.error(), "");
    EXPECT_EQ(port.broken_off(), path_ + ": the recording was broken off at 2023-11-15 09:30:00.00000000" +
                                     std::to_string(frames) +
                                     " UTC, the time of its last frame: what came behind that is not in it");
  }
}

TEST_F(Captures, ThatAreNoRecordingsAreNotBrokenOff) {
  write_capture(path_, {{kOpen, numbered_frame(1)}});
  CaptureRxPort port(path_, kMidnight);
  play(port);
  EXPECT_EQ(port.broken_off(), "");
}

/// A recording of frame `number`, behind reference frames of `references`.
std::vector<Timed> with_references(const std::vector<std::vector<std::uint8_t>>& references) {
  std::vector<Timed> frames = {{kOpen, bytes(start_marker({{}, kTag, {}}))}};
  for (const auto& reference : references) frames.push_back({kOpen, reference});
  frames.push_back({kOpen, numbered_frame(1)});
  return frames;
}

TEST_F(Captures, TakeReferencePricesWithTheirTagAloneAndOnlyBehindTheStart) {
  const std::vector<ReferencePrice> prices = {{{'A', 'A', ' ', ' ', ' ', ' ', ' ', ' '}, Price{1'000'000}}};
  wire::RecordingTag other = kTag;
  other[0] ^= 1;
  const auto of_other = reference_frames({{}, other, prices}).at(0);
  write_capture(path_, with_references({of_other}));
  CaptureRxPort strange(path_, kMidnight);
  EXPECT_TRUE(strange.references().empty());
  EXPECT_EQ(strange.receive().frames.size(), 2u);

  const auto own = reference_frames({{}, kTag, prices}).at(0);
  EXPECT_EQ(own.size(), 80u);
  std::vector<Timed> frames = with_references({own, own});
  frames.push_back({kOpen + 1, own});
  write_capture(path_, frames);
  CaptureRxPort port(path_, kMidnight);
  EXPECT_EQ(port.references(), (std::vector<ReferencePrice>{prices[0], prices[0]}));
  EXPECT_EQ(play(port).bursts,
            (std::vector<SeenBurst>{{kOpen, {numbered_frame(1)}}, {kOpen + 1, {FrameBytes(own.begin(), own.end())}}}));
  EXPECT_TRUE(reference_frames({{}, kTag, {}}).empty());
}

TEST_F(Captures, AreRefusedWithReferencePricesOfAnotherVersionOrBroken) {
  const std::vector<ReferencePrice> prices = {{{'A', 'A', ' ', ' ', ' ', ' ', ' ', ' '}, Price{1'000'000}}};
  const auto frame = reference_frames({{}, kTag, prices}).at(0);
  const auto with = [&](std::size_t at, std::uint8_t byte) {
    auto changed = frame;
    changed[at] = byte;
    return changed;
  };
  auto longer = frame;
  longer.push_back(0);
  // Version, count, a symbol's character, a price beyond the limit, a price of 0.
  for (const auto& broken : {with(46, 2), with(49, 2), with(49, 0), with(68, '\n'), with(76, 0xFF), longer,
                             reference_frames({{}, kTag, {{prices[0].symbol, Price{0}}}}).at(0)}) {
    write_capture(path_, with_references({broken}));
    EXPECT_EQ(reason_not_to_open(path_).find(path_ + ": frame 2: reference prices that this version does not know"), 0u)
        << reason_not_to_open(path_);
  }
}

TEST_F(Captures, ReadTheShorterMarkerOfARecordingWithoutATag) {
  const std::array<std::uint8_t, 6> station = {2, 0, 0, 0, 0xAB, 9};
  std::vector<std::uint8_t> marker = bytes(start_marker({station, {}}));
  marker.resize(60);
  write_capture(path_, {{kOpen - 7, marker}, {kOpen, numbered_frame(1)}});
  CaptureRxPort port(path_, kMidnight);
  EXPECT_EQ(port.station(), station);
  EXPECT_EQ(play(port).bursts.size(), 1u);
}

TEST_F(Captures, PassOverBurstsOfWhichEveryFrameIsDropped) {
  std::vector<std::uint8_t> jumbo(kMaxFrame + 1, 0xEE);
  write_capture(path_, {{kOpen, jumbo}, {kOpen + 1, jumbo}, {kOpen + 2, numbered_frame(1)}, {kOpen + 3, jumbo}});
  CaptureRxPort port(path_, kMidnight);
  const RxBurst burst = port.receive();
  ASSERT_EQ(burst.frames.size(), 1u) << "every call brings the input forward";
  EXPECT_EQ(burst.time_ns, kOpen + 2);
  EXPECT_TRUE(port.receive().ended);
  EXPECT_EQ(port.counters().get(CaptureCounter::oversized), 3u);
}

TEST_F(Captures, TakeMarkersInTheMiddleForOrdinaryFrames) {
  write_capture(path_, {{kOpen, numbered_frame(1)},
                        {kOpen, bytes(end_marker())},
                        {kOpen + 1, bytes(start_marker())},
                        {kOpen + 2, bytes(end_marker())}});
  CaptureRxPort port(path_, kMidnight, kOpen + 1'000);
  const SeenRun run = play(port);
  const std::vector<SeenBurst> expected = {{kOpen, {numbered_frame(1), bytes(end_marker())}},
                                           {kOpen + 1, {bytes(start_marker())}}};
  EXPECT_EQ(run.bursts, expected);
  EXPECT_EQ(run.end_ns, kOpen + 2);
}

TEST_F(Captures, MayHoldNothingButMarkers) {
  write_capture(path_, {{kOpen, bytes(start_marker())}, {kOpen + 2, bytes(end_marker())}});
  CaptureRxPort port(path_, kMidnight);
  const SeenRun run = play(port);
  EXPECT_TRUE(run.bursts.empty());
  EXPECT_EQ(port.start_time_ns(), kOpen);
  EXPECT_EQ(run.end_ns, kOpen + 2);
}

TEST_F(Captures, MayHoldNoFrameWhenMidnightIsGiven) {
  write_capture(path_, {});
  CaptureRxPort port(path_, kMidnight, kOpen);
  EXPECT_EQ(port.start_time_ns(), 0u);
  EXPECT_EQ(play(port).end_ns, kOpen);
  EXPECT_THROW(CaptureRxPort::first_frame_epoch_ns(path_), std::runtime_error);
}

TEST_F(Captures, ClampAndCountAFallingTimestamp) {
  write_capture(path_,
                {{kOpen + 5, numbered_frame(1)}, {kOpen + 3, numbered_frame(2)}, {kOpen + 6, numbered_frame(3)}});
  CaptureRxPort port(path_, kMidnight);
  const SeenRun run = play(port);
  const std::vector<SeenBurst> expected = {{kOpen + 5, {numbered_frame(1), numbered_frame(2)}},
                                           {kOpen + 6, {numbered_frame(3)}}};
  EXPECT_EQ(run.bursts, expected);
  EXPECT_EQ(port.counters().get(CaptureCounter::clamped_time), 1u);
}

TEST_F(Captures, EndWhereATimeFallsByMoreThanASecondUnlessToldToTakeIt) {
  write_capture(path_, {{kOpen, numbered_frame(1)},
                        {kOpen + 43'200 * kNsPerSecond, numbered_frame(2)},  // stamped wrong
                        {kOpen + 2, numbered_frame(3)},
                        {kOpen + 3, numbered_frame(4)}});
  using LongFall = CaptureRxPort::LongFall;
  CaptureRxPort port(path_, kMidnight, 0, LongFall::is_an_error);
  EXPECT_EQ(play(port).bursts.size(), 2u);
  EXPECT_EQ(port.error(),
            path_ +
                ": frame 3: its time, 2023-11-15 09:30:00.000000002 UTC, is more than a second before that of "
                "frame 2, 2023-11-15 21:30:00.000000000 UTC; correct whichever is wrong, or take what fell back "
                "as of the time before it by --allow-time-fall");
  EXPECT_EQ(port.counters().get(CaptureCounter::clamped_time), 0u);
  CaptureRxPort taken(path_, kMidnight, 0, LongFall::is_taken);
  EXPECT_EQ(play(taken).bursts.back().frames.size(), 3u);
  EXPECT_EQ(taken.error(), "");
  EXPECT_EQ(taken.counters().get(CaptureCounter::clamped_time), 2u);

  // A second is still clamped, also right behind a start marker; what adds up to more is not.
  write_capture(path_, {{kOpen, bytes(start_marker())}, {kOpen - kNsPerSecond, numbered_frame(1)}});
  CaptureRxPort second(path_, kMidnight, 0, LongFall::is_an_error);
  EXPECT_EQ(play(second).bursts.size(), 1u);
  EXPECT_EQ(second.error(), "");
  write_capture(path_, {{kOpen, bytes(start_marker())},
                        {kOpen - kNsPerSecond, numbered_frame(1)},
                        {kOpen - kNsPerSecond - 1, numbered_frame(2)}});
  CaptureRxPort more(path_, kMidnight, 0, LongFall::is_an_error);
  EXPECT_EQ(play(more).bursts.size(), 1u);
  EXPECT_NE(more.error().find("frame 3: its time, "), std::string::npos) << more.error();
  EXPECT_NE(more.error().find("that of frame 1, "), std::string::npos) << more.error();
}

TEST_F(Captures, MayLeapForward) {
  write_capture(path_, {{kOpen, numbered_frame(1)}, {kOpen + 5'400 * kNsPerSecond, numbered_frame(2)}});
  CaptureRxPort port(path_, kMidnight, 0, CaptureRxPort::LongFall::is_an_error);
  EXPECT_EQ(play(port).bursts.size(), 2u);
  EXPECT_EQ(port.error(), "");
}

TEST_F(Captures, DropAndCountOversizedFrames) {
  write_capture(
      path_,
      {{kOpen, numbered_frame(1, kMaxFrame + 1)}, {kOpen, numbered_frame(2)}, {kOpen + 1, numbered_frame(3, 9000)}});
  CaptureRxPort port(path_, kMidnight);
  const SeenRun run = play(port);
  EXPECT_EQ(run.bursts, (std::vector<SeenBurst>{{kOpen, {numbered_frame(2)}}}));
  EXPECT_EQ(port.counters().get(CaptureCounter::oversized), 2u);
  EXPECT_EQ(port.counters().get(CaptureCounter::frames), 1u);
}

TEST_F(Captures, HandOnAndCountFramesThatTheCaptureCutShort) {
  write_capture(path_, {{kOpen, numbered_frame(1)}});
  std::string file = contents(path_);
  file[kFileHeader + 12] = 100;  // the length on the wire
  put_contents(path_, file);
  CaptureRxPort port(path_, kMidnight);
  EXPECT_EQ(play(port).bursts, (std::vector<SeenBurst>{{kOpen, {numbered_frame(1)}}}));
  EXPECT_EQ(port.counters().get(CaptureCounter::cut_short), 1u);
}

TEST_F(Captures, OfMicrosecondsAndTheOtherByteOrderAreRead) {
  const std::string hex_time("\x65\x54\x0A\x00\x00\x00\x00\x07", 8);  // kMidnight + 7 us, big endian
  ASSERT_EQ(kMidnight / 1'000'000'000, 0x65540A00);
  std::string file("\xA1\xB2\xC3\xD4\x00\x02\x00\x04\0\0\0\0\0\0\0\0\x00\x00\xFF\xFF\x00\x00\x00\x01", 24);
  file += hex_time + std::string("\x00\x00\x00\x0E\x00\x00\x00\x0E", 8) + std::string(14, 'x');
  put_contents(path_, file);
  CaptureRxPort port(path_, kMidnight);
  EXPECT_EQ(play(port).bursts, (std::vector<SeenBurst>{{7'000, {FrameBytes(14, 'x')}}}));
  EXPECT_EQ(CaptureRxPort::first_frame_epoch_ns(path_), kMidnight + 7'000);
}

TEST_F(Captures, TruncatedAnywhereEndWithTheFileAndFrameNumber) {
  write_capture(path_, {{kOpen, numbered_frame(1)}, {kOpen + 1, numbered_frame(2)}, {kOpen + 2, numbered_frame(3)}});
  const std::string whole = contents(path_);
  constexpr std::size_t kRecord = kFrameHeader + 60;
  for (std::size_t length = kFileHeader + 2 * kRecord + 1; length < whole.size(); ++length) {
    put_contents(path_, whole.substr(0, length));
    CaptureRxPort port(path_, kMidnight, kOpen + 1'000);
    const SeenRun run = play(port);
    EXPECT_EQ(run.bursts.size(), 2u);
    EXPECT_EQ(run.end_ns, kOpen + 1) << "no schedule is played after a broken input";
    EXPECT_EQ(port.error().find(path_ + ": frame 3: "), 0u) << port.error();
  }
  for (std::size_t length = 0; length < kFileHeader + kRecord; ++length) {
    if (length == kFileHeader) continue;  // a whole file without frames
    put_contents(path_, whole.substr(0, length));
    const std::string reason = reason_not_to_open(path_);
    EXPECT_EQ(reason.find(path_ + ": "), 0u) << length << ": " << reason;
    EXPECT_EQ(reason.find('\n'), std::string::npos);
  }
}

TEST_F(Captures, WithFramesOutsideTheDayEndWithTheFrameNumber) {
  const auto last = static_cast<std::int64_t>(CaptureRxPort::kLatestNs);
  for (const std::int64_t offset : {std::int64_t{-1}, last + 1, -kMidnight}) {
    CaptureWriter writer(path_);
    writer.write(kMidnight, numbered_frame(1));
    writer.write(kMidnight + offset, numbered_frame(2));
    ASSERT_EQ(writer.close(), "");
    CaptureRxPort port(path_, kMidnight);
    EXPECT_EQ(play(port).bursts.size(), 1u);
    EXPECT_EQ(port.error().find(path_ + ": frame 2: its time is "), 0u) << port.error();
  }
  CaptureWriter writer(path_);
  writer.write(kMidnight + last, numbered_frame(1));
  ASSERT_EQ(writer.close(), "");
  CaptureRxPort port(path_, kMidnight);
  EXPECT_EQ(play(port).bursts.size(), 1u) << "72 hours are still in it";
}

TEST_F(Captures, WithImpossibleFractionsOfASecondAreRefused) {
  write_capture(path_, {{kOpen, numbered_frame(1)}});
  std::string file = contents(path_);
  file.replace(kFileHeader + 4, 4, "\xFF\xFF\xFF\xFF");
  put_contents(path_, file);
  EXPECT_NE(reason_not_to_open(path_).find("frame 1"), std::string::npos) << reason_not_to_open(path_);
}

TEST_F(Captures, OfAnotherLinkTypeAreRefused) {
  write_capture(path_, {{kOpen, numbered_frame(1)}});
  std::string file = contents(path_);
  file[20] = 101;  // raw IP
  put_contents(path_, file);
  const std::string reason = reason_not_to_open(path_);
  EXPECT_NE(reason.find("not Ethernet"), std::string::npos) << reason;
  EXPECT_EQ(reason.find(path_), 0u);
}

TEST_F(Captures, ThatAreMissingOrNoCaptureAreRefused) {
  const std::string missing = reason_not_to_open(folder_.file("none.pcap"));
  EXPECT_EQ(missing.find(folder_.file("none.pcap")), 0u) << missing;
  put_contents(path_, std::string(1000, 'x'));
  const std::string reason = reason_not_to_open(path_);
  EXPECT_EQ(reason.find(path_ + ": "), 0u) << reason;
}

TEST_F(Captures, TellMidnightFromTheirFirstFrame) {
  write_capture(path_, {{kOpen, numbered_frame(1)}});
  EXPECT_EQ(midnight_utc(CaptureRxPort::first_frame_epoch_ns(path_)), kMidnight);
  EXPECT_EQ(midnight_utc(kMidnight), kMidnight);
  EXPECT_EQ(midnight_utc(kMidnight - 1), kMidnight - static_cast<std::int64_t>(kNsPerDay));
  EXPECT_EQ(midnight_utc(-1), -static_cast<std::int64_t>(kNsPerDay));
}

TEST_F(Captures, CannotBeWrittenWhereThereIsNoRoomOrNoFolder) {
  CaptureWriter nowhere(folder_.file("no/such/folder.pcap"));
  EXPECT_NE(nowhere.error().find("no/such/folder.pcap: cannot be created"), std::string::npos) << nowhere.error();
  nowhere.write(kMidnight, numbered_frame(1));
  EXPECT_EQ(nowhere.close(), nowhere.error());

  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full to write to";
  CaptureWriter full("/dev/full");
  for (std::uint32_t i = 0; i < 40'000; ++i) full.write(kMidnight, numbered_frame(i));
  EXPECT_NE(full.close().find("/dev/full: cannot be written: No space left"), std::string::npos) << full.error();
}

TEST_F(Captures, CannotHoldTimesBefore1970OrAfter2106) {
  for (const std::int64_t epoch_ns : {std::int64_t{-1}, (std::int64_t{1} << 32) * 1'000'000'000}) {
    CaptureWriter writer(path_);
    writer.write(epoch_ns, numbered_frame(1));
    EXPECT_NE(writer.close(), "");
  }
  CaptureWriter writer(path_);
  writer.write((std::int64_t{1} << 32) * 1'000'000'000 - 1, numbered_frame(1));
  EXPECT_EQ(writer.close(), "");
}

class CaptureOutputs : public Captures {
 protected:
  static FrameOrigin origin(std::uint64_t cause, std::uint8_t rank) { return {{cause}, kOpen + cause, rank}; }

  std::vector<std::uint32_t> numbers_written() {
    EXPECT_EQ(writer_.close(), "");
    CaptureRxPort port(path_, kMidnight);
    std::vector<std::uint32_t> numbers;
    for (const SeenBurst& burst : play(port).bursts) {
      for (const FrameBytes& frame : burst.frames) numbers.push_back(number_of(frame.data()));
    }
    return numbers;
  }

  CaptureWriter writer_{path_};
  CaptureOutput output_{writer_, kMidnight};
  CaptureTxPort& transmit_ = output_.add_port();
  CaptureTxPort& publish_ = output_.add_port();
};

TEST_F(CaptureOutputs, AreInTheOrderOfCauseThenRankThenEmission) {
  send(publish_, numbered_frame(3), origin(1, 1));
  send(publish_, numbered_frame(6), origin(2, 1));
  send(transmit_, numbered_frame(1), origin(1, 0));
  send(transmit_, numbered_frame(2), origin(1, 0));
  send(transmit_, numbered_frame(4), origin(2, 0));
  send(transmit_, numbered_frame(5), origin(2, 0));
  transmit_.flush();
  publish_.flush();
  EXPECT_EQ(output_.drain(), 6u);
  EXPECT_EQ(output_.drain(), 0u);
  EXPECT_EQ(numbers_written(), (std::vector<std::uint32_t>{1, 2, 3, 4, 5, 6}));
}

TEST_F(CaptureOutputs, HoldBackFramesOfCausesThatAreNotComplete) {
  send(transmit_, numbered_frame(1), origin(1, 0));
  send(transmit_, numbered_frame(3, 300), origin(2, 0));
  send(transmit_, numbered_frame(5), origin(3, 0));
  transmit_.flush();
  EXPECT_EQ(output_.drain({1}), 1u);
  send(publish_, numbered_frame(2), origin(1, 1));  // would be too late: shows that the order is by drain() first
  send(publish_, numbered_frame(4), origin(2, 1));
  publish_.flush();
  EXPECT_EQ(output_.drain({2}), 3u);
  EXPECT_EQ(output_.drain(), 1u);
  EXPECT_EQ(numbers_written(), (std::vector<std::uint32_t>{1, 2, 3, 4, 5}));
}

TEST_F(CaptureOutputs, GoWhileStagesRunUpToWhatAllThatSpeakHavePassed) {
  CaptureTxPort& silent = output_.add_port(true);
  for (const std::uint64_t cause : {1, 2, 3}) send(transmit_, numbered_frame(1), origin(cause, 0));
  transmit_.flush();
  EXPECT_EQ(output_.drain_passed(), 0u) << "publish may still have frames for all of them";
  send(publish_, numbered_frame(2), origin(2, 1));
  publish_.flush();
  EXPECT_EQ(output_.drain_passed(), 1u);
  send(publish_, numbered_frame(2), origin(9, 1));
  publish_.flush();
  EXPECT_EQ(output_.drain_passed(), 2u);
  EXPECT_EQ(output_.drain(), 2u);
  send(silent, numbered_frame(4), origin(9, 1));
  silent.flush();
  EXPECT_DEATH(output_.drain_passed(), "a frame for command 9 from a silent stage");
}

TEST_F(CaptureOutputs, CarryTheTimeOfTheirCause) {
  send(transmit_, numbered_frame(1), origin(7, 0));
  transmit_.flush();
  output_.drain();
  EXPECT_EQ(writer_.close(), "");
  CaptureRxPort port(path_, kMidnight);
  EXPECT_EQ(play(port).bursts[0].time_ns, kOpen + 7);
}

TEST_F(CaptureOutputs, TakeFramesWithoutLimit) {
  constexpr std::uint32_t kFrames = 5 * kMaxBurst + 3;
  std::vector<std::uint32_t> expected;
  for (std::uint32_t i = 0; i < kFrames; ++i) {
    ASSERT_TRUE(send(transmit_, numbered_frame(i, 60 + i), origin(i, 0)));
    expected.push_back(i);
  }
  transmit_.flush();
  EXPECT_EQ(output_.drain(), kFrames);
  EXPECT_EQ(numbers_written(), expected);
}

TEST_F(CaptureOutputs, LeaveAReservedBufferReservedOverAFlush) {
  for (std::size_t committed = 0; committed < kMaxBurst; ++committed) {
    for (std::uint32_t i = 0; i < committed; ++i) send(transmit_, numbered_frame(i), origin(i, 0));
    std::uint8_t* reserved = transmit_.reserve();
    EXPECT_EQ(transmit_.flush(), committed);
    EXPECT_EQ(transmit_.reserve(), reserved);
  }
}

TEST_F(CaptureOutputs, AreTheSameBytesInEveryRun) {
  const auto written = [this](const std::string& path) {
    CaptureWriter writer(path);
    CaptureOutput output(writer, kMidnight);
    CaptureTxPort& port = output.add_port();
    for (std::uint32_t i = 0; i < 100; ++i)
      send(port, numbered_frame(i), origin(i % 7, static_cast<std::uint8_t>(i % 2)));
    port.flush();
    output.drain();
    EXPECT_EQ(writer.close(), "");
    return contents(path);
  };
  const std::string first = written(folder_.file("b.pcap"));
  EXPECT_GT(first.size(), 7'000u);
  EXPECT_EQ(first, written(folder_.file("c.pcap")));
}

}  // namespace
}  // namespace crosswire::capture_test
