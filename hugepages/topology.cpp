// The host as hwloc sees it, loaded once and kept to the end of the process. Set-up only.
#include "hugepages/topology.hpp"

#include <hwloc.h>

#include <stdexcept>

namespace crosswire {
namespace {

/// Never throws away what it loaded: the answers must not change when DPDK or we bind threads later.
struct Host {
  hwloc_topology_t topology = nullptr;
  std::vector<unsigned> cores;

  Host() {
    if (hwloc_topology_init(&topology) != 0 || hwloc_topology_load(topology) != 0) {
      throw std::runtime_error("hwloc cannot read the host's topology; is /sys mounted?");
    }
    // The container's or cgroup's limit (allowed) and the one set by taskset (the process's binding).
    hwloc_bitmap_t usable = hwloc_bitmap_alloc();
    if (hwloc_get_cpubind(topology, usable, HWLOC_CPUBIND_PROCESS) != 0) hwloc_bitmap_fill(usable);
    hwloc_bitmap_and(usable, usable, hwloc_topology_get_allowed_cpuset(topology));
    for (int core = hwloc_bitmap_first(usable); core >= 0; core = hwloc_bitmap_next(usable, core)) {
      cores.push_back(static_cast<unsigned>(core));
    }
    hwloc_bitmap_free(usable);
  }
  ~Host() { hwloc_topology_destroy(topology); }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
};

const Host& host() {
  static const Host instance;
  return instance;
}

std::string list_of(const std::vector<unsigned>& cores) {
  std::string text;
  for (const unsigned core : cores) {
    if (!text.empty()) text += ',';
    text += std::to_string(core);
  }
  return text;
}

}  // namespace

const std::vector<unsigned>& allowed_cores() { return host().cores; }

std::string pin_this_thread(unsigned core) {
  hwloc_bitmap_t only = hwloc_bitmap_alloc();
  hwloc_bitmap_only(only, core);
  const int failed = hwloc_set_cpubind(host().topology, only, HWLOC_CPUBIND_THREAD | HWLOC_CPUBIND_STRICT);
  hwloc_bitmap_free(only);
  if (failed == 0) return "";
  return "cannot bind a thread to core " + std::to_string(core) +
         "; choose among the cores this process may use: " + list_of(allowed_cores());
}

int node_of_core(unsigned core) {
  const hwloc_obj_t found = hwloc_get_pu_obj_by_os_index(host().topology, core);
  return found == nullptr || found->nodeset == nullptr ? -1 : hwloc_bitmap_first(found->nodeset);
}

}  // namespace crosswire
