// A stream put together from segments in any order, with holes.
#include "app/flow/stream_assembler.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/app/flow/tcp_capture.hpp"
#include "tests/seed.hpp"

namespace crosswire {
namespace {

using test::Buffer;

/// All that it is handed: bytes as they are, a hole as dots.
class Pieces final : public StreamSink {
 public:
  void bytes(wire::Bytes bytes, bool segment, CapturedAt at) override {
    stream.append(bytes.begin(), bytes.end());
    calls.push_back({std::string(bytes.begin(), bytes.end()), segment, at.frame});
  }
  void gap(std::uint64_t length) override { stream.append(length, '.'); }
  void end(CapturedAt at) override { ended = at.frame; }

  struct Call {
    std::string bytes;
    bool segment;
    std::uint64_t frame;
  };
  std::string stream;
  std::vector<Call> calls;
  std::uint64_t ended = 0;
};

class Stream {
 public:
  explicit Stream(std::uint32_t sequence = 100) : assembler(sequence), first_(sequence) {}
  void take(std::uint32_t offset, const std::string& bytes) {
    assembler.take(first_ + offset, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()},
                   {++frame, frame}, notes);
  }
  void end(std::uint32_t offset) { assembler.take_end(first_ + offset, {++frame, frame}, notes); }
  void acknowledge(std::uint32_t offset) { assembler.take_acknowledgement(first_ + offset); }
  void finish() { assembler.finish(notes); }

  StreamAssembler assembler;
  Pieces notes;
  std::uint64_t frame = 0;

 private:
  std::uint32_t first_;
};

TEST(StreamAssembler, BringsSegmentsIntoOrderAtTheTimeOfTheOneThatCompletesThem) {
  Stream stream;
  stream.take(0, "ab");
  stream.take(4, "ef");
  stream.take(6, "gh");
  EXPECT_EQ(stream.assembler.waits_since()->frame, 2u);
  stream.take(2, "cd");
  EXPECT_FALSE(stream.assembler.waits_since());
  EXPECT_EQ(stream.notes.stream, "abcdefgh");
  EXPECT_EQ(stream.notes.calls.back().frame, 4u);
  EXPECT_TRUE(stream.notes.calls.back().segment);
}

TEST(StreamAssembler, GoesOnWhereNumbersWrap) {
  Stream stream(0xFFFF'FFFD);
  stream.take(2, "cdef");
  stream.take(0, "ab");
  stream.take(6, "gh");
  stream.end(8);
  EXPECT_EQ(stream.notes.stream, "abcdefgh");
  EXPECT_EQ(stream.notes.ended, 4u);
}

TEST(StreamAssembler, TakesTheFirstOfWhatComesTwiceAndCountsWhatDiffers) {
  Stream stream;
  stream.take(0, "abcd");
  stream.take(2, "cXef");  // two old, one of them changed
  stream.take(8, "ij");
  stream.take(7, "hYjk");  // one held is changed
  stream.take(6, "g");
  stream.take(0, "abcdefghijk");
  EXPECT_EQ(stream.notes.stream, "abcdefghijk");
  EXPECT_EQ(stream.assembler.figures().changed, 2u);
  EXPECT_EQ(stream.assembler.figures().repeated, 2u + 2u + 11u);
  EXPECT_EQ(stream.assembler.figures().missing, 0u);
}

TEST(StreamAssembler, TakesNoKeepAliveForARepeat) {
  Stream stream;
  stream.take(0, "abcd");
  stream.take(3, "?");
  EXPECT_EQ(stream.assembler.figures().repeated, 0u);
  EXPECT_EQ(stream.assembler.figures().changed, 0u);
}

TEST(StreamAssembler, SaysOfEachHoleWhetherTheOtherSideHadIt) {
  Stream stream;
  stream.take(0, "ab");
  stream.take(4, "ef");
  stream.take(8, "ij");
  stream.acknowledge(9);
  stream.end(14);
  stream.finish();
  EXPECT_EQ(stream.notes.stream, "ab..ef..ij....");
  ASSERT_EQ(stream.assembler.holes().size(), 3u);
  EXPECT_EQ(stream.assembler.holes()[0].offset, 2u);
  EXPECT_EQ(stream.assembler.acknowledged(stream.assembler.holes()[0]), 2u);
  EXPECT_EQ(stream.assembler.acknowledged(stream.assembler.holes()[1]), 2u);
  EXPECT_EQ(stream.assembler.acknowledged(stream.assembler.holes()[2]), 0u);
  EXPECT_EQ(stream.assembler.figures().missing, 8u);
  EXPECT_EQ(stream.assembler.figures().bytes, 6u);
}

TEST(StreamAssembler, KnowsOfWhatIsMissingAtTheEndByAcknowledgementsAlone) {
  Stream stream;
  stream.take(0, "ab");
  stream.acknowledge(7);
  stream.finish();
  EXPECT_EQ(stream.assembler.figures().missing, 5u);

  Stream ended;  // a FIN that the capture has not
  ended.take(0, "ab");
  ended.acknowledge(3);
  ended.finish();
  EXPECT_EQ(ended.assembler.figures().missing, 0u);
}

TEST(StreamAssembler, ReturnsToNoHoleThatItHasGivenUp) {
  Stream stream;
  stream.take(0, "ab");
  stream.take(4, "ef");
  stream.assembler.give_up_hole(stream.notes);
  EXPECT_EQ(stream.notes.calls.back().frame, 2u);  // when it came, not when it was handed on
  stream.take(2, "cd");
  EXPECT_EQ(stream.notes.stream, "ab..ef");
  EXPECT_EQ(stream.assembler.figures().late, 2u);
  EXPECT_EQ(stream.assembler.figures().repeated, 0u);
}

TEST(StreamAssembler, HoldsAtMostAMebibyteOutOfOrder) {
  Stream stream;
  const std::string block(1000, 'x');
  for (std::uint32_t i = 1; i < 2000; ++i) {
    stream.take(i * 1000, block);
    ASSERT_LE(stream.assembler.held_cost(),
              StreamAssembler::kMostHeld + StreamAssembler::kMostHeldSegments * StreamAssembler::kSegmentCost);
  }
  EXPECT_EQ(stream.assembler.figures().missing, 1000u);
  EXPECT_EQ(stream.assembler.figures().bytes, 1'999'000u);

  Stream bytes;
  for (std::uint32_t i = 0; i < 20'000; ++i) bytes.take(1 + 2 * i, "x");
  EXPECT_GT(bytes.assembler.figures().missing, 10'000u);
}

TEST(StreamAssembler, LeavesOutWhatIsFarFromTheStream) {
  Stream stream;
  stream.take(0, "ab");
  stream.take(0x4000'0000, "far");
  stream.take(0xC000'0000, "far");
  stream.end(0x4000'0000);
  stream.acknowledge(0x4000'0000);
  stream.take(2, "cd");
  stream.finish();
  EXPECT_EQ(stream.notes.stream, "abcd");
  EXPECT_EQ(stream.assembler.figures().outside, 2u);
  EXPECT_EQ(stream.assembler.figures().missing, 0u);
}

TEST(StreamAssembler, NamesSoManyHolesAndAddsUpTheOthers) {
  Stream stream;
  for (std::uint32_t i = 0; i < 3000; ++i) stream.take(1 + 2 * i, "x");
  stream.finish();
  EXPECT_EQ(stream.assembler.holes().size(), StreamAssembler::kMostHoles);
  EXPECT_EQ(stream.assembler.figures().missing, 3000u);
}

TEST(StreamAssembler, AgreesWithAnArrayOfBytesWhateverComes) {
  FlowRandom random(test::seed());
  for (int round = 0; round < 300; ++round) {
    const std::uint32_t size = 1 + random.below(400);
    std::string first_come(size, '.');
    Stream stream(static_cast<std::uint32_t>(random.next()));
    std::uint64_t came = 0;
    for (std::uint32_t segments = random.below(60); segments > 0; --segments) {
      const std::uint32_t offset = random.below(size);
      const std::uint32_t length = std::min(2 + random.below(40), size - offset);
      const std::string bytes(length, static_cast<char>('a' + random.below(26)));
      if (length == 1) continue;  // might be a keep-alive
      stream.take(offset, bytes);
      came += length;
      for (std::uint32_t i = 0; i < length; ++i) {
        if (first_come[offset + i] == '.') first_come[offset + i] = bytes[i];
      }
    }
    stream.end(size);
    stream.finish();
    ASSERT_EQ(stream.notes.stream, first_come) << "round " << round;
    const StreamAssembler::Figures& figures = stream.assembler.figures();
    ASSERT_EQ(figures.missing, static_cast<std::uint64_t>(std::count(first_come.begin(), first_come.end(), '.')));
    ASSERT_EQ(figures.bytes + figures.missing, size);
    ASSERT_EQ(figures.bytes + figures.repeated, came);
    ASSERT_EQ(stream.assembler.held_cost(), 0u);
  }
}

}  // namespace
}  // namespace crosswire
