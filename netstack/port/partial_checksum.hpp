// UDP checksums that a sender left to its network card, where no card has seen the frame: a kernel that hands a
// datagram to a veth, tap or virtio peer has summed up the pseudo-header alone (Linux, CHECKSUM_PARTIAL), and the bytes
// have never been on a wire. A port over such a device, or of a capture taken on the sending host, takes them as they
// are. On the polling thread; a pure function over a frame's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace crosswire {

/// Of which frames of a device the checksum may have been left to a card: of none, of those that its driver names, of
/// any.
enum class PartialSums : std::uint8_t { none, told, any };

/// Whether `frame` is an IPv4 datagram of UDP, untagged or with one 802.1Q tag, whose checksum field holds the folded
/// sum of its pseudo-header (RFC 768) and nothing else. Then the field is set to 0, which says that there is none:
/// whoever reads the frame, in a recording too, needs to know nothing of it. A checksum that is right and looks so by
/// chance, one in 65,536, is not looked at either: as little as any sum over bytes that stayed in one machine's memory.
inline bool settle_partial_checksum(std::uint8_t* frame, std::size_t length) {
  const auto word = [frame](std::size_t at) { return std::uint32_t{frame[at]} << 8 | frame[at + 1]; };
  if (length < 14 + 20 + 8) return false;
  const std::size_t ip = word(12) == 0x8100 ? 18 : 14;
  const bool plain = length >= ip + 20 + 8 && word(ip - 2) == 0x0800 && frame[ip] == 0x45 && frame[ip + 9] == 17;
  if (!plain || (word(ip + 6) & 0x3FFF) != 0) return false;  // options, fragments and other protocols: as they are
  const std::size_t udp = ip + 20;
  std::uint32_t sum = word(ip + 12) + word(ip + 14) + word(ip + 16) + word(ip + 18) + 17 + word(udp + 4);
  sum = (sum & 0xFFFF) + (sum >> 16);
  sum = (sum & 0xFFFF) + (sum >> 16);
  if (word(udp + 6) != sum) return false;
  std::memset(frame + udp + 6, 0, 2);
  return true;
}

}  // namespace crosswire
