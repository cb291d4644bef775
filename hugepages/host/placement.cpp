// A placement: the cores that its choice has taken, in words, and which rules hold of them. Set-up only.
#include "hugepages/host/placement.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "hugepages/host/placement_cores.hpp"

namespace crosswire {
namespace {

using namespace placing;

constexpr std::size_t kRuleCount = kPlacementRules.size();
static_assert(static_cast<std::size_t>(PlacementRule::memory) + 1 == kRuleCount, "one text for each rule");

/// "a, b and c".
std::string in_words(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

/// Says what the choice has taken, and what of it breaks a rule.
class Description {
 public:
  Description(const HostTopology& host, const PlacementRequest& request, const CoreChoice& choice)
      : host_(host), request_(request), choice_(choice) {
    result_.partitions.resize(request.partitions.size());
  }

  PlacementResult describe() {
    for (std::size_t p = 0; p < request_.partitions.size(); ++p) {
      if (request_.partitions[p].mode == PlacementMode::unpinned) {
        finish_unpinned(p);
      } else {
        finish_stages(p);
      }
    }
    finish_control();
    for (std::size_t p = 0; p < request_.partitions.size(); ++p) {
      result_.partitions[p].kept.fill(true);
      if (!result_.partitions[p].unpinned) check_rules(p);
    }
    return std::move(result_);
  }

 private:
  void finish_unpinned(std::size_t p) {
    PlacedPartition& placed = result_.partitions[p];
    placed.unpinned = true;
    placed.shape = "one thread for all stages, wherever the operating system puts it";
    placed.memory_node = request_.partitions[p].node.value_or(choice_.nic_node(p));
    if (choice_.why_no_memory(placed.memory_node) != "") placed.memory_node = -1;
    placed.memory_why = request_.partitions[p].node ? "as configured"
                        : placed.memory_node >= 0   ? "the NIC's node"
                                                    : "wherever the kernel puts it";
  }

  void finish_stages(std::size_t p) {
    const PlacementWish& wish = request_.partitions[p];
    PlacedPartition& placed = result_.partitions[p];
    const Cores cores = choice_.cores_of(p);
    for (std::size_t stage = 0; stage < kStages; ++stage) {
      const HostCpu& at = choice_.cpu(*cores[stage]);
      PlacedStage& out = placed.stages[stage];
      out = {at.number, at.node, at.l3, wish.stages[stage].has_value(), {}, why(p, stage, cores)};
      for (const unsigned sibling : host_.siblings(at)) {
        if (choice_.polled().count(sibling) == 0) out.idle_siblings.push_back(sibling);
      }
    }
    placed.shape = shape(p, cores);
    place_memory(p);
  }

  std::string why(std::size_t p, std::size_t stage, const Cores& cores) const {
    if (request_.partitions[p].stages[stage]) return "pinned";
    if (const auto with = kStageTable[stage].shares; with && cores[stage] == cores[index_of(*with)]) {
      return "shares " + std::string(row_of(*with).name) + "'s core by default";
    }
    for (std::size_t before = 0; before < stage; ++before) {
      if (cores[before] == cores[stage]) return "shares " + std::string(kStageNames[before]) + "'s core";
    }
    for (std::size_t other = stage + 1; other < kStages; ++other) {
      const bool pinned = takes_core(other) && request_.partitions[p].stages[other].has_value();
      if (pinned && cores[other] == cores[stage]) return "shares " + std::string(kStageNames[other]) + "'s core";
    }
    const HostCpu& at = choice_.cpu(*cores[stage]);
    std::vector<std::string> words = {at.isolated ? "isolated" : "free"};
    if (at.nohz_full) words.back() += ", nohz_full";
    if (choice_.nic_node(p) >= 0)
      words.push_back(at.node == choice_.nic_node(p) ? "on the NIC's node" : "not on the NIC's node");
    if (is_hybrid()) words.push_back(at.efficiency ? "an efficiency core" : "a performance core");
    if (at.l3 >= 0 && choice_.width(p) > 1) words.push_back("L3 group " + number(at.l3));
    if (choice_.is_housekeeping(at)) words.push_back("no other core is left");
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
    for (std::size_t stage = 0; stage < kStages; ++stage) {
      if (stage > 0) text += cores[stage] == cores[stage - 1] ? "+" : " | ";
      text += kStageNames[stage];
    }
    const PlacementWish& wish = request_.partitions[p];
    if (wish.mode == PlacementMode::fused) return text + "; mode \"fused\"";
    if (choice_.part(p).chosen.size() >= wanted_cores(wish)) return text;
    return text + "; " + why_no_more(p) +
           (choice_.width(p) == 2 && choice_.part(p).chosen.size() == 2 ? "; receive costs most" : "");
  }

  /// What a further core would have had to be.
  std::string why_no_more(std::size_t p) const {
    const CoreChoice::Part& part = choice_.part(p);
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
    if (match.node < 0 || choice_.why_no_memory(match.node).empty()) return;
    placed.memory_node = -1;
    for (auto node = host_.nodes.rbegin(); node != host_.nodes.rend(); ++node) {
      if (node->bytes > 0) placed.memory_node = node->number;
    }
    placed.memory_why = "the first node with memory, as match's has none";
  }

  /// Of two allowed cores, which is rather control's.
  auto control_preference(const HostCpu& candidate) const {
    return std::tuple(choice_.polled().count(candidate.number) > 0, !choice_.is_free(candidate), candidate.isolated,
                      candidate.number);
  }

  void finish_control() {
    for (const HostCpu& candidate : host_.cpus) {
      if (choice_.is_free(candidate)) result_.housekeeping.push_back(candidate.number);
    }
    if (request_.control) {
      result_.control = request_.control;
      result_.control_why = "as configured";
      return;
    }
    if (choice_.polled().empty()) {
      result_.control_why = "wherever the operating system puts it: no stage is pinned";
      return;
    }
    const HostCpu* best = nullptr;
    for (const HostCpu& candidate : host_.cpus) {
      if (!candidate.allowed) continue;
      if (best == nullptr || control_preference(candidate) < control_preference(*best)) best = &candidate;
    }
    result_.control = best->number;
    result_.control_why = choice_.polled().count(best->number) > 0
                              ? "shared with a polling stage: there is no other core"
                          : !choice_.is_free(*best) ? "the sibling of a polling core: there is no other core"
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
    for (std::size_t stage = 0; stage < kStages; ++stage) {
      const PlacedStage& placed = result_.partitions[p].stages[stage];
      if (!breaks(choice_.cpu(placed.core))) continue;
      if (!placed.pinned && takes_core(stage)) pinned = false;
      if (!seen.insert(placed.core).second) continue;
      words.push_back(std::string(kStageNames[stage]) + "'s core " + number(placed.core));
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
    for (std::size_t stage = 0; stage < kStages; ++stage) {
      const unsigned core = result_.partitions[p].stages[stage].core;
      if (!seen.insert(core).second) continue;
      for (const unsigned sibling : host_.siblings(choice_.cpu(core))) {
        const auto used = choice_.polled().find(sibling);
        if (used == choice_.polled().end() || seen.count(sibling) > 0) continue;
        const std::string whose = used->second == p ? "" : " of partition " + request_.partitions[used->second].name;
        words.push_back(std::string(kStageNames[stage]) + "'s core " + number(core) + " and core " + number(sibling) +
                        whose);
      }
    }
    if (!words.empty()) broken(p, PlacementRule::siblings, in_words(words) + " are SMT siblings: pinned there");
  }

  void check_nic_node(std::size_t p) {
    const int asked = request_.partitions[p].nic_node;
    const int nic = choice_.nic_node(p);
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
      return group_of(choice_.cpu(stages[stage].core)) != group_of(choice_.cpu(stages[kMatch].core));
    };
    std::vector<std::string> words;
    for (const std::size_t stage : {kReceive, kTransmit}) {
      if (away(stage)) words.push_back(std::string(kStageNames[stage]) + "'s core " + number(stages[stage].core));
    }
    if (words.empty()) return;
    broken(p, PlacementRule::one_l3,
           in_words(words) + " and match's core " + number(stages[kMatch].core) +
               " have no level-3 cache in common: pinned there");
  }

  void check_housekeeping(std::size_t p) {
    if (const auto bad = offence(p, [this](const HostCpu& c) { return choice_.is_housekeeping(c); })) {
      return broken(
          p, PlacementRule::housekeeping,
          bad->who + are(*bad) + "for what does not poll: " + (bad->pinned ? "pinned there" : "no other core is left"));
    }
    // Then control was left without a core of its own.
    if (!result_.control) return;
    if (const auto bad = offence(
            p, [this](const HostCpu& c) { return choice_.same_physical_core(c, choice_.cpu(*result_.control)); })) {
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
  const CoreChoice& choice_;
  PlacementResult result_;
};

}  // namespace

PlacementResult place(const HostTopology& host, const PlacementRequest& request) {
  CoreChoice choice(host, request);
  if (auto error = choice.run()) {
    PlacementResult result;
    result.error = std::move(error);
    result.partitions.resize(request.partitions.size());
    return result;
  }
  return Description(host, request, choice).describe();
}

std::vector<unsigned> polling_cores(const PlacedPartition& partition) {
  if (partition.unpinned) return {};
  std::set<unsigned> cores;
  for (const PlacedStage& stage : partition.stages) cores.insert(stage.core);
  return {cores.begin(), cores.end()};
}

}  // namespace crosswire
