// Every answer to what a client sends, byte by byte, and for whom it is.
#include <gtest/gtest.h>

#include <optional>
#include <type_traits>
#include <utility>

#include "netstack/answers/answers.hpp"
#include "netstack/wire/ouch.hpp"
#include "tests/netstack/transmit/transmit_fixture.hpp"

namespace crosswire::answers_test {
namespace {

namespace ouch = wire::ouch;
using testing::as;
using testing::Block;
using testing::bytes;
using testing::kNow;

/// An answer as take() gets it.
struct Told {
  std::optional<SessionId> whom;  // nothing: every session
  Block message;
};

struct Answers : ::testing::Test {
  Answers() : arena(Orders::bytes_for(64), HugepagePolicy::off), orders(arena, 64u) {}

  Event& push(EventKind kind, int session = -1, std::uint16_t symbol = 0) {
    pushed = testing::event_of(kind, 1, now, session < 0 ? kNoSession : SessionId{static_cast<std::uint16_t>(session)},
                               SymbolId{symbol});
    return pushed;
  }
  OrderIndex order(std::uint32_t index, std::uint16_t session, std::uint32_t user_ref_num) {
    return testing::put_order(orders, index, session, user_ref_num);
  }
  OrderEvent order_event(OrderIndex index, char code = 0) { return testing::order_event(orders, index, code); }

  /// All that the event says, and to whom. None is shorter than is usual for its kind.
  std::vector<Told> told() {
    std::vector<Told> all;
    std::size_t done = 0;
    other = false;
    const auto take = [&all](auto whom, const Event&, auto write) {
      Block room(answers::kMaxBytes, 0xEE);
      room.resize(write(room.data()));
      EXPECT_GE(room.size(), decltype(write)::kUsualBytes);
      std::optional<SessionId> session;
      if constexpr (std::is_same_v<decltype(whom), SessionId>) session = whom;
      if constexpr (std::is_same_v<decltype(whom), answers::Sharing>) session = whom.session;
      all.push_back({session, room});
      return true;
    };
    EXPECT_TRUE(answers::each(pushed, orders, done, take, [this](const Event&) { return other = true; }));
    return all;
  }

  /// Expects one answer to session 2, and gives it back.
  Block answer() {
    std::vector<Block> found;
    for (const Told& one : told()) {
      if (one.whom == SessionId{2}) found.push_back(one.message);
    }
    EXPECT_EQ(found.size(), 1u);
    return found.empty() ? Block{} : found[0];
  }

  Arena arena;
  Orders orders;
  Event pushed{};
  TimeNs now = kNow;
  bool other = false;  // the last event went the other way
};

TEST_F(Answers, AcceptedIsTheMessageThatProductionSends) {
  push(EventKind::accepted, 2, 1).order = order_event(order(3, 2, 0x00753a8d), 'L');
  // WIRE 3.6, without its options.
  const Block expected =
      bytes({0x41, 0,    0,    0x28, 0x9b, 0x4d, 0x64, 0xaf, 0x87, 0x00, 0x75, 0x3a, 0x8d, 0x42, 0,    0,
             0,    0x28, 0x41, 0x44, 0x42, 0x45, 0x20, 0x20, 0x20, 0x20, 0,    0,    0,    0,    0,    0x48,
             0xe7, 0x48, 0x35, 0x59, 0,    0,    0,    0,    0x0f, 0x56, 0xb4, 0xf5, 0x41, 0x4e, 0x4e, 0x4c,
             0x37, 0x36, 0x38, 0x32, 0x37, 0x30, 0x30, 0x31, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0,    0});
  EXPECT_EQ(answer(), expected);
}

TEST_F(Answers, AcceptedRepeatsAFirmThatTheClientNamed) {
  const OrderIndex index = order(3, 2, 10);
  orders.resolved(index).kept.firm_given = true;
  push(EventKind::accepted, 2, 1).order = order_event(index, 'D');
  const Block message = answer();
  EXPECT_EQ(as<ouch::OrderAccepted>(message).order_state, 'D');
  EXPECT_EQ(Block(message.begin() + 62, message.end()), bytes({0, 6, 5, 2, 'M', 'L', 'R', 'O'}));
}

TEST_F(Answers, ReplacedNamesBothNumbersAndTheNewOrder) {
  const OrderIndex index = order(3, 2, 11);
  Event& event = push(EventKind::replaced, 2, 1);
  event.order = order_event(index, 'L');
  event.order.user_ref_num = UserRefNum{10};  // the original's
  event.order.side = Side::sell_short;
  const Block message = answer();
  ASSERT_EQ(message.size(), 68u);
  const auto replaced = as<ouch::OrderReplaced>(message);
  EXPECT_EQ(replaced.timestamp, kNow);
  EXPECT_EQ(replaced.orig_user_ref_num, 10u);
  EXPECT_EQ(replaced.user_ref_num, 11u);
  EXPECT_EQ(replaced.side, 'T');
  EXPECT_EQ(replaced.quantity, 40u);
  EXPECT_EQ(replaced.symbol.raw(), "ADBE    ");
  EXPECT_EQ(replaced.price, 0x48e748u);
  EXPECT_EQ(replaced.time_in_force, '5');
  EXPECT_EQ(replaced.display, 'Y');
  EXPECT_EQ(replaced.order_ref, 0x0f56b4f5u);
  EXPECT_EQ(replaced.capacity, 'A');
  EXPECT_EQ(replaced.iso, 'N');
  EXPECT_EQ(replaced.cross_type, 'N');
  EXPECT_EQ(replaced.order_state, 'L');
  EXPECT_EQ(replaced.cl_ord_id.view(), "76827001");
  EXPECT_EQ(Block(message.begin() + 66, message.end()), bytes({0, 0}));
}

TEST_F(Answers, CanceledIsTheMessageThatProductionSends) {
  now = 0x289b4d681317;
  push(EventKind::canceled, 2, 1).order = order_event(order(3, 2, 0x00753a8d), 'U');
  EXPECT_EQ(answer(),
            bytes({0x43, 0, 0, 0x28, 0x9b, 0x4d, 0x68, 0x13, 0x17, 0, 0x75, 0x3a, 0x8d, 0, 0, 0, 0x28, 0x55}));
}

TEST_F(Answers, ModifiedSaysWhatIsLeft) {
  Event& event = push(EventKind::modified, 2, 1);
  event.order = order_event(order(3, 2, 12));
  event.order.side = Side::sell_short_exempt;
  const Block message = answer();
  ASSERT_EQ(message.size(), 18u);
  const auto modified = as<ouch::OrderModified>(message);
  EXPECT_EQ(modified.timestamp, kNow);
  EXPECT_EQ(modified.user_ref_num, 12u);
  EXPECT_EQ(modified.side, 'E');
  EXPECT_EQ(modified.quantity, 15u);
}

TEST_F(Answers, APreventedExecutionIsToldToEachOrderThatLosesShares) {
  for (const bool resting : {false, true}) {
    Event& event = push(EventKind::prevented, 2, 1);
    event.prevention = {.order = order(3, 2, 12),
                        .price = Price{630'200},
                        .quantity = 40,
                        .open = 5,
                        .ref = OrderRef{7},
                        .would = 30,
                        .user_ref_num = UserRefNum{12},
                        .side = Side::buy,
                        .action = SelfTrade::both,
                        .feed = FeedAction::none,
                        .resting = resting,
                        .reserved = {}};
    const Block message = answer();
    ASSERT_EQ(message.size(), 32u);
    const auto prevented = as<ouch::AiqCanceled>(message);
    EXPECT_EQ(prevented.timestamp, kNow);
    EXPECT_EQ(prevented.user_ref_num, 12u);
    EXPECT_EQ(prevented.decrement, 40u);
    EXPECT_EQ(prevented.reason, 'Q');
    EXPECT_EQ(prevented.prevented, 30u);
    EXPECT_EQ(prevented.execution_price, 630'200u);
    EXPECT_EQ(prevented.liquidity, resting ? 'A' : 'R');
    EXPECT_EQ(prevented.aiq_strategy, 'B');
  }
}

TEST_F(Answers, ARefusedCancelIsToldToTheOrdersOwner) {
  Event& event = push(EventKind::refused, 2, 1);
  event.order = order_event(order(3, 2, 12));
  const Block message = answer();
  ASSERT_EQ(message.size(), 13u);
  EXPECT_EQ(as<ouch::CancelReject>(message).timestamp, kNow);
  EXPECT_EQ(as<ouch::CancelReject>(message).user_ref_num, 12u);
}

TEST_F(Answers, RejectedNeedsNothingButTheOrderAsAsked) {
  const OrderIndex index = order(3, 2, 13);
  orders.resolved(index) = {};  // a Replace that failed never got it
  Event& event = push(EventKind::rejected, 2, 1);
  event.order = order_event(index);
  event.reject = 0x001D;
  const Block message = answer();
  ASSERT_EQ(message.size(), 29u);
  const auto rejected = as<ouch::Rejected>(message);
  EXPECT_EQ(rejected.timestamp, kNow);
  EXPECT_EQ(rejected.user_ref_num, 13u);
  EXPECT_EQ(rejected.reason, 0x001Du);
  EXPECT_EQ(rejected.cl_ord_id.view(), "76827001");
}

TEST_F(Answers, AnAccountQueryNeedsNoOrder) {
  Event& event = push(EventKind::account, 2);
  event.order.order = kNoOrder;
  event.order.user_ref_num = UserRefNum{14};
  const Block message = answer();
  ASSERT_EQ(message.size(), 13u);
  EXPECT_EQ(as<ouch::AccountQueryResponse>(message).timestamp, kNow);
  EXPECT_EQ(as<ouch::AccountQueryResponse>(message).next_user_ref_num, 14u);
}

TEST_F(Answers, EveryAnswerOnAChannelNamesIt) {
  const OrderIndex index = order(3, 2, 13);
  const Block tail = bytes({0, 3, 2, 28, 6});
  struct Case {
    EventKind kind;
    std::size_t fixed_size;
  };
  for (const Case& c : {Case{EventKind::accepted, 62},
                        {EventKind::replaced, 66},
                        {EventKind::canceled, 18},
                        {EventKind::modified, 18},
                        {EventKind::rejected, 29},
                        {EventKind::executed, 34},
                        {EventKind::crossed, 34}}) {
    orders.asked(index).user_ref_idx = 6;
    Event& event = push(c.kind, 2, 1);
    event.order = order_event(index, 'L');
    event.order.user_ref_idx = 99;  // says nothing where there is an order
    const bool execution = c.kind == EventKind::executed || c.kind == EventKind::crossed;
    if (execution) event.execution = {index, order(4, 0, 22), Price{1}, 7, MatchNumber{9}, {}, {}};
    const Block message = answer();
    EXPECT_EQ(Block(message.begin() + static_cast<std::ptrdiff_t>(c.fixed_size), message.end()), tail);
  }
}

TEST_F(Answers, AChannelMayHaveAnyNumber) {
  const OrderIndex index = order(3, 2, 13);
  for (int channel = 1; channel < 256; ++channel) {
    orders.asked(index).user_ref_idx = static_cast<Channel>(channel);
    push(EventKind::canceled, 2, 1).order = order_event(index, 'U');
    const Block message = answer();
    EXPECT_EQ(Block(message.begin() + 18, message.end()), bytes({0, 3, 2, 28, channel}));
  }
}

// ---- What was asked for, in the answer ------------------------------------------------------------------------------

TEST_F(Answers, AcceptedEchoesEachAttributeThatIsNotTheDefault) {
  struct Case {
    const char* what;
    void (*set)(OrderAsked&, OrderResolved&);
    Block options;
  };
  const std::vector<Case> cases = {
      {"none", [](OrderAsked&, OrderResolved&) {}, {}},
      {"MinQty", [](OrderAsked& asked, OrderResolved&) { asked.min_quantity = 0x0102; }, bytes({5, 3, 0, 0, 1, 2})},
      {"PostOnly", [](OrderAsked&, OrderResolved& r) { r.kept.post_only = PostOnly::yes; }, bytes({2, 12, 'P'})},
      {"ExpireTime", [](OrderAsked&, OrderResolved& r) { r.kept.expire_seconds = 86'399; },
       bytes({5, 15, 0, 1, 0x51, 0x7F})},
      {"GroupID", [](OrderAsked&, OrderResolved& r) { r.kept.group_id = 0xFFFE; }, bytes({3, 24, 0xFF, 0xFE})},
      {"StayOnDisconnect", [](OrderAsked&, OrderResolved& r) { r.kept.stays_on_disconnect = true; },
       bytes({2, 128, 'Y'})}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const OrderIndex index = order(3, 2, 10);
    c.set(orders.asked(index), orders.resolved(index));
    push(EventKind::accepted, 2, 1).order = order_event(index, 'L');
    Block message = answer();
    Block expected = bytes({0, static_cast<int>(c.options.size())});
    expected.insert(expected.end(), c.options.begin(), c.options.end());
    EXPECT_EQ(Block(message.begin() + 62, message.end()), expected);

    push(EventKind::replaced, 2, 1).order = order_event(index, 'L');
    message = answer();
    const bool inherited_in_silence = orders.resolved(index).kept.group_id != 0;  // Replaced takes no GroupID
    EXPECT_EQ(Block(message.begin() + 66, message.end()), inherited_in_silence ? bytes({0, 0}) : expected);
  }
}

TEST_F(Answers, AnAnswerHoldsAllThatAnOrderCanHaveAtOnce) {
  const OrderIndex index = order(3, 2, 10);
  orders.asked(index).min_quantity = 1;
  orders.asked(index).user_ref_idx = 255;
  OrderResolved& resolved = orders.resolved(index);
  resolved.kept.firm_given = true;
  resolved.kept.post_only = PostOnly::yes;
  resolved.kept.expire_seconds = 2;
  resolved.kept.group_id = 3;
  resolved.kept.stays_on_disconnect = true;
  push(EventKind::accepted, 2, 1).order = order_event(index, 'L');
  const Block accepted = answer();
  const Block firm_to_time = bytes({5, 2, 'M', 'L', 'R', 'O', 5, 3, 0, 0, 0, 1, 2, 12, 'P', 5, 15, 0, 0, 0, 2});
  Block expected = bytes({0, 31});
  expected.insert(expected.end(), firm_to_time.begin(), firm_to_time.end());
  const Block group_and_channel = bytes({3, 24, 0, 3, 2, 28, 255, 2, 128, 'Y'});
  expected.insert(expected.end(), group_and_channel.begin(), group_and_channel.end());
  EXPECT_EQ(Block(accepted.begin() + 62, accepted.end()), expected);

  push(EventKind::replaced, 2, 1).order = order_event(index, 'L');
  const Block replaced = answer();
  expected = bytes({0, 27});
  expected.insert(expected.end(), firm_to_time.begin(), firm_to_time.end());
  expected.insert(expected.end(), group_and_channel.begin() + 4, group_and_channel.end());
  EXPECT_EQ(Block(replaced.begin() + 66, replaced.end()), expected);
}

TEST_F(Answers, AcceptedAndReplacedRepeatTheFieldsAsAsked) {
  for (const char display : {'Y', 'A', 'N'}) {
    for (const char time_in_force : {'0', '3', '6'}) {
      for (const char cross_type : {'N', 'O', 'C'}) {
        const OrderIndex index = order(3, 2, 10);
        orders.asked(index).display = display;
        orders.asked(index).time_in_force = TimeInForce{time_in_force};
        orders.resolved(index).cross_type = cross_type;
        push(EventKind::accepted, 2, 1).order = order_event(index, 'L');
        const auto accepted = as<ouch::OrderAccepted>(answer());
        push(EventKind::replaced, 2, 1).order = order_event(index, 'L');
        const auto replaced = as<ouch::OrderReplaced>(answer());
        EXPECT_EQ(accepted.display, cross_type == 'N' ? display : 'N') << "an order for a cross is never shown";
        EXPECT_EQ(replaced.display, accepted.display);
        EXPECT_EQ(accepted.time_in_force, time_in_force);
        EXPECT_EQ(replaced.time_in_force, time_in_force);
        EXPECT_EQ(accepted.cross_type, cross_type);
        EXPECT_EQ(replaced.cross_type, cross_type);
      }
    }
  }
}

TEST_F(Answers, ACancelNamesEveryReason) {
  for (const char reason : {'U', 'I', 'E', 'F', 'G', 'K', 'S', 'T', 'Z'}) {
    push(EventKind::canceled, 2, 1).order = order_event(order(3, 2, 10), reason);
    EXPECT_EQ(as<ouch::OrderCanceled>(answer()).reason, reason);
  }
}

// ---- A firm's order entry as a whole --------------------------------------------------------------------------------

FirmAsk firm_ask() {
  return {.user_ref_num = UserRefNum{0x01020304},
          .firm = {'L', 'I', 'M', 'E'},
          .symbol_name = testing::symbol_name("ADBE"),
          .group_id = 0,
          .group_given = false,
          .side = kNoSide,
          .user_ref_idx = 0,
          .reserved = {}};
}

Block options_of(const Block& message, std::size_t fixed_size) {
  return Block(message.begin() + static_cast<std::ptrdiff_t>(fixed_size), message.end());
}

TEST_F(Answers, AMassCancelIsAnsweredAsAsked) {
  push(EventKind::mass_cancel, 2, 1).firm = firm_ask();
  const Block message = answer();
  ASSERT_EQ(message.size(), 27u);
  const auto response = as<ouch::MassCancelResponse>(message);
  EXPECT_EQ(response.timestamp, kNow);
  EXPECT_EQ(response.user_ref_num, 0x01020304u);
  EXPECT_EQ(response.firm.raw(), "LIME");
  EXPECT_EQ(response.symbol.raw(), "ADBE    ");
  EXPECT_EQ(options_of(message, 25), bytes({0, 0}));

  FirmAsk all = firm_ask();
  all.symbol_name = testing::symbol_name("");
  all.firm = {' ', ' ', ' ', ' '};
  all.group_given = true;
  all.side = Side::sell_short_exempt;
  all.user_ref_idx = 9;
  push(EventKind::mass_cancel, 2).firm = all;
  const Block second = answer();
  EXPECT_EQ(as<ouch::MassCancelResponse>(second).symbol.raw(), "        ");
  EXPECT_EQ(as<ouch::MassCancelResponse>(second).firm.raw(), "    ");
  EXPECT_EQ(options_of(second, 25), bytes({0, 10, 3, 24, 0, 0, 2, 27, 'E', 2, 28, 9}));
}

TEST_F(Answers, DisableAndEnableAreAnsweredWithTheFirm) {
  FirmAsk ask = firm_ask();
  push(EventKind::disable, 2).firm = ask;
  const Block disabled = answer();
  ASSERT_EQ(disabled.size(), 19u);
  const auto disable = as<ouch::DisableOrderEntryResponse>(disabled);
  EXPECT_EQ(disable.timestamp, kNow);
  EXPECT_EQ(disable.user_ref_num, 0x01020304u);
  EXPECT_EQ(disable.firm.raw(), "LIME");
  EXPECT_EQ(options_of(disabled, 17), bytes({0, 0}));

  ask.kills = true;
  push(EventKind::disable, 2).firm = ask;
  EXPECT_EQ(options_of(answer(), 17), bytes({0, 3, 2, 130, 'Y'}));

  ask.kills = false;
  ask.user_ref_idx = 200;
  push(EventKind::enable, 2).firm = ask;
  const Block enabled = answer();
  const auto enable = as<ouch::EnableOrderEntryResponse>(enabled);
  EXPECT_EQ(enable.timestamp, kNow);
  EXPECT_EQ(enable.user_ref_num, 0x01020304u);
  EXPECT_EQ(enable.firm.raw(), "LIME");
  EXPECT_EQ(options_of(enabled, 17), bytes({0, 3, 2, 28, 200}));
}

TEST_F(Answers, WhatAsksForNoOrderIsRejectedWithoutAClOrdId) {
  for (const Channel channel : {Channel{0}, Channel{8}}) {
    Event& event = push(EventKind::rejected, 2);
    event.reject = 0x000C;
    event.order.order = kNoOrder;
    event.order.user_ref_num = UserRefNum{17};
    event.order.user_ref_idx = channel;
    const Block message = answer();
    const auto rejected = as<ouch::Rejected>(message);
    EXPECT_EQ(rejected.user_ref_num, 17u);
    EXPECT_EQ(rejected.reason, 0x000Cu);
    EXPECT_EQ(rejected.cl_ord_id.raw(), "              ");
    EXPECT_EQ(options_of(message, 29), channel == 0 ? Block{} : bytes({0, 3, 2, 28, 8}));
  }
}

TEST_F(Answers, AnAccountQueryIsAnsweredOnItsChannel) {
  Event& event = push(EventKind::account, 2);
  event.order.order = kNoOrder;
  event.order.user_ref_num = UserRefNum{14};
  event.order.user_ref_idx = 4;
  const Block message = answer();
  EXPECT_EQ(as<ouch::AccountQueryResponse>(message).next_user_ref_num, 14u);
  EXPECT_EQ(options_of(message, 13), bytes({0, 3, 2, 28, 4}));
}

// ---- Executions -----------------------------------------------------------------------------------------------------

struct ExecutionCase {
  EventKind kind;
  char cross_type;
  char first;
  char second;
};

TEST_F(Answers, AnExecutionIsToldToBothSidesWithTheirLiquidity) {
  for (const ExecutionCase& c : {ExecutionCase{EventKind::executed, 0, 'R', 'A'},
                                 {EventKind::crossed, 'O', 'O', 'O'},
                                 {EventKind::crossed, 'C', 'C', 'C'},
                                 {EventKind::crossed, 'H', 'H', 'H'}}) {
    push(c.kind, -1, 1).cross_type = c.cross_type;
    pushed.execution = {order(3, 0, 21), order(4, 1, 22), Price{12345}, 7, MatchNumber{99}, OrderRef{1}, OrderRef{2}};
    const std::vector<Told> all = told();
    ASSERT_EQ(all.size(), 2u);
    for (std::uint16_t i = 0; i < 2; ++i) {
      EXPECT_EQ(all[i].whom, SessionId{i});
      const Block& message = all[i].message;
      ASSERT_EQ(message.size(), 36u);
      const auto executed = as<ouch::OrderExecuted>(message);
      EXPECT_EQ(executed.timestamp, kNow);
      EXPECT_EQ(executed.user_ref_num, 21u + i);
      EXPECT_EQ(executed.quantity, 7u);
      EXPECT_EQ(executed.price, 12345u);
      EXPECT_EQ(executed.liquidity, i == 0 ? c.first : c.second);
      EXPECT_EQ(executed.match_number, 99u);
      EXPECT_EQ(Block(message.begin() + 34, message.end()), bytes({0, 0}));
    }
  }
}

TEST_F(Answers, AHiddenOrderThatRestedIsToldSo) {
  for (const char display : {'Y', 'A', 'N'}) {
    const OrderIndex aggressor = order(3, 0, 21);
    const OrderIndex resting = order(4, 1, 22);
    orders.asked(aggressor).display = 'N';  // what took liquidity took it, seen or not
    orders.asked(resting).display = display;
    push(EventKind::executed, 0, 1).execution = {aggressor, resting, Price{1}, 7, MatchNumber{9}, {}, {}};
    const std::vector<Told> all = told();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(as<ouch::OrderExecuted>(all[0].message).liquidity, 'R');
    EXPECT_EQ(as<ouch::OrderExecuted>(all[1].message).liquidity, display == 'N' ? 'J' : 'A');
  }
}

TEST_F(Answers, AnExecutionGoesOnWithTheAnswerThatWasNotTaken) {
  for (const EventKind kind : {EventKind::executed, EventKind::crossed}) {
    push(kind, 0, 1).execution = {order(3, 0, 21), order(4, 1, 22), Price{1}, 7, MatchNumber{9}, {}, {}};
    std::vector<SessionId> tried;
    bool refuse = true;
    const auto take = [&](auto whom, const Event&, auto) {
      if constexpr (std::is_same_v<decltype(whom), SessionId>) tried.push_back(whom);
      return !std::exchange(refuse, false);
    };
    const auto otherwise = [](const Event&) { return false; };
    std::size_t done = 0;
    EXPECT_FALSE(answers::each(pushed, orders, done, take, otherwise));
    EXPECT_EQ(done, 0u);
    EXPECT_TRUE(answers::each(pushed, orders, done, take, otherwise));
    EXPECT_EQ(tried, (std::vector{SessionId{0}, SessionId{0}, SessionId{1}}));
    tried.clear();
    done = 1;
    EXPECT_TRUE(answers::each(pushed, orders, done, take, otherwise));
    EXPECT_EQ(tried, std::vector{SessionId{1}});
  }
}

// ---- Who is told ----------------------------------------------------------------------------------------------------

TEST_F(Answers, TheDaysStartAndEndAreForEverySession) {
  for (const char letter : {'O', 'S', 'Q', 'M', 'E', 'C'}) {
    push(EventKind::system).system.event = letter;
    const std::vector<Told> all = told();
    EXPECT_FALSE(other);
    ASSERT_EQ(all.size(), letter == 'S' || letter == 'E' ? 1u : 0u) << letter;
    if (all.empty()) continue;
    EXPECT_EQ(all[0].whom, std::nullopt);
    EXPECT_EQ(as<ouch::SystemEvent>(all[0].message).event, letter);
    EXPECT_EQ(as<ouch::SystemEvent>(all[0].message).timestamp, kNow);
  }
}

TEST_F(Answers, AnEventWithoutAnswersGoesTheOtherWay) {
  for (const EventKind kind :
       {EventKind::rested, EventKind::cross_done, EventKind::imbalance, EventKind::phase, EventKind::directory,
        EventKind::burst_end, EventKind::tick, EventKind::session_open, EventKind::session_close,
        EventKind::login_reject, EventKind::resend, EventKind::feed_resend, EventKind::arp_reply, EventKind::echo_reply,
        EventKind::day_end, EventKind::run_end}) {
    push(kind);
    EXPECT_TRUE(told().empty());
    EXPECT_TRUE(other) << static_cast<int>(kind);
  }
}

}  // namespace
}  // namespace crosswire::answers_test
