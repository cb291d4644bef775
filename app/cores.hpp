// Which core polls which stage on this host: what [placement] leaves open is decided here. Set-up only.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "app/config.hpp"

namespace crosswire {

/// A partition's cores, all there or, for mode "unpinned", none.
struct StageCores {
  std::array<std::optional<unsigned>, kStages> stages;
  int node = -1;  // NUMA node of the memory, -1 = any

  std::optional<unsigned> of(Stage stage) const { return stages[index_of(stage)]; }
};

/// Throws std::runtime_error (one line) where the configuration names a core that this process may not use.
StageCores resolve_cores(const Config& config);

/// "receive 2, match 3, transmit 4, publish 4"; "1" where all are on one; "any" without cores.
std::string format_cores(const StageCores& cores);

}  // namespace crosswire
