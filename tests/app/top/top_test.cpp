// `crosswire top` as its user meets it: the program in a terminal, and its words where nobody answers.
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/app/program.hpp"
#include "tests/app/top/top_rig.hpp"

namespace crosswire {
namespace {

TEST(Top, EndsAtASignalAlsoWhileItWaitsForAnAnswer) {
  const std::string program = test::program();
  if (program.empty()) GTEST_SKIP() << "CROSSWIRE does not name the program: run it by meson test";
  std::atomic<int> asked{0};
  std::atomic<bool> over{false};
  const test::TelemetryServer server(
      [&](const std::string& question) {
        // From the second page on there is no answer: who waits for one out of his patience ends with status 1.
        asked += question == "/crosswire/info";
        while (asked > 1 && !over) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        return test::bare(question);
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
