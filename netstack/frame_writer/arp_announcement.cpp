// Announcements of our address: see arp_announcement.hpp.
#include "netstack/frame_writer/arp_announcement.hpp"

#include "netstack/frame_writer/headers.hpp"

namespace crosswire {

static_assert(sizeof(LinkFrame) == kMinFrame);

LinkFrame arp_announcement(const NetConfig& config, std::uint16_t vlan) {
  constexpr MacAddress kBroadcast = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  constexpr MacAddress kNobody = {};
  LinkFrame frame{};  // the padding is zeros
  const std::size_t at = write_ethernet(frame.data(), config.mac, {kBroadcast, vlan, 0}, RTE_ETHER_TYPE_ARP);
  write_arp(frame.data(), at, config, RTE_ARP_OP_REQUEST, kNobody, config.address);
  return frame;
}

}  // namespace crosswire
