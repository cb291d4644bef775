// `crosswire echo`: see the header. The calling thread is the polling core.
#include "app/load/echo.hpp"

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "app/config/config.hpp"
#include "app/load/dpdk_process.hpp"
#include "app/run/cores.hpp"
#include "hugepages/memory/resident.hpp"
#include "netstack/port/device.hpp"
#include "netstack/port/echo.hpp"

namespace crosswire {

int echo_main(const EchoArguments& arguments) try {
  if (arguments.tcp_port != 0) return tcp_echo_main(arguments);
  const Config config = load_config(arguments.config, ConfigUse::run);
  const DpdkProcessOptions options{config.port.device, config.port.dpdk_args,
                                   resolve_cores({config}).partitions.front().of(Stage::receive), config.hugepages};
  const DpdkProcess eal(options, "crosswire_echo");
  Device device({.device = options.device});
  const std::chrono::seconds patience(device.faces_process() ? 0 : 2);
  if (const std::string down = device.wait_for_link(patience); !down.empty()) {
    fmt::print(stderr, "crosswire echo: {}\n", down);
  }
  DeviceEcho echo(device, config.port.mac.value_or(device.mac()), config.net.address);
  end_on_signals();
  pin_to(options.core);
  make_resident();
  fmt::print("echo on {}\nrunning until SIGINT or SIGTERM\n", device.description());
  std::fflush(stdout);
  while (!end_wanted()) echo.poll();
  fmt::print("echoed {} frames\n", echo.echoed());
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "crosswire echo: {}\n", error.what());
  return 1;
}

}  // namespace crosswire
