// Another station on the link, and how to find it in what the engine passes on.
// transmit and publish run it; plain values.
#pragma once

#include <cstdint>

#include "engine/command.hpp"
#include "netstack/common/config.hpp"

namespace crosswire {

/// Host byte order; vlan 0 = untagged.
struct Station {
  MacAddress mac;
  std::uint16_t vlan;
  std::uint32_t address;
};
Station station_of(const Peer& peer);
Station station_of(const ResendAsk& ask);
Station station_of(const EchoAsk& ask);

/// A multicast group as a station: its MAC holds the group's low 23 bits (RFC 1112 section 6.4).
Station station_of_group(std::uint32_t group, std::uint16_t vlan);

}  // namespace crosswire
