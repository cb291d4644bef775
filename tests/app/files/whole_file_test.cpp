// Output files that take their names when they are whole: what is left of them when a signal ends the process.
#include "app/files/whole_file.hpp"

#include <gtest/gtest.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/app/program.hpp"
#include "tests/folder.hpp"

namespace crosswire {
namespace {

using test::Folder;

/// The signal that ended a child which runs `act`; 0: none did.
template <class Act>
int signal_of(Act act) {
  const pid_t child = fork();
  if (child == 0) {
    act();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST(WholeFiles, LeaveNoPartWhereASignalEndsTheProcess) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const Folder folder;
    const auto act = [&] {
      std::signal(signal, SIG_DFL);  // under nohup one of them is ignored
      write_whole(folder.file("done"), "all of it");
      const WholeFile first(folder.file("a"));
      const WholeFile second(folder.file("b"));
      write_file(second.path(), "half");
      raise(signal);
    };
    EXPECT_EQ(signal_of(act), signal);
    EXPECT_TRUE(std::filesystem::exists(folder.file("done")));
    for (const char* const name : {"a", "a.part", "b", "b.part"}) {
      EXPECT_FALSE(std::filesystem::exists(folder.file(name))) << name << ", signal " << signal;
    }
  }
}

TEST(WholeFiles, LeaveASignalAloneThatIsIgnoredOrHasAHandler) {
  const Folder folder;
  const auto ignores = [&] {
    std::signal(SIGHUP, SIG_IGN);  // as nohup does
    WholeFile file(folder.file("a"));
    raise(SIGHUP);
    write_file(file.path(), "all of it");
    file.commit();
  };
  EXPECT_EQ(signal_of(ignores), 0);
  EXPECT_TRUE(std::filesystem::exists(folder.file("a")));
}

/// The program with these arguments, which write folder/out; ended by `signal` once it has begun to.
void expect_no_part(const Folder& folder, const std::vector<std::string>& arguments, int signal) {
  const pid_t child = fork();
  if (child == 0) {
    std::vector<char*> words;
    for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    if (std::freopen("/dev/null", "w", stdout) != nullptr && std::freopen("/dev/null", "w", stderr) != nullptr) {
      execv(words[0], words.data());
    }
    _exit(127);
  }
  for (int i = 0; i < 3'000 && !std::filesystem::exists(folder.file("out.part")); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(std::filesystem::exists(folder.file("out.part")));
  kill(child, signal);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << status;
  EXPECT_FALSE(std::filesystem::exists(folder.file("out.part")));
  EXPECT_FALSE(std::filesystem::exists(folder.file("out")));
}

TEST(WholeFiles, OfFlowAndReplayLeaveNoPartWhereTheyAreInterrupted) {
  const std::string program = test::program();
  if (program.empty()) GTEST_SKIP() << "CROSSWIRE does not name the program: run it by meson test";
  const Folder folder;
  const std::string out = folder.file("out");
  expect_no_part(folder, {program, "flow", "--synthetic", "--orders-count", "10000000", "--out", out}, SIGINT);
  const std::string in = folder.file("in.pcap"), config = folder.file("c.toml");
  const test::Ran made =
      test::shell(program + " flow --synthetic --orders-count 1000000 --out " + in + " --config-out " + config);
  ASSERT_EQ(made.status, 0) << made.output;
  expect_no_part(folder, {program, "replay", "--config", config, "--in", in, "--out", out}, SIGTERM);
}

}  // namespace
}  // namespace crosswire
