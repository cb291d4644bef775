// What a client writes and what it makes of the exchange's answers.
#include "netstack/client/order_client.hpp"

#include <gtest/gtest.h>

#include <array>

#include "tests/netstack/client_frames.hpp"

namespace crosswire::client {
namespace {

using test::Payload;
namespace ouch = wire::ouch;

class OrderClientTest : public ::testing::Test {
 protected:
  Payload written(std::size_t size) const { return {room.begin(), room.begin() + static_cast<std::ptrdiff_t>(size)}; }
  Answer take(const Payload& bytes) {
    return client.take(bytes, [this](std::uint64_t number, wire::Bytes message) {
      numbers.push_back(number);
      messages.emplace_back(message.begin(), message.end());
    });
  }
  Payload accepted(std::uint64_t next) const {
    return test::soup_packet('A', test::bytes(wire::soup::login_accepted(test::kOrderSession, next)));
  }
  void log_in(std::uint64_t next = 1) {
    client.login(room);
    ASSERT_EQ(take(accepted(next)), Answer::logged_in);
  }

  std::array<std::uint8_t, 1472> room{};
  OrderClient client{"ANN", "secret"};
  std::vector<std::uint64_t> numbers;
  std::vector<Payload> messages;
};

TEST_F(OrderClientTest, WritesTheLoginThatTheSpecificationAsksFor) {
  EXPECT_EQ(written(client.login(room)), test::login_packet("ANN", "secret"));
  EXPECT_FALSE(client.logged_in());
}

TEST_F(OrderClientTest, WritesHeartbeatAndLogout) {
  EXPECT_EQ(written(client.heartbeat(room)), test::soup_packet('R'));
  EXPECT_EQ(written(client.logout(room)), test::soup_packet('O'));
}

TEST_F(OrderClientTest, NumbersItsOwnMessagesFromOneAtEachLogin) {
  log_in();
  client.begin(room);
  EXPECT_TRUE(client.add(test::enter_fields(1)));
  EXPECT_TRUE(client.add(ouch::CancelOrder{.user_ref_num = 1u, .quantity = 0u}));
  EXPECT_EQ(written(client.finish()), test::mold_packet(1, {test::enter_message(1), test::cancel_message(1)}));
  client.begin(room);
  client.add(ouch::AccountQuery{});
  EXPECT_EQ(written(client.finish()), test::mold_packet(3, {test::query_message()}));
  log_in();
  client.begin(room);
  client.add(ouch::AccountQuery{});
  EXPECT_EQ(written(client.finish()), test::mold_packet(1, {test::query_message()}));
}

TEST_F(OrderClientTest, WritesOptionsOnlyWhereThereAreAny) {
  log_in();
  client.begin(room);
  client.add(test::enter_fields(1), [](ouch::OptionWriter& options) { options.put<ouch::Tag::min_qty>(50u); });
  client.add(ouch::CancelOrder{.user_ref_num = 1u, .quantity = 0u},
             [](ouch::OptionWriter& options) { options.put<ouch::Tag::user_ref_idx>(std::uint8_t{9}); });
  const Payload min_quantity = test::option(ouch::Tag::min_qty, {0, 0, 0, 50});
  const Payload channel = test::option(ouch::Tag::user_ref_idx, {9});
  EXPECT_EQ(written(client.finish()), test::mold_packet(1, {test::enter_message(1, min_quantity),
                                                            test::with_options(test::cancel_message(1), channel)}));
}

TEST_F(OrderClientTest, ASecondAnswerToTheSameLoginDoesNotBeginTheNumbersAnew) {
  log_in();
  client.begin(room);
  client.add(ouch::AccountQuery{});
  client.finish();
  EXPECT_EQ(take(accepted(1)), Answer::logged_in);
  client.begin(room);
  client.add(ouch::AccountQuery{});
  EXPECT_EQ(written(client.finish()), test::mold_packet(2, {test::query_message()}));
}

TEST_F(OrderClientTest, AsksForTheAnswersFromBeforeItsLogin) {
  EXPECT_EQ(client.request(room), 0u);
  log_in(5);
  EXPECT_EQ(client.missing(), 4u);
  EXPECT_EQ(written(client.request(room)), test::mold_header(test::kOrderSession, 1, 4));
  EXPECT_EQ(take(test::mold_packet(1, {{'a'}, {'b'}, {'c'}, {'d'}})), Answer::data);
  EXPECT_EQ(numbers, (std::vector<std::uint64_t>{1, 2, 3, 4}));
  EXPECT_EQ(client.request(room), 0u);
}

TEST_F(OrderClientTest, GoesOnWhereItWasAfterASecondLogin) {
  log_in();
  take(test::mold_packet(1, {{'a'}, {'b'}}));
  log_in(4);
  EXPECT_EQ(written(client.request(room)), test::mold_header(test::kOrderSession, 3, 1));
}

TEST_F(OrderClientTest, SaysWhyALoginWasRefused) {
  client.login(room);
  EXPECT_EQ(take(test::soup_packet('J', {'S'})), Answer::login_refused);
  EXPECT_EQ(client.refusal(), 'S');
  EXPECT_FALSE(client.logged_in());
}

TEST_F(OrderClientTest, HearsThatItHasNoSessionAndWhyAndLogsInAgain) {
  log_in();
  EXPECT_EQ(client.remark(), "");
  EXPECT_EQ(take(test::soup_packet('+', {'s', 'i', 'l', 'e', 'n', 't'})), Answer::remark);
  EXPECT_EQ(client.remark(), "silent");
  EXPECT_TRUE(client.logged_in()) << "a remark is for people";
  EXPECT_EQ(take(test::soup_packet('J', {'S'})), Answer::no_session);
  EXPECT_FALSE(client.logged_in());
  log_in(4);
  EXPECT_TRUE(client.logged_in());
  EXPECT_EQ(client.missing(), 3u) << "its stream goes on where it was";
}

TEST_F(OrderClientTest, CutsARemarkThatIsTooLong) {
  take(test::soup_packet('+', Payload(100, 'x')));
  EXPECT_EQ(client.remark(), std::string(32, 'x'));
}

TEST_F(OrderClientTest, MakesNothingOfWhatNoExchangeSends) {
  EXPECT_EQ(take(test::mold_packet(1, {{'a'}})), Answer::foreign) << "not logged in";
  log_in();
  EXPECT_EQ(take({}), Answer::malformed);
  EXPECT_EQ(take({0}), Answer::malformed);
  EXPECT_EQ(take(test::soup_packet('L')), Answer::malformed);
  EXPECT_EQ(take(test::soup_packet('A', {'x'})), Answer::malformed);
  EXPECT_EQ(take(test::soup_packet('J')), Answer::malformed);
  EXPECT_EQ(take(test::mold_packet(1, {{'a'}}, "OTHER00000")), Answer::foreign);
  EXPECT_TRUE(numbers.empty());
}

TEST_F(OrderClientTest, StopsAddingWhereTheDatagramIsFull) {
  log_in();
  client.begin(std::span(room).first(100));
  EXPECT_TRUE(client.add(test::enter_fields(1)));
  EXPECT_FALSE(client.add(test::enter_fields(2)));
  EXPECT_EQ(written(client.finish()), test::mold_packet(1, {test::enter_message(1)}));
}

}  // namespace
}  // namespace crosswire::client
