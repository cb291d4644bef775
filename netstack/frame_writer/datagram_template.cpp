// Datagrams out: see datagram_template.hpp.
#include "netstack/frame_writer/datagram_template.hpp"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <cstring>

#include "netstack/frame_writer/finish_in_place.hpp"
#include "netstack/frame_writer/headers.hpp"
#include "netstack/ip/checksum.hpp"

namespace crosswire {

using ip::folded, ip::ones_sum;

static_assert(sizeof(rte_udp_hdr) == kUdpBytes);
static_assert(offsetof(rte_ipv4_hdr, total_length) == DatagramTemplate::kIpLength &&
              offsetof(rte_ipv4_hdr, hdr_checksum) == DatagramTemplate::kIpChecksum &&
              offsetof(rte_udp_hdr, dgram_len) == DatagramTemplate::kUdpLength &&
              offsetof(rte_udp_hdr, dgram_cksum) == DatagramTemplate::kUdpChecksum);

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
  return finish_in_place(frame, payload_size);
}

}  // namespace crosswire
