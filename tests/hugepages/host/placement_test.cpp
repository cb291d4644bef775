// Placements: what hosts that operators have get, each pin that breaks a rule, and random hosts and requests against a
// checker that knows the rules and nothing of how place() works.
#include "hugepages/host/placement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "tests/seed.hpp"

namespace crosswire::placement_test {
namespace {

using Cores = std::vector<unsigned>;
using StageCores = std::array<unsigned, 4>;

HostTopology host_of(const std::string& description, const Cores& isolated = {}) {
  HostTopology host = synthetic_host(description);
  apply_lists(host, {isolated, {}, {}});
  return host;
}

void allow_only(HostTopology& host, const Cores& cores) {
  for (HostCpu& cpu : host.cpus) cpu.allowed = std::find(cores.begin(), cores.end(), cpu.number) != cores.end();
}

PlacementWish wish(const std::string& name = "a", int nic_node = -1) { return {.name = name, .nic_node = nic_node}; }

PlacementResult place_one(const HostTopology& host, const PlacementWish& one) { return place(host, {{one}, {}}); }

StageCores cores_of(const PlacedPartition& placed) {
  StageCores cores{};
  for (std::size_t i = 0; i < cores.size(); ++i) cores[i] = placed.stages[i].core;
  return cores;
}

bool kept(const PlacedPartition& placed, PlacementRule rule) { return placed.kept[static_cast<std::size_t>(rule)]; }

/// "isolated siblings": the rules that warnings speak of.
std::string broken(const PlacementResult& result) {
  std::string names;
  for (const PlacementWarning& warning : result.warnings) {
    if (!names.empty()) names += ' ';
    names += kPlacementRules[static_cast<std::size_t>(warning.rule)].name;
  }
  return names;
}

// --- hosts that operators have ---

TEST(Placement, AHybridLaptopLeavesCore0AndUsesPerformanceCoresOnly) {
  // 4 performance cores with siblings (0 .. 7), 8 efficiency cores.
  HostTopology host = host_of("pack:1 [numa] l3:1 core:12 pu:1");
  for (HostCpu& cpu : host.cpus) {
    cpu.efficiency = cpu.number >= 8;
    if (cpu.number < 8) cpu.physical_core = 100 + static_cast<int>(cpu.number / 2);
  }
  const PlacementResult result = place_one(host, wish());
  ASSERT_FALSE(result.error) << result.error->text;
  EXPECT_EQ(cores_of(result.partitions[0]), (StageCores{2, 4, 6, 6}));
  EXPECT_EQ(result.partitions[0].stages[1].idle_siblings, (Cores{5}));
  EXPECT_EQ(result.control, 0u);
  EXPECT_EQ(result.housekeeping, (Cores{0, 1, 8, 9, 10, 11}));
  EXPECT_EQ(broken(result), "isolated");  // a laptop has none
}

TEST(Placement, TwoPerformanceCoresAreFusedRatherThanJoinedByAnEfficiencyCore) {
  HostTopology host = host_of("pack:1 [numa] l3:1 core:6 pu:1");
  for (HostCpu& cpu : host.cpus) cpu.efficiency = cpu.number >= 3;
  const PlacementResult result = place_one(host, wish());
  EXPECT_EQ(cores_of(result.partitions[0]), (StageCores{1, 2, 2, 2}));
  EXPECT_NE(
      result.partitions[0].shape.find("2 cores: receive | match+transmit+publish; no other free performance core"),
      std::string::npos)
      << result.partitions[0].shape;
}

TEST(Placement, AnEpycKeepsAPartitionInOneCacheGroup) {
  // 8 groups of 8 cores; isolated: the last two of group 1, all of group 2, one of group 3.
  const HostTopology host = host_of("pack:1 [numa] l3:8 core:8 pu:1", {14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24});
  const PlacementResult result = place_one(host, wish("a", 0));
  EXPECT_EQ(cores_of(result.partitions[0]), (StageCores{16, 17, 18, 18}));
  EXPECT_EQ(broken(result), "");
  EXPECT_EQ(result.partitions[0].memory_node, 0);
}

TEST(Placement, TwoPartitionsOnAnEpycHaveACacheGroupEach) {
  const HostTopology host = host_of("pack:1 [numa] l3:4 core:4 pu:1");
  const PlacementResult result = place(host, {{wish("a"), wish("b"), wish("c")}, {}});
  EXPECT_EQ(cores_of(result.partitions[0]), (StageCores{1, 2, 3, 3}));
  EXPECT_EQ(cores_of(result.partitions[1]), (StageCores{4, 5, 6, 6}));
  EXPECT_EQ(cores_of(result.partitions[2]), (StageCores{8, 9, 10, 10}));
}

TEST(Placement, ATwoSocketXeonRunsWhereTheNicIs) {
  const HostTopology host = host_of("pack:2 [numa] l3:1 core:16 pu:2", {4, 5, 6, 7, 36, 37, 38, 39, 40, 41, 42, 43});
  const PlacementResult result = place_one(host, wish("a", 1));
  EXPECT_EQ(cores_of(result.partitions[0]), (StageCores{36, 38, 40, 40}));
  EXPECT_EQ(result.partitions[0].stages[0].idle_siblings, (Cores{37}));
  EXPECT_EQ(result.partitions[0].memory_node, 1);
  EXPECT_EQ(result.control, 0u);
  EXPECT_EQ(broken(result), "");
  EXPECT_EQ(cores_of(place_one(host, wish("a", 0)).partitions[0]), (StageCores{4, 6, 6, 6}));
}

TEST(Placement, WithoutIsolatedCoresTheNicsNodeDecides) {
  const PlacementResult result = place_one(host_of("pack:2 [numa] l3:1 core:16 pu:1"), wish("a", 1));
  EXPECT_EQ(cores_of(result.partitions[0]), (StageCores{16, 17, 18, 18}));
  EXPECT_EQ(broken(result), "isolated");
}

TEST(Placement, IsolatedComesBeforeTheNicsNode) {
  const PlacementResult result = place_one(host_of("pack:2 [numa] l3:1 core:4 pu:1", {2, 3}), wish("a", 1));
  EXPECT_EQ(cores_of(result.partitions[0]), (StageCores{2, 3, 3, 3}));
  EXPECT_EQ(broken(result), "nic_node");
}

TEST(Placement, AMachineWithoutNodesOrCachesIsOneGroup) {
  HostTopology host = host_of("pu:8");
  for (HostCpu& cpu : host.cpus) cpu.node = -1;
  const PlacementResult result = place_one(host, wish());
  EXPECT_EQ(cores_of(result.partitions[0]), (StageCores{1, 2, 3, 3}));
  EXPECT_EQ(result.partitions[0].memory_node, -1);
  EXPECT_EQ(broken(result), "isolated");
}

TEST(Placement, TwoCoresAreOneForTheStagesAndOneForTheRest) {
  const PlacementResult result = place_one(host_of("pack:1 [numa] l3:1 core:2 pu:1"), wish());
  EXPECT_EQ(cores_of(result.partitions[0]), (StageCores{1, 1, 1, 1}));
  EXPECT_EQ(result.control, 0u);
}

TEST(Placement, ACpusetOfTwoCoresIsUsedToItsEnd) {
  HostTopology host = host_of("pack:1 [numa] l3:1 core:8 pu:1");
  allow_only(host, {4, 5});
  const PlacementResult result = place_one(host, wish());
  EXPECT_EQ(cores_of(result.partitions[0]), (StageCores{5, 5, 5, 5}));
  EXPECT_EQ(result.control, 4u);
}

TEST(Placement, OneCoreDoesEverything) {
  const PlacementResult result = place_one(host_of("pack:1 [numa] core:1 pu:1"), wish());
  EXPECT_EQ(cores_of(result.partitions[0]), (StageCores{0, 0, 0, 0}));
  EXPECT_EQ(result.control, 0u);
  EXPECT_EQ(broken(result), "isolated housekeeping");
  EXPECT_EQ(result.partitions[0].shape.substr(0, 40), "1 core: receive+match+transmit+publish; ");
  PlacementWish publish_pinned = wish();
  publish_pinned.stages[3] = 0;
  EXPECT_EQ(cores_of(place_one(host_of("core:1 pu:1"), publish_pinned).partitions[0]), (StageCores{0, 0, 0, 0}));
}

TEST(Placement, ASmallVirtualMachineOfTwoSiblingsStillRuns) {
  const PlacementResult result = place_one(host_of("pack:1 [numa] core:1 pu:2"), wish());
  ASSERT_FALSE(result.error);
  EXPECT_EQ(cores_of(result.partitions[0]), (StageCores{0, 0, 0, 0}));
  EXPECT_EQ(result.control, 1u);
  EXPECT_FALSE(kept(result.partitions[0], PlacementRule::housekeeping));
}

TEST(Placement, SiblingsOfPollingCoresStayIdle) {
  const PlacementResult with = place_one(host_of("pack:1 [numa] l3:1 core:4 pu:2"), wish());
  EXPECT_EQ(cores_of(with.partitions[0]), (StageCores{2, 4, 6, 6}));
  EXPECT_EQ(with.housekeeping, (Cores{0, 1}));
  const PlacementResult without = place_one(host_of("pack:1 [numa] l3:1 core:4 pu:1"), wish());
  EXPECT_EQ(cores_of(without.partitions[0]), (StageCores{1, 2, 3, 3}));
  EXPECT_TRUE(without.partitions[0].stages[0].idle_siblings.empty());
}

TEST(Placement, TwoIsolatedCoresAreUsedAndNoOther) {
  const PlacementResult result = place_one(host_of("pack:1 [numa] l3:1 core:8 pu:1", {5, 6}), wish());
  EXPECT_EQ(cores_of(result.partitions[0]), (StageCores{5, 6, 6, 6}));
  EXPECT_NE(result.partitions[0].shape.find("no other free isolated core in L3 group 0"), std::string::npos);
  EXPECT_EQ(broken(result), "");
}

TEST(Placement, AmongIsolatedCoresThoseWithoutATimerAndWithIsolatedSiblingsComeFirst) {
  HostTopology host = host_of("pack:1 [numa] l3:1 core:8 pu:1");
  apply_lists(host, {{2, 3, 4, 5}, {3, 4, 5}, {}});
  EXPECT_EQ(cores_of(place_one(host, wish()).partitions[0]), (StageCores{3, 4, 5, 5}));
  const HostTopology siblings = host_of("pack:1 [numa] l3:1 core:8 pu:2", {2, 4, 5, 6, 7, 8, 9});
  EXPECT_EQ(cores_of(place_one(siblings, wish()).partitions[0]), (StageCores{4, 6, 8, 8}));
}

// --- several partitions ---

TEST(Placement, PartitionsWidenInTurn) {
  const HostTopology host = host_of("pack:1 [numa] l3:1 core:8 pu:1", {3, 4, 5, 6, 7});
  const PlacementResult result = place(host, {{wish("a"), wish("b")}, {}});
  EXPECT_EQ(polling_cores(result.partitions[0]).size(), 3u);
  EXPECT_EQ(polling_cores(result.partitions[1]).size(), 2u);
  const PlacementResult three = place(host, {{wish("a"), wish("b"), wish("c")}, {}});
  EXPECT_EQ(polling_cores(three.partitions[0]).size(), 2u);
  EXPECT_EQ(polling_cores(three.partitions[1]).size(), 2u);
  EXPECT_EQ(polling_cores(three.partitions[2]).size(), 1u);
}

TEST(Placement, APartitionThatKnowsItsNicComesBeforeOneToWhichAllNodesAreAlike) {
  const HostTopology host = host_of("pack:2 [numa] l3:1 core:4 pu:1", {3, 5});
  const PlacementResult result = place(host, {{wish("any"), wish("one", 0)}, {}});
  EXPECT_EQ(cores_of(result.partitions[0]), (StageCores{5, 5, 5, 5}));
  EXPECT_EQ(cores_of(result.partitions[1]), (StageCores{3, 3, 3, 3}));
}

TEST(Placement, TheOneIsolatedCoreGoesToThePartitionWhoseNicIsThere) {
  const HostTopology host = host_of("pack:2 [numa] l3:1 core:4 pu:1", {5});
  const PlacementResult result = place(host, {{wish("a", 0), wish("b", 1)}, {}});
  EXPECT_EQ(cores_of(result.partitions[0]), (StageCores{1, 2, 3, 3}));
  EXPECT_EQ(cores_of(result.partitions[1]), (StageCores{5, 5, 5, 5}));
}

TEST(Placement, MorePartitionsThanCoresAreAnError) {
  const PlacementResult result = place(host_of("pack:1 [numa] core:2 pu:2"), {{wish("a"), wish("b"), wish("c")}, {}});
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->key, "placement.mode");
  EXPECT_NE(result.error->text.find("no core is left"), std::string::npos) << result.error->text;
}

TEST(Placement, UnpinnedTakesNoCores) {
  PlacementWish free = wish("free", 0);
  free.mode = PlacementMode::unpinned;
  const PlacementResult alone = place_one(host_of("pack:1 [numa] core:2 pu:1"), free);
  EXPECT_TRUE(alone.partitions[0].unpinned);
  EXPECT_TRUE(polling_cores(alone.partitions[0]).empty());
  EXPECT_EQ(alone.partitions[0].memory_node, 0);
  EXPECT_FALSE(alone.control);
  EXPECT_EQ(broken(alone), "");
  const PlacementResult both = place(host_of("pack:1 [numa] core:2 pu:1"), {{free, wish("a")}, {}});
  EXPECT_EQ(cores_of(both.partitions[1]), (StageCores{1, 1, 1, 1}));
}

// --- what the operator asks for ---

TEST(Placement, StagesAreChosenAroundThosePinned) {
  const HostTopology host = host_of("pack:1 [numa] l3:2 core:4 pu:1");
  const auto with = [&](std::array<std::optional<unsigned>, 4> stages) {
    PlacementWish pinned = wish();
    pinned.stages = stages;
    return cores_of(place_one(host, pinned).partitions[0]);
  };
  const auto no = std::nullopt;
  EXPECT_EQ(with({no, 6, no, no}), (StageCores{4, 6, 5, 5}));
  EXPECT_EQ(with({6, no, no, no}), (StageCores{6, 4, 5, 5}));
  EXPECT_EQ(with({no, no, 3, no}), (StageCores{1, 2, 3, 3}));
  EXPECT_EQ(with({2, 2, no, no}), (StageCores{2, 2, 1, 1}));
  EXPECT_EQ(with({1, 2, 3, 7}), (StageCores{1, 2, 3, 7}));
  EXPECT_EQ(with({no, no, no, 5}), (StageCores{1, 2, 3, 5}));
  HostTopology narrow = host;
  allow_only(narrow, {0, 1, 2});
  PlacementWish pinned = wish();
  pinned.stages[1] = 2;  // one more core: receive is split off, transmit stays with match
  EXPECT_EQ(cores_of(place_one(narrow, pinned).partitions[0]), (StageCores{1, 2, 2, 2}));
  pinned.stages = {2, no, no, no};
  EXPECT_EQ(cores_of(place_one(narrow, pinned).partitions[0]), (StageCores{2, 1, 1, 1}));
}

TEST(Placement, FusedIsOneCore) {
  const HostTopology host = host_of("pack:1 [numa] l3:1 core:8 pu:1");
  PlacementWish fused = wish();
  fused.mode = PlacementMode::fused;
  EXPECT_EQ(cores_of(place_one(host, fused).partitions[0]), (StageCores{1, 1, 1, 1}));
  fused.stages.fill(6);
  EXPECT_EQ(cores_of(place_one(host, fused).partitions[0]), (StageCores{6, 6, 6, 6}));
}

TEST(Placement, EachPinThatBreaksARuleIsToldWithItsName) {
  HostTopology host = host_of("pack:2 [numa] l3:2 core:4 pu:2", {8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18});
  host.cpus[14].efficiency = host.cpus[15].efficiency = true;
  const auto with = [&](std::array<std::optional<unsigned>, 4> stages, std::optional<int> node = std::nullopt) {
    PlacementWish pinned = wish("a", 0);
    pinned.stages = stages;
    pinned.node = node;
    const PlacementResult result = place_one(host, pinned);
    EXPECT_FALSE(result.error);
    for (const PlacementWarning& warning : result.warnings) {
      EXPECT_FALSE(kept(result.partitions[0], warning.rule));
      EXPECT_EQ(warning.text.find('\n'), std::string::npos);
      EXPECT_NE(warning.text.find(warning.rule == PlacementRule::memory ? "as configured" : "pinned"),
                std::string::npos)
          << warning.text;
    }
    return broken(result);
  };
  EXPECT_EQ(with({8, 10, 12, 12}), "");
  EXPECT_EQ(with({8, 10, 4, 4}), "isolated one_l3");
  EXPECT_EQ(with({8, 9, 12, 12}), "siblings");
  EXPECT_EQ(with({8, 10, 14, 14}), "performance");
  EXPECT_EQ(with({8, 10, 16, 16}), "nic_node one_l3");
  EXPECT_EQ(with({8, 10, 0, 0}), "isolated one_l3 housekeeping");
  EXPECT_EQ(with({8, 10, 12, 12}, 1), "memory");
  EXPECT_EQ(with({8, 10, 12, 13}), "siblings");
}

TEST(Placement, ControlOnAPollingCoreIsToldToo) {
  const HostTopology host = host_of("pack:1 [numa] l3:1 core:4 pu:2", {2, 3, 4, 5, 6, 7});
  PlacementWish pinned = wish();
  pinned.stages = {2, 4, 6, 6};
  for (const unsigned control : {4u, 5u}) {
    const PlacementResult result = place(host, {{pinned}, control});
    EXPECT_EQ(result.control, control);
    EXPECT_EQ(broken(result), "housekeeping");
  }
  const PlacementResult chosen = place(host, {{wish()}, 4u});
  EXPECT_EQ(cores_of(chosen.partitions[0]), (StageCores{2, 6, 6, 6}));  // core 4 is control's
}

TEST(Placement, APartitionOnTheFirstCoreDoesNotWidenOntoControls) {
  HostTopology host = host_of("pack:1 [numa] l3:1 core:6 pu:1");
  for (HostCpu& cpu : host.cpus) cpu.efficiency = cpu.number >= 2;
  const PlacementResult result = place(host, {{wish()}, 1u});
  EXPECT_EQ(cores_of(result.partitions[0]), (StageCores{0, 0, 0, 0}));
}

TEST(Placement, WhatCannotBeIsOneLineThatNamesTheKey) {
  HostTopology host = host_of("pack:1 [numa] l3:1 core:4 pu:1");
  host.offline = {4};
  host.cpus[3].allowed = false;
  host.nodes = {{.number = 0, .bytes = 1}, {.number = 1, .bytes = 0}};
  const auto fails = [&](const PlacementRequest& request, std::size_t partition, const std::string& key,
                         const std::string& text) {
    const PlacementResult result = place(host, request);
    ASSERT_TRUE(result.error) << text;
    EXPECT_EQ(result.error->partition, partition);
    EXPECT_EQ(result.error->key, key);
    EXPECT_EQ(result.error->text.compare(0, text.size(), text), 0) << result.error->text;
    EXPECT_NE(result.error->text.find(';'), std::string::npos) << result.error->text;
    EXPECT_EQ(result.error->text.find('\n'), std::string::npos);
  };
  const auto with = [](std::size_t stage, unsigned core, std::string name = "a") {
    PlacementWish pinned = wish(name);
    pinned.stages[stage] = core;
    return pinned;
  };
  fails({{with(0, 99)}, {}}, 0, "placement.receive", "core 99 does not exist; give one of 0-2");
  fails({{with(1, 4)}, {}}, 0, "placement.match", "core 4 is offline;");
  fails({{with(2, 3)}, {}}, 0, "placement.transmit", "core 3 is not one that this process may use;");
  fails({{with(3, 2), with(1, 2, "b")}, {}}, 1, "placement.match", "core 2 is polled by partition a already;");
  fails({{wish()}, 7}, 0, "placement.control", "core 7 does not exist;");
  PlacementWish far = wish();
  far.node = 1;
  fails({{wish(), far}, {}}, 1, "placement.node", "NUMA node 1 has no memory; give one of 0");
  far.node = 5;
  fails({{far}, {}}, 0, "placement.node", "NUMA node 5 does not exist;");
  PlacementWish fused = wish();
  fused.mode = PlacementMode::fused;
  fused.stages.fill(9);
  fails({{fused}, {}}, 0, "placement.core", "core 9 does not exist;");
  fused.stages = {1, 2, std::nullopt, std::nullopt};
  fails({{fused}, {}}, 0, "placement.match", "mode \"fused\" has one core;");
  PlacementWish unpinned = with(0, 1);
  unpinned.mode = PlacementMode::unpinned;
  fails({{unpinned}, {}}, 0, "placement.receive", "mode \"unpinned\" pins no stage;");
  allow_only(host, {});
  fails({{wish()}, {}}, 0, "placement.mode", "there is no core that this process may use;");
}

TEST(Placement, ANodeOfTheNicThatIsNotThereIsAWarning) {
  const PlacementResult result = place_one(host_of("pack:1 [numa] core:4 pu:1"), wish("a", 3));
  EXPECT_EQ(cores_of(result.partitions[0]), (StageCores{1, 2, 3, 3}));
  EXPECT_EQ(broken(result), "isolated nic_node");
}

TEST(Placement, ANodeWithoutMemoryBorrows) {
  HostTopology host = host_of("pack:2 [numa] core:4 pu:1");
  host.nodes[0].bytes = 1;
  const PlacementResult result = place_one(host, wish("a", 1));
  EXPECT_EQ(result.partitions[0].stages[1].node, 1);
  EXPECT_EQ(result.partitions[0].memory_node, 0);
  EXPECT_FALSE(kept(result.partitions[0], PlacementRule::memory));
}

// --- why stages share as they do ---

TEST(Placement, TheSplitsAreThoseThatThePriceListAsksFor) {
  std::ifstream file(CROSSWIRE_PRICES);
  std::map<std::string, double> prices;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    double instructions = 0;
    if (words >> name >> instructions) prices[name] = instructions;
  }
  std::array<double, 4> stages{};
  for (std::size_t i = 0; i < stages.size(); ++i) {
    stages[i] = prices["stage/" + std::string(kStageNames[i])];
    ASSERT_GT(stages[i], 0);
  }
  // The dearest core of receive .. first-1 | first .. second-1 | second ..: 4 = no such core.
  const auto dearest = [&](std::size_t first, std::size_t second) {
    std::array<double, 3> cores{};
    for (std::size_t i = 0; i < stages.size(); ++i) cores[i < first ? 0 : i < second ? 1 : 2] += stages[i];
    return *std::max_element(cores.begin(), cores.end());
  };
  // Another split has to be better by more than what instructions say of time: receive also waits for frames.
  constexpr double kAsGood = 1.02;
  for (std::size_t first = 1; first < 4; ++first) {
    EXPECT_LE(dearest(1, 4), kAsGood * dearest(first, 4)) << "two cores";
    for (std::size_t second = first + 1; second < 4; ++second) {
      EXPECT_LE(dearest(1, 2), kAsGood * dearest(first, second)) << "three cores";
    }
  }
}

// --- random hosts and requests ---

/// Knows the rules' sentences and nothing else.
class Checker {
 public:
  Checker(const HostTopology& host, const PlacementRequest& request, const PlacementResult& result)
      : host_(host), request_(request), result_(result) {
    for (std::size_t p = 0; p < result.partitions.size(); ++p) {
      for (const unsigned core : polling_cores(result.partitions[p])) {
        EXPECT_TRUE(owners_.emplace(core, p).second) << "core " << core << " is of two partitions";
      }
    }
  }

  void check() const {
    for (std::size_t p = 0; p < result_.partitions.size(); ++p) {
      if (result_.partitions[p].unpinned) continue;
      pins_are_obeyed(p);
      claims_hold(p);
      nothing_better_is_free(p);
      for (const PlacedStage& stage : result_.partitions[p].stages) {
        EXPECT_FALSE(stage.why.empty());
        for (const unsigned idle : stage.idle_siblings) EXPECT_EQ(owners_.count(idle), 0u);
      }
    }
    control_is_apart();
    partitions_are_alike();
    for (const PlacementWarning& warning : result_.warnings) EXPECT_FALSE(warning.text.empty());
  }

 private:
  const HostCpu& cpu(unsigned core) const { return *host_.cpu(core); }

  static bool siblings(const HostCpu& a, const HostCpu& b) {
    return a.number != b.number && a.physical_core >= 0 && a.physical_core == b.physical_core;
  }

  bool automatic(std::size_t p) const {
    const PlacementWish& wish = request_.partitions[p];
    return wish.mode != PlacementMode::unpinned &&
           std::none_of(wish.stages.begin(), wish.stages.end(), [](auto core) { return core.has_value(); });
  }

  bool any_pin() const {
    for (std::size_t p = 0; p < request_.partitions.size(); ++p) {
      if (request_.partitions[p].mode != PlacementMode::unpinned && !automatic(p)) return true;
    }
    return false;
  }

  void pins_are_obeyed(std::size_t p) const {
    const PlacementWish& wish = request_.partitions[p];
    const PlacedPartition& placed = result_.partitions[p];
    for (std::size_t stage = 0; stage < 4; ++stage) {
      if (wish.stages[stage]) {
        EXPECT_EQ(placed.stages[stage].core, *wish.stages[stage]);
      }
      EXPECT_NE(host_.cpu(placed.stages[stage].core), nullptr);
      EXPECT_TRUE(cpu(placed.stages[stage].core).allowed);
    }
    if (wish.mode == PlacementMode::fused) {
      EXPECT_EQ(polling_cores(placed).size(), 1u);
    }
    if (!wish.stages[3]) {
      EXPECT_EQ(placed.stages[3].core, placed.stages[2].core);
    }
    if (wish.node) {
      EXPECT_EQ(placed.memory_node, *wish.node);
    }
    if (automatic(p)) {
      EXPECT_LE(polling_cores(placed).size(), 3u);
    }
  }

  /// Each rule once more, from its sentence.
  void claims_hold(std::size_t p) const {
    const PlacedPartition& placed = result_.partitions[p];
    const int nic = request_.partitions[p].nic_node;
    bool isolated = true, on_node = true, performance = true, no_siblings = true;
    for (const unsigned core : polling_cores(placed)) {
      isolated &= cpu(core).isolated;
      on_node &= nic < 0 || cpu(core).node == nic;
      performance &= !cpu(core).efficiency;
      for (const auto& [other, owner] : owners_) no_siblings &= !siblings(cpu(core), cpu(other));
    }
    const auto group = [&](std::size_t stage) {
      const HostCpu& at = cpu(placed.stages[stage].core);
      return std::tuple(at.package, at.node, at.l3);
    };
    EXPECT_EQ(kept(placed, PlacementRule::isolated), isolated);
    EXPECT_EQ(kept(placed, PlacementRule::nic_node), on_node);
    EXPECT_EQ(kept(placed, PlacementRule::performance), performance);
    EXPECT_EQ(kept(placed, PlacementRule::siblings), no_siblings);
    EXPECT_EQ(kept(placed, PlacementRule::one_l3), group(0) == group(1) && group(1) == group(2));
    EXPECT_EQ(kept(placed, PlacementRule::memory), placed.memory_node == placed.stages[1].node);
    bool apart = true;
    for (const unsigned core : polling_cores(placed)) {
      const bool shared = result_.control && (core == *result_.control || siblings(cpu(core), cpu(*result_.control)));
      apart &= !shared && !reserved(cpu(core));
    }
    EXPECT_EQ(kept(placed, PlacementRule::housekeeping), apart);
    EXPECT_TRUE(kept(placed, PlacementRule::allowed));
    EXPECT_TRUE(kept(placed, PlacementRule::unshared));
    std::set<PlacementRule> warned;
    for (const PlacementWarning& warning : result_.warnings) {
      if (warning.partition == p) warned.insert(warning.rule);
    }
    for (std::size_t rule = 0; rule < placed.kept.size(); ++rule) {
      EXPECT_EQ(placed.kept[rule], warned.count(static_cast<PlacementRule>(rule)) == 0) << kPlacementRules[rule].name;
    }
    if (automatic(p)) {
      EXPECT_TRUE(kept(placed, PlacementRule::one_l3));
      if (!any_pin()) {
        EXPECT_TRUE(no_siblings);
      }
    }
  }

  bool is_free(const HostCpu& candidate) const {
    if (!candidate.allowed || owners_.count(candidate.number) > 0) return false;
    return std::none_of(owners_.begin(), owners_.end(),
                        [&](const auto& used) { return siblings(candidate, cpu(used.first)); });
  }

  /// Less is better, in the order of the rules.
  auto worth(std::size_t p, const HostCpu& candidate) const {
    const int nic = request_.partitions[p].nic_node;
    return std::tuple(!candidate.isolated, nic >= 0 && candidate.node != nic, candidate.efficiency,
                      reserved(candidate));
  }

  bool reserved(const HostCpu& candidate) const {
    for (const bool isolated : {false, true}) {
      for (const HostCpu& other : host_.cpus) {
        if (!other.allowed || other.isolated != isolated) continue;
        const bool controls =
            request_.control && (candidate.number == *request_.control || siblings(candidate, cpu(*request_.control)));
        return controls || candidate.number == other.number || siblings(candidate, other);
      }
    }
    return false;
  }

  /// No stage sits on a worse core than one that is free; and a partition is as wide as rules that it keeps allow.
  void nothing_better_is_free(std::size_t p) const {
    if (!automatic(p)) return;
    const PlacedPartition& placed = result_.partitions[p];
    const Cores cores = polling_cores(placed);
    const HostCpu& first = cpu(placed.stages[1].core);
    for (const HostCpu& candidate : host_.cpus) {
      if (!is_free(candidate)) continue;
      // All the stages could move there.
      EXPECT_LE(worth(p, first), worth(p, candidate)) << "core " << candidate.number << " was better for " << p;
      const bool near = std::tuple(candidate.package, candidate.node, candidate.l3) ==
                        std::tuple(first.package, first.node, first.l3);
      if (!near || request_.partitions[p].mode == PlacementMode::fused) continue;
      for (const unsigned core : cores) {
        EXPECT_LE(worth(p, cpu(core)), worth(p, candidate)) << "core " << candidate.number << " was better for " << p;
      }
      const bool as_good = worth(p, candidate) <= worth(p, first) && !reserved(candidate);
      EXPECT_FALSE(cores.size() < 3 && as_good) << "core " << candidate.number << " was free for " << p;
    }
  }

  void control_is_apart() const {
    if (request_.control) {
      EXPECT_EQ(result_.control, request_.control);
      return;
    }
    if (!result_.control) {
      EXPECT_TRUE(owners_.empty());
      return;
    }
    EXPECT_TRUE(cpu(*result_.control).allowed);
    const bool any_free =
        std::any_of(host_.cpus.begin(), host_.cpus.end(), [&](const HostCpu& candidate) { return is_free(candidate); });
    if (any_free) {
      EXPECT_TRUE(is_free(cpu(*result_.control)));
    }
  }

  /// Of two automatic partitions that ask the same in the same cache group, neither has two cores more.
  void partitions_are_alike() const {
    if (any_pin()) return;
    for (std::size_t a = 0; a < request_.partitions.size(); ++a) {
      for (std::size_t b = 0; b < request_.partitions.size(); ++b) {
        const PlacementWish& first = request_.partitions[a];
        const PlacementWish& second = request_.partitions[b];
        if (!automatic(a) || !automatic(b) || first.mode != second.mode || first.nic_node != second.nic_node) continue;
        const HostCpu& of_a = cpu(result_.partitions[a].stages[1].core);
        const HostCpu& of_b = cpu(result_.partitions[b].stages[1].core);
        if (of_a.package != of_b.package || of_a.l3 != of_b.l3 || of_a.node != of_b.node ||
            worth(a, of_a) != worth(b, of_b))
          continue;
        EXPECT_LE(polling_cores(result_.partitions[a]).size(), polling_cores(result_.partitions[b]).size() + 1);
      }
    }
  }

  const HostTopology& host_;
  const PlacementRequest& request_;
  const PlacementResult& result_;
  std::map<unsigned, std::size_t> owners_;
};

class Random {
 public:
  explicit Random(unsigned seed) : bits_(seed) {}
  unsigned below(unsigned limit) { return static_cast<unsigned>(bits_() % limit); }
  bool chance(unsigned percent) { return below(100) < percent; }

  HostTopology host() {
    std::ostringstream text;
    text << "pack:" << 1 + below(2) << (chance(80) ? " [numa]" : "") << " ";
    if (chance(80)) text << "l3:" << 1 + below(4) << " ";
    text << "core:" << 1 + below(6) << " pu:" << 1 + below(2);
    HostTopology host = synthetic_host(text.str());
    const bool any_isolated = chance(60);
    const unsigned isolated_percent = below(100);
    const bool hybrid = chance(30);
    const bool limited = chance(30);
    for (HostCpu& cpu : host.cpus) {
      cpu.isolated = any_isolated && chance(isolated_percent);
      cpu.nohz_full = cpu.isolated && chance(50);
      cpu.efficiency = hybrid && cpu.physical_core % 3 == 2;
      cpu.allowed = !limited || chance(60);
    }
    if (std::none_of(host.cpus.begin(), host.cpus.end(), [](const HostCpu& cpu) { return cpu.allowed; })) {
      host.cpus.back().allowed = true;
    }
    return host;
  }

  unsigned some_core(const HostTopology& host) {
    while (true) {
      const HostCpu& cpu = host.cpus[below(static_cast<unsigned>(host.cpus.size()))];
      if (cpu.allowed) return cpu.number;
    }
  }

  PlacementRequest request(const HostTopology& host) {
    PlacementRequest request;
    const unsigned partitions = 1 + below(4);
    const bool pins = chance(40);
    for (unsigned p = 0; p < partitions; ++p) {
      PlacementWish one = wish(std::string(1, static_cast<char>('a' + p)));
      if (chance(70)) one.nic_node = host.nodes[below(static_cast<unsigned>(host.nodes.size()))].number;
      if (chance(20)) one.mode = chance(50) ? PlacementMode::fused : PlacementMode::unpinned;
      if (pins && chance(60) && one.mode == PlacementMode::automatic) {
        for (auto& stage : one.stages) {
          if (chance(40)) stage = some_core(host);
        }
      }
      if (chance(10)) one.node = host.nodes[0].number;
      request.partitions.push_back(one);
    }
    if (chance(15)) request.control = some_core(host);
    return request;
  }

 private:
  std::mt19937 bits_;
};

std::string describe(const HostTopology& host, const PlacementRequest& request) {
  std::ostringstream text;
  text << host.source << "\n";
  for (const HostCpu& cpu : host.cpus) {
    text << cpu.number << (cpu.allowed ? "" : " not allowed") << (cpu.isolated ? " isolated" : "")
         << (cpu.efficiency ? " efficiency" : "") << " node " << cpu.node << " l3 " << cpu.l3 << " physical "
         << cpu.physical_core << "\n";
  }
  for (const PlacementWish& wish : request.partitions) {
    text << wish.name << " mode " << static_cast<int>(wish.mode) << " nic " << wish.nic_node;
    for (const auto& stage : wish.stages) text << " " << (stage ? std::to_string(*stage) : "-");
    text << "\n";
  }
  return text.str();
}

TEST(Placement, KeepsItsPromisesOnRandomHosts) {
  const auto seed = static_cast<unsigned>(test::seed());
  int placed = 0;
  int refused = 0;
  for (unsigned i = 0; i < 4000; ++i) {
    Random random(seed + i);
    const HostTopology host = random.host();
    const PlacementRequest request = random.request(host);
    const PlacementResult result = place(host, request);
    if (result.error) {
      ++refused;
      EXPECT_LT(result.error->partition, request.partitions.size());
      continue;
    }
    ++placed;
    Checker(host, request, result).check();
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed + i << "\n" << describe(host, request);
  }
  EXPECT_GT(placed, 2000);
  EXPECT_GT(refused, 20);
}

TEST(Placement, ALargeHostIsPlacedAtOnce) {
  Cores isolated;
  for (unsigned core = 8; core < 768; ++core) isolated.push_back(core);
  const HostTopology host = host_of("pack:2 [numa] l3:12 core:16 pu:2", isolated);
  PlacementRequest request;
  for (int p = 0; p < 16; ++p) request.partitions.push_back(wish(std::to_string(p), p % 2));
  const PlacementResult result = place(host, request);
  ASSERT_FALSE(result.error);
  for (const PlacedPartition& partition : result.partitions) EXPECT_EQ(polling_cores(partition).size(), 3u);
  EXPECT_EQ(broken(result), "");
}

}  // namespace
}  // namespace crosswire::placement_test
