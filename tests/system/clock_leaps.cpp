// A host whose clock somebody sets while a program runs: at SIGUSR1 CLOCK_REALTIME leaps an hour back, at the next one
// forward again. At SIGUSR2 nobody keeps it any more, at the next one somebody does. Preloaded into the program by
// clock.py.
#include <dlfcn.h>
#include <signal.h>
#include <sys/timex.h>
#include <time.h>

#include <atomic>

namespace {

std::atomic<bool> g_leapt{false};
std::atomic<bool> g_unsynchronised{false};

extern "C" void change(int signal) {
  std::atomic<bool>& changed = signal == SIGUSR1 ? g_leapt : g_unsynchronised;
  changed.store(!changed.load());
}

[[gnu::constructor]] void change_at_signals() {
  struct sigaction action {};
  action.sa_handler = change;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, nullptr);
  sigaction(SIGUSR2, &action, nullptr);
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
  using Read = int (*)(clockid_t, timespec*);
  static const auto read = reinterpret_cast<Read>(dlsym(RTLD_NEXT, "clock_gettime"));
  const int result = read(clock, now);
  if (result == 0 && clock == CLOCK_REALTIME && g_leapt.load()) now->tv_sec -= 3600;
  return result;
}

/// As of a host that is kept, whatever this one is.
extern "C" int adjtimex(timex* state) noexcept {
  state->status = g_unsynchronised.load() ? STA_UNSYNC : STA_PLL;
  return TIME_OK;
}
