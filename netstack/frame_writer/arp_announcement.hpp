// Announcements of our address (RFC 5227, "gratuitous ARP"), so that nobody goes on sending to a MAC that had it
// before, and switches learn where we are. The control thread runs it; a pure function over bytes.
#pragma once

#include <cstdint>

#include "netstack/common/config.hpp"
#include "netstack/port/link_frames.hpp"

namespace crosswire {

/// `vlan`: 0 = untagged.
LinkFrame arp_announcement(const NetConfig& config, std::uint16_t vlan);

}  // namespace crosswire
