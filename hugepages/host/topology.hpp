// A host's cores, NUMA nodes and network devices as plain data, so that a placement is a function of values; and the
// reading of this host from hwloc and the kernel. Used by the app at set-up; never by a stage. A "core" is a Linux CPU
// number, as in taskset, isolcpus and DPDK's -l; a "physical core" is what SMT siblings share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hugepages/host/core_list.hpp"

namespace crosswire {

/// One core that is online.
struct HostCpu {
  unsigned number = 0;
  int package = -1;         // index, -1 = not told; so for the next three
  int node = -1;            // NUMA node, as the kernel numbers it
  int l3 = -1;              // index of the group of cores that share a level-3 cache
  int physical_core = -1;   // index; SMT siblings have the same
  bool efficiency = false;  // of a hybrid processor's slower kind
  bool allowed = true;      // this process may run there
  bool isolated = false;    // in the kernel's lists
  bool nohz_full = false;
  bool rcu_nocbs = false;
};

struct HostPages {
  std::uint64_t page_bytes = 0;
  std::uint64_t total = 0;            // pages
  std::optional<std::uint64_t> free;  // pages; a file does not tell
};

struct HostNode {
  int number = -1;
  std::uint64_t bytes = 0;                  // of memory; 0 = it has none
  std::optional<std::uint64_t> free_bytes;  // on ordinary pages
  std::vector<HostPages> hugepages;         // by size, ascending
};

/// A PCI network device.
struct HostDevice {
  std::string pci;   // "0000:17:00.0"
  std::string name;  // the kernel's, "eth0"; "" = a driver without one has it
  int node = -1;     // -1 = not told
};

struct HostTopology {
  std::string source;             // for messages: "this host", or the file
  std::vector<HostCpu> cpus;      // ascending by number; never empty
  std::vector<unsigned> offline;  // ascending
  std::vector<HostNode> nodes;    // ascending by number
  std::vector<HostDevice> devices;

  /// Null: there is none of this number (or it is offline).
  [[nodiscard]] const HostCpu* cpu(unsigned number) const;
  [[nodiscard]] const HostNode* node(int number) const;
  /// The other cores on the same physical core, ascending.
  [[nodiscard]] std::vector<unsigned> siblings(const HostCpu& cpu) const;
  /// Of a device by what DPDK is given: a PCI address (domain optional), or a vdev whose arguments say iface=NAME.
  /// Null: none such is known here.
  [[nodiscard]] const HostDevice* device(std::string_view dpdk_name) const;
};

/// This host as this process may use it. Throws std::runtime_error (one line).
HostTopology read_host();

/// A host from hwloc's synthetic description ("pack:2 [numa] l3:4 core:8 pu:2"), for tests. Throws std::runtime_error.
HostTopology synthetic_host(const std::string& description);

/// Replaces what the topology says of its cores. Cores that are not there are ignored.
void apply_lists(HostTopology& host, const KernelLists& lists);

}  // namespace crosswire
