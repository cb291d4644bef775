// Run: see the header. Set-up and end here; in between the calling thread is the polling core.
#include "app/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>

#include "app/config.hpp"
#include "app/cores.hpp"
#include "app/figures.hpp"
#include "app/partition.hpp"
#include "app/poll.hpp"
#include "app/same_file.hpp"
#include "app/whole_file.hpp"
#include "hugepages/resident.hpp"
#include "hugepages/topology.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/port/device.hpp"
#include "netstack/port/eal.hpp"
#include "netstack/port/recorder.hpp"

namespace crosswire {
namespace {

constexpr std::int64_t kNs = 1'000'000'000;

/// For the signal handler; nothing before the loop and when the figures are out.
std::atomic<DeviceRxPort*> g_polled{nullptr};
std::atomic<std::int64_t> g_first_signal_ns{0};  // by the monotonic clock; 0 = none yet
static_assert(std::atomic<DeviceRxPort*>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free,
              "a signal handler loads them");

/// The first signal ends the day. One that follows at once is the same wish (a terminal and a supervisor often both
/// send one); only a later one means that the drain is not worth the wait.
extern "C" void end_polling(int signal) {
  constexpr std::int64_t kSameWishNs = 1'000'000'000;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t now_ns = std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  std::int64_t first_ns = 0;
  if (!g_first_signal_ns.compare_exchange_strong(first_ns, now_ns) && now_ns - first_ns >= kSameWishNs) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);  // when the handler has returned
  }
  if (DeviceRxPort* const port = g_polled.load()) port->request_end();
}

/// While it lives, SIGINT and SIGTERM end the day of `port`. The handlers stay: nothing that follows takes long.
class EndOnSignal {
 public:
  explicit EndOnSignal(DeviceRxPort& port) {
    g_polled.store(&port);
    struct sigaction action {};
    action.sa_handler = end_polling;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
  }
  ~EndOnSignal() { g_polled.store(nullptr); }
  EndOnSignal(const EndOnSignal&) = delete;
  EndOnSignal& operator=(const EndOnSignal&) = delete;
};

class EalGuard {
 public:
  ~EalGuard() { eal_stop(); }
};

void fail_if(const std::string& error) {
  if (!error.empty()) throw std::runtime_error(error);
}

void start_eal(const Config& config, const StageCores& cores) {
  EalOptions options;
  options.devices = {config.port.device};
  options.extra_args = config.port.dpdk_args;
  options.hugepages = config.hugepages;
  if (const auto core = cores.of(Stage::receive)) options.main_core = *core;
  const std::string error = eal_start(options);
  if (error.empty()) return;
  const bool memory = config.hugepages == HugepagePolicy::required && error.find("hugepages") != std::string::npos;
  throw std::runtime_error(fmt::format("{}: {}", place_of(config, memory ? "memory.hugepages" : "port.device"), error));
}

/// A recording cannot be made again, so none is overwritten; nor is what the configuration is made of.
void check_outputs(const Config& config, const RunOptions& options) {
  std::error_code ignored;  // what is not there yet; what cannot be reached cannot be opened either
  if (std::filesystem::is_regular_file(options.record, ignored) &&
      std::filesystem::file_size(options.record, ignored) > 0) {
    throw std::runtime_error(options.record + ": exists; move it away or name another");
  }
  for (const std::string& file : config.files) {
    if (same_file(options.report, file, ignored) || same_file(WholeFile::part_of(options.report), file, ignored)) {
      throw std::runtime_error(fmt::format("{} would be overwritten by {}", file, options.report));
    }
  }
  if (!options.record.empty() && options.record == options.report) {
    throw std::runtime_error(options.record + ": is written twice; give the report another name");
  }
}

/// What of the configuration only this host and this moment can tell, before anything is started.
void check_here_and_now(const Config& config, const RunOptions& options) {
  const std::int64_t now_s = std::time(nullptr);
  const std::int64_t into_day_s = now_s - config.midnight_epoch_ns.value_or(now_s * kNs) / kNs;
  if (into_day_s < 0 || into_day_s > 86'400) {
    throw std::runtime_error(fmt::format("{}: is {} hours {}; give the midnight at which today began, or leave it out",
                                         place_of(config, "time.midnight"), (std::abs(into_day_s) + 3599) / 3600,
                                         into_day_s < 0 ? "ahead" : "ago"));
  }
  check_outputs(config, options);
}

/// "midnight 2026-01-30 16:00:00 UTC, now 14:58:10, closing_call until closed at 15:00:00".
std::string describe_time(const Config& config, std::int64_t midnight_epoch_ns) {
  const auto clock = [](TimeNs ns) {
    const TimeNs s = ns / kNsPerSecond;
    return fmt::format("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  };
  const auto whose = [&config](const PhaseChange& change) {
    if (change.symbol == kAllSymbols) return std::string();
    const SymbolName& name = config.engine.symbols[change.symbol.value - 1].name;
    return fmt::format(" ({})", std::string(name.begin(), std::find(name.begin(), name.end(), ' ')));
  };
  const TimeNs now = config.net.start_ns;
  Phase phase = Phase::pre_open;
  std::string next = "to the end";
  for (const PhaseChange& change : config.net.schedule) {
    if (change.at_ns > now) {
      next = fmt::format("until {}{} at {}", phase_name(change.phase), whose(change), clock(change.at_ns));
      break;
    }
    if (change.symbol == kAllSymbols) phase = change.phase;
  }
  const std::time_t midnight_s = midnight_epoch_ns / kNs;
  std::tm parts{};
  gmtime_r(&midnight_s, &parts);
  char midnight[32] = "";
  std::strftime(midnight, sizeof midnight, "%F %T UTC", &parts);
  return fmt::format("midnight {}, now {}, {} {}", midnight, clock(now), phase_name(phase), next);
}

void print_start(const Config& config, const StageCores& cores, const Device& device, const Partition& partition,
                 const std::string& record, std::int64_t midnight_epoch_ns, bool locked) {
  const NetConfig& net = config.net;
  fmt::print("crosswire {}\n", CROSSWIRE_VERSION);
  fmt::print("device       {}\n", device.description());
  fmt::print("address      {}  MAC {}\n", format_address(net.address), format_mac(net.mac));
  fmt::print("time         {}\n", describe_time(config, midnight_epoch_ns));
  fmt::print("orders       UDP {}  session {}  {} accounts, {} symbols\n", net.order_port, net.order_session,
             net.accounts.size(), config.engine.symbols.size());
  fmt::print("feed         {}:{}  session {}  re-requests UDP {}\n", format_address(net.feed_group), net.feed_port,
             net.feed_session, net.feed_request_port);
  fmt::print("memory       {}, {}\n", format_memory(partition.memory()),
             locked ? "locked" : "not locked (ulimit -l unlimited, or CAP_IPC_LOCK)");
  fmt::print("cores        {}\n", format_cores(cores));
  if (!record.empty()) fmt::print("recording    {}\n", record);
  fmt::print("running until SIGINT or SIGTERM\n");
  std::fflush(stdout);
}

/// For the hash of UserRefNums: a client that knew it could choose numbers that collide, and make everyone wait.
std::uint64_t secret() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

/// What the device has not taken yet gets a last while: its other side may be slow, or gone.
void flush_out(TxPort& transmit, TxPort& publish) {
  constexpr auto kLastWhile = std::chrono::seconds(1);
  const auto until = std::chrono::steady_clock::now() + kLastWhile;
  while ((transmit.unsent() || publish.unsent()) && std::chrono::steady_clock::now() < until) {
    transmit.flush();
    publish.flush();
    std::this_thread::yield();
  }
}

struct DevicePorts {
  const DeviceRxPort& rx;
  const DeviceTxPort& transmit;
  const DeviceTxPort& publish;
};

std::vector<CounterFigure> port_counters(const Device& device, const DevicePorts& ports, bool unsent,
                                         const RecordingRxPort* recorder) {
  const DeviceRxCounters& rx = ports.rx.counters();
  const auto of_both = [&ports](std::atomic<std::uint64_t> DeviceTxCounters::*counter) {
    return (ports.transmit.counters().*counter).load() + (ports.publish.counters().*counter).load();
  };
  const DeviceCounters counters = device.counters();
  std::vector<CounterFigure> figures = {{"port", "rx_frames", false, counters.rx_frames},
                                        {"port", "rx_bytes", false, counters.rx_bytes},
                                        {"port", "rx_missed", true, counters.rx_missed},
                                        {"port", "rx_errors", true, counters.rx_errors},
                                        {"port", "rx_no_mbuf", true, counters.rx_no_mbuf},
                                        {"port", "rx_oversized", true, rx.oversized.load()},
                                        {"port", "rx_untaggable", true, rx.untaggable.load()},
                                        {"port", "rx_in_pieces", false, rx.in_pieces.load(), true},
                                        {"port", "tx_frames", false, counters.tx_frames},
                                        {"port", "tx_bytes", false, counters.tx_bytes},
                                        {"port", "tx_errors", true, counters.tx_errors},
                                        {"port", "tx_no_mbuf", false, of_both(&DeviceTxCounters::no_mbuf), true},
                                        {"port", "tx_ring_full", false, of_both(&DeviceTxCounters::ring_full), true},
                                        {"port", "tx_cut_off", true, unsent ? 1u : 0u}};
  if (recorder != nullptr) figures.push_back({"port", "recorder_held_back", false, recorder->held_back(), true});
  return figures;
}

std::unique_ptr<Device> open_device(const Config& config) {
  try {
    return std::make_unique<Device>(DeviceOptions{.device = config.port.device});
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("{}: {}", place_of(config, "port.device"), error.what()));
  }
}

void pin(const Config& config, const StageCores& cores) {
  const auto core = cores.of(Stage::receive);
  if (!core) return;
  const std::string error = pin_this_thread(*core);
  if (!error.empty()) throw std::runtime_error(fmt::format("{}: {}", place_of(config, "placement"), error));
}

/// Everything between EAL start and stop.
void run_on_device(Config config, const StageCores& cores, const RunOptions& options) {
  const TscClock clock = TscClock::calibrated();
  const std::unique_ptr<Device> device_owner = open_device(config);
  Device& device = *device_owner;
  if (const std::string down = device.wait_for_link(std::chrono::seconds(2)); !down.empty()) {
    fmt::print(stderr, "crosswire run: {}\n", down);
  }
  config.net.mac = config.port.mac.value_or(device.mac());
  if (config.net.mac != device.mac()) {
    fmt::print(
        stderr,
        "crosswire run: {}: [port] mac {} is not the device's {}; frames reach it only if the device lets them\n",
        config.path, format_mac(config.net.mac), format_mac(device.mac()));
  }
  const std::int64_t midnight = config.midnight_epoch_ns.value_or(midnight_utc(clock.now_epoch_ns()));
  DeviceRxPort rx(device, clock, midnight);
  DeviceTxPort transmit(device);
  DeviceTxPort publish(device);
  set_start(config, midnight, rx.start_time_ns());
  config.engine.hash_key = secret();
  config.placement.node = cores.node;

  std::optional<WholeFile> report;
  if (!options.report.empty()) report.emplace(options.report);
  std::optional<Arena> record_memory;
  std::unique_ptr<RecordingRxPort> recorder;
  if (!options.record.empty()) {
    record_memory.emplace(RecordingRxPort::bytes_for(), config.hugepages, device.numa_node(), "recorder");
    recorder = std::make_unique<RecordingRxPort>(rx, *record_memory, midnight, rx.start_time_ns());
  }
  RxPort& input = recorder ? static_cast<RxPort&>(*recorder) : rx;
  Partition partition(config, {input, transmit, publish}, clock);
  // A start that is refused leaves no file. The writer's thread inherits this thread's cores, so it comes before
  // pinning.
  if (recorder) recorder->begin(options.record, config.net.mac);
  pin(config, cores);
  const EndOnSignal signals(rx);
  const bool locked = make_resident();
  print_start(config, cores, device, partition, options.record, midnight, locked);

  const PollEnd end = poll_until_ended(partition.loops().front(), rx, config.placement.idle, clock);
  if (end.cut_off) {
    fmt::print(stderr, "crosswire run: the port has taken too little for 2 s; the last answers are not sent\n");
  }
  flush_out(transmit, publish);
  const std::string recording_error = recorder ? recorder->finish() : "";
  const bool unsent = !partition.finished() || transmit.unsent() || publish.unsent();
  const Figures figures =
      figures_of(partition, end.wall_ns, port_counters(device, {rx, transmit, publish}, unsent, recorder.get()));
  fmt::print("ended\n{}", to_text(figures));
  std::fflush(stdout);
  if (report) {
    fail_if(write_file(report->path(), to_json(figures)));
    report->commit();
  }
  fail_if(recording_error);
}

}  // namespace

int run_main(const RunOptions& options) {
  try {
    const Config config = load_config(options.config, ConfigUse::run);
    const StageCores cores = resolve_cores(config);
    check_here_and_now(config, options);
    const EalGuard eal;
    start_eal(config, cores);
    run_on_device(config, cores, options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "crosswire run: {}\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace crosswire
