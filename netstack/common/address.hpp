// IPv4 addresses in host byte order: which of them one station may have (RFC 1122 3.2.1.3, RFC 6890).
// Any stage; pure, standard library only.
#pragma once

#include <cstdint>

#include "netstack/common/config.hpp"

namespace crosswire::ip {

/// Not this-network (0/8), loopback (127/8), multicast (224/4), reserved or broadcast (240/4).
constexpr bool is_station(std::uint32_t address) {
  const std::uint32_t first = address >> 24;
  return first != 0 && first != 127 && first < 224;
}

/// Is the address in the range?
constexpr bool contains(const AddressRange& range, std::uint32_t address) {
  if (range.prefix == 0) return true;
  return ((address ^ range.address) >> (32 - range.prefix)) == 0;
}

}  // namespace crosswire::ip
