// The layout of the stages over loops.
#include "app/partition/layout.hpp"

#include <gtest/gtest.h>

namespace crosswire {
namespace {

using Loops = std::array<std::size_t, kStages>;

TEST(StageLayout, IsOneLoopUnlessToldOtherwise) {
  EXPECT_EQ(StageLayout().loops(), 1u);
  EXPECT_EQ(StageLayout().loop_of, (Loops{0, 0, 0, 0}));
}

TEST(StageLayout, GivesTheFirstStagesLoopsOfTheirOwnAndTheRestTheLast) {
  EXPECT_EQ(StageLayout::over(1).loop_of, (Loops{0, 0, 0, 0}));
  EXPECT_EQ(StageLayout::over(2).loop_of, (Loops{0, 1, 1, 1}));
  EXPECT_EQ(StageLayout::over(3).loop_of, (Loops{0, 1, 2, 2}));
  EXPECT_EQ(StageLayout::over(4).loop_of, (Loops{0, 1, 2, 3}));
  for (std::size_t loops = 1; loops <= kStages; ++loops) EXPECT_EQ(StageLayout::over(loops).loops(), loops);
}

TEST(StageLayoutDeathTest, RefusesMoreLoopsThanStages) {
  EXPECT_DEATH(StageLayout::over(kStages + 1), "loops");
  EXPECT_DEATH(StageLayout::over(0), "0 loops");
}

}  // namespace
}  // namespace crosswire
