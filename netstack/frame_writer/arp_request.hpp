// ARP requests out (RFC 826). transmit runs it, on buffers of its TxPort; a pure function over bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "netstack/common/config.hpp"

namespace crosswire {

/// A request from us, to all of a VLAN (0: untagged), for who has `address` (host byte order). Returns the frame's
/// length.
std::size_t write_arp_request(std::uint8_t* frame, const NetConfig& config, std::uint16_t vlan, std::uint32_t address);

}  // namespace crosswire
