// What the writers of frames have in common: the headers of Ethernet and IPv4, ARP, and the padding.
// transmit and publish run it. Internal to frame_writer's sources: it includes DPDK's headers. Pure functions over
// bytes.
#pragma once

#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "netstack/common/config.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/frame_writer/padding.hpp"
#include "netstack/frame_writer/station.hpp"

namespace crosswire {

static_assert(sizeof(rte_ether_hdr) == kEthernetBytes && sizeof(rte_vlan_hdr) == kVlanTagBytes &&
              sizeof(rte_ipv4_hdr) == kIpv4Bytes);

/// Ethernet header and, for a tagged station, the tag. Returns their length.
inline std::size_t write_ethernet(std::uint8_t* frame, const MacAddress& from, const Station& to, std::uint16_t type) {
  auto* const ether = reinterpret_cast<rte_ether_hdr*>(frame);
  std::memcpy(ether->dst_addr.addr_bytes, to.mac.data(), to.mac.size());
  std::memcpy(ether->src_addr.addr_bytes, from.data(), from.size());
  if (to.vlan == 0) {
    ether->ether_type = rte_cpu_to_be_16(type);
    return sizeof *ether;
  }
  ether->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN);
  auto* const tag = reinterpret_cast<rte_vlan_hdr*>(frame + sizeof *ether);
  tag->vlan_tci = rte_cpu_to_be_16(to.vlan);
  tag->eth_proto = rte_cpu_to_be_16(type);
  return sizeof *ether + sizeof *tag;
}

/// An IPv4 header for `payload_size` bytes, checksum still 0.
inline rte_ipv4_hdr ip_header(const NetConfig& config, std::uint32_t to, std::uint8_t protocol, std::uint8_t ttl,
                              std::size_t payload_size) {
  rte_ipv4_hdr ip{};
  ip.version_ihl = RTE_IPV4_VHL_DEF;
  ip.total_length = rte_cpu_to_be_16(static_cast<std::uint16_t>(sizeof ip + payload_size));
  ip.fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG);
  ip.time_to_live = ttl;
  ip.next_proto_id = protocol;
  ip.src_addr = rte_cpu_to_be_32(config.address);
  ip.dst_addr = rte_cpu_to_be_32(to);
  return ip;
}

/// ARP of ours for IPv4 over Ethernet (RFC 826), behind `at` bytes of headers. Returns the length so far.
inline std::size_t write_arp(std::uint8_t* frame, std::size_t at, const NetConfig& config, std::uint16_t operation,
                             const MacAddress& target, std::uint32_t target_address) {
  rte_arp_hdr arp{};
  arp.arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER);
  arp.arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
  arp.arp_hlen = RTE_ETHER_ADDR_LEN;
  arp.arp_plen = sizeof arp.arp_data.arp_sip;
  arp.arp_opcode = rte_cpu_to_be_16(operation);
  std::memcpy(arp.arp_data.arp_sha.addr_bytes, config.mac.data(), config.mac.size());
  arp.arp_data.arp_sip = rte_cpu_to_be_32(config.address);
  std::memcpy(arp.arp_data.arp_tha.addr_bytes, target.data(), target.size());
  arp.arp_data.arp_tip = rte_cpu_to_be_32(target_address);
  std::memcpy(frame + at, &arp, sizeof arp);
  return at + sizeof arp;
}

}  // namespace crosswire
