// ARP replies out: see arp_reply.hpp.
#include "netstack/frame_writer/arp_reply.hpp"

#include <rte_arp.h>

#include <cstring>

#include "netstack/frame_writer/headers.hpp"

namespace crosswire {

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

}  // namespace crosswire
