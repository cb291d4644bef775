// Which cores a placement takes: pins first, then a core for each partition, then more cores in turn. Of placement.cpp,
// which says what has come of it; nobody else's. Set-up only.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "hugepages/host/placement.hpp"

namespace crosswire::placing {

// The way of an order, which the rules know by name; of all others they know their rows of kStageTable.
inline constexpr std::size_t kReceive = index_of(Stage::receive);
inline constexpr std::size_t kMatch = index_of(Stage::match);
inline constexpr std::size_t kTransmit = index_of(Stage::transmit);

/// By Stage.
using Cores = std::array<std::optional<unsigned>, kStages>;

/// Where there are enough.
constexpr bool takes_core(std::size_t stage) { return !kStageTable[stage].shares; }
inline constexpr std::size_t kMostCores = static_cast<std::size_t>(
    std::count_if(kStageTable.begin(), kStageTable.end(), [](const StageRow& row) { return !row.shares; }));

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

Group group_of(const HostCpu& cpu);

inline std::string number(unsigned core) { return std::to_string(core); }
inline std::string number(int value) { return std::to_string(value); }

/// How many cores the stages that take one can use beyond the pinned ones.
std::size_t wanted_cores(const PlacementWish& wish);

class CoreChoice {
 public:
  /// What a partition has got.
  struct Part {
    std::vector<unsigned> chosen;  // ascending
    std::optional<Group> group;    // of its first pinned or chosen core
    Faults faults{};               // of all its cores together
  };

  /// Both outlive this.
  CoreChoice(const HostTopology& host, const PlacementRequest& request)
      : host_(host), request_(request), parts_(request.partitions.size()) {}

  /// Takes the cores. Once, and first; with an error nothing else counts.
  std::optional<PlacementError> run();

  const Part& part(std::size_t p) const { return parts_[p]; }
  /// The core of each stage; of a partition that is not unpinned.
  Cores cores_of(std::size_t p) const;
  /// How many cores the stages that take one have.
  std::size_t width(std::size_t p) const;
  /// Core -> partition.
  const std::map<unsigned, std::size_t>& polled() const { return polled_; }

  /// `core` is there.
  const HostCpu& cpu(unsigned core) const { return *host_.cpu(core); }
  bool is_housekeeping(const HostCpu& candidate) const { return housekeeping_.count(candidate.number) > 0; }
  bool same_physical_core(const HostCpu& a, const HostCpu& b) const;
  /// -1 where it is not told or not in this topology.
  int nic_node(std::size_t p) const;
  /// "" if there is memory on it.
  std::string why_no_memory(int node) const;
  /// Neither polled nor the sibling of a core that is.
  bool is_free(const HostCpu& candidate) const;

 private:
  // What cannot be.
  bool fail(std::size_t partition, std::string key, std::string text);
  /// `placement.core` stands for all stages.
  static std::string key_of(const PlacementWish& wish, std::size_t stage);
  std::vector<unsigned> allowed() const;
  /// "" if a thread may run there.
  std::string why_unusable(unsigned core) const;
  bool check_wishes();

  // What a core is worth.
  /// What is asked of each core again and again. Housekeeping: the first core that is not isolated (where interrupts
  /// and the kernel's own work are), else the first, and that of control.
  void look_at_cores();
  Faults faults_of(std::size_t p, const HostCpu& candidate) const;
  /// Among equals: rather one whose siblings are isolated too, whose timer stops, of a lower number.
  std::tuple<bool, bool, unsigned> preference(const HostCpu& candidate) const;

  // Taking cores.
  void poll_on(std::size_t p, unsigned core);
  bool take_pins();
  bool take_pin(std::size_t p, std::size_t stage);
  void choose(std::size_t p, unsigned core);
  bool needs_first(std::size_t p) const;
  /// How many of the cores that `p` wants its group would leave it, once those that are there already have theirs.
  int room_for(std::size_t p, const HostCpu& candidate, const Faults& faults) const;
  /// A core for each partition, the one first that breaks the fewest rules. Among equals a partition that knows its
  /// NIC goes before one to which all nodes are alike, and cores in a group with room for the rest come first.
  bool give_each_one();
  /// In the order in which it is compared.
  struct Choice {
    Faults faults;
    bool any_node;
    std::size_t partition;
    int missing_room;
    std::tuple<bool, bool, unsigned> preference;
    auto operator<=>(const Choice&) const = default;
  };
  void best_first_core(std::size_t p, std::optional<Choice>& best) const;
  bool no_core_left(std::size_t p);
  /// The best core that breaks no rule which the partition keeps so far.
  const HostCpu* another_core(std::size_t p) const;
  /// In turn, so that all have two cores before one has three.
  void widen();
  /// Partitions to which the same cores are alike took them in turn; now each gets neighbours.
  void tidy();
  /// Neither has pins, and each core of either would do for the other just as well.
  bool are_alike(std::size_t a, std::size_t b) const;

  const HostTopology& host_;
  const PlacementRequest& request_;
  std::vector<Part> parts_;
  std::set<unsigned> housekeeping_;         // cores that are better not polled on
  std::set<unsigned> noisy_siblings_;       // cores with a sibling that is not isolated
  std::map<unsigned, std::size_t> polled_;  // core -> partition
  std::optional<PlacementError> error_;
};

}  // namespace crosswire::placing
