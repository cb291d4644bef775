// Histogram against the exact answer from sorted values.
#include "hugepages/base/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

#include "tests/seed.hpp"

namespace crosswire::histogram_test {
namespace {

constexpr double kPercentiles[] = {0, 0.1, 1, 25, 50, 75, 90, 99, 99.9, 99.99, 100};

std::uint64_t exact_percentile(const std::vector<std::uint64_t>& sorted, double p) {
  const auto rank = static_cast<std::size_t>(std::ceil(p / 100.0 * static_cast<double>(sorted.size())));
  return sorted[std::clamp(rank, std::size_t{1}, sorted.size()) - 1];
}

void expect_close(const Histogram& histogram, const std::vector<std::uint64_t>& sorted) {
  for (const double p : kPercentiles) {
    const std::uint64_t exact = exact_percentile(sorted, p);
    EXPECT_GE(histogram.percentile(p), exact) << "p " << p;
    EXPECT_LE(histogram.percentile(p), exact + exact / 64) << "p " << p;
  }
}

TEST(Histogram, StaysWithinOneSixtyFourthAboveTheExactPercentile) {
  const std::uint64_t seed = test::seed();
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> latency(7.0, 3.0);  // median 1.1 us, a long tail
  Histogram histogram;
  std::vector<std::uint64_t> values;
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const auto value = static_cast<std::uint64_t>(std::min(latency(random), 1e12));
    values.push_back(value);
    histogram.record(value);
    sum += static_cast<double>(value);
  }
  std::sort(values.begin(), values.end());
  expect_close(histogram, values);
  EXPECT_EQ(histogram.count(), values.size());
  EXPECT_LE(histogram.min(), values.front());
  EXPECT_GE(histogram.min(), values.front() - values.front() / 64);
  EXPECT_EQ(histogram.max(), values.back());
  EXPECT_NEAR(histogram.mean(), sum / 100'000, 1e-6 * sum / 100'000);
}

TEST(Histogram, HoldsItsBoundOnBothSidesOfEveryPowerOfTwo) {
  for (unsigned bit = 0; bit <= Histogram::kMaxValueBits; ++bit) {
    for (const std::uint64_t value : {(std::uint64_t{1} << bit) - 1, std::uint64_t{1} << bit}) {
      Histogram histogram;
      histogram.record(value);
      histogram.record(Histogram::kMaxValue);  // so that max() does not cut the first one's bucket short
      EXPECT_GE(histogram.percentile(50), value);
      EXPECT_LE(histogram.percentile(50), value + value / 64);
    }
  }
}

TEST(Histogram, IsExactBelow128) {
  for (std::uint64_t value = 0; value < 128; ++value) {
    Histogram histogram;
    histogram.record(value);
    histogram.record(1000);
    EXPECT_EQ(histogram.percentile(50), value);
  }
}

TEST(Histogram, SaysZeroWhileItIsEmpty) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.min(), 0u);
  EXPECT_EQ(histogram.max(), 0u);
  EXPECT_EQ(histogram.mean(), 0.0);
  EXPECT_EQ(histogram.percentile(99), 0u);
}

TEST(Histogram, CountsWhatIsBeyondItsRangeAsTheGreatestValue) {
  Histogram histogram;
  histogram.record(UINT64_MAX);
  EXPECT_EQ(histogram.max(), Histogram::kMaxValue);
  EXPECT_EQ(histogram.percentile(50), Histogram::kMaxValue);
}

TEST(Histogram, MergesToTheSameAsRecordingEverythingInOne) {
  Histogram low;
  Histogram high;
  Histogram both;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    low.record(i);
    high.record(1'000'000 * i);
    both.record(i);
    both.record(1'000'000 * i);
  }
  low.merge(high);
  low.merge(Histogram{});
  EXPECT_EQ(low.count(), both.count());
  EXPECT_EQ(low.min(), 1u);
  EXPECT_EQ(low.max(), both.max());
  EXPECT_EQ(low.mean(), both.mean());
  for (const double p : kPercentiles) EXPECT_EQ(low.percentile(p), both.percentile(p));
}

TEST(Histogram, IsEmptyAfterAReset) {
  Histogram histogram;
  histogram.record(5);
  histogram.reset();
  EXPECT_EQ(histogram.count(), 0u);
  histogram.record(7);
  EXPECT_EQ(histogram.min(), 7u);
  EXPECT_EQ(histogram.percentile(100), 7u);
}

TEST(Histogram, ShowsItsBucketsInRisingOrder) {
  Histogram histogram;
  for (const std::uint64_t value : {5u, 5u, 1'000u, 100'000u}) histogram.record(value);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
  histogram.each_bucket([&seen](std::uint64_t value, std::uint64_t count) { seen.emplace_back(value, count); });
  EXPECT_EQ(seen, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{5, 2}, {1'007, 1}, {100'000, 1}}));
}

TEST(Histogram, TellsWhatWasRecordedSinceACopyWasTaken) {
  Histogram histogram;
  Histogram only_later;
  for (std::uint64_t i = 1; i <= 1'000; ++i) histogram.record(100'000 * i);
  const Histogram earlier = histogram;
  for (std::uint64_t i = 1; i <= 500; ++i) {
    histogram.record(10 * i);
    only_later.record(10 * i);
  }
  const Histogram later = histogram.since(earlier);
  EXPECT_EQ(later.count(), 500u);
  EXPECT_EQ(later.sum(), only_later.sum());
  EXPECT_EQ(later.mean(), only_later.mean());
  EXPECT_EQ(later.min(), 10u);
  EXPECT_GE(later.max(), 5'000u);
  EXPECT_LE(later.max(), 5'000u + 5'000u / 64);
  for (const double p : {0.0, 1.0, 50.0, 99.0}) EXPECT_EQ(later.percentile(p), only_later.percentile(p)) << "p " << p;
  EXPECT_EQ(histogram.since(histogram).count(), 0u);
  EXPECT_EQ(histogram.since(histogram).percentile(99), 0u);
  EXPECT_EQ(histogram.since(Histogram{}).percentile(99), histogram.percentile(99));
}

TEST(Histogram, CountsWhatLiesAtOrBelowAValue) {
  Histogram histogram;
  for (const std::uint64_t value : {5u, 64u, 1'000u, 1'001u, 100'000u}) histogram.record(value);
  EXPECT_EQ(histogram.count_up_to(4), 0u);
  EXPECT_EQ(histogram.count_up_to(5), 1u);
  EXPECT_EQ(histogram.count_up_to(127), 2u);
  EXPECT_EQ(histogram.count_up_to(1'023), 4u);
  EXPECT_EQ(histogram.count_up_to(Histogram::kMaxValue), 5u);
}

}  // namespace
}  // namespace crosswire::histogram_test
