// The floor to measure an appliance against (DESIGN 8): the least that a DPDK program does on the same device with the
// same bursts. One polling thread of its own process; `crosswire echo` and benchmarks only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "netstack/common/config.hpp"
#include "netstack/port/device.hpp"

namespace crosswire {

/// Sends every order datagram back to where it came from, in its own buffer: MAC addresses, IP addresses and UDP ports
/// change places, the length becomes that of the answer which the order would have had, checksums of UDP are left out.
/// Answers ARP for one address, so that a client finds it as it finds an appliance.
class DeviceEcho {
 public:
  /// `device` outlives this, and has no other ports. `mac`, `address`: what ARP is answered for.
  DeviceEcho(Device& device, const MacAddress& mac, std::uint32_t address);

  /// One burst in and out; what the device does not take now waits for the next call, and no more is taken in until
  /// then. Returns how many frames came.
  std::size_t poll();

  std::uint64_t echoed() const { return echoed_; }

 private:
  bool turn(rte_mbuf* mbuf) const;
  bool turn_arp(rte_mbuf* mbuf) const;

  std::uint16_t port_id_;
  MacAddress mac_;
  std::uint32_t address_;
  std::array<rte_mbuf*, kMaxBurst> waiting_{};  // for the device to take
  std::uint16_t waiting_count_ = 0;
  std::uint64_t echoed_ = 0;
};

}  // namespace crosswire
