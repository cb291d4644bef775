// ICMP echo replies out: see echo_reply.hpp.
#include "netstack/frame_writer/echo_reply.hpp"

#include <rte_icmp.h>

#include <cstring>

#include "hugepages/base/check.hpp"
#include "netstack/frame_writer/headers.hpp"
#include "netstack/ip/checksum.hpp"

namespace crosswire {
namespace {

using ip::checksum, ip::ones_sum;

static_assert(sizeof(rte_icmp_hdr) == kIcmpBytes);

constexpr std::uint8_t kReplyTtl = 64;

}  // namespace

std::size_t write_echo_reply(std::uint8_t* frame, const NetConfig& config, const Station& to,
                             std::span<const std::uint8_t> request) {
  CHECK(request.size() >= kIcmpBytes && request.size() <= kMaxIcmpMessage, "an ICMP echo of %zu bytes", request.size());
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
