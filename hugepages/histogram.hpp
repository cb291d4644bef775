// Histogram: how often each duration was seen, in buckets of fixed relative width (the idea of HdrHistogram).
// Each stage has its own and is its only writer; nobody reads one while its stage runs, the stage itself apart. Fixed
// size, no pointers: it can lie in an Arena or be copied. record() is an increment of one counter and four plain
// fields.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace crosswire {

/// Values are nanoseconds, 0 .. kMaxValue; greater ones count as kMaxValue. Below 2^kPrecisionBits they are exact;
/// above, each power of two is divided into 2^kPrecisionBits buckets, so a value is known to 1 part in 64.
class Histogram {
 public:
  static constexpr unsigned kPrecisionBits = 6;
  static constexpr unsigned kMaxValueBits = 40;
  static constexpr std::uint64_t kMaxValue = std::uint64_t{1} << kMaxValueBits;

 private:
  static constexpr std::uint64_t kPerOctave = std::uint64_t{1} << kPrecisionBits;

  /// 0 .. 63 are their own buckets; then 64 buckets for each power of two, from 64 on.
  static constexpr std::size_t bucket_of(std::uint64_t value) {
    if (value < kPerOctave) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kPrecisionBits;
    return shift * kPerOctave + (value >> shift);
  }

  static constexpr std::uint64_t last_value_of(std::size_t bucket) {
    if (bucket < 2 * kPerOctave) return bucket;
    const std::uint64_t shift = bucket / kPerOctave - 1;
    return ((bucket % kPerOctave + kPerOctave + 1) << shift) - 1;
  }

  static constexpr std::size_t kBuckets = (kMaxValueBits - kPrecisionBits + 1) * kPerOctave + 1;

 public:
  void record(std::uint64_t value_ns) {
    static_assert(bucket_of(kMaxValue) == kBuckets - 1, "the last bucket holds the greatest value alone");
    value_ns = std::min(value_ns, kMaxValue);
    ++buckets_[bucket_of(value_ns)];
    ++count_;
    sum_ += value_ns;
    min_ = std::min(min_, value_ns);
    max_ = std::max(max_, value_ns);
  }

  std::uint64_t count() const { return count_; }
  /// Exact. 0 if nothing was recorded; so are max, mean and percentile then.
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
  std::uint64_t max() const { return max_; }
  double mean() const { return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_); }

  /// The value that `p` per cent (0 .. 100) of the recorded ones do not exceed (nearest rank), rounded up to the end of
  /// its bucket but not beyond max(): never less than the true value, and at most 1/64 more. 100 gives max() itself.
  std::uint64_t percentile(double p) const {
    if (count_ == 0) return 0;
    const double wanted = std::ceil(std::clamp(p, 0.0, 100.0) / 100.0 * static_cast<double>(count_));
    const std::uint64_t rank = std::clamp(static_cast<std::uint64_t>(wanted), std::uint64_t{1}, count_);
    std::uint64_t seen = 0;
    std::size_t bucket = 0;
    while ((seen += buckets_[bucket]) < rank) ++bucket;
    return std::min(last_value_of(bucket), max_);
  }

  /// Calls `visit(last value of the bucket, how many)` for each bucket that has any, in rising order.
  template <class Visit>
  void each_bucket(Visit&& visit) const {
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
      if (buckets_[bucket] > 0) visit(std::min(last_value_of(bucket), max_), buckets_[bucket]);
    }
  }

  void merge(const Histogram& other) {
    for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
  }

  void reset() { *this = Histogram{}; }

 private:
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;  // of 2^64 ns at most: 584 years of waiting
  std::uint64_t min_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t max_ = 0;
  std::array<std::uint64_t, kBuckets> buckets_{};
};

}  // namespace crosswire
