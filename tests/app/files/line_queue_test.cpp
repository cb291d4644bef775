// Lines for somebody who reads late, or never.
#include "app/files/line_queue.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <string>

namespace crosswire {
namespace {

using namespace std::chrono_literals;

constexpr auto kAmple = 60s;

/// A pipe of one page, which nobody reads until read_all().
class Unread {
 public:
  Unread() {
    EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0);
    EXPECT_GE(fcntl(ends_[1], F_SETPIPE_SZ, 4096), 4096);
  }
  int fd() const { return ends_[1]; }  // stays open: a thread may be in a write to it

  /// All until the line `last` has come.
  std::string read_until(const std::string& last) const {
    std::string text;
    char part[4096];
    while (text.find(last) == std::string::npos) {
      const ssize_t n = read(ends_[0], part, sizeof part);
      if (n <= 0) break;
      text.append(part, static_cast<std::size_t>(n));
    }
    return text;
  }

 private:
  int ends_[2] = {-1, -1};
};

std::string say_lost(std::uint64_t lost) { return fmt::format("{} lost\n", lost); }

TEST(LineQueue, WritesLinesInTheirOrder) {
  const Unread pipe;
  LineQueue queue(pipe.fd(), say_lost, [](int) {});
  for (int i = 0; i < 100; ++i) queue.put(fmt::format("{}\n", i));
  EXPECT_TRUE(queue.drain(kAmple));
  EXPECT_EQ(queue.lost(), 0u);
  EXPECT_EQ(pipe.read_until("99\n").substr(0, 8), "0\n1\n2\n3\n");
}

TEST(LineQueue, KeepsNobodyWaitingWhoseLinesNobodyReadsAndTellsAfterwardsHowManyAreLost) {
  const Unread pipe;
  LineQueue queue(pipe.fd(), say_lost, [](int) {});
  const std::string line = std::string(1'023, 'x') + "\n";
  constexpr std::uint64_t kLines = 4 * LineQueue::kMostBytes / 1'024;
  for (std::uint64_t i = 0; i < kLines; ++i) queue.put(line);  // a put that waited would never return
  const std::uint64_t lost = queue.lost();
  EXPECT_GE(lost, kLines - LineQueue::kMostBytes / 1'024 - 5);  // the pipe and the write under way have some
  EXPECT_LT(lost, kLines);
  EXPECT_FALSE(queue.drain(10ms));
  const std::string told = say_lost(lost);
  const std::string text = pipe.read_until(told);  // also where no other line follows
  EXPECT_EQ(text.size(), (kLines - lost) * line.size() + told.size());
  queue.put("goes on\n");
  EXPECT_EQ(pipe.read_until("goes on\n"), "goes on\n");
  EXPECT_TRUE(queue.drain(kAmple));
}

TEST(LineQueue, IsGoneAtOnceWhileAWriteDoesNotReturn) {
  const Unread pipe;
  {
    LineQueue queue(pipe.fd(), say_lost, [](int) {});
    queue.put(std::string(100'000, 'x') + "\n");
    EXPECT_FALSE(queue.drain(10ms));
  }
  SUCCEED();
}

TEST(LineQueue, SaysOnceThatNothingCanBeWrittenAndCountsWhatIsLost) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  std::atomic<int> complaints{0}, error{0};
  LineQueue queue(full, say_lost, [&](int reason) {
    ++complaints;
    error = reason;
  });
  for (int i = 0; i < 3; ++i) {
    queue.put("x\n");
    EXPECT_TRUE(queue.drain(kAmple));
  }
  EXPECT_EQ(complaints, 1);
  EXPECT_EQ(error, ENOSPC);
  EXPECT_EQ(queue.lost(), 3u);
}

}  // namespace
}  // namespace crosswire
