// `crosswire echo --tcp`: both halves of TCP on a device, and a service above them; nothing of the exchange. The
// calling thread is receive's polling core, and the send half's too unless it is given one.
#include <fmt/format.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>

#include "app/config/config.hpp"
#include "app/load/dpdk_process.hpp"
#include "app/load/echo.hpp"
#include "app/run/cores.hpp"
#include "hugepages/memory/resident.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/port/device.hpp"
#include "netstack/port/eal.hpp"
#include "netstack/tcp/echo_service.hpp"
#include "netstack/tcp/host.hpp"

namespace crosswire {
namespace {

tcp::TcpConfig tcp_config(const EchoArguments& arguments) {
  tcp::TcpConfig config;
  config.connections = arguments.connections;
  config.backlog = std::min(arguments.backlog, arguments.connections);
  config.ports = {arguments.tcp_port};
  config.keepalive_ns = static_cast<TimeNs>(arguments.keepalive_s * static_cast<double>(kNsPerSecond));
  config.standstill_ns = kNsPerSecond / 1000;
  config.secret = random_key();
  return config;
}

std::size_t echo_bytes(const tcp::TcpConfig& config) {
  return tcp::Signals::bytes_for() + tcp::ReceiveHalf::bytes_for(config) + tcp::SendHalf::bytes_for(config) +
         tcp::EchoService::bytes_for(config);
}

template <class Rows, class Counts>
void print_counts(const char* title, const Rows& rows, const Counts& counts) {
  fmt::print("{}\n", title);
  for (const auto& row : rows) {
    const std::uint64_t n = counts.get(row.counter);
    if (n > 0) fmt::print("  {:<24} {:>14}  {}\n", row.label, n, row.meaning);
  }
}

}  // namespace

int tcp_echo_main(const EchoArguments& arguments) {
  Config config = load_config(arguments.config, ConfigUse::run);
  std::future<TscClock> calibrated = std::async(std::launch::async, TscClock::calibrated);  // it sleeps
  const DpdkProcessOptions options{config.port.device, config.port.dpdk_args,
                                   resolve_cores({config}).partitions.front().of(Stage::receive), config.hugepages};
  if (arguments.send_core && options.core == arguments.send_core) {
    throw std::runtime_error(
        fmt::format("--send-core {}: receive polls there; name another core, or leave it out", *arguments.send_core));
  }
  const DpdkProcess eal(options, "crosswire_echo");
  const SharedClock clock(calibrated.get());
  const std::int64_t midnight = midnight_utc(clock.read().now_epoch_ns());
  Device device({.device = options.device});
  if (const std::string down = device.wait_for_link(std::chrono::seconds(device.faces_process() ? 0 : 2));
      !down.empty()) {
    fmt::print(stderr, "crosswire echo: {}\n", down);
  }
  config.net.mac = config.port.mac.value_or(device.mac());
  DeviceRxPort rx(device, clock, midnight);
  DeviceTxPort tx(device);
  tx.tell_time(clock, midnight);

  const tcp::TcpConfig tcp = tcp_config(arguments);
  Arena arena(echo_bytes(tcp) + 4096, config.hugepages, -1, "TCP");
  tcp::Signals signals(arena);
  using Mode = tcp::EchoService::Mode;
  tcp::EchoService service(arena, tcp, arguments.sink ? Mode::sink : Mode::echo);
  tcp::ReceiveHalf receive(tcp, config.net.address, signals, service, arena);
  tcp::SendHalf send(tcp, config.net, signals, service, tx, arena);
  tcp::ReceivingHost host(config.net, receive, rx);
  service.write_to(send);

  end_on_signals();
  std::atomic<bool> end{false};
  std::thread sender;
  const auto stop = [&] {
    end.store(true, std::memory_order_relaxed);
    if (sender.joinable()) sender.join();
  };
  try {
    if (arguments.send_core) {
      std::promise<void> ready;
      sender = std::thread([&] {
        try {
          pin_to(arguments.send_core);
          if (const std::string error = eal_register_thread(); !error.empty()) throw std::runtime_error(error);
          make_resident();
          ready.set_value();
        } catch (...) {
          ready.set_exception(std::current_exception());
          return;
        }
        while (!end.load(std::memory_order_relaxed)) {
          send.poll(tx.time_now());
          if (tx.wants_flush()) tx.flush();
        }
        eal_unregister_thread();
      });
      ready.get_future().get();
    }
    pin_to(options.core);
    make_resident();
    fmt::print("TCP {} on port {} of {}: {} connections, {} bytes each; {}\nrunning until SIGINT or SIGTERM\n",
               arguments.sink ? "sink" : "echo", arguments.tcp_port, device.description(), tcp.connections,
               echo_bytes(tcp) / tcp.connections, arguments.send_core ? "a core for each half" : "one core");
    std::fflush(stdout);
    while (!end_wanted()) {
      host.poll();
      if (arguments.send_core) continue;
      send.poll(host.now());
      if (tx.wants_flush()) tx.flush();
    }
  } catch (...) {
    stop();
    throw;
  }
  stop();
  fmt::print("{} connections, {} bytes\n", service.connections(), service.bytes());
  print_counts("received", tcp::kTcpReceiveCounters, receive.counters());
  print_counts("sent", tcp::kTcpSendCounters, send.counters());
  print_counts("dropped before TCP", kReceiveCounters, host.counters());
  return 0;
}

}  // namespace crosswire
