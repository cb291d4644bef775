// Faulting in what a process has mapped: see the header. Set-up only.
#include "hugepages/memory/resident.hpp"

#include <sys/mman.h>

#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22  // Linux 5.14
#define MADV_POPULATE_WRITE 23
#endif

namespace crosswire {
namespace {

/// A stack grows page by page at first touch. The polling loop needs a few KiB of it.
[[gnu::noinline]] void touch_stack() {
  constexpr std::size_t kStackBytes = std::size_t{256} << 10;
  constexpr std::size_t kPage = 4096;
  [[maybe_unused]] volatile std::byte room[kStackBytes];
  for (std::size_t at = 0; at < kStackBytes; at += kPage) room[at] = std::byte{0};
}

struct Mapping {
  std::uintptr_t first;
  std::uintptr_t end;
  bool writable;
};

/// What may be read, from /proc/self/maps. DPDK reserves much address space that may not.
std::vector<Mapping> readable_mappings() {
  std::vector<Mapping> mappings;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    Mapping mapping{};
    char read = '-';
    char write = '-';
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %c%c", &mapping.first, &mapping.end, &read, &write) != 4 ||
        read != 'r') {
      continue;
    }
    mapping.writable = write == 'w';
    mappings.push_back(mapping);
  }
  return mappings;
}

}  // namespace

bool make_resident() {
  touch_stack();
  if (mlockall(MCL_CURRENT) == 0) return true;
  for (const Mapping& mapping : readable_mappings()) {
    // Where the kernel cannot (its own pages, a device's registers) there is nothing to fault in either.
    madvise(reinterpret_cast<void*>(mapping.first), mapping.end - mapping.first,
            mapping.writable ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
  }
  return false;
}

}  // namespace crosswire
