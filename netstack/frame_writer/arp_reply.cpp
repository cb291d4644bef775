// ARP replies out: see arp_reply.hpp.
#include "netstack/frame_writer/arp_reply.hpp"

#include "netstack/frame_writer/headers.hpp"

namespace crosswire {

std::size_t write_arp_reply(std::uint8_t* frame, const NetConfig& config, const Station& to) {
  const std::size_t at = write_ethernet(frame, config.mac, to, RTE_ETHER_TYPE_ARP);
  return padded(frame, write_arp(frame, at, config, RTE_ARP_OP_REPLY, to.mac, to.address));
}

}  // namespace crosswire
