// Faulting in, on this kernel and as on one that cannot populate: a child process is refused that call.
#include "hugepages/memory/fault_in.hpp"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

#include "hugepages/memory/arena.hpp"

namespace crosswire::fault_in_test {
namespace {

constexpr std::size_t kPage = 4096;

/// madvise() with MADV_POPULATE_WRITE is EINVAL from now on, as before Linux 5.14.
bool become_an_older_kernel() {
  constexpr std::uint32_t kPopulateWrite = 23;
  std::array<sock_filter, 6> filter = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kPopulateWrite, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{filter.size(), filter.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// The exit status of `work` in a child of which that is true; 77 where it cannot be made so. -1: it got a signal.
template <class Work>
int on_an_older_kernel(Work work) {
  const pid_t child = fork();
  if (child == 0) _exit(become_an_older_kernel() ? work() : 77);
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

/// A mapping whose second page is not to be had: it is behind the end of its file, so that touching it is SIGBUS.
std::byte* one_page_of_two() {
  const int file = memfd_create("one page", MFD_CLOEXEC);
  if (file < 0 || ftruncate(file, kPage) != 0) return nullptr;
  void* const base = mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  return base == MAP_FAILED ? nullptr : static_cast<std::byte*>(base);
}

int fails_in_words() {
  std::byte* const base = one_page_of_two();
  if (base == nullptr || !fault_in(base, kPage, kPage)) return 1;
  return fault_in(base, 2 * kPage, kPage) ? 2 : 0;
}

TEST(FaultIn, FailsInWordsWherePagesAreNotToBeHad) { EXPECT_EQ(fails_in_words(), 0); }

TEST(FaultIn, FailsInWordsOnOlderKernelsToo) {
  const int status = on_an_older_kernel(fails_in_words);
  if (status == 77) GTEST_SKIP() << "no seccomp here";
  EXPECT_EQ(status, 0) << "-1: SIGBUS";
}

TEST(FaultIn, AnArenaOfAnOlderKernelIsZeroedAndThere) {
  const int status = on_an_older_kernel([] {
    Arena arena(64 * kPage, HugepagePolicy::off);
    const auto bytes = arena.array<std::uint8_t>(64 * kPage);
    std::array<unsigned char, 64> present{};
    if (mincore(bytes.data(), bytes.size(), present.data()) != 0) return 1;
    const bool all = std::all_of(present.begin(), present.end(), [](unsigned char page) { return (page & 1) != 0; });
    const bool zero = std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
    return all && zero ? 0 : 2;
  });
  if (status == 77) GTEST_SKIP() << "no seccomp here";
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace crosswire::fault_in_test
