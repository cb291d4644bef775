// The terminal of `crosswire top`: a screen of its own, keys as they come, its size, and the signals that end us. One
// at a time, in one thread.
#pragma once

#include <termios.h>

#include <chrono>
#include <string>

#include "app/top/page.hpp"

namespace crosswire {

/// Somebody wanted the end (Ctrl-C, SIGTERM) while something was waited for.
struct TopEnded {};

/// Keys come at once and are not shown, and the page has a screen of its own, while it lives. From its begin on SIGINT
/// and SIGTERM no longer end the process: who waits by the functions below gets TopEnded.
class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// That of stdout's terminal; 24 lines of 80 where it does not say.
  static TopSize size();
  static void show(const std::string& page);

 private:
  termios before_{};
};

/// What a terminal is sent to show a page in the place of another one.
std::string screen_text(const std::string& page);

enum class TopKey { none, resized, quit, other };

/// Waits for a key, a new size of the terminal, or the time. `quit`: q, or there is no terminal any more. Throws
/// TopEnded.
TopKey wait_for_key(std::chrono::steady_clock::time_point until);

/// A TopWait that throws TopEnded.
int wait_or_end(int fd, std::chrono::milliseconds limit);

}  // namespace crosswire
