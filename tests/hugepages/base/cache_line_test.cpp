// Things on cache lines of their own.
#include "hugepages/base/cache_line.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace crosswire::cache_line_test {
namespace {

struct Count {
  Count(int first, int& given) : value(first), by_reference(given) {}
  Count(const Count&) = delete;
  Count& operator=(const Count&) = delete;
  int value;
  int& by_reference;
};

struct Neighbours {
  char before;
  OnOwnLines<Count> one;
  OnOwnLines<Count> other;
  char behind;
};

std::uintptr_t line_of(const void* at) { return reinterpret_cast<std::uintptr_t>(at) / kCacheLine; }

TEST(OnOwnLines, SharesNoLineWithWhatLiesBesideIt) {
  int given = 0;
  const Neighbours neighbours{0, {1, given}, {2, given}, 0};
  EXPECT_LT(line_of(&neighbours.before), line_of(&neighbours.one));
  EXPECT_GE(line_of(&neighbours.other), line_of(&neighbours.one) + 2);
  EXPECT_GE(line_of(&neighbours.behind), line_of(&neighbours.other) + 2);
}

TEST(OnOwnLines, IsWhatItWraps) {
  int given = 0;
  OnOwnLines<Count> wrapped{7, given};
  Count& plain = wrapped;
  plain.by_reference = 3;
  EXPECT_EQ(wrapped.value, 7);
  EXPECT_EQ(given, 3);
}

}  // namespace
}  // namespace crosswire::cache_line_test
