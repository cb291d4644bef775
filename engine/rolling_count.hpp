// How much of something there was within a second. Match stage only.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "engine/types.hpp"

namespace crosswire {

/// In buckets of a sixteenth of a second: the one under way and the sixteen before it count, which is a second at least
/// and a sixteenth more at most. So the error is to the strict side, and no second has more than the limit.
class RollingCount {
 public:
  static constexpr TimeNs kBucketNs = kNsPerSecond / 16;

  /// `limit`: 1 .. 2^31. Before the first take().
  void set_limit(std::uint32_t limit) {
    limit_ = limit;
    left_ = limit;
    ends_ns_ = kBucketNs;
  }
  std::uint32_t limit() const { return limit_; }
  /// Another limit, or with 0 none, from now on. What has been taken within the last second counts for it, too, where
  /// there was a limit before: a lower one may be used up at once. `now_ns`: as of take().
  void change_limit(TimeNs now_ns, std::uint32_t limit) {
    if (limit_ == 0 || limit == 0) {
      *this = {};
      if (limit != 0) set_limit(limit);
      return;
    }
    if (now_ns >= ends_ns_) go_on(now_ns);
    left_ += std::int64_t{limit} - limit_;
    limit_ = limit;
  }
  /// Taken within the last second, as take() would count it then; 0 without a limit. `now_ns`: not before the last
  /// take().
  std::uint32_t taken(TimeNs now_ns) const {
    RollingCount then = *this;
    if (now_ns >= ends_ns_) then.go_on(now_ns);
    return then.counted();
  }

  /// So many more, whatever the limit is. True: as many as that have been taken within the last second, or more;
  /// without a limit never. `now_ns`: as of take().
  bool add(TimeNs now_ns, std::uint32_t count) {
    if (now_ns >= ends_ns_) go_on(now_ns);
    left_ -= std::clamp<std::int64_t>(left_, 0, count);
    return left_ <= 0;
  }
  /// Nothing has been taken yet; the limit stays.
  void begin_anew() {
    const std::uint32_t limit = limit_;
    *this = {};
    if (limit != 0) set_limit(limit);
  }

  /// One more, if it is within the limit, or there is none. `now_ns`: never falling, below kNsPerDay * 64.
  [[gnu::always_inline]] bool take(TimeNs now_ns) {
    if (now_ns >= ends_ns_) [[unlikely]]
      go_on(now_ns);
    if (left_ <= 0) return false;
    --left_;
    return true;
  }

 private:
  friend struct EngineState;

  /// In all buckets; 0 without a limit.
  std::uint32_t counted() const { return limit_ == 0 ? 0 : limit_ - static_cast<std::uint32_t>(left_); }
  /// In the bucket under way.
  std::uint32_t counted_now() const { return counted() - past_; }
  std::uint32_t bucket() const { return limit_ == 0 ? 0 : static_cast<std::uint32_t>(ends_ns_ / kBucketNs - 1); }

  /// There is a limit, and the bucket under way is over.
  [[gnu::noinline]] void go_on(TimeNs now_ns) {
    const std::uint32_t from = bucket(), to = static_cast<std::uint32_t>(now_ns / kBucketNs);
    const std::uint32_t steps = std::min<std::uint32_t>(to - from, kBuckets + 1);
    std::uint32_t now = counted_now();
    for (std::uint32_t i = 0; i < steps; ++i) {
      std::uint32_t& oldest = before_[(from + i) % kBuckets];
      past_ += now - oldest;
      left_ += oldest;
      oldest = now;
      now = 0;
    }
    ends_ns_ = (TimeNs{to} + 1) * kBucketNs;
  }

  static constexpr std::uint32_t kBuckets = 16;
  // What take() reads. Without a limit they are never reached.
  TimeNs ends_ns_ = ~TimeNs{0};                                   // of the bucket under way
  std::int64_t left_ = std::numeric_limits<std::int64_t>::max();  // of the limit; below zero: it was lowered meanwhile
  std::uint32_t limit_ = 0;
  std::uint32_t past_ = 0;  // the sum of before_
  std::array<std::uint32_t, kBuckets> before_{};
};

}  // namespace crosswire
