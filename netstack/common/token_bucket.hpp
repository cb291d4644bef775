// TokenBucket: at most so many a second, a second's worth at once, in virtual time.
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
  explicit TokenBucket(std::uint32_t per_second)
      : interval_ns_(per_second == 0 ? 0 : std::max<TimeNs>(1, kNsPerSecond / per_second)) {}

  /// Takes a token if there is one. `now` does not fall from call to call.
  bool take(TimeNs now) {
    if (interval_ns_ == 0) return false;
    const TimeNs full_at = std::max(full_at_, now) + interval_ns_;
    if (full_at - now > kNsPerSecond) return false;
    full_at_ = full_at;
    return true;
  }

 private:
  TimeNs interval_ns_ = 0;
  TimeNs full_at_ = 0;  // when the bucket will be full again
};

}  // namespace crosswire
