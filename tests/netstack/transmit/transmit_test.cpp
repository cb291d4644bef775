// The transmit stage: sessions and neighbours, and the same bytes whatever the port does.
#include "netstack/transmit/transmit.hpp"

#include "netstack/session/end_words.hpp"
#include "netstack/wire/ouch.hpp"
#include "netstack/wire/soup.hpp"
#include "tests/netstack/transmit/transmit_rig.hpp"
#include "tests/seed.hpp"

namespace crosswire::transmit_test {
namespace {

namespace mold = wire::mold;
namespace ouch = wire::ouch;
namespace soup = wire::soup;
using testing::as;
using testing::Block;
using testing::bytes;
using testing::event_of;
using testing::kNow;
using testing::peer;
using testing::RandomDay;
using testing::read_frame;
using testing::read_packet;
using testing::ReadFrame;
using testing::ReadPacket;
using testing::StubbornTxPort;
using testing::TransmitTest;

// ---- Logins -------------------------------------------------------------------------------------------------------

TEST_F(TransmitTest, ALoginIsAnsweredToTheSourceItCameFrom) {
  login(1, 5);
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 1u);
  const ReadFrame& frame = frames[0];
  EXPECT_EQ(frame.to_mac, bytes({2, 0, 0, 0, 1, 5}));
  EXPECT_EQ(frame.from_mac, bytes({2, 0, 0, 0, 0, 1}));
  EXPECT_EQ(frame.vlan, 0);
  EXPECT_EQ(frame.from, testing::kOurAddress);
  EXPECT_EQ(frame.to, 0x0A630105u);
  EXPECT_EQ(frame.from_port, 26400);
  EXPECT_EQ(frame.to_port, 30005);
  EXPECT_EQ(frame.ttl, 64);
  const std::string expected = std::string("\0\x1F", 2) + "AO0KZ3M7QX1                   1";
  EXPECT_EQ(std::string(frame.payload.begin(), frame.payload.end()), expected);
}

TEST_F(TransmitTest, ASessionOnAVlanGetsTaggedFrames) {
  login(1, 5, 7);
  push(EventKind::account, 1).order.user_ref_num = UserRefNum{9};
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 2u);
  for (const ReadFrame& frame : frames) EXPECT_EQ(frame.vlan, 7);
  EXPECT_EQ(as<ouch::AccountQueryResponse>(message(frames[1], 5, 1)).next_user_ref_num, 9u);
}

TEST_F(TransmitTest, ARepeatedLoginGetsTheNumberOfTheNextMessage) {
  login(1, 5);
  push(EventKind::account, 1);
  push(EventKind::account, 1);
  login(1, 5);
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 3u) << "the two answers in one, and before it";
  const soup::Read read = soup::read_datagram(frames[2].payload);
  EXPECT_EQ(read.type, soup::PacketType::login_accepted);
  EXPECT_EQ(wire::view_as<soup::LoginAccepted>(read.payload)->sequence.decimal(), 3u);
  EXPECT_EQ(count(TransmitCounter::takeovers), 0u);
}

TEST_F(TransmitTest, ATakeoverIsToldToTheOldClientBeforeItAnswersTheNewOne) {
  login(1, 5, 7);
  push(EventKind::account, 1);
  run();
  take_over(1, 6);
  push(EventKind::account, 1);
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 4u);
  expect_told({frames[0], frames[1]}, 5, 7, "taken over");
  EXPECT_EQ(soup::read_datagram(frames[2].payload).type, soup::PacketType::login_accepted);
  EXPECT_EQ(frames[2].to, peer(6).address);
  EXPECT_EQ(frames[2].vlan, 0);
  message(frames[3], 6, 2);
  EXPECT_EQ(count(TransmitCounter::takeovers), 1u);
}

TEST_F(TransmitTest, ATakeoverThatIsNotToldIsOnlyALogin) {
  login(1, 5);
  login(1, 6, 0, 'T');
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[1].to, peer(6).address);
  EXPECT_EQ(count(TransmitCounter::takeovers), 0u);
}

TEST_F(TransmitTest, ASessionThatEndsWithoutItsClientsDoingIsToldSo) {
  const std::pair<SessionEndReason, const char*> reasons[] = {{SessionEndReason::silence, "silent"},
                                                              {SessionEndReason::cut, "cut off"},
                                                              {SessionEndReason::by_operator, "operator"}};
  for (const auto& [reason, word] : reasons) {
    login(1, 5, 7);
    run();
    push(EventKind::session_close, 1).end.reason = reason;
    expect_told(run(), 5, 7, word);
    push(EventKind::session_close, 1).end.reason = reason;
    EXPECT_TRUE(run().empty()) << "nobody is there any more";
  }
  EXPECT_EQ(count(TransmitCounter::no_session_told), 3u);
  for (const SessionEndReason reason : {SessionEndReason::logout, SessionEndReason::takeover}) {
    login(1, 5);
    run();
    push(EventKind::session_close, 1).end.reason = reason;
    EXPECT_TRUE(run().empty()) << "it has asked for it";
  }
}

TEST_F(TransmitTest, WhoHasNoSessionIsToldInFramesNoLongerThanTheShortest) {
  for (int i = 0; i <= static_cast<int>(SessionEndReason::end_of_day); ++i) {
    Event& event = push(EventKind::login_reject);
    event.peer = peer(8, 7, 'S');
    event.peer.told = true;
    event.peer.ended = static_cast<SessionEndReason>(i);
    ring->producer().publish();
    stage->poll();
    const std::vector<MemoryTxPort::Sent> frames = port.take_frames();
    ASSERT_EQ(frames.size(), 2u);
    EXPECT_EQ(frames[0].bytes.size(), 60u);
    EXPECT_EQ(frames[1].bytes.size(), 60u);
    expect_told({read_frame(frames[0].bytes), read_frame(frames[1].bytes)}, 8, 7, word_of(event.peer.ended));
  }
  EXPECT_EQ(count(TransmitCounter::logins_refused), 0u);
}

TEST_F(TransmitTest, ATakeoverOfAClosedSessionIsAnOrdinaryLogin) {
  login(1, 5);
  push(EventKind::session_close, 1);
  take_over(1, 6);
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[1].to, peer(6).address);
}

TEST_F(TransmitTest, ARefusedLoginIsToldWhy) {
  for (const char reason : {'A', 'S'}) {
    push(EventKind::login_reject).peer = peer(8, 7, reason);
    const std::vector<ReadFrame> frames = run();
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(frames[0].to_mac, bytes({2, 0, 0, 0, 1, 8}));
    EXPECT_EQ(frames[0].vlan, 7);
    EXPECT_EQ(frames[0].to_port, 30008);
    EXPECT_EQ(frames[0].payload, bytes({0, 2, 'J', reason}));
  }
  EXPECT_EQ(count(TransmitCounter::logins_refused), 2u);
}

TEST_F(TransmitTest, AClosedSessionGoesOnNumberingButGetsNothing) {
  login(1, 5);
  push(EventKind::session_close, 1);
  push(EventKind::account, 1).order.user_ref_num = UserRefNum{4};
  EXPECT_EQ(run().size(), 1u);
  EXPECT_EQ(count(TransmitCounter::answers_unsent), 1u);
  login(1, 5);
  push(EventKind::resend, 1).resend = {.first = 1, .count = 1};
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(as<ouch::AccountQueryResponse>(message(frames[1], 5, 1)).next_user_ref_num, 4u);
}

// ---- Re-requests --------------------------------------------------------------------------------------------------

TEST_F(TransmitTest, ResentMessagesAreTheOnesThatWereSent) {
  login(0, 5, 7);
  run();
  std::vector<Block> sent;
  for (std::uint32_t n = 1; n <= 40; ++n) {
    push(EventKind::account, 0).order.user_ref_num = UserRefNum{n};
    sent.push_back(answer(5, n));
  }
  push(EventKind::resend, 0).resend = {.first = 11, .count = 20};
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].vlan, 7);
  EXPECT_EQ(frames[0].to_port, 30005);
  const ReadPacket packet = read_packet(frames[0].payload);
  EXPECT_EQ(packet.sequence, 11u);
  EXPECT_EQ(packet.messages, std::vector<Block>(sent.begin() + 10, sent.begin() + 30));
  EXPECT_EQ(count(TransmitCounter::resends), 1u);
  EXPECT_EQ(count(TransmitCounter::resent_messages), 20u);
}

TEST_F(TransmitTest, AReRequestGetsOnePacketOfAtMostOneMtu) {
  login(0, 5);
  for (std::uint32_t n = 1; n <= 60; ++n) push(EventKind::accepted, 0, 1).order = order_event(order(3, 0, n), 'L');
  run();
  push(EventKind::resend, 0).resend = {.first = 1, .count = 65'534};
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(read_packet(frames[0].payload).count, (1472 - 20) / (64 + 2));
}

TEST_F(TransmitTest, AReRequestPastTheEndGetsAHeartbeat) {
  login(0, 5);
  push(EventKind::account, 0);
  run();
  push(EventKind::resend, 0).resend = {.first = 2, .count = 5000};
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 1u);
  expect_empty(frames[0], 5, mold::kHeartbeat, 2);
  EXPECT_EQ(count(TransmitCounter::resends_past_end), 1u);
}

TEST_F(TransmitTest, AReRequestForLostMessagesIsAnsweredFromTheOldestKept) {
  login(0, 5);
  run();
  for (std::uint32_t n = 1; n <= 100; ++n) {
    push(EventKind::account, 0).order.user_ref_num = UserRefNum{n};
    run();
  }
  push(EventKind::resend, 0).resend = {.first = 3, .count = 2};
  const ReadPacket packet = read_packet(run().at(0).payload);
  EXPECT_EQ(packet.sequence, 37u);  // 64 of 100 are kept
  ASSERT_EQ(packet.messages.size(), 2u);
  EXPECT_EQ(as<ouch::AccountQueryResponse>(packet.messages[0]).next_user_ref_num, 37u);
  EXPECT_EQ(count(TransmitCounter::resends_too_early), 1u);
}

TEST_F(TransmitTest, AReRequestOfAClosedSessionIsNotAnswered) {
  push(EventKind::account, 0);
  push(EventKind::resend, 0).resend = {.first = 1, .count = 1};
  EXPECT_TRUE(run().empty());
  EXPECT_EQ(count(TransmitCounter::resends_unbound), 1u);
}

// ---- Time ---------------------------------------------------------------------------------------------------------

TEST_F(TransmitTest, ASilentSessionGetsAHeartbeatASecond) {
  login(0, 5);
  run();
  std::vector<TimeNs> heartbeats;
  for (int i = 1; i <= 35; ++i) {
    now = kNow + static_cast<TimeNs>(i) * kTickIntervalNs;
    if (i == 14) push(EventKind::account, 0);
    const std::size_t before = run().size();
    EXPECT_EQ(before, i == 14 ? 1u : 0u);
    push(EventKind::tick);
    for (const ReadFrame& frame : run()) {
      expect_empty(frame, 5, mold::kHeartbeat, i < 14 ? 1 : 2);
      heartbeats.push_back((now - kNow) / kTickIntervalNs);
    }
  }
  EXPECT_EQ(heartbeats, (std::vector<TimeNs>{10, 24, 34}));
}

TEST_F(TransmitTest, TheDaysEndEndsTheSessionsOfThoseWhoAreThere) {
  login(0, 5);
  login(2, 6);
  push(EventKind::session_close, 0);
  run();
  push(EventKind::day_end);
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 1u);
  expect_empty(frames[0], 6, mold::kEndOfSession, 1);
}

TEST_F(TransmitTest, BehindTheDaysEndItIsSaidAgainEachWholeSecondAndMissedMessagesAreSent) {
  login(0, 5);
  push(EventKind::account, 0);
  run();
  push(EventKind::day_end);
  EXPECT_EQ(run().size(), 1u);
  std::vector<TimeNs> ends;
  for (int i = 1; i <= 30; ++i) {
    now = kNow / kTickIntervalNs * kTickIntervalNs + static_cast<TimeNs>(i) * kTickIntervalNs;
    push(EventKind::tick);
    for (const ReadFrame& frame : run()) {
      expect_empty(frame, 5, mold::kEndOfSession, 2);
      ends.push_back(now % kNsPerSecond);
    }
  }
  EXPECT_EQ(ends, (std::vector<TimeNs>{0, 0, 0}));
  EXPECT_EQ(count(TransmitCounter::sessions_ended), 1u);
  EXPECT_EQ(count(TransmitCounter::ends_repeated), 3u);
  push(EventKind::resend, 0).resend = {.first = 1, .count = 1};
  EXPECT_EQ(read_packet(run().at(0).payload).messages.size(), 1u);
  push(EventKind::run_end);
  EXPECT_TRUE(run().empty());
}

// ---- Answers ------------------------------------------------------------------------------------------------------

TEST_F(TransmitTest, AFirmThatTradesWithItselfGetsBothAnswersInOneStream) {
  login(0, 5);
  run();
  push(EventKind::executed, 0, 1).execution = {order(3, 0, 21), order(4, 0, 22), Price{1}, 7, MatchNumber{9}, {}, {}};
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(as<ouch::OrderExecuted>(message(frames[0], 5, 1)).liquidity, 'R');
  EXPECT_EQ(as<ouch::OrderExecuted>(message(frames[1], 5, 2)).liquidity, 'A');
}

TEST_F(TransmitTest, TheDaysStartAndEndAreInEverySessionsStream) {
  login(3, 5);
  run();
  for (const char letter : {'O', 'S', 'Q', 'M', 'E', 'C'}) push(EventKind::system).system.event = letter;
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(as<ouch::SystemEvent>(message(frames[0], 5, 1)).event, 'S');
  EXPECT_EQ(as<ouch::SystemEvent>(message(frames[1], 5, 2)).event, 'E');
  EXPECT_EQ(as<ouch::SystemEvent>(message(frames[1], 5, 2)).timestamp, kNow);
  EXPECT_EQ(count(TransmitCounter::answers), 8u);
  EXPECT_EQ(count(TransmitCounter::answers_unsent), 6u);
  login(0, 6);
  push(EventKind::resend, 0).resend = {.first = 1, .count = 10};
  const ReadPacket packet = read_packet(run().at(1).payload);
  ASSERT_EQ(packet.messages.size(), 2u);
  EXPECT_EQ(packet.messages[1], message(frames[1], 5, 2));
}

TEST_F(TransmitTest, WhatOnlyTheFeedTellsMakesNoFrame) {
  login(0, 5);
  run();
  for (const EventKind kind : {EventKind::rested, EventKind::cross_done, EventKind::imbalance, EventKind::phase,
                               EventKind::directory, EventKind::burst_end, EventKind::feed_resend}) {
    push(kind);
  }
  EXPECT_TRUE(run().empty());
  EXPECT_EQ(events->available(), 0u);
}

// ---- Neighbours ---------------------------------------------------------------------------------------------------

TEST_F(TransmitTest, AnArpReplySaysWhereWeAre) {
  for (const std::uint16_t vlan : {std::uint16_t{0}, std::uint16_t{7}}) {
    push(EventKind::arp_reply).peer = peer(4, vlan);
    const std::vector<ReadFrame> frames = run();
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(frames[0].vlan, vlan);
    EXPECT_EQ(frames[0].ether_type, 0x0806);
    EXPECT_EQ(frames[0].to_mac, bytes({2, 0, 0, 0, 1, 4}));
    const Block expected =
        bytes({0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1, 10, 99, 0, 1, 2, 0, 0, 0, 1, 4, 10, 99, 1, 4});
    EXPECT_EQ(Block(frames[0].body.begin(), frames[0].body.begin() + 28), expected);
  }
}

TEST_F(TransmitTest, AnEchoIsRepliedToWithTheSameDataAndItsPlaceIsFreed) {
  std::size_t length = 8;
  for (int i = 0; i < 200; ++i, length += 7) {  // odd and even lengths, and more of them than places
    length = std::min<std::size_t>(length, 1480);
    Block request(length);
    for (std::size_t b = 0; b < length; ++b) request[b] = static_cast<std::uint8_t>(b * 31 + length);
    request[0] = 8;
    request[1] = 0;
    ASSERT_TRUE(echoes->has_room());
    Event& event = push(EventKind::echo_reply);
    const Peer asker = peer(4, i % 2 == 0 ? 0 : 7);
    std::copy(std::begin(asker.mac), std::end(asker.mac), event.echo.mac);
    event.echo.vlan = asker.vlan;
    event.echo.address = asker.address;
    event.echo.slot = echoes->put(request);
    event.echo.length = static_cast<std::uint16_t>(length);
    const std::vector<ReadFrame> frames = run();
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(frames[0].vlan, asker.vlan);
    EXPECT_EQ(frames[0].protocol, 1);
    EXPECT_EQ(frames[0].to, asker.address);
    const Block& reply = frames[0].payload;
    ASSERT_EQ(reply.size(), length);
    EXPECT_EQ(reply[0], 0);
    EXPECT_EQ(reply[1], 0);
    EXPECT_TRUE(std::equal(reply.begin() + 4, reply.end(), request.begin() + 4));
  }
}

TEST_F(TransmitTest, AnEchoThatIsRunAgainWithoutItsDataIsPassedOver) {
  const auto echo = [&](std::uint16_t slot) {
    Event& event = push(EventKind::echo_reply);
    const Peer asker = peer(4, 0);
    std::copy(std::begin(asker.mac), std::end(asker.mac), event.echo.mac);
    event.echo.address = asker.address;
    event.echo.slot = slot;
    event.echo.length = 8;
  };
  for (const std::uint16_t slot : std::initializer_list<std::uint16_t>{0, 1, 63}) echo(slot);
  EXPECT_TRUE(run().empty());
  EXPECT_EQ(count(TransmitCounter::echoes_gone), 3u);
  // One that asks now is answered, and behind it what is run again is still passed over.
  const std::uint16_t slot = echoes->put(Block{8, 0, 0, 0, 1, 2, 3, 4});
  echo(slot);
  echo(slot);
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(Block(frames[0].payload.begin() + 4, frames[0].payload.end()), bytes({1, 2, 3, 4}));
  EXPECT_EQ(count(TransmitCounter::echo_replies), 1u);
  EXPECT_EQ(count(TransmitCounter::echoes_gone), 4u);
}

// ---- A port without room ------------------------------------------------------------------------------------------

TEST_F(TransmitTest, ReleasesAnEventOnlyWhenAllItsFramesAreCommitted) {
  login(0, 5);
  login(1, 6);
  run();
  port.set_room(0);
  for (int i = 0; i < 31; ++i) push(EventKind::rejected, 0).order.order = kNoOrder;  // the port buffers 32
  push(EventKind::executed, 0, 1).execution = {order(3, 0, 21), order(4, 1, 22), Price{1}, 7, MatchNumber{9}, {}, {}};
  ring->producer().publish();
  const std::uint64_t before = events->position();
  for (int i = 0; i < 3; ++i) stage->poll();
  EXPECT_EQ(events->position() - before, 31u);
  EXPECT_TRUE(port.frames().empty());
  EXPECT_EQ(count(TransmitCounter::port_full), 3u);
  port.set_unlimited_room();
  stage->poll();
  EXPECT_EQ(events->position() - before, 32u);
  const std::vector<MemoryTxPort::Sent> frames = port.take_frames();
  ASSERT_EQ(frames.size(), 33u);
  EXPECT_EQ(as<ouch::OrderExecuted>(message(read_frame(frames[31].bytes), 5, 32)).liquidity, 'R');
  EXPECT_EQ(as<ouch::OrderExecuted>(message(read_frame(frames[32].bytes), 6, 1)).liquidity, 'A');
}

TEST_F(TransmitTest, APollIsBounded) {
  Arena big(BroadcastRing<Event>::bytes_for(256) + Orders::bytes_for(1) + EchoStore::bytes_for() +
                TransmitStage::bytes_for(config),
            HugepagePolicy::off);
  BroadcastRing<Event> long_ring(big, 256);
  BroadcastRing<Event>::GatingReader& reader = long_ring.add_gating("transmit");
  Orders one_order(big, 1);
  EchoStore store(big);
  TransmitStage bounded(config, reader, one_order, port, store, big);
  for (std::uint64_t i = 0; i < 200; ++i) long_ring.producer().claim() = event_of(EventKind::burst_end, i, 0);
  long_ring.producer().publish();
  EXPECT_EQ(bounded.poll(), TransmitStage::kMaxEvents);
  EXPECT_EQ(reader.position(), TransmitStage::kMaxEvents);
}

std::vector<MemoryTxPort::Sent> frames_of(const RandomDay& day, std::uint64_t ring_size, std::uint64_t seed,
                                          double refuses) {
  const NetConfig config = testing::net_config();
  const auto slots = static_cast<std::uint32_t>(day.asked.size());
  Arena arena(BroadcastRing<Event>::bytes_for(ring_size) + Orders::bytes_for(slots) + EchoStore::bytes_for() +
                  TransmitStage::bytes_for(config),
              HugepagePolicy::off);
  BroadcastRing<Event> ring(arena, ring_size);
  BroadcastRing<Event>::GatingReader& reader = ring.add_gating("transmit");
  Orders orders(arena, slots);
  EchoStore echoes(arena);
  StubbornTxPort port(seed, refuses);
  TransmitStage stage(config, reader, orders, port, echoes, arena);
  day.install(orders);
  std::mt19937_64 random(seed);
  std::size_t next = 0;
  while (next < day.steps.size() || reader.available() > 0 || port.unsent()) {
    for (std::uint64_t n = random() % ring_size + 1; n > 0 && next < day.steps.size(); --n) {
      const RandomDay::Step& step = day.steps[next];
      if (!ring.producer().has_room() || (!step.echo.empty() && !echoes.has_room())) break;
      if (!step.echo.empty()) {
        EXPECT_EQ(echoes.put(step.echo), step.event.echo.slot);
      }
      ring.producer().claim() = step.event;
      ++next;
    }
    ring.producer().publish();
    stage.poll();
  }
  EXPECT_EQ(stage.counters().get(TransmitCounter::frames), port.frames().size());
  return port.frames();
}

TEST(TransmitProperty, TheSameEventsMakeTheSameFramesWhateverRoomThePortHas) {
  const std::uint64_t seed = test::seed();
  for (std::uint64_t i = 0; i < 5; ++i) {
    const RandomDay day(seed + i, 1000);
    const std::vector<MemoryTxPort::Sent> expected = frames_of(day, 1024, 1, 0.0);
    ASSERT_GT(expected.size(), 500u);
    Sequence last_cause{};
    for (const MemoryTxPort::Sent& sent : expected) {
      read_frame(sent.bytes);
      EXPECT_GE(sent.origin.cause, last_cause);
      last_cause = sent.origin.cause;
    }
    for (const std::uint64_t ring_size : {2u, 4u, 16u, 256u}) {
      const std::vector<MemoryTxPort::Sent> frames = frames_of(day, ring_size, seed + ring_size, 0.6);
      ASSERT_EQ(frames.size(), expected.size());
      for (std::size_t f = 0; f < frames.size(); ++f) {
        ASSERT_EQ(frames[f].bytes, expected[f].bytes) << "frame " << f;
        ASSERT_EQ(frames[f].origin.cause, expected[f].origin.cause);
        ASSERT_EQ(frames[f].origin.time_ns, expected[f].origin.time_ns);
      }
    }
  }
}

}  // namespace
}  // namespace crosswire::transmit_test
