// Hosts of our own making: trees of /proc and /sys files in a temporary directory, for what reads or changes a host.
// Tests only.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace crosswire::test {

/// Paths without the "/" in front.
struct HostTree {
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> links;
};

/// Two nodes of four cores with two threads each (core c and c + 8 are siblings), cores 2-3 and 10-11 isolated for
/// polling, everything as it should be, and a NIC on node 0 that vfio-pci drives.
inline HostTree tuned_server() {
  HostTree tree;
  auto& files = tree.files;
  const std::string cpu = "sys/devices/system/cpu/";
  files["proc/cmdline"] =
      "BOOT_IMAGE=/vmlinuz isolcpus=managed_irq,domain,2-3,10-11 nohz_full=2-3 rcu_nocbs=2-3 quiet\n";
  files["proc/version"] = "Linux version 6.1.0 (gcc) #1 SMP PREEMPT_DYNAMIC Debian\n";
  files["proc/cpuinfo"] = "processor\t: 0\nflags\t\t: fpu tsc constant_tsc nonstop_tsc avx2\n";
  files["proc/swaps"] = "Filename\tType\tSize\tUsed\tPriority\n";
  files["proc/self/limits"] =
      "Limit  Soft Limit  Hard Limit  Units\nMax locked memory         unlimited            unlimited            "
      "bytes\n";
  files["proc/self/status"] = "Name:\tcrosswire\nCapEff:\t0000000000000000\n";
  files["proc/1/comm"] = "systemd\n";
  files["proc/interrupts"] = "     CPU0 CPU1\n";
  files["proc/irq/default_smp_affinity"] = "f3f3\n";
  for (const int irq : {24, 25, 30}) {
    const std::string path = fmt::format("proc/irq/{}/", irq);
    files[path + "smp_affinity_list"] = "0-1\n";
    files[path + "effective_affinity_list"] = "1\n";
    files[path + fmt::format("nvme0q{}/x", irq)] = "";
  }
  files["proc/irq/0/smp_affinity_list"] = "0-15\n";  // nobody raises it
  files["proc/sys/kernel/nmi_watchdog"] = "0\n";
  files["proc/sys/kernel/soft_watchdog"] = "1\n";
  files["proc/sys/kernel/watchdog_cpumask"] = "0-1,4-9,12-15\n";
  files["proc/sys/kernel/numa_balancing"] = "0\n";
  files["proc/sys/kernel/sched_rt_runtime_us"] = "950000\n";
  files["proc/sys/vm/swappiness"] = "60\n";
  files["proc/sys/vm/stat_interval"] = "10\n";
  files[cpu + "online"] = "0-15\n";
  files[cpu + "isolated"] = "2-3,10-11\n";
  files[cpu + "nohz_full"] = "2-3\n";
  files[cpu + "intel_pstate/no_turbo"] = "0\n";
  files[cpu + "vulnerabilities/spectre_v1"] = "Mitigation: barriers\n";
  files[cpu + "vulnerabilities/meltdown"] = "Not affected\n";
  for (int core = 0; core < 16; ++core) {
    const std::string path = cpu + fmt::format("cpu{}/", core);
    files[path + "cpufreq/scaling_governor"] = "performance\n";
    files[path + "topology/thread_siblings_list"] = fmt::format("{},{}\n", core % 8, core % 8 + 8);
    for (int state = 0; state < 3; ++state) {
      const std::string idle = path + fmt::format("cpuidle/state{}/", state);
      files[idle + "name"] = fmt::format("C{}\n", state);
      files[idle + "latency"] = fmt::format("{}\n", state * state * state * state * 10 / 16);  // 0, 0, 10
      files[idle + "disable"] = state == 2 ? "1\n" : "0\n";
    }
  }
  for (int node = 0; node < 2; ++node) {
    const std::string path = fmt::format("sys/devices/system/node/node{}/", node);
    files[path + "cpulist"] = node == 0 ? "0-3,8-11\n" : "4-7,12-15\n";
    files[path + "hugepages/hugepages-2048kB/nr_hugepages"] = node == 0 ? "1024\n" : "0\n";
    files[path + "hugepages/hugepages-2048kB/free_hugepages"] = node == 0 ? "1024\n" : "0\n";
    files[path + "hugepages/hugepages-1048576kB/nr_hugepages"] = "0\n";
    files[path + "hugepages/hugepages-1048576kB/free_hugepages"] = "0\n";
  }
  files["sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"] = "1024\n";
  files["sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"] = "1024\n";
  files["sys/kernel/mm/transparent_hugepage/enabled"] = "always [madvise] never\n";
  files["sys/kernel/mm/ksm/run"] = "0\n";
  files["sys/devices/virtual/workqueue/cpumask"] = "0000,0000f3f3\n";
  files["sys/devices/system/clocksource/clocksource0/current_clocksource"] = "tsc\n";
  files["sys/devices/system/clocksource/clocksource0/available_clocksource"] = "tsc hpet acpi_pm\n";
  files["dev/cpu_dma_latency"] = std::string("\x00\x94\x35\x77", 4);  // 2,000,000,000 us
  const std::string nic = "sys/bus/pci/devices/0000:3b:00.0/";
  files[nic + "numa_node"] = "0\n";
  for (const char* const what : {"current", "max"}) {
    files[nic + what + "_link_speed"] = "16.0 GT/s PCIe\n";
    files[nic + what + "_link_width"] = "16\n";
  }
  tree.links[nic + "driver"] = "../../../../bus/pci/drivers/vfio-pci";
  tree.links[nic + "iommu_group"] = "../../../../kernel/iommu_groups/7";
  files["sys/class/net/eth1/operstate"] = "up\n";
  files["sys/class/net/eth1/device/numa_node"] = "0\n";
  return tree;
}

/// The same machine as it comes from the shop.
inline HostTree untuned_server() {
  HostTree tree = tuned_server();
  auto& files = tree.files;
  const std::string cpu = "sys/devices/system/cpu/";
  files["proc/cmdline"] = "BOOT_IMAGE=/vmlinuz quiet\n";
  files["proc/swaps"] += "/dev/sda2 partition 8388604 0 -2\n";
  files["proc/self/limits"] = "Max locked memory         8388608            8388608            bytes\n";
  files["proc/812/comm"] = "irqbalance\n";
  files["proc/irq/default_smp_affinity"] = "ffff\n";
  files["proc/irq/24/smp_affinity_list"] = "0-15\n";
  files["proc/irq/24/effective_affinity_list"] = "2\n";
  files["proc/irq/25/smp_affinity_list"] = "0-15\n";
  files["proc/sys/kernel/nmi_watchdog"] = "1\n";
  files["proc/sys/kernel/watchdog_cpumask"] = "0-15\n";
  files["proc/sys/kernel/numa_balancing"] = "1\n";
  files["proc/sys/vm/stat_interval"] = "1\n";
  files[cpu + "isolated"] = "\n";
  files[cpu + "nohz_full"] = "(null)\n";
  for (int core = 0; core < 16; ++core) {
    files[cpu + fmt::format("cpu{}/cpufreq/scaling_governor", core)] = "schedutil\n";
    files[cpu + fmt::format("cpu{}/cpuidle/state2/disable", core)] = "0\n";
  }
  for (const char* const folder : {"sys/devices/system/node/node0/hugepages/", "sys/kernel/mm/hugepages/"}) {
    files[std::string(folder) + "hugepages-2048kB/nr_hugepages"] = "0\n";
    files[std::string(folder) + "hugepages-2048kB/free_hugepages"] = "0\n";
  }
  files["sys/kernel/mm/transparent_hugepage/enabled"] = "[always] madvise never\n";
  files["sys/kernel/mm/ksm/run"] = "1\n";
  files["sys/devices/virtual/workqueue/cpumask"] = "ffff\n";
  files["sys/devices/system/clocksource/clocksource0/current_clocksource"] = "hpet\n";
  tree.links["sys/bus/pci/devices/0000:3b:00.0/driver"] = "../../../../bus/pci/drivers/ice";
  return tree;
}

inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

inline void write_tree(const HostTree& tree, const std::filesystem::path& root) {
  for (const auto& [path, text] : tree.files) write_file(root / path, text);
  for (const auto& [path, target] : tree.links) {
    std::filesystem::create_directories((root / path).parent_path());
    std::filesystem::create_symlink(target, root / path);
  }
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace crosswire::test
