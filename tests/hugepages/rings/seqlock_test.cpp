#include "hugepages/rings/seqlock.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace crosswire::seqlock_test {
namespace {

struct Value {
  std::uint64_t one = 0, two = 0, three = 0;
  bool operator==(const Value&) const = default;
};

TEST(Seqlock, GivesTheLastValueThatWasWritten) {
  Seqlock<Value> shared(Value{1, 2, 3});
  EXPECT_EQ(shared.read(), (Value{1, 2, 3}));
  shared.write({4, 5, 6});
  EXPECT_EQ(shared.read(), (Value{4, 5, 6}));
}

TEST(Seqlock, GivesEachCopyItsOwn) {
  Seqlock<Value> shared(Value{1, 2, 3});
  Seqlock<Value>::Copy one(shared), other(shared);
  EXPECT_EQ(one.latest(), (Value{1, 2, 3}));
  shared.write({4, 5, 6});
  EXPECT_EQ(one.latest(), (Value{4, 5, 6}));
  shared.write({7, 8, 9});
  EXPECT_EQ(other.latest(), (Value{7, 8, 9}));
  EXPECT_EQ(one.latest(), (Value{7, 8, 9}));
}

TEST(Seqlock, LiesOnOneCacheLineWithAClock) { EXPECT_EQ(sizeof(Seqlock<Value>), kCacheLine); }

}  // namespace
}  // namespace crosswire::seqlock_test
