// The frames that most segments come in, recognised in one look: untagged, IPv4 without options, TCP, to us. All
// headers are compared as words, where netstack/link and netstack/ip go field by field. receive core; pure; trusts
// nothing in the frame.
//
// It only ever says yes to what they say yes to (a test compares them), and leaves all others to them. Whose segment it
// is, and what of TCP it has, is ReceiveHalf's to see.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "netstack/common/address.hpp"
#include "netstack/common/checked_sums.hpp"
#include "netstack/common/config.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/common/mac_number.hpp"
#include "netstack/ip/checksum.hpp"
#include "netstack/link/vlan_filter.hpp"
#include "netstack/tcp/receive_half.hpp"
#include "netstack/wire/bytes.hpp"

namespace crosswire::tcp {

class SegmentFrames {
 public:
  explicit SegmentFrames(const NetConfig& net)
      : mac_(link::mac_number(net.mac)),
        address_(net.address),
        address_word_(__builtin_bswap32(net.address)),
        untagged_(link::VlanFilter(net.vlans).accepts(0)) {}

  /// The segment of such a frame, as ReceiveHalf::take() wants it, and who `from`; no bytes if it is any other frame,
  /// or a broken one. `checked`: as parse_ipv4() takes it.
  wire::Bytes segment_in(wire::Bytes frame, CheckedSums checked, SegmentSource& from) const {
    if (frame.size() < kTcp + kTcpHeaderBytes) return {};
    const std::uint8_t* const at = frame.data();
    // IPv4's header is five words, and says "no fragment": neither "more" nor an offset.
    const std::uint64_t differences = ((word<std::uint32_t>(at + 20) & 0xFF00'FF3F) ^ std::uint32_t{kProtocol} << 24) |
                                      ((word<std::uint32_t>(at + 12) & 0x00FF'FFFF) ^ 0x0045'0008) |
                                      (word<std::uint32_t>(at + 30) ^ address_word_) |
                                      (word<std::uint64_t>(at) ^ mac_) << 16;
    if (differences != 0 || !untagged_) return {};
    const std::size_t ip_bytes = __builtin_bswap16(word<std::uint16_t>(at + 16));
    if (ip_bytes < kIpv4Bytes + kTcpHeaderBytes || ip_bytes > std::min<std::size_t>(frame.size() - kIp, kMtu))
      return {};
    const std::uint64_t station = word<std::uint64_t>(at + 6) & 0xFFFF'FFFF'FFFF;
    const std::uint32_t address = __builtin_bswap32(word<std::uint32_t>(at + 26));
    if ((station & 1) != 0 || station == 0 || station == mac_) return {};
    if (address == address_ || !ip::is_station(address)) return {};
    if (!checked.ip && !ip::checksum_holds(at + kIp, kIpv4Bytes)) return {};
    // Its MAC and VLAN in one piece, as they are read again.
    static_assert(offsetof(SegmentSource, mac) == 0 && offsetof(SegmentSource, vlan) == 6);
    std::memcpy(&from, &station, sizeof station);
    from.address = address;
    return {at + kTcp, ip_bytes - kIpv4Bytes};
  }

 private:
  static constexpr std::size_t kIp = kEthernetBytes, kTcp = kIp + kIpv4Bytes;

  /// As it lies in the frame, in memory order.
  template <class Word>
  static Word word(const std::uint8_t* at) {
    Word read;
    std::memcpy(&read, at, sizeof read);
    return read;
  }

  std::uint64_t mac_;  // ours
  std::uint32_t address_;
  std::uint32_t address_word_;  // in memory order
  bool untagged_;               // is let in
};

}  // namespace crosswire::tcp
