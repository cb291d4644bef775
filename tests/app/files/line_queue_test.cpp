// Lines for somebody who reads late, or never.
#include "app/files/line_queue.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string>

namespace crosswire {
namespace {

using namespace std::chrono_literals;

constexpr auto kAmple = 60s;

/// A pipe of one page, which nobody reads until read_line().
class Unread {
 public:
  Unread() {
    EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0);
    EXPECT_GE(fcntl(ends_[1], F_SETPIPE_SZ, 4096), 4096);
  }
  int fd() const { return ends_[1]; }  // stays open: a thread may be in a write to it

  /// The next line, without its newline. Fails after an ample time without one.
  std::string read_line() {
    while (true) {
      if (const std::size_t end = text_.find('\n', taken_); end != std::string::npos) {
        std::string line = text_.substr(taken_, end - taken_);
        taken_ = end + 1;
        return line;
      }
      pollfd readable{.fd = ends_[0], .events = POLLIN, .revents = 0};
      char part[4096];
      const ssize_t n = poll(&readable, 1, kAmple / 1ms) == 1 ? read(ends_[0], part, sizeof part) : -1;
      if (n <= 0) throw std::runtime_error("no line came: " + text_.substr(taken_, 80));
      text_.append(part, static_cast<std::size_t>(n));
    }
  }

 private:
  int ends_[2] = {-1, -1};
  std::string text_;
  std::size_t taken_ = 0;
};

std::string say_lost(std::uint64_t lost) { return fmt::format("{} lost\n", lost); }

TEST(LineQueue, WritesLinesInTheirOrder) {
  Unread pipe;
  LineQueue queue(pipe.fd(), say_lost, [](int) {});
  for (int i = 0; i < 100; ++i) queue.put(fmt::format("{}\n", i));
  EXPECT_TRUE(queue.drain(kAmple));
  EXPECT_EQ(queue.lost(), 0u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(pipe.read_line(), fmt::format("{}", i));
}

TEST(LineQueue, KeepsNobodyWaitingWhoseLinesNobodyReadsAndTellsAfterwardsHowManyAreLost) {
  Unread pipe;
  LineQueue queue(pipe.fd(), say_lost, [](int) {});
  const std::string line = std::string(1'023, 'x') + "\n";
  constexpr std::uint64_t kLines = 4 * LineQueue::kMostBytes / 1'024;
  for (std::uint64_t i = 0; i < kLines; ++i) queue.put(line);  // a put that waited would never return
  const std::uint64_t lost = queue.lost();
  EXPECT_GE(lost, kLines - LineQueue::kMostBytes / 1'024 - 5);  // the pipe and the write under way have some
  EXPECT_LT(lost, kLines);
  EXPECT_FALSE(queue.drain(10ms));
  // Told in one line or in several: the queue's thread may have made room for a line between two that were lost. It
  // tells also where no other line follows.
  std::uint64_t written = 0;
  for (std::uint64_t told = 0; told < lost;) {
    const std::string next = pipe.read_line();
    if (next.size() + 1 == line.size()) {
      ++written;
    } else {
      told += std::stoull(next);
      EXPECT_LE(told, lost);
    }
  }
  EXPECT_EQ(written, kLines - lost);
  queue.put("goes on\n");
  EXPECT_EQ(pipe.read_line(), "goes on");
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
