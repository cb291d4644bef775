// Ethernet, 802.1Q, ARP, IPv4, ICMP and UDP, inbound: any bytes. Byte 0 fixes checksums, so that lies get further in.
#include "netstack/ip/icmp.hpp"
#include "netstack/ip/ipv4.hpp"
#include "netstack/link/arp.hpp"
#include "netstack/link/ethernet.hpp"
#include "netstack/udp/datagram_reader.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/netstack/client_frames.hpp"

namespace crosswire {
namespace {

using namespace fuzz;
using test::kOurAddress;
using test::kOurMac;
using test::Payload;

constexpr unsigned kFixIp = 1;
constexpr unsigned kFixUdp = 2;
constexpr unsigned kFixIcmp = 4;

std::size_t ip_offset(const FrameBytes& frame) {
  return frame.size() >= 14 && test::get16(frame, 12) == 0x8100 ? 18 : 14;
}

/// Sets the checksums that `which` names, as far as the frame holds what they cover.
void fix_checksums(FrameBytes& frame, unsigned which) {
  const std::size_t at = ip_offset(frame);
  if (frame.size() < at + 20) return;
  const std::size_t header = (frame[at] & 15u) * 4u;
  if ((which & kFixIp) != 0 && header >= 20 && frame.size() >= at + header) test::fix_ip(frame, at);
  const std::size_t end = at + test::get16(frame, at + 2);
  if ((which & kFixUdp) != 0 && frame.size() >= at + 28 && at + 20 + test::get16(frame, at + 24) <= frame.size()) {
    test::fix_udp(frame, at);
  }
  if ((which & kFixIcmp) != 0 && end >= at + 24 && end <= frame.size()) {
    test::set16(frame, at + 22, 0);
    test::set16(frame, at + 22, test::folded(test::sum16(frame, at + 20, end)));
  }
}

void check_udp(const ip::Datagram& datagram) {
  const auto udp = udp::parse_udp(datagram.payload, datagram.source, kOurAddress);
  if (!udp.ok()) return;
  HOLDS(udp.value.source_port != 0);
  HOLDS(within(udp.value.payload, datagram.payload));
  // The checksum as RFC 768 words it, word by word.
  Payload sum;
  test::put32(sum, datagram.source);
  test::put32(sum, kOurAddress);
  test::put16(sum, 17);
  test::put16(sum, udp.value.payload.size() + 8);
  test::put(sum, datagram.payload.first(udp.value.payload.size() + 8));
  const bool left_out = datagram.payload[6] == 0 && datagram.payload[7] == 0;
  HOLDS(left_out || test::folded(test::sum16(sum, 0, sum.size())) == 0);
}

void check_icmp(const ip::Datagram& datagram) {
  const auto echo = ip::parse_echo(datagram.payload);
  if (!echo.ok()) return;
  HOLDS(echo.value.size() >= 8 && echo.value.size() <= kMaxIcmpMessage);
  HOLDS(echo.value[0] == 8 && echo.value[1] == 0);
  const Payload message(echo.value.begin(), echo.value.end());
  HOLDS(test::folded(test::sum16(message, 0, message.size())) == 0);
}

void check_ipv4(const link::Frame& frame) {
  const auto datagram = ip::parse_ipv4(frame.payload, kOurAddress, frame.broadcast);
  if (!datagram.ok()) return;
  HOLDS(!frame.broadcast);
  HOLDS(within(datagram.value.payload, frame.payload));
  HOLDS(datagram.value.source != kOurAddress && ip::is_station(datagram.value.source));
  const Payload header(frame.payload.begin(), frame.payload.begin() + (frame.payload[0] & 15) * 4);
  HOLDS(test::folded(test::sum16(header, 0, header.size())) == 0);
  if (datagram.value.protocol == IPPROTO_UDP) check_udp(datagram.value);
  if (datagram.value.protocol == IPPROTO_ICMP) check_icmp(datagram.value);
}

void check_arp(const link::Frame& frame) {
  const auto asker = link::parse_arp(frame.payload, frame.source, kOurMac, kOurAddress);
  if (!asker.ok()) return;
  HOLDS(asker.value.mac == frame.source);
  HOLDS(asker.value.address == 0 || (ip::is_station(asker.value.address) && asker.value.address != kOurAddress));
}

void check_frame(wire::Bytes bytes, const link::VlanFilter& vlans) {
  const auto frame = link::parse_ethernet(bytes, kOurMac, vlans);
  if (!frame.ok()) return;
  HOLDS(within(frame.value.payload, bytes));
  HOLDS(frame.value.source != kOurMac && link::is_station(frame.value.source));
  HOLDS(vlans.accepts(frame.value.vlan));
  if (frame.value.type == RTE_ETHER_TYPE_IPV4) check_ipv4(frame.value);
  if (frame.value.type == RTE_ETHER_TYPE_ARP) check_arp(frame.value);
}

}  // namespace
}  // namespace crosswire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace crosswire;
  static const link::VlanFilter kUntagged({});
  static const link::VlanFilter kTagged({0, 7, 4094});
  fuzz::Input input({data, size});
  const unsigned which = input.byte();
  const wire::Bytes raw = input.remaining();
  FrameBytes frame(raw.begin(), raw.end());
  fix_checksums(frame, which);
  check_frame(frame, kUntagged);
  check_frame(frame, kTagged);
  return 0;
}
