// What becomes of an account's orders when its session ends, one sentence each. (That they hold together is
// property_test's.)
#include <gtest/gtest.h>

#include "tests/engine/engine_rig.hpp"

namespace crosswire::testing::session_end_test {
namespace {

using enum SessionEndReason;
constexpr Side B = Side::buy, S = Side::sell;
constexpr std::uint32_t kPrice = 1'000'000;

Command stays(Command c, StayOnDisconnect is = StayOnDisconnect::yes) {
  c.order.stay_on_disconnect = is;
  return c;
}
Command on_channel(Channel channel, Command c) {
  c.order.user_ref_idx = channel;
  return c;
}

/// Session 0 goes by the default, 1 for nothing, 2 for a takeover alone.
EngineConfig config() {
  EngineConfig config = small_config(2);
  config.cancel_on = {kCancelOn, 0, set_of({takeover}), kCancelOn};
  return config;
}

class SessionEnds : public ::testing::Test {
 protected:
  SessionEnds() { rig.run(phase(Phase::continuous)); }

  /// Kinds other than that of the session, owners and reasons, in order.
  std::string told(const Command& command) {
    std::string text;
    for (const Outcome& o : rig.outcomes(command)) {
      if (o.kind == EventKind::session_open) text += "open ";
      if (o.kind == EventKind::session_close) text += "close ";
      if (o.kind != EventKind::canceled) continue;
      text += std::to_string(o.session) + "/" + std::to_string(o.number);
      if (o.channel != 0) text.append("#").append(std::to_string(o.channel));
      text += char(o.code);
      text += ' ';
    }
    return text;
  }

  EngineRig rig{config()};
};

TEST_F(SessionEnds, CancelTheAccountsOrdersBehindTheEventAsAMassCancelWouldTakeThem) {
  rig.run(on_channel(7, enter(0, 1, B, kPrice, 100)));
  rig.run(enter(0, 1, B, kPrice, 100));
  rig.run(enter(0, 2, B, kPrice - 100, 100, TimeInForce::day, 2));
  rig.run(enter(0, 9, S, kPrice + 100, 100));
  rig.run(enter(3, 1, B, kPrice, 100));
  EXPECT_EQ(told(session_close(0, silence)), "close 0/1Z 0/2Z 0/9Z 0/1#7Z ") << "and not those of others";
  EXPECT_EQ(told(session_close(0, silence)), "close ");
  EXPECT_EQ(rig.engine().live_orders(), 1u);
  EXPECT_EQ(rig.engine().counters().get(EngineCounter::canceled_with_session), 4u);
}

TEST_F(SessionEnds, TakeHiddenOrdersOnesForTheCloseAndOnesWithALifeToo) {
  Command hidden = enter(0, 1, B, kPrice, 100), closing = enter(0, 2, B, kPrice, 100), gtt = enter(0, 3, B, kPrice, 1);
  hidden.order.display = Display::hidden;
  closing.order.cross_type = CrossType::closing;
  gtt.order.time_in_force = TimeInForce::gtt;
  gtt.order.expire_seconds = 5;
  for (const Command& command : {hidden, closing, gtt}) rig.run(command);
  EXPECT_EQ(told(session_close(0, logout)), "close 0/1Z 0/2Z 0/3Z ");
  EXPECT_EQ(told(tick(10 * kNsPerSecond)), "") << "no life is left to end";
}

TEST_F(SessionEnds, TakeThemForTheReasonsOfTheAccountAlone) {
  std::uint32_t number = 0;
  for (const SessionEndReason reason : {logout, reset, silence, cut, by_operator}) {
    rig.run(enter(0, ++number, B, kPrice, 100));
    std::string all = "close 0/";
    all += std::to_string(number);
    EXPECT_EQ(told(session_close(0, reason)), all += "Z ") << int(reason);
  }
  rig.run(enter(0, ++number, B, kPrice, 100));
  for (const SessionEndReason reason : {none, takeover, recovery, end_of_day})
    EXPECT_EQ(told(session_close(0, reason)), "close ") << int(reason);
  rig.run(enter(1, 1, B, kPrice, 100));
  rig.run(enter(2, 1, B, kPrice, 100));
  for (const SessionEndReason reason : {logout, reset, silence, cut, by_operator}) {
    EXPECT_EQ(told(session_close(1, reason)), "close ") << int(reason);
    EXPECT_EQ(told(session_close(2, reason)), "close ") << int(reason);
  }
  EXPECT_EQ(told(session_close(2, takeover)), "close 2/1Z ");
}

TEST_F(SessionEnds, AreALoginTooThatTakesTheSessionOver) {
  for (std::uint16_t session = 0; session < 3; ++session) rig.run(enter(session, 1, B, kPrice, 100));
  for (std::uint16_t session = 0; session < 3; ++session) EXPECT_EQ(told(session_open(session)), "open ");
  for (std::uint16_t session = 0; session < 2; ++session) EXPECT_EQ(told(session_open(session, 'T')), "open ");
  EXPECT_EQ(told(session_open(2, 'T')), "open 2/1Z ");
}

TEST_F(SessionEnds, LeaveTheOrdersThatStayAndThoseThatReplacedThem) {
  rig.run(stays(enter(0, 1, B, kPrice, 100)));
  rig.run(stays(enter(0, 2, B, kPrice, 100), StayOnDisconnect::no));
  rig.run(replace(0, 1, 3, kPrice - 100, 50));          // on the short way
  Command hidden = replace(0, 3, 4, kPrice - 100, 50);  // and on the other
  hidden.order.display = Display::hidden;
  rig.run(hidden);
  EXPECT_EQ(told(session_close(0, logout)), "close 0/2Z ");
  EXPECT_NE(rig.engine().find(SessionId{0}, UserRefNum{4}), kNoOrder);
}

TEST_F(SessionEnds, AskTheLastReplaceThatSaidSo) {
  for (const std::uint32_t number : {1, 2}) rig.run(enter(0, number, B, kPrice, 100));
  rig.run(stays(enter(0, 3, B, kPrice, 100)));
  rig.run(stays(enter(0, 4, B, kPrice, 100)));
  Command hidden = stays(replace(0, 2, 6, kPrice, 50));
  Command shown = stays(replace(0, 4, 8, kPrice, 50), StayOnDisconnect::no);
  hidden.order.display = shown.order.display = Display::hidden;
  rig.run(stays(replace(0, 1, 5, kPrice, 50)));
  rig.run(hidden);
  rig.run(stays(replace(0, 3, 7, kPrice, 50), StayOnDisconnect::no));
  rig.run(shown);
  EXPECT_EQ(told(session_close(0, logout)), "close 0/7Z 0/8Z ");
  EXPECT_EQ(rig.engine().live_orders(), 2u);
}

TEST_F(SessionEnds, InAHaltTakeTheOrdersToo) {
  rig.run(enter(0, 1, B, kPrice, 100));
  rig.run(phase(Phase::halted));
  EXPECT_EQ(told(session_close(0, silence)), "close 0/1Z ");
}

TEST_F(SessionEnds, BehindTheDaysEndSayNothingOfOrders) {
  rig.run(enter(0, 1, B, kPrice, 100));
  rig.run(plain(CommandKind::day_end));
  EXPECT_EQ(told(session_close(0, silence)), "close ");
}

TEST_F(SessionEnds, OfNobodyArePassedOn) {
  Command nobody = session_close(0, reset);
  nobody.session = kNoSession;
  EXPECT_EQ(told(nobody), "close ");
}

TEST(SessionEndTurns, OfManyOrdersGoInTurnsAndHoweverLittleRoomThereIs) {
  EngineConfig config = small_config();
  config.max_orders = 10'000;
  EngineRig many(config, 2);
  many.run(phase(Phase::continuous));
  for (std::uint32_t i = 0; i < 5'000; ++i) many.run(stays(enter(0, i + 1, B, kPrice, 1)));
  for (std::uint32_t i = 5'000; i < 5'100; ++i) many.run(enter(0, i + 1, B, kPrice, 1));
  std::vector<Event> events;
  many.run(session_close(0, cut), events);
  EXPECT_EQ(events.size(), 1u) << "128 orders a turn, of which none goes";
  int turns = 1;
  for (; many.engine().has_jobs(); ++turns) many.run(plain(CommandKind::turn), events);
  EXPECT_EQ(turns, 42) << "40 cancels a turn";
  std::erase_if(events, [](const Event& e) { return e.kind == EventKind::burst_end; });
  EXPECT_EQ(events.size(), 101u);
  EXPECT_EQ(events.front().kind, EventKind::session_close);
  EXPECT_EQ(events.back().order.code, 'Z');
  EXPECT_EQ(many.engine().live_orders(), 5'000u);
}

}  // namespace
}  // namespace crosswire::testing::session_end_test
