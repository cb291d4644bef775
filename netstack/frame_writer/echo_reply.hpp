// ICMP echo replies out (RFC 792). transmit runs it, on buffers of its TxPort; a pure function over bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "netstack/common/config.hpp"
#include "netstack/frame_writer/station.hpp"

namespace crosswire {

/// A reply to `request`, a whole ICMP message of kIcmpBytes .. kMaxIcmpMessage bytes (CHECKed). Returns the frame's
/// length.
std::size_t write_echo_reply(std::uint8_t* frame, const NetConfig& config, const Station& to,
                             std::span<const std::uint8_t> request);

}  // namespace crosswire
