// ARP replies out (RFC 826). transmit runs it, on buffers of its TxPort; a pure function over bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "netstack/common/config.hpp"
#include "netstack/frame_writer/station.hpp"

namespace crosswire {

/// An ARP reply from us to `to`. Returns the frame's length.
std::size_t write_arp_reply(std::uint8_t* frame, const NetConfig& config, const Station& to);

}  // namespace crosswire
