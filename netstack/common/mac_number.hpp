// A MAC address as one number, to compare it without the call that comparing six bytes costs.
// Any stage; pure, standard library only.
#pragma once

#include <cstdint>
#include <cstring>

#include "netstack/common/config.hpp"

namespace crosswire::link {

/// Two addresses are equal exactly if their numbers are. Nothing else is said of the order.
inline std::uint64_t mac_number(const MacAddress& mac) {
  std::uint32_t first = 0;
  std::uint16_t last = 0;
  std::memcpy(&first, mac.data(), sizeof(first));
  std::memcpy(&last, mac.data() + sizeof(first), sizeof(last));
  return std::uint64_t{last} << 32 | first;
}

}  // namespace crosswire::link
