// The padding of a frame out.
// transmit and publish run it; a pure function over bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "netstack/common/limits.hpp"

namespace crosswire {

/// Fills a frame that is too short up with zeros. Returns the length that it leaves with.
inline std::size_t padded(std::uint8_t* frame, std::size_t length) {
  if (length >= kMinFrame) return length;
  std::memset(frame + length, 0, kMinFrame - length);
  return kMinFrame;
}

}  // namespace crosswire
