// IPv4 (RFC 791), inbound: one whole datagram for us. Options are skipped, fragments refused (DESIGN 5).
// receive stage. Internal to netstack's sources: it includes DPDK's headers. Pure; trusts nothing in the frame.
#pragma once

#include <rte_byteorder.h>
#include <rte_ip.h>

#include <cstddef>
#include <cstdint>

#include "netstack/common/address.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/common/parsed.hpp"
#include "netstack/ip/checksum.hpp"
#include "netstack/link/ethernet.hpp"
#include "netstack/receive/counters.hpp"
#include "netstack/wire/bytes.hpp"

namespace crosswire::ip {

struct Datagram {
  std::uint32_t source;  // host byte order
  std::uint8_t protocol;
  wire::Bytes payload;  // ends where the datagram does: frames carry padding and trailers behind it (WIRE 8)
};

/// `checked`: a device has found the header's checksum right.
inline Parsed<Datagram> parse_ipv4(wire::Bytes bytes, std::uint32_t ours, bool link_broadcast, bool checked = false) {
  if (bytes.size() < sizeof(rte_ipv4_hdr)) return {.drop = ReceiveCounter::ip_short};
  const auto header = link::header_at<rte_ipv4_hdr>(bytes.data());
  if (header.version_ihl >> 4 != IPVERSION) return {.drop = ReceiveCounter::ip_version};
  const std::size_t header_bytes = (header.version_ihl & RTE_IPV4_HDR_IHL_MASK) * std::size_t{RTE_IPV4_IHL_MULTIPLIER};
  if (header_bytes < sizeof(header)) return {.drop = ReceiveCounter::ip_header_length};
  const std::size_t total_bytes = rte_be_to_cpu_16(header.total_length);
  if (total_bytes < header_bytes || total_bytes > bytes.size()) return {.drop = ReceiveCounter::ip_total_length};
  if (total_bytes > kMtu) return {.drop = ReceiveCounter::ip_too_long};
  if (!checked && !checksum_holds(bytes.data(), header_bytes)) return {.drop = ReceiveCounter::ip_checksum};

  const std::uint32_t destination = rte_be_to_cpu_32(header.dst_addr);
  if (destination != ours) return {.drop = ReceiveCounter::ip_other_destination};
  // RFC 1122 3.3.6: a unicast address in a link-layer broadcast is somebody's mistake, or a trick to make many answer.
  if (link_broadcast) return {.drop = ReceiveCounter::ip_link_broadcast};
  const std::uint32_t source = rte_be_to_cpu_32(header.src_addr);
  if (source == ours) return {.drop = ReceiveCounter::ip_source_ours};
  if (!is_station(source)) return {.drop = ReceiveCounter::ip_source_invalid};
  const auto fragment_bits = rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK);
  if ((header.fragment_offset & fragment_bits) != 0) return {.drop = ReceiveCounter::ip_fragment};
  return {.value = {source, header.next_proto_id, bytes.subspan(header_bytes, total_bytes - header_bytes)}};
}

}  // namespace crosswire::ip
