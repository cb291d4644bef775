// A host as plain values, from hwloc and the kernel: see the header. Set-up only.
#include "hugepages/host/topology.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "hugepages/host/hwloc_handles.hpp"
#include "hugepages/host/hwloc_values.hpp"

namespace crosswire {
namespace {

using namespace hwloc;

bool contains(const std::vector<unsigned>& sorted, unsigned core) {
  return std::binary_search(sorted.begin(), sorted.end(), core);
}

std::optional<std::uint64_t> number_in_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (file >> number) return number;
  return std::nullopt;
}

/// hwloc counts hugepages and does not say which are free.
void add_what_is_free(HostTopology& host) {
  const std::filesystem::path nodes = "/sys/devices/system/node";
  const bool one_node = host.nodes.size() == 1;
  for (HostNode& node : host.nodes) {
    const std::filesystem::path folder = nodes / ("node" + std::to_string(node.number));
    for (HostPages& pages : node.hugepages) {
      const std::string size = "hugepages-" + std::to_string(pages.page_bytes / 1024) + "kB";
      pages.free = number_in_file(folder / "hugepages" / size / "free_hugepages");
      if (!pages.free && one_node) pages.free = number_in_file("/sys/kernel/mm/hugepages/" + size + "/free_hugepages");
    }
    // "Node 0 MemFree:  123 kB", or without the node.
    std::ifstream memory(folder / "meminfo");
    if (!memory && one_node) memory.open("/proc/meminfo");
    for (std::string line; std::getline(memory, line);) {
      const std::size_t at = line.find("MemFree:");
      if (at == std::string::npos) continue;
      std::uint64_t kib = 0;
      if (std::istringstream(line.substr(at + 8)) >> kib) node.free_bytes = kib * 1024;
    }
  }
}

std::vector<unsigned> numbers_of(const HostTopology& host, bool (*keep)(const HostCpu&)) {
  std::vector<unsigned> numbers;
  for (const HostCpu& cpu : host.cpus) {
    if (keep(cpu)) numbers.push_back(cpu.number);
  }
  return numbers;
}

std::vector<unsigned> online_of(const HostTopology& host) {
  return numbers_of(host, [](const HostCpu&) { return true; });
}

/// Marks what this process may use, and what the kernel keeps to itself.
void add_limits(HostTopology& host, hwloc_topology_t topology) {
  const KernelLists lists = read_kernel_lists();
  apply_lists(host, lists);
  const std::vector<unsigned> online = online_of(host);
  const std::vector<unsigned> cpuset = numbers_of(host, [](const HostCpu& cpu) { return cpu.allowed; });
  const std::vector<unsigned> usable = usable_cores(online, cpuset, affinity(topology, online), lists.isolated);
  for (HostCpu& cpu : host.cpus) cpu.allowed = contains(usable, cpu.number);
  for (const unsigned core : read_offline_cores()) {
    if (!contains(online, core)) host.offline.push_back(core);
  }
}

}  // namespace

const HostCpu* HostTopology::cpu(unsigned number) const {
  const auto found = std::lower_bound(cpus.begin(), cpus.end(), number,
                                      [](const HostCpu& cpu, unsigned wanted) { return cpu.number < wanted; });
  return found == cpus.end() || found->number != number ? nullptr : &*found;
}

const HostNode* HostTopology::node(int number) const {
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [number](const HostNode& node) { return node.number == number; });
  return found == nodes.end() ? nullptr : &*found;
}

std::vector<unsigned> HostTopology::siblings(const HostCpu& cpu) const {
  std::vector<unsigned> others;
  for (const HostCpu& other : cpus) {
    const bool same = cpu.physical_core >= 0 && other.physical_core == cpu.physical_core;
    if (same && other.number != cpu.number) others.push_back(other.number);
  }
  return others;
}

const HostDevice* HostTopology::device(std::string_view dpdk_name) const {
  constexpr std::string_view kInterface = ",iface=";
  std::string_view interface;
  if (const std::size_t at = dpdk_name.find(kInterface); at != std::string_view::npos) {
    interface = dpdk_name.substr(at + kInterface.size());
    interface = interface.substr(0, interface.find(','));
  }
  std::string pci(dpdk_name.substr(0, dpdk_name.find(',')));
  if (std::count(pci.begin(), pci.end(), ':') == 1) pci.insert(0, "0000:");
  std::transform(pci.begin(), pci.end(), pci.begin(), [](char c) { return c >= 'A' && c <= 'F' ? char(c + 32) : c; });
  for (const HostDevice& device : devices) {
    if (device.pci == pci || (!interface.empty() && device.name == interface)) return &device;
  }
  return nullptr;
}

void apply_lists(HostTopology& host, const KernelLists& lists) {
  for (HostCpu& cpu : host.cpus) {
    cpu.isolated = contains(lists.isolated, cpu.number);
    cpu.nohz_full = contains(lists.nohz_full, cpu.number);
    cpu.rcu_nocbs = contains(lists.rcu_nocbs, cpu.number);
  }
}

HostTopology read_host() {
  const Topology topology = load_this_host();
  try {
    HostTopology host = values_of(topology.get());
    host.source = "this host";
    add_limits(host, topology.get());
    add_what_is_free(host);
    return host;
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(std::string("this host, as hwloc sees it, ") + error.what() + "; is /sys mounted?");
  }
}

HostTopology synthetic_host(const std::string& description) {
  const Topology topology = make_topology();
  if (hwloc_topology_set_synthetic(topology.get(), description.c_str()) != 0 || !load_with_devices(topology.get())) {
    throw std::runtime_error("\"" + description + "\" is no synthetic topology of hwloc's");
  }
  HostTopology host = values_of(topology.get());
  host.source = description;
  return host;
}

}  // namespace crosswire
