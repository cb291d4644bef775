// Memory: hugepages against what the configuration needs, and what the kernel does to memory of its own accord. See
// checks.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "app/doctor/checks.hpp"

namespace crosswire {
namespace {

using enum DoctorState;
using enum DoctorWeight;

constexpr std::uint64_t kSmall = 2 * kMiB;
constexpr std::uint64_t kLarge = 1024 * kMiB;

/// The hugepages of each node; of a host that tells of no nodes, as of one of number -1.
std::vector<HostNode> nodes_of(const HostFiles& files) {
  const auto count = [&files](const std::string& path) {
    constexpr std::int64_t kMost = std::int64_t{1} << 40;  // more is garbage
    return static_cast<std::uint64_t>(std::clamp<std::int64_t>(files.number(path).value_or(0), 0, kMost));
  };
  const auto pages_in = [&count](const std::string& folder) {
    std::vector<HostPages> pages;
    for (const std::uint64_t size : {kSmall, kLarge}) {
      const std::string path = fmt::format("{}/hugepages-{}kB", folder, size / 1024);
      pages.push_back({size, count(path + "/nr_hugepages"), count(path + "/free_hugepages")});
    }
    return pages;
  };
  std::vector<HostNode> nodes;
  const std::string all = "sys/devices/system/node";
  for (const std::string& name : files.folders(all)) {
    const auto number = name.compare(0, 4, "node") == 0 ? parse_whole(name.substr(4)) : std::nullopt;
    if (!number || *number < 0 || *number > kMaxCpu) continue;
    nodes.push_back(
        {.number = static_cast<int>(*number), .hugepages = pages_in(fmt::format("{}/{}/hugepages", all, name))});
  }
  if (nodes.empty()) nodes.push_back({.number = -1, .hugepages = pages_in("sys/kernel/mm/hugepages")});
  return nodes;
}

struct PageCounts {
  std::uint64_t free = 0, all = 0;
};

/// Of a node, or of the whole host where `node` is -1.
PageCounts pages_on(const std::vector<HostNode>& nodes, int node, std::uint64_t page_bytes) {
  PageCounts sum;
  for (const HostNode& each : nodes) {
    if (node >= 0 && each.number != node) continue;
    for (const HostPages& pages : each.hugepages) {
      if (pages.page_bytes != page_bytes) continue;
      sum.free += pages.free.value_or(0);
      sum.all += pages.total;
    }
  }
  return sum;
}

/// Verdict on what is wanted of one node.
DoctorResult check_node(const std::vector<HostNode>& nodes, const std::vector<MemoryNeed>& needs, int node) {
  const PageCounts small = pages_on(nodes, node, kSmall);
  const PageCounts large = pages_on(nodes, node, kLarge);
  std::uint64_t small_wanted = 0, large_wanted = 0;
  std::string wanted;
  bool enough = true, refused = false;
  for (const MemoryNeed& need : needs) {
    if (need.wish.node != node || need.wish.policy == HugepagePolicy::off) continue;
    const bool in_large = need.page_bytes == kLarge;
    (in_large ? large_wanted : small_wanted) += need.pages;
    wanted += fmt::format("{}{} {} MiB{}", wanted.empty() ? "" : ", ", need.wish.what,
                          (need.wish.bytes + kSmall - 1) / kSmall * 2, in_large ? " in 1 GiB pages" : "");
    enough = enough && need.state == MemoryNeed::State::fits;
    refused = refused || need.state == MemoryNeed::State::refused;
  }
  const std::string where = node < 0 ? "" : fmt::format("node {}: ", node);
  const std::string free = fmt::format("{} of {} 2 MiB pages and {} of {} 1 GiB pages are free", small.free, small.all,
                                       large.free, large.all);
  if (enough) return good("hugepages", fmt::format("{}{}; wanted: {}", where, free, wanted));
  const auto in_use = [](const PageCounts& pages) { return pages.all - std::min(pages.free, pages.all); };
  std::string should = fmt::format("{} free 2 MiB pages", small_wanted);
  std::string remedy = fmt::format("scripts/hugepages reserve --2m {}", in_use(small) + small_wanted);
  if (large_wanted > 0) {
    should += fmt::format(" and {} free 1 GiB pages", large_wanted);
    remedy += fmt::format(" --1g {}", in_use(large) + large_wanted);
  }
  if (node >= 0) remedy += fmt::format(" --node {}", node);
  const bool others = in_use(small) + in_use(large) > 0;
  return {"hugepages",
          finding,
          heavy,
          fmt::format("{}{}{}; wanted: {}", where, free, others ? " (a program that runs has the others)" : "", wanted),
          should,
          refused ? "the appliance does not start: the configuration requires hugepages"
                  : "the appliance runs on smaller pages: orders wait for address translations (TLB misses)",
          remedy,
          false};
}

void check_hugepages(const HostFiles& files, const DoctorNeeds& needs, DoctorResults& to) {
  if (!files.exists("sys/kernel/mm/hugepages")) {
    to.push_back(silent("hugepages", "no /sys/kernel/mm/hugepages"));
    return;
  }
  const std::vector<HostNode> nodes = nodes_of(files);
  if (needs.memory.empty()) {
    to.push_back(
        informative("hugepages",
                    fmt::format("{} 2 MiB pages and {} 1 GiB pages are free; give --config to see whether they suffice",
                                pages_on(nodes, -1, kSmall).free, pages_on(nodes, -1, kLarge).free)));
    return;
  }
  std::set<int> wanted;
  for (const MemoryWish& wish : needs.memory) {
    if (wish.policy != HugepagePolicy::off) wanted.insert(wish.node);
  }
  if (wanted.empty()) {
    to.push_back(informative("hugepages", "the configuration switches them off ([memory] hugepages)"));
    return;
  }
  const std::vector<MemoryNeed> met = meet(needs.memory, nodes);
  for (const int node : wanted) to.push_back(check_node(nodes, met, node));
}

DoctorResult check_thp(const HostFiles& files) {
  const auto mode = files.chosen("sys/kernel/mm/transparent_hugepage/enabled");
  if (!mode) return silent("thp", "/sys/kernel/mm/transparent_hugepage/enabled");
  if (*mode != "always") return good("thp", shown(*mode, 20));
  return {"thp",
          finding,
          middling,
          "\"always\"",
          "\"madvise\" or \"never\"",
          "the kernel merges pages behind everyone's back, holding up whoever touches them, and moves memory about to "
          "find room",
          "scripts/tune apply, or: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled; for good: boot with "
          "transparent_hugepage=madvise",
          true};
}

DoctorResult check_ksm(const HostFiles& files) {
  const auto run = files.number("sys/kernel/mm/ksm/run");
  if (!run) return silent("ksm", "/sys/kernel/mm/ksm/run");
  if (*run != 1) return good("ksm", "off");
  return {"ksm",
          finding,
          light,
          "running",
          "off",
          "a kernel thread reads all memory that virtual machines offer, through everyone's caches",
          "scripts/tune apply, or: echo 0 > /sys/kernel/mm/ksm/run",
          true};
}

DoctorResult check_swap(const HostFiles& files) {
  constexpr std::int64_t kCalm = 10;
  const auto swaps = files.read("proc/swaps");
  if (!swaps) return silent("swap", "/proc/swaps");
  if (std::count(swaps->begin(), swaps->end(), '\n') == 0) return good("swap", "none");
  const auto swappiness = files.number("proc/sys/vm/swappiness");
  if (!swappiness) return silent("swap", "there is swap, and no /proc/sys/vm/swappiness");
  if (*swappiness <= kCalm) return good("swap", fmt::format("there is swap, vm.swappiness is {}", *swappiness));
  return {"swap",
          finding,
          light,
          fmt::format("there is swap and vm.swappiness is {}", *swappiness),
          fmt::format("no swap, or vm.swappiness of at most {}", kCalm),
          "the appliance's memory is locked, but the control programs beside it are swapped out and come back late",
          "scripts/tune apply (vm.swappiness), or: swapoff -a",
          true};
}

/// Of a line "Max locked memory  8388608  8388608  bytes" the first value; -1: unlimited.
std::optional<std::int64_t> memlock(const HostFiles& files) {
  std::istringstream lines(files.read("proc/self/limits").value_or(""));
  constexpr std::string_view kName = "Max locked memory";
  for (std::string line; std::getline(lines, line);) {
    if (line.compare(0, kName.size(), kName) != 0) continue;
    std::istringstream words(line.substr(kName.size()));
    std::string soft;
    words >> soft;
    return soft == "unlimited" ? std::optional<std::int64_t>(-1) : parse_whole(soft);
  }
  return std::nullopt;
}

bool may_lock_anyway(const HostFiles& files) {
  constexpr unsigned kCapIpcLock = 14;  // linux/capability.h
  std::istringstream lines(files.read("proc/self/status").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (line.compare(0, 7, "CapEff:") != 0) continue;
    const auto capabilities = parse_cpu_mask(line.substr(7));  // a hexadecimal mask like any other
    return capabilities && std::binary_search(capabilities->begin(), capabilities->end(), kCapIpcLock);
  }
  return false;
}

DoctorResult check_memlock(const HostFiles& files, const DoctorNeeds& needs) {
  const auto limit = memlock(files);
  if (!limit) return silent("memlock", "/proc/self/limits");
  if (may_lock_anyway(files)) return good("memlock", "this user may lock all memory (CAP_IPC_LOCK)");
  if (*limit < 0) return good("memlock", "unlimited");
  std::size_t wanted = kLarge;  // the program itself, and what DPDK maps beside
  for (const MemoryWish& wish : needs.memory) wanted += wish.bytes;
  if (static_cast<std::size_t>(*limit) >= wanted)
    return good("memlock", fmt::format("{} MiB", static_cast<std::size_t>(*limit) / kMiB));
  return {
      "memlock",
      finding,
      middling,
      fmt::format("this user may lock {} MiB", static_cast<std::size_t>(*limit) / kMiB),
      "unlimited",
      "the kernel may take pages away that the appliance uses, and vfio cannot map its memory for the device",
      "LimitMEMLOCK=infinity in the service (scripts/systemd has it), or in this shell, as root: ulimit -l unlimited",
      false};
}

}  // namespace

void examine_memory(const HostFiles& files, const DoctorNeeds& needs, DoctorResults& to) {
  check_hugepages(files, needs, to);
  to.push_back(check_memlock(files, needs));
  to.push_back(check_thp(files));
  to.push_back(check_swap(files));
  to.push_back(check_ksm(files));
}

}  // namespace crosswire
