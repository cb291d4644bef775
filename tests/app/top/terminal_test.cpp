// The terminal of `crosswire top`: a child of this process at the far end of a pseudo terminal.
#include "app/top/terminal.hpp"

#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace crosswire {
namespace {

constexpr std::string_view kEntered = "\033[?1049h", kLeft = "\033[?1049l";

/// A child with a terminal of 30 lines of 100, which shows "ready" there and ends with what `body` returns.
class InATerminal {
 public:
  explicit InATerminal(const std::function<int()>& body) {
    winsize size{.ws_row = 30, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
    std::fflush(stdout);  // or the child says it again
    child_ = forkpty(&terminal_, nullptr, nullptr, &size);
    if (child_ == 0) {
      int status = 99;
      {
        const Screen screen;
        Screen::show("ready\n");
        status = body();
      }
      _exit(status);
    }
    EXPECT_GT(child_, 0);
    read_until("ready");
  }
  ~InATerminal() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    close(terminal_);
  }
  InATerminal(const InATerminal&) = delete;
  InATerminal& operator=(const InATerminal&) = delete;

  void type(char letter) const { EXPECT_EQ(write(terminal_, &letter, 1), 1); }
  void signal(int number) const { kill(child_, number); }
  void resize(unsigned short rows) const {
    winsize size{.ws_row = rows, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(ioctl(terminal_, TIOCSWINSZ, &size), 0);
  }
  bool has_ended() const {
    siginfo_t ended{};
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return waitid(P_PID, static_cast<id_t>(child_), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid != 0;
  }
  /// The exit status, when all it wrote has been read.
  int end() {
    read_until("\n there is no such line");
    int status = -1;
    EXPECT_EQ(waitpid(child_, &status, 0), child_);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  const std::string& shown() const { return shown_; }

 private:
  void read_until(std::string_view words) {
    char text[256];
    while (shown_.find(words) == std::string::npos) {
      const ssize_t n = read(terminal_, text, sizeof text);
      if (n <= 0) return;  // its end is closed
      shown_.append(text, static_cast<std::size_t>(n));
    }
  }

  int terminal_ = -1;
  pid_t child_ = -1;
  std::string shown_;
};

TopKey next_key() { return wait_for_key(std::chrono::steady_clock::now() + std::chrono::seconds(60)); }

TEST(Terminal, TakesAKeyWithoutALineAndGivesTheScreenBack) {
  InATerminal terminal([] { return static_cast<int>(next_key()); });
  terminal.type('x');
  EXPECT_EQ(terminal.end(), static_cast<int>(TopKey::other));
  EXPECT_EQ(terminal.shown().find('x'), std::string::npos) << "the key was shown";
  EXPECT_LT(terminal.shown().find(kEntered), terminal.shown().find(kLeft));
  EXPECT_NE(terminal.shown().find(kLeft), std::string::npos);
}

TEST(Terminal, KnowsTheWishToQuit) {
  for (const char letter : {'q', 'Q'}) {
    InATerminal terminal([] { return static_cast<int>(next_key()); });
    terminal.type(letter);
    EXPECT_EQ(terminal.end(), static_cast<int>(TopKey::quit));
  }
}

TEST(Terminal, TellsItsSize) {
  InATerminal terminal([] { return Screen::size().rows == 30 && Screen::size().columns == 100 ? 0 : 1; });
  EXPECT_EQ(terminal.end(), 0);
}

TEST(Terminal, EndsAWaitWhenItHasANewSize) {
  InATerminal terminal([] { return next_key() == TopKey::resized && Screen::size().rows == 40 ? 0 : 1; });
  terminal.resize(40);
  // Again and again: the one of the kernel may have come before the wait.
  while (!terminal.has_ended()) terminal.signal(SIGWINCH);
  EXPECT_EQ(terminal.end(), 0);
}

TEST(Terminal, EndsAWaitByASignalAlsoWhereItCameBefore) {
  for (const int number : {SIGINT, SIGTERM}) {
    InATerminal terminal([number] {
      raise(number);
      try {
        next_key();
      } catch (const TopEnded&) {
        return 0;
      }
      return 1;
    });
    EXPECT_EQ(terminal.end(), 0);
    EXPECT_NE(terminal.shown().find(kLeft), std::string::npos);
  }
}

TEST(Terminal, WaitsNoLongerThanItShould) {
  InATerminal terminal([] { return static_cast<int>(wait_for_key(std::chrono::steady_clock::now())); });
  EXPECT_EQ(terminal.end(), static_cast<int>(TopKey::none));
}

TEST(Terminal, ClearsEachLineToItsEndAndScrollsNoFullScreen) {
  EXPECT_EQ(screen_text("ab\nc\n"), "\033[Hab\033[K\r\nc\033[K\r\033[J");
  EXPECT_EQ(screen_text(""), "\033[H\033[J");
}

}  // namespace
}  // namespace crosswire
