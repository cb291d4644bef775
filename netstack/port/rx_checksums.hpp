// Checksums that a device sums up on the way in: which are asked for, and what a driver says of them with each frame.
// For device.cpp and device_figures.cpp: at set-up and on the polling thread. Pure; includes DPDK's headers.
#pragma once

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <cstdint>
#include <string_view>

#include "netstack/common/checked_sums.hpp"
#include "netstack/port/partial_checksum.hpp"

namespace crosswire {

/// RTE_ETH_RX_OFFLOAD_* to ask a device for. None of what polls the kernel: there is no card behind it, and net_tap's
/// driver would sum in software, before us and dearer.
inline std::uint64_t rx_checksums(const rte_eth_dev_info& info, bool faces_kernel) {
  constexpr std::uint64_t kOurs = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
  return faces_kernel ? 0 : info.rx_offload_capa & kOurs;
}

/// What a driver says with a frame (mbuf's ol_flags). A checksum that it calls wrong is summed in software like one
/// that it has not looked at: some cards misjudge what has no checksum, and a replay has only the bytes to go by.
inline CheckedSums checked_sums(std::uint64_t flags) {
  return {.ip = (flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD,
          .udp = (flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD};
}

/// Of a virtual machine's device, whichever side of it we are on, the driver tells which (virtio's NEEDS_CSUM).
inline PartialSums partial_sums(const rte_eth_dev_info& info, bool faces_kernel) {
  if (faces_kernel) return PartialSums::any;
  const std::string_view driver = info.driver_name;
  return driver.starts_with("net_virtio") || driver == "net_vhost" ? PartialSums::told : PartialSums::none;
}

inline bool may_be_partial(PartialSums which, std::uint64_t flags) {
  return which == PartialSums::any ||
         (which == PartialSums::told && (flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE);
}

}  // namespace crosswire
