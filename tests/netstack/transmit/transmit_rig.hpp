// A TransmitStage between events that the test makes and a port in memory, and the fixture of its tests. Tests only.
#pragma once

#include "netstack/transmit/transmit.hpp"
#include "netstack/wire/soup.hpp"
#include "tests/netstack/transmit/transmit_fixture.hpp"

namespace crosswire::testing {

struct TransmitTest : ::testing::Test {
  TransmitTest() { SetUpAgain(); }

  /// After a change of `config`.
  void SetUpAgain() {
    stage.reset();
    ring.reset();
    orders.reset();
    echoes.reset();
    arena.emplace(BroadcastRing<Event>::bytes_for(64) + Orders::bytes_for(64) + EchoStore::bytes_for() +
                      TransmitStage::bytes_for(config),
                  HugepagePolicy::off);
    ring.emplace(*arena, 64u);
    orders.emplace(*arena, 64u);
    echoes.emplace(*arena);
    events = &ring->add_gating("transmit");
    stage.emplace(config, *events, *orders, port, *echoes, *arena);
  }

  Event& push(EventKind kind, int session = -1, std::uint16_t symbol = 0) {
    Event& event = ring->producer().claim();
    event = event_of(kind, ++cause, now, session < 0 ? kNoSession : SessionId{static_cast<std::uint16_t>(session)},
                     SymbolId{symbol});
    return event;
  }

  /// Publishes what was pushed, as the end of a burst, and handles all of it; the frames that came of it.
  std::vector<ReadFrame> run() {
    if (ring->producer().unpublished() > 0) ring->producer().last_claimed().flags |= kLastOfBurst;
    ring->producer().publish();
    while (events->available() > 0 && stage->poll() > 0) {
    }
    std::vector<ReadFrame> read;
    for (const MemoryTxPort::Sent& sent : port.take_frames()) {
      read.push_back(read_frame(sent.bytes));
      EXPECT_EQ(sent.origin.rank, 0);
      EXPECT_EQ(sent.origin.time_ns, now);
    }
    return read;
  }

  void login(std::uint16_t session, std::uint8_t source, std::uint16_t vlan = 0, char code = 0) {
    push(EventKind::session_open, session).peer = peer(source, vlan, code);
  }

  /// Logs in from `source`, and the old source is told.
  void take_over(std::uint16_t session, std::uint8_t source) {
    Event& event = push(EventKind::session_open, session);
    event.peer = peer(source, 0, 'T');
    event.peer.told = true;
  }
  /// Expects the two packets that say that there is no session, and why.
  void expect_told(const std::vector<ReadFrame>& frames, std::uint8_t source, std::uint16_t vlan,
                   std::string_view word) {
    ASSERT_EQ(frames.size(), 2u);
    for (const ReadFrame& frame : frames) {
      EXPECT_EQ(frame.to, peer(source).address);
      EXPECT_EQ(frame.to_port, peer(source).port);
      EXPECT_EQ(frame.vlan, vlan);
    }
    const wire::soup::Read remark = wire::soup::read_datagram(frames[0].payload);
    EXPECT_EQ(remark.type, wire::soup::PacketType::debug);
    EXPECT_EQ(std::string(remark.payload.begin(), remark.payload.end()), word);
    EXPECT_EQ(frames[1].payload, bytes({0, 2, 'J', 'S'}));
  }

  OrderIndex order(std::uint32_t index, std::uint16_t session, std::uint32_t user_ref_num) {
    return put_order(*orders, index, session, user_ref_num);
  }
  OrderEvent order_event(OrderIndex index, char code = 0) { return testing::order_event(*orders, index, code); }

  /// Runs, and expects one frame with one message to client `source`, number `sequence`.
  Block answer(std::uint8_t source, std::uint64_t sequence) {
    const std::vector<ReadFrame> frames = run();
    if (frames.size() != 1) {
      ADD_FAILURE() << frames.size() << " frames";
      return {};
    }
    return message(frames[0], source, sequence);
  }

  Block message(const ReadFrame& frame, std::uint8_t source, std::uint64_t sequence) {
    EXPECT_EQ(frame.to, peer(source).address);
    const ReadPacket packet = read_packet(frame.payload);
    EXPECT_EQ(packet.session, config.order_session);
    EXPECT_EQ(packet.sequence, sequence);
    EXPECT_EQ(packet.messages.size(), 1u);
    return packet.messages.empty() ? Block{} : packet.messages[0];
  }

  /// Expects a packet without messages.
  void expect_empty(const ReadFrame& frame, std::uint8_t source, std::uint16_t count, std::uint64_t sequence) {
    EXPECT_EQ(frame.to, peer(source).address);
    const ReadPacket packet = read_packet(frame.payload);
    EXPECT_EQ(packet.session, config.order_session);
    EXPECT_EQ(packet.count, count);
    EXPECT_EQ(packet.sequence, sequence);
    EXPECT_EQ(frame.payload.size(), 20u);
  }

  std::uint64_t count(TransmitCounter counter) const { return stage->counters().get(counter); }

  NetConfig config = net_config();
  std::optional<Arena> arena;
  std::optional<BroadcastRing<Event>> ring;
  std::optional<Orders> orders;
  std::optional<EchoStore> echoes;
  BroadcastRing<Event>::GatingReader* events = nullptr;
  MemoryTxPort port;
  std::optional<TransmitStage> stage;
  std::uint64_t cause = 0;
  TimeNs now = kNow;
};

}  // namespace crosswire::testing
