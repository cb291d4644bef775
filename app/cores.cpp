// The choice of cores: see the header. Set-up only.
#include "app/cores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "hugepages/topology.hpp"

namespace crosswire {
namespace {

/// A key whose value is not of this host. `core` stands for all four stages.
std::string key_of(const Config& config, std::size_t stage) {
  return fmt::format("placement.{}", config.lines.contains("placement.core") ? "core" : kStageNames[stage]);
}

[[noreturn]] void reject(const Config& config, const std::string& key, unsigned core, std::string_view what) {
  throw std::runtime_error(fmt::format("{}: {} {}", place_of(config, key), core, what));
}

void check_allowed(const Config& config, const std::string& key, std::optional<unsigned> core) {
  const std::vector<unsigned>& allowed = allowed_cores();
  if (!core || std::find(allowed.begin(), allowed.end(), *core) != allowed.end()) return;
  reject(config, key, *core,
         fmt::format("is not a core that this process may use; give one of {} .. {}, or see taskset -p",
                     allowed.front(), allowed.back()));
}

/// Who polls on a core, by what the configurations say and what was given out.
using Owners = std::map<unsigned, const Config*>;

void take_named_cores(Owners& owners, const Config& config) {
  for (std::size_t i = 0; i < kStages; ++i) {
    const auto core = config.placement.stages[i];
    if (!core) continue;
    check_allowed(config, key_of(config, i), core);
    const Config* const owner = owners.emplace(*core, &config).first->second;
    if (owner == &config) continue;
    reject(config, key_of(config, i), *core,
           fmt::format("polls for {} already; give each partition cores of its own", owner->path));
  }
}

/// The highest one that is free; core 0, where the operating system has its own work, only if the process has no other.
unsigned take_free_core(Owners& owners, const Config& config) {
  const std::vector<unsigned>& allowed = allowed_cores();
  for (auto core = allowed.rbegin(); core != allowed.rend(); ++core) {
    if (*core == 0 && allowed.size() > 1) continue;
    if (owners.emplace(*core, &config).second) return *core;
  }
  throw std::runtime_error(
      fmt::format("{}: no core is left for it; give the process more cores, or mode = \"unpinned\"",
                  place_of(config, "placement")));
}

StageCores resolve(Owners& owners, const Config& config) {
  const PlacementConfig& placement = config.placement;
  StageCores cores{placement.stages};
  if (placement.mode != PlacementMode::unpinned) {
    // A stage without a core of its own joins the one before it; the first ones join the first that has one.
    const auto first =
        std::find_if(cores.stages.begin(), cores.stages.end(), [](auto core) { return core.has_value(); });
    std::optional<unsigned> before = first == cores.stages.end() ? take_free_core(owners, config) : *first;
    for (auto& core : cores.stages) before = core = core ? core : before;
  }
  const auto match = cores.of(Stage::match);
  cores.node = placement.node ? *placement.node : match ? node_of_core(*match) : -1;
  return cores;
}

/// What the configurations say, else the first core that nobody polls on, else the first.
std::optional<unsigned> resolve_control(const Owners& owners, const std::vector<Config>& configs) {
  std::optional<unsigned> control;
  for (const Config& config : configs) {
    const auto wanted = config.placement.control;
    check_allowed(config, "placement.control", wanted);
    if (wanted && control && *wanted != *control) {
      reject(config, "placement.control", *wanted,
             fmt::format("and {} elsewhere; a process has one control core", *control));
    }
    if (wanted) control = wanted;
  }
  if (control || owners.empty()) return control;
  const std::vector<unsigned>& allowed = allowed_cores();
  const auto free = std::find_if(allowed.begin(), allowed.end(), [&](unsigned core) { return !owners.contains(core); });
  return free == allowed.end() ? allowed.front() : *free;
}

}  // namespace

CorePlan resolve_cores(const std::vector<Config>& configs) {
  Owners owners;
  CorePlan plan;
  for (const Config& config : configs) take_named_cores(owners, config);
  for (const Config& config : configs) plan.partitions.push_back(resolve(owners, config));
  plan.control = resolve_control(owners, configs);
  return plan;
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
