// `crosswire top`: its page from figures, and what it says to a socket behind which something else answers. Servers are
// threads on sockets of this process's own.
#include "app/top/top.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/app/program.hpp"

namespace crosswire {
namespace {

constexpr TopSize kAll{1'000, 1'000};

TopFigures figures(std::int64_t uptime_ms, std::int64_t orders) {
  TopPartition day;
  day.name = "day";
  day.totals = {{"orders", orders}, {"executions", orders / 2}, {"memory_hugepages", 1}};
  day.stages = {{"match/core", 3},       {"match/polls", 1'000 * uptime_ms},     {"match/working_polls", orders / 4},
                {"match/items", orders}, {"match/busy_ns", 500'000 * uptime_ms}, {"publish/core", -1}};
  day.rings = {{"commands/match/waiting", 7}, {"commands/match/most_waiting", 90}, {"commands/match/capacity", 4'096}};
  day.drops = {{"receive/ip_checksum", orders / 100}, {"receive/ip_short", 0}};
  day.latency = {{"in_the_box/count", orders}, {"in_the_box/p50", 480}, {"in_the_box/p99", 900}};
  day.box = {{"511", 9 * orders / 10}, {"1023", orders / 10}};
  return {"1.2.3", uptime_ms, {day}};
}

std::string line_with(const std::string& page, const std::string& what) {
  const std::size_t at = page.find(what);
  if (at == std::string::npos) return "";
  const std::size_t begin = page.rfind('\n', at) + 1;
  return page.substr(begin, page.find('\n', at) - begin);
}

void expect_words(const std::string& line, const std::vector<std::string>& words) {
  for (const std::string& word : words) EXPECT_NE(line.find(word), std::string::npos) << word << " in: " << line;
}

TEST(Top, ShowsRatesSinceTheStartOnItsFirstPage) {
  const std::string page = top_page(figures(2'000, 1'000), nullptr, kAll);
  expect_words(line_with(page, "crosswire 1.2.3"), {"0:00:02", "since the start"});
  expect_words(line_with(page, "orders      "), {"1000 (500/s)", "executions 500 (250/s)"});
  expect_words(line_with(page, "match "), {" 3 ", "50.0 %", "1000000", "500", "4.0", "7 of 4096, most 90"});
  expect_words(line_with(page, "publish "), {"any"});
  expect_words(line_with(page, "dropped"), {"receive/ip_checksum", "10"});
  EXPECT_EQ(page.find("ip_short"), std::string::npos) << "a drop that did not happen";
  expect_words(line_with(page, "noticed"), {"nothing"});
}

TEST(Top, ShowsRatesAndPercentilesSinceThePageBefore) {
  TopFigures before = figures(2'000, 1'000);
  TopFigures now = figures(4'000, 1'100);
  // Of the hundred since, half are slow; of all eleven hundred only a few.
  now.partitions[0].box = {{"511", 950}, {"1023", 100}, {"2047", 50}};
  const std::string page = top_page(now, &before, kAll);
  expect_words(line_with(page, "crosswire 1.2.3"), {"of the last 2.0 s"});
  expect_words(line_with(page, "orders      "), {"1100 (50/s)"});
  expect_words(line_with(page, "in the box"), {"1100", "480", "900"});
  expect_words(line_with(page, "since last"), {"100", "511", "2047"});
  expect_words(line_with(page, "dropped"), {"11", "0/s"});
}

TEST(Top, BeginsAnewWhenTheApplianceWasStartedAnew) {
  const TopFigures before = figures(60'000, 50'000);
  const std::string page = top_page(figures(1'000, 10), &before, kAll);
  expect_words(line_with(page, "crosswire 1.2.3"), {"since the start"});
  expect_words(line_with(page, "orders      "), {"10 (10/s)"});
}

TEST(Top, KeepsToTheSizeOfTheTerminal) {
  const std::string page = top_page(figures(2'000, 1'000), nullptr, {5, 20});
  EXPECT_EQ(std::count(page.begin(), page.end(), '\n'), 5);
  for (std::size_t at = 0; at < page.size();) {
    const std::size_t end = page.find('\n', at);
    EXPECT_LE(end - at, 20u);
    at = end + 1;
  }
  EXPECT_EQ(top_page(figures(2'000, 1'000), nullptr, {0, 0}), "");
}

// ---- Whoever answers ------------------------------------------------------------------------------------------------

/// Listens on a socket for some clients, one after the other, and gives each question to `answer`, which returns what
/// to send; "" hangs up.
class Server {
 public:
  explicit Server(std::function<std::string(const std::string&)> answer, std::string greeting = "{\"version\":\"x\"}",
                  int clients = 1) {
    std::string name = (std::filesystem::temp_directory_path() / "crosswire-top-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    path_ = folder_ / "s";
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    path_.string().copy(place.sun_path, sizeof place.sun_path - 1);
    listener_ = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    thread_ = std::thread([this, answer = std::move(answer), greeting = std::move(greeting), clients] {
      for (int i = 0; i < clients; ++i) {
        const int client = accept(listener_, nullptr, nullptr);
        if (client < 0) return;
        send(client, greeting.data(), greeting.size(), MSG_NOSIGNAL);
        char question[256];
        for (ssize_t n = 0; (n = recv(client, question, sizeof question, 0)) > 0;) {
          const std::string said = answer(std::string(question, static_cast<std::size_t>(n)));
          if (said.empty() || send(client, said.data(), said.size(), MSG_NOSIGNAL) < 0) break;
        }
        close(client);
      }
    });
  }
  ~Server() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
    std::filesystem::remove_all(folder_);
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path folder_, path_;
  int listener_ = -1;
  std::thread thread_;
};

std::string command_of(const std::string& question) { return question.substr(0, question.find(',')); }

/// As an appliance without any figures.
std::string bare(const std::string& question) {
  if (question == "/crosswire/info") return R"({"/crosswire/info":{"version":"9","uptime_ms":1,"partitions":["a"]}})";
  return "{\"" + command_of(question) + "\":{}}";
}

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

TEST(Top, TakesMissingFiguresForZero) {
  const Server server(bare);
  const TopFigures got = ask_top_figures(server.path());
  ASSERT_EQ(got.partitions.size(), 1u);
  expect_words(top_page(got, nullptr, kAll), {"partition a", "orders      0 (0/s)", "nothing"});
}

TEST(Top, ShowsEveryPartition) {
  const Server server([](const std::string& question) {
    if (question != "/crosswire/info") return bare(question);
    return std::string(R"({"/crosswire/info":{"version":"9","uptime_ms":1,"partitions":["a","b","c"]}})");
  });
  std::string raw;
  const std::string page = top_page(ask_top_figures(server.path(), &raw), nullptr, kAll);
  expect_words(page, {"partition a ", "partition b ", "partition c "});
  expect_words(raw, {R"("version":"9")", R"("a":{"totals":{})", R"("c":{"totals":{})"});
}

/// Lists in lists: as many as an answer has room for. Whoever goes down into them has no stack left.
std::string nested() { return std::string(32'000, '[') + std::string(32'000, ']'); }

TEST(Top, ExplainsInOneLineWhoeverElseAnswers) {
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
    const Server server([&c](const std::string&) { return c.answer; });
    EXPECT_NE(error_of(server.path()).find(c.what), std::string::npos) << c.what << ": " << error_of(server.path());
  }
  const Server rude(bare, "no greeting");
  EXPECT_NE(error_of(rude.path()).find("not telemetry's JSON"), std::string::npos);
}

TEST(Top, ExplainsAnAnswerOfTheWrongShape) {
  const Server server([](const std::string& question) {
    return command_of(question) == "/crosswire/stages" ? std::string("{\"/crosswire/stages\":[1,\"x\"]}")
                                                       : bare(question);
  });
  EXPECT_NE(error_of(server.path()).find("/crosswire/stages is answered with something else"), std::string::npos);
}

TEST(Top, SaysNoToListsInListsAlsoWhereItPrintsThemAsTheyAre) {
  const Server server([](const std::string& question) {
    return command_of(question) == "/crosswire/totals" ? "{\"/crosswire/totals\":{\"a\":" + nested() + "}}"
                                                       : bare(question);
  });
  std::string raw;
  EXPECT_THROW(ask_top_figures(server.path(), &raw), std::runtime_error);
}

TEST(Top, EndsAtASignalAlsoWhileItWaitsForAnAnswer) {
  const std::string program = test::program();
  if (program.empty()) GTEST_SKIP() << "CROSSWIRE does not name the program: run it by meson test";
  std::atomic<int> asked{0};
  std::atomic<bool> over{false};
  const Server server(
      [&](const std::string& question) {
        // From the second page on there is no answer: who waits for one out of his patience ends with status 1.
        asked += question == "/crosswire/info";
        while (asked > 1 && !over) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        return bare(question);
      },
      "{\"version\":\"x\"}", 2);
  int terminal = -1;
  const pid_t top = forkpty(&terminal, nullptr, nullptr, nullptr);
  ASSERT_GE(top, 0);
  if (top == 0) {
    execl(program.c_str(), program.c_str(), "top", "--socket", server.path().c_str(), "--interval", "0.1", nullptr);
    _exit(127);
  }
  char page[4096];
  for (int i = 0; asked < 2 && i < 6'000; ++i) {
    pollfd shown{terminal, POLLIN, 0};
    if (poll(&shown, 1, 10) > 0 && read(terminal, page, sizeof page) <= 0) break;
  }
  EXPECT_EQ(asked, 2);
  kill(top, SIGTERM);
  int status = -1;
  for (int i = 0; i < 6'000 && waitpid(top, &status, WNOHANG) == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
  over = true;
  kill(top, SIGKILL);
  waitpid(top, nullptr, 0);
  close(terminal);
}

TEST(Top, ShowsNothingOfAServerThatATerminalWouldObey) {
  const Server server([](const std::string& question) {
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

TEST(Top, ExplainsInOneLineThatNobodyIsThere) {
  const std::string program = test::program();
  if (program.empty()) GTEST_SKIP() << "CROSSWIRE does not name the program: run it by meson test";
  const std::string too_long(200, 'x');
  for (const std::string& arguments : std::vector<std::string>{"--socket /nowhere/s", "--prefix nobody-is-here --once",
                                                               "--socket /dev/null --json", "--socket " + too_long}) {
    const test::Ran ran = test::shell(program + " top " + arguments);
    EXPECT_EQ(ran.status, 1) << ran.output;
    EXPECT_EQ(std::count(ran.output.begin(), ran.output.end(), '\n'), 1) << ran.output;
    EXPECT_EQ(ran.output.find("crosswire top: "), 0u) << ran.output;
  }
  EXPECT_EQ(test::shell(program + " top --interval 0").status, 2);
  EXPECT_EQ(test::shell(program + " top --prefix ''").status, 2);
}

}  // namespace
}  // namespace crosswire
