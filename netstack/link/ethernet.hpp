// Ethernet and 802.1Q, inbound: whose frame is it, and on which VLAN?
// receive stage. Internal to netstack's sources: it includes DPDK's headers. Pure; trusts nothing in the frame.
#pragma once

#include <rte_byteorder.h>
#include <rte_ether.h>

#include <cstdint>
#include <cstring>

#include "netstack/common/mac_number.hpp"
#include "netstack/common/parsed.hpp"
#include "netstack/link/vlan_filter.hpp"
#include "netstack/receive/counters.hpp"
#include "netstack/wire/bytes.hpp"

namespace crosswire::link {

/// A header copied out of the frame, wherever it lies: frames have no alignment. The caller has checked the size.
template <class Header>
Header header_at(const std::uint8_t* at) {
  Header header;
  std::memcpy(&header, at, sizeof(header));
  return header;
}

inline MacAddress mac_address(const rte_ether_addr& address) {
  MacAddress mac;
  std::memcpy(mac.data(), address.addr_bytes, mac.size());
  return mac;
}

inline constexpr std::uint64_t kBroadcastMac = 0xFFFF'FFFF'FFFF;
constexpr bool is_group(const MacAddress& mac) { return (mac[0] & 1) != 0; }
/// May a station have it?
inline bool is_station(const MacAddress& mac) { return !is_group(mac) && mac_number(mac) != 0; }

struct Frame {
  MacAddress source;
  std::uint16_t vlan;   // 0 = untagged, or tagged for its priority alone
  std::uint16_t type;   // EtherType behind the tag
  bool broadcast;       // else it was for our MAC
  wire::Bytes payload;  // to the frame's end, padding and trailers included
};

/// Lets in frames from a station other than us, to us or to all, on an accepted VLAN.
inline Parsed<Frame> parse_ethernet(wire::Bytes bytes, const MacAddress& ours, const VlanFilter& vlans) {
  if (bytes.size() < sizeof(rte_ether_hdr)) return {.drop = ReceiveCounter::ether_short};
  const auto header = header_at<rte_ether_hdr>(bytes.data());
  const MacAddress destination = mac_address(header.dst_addr);
  const bool broadcast = mac_number(destination) == kBroadcastMac;
  if (mac_number(destination) != mac_number(ours) && !broadcast) {
    return {.drop = is_group(destination) ? ReceiveCounter::ether_multicast : ReceiveCounter::ether_other_destination};
  }
  const MacAddress source = mac_address(header.src_addr);
  if (!is_station(source)) return {.drop = ReceiveCounter::ether_source_invalid};
  if (mac_number(source) == mac_number(ours)) return {.drop = ReceiveCounter::ether_source_ours};

  Frame frame{source, 0, rte_be_to_cpu_16(header.ether_type), broadcast, bytes.subspan(sizeof(header))};
  if (frame.type == RTE_ETHER_TYPE_VLAN) {
    if (frame.payload.size() < sizeof(rte_vlan_hdr)) return {.drop = ReceiveCounter::ether_short};
    const auto tag = header_at<rte_vlan_hdr>(frame.payload.data());
    frame.vlan = rte_be_to_cpu_16(tag.vlan_tci) & VlanFilter::kIdMask;
    frame.type = rte_be_to_cpu_16(tag.eth_proto);
    frame.payload = frame.payload.subspan(sizeof(tag));
  }
  if (!vlans.accepts(frame.vlan)) return {.drop = ReceiveCounter::vlan_not_accepted};
  return {.value = frame};
}

}  // namespace crosswire::link
