// Stations: see station.hpp.
#include "netstack/frame_writer/station.hpp"

#include <algorithm>
#include <cstddef>

namespace crosswire {
namespace {

template <std::size_t N>
MacAddress mac_of(const std::uint8_t (&bytes)[N]) {
  MacAddress mac;
  static_assert(N == mac.size());
  std::copy(bytes, bytes + N, mac.begin());
  return mac;
}

}  // namespace

Station station_of(const Peer& peer) { return {mac_of(peer.mac), peer.vlan, peer.address}; }
Station station_of(const ResendAsk& ask) { return {mac_of(ask.mac), ask.vlan, ask.address}; }
Station station_of(const EchoAsk& ask) { return {mac_of(ask.mac), ask.vlan, ask.address}; }

Station station_of_group(std::uint32_t group, std::uint16_t vlan) {
  return {{0x01, 0x00, 0x5E, static_cast<std::uint8_t>(group >> 16 & 0x7F),
           static_cast<std::uint8_t>(group >> 8 & 0xFF), static_cast<std::uint8_t>(group & 0xFF)},
          vlan,
          group};
}

}  // namespace crosswire
