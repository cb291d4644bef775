// hwloc's handles: see the header. Set-up only.
#include "hugepages/host/hwloc_handles.hpp"

#include <stdexcept>

#include "hugepages/host/core_list.hpp"

namespace crosswire::hwloc {

void fail_on_host() { throw std::runtime_error("hwloc cannot read the host's topology; is /sys mounted?"); }

Topology make_topology() {
  hwloc_topology_t topology = nullptr;
  if (hwloc_topology_init(&topology) != 0) fail_on_host();
  return Topology(topology);
}

bool load_with_devices(hwloc_topology_t topology) {
  hwloc_topology_set_io_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_IMPORTANT);
  return hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED) == 0 &&
         hwloc_topology_load(topology) == 0;
}

void check_this_host(hwloc_topology_t topology) {
  if (hwloc_topology_is_thissystem(topology) != 0) return;
  throw std::runtime_error(
      "hwloc is told to describe another host: HWLOC_XMLFILE, HWLOC_SYNTHETIC or HWLOC_FSROOT is set; unset it (a file "
      "goes to crosswire plan --topology)");
}

Topology load_this_host() {
  Topology topology = make_topology();
  if (!load_with_devices(topology.get())) fail_on_host();
  check_this_host(topology.get());
  return topology;
}

std::vector<unsigned> cores_of(hwloc_const_bitmap_t bitmap) {
  std::vector<unsigned> cores;
  for (int core = hwloc_bitmap_first(bitmap); core >= 0 && core < static_cast<int>(kMostCores);
       core = hwloc_bitmap_next(bitmap, core)) {
    cores.push_back(static_cast<unsigned>(core));
  }
  return cores;
}

std::vector<unsigned> affinity(hwloc_topology_t topology, const std::vector<unsigned>& online) {
  const Bitmap bound(hwloc_bitmap_alloc());
  if (hwloc_get_cpubind(topology, bound.get(), HWLOC_CPUBIND_PROCESS) != 0) return online;
  return cores_of(bound.get());
}

}  // namespace crosswire::hwloc
