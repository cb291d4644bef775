// What the headers of all frames with a session's orders have in common, as words of such a frame: so that a frame is
// compared with them at once (netstack/session/order_frames.hpp). receive stage; pure functions over bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "netstack/common/config.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/session/source.hpp"
#include "netstack/wire/bytes.hpp"

namespace crosswire {

/// A number as it lies in the frame, in memory order.
template <class Word>
Word word_at(const std::uint8_t* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// Of untagged frames with IPv4 and UDP.
struct OrderHeaders {
  std::uint64_t mac_and_type;  // the client's; IPv4
  std::uint64_t addresses;     // the client's and ours
  std::uint32_t ports;         // the client's and ours

  static constexpr std::size_t kIp = kEthernetBytes, kUdp = kIp + kIpv4Bytes;
  // Where in the frame the words are.
  static constexpr std::size_t kMacAndType = 6, kAddresses = kIp + 12, kPorts = kUdp;

  OrderHeaders() = default;
  /// Of frames from `source` to the order port of `net`.
  OrderHeaders(const NetConfig& net, const Source& source) {
    std::uint8_t frame[kUdp + kUdpBytes] = {};
    std::memcpy(frame + 6, source.mac.data(), source.mac.size());
    wire::overlay<wire::be16>(frame + 12) = std::uint16_t{0x0800};
    wire::overlay<wire::be32>(frame + kIp + 12) = source.address;
    wire::overlay<wire::be32>(frame + kIp + 16) = net.address;
    wire::overlay<wire::be16>(frame + kUdp) = source.port;
    wire::overlay<wire::be16>(frame + kUdp + 2) = net.order_port;
    mac_and_type = word_at<std::uint64_t>(frame + kMacAndType);
    addresses = word_at<std::uint64_t>(frame + kAddresses);
    ports = word_at<std::uint32_t>(frame + kPorts);
  }

  /// The client's address and port, of its login as of its frames: by which the session is looked up.
  std::uint64_t source_key() const {
    return key_of(static_cast<std::uint32_t>(addresses), static_cast<std::uint16_t>(ports));
  }
  static std::uint64_t source_key_in(const std::uint8_t* frame) {
    return key_of(word_at<std::uint32_t>(frame + kAddresses), word_at<std::uint16_t>(frame + kPorts));
  }

 private:
  static std::uint64_t key_of(std::uint32_t address, std::uint16_t port) { return std::uint64_t{port} << 32 | address; }
};
static_assert(sizeof(OrderHeaders) == 24);

}  // namespace crosswire
