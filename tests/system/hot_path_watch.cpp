// Counting allocations, locks and system calls of one thread: see the header. Tests only.
#include "hot_path_watch.hpp"

#include <dlfcn.h>
#include <execinfo.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <new>
#include <sstream>

namespace crosswire::test {
namespace {

// Of the program itself, so reading it needs no allocation on whatever thread.
constinit thread_local Watch* t_watch = nullptr;

void count(Watched watched, const char* function, long system_call = -1) {
  Watch* const watch = t_watch;
  if (watch == nullptr) return;
  const auto kind = static_cast<std::size_t>(watched);
  if (watch->counts[kind]++ != 0) return;
  t_watch = nullptr;  // what looking at the stack does is not the thread's own
  Watch::First& first = watch->first[kind];
  first.function = function;
  first.system_call = system_call;
  first.depth = backtrace(first.stack.data(), static_cast<int>(first.stack.size()));
  t_watch = watch;
}

/// The C library's own function behind one of those below. `version`: where it has several of one name.
void* next(std::atomic<void*>& known, const char* name, const char* version = nullptr) {
  void* function = known.load(std::memory_order_relaxed);
  if (function != nullptr) return function;
  function = version == nullptr ? dlsym(RTLD_NEXT, name) : dlvsym(RTLD_NEXT, name, version);
  if (function == nullptr) std::abort();
  known.store(function, std::memory_order_relaxed);
  return function;
}

// ---- System calls ---------------------------------------------------------------------------------------------------

// The one place from which a trapped thread may enter the kernel: number and six arguments. On the x86-64 calling
// convention's registers; the label is what the kernel sees as the place of the call.
extern "C" long crosswire_test_gate(long number, long a, long b, long c, long d, long e, long f);
extern "C" const char crosswire_test_gate_return[];
__asm__(
    ".text\n"
    ".globl crosswire_test_gate\n"
    ".type crosswire_test_gate, @function\n"
    "crosswire_test_gate:\n"
    "  mov %rdi, %rax\n"
    "  mov %rsi, %rdi\n"
    "  mov %rdx, %rsi\n"
    "  mov %rcx, %rdx\n"
    "  mov %r8, %r10\n"
    "  mov %r9, %r8\n"
    "  mov 8(%rsp), %r9\n"
    "  syscall\n"
    ".globl crosswire_test_gate_return\n"
    "crosswire_test_gate_return:\n"
    "  ret\n"
    ".size crosswire_test_gate, .-crosswire_test_gate\n");

/// Does the call as the thread meant it. The signal mask is put back when the handler returns, so a thread that blocks
/// all signals at its end does not block this one, which would kill it.
void on_trapped_call(int, siginfo_t* info, void* context) {
  greg_t* const registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  count(Watched::system_call, "", info->si_syscall);
  registers[REG_RAX] = crosswire_test_gate(info->si_syscall, registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
                                           registers[REG_R10], registers[REG_R8], registers[REG_R9]);
}

constexpr std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
constexpr std::uint32_t high(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }

}  // namespace

std::string trap_system_calls() {
  std::array<void*, 2> warm{};
  backtrace(warm.data(), static_cast<int>(warm.size()));  // the first one loads a library
  struct sigaction action {};
  action.sa_sigaction = on_trapped_call;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSYS, &action, nullptr);

  // From the gate: allowed. The end of a signal handler, which is never the thread's own wish: allowed. Else: trapped.
  const auto gate = reinterpret_cast<std::uint64_t>(crosswire_test_gate_return);
  constexpr auto kInstructionPointer = static_cast<std::uint32_t>(offsetof(seccomp_data, instruction_pointer));
  std::array filter = {
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kInstructionPointer),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, low(gate), 0, 2),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kInstructionPointer + 4),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high(gate), 5, 0),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offsetof(seccomp_data, arch))),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 2),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offsetof(seccomp_data, nr))),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 1, 0),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return std::strerror(errno);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) return std::strerror(errno);
  return "";
}

void watch_this_thread(Watch* watch) { t_watch = watch; }

std::string Watch::first_text(Watched watched) const {
  const First& it = first[static_cast<std::size_t>(watched)];
  if (count(watched) == 0) return "none";
  std::ostringstream text;
  if (it.system_call >= 0) {
    text << "system call " << it.system_call;
  } else {
    text << it.function;
  }
  char** const names = backtrace_symbols(it.stack.data(), it.depth);
  for (int i = 0; i < it.depth; ++i) text << "\n  " << names[i];
  std::free(names);
  return text.str();
}

std::uint64_t faults_of(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
  const std::string stat{std::istreambuf_iterator<char>(file), {}};
  // proc(5): behind the name in brackets come state, ppid, pgrp, session, tty_nr, tpgid, flags, minflt, cminflt,
  // majflt.
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 7; ++i) fields >> skipped;
  std::uint64_t minor = 0;
  std::uint64_t major = 0;
  fields >> minor >> skipped >> major;
  return minor + major;
}

}  // namespace crosswire::test

// ---- Allocations ----------------------------------------------------------------------------------------------------

using crosswire::test::count;
using crosswire::test::next;
using crosswire::test::Watched;

extern "C" {

void* __libc_malloc(std::size_t) noexcept;
void* __libc_calloc(std::size_t, std::size_t) noexcept;
void* __libc_realloc(void*, std::size_t) noexcept;
void* __libc_memalign(std::size_t, std::size_t) noexcept;
void __libc_free(void*) noexcept;

void* malloc(std::size_t bytes) noexcept {
  count(Watched::allocation, "malloc");
  return __libc_malloc(bytes);
}
void* calloc(std::size_t n, std::size_t bytes) noexcept {
  count(Watched::allocation, "calloc");
  return __libc_calloc(n, bytes);
}
void* realloc(void* old, std::size_t bytes) noexcept {
  count(Watched::allocation, "realloc");
  return __libc_realloc(old, bytes);
}
void free(void* memory) noexcept {
  count(Watched::allocation, "free");
  __libc_free(memory);
}
void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
  count(Watched::allocation, "memalign");
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  count(Watched::allocation, "aligned_alloc");
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** to, std::size_t alignment, std::size_t bytes) noexcept {
  count(Watched::allocation, "posix_memalign");
  *to = __libc_memalign(alignment, bytes);
  return *to == nullptr ? ENOMEM : 0;
}

// With 64-bit file offsets the header gives mmap the name mmap64; libraries may call it by either.
void* crosswire_test_mmap(void* at, std::size_t bytes, int protection, int flags, int file, off64_t offset) noexcept
    __asm__("mmap");
void* crosswire_test_mmap(void* at, std::size_t bytes, int protection, int flags, int file, off64_t offset) noexcept {
  count(Watched::allocation, "mmap");
  return reinterpret_cast<void*>(syscall(SYS_mmap, at, bytes, protection, flags, file, offset));
}
void* mmap64(void* at, std::size_t bytes, int protection, int flags, int file, off64_t offset) noexcept {
  count(Watched::allocation, "mmap64");
  return reinterpret_cast<void*>(syscall(SYS_mmap, at, bytes, protection, flags, file, offset));
}
int munmap(void* at, std::size_t bytes) noexcept {
  count(Watched::allocation, "munmap");
  return static_cast<int>(syscall(SYS_munmap, at, bytes));
}
void* mremap(void* at, std::size_t old_bytes, std::size_t bytes, int flags, ...) noexcept {
  count(Watched::allocation, "mremap");
  va_list arguments;
  va_start(arguments, flags);
  void* const to = (flags & MREMAP_FIXED) != 0 ? va_arg(arguments, void*) : nullptr;
  va_end(arguments);
  return reinterpret_cast<void*>(syscall(SYS_mremap, at, old_bytes, bytes, flags, to));
}
int mprotect(void* at, std::size_t bytes, int protection) noexcept {
  count(Watched::allocation, "mprotect");
  return static_cast<int>(syscall(SYS_mprotect, at, bytes, protection));
}
int madvise(void* at, std::size_t bytes, int advice) noexcept {
  count(Watched::allocation, "madvise");
  return static_cast<int>(syscall(SYS_madvise, at, bytes, advice));
}
void* sbrk(std::intptr_t bytes) noexcept {
  count(Watched::allocation, "sbrk");
  static constinit std::atomic<void*> real{nullptr};
  return reinterpret_cast<void* (*)(std::intptr_t)>(next(real, "sbrk"))(bytes);
}

// ---- Locks ----------------------------------------------------------------------------------------------------------

// The C library declares most of these noexcept, and some not. `version`: it keeps conditions of an older layout under
// the same names.
#define CROSSWIRE_WATCH_LOCK(name, parameters, arguments, specifier, version)         \
  int name parameters specifier {                                                     \
    count(Watched::lock, #name);                                                      \
    static constinit std::atomic<void*> real{nullptr};                                \
    return reinterpret_cast<int(*) parameters>(next(real, #name, version)) arguments; \
  }
#define CROSSWIRE_WATCH_PLAIN_LOCK(name, parameters, arguments) \
  CROSSWIRE_WATCH_LOCK(name, parameters, arguments, noexcept, nullptr)

CROSSWIRE_WATCH_PLAIN_LOCK(pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex))
CROSSWIRE_WATCH_PLAIN_LOCK(pthread_mutex_trylock, (pthread_mutex_t * mutex), (mutex))
CROSSWIRE_WATCH_PLAIN_LOCK(pthread_mutex_timedlock, (pthread_mutex_t * mutex, const timespec* until), (mutex, until))
CROSSWIRE_WATCH_PLAIN_LOCK(pthread_mutex_unlock, (pthread_mutex_t * mutex), (mutex))
CROSSWIRE_WATCH_PLAIN_LOCK(pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock))
CROSSWIRE_WATCH_PLAIN_LOCK(pthread_rwlock_tryrdlock, (pthread_rwlock_t * lock), (lock))
CROSSWIRE_WATCH_PLAIN_LOCK(pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock))
CROSSWIRE_WATCH_PLAIN_LOCK(pthread_rwlock_trywrlock, (pthread_rwlock_t * lock), (lock))
CROSSWIRE_WATCH_PLAIN_LOCK(pthread_rwlock_unlock, (pthread_rwlock_t * lock), (lock))
CROSSWIRE_WATCH_PLAIN_LOCK(pthread_spin_lock, (pthread_spinlock_t * lock), (lock))
CROSSWIRE_WATCH_PLAIN_LOCK(pthread_spin_trylock, (pthread_spinlock_t * lock), (lock))
CROSSWIRE_WATCH_PLAIN_LOCK(pthread_spin_unlock, (pthread_spinlock_t * lock), (lock))
CROSSWIRE_WATCH_PLAIN_LOCK(sem_trywait, (sem_t * semaphore), (semaphore))
CROSSWIRE_WATCH_PLAIN_LOCK(sem_post, (sem_t * semaphore), (semaphore))
CROSSWIRE_WATCH_LOCK(sem_wait, (sem_t * semaphore), (semaphore), , nullptr)
CROSSWIRE_WATCH_LOCK(sem_timedwait, (sem_t * semaphore, const timespec* until), (semaphore, until), , nullptr)
CROSSWIRE_WATCH_LOCK(pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t* mutex), (condition, mutex), ,
                     "GLIBC_2.3.2")
CROSSWIRE_WATCH_LOCK(pthread_cond_timedwait,
                     (pthread_cond_t * condition, pthread_mutex_t* mutex, const timespec* until),
                     (condition, mutex, until), , "GLIBC_2.3.2")
CROSSWIRE_WATCH_LOCK(pthread_cond_clockwait,
                     (pthread_cond_t * condition, pthread_mutex_t* mutex, clockid_t clock, const timespec* until),
                     (condition, mutex, clock, until), , nullptr)
CROSSWIRE_WATCH_LOCK(pthread_cond_signal, (pthread_cond_t * condition), (condition), noexcept, "GLIBC_2.3.2")
CROSSWIRE_WATCH_LOCK(pthread_cond_broadcast, (pthread_cond_t * condition), (condition), noexcept, "GLIBC_2.3.2")

}  // extern "C"

// The other forms of new and delete come down to these.
void* operator new(std::size_t bytes) {
  count(Watched::allocation, "operator new");
  void* const memory = __libc_malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  count(Watched::allocation, "operator new");
  void* const memory = __libc_memalign(static_cast<std::size_t>(alignment), bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept {
  count(Watched::allocation, "operator delete");
  __libc_free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { operator delete(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { operator delete(memory); }
