// `crosswire load`: an open-loop load generator and latency meter, itself a DPDK client.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace crosswire {

/// What the command line gave.
struct LoadArguments {
  std::string config;
  std::string device;
  std::vector<std::string> dpdk_args;
  std::string mac;
  std::string address;
  std::optional<unsigned> core;
  std::string hugepages = "auto";
  std::optional<std::uint32_t> sessions;
  std::string transport = "udp";  // or "tcp"

  std::uint64_t rate = 100'000;
  std::string arrivals = "constant";
  std::string gaps;
  std::optional<std::uint32_t> window;
  std::string capture;
  double seconds = 5;
  double warm_up = 1;
  std::uint64_t seed = 1;
  std::string mix = "45/45/10";
  std::optional<std::uint32_t> resting;
  bool floor = false;
  bool yes_trade = false;  // real accounts and real orders are meant

  std::string json;
  std::string hgrm;
  std::string svg;
  std::string beside;
  bool rate_given = false;
};

/// The subcommand: checks everything first, sends, prints figures. Returns the exit status: 1 also for a partial
/// result.
int load_main(const LoadArguments& arguments);

}  // namespace crosswire
