// The placement's cores: see the header.
#include "hugepages/host/placement_cores.hpp"

#include <algorithm>
#include <utility>

namespace crosswire::placing {
namespace {

bool any_pinned(const PlacementWish& wish) {
  return std::any_of(wish.stages.begin(), wish.stages.end(), [](const auto& core) { return core.has_value(); });
}

/// Of the stages that take a core.
std::size_t pins_among_takers(const PlacementWish& wish) {
  std::size_t pins = 0;
  for (std::size_t stage = 0; stage < kStages; ++stage) pins += takes_core(stage) && wish.stages[stage] ? 1 : 0;
  return pins;
}

/// Of a stage that shares another's by default: the first of them that is pinned.
std::optional<unsigned> pinned_sharer(const PlacementWish& wish) {
  for (std::size_t stage = 0; stage < kStages; ++stage) {
    if (!takes_core(stage) && wish.stages[stage]) return wish.stages[stage];
  }
  return std::nullopt;
}

/// The stages on pinned cores and those chosen (`chosen` ascending, enough for at least one core in all). With too few,
/// stages share in this order: transmit with match, then receive with both. Receive costs the most instructions an
/// order, more than any two neighbours that could be split off instead (bench/price.tsv; tests hold this against it).
/// A stage beyond these three takes what they leave, and else shares with the one that it is behind.
Cores assign(const PlacementWish& wish, const std::vector<unsigned>& chosen) {
  Cores cores = wish.stages;
  auto next = chosen.begin();
  const auto take_or = [&](std::optional<unsigned> shared) {
    return next != chosen.end() ? std::optional(*next++) : shared;
  };
  const auto either = [](std::optional<unsigned> first, std::optional<unsigned> second) {
    return first ? first : second;
  };
  if (!cores[kReceive]) cores[kReceive] = take_or(either(either(cores[kMatch], cores[kTransmit]), pinned_sharer(wish)));
  if (!cores[kMatch]) cores[kMatch] = take_or(either(cores[kTransmit], cores[kReceive]));
  for (const StageRow& row : kStageTable) {
    std::optional<unsigned>& core = cores[index_of(row.stage)];
    if (!core) core = row.shares ? cores[index_of(*row.shares)] : take_or(cores[index_of(row.behind)]);
  }
  return cores;
}

}  // namespace

Group group_of(const HostCpu& cpu) { return {cpu.package, cpu.node, cpu.l3}; }

std::size_t wanted_cores(const PlacementWish& wish) {
  switch (wish.mode) {
    case PlacementMode::automatic:
      return kMostCores - pins_among_takers(wish);
    case PlacementMode::fused:
      return any_pinned(wish) ? 0 : 1;
    case PlacementMode::unpinned:
      break;
  }
  return 0;
}

std::optional<PlacementError> CoreChoice::run() {
  if (!check_wishes()) return error_;
  look_at_cores();
  if (!take_pins() || !give_each_one()) return error_;
  widen();
  tidy();
  return std::nullopt;
}

Cores CoreChoice::cores_of(std::size_t p) const { return assign(request_.partitions[p], parts_[p].chosen); }

int CoreChoice::nic_node(std::size_t p) const {
  const int node = request_.partitions[p].nic_node;
  return host_.node(node) == nullptr ? -1 : node;
}

std::string CoreChoice::why_no_memory(int node) const {
  std::vector<unsigned> with_memory;
  for (const HostNode& known : host_.nodes) {
    if (known.bytes > 0) with_memory.push_back(static_cast<unsigned>(known.number));
  }
  const HostNode* const found = host_.node(node);
  // Descriptions without any memory leave it out.
  if (found != nullptr && (found->bytes > 0 || with_memory.empty())) return "";
  if (with_memory.empty()) return "NUMA node " + number(node) + " does not exist; leave it out";
  return "NUMA node " + number(node) + (found == nullptr ? " does not exist" : " has no memory") + "; give one of " +
         format_cores(with_memory);
}

bool CoreChoice::same_physical_core(const HostCpu& a, const HostCpu& b) const {
  return a.number == b.number || (a.physical_core >= 0 && a.physical_core == b.physical_core);
}

bool CoreChoice::is_free(const HostCpu& candidate) const {
  if (!candidate.allowed) return false;
  return std::none_of(polled_.begin(), polled_.end(),
                      [&](const auto& used) { return same_physical_core(candidate, cpu(used.first)); });
}

std::size_t CoreChoice::width(std::size_t p) const {
  const Cores cores = assign(request_.partitions[p], parts_[p].chosen);
  std::set<std::optional<unsigned>> distinct;
  for (std::size_t stage = 0; stage < kStages; ++stage) {
    if (takes_core(stage)) distinct.insert(cores[stage]);
  }
  return distinct.size();
}

// --- errors ---

bool CoreChoice::fail(std::size_t partition, std::string key, std::string text) {
  error_ = PlacementError{partition, std::move(key), std::move(text)};
  return false;
}

std::string CoreChoice::key_of(const PlacementWish& wish, std::size_t stage) {
  const bool all = wish.mode == PlacementMode::fused && std::all_of(wish.stages.begin(), wish.stages.end(),
                                                                    [&](auto core) { return core == wish.stages[0]; });
  return all ? "placement.core" : "placement." + std::string(kStageNames[stage]);
}

std::vector<unsigned> CoreChoice::allowed() const {
  std::vector<unsigned> cores;
  for (const HostCpu& cpu : host_.cpus) {
    if (cpu.allowed) cores.push_back(cpu.number);
  }
  return cores;
}

std::string CoreChoice::why_unusable(unsigned core) const {
  const std::string give = "; give one of " + format_cores(allowed());
  if (std::binary_search(host_.offline.begin(), host_.offline.end(), core)) {
    return "core " + number(core) + " is offline" + give + ", or write 1 to /sys/devices/system/cpu/cpu" +
           number(core) + "/online";
  }
  const HostCpu* const cpu = host_.cpu(core);
  if (cpu == nullptr) return "core " + number(core) + " does not exist" + give;
  if (!cpu->allowed) {
    return "core " + number(core) + " is not one that this process may use" + give +
           ", or widen its cpuset or affinity (taskset -p)";
  }
  return "";
}

bool CoreChoice::check_wishes() {
  if (allowed().empty())
    return fail(0, "placement.mode", "there is no core that this process may use; widen its cpuset");
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    const PlacementWish& wish = request_.partitions[p];
    for (std::size_t stage = 0; stage < kStages; ++stage) {
      if (!wish.stages[stage]) continue;
      const std::string wrong = why_unusable(*wish.stages[stage]);
      if (!wrong.empty()) return fail(p, key_of(wish, stage), wrong);
      if (wish.mode == PlacementMode::unpinned) {
        return fail(p, key_of(wish, stage), "mode \"unpinned\" pins no stage; leave one of them out");
      }
      for (std::size_t before = 0; wish.mode == PlacementMode::fused && before < stage; ++before) {
        if (!wish.stages[before] || wish.stages[before] == wish.stages[stage]) continue;
        return fail(p, key_of(wish, stage), "mode \"fused\" has one core; give all stages the same, or mode \"auto\"");
      }
    }
    if (!wish.node) continue;
    if (const std::string wrong = why_no_memory(*wish.node); !wrong.empty()) return fail(p, "placement.node", wrong);
  }
  if (!request_.control) return true;
  const std::string wrong = why_unusable(*request_.control);
  return wrong.empty() || fail(0, "placement.control", wrong);
}

// --- what a core is worth ---

void CoreChoice::look_at_cores() {
  const HostCpu* first = nullptr;
  for (const HostCpu& other : host_.cpus) {
    if (other.allowed && (first == nullptr || (first->isolated && !other.isolated))) first = &other;
  }
  for (const HostCpu& other : host_.cpus) {
    const bool controls = request_.control && same_physical_core(other, cpu(*request_.control));
    if (controls || same_physical_core(other, *first)) housekeeping_.insert(other.number);
    const std::vector<unsigned> siblings = host_.siblings(other);
    const bool noisy = std::any_of(siblings.begin(), siblings.end(), [this](unsigned s) { return !cpu(s).isolated; });
    if (noisy) noisy_siblings_.insert(other.number);
  }
}

Faults CoreChoice::faults_of(std::size_t p, const HostCpu& candidate) const {
  const int nic = nic_node(p);
  return {!candidate.isolated, nic >= 0 && candidate.node != nic, candidate.efficiency, is_housekeeping(candidate)};
}

std::tuple<bool, bool, unsigned> CoreChoice::preference(const HostCpu& candidate) const {
  return {candidate.isolated && noisy_siblings_.count(candidate.number) > 0, !candidate.nohz_full, candidate.number};
}

// --- taking cores ---

void CoreChoice::poll_on(std::size_t p, unsigned core) {
  Part& part = parts_[p];
  const HostCpu& chosen = cpu(core);
  const Faults faults = faults_of(p, chosen);
  if (!part.group) part.group = group_of(chosen);
  part.faults = {part.faults.not_isolated || faults.not_isolated, part.faults.off_node || faults.off_node,
                 part.faults.efficiency || faults.efficiency, part.faults.housekeeping || faults.housekeeping};
  polled_.emplace(core, p);
}

bool CoreChoice::take_pins() {
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    // Match first: the others are placed around it.
    if (!take_pin(p, kMatch)) return false;
    for (std::size_t stage = 0; stage < kStages; ++stage) {
      if (stage != kMatch && !take_pin(p, stage)) return false;
    }
  }
  return true;
}

bool CoreChoice::take_pin(std::size_t p, std::size_t stage) {
  const PlacementWish& wish = request_.partitions[p];
  if (!wish.stages[stage]) return true;
  const unsigned core = *wish.stages[stage];
  const auto used = polled_.find(core);
  if (used != polled_.end() && used->second != p) {
    return fail(p, key_of(wish, stage),
                "core " + number(core) + " is polled by partition " + request_.partitions[used->second].name +
                    " already; give each partition cores of its own");
  }
  // Where the feed leaves, or another stage that need not have a core, says nothing of where orders should run.
  const Part before = parts_[p];
  poll_on(p, core);
  if (!takes_core(stage) && wish.mode == PlacementMode::automatic) parts_[p] = before;
  return true;
}

void CoreChoice::choose(std::size_t p, unsigned core) {
  poll_on(p, core);
  std::vector<unsigned>& chosen = parts_[p].chosen;
  chosen.insert(std::upper_bound(chosen.begin(), chosen.end(), core), core);
}

bool CoreChoice::needs_first(std::size_t p) const {
  const PlacementWish& wish = request_.partitions[p];
  return pins_among_takers(wish) == 0 && !parts_[p].group && wanted_cores(wish) > 0;
}

int CoreChoice::room_for(std::size_t p, const HostCpu& candidate, const Faults& faults) const {
  std::set<std::pair<int, unsigned>> physical;
  for (const HostCpu& other : host_.cpus) {
    if (group_of(other) != group_of(candidate) || !is_free(other) || !faults_of(p, other).within(faults)) continue;
    physical.emplace(other.physical_core, other.physical_core < 0 ? other.number : 0);
  }
  int room = static_cast<int>(physical.size());
  for (std::size_t other = 0; other < parts_.size(); ++other) {
    if (parts_[other].group != group_of(candidate)) continue;
    room -= static_cast<int>(wanted_cores(request_.partitions[other]) - parts_[other].chosen.size());
  }
  return std::min(room, static_cast<int>(wanted_cores(request_.partitions[p])));
}

bool CoreChoice::give_each_one() {
  while (true) {
    std::optional<Choice> best;
    std::optional<std::size_t> hungry;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      if (!needs_first(p)) continue;
      hungry = p;
      best_first_core(p, best);
    }
    if (!hungry) return true;
    if (best) {
      choose(best->partition, std::get<2>(best->preference));
    } else if (const auto pinned = pinned_sharer(request_.partitions[*hungry]); pinned) {
      parts_[*hungry].group = group_of(cpu(*pinned));  // the one core that there is, for all stages
    } else {
      return no_core_left(*hungry);
    }
  }
}

void CoreChoice::best_first_core(std::size_t p, std::optional<Choice>& best) const {
  std::map<std::pair<Faults, Group>, int> rooms;
  for (const HostCpu& candidate : host_.cpus) {
    if (!is_free(candidate)) continue;
    const Faults faults = faults_of(p, candidate);
    if (best && faults > best->faults) continue;
    const auto [room, unknown] = rooms.try_emplace({faults, group_of(candidate)}, 0);
    if (unknown) room->second = room_for(p, candidate, faults);
    const Choice choice{faults, nic_node(p) < 0, p, -room->second, preference(candidate)};
    if (!best || choice < *best) best = choice;
  }
}

bool CoreChoice::no_core_left(std::size_t p) {
  return fail(p, "placement.mode",
              "no core is left for it among " + format_cores(allowed()) + " for " + std::to_string(parts_.size()) +
                  " partitions, each with a physical core of its own; run fewer of them, let this process use more "
                  "cores (taskset -p), or set mode = \"unpinned\"");
}

const HostCpu* CoreChoice::another_core(std::size_t p) const {
  const Part& part = parts_[p];
  Faults limit = part.faults;
  limit.housekeeping = false;
  const HostCpu* best = nullptr;
  const auto worth = [&](const HostCpu& candidate) {
    return std::tuple(faults_of(p, candidate), preference(candidate));
  };
  for (const HostCpu& candidate : host_.cpus) {
    if (!is_free(candidate) || group_of(candidate) != *part.group) continue;
    if (!faults_of(p, candidate).within(limit)) continue;
    if (best == nullptr || worth(candidate) < worth(*best)) best = &candidate;
  }
  return best;
}

void CoreChoice::widen() {
  for (std::size_t target = 2; target <= kMostCores; ++target) {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      if (parts_[p].chosen.size() >= wanted_cores(request_.partitions[p]) || width(p) >= target) continue;
      if (const HostCpu* const found = another_core(p); found != nullptr) choose(p, found->number);
    }
  }
}

void CoreChoice::tidy() {
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    std::vector<unsigned> cores;
    std::vector<std::size_t> alike;
    for (std::size_t other = p; other < parts_.size(); ++other) {
      if (!are_alike(p, other)) continue;
      alike.push_back(other);
      cores.insert(cores.end(), parts_[other].chosen.begin(), parts_[other].chosen.end());
    }
    std::sort(cores.begin(), cores.end());
    auto next = cores.begin();
    for (const std::size_t other : alike) {
      for (unsigned& core : parts_[other].chosen) polled_[core = *next++] = other;
    }
  }
}

bool CoreChoice::are_alike(std::size_t a, std::size_t b) const {
  if (nic_node(a) != nic_node(b) || parts_[a].group != parts_[b].group) return false;
  for (const std::size_t p : {a, b}) {
    if (any_pinned(request_.partitions[p])) return false;
    for (const unsigned core : parts_[p].chosen) {
      if (faults_of(p, cpu(core)) != parts_[a].faults) return false;
    }
  }
  return true;
}

}  // namespace crosswire::placing
