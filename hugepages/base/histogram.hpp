// Histogram: how often each duration was seen, in buckets of fixed relative width (the idea of HdrHistogram).
// Each stage has its own and is its only writer; any thread may copy one while its stage runs, and look at the copy.
// Fixed size, no pointers: it can lie in an Arena. record() is an increment of one bucket and of the sum; how many
// there are is added up by those who ask.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "hugepages/base/count_word.hpp"

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

  static constexpr std::uint64_t first_value_of(std::size_t bucket) {
    return bucket == 0 ? 0 : last_value_of(bucket - 1) + 1;
  }

  static constexpr std::size_t kBuckets = (kMaxValueBits - kPrecisionBits + 1) * kPerOctave + 1;

 public:
  Histogram() = default;
  /// Any thread, also while the writer records: what is recorded meanwhile is in the copy or not, each value wholly as
  /// far as buckets and count() go; sum and mean may be a few values off.
  Histogram(const Histogram& other) noexcept { *this = other; }
  Histogram& operator=(const Histogram& other) noexcept {
    if (this == &other) return *this;
    for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] = other.buckets_[i];
    sum_ = other.sum_;
    max_ = other.max_;
    hold_max();
    return *this;
  }

  /// The writing thread; all else is for who owns the histogram, or a copy of it.
  void record(std::uint64_t value_ns) {
    static_assert(bucket_of(kMaxValue) == kBuckets - 1, "the last bucket holds the greatest value alone");
    value_ns = std::min(value_ns, kMaxValue);
    buckets_[bucket_of(value_ns)].add();
    sum_.add(value_ns);
    if (value_ns > max_.get()) max_.set(value_ns);
  }

  /// Adds all buckets up.
  std::uint64_t count() const {
    std::uint64_t count = 0;
    for (const CountWord& bucket : buckets_) count += bucket.get();
    return count;
  }
  std::uint64_t sum() const { return sum_.get(); }
  /// The beginning of the least value's bucket: never more than it, and at most 1/64 less. 0 if nothing was recorded;
  /// so are max, mean and percentile then.
  std::uint64_t min() const {
    for (std::size_t i = 0; i < kBuckets; ++i) {
      if (buckets_[i].get() > 0) return first_value_of(i);
    }
    return 0;
  }
  /// Exact.
  std::uint64_t max() const { return max_.get(); }
  double mean() const {
    const std::uint64_t n = count();
    return n == 0 ? 0.0 : static_cast<double>(sum()) / static_cast<double>(n);
  }

  /// The value that `p` per cent (0 .. 100) of the recorded ones do not exceed (nearest rank), rounded up to the end of
  /// its bucket but not beyond max(): never less than the true value, and at most 1/64 more. 100 gives max() itself.
  std::uint64_t percentile(double p) const {
    const std::uint64_t n = count();
    if (n == 0) return 0;
    const double wanted = std::ceil(std::clamp(p, 0.0, 100.0) / 100.0 * static_cast<double>(n));
    const std::uint64_t rank = std::clamp(static_cast<std::uint64_t>(wanted), std::uint64_t{1}, n);
    std::uint64_t seen = 0;
    std::size_t bucket = 0;
    while ((seen += buckets_[bucket].get()) < rank) ++bucket;
    return std::min(last_value_of(bucket), max());
  }

  /// How many of the recorded values lie in buckets that end at `value_ns` or below.
  std::uint64_t count_up_to(std::uint64_t value_ns) const {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets && last_value_of(i) <= value_ns; ++i) seen += buckets_[i].get();
    return seen;
  }

  /// Calls `visit(last value of the bucket, how many)` for each bucket that has any, in rising order.
  template <class Visit>
  void each_bucket(Visit&& visit) const {
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
      const std::uint64_t n = buckets_[bucket].get();
      if (n > 0) visit(std::min(last_value_of(bucket), max()), n);
    }
  }

  void merge(const Histogram& other) {
    for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i].add(other.buckets_[i].get());
    sum_.add(other.sum());
    max_.set(std::max(max_.get(), other.max_.get()));
  }

  /// What was recorded after `earlier`, a copy of this same histogram, was taken. max() is the end of its bucket, as
  /// only the whole has an exact one.
  Histogram since(const Histogram& earlier) const {
    Histogram result;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      const std::uint64_t n = buckets_[i].get() - earlier.buckets_[i].get();
      if (n == 0) continue;
      result.buckets_[i] = n;
      result.max_ = std::min(last_value_of(i), max());
    }
    result.sum_ = sum() - earlier.sum();
    result.hold_max();
    return result;
  }

  void reset() { *this = Histogram{}; }

 private:
  /// A copy may have a value's bucket and not yet its maximum: percentiles must not be beyond it all the same.
  void hold_max() {
    for (std::size_t i = kBuckets; i-- > 0;) {
      if (buckets_[i].get() == 0) continue;
      max_.set(std::max(max_.get(), first_value_of(i)));
      return;
    }
  }

  CountWord sum_;  // of 2^64 ns at most: 584 years of waiting
  CountWord max_;
  std::array<CountWord, kBuckets> buckets_{};
};

}  // namespace crosswire
