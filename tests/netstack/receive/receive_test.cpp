// The receive stage by what it makes of frames and time: commands, their order and their marks.
#include "netstack/receive/receive.hpp"

#include <gtest/gtest.h>

#include "tests/netstack/receive/receive_rig.hpp"

namespace crosswire::test {
namespace {

using enum CommandKind;

MacAddress mac_of(const Peer& peer) {
  MacAddress mac;
  std::copy_n(peer.mac, 6, mac.begin());
  return mac;
}

// ---- Sequence and time ----------------------------------------------------------------------------------------------

TEST(ReceiveSequence, BeginsWithDayStartAtTheStartTime) {
  ReceiveRig rig;
  const auto commands = rig.run();
  ASSERT_EQ(kinds(commands), Kinds{day_start});
  EXPECT_EQ(commands[0].command.sequence, Sequence{1});
  EXPECT_EQ(commands[0].command.time_ns, rig.start());
  EXPECT_EQ(commands[0].command.session, kNoSession);
  EXPECT_TRUE(marked(commands[0]));
}

TEST(ReceiveSequence, EndsDayAndRunAtThePortsEndAfterWhatIsDueBefore) {
  ReceiveRig rig;
  rig.port().end(rig.start() + 120'000'000);
  const auto commands = rig.run();
  ASSERT_EQ(kinds(commands), (Kinds{day_start, tick, day_end, run_end}));
  EXPECT_EQ(commands[1].command.time_ns, rig.start() + 50'000'000);
  EXPECT_EQ(commands[2].command.time_ns, rig.start() + 120'000'000);
  EXPECT_EQ(commands[3].command.time_ns, rig.start() + 120'000'000);
  EXPECT_TRUE(marked(commands[1]) && marked(commands[2]) && marked(commands[3]));
  EXPECT_TRUE(rig.stage().ended());
  EXPECT_EQ(rig.stage().poll(), 0u);
}

TEST(ReceiveSequence, AMassCancelIsFollowedByTurnsOnTheirGridUntilNoJobCanBeOpen) {
  ReceiveRig rig;
  rig.frame(login_frame(kAlice, "ALICE", "secret"));
  const TimeNs at = rig.start() + 10'000'030;
  rig.burst(at, {data_frame(kAlice, 1, {enter_message(1), mass_cancel_message(2, "", "")})});
  const auto commands = rig.burst(at + 1'000'000, {});
  ASSERT_EQ(kinds(commands), (Kinds{turn, turn})) << "one order at most";
  EXPECT_EQ(commands[0].command.time_ns, (at / kTurnIntervalNs + 1) * kTurnIntervalNs);
  EXPECT_EQ(commands[1].command.time_ns, commands[0].command.time_ns + kTurnIntervalNs);
  EXPECT_TRUE(marked(commands[0]) && marked(commands[1]));
  EXPECT_EQ(kinds(rig.burst(at + 20'000'000, {})), Kinds{}) << "and an idle exchange makes none";
}

TEST(ReceiveSequence, LivesThatMayEndAreFollowedByTurns) {
  ReceiveRig rig;
  rig.frame(login_frame(kAlice, "ALICE", "secret"));
  const TimeNs second = (rig.start() / kNsPerSecond + 2) * kNsPerSecond;
  wire::ouch::EnterOrder gtt = enter_fields(1);
  gtt.time_in_force = '6';
  const Payload life = option(wire::ouch::Tag::expire_time, {0, 0, 0, 1});
  rig.frame(data_frame(kAlice, 1, {with_options(bytes(gtt), life)}));
  rig.burst(second - 1, {});
  EXPECT_EQ(kinds(rig.burst(second + 50'000'000, {})), (Kinds{tick, turn, turn}));
}

TEST(ReceiveSequence, BehindTheDaysEndAnswersThoseWhoMissedSomethingAndTakesNoOrder) {
  NetConfig net = test_net();
  net.schedule = {{net.start_ns + 400'000'000, kAllSymbols, Phase::continuous}};
  ReceiveRig rig(64, 16, net);
  rig.burst(rig.start() + 10'000'000, {login_frame(kAlice, "ALICE", "secret")});
  rig.port().end_day(rig.start() + 20'000'000);
  EXPECT_EQ(kinds(rig.run()), Kinds{day_end});
  EXPECT_FALSE(rig.stage().ended());
  EXPECT_EQ(
      kinds(rig.burst(rig.start() + 30'000'000, {udp_frame(kAlice, kOrderPort, mold_header(kOrderSession, 1, 5))})),
      Kinds{resend});
  EXPECT_TRUE(rig.frame(data_frame(kAlice, 1, {enter_message(1)})).empty());
  EXPECT_EQ(rig.count(ReceiveCounter::order_day_over), 1u);
  EXPECT_EQ(kinds(rig.frame(arp_frame(kAlice))), Kinds{arp_reply});
  EXPECT_EQ(kinds(rig.frame(login_frame(kAlice, "ALICE", "secret"))), Kinds{session_open})
      << "to ask for the rest from elsewhere";
  EXPECT_EQ(kinds(rig.burst(rig.start() + 500'000'000, {})), (Kinds{tick, tick, tick, tick, tick}))
      << "no phase is entered any more";
  rig.port().end(rig.start() + 520'000'000);
  EXPECT_EQ(kinds(rig.run()), Kinds{run_end});
  EXPECT_TRUE(rig.stage().ended());
}

TEST(ReceiveSequence, PutsPhasesBeforeTicksBeforeFramesOfTheSameTime) {
  NetConfig net = test_net();
  const TimeNs grid = net.start_ns + 50'000'000;
  net.schedule = {{net.start_ns - 5, kAllSymbols, Phase::pre_open},
                  {grid, SymbolId{1}, Phase::opening_call},
                  {grid, SymbolId{2}, Phase::opening_call},
                  {grid + 1, kAllSymbols, Phase::continuous}};
  ReceiveRig rig(64, 16, net);
  const auto commands = rig.burst(grid, {arp_frame(kAlice)});
  ASSERT_EQ(kinds(commands), (Kinds{day_start, phase, phase, phase, tick, arp_reply}));
  EXPECT_EQ(commands[1].command.time_ns, net.start_ns) << "a phase from before the start is entered at the start";
  EXPECT_EQ(commands[2].command.symbol, SymbolId{1});
  EXPECT_EQ(commands[3].command.symbol, SymbolId{2});
  EXPECT_EQ(commands[3].command.phase.phase, Phase::opening_call);
  for (const MadeCommand& made : commands) EXPECT_TRUE(marked(made)) << "each is a burst of its own";
  for (std::size_t i = 2; i < commands.size(); ++i) EXPECT_EQ(commands[i].command.time_ns, grid);
  EXPECT_EQ(kinds(rig.burst(grid + 1, {})), Kinds{phase});
}

TEST(ReceiveSequence, TicksAtAStartThatLiesOnTheGrid) {
  NetConfig net = test_net();
  net.start_ns = 3600 * kNsPerSecond;
  ReceiveRig rig(64, 16, net);
  EXPECT_EQ(kinds(rig.burst(net.start_ns, {})), (Kinds{day_start, tick}));
}

TEST(ReceiveSequence, MakesEveryTickOfALongGapInBoundedPolls) {
  ReceiveRig rig(1u << 16);
  rig.run();
  rig.port().push_burst(rig.start() + 3600 * kNsPerSecond, {});
  std::vector<MadeCommand> commands;
  std::size_t polls = 0;
  while (const std::size_t work = rig.stage().poll()) {
    EXPECT_LE(work, ReceiveStage::kMostDuePerPoll);
    rig.read(1000, commands);
    ++polls;
  }
  EXPECT_EQ(commands.size(), 36'000u);
  EXPECT_GE(polls, commands.size() / ReceiveStage::kMostDuePerPoll);
  for (std::size_t i = 0; i < commands.size(); ++i) {
    ASSERT_EQ(commands[i].command.kind, tick);
    ASSERT_EQ(commands[i].command.time_ns, rig.start() + 50'000'000 + i * kTickIntervalNs);
  }
}

TEST_F(Receive, NeverLetsTimeFallAndCountsWhereItWould) {
  rig.burst(rig.start() + 1000, {arp_frame(kAlice)});
  const auto commands = rig.burst(rig.start() + 999, {arp_frame(kAlice)});
  ASSERT_EQ(kinds(commands), Kinds{arp_reply});
  EXPECT_EQ(commands[0].command.time_ns, rig.start() + 1000);
  EXPECT_EQ(rig.count(ReceiveCounter::time_fell), 1u);
}

TEST_F(Receive, MarksTheLastCommandOfABurstWhateverFramesFollowIt) {
  const auto commands = rig.burst(rig.start() + 1, {arp_frame(kAlice), arp_frame(kBob), {1, 2, 3}});
  ASSERT_EQ(kinds(commands), (Kinds{arp_reply, arp_reply}));
  EXPECT_FALSE(marked(commands[0]));
  EXPECT_TRUE(marked(commands[1]));
  EXPECT_EQ(rig.count(ReceiveCounter::frames), 3u);
}

TEST_F(Receive, MakesNothingOfABurstWithoutFrames) {
  EXPECT_TRUE(rig.burst(rig.start() + 1, {}).empty());
  EXPECT_EQ(rig.stage().poll(), 0u);
}

TEST_F(Receive, HoldsOnlyTheNewestCommandOfABurstBack) {
  log_in_alice();
  ReceiveRig small(2);
  small.run();
  small.port().push_burst(small.start(), {arp_frame(kAlice), arp_frame(kAlice), arp_frame(kAlice)});
  std::vector<MadeCommand> commands;
  EXPECT_GT(small.stage().poll(), 0u);  // two claimed, one of them readable
  small.read(10, commands);
  ASSERT_EQ(commands.size(), 1u);
  EXPECT_FALSE(marked(commands[0]));
  while (small.stage().poll() > 0) small.read(10, commands);
  ASSERT_EQ(commands.size(), 3u);
  EXPECT_TRUE(marked(commands[2]));
}

// ---- Link, ARP, ICMP ------------------------------------------------------------------------------------------------

TEST_F(Receive, AnswersArpToItsSender) {
  const auto commands = rig.frame(arp_frame(kAlice));
  ASSERT_EQ(kinds(commands), Kinds{arp_reply});
  const Peer& peer = commands[0].command.peer;
  EXPECT_EQ(mac_of(peer), kAlice.mac);
  EXPECT_EQ(peer.address, kAlice.address);
  EXPECT_EQ(peer.vlan, 0);
}

TEST_F(Receive, AnswersAnArpProbeWhichHasNoSenderAddress) {
  const auto commands = rig.frame(ethernet(kAlice, kBroadcast, 0x0806, arp_packet(1, kAlice.mac, 0, kOurAddress)));
  ASSERT_EQ(kinds(commands), Kinds{arp_reply});
  EXPECT_EQ(commands[0].command.peer.address, 0u);
}

TEST_F(Receive, AnswersAnArpRequestToOurOwnMac) {
  EXPECT_EQ(kinds(rig.frame(ethernet(kAlice, kOurMac, 0x0806, arp_packet(1, kAlice.mac, kAlice.address, kOurAddress)))),
            Kinds{arp_reply});
}

/// One of many stations, to use up what is there for all.
Client station(unsigned n) {
  Client client = kAlice;
  client.mac = {2, 0, 0, 1, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)};
  return client;
}

TEST_F(Receive, LimitsArpRepliesInVirtualTime) {
  for (unsigned i = 0; i < kArpRepliesPerSecond; ++i) EXPECT_EQ(rig.frame(arp_frame(station(i))).size(), 1u);
  EXPECT_TRUE(rig.frame(arp_frame(kAlice)).empty());
  EXPECT_EQ(rig.count(ReceiveCounter::arp_rate), 1u);
  EXPECT_EQ(rig.burst(rig.start() + kNsPerSecond / kArpRepliesPerSecond, {arp_frame(kAlice), arp_frame(kBob)}).size(),
            1u);
}

TEST_F(Receive, LeavesOthersNineTenthsOfArpEchoAndRefusals) {
  const std::pair<FrameBytes, FrameBytes> asked[] = {
      {arp_frame(kAlice), arp_frame(kBob)},
      {echo_frame(kAlice), echo_frame(kBob)},
      {login_frame(kAlice, "ALICE", "x"), login_frame(kBob, "BOB", "x")}};
  const std::uint32_t rates[] = {kArpRepliesPerSecond, test_net().pings_per_second,
                                 test_net().failed_logins_per_second};
  const ReceiveCounter dropped[] = {ReceiveCounter::arp_rate, ReceiveCounter::icmp_rate,
                                    ReceiveCounter::login_refused_rate};
  for (std::size_t kind = 0; kind < 3; ++kind) {
    for (unsigned i = 0; i < rates[kind] / 10; ++i) EXPECT_EQ(rig.frame(asked[kind].first).size(), 1u);
    EXPECT_TRUE(rig.frame(asked[kind].first).empty()) << "a station has had its tenth";
    EXPECT_EQ(rig.count(dropped[kind]), 1u);
    EXPECT_EQ(rig.frame(asked[kind].second).size(), 1u) << "and leaves the others theirs";
  }
}

TEST_F(Receive, KeepsAnEchoForItsReply) {
  const auto commands = rig.frame(echo_frame(kAlice, 1480));
  ASSERT_EQ(kinds(commands), Kinds{echo_reply});
  EXPECT_EQ(commands[0].echo, icmp_message(8, 1480));
  EXPECT_EQ(commands[0].command.echo.address, kAlice.address);
  EXPECT_TRUE(std::equal(kAlice.mac.begin(), kAlice.mac.end(), commands[0].command.echo.mac));
}

TEST_F(Receive, LimitsEchoRepliesInVirtualTime) {
  const std::uint32_t limit = test_net().pings_per_second;
  for (unsigned i = 0; i < limit; ++i) EXPECT_EQ(rig.frame(echo_frame(station(i))).size(), 1u);
  EXPECT_TRUE(rig.frame(echo_frame(kAlice)).empty());
  EXPECT_EQ(rig.count(ReceiveCounter::icmp_rate), 1u);
}

TEST_F(Receive, GoesByTheIpLengthAndNotByTheFrames) {
  Payload frame = login_frame(kAlice, "ALICE", "secret");
  put(frame, std::string_view{"sixteen bytes..."});  // a colocation's timestamp trailer
  EXPECT_EQ(kinds(rig.frame(frame)), Kinds{session_open});
}

TEST_F(Receive, SkipsIpOptionsAndTakesUdpWithoutChecksum) {
  EXPECT_EQ(kinds(rig.frame(udp_frame(kAlice, kOrderPort, login_packet("ALICE", "secret"), {1, 1, 1, 0}))),
            Kinds{session_open});
}

TEST(ReceiveVlan, LetsInListedVlansOnlyAndAnswersWithTheirTag) {
  NetConfig net = test_net();
  net.vlans = {7, 4095};
  ReceiveRig rig(64, 16, net);
  rig.run();
  Client client = kAlice;
  client.vlan = 0xE007;  // with a priority
  const auto commands = rig.frame(login_frame(client, "ALICE", "secret"));
  ASSERT_EQ(kinds(commands), Kinds{session_open});
  EXPECT_EQ(commands[0].command.peer.vlan, 7);
  for (const std::uint16_t vlan : std::array<std::uint16_t, 3>{0, 8, 4095}) {
    client.vlan = vlan;
    EXPECT_TRUE(rig.frame(login_frame(client, "ALICE", "secret")).empty()) << vlan;
  }
  EXPECT_EQ(rig.count(ReceiveCounter::vlan_not_accepted), 3u);
}

TEST_F(Receive, TakesAPriorityTagForUntagged) {
  Payload frame = login_frame(kAlice, "ALICE", "secret");
  const Payload tag{0x81, 0x00, 0xA0, 0x00};
  frame.insert(frame.begin() + 12, tag.begin(), tag.end());
  const auto commands = rig.frame(frame);
  ASSERT_EQ(kinds(commands), Kinds{session_open});
  EXPECT_EQ(commands[0].command.peer.vlan, 0);
}

// ---- Logins ---------------------------------------------------------------------------------------------------------

TEST_F(Receive, OpensASessionAndNamesItsSource) {
  const auto commands = rig.frame(login_frame(kAlice, "ALICE", "secret"));
  ASSERT_EQ(kinds(commands), Kinds{session_open});
  const Command& command = commands[0].command;
  EXPECT_EQ(command.session, SessionId{0});
  EXPECT_EQ(mac_of(command.peer), kAlice.mac);
  EXPECT_EQ(command.peer.address, kAlice.address);
  EXPECT_EQ(command.peer.port, kAlice.port);
  EXPECT_EQ(command.peer.code, 0);
}

TEST_F(Receive, ComparesUserAndPasswordWithoutCaseAndTakesTheCurrentSessionByName) {
  EXPECT_EQ(kinds(rig.frame(login_frame(kAlice, "alice", "SECRET", kOrderSession))), Kinds{session_open});
  EXPECT_EQ(kinds(rig.frame(login_frame(kBob, "BOB", "password"))), Kinds{session_open});
}

TEST_F(Receive, TakesUserAndSessionJustifiedEitherWay) {
  Payload packet = login_packet("   Bob", "  password");
  std::copy(kOrderSession.begin(), kOrderSession.end(), packet.begin() + 3 + 16);
  std::fill(packet.begin() + 3 + 26, packet.begin() + 3 + 46, ' ');
  packet[3 + 26] = '1';
  EXPECT_EQ(kinds(rig.frame(udp_frame(kBob, kOrderPort, packet))), Kinds{session_open});
}

TEST_F(Receive, OpensAgainForTheSameSource) {
  log_in_alice();
  const auto commands = rig.frame(login_frame(kAlice, "ALICE", "secret"));
  ASSERT_EQ(kinds(commands), Kinds{session_open});
  EXPECT_EQ(commands[0].command.peer.code, 0);
  EXPECT_EQ(rig.count(ReceiveCounter::logins_repeated), 1u);
  EXPECT_EQ(send({query_message()}).size(), 1u);
}

TEST_F(Receive, LetsANewSourceTakeASessionOver) {
  const Client moved_mac{.mac = {2, 0, 0, 0, 9, 9}};
  const Client moved_port{.port = 41000};
  log_in_alice();
  for (const Client& client : {moved_mac, moved_port, kBob}) {
    const auto commands = rig.frame(login_frame(client, "ALICE", "secret"));
    ASSERT_EQ(kinds(commands), Kinds{session_open});
    EXPECT_EQ(commands[0].command.peer.code, 'T');
    EXPECT_EQ(commands[0].command.peer.port, client.port);
    EXPECT_EQ(mac_of(commands[0].command.peer), client.mac);
  }
  EXPECT_EQ(rig.count(ReceiveCounter::logins_taking_over), 3u);
  EXPECT_EQ(kinds(send({query_message()})), Kinds{login_reject}) << "the old source is bound no more, and told so";
  EXPECT_EQ(rig.count(ReceiveCounter::order_source_unknown), 1u);
  EXPECT_EQ(kinds(rig.frame(data_frame(kBob, 1, {query_message()}))), Kinds{account_query});
}

TEST_F(Receive, ClosesTheOtherAccountsSessionWhenASourceChangesAccount) {
  log_in_alice();
  const auto commands = rig.frame(login_frame(kAlice, "Bob", "PassWord"));
  ASSERT_EQ(kinds(commands), (Kinds{session_close, session_open}));
  EXPECT_EQ(commands[0].command.end.reason, SessionEndReason::takeover);
  EXPECT_EQ(commands[0].command.session, SessionId{0});
  EXPECT_EQ(commands[1].command.session, SessionId{1});
  EXPECT_EQ(commands[1].command.peer.code, 0);
  EXPECT_FALSE(marked(commands[0]));
  EXPECT_TRUE(marked(commands[1]));
  const auto orders = send({query_message()});
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_EQ(orders[0].command.session, SessionId{1});
}

TEST_F(Receive, KeepsSessionsOfOneAddressAndPortApartByTheirMac) {
  const Client stations[] = {kAlice, station(1), station(2)};
  const std::pair<const char*, const char*> accounts[] = {{"ALICE", "secret"}, {"BOB", "password"}, {"CAROL", ""}};
  const auto log_in_all = [&] {
    for (std::size_t i = 0; i < 3; ++i) log_in(stations[i], accounts[i].first, accounts[i].second);
  };
  std::size_t order[] = {0, 1, 2};
  do {  // they leave in any order
    log_in_all();
    for (std::size_t left = 0; left < 3; ++left) {
      for (std::size_t i = left; i < 3; ++i) {
        const auto commands = rig.frame(data_frame(stations[order[i]], left + 1, {query_message()}));
        ASSERT_EQ(kinds(commands), Kinds{account_query});
        EXPECT_EQ(commands[0].command.session.value, order[i]);
      }
      const auto commands = rig.frame(udp_frame(stations[order[left]], kOrderPort, soup_packet('O')));
      ASSERT_EQ(kinds(commands), Kinds{session_close});
      EXPECT_EQ(commands[0].command.session.value, order[left]);
      const auto gone = rig.frame(udp_frame(stations[order[left]], kOrderPort, soup_packet('R')));
      EXPECT_EQ(kinds(gone), left < 2 ? Kinds{} : Kinds{login_reject}) << "only where it can be no forged one";
    }
  } while (std::next_permutation(std::begin(order), std::end(order)));
  EXPECT_EQ(rig.count(ReceiveCounter::order_source_changed), 6u * 2) << "as long as one of the address is there";
  EXPECT_EQ(rig.count(ReceiveCounter::order_source_unknown), 6u);
  EXPECT_EQ(rig.count(ReceiveCounter::logins_rebinding), 0u);
}

TEST_F(Receive, RefusesAWrongUserOrPassword) {
  unsigned n = 0;
  for (const auto& [user, password] : {std::pair{"ALICE", "wrong"}, {"ALICE", ""}, {"NOBODY", "secret"}, {"", ""}}) {
    const auto commands = rig.frame(login_frame(station(n++), user, password));
    ASSERT_EQ(kinds(commands), Kinds{login_reject});
    EXPECT_EQ(commands[0].command.peer.code, 'A');
    EXPECT_EQ(commands[0].command.peer.port, kAlice.port);
    EXPECT_EQ(commands[0].command.session, kNoSession);
  }
}

TEST_F(Receive, RefusesAnUnknownSessionName) {
  const auto commands = rig.frame(login_frame(kAlice, "ALICE", "secret", "YESTERDAY"));
  ASSERT_EQ(kinds(commands), Kinds{login_reject});
  EXPECT_EQ(commands[0].command.peer.code, 'S');
}

TEST_F(Receive, DoesNotAnswerALoginFromAnAddressThatTheAccountDoesNotAllow) {
  Client client = kAlice;
  EXPECT_EQ(kinds(rig.frame(login_frame(client, "CAROL", ""))), Kinds{session_open}) << "10.99.0.100 is in 10.99.0/24";
  client.address = 0xC0A80101;
  EXPECT_EQ(kinds(rig.frame(login_frame(client, "CAROL", ""))), Kinds{session_open}) << "192.168.1.1 is listed";
  for (const std::uint32_t address : {0xC0A80102u, 0x0A630164u}) {
    client.address = address;
    EXPECT_TRUE(rig.frame(login_frame(client, "CAROL", "wrong")).empty());
    EXPECT_TRUE(rig.frame(login_frame(client, "CAROL", "")).empty());
  }
  EXPECT_EQ(rig.count(ReceiveCounter::login_source_not_allowed), 4u);
}

TEST_F(Receive, LimitsRefusalsInVirtualTimeButNotLogins) {
  const std::uint32_t limit = test_net().failed_logins_per_second;
  for (unsigned i = 0; i < limit; ++i) EXPECT_EQ(rig.frame(login_frame(station(i), "ALICE", "x")).size(), 1u);
  EXPECT_TRUE(rig.frame(login_frame(kAlice, "ALICE", "x")).empty());
  EXPECT_EQ(rig.count(ReceiveCounter::login_refused_rate), 1u);
  EXPECT_EQ(rig.count(ReceiveCounter::logins_refused), limit);
  log_in_alice();
  const auto later = rig.burst(rig.start() + kNsPerSecond / limit, {login_frame(kBob, "ALICE", "x")});
  EXPECT_EQ(later.back().command.kind, login_reject);
}

TEST_F(Receive, ClosesASessionAtLogout) {
  log_in_alice();
  const auto commands = rig.frame(udp_frame(kAlice, kOrderPort, soup_packet('O')));
  ASSERT_EQ(kinds(commands), Kinds{session_close});
  EXPECT_EQ(commands[0].command.session, SessionId{0});
  EXPECT_EQ(commands[0].command.end.reason, SessionEndReason::logout);
  EXPECT_EQ(kinds(send({query_message()})), Kinds{login_reject});
  const auto again = rig.frame(login_frame(kBob, "ALICE", "secret"));
  ASSERT_EQ(kinds(again), Kinds{session_open});
  EXPECT_EQ(again[0].command.peer.code, 0) << "nothing to take over";
}

TEST(ReceiveWaiting, KeepsAnEchoThatHasNoPlaceAndItsTokenUntilThereIsOne) {
  NetConfig net = test_net();
  net.pings_per_second = SharedRate::kParts * (EchoStore::kEntries + 1);
  ReceiveRig rig(1024, 16, net);
  for (std::size_t i = 0; i <= EchoStore::kEntries; ++i)
    rig.port().push_burst(net.start_ns, {echo_frame(kAlice, 8 + i)});
  while (rig.stage().poll() > 0) {
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rig.stage().poll(), 0u) << "the store is full";
  EXPECT_EQ(rig.count(ReceiveCounter::icmp_echoes), EchoStore::kEntries);
  const auto commands = rig.run();
  ASSERT_EQ(commands.size(), 1 + EchoStore::kEntries + 1);
  for (std::size_t i = 0; i <= EchoStore::kEntries; ++i) EXPECT_EQ(commands[1 + i].echo, icmp_message(8, 8 + i));
}

TEST(ReceiveWaiting, ClosesEverySilentSessionBeforeTheFramesOfTheSameTime) {
  const TimeNs tick_ns = test_net().start_ns + 50'000'000 + 3 * kTickIntervalNs;
  NetConfig net = test_net();
  net.silence_ns = kTickIntervalNs;
  ReceiveRig rig(2, 16, net);
  rig.run();
  rig.burst(tick_ns - kTickIntervalNs, {login_frame(kAlice, "ALICE", "secret"), login_frame(kBob, "BOB", "password"),
                                        login_frame({.port = 9}, "CAROL", "")});
  const auto commands = rig.burst(tick_ns, {arp_frame(kAlice)});
  ASSERT_EQ(kinds(commands), (Kinds{tick, session_close, session_close, session_close, arp_reply}));
  for (std::size_t i = 0; i < commands.size(); ++i) EXPECT_EQ(marked(commands[i]), i >= 3);
  for (std::size_t i = 1; i <= 3; ++i) EXPECT_EQ(commands[i].command.end.reason, SessionEndReason::silence);
}

// ---- Silence --------------------------------------------------------------------------------------------------------

TEST_F(Receive, ClosesSilentSessionsAtTheTickThatFindsThemInItsBurst) {
  log_in_alice();
  log_in(kBob, "BOB", "password");
  const TimeNs silence = test_net().silence_ns;
  const auto commands = rig.burst(rig.start() + silence + 50'000'000, {});
  ASSERT_EQ(commands.size(), 151u + 2);
  const auto* last = &commands[150];  // the tick at start + 15.05 s, the first at or after heard + 15 s
  EXPECT_EQ(last[0].command.kind, tick);
  EXPECT_FALSE(marked(last[0]));
  EXPECT_EQ(last[1].command.kind, session_close);
  EXPECT_EQ(last[1].command.session, SessionId{0});
  EXPECT_FALSE(marked(last[1]));
  EXPECT_EQ(last[2].command.kind, session_close);
  EXPECT_EQ(last[2].command.session, SessionId{1});
  EXPECT_TRUE(marked(last[2]));
  EXPECT_EQ(last[2].command.time_ns, rig.start() + silence + 50'000'000);
  EXPECT_EQ(rig.count(ReceiveCounter::silences), 2u);
  EXPECT_EQ(kinds(send({query_message()})), Kinds{login_reject});
}

TEST_F(Receive, HearsEveryValidPacketOfTheBoundSourceAndNothingElse) {
  const TimeNs silence = test_net().silence_ns;
  const std::vector<std::pair<const char*, Payload>> heard = {
      {"heartbeat", udp_frame(kAlice, kOrderPort, soup_packet('R'))},
      {"data", data_frame(kAlice, 1, {query_message()})},
      {"repeated data", data_frame(kAlice, 1, {query_message()})},
      {"re-request", udp_frame(kAlice, kOrderPort, mold_header(kOrderSession, 1, 1))},
      {"login", login_frame(kAlice, "ALICE", "secret")}};
  const std::vector<std::pair<const char*, Payload>> unheard = {
      {"refused login", login_frame(kAlice, "ALICE", "x")},
      {"blocks that lie", udp_frame(kAlice, kOrderPort,
                                    [] {
                                      Payload packet = mold_packet(9, {query_message()});
                                      packet.push_back(0);
                                      return packet;
                                    }())},
      {"ping", echo_frame(kAlice)},
      {"another MAC", udp_frame({.mac = {2, 0, 0, 0, 9, 9}}, kOrderPort, soup_packet('R'))}};
  TimeNs time = rig.start();
  log_in_alice();
  const auto closes = [](const std::vector<MadeCommand>& commands) {
    return std::count_if(commands.begin(), commands.end(),
                         [](const MadeCommand& made) { return made.command.kind == session_close; });
  };
  for (const auto& [name, frame] : heard) {
    time += silence - 1;
    EXPECT_EQ(closes(rig.burst(time, {frame})), 0) << name;
  }
  for (const auto& [name, frame] : unheard) {
    rig.burst(time, {login_frame(kAlice, "ALICE", "secret")});
    EXPECT_EQ(closes(rig.burst(time + silence / 2, {frame})), 0) << name;
    time += silence + kTickIntervalNs;
    EXPECT_EQ(closes(rig.burst(time, {})), 1) << name;
  }
}

// ---- Order datagrams ------------------------------------------------------------------------------------------------

TEST_F(Receive, TakesMessagesOfADatagramInOrderAsOneBurst) {
  log_in_alice();
  const auto commands =
      send({enter_message(1), cancel_message(1, 5), modify_message(1, 'E', 7), replace_message(1, 2), query_message()});
  ASSERT_EQ(kinds(commands), (Kinds{enter, cancel, modify, replace, account_query}));
  for (std::size_t i = 0; i < commands.size(); ++i) {
    EXPECT_EQ(commands[i].command.sequence.value, commands[0].command.sequence.value + i);
    EXPECT_EQ(commands[i].command.session, SessionId{0});
    EXPECT_EQ(commands[i].command.time_ns, rig.start());
    EXPECT_EQ(marked(commands[i]), i + 1 == commands.size());
  }
}

TEST_F(Receive, DropsRepeatsAndTakesWhatIsNewOfAnOverlap) {
  log_in_alice();
  EXPECT_EQ(rig.frame(data_frame(kAlice, 1, {cancel_message(1), cancel_message(2)})).size(), 2u);
  EXPECT_TRUE(rig.frame(data_frame(kAlice, 1, {cancel_message(1), cancel_message(2)})).empty());
  EXPECT_EQ(rig.count(ReceiveCounter::order_repeats), 2u);
  const auto overlap = rig.frame(data_frame(kAlice, 2, {cancel_message(2), cancel_message(3), cancel_message(4)}));
  ASSERT_EQ(overlap.size(), 2u);
  EXPECT_EQ(overlap[0].command.order.user_ref_num, UserRefNum{3});
  EXPECT_EQ(rig.count(ReceiveCounter::order_repeats), 3u);
  EXPECT_EQ(rig.count(ReceiveCounter::order_gaps), 0u);
}

TEST_F(Receive, TakesMessagesAfterAGapAndCountsIt) {
  log_in_alice();
  EXPECT_EQ(rig.frame(data_frame(kAlice, 5, {cancel_message(1)})).size(), 1u);
  EXPECT_EQ(rig.count(ReceiveCounter::order_gaps), 1u);
  EXPECT_TRUE(rig.frame(data_frame(kAlice, 4, {cancel_message(1)})).empty());
  EXPECT_EQ(rig.frame(data_frame(kAlice, 6, {cancel_message(1)})).size(), 1u);
  EXPECT_EQ(rig.count(ReceiveCounter::order_gaps), 1u);
}

TEST_F(Receive, CountsUpstreamFromOneAgainAtEachLogin) {
  log_in_alice();
  EXPECT_EQ(rig.frame(data_frame(kAlice, 1, {cancel_message(1)})).size(), 1u);
  log_in_alice();
  EXPECT_EQ(rig.frame(data_frame(kAlice, 1, {cancel_message(1)})).size(), 1u);
}

TEST_F(Receive, DropsADatagramWholeWhoseBlocksDoNotFillItExactly) {
  log_in_alice();
  const Payload good = mold_packet(1, {cancel_message(1), cancel_message(2)});
  Payload trailing = good;
  trailing.push_back(0);
  Payload too_many = good;
  set16(too_many, 18, 3);
  Payload too_few = good;
  set16(too_few, 18, 1);
  Payload too_long = good;
  set16(too_long, 20 + 11, 10);
  Payload half_length = good;
  half_length.resize(32);
  for (const Payload& packet : {trailing, too_many, too_few, too_long, half_length}) {
    EXPECT_TRUE(rig.frame(udp_frame(kAlice, kOrderPort, packet)).empty());
  }
  EXPECT_EQ(rig.count(ReceiveCounter::order_blocks), 5u);
  EXPECT_EQ(rig.frame(udp_frame(kAlice, kOrderPort, good)).size(), 2u) << "nothing of them was taken";
}

TEST_F(Receive, PassesRequestsOnForTheSession) {
  log_in_alice();
  const auto commands = rig.frame(udp_frame(kAlice, kOrderPort, mold_header(kOrderSession, 77, 65534)));
  ASSERT_EQ(kinds(commands), Kinds{resend});
  EXPECT_EQ(commands[0].command.session, SessionId{0});
  EXPECT_EQ(commands[0].command.resend.first, 77u);
  EXPECT_EQ(commands[0].command.resend.count, 65534);
}

TEST_F(Receive, PassesFeedRequestsOnWithTheAsker) {
  const auto commands = rig.frame(udp_frame(kBob, kRequestPort, mold_header(kFeedSession, 1u << 20, 9)));
  ASSERT_EQ(kinds(commands), Kinds{feed_resend});
  const ResendAsk& ask = commands[0].command.resend;
  EXPECT_EQ(ask.first, 1u << 20);
  EXPECT_EQ(ask.count, 9);
  EXPECT_EQ(ask.address, kBob.address);
  EXPECT_EQ(ask.port, kBob.port);
  EXPECT_TRUE(std::equal(kBob.mac.begin(), kBob.mac.end(), ask.mac));
}

TEST_F(Receive, LimitsFeedRequestsInVirtualTime) {
  const FrameBytes request = udp_frame(kBob, kRequestPort, mold_header(kFeedSession, 1, 9));
  const unsigned part = std::max(1u, test_net().feed_requests_per_second / 10);
  for (unsigned i = 0; i < part; ++i) EXPECT_EQ(rig.frame(request).size(), 1u);
  EXPECT_TRUE(rig.frame(request).empty()) << "one station has had its part";
  EXPECT_EQ(rig.count(ReceiveCounter::feed_request_rate), 1u);
  const FrameBytes other = udp_frame(kAlice, kRequestPort, mold_header(kFeedSession, 1, 9));
  EXPECT_EQ(rig.frame(other).size(), 1u) << "and leaves the others theirs";
}

TEST_F(Receive, WaitsForAFreeSlotAndGoesOnWithTheVeryMessage) {
  ReceiveRig small(64, 2);
  small.run();
  small.frame(login_frame(kAlice, "ALICE", "secret"));
  small.port().push_burst(
      small.start(),
      {data_frame(kAlice, 1,
                  {enter_message(1), enter_message(2), cancel_message(9), enter_message(3), enter_message(4)})});
  EXPECT_EQ(small.stage().poll(), 3u) << "two enters and a cancel; the third enter has no slot";
  EXPECT_EQ(small.stage().poll(), 0u);
  std::vector<MadeCommand> commands;
  small.read(1, commands);  // frees the first slot
  EXPECT_EQ(small.stage().poll(), 1u);
  EXPECT_EQ(small.stage().poll(), 0u);
  small.read(1, commands);
  EXPECT_EQ(small.stage().poll(), 2u) << "the last enter, and the frame is done";
  small.read(10, commands);
  ASSERT_EQ(kinds(commands), (Kinds{enter, enter, cancel, enter, enter}));
  EXPECT_TRUE(marked(commands[4]));
}

}  // namespace
}  // namespace crosswire::test
