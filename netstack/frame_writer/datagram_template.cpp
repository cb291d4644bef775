// Datagrams out: see datagram_template.hpp.
#include "netstack/frame_writer/datagram_template.hpp"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <cstring>

#include "hugepages/base/check.hpp"
#include "netstack/frame_writer/headers.hpp"
#include "netstack/ip/checksum.hpp"

namespace crosswire {

using ip::folded, ip::ones_sum, ip::udp_checksum;

static_assert(sizeof(rte_udp_hdr) == kUdpBytes);

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
  const std::uint32_t ip_sum = std::uint32_t{ip_sum_} + ip->total_length;
  ip->hdr_checksum = static_cast<std::uint16_t>(~(ip_sum + (ip_sum >> 16)));  // two numbers give one carry at most
  udp->dgram_len = rte_cpu_to_be_16(udp_length);
  // The length counts twice, in the pseudo-header and in the header.
  udp->dgram_cksum = udp_checksum(ones_sum(payload, payload_size, std::uint64_t{udp_sum_} + 2u * udp->dgram_len));
  return padded(frame, payload_offset_ + payload_size);
}

}  // namespace crosswire
