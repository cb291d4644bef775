// The placement rules at work: pins first, then a core for each partition, then more cores in turn. Set-up only.
#include "hugepages/placement.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace crosswire {
namespace {

enum Stage : std::size_t { kReceive, kMatch, kTransmit, kPublish };
constexpr std::size_t kStageCount = kPlacedStages.size();
constexpr std::size_t kRuleCount = kPlacementRules.size();
static_assert(static_cast<std::size_t>(PlacementRule::memory) + 1 == kRuleCount, "one text for each rule");

using Cores = std::array<std::optional<unsigned>, kStageCount>;

/// The rules that a core breaks by itself, in the order in which they count: less is better.
struct Faults {
  bool not_isolated, off_node, efficiency, housekeeping;
  auto operator<=>(const Faults&) const = default;
  /// Breaks no rule that `other` keeps.
  [[nodiscard]] bool within(const Faults& other) const {
    return not_isolated <= other.not_isolated && off_node <= other.off_node && efficiency <= other.efficiency &&
           housekeeping <= other.housekeeping;
  }
};

/// Cores between which a stage's output need not leave the level-3 cache (or, where that is not told, the node).
struct Group {
  int package, node, l3;
  auto operator<=>(const Group&) const = default;
};

Group group_of(const HostCpu& cpu) { return {cpu.package, cpu.node, cpu.l3}; }

std::string number(unsigned core) { return std::to_string(core); }
std::string number(int value) { return std::to_string(value); }

/// "a, b and c".
std::string in_words(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

/// How many cores receive, match and transmit can use beyond the pinned ones.
std::size_t wanted_cores(const PlacementWish& wish) {
  const auto pins = static_cast<std::size_t>(std::count_if(wish.stages.begin(), wish.stages.begin() + kPublish,
                                                           [](const auto& core) { return core.has_value(); }));
  switch (wish.mode) {
    case PlacementMode::automatic:
      return kPublish - pins;
    case PlacementMode::fused:
      return pins == 0 && !wish.stages[kPublish] ? 1 : 0;
    case PlacementMode::unpinned:
      break;
  }
  return 0;
}

/// The stages on pinned cores and those chosen (`chosen` ascending, enough for at least one core in all). With too few,
/// stages share in this order: transmit with match, then receive with both. Receive costs the most instructions an
/// order, more than any two neighbours that could be split off instead (bench/price.tsv; tests hold this against it).
Cores assign(const PlacementWish& wish, const std::vector<unsigned>& chosen) {
  Cores cores = wish.stages;
  auto next = chosen.begin();
  const auto take_or = [&](std::optional<unsigned> shared) {
    return next != chosen.end() ? std::optional(*next++) : shared;
  };
  if (!cores[kReceive] && !cores[kMatch] && !cores[kTransmit]) {
    cores[kReceive] = take_or(cores[kPublish]);
    cores[kMatch] = take_or(cores[kReceive]);
    cores[kTransmit] = take_or(cores[kMatch]);
  }
  if (!cores[kReceive]) cores[kReceive] = take_or(cores[kMatch] ? cores[kMatch] : cores[kTransmit]);
  if (!cores[kMatch]) cores[kMatch] = take_or(cores[kTransmit] ? cores[kTransmit] : cores[kReceive]);
  if (!cores[kTransmit]) cores[kTransmit] = take_or(cores[kMatch]);
  if (!cores[kPublish]) cores[kPublish] = cores[kTransmit];
  return cores;
}

class Placer {
 public:
  Placer(const HostTopology& host, const PlacementRequest& request)
      : host_(host), request_(request), parts_(request.partitions.size()) {}

  PlacementResult run() {
    result_.partitions.resize(parts_.size());
    if (!check_wishes()) return std::move(result_);
    look_at_cores();
    if (take_pins() && give_each_one()) {
      widen();
      tidy();
      finish();
    }
    return std::move(result_);
  }

 private:
  struct Part {
    std::vector<unsigned> chosen;  // ascending
    std::optional<Group> group;    // of its first pinned or chosen core
    Faults faults{};               // of all its cores together
  };

  // --- errors ---

  bool fail(std::size_t partition, std::string key, std::string text) {
    result_.error = PlacementError{partition, std::move(key), std::move(text)};
    return false;
  }

  /// `placement.core` stands for all four.
  static std::string key_of(const PlacementWish& wish, std::size_t stage) {
    const bool all =
        wish.mode == PlacementMode::fused &&
        std::all_of(wish.stages.begin(), wish.stages.end(), [&](auto core) { return core == wish.stages[0]; });
    return all ? "placement.core" : "placement." + std::string(kPlacedStages[stage]);
  }

  std::vector<unsigned> allowed() const {
    std::vector<unsigned> cores;
    for (const HostCpu& cpu : host_.cpus) {
      if (cpu.allowed) cores.push_back(cpu.number);
    }
    return cores;
  }

  /// "" if a thread may run there.
  std::string why_unusable(unsigned core) const {
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

  std::string why_no_memory(int node) const {
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

  bool check_wishes() {
    if (allowed().empty())
      return fail(0, "placement.mode", "there is no core that this process may use; widen its cpuset");
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      const PlacementWish& wish = request_.partitions[p];
      for (std::size_t stage = 0; stage < kStageCount; ++stage) {
        if (!wish.stages[stage]) continue;
        const std::string wrong = why_unusable(*wish.stages[stage]);
        if (!wrong.empty()) return fail(p, key_of(wish, stage), wrong);
        if (wish.mode == PlacementMode::unpinned) {
          return fail(p, key_of(wish, stage), "mode \"unpinned\" pins no stage; leave one of them out");
        }
        for (std::size_t before = 0; wish.mode == PlacementMode::fused && before < stage; ++before) {
          if (!wish.stages[before] || wish.stages[before] == wish.stages[stage]) continue;
          return fail(p, key_of(wish, stage),
                      "mode \"fused\" has one core; give all stages the same, or mode \"auto\"");
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

  /// What is asked of each core again and again. Housekeeping: the first core that is not isolated (where interrupts
  /// and the kernel's own work are), else the first, and that of control.
  void look_at_cores() {
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

  const HostCpu& cpu(unsigned core) const { return *host_.cpu(core); }

  bool same_physical_core(const HostCpu& a, const HostCpu& b) const {
    return a.number == b.number || (a.physical_core >= 0 && a.physical_core == b.physical_core);
  }

  bool is_housekeeping(const HostCpu& candidate) const { return housekeeping_.count(candidate.number) > 0; }

  int nic_node(std::size_t p) const {
    const int node = request_.partitions[p].nic_node;
    return host_.node(node) == nullptr ? -1 : node;
  }

  Faults faults_of(std::size_t p, const HostCpu& candidate) const {
    const int nic = nic_node(p);
    return {!candidate.isolated, nic >= 0 && candidate.node != nic, candidate.efficiency, is_housekeeping(candidate)};
  }

  /// Neither polled nor the sibling of a core that is.
  bool is_free(const HostCpu& candidate) const {
    if (!candidate.allowed) return false;
    return std::none_of(polled_.begin(), polled_.end(),
                        [&](const auto& used) { return same_physical_core(candidate, cpu(used.first)); });
  }

  /// Among equals: rather one whose siblings are isolated too, whose timer stops, of a lower number.
  std::tuple<bool, bool, unsigned> preference(const HostCpu& candidate) const {
    return {candidate.isolated && noisy_siblings_.count(candidate.number) > 0, !candidate.nohz_full, candidate.number};
  }

  // --- taking cores ---

  void poll_on(std::size_t p, unsigned core) {
    Part& part = parts_[p];
    const HostCpu& taken = cpu(core);
    const Faults faults = faults_of(p, taken);
    if (!part.group) part.group = group_of(taken);
    part.faults = {part.faults.not_isolated || faults.not_isolated, part.faults.off_node || faults.off_node,
                   part.faults.efficiency || faults.efficiency, part.faults.housekeeping || faults.housekeeping};
    polled_.emplace(core, p);
  }

  bool take_pins() {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      const PlacementWish& wish = request_.partitions[p];
      // Match first: the others are placed around it.
      for (const std::size_t stage : {kMatch, kReceive, kTransmit, kPublish}) {
        if (!wish.stages[stage]) continue;
        const unsigned core = *wish.stages[stage];
        const auto used = polled_.find(core);
        if (used != polled_.end() && used->second != p) {
          return fail(p, key_of(wish, stage),
                      "core " + number(core) + " is polled by partition " + request_.partitions[used->second].name +
                          " already; give each partition cores of its own");
        }
        // Where the feed leaves says nothing of where orders should run.
        const Part before = parts_[p];
        poll_on(p, core);
        if (stage == kPublish && wish.mode == PlacementMode::automatic) parts_[p] = before;
      }
    }
    return true;
  }

  void choose(std::size_t p, unsigned core) {
    poll_on(p, core);
    std::vector<unsigned>& chosen = parts_[p].chosen;
    chosen.insert(std::upper_bound(chosen.begin(), chosen.end(), core), core);
  }

  bool needs_first(std::size_t p) const {
    const PlacementWish& wish = request_.partitions[p];
    const bool none = !wish.stages[kReceive] && !wish.stages[kMatch] && !wish.stages[kTransmit];
    return none && !parts_[p].group && wanted_cores(wish) > 0;
  }

  /// How many of the cores that `p` wants its group would leave it, once those that are there already have theirs.
  int room_for(std::size_t p, const HostCpu& candidate, const Faults& faults) const {
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

  /// A core for each partition, the one first that breaks the fewest rules. Among equals a partition that knows its
  /// NIC goes before one to which all nodes are alike, and cores in a group with room for the rest come first.
  bool give_each_one() {
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
      } else if (const auto& publish = request_.partitions[*hungry].stages[kPublish]; publish) {
        parts_[*hungry].group = group_of(cpu(*publish));  // the one core that there is, for all stages
      } else {
        return no_core_left(*hungry);
      }
    }
  }

  /// In the order in which it is compared.
  struct Choice {
    Faults faults;
    bool any_node;
    std::size_t partition;
    int missing_room;
    std::tuple<bool, bool, unsigned> preference;
    auto operator<=>(const Choice&) const = default;
  };

  void best_first_core(std::size_t p, std::optional<Choice>& best) const {
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

  bool no_core_left(std::size_t p) {
    return fail(p, "placement.mode",
                "no core is left for it among " + format_cores(allowed()) + " for " + std::to_string(parts_.size()) +
                    " partitions, each with a physical core of its own; run fewer of them, let this process use more "
                    "cores (taskset -p), or set mode = \"unpinned\"");
  }

  /// The best core that breaks no rule which the partition keeps so far.
  const HostCpu* another_core(std::size_t p) const {
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

  std::size_t width(std::size_t p) const {
    const Cores cores = assign(request_.partitions[p], parts_[p].chosen);
    return std::set<std::optional<unsigned>>(cores.begin(), cores.begin() + kPublish).size();
  }

  /// In turn, so that all have two cores before one has three.
  void widen() {
    for (std::size_t target = 2; target <= kPublish; ++target) {
      for (std::size_t p = 0; p < parts_.size(); ++p) {
        if (parts_[p].chosen.size() >= wanted_cores(request_.partitions[p]) || width(p) >= target) continue;
        if (const HostCpu* const found = another_core(p); found != nullptr) choose(p, found->number);
      }
    }
  }

  /// Partitions to which the same cores are alike took them in turn; now each gets neighbours.
  void tidy() {
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

  /// Neither has pins, and each core of either would do for the other just as well.
  bool are_alike(std::size_t a, std::size_t b) const {
    if (nic_node(a) != nic_node(b) || parts_[a].group != parts_[b].group) return false;
    for (const std::size_t p : {a, b}) {
      const auto& stages = request_.partitions[p].stages;
      if (std::any_of(stages.begin(), stages.end(), [](const auto& core) { return core.has_value(); })) return false;
      for (const unsigned core : parts_[p].chosen) {
        if (faults_of(p, cpu(core)) != parts_[a].faults) return false;
      }
    }
    return true;
  }

  // --- saying it ---

  void finish() {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      if (request_.partitions[p].mode == PlacementMode::unpinned) {
        finish_unpinned(p);
      } else {
        finish_stages(p);
      }
    }
    finish_control();
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      result_.partitions[p].kept.fill(true);
      if (!result_.partitions[p].unpinned) check_rules(p);
    }
  }

  void finish_unpinned(std::size_t p) {
    PlacedPartition& placed = result_.partitions[p];
    placed.unpinned = true;
    placed.shape = "one thread for all stages, wherever the operating system puts it";
    placed.memory_node = request_.partitions[p].node.value_or(nic_node(p));
    if (why_no_memory(placed.memory_node) != "") placed.memory_node = -1;
    placed.memory_why = request_.partitions[p].node ? "as configured"
                        : placed.memory_node >= 0   ? "the NIC's node"
                                                    : "wherever the kernel puts it";
  }

  void finish_stages(std::size_t p) {
    const PlacementWish& wish = request_.partitions[p];
    PlacedPartition& placed = result_.partitions[p];
    const Cores cores = assign(wish, parts_[p].chosen);
    for (std::size_t stage = 0; stage < kStageCount; ++stage) {
      const HostCpu& at = cpu(*cores[stage]);
      PlacedStage& out = placed.stages[stage];
      out = {at.number, at.node, at.l3, wish.stages[stage].has_value(), {}, why(p, stage, cores)};
      for (const unsigned sibling : host_.siblings(at)) {
        if (polled_.count(sibling) == 0) out.idle_siblings.push_back(sibling);
      }
    }
    placed.shape = shape(p, cores);
    place_memory(p);
  }

  std::string why(std::size_t p, std::size_t stage, const Cores& cores) const {
    if (request_.partitions[p].stages[stage]) return "pinned";
    if (stage == kPublish && cores[kPublish] == cores[kTransmit]) return "shares transmit's core by default";
    for (std::size_t before = 0; before < stage; ++before) {
      if (cores[before] == cores[stage]) return "shares " + std::string(kPlacedStages[before]) + "'s core";
    }
    for (std::size_t other = stage + 1; other < kPublish; ++other) {
      const bool pinned = request_.partitions[p].stages[other].has_value();
      if (pinned && cores[other] == cores[stage]) return "shares " + std::string(kPlacedStages[other]) + "'s core";
    }
    const HostCpu& at = cpu(*cores[stage]);
    std::vector<std::string> words = {at.isolated ? "isolated" : "free"};
    if (at.nohz_full) words.back() += ", nohz_full";
    if (nic_node(p) >= 0) words.push_back(at.node == nic_node(p) ? "on the NIC's node" : "not on the NIC's node");
    if (is_hybrid()) words.push_back(at.efficiency ? "an efficiency core" : "a performance core");
    if (at.l3 >= 0 && width(p) > 1) words.push_back("L3 group " + number(at.l3));
    if (is_housekeeping(at)) words.push_back("no other core is left");
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
  }

  bool is_hybrid() const {
    return std::any_of(host_.cpus.begin(), host_.cpus.end(), [](const HostCpu& cpu) { return cpu.efficiency; });
  }

  /// "2 cores: receive | match+transmit+publish; ...".
  std::string shape(std::size_t p, const Cores& cores) const {
    const std::set<std::optional<unsigned>> distinct(cores.begin(), cores.end());
    std::string text = std::to_string(distinct.size()) + (distinct.size() == 1 ? " core: " : " cores: ");
    for (std::size_t stage = 0; stage < kStageCount; ++stage) {
      if (stage > 0) text += cores[stage] == cores[stage - 1] ? "+" : " | ";
      text += kPlacedStages[stage];
    }
    const PlacementWish& wish = request_.partitions[p];
    if (wish.mode == PlacementMode::fused) return text + "; mode \"fused\"";
    if (parts_[p].chosen.size() >= wanted_cores(wish)) return text;
    return text + "; " + why_no_more(p) + (width(p) == 2 && parts_[p].chosen.size() == 2 ? "; receive costs most" : "");
  }

  /// What a further core would have had to be.
  std::string why_no_more(std::size_t p) const {
    const Part& part = parts_[p];
    std::string text = "no other free";
    if (!part.faults.not_isolated) text += " isolated";
    if (!part.faults.efficiency && is_hybrid()) text += " performance";
    text += " core";
    if (part.group->l3 >= 0) {
      text += " in L3 group " + number(part.group->l3);
    } else if (part.group->node >= 0) {
      text += " on node " + number(part.group->node);
    }
    return text;
  }

  void place_memory(std::size_t p) {
    PlacedPartition& placed = result_.partitions[p];
    const PlacedStage& match = placed.stages[kMatch];
    if (request_.partitions[p].node) {
      placed.memory_node = *request_.partitions[p].node;
      placed.memory_why = "as configured";
      return;
    }
    placed.memory_node = match.node;
    placed.memory_why = "the node of match's core";
    if (match.node < 0 || why_no_memory(match.node).empty()) return;
    placed.memory_node = -1;
    for (auto node = host_.nodes.rbegin(); node != host_.nodes.rend(); ++node) {
      if (node->bytes > 0) placed.memory_node = node->number;
    }
    placed.memory_why = "the first node with memory, as match's has none";
  }

  /// Of two allowed cores, which is rather control's.
  auto control_preference(const HostCpu& candidate) const {
    return std::tuple(polled_.count(candidate.number) > 0, !is_free(candidate), candidate.isolated, candidate.number);
  }

  void finish_control() {
    for (const HostCpu& candidate : host_.cpus) {
      if (is_free(candidate)) result_.housekeeping.push_back(candidate.number);
    }
    if (request_.control) {
      result_.control = request_.control;
      result_.control_why = "as configured";
      return;
    }
    if (polled_.empty()) {
      result_.control_why = "wherever the operating system puts it: no stage is pinned";
      return;
    }
    const HostCpu* best = nullptr;
    for (const HostCpu& candidate : host_.cpus) {
      if (!candidate.allowed) continue;
      if (best == nullptr || control_preference(candidate) < control_preference(*best)) best = &candidate;
    }
    result_.control = best->number;
    result_.control_why = polled_.count(best->number) > 0 ? "shared with a polling stage: there is no other core"
                          : !is_free(*best)               ? "the sibling of a polling core: there is no other core"
                                                          : "the first core on which nothing polls";
  }

  // --- which rules hold ---

  void broken(std::size_t p, PlacementRule rule, std::string text) {
    result_.partitions[p].kept[static_cast<std::size_t>(rule)] = false;
    result_.warnings.push_back({p, rule, std::move(text)});
  }

  struct Offence {
    std::string who;  // "match's core 3 and publish's core 4"
    bool pinned;      // all of them by the request
  };

  /// The cores of a partition that break a rule by themselves.
  template <class Breaks>
  std::optional<Offence> offence(std::size_t p, Breaks breaks) const {
    std::vector<std::string> words;
    std::set<unsigned> seen;
    bool pinned = true;
    for (std::size_t stage = 0; stage < kStageCount; ++stage) {
      const PlacedStage& placed = result_.partitions[p].stages[stage];
      if (!breaks(cpu(placed.core))) continue;
      if (!placed.pinned && stage != kPublish) pinned = false;
      if (!seen.insert(placed.core).second) continue;
      words.push_back(std::string(kPlacedStages[stage]) + "'s core " + number(placed.core));
    }
    if (words.empty()) return std::nullopt;
    return Offence{in_words(words), pinned};
  }

  static std::string are(const Offence& offence) {
    return offence.who.find(" and ") == std::string::npos ? " is " : " are ";
  }

  bool any_allowed(bool (*is)(const HostCpu&)) const {
    return std::any_of(host_.cpus.begin(), host_.cpus.end(), [is](const HostCpu& c) { return c.allowed && is(c); });
  }

  void check_rules(std::size_t p) {
    check_siblings(p);
    if (const auto bad = offence(p, [](const HostCpu& c) { return !c.isolated; })) {
      const bool any = any_allowed([](const HostCpu& c) { return c.isolated; });
      broken(p, PlacementRule::isolated,
             bad->who + are(*bad) + "not isolated: " +
                 (bad->pinned ? "pinned there"
                  : any       ? "no suitable isolated core is left"
                              : "no core that this process may use is"));
    }
    check_nic_node(p);
    check_l3(p);
    if (const auto bad = offence(p, [](const HostCpu& c) { return c.efficiency; })) {
      broken(p, PlacementRule::performance,
             bad->who + are(*bad) +
                 "slow (efficiency): " + (bad->pinned ? "pinned there" : "no suitable performance core is left"));
    }
    check_housekeeping(p);
    check_memory(p);
  }

  void check_siblings(std::size_t p) {
    std::vector<std::string> words;
    std::set<unsigned> seen;
    for (std::size_t stage = 0; stage < kStageCount; ++stage) {
      const unsigned core = result_.partitions[p].stages[stage].core;
      if (!seen.insert(core).second) continue;
      for (const unsigned sibling : host_.siblings(cpu(core))) {
        const auto used = polled_.find(sibling);
        if (used == polled_.end() || seen.count(sibling) > 0) continue;
        const std::string whose = used->second == p ? "" : " of partition " + request_.partitions[used->second].name;
        words.push_back(std::string(kPlacedStages[stage]) + "'s core " + number(core) + " and core " + number(sibling) +
                        whose);
      }
    }
    if (!words.empty()) broken(p, PlacementRule::siblings, in_words(words) + " are SMT siblings: pinned there");
  }

  void check_nic_node(std::size_t p) {
    const int asked = request_.partitions[p].nic_node;
    const int nic = nic_node(p);
    if (asked >= 0 && nic < 0) {
      return broken(p, PlacementRule::nic_node, "the NIC's node " + number(asked) + " is not in this topology");
    }
    if (nic < 0) return;
    if (const auto bad = offence(p, [nic](const HostCpu& c) { return c.node != nic; })) {
      broken(p, PlacementRule::nic_node,
             bad->who + are(*bad) + "not on the NIC's node " + number(nic) + ": " +
                 (bad->pinned ? "pinned there" : "no suitable core is left on it"));
    }
  }

  void check_l3(std::size_t p) {
    const auto& stages = result_.partitions[p].stages;
    const auto away = [&](std::size_t stage) {
      return group_of(cpu(stages[stage].core)) != group_of(cpu(stages[kMatch].core));
    };
    std::vector<std::string> words;
    for (const std::size_t stage : {kReceive, kTransmit}) {
      if (away(stage)) words.push_back(std::string(kPlacedStages[stage]) + "'s core " + number(stages[stage].core));
    }
    if (words.empty()) return;
    broken(p, PlacementRule::one_l3,
           in_words(words) + " and match's core " + number(stages[kMatch].core) +
               " have no level-3 cache in common: pinned there");
  }

  void check_housekeeping(std::size_t p) {
    if (const auto bad = offence(p, [this](const HostCpu& c) { return is_housekeeping(c); })) {
      return broken(
          p, PlacementRule::housekeeping,
          bad->who + are(*bad) + "for what does not poll: " + (bad->pinned ? "pinned there" : "no other core is left"));
    }
    // Then control was left without a core of its own.
    if (!result_.control) return;
    if (const auto bad =
            offence(p, [this](const HostCpu& c) { return same_physical_core(c, cpu(*result_.control)); })) {
      broken(
          p, PlacementRule::housekeeping,
          bad->who + are(*bad) + "shared with control's core " + number(*result_.control) + ": no other core is left");
    }
  }

  void check_memory(std::size_t p) {
    const PlacedPartition& placed = result_.partitions[p];
    const int match = placed.stages[kMatch].node;
    if (match < 0 || placed.memory_node == match) return;
    broken(p, PlacementRule::memory,
           "memory is on node " + number(placed.memory_node) + ", match runs on node " + number(match) + ": " +
               placed.memory_why);
  }

  const HostTopology& host_;
  const PlacementRequest& request_;
  std::vector<Part> parts_;
  std::set<unsigned> housekeeping_;         // cores that are better not polled on
  std::set<unsigned> noisy_siblings_;       // cores with a sibling that is not isolated
  std::map<unsigned, std::size_t> polled_;  // core -> partition
  PlacementResult result_;
};

}  // namespace

PlacementResult place(const HostTopology& host, const PlacementRequest& request) { return Placer(host, request).run(); }

std::vector<unsigned> polling_cores(const PlacedPartition& partition) {
  if (partition.unpinned) return {};
  std::set<unsigned> cores;
  for (const PlacedStage& stage : partition.stages) cores.insert(stage.core);
  return {cores.begin(), cores.end()};
}

}  // namespace crosswire
