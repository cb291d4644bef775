// ICMP (RFC 792), inbound: echo requests; nothing else asks for an answer.
// receive stage. Internal to netstack's sources: it includes DPDK's headers. Pure; trusts nothing in the frame.
#pragma once

#include <rte_icmp.h>

#include "netstack/common/parsed.hpp"
#include "netstack/ip/ipv4.hpp"
#include "netstack/link/ethernet.hpp"
#include "netstack/receive/counters.hpp"
#include "netstack/wire/bytes.hpp"

namespace crosswire::ip {

/// The whole ICMP message of an echo request, header included: of a datagram, so at most kMaxIcmpMessage bytes.
inline Parsed<wire::Bytes> parse_echo(wire::Bytes message) {
  if (message.size() < sizeof(rte_icmp_hdr)) return {.drop = ReceiveCounter::icmp_short};
  if (!checksum_holds(message.data(), message.size())) return {.drop = ReceiveCounter::icmp_checksum};
  const auto header = link::header_at<rte_icmp_hdr>(message.data());
  const bool echo = header.icmp_type == RTE_IP_ICMP_ECHO_REQUEST && header.icmp_code == 0;
  if (!echo) return {.drop = ReceiveCounter::icmp_not_echo};
  return {.value = message};
}

/// The whole ICMP message of a destination unreachable (type 3), header included.
inline Parsed<wire::Bytes> parse_unreachable(wire::Bytes message) {
  if (message.size() < sizeof(rte_icmp_hdr)) return {.drop = ReceiveCounter::icmp_short};
  constexpr std::uint8_t kUnreachable = 3;
  if (message[0] != kUnreachable) return {.drop = ReceiveCounter::icmp_not_echo};
  if (!checksum_holds(message.data(), message.size())) return {.drop = ReceiveCounter::icmp_checksum};
  return {.value = message};
}

}  // namespace crosswire::ip
