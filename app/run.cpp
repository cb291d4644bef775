// Run: see the header. Set-up and end here; in between the calling thread is the polling core.
#include "app/run.hpp"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <ctime>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

#include "app/config.hpp"
#include "app/figures.hpp"
#include "app/partition.hpp"
#include "hugepages/topology.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/port/device.hpp"
#include "netstack/port/eal.hpp"
#include "netstack/port/recorder.hpp"

namespace crosswire {
namespace {

/// For the signal handler; nothing before the loop and after it.
std::atomic<DeviceRxPort*> g_polled{nullptr};
static_assert(std::atomic<DeviceRxPort*>::is_always_lock_free, "a signal handler loads it");

extern "C" void end_polling(int /*signal*/) {
  if (DeviceRxPort* const port = g_polled.load()) port->request_end();
}

/// While it lives, the first SIGINT or SIGTERM ends the day of `port`, and a second one the process.
class EndOnSignal {
 public:
  explicit EndOnSignal(DeviceRxPort& port) {
    g_polled.store(&port);
    struct sigaction action {};
    action.sa_handler = end_polling;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &before_[0]);
    sigaction(SIGTERM, &action, &before_[1]);
  }
  ~EndOnSignal() {
    sigaction(SIGINT, &before_[0], nullptr);
    sigaction(SIGTERM, &before_[1], nullptr);
    g_polled.store(nullptr);
  }
  EndOnSignal(const EndOnSignal&) = delete;
  EndOnSignal& operator=(const EndOnSignal&) = delete;

 private:
  struct sigaction before_[2]{};
};

class EalGuard {
 public:
  ~EalGuard() { eal_stop(); }
};

void fail_if(const std::string& error) {
  if (!error.empty()) throw std::runtime_error(error);
}

void start_eal(const Config& config) {
  EalOptions options;
  options.devices = {config.port.device};
  options.extra_args = config.port.dpdk_args;
  options.hugepages = config.hugepages;
  if (config.port.core) options.main_core = *config.port.core;
  fail_if(eal_start(options));
}

void print_start(const Config& config, const Device& device, const Partition& partition, const std::string& record) {
  const NetConfig& net = config.net;
  fmt::print("crosswire {}\n", CROSSWIRE_VERSION);
  fmt::print("device       {}\n", device.description());
  fmt::print("address      {}  MAC {}\n", format_address(net.address), format_mac(net.mac));
  fmt::print("orders       UDP {}  session {}  {} accounts, {} symbols\n", net.order_port, net.order_session,
             net.accounts.size(), config.engine.symbols.size());
  fmt::print("feed         {}:{}  session {}  re-requests UDP {}\n", format_address(net.feed_group), net.feed_port,
             net.feed_session, net.feed_request_port);
  fmt::print("memory       {}\n", format_memory(partition.memory()));
  fmt::print("core         {}\n", config.port.core ? fmt::format("{}", *config.port.core) : "any");
  if (!record.empty()) fmt::print("recording    {}\n", record);
  fmt::print("running until SIGINT or SIGTERM\n");
  std::fflush(stdout);
}

/// The polling loop. Returns how long it ran, in ns.
std::uint64_t poll_until_ended(Partition& partition, DeviceRxPort& rx, Idle idle, const TscClock& clock) {
  const EndOnSignal signals(rx);
  const std::uint64_t begun = TscClock::read();
  while (!partition.finished()) {
    if (!partition.round() && idle == Idle::yield) std::this_thread::yield();
  }
  return clock.span_ns(TscClock::read() - begun);
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

std::vector<CounterFigure> port_counters(const Device& device, const DeviceRxPort& rx, bool unsent,
                                         const RecordingRxPort* recorder) {
  const DeviceCounters counters = device.counters();
  std::vector<CounterFigure> figures = {{"port", "rx_frames", false, counters.rx_frames},
                                        {"port", "rx_bytes", false, counters.rx_bytes},
                                        {"port", "rx_missed", true, counters.rx_missed},
                                        {"port", "rx_errors", true, counters.rx_errors},
                                        {"port", "rx_no_mbuf", true, counters.rx_no_mbuf},
                                        {"port", "rx_oversized", true, rx.counters().oversized.load()},
                                        {"port", "rx_untaggable", true, rx.counters().untaggable.load()},
                                        {"port", "tx_frames", false, counters.tx_frames},
                                        {"port", "tx_bytes", false, counters.tx_bytes},
                                        {"port", "tx_errors", true, counters.tx_errors},
                                        {"port", "tx_cut_off", true, unsent ? 1u : 0u}};
  if (recorder != nullptr) figures.push_back({"port", "recorder_held_back", false, recorder->held_back()});
  return figures;
}

/// Everything between EAL start and stop.
void run_on_device(Config config, const std::string& record) {
  const TscClock clock = TscClock::calibrated();
  Device device({.device = config.port.device});
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

  // The writer's thread inherits this thread's cores, so it comes before pinning.
  std::optional<Arena> record_memory;
  std::unique_ptr<RecordingRxPort> recorder;
  if (!record.empty()) {
    record_memory.emplace(RecordingRxPort::bytes_for(), config.hugepages, device.numa_node(), "recorder");
    recorder = std::make_unique<RecordingRxPort>(rx, *record_memory, record, midnight, rx.start_time_ns());
  }
  RxPort& input = recorder ? static_cast<RxPort&>(*recorder) : rx;
  Partition partition(config, {input, transmit, publish}, clock);
  if (config.port.core) fail_if(pin_this_thread(*config.port.core));
  print_start(config, device, partition, record);

  const std::uint64_t wall_ns = poll_until_ended(partition, rx, config.port.idle, clock);
  flush_out(transmit, publish);
  const std::string recording_error = recorder ? recorder->finish() : "";
  const bool unsent = transmit.unsent() || publish.unsent();
  fmt::print("ended\n{}", to_text(figures_of(partition, wall_ns, port_counters(device, rx, unsent, recorder.get()))));
  std::fflush(stdout);
  fail_if(recording_error);
}

}  // namespace

int run_main(const RunOptions& options) {
  try {
    const Config config = load_config(options.config, ConfigUse::run);
    const EalGuard eal;
    start_eal(config);
    run_on_device(config, options.record);
  } catch (const std::exception& error) {
    fmt::print(stderr, "crosswire run: {}\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace crosswire
