// The configured devices: driver, node, link. See checks.hpp.
#include <fmt/format.h>

#include <algorithm>

#include "app/doctor/checks.hpp"
#include "netstack/port/eal.hpp"

namespace crosswire {
namespace {

using enum DoctorState;
using enum DoctorWeight;

/// A kernel driver under which DPDK can poll the device: it takes the device over (vfio, uio) or works beside it (mlx).
bool is_driver_for_dpdk(const std::string& driver) {
  for (const char* const known : {"vfio-pci", "uio_pci_generic", "igb_uio", "mlx5_core", "mlx4_core", "mana"}) {
    if (driver == known) return true;
  }
  return false;
}

DoctorResult check_driver(const HostFiles& files, const std::string& path, const std::string& device) {
  const auto driver = files.link_name(path + "/driver");
  if (driver && is_driver_for_dpdk(*driver))
    return good("nic_driver", fmt::format("{}: {}", device, shown(*driver, 30)));
  const std::string is = driver ? fmt::format("{} has the kernel's driver {}", device, shown(*driver, 30))
                                : fmt::format("{} has no driver", device);
  return {"nic_driver",
          finding,
          heavy,
          is,
          "vfio-pci (cards of NVIDIA stay with mlx5_core)",
          "DPDK finds no such port: the appliance does not start",
          fmt::format("modprobe vfio-pci && dpdk-devbind.py --bind=vfio-pci {}", device),
          false};
}

DoctorResult check_iommu(const HostFiles& files, const std::string& path, const std::string& device) {
  if (files.link_name(path + "/driver") != "vfio-pci") return good("iommu", fmt::format("{}: not by vfio-pci", device));
  if (files.link_name(path + "/iommu_group")) return good("iommu", fmt::format("{} is in an IOMMU group", device));
  return {"iommu",
          finding,
          middling,
          fmt::format("{} is in no IOMMU group", device),
          "the IOMMU on, in pass-through",
          "vfio-pci drives the device only in its unsafe mode, in which it may write anywhere",
          "switch VT-d or AMD-Vi on in the firmware, and boot with intel_iommu=on iommu=pt (AMD: iommu=pt)",
          false};
}

DoctorResult check_node(const HostFiles& files, const std::string& path, const std::string& device,
                        const DoctorNeeds& needs) {
  const auto node = files.number(path + "/numa_node");
  if (!node || *node < 0) return silent("nic_node", fmt::format("{} does not say on which NUMA node it is", device));
  CpuList elsewhere;
  for (const unsigned core : needs.cores) {
    const int its = node_of(files, core);
    if (its >= 0 && its != *node) elsewhere.push_back(core);
  }
  if (elsewhere.empty())
    return good("nic_node", fmt::format("{} is on node {}, with the polling cores", device, *node));
  return {
      "nic_node",
      finding,
      heavy,
      fmt::format("{} is on node {}, polling core {} is not", device, *node, format_cpu_list(elsewhere)),
      fmt::format("polling cores of node {}", *node),
      "every frame crosses from one socket to the other",
      fmt::format(
          "place the stages on cores {}",
          shown(files.read(fmt::format("sys/devices/system/node/node{}/cpulist", *node)).value_or("of that node"), 60)),
      false};
}

DoctorResult check_pci_link(const HostFiles& files, const std::string& path, const std::string& device) {
  const auto speed = files.read(path + "/current_link_speed");
  const auto width = files.read(path + "/current_link_width");
  const auto best_speed = files.read(path + "/max_link_speed");
  const auto best_width = files.read(path + "/max_link_width");
  if (!speed || !width || !best_speed || !best_width)
    return silent("nic_slot", fmt::format("{} does not say how fast its slot is", device));
  const std::string now = fmt::format("{} x{}", shown(*speed, 20), shown(*width, 4));
  const std::string best = fmt::format("{} x{}", shown(*best_speed, 20), shown(*best_width, 4));
  if (now == best) return good("nic_slot", fmt::format("{}: {}", device, now));
  return {"nic_slot",
          finding,
          light,
          fmt::format("{} runs at {}", device, now),
          fmt::format("what it can: {}", best),
          "frames take longer between card and memory",
          "put the card into a slot that is as wide and fast, or see the firmware's slot settings",
          false};
}

void examine_pci(const HostFiles& files, const DoctorNeeds& needs, const std::string& address, DoctorResults& to) {
  const std::string path = "sys/bus/pci/devices/" + address;
  if (!files.exists(path)) {
    to.push_back({"nic", finding, heavy, fmt::format("there is no PCI device {}", address),
                  "the device of the configuration", "the appliance does not start",
                  "dpdk-devbind.py --status lists what is there; correct [port] device", false});
    return;
  }
  to.push_back(check_driver(files, path, address));
  to.push_back(check_iommu(files, path, address));
  to.push_back(check_node(files, path, address, needs));
  to.push_back(check_pci_link(files, path, address));
}

void examine_interface(const HostFiles& files, const DoctorNeeds& needs, const std::string& name, DoctorResults& to) {
  const std::string path = "sys/class/net/" + name;
  // What is no plain name would lead out of the folder.
  if (name.find('/') != std::string::npos || name[0] == '.' || !files.exists(path)) {
    to.push_back({"nic", finding, heavy, fmt::format("there is no network interface {}", shown(name, 40)),
                  "the device of the configuration", "the appliance does not start",
                  "ip link lists what is there; correct [port] device", false});
    return;
  }
  const std::string label = shown(name, 40);
  const auto state = files.read(path + "/operstate");
  if (!state || *state == "unknown") {
    to.push_back(silent("nic_link", fmt::format("{} does not say whether its link is up", label)));
  } else if (*state == "up") {
    to.push_back(good("nic_link", fmt::format("{} is up", label)));
  } else {
    to.push_back({"nic_link", finding, heavy, fmt::format("{} is {}", label, shown(*state, 20)), "up",
                  "no frame comes in or goes out", fmt::format("ip link set {} up; is the cable in?", label), false});
  }
  if (files.exists(path + "/device")) to.push_back(check_node(files, path + "/device", label, needs));
}

}  // namespace

void examine_devices(const HostFiles& files, const DoctorNeeds& needs, DoctorResults& to) {
  for (const std::string& device : needs.devices) {
    const std::string address = pci_address(device.substr(0, device.find(',')));
    const std::string interface = device_argument(device, "iface");
    if (!address.empty()) {
      examine_pci(files, needs, address, to);
    } else if (!interface.empty() && device.compare(0, 9, "net_vhost") != 0) {
      examine_interface(files, needs, interface, to);
      to.push_back(
          informative("nic", fmt::format("{}: a device of the kernel; each burst is a system call", shown(device))));
    } else {
      to.push_back(
          informative("nic", fmt::format("{}: a virtual device, with nothing to examine here", shown(device))));
    }
  }
}

DoctorResults examine(const HostFiles& files, const DoctorNeeds& needs) {
  DoctorResults results;
  examine_cores(files, needs, results);
  examine_memory(files, needs, results);
  examine_kernel(files, needs, results);
  examine_devices(files, needs, results);
  return results;
}

}  // namespace crosswire
