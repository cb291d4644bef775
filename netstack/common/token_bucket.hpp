// TokenBucket: at most so many a second, a second's worth or another number at once, in virtual time.
// receive stage; plain state, no clock of its own, so that the same input is let through in every replay.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/types.hpp"

namespace crosswire {

class TokenBucket {
 public:
  TokenBucket() = default;  // lets nothing through
  /// 0 lets nothing through; above 10^9 a second counts as 10^9.
  explicit TokenBucket(std::uint32_t per_second) : per_second_(per_second) {}
  /// `at_once` tokens are saved up at most, and no take() asks for more; at least 1.
  TokenBucket(std::uint32_t per_second, std::uint32_t at_once)
      : per_second_(per_second), saved_up_ns_(per_second == 0 ? 0 : time_of(at_once)) {}

  /// Takes `tokens` if they are there. `now` does not fall from call to call.
  bool take(TimeNs now, std::uint32_t tokens = 1) {
    if (per_second_ == 0) return false;
    const TimeNs full_at = std::max(full_at_, now) + time_of(tokens);
    if (full_at - now > saved_up_ns_) return false;
    full_at_ = full_at;
    return true;
  }

 private:
  /// In which so many come in.
  TimeNs time_of(std::uint32_t tokens) const { return std::max<TimeNs>(1, tokens * kNsPerSecond / per_second_); }

  std::uint32_t per_second_ = 0;
  TimeNs saved_up_ns_ = kNsPerSecond;
  TimeNs full_at_ = 0;  // when the bucket will be full again
};

}  // namespace crosswire
