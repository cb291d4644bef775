// The echo: see echo.hpp. On its one polling thread.
#include "netstack/port/echo.hpp"

#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include <algorithm>
#include <cstring>

#include "netstack/wire/mold.hpp"
#include "netstack/wire/ouch.hpp"

namespace crosswire {
namespace {

struct Headers {
  rte_ether_hdr ether;
  rte_ipv4_hdr ip;
  rte_udp_hdr udp;
};
static_assert(sizeof(Headers) == 42, "no gaps between them");

constexpr std::size_t kBeforeMessage = sizeof(wire::mold::Header) + sizeof(wire::be16);

/// Of the OUCH message that answers one: with the length of its options, where it always has that.
constexpr std::size_t answer_size(char type) {
  constexpr std::size_t kOptionsLength = 2;
  return type == wire::ouch::CancelOrder::kType ? sizeof(wire::ouch::OrderCanceled)
                                                : sizeof(wire::ouch::OrderAccepted) + kOptionsLength;
}

}  // namespace

DeviceEcho::DeviceEcho(Device& device, const MacAddress& mac, std::uint32_t address)
    : port_id_(device.port_id()), mac_(mac), address_(address) {}

std::size_t DeviceEcho::poll() {
  if (waiting_count_ == 0) {
    rte_mbuf* mbufs[kMaxBurst];
    const std::uint16_t polled = rte_eth_rx_burst(port_id_, 0, mbufs, kMaxBurst);
    for (std::uint16_t i = 0; i < polled; ++i) {
      if (turn(mbufs[i])) {
        waiting_[waiting_count_++] = mbufs[i];
      } else {
        rte_pktmbuf_free(mbufs[i]);
      }
    }
    if (waiting_count_ == 0) return polled;
  }
  const std::uint16_t sent = rte_eth_tx_burst(port_id_, 0, waiting_.data(), waiting_count_);
  echoed_ += sent;
  std::copy(waiting_.begin() + sent, waiting_.begin() + waiting_count_, waiting_.begin());
  waiting_count_ = static_cast<std::uint16_t>(waiting_count_ - sent);
  return sent;
}

/// Whether there is something to send back.
bool DeviceEcho::turn(rte_mbuf* mbuf) const {
  if (mbuf->data_len < sizeof(Headers) + kBeforeMessage + 1) return turn_arp(mbuf);
  auto& headers = *rte_pktmbuf_mtod(mbuf, Headers*);
  if (headers.ether.ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) || headers.ip.next_proto_id != IPPROTO_UDP) {
    return turn_arp(mbuf);
  }
  const rte_ether_addr to = headers.ether.src_addr;
  headers.ether.src_addr = headers.ether.dst_addr;
  headers.ether.dst_addr = to;
  const rte_be32_t address = headers.ip.src_addr;
  headers.ip.src_addr = headers.ip.dst_addr;
  headers.ip.dst_addr = address;
  const rte_be16_t port = headers.udp.src_port;
  headers.udp.src_port = headers.udp.dst_port;
  headers.udp.dst_port = port;

  auto* const payload = reinterpret_cast<std::uint8_t*>(&headers + 1);
  const std::size_t message = answer_size(static_cast<char>(payload[kBeforeMessage]));
  wire::overlay<wire::be16>(payload + sizeof(wire::mold::Header)) = static_cast<std::uint16_t>(message);
  const auto udp_length = static_cast<std::uint16_t>(sizeof headers.udp + kBeforeMessage + message);
  headers.udp.dgram_len = rte_cpu_to_be_16(udp_length);
  headers.udp.dgram_cksum = 0;
  headers.ip.total_length = rte_cpu_to_be_16(static_cast<std::uint16_t>(sizeof headers.ip + udp_length));
  headers.ip.hdr_checksum = 0;
  headers.ip.hdr_checksum = rte_ipv4_cksum(&headers.ip);
  mbuf->data_len = static_cast<std::uint16_t>(sizeof(Headers) - sizeof headers.udp + udp_length);
  mbuf->pkt_len = mbuf->data_len;
  return true;
}

bool DeviceEcho::turn_arp(rte_mbuf* mbuf) const {
  if (mbuf->data_len < sizeof(rte_ether_hdr) + sizeof(rte_arp_hdr)) return false;
  auto& ether = *rte_pktmbuf_mtod(mbuf, rte_ether_hdr*);
  auto& arp = *rte_pktmbuf_mtod_offset(mbuf, rte_arp_hdr*, sizeof(rte_ether_hdr));
  if (ether.ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP) ||
      arp.arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) || arp.arp_data.arp_tip != rte_cpu_to_be_32(address_)) {
    return false;
  }
  arp.arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
  arp.arp_data.arp_tha = arp.arp_data.arp_sha;
  arp.arp_data.arp_tip = arp.arp_data.arp_sip;
  std::memcpy(arp.arp_data.arp_sha.addr_bytes, mac_.data(), mac_.size());
  arp.arp_data.arp_sip = rte_cpu_to_be_32(address_);
  ether.dst_addr = arp.arp_data.arp_tha;
  ether.src_addr = arp.arp_data.arp_sha;
  return true;
}

}  // namespace crosswire
