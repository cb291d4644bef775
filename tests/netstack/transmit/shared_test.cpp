// Answers to account queries: those of one session and burst share datagrams, and its messages stay in their order.
#include "netstack/transmit/transmit.hpp"
#include "netstack/wire/ouch.hpp"
#include "tests/netstack/transmit/transmit_rig.hpp"

namespace crosswire::shared_test {
namespace {

using testing::as;
using testing::Block;
using testing::peer;
using testing::read_packet;
using testing::ReadFrame;
using testing::ReadPacket;

struct SharedAnswers : testing::TransmitTest {
  void ask(int session, std::uint32_t next = 1) {
    push(EventKind::account, session).order.user_ref_num = UserRefNum{next};
  }
  void mark() { ring->producer().last_claimed().flags |= kLastOfBurst; }

  /// Expects `n` messages from number `first` on, to client `source`.
  ReadPacket expect(const ReadFrame& frame, std::uint8_t source, std::uint64_t first, std::size_t n) {
    EXPECT_EQ(frame.to, peer(source).address);
    ReadPacket packet = read_packet(frame.payload);
    EXPECT_EQ(packet.sequence, first);
    EXPECT_EQ(packet.messages.size(), n);
    return packet;
  }
};

TEST_F(SharedAnswers, OfOneBurstLeaveInOneDatagramInTheirOrder) {
  login(0, 5);
  run();
  for (std::uint32_t n = 1; n <= 20; ++n) ask(0, n);
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 1u);
  const ReadPacket packet = expect(frames[0], 5, 1, 20);
  for (std::uint32_t n = 1; n <= 20; ++n) {
    EXPECT_EQ(as<wire::ouch::AccountQueryResponse>(packet.messages[n - 1]).next_user_ref_num, n);
  }
  EXPECT_EQ(count(TransmitCounter::answers), 20u);
  EXPECT_EQ(count(TransmitCounter::shared_datagrams), 1u);
}

TEST_F(SharedAnswers, AreClosedByTheBurstsMarkAndNotByHowFarTransmitIs) {
  login(0, 5);
  run();
  ask(0);
  ring->producer().publish();
  EXPECT_GT(stage->poll(), 0u);
  EXPECT_EQ(stage->poll(), 0u);
  EXPECT_TRUE(port.take_frames().empty()) << "the burst goes on";
  ask(0);
  mark();
  ask(0);
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 2u) << "one of each burst";
  expect(frames[0], 5, 1, 2);
  expect(frames[1], 5, 3, 1);
}

TEST_F(SharedAnswers, OfEachSessionHaveTheirOwn) {
  login(0, 5);
  login(1, 6);
  run();
  for (int i = 0; i < 3; ++i) {
    ask(1);
    ask(0);
  }
  push(EventKind::burst_end);
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 2u);
  expect(frames[0], 6, 1, 3);
  expect(frames[1], 5, 1, 3);
}

TEST_F(SharedAnswers, LeaveBeforeWhatFollowsOfTheirSessionAndOrdersStayAlone) {
  login(0, 5);
  login(1, 6);
  run();
  ask(0);
  ask(0);
  push(EventKind::rejected, 1).order.order = kNoOrder;
  push(EventKind::rejected, 0).order.order = kNoOrder;
  push(EventKind::rejected, 0).order.order = kNoOrder;
  ask(0);
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 5u);
  expect(frames[0], 6, 1, 1);
  expect(frames[1], 5, 1, 2);
  expect(frames[2], 5, 3, 1);
  expect(frames[3], 5, 4, 1);
  expect(frames[4], 5, 5, 1);
}

TEST_F(SharedAnswers, LeaveBeforeTheSessionIsClosedTakenOverOrAskedForAgain) {
  login(0, 5);
  run();
  ask(0);
  push(EventKind::resend, 0).resend = {.first = 1, .count = 10};
  std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 2u);
  expect(frames[0], 5, 1, 1);
  expect(frames[1], 5, 1, 1);
  ask(0);
  take_over(0, 6);
  ask(0);
  frames = run();
  ASSERT_EQ(frames.size(), 5u);
  expect(frames[0], 5, 2, 1);
  expect(frames[4], 6, 3, 1);
  ask(0);
  push(EventKind::session_close, 0).end.reason = SessionEndReason::logout;
  ask(0);
  frames = run();
  ASSERT_EQ(frames.size(), 1u);
  expect(frames[0], 6, 4, 1);
  EXPECT_EQ(count(TransmitCounter::answers_unsent), 1u);
}

TEST_F(SharedAnswers, LeaveInTheHeartbeatsPlace) {
  login(0, 5);
  run();
  now += kNsPerSecond;
  ask(0);
  push(EventKind::tick);
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 1u);
  expect(frames[0], 5, 1, 1);
}

TEST_F(SharedAnswers, FillDatagramsToTheMtuAndComeAgainAsTheyWere) {
  config.messages_kept = 1024;
  SetUpAgain();
  login(0, 5);
  run();
  std::vector<Block> sent;
  std::size_t datagrams = 0;
  for (std::uint32_t n = 1; n <= 484; ++n) {
    ask(0, n);
    if (n % 50 == 0) ring->producer().publish();
    while (events->available() > 0 && stage->poll() > 0) {
    }
  }
  for (const ReadFrame& frame : run()) {
    EXPECT_LE(frame.payload.size(), 1472u);
    const ReadPacket packet = read_packet(frame.payload);
    EXPECT_EQ(packet.sequence, sent.size() + 1);
    sent.insert(sent.end(), packet.messages.begin(), packet.messages.end());
    ++datagrams;
  }
  const std::size_t block = 2 + sent.at(0).size();
  EXPECT_EQ(sent.size(), 484u);
  EXPECT_EQ(datagrams, (484 + (1472 - 20) / block - 1) / ((1472 - 20) / block));
  std::vector<Block> again;
  while (again.size() < sent.size()) {
    push(EventKind::resend, 0).resend = {.first = again.size() + 1, .count = 1000};
    const ReadPacket packet = read_packet(run().at(0).payload);
    ASSERT_FALSE(packet.messages.empty());
    again.insert(again.end(), packet.messages.begin(), packet.messages.end());
  }
  EXPECT_EQ(again, sent);
}

TEST_F(SharedAnswers, AreNotLostWhereFewAreKept) {
  config.messages_kept = 4;
  SetUpAgain();
  login(0, 5);
  run();
  for (std::uint32_t n = 1; n <= 10; ++n) ask(0, n);
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 3u);
  expect(frames[0], 5, 1, 4);
  expect(frames[1], 5, 5, 4);
  expect(frames[2], 5, 9, 2);
}

TEST_F(SharedAnswers, WaitForRoomInThePortAndAreSentOnce) {
  for (std::uint16_t session = 0; session < 4; ++session) login(session, static_cast<std::uint8_t>(5 + session));
  run();
  port.set_room(0);
  for (int i = 0; i < 30; ++i) push(EventKind::rejected, 0).order.order = kNoOrder;  // the port buffers 32
  for (int session = 0; session < 4; ++session) ask(session);
  mark();
  ring->producer().publish();
  const std::uint64_t before = events->position();
  for (int i = 0; i < 3; ++i) stage->poll();
  EXPECT_EQ(events->position() - before, 33u) << "the burst's last is not done";
  port.set_unlimited_room();
  stage->poll();
  EXPECT_EQ(events->available(), 0u);
  const std::vector<MemoryTxPort::Sent> frames = port.take_frames();
  ASSERT_EQ(frames.size(), 34u);
  for (std::uint8_t i = 0; i < 4; ++i) {
    expect(testing::read_frame(frames[30u + i].bytes), static_cast<std::uint8_t>(5 + i), i == 0 ? 31 : 1, 1);
  }
}

}  // namespace
}  // namespace crosswire::shared_test
