// The terminal: see the header.
#include "app/top/terminal.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>

namespace crosswire {
namespace {

volatile std::sig_atomic_t g_end = 0;
extern "C" void end_top(int) { g_end = 1; }
extern "C" void resized(int) {}  // ends a wait

/// While it lives, the signals that are to end us come only in wait_for(): one that came between a look at g_end and
/// the wait behind it would not end that wait.
class SignalsOnlyWhileWaiting {
 public:
  SignalsOnlyWhileWaiting() {
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGINT);
    sigaddset(&end, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &end, &before_);
  }
  ~SignalsOnlyWhileWaiting() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsOnlyWhileWaiting(const SignalsOnlyWhileWaiting&) = delete;
  SignalsOnlyWhileWaiting& operator=(const SignalsOnlyWhileWaiting&) = delete;

  /// As poll() for what can be read of `fd`.
  int wait_for(int fd, std::chrono::milliseconds limit) const {
    pollfd readable{fd, POLLIN, 0};
    const timespec time{limit.count() / 1000, limit.count() % 1000 * 1'000'000};
    return ppoll(&readable, 1, &time, &before_);
  }

 private:
  sigset_t before_{};
};

}  // namespace

Screen::Screen() {
  tcgetattr(STDIN_FILENO, &before_);
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  std::fputs("\033[?1049h\033[?25l", stdout);
  struct sigaction action {};
  action.sa_handler = end_top;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = resized;
  sigaction(SIGWINCH, &action, nullptr);
}

Screen::~Screen() {
  std::fputs("\033[?25h\033[?1049l", stdout);
  std::fflush(stdout);
  tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

TopSize Screen::size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {24, 80};
  return {size.ws_row, size.ws_col};
}

void Screen::show(const std::string& page) {
  std::fputs(screen_text(page).c_str(), stdout);
  std::fflush(stdout);
}

std::string screen_text(const std::string& page) {
  // Line by line, each cleared to its end: a whole clear would flicker.
  std::string out = "\033[H";
  for (const char letter : page) {
    if (letter == '\n') out += "\033[K\r";
    out += letter;
  }
  // The last line has no line feed behind it, or a full screen would scroll.
  if (!page.empty()) out.pop_back();
  return out + "\033[J";
}

TopKey wait_for_key(std::chrono::steady_clock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  const int ready = wait_or_end(STDIN_FILENO, std::max(left, std::chrono::milliseconds(0)));
  if (ready < 0) return TopKey::resized;
  if (ready == 0) return TopKey::none;
  char letter = 0;
  if (read(STDIN_FILENO, &letter, 1) != 1) return TopKey::quit;
  return letter == 'q' || letter == 'Q' ? TopKey::quit : TopKey::other;
}

int wait_or_end(int fd, std::chrono::milliseconds limit) {
  const SignalsOnlyWhileWaiting signals;
  if (g_end != 0) throw TopEnded();
  const int ready = signals.wait_for(fd, limit);
  if (g_end != 0) throw TopEnded();
  return ready;
}

}  // namespace crosswire
