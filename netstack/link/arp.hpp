// ARP for IPv4 over Ethernet (RFC 826), inbound: is our address asked for, and by whom?
// receive stage. Internal to netstack's sources: it includes DPDK's headers. Pure; trusts nothing in the frame.
#pragma once

#include <rte_arp.h>
#include <rte_byteorder.h>

#include <cstdint>
#include <optional>

#include "netstack/common/address.hpp"
#include "netstack/common/parsed.hpp"
#include "netstack/link/ethernet.hpp"
#include "netstack/receive/counters.hpp"

namespace crosswire::link {

/// Who asked, and where the reply goes: the sender that the request names.
struct ArpAsker {
  MacAddress mac;
  std::uint32_t address;  // host byte order; 0 in a probe (RFC 5227), which is answered too: it looks for conflicts
};

/// `source`: the frame's MAC. A request that names another would have our reply sent to somebody who did not ask.
inline Parsed<ArpAsker> parse_arp(wire::Bytes bytes, const MacAddress& source, const MacAddress& our_mac,
                                  std::uint32_t our_address) {
  if (bytes.size() < sizeof(rte_arp_hdr)) return {.drop = ReceiveCounter::arp_malformed};
  const auto arp = header_at<rte_arp_hdr>(bytes.data());
  const bool ipv4_over_ethernet = arp.arp_hardware == rte_cpu_to_be_16(RTE_ARP_HRD_ETHER) &&
                                  arp.arp_protocol == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) &&
                                  arp.arp_hlen == RTE_ETHER_ADDR_LEN && arp.arp_plen == sizeof(std::uint32_t);
  if (!ipv4_over_ethernet) return {.drop = ReceiveCounter::arp_malformed};

  // A conflict is told from any operation, a gratuitous reply too, so it comes before the others.
  const ArpAsker asker{mac_address(arp.arp_data.arp_sha), rte_be_to_cpu_32(arp.arp_data.arp_sip)};
  if (asker.mac == our_mac || asker.address == our_address) return {.drop = ReceiveCounter::arp_sender_ours};
  if (arp.arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REQUEST)) return {.drop = ReceiveCounter::arp_not_request};
  if (rte_be_to_cpu_32(arp.arp_data.arp_tip) != our_address) return {.drop = ReceiveCounter::arp_other_target};
  const bool station = is_station(asker.mac) && (asker.address == 0 || ip::is_station(asker.address));
  if (!station) return {.drop = ReceiveCounter::arp_sender_invalid};
  if (asker.mac != source) return {.drop = ReceiveCounter::arp_sender_differs};
  return {.value = asker};
}

/// Whose address this tells us: the sender's of a reply to us, else none. It is believed of the frame's own MAC alone.
inline std::optional<std::uint32_t> arp_reply_to(wire::Bytes bytes, const MacAddress& source, const MacAddress& our_mac,
                                                 std::uint32_t our_address) {
  if (bytes.size() < sizeof(rte_arp_hdr)) return std::nullopt;
  const auto arp = header_at<rte_arp_hdr>(bytes.data());
  const bool reply = arp.arp_hardware == rte_cpu_to_be_16(RTE_ARP_HRD_ETHER) &&
                     arp.arp_protocol == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) && arp.arp_hlen == RTE_ETHER_ADDR_LEN &&
                     arp.arp_plen == sizeof(std::uint32_t) && arp.arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
  const std::uint32_t sender = rte_be_to_cpu_32(arp.arp_data.arp_sip);
  const bool ours =
      rte_be_to_cpu_32(arp.arp_data.arp_tip) == our_address && mac_address(arp.arp_data.arp_tha) == our_mac;
  const bool theirs = mac_address(arp.arp_data.arp_sha) == source && sender != our_address && ip::is_station(sender);
  if (!reply || !ours || !theirs) return std::nullopt;
  return sender;
}

}  // namespace crosswire::link
