// A station of TCP alone: see host.hpp.
#include "netstack/tcp/host.hpp"

#include <netinet/in.h>
#include <rte_arp.h>

#include "netstack/common/address.hpp"
#include "netstack/ip/icmp.hpp"
#include "netstack/ip/ipv4.hpp"
#include "netstack/link/arp.hpp"
#include "netstack/link/ethernet.hpp"

namespace crosswire::tcp {

ReceivingHost::ReceivingHost(const NetConfig& net, ReceiveHalf& half, RxPort& port)
    : net_(net), vlans_(net.vlans), half_(half), port_(port) {}

std::size_t ReceivingHost::poll() {
  if (frame_ == frames_.size()) {
    const RxBurst burst = port_.receive();
    frames_ = burst.out_of_band ? std::span<const RxFrame>() : burst.frames;
    frame_ = 0;
    if (burst.time_ns > now_) now_ = burst.time_ns;
    ended_ = burst.ended;
  }
  half_.take_signals();
  std::size_t finished = 0;
  while (frame_ < frames_.size() && take(frames_[frame_])) {
    ++frame_;
    ++finished;
  }
  half_.end_burst();
  return finished + (half_.offer_again() > 0 ? 1 : 0);
}

bool ReceivingHost::drop(ReceiveCounter counter) {
  counters_.add(counter);
  return true;
}

bool ReceivingHost::take(const RxFrame& frame) {
  const Parsed<link::Frame> ether = link::parse_ethernet({frame.data, frame.length}, net_.mac, vlans_);
  if (!ether.ok()) return drop(ether.drop);
  const MacAddress& mac = ether.value.source;
  const std::uint16_t vlan = ether.value.vlan;
  if (ether.value.type == RTE_ETHER_TYPE_ARP) {
    const std::optional<std::uint32_t> told = link::arp_reply_to(ether.value.payload, mac, net_.mac, net_.address);
    if (told) return half_.take_resolved({*told, 0, vlan, mac});
    const Parsed<link::ArpAsker> asker = link::parse_arp(ether.value.payload, mac, net_.mac, net_.address);
    if (!asker.ok()) return drop(asker.drop);
    return half_.take_asked({asker.value.address, 0, vlan, asker.value.mac});
  }
  if (ether.value.type != RTE_ETHER_TYPE_IPV4) return drop(ReceiveCounter::ether_type_unknown);
  const Parsed<ip::Datagram> datagram =
      ip::parse_ipv4(ether.value.payload, net_.address, ether.value.broadcast, frame.checked.ip);
  if (!datagram.ok()) return drop(datagram.drop);
  if (datagram.value.protocol == kProtocol) {
    return half_.take({mac, vlan, datagram.value.source}, datagram.value.payload, frame.checked.udp, now_);
  }
  if (datagram.value.protocol != IPPROTO_ICMP) return drop(ReceiveCounter::ip_protocol_unknown);
  const Parsed<wire::Bytes> message = ip::parse_unreachable(datagram.value.payload);
  if (!message.ok()) return drop(message.drop);
  return half_.take_unreachable(message.value);
}

}  // namespace crosswire::tcp
