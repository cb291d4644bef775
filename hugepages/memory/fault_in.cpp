// Faulting in: see the header. Set-up only.
#include "hugepages/memory/fault_in.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14
#endif

namespace crosswire {
namespace {

/// For older kernels. What mmap() reserves of hugepages it reserves for all nodes together, so that a bound page may
/// still not be there. The kernel touches it for us: where that fails a call fails, and nobody gets a signal.
bool touch_by_kernel(std::byte* base, std::size_t bytes, std::size_t page) {
  const int zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  if (zeros < 0) return false;
  bool there = true;
  for (std::size_t at = 0; at < bytes && there; at += page) there = read(zeros, base + at, 1) == 1;
  close(zeros);
  if (!there) errno = ENOMEM;
  return there;
}

}  // namespace

bool fault_in(std::byte* base, std::size_t bytes, std::size_t page) {
  if (madvise(base, bytes, MADV_POPULATE_WRITE) == 0) return true;
  return errno == EINVAL && touch_by_kernel(base, bytes, page);
}

}  // namespace crosswire
