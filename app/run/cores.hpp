// Which core polls which stage on this host, as app/plan/plan decides it, in the form in which `run` uses it. Set-up
// only.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/partition/layout.hpp"
#include "hugepages/base/stage.hpp"
#include "hugepages/host/placement.hpp"

namespace crosswire {

/// A partition's cores, all there or, for mode "unpinned", none.
struct StageCores {
  std::array<std::optional<unsigned>, kStages> stages;
  int node = -1;  // NUMA node of the memory, -1 = any

  std::optional<unsigned> of(Stage stage) const { return stages[index_of(stage)]; }
};

/// Of a process: its partitions', in the order of their configurations, and that of the threads that do not poll.
struct CorePlan {
  std::vector<StageCores> partitions;
  std::optional<unsigned> control;  // none where no thread has a core of its own
  std::string text;                 // for the start: a line for each stage with its reason, one for each warning
  std::vector<PlacementWarning> warnings;
  std::vector<unsigned> isolated;  // cores of this host, ascending
};

/// What make_plan() says of this host, so what `crosswire plan` shows. Throws std::runtime_error (one line) where a
/// configuration names a core that this process may not use or that another partition polls on, or where there are too
/// few cores.
CorePlan resolve_cores(const std::vector<Config>& configs);

/// The stages that share a core share a loop.
StageLayout layout_of(const StageCores& cores);

}  // namespace crosswire
