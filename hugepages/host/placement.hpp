// Placement: which core polls which stage, by rules, as a pure function of a host and of what is asked for. The app
// calls it at set-up, for `run` and for `plan`; no stage ever does. docs/placement.md explains the rules to operators.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hugepages/base/stage.hpp"
#include "hugepages/host/topology.hpp"

namespace crosswire {

/// How stages without a core of their own get one: as many cores as the host offers, at most one for each that does
/// not share another's by default (kStageTable); one core for all; none, one thread wherever the operating system puts
/// it.
enum class PlacementMode { automatic, fused, unpinned };

/// In the order in which they count: an earlier one is never broken to keep a later one.
enum class PlacementRule : std::size_t {
  allowed,
  unshared,
  siblings,
  isolated,
  nic_node,
  one_l3,
  performance,
  housekeeping,
  memory
};

struct PlacementRuleText {
  std::string_view name;      // short, for tables and JSON
  std::string_view sentence;  // without a full stop
};
inline constexpr std::array<PlacementRuleText, 9> kPlacementRules = {{
    {"allowed", "polling stages run only on cores that this process may use"},
    {"unshared", "two partitions never share a core"},
    {"siblings", "no two polling stages run on SMT siblings"},
    {"isolated", "isolated cores come first"},
    {"nic_node", "stages run on the NUMA node of the NIC"},
    {"one_l3", "receive, match and transmit share a level-3 cache"},
    {"performance", "performance cores come before efficiency cores"},
    {"housekeeping", "the first core that is not isolated, and that of control, are left to what does not poll"},
    {"memory", "memory is on the node of the match stage"},
}};

/// What is asked for, of one partition.
struct PlacementWish {
  std::string name;  // for messages
  PlacementMode mode = PlacementMode::automatic;
  std::array<std::optional<unsigned>, kStages> stages;  // pinned ones, by Stage
  std::optional<int> node;                              // of the memory
  int nic_node = -1;                                    // -1 = not told
};

struct PlacementRequest {
  std::vector<PlacementWish> partitions;
  std::optional<unsigned> control;  // core of the threads that do not poll
};

struct PlacedStage {
  unsigned core = 0;
  int node = -1;                        // of the core; -1 = not told
  int l3 = -1;                          // index of the cache group; -1 = not told
  bool pinned = false;                  // by the request
  std::vector<unsigned> idle_siblings;  // that nothing may run on
  std::string why;
};

struct PlacedPartition {
  bool unpinned = false;                    // then there are no stages' cores
  std::array<PlacedStage, kStages> stages;  // by Stage
  std::string shape;                        // "2 cores: receive | match+transmit+publish; why not more"
  int memory_node = -1;                     // -1 = any
  std::string memory_why;
  std::array<bool, kPlacementRules.size()> kept{};  // whether each rule holds
};

/// A rule that does not hold, and why.
struct PlacementWarning {
  std::size_t partition;
  PlacementRule rule;
  std::string text;
};

/// Why there is no placement.
struct PlacementError {
  std::size_t partition;
  std::string key;   // of the configuration: "placement.receive"
  std::string text;  // what, and how to fix it
};

struct PlacementResult {
  std::optional<PlacementError> error;      // then nothing else counts
  std::vector<PlacedPartition> partitions;  // as in the request
  std::vector<PlacementWarning> warnings;   // by partition, then rule
  std::optional<unsigned> control;          // none: wherever the operating system puts it
  std::string control_why;
  std::vector<unsigned> housekeeping;  // allowed cores on which nothing polls, nor on their siblings; ascending
};

/// Same host, same request, same answer. A partition gets more cores only where that breaks no rule that holds with
/// fewer: sharing a core costs less than a core of another cache or node, or one that the kernel interrupts.
PlacementResult place(const HostTopology& host, const PlacementRequest& request);

/// Distinct cores that a partition's stages poll on, ascending; none when it is unpinned.
std::vector<unsigned> polling_cores(const PlacedPartition& partition);

}  // namespace crosswire
