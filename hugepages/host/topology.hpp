// The host's cores, NUMA nodes and network devices, from hwloc and the kernel's lists. Used by the app at set-up; never
// by a stage. A "core" is a Linux CPU number, as in taskset, isolcpus and DPDK's -l; a "physical core" is what SMT
// siblings share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crosswire {

// --- a host as plain data, so that a placement is a function of values ---

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

/// The kernel's lists of cores that it keeps work away from, each ascending.
struct KernelLists {
  std::vector<unsigned> isolated;
  std::vector<unsigned> nohz_full;
  std::vector<unsigned> rcu_nocbs;
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

/// A host from an hwloc XML file (`lstopo host.xml`). Its kernel lists are those that save_host() has put there, else
/// empty: hwloc does not know them. Throws std::runtime_error (one line: what, where, how to mend).
HostTopology read_host_file(const std::string& path);

/// This host as such a file, the kernel's lists included. Throws std::runtime_error (one line).
void save_host(const std::string& path);

/// A host from hwloc's synthetic description ("pack:2 [numa] l3:4 core:8 pu:2"), for tests. Throws std::runtime_error.
HostTopology synthetic_host(const std::string& description);

/// Replaces what the topology says of its cores. Cores that are not there are ignored.
void apply_lists(HostTopology& host, const KernelLists& lists);

/// "0-3,8,10-20:2/4", as the kernel writes lists of cores (N for the last core and "all" included, which are `last`).
/// Nothing: it is none, or names a core beyond any that Linux supports. Ascending, each once.
std::optional<std::vector<unsigned>> parse_cores(std::string_view text, unsigned last = 0);
/// The other way round, with ranges.
std::string format_cores(const std::vector<unsigned>& cores);

/// From /sys/devices/system/cpu and /proc/cmdline below `root`; a list that is not there is empty.
KernelLists read_kernel_lists(const std::string& root = "/");

/// Which cores a process may use. The affinity of a process that nobody bound leaves out the isolated cores: that is
/// the kernel's default and no limit; any other affinity is the operator's (taskset, a unit file). All ascending.
std::vector<unsigned> usable_cores(const std::vector<unsigned>& online, const std::vector<unsigned>& cpuset,
                                   const std::vector<unsigned>& affinity, const std::vector<unsigned>& isolated);

// --- this process ---

/// The cores that this process might use when it first asked about the host, ascending. Any thread.
const std::vector<unsigned>& allowed_cores();

/// Binds the calling thread to one core. Empty: done. Else one line that says what failed and how to mend it.
[[nodiscard]] std::string pin_this_thread(unsigned core);

/// Lets the calling thread run on each of allowed_cores() again. Empty: done. Else one line.
[[nodiscard]] std::string free_this_thread();

/// NUMA node of a core, -1 = there is no such core or the host does not say. Any thread.
int node_of_core(unsigned core);

}  // namespace crosswire
