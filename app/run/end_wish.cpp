// The wish to end: see the header. The handler runs on the control thread; others take no signals.
#include "app/run/end_wish.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <stdexcept>

#include "app/files/whole_file.hpp"

namespace crosswire {
namespace {

std::atomic<bool> g_end_wanted{false};
std::atomic<bool> g_now_wanted{false};
std::atomic<std::int64_t> g_wish_ns{0};  // when the last of them was raised, by the monotonic clock; 0 = none yet
std::atomic<int> g_last_signal{0};
std::atomic<bool> g_hung_up{false};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free &&
                  std::atomic<int>::is_always_lock_free,
              "a signal handler uses them");
int g_wake = -1;

extern "C" void end_day(int signal) {
  constexpr std::int64_t kSameWishNs = 200'000'000;
  const int saved = errno;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t now_ns = std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  const std::int64_t before_ns = g_wish_ns.load();
  if (before_ns == 0 || now_ns - before_ns >= kSameWishNs) {
    g_wish_ns.store(now_ns);
    if (g_now_wanted.load()) {
      remove_part_files();
      std::signal(signal, SIG_DFL);
      std::raise(signal);  // when the handler has returned
    }
    if (g_end_wanted.exchange(true)) g_now_wanted.store(true);
  }
  g_last_signal.store(signal);
  wake_control();
  errno = saved;
}

extern "C" void hang_up(int) {
  const int saved = errno;
  g_hung_up.store(true);
  wake_control();
  errno = saved;
}

}  // namespace

/// The handlers stay: nothing that follows the last day takes long.
void end_days_on_signals() {
  g_wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (g_wake < 0) throw std::runtime_error("no file descriptor is left; raise ulimit -n");
  struct sigaction action {};
  action.sa_handler = end_day;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = hang_up;
  sigaction(SIGHUP, &action, nullptr);
}

bool stop_wanted() { return g_end_wanted.load(); }
bool stop_wanted_now() { return g_now_wanted.load(); }
std::string last_signal() { return fmt::format("SIG{}", sigabbrev_np(g_last_signal.load())); }

bool take_hang_up() { return g_hung_up.exchange(false); }

void wake_control() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(g_wake, &one, sizeof one);  // full: it is awake already
}

int news_fd() { return g_wake; }

void forget_news() {
  std::uint64_t woken = 0;
  [[maybe_unused]] const ssize_t drained = read(g_wake, &woken, sizeof woken);
}

}  // namespace crosswire
