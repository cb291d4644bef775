// A capture's bytes as libpcap wants them, whatever has packed them. Set-up, replay and tools; never on a polling core.
#pragma once

#include <cstdio>
#include <string>

namespace crosswire {

/// Opens a capture for reading; what gzip or zstd packed is unpacked on the way, by its first bytes and not by its
/// name. The longest frame that a classic pcap says it holds is left out of its header: it may be less than what is
/// there. Packed data that is damaged or cut off is an error of the reading. The caller closes the file. nullptr, and
/// errno: it cannot be read; a folder cannot.
std::FILE* open_capture_file(const std::string& path);

}  // namespace crosswire
