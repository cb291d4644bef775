// Tables of counters against their enum, and the cells.
#include "hugepages/base/counters.hpp"

#include <gtest/gtest.h>

namespace crosswire::counters_test {
namespace {

enum class Fruit : std::uint8_t { apples, pears, count_ };
using Row = CounterRow<Fruit>;
constexpr Row kApples{Fruit::apples, CounterKind::figure, "apples", "apples taken in"};
constexpr Row kPears{Fruit::pears, CounterKind::drop, "pears", "pears that are no apples"};

TEST(CounterTable, IsWholeWithARowForEachEnumeratorInOrder) {
  static_assert(is_whole(std::array{kApples, kPears}));
  static_assert(!is_whole(std::array{kApples}), "one is missing");
  static_assert(!is_whole(std::array{kPears, kApples}), "the order differs");
  static_assert(!is_whole(std::array{kApples, kPears, kPears}), "one is there twice");
  static_assert(!is_whole(std::array{kApples, Row{Fruit::pears, CounterKind::drop, "pears", ""}}), "without a meaning");
  static_assert(!is_whole(std::array{kApples, Row{Fruit::pears, CounterKind::drop, "", "pears"}}), "without a label");
}

TEST(Counters, CountEachNameForItself) {
  Counters<Fruit> counters;
  counters.add(Fruit::apples);
  counters.add(Fruit::apples, 4);
  counters.set(Fruit::pears, 7);
  EXPECT_EQ(counters.get(Fruit::apples), 5u);
  EXPECT_EQ(counters.get(Fruit::pears), 7u);
}

TEST(Counters, KeepTheValuesOfTheMomentWhenCopied) {
  Counters<Fruit> counters;
  counters.add(Fruit::pears, 2);
  const Counters<Fruit> then = counters;
  counters.add(Fruit::pears);
  EXPECT_EQ(then.get(Fruit::pears), 2u);
  EXPECT_EQ(counters.get(Fruit::pears), 3u);
}

}  // namespace
}  // namespace crosswire::counters_test
