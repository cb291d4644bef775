// Hostile SoupBinTCP, MoldUDP64 and logins: what is counted, what is answered, and that bystanders notice nothing.
#include "tests/app/partition/hostile_rig.hpp"

namespace crosswire::test {
namespace {

using enum ReceiveCounter;

class HostileSession : public Hostile {
 protected:
  /// Type letters of SoupBinTCP answers; '?' for MoldUDP64.
  static std::string soup_types(const Frames& frames) {
    std::string types;
    for (const FrameBytes& frame : frames) {
      const Payload payload = payload_of(frame);
      types += payload[0] == 0 ? static_cast<char>(payload[2]) : '?';
    }
    return types;
  }
  static std::size_t count_of(char type, const std::string& types) {
    return static_cast<std::size_t>(std::count(types.begin(), types.end(), type));
  }
  /// Expects that one MAC was told so often as it may be in the rounds of an attack that are spread.
  void expect_told_a_tenth(const std::string& types) const {
    const std::size_t tenth = config_.net.strangers_told_per_second / 10;
    const std::size_t told = count_of('J', types);
    EXPECT_GE(told, tenth);
    EXPECT_LE(told, tenth + tenth * (kAttackEnd - kAttackFrom) * kRound / kNsPerSecond + 1);
    EXPECT_EQ(count_of('+', types), told);
  }
  Payload three_queries(std::uint64_t sequence) const {
    return mold_packet(sequence, {query_message(), query_message(), query_message()});
  }
};

// ---- MoldUDP64 ------------------------------------------------------------------------------------------------------

TEST_F(HostileSession, ADatagramWithAnyCountThatLiesIsDroppedWhole) {
  Frames frames;
  for (unsigned count = 0; count <= 0xFFFF; ++count) {
    if (count == 3) continue;
    Payload packet = three_queries(1);
    set16(packet, 18, count);
    frames.push_back(to_orders(packet));
  }
  expect_silence(frames, {{order_count, 2}, {order_blocks, 0xFFFF - 2}});
}

TEST_F(HostileSession, ADatagramWithAnyBlockLengthThatLiesIsDroppedWhole) {
  Frames frames;
  for (const std::size_t block : {0u, 1u, 2u}) {
    for (unsigned length = 0; length <= 0xFFFF; ++length) {
      if (length == 1) continue;
      Payload packet = three_queries(1);
      set16(packet, 20 + 3 * block, length);
      frames.push_back(to_orders(packet));
    }
  }
  expect_silence(frames, {{order_blocks, 3 * 0xFFFF}});
}

TEST_F(HostileSession, RepeatsAndLateDatagramsAreDroppedAndGapsGoOn) {
  const auto query = [this](std::uint64_t number) { return data_frame(mal, number, {query_message()}); };
  const Frames answers = attack({query(1), query(1), query(1),      // repeats
                                 query(101), query(100), query(2),  // a gap, and what comes late
                                 to_orders(three_queries(100)),     // two repeats and a new one
                                 query(103), query(~std::uint64_t{0} / 2)},
                                {{order_repeats, 6}, {order_gaps, 2}, {account_queries, 5}, {order_datagrams, 9}});
  EXPECT_EQ(types_of(messages_of(answers)), "QQQQQ");
}

TEST_F(HostileSession, NumbersDoNotOverflow) {
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  const auto query = [this](std::uint64_t number) { return data_frame(mal, number, {query_message()}); };
  const Frames answers =
      attack({query(0), query(kMost), to_orders(three_queries(kMost - 2)), to_orders(three_queries(kMost)),
              query(kMost - 1),                                    // the last number that there is
              query(kMost - 1), query(1), query(kMost), query(0),  // nothing is new any more
              login_frame(mal, "MAL", "mal"), query(1)},           // but a login counts anew
             {{order_sequence, 6}, {order_repeats, 2}, {order_gaps, 1}, {account_queries, 2}, {logins, 1}});
  EXPECT_EQ(answers.size(), 3u);
}

TEST_F(HostileSession, ADatagramFullOfEmptyMessagesIsCountedMessageByMessage) {
  const std::vector<Payload> nothing(726, Payload{});
  expect_silence({orders(nothing), orders(nothing)}, {{ouch_short, 2 * 726}, {order_datagrams, 2}});
}

TEST_F(HostileSession, ADatagramFullOfQueriesIsAnsweredToWhoAskedAlone) {
  const std::vector<Payload> queries(484, query_message());
  Frames frames;
  for (int i = 0; i < 40; ++i) frames.push_back(orders(queries));
  const Frames answers = attack(frames, {{account_queries, 40 * 484}}, Attack::at_once);
  EXPECT_EQ(messages_of(answers).size(), 256u) << "the account's rate";
  EXPECT_EQ(answers.size(), 3u) << "they share datagrams";
}

TEST_F(HostileSession, EmptyAndShortDatagramsAndOtherSessionsAreDropped) {
  Frames frames{to_orders({})};
  for (std::size_t length = 1; length < 20; ++length) frames.push_back(to_orders(Payload(length, 'O')));
  for (const std::string_view session :
       {kFeedSession, std::string_view{"          "}, std::string_view{"O00000ABCE"}}) {
    frames.push_back(to_orders(mold_packet(1, {query_message()}, session)));
    frames.push_back(to_orders(mold_header(session, 1, 1)));
  }
  expect_silence(frames, {{order_empty, 1}, {order_short, 19}, {order_session, 6}});
}

// ---- SoupBinTCP -----------------------------------------------------------------------------------------------------

TEST_F(HostileSession, ALoginWithAnyLengthThatLiesIsDropped) {
  Frames frames;
  for (unsigned length = 0; length <= 0xFFFF; ++length) {
    if (length == 47) continue;
    Payload packet = login_packet("MAL", "mal");
    set16(packet, 0, length);
    frames.push_back(to_orders(packet));
  }
  // From 256 on the first byte is not 0, so that it is taken for MoldUDP64 of a strange session.
  expect_silence(frames, {{soup_malformed, 255}, {order_session, 0xFF00}});
}

TEST_F(HostileSession, ALoginCutOrDrawnOutIsDropped) {
  const Payload whole = login_packet("MAL", "mal");
  Frames frames;
  for (std::size_t length = 1; length < 200; ++length) {
    if (length == whole.size()) continue;
    Payload packet = whole;
    packet.resize(length, ' ');
    frames.push_back(to_orders(packet));
    packet.resize(std::max<std::size_t>(length, 2));
    set16(packet, 0, packet.size() - 2);  // of the wrong size, and saying so
    frames.push_back(to_orders(packet));
  }
  // Two lengths leave no type; a login of one byte has no name.
  expect_silence(frames, {{soup_malformed, frames.size()}});
}

TEST_F(HostileSession, SoupPacketsOfAllOtherTypesAreDropped) {
  Frames frames;
  for (unsigned type = 0; type < 256; ++type) {
    if (type == 'R' || type == 'O' || type == 'L') continue;
    frames.push_back(to_orders(soup_packet(static_cast<char>(type))));
    frames.push_back(to_orders(soup_packet(static_cast<char>(type), query_message())));
  }
  for (const char type : {'R', 'O', 'L'}) frames.push_back(to_orders(soup_packet(type, {0})));
  expect_silence(frames, {{soup_type, 506}, {soup_malformed, 3}});
}

// ---- Logins ---------------------------------------------------------------------------------------------------------

TEST_F(HostileSession, AStormOfRightLoginsIsAnsweredOneByOne) {
  const Frames answers = attack(Frames(100'000, login_frame(mal, "MAL", "mal")),
                                {{logins, 100'000}, {logins_repeated, 100'000}}, Attack::at_once);
  EXPECT_EQ(soup_types(answers), std::string(100'000, 'A'));
}

TEST_F(HostileSession, AStormOfWrongPasswordsUsesUpItsOwnTenthOfTheRefusals) {
  const std::size_t part = config_.net.failed_logins_per_second / 10;
  Frames frames;
  Client client = mal;
  for (unsigned i = 0; i < 100'000; ++i) {
    client.address = 0x0A640000 + i;  // as many addresses
    frames.push_back(login_frame(client, i % 2 == 0 ? "ANN" : "NOBODY", "guess"));
  }
  const Frames answers =
      attack(frames, {{logins_refused, part}, {login_refused_rate, 100'000 - part}}, Attack::at_once);
  EXPECT_EQ(soup_types(answers), std::string(part, 'J'));
}

TEST_F(HostileSession, OfTwoSourcesThatTakeOneAccountFromEachOtherTheLastOneKeepsItForAWhile) {
  Client other = mal;
  other.port = 52'000;
  other.address += 1;
  Frames frames;
  for (int i = 0; i < 1000; ++i) frames.push_back(login_frame(i % 2 == 0 ? other : mal, "MAL", "mal"));
  const std::string types =
      soup_types(attack(frames, {{logins, 500}, {logins_taking_over, 1}, {logins_repeated, 499}, {login_late, 500}}));
  EXPECT_EQ(types.substr(0, 3), "+JA");
  EXPECT_EQ(count_of('A', types), 500u);
  expect_told_a_tenth(types);
}

TEST_F(HostileSession, AnAccountThatIsTakenOverHearsItAndIsBoundNoMore) {
  Client other = mal;
  other.port = 52'000;
  const Frames answers = attack({login_frame(other, "MAL", "mal"), heartbeat(), orders({query_message()}),
                                 to_orders(soup_packet('O')), data_frame(other, 1, {query_message()})},
                                {{order_source_unknown, 3}, {account_queries, 1}, {logins_taking_over, 1}});
  EXPECT_EQ(soup_types(answers), "+JA+J+J+J?");
}

TEST_F(HostileSession, ALoginFromAnAddressThatTheAccountDoesNotAllowIsNotAnswered) {
  Frames frames;
  for (int i = 0; i < 1000; ++i) frames.push_back(login_frame(mal, "FAR", i % 2 == 0 ? "far" : "guess"));
  expect_silence(frames, {{login_source_not_allowed, 1000}});
}

TEST_F(HostileSession, ALoginToAnUnknownSessionIsRefusedAndClosesNothing) {
  const Frames answers =
      attack({login_frame(mal, "MAL", "mal", "YESTERDAY"), login_frame(mal, "MAL", "mal", kFeedSession), heartbeat()},
             {{logins_refused, 1}, {login_refused_rate, 1}, {heartbeats, 1}}, Attack::at_once);
  ASSERT_EQ(soup_types(answers), "J");
  EXPECT_EQ(payload_of(answers[0])[3], 'S');
}

TEST_F(HostileSession, ALoginOfAnotherAccountFromTheSameSourceClosesItsOwnSessionAlone) {
  const Frames answers = attack({login_frame(mal, "MAL2", "mal"), heartbeat(), login_frame(mal, "MAL", "mal")},
                                {{logins, 2}, {logins_rebinding, 2}, {heartbeats, 1}});
  EXPECT_EQ(soup_types(answers), "AA");
}

TEST_F(HostileSession, ALoginUnderAnotherClientsAddressEndsNobodysSession) {
  Client forged = mal;  // its own MAC and its own password, but Ann's address and port
  forged.address = ann.address;
  forged.port = ann.port;
  const Frames answers =
      attack({login_frame(forged, "MAL", "mal"), login_frame(forged, "MAL2", "mal"),
              data_frame(forged, 1, {query_message()}), udp_frame(forged, kOrderPort, soup_packet('O'))},
             {{logins, 2}, {logins_taking_over, 1}, {logins_rebinding, 1}, {account_queries, 1}, {logouts, 1}});
  EXPECT_EQ(soup_types(answers), "+JAA?");
  for (const FrameBytes& answer : answers) EXPECT_EQ(destination_of(answer), mal.mac);
}

TEST_F(HostileSession, AForgedAddressDoesNotSpeakForABoundClient) {
  Client forged = ann;
  forged.mac = mal.mac;
  expect_silence({udp_frame(forged, kOrderPort, soup_packet('O')), udp_frame(forged, kOrderPort, soup_packet('R')),
                  data_frame(forged, 5000, {cancel_message(1), enter_message(5000)}),
                  udp_frame(forged, kOrderPort, mold_header(kOrderSession, 1, 100))},
                 {{order_source_changed, 4}});
}

TEST_F(HostileSession, StrangersAreToldATenthOfWhatIsToldInAll) {
  Frames frames;
  Client stranger = mal;
  for (unsigned i = 1; i <= 1000; ++i) {
    stranger.port = static_cast<std::uint16_t>(mal.port + i);
    frames.push_back(udp_frame(stranger, kOrderPort, soup_packet('O')));
    frames.push_back(udp_frame(stranger, kOrderPort, soup_packet('R')));
    frames.push_back(data_frame(stranger, 1, {query_message()}));
    frames.push_back(udp_frame(stranger, kOrderPort, mold_header(kOrderSession, 1, 1)));
  }
  expect_told_a_tenth(soup_types(attack(frames, {{order_source_unknown, 4000}})));
}

TEST_F(HostileSession, AFloodOfReRequestsOfItsOwnMessagesIsAnsweredAtItsRate) {
  Frames frames;
  for (unsigned i = 0; i < 1000; ++i) frames.push_back(to_orders(mold_header(kOrderSession, 1, 65'534)));
  const std::size_t tenth = config_.net.order_requests_per_second / 10;
  const Frames answers = attack(frames, {{order_requests, tenth}, {order_request_rate, 1000 - tenth}}, Attack::at_once);
  EXPECT_EQ(answers.size(), tenth);
}

}  // namespace
}  // namespace crosswire::test
