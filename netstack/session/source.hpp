// Where a frame came from: what a login binds its session to.
// receive stage alone; plain values.
#pragma once

#include <cstdint>

#include "netstack/common/config.hpp"
#include "netstack/common/mac_number.hpp"

namespace crosswire {

/// In host byte order: all that a login binds.
struct Source {
  MacAddress mac;
  std::uint16_t vlan;  // 0 = untagged
  std::uint32_t address;
  std::uint16_t port;

  bool operator==(const Source& other) const {
    return address == other.address && port == other.port && vlan == other.vlan &&
           link::mac_number(mac) == link::mac_number(other.mac);
  }
};

}  // namespace crosswire
