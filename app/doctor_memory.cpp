// Memory: hugepages against what the configuration needs, and what the kernel does to memory of its own accord. See
// doctor_checks.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "app/doctor_checks.hpp"

namespace crosswire {
namespace {

using enum DoctorState;
using enum DoctorWeight;

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kSmall = 2 * kMiB;
constexpr std::size_t kLarge = 1024 * kMiB;

std::size_t pages_of(std::size_t bytes, std::size_t page) { return (bytes + page - 1) / page; }

/// Pages of a node, or of the whole host where node is -1.
struct Pages {
  std::int64_t small_free = 0, large_free = 0, small_all = 0, large_all = 0;
};

Pages pages_on(const HostFiles& files, int node) {
  const std::string folder =
      node < 0 ? std::string("sys/kernel/mm/hugepages") : fmt::format("sys/devices/system/node/node{}/hugepages", node);
  const auto count = [&](const char* size, const char* what) {
    constexpr std::int64_t kMost = std::int64_t{1} << 40;  // more is garbage
    return std::clamp<std::int64_t>(files.number(fmt::format("{}/hugepages-{}/{}", folder, size, what)).value_or(0), 0,
                                    kMost);
  };
  return {count("2048kB", "free_hugepages"), count("1048576kB", "free_hugepages"), count("2048kB", "nr_hugepages"),
          count("1048576kB", "nr_hugepages")};
}

/// Takes pages as the arena (1 GiB pages for what fills one, else 2 MiB pages) and DPDK do; whether there were enough.
bool take(Pages& pages, const DoctorMemory& memory) {
  const auto small = static_cast<std::int64_t>(pages_of(memory.arena_bytes, kSmall));
  const auto large = static_cast<std::int64_t>(pages_of(memory.arena_bytes, kLarge));
  const bool wants_large = memory.page_size == PageSize::one_gib;
  if (wants_large || (memory.page_size == PageSize::automatic && memory.arena_bytes >= kLarge)) {
    if (pages.large_free >= large || wants_large) {
      pages.large_free -= large;
      return pages.large_free >= 0;
    }
  }
  pages.small_free -= small;
  return pages.small_free >= 0;
}

/// DPDK prefers small pages for what fills no large one.
bool take_dpdk(Pages& pages, std::size_t bytes) {
  const auto small = static_cast<std::int64_t>(pages_of(bytes, kSmall));
  if (pages.small_free < small && pages.large_free > 0) {
    pages.large_free -= static_cast<std::int64_t>(pages_of(bytes, kLarge));
    return pages.large_free >= 0;
  }
  pages.small_free -= small;
  return pages.small_free >= 0;
}

/// What one node has to give, in pages and in words.
struct Wanted {
  std::size_t small = 0, large = 0;
  std::string text;

  void add(const std::string& name, std::size_t bytes, PageSize page_size) {
    const bool in_large = page_size == PageSize::one_gib;
    (in_large ? large : small) += pages_of(bytes, in_large ? kLarge : kSmall);
    text += fmt::format("{}{} {} MiB{}", text.empty() ? "" : ", ", name, pages_of(bytes, kSmall) * 2,
                        in_large ? " in 1 GiB pages" : "");
  }
};

DoctorResult check_node(const HostFiles& files, const DoctorNeeds& needs, int node, bool with_dpdk) {
  const std::string where = node < 0 ? "" : fmt::format("node {}: ", node);
  const Pages before = pages_on(files, node);
  Pages pages = before;
  bool enough = true;
  bool required = false;
  Wanted wanted;
  if (with_dpdk) {
    wanted.add("DPDK", needs.dpdk_bytes, PageSize::automatic);
    enough = take_dpdk(pages, needs.dpdk_bytes);
  }
  for (const DoctorMemory& memory : needs.partitions) {
    if (memory.policy == HugepagePolicy::off || memory.node != node) continue;
    wanted.add("partition " + shown(memory.name, 40), memory.arena_bytes, memory.page_size);
    enough = take(pages, memory) && enough;
    required |= memory.policy == HugepagePolicy::required;
  }
  const std::string free = fmt::format("{} of {} 2 MiB pages and {} of {} 1 GiB pages are free", before.small_free,
                                       before.small_all, before.large_free, before.large_all);
  if (enough) return good("hugepages", fmt::format("{}{}; wanted: {}", where, free, wanted.text));
  const bool in_use = before.small_all > before.small_free || before.large_all > before.large_free;
  std::string should = fmt::format("{} free 2 MiB pages", wanted.small);
  std::string mend = fmt::format("scripts/hugepages reserve --2m {}",
                                 before.small_all - before.small_free + static_cast<std::int64_t>(wanted.small));
  if (wanted.large > 0) {
    should += fmt::format(" and {} free 1 GiB pages", wanted.large);
    mend += fmt::format(" --1g {}", before.large_all - before.large_free + static_cast<std::int64_t>(wanted.large));
  }
  if (node >= 0) mend += fmt::format(" --node {}", node);
  return {"hugepages",
          finding,
          heavy,
          fmt::format("{}{}{}; wanted: {}", where, free, in_use ? " (a program that runs has the others)" : "",
                      wanted.text),
          should,
          required ? "the appliance does not start: the configuration requires hugepages"
                   : "the appliance runs on smaller pages: orders wait for address translations (TLB misses)",
          mend,
          false};
}

void check_hugepages(const HostFiles& files, const DoctorNeeds& needs, DoctorResults& to) {
  if (!files.exists("sys/kernel/mm/hugepages")) {
    to.push_back(silent("hugepages", "no /sys/kernel/mm/hugepages"));
    return;
  }
  if (needs.partitions.empty()) {
    const Pages pages = pages_on(files, -1);
    to.push_back(
        told("hugepages",
             fmt::format("{} 2 MiB pages and {} 1 GiB pages are free; give --config to see whether they suffice",
                         pages.small_free, pages.large_free)));
    return;
  }
  std::set<int> nodes;
  for (const DoctorMemory& memory : needs.partitions) {
    if (memory.policy != HugepagePolicy::off) nodes.insert(memory.node);
  }
  if (nodes.empty()) {
    to.push_back(told("hugepages", "the configuration switches them off ([memory] hugepages)"));
    return;
  }
  bool first = true;
  for (const int node : nodes) {
    to.push_back(check_node(files, needs, node, first));
    first = false;
  }
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
  std::size_t wanted = needs.dpdk_bytes + kLarge;  // the program itself, and what DPDK maps beside
  for (const DoctorMemory& memory : needs.partitions) wanted += memory.arena_bytes;
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
