// Frames out: see frame_writer.hpp. transmit and publish run it.
#include "netstack/frame_writer/frame_writer.hpp"

#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <algorithm>
#include <cstring>

#include "hugepages/base/check.hpp"
#include "netstack/ip/checksum.hpp"

namespace crosswire {
namespace {

using ip::checksum, ip::folded, ip::ones_sum;

constexpr std::size_t kUntaggedOffset = sizeof(rte_ether_hdr) + sizeof(rte_ipv4_hdr) + sizeof(rte_udp_hdr);
constexpr std::size_t kTaggedOffset = kUntaggedOffset + sizeof(rte_vlan_hdr);
static_assert(kUntaggedOffset == 42 && kTaggedOffset == 46);

constexpr std::uint8_t kReplyTtl = 64;

/// Ethernet header and, for a tagged station, the tag. Returns their length.
std::size_t write_ethernet(std::uint8_t* frame, const MacAddress& from, const Station& to, std::uint16_t type) {
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
rte_ipv4_hdr ip_header(const NetConfig& config, std::uint32_t to, std::uint8_t protocol, std::uint8_t ttl,
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

std::size_t padded(std::uint8_t* frame, std::size_t length) {
  if (length >= kMinFrame) return length;
  std::memset(frame + length, 0, kMinFrame - length);
  return kMinFrame;
}

template <std::size_t N>
MacAddress mac_of(const std::uint8_t (&bytes)[N]) {
  MacAddress mac;
  static_assert(N == mac.size());
  std::copy(bytes, bytes + N, mac.begin());
  return mac;
}

}  // namespace

Station station_of(const Peer& peer) { return {mac_of(peer.mac), peer.vlan, peer.address}; }
Station station_of(const ResendAsk& ask) { return {mac_of(ask.mac), ask.vlan, ask.address}; }
Station station_of(const EchoAsk& ask) { return {mac_of(ask.mac), ask.vlan, ask.address}; }

Station station_of_group(std::uint32_t group, std::uint16_t vlan) {
  return {{0x01, 0x00, 0x5E, static_cast<std::uint8_t>(group >> 16 & 0x7F),
           static_cast<std::uint8_t>(group >> 8 & 0xFF), static_cast<std::uint8_t>(group & 0xFF)},
          vlan,
          group};
}

DatagramTemplate::DatagramTemplate(const NetConfig& config, std::uint16_t source_port, const Station& to,
                                   std::uint16_t to_port, std::uint8_t ttl) {
  std::size_t at = write_ethernet(headers_.data(), config.mac, to, RTE_ETHER_TYPE_IPV4);
  rte_ipv4_hdr ip = ip_header(config, to.address, IPPROTO_UDP, ttl, 0);
  ip.total_length = 0;
  std::memcpy(headers_.data() + at, &ip, sizeof ip);
  ip_sum_ = folded(ones_sum(headers_.data() + at, sizeof ip));
  at += sizeof ip;

  const rte_udp_hdr udp{.src_port = rte_cpu_to_be_16(source_port),
                        .dst_port = rte_cpu_to_be_16(to_port),
                        .dgram_len = 0,
                        .dgram_cksum = 0};
  std::memcpy(headers_.data() + at, &udp, sizeof udp);
  // RFC 768's pseudo-header: both addresses, zero and protocol, UDP length (left to finish()).
  const std::uint64_t pseudo = std::uint64_t{ip.src_addr} + ip.dst_addr + rte_cpu_to_be_16(std::uint16_t{IPPROTO_UDP});
  udp_sum_ = folded(ones_sum(headers_.data() + at, sizeof udp, pseudo));
  payload_offset_ = static_cast<std::uint8_t>(at + sizeof udp);
}

std::size_t DatagramTemplate::finish(std::uint8_t* frame, std::size_t payload_size) const {
  CHECK(payload_size <= kMaxUdpPayload, "a datagram of %zu bytes", payload_size);
  // Two copies of constant size; one of a variable size would be a call.
  if (payload_offset_ == kTaggedOffset) {
    std::memcpy(frame, headers_.data(), kTaggedOffset);
  } else {
    std::memcpy(frame, headers_.data(), kUntaggedOffset);
  }
  std::uint8_t* const payload = frame + payload_offset_;
  auto* const udp = reinterpret_cast<rte_udp_hdr*>(payload - sizeof(rte_udp_hdr));
  auto* const ip = reinterpret_cast<rte_ipv4_hdr*>(payload - sizeof(rte_udp_hdr) - sizeof(rte_ipv4_hdr));

  const auto udp_length = static_cast<std::uint16_t>(sizeof *udp + payload_size);
  ip->total_length = rte_cpu_to_be_16(static_cast<std::uint16_t>(sizeof *ip + udp_length));
  ip->hdr_checksum = checksum(std::uint64_t{ip_sum_} + ip->total_length);
  udp->dgram_len = rte_cpu_to_be_16(udp_length);
  // The length counts twice, in the pseudo-header and in the header. 0 would say "no checksum", so 0xFFFF is sent for
  // it (RFC 768): the same number in ones' complement.
  const std::uint16_t sum = checksum(ones_sum(payload, payload_size, std::uint64_t{udp_sum_} + 2u * udp->dgram_len));
  udp->dgram_cksum = sum == 0 ? std::uint16_t{0xFFFF} : sum;
  return padded(frame, payload_offset_ + payload_size);
}

std::size_t write_arp_reply(std::uint8_t* frame, const NetConfig& config, const Station& to) {
  const std::size_t at = write_ethernet(frame, config.mac, to, RTE_ETHER_TYPE_ARP);
  rte_arp_hdr arp{};
  arp.arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER);
  arp.arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
  arp.arp_hlen = RTE_ETHER_ADDR_LEN;
  arp.arp_plen = sizeof arp.arp_data.arp_sip;
  arp.arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
  std::memcpy(arp.arp_data.arp_sha.addr_bytes, config.mac.data(), config.mac.size());
  arp.arp_data.arp_sip = rte_cpu_to_be_32(config.address);
  std::memcpy(arp.arp_data.arp_tha.addr_bytes, to.mac.data(), to.mac.size());
  arp.arp_data.arp_tip = rte_cpu_to_be_32(to.address);
  std::memcpy(frame + at, &arp, sizeof arp);
  return padded(frame, at + sizeof arp);
}

std::size_t write_echo_reply(std::uint8_t* frame, const NetConfig& config, const Station& to,
                             std::span<const std::uint8_t> request) {
  CHECK(request.size() >= sizeof(rte_icmp_hdr) && request.size() <= kMaxDatagram - sizeof(rte_ipv4_hdr),
        "an ICMP echo of %zu bytes", request.size());
  std::size_t at = write_ethernet(frame, config.mac, to, RTE_ETHER_TYPE_IPV4);
  rte_ipv4_hdr ip = ip_header(config, to.address, IPPROTO_ICMP, kReplyTtl, request.size());
  ip.hdr_checksum = checksum(ones_sum(reinterpret_cast<const std::uint8_t*>(&ip), sizeof ip));
  std::memcpy(frame + at, &ip, sizeof ip);
  at += sizeof ip;

  std::memcpy(frame + at, request.data(), request.size());
  auto* const icmp = reinterpret_cast<rte_icmp_hdr*>(frame + at);
  icmp->icmp_type = RTE_IP_ICMP_ECHO_REPLY;
  icmp->icmp_cksum = 0;
  icmp->icmp_cksum = checksum(ones_sum(frame + at, request.size()));
  return padded(frame, at + request.size());
}

}  // namespace crosswire
