// How much of something there was within a second. Match stage only.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/types.hpp"

namespace crosswire {

/// In buckets of a sixteenth of a second: the one under way and the sixteen before it count, which is a second at least
/// and a sixteenth more at most. So the error is to the strict side, and no second has more than the limit.
class RollingCount {
 public:
  static constexpr TimeNs kBucketNs = kNsPerSecond / 16;

  /// `limit`: 1 .. 2^31.
  void set_limit(std::uint32_t limit) { limit_ = limit; }
  /// Taken within the last second, as take() would count it then. `now_ns`: not before the last take().
  std::uint32_t taken(TimeNs now_ns) const {
    RollingCount then = *this;
    then.go_on(static_cast<std::uint32_t>(now_ns / kBucketNs));
    return then.past_ + then.now_;
  }
  std::uint32_t limit() const { return limit_; }

  /// One more, if it is within the limit, or there is none. `now_ns`: never falling, below kNsPerDay * 64.
  bool take(TimeNs now_ns) {
    if (limit_ == 0) return true;
    const auto bucket = static_cast<std::uint32_t>(now_ns / kBucketNs);
    if (bucket != bucket_) [[unlikely]]
      go_on(bucket);
    if (past_ + now_ >= limit_) return false;
    ++now_;
    return true;
  }

 private:
  friend struct EngineState;

  void go_on(std::uint32_t bucket) {
    const std::uint32_t steps = std::min<std::uint32_t>(bucket - bucket_, kBuckets + 1);
    for (std::uint32_t i = 0; i < steps; ++i) {
      std::uint32_t& oldest = before_[(bucket_ + i) % kBuckets];
      past_ += now_ - oldest;
      oldest = now_;
      now_ = 0;
    }
    bucket_ = bucket;
  }

  static constexpr std::uint32_t kBuckets = 16;
  std::uint32_t limit_ = 0;
  std::uint32_t past_ = 0;  // the sum of before_
  std::uint32_t now_ = 0;   // of bucket_
  std::uint32_t bucket_ = 0;
  std::array<std::uint32_t, kBuckets> before_{};
};

}  // namespace crosswire
