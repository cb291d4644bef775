// How many lines of one kind the log gets, so that nobody fills a disk by logging in and out: many at once, as in the
// morning, and few in the long run. What is left out is counted and told once a minute. The control thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace crosswire {

class LineAllowance {
 public:
  static constexpr std::uint64_t kAtOnce = 500;
  static constexpr std::uint64_t kEachNs = 10'000'000'000;       // one more
  static constexpr std::uint64_t kTellEveryNs = 60'000'000'000;  // what is left out

  LineAllowance() = default;
  LineAllowance(std::uint64_t at_once, std::uint64_t each_ns) : at_once_(at_once), each_ns_(each_ns), left_(at_once) {}

  /// Whether there may be a line; else it is counted. `now_ns` of a steady clock, does not fall from call to call.
  bool take(std::uint64_t now_ns) {
    refill(now_ns);
    if (left_ > 0) {
      --left_;
      return true;
    }
    leave_out();
    return false;
  }

  void leave_out(std::uint64_t lines = 1) { left_out_ += lines; }

  /// Lines left out since this said so last, once a minute at most; else 0.
  std::uint64_t left_out(std::uint64_t now_ns) {
    if (left_out_ == 0 || (told_ns_ && now_ns - *told_ns_ < kTellEveryNs)) return 0;
    told_ns_ = now_ns;
    return std::exchange(left_out_, 0);
  }

 private:
  void refill(std::uint64_t now_ns) {
    if (left_ == at_once_) filled_ns_ = now_ns;
    const std::uint64_t more = (now_ns - filled_ns_) / each_ns_;
    left_ = std::min(left_ + more, at_once_);
    filled_ns_ += more * each_ns_;
  }

  std::uint64_t at_once_ = kAtOnce, each_ns_ = kEachNs;
  std::uint64_t left_ = kAtOnce;
  std::uint64_t filled_ns_ = 0;
  std::uint64_t left_out_ = 0;
  std::optional<std::uint64_t> told_ns_;
};

}  // namespace crosswire
