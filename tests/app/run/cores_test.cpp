// The cores of `run`: the layout that they make.
#include "app/run/cores.hpp"

#include <gtest/gtest.h>

namespace crosswire {
namespace {

TEST(Cores, GiveStagesOfOneCoreOneLoop) {
  const auto layout = [](std::array<std::optional<unsigned>, kStages> cores) { return layout_of({cores}).loop_of; };
  using Loops = std::array<std::size_t, kStages>;
  EXPECT_EQ(layout({5, 5, 5, 5}), (Loops{0, 0, 0, 0}));
  EXPECT_EQ(layout({}), (Loops{0, 0, 0, 0}));
  EXPECT_EQ(layout({7, 2, 7, 2}), (Loops{0, 1, 0, 1}));
  EXPECT_EQ(layout({4, 3, 2, 2}), (Loops{0, 1, 2, 2}));
  EXPECT_EQ(layout({1, 2, 3, 4}), (Loops{0, 1, 2, 3}));
}

}  // namespace
}  // namespace crosswire
