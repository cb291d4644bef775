// Figures for others: questions that are passed on to the telemetry socket, and what of an answer is passed back.
#include "app/ctl/figure_relay.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/app/top/top_rig.hpp"
#include "tests/folder.hpp"

namespace crosswire {
namespace {

using namespace std::chrono_literals;
using test::TelemetryServer;

class FigureRelayTest : public ::testing::Test {
 protected:
  /// Looks until so many answers have come; the other end is a thread.
  std::vector<FigureRelay::Answer> answers(FigureRelay& relay, std::size_t n) {
    std::vector<FigureRelay::Answer> all;
    while (all.size() < n) {
      for (FigureRelay::Answer& one : relay.look(now_)) all.push_back(std::move(one));
      pollfd polled{relay.fd(), POLLIN, 0};
      if (all.size() < n && poll(&polled, 1, 10'000) != 1) break;
    }
    return all;
  }

  FigureRelay::Clock::time_point now_{1h};
};

TEST_F(FigureRelayTest, AsksOneAfterTheOtherByOneConnection) {
  const TelemetryServer server([](const std::string& question) { return "{\"" + question + "\":\n{}}"; });
  FigureRelay relay(server.path());
  EXPECT_EQ(relay.fd(), -1);
  const auto first = relay.ask("/crosswire/a"), second = relay.ask("/crosswire/b");
  const auto all = answers(relay, 2);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].ticket, first);
  EXPECT_EQ(all[0].json, "{\"/crosswire/a\": {}}") << "an answer is one line";
  EXPECT_EQ(all[1].ticket, second);
  EXPECT_EQ(relay.fd(), -1) << "nothing is under way";
}

TEST_F(FigureRelayTest, GivesNoAnswerWhereNobodyListens) {
  for (const char* const path : {"", "/tmp/crosswire-no-such-socket"}) {
    FigureRelay relay(path);
    ASSERT_TRUE(relay.ask("/crosswire/a"));
    const auto all = relay.look(now_);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].json, "");
  }
}

TEST_F(FigureRelayTest, GivesUpWhatIsNotAnsweredAndAsksTheNextAnew) {
  int asked = 0;
  const TelemetryServer server(
      [&asked](const std::string& question) {
        return ++asked == 1 ? "" : "{\"" + question + "\":{}}";  // it hangs up once
      },
      "{}", 2);
  FigureRelay relay(server.path());
  relay.ask("/crosswire/a");
  relay.ask("/crosswire/b");
  const auto all = answers(relay, 2);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].json, "");
  EXPECT_EQ(all[1].json, "{\"/crosswire/b\":{}}");
}

TEST_F(FigureRelayTest, WaitsNoLongerThanItsPatience) {
  // Somebody listens, and takes nobody in.
  const test::Folder folder;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  folder.file("s").copy(address.sun_path, sizeof address.sun_path - 1);
  const int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  FigureRelay relay(folder.file("s"));
  relay.ask("/crosswire/a");
  relay.ask("/crosswire/b");
  EXPECT_TRUE(relay.look(now_).empty());
  EXPECT_GE(relay.fd(), 0);
  now_ += FigureRelay::kPatience;
  const auto all = relay.look(now_);
  ASSERT_EQ(all.size(), 2u) << "nobody waits behind the one";
  EXPECT_EQ(all[0].json, "");
  EXPECT_EQ(all[1].json, "");
  close(listener);
}

TEST_F(FigureRelayTest, TakesNoMoreQuestionsThanItCanKeep) {
  FigureRelay relay("");
  for (std::size_t i = 0; i < FigureRelay::kMostAsked; ++i) EXPECT_TRUE(relay.ask("/crosswire/a"));
  EXPECT_FALSE(relay.ask("/crosswire/a"));
  EXPECT_EQ(relay.look(now_).size(), FigureRelay::kMostAsked);
  EXPECT_TRUE(relay.ask("/crosswire/a"));
}

TEST(RowsOfUsers, KeepsTheirRowsAlone) {
  const std::string table = R"({"/crosswire/accounts":{"next":64,"user":["ann","bob","amy"],"killed":[1,2,3]}})";
  EXPECT_EQ(rows_of_users(table, {"ann", "amy"}),
            R"({"/crosswire/accounts":{"next":64,"user":["ann","amy"],"killed":[1,3]}})");
  EXPECT_EQ(rows_of_users(table, {"eve"}), R"({"/crosswire/accounts":{"next":64,"user":[],"killed":[]}})");
  EXPECT_EQ(rows_of_users(R"({"/crosswire/accounts":{"next":0}})", {"ann"}), R"({"/crosswire/accounts":{"next":0}})");
  EXPECT_EQ(rows_of_users(R"({"/crosswire/accounts":{"error":"no"}})", {"ann"}),
            R"({"/crosswire/accounts":{"error":"no"}})");
}

TEST(RowsOfUsers, PassesNothingOnThatItCannotTellApart) {
  for (const char* const answer :
       {"", "x", "[]", "{}", "null", R"({"a":1,"b":2})", R"({"a":[1]})", R"({"a":{"user":["ann"],"killed":[1,2]}})",
        R"({"a":{"killed":[1]}})", R"({"a":{"user":"ann","killed":[1]}})"}) {
    EXPECT_EQ(rows_of_users(answer, {"ann"}), "") << answer;
  }
  EXPECT_EQ(rows_of_users(R"({"a":{"user":[5],"killed":[1]}})", {"ann"}), R"({"a":{"user":[],"killed":[]}})");
}

TEST(PhasesIn, AreThoseOfOneSymbolOrOfAll) {
  EXPECT_EQ(phases_in(R"({"/crosswire/book":{"phase":"continuous"}})"), std::vector<std::string>{"continuous"});
  EXPECT_EQ(phases_in(R"({"/crosswire/totals":{"phase":"continuous 7, halted 1"}})"),
            (std::vector<std::string>{"continuous", "halted"}));
  for (const char* const answer :
       {"", "{}", R"({"a":{}})", R"({"a":{"error":"no"}})", R"({"a":{"phase":5}})", "[[[]]]"}) {
    EXPECT_TRUE(phases_in(answer).empty()) << answer;
  }
  EXPECT_EQ(phases_in(R"({"a":{"phase":""}})"), std::vector<std::string>{""}) << "no phase's name";
}

}  // namespace
}  // namespace crosswire
