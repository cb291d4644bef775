// Times of the stages.
#include "app/partition/stage_times.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace crosswire {
namespace {

TEST(BatchSizes, TellTheNumberThatSoManyPollsDoNotExceed) {
  BatchSizes batch;
  EXPECT_EQ(batch.percentile(50), 0u) << "without any";
  for (std::size_t items = 1; items <= 10; ++items) batch.record(items);
  EXPECT_EQ(batch.percentile(0), 1u);
  EXPECT_EQ(batch.percentile(50), 5u);
  EXPECT_EQ(batch.percentile(91), 10u);
  EXPECT_EQ(batch.percentile(100), 10u);
}

TEST(BatchSizes, CountWhatIsGreaterAsTheMost) {
  BatchSizes batch;
  batch.record(BatchSizes::kMost);
  batch.record(BatchSizes::kMost + 1'000);
  EXPECT_EQ(batch.polls(BatchSizes::kMost), 2u);
}

TEST(StageTimes, AreBusyForTheSumOfTheirPollsSoThatItNeverFalls) {
  const auto times = std::make_unique<StageTimes>();
  // More than the 2^53 ns up to which a double tells one from the next.
  for (int i = 0; i < 10'000; ++i) times->poll_ns.record(Histogram::kMaxValue);
  times->poll_ns.record(1);
  EXPECT_EQ(times->busy_ns(), 10'000 * Histogram::kMaxValue + 1);
}

}  // namespace
}  // namespace crosswire
