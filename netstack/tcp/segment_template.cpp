// Segments out: see segment_template.hpp.
#include "netstack/tcp/segment_template.hpp"

#include <cstring>

#include "netstack/frame_writer/headers.hpp"
#include "netstack/ip/checksum.hpp"
#include "netstack/tcp/finish_in_place.hpp"

namespace crosswire::tcp {

using ip::folded, ip::ones_sum;

SegmentTemplate::SegmentTemplate(const NetConfig& config, std::uint16_t port, const Remote& to) {
  constexpr std::uint8_t kTtl = 64;
  std::size_t at = write_ethernet(headers_.data(), config.mac, {to.mac, to.vlan, to.address}, RTE_ETHER_TYPE_IPV4);
  rte_ipv4_hdr ip = ip_header(config, to.address, kProtocol, kTtl, 0);
  ip.total_length = 0;
  std::memcpy(headers_.data() + at, &ip, sizeof ip);
  ip_sum_ = folded(ones_sum(headers_.data() + at, sizeof ip));
  tcp_offset_ = static_cast<std::uint8_t>(at + sizeof ip);
  ports_ = std::uint32_t{rte_cpu_to_be_16(to.port)} << 16 | rte_cpu_to_be_16(port);
  pseudo_sum_ = folded(pseudo_sum(config.address, to.address, 0) + ports_);
}

std::size_t SegmentTemplate::finish(std::uint8_t* frame, const SegmentHead& head, std::size_t option_bytes,
                                    std::size_t behind) const {
  return finish_in_place(frame, head, option_bytes, behind);
}

}  // namespace crosswire::tcp
