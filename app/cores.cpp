// The choice of cores: see the header. Set-up only.
#include "app/cores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "hugepages/topology.hpp"

namespace crosswire {
namespace {

/// A key whose value is not of this host. `core` stands for all four stages.
std::string key_of(const Config& config, std::size_t stage) {
  return fmt::format("placement.{}", config.lines.contains("placement.core") ? "core" : kStageNames[stage]);
}

void check_allowed(const Config& config) {
  const std::vector<unsigned>& allowed = allowed_cores();
  for (std::size_t i = 0; i < kStages; ++i) {
    const auto core = config.placement.stages[i];
    if (!core || std::find(allowed.begin(), allowed.end(), *core) != allowed.end()) continue;
    throw std::runtime_error(
        fmt::format("{}: {} is not a core that this process may use; give one of {} .. {}, or see taskset -p",
                    place_of(config, key_of(config, i)), *core, allowed.front(), allowed.back()));
  }
}

/// Core 0 has the operating system's own work.
unsigned highest_core() { return allowed_cores().back(); }

}  // namespace

StageCores resolve_cores(const Config& config) {
  check_allowed(config);
  const PlacementConfig& placement = config.placement;
  StageCores cores{placement.stages};
  if (placement.mode != PlacementMode::unpinned) {
    // A stage without a core of its own joins the one before it; the first ones join the first that has one.
    const auto first =
        std::find_if(cores.stages.begin(), cores.stages.end(), [](auto core) { return core.has_value(); });
    std::optional<unsigned> before = first == cores.stages.end() ? highest_core() : *first;
    for (auto& core : cores.stages) before = core = core ? core : before;
  }
  const auto match = cores.of(Stage::match);
  cores.node = placement.node ? *placement.node : match ? node_of_core(*match) : -1;
  return cores;
}

std::string format_cores(const StageCores& cores) {
  if (!cores.stages[0]) return "any";
  const bool one = std::all_of(cores.stages.begin(), cores.stages.end(), [&](auto c) { return c == cores.stages[0]; });
  if (one) return fmt::format("{}", *cores.stages[0]);
  std::string text;
  for (std::size_t i = 0; i < kStages; ++i) {
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", kStageNames[i], cores.stages[i].value());
  }
  return text;
}

}  // namespace crosswire
