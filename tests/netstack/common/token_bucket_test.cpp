// TokenBucket in virtual time.
#include "netstack/common/token_bucket.hpp"

#include <gtest/gtest.h>

namespace crosswire {
namespace {

unsigned take_all(TokenBucket& bucket, TimeNs now, unsigned most = 5000) {
  unsigned taken = 0;
  while (taken < most && bucket.take(now)) ++taken;
  return taken;
}

TEST(TokenBucket, LetsASecondsWorthThroughAtOnceAndThenTheRate) {
  TokenBucket bucket(10);
  EXPECT_EQ(take_all(bucket, 5 * kNsPerSecond), 10u);
  EXPECT_EQ(take_all(bucket, 5 * kNsPerSecond + kNsPerSecond / 10 - 1), 0u);
  EXPECT_EQ(take_all(bucket, 5 * kNsPerSecond + kNsPerSecond / 10), 1u);
  EXPECT_EQ(take_all(bucket, 6 * kNsPerSecond), 9u);
  EXPECT_EQ(take_all(bucket, 100 * kNsPerSecond), 10u) << "no more than a second's worth is saved up";
}

TEST(TokenBucket, SavesUpWhatItIsToldAndTakesSeveralAtOnce) {
  TokenBucket bucket(1000, 50);
  EXPECT_EQ(take_all(bucket, 5 * kNsPerSecond), 50u);
  EXPECT_FALSE(bucket.take(5 * kNsPerSecond + kNsPerSecond / 100 - 1, 10));
  EXPECT_TRUE(bucket.take(5 * kNsPerSecond + kNsPerSecond / 100, 10));
  EXPECT_TRUE(bucket.take(9 * kNsPerSecond, 50));
  EXPECT_FALSE(bucket.take(9 * kNsPerSecond, 1));
  TokenBucket slow(1, 1);
  EXPECT_EQ(take_all(slow, 5 * kNsPerSecond), 1u);
}

TEST(TokenBucket, LetsNothingThroughAtRateZero) {
  EXPECT_FALSE(TokenBucket(0, 10).take(kNsPerDay));
  TokenBucket bucket(0);
  EXPECT_FALSE(bucket.take(0));
  EXPECT_FALSE(bucket.take(kNsPerDay));
}

TEST(TokenBucket, TakesTheHighestRateThereIs) {
  TokenBucket bucket(0xFFFFFFFF);
  EXPECT_EQ(take_all(bucket, 1), 5000u);
}

}  // namespace
}  // namespace crosswire
