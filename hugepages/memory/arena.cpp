// Arena's mapping: which pages, on which node, faulted in. Set-up only; the one place of crosswire that maps memory for
// stages.
#include "hugepages/memory/arena.hpp"

#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cinttypes>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include "hugepages/base/notice.hpp"
#include "hugepages/memory/fault_in.hpp"

namespace crosswire {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kGiB = std::size_t{1} << 30;
constexpr int kPageSizeShift = 26;  // MAP_HUGE_SHIFT: mmap takes the page size's logarithm from this bit on

std::size_t base_page() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

/// 0 if the sum overflows: no mapping of such a size exists.
std::size_t round_up(std::size_t bytes, std::size_t page) {
  return bytes > SIZE_MAX - page ? 0 : (bytes + page - 1) / page * page;
}

/// Asks for the node. Strict binding is for hugepages, where falling back means to try other pages; ordinary pages are
/// only preferred there. Refused calls (containers do that) are not errors: the report says what came of it.
void ask_for_node(void* base, std::size_t bytes, int node, bool strict) {
  constexpr std::size_t kMaxNodes = 1024;
  constexpr std::size_t kBitsPerWord = sizeof(unsigned long) * CHAR_BIT;
  if (node < 0 || static_cast<std::size_t>(node) >= kMaxNodes) return;
  const auto bit = static_cast<std::size_t>(node);
  std::array<unsigned long, kMaxNodes / kBitsPerWord> nodes{};
  nodes[bit / kBitsPerWord] = 1UL << (bit % kBitsPerWord);
  syscall(SYS_mbind, base, bytes, strict ? MPOL_BIND : MPOL_PREFERRED, nodes.data(), kMaxNodes + 1, 0);
}

struct Mapping {
  std::byte* base = nullptr;
  std::size_t bytes = 0;
};

/// One attempt with one page size. base == nullptr: not to be had.
Mapping try_map(std::size_t bytes, std::size_t page, int node, bool transparent_hint) {
  const bool huge = page != base_page();
  const std::size_t rounded = round_up(std::max(bytes, std::size_t{1}), page);
  if (rounded == 0) {
    errno = ENOMEM;
    return {};
  }
  int flags = MAP_PRIVATE | MAP_ANONYMOUS;
  if (huge) flags |= MAP_HUGETLB | (__builtin_ctzll(page) << kPageSizeShift);
  void* base = mmap(nullptr, rounded, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (base == MAP_FAILED) return {};
  ask_for_node(base, rounded, node, huge);
  if (transparent_hint) madvise(base, rounded, MADV_HUGEPAGE);
  if (!fault_in(static_cast<std::byte*>(base), rounded, page)) {
    munmap(base, rounded);
    return {};
  }
  return {static_cast<std::byte*>(base), rounded};
}

/// Large pages first, where they are asked for or one would be filled. `strict`: no others than those asked for.
Mapping try_hugepages(std::size_t bytes, int node, PageSize wanted, bool strict) {
  if (wanted == PageSize::one_gib || (wanted == PageSize::automatic && bytes >= kGiB)) {
    if (const Mapping mapping = try_map(bytes, kGiB, node, false); mapping.base != nullptr) return mapping;
    if (wanted == PageSize::one_gib && strict) return {};
  }
  return try_map(bytes, 2 * kMiB, node, false);
}

/// The kernel's mappings that cover [first, first + bytes), with their page sizes and without nodes. What
/// /proc/self/smaps does not tell has page size 0.
std::vector<ArenaRange> page_sizes_of(std::uintptr_t begin, std::size_t bytes) {
  std::vector<ArenaRange> ranges;
  const std::uintptr_t stop = begin + bytes;
  std::uintptr_t covered = begin;
  std::uintptr_t first = 0;
  std::uintptr_t end = 0;
  const auto add = [&](std::uintptr_t until, std::size_t page_size) {
    if (until > covered) ranges.push_back({covered - begin, until - covered, page_size, -1});
    covered = std::max(covered, until);
  };
  std::ifstream smaps("/proc/self/smaps");
  for (std::string line; covered < stop && std::getline(smaps, line);) {
    std::size_t kib = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &first, &end) == 2) continue;
    if (end <= covered || first >= stop || std::sscanf(line.c_str(), "KernelPageSize: %zu kB", &kib) != 1) continue;
    add(std::max(first, begin), 0);
    add(std::min(end, stop), kib * 1024);
  }
  add(stop, 0);
  return ranges;
}

/// Nodes of `count` pages from `first` on, -1 where the kernel does not say.
std::vector<int> nodes_of(const std::byte* first, std::size_t count, std::size_t page) {
  std::vector<const void*> pages(count);
  std::vector<int> nodes(count, -1);
  for (std::size_t i = 0; i < count; ++i) pages[i] = first + i * page;
  if (syscall(SYS_move_pages, 0, count, pages.data(), nullptr, nodes.data(), 0) != 0) nodes.assign(count, -1);
  for (int& node : nodes) node = std::max(node, -1);  // an error number: the page is not there
  return nodes;
}

void append(std::vector<ArenaRange>& ranges, const ArenaRange& next) {
  const bool alike = !ranges.empty() && ranges.back().page_size == next.page_size && ranges.back().node == next.node;
  if (alike) {
    ranges.back().bytes += next.bytes;
  } else {
    ranges.push_back(next);
  }
}

std::size_t size_asked(HugepagePolicy policy, PageSize wanted) {
  if (policy == HugepagePolicy::off || wanted == PageSize::automatic) return 0;
  return wanted == PageSize::one_gib ? kGiB : 2 * kMiB;
}

/// What to do about missing hugepages, with the size of this arena filled in.
std::string how_to_fix(std::size_t bytes, PageSize wanted) {
  std::ostringstream text;
  if (wanted == PageSize::one_gib) {
    text << "reserve " << (bytes + kGiB - 1) / kGiB
         << " free pages of 1 GiB before the start (scripts/hugepages, or boot with "
         << "hugepagesz=1G hugepages=N), or ask for others";
    return text.str();
  }
  text << "reserve them before the start: raise vm.nr_hugepages by at least " << (bytes + 2 * kMiB - 1) / (2 * kMiB)
       << " (sysctl -w vm.nr_hugepages=N, as root)";
  return text.str();
}

std::string what_and_where(std::size_t bytes, int node, std::string_view name) {
  std::ostringstream text;
  text << "arena '" << name << "' (" << (bytes + kMiB - 1) / kMiB << " MiB";
  if (node >= 0) text << " on NUMA node " << node;
  text << ")";
  return text.str();
}

void warn_once(std::size_t bytes, int node, std::string_view name, PageSize wanted) {
  static std::atomic_flag warned;
  if (warned.test_and_set()) return;
  notice(NoticeLevel::warning, "no hugepages for " + what_and_where(bytes, node, name) +
                                   ": running on ordinary pages (slower); mend: " + how_to_fix(bytes, wanted));
}

Mapping map_by_policy(std::size_t bytes, HugepagePolicy policy, int node, std::string_view name, PageSize wanted) {
  if (policy != HugepagePolicy::off) {
    const bool required = policy == HugepagePolicy::required;
    if (const Mapping mapping = try_hugepages(bytes, node, wanted, required); mapping.base != nullptr) return mapping;
    if (required) {
      throw std::runtime_error("no hugepages for " + what_and_where(bytes, node, name) + "; " +
                               how_to_fix(bytes, wanted));
    }
  }
  const Mapping mapping = try_map(bytes, base_page(), node, policy == HugepagePolicy::automatic);
  if (mapping.base == nullptr) {
    throw std::runtime_error("no memory for " + what_and_where(bytes, node, name) + ": " + std::strerror(errno) +
                             "; lower the configured limits or free memory");
  }
  if (policy == HugepagePolicy::automatic) warn_once(bytes, node, name, wanted);
  return mapping;
}

}  // namespace

std::vector<ArenaRange> ranges_of(const void* base, std::size_t bytes) {
  constexpr std::size_t kAtOnce = 4096;
  const auto* const first = static_cast<const std::byte*>(base);
  std::vector<ArenaRange> ranges;
  for (const ArenaRange& mapped : page_sizes_of(reinterpret_cast<std::uintptr_t>(base), bytes)) {
    const std::size_t page = mapped.page_size == 0 ? base_page() : mapped.page_size;
    const std::size_t pages = (mapped.bytes + page - 1) / page;
    for (std::size_t done = 0; done < pages; done += kAtOnce) {
      const std::vector<int> nodes = nodes_of(first + mapped.at + done * page, std::min(kAtOnce, pages - done), page);
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        const std::size_t at = (done + i) * page;
        append(ranges, {mapped.at + at, std::min(page, mapped.bytes - at), mapped.page_size, nodes[i]});
      }
    }
  }
  return ranges;
}

void sum_up(ArenaReport& report) {
  std::map<std::size_t, std::size_t> by_page;
  std::map<int, std::size_t> by_node;
  for (const ArenaRange& range : report.ranges) {
    by_page[range.page_size] += range.bytes;
    by_node[range.node] += range.bytes;
  }
  const auto less = [](const auto& a, const auto& b) { return a.second < b.second; };
  if (report.ranges.empty()) return;
  report.page_size = std::max_element(by_page.begin(), by_page.end(), less)->first;
  report.node = std::max_element(by_node.begin(), by_node.end(), less)->first;
  report.huge = by_page.begin()->first > base_page();
}

std::string complaint_of(const ArenaReport& report) {
  bool right = true;
  for (const ArenaRange& range : report.ranges) {
    const bool page_right =
        range.page_size == 0 ||
        (report.asked_page_size == 0 ? range.page_size == report.page_size : range.page_size == report.asked_page_size);
    const bool node_right = range.node < 0 || range.node == (report.asked_node < 0 ? report.node : report.asked_node);
    right = right && page_right && node_right;
  }
  if (right) return "";
  constexpr std::size_t kMostNamed = 6;
  std::map<std::pair<std::size_t, int>, std::size_t> parts;  // of one kind, wherever in the arena
  for (const ArenaRange& range : report.ranges) parts[{range.page_size, range.node}] += range.bytes;
  std::ostringstream text;
  std::size_t named = 0;
  for (const auto& [kind, bytes] : parts) {
    if (++named > kMostNamed) break;
    text << (named == 1 ? "" : ", ") << bytes / kMiB << " MiB on " << kind.first / 1024 << " KiB pages";
    if (kind.second >= 0) text << " of node " << kind.second;
  }
  if (parts.size() > kMostNamed) text << ", and " << parts.size() - kMostNamed << " more kinds";
  if (report.asked_page_size == 0 && report.asked_node < 0) return text.str();
  text << "; asked for";
  if (report.asked_page_size != 0) text << " " << report.asked_page_size / 1024 << " KiB pages";
  if (report.asked_node >= 0) text << (report.asked_page_size != 0 ? " on" : "") << " node " << report.asked_node;
  return text.str();
}

Arena::Arena(std::size_t bytes, HugepagePolicy policy, int numa_node, std::string_view name, PageSize page_size)
    : name_(name) {
  const Mapping mapping = map_by_policy(bytes, policy, numa_node, name, page_size);
  base_ = mapping.base;
  report_.bytes = mapping.bytes;
  report_.asked_page_size = size_asked(policy, page_size);
  report_.asked_node = numa_node;
  report_.ranges = ranges_of(base_, mapping.bytes);
  sum_up(report_);
}

Arena::~Arena() {
  if (base_ != nullptr) munmap(base_, report_.bytes);
}

Arena::Arena(Arena&& other) noexcept
    : name_(std::move(other.name_)),
      base_(std::exchange(other.base_, nullptr)),
      used_(std::exchange(other.used_, 0)),
      report_(std::exchange(other.report_, {})) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(base_, other.base_);
  std::swap(used_, other.used_);
  std::swap(report_, other.report_);
  return *this;
}

void* Arena::take(std::size_t bytes, std::size_t alignment) {
  const std::size_t start = (used_ + alignment - 1) / alignment * alignment;
  CHECK(start <= report_.bytes && bytes <= report_.bytes - start, "arena '%s': %zu bytes wanted, %zu of %zu used",
        name_.c_str(), bytes, used_, report_.bytes);
  used_ = start + bytes;
  return base_ + start;
}

}  // namespace crosswire
