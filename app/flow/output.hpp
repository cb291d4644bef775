// The output of a replay as a client sees it: answers of all sessions and the feed, out of a capture. Tools only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "netstack/wire/bytes.hpp"

namespace crosswire {

/// Where an order session's answers go: address and UDP port of the client.
using ClientKey = std::uint64_t;

struct OutputHandlers {
  std::function<void(ClientKey, wire::Bytes)> answer;  // one OUCH message
  std::function<void(wire::Bytes)> feed;               // one ITCH message
};

/// Hands on every message once, in the order of the capture. Ports are those of flow_exchange(). Throws FlowError
/// `FILE: frame N: what` for a capture that cannot be read, damaged datagrams, and missing message numbers.
void read_output(const std::string& path, const OutputHandlers& handlers);

}  // namespace crosswire
