// The plan: which cores, nodes and memory partitions take on a host, and why. `crosswire plan` shows it and
// `crosswire run` does it: both call make_plan(). Set-up only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/plan/memory_need.hpp"
#include "hugepages/host/placement.hpp"
#include "hugepages/host/topology.hpp"

namespace crosswire {

/// A core of the plan that another process polls already.
struct HeldCore {
  unsigned core;
  int pid;  // 0 = not known
};

struct Plan {
  HostTopology host;
  std::vector<std::string> names;    // of the partitions: their files' stems
  std::vector<std::string> devices;  // of the partitions, as DPDK names them; "" = none given
  std::vector<int> nic_nodes;        // of the partitions, -1 = not told
  PlacementResult placement;         // without an error
  std::vector<MemoryNeed> memory;    // in the order in which it is taken
  std::vector<HeldCore> held;        // filled in where the plan is of this host and is shown
};

/// `configs`: of the partitions, one at least. `nic_node`: of all devices, instead of what the host says of them.
/// `recording`: with the memory of --record. Throws std::runtime_error (one line, "FILE:LINE: key: what; how to fix
/// it").
Plan make_plan(HostTopology host, const std::vector<Config>& configs, std::optional<int> nic_node = std::nullopt,
               bool recording = false);

/// A line for each stage, with its reason; then control's, and one for each warning. What `run` prints at its start.
std::string placement_lines(const Plan& plan);

/// The whole plan as tables.
std::string plan_text(const Plan& plan);
/// The same for programs; docs/placement.md lists the keys.
std::string plan_json(const Plan& plan);

/// What the command line gave.
struct PlanOptions {
  std::vector<std::string> configs;
  std::string topology, save, svg;
  std::string date;  // whose day is shown; empty: today's
  std::optional<int> nic_node;
  std::optional<std::string> isolated, nohz_full;
  bool json = false, ascii = false, record = false;
};

/// The subcommand. Returns the exit status.
int plan_main(const PlanOptions& options);

}  // namespace crosswire
