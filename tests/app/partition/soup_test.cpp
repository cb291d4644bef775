// Order entry over TCP (WIRE 1, 7): the whole appliance, clients that are TCP stations, virtual time.
#include "tests/app/partition/soup_rig.hpp"

namespace crosswire::test {
namespace {

using enum ReceiveCounter;
using Sent = TransmitCounter;

TEST_F(Soup, AClientLogsInTradesAndLogsOut) {
  start();
  login(ann_, "ann", "ann");
  EXPECT_EQ(ann_.text_of('A'), "O00000ABCD" + std::string(19, ' ') + "1");
  ann_.write(enter(1));
  ann_.write(enter(2, 'B', 50));
  login(bob_, "BOB", "bob");
  bob_.write(enter(1, 'S', 120));
  pass(5'000'000);
  EXPECT_EQ(types_of(ann_.messages()), "SAAEE");
  EXPECT_EQ(types_of(bob_.messages()), "SAEE");
  ann_.write(soup_packet('O'));
  pass(5'000'000);
  EXPECT_TRUE(ann_.finished());
  EXPECT_EQ(ann_.types(), "ASSSSS") << "a logout has no answer";
  EXPECT_EQ(news(), (std::vector{SessionNews::login, SessionNews::login, SessionNews::logout}));
}

TEST_F(Soup, ManyPacketsInASegmentAndOneOverManyAreTheSame) {
  start();
  Payload all = login_of("ann", "ann", 1);
  for (std::uint32_t i = 1; i <= 40; ++i) put(all, enter(i));
  put(all, soup_packet('R'));
  put(all, soup_packet('+', Payload(1200, 'x')));
  put(all, enter(41));
  ann_.connect();
  ann_.write(all);
  pass(5'000'000);
  bob_.connect();
  pass(1'000'000);
  set_user(all, "BOB", "bob");
  for (const std::uint8_t byte : all) {
    bob_.write({byte});
    pass(100'000, 100'000);
  }
  pass(5'000'000);
  EXPECT_EQ(types_of(ann_.messages()), "S" + std::string(41, 'A'));
  EXPECT_EQ(types_of(bob_.messages()), "S" + std::string(41, 'A'));
  EXPECT_EQ(count(enters), 82u);
}

TEST_F(Soup, ManyOrdersInOneSegmentWaitForTheRingAndNoneIsLost) {
  config_.command_ring = 2;
  config_.event_ring = 4;
  start();
  login(ann_, "ann", "ann");
  Payload all;
  for (std::uint32_t i = 1; i <= 400; ++i) put(all, enter(i));
  ann_.write(all);
  pass(20'000'000);
  EXPECT_EQ(types_of(ann_.messages()), "S" + std::string(400, 'A'));
}

TEST_F(Soup, ASessionOutlivesItsConnections) {
  config_.engine.cancel_on = {0, 0};
  start();
  login(ann_, "ann", "ann");
  ann_.write(enter(1));
  pass(2'000'000);
  ann_.reset();
  pass(5'000'000);
  EXPECT_EQ(news(), (std::vector{SessionNews::login, SessionNews::reset}));
  login(bob_, "bob", "bob");
  bob_.write(enter(1, 'S'));  // trades with what Ann has left
  pass(2'000'000);
  login(ann_, "ann", "ann", 3);
  EXPECT_EQ(ann_.text_of('A').substr(29), "3");
  EXPECT_EQ(types_of(ann_.messages()), "E");
  login(ann_, "ann", "ann", 1);
  EXPECT_EQ(types_of(ann_.messages()), "SAE") << "from the first on";
  login(ann_, "ann", "ann", 0);
  EXPECT_EQ(types_of(ann_.messages()), "") << "from the next on";
  EXPECT_EQ(ann_.text_of('A').substr(29), "4");
  login(ann_, "ann", "ann", 77);
  EXPECT_EQ(ann_.text_of('A').substr(29), "4") << "a number beyond the end";
}

TEST_F(Soup, OrdersGoWithTheConnectionButForThoseThatStay) {
  start();
  login(ann_, "ann", "ann");
  ann_.write(enter(1));
  ann_.write(soup_packet('U', with_options(bytes(enter_fields(2)), {2, 128, 'Y'})));
  pass(2'000'000);
  ann_.reset();
  pass(5'000'000);
  EXPECT_EQ(partition_->engine().live_orders(), 1u);
  login(ann_, "ann", "ann", 1);
  EXPECT_EQ(types_of(ann_.messages()), "SAAC");
  login(eve_, "ann", "ann", 1);
  EXPECT_EQ(types_of(eve_.messages()), "SAAC") << "a takeover leaves what there is";
  EXPECT_EQ(partition_->engine().live_orders(), 1u);
}

TEST_F(Soup, TheNewestLoginWinsAndTheOldOneIsTold) {
  start();
  login(ann_, "ann", "ann");
  login(eve_, "ann", "ann");
  EXPECT_EQ(ann_.types(), "AS+");
  EXPECT_EQ(ann_.text_of('+'), "taken over");
  EXPECT_TRUE(ann_.finished());
  ann_.write(enter(1));  // is nobody's
  pass(5'000'000);
  EXPECT_EQ(count(enters), 0u);
  eve_.write(enter(1));
  pass(5'000'000);
  EXPECT_EQ(types_of(eve_.messages()), "SA");
}

TEST_F(Soup, TwoCopiesOfAClientDoNotEvictEachOtherForEver) {
  start();
  login(ann_, "ann", "ann");
  for (int i = 0; i < 3; ++i) login(i % 2 == 0 ? eve_ : ann_, "ann", "ann");
  EXPECT_EQ(eve_.types(), "AS") << "the third takeover";
  login(ann_, "ann", "ann");
  EXPECT_EQ(ann_.types(), "J");
  EXPECT_EQ(ann_.text_of('J'), "A");
  EXPECT_TRUE(ann_.finished());
  EXPECT_FALSE(eve_.finished()) << "the connected one stays";
  pass(9'000'000'000, 100'000'000);
  login(ann_, "ann", "ann");
  EXPECT_EQ(ann_.types(), "J") << "for ten seconds";
  eve_.write(soup_packet('R'));
  pass(1'100'000'000, 100'000'000);
  login(ann_, "ann", "ann");
  EXPECT_EQ(ann_.types(), "AS");
  EXPECT_EQ(count(logins_barred), 2u);
}

TEST_F(Soup, AnAccountLogsInSoOftenAndNoMore) {
  start();
  constexpr unsigned kTries = kLoginsAtOnce + 50;  // in a second and a half
  unsigned accepted = 0;
  for (unsigned i = 0; i < kTries; ++i) {
    login(ann_, "ann", "ann", 0);
    accepted += ann_.types()[0] == 'A' ? 1 : 0;
    ann_.write(soup_packet('O'));
    pass(5'000'000);
    EXPECT_TRUE(ann_.finished());
  }
  EXPECT_GE(accepted, kLoginsAtOnce);
  EXPECT_LE(accepted, kLoginsAtOnce + 2 * kLoginsPerSecond);
  EXPECT_EQ(count(logins_barred), kTries - accepted);
  pass(1'000'000'000, 100'000'000);
  login(ann_, "ann", "ann", 0);
  EXPECT_EQ(ann_.types(), "A");
}

TEST_F(Soup, AClientMayChangeTheTransportWithoutAGap) {
  start();
  const Client over_udp{.mac = {2, 0, 0, 0, 1, 9}, .address = 0x0A6300C8, .port = 40'000};
  login(ann_, "ann", "ann");
  ann_.write(enter(1));
  pass(2'000'000);
  send(udp_frame(over_udp, kOrderPort, login_packet("ANN", "ann")));
  send(udp_frame(over_udp, kOrderPort, mold_packet(1, {enter_message(2)})));
  pass(2'000'000);
  EXPECT_EQ(ann_.types(), "ASS+");
  EXPECT_EQ(ann_.text_of('+'), "taken over");
  login(ann_, "ann", "ann", 1);
  EXPECT_EQ(types_of(ann_.messages()), "SAA") << "what was said over UDP, too";
  send(udp_frame(over_udp, kOrderPort, mold_packet(2, {enter_message(3)})));
  pass(2'000'000);
  EXPECT_EQ(count(enters), 2u) << "who has lost the session is not heard";
}

TEST_F(Soup, LoginsAreRefusedWithTheReasonAndTheConnectionEnds) {
  config_.net.accounts[1].over_tcp = false;
  config_.net.accounts.push_back({"FAR", "far", {'F', 'A', 'R', ' '}, {{0xC0A80101, 32}}});
  config_.engine.sessions = 3;
  start();
  const auto expect_refused = [&](std::string_view user, std::string_view password, std::string_view session,
                                  std::string_view reason) {
    ann_.connect();
    ann_.write(soup_packet('L', bytes(wire::soup::login_request(user, password, session, 1))));
    pass(5'000'000);
    EXPECT_EQ(ann_.types(), "J") << user;
    EXPECT_EQ(ann_.text_of('J'), reason) << user;
    EXPECT_TRUE(ann_.finished()) << user;
  };
  expect_refused("nobody", "ann", "", "A");
  expect_refused("ann", "wrong", "", "A");
  expect_refused("bob", "bob", "", "A");
  expect_refused("far", "far", "", "A");
  expect_refused("ann", "ann", "OTHER", "S");
  ann_.connect();
  Payload odd = login_of("ann", "ann", 1);
  odd.back() = 'x';
  ann_.write(odd);
  pass(5'000'000);
  EXPECT_EQ(ann_.text_of('J'), "S") << "a number that is none";
}

TEST_F(Soup, AnyByteOfALoginMayBeWrong) {
  start();
  const Payload right = login_of("ann", "ann", 1);
  unsigned accepted = 0;
  for (std::size_t i = 3; i < right.size(); ++i) {
    Payload wrong = right;
    wrong[i] ^= 0x15;
    ann_.connect();
    ann_.write(wrong);
    pass(5'000'000);
    const std::string types = ann_.types();
    if (types[0] == 'A') {
      ++accepted;
      ann_.write(soup_packet('O'));
      pass(5'000'000);
    } else {
      EXPECT_EQ(types, "J") << i;
    }
    EXPECT_TRUE(ann_.finished()) << i;
  }
  EXPECT_EQ(accepted, 1u) << "51, a number beyond the end";
  EXPECT_EQ(partition_->receive().sessions_open(), 0u);
}

TEST_F(Soup, WhoOnlyConnectsIsClosedInTimeAndKeepsNobodyOut) {
  start();
  ann_.connect();
  pass(4'900'000'000, 100'000'000);
  EXPECT_FALSE(ann_.finished());
  pass(300'000'000, 100'000'000);
  EXPECT_TRUE(ann_.finished());
  EXPECT_EQ(ann_.text_of('+'), "no login");
  EXPECT_EQ(count(soup_logins_late), 1u);
}

TEST_F(Soup, TheOldestStrangerMakesRoom) {
  config_.net.strangers = 2;
  start();
  ann_.connect();
  pass(2'000'000);
  eve_.connect();
  pass(2'000'000);
  login(bob_, "bob", "bob");
  EXPECT_EQ(ann_.ended(), tcp::EndReason::reset) << "its place is free at once";
  EXPECT_FALSE(eve_.finished());
  EXPECT_EQ(bob_.types(), "AS");
  EXPECT_EQ(count(soup_strangers_cut), 1u);
}

TEST_F(Soup, PlacesOfThoseWhoNeverLogInAreThereForOthers) {
  start();
  for (int i = 0; i < 700; ++i) {
    SoupPeer& peer = i % 2 == 0 ? ann_ : eve_;
    peer.closes(false);
    peer.connect();
    if (i % 3 == 0) peer.write(login_of("nobody", "x", 1));
    pass(1'000'000);
    peer.station().send().abort(tcp::ConnectionId{0});  // the peer's own places, without a word to the appliance
    peer.station().take_frames();
  }
  login(bob_, "bob", "bob");
  EXPECT_EQ(bob_.types(), "AS");
}

TEST_F(Soup, WhatALoginOrdersAndTheEndInOneSegmentSayCounts) {
  start();
  Payload all = login_of("ann", "ann", 1);
  put(all, enter(1));
  put(all, enter(2));
  ann_.connect();
  pass(1'000'000);
  ann_.write(all);
  ann_.finish();
  pass(5'000'000);
  EXPECT_EQ(ann_.types()[0], 'A');
  EXPECT_TRUE(ann_.finished());
  EXPECT_EQ(count(enters), 2u);
  EXPECT_EQ(partition_->receive().sessions_open(), 0u);
  login(ann_, "ann", "ann", 1);
  EXPECT_EQ(types_of(ann_.messages()), "SAACC");
}

TEST_F(Soup, AnswersThatShareADatagramOverwriteNothingThatTcpNeeds) {
  const Client over_udp{.mac = {2, 0, 0, 0, 1, 9}, .address = 0x0A6300C8, .port = 40'000};
  start();
  login(ann_, "ann", "ann");
  ann_.reads(false);
  for (std::uint32_t i = 1; i <= 500; ++i) {
    ann_.write(enter(i));
    if (i % 50 == 0) pass(1'000'000);
  }
  send(udp_frame(over_udp, kOrderPort, login_packet("ANN", "ann")));
  for (std::uint64_t i = 1; i <= 1200; ++i) {
    send(udp_frame(over_udp, kOrderPort, mold_packet(i, {query_message()})));
    if (i % 60 == 0) pass(300'000'000, 50'000'000);
  }
  ann_.reads(true);
  pass(3'000'000'000, 50'000'000);
  EXPECT_GT(count(Sent::answers), 1600u);
}

TEST_F(Soup, WhatIsNoSoupBinTcpEndsTheConnection) {
  start();
  for (const Payload& bytes : {Payload{0, 0}, enter(1), soup_packet('O'), soup_packet('L', Payload(45, ' ')),
                               Payload{0xFF, 0xFF, 'L'}, Payload{0xFF, 0xFF, '+'}}) {
    ann_.connect();
    ann_.write(bytes);
    pass(5'000'000);
    EXPECT_TRUE(ann_.finished()) << bytes.size();
    EXPECT_EQ(ann_.text_of('+'), "cut off");
  }
  login(ann_, "ann", "ann");
  ann_.write({0, 0});
  ann_.write(enter(1));
  pass(5'000'000);
  EXPECT_EQ(ann_.types(), "AS+");
  EXPECT_EQ(count(enters), 0u);
  EXPECT_EQ(count(soup_cut), 7u);
  EXPECT_EQ(partition_->receive().sessions_open(), 0u);
}

TEST_F(Soup, WhatIsStrangeInASessionIsPassedOver) {
  start();
  login(ann_, "ann", "ann");
  ann_.write(soup_packet('L', Payload(46, ' ')));
  ann_.write(soup_packet('?', Payload(300, 1)));
  ann_.write(soup_packet('U', Payload(9, 'O')));
  ann_.write(soup_packet('U'));
  Payload longest{0xFF, 0xFF, '+'};
  longest.resize(2 + 0xFFFF, 'x');
  ann_.write(longest);
  ann_.write(enter(1));
  pass(20'000'000);
  EXPECT_EQ(types_of(ann_.messages()), "SA");
  EXPECT_EQ(count(soup_login_again), 1u);
  EXPECT_EQ(count(soup_too_long), 1u);
  EXPECT_EQ(count(soup_type), 1u);
  EXPECT_EQ(count(ouch_short) + count(ouch_type_unknown), 2u);
}

TEST_F(Soup, WhoDoesNotEndItsSideIsResetAndItsPlaceIsGivenBack) {
  start();
  ann_.closes(false);
  login(ann_, "nobody", "ann");
  EXPECT_EQ(ann_.types(), "J");
  EXPECT_FALSE(ann_.ended().has_value());
  pass(1'200'000'000, 50'000'000);
  EXPECT_EQ(ann_.ended(), tcp::EndReason::reset);
}

TEST_F(Soup, BehindALogoutNothingCounts) {
  start();
  login(ann_, "ann", "ann");
  Payload all = soup_packet('O');
  put(all, enter(1));
  ann_.write(all);
  pass(5'000'000);
  EXPECT_EQ(count(enters), 0u);
  EXPECT_TRUE(ann_.finished());
}

TEST_F(Soup, BothSidesSayThatTheyAreThere) {
  start();
  login(ann_, "ann", "ann");
  for (int i = 0; i < 40; ++i) {
    ann_.write(soup_packet('R'));
    pass(1'000'000'000, 50'000'000);
  }
  EXPECT_FALSE(ann_.finished());
  const std::vector<Packet> packets = ann_.packets();
  const auto beats = std::count_if(packets.begin(), packets.end(), [](const Packet& p) { return p.type == 'H'; });
  EXPECT_GE(beats, 35);
  pass(15'200'000'000, 50'000'000);
  EXPECT_TRUE(ann_.finished());
  EXPECT_EQ(ann_.text_of('+'), "silent");
  EXPECT_EQ(news(), (std::vector{SessionNews::login, SessionNews::silence}));
}

TEST_F(Soup, HistoryComesByEightSegmentsAPollAndNewMessagesBehindIt) {
  start();
  login(ann_, "ann", "ann");
  for (std::uint32_t i = 1; i <= 900; ++i) {
    ann_.write(enter(i));
    if (i % 100 == 0) pass(2'000'000);
  }
  login(ann_, "ann", "ann", 1);
  for (std::uint32_t i = 901; i <= 920; ++i) ann_.write(enter(i));
  pass(20'000'000);
  const std::vector<Payload> messages = ann_.messages();
  EXPECT_EQ(types_of(messages), "S" + std::string(920, 'A'));
  for (std::uint32_t i = 1; i <= 920; ++i) {
    EXPECT_EQ(get16(messages[i], 9) << 16 | get16(messages[i], 11), i) << "in the order of their numbers";
  }
}

TEST_F(Soup, ANumberThatIsNotKeptIsRefusedAndTold) {
  config_.net.messages_kept = 64;
  config_.engine.cancel_on = {0, 0};
  start();
  login(ann_, "ann", "ann");
  for (std::uint32_t i = 1; i <= 100; ++i) {
    ann_.write(enter(i));
    pass(1'000'000);
  }
  login(ann_, "ann", "ann", 37);
  EXPECT_EQ(ann_.types(), "J");
  EXPECT_EQ(ann_.text_of('J'), "S");
  LoginNews news{};
  ASSERT_TRUE(partition_->stages().transmit.login_news().pop(news));
  EXPECT_EQ(news.wanted, 37u);
  EXPECT_EQ(news.oldest, 38u);
  pass(5'000'000);
  EXPECT_EQ(partition_->receive().sessions_open(), 1u) << "on the connection of before";
  login(ann_, "ann", "ann", 38);
  EXPECT_EQ(types_of(ann_.messages()), std::string(64, 'A'));
}

TEST_F(Soup, ALoginThatIsRefusedTakesNothingFromAnybody) {
  config_.net.messages_kept = 64;
  start();
  login(ann_, "ann", "ann");
  for (std::uint32_t i = 1; i <= 100; ++i) {
    ann_.write(enter(i));
    pass(1'000'000);
  }
  eve_.connect();
  pass(1'000'000);
  Payload all = login_of("ann", "ann", 2);
  put(all, enter(101));
  eve_.write(all);
  eve_.write(enter(102));
  pass(5'000'000);
  EXPECT_EQ(eve_.types(), "J");
  EXPECT_EQ(eve_.text_of('J'), "S");
  EXPECT_TRUE(eve_.finished());
  EXPECT_EQ(count(enters), 100u) << "what came behind it is nobody's";
  EXPECT_FALSE(ann_.finished());
  EXPECT_EQ(partition_->engine().live_orders(), 100u);
  ann_.write(enter(101));
  pass(5'000'000);
  EXPECT_EQ(types_of(ann_.messages()).back(), 'A') << "who is connected trades on";
  EXPECT_EQ(count(enters), 101u);
}

TEST_F(Soup, WhoDoesNotReadIsCutAndRecoversByNumber) {
  config_.net.messages_kept = 4096;
  config_.engine.max_orders = 10'000;
  start();
  login(ann_, "ann", "ann");
  login(bob_, "bob", "bob");
  ann_.reads(false);
  for (std::uint32_t i = 1; i <= 5000; ++i) {
    bob_.write(enter(i, 'S', 1));
    ann_.write(enter(i, 'B', 1));
    if (i % 20 == 0) pass(1'000'000);
  }
  pass(1'000'000'000, 10'000'000);
  EXPECT_EQ(count(Sent::readers_cut), 1u);
  EXPECT_EQ(ann_.ended(), tcp::EndReason::reset);
  const std::string bobs = types_of(bob_.messages());
  EXPECT_EQ(std::count(bobs.begin(), bobs.end(), 'A'), 5000) << "he had all the while what was his";
  const std::vector<SessionNews::Kind> told = news();
  EXPECT_EQ(std::count(told.begin(), told.end(), SessionNews::cut), 1);
  ann_.reads(true);
  const std::uint64_t next = count(Sent::answers) - bob_.messages().size() + 1;
  EXPECT_LT(next, 4096u) << "with room for what is said until the client is back: its orders are cancelled";
  login(ann_, "ann", "ann", 2);
  pass(50'000'000);
  EXPECT_EQ(ann_.messages().size(), next - 2) << "from the first that it has not read";
}

TEST_F(Soup, TheDaysEndEndsEverySessionBehindItsLastMessage) {
  start();
  login(ann_, "ann", "ann");
  ann_.write(enter(1));
  pass(5'000'000);
  rx_.end_day(now_ + 1'000'000);
  pass(5'000'000);
  EXPECT_EQ(ann_.types().back(), 'Z');
  EXPECT_TRUE(ann_.finished());
  const std::size_t all = ann_.messages().size();
  login(ann_, "ann", "ann", 1);
  EXPECT_EQ(ann_.messages().size(), all) << "what was missed can still be had";
  EXPECT_EQ(ann_.types().back(), 'Z');
  EXPECT_TRUE(ann_.finished());
}

TEST_F(Soup, AtTheDaysEndEverybodyIsToldHoweverManyTheyAre) {
  constexpr std::uint16_t kClients = 300;
  std::vector<std::unique_ptr<SoupPeer>> crowd;
  for (std::uint16_t i = 0; i < kClients; ++i) {
    config_.net.accounts.push_back({"C" + std::to_string(i), "c", {'C', 'R', 'D', ' '}, {}});
    crowd.push_back(std::make_unique<SoupPeer>(static_cast<std::uint16_t>(1000 + i), std::uint16_t{1}));
    peers_.push_back(crowd.back().get());
  }
  config_.net.messages_kept = 256;
  config_.engine.sessions = static_cast<std::uint32_t>(config_.net.accounts.size());
  start();
  for (std::uint16_t i = 0; i < kClients; ++i) {
    crowd[i]->connect();
    crowd[i]->write(login_of("C" + std::to_string(i), "c", 1));
    if (i % 30 == 29) pass(1'000'000);
  }
  pass(5'000'000);
  ASSERT_EQ(partition_->receive().sessions_open(), kClients);
  rx_.end_day(now_ + 1'000'000);
  pass(20'000'000);
  for (const std::unique_ptr<SoupPeer>& client : crowd) {
    ASSERT_EQ(client->types().back(), 'Z');
    ASSERT_TRUE(client->finished());
    ASSERT_NE(client->ended(), tcp::EndReason::reset);
  }
}

TEST_F(Soup, WithoutTheKeyThereIsNoTcp) {
  config_.net.tcp_port = 0;
  start();
  ann_.connect();
  pass(5'000'000);
  EXPECT_GT(count(ip_protocol_unknown), 0u);
}

}  // namespace
}  // namespace crosswire::test
