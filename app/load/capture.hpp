// A capture as a load generator's source: its order datagrams with their senders, or only the gaps between its frames.
// Set-up only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/load/options.hpp"

namespace crosswire {

/// What of a flow capture is to be sent again.
struct LoadCaptureFile {
  LoadCapture orders;
  std::vector<LoadParty> parties;  // as their login frames say
};

/// Reads all order datagrams (MoldUDP64 with messages) to `order_port` of clients whose login comes before. Throws
/// std::runtime_error (one line): no capture, no orders, none that logs in.
LoadCaptureFile read_load_capture(const std::string& path, std::uint16_t order_port);

/// The times between consecutive frames, ns. Throws std::runtime_error (one line) also where there are none.
std::vector<std::uint64_t> read_gaps(const std::string& path);

}  // namespace crosswire
