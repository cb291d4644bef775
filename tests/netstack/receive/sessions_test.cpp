// Who is told that he has no session, logins that come late, and how often re-requests are answered (WIRE 7).
#include <gtest/gtest.h>

#include "netstack/common/limits.hpp"
#include "tests/netstack/receive/receive_rig.hpp"

namespace crosswire::test {
namespace {

using enum CommandKind;

constexpr TimeNs kFiveSeconds = 5 * kNsPerSecond;

FrameBytes logout_of(const Client& client) { return udp_frame(client, kOrderPort, soup_packet('O')); }
FrameBytes heartbeat_of(const Client& client) { return udp_frame(client, kOrderPort, soup_packet('R')); }
FrameBytes request_of(const Client& client, std::uint64_t first = 1, std::uint16_t count = 65'534) {
  return udp_frame(client, kOrderPort, mold_header(kOrderSession, first, count));
}

/// Expects that `client`, and nobody else, is told that its session ended so.
void expect_told(const std::vector<MadeCommand>& commands, const Client& client, SessionEndReason ended) {
  ASSERT_EQ(kinds(commands), Kinds{login_reject});
  const Command& command = commands[0].command;
  EXPECT_EQ(command.session, kNoSession);
  EXPECT_TRUE(std::equal(client.mac.begin(), client.mac.end(), command.peer.mac));
  EXPECT_EQ(command.peer.address, client.address);
  EXPECT_EQ(command.peer.port, client.port);
  EXPECT_EQ(command.peer.code, 'S');
  EXPECT_TRUE(command.peer.told);
  EXPECT_EQ(command.peer.ended, ended);
}

struct ReceiveStrangers : Receive {};

TEST_F(ReceiveStrangers, AreToldWhateverTheySend) {
  const FrameBytes frames[] = {data_frame(kAlice, 1, {query_message()}), request_of(kAlice), heartbeat_of(kAlice),
                               logout_of(kAlice), udp_frame(kAlice, kOrderPort, {'O'})};
  for (const FrameBytes& frame : frames) expect_told(rig.frame(frame), kAlice, SessionEndReason::none);
  EXPECT_EQ(rig.count(ReceiveCounter::order_source_unknown), 5u) << "dropped all the same";
  EXPECT_EQ(rig.count(ReceiveCounter::strangers_told), 5u);
  EXPECT_EQ(rig.count(ReceiveCounter::logins_refused), 0u);
}

TEST_F(ReceiveStrangers, AreToldHowTheirSessionEnded) {
  log_in_alice();
  rig.frame(logout_of(kAlice));
  expect_told(rig.frame(data_frame(kAlice, 1, {cancel_message(1)})), kAlice, SessionEndReason::logout);
  log_in_alice();
  log_in(kBob, "ALICE", "secret");
  expect_told(rig.frame(data_frame(kAlice, 1, {cancel_message(1)})), kAlice, SessionEndReason::takeover);
  rig.burst(rig.start() + test_net().silence_ns + kNsPerSecond, {});
  expect_told(rig.frame(data_frame(kBob, 1, {mass_cancel_message(1, "ALIC", "")})), kBob, SessionEndReason::silence);
  expect_told(rig.frame(heartbeat_of(kAlice)), kAlice, SessionEndReason::takeover);
}

TEST_F(ReceiveStrangers, AreNotToldWhatOnlyAnExchangeSends) {
  for (const char type : {'+', 'A', 'J', 'H', 'S', 'Z'}) {
    EXPECT_TRUE(rig.frame(udp_frame(kAlice, kOrderPort, soup_packet(type))).empty()) << type;
  }
  EXPECT_EQ(rig.count(ReceiveCounter::soup_type), 6u) << "or two exchanges would tell each other for ever";
}

TEST_F(ReceiveStrangers, UseUpATenthOfWhatIsToldInAll) {
  const std::uint32_t rate = test_net().strangers_told_per_second;
  for (unsigned i = 0; i < rate / 10; ++i) EXPECT_EQ(rig.frame(heartbeat_of(kAlice)).size(), 1u);
  EXPECT_TRUE(rig.frame(heartbeat_of(kAlice)).empty());
  EXPECT_EQ(rig.frame(heartbeat_of(kBob)).size(), 1u);
  Client many = kAlice;
  std::size_t told = 0;
  for (unsigned i = 0; i < 1000; ++i) {
    many.mac = {2, 0, 0, 2, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
    told += rig.frame(heartbeat_of(many)).size();
  }
  EXPECT_EQ(told, rate - rate / 10 - 1) << "and all of them have no more";
  EXPECT_EQ(rig.count(ReceiveCounter::strangers_told), rate);
  EXPECT_EQ(rig.burst(rig.start() + kNsPerSecond / 10, {}).size(), 1u) << "a tick alone";
  EXPECT_EQ(rig.frame(heartbeat_of(kAlice)).size(), 1u) << "and then some again";
}

TEST_F(ReceiveStrangers, OnesThatOnlyLookLikeAClientAreToldNothing) {
  log_in_alice();
  Client forged = kAlice;
  forged.mac = kBob.mac;
  for (const FrameBytes& frame : {data_frame(forged, 1, {query_message()}), heartbeat_of(forged), logout_of(forged)}) {
    EXPECT_TRUE(rig.frame(frame).empty());
  }
  EXPECT_EQ(rig.count(ReceiveCounter::order_source_changed), 3u);
  EXPECT_EQ(rig.count(ReceiveCounter::strangers_told), 0u);
}

TEST_F(ReceiveStrangers, OldSourcesAreToldOfATakeoverAtTheirRate) {
  const unsigned part = test_net().strangers_told_per_second / 10;
  log_in_alice();
  Client other = kAlice;
  const auto taken_over_and_told = [&](std::uint16_t port) {
    other.port = port;
    const auto commands = rig.frame(login_frame(other, "ALICE", "secret"));
    EXPECT_EQ(kinds(commands), Kinds{session_open});
    EXPECT_EQ(commands.at(0).command.peer.code, 'T');
    return commands.at(0).command.peer.told;
  };
  EXPECT_TRUE(taken_over_and_told(50'000));
  Client stranger = kAlice;
  stranger.port = 50'001;
  for (unsigned i = 1; i < part; ++i) EXPECT_EQ(rig.frame(heartbeat_of(stranger)).size(), 1u);
  EXPECT_FALSE(taken_over_and_told(50'002)) << "of one MAC no more are told";
}

TEST_F(ReceiveStrangers, ASessionIsTakenOverThreeTimesInTenSecondsAndNoMore) {
  log_in_alice();
  Client other = kAlice;
  const auto take_over = [&](std::uint16_t port) {
    other.port = port;
    return kinds(rig.frame(login_frame(other, "ALICE", "secret")));
  };
  for (std::uint16_t port = 50'000; port < 50'003; ++port) EXPECT_EQ(take_over(port), Kinds{session_open});
  EXPECT_EQ(take_over(50'003), Kinds{login_reject});
  EXPECT_EQ(rig.count(ReceiveCounter::logins_barred), 1u);
}

// ---- Late logins ----------------------------------------------------------------------------------------------------

TEST_F(Receive, DoesNotBelieveALoginOfASourceThatWasTakenOverForFiveSeconds) {
  const FrameBytes login = login_frame(kAlice, "ALICE", "secret");
  log_in_alice();
  log_in(kBob, "ALICE", "secret");
  expect_told(rig.frame(login), kAlice, SessionEndReason::takeover);
  expect_told(rig.frame(login_frame(kAlice, "alice", "SECRET", kOrderSession)), kAlice, SessionEndReason::takeover);
  rig.burst(rig.start() + kFiveSeconds - 1, {});
  expect_told(rig.frame(login), kAlice, SessionEndReason::takeover);
  EXPECT_EQ(rig.count(ReceiveCounter::login_late), 3u);
  EXPECT_EQ(kinds(rig.frame(heartbeat_of(kBob))), Kinds{}) << "the new source keeps the session";
  EXPECT_EQ(rig.count(ReceiveCounter::heartbeats), 1u);
  rig.burst(rig.start() + kFiveSeconds, {});
  const auto later = rig.frame(login);
  ASSERT_EQ(kinds(later), Kinds{session_open});
  EXPECT_EQ(later[0].command.peer.code, 'T') << "a login like any other";
}

TEST_F(Receive, BelievesASourceThatWasTakenOverInAllElse) {
  log_in_alice();
  log_in(kBob, "ALICE", "secret");
  EXPECT_EQ(kinds(rig.frame(login_frame(kAlice, "ALICE", "wrong"))), Kinds{login_reject});
  EXPECT_EQ(rig.count(ReceiveCounter::logins_refused), 1u) << "a wrong password is told as ever";
  EXPECT_EQ(kinds(rig.frame(login_frame(kAlice, "BOB", "password"))), Kinds{session_open}) << "another account's";
  Client moved = kAlice;
  moved.port += 1;
  EXPECT_EQ(kinds(rig.frame(login_frame(moved, "ALICE", "secret"))), Kinds{session_open}) << "from elsewhere";
}

TEST_F(Receive, LetsASourceChangeItsAccountBackAtOnce) {
  log_in_alice();
  EXPECT_EQ(kinds(rig.frame(login_frame(kAlice, "BOB", "password"))), (Kinds{session_close, session_open}));
  EXPECT_EQ(kinds(rig.frame(login_frame(kAlice, "ALICE", "secret"))), (Kinds{session_close, session_open}))
      << "nobody else has taken it";
}

// ---- Re-requests ----------------------------------------------------------------------------------------------------

TEST_F(Receive, AnswersOneAccountsReRequestsAtItsRate) {
  const std::uint32_t rate = test_net().order_requests_per_second;
  log_in_alice();
  log_in(kBob, "BOB", "password");
  std::size_t answered = 0;
  for (unsigned i = 0; i < 1000; ++i) answered += rig.frame(request_of(kAlice)).size();
  EXPECT_EQ(answered, rate / 10) << "a tenth at once";
  EXPECT_EQ(rig.count(ReceiveCounter::order_request_rate), 1000 - answered);
  EXPECT_EQ(kinds(rig.frame(request_of(kBob))), Kinds{resend}) << "another account has its own";
  EXPECT_EQ(rig.count(ReceiveCounter::order_requests), answered + 1);
  const auto later = rig.burst(rig.start() + kNsPerSecond / rate, {request_of(kAlice), request_of(kAlice)});
  EXPECT_EQ(kinds(later), Kinds{resend});
  EXPECT_EQ(kinds(rig.frame(data_frame(kAlice, 1, {query_message()}))), Kinds{account_query}) << "orders go on";
}

TEST(ReceiveRequests, OfAllAccountsHaveAShareOfTheLink) {
  NetConfig net = test_net();
  net.order_requests_per_second = 100'000;
  net.order_resend_bytes_per_second = 1'000'000;
  ReceiveRig rig(1024, 64, net);
  rig.run();
  rig.frame(login_frame(kAlice, "ALICE", "secret"));
  rig.frame(login_frame(kBob, "BOB", "password"));
  std::size_t whole = 0;
  for (unsigned i = 0; i < 1000; ++i) whole += rig.frame(request_of(i % 2 == 0 ? kAlice : kBob)).size();
  EXPECT_EQ(whole, 100'000 / kMaxFrame) << "a tenth of a second's bytes at once";
  EXPECT_EQ(rig.count(ReceiveCounter::order_request_bytes), 1000 - whole);
  rig.burst(rig.start() + 10 * kNsPerSecond, {});
  std::size_t short_ones = 0;
  for (unsigned i = 0; i < 1000; ++i) short_ones += rig.frame(request_of(kAlice, 1, 1)).size();
  EXPECT_GT(short_ones, 5 * whole) << "an answer of one message is shorter";
}

TEST_F(Receive, HearsAClientWhoseReRequestsAreTooMany) {
  log_in_alice();
  const TimeNs before = rig.start() + test_net().silence_ns - 1;
  rig.burst(before, {});
  for (unsigned i = 0; i < 1000; ++i) rig.frame(request_of(kAlice));
  rig.burst(before + test_net().silence_ns / 2, {});
  EXPECT_EQ(rig.count(ReceiveCounter::silences), 0u);
}

}  // namespace
}  // namespace crosswire::test
