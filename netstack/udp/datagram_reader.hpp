// UDP (RFC 768), inbound: ports and payload of one datagram.
// receive stage. Internal to netstack's sources: it includes DPDK's headers. Pure; trusts nothing in the frame.
#pragma once

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <cstdint>

#include "netstack/common/parsed.hpp"
#include "netstack/ip/ipv4.hpp"
#include "netstack/link/ethernet.hpp"
#include "netstack/receive/counters.hpp"
#include "netstack/wire/bytes.hpp"

namespace crosswire::udp {

struct Datagram {
  std::uint16_t source_port;  // never 0
  std::uint16_t destination_port;
  wire::Bytes payload;
};

/// Does the checksum hold, pseudo header included? `datagram` is as long as its own length says.
inline bool checksum_holds(wire::Bytes datagram, std::uint32_t source, std::uint32_t destination) {
  const std::uint64_t pseudo = std::uint64_t{rte_cpu_to_be_32(source)} + rte_cpu_to_be_32(destination) +
                               rte_cpu_to_be_16(std::uint16_t{IPPROTO_UDP}) +
                               rte_cpu_to_be_16(static_cast<std::uint16_t>(datagram.size()));
  return ip::checksum_holds(datagram.data(), datagram.size(), pseudo);
}

/// `payload` is that of the IPv4 datagram between the two addresses (host byte order). Bytes beyond UDP's own length
/// are ignored. `checked`: a device has found the checksum right. It may have gone by the length of the IPv4 datagram,
/// so its word counts where UDP's length says the same.
inline Parsed<Datagram> parse_udp(wire::Bytes payload, std::uint32_t source, std::uint32_t destination,
                                  bool checked = false) {
  if (payload.size() < sizeof(rte_udp_hdr)) return {.drop = ReceiveCounter::udp_short};
  const auto header = link::header_at<rte_udp_hdr>(payload.data());
  const std::size_t length = rte_be_to_cpu_16(header.dgram_len);
  if (length < sizeof(header) || length > payload.size()) return {.drop = ReceiveCounter::udp_length};
  const bool summed = header.dgram_cksum != 0;  // 0: the sender computed none
  const bool known = checked && length == payload.size();
  if (summed && !known && !checksum_holds(payload.first(length), source, destination)) {
    return {.drop = ReceiveCounter::udp_checksum};
  }
  if (header.src_port == 0) return {.drop = ReceiveCounter::udp_source_port_zero};
  return {.value = {rte_be_to_cpu_16(header.src_port), rte_be_to_cpu_16(header.dst_port),
                    payload.subspan(sizeof(header), length - sizeof(header))}};
}

}  // namespace crosswire::udp
