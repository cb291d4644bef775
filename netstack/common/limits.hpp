// How long frames and what is in them may be: one MTU, and all that follows from it. Constant data for every room of
// netstack and for what writes frames beside it; no DPDK. netstack/port/device.cpp holds it against the device's
// buffers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace crosswire {

/// Longest IPv4 datagram taken in or sent, in bytes: the rack's MTU. Frames are not jumbo, and one that brings a longer
/// datagram would hold more work than frames are meant to.
inline constexpr std::uint16_t kMtu = 1500;

/// Bytes of each header: Ethernet without FCS, its 802.1Q tag, IPv4 without options, UDP, ICMP.
inline constexpr std::size_t kEthernetBytes = 14;
inline constexpr std::size_t kVlanTagBytes = 4;
inline constexpr std::size_t kIpv4Bytes = 20;
inline constexpr std::size_t kUdpBytes = 8;
inline constexpr std::size_t kIcmpBytes = 8;

/// Longest frame taken in or sent, Ethernet header to payload end, without FCS: one 802.1Q tag.
inline constexpr std::size_t kMaxFrame = kEthernetBytes + kVlanTagBytes + kMtu;
/// Shortest frame sent, without FCS (IEEE 802.3); shorter ones are padded with zeros.
inline constexpr std::size_t kMinFrame = 60;

/// Longest UDP payload sent.
inline constexpr std::size_t kMaxUdpPayload = kMtu - kIpv4Bytes - kUdpBytes;
/// Longest ICMP message taken in or sent, its header included.
inline constexpr std::size_t kMaxIcmpMessage = kMtu - kIpv4Bytes;

}  // namespace crosswire
