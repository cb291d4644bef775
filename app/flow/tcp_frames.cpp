// TCP segments out of frames: see the header. Tools only.
#include "app/flow/tcp_frames.hpp"

#include <fmt/format.h>

#include <cstring>

#include "app/config/config.hpp"
#include "netstack/ip/checksum.hpp"

namespace crosswire {
namespace {

constexpr std::size_t kMostTags = 4;

std::uint16_t word_at(wire::Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}
std::uint32_t address_at(wire::Bytes bytes, std::size_t at) {
  return std::uint32_t{word_at(bytes, at)} << 16 | word_at(bytes, at + 2);
}

/// What is behind Ethernet and its tags, if that is IPv4; else nothing.
wire::Bytes ipv4_of(wire::Bytes frame) {
  std::size_t at = 12;
  for (std::size_t tags = 0; frame.size() >= at + 2; ++tags, at += 4) {
    const std::uint16_t type = word_at(frame, at);
    if (type == 0x0800) return frame.subspan(at + 2);
    if ((type != 0x8100 && type != 0x88A8) || tags == kMostTags) return {};
  }
  return {};
}

/// The pseudo-header's sum alone, as a kernel leaves it to its network card.
bool is_partial(wire::Bytes bytes, std::uint64_t pseudo_sum) {
  std::uint16_t checksum;
  std::memcpy(&checksum, bytes.data() + offsetof(tcp::Header, checksum), sizeof checksum);
  return checksum == ip::folded(pseudo_sum);
}

FrameFate read_segment(wire::Bytes bytes, TcpFrame& out) {
  const std::uint32_t source = out.source.address;
  const std::uint32_t destination = out.destination.address;
  FrameFate fate = FrameFate::taken;
  tcp::TcpReceiveCounter drop = tcp::parse_segment(bytes, source, destination, false, out.segment);
  if (drop == tcp::TcpReceiveCounter::tcp_checksum) {
    if (!is_partial(bytes, tcp::pseudo_sum(source, destination, bytes.size()))) return FrameFate::checksum;
    fate = FrameFate::taken_partial;
    drop = tcp::parse_segment(bytes, source, destination, true, out.segment);
  }
  if (drop != tcp::kNoTcpDrop) return FrameFate::damaged;
  out.source.port = out.segment.source_port;
  out.destination.port = out.segment.destination_port;
  return fate;
}

}  // namespace

std::string text_of(const Endpoint& endpoint) {
  return fmt::format("{}:{}", format_address(endpoint.address), endpoint.port);
}

FrameFate read_tcp_frame(wire::Bytes frame, TcpFrame& out) {
  const wire::Bytes ip = ipv4_of(frame);
  if (ip.size() < 20 || ip[0] >> 4 != 4) return FrameFate::other;
  if (ip[9] != tcp::kProtocol) return FrameFate::other;
  const std::size_t header = std::size_t{ip[0] & 0x0Fu} * 4;
  const std::size_t total = word_at(ip, 2);
  if (header < 20 || total < header) return FrameFate::damaged;
  if ((word_at(ip, 6) & 0x3FFF) != 0) return FrameFate::fragment;
  if (total > ip.size()) return FrameFate::cut_off;
  out.source.address = address_at(ip, 12);
  out.destination.address = address_at(ip, 16);
  return read_segment(ip.subspan(header, total - header), out);
}

}  // namespace crosswire
