// `crosswire echo`: the floor, a plain DPDK echo in an appliance's place, for `crosswire load --floor`; and with --tcp
// a service behind crosswire's TCP that sends back, or takes, whatever comes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace crosswire {

struct EchoArguments {
  std::string config;
  std::uint16_t tcp_port = 0;  // 0: the floor
  bool sink = false;           // of TCP: takes all, sends nothing
  std::uint16_t connections = 512;
  std::uint16_t backlog = 64;
  double keepalive_s = 0;               // 0: none
  std::optional<unsigned> send_core{};  // the send half on a core of its own
};

/// The subcommand, until SIGINT or SIGTERM. Returns the exit status.
int echo_main(const EchoArguments& arguments);

/// With `tcp_port`.
int tcp_echo_main(const EchoArguments& arguments);

}  // namespace crosswire
