// Segments out: see segment_template.hpp.
#include "netstack/tcp/segment_template.hpp"

#include <cstring>

#include "hugepages/base/check.hpp"
#include "netstack/frame_writer/headers.hpp"
#include "netstack/ip/checksum.hpp"

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
  CHECK(behind <= kMtu - kIpv4Bytes - kTcpHeaderBytes && option_bytes <= behind, "a segment of %zu bytes", behind);
  if (tcp_offset_ == kTagged) {
    std::memcpy(frame, headers_.data(), kTagged);
  } else {
    std::memcpy(frame, headers_.data(), kUntagged);
  }
  std::uint8_t* const tcp = frame + tcp_offset_;
  std::uint8_t* const ip = tcp - kIpv4Bytes;
  const std::size_t tcp_bytes = kTcpHeaderBytes + behind;
  const std::uint16_t ip_length = __builtin_bswap16(static_cast<std::uint16_t>(kIpv4Bytes + tcp_bytes));
  const std::uint32_t ip_sum = std::uint32_t{ip_sum_} + ip_length;
  const auto ip_checksum = static_cast<std::uint16_t>(~(ip_sum + (ip_sum >> 16)));
  std::memcpy(ip + 2, &ip_length, sizeof ip_length);
  std::memcpy(ip + 10, &ip_checksum, sizeof ip_checksum);

  const bool acks = (head.flags & kAck) != 0;
  const std::uint32_t sequence = __builtin_bswap32(head.sequence);
  const std::uint32_t acknowledgement = acks ? __builtin_bswap32(head.acknowledgement) : 0;
  const auto offset = static_cast<std::uint8_t>((kTcpHeaderBytes + option_bytes) / 4 << 4);
  // Data offset and flags, then the window, as one word of memory.
  const std::uint32_t words =
      offset | std::uint32_t{head.flags} << 8 | std::uint32_t{__builtin_bswap16(head.window)} << 16;
  // What lies in registers is summed there: read back from the frame it would wait for the stores.
  std::uint64_t sum = std::uint64_t{pseudo_sum_} + __builtin_bswap16(static_cast<std::uint16_t>(tcp_bytes));
  sum += std::uint64_t{sequence} + acknowledgement + words;
  sum = ones_sum(tcp + kTcpHeaderBytes, behind, sum);
  const std::uint16_t checksum = ip::checksum(sum);
  std::memcpy(tcp, &ports_, 4);
  std::memcpy(tcp + 4, &sequence, 4);
  std::memcpy(tcp + 8, &acknowledgement, 4);
  std::memcpy(tcp + 12, &words, 4);
  const std::uint32_t last = checksum;  // the urgent pointer is 0
  std::memcpy(tcp + 16, &last, 4);
  return padded(frame, static_cast<std::size_t>(tcp - frame) + tcp_bytes);
}

}  // namespace crosswire::tcp
