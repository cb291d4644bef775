// `crosswire echo`: see the header. The calling thread is the polling core.
#include "app/echo.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include "app/config.hpp"
#include "app/cores.hpp"
#include "app/live.hpp"
#include "hugepages/resident.hpp"
#include "netstack/port/device.hpp"
#include "netstack/port/echo.hpp"

namespace crosswire {
namespace {

int run_echo(const std::string& path) try {
  const Config config = load_config(path, ConfigUse::run);
  const LiveOptions live{config.port.device, config.port.dpdk_args,
                         resolve_cores({config}).partitions.front().of(Stage::receive), config.hugepages};
  const LiveEal eal(live, "crosswire_echo");
  Device device({.device = live.device});
  const std::chrono::seconds patience(device.faces_process() ? 0 : 2);
  if (const std::string down = device.wait_for_link(patience); !down.empty()) {
    fmt::print(stderr, "crosswire echo: {}\n", down);
  }
  DeviceEcho echo(device, config.port.mac.value_or(device.mac()), config.net.address);
  end_on_signals();
  pin_to(live.core);
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

}  // namespace

void add_echo_command(CLI::App& root, int& exit_code) {
  CLI::App* const echo = root.add_subcommand(
      "echo",
      "The floor: a plain DPDK echo in the place of `crosswire run`, on the same device with the same bursts, that\n"
      "sends each order back at the size of its answer. What `crosswire load --floor` measures.");
  const auto path = std::make_shared<std::string>();
  echo->add_option("--config", *path, "the appliance's configuration file (TOML)")->required()->type_name("FILE");
  echo->footer(
      "Example:\n  crosswire echo --config crosswire.toml\n"
      "  crosswire load --config crosswire.toml --device ... --floor --json floor.json");
  echo->callback([path, &exit_code] { exit_code = run_echo(*path); });
}

}  // namespace crosswire
