// Claimed cores: see the header. Set-up only.
#include "app/run/claimed_cores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "app/run/log.hpp"

namespace crosswire {
namespace {

std::string whose(int holder) {
  return holder == 0 ? "another crosswire" : fmt::format("another crosswire (pid {})", holder);
}

std::string location_of_core(const Config& config, std::size_t stage) {
  const bool fused = config.lines.contains("placement.core");
  return location_of(config, fused ? "placement.core" : fmt::format("placement.{}", kStageNames[stage]));
}

/// Of one process: what it has claimed already is its own.
class Claiming {
 public:
  Claiming(const CorePlan& plan, bool share, const std::string& folder) : plan_(plan), share_(share), claims_(folder) {}

  void claim(const Config& config, const StageCores& cores, std::size_t stage) {
    const auto core = cores.stages[stage];
    if (!core || !seen_.insert(*core).second) return;
    const bool yields = config.placement.idle == Idle::yield;
    const CoreClaim result = claims_.claim(*core, yields ? CoreUse::shared : CoreUse::alone);
    if (!result.fault.empty()) return warn_of_fault(result.fault);
    if (!result.holder) return;
    const bool named = config.placement.stages[stage] == core;
    const bool isolated = std::binary_search(plan_.isolated.begin(), plan_.isolated.end(), *core);
    if ((named || isolated) && !yields && !share_) {
      throw std::runtime_error(
          fmt::format("{}: core {} is polled by {}; place the stage on another core, end that process, or give run "
                      "--share-cores",
                      location_of_core(config, stage), *core, whose(*result.holder)));
    }
    log_warning("another crosswire polls a core of this one; they take turns, a time slice each",
                {{"config", config.path}, {"core", *core}, {"pid", *result.holder}});
  }

  CoreClaims take() { return std::move(claims_); }

 private:
  void warn_of_fault(const std::string& fault) {
    if (!said_) log_warning("cores cannot be claimed; nobody hears that they are polled", {{"is", fault}});
    said_ = true;
  }

  const CorePlan& plan_;
  bool share_;
  bool said_ = false;
  std::set<unsigned> seen_;
  CoreClaims claims_;
};

}  // namespace

CoreClaims claim_cores(const std::vector<Config>& configs, const CorePlan& plan, bool share,
                       const std::string& folder) {
  Claiming claiming(plan, share, folder);
  for (std::size_t p = 0; p < configs.size(); ++p) {
    for (std::size_t stage = 0; stage < kStages; ++stage) claiming.claim(configs[p], plan.partitions[p], stage);
  }
  return claiming.take();
}

}  // namespace crosswire
