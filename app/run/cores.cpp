// The choice of cores: see the header. Set-up only.
#include "app/run/cores.hpp"

#include <algorithm>

#include "app/plan/plan.hpp"
#include "hugepages/host/topology.hpp"

namespace crosswire {

CorePlan resolve_cores(const std::vector<Config>& configs) {
  const Plan plan = make_plan(read_host(), configs);
  CorePlan cores{{}, plan.placement.control, placement_lines(plan), plan.placement.warnings, {}};
  for (const HostCpu& cpu : plan.host.cpus) {
    if (cpu.isolated) cores.isolated.push_back(cpu.number);
  }
  for (const PlacedPartition& placed : plan.placement.partitions) {
    StageCores& of_partition = cores.partitions.emplace_back();
    of_partition.node = placed.memory_node;
    if (placed.unpinned) continue;
    for (std::size_t i = 0; i < kStages; ++i) of_partition.stages[i] = placed.stages[i].core;
  }
  return cores;
}

StageLayout layout_of(const StageCores& cores) {
  StageLayout layout;
  std::size_t loops = 0;
  for (std::size_t i = 0; i < kStages; ++i) {
    const auto same = std::find(cores.stages.begin(), cores.stages.end(), cores.stages[i]);
    const auto first = static_cast<std::size_t>(same - cores.stages.begin());
    layout.loop_of[i] = first == i ? loops++ : layout.loop_of[first];
  }
  return layout;
}

}  // namespace crosswire
