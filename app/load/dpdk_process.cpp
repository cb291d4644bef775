// The host, for `load` and `echo`: see dpdk_process.hpp. Set-up and end only.
#include "app/load/dpdk_process.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "app/files/whole_file.hpp"
#include "hugepages/host/pinning.hpp"
#include "netstack/port/device.hpp"
#include "netstack/port/eal.hpp"

namespace crosswire {
namespace {

std::atomic<bool> g_end_wanted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler stores it");

extern "C" void want_end(int signal) {
  if (!g_end_wanted.exchange(true)) return;
  remove_part_files();
  std::signal(signal, SIG_DFL);
  std::raise(signal);  // when the handler has returned
}

}  // namespace

DpdkProcess::DpdkProcess(const DpdkProcessOptions& options, const std::string& prefix) {
  EalOptions eal;
  eal.devices = {options.device};
  eal.extra_args = options.dpdk_args;
  eal.hugepages = options.hugepages;
  eal.file_prefix = prefix;
  eal.memory_mb = 3 * kDeviceMemoryMb;  // with one device; more would take longer to fault in
  if (options.core) eal.main_core = *options.core;
  if (const std::string error = eal_start(eal); !error.empty()) throw std::runtime_error(error);
}

DpdkProcess::~DpdkProcess() { eal_stop(); }

void end_on_signals() {
  std::signal(SIGINT, want_end);
  std::signal(SIGTERM, want_end);
}

bool end_wanted() { return g_end_wanted.load(std::memory_order_relaxed); }

void pin_to(const std::optional<unsigned>& core) {
  if (!core) return;
  if (const std::string error = pin_this_thread(*core); !error.empty()) throw std::runtime_error(error);
}

std::string describe_host() {
  std::ifstream file("/proc/loadavg");
  std::string one, five, fifteen;
  file >> one >> five >> fifteen;
  const std::size_t cores = allowed_cores().size();
  const bool busy = std::strtod(one.c_str(), nullptr) > static_cast<double>(cores);
  return fmt::format("load average {} {} {} on {} cores{}", one, five, fifteen, cores,
                     busy ? ": too busy, the latencies are its scheduler's" : "");
}

SipKey random_key() {
  SipKey key;
  static_assert(sizeof key == 16);
  if (getrandom(&key, sizeof key, 0) != sizeof key) {
    throw std::runtime_error(fmt::format("the kernel gives no random bytes: {}", std::strerror(errno)));
  }
  return key;
}

std::uint64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  for (std::uint64_t kilobytes = 0; file >> key >> kilobytes; file.ignore(std::numeric_limits<int>::max(), '\n')) {
    if (key == "MemAvailable:") return kilobytes * 1024;
  }
  return std::uint64_t{1} << 30;
}

}  // namespace crosswire
