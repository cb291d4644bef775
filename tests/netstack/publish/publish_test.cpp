// The publish stage: every message and the packing.
#include "netstack/publish/publish.hpp"

#include "netstack/wire/itch.hpp"
#include "tests/netstack/transmit/transmit_fixture.hpp"

namespace crosswire::publish_test {
namespace {

namespace itch = wire::itch;
namespace mold = wire::mold;
using testing::as;
using testing::Block;
using testing::event_of;
using testing::peer;
using testing::read_frame;
using testing::read_packet;
using testing::ReadFrame;
using testing::ReadPacket;

constexpr TimeNs kNow = 34'200 * kNsPerSecond + 123'456'789;

struct PublishTest : ::testing::Test {
  PublishTest() { restart(); }

  void restart() {
    arena.emplace(BroadcastRing<Event>::bytes_for(512) + Orders::bytes_for(4) + PublishStage::bytes_for(config, engine),
                  HugepagePolicy::off);
    ring.emplace(*arena, 512u);
    orders.emplace(*arena, 4u);
    orders->asked(OrderIndex{0}).display = 'Y';
    orders->resolved(OrderIndex{0}).firm = {'M', 'L', 'R', 'O'};
    events = &ring->add_gating("publish");
    stage.emplace(config, engine, *events, *orders, port, *arena);
  }

  Event& push(EventKind kind, std::uint16_t symbol = 0) {
    Event& event = ring->producer().claim();
    event = event_of(kind, ++cause, now, kNoSession, SymbolId{symbol});
    return event;
  }

  /// Publishes what was pushed and handles all of it; the frames that came of it.
  std::vector<ReadFrame> run() {
    ring->producer().publish();
    while (events->available() > 0 && stage->poll() > 0) {
    }
    std::vector<ReadFrame> read;
    sent = port.take_frames();
    for (const MemoryTxPort::Sent& frame : sent) {
      read.push_back(read_frame(frame.bytes));
      EXPECT_EQ(frame.origin.rank, 1);
      EXPECT_EQ(frame.origin.time_ns, now);
    }
    return read;
  }

  /// Marks the newest event and runs: the messages, which must be of one datagram.
  std::vector<Block> burst() {
    ring->producer().last_claimed().flags |= kLastOfBurst;
    const std::vector<ReadFrame> frames = run();
    if (frames.empty()) return {};
    EXPECT_EQ(frames.size(), 1u);
    const ReadPacket packet = read_packet(frames[0].payload);
    EXPECT_EQ(packet.session, config.feed_session);
    EXPECT_EQ(packet.sequence, next_number);
    next_number += packet.count;
    return packet.messages;
  }

  /// As burst(), for a single message M about `symbol`.
  template <class M>
  M only(std::uint16_t symbol) {
    const std::vector<Block> messages = burst();
    if (messages.size() != 1) {
      ADD_FAILURE() << messages.size() << " messages";
      return {};
    }
    EXPECT_EQ(messages[0].size(), sizeof(M));
    const M message = as<M>(messages[0]);
    EXPECT_EQ(message.head.locate, symbol);
    EXPECT_EQ(message.head.tracking, 0);
    EXPECT_EQ(message.head.timestamp, now);
    return message;
  }

  static OrderEvent order(FeedAction feed, Side side = Side::sell_short) {
    return {.order = OrderIndex{0},
            .price = Price{4777800},
            .quantity = 40,
            .open = 15,
            .ref = OrderRef{1001},
            .old_ref = OrderRef{77},
            .user_ref_num = UserRefNum{5},
            .side = side,
            .code = 'L',
            .feed = feed,
            .user_ref_idx = 0};
  }

  void push_add() { push(EventKind::accepted, 1).order = order(FeedAction::add); }
  std::uint64_t count(PublishCounter counter) const { return stage->counters().get(counter); }

  NetConfig config = testing::net_config();
  EngineConfig engine = testing::engine_config();
  std::optional<Arena> arena;
  std::optional<BroadcastRing<Event>> ring;
  std::optional<Orders> orders;
  BroadcastRing<Event>::GatingReader* events = nullptr;
  MemoryTxPort port;
  std::optional<PublishStage> stage;
  std::vector<MemoryTxPort::Sent> sent;
  std::uint64_t cause = 0;
  std::uint64_t next_number = 1;
  TimeNs now = kNow;
};

// ---- Messages -----------------------------------------------------------------------------------------------------

TEST_F(PublishTest, AnOrderThatRestsIsAdded) {
  for (const EventKind kind : {EventKind::accepted, EventKind::rested}) {
    for (const Side side : {Side::buy, Side::sell, Side::sell_short, Side::sell_short_exempt}) {
      push(kind, 2).order = order(FeedAction::add, side);
      const auto add = only<itch::AddOrder>(2);
      EXPECT_EQ(add.order_ref, 1001u);
      EXPECT_EQ(add.side, side == Side::buy ? 'B' : 'S');
      EXPECT_EQ(add.shares, 15u);
      EXPECT_EQ(add.stock.raw(), "600519  ");
      EXPECT_EQ(add.price, 4777800u);
    }
  }
}

TEST_F(PublishTest, AnAttributableOrderIsAddedWithItsFirm) {
  orders->asked(OrderIndex{0}).display = 'A';
  for (const EventKind kind : {EventKind::accepted, EventKind::rested, EventKind::replaced}) {
    for (const Side side : {Side::buy, Side::sell_short}) {
      push(kind, 2).order = order(FeedAction::add, side);
      const auto add = only<itch::AddOrderMpid>(2);
      EXPECT_EQ(add.order_ref, 1001u);
      EXPECT_EQ(add.side, side == Side::buy ? 'B' : 'S');
      EXPECT_EQ(add.shares, 15u);
      EXPECT_EQ(add.stock.raw(), "600519  ");
      EXPECT_EQ(add.price, 4777800u);
      EXPECT_EQ(add.attribution.raw(), "MLRO");
    }
  }
}

TEST_F(PublishTest, AnAttributableOrderIsReducedReplacedAndRemovedAsAnyOther) {
  orders->asked(OrderIndex{0}).display = 'A';
  push(EventKind::canceled, 1).order = order(FeedAction::reduce);
  EXPECT_EQ(only<itch::OrderCancel>(1).order_ref, 1001u);
  push(EventKind::replaced, 1).order = order(FeedAction::replace);
  EXPECT_EQ(only<itch::OrderReplace>(1).old_ref, 77u);
  push(EventKind::canceled, 1).order = order(FeedAction::remove);
  EXPECT_EQ(only<itch::OrderDelete>(1).order_ref, 1001u);
}

TEST_F(PublishTest, AReplaceMovesTheOrderOrTakesItsOriginalAway) {
  push(EventKind::replaced, 1).order = order(FeedAction::replace);
  const auto replaced = only<itch::OrderReplace>(1);
  EXPECT_EQ(replaced.old_ref, 77u);
  EXPECT_EQ(replaced.new_ref, 1001u);
  EXPECT_EQ(replaced.shares, 15u);
  EXPECT_EQ(replaced.price, 4777800u);
  push(EventKind::replaced, 1).order = order(FeedAction::remove);
  EXPECT_EQ(only<itch::OrderDelete>(1).order_ref, 77u);
}

TEST_F(PublishTest, ACancelOrModifyReducesOrRemovesTheOrder) {
  for (const EventKind kind : {EventKind::canceled, EventKind::modified}) {
    push(kind, 1).order = order(FeedAction::reduce);
    const auto cancel = only<itch::OrderCancel>(1);
    EXPECT_EQ(cancel.order_ref, 1001u);
    EXPECT_EQ(cancel.shares, 40u);
    push(kind, 1).order = order(FeedAction::remove);
    EXPECT_EQ(only<itch::OrderDelete>(1).order_ref, 1001u);
  }
}

TEST_F(PublishTest, AnExecutionNamesTheRestingOrder) {
  push(EventKind::executed, 1).execution = {{}, {}, Price{55}, 7, MatchNumber{99}, OrderRef{8}, OrderRef{9}};
  const auto executed = only<itch::OrderExecuted>(1);
  EXPECT_EQ(executed.order_ref, 9u);
  EXPECT_EQ(executed.shares, 7u);
  EXPECT_EQ(executed.match_number, 99u);
}

TEST_F(PublishTest, AnExecutionAgainstAHiddenOrderIsATradeWithoutReference) {
  push(EventKind::executed, 3).execution = {{}, {}, Price{55}, 7, MatchNumber{99}, OrderRef{8}, OrderRef{0}};
  const auto trade = only<itch::Trade>(3);
  EXPECT_EQ(trade.order_ref, 0u);
  EXPECT_EQ(trade.side, 'B');
  EXPECT_EQ(trade.shares, 7u);
  EXPECT_EQ(trade.stock.raw(), "LONGNAME");
  EXPECT_EQ(trade.price, 55u);
  EXPECT_EQ(trade.match_number, 99u);
}

TEST_F(PublishTest, OfAPairOfACrossOnlyTheOrdersThatAreShownAreTold) {
  struct Case {
    std::uint64_t ref, resting_ref;
    std::vector<std::uint64_t> told;
  };
  for (const Case& c : {Case{8, 0, {8}}, Case{0, 9, {9}}, Case{0, 0, {}}, Case{8, 9, {8, 9}}}) {
    push(EventKind::crossed, 1).execution = {
        {}, {}, Price{55}, 7, MatchNumber{99}, OrderRef{c.ref}, OrderRef{c.resting_ref}};
    std::vector<std::uint64_t> told;
    for (const Block& message : burst()) told.push_back(as<itch::OrderExecutedWithPrice>(message).order_ref);
    EXPECT_EQ(told, c.told);
  }
}

TEST_F(PublishTest, APairOfACrossNamesBothOrdersAndIsNotPrintable) {
  push(EventKind::crossed, 1).execution = {{}, {}, Price{55}, 7, MatchNumber{99}, OrderRef{8}, OrderRef{9}};
  const std::vector<Block> messages = burst();
  ASSERT_EQ(messages.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto executed = as<itch::OrderExecutedWithPrice>(messages[i]);
    EXPECT_EQ(executed.head.locate, 1);
    EXPECT_EQ(executed.head.tracking, 0);
    EXPECT_EQ(executed.head.timestamp, kNow);
    EXPECT_EQ(executed.order_ref, 8u + i);
    EXPECT_EQ(executed.shares, 7u);
    EXPECT_EQ(executed.match_number, 99u);
    EXPECT_EQ(executed.printable, 'N');
    EXPECT_EQ(executed.price, 55u);
  }
}

TEST_F(PublishTest, ACrossEndsWithItsTotal) {
  push(EventKind::cross_done, 3).cross = {5'000'000'000, 0, MatchNumber{100}, Price{55}, Price{50}, 'N', 'C', {}};
  const auto cross = only<itch::CrossTrade>(3);
  EXPECT_EQ(cross.shares, 5'000'000'000u);
  EXPECT_EQ(cross.stock.raw(), "LONGNAME");
  EXPECT_EQ(cross.price, 55u);
  EXPECT_EQ(cross.match_number, 100u);
  EXPECT_EQ(cross.cross_type, 'C');
}

TEST_F(PublishTest, AnImbalanceTellsThePriceAtWhichItsSharesAreCountedAsReferenceAndNear) {
  push(EventKind::imbalance, 1).cross = {11, 22, {}, Price{10'500}, Price{10'000}, 'B', 'O', {}};
  const auto imbalance = only<itch::NetOrderImbalance>(1);
  EXPECT_EQ(imbalance.paired, 11u);
  EXPECT_EQ(imbalance.imbalance, 22u);
  EXPECT_EQ(imbalance.direction, 'B');
  EXPECT_EQ(imbalance.stock.raw(), "ADBE    ");
  EXPECT_EQ(imbalance.far_price, 10'000u);
  EXPECT_EQ(imbalance.near_price, 10'500u);
  EXPECT_EQ(imbalance.reference_price, 10'500u);
  EXPECT_EQ(imbalance.cross_type, 'O');
  EXPECT_EQ(imbalance.variation, 'L');
}

TEST_F(PublishTest, AnImbalanceWithoutAPriceHasNoneOfItsPricesAndNoVariation) {
  push(EventKind::imbalance, 1).cross = {0, 0, {}, kNoPrice, kNoPrice, 'O', 'C', {}};
  const auto imbalance = only<itch::NetOrderImbalance>(1);
  EXPECT_EQ(imbalance.direction, 'O');
  EXPECT_EQ(imbalance.far_price, 0u);
  EXPECT_EQ(imbalance.near_price, 0u);
  EXPECT_EQ(imbalance.reference_price, 0u);
  EXPECT_EQ(imbalance.cross_type, 'C');
  EXPECT_EQ(imbalance.variation, ' ');
}

TEST_F(PublishTest, APhaseIsATradingAction) {
  struct Case {
    Phase phase;
    char state;
    const char* reason;
  };
  for (const Case& c : {Case{Phase::pre_open, 'H', "    "},
                        {Phase::opening_call, 'Q', "    "},
                        {Phase::continuous, 'T', "    "},
                        {Phase::closing_call, 'Q', "    "},
                        {Phase::intraday_call, 'Q', "    "},
                        {Phase::closed, 'H', "    "},
                        {Phase::halted, 'H', "O1  "},
                        {Phase::interrupted, 'P', "LUDP"}}) {
    push(EventKind::phase, 1).phase = {c.phase, Phase::continuous, {}};
    const auto action = only<itch::StockTradingAction>(1);
    EXPECT_EQ(action.stock.raw(), "ADBE    ");
    EXPECT_EQ(action.state, c.state);
    EXPECT_EQ(action.reserved, ' ');
    EXPECT_EQ(action.reason.raw(), c.reason);
  }
}

TEST_F(PublishTest, ASystemEventIsAboutNoInstrument) {
  for (const char letter : {'O', 'S', 'Q', 'M', 'E', 'C'}) {
    push(EventKind::system).system.event = letter;
    EXPECT_EQ(only<itch::SystemEvent>(0).event, letter);
  }
}

TEST_F(PublishTest, AHaltOfAllTellsItsLevel) {
  for (const char level : {'1', '2', '3'}) {
    push(EventKind::halt_level).halt_level.level = level;
    EXPECT_EQ(only<itch::MwcbStatus>(0).breached, level);
  }
}

TEST_F(PublishTest, TheLevelsOfAMarketWideCircuitBreakerAreToldAsConfigured) {
  push(EventKind::declines).declines.levels_e8 = {300, 200, 100};
  const auto declines = only<itch::MwcbDeclineLevel>(0);
  EXPECT_EQ(declines.level1, 300u);
  EXPECT_EQ(declines.level2, 200u);
  EXPECT_EQ(declines.level3, 100u);
}

TEST_F(PublishTest, TheDirectoryDescribesAnOrdinaryShare) {
  push(EventKind::directory, 3);
  const auto stock = only<itch::StockDirectory>(3);
  EXPECT_EQ(stock.stock.raw(), "LONGNAME");
  EXPECT_EQ(stock.market_category, ' ');
  EXPECT_EQ(stock.financial_status, ' ');
  EXPECT_EQ(stock.round_lot_size, 1u);
  EXPECT_EQ(stock.round_lots_only, 'N');
  EXPECT_EQ(stock.issue_class, 'C');
  EXPECT_EQ(stock.issue_subtype.raw(), "Z ");
  EXPECT_EQ(stock.authenticity, 'P');
  EXPECT_EQ(stock.short_threshold, ' ');
  EXPECT_EQ(stock.ipo_flag, ' ');
  EXPECT_EQ(stock.luld_tier, ' ');
  EXPECT_EQ(stock.etp_flag, 'N');
  EXPECT_EQ(stock.etp_leverage, 0u);
  EXPECT_EQ(stock.inverse, 'N');
}

TEST_F(PublishTest, WhatOnlyClientsAreToldMakesNoMessage) {
  for (const EventKind kind :
       {EventKind::rejected, EventKind::account, EventKind::mass_cancel, EventKind::disable, EventKind::enable,
        EventKind::session_open, EventKind::session_close, EventKind::login_reject, EventKind::resend,
        EventKind::arp_reply, EventKind::echo_reply, EventKind::burst_end}) {
    push(kind);
  }
  for (const EventKind kind : {EventKind::accepted, EventKind::replaced, EventKind::canceled, EventKind::modified}) {
    push(kind, 1).order = order(FeedAction::none);
  }
  EXPECT_TRUE(burst().empty());
  EXPECT_EQ(events->available(), 0u);
}

// ---- The channel --------------------------------------------------------------------------------------------------

TEST_F(PublishTest, TheChannelIsAMulticastGroup) {
  config.feed_group = 0xEFC2A105;  // 239.194.161.5: bit 23 is not part of the MAC
  config.feed_ttl = 3;
  for (const std::uint16_t vlan : {std::uint16_t{0}, std::uint16_t{12}}) {
    config.feed_vlan = vlan;
    restart();
    push_add();
    ring->producer().last_claimed().flags = kLastOfBurst;
    const std::vector<ReadFrame> frames = run();
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(frames[0].to_mac, (Block{0x01, 0x00, 0x5E, 0x42, 0xA1, 0x05}));
    EXPECT_EQ(frames[0].from_mac, (Block{2, 0, 0, 0, 0, 1}));
    EXPECT_EQ(frames[0].vlan, vlan);
    EXPECT_EQ(frames[0].from, testing::kOurAddress);
    EXPECT_EQ(frames[0].to, 0xEFC2A105u);
    EXPECT_EQ(frames[0].from_port, 26477);
    EXPECT_EQ(frames[0].to_port, 26477);
    EXPECT_EQ(frames[0].ttl, 3);
  }
}

TEST_F(PublishTest, ADatagramStaysOpenUntilItsBurstEnds) {
  for (int i = 0; i < 3; ++i) {
    push_add();
    EXPECT_TRUE(run().empty());
    EXPECT_EQ(events->available(), 0u);
  }
  push(EventKind::rejected);
  EXPECT_EQ(burst().size(), 3u);
  EXPECT_EQ(sent[0].origin.cause, Sequence{4}) << "the command that closed it caused it";
}

TEST_F(PublishTest, AnyEventMayCloseABurst) {
  for (const EventKind kind : {EventKind::burst_end, EventKind::tick, EventKind::session_open, EventKind::echo_reply,
                               EventKind::account, EventKind::resend}) {
    push_add();
    push(kind);
    EXPECT_EQ(burst().size(), 1u);
  }
}

TEST_F(PublishTest, ADatagramClosesWhenTheNextMessageWouldExceedTheMtu) {
  constexpr std::size_t kFit = (1500 - 28 - 20) / (2 + sizeof(itch::AddOrder));
  for (std::size_t i = 0; i < 2 * kFit + 5; ++i) push_add();
  ring->producer().last_claimed().flags = kLastOfBurst;
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 3u);
  std::uint64_t sequence = 1;
  for (std::size_t i = 0; i < 3; ++i) {
    const ReadPacket packet = read_packet(frames[i].payload);
    EXPECT_EQ(packet.sequence, sequence);
    EXPECT_EQ(packet.count, i < 2 ? kFit : 5);
    sequence += packet.count;
  }
  EXPECT_EQ(sent[0].origin.cause, Sequence{kFit + 1}) << "the command whose message did not fit";
  EXPECT_EQ(sent[2].origin.cause, Sequence{2 * kFit + 5});
}

TEST_F(PublishTest, ADatagramMayFillTheMtuToTheLastByte) {
  constexpr std::size_t kAdds = 36, kDeletes = 4;
  static_assert(kAdds * (2 + sizeof(itch::AddOrder)) + kDeletes * (2 + sizeof(itch::OrderDelete)) == 1500 - 28 - 20);
  for (std::size_t i = 0; i < kAdds; ++i) push_add();
  for (std::size_t i = 0; i < kDeletes; ++i) push(EventKind::canceled, 1).order = order(FeedAction::remove);
  EXPECT_EQ(burst().size(), kAdds + kDeletes);
  EXPECT_EQ(sent[0].bytes.size(), 1514u);
}

TEST_F(PublishTest, ASilentChannelGetsAHeartbeatASecond) {
  std::vector<TimeNs> heartbeats;
  push_add();
  burst();
  for (int i = 1; i <= 35; ++i) {
    now = kNow + static_cast<TimeNs>(i) * kTickIntervalNs;
    if (i == 14) {
      push_add();
      EXPECT_EQ(burst().size(), 1u);
    }
    push(EventKind::tick).flags = kLastOfBurst;
    for (const ReadFrame& frame : run()) {
      const ReadPacket packet = read_packet(frame.payload);
      EXPECT_EQ(packet.count, mold::kHeartbeat);
      EXPECT_EQ(packet.sequence, next_number);
      EXPECT_EQ(frame.payload.size(), 20u);
      heartbeats.push_back((now - kNow) / kTickIntervalNs);
    }
  }
  EXPECT_EQ(heartbeats, (std::vector<TimeNs>{10, 24, 34}));
  EXPECT_EQ(count(PublishCounter::heartbeats), 3u);
}

TEST_F(PublishTest, ATickThatClosesADatagramNeedsNoHeartbeat) {
  push(EventKind::imbalance, 1).cross = {0, 0, {}, Price{5}, Price{5}, 'O', 'O', {}};
  push(EventKind::tick);
  EXPECT_EQ(burst().size(), 1u);
  EXPECT_EQ(count(PublishCounter::heartbeats), 0u);
}

TEST_F(PublishTest, TheDaysEndClosesTheDatagramAndEndsTheSession) {
  push_add();
  push(EventKind::day_end).flags = kLastOfBurst;
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(read_packet(frames[0].payload).count, 1);
  EXPECT_EQ(read_packet(frames[1].payload).count, mold::kEndOfSession);
  EXPECT_EQ(read_packet(frames[1].payload).sequence, 2u);
}

TEST_F(PublishTest, BehindTheDaysEndItIsSaidAgainEachWholeSecond) {
  push_add();
  push(EventKind::day_end).flags = kLastOfBurst;
  run();
  std::size_t ends = 0;
  for (int i = 1; i <= 20; ++i) {
    now = kNow / kTickIntervalNs * kTickIntervalNs + static_cast<TimeNs>(i) * kTickIntervalNs;
    push(EventKind::tick).flags = kLastOfBurst;
    for (const ReadFrame& frame : run()) {
      EXPECT_EQ(now % kNsPerSecond, 0u);
      EXPECT_EQ(read_packet(frame.payload).count, mold::kEndOfSession);
      EXPECT_EQ(read_packet(frame.payload).sequence, 2u);
      ++ends;
    }
  }
  EXPECT_EQ(ends, 2u);
  EXPECT_EQ(count(PublishCounter::ends_repeated), 2u);
}

TEST_F(PublishTest, AFeedThatIsOffSendsNothingAndTakesItsEvents) {
  config.feed_enabled = false;
  restart();
  push(EventKind::system);
  push(EventKind::directory);
  push_add();
  ring->producer().last_claimed().flags |= kLastOfBurst;
  push(EventKind::tick);
  ResendAsk& ask = push(EventKind::feed_resend).resend;
  ask.first = 1;
  ask.count = 1;
  push(EventKind::day_end);
  EXPECT_TRUE(run().empty());
  EXPECT_EQ(events->available(), 0u);
  EXPECT_FALSE(port.unsent());
}

// ---- Re-requests --------------------------------------------------------------------------------------------------

struct FeedResendTest : PublishTest {
  ReadPacket ask(std::uint64_t first, std::uint16_t count, std::uint16_t vlan = 7) {
    const Peer asker = peer(3, vlan);
    ResendAsk& ask = push(EventKind::feed_resend).resend;
    ask.first = first;
    ask.count = count;
    std::copy(std::begin(asker.mac), std::end(asker.mac), ask.mac);
    ask.vlan = asker.vlan;
    ask.port = asker.port;
    ask.address = asker.address;
    const std::vector<ReadFrame> frames = run();
    if (frames.size() != 1) {
      ADD_FAILURE() << frames.size() << " frames";
      return {};
    }
    EXPECT_EQ(frames[0].to_mac, (Block{2, 0, 0, 0, 1, 3}));
    EXPECT_EQ(frames[0].vlan, vlan);
    EXPECT_EQ(frames[0].to, asker.address);
    EXPECT_EQ(frames[0].to_port, 30003);
    EXPECT_EQ(frames[0].from_port, 26478);
    EXPECT_EQ(frames[0].ttl, 64);
    const ReadPacket packet = read_packet(frames[0].payload);
    EXPECT_EQ(packet.session, config.feed_session);
    return packet;
  }
};

TEST_F(FeedResendTest, AnAskerGetsTheMessagesThatWereSent) {
  std::vector<Block> messages;
  for (int i = 0; i < 20; ++i) {
    now += 1000;
    push_add();
    messages.push_back(burst().at(0));
  }
  const ReadPacket packet = ask(5, 10);
  EXPECT_EQ(packet.sequence, 5u);
  EXPECT_EQ(packet.messages, std::vector<Block>(messages.begin() + 4, messages.begin() + 14));
  EXPECT_EQ(ask(5, 10, 0).count, 10);
  EXPECT_EQ(count(PublishCounter::resends), 2u);
  EXPECT_EQ(count(PublishCounter::resent_messages), 20u);
}

TEST_F(FeedResendTest, NobodyGetsWhatHasNotLeftOnTheChannelYet) {
  push_add();
  burst();
  push_add();
  push_add();
  EXPECT_EQ(ask(1, 100).count, 1);
  const ReadPacket past = ask(2, 100);
  EXPECT_EQ(past.count, mold::kHeartbeat);
  EXPECT_EQ(past.sequence, 2u);
  push(EventKind::burst_end);
  EXPECT_EQ(burst().size(), 2u);
  EXPECT_EQ(ask(2, 100).count, 2);
  EXPECT_EQ(count(PublishCounter::resends_past_end), 1u);
}

TEST_F(FeedResendTest, LostMessagesAreAnsweredFromTheOldestKept) {
  for (int i = 0; i < 300; ++i) {
    push_add();
    burst();
  }
  const ReadPacket packet = ask(1, 65'534);
  EXPECT_EQ(packet.sequence, 45u);  // 256 of 300 are kept
  EXPECT_EQ(packet.count, (1472 - 20) / (2 + sizeof(itch::AddOrder)));
  EXPECT_EQ(count(PublishCounter::resends_too_early), 1u);
}

TEST_F(FeedResendTest, AStoreSmallerThanADatagramAnswersWithAHeartbeat) {
  config.feed_messages_kept = 2;
  restart();
  for (int i = 0; i < 5; ++i) push_add();
  const ReadPacket packet = ask(1, 10);
  EXPECT_EQ(packet.count, mold::kHeartbeat);
  EXPECT_EQ(packet.sequence, 1u);
}

// ---- A port without room ------------------------------------------------------------------------------------------

TEST_F(PublishTest, AnEventThatClosesADatagramIsReleasedWhenItIsCommitted) {
  port.set_room(0);
  for (int i = 0; i < 40; ++i) {
    push_add();
    ring->producer().last_claimed().flags = kLastOfBurst;
  }
  ring->producer().publish();
  for (int i = 0; i < 3; ++i) stage->poll();
  EXPECT_EQ(events->position(), 32u);  // as many frames as the port buffers
  port.set_unlimited_room();
  const std::vector<ReadFrame> frames = run();
  ASSERT_EQ(frames.size(), 40u);
  for (std::size_t i = 0; i < 40; ++i) {
    const ReadPacket packet = read_packet(frames[i].payload);
    EXPECT_EQ(packet.sequence, i + 1);
    EXPECT_EQ(packet.count, 1);
  }
}

TEST(PublishCounters, HaveALabelAndAMeaningEach) {
  for (const auto& info : kPublishCounters) EXPECT_FALSE(info.label.empty() || info.meaning.empty());
}

}  // namespace
}  // namespace crosswire::publish_test
