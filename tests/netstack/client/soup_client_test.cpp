// What a SoupBinTCP client writes, and what it makes of a server's stream, however it is cut and whatever is in it.
#include "netstack/client/soup_client.hpp"

#include <gtest/gtest.h>

#include <array>
#include <utility>
#include <vector>

#include "tests/netstack/client_frames.hpp"

namespace crosswire::client {
namespace {

using test::letter;
using test::Payload;
using test::soup_packet;

Payload joined(const std::vector<Payload>& packets) {
  Payload all;
  for (const Payload& packet : packets) all.insert(all.end(), packet.begin(), packet.end());
  return all;
}

Payload accepted(std::uint64_t next) {
  return soup_packet('A', test::bytes(wire::soup::login_accepted(test::kOrderSession, next)));
}

class SoupClientTest : public ::testing::Test {
 protected:
  Payload written(std::size_t size) const { return {room.begin(), room.begin() + static_cast<std::ptrdiff_t>(size)}; }
  SoupState take(const Payload& bytes) {
    return client.take(bytes, [this](std::uint64_t number, wire::Bytes message) {
      answers.emplace_back(number, Payload(message.begin(), message.end()));
    });
  }
  void log_in(std::uint64_t next = 1) {
    client.login(room, 0);
    ASSERT_EQ(take(accepted(next)), SoupState::logged_in);
  }

  std::array<std::uint8_t, 256> room{};
  SoupClient client{"ANN", "secret"};
  std::vector<std::pair<std::uint64_t, Payload>> answers;
};

TEST_F(SoupClientTest, WritesTheLoginThatTheSpecificationAsksFor) {
  EXPECT_EQ(written(client.login(room, 0)),
            soup_packet('L', test::bytes(wire::soup::login_request("ANN", "secret", "", 0))));
  EXPECT_EQ(client.state(), SoupState::awaiting);
  EXPECT_EQ(written(client.login(room, 1)), test::login_packet("ANN", "secret"));
}

TEST_F(SoupClientTest, WritesOrdersHeartbeatAndLogout) {
  const Payload message = test::enter_message(1);
  EXPECT_EQ(written(client.order(room, message)), soup_packet('U', message));
  EXPECT_EQ(written(client.heartbeat(room)), soup_packet('R'));
  EXPECT_EQ(written(client.logout(room)), soup_packet('O'));
}

TEST_F(SoupClientTest, WritesNothingWhereThereIsNoRoom) {
  const std::span<std::uint8_t> little(room.data(), 2);
  EXPECT_EQ(client.login(std::span(room).first(48), 0), 0u);
  EXPECT_EQ(client.state(), SoupState::idle);
  EXPECT_EQ(client.order(std::span(room).first(10), test::enter_message(1)), 0u);
  EXPECT_EQ(client.heartbeat(little), 0u);
  EXPECT_EQ(client.logout(little), 0u);
}

TEST_F(SoupClientTest, CountsAnswersFromTheNumberThatTheLoginWasAnsweredWith) {
  log_in(41);
  EXPECT_EQ(client.session().text(), test::kOrderSession);
  take(joined({soup_packet('S', {1}), soup_packet('H'), soup_packet('S', {2, 3}), soup_packet('S')}));
  EXPECT_EQ(answers, (std::vector<std::pair<std::uint64_t, Payload>>{{41, {1}}, {42, {2, 3}}, {43, {}}}));
  EXPECT_EQ(client.next_answer(), 44u);
  EXPECT_EQ(client.counts().heartbeats, 1u);
}

TEST_F(SoupClientTest, ReadsTheSameHoweverTheStreamIsCut) {
  const Payload stream = joined({accepted(7), soup_packet('S', test::enter_message(1)), soup_packet('H'),
                                 soup_packet('+', {'w', 'o', 'r', 'd'}), soup_packet('S', Payload(600, 9)),
                                 soup_packet('S', {5}), soup_packet('Z')});
  for (std::size_t cut = 1; cut <= stream.size(); ++cut) {
    client = SoupClient("ANN", "secret");
    answers.clear();
    client.login(room, 0);
    for (std::size_t at = 0; at < stream.size(); at += cut) {
      const auto begin = stream.begin() + static_cast<std::ptrdiff_t>(at);
      take({begin, begin + static_cast<std::ptrdiff_t>(std::min(cut, stream.size() - at))});
    }
    ASSERT_EQ(client.state(), SoupState::ended) << cut;
    ASSERT_EQ(answers, (std::vector<std::pair<std::uint64_t, Payload>>{{7, test::enter_message(1)}, {9, {5}}})) << cut;
    ASSERT_EQ(client.remark(), "word");
    ASSERT_EQ(client.counts().heartbeats, 1u);
    ASSERT_EQ(client.counts().too_long, 1u) << "which has its number";
  }
}

TEST_F(SoupClientTest, GoesOnFromItsNumberOverAnotherConnection) {
  log_in(5);
  take(soup_packet('S', {1}));
  const Payload half = soup_packet('S', {2, 2, 2});
  take({half.begin(), half.begin() + 4});  // the connection is lost in the middle of it
  EXPECT_EQ(written(client.login(room, client.next_answer())),
            soup_packet('L', test::bytes(wire::soup::login_request("ANN", "secret", "", 6))));
  EXPECT_EQ(take(joined({accepted(6), half})), SoupState::logged_in);
  EXPECT_EQ(answers, (std::vector<std::pair<std::uint64_t, Payload>>{{5, {1}}, {6, {2, 2, 2}}}));
}

TEST_F(SoupClientTest, ARefusalHasItsLetterAndTheRemarkBeforeIt) {
  client.login(room, 0);
  EXPECT_EQ(take(joined({soup_packet('+', {'n', 'o'}), soup_packet('J', letter('A'))})), SoupState::refused);
  EXPECT_EQ(client.refusal(), 'A');
  EXPECT_EQ(client.remark(), "no");
  EXPECT_EQ(take(accepted(1)), SoupState::refused) << "it has had its answer";
  client.login(room, 0);
  EXPECT_EQ(client.refusal(), 0) << "another login, another answer";
}

// --- servers that do what they should not ----------------------------------------------------------------------------

TEST_F(SoupClientTest, ALengthOfZeroBreaksTheStream) {
  log_in();
  EXPECT_EQ(take({0, 0}), SoupState::broken);
  EXPECT_EQ(take(soup_packet('S', {1})), SoupState::broken);
  EXPECT_TRUE(answers.empty());
  log_in();  // over another connection
  EXPECT_EQ(take({0}), SoupState::logged_in);
  EXPECT_EQ(take({0}), SoupState::broken) << "in two parts";
}

TEST_F(SoupClientTest, TheLongestPacketIsReadOverAndTheNextFound) {
  log_in(3);
  for (const char type : {'S', '+', 'H', 'x', 'A'}) take(soup_packet(type, Payload(65'534, 'y')));
  take(soup_packet('S', {8}));
  EXPECT_EQ(answers, (std::vector<std::pair<std::uint64_t, Payload>>{{4, {8}}}));
  EXPECT_EQ(client.counts().too_long, 1u);
  EXPECT_EQ(client.counts().unknown, 1u);
  EXPECT_EQ(client.counts().unexpected, 1u);
  EXPECT_EQ(client.remark(), std::string(SoupClient::kMostRemark, 'y'));
}

TEST_F(SoupClientTest, UnknownTypesAreIgnoredAndCounted) {
  log_in();
  for (int type = 0; type < 256; ++type) {
    if (std::string_view("+AJSHZ").find(static_cast<char>(type)) != std::string_view::npos) continue;
    EXPECT_EQ(take(soup_packet(static_cast<char>(type), {1, 2, 3})), SoupState::logged_in);
  }
  EXPECT_EQ(client.counts().unknown, 250u);
  EXPECT_TRUE(answers.empty());
  EXPECT_EQ(client.next_answer(), 1u);
}

TEST_F(SoupClientTest, ASecondAcceptanceDoesNotMoveTheNumbers) {
  log_in(10);
  EXPECT_EQ(take(joined({accepted(900), soup_packet('S', {1})})), SoupState::logged_in);
  EXPECT_EQ(answers, (std::vector<std::pair<std::uint64_t, Payload>>{{10, {1}}}));
  EXPECT_EQ(client.counts().unexpected, 1u);
}

TEST_F(SoupClientTest, MessagesBeforeTheLoginIsAnsweredHaveNoNumber) {
  EXPECT_EQ(take(joined({soup_packet('S', {1}), accepted(1)})), SoupState::idle) << "it has not even asked";
  client.login(room, 0);
  EXPECT_EQ(take(joined({soup_packet('S', {1}), soup_packet('Z'), accepted(4), soup_packet('S', {2})})),
            SoupState::logged_in);
  EXPECT_EQ(answers, (std::vector<std::pair<std::uint64_t, Payload>>{{4, {2}}}));
  EXPECT_EQ(client.counts().unexpected, 4u);
}

TEST_F(SoupClientTest, AnAcceptanceWithoutANumberBreaksTheStream) {
  Payload no_digits = accepted(1);
  no_digits.back() = 'x';
  Payload one_short = soup_packet('A', Payload(29, '1'));
  Payload one_more = soup_packet('A', Payload(31, '1'));
  for (const Payload& answer : {no_digits, one_short, one_more, accepted(0), soup_packet('A')}) {
    client.login(room, 0);
    EXPECT_EQ(take(joined({answer, soup_packet('S', {1})})), SoupState::broken);
  }
  EXPECT_TRUE(answers.empty());
}

TEST_F(SoupClientTest, ARefusalOfWhoIsLoggedInIsIgnored) {
  log_in();
  EXPECT_EQ(take(soup_packet('J', letter('A'))), SoupState::logged_in);
  EXPECT_EQ(client.refusal(), 0);
  client.login(room, 0);
  EXPECT_EQ(take(soup_packet('J')), SoupState::refused);
  EXPECT_EQ(client.refusal(), '?') << "it gives no reason";
}

TEST_F(SoupClientTest, NothingIsTakenBehindTheEndOfTheSession) {
  log_in();
  EXPECT_EQ(take(joined({soup_packet('Z'), soup_packet('S', {1}), accepted(1)})), SoupState::ended);
  EXPECT_TRUE(answers.empty());
  EXPECT_EQ(client.counts().unexpected, 2u);
}

}  // namespace
}  // namespace crosswire::client
