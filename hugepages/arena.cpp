// Arena's mapping: which pages, on which node, faulted in. Set-up only; the one place of crosswire that maps memory for
// stages.
#include "hugepages/arena.hpp"

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
#include <sstream>
#include <stdexcept>
#include <utility>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14
#endif

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

/// Faults every page in. False: the kernel ran out of such pages (told here, where touching them would be SIGBUS).
bool fault_in(std::byte* base, std::size_t bytes, std::size_t page) {
  if (madvise(base, bytes, MADV_POPULATE_WRITE) == 0) return true;
  if (errno != EINVAL) return false;
  for (std::size_t at = 0; at < bytes; at += page) *const_cast<volatile std::byte*>(base + at) = std::byte{0};
  return true;
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

/// 1 GiB pages for what fills at least one, then 2 MiB pages.
Mapping try_hugepages(std::size_t bytes, int node) {
  if (bytes >= kGiB) {
    if (const Mapping mapping = try_map(bytes, kGiB, node, false); mapping.base != nullptr) return mapping;
  }
  return try_map(bytes, 2 * kMiB, node, false);
}

/// The kernel's page size of the mapping that `address` lies in; 0 if /proc/self/smaps does not say.
std::size_t page_size_at(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream smaps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    std::uintptr_t first = 0;
    std::uintptr_t end = 0;
    std::size_t kib = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &first, &end) == 2) {
      inside = first <= wanted && wanted < end;
    } else if (inside && std::sscanf(line.c_str(), "KernelPageSize: %zu kB", &kib) == 1) {
      return kib * 1024;
    }
  }
  return 0;
}

int node_at(void* address) {
  int node = -1;
  if (syscall(SYS_get_mempolicy, &node, nullptr, 0UL, address, MPOL_F_NODE | MPOL_F_ADDR) != 0) return -1;
  return node;
}

/// What to do about missing hugepages, with the size of this arena filled in.
std::string how_to_mend(std::size_t bytes) {
  std::ostringstream text;
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

void warn_once(std::size_t bytes, int node, std::string_view name) {
  static std::atomic_flag warned;
  if (warned.test_and_set()) return;
  std::fprintf(stderr, "crosswire: no hugepages for %s: running on ordinary pages (slower); mend: %s\n",
               what_and_where(bytes, node, name).c_str(), how_to_mend(bytes).c_str());
}

Mapping map_by_policy(std::size_t bytes, HugepagePolicy policy, int node, std::string_view name) {
  if (policy != HugepagePolicy::off) {
    if (const Mapping mapping = try_hugepages(bytes, node); mapping.base != nullptr) return mapping;
    if (policy == HugepagePolicy::required) {
      throw std::runtime_error("no hugepages for " + what_and_where(bytes, node, name) + "; " + how_to_mend(bytes));
    }
  }
  const Mapping mapping = try_map(bytes, base_page(), node, policy == HugepagePolicy::automatic);
  if (mapping.base == nullptr) {
    throw std::runtime_error("no memory for " + what_and_where(bytes, node, name) + ": " + std::strerror(errno) +
                             "; lower the configured limits or free memory");
  }
  if (policy == HugepagePolicy::automatic) warn_once(bytes, node, name);
  return mapping;
}

}  // namespace

Arena::Arena(std::size_t bytes, HugepagePolicy policy, int numa_node, std::string_view name) : name_(name) {
  const Mapping mapping = map_by_policy(bytes, policy, numa_node, name);
  base_ = mapping.base;
  const std::size_t page_size = page_size_at(base_);
  report_ = {.bytes = mapping.bytes, .page_size = page_size, .node = node_at(base_), .huge = page_size > base_page()};
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
