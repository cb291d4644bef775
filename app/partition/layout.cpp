// The layout of the stages: see the header.
#include "app/partition/layout.hpp"

#include <algorithm>

#include "hugepages/base/check.hpp"

namespace crosswire {

std::size_t StageLayout::loops() const { return *std::max_element(loop_of.begin(), loop_of.end()) + 1; }

StageLayout StageLayout::over(std::size_t loops) {
  CHECK(loops >= 1 && loops <= kStages, "%zu loops", loops);
  StageLayout layout;
  for (std::size_t i = 0; i < kStages; ++i) layout.loop_of[i] = std::min(i, loops - 1);
  return layout;
}

}  // namespace crosswire
