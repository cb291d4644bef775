// From hwloc's objects to plain values: see the header. Set-up only.
#include "hugepages/host/hwloc_values.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "hugepages/host/hwloc_handles.hpp"

namespace crosswire::hwloc {
namespace {

constexpr unsigned kPciClassNetwork = 0x02;

int index_of_ancestor(hwloc_topology_t topology, hwloc_obj_type_t type, hwloc_obj_t object) {
  const hwloc_obj_t found = hwloc_get_ancestor_obj_by_type(topology, type, object);
  return found == nullptr ? -1 : static_cast<int>(found->logical_index);
}

std::vector<HostNode> nodes_of(hwloc_topology_t topology) {
  std::vector<HostNode> nodes;
  for (hwloc_obj_t object = nullptr;
       (object = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, object)) != nullptr;) {
    HostNode node{.number = static_cast<int>(object->os_index), .bytes = object->attr->numanode.local_memory};
    const auto base = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    for (unsigned i = 0; i < object->attr->numanode.page_types_len; ++i) {
      const auto& pages = object->attr->numanode.page_types[i];
      if (pages.size > base) node.hugepages.push_back({.page_bytes = pages.size, .total = pages.count});
    }
    std::sort(node.hugepages.begin(), node.hugepages.end(),
              [](const HostPages& a, const HostPages& b) { return a.page_bytes < b.page_bytes; });
    nodes.push_back(std::move(node));
  }
  std::sort(nodes.begin(), nodes.end(), [](const HostNode& a, const HostNode& b) { return a.number < b.number; });
  return nodes;
}

/// Kinds by Intel's name where the processor tells it, else all kinds but the fastest count as efficiency cores.
void mark_efficiency_cores(hwloc_topology_t topology, HostTopology& host) {
  const int kinds = hwloc_cpukinds_get_nr(topology, 0);
  if (kinds < 2) return;
  const Bitmap cores(hwloc_bitmap_alloc());
  for (int kind = 0; kind < kinds; ++kind) {
    int rank = -1;
    unsigned infos_count = 0;
    hwloc_info_s* infos = nullptr;
    if (hwloc_cpukinds_get_info(topology, static_cast<unsigned>(kind), cores.get(), &rank, &infos_count, &infos, 0) !=
        0) {
      continue;
    }
    bool efficiency = rank >= 0 && rank < kinds - 1;
    for (unsigned i = 0; i < infos_count; ++i) {
      if (std::strcmp(infos[i].name, "CoreType") == 0) efficiency = std::strcmp(infos[i].value, "IntelAtom") == 0;
    }
    for (HostCpu& cpu : host.cpus) {
      if (hwloc_bitmap_isset(cores.get(), cpu.number) != 0) cpu.efficiency = efficiency;
    }
  }
}

std::string pci_name(const hwloc_obj_attr_u::hwloc_pcidev_attr_s& pci) {
  char text[32] = "";
  std::snprintf(text, sizeof text, "%04x:%02x:%02x.%x", unsigned{pci.domain}, unsigned{pci.bus}, unsigned{pci.dev},
                unsigned{pci.func} & 7u);
  return text;
}

/// What a terminal shows as it is: a file may call a device anything.
std::string printable(const char* name) {
  std::string text(name);
  std::replace_if(
      text.begin(), text.end(), [](char letter) { return letter < ' ' || letter > '~'; }, '?');
  return text;
}

std::vector<HostDevice> devices_of(hwloc_topology_t topology, const HostTopology& host) {
  std::vector<HostDevice> devices;
  for (hwloc_obj_t object = nullptr; (object = hwloc_get_next_pcidev(topology, object)) != nullptr;) {
    if (object->attr->pcidev.class_id >> 8 != kPciClassNetwork) continue;
    HostDevice device{.pci = pci_name(object->attr->pcidev)};
    for (hwloc_obj_t child = object->io_first_child; child != nullptr; child = child->next_sibling) {
      if (child->type == HWLOC_OBJ_OS_DEVICE && child->attr->osdev.type == HWLOC_OBJ_OSDEV_NETWORK &&
          child->name != nullptr) {
        device.name = printable(child->name);
      }
    }
    const hwloc_obj_t parent = hwloc_get_non_io_ancestor_obj(topology, object);
    if (parent != nullptr && parent->nodeset != nullptr && hwloc_bitmap_weight(parent->nodeset) == 1) {
      device.node = hwloc_bitmap_first(parent->nodeset);
      if (host.node(device.node) == nullptr) device.node = -1;
    }
    devices.push_back(std::move(device));
  }
  return devices;
}

}  // namespace

HostTopology values_of(hwloc_topology_t topology) {
  HostTopology host;
  host.nodes = nodes_of(topology);
  const Bitmap allowed(hwloc_bitmap_dup(hwloc_topology_get_allowed_cpuset(topology)));
  for (hwloc_obj_t object = nullptr;
       (object = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PU, object)) != nullptr;) {
    if (object->os_index >= kMostCores) throw std::runtime_error("has a core without a number");
    HostCpu cpu{.number = object->os_index,
                .package = index_of_ancestor(topology, HWLOC_OBJ_PACKAGE, object),
                .node = object->nodeset == nullptr ? -1 : hwloc_bitmap_first(object->nodeset),
                .l3 = index_of_ancestor(topology, HWLOC_OBJ_L3CACHE, object),
                .physical_core = index_of_ancestor(topology, HWLOC_OBJ_CORE, object)};
    if (host.node(cpu.node) == nullptr) cpu.node = -1;
    cpu.allowed = hwloc_bitmap_isset(allowed.get(), cpu.number) != 0;
    host.cpus.push_back(cpu);
  }
  if (host.cpus.empty()) throw std::runtime_error("has no cores");
  const auto by_number = [](const HostCpu& a, const HostCpu& b) { return a.number < b.number; };
  std::sort(host.cpus.begin(), host.cpus.end(), by_number);
  const auto same_number = [](const HostCpu& a, const HostCpu& b) { return a.number == b.number; };
  if (std::adjacent_find(host.cpus.begin(), host.cpus.end(), same_number) != host.cpus.end()) {
    throw std::runtime_error("has a core twice");
  }
  mark_efficiency_cores(topology, host);
  host.devices = devices_of(topology, host);
  return host;
}

}  // namespace crosswire::hwloc
