// ARP requests out: see arp_request.hpp.
#include "netstack/frame_writer/arp_request.hpp"

#include "netstack/frame_writer/headers.hpp"

namespace crosswire {

std::size_t write_arp_request(std::uint8_t* frame, const NetConfig& config, std::uint16_t vlan, std::uint32_t address) {
  constexpr MacAddress kEverybody{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  const std::size_t at = write_ethernet(frame, config.mac, {kEverybody, vlan, address}, RTE_ETHER_TYPE_ARP);
  return padded(frame, write_arp(frame, at, config, RTE_ARP_OP_REQUEST, {}, address));
}

}  // namespace crosswire
