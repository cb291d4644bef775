// The frames that orders come in, recognised in one look: untagged, IPv4 without options, UDP, from anywhere to our
// order port. All headers are compared at once, as four words under masks, where netstack/link, ip and udp go field by
// field. receive stage; pure; trusts nothing in the frame.
//
// It only ever says yes to what they say yes to (a test compares them). It does not look at who sent the frame: that a
// session is bound to this very source says that it is a station, and not us.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>

#include "netstack/common/checked_sums.hpp"
#include "netstack/common/config.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/ip/checksum.hpp"
#include "netstack/session/logins.hpp"
#include "netstack/wire/bytes.hpp"

namespace crosswire {

class OrderFrames {
 public:
  explicit OrderFrames(const NetConfig& net) {
    std::uint8_t headers[kHeaderBytes] = {};
    std::uint8_t masks[kHeaderBytes] = {};
    const auto expect = [&](std::size_t at, std::initializer_list<std::uint8_t> bytes, std::uint8_t mask = 0xFF) {
      for (const std::uint8_t byte : bytes) {
        headers[at] = byte & mask;
        masks[at++] = mask;
      }
    };
    const auto high = [](unsigned value, int shift) { return static_cast<std::uint8_t>(value >> shift); };
    expect(0, {net.mac[0], net.mac[1], net.mac[2], net.mac[3], net.mac[4], net.mac[5]});
    expect(12, {0x08, 0x00, 0x45});  // IPv4, header of five words
    expect(20, {0x00}, 0x3F);        // no fragment: neither "more" nor an offset
    expect(21, {0x00});
    expect(23, {IPPROTO_UDP});
    expect(30, {high(net.address, 24), high(net.address, 16), high(net.address, 8), high(net.address, 0)});
    expect(36, {high(net.order_port, 8), high(net.order_port, 0)});
    for (std::size_t i = 0; i < kWords; ++i) {
      expected_[i] = word_at(headers + kWordAt[i]);
      masks_[i] = word_at(masks + kWordAt[i]);
    }
  }

  /// The UDP payload of such a frame, and whom it says it is from; an empty payload if it is any other frame, or a
  /// broken one. `checked`: as parse_ipv4() and parse_udp() take it.
  wire::Bytes payload_of(wire::Bytes frame, CheckedSums checked, Source& source) const {
    if (frame.size() < kHeaderBytes) return {};
    const std::uint8_t* const at = frame.data();
    std::uint64_t differences = 0;
    for (std::size_t i = 0; i < kWords; ++i) differences |= (word_at(at + kWordAt[i]) ^ expected_[i]) & masks_[i];
    const std::size_t ip_bytes = number_at<wire::be16>(at + kIp + 2);
    const std::size_t udp_bytes = number_at<wire::be16>(at + kUdp + 4);
    const bool lengths_hold = ip_bytes <= frame.size() - kIp && ip_bytes <= kMtu &&
                              udp_bytes <= ip_bytes - kIpv4Bytes && udp_bytes >= kUdpBytes && ip_bytes >= kIpv4Bytes;
    if (differences != 0 || !lengths_hold) return {};
    if (!checked.ip && !ip::checksum_holds(at + kIp, kIpv4Bytes)) return {};
    // The pseudo-header's addresses lie before the UDP header anyway; 0 says that the sender computed no checksum.
    const std::uint64_t pseudo = (std::uint64_t{IPPROTO_UDP} + udp_bytes) << 8;
    const bool known = number_at<wire::be16>(at + kUdp + 6) == 0 || (checked.udp && udp_bytes == ip_bytes - kIpv4Bytes);
    if (!known && !ip::checksum_holds(at + kUdp - 8, udp_bytes + 8, pseudo)) return {};

    std::memcpy(source.mac.data(), at + 6, source.mac.size());
    source.vlan = 0;
    source.address = number_at<wire::be32>(at + kIp + 12);
    source.port = number_at<wire::be16>(at + kUdp);
    return frame.subspan(kHeaderBytes, udp_bytes - kUdpBytes);
  }

 private:
  static constexpr std::size_t kIp = kEthernetBytes, kUdp = kIp + kIpv4Bytes, kHeaderBytes = kUdp + kUdpBytes;
  // Words that hold all that is compared; they may overlap.
  static constexpr std::size_t kWords = 4;
  static constexpr std::size_t kWordAt[kWords] = {0, 8, 16, 30};

  static std::uint64_t word_at(const std::uint8_t* at) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    return word;
  }
  template <class Number>
  static typename Number::value_type number_at(const std::uint8_t* at) {
    Number number;
    std::memcpy(&number, at, sizeof number);
    return number;
  }

  std::uint64_t expected_[kWords];
  std::uint64_t masks_[kWords];
};

}  // namespace crosswire
