// How far a flow is, for who waits at a terminal; anywhere else nothing is shown. Tools only.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>

namespace crosswire {

class FlowProgress {
 public:
  /// `total`: messages that will come.
  explicit FlowProgress(std::uint64_t total)
      : total_(std::max<std::uint64_t>(total, 1)), terminal_(isatty(STDERR_FILENO) == 1) {}
  ~FlowProgress() {
    if (shown_) fmt::print(stderr, "\r{:40}\r", "");
  }
  FlowProgress(const FlowProgress&) = delete;
  FlowProgress& operator=(const FlowProgress&) = delete;

  /// One more message.
  void step() {
    constexpr std::uint64_t kBetweenLooks = 1024;  // at the clock
    if (!terminal_ || ++done_ % kBetweenLooks != 0 || Clock::now() < due_) return;
    fmt::print(stderr, "\rcrosswire flow: {:>3} % of the messages", 100 * done_ / total_);
    shown_ = true;
    due_ = Clock::now() + std::chrono::milliseconds(250);
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::uint64_t total_;
  std::uint64_t done_ = 0;
  Clock::time_point due_ = Clock::now() + std::chrono::milliseconds(250);
  bool terminal_;
  bool shown_ = false;
};

}  // namespace crosswire
