// The frames that most orders come in, recognised in one look: untagged, IPv4 without options, UDP, from the source of
// a session, and in it that session's next message, alone. All headers are compared at once, as words, where
// netstack/link, ip, udp and the receive stage go field by field. receive stage; pure; trusts nothing in the frame.
//
// It only ever says yes to what they say yes to (a test compares them), and leaves all others to them. That a session
// is bound to this very source says that it is a station, and not us.
#pragma once

#include <netinet/in.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "netstack/common/checked_sums.hpp"
#include "netstack/common/config.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/common/mac_number.hpp"
#include "netstack/ip/checksum.hpp"
#include "netstack/session/logins.hpp"
#include "netstack/session/order_headers.hpp"
#include "netstack/wire/bytes.hpp"
#include "netstack/wire/mold.hpp"

namespace crosswire {

class OrderFrames {
 public:
  explicit OrderFrames(const NetConfig& net) : mac_(link::mac_number(net.mac)) {
    const wire::alpha<10> session(std::string_view{net.order_session});
    session_ = word_at<std::uint64_t>(wire::bytes_of(session).data());
    session_end_ = word_at<std::uint16_t>(wire::bytes_of(session).data() + sizeof session_);
  }

  /// The one message of such a frame, and whose it is; no bytes if it is any other frame, or a broken one. `checked`:
  /// as parse_ipv4() and parse_udp() take it.
  wire::Bytes next_message(wire::Bytes frame, CheckedSums checked, const Logins& logins, SessionId& session) const {
    if (frame.size() <= kMessage) return {};
    const std::uint8_t* const at = frame.data();
    const Login* const login = logins.first_by(OrderHeaders::source_key_in(at), session);
    if (login == nullptr) return {};
    const std::uint32_t ip_bytes = number_at<wire::be16>(at + kIp + 2);
    const std::uint32_t most = static_cast<std::uint32_t>(std::min<std::size_t>(frame.size() - kIp, kMtu));
    // The lengths that follow from that of IPv4 are compared like all else. With too short a one, the difference wraps.
    const std::uint32_t message_bytes = ip_bytes - kBefore;
    if (message_bytes - 1 >= most - kBefore) return {};
    const std::size_t udp_bytes = ip_bytes - kIpv4Bytes;
    const std::uint64_t differences = headers_differ(at, *login) | (number_at<wire::be16>(at + kUdp + 4) ^ udp_bytes) |
                                      (number_at<wire::be64>(at + kMold + 10) ^ login->next_upstream) |
                                      (number_at<wire::be32>(at + kMold + 18) ^ (kOneBlock | message_bytes));
    if (differences != 0 || login->next_upstream == kNoNumber) return {};
    if (!checked.ip && !ip::checksum_holds(at + kIp, kIpv4Bytes)) return {};
    // The pseudo-header's addresses lie before the UDP header anyway; 0 says that the sender computed no checksum.
    const std::uint64_t pseudo = (std::uint64_t{IPPROTO_UDP} + udp_bytes) << 8;
    const bool known = checked.udp || word_at<std::uint16_t>(at + kUdp + 6) == 0;
    if (!known && !ip::checksum_holds(at + kUdp - 8, udp_bytes + 8, pseudo)) return {};
    return {at + kMessage, message_bytes};
  }

 private:
  static constexpr std::size_t kIp = OrderHeaders::kIp, kUdp = OrderHeaders::kUdp, kMold = kUdp + kUdpBytes;
  static constexpr std::size_t kMessage = kMold + sizeof(wire::mold::Header) + sizeof(wire::be16);
  static constexpr std::uint32_t kBefore = kMessage - kIp;       // in the IPv4 datagram
  static constexpr std::uint64_t kNoNumber = ~std::uint64_t{0};  // which none would follow
  static constexpr std::uint32_t kOneBlock = 1u << 16;           // the header's count, before the block's length

  /// Zero if all is as expected but lengths, sums, the message's number, and what IPv4 leaves to the sender.
  std::uint64_t headers_differ(const std::uint8_t* at, const Login& login) const {
    using Headers = OrderHeaders;
    // IPv4's header is five words, and says "no fragment": neither "more" nor an offset.
    constexpr std::uint64_t kIpMask = 0xFF3F'0000'0000'00FF, kIpWord = 0x45;
    const Headers& expected = login.headers;
    return (word_at<std::uint64_t>(at) ^ mac_) << 16 |
           (word_at<std::uint64_t>(at + Headers::kMacAndType) ^ expected.mac_and_type) |
           ((word_at<std::uint64_t>(at + kIp) & kIpMask) ^ kIpWord) | (at[kIp + 9] ^ std::uint64_t{IPPROTO_UDP}) |
           (word_at<std::uint64_t>(at + Headers::kAddresses) ^ expected.addresses) |
           (word_at<std::uint32_t>(at + Headers::kPorts) ^ expected.ports) | login.source.vlan |
           (word_at<std::uint64_t>(at + kMold) ^ session_) |
           (word_at<std::uint16_t>(at + kMold + sizeof session_) ^ session_end_);
  }

  template <class Number>
  static typename Number::value_type number_at(const std::uint8_t* at) {
    return word_at<Number>(at).value();
  }

  std::uint64_t mac_;      // ours
  std::uint64_t session_;  // the name's first eight bytes, and the last two
  std::uint16_t session_end_;
};

}  // namespace crosswire
