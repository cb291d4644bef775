// Numbers that wrap, against numbers that do not.
#include "netstack/tcp/sequence.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/seed.hpp"

namespace crosswire::tcp::sequence_test {
namespace {

TEST(Sequence, OrdersNumbersLessThanHalfTheSpaceApartAsIfTheyDidNotWrap) {
  std::mt19937_64 random(test::seed());
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t a = random() >> 8;
    const std::int64_t apart = static_cast<std::int32_t>(random()) >> random() % 32;
    const std::uint64_t b = a + static_cast<std::uint64_t>(apart);
    const auto low_a = static_cast<std::uint32_t>(a);
    const auto low_b = static_cast<std::uint32_t>(b);
    if (apart == std::int64_t{-1} << 31) continue;  // neither is before the other
    ASSERT_EQ(distance(low_a, low_b), apart);
    ASSERT_EQ(before(low_a, low_b), a < b);
    ASSERT_EQ(at_or_before(low_a, low_b), a <= b);
    ASSERT_EQ(earlier_of(low_a, low_b), static_cast<std::uint32_t>(std::min(a, b)));
    ASSERT_EQ(later_of(low_a, low_b), static_cast<std::uint32_t>(std::max(a, b)));
  }
}

TEST(Sequence, ARangeHoldsItsFirstNumberAndNotItsEndAcrossTheWrapToo) {
  for (const std::uint32_t begin : {0u, 1u, 0xFFFF'FFFEu, 0xFFFF'FFFFu, 0x7FFF'FFFFu}) {
    const Range range{begin, begin + 4};
    EXPECT_EQ(range.size(), 4u);
    EXPECT_FALSE(range.holds(begin - 1));
    for (std::uint32_t i = 0; i < 4; ++i) EXPECT_TRUE(range.holds(begin + i));
    EXPECT_FALSE(range.holds(begin + 4));
    const Range none{begin, begin};
    EXPECT_FALSE(none.holds(begin));
  }
}

}  // namespace
}  // namespace crosswire::tcp::sequence_test
