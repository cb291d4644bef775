// Binding of this process's threads: see the header.
#include "hugepages/host/pinning.hpp"

#include "hugepages/host/core_list.hpp"
#include "hugepages/host/hwloc_handles.hpp"

namespace crosswire {
namespace {

using namespace hwloc;

/// Never throws away what it loaded: the answers must not change when DPDK or we bind threads later.
struct Host {
  Topology topology = make_topology();
  std::vector<unsigned> cores;

  Host() {
    if (hwloc_topology_load(topology.get()) != 0) fail_on_host();
    check_this_host(topology.get());
    const std::vector<unsigned> online = cores_of(hwloc_topology_get_topology_cpuset(topology.get()));
    const std::vector<unsigned> cpuset = cores_of(hwloc_topology_get_allowed_cpuset(topology.get()));
    cores = usable_cores(online, cpuset, affinity(topology.get(), online), read_kernel_lists().isolated);
  }
};

const Host& host() {
  static const Host instance;
  return instance;
}

}  // namespace

const std::vector<unsigned>& allowed_cores() { return host().cores; }

std::string pin_this_thread(unsigned core) {
  const Bitmap only(hwloc_bitmap_alloc());
  hwloc_bitmap_only(only.get(), core);
  if (hwloc_set_cpubind(host().topology.get(), only.get(), HWLOC_CPUBIND_THREAD | HWLOC_CPUBIND_STRICT) == 0) return "";
  return "cannot bind a thread to core " + std::to_string(core) +
         "; choose among the cores this process may use: " + format_cores(allowed_cores());
}

std::string free_this_thread() {
  const Bitmap all(hwloc_bitmap_alloc());
  for (const unsigned core : allowed_cores()) hwloc_bitmap_set(all.get(), core);
  if (hwloc_set_cpubind(host().topology.get(), all.get(), HWLOC_CPUBIND_THREAD) == 0) return "";
  return "cannot let a thread run on cores " + format_cores(allowed_cores()) + "; see taskset -p";
}

int node_of_core(unsigned core) {
  const hwloc_obj_t found = hwloc_get_pu_obj_by_os_index(host().topology.get(), core);
  return found == nullptr || found->nodeset == nullptr ? -1 : hwloc_bitmap_first(found->nodeset);
}

}  // namespace crosswire
