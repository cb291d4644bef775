// What `crosswire top` asks of a socket behind which an appliance answers, or something else.
#include "app/top/ask.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "app/top/page.hpp"
#include "tests/app/top/top_rig.hpp"

namespace crosswire {
namespace {

using test::bare;
using test::command_of;
using test::expect_words;
using test::kAll;
using test::TelemetryServer;

std::string error_of(const std::string& path) {
  try {
    ask_top_figures(path);
  } catch (const std::runtime_error& error) {
    const std::string what = error.what();
    EXPECT_EQ(what.find('\n'), std::string::npos);
    EXPECT_EQ(what.find(path), 0u) << what;
    return what;
  }
  return "";
}

TEST(TopAsks, TakesMissingFiguresForZero) {
  const TelemetryServer server(bare);
  const TopFigures got = ask_top_figures(server.path());
  ASSERT_EQ(got.partitions.size(), 1u);
  expect_words(top_page(got, nullptr, kAll), {"partition a", "orders      0 (0/s)", "nothing"});
}

TEST(TopAsks, KeepsApartWhatTheApplianceDoesNotKnow) {
  const TelemetryServer server([](const std::string& question) {
    if (question != "/crosswire/drops,a") return bare(question);
    return std::string(R"({"/crosswire/drops":{"port/rx_missed":"not known","port/rx_errors":3}})");
  });
  const TopPartition got = ask_top_figures(server.path()).partitions.at(0);
  EXPECT_EQ(got.drops, (TopNumbers{{"port/rx_errors", 3}}));
  EXPECT_EQ(got.unknown_drops, std::vector<std::string>{"port/rx_missed"});
}

TEST(TopAsks, ShowsEveryPartition) {
  const TelemetryServer server([](const std::string& question) {
    if (question != "/crosswire/info") return bare(question);
    return std::string(R"({"/crosswire/info":{"version":"9","uptime_ms":1,"partitions":["a","b","c"]}})");
  });
  std::string raw;
  const std::string page = top_page(ask_top_figures(server.path(), &raw), nullptr, kAll);
  expect_words(page, {"partition a ", "partition b ", "partition c "});
  expect_words(raw, {R"("version":"9")", R"("a":{"totals":{})", R"("c":{"totals":{})"});
}

TEST(TopAsks, AsksOnUntilATableHasNoMoreRows) {
  const TelemetryServer server([](const std::string& question) {
    if (question == "/crosswire/sessions,a,0") {
      return std::string(R"({"/crosswire/sessions":{"user":["u","v"],"source":["s"],"bound":[1,0],"next_in":[7,8]}})");
    }
    if (question == "/crosswire/sessions,a,2") return std::string(R"({"/crosswire/sessions":{"user":["w"]}})");
    if (question == "/crosswire/books,a,0") {
      return std::string(R"({"/crosswire/books":{"symbol":["AAA"],"phase":["closed"],"bid_e4":[5],"volume":[9]}})");
    }
    return bare(question);
  });
  std::string raw;
  const TopFigures got = ask_top_figures(server.path(), &raw);
  expect_words(raw, {R"("sessions":{"user":["u","v","w"],)", R"("books":{"symbol":["AAA"],)"});
  const std::vector<TopSession>& sessions = got.partitions.at(0).sessions;
  ASSERT_EQ(sessions.size(), 3u);
  EXPECT_EQ(sessions[0].source, "s");
  EXPECT_EQ(sessions[1].source, "") << "a column that is too short";
  EXPECT_EQ(sessions[1].next_in, 8);
  EXPECT_EQ(sessions[2].user, "w");
  const std::vector<TopBook>& books = got.partitions.at(0).books;
  ASSERT_EQ(books.size(), 1u);
  EXPECT_EQ(books[0].phase, "closed");
  EXPECT_EQ(books[0].bid_e4, 5);
  EXPECT_EQ(books[0].volume, 9);
}

/// Lists in lists: as many as an answer has room for. Whoever goes down into them has no stack left.
std::string nested() { return std::string(32'000, '[') + std::string(32'000, ']'); }

TEST(TopAsks, ExplainsInOneLineWhoeverElseAnswers) {
  struct Case {
    const char* what;
    std::string answer;
  };
  const std::string deep(10'000, '[');
  const std::string info = "{\"/crosswire/info\":{\"version\":\"9\",\"partitions\":[\"a\"],\"uptime_ms\":";
  for (const Case& c :
       {Case{"not telemetry's JSON", info + nested() + "}}"},
        Case{"not telemetry's JSON", "{\"/crosswire/info\":" + nested() + "}"}, Case{"not telemetry's JSON", "garbage"},
        Case{"not telemetry's JSON", "[1,2]"}, Case{"not telemetry's JSON", deep},
        Case{"not telemetry's JSON", "{\"/crosswire/info\":"}, Case{"not telemetry's JSON", "\xff\xfe\x00"},
        Case{"gives no answer", "{\"/other\":1}"}, Case{"no partitions", "{\"/crosswire/info\":null}"},
        Case{"no partitions", "{\"/crosswire/info\":{\"partitions\":\"a\"}}"},
        Case{"no partitions", "{\"/crosswire/info\":{\"partitions\":[]}}"}, Case{"too long", std::string(100'000, ' ')},
        Case{"hung up", ""}}) {
    const TelemetryServer server([&c](const std::string&) { return c.answer; });
    EXPECT_NE(error_of(server.path()).find(c.what), std::string::npos) << c.what << ": " << error_of(server.path());
  }
  const TelemetryServer rude(bare, "no greeting");
  EXPECT_NE(error_of(rude.path()).find("not telemetry's JSON"), std::string::npos);
}

TEST(TopAsks, AsksForTheClockOfTheProcess) {
  const TelemetryServer server([](const std::string& question) {
    if (question != "/crosswire/clock") return bare(question);
    return std::string(R"({"/crosswire/clock":{"offset_ns":-7,"bound_ns":90,"unfollowed_ms":0,"synchronised":1}})");
  });
  std::string raw;
  const TopFigures got = ask_top_figures(server.path(), &raw);
  EXPECT_EQ(got.clock, (TopNumbers{{"offset_ns", -7}, {"bound_ns", 90}, {"unfollowed_ms", 0}, {"synchronised", 1}}));
  expect_words(raw, {R"("clock":{)", R"("offset_ns":-7)"});
  const TelemetryServer other([](const std::string& question) {
    return question == "/crosswire/clock" ? std::string("{\"/crosswire/clock\":[1]}") : bare(question);
  });
  EXPECT_NE(error_of(other.path()).find("/crosswire/clock is answered with something else"), std::string::npos);
}

TEST(TopAsks, SaysWhatTheApplianceSaysIsWrong) {
  const TelemetryServer server([](const std::string& question) {
    return command_of(question) == "/crosswire/rings" ? std::string(R"({"/crosswire/rings":{"error":"no partition"}})")
                                                      : bare(question);
  });
  EXPECT_NE(error_of(server.path()).find("/crosswire/rings is answered with: no partition"), std::string::npos);
}

TEST(TopAsks, ExplainsAnAnswerOfTheWrongShape) {
  const TelemetryServer server([](const std::string& question) {
    return command_of(question) == "/crosswire/stages" ? std::string("{\"/crosswire/stages\":[1,\"x\"]}")
                                                       : bare(question);
  });
  EXPECT_NE(error_of(server.path()).find("/crosswire/stages is answered with something else"), std::string::npos);
}

TEST(TopAsks, SaysNoToListsInListsAlsoWhereItPrintsThemAsTheyAre) {
  const TelemetryServer server([](const std::string& question) {
    return command_of(question) == "/crosswire/totals" ? "{\"/crosswire/totals\":{\"a\":" + nested() + "}}"
                                                       : bare(question);
  });
  std::string raw;
  EXPECT_THROW(ask_top_figures(server.path(), &raw), std::runtime_error);
}

TEST(TopAsks, ShowsNothingOfAServerThatATerminalWouldObey) {
  const TelemetryServer server([](const std::string& question) {
    if (question == "/crosswire/info") {
      return std::string(
          R"({"/crosswire/info":{"version":"\u001b[2J","uptime_ms":1e300,"partitions":["\u001b]0;x\u0007"]}})");
    }
    const std::string command = command_of(question);
    return "{\"" + command +
           R"(":{"order_session":"\u001b[31m","receive/x\n":5,"in_the_box/count":-1,"nested":{"a":1}}})";
  });
  const std::string page = top_page(ask_top_figures(server.path()), nullptr, kAll);
  for (const char letter : page) ASSERT_TRUE(letter == '\n' || (letter >= ' ' && letter <= '~')) << int{letter};
}

TEST(TopAsks, LeavesTheWaitToWhoAsks) {
  const TelemetryServer server(bare);
  struct Enough {};
  int waits = 0;
  const TopWait wait = [&](int fd, std::chrono::milliseconds limit) {
    if (++waits == 3) throw Enough();
    return wait_for_answer(fd, limit);
  };
  EXPECT_THROW(ask_top_figures(server.path(), nullptr, wait), Enough);
  EXPECT_EQ(waits, 3);
}

TEST(TopAsks, SaysThatNoAnswerCameInTime) {
  const TelemetryServer server(bare);
  try {
    ask_top_figures(server.path(), nullptr, [](int, std::chrono::milliseconds) { return 0; });
    FAIL() << "it was answered";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("no answer within 10 s"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace crosswire
