// What a device says of a frame's checksums, from the port to the parsers. Plain values; no DPDK.
#pragma once

namespace crosswire {

/// The checksums that the device has found right, so that nobody need sum them up again. False says nothing: the port
/// has no device, or it did not look, or it found the sum wrong; then software sums and is the judge.
struct CheckedSums {
  bool ip = false;   // of the IPv4 header
  bool udp = false;  // of the whole IPv4 payload with the pseudo-header
};

}  // namespace crosswire
