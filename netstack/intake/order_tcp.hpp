// How TCP is set for order entry: the choices for one venue's sessions in one rack. Plain values.
#pragma once

#include <algorithm>
#include <cstddef>

#include "netstack/common/config.hpp"
#include "netstack/tcp/config.hpp"

namespace crosswire {

/// Of `net` with a tcp_port.
inline tcp::TcpConfig order_tcp_config(const NetConfig& net) {
  tcp::TcpConfig config;
  // One for each account, as much again for those that end while their clients are back already, strangers, and those
  // who were refused and have a second to close: some hundreds a second keep nobody out.
  constexpr std::size_t kMost = 32'768, kRefused = 512;
  config.connections = static_cast<std::uint16_t>(std::min(2 * net.accounts.size() + net.strangers + kRefused, kMost));
  config.ports = {net.tcp_port};
  config.secret = {net.tcp_secret[0], net.tcp_secret[1]};
  // What one frame can bring at once behind a hole, and so what others wait for it: some 300 orders.
  config.receive_bytes = 16'384;
  // A rack's segments live no second. Who connects a hundred times a second must not hold thousands of places.
  config.time_wait_ns = kNsPerSecond;
  config.fin_wait_ns = net.login_ns;
  config.replays = net.replays;
  // So long without its core, and transmit hears first what has come meanwhile.
  config.standstill_ns = 1'000'000;
  return config;
}

}  // namespace crosswire
