// Which of a partition's stages share a loop. Set-up only.
#pragma once

#include <array>
#include <cstddef>

#include "hugepages/base/stage.hpp"

namespace crosswire {

/// Loops are numbered from 0 by their first stage.
struct StageLayout {
  std::array<std::size_t, kStages> loop_of{};  // by Stage

  std::size_t loops() const;
  /// Over 1 .. kStages loops (CHECKed): each of the first stages has its own, the last loop polls what is left.
  static StageLayout over(std::size_t loops);
};

}  // namespace crosswire
