// Counts what one thread asks of the C library and of the kernel, for the proof that the polling thread asks nothing.
// Linked into a test program, it takes the places of the C library's functions for the whole process (DPDK's libraries
// included), and counts only on a thread that is watched. Tests only, without sanitizers: those take the same places.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace crosswire::test {

/// allocation: malloc and its family, operator new and delete, the mmap family, brk. lock: pthread mutexes,
/// read-write locks, spin locks and conditions, semaphores. system_call: everything that enters the kernel by a system
/// call, by whatever instruction, also from inside the C library.
enum class Watched : std::uint8_t { allocation, lock, system_call };
inline constexpr std::size_t kWatched = 3;

struct Watch {
  struct First {
    const char* function = "";  // of the C library; "" for a system call
    long system_call = -1;      // its number
    std::array<void*, 24> stack{};
    int depth = 0;
  };
  std::array<std::uint64_t, kWatched> counts{};
  std::array<First, kWatched> first{};

  std::uint64_t count(Watched watched) const { return counts[static_cast<std::size_t>(watched)]; }
  /// What came first of a kind and from where, one frame a line. Not on the watched thread.
  std::string first_text(Watched watched) const;
};

/// From now on the calling thread's doings are counted into `watch`; nullptr: no longer.
void watch_this_thread(Watch* watch);

/// Makes every system call of the calling thread known to its Watch, from now to its end: a seccomp filter turns it
/// into a signal, whose handler counts it and then does it. Returns "" or why that cannot be had here.
std::string trap_system_calls();

/// Page faults of a thread of this process so far, minor and major; to be read by another thread.
std::uint64_t faults_of(pid_t thread);

}  // namespace crosswire::test
