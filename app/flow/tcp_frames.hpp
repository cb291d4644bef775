// TCP segments out of any capture's frames: a bystander's view, so that of netstack's parsers, which are a station's,
// only TCP's own is used. Tools only; trusts nothing in a frame.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "netstack/tcp/segment.hpp"
#include "netstack/wire/bytes.hpp"

namespace crosswire {

struct Endpoint {
  std::uint32_t address;  // host byte order
  std::uint16_t port;
  auto operator<=>(const Endpoint&) const = default;
};

/// "10.0.0.1:9001".
std::string text_of(const Endpoint& endpoint);

struct TcpFrame {
  Endpoint source;
  Endpoint destination;
  tcp::Segment segment;  // its payload lies in the frame
};

/// What became of a frame; each has its words in kFrameFateText.
enum class FrameFate : std::uint8_t { taken, taken_partial, other, fragment, cut_off, damaged, checksum, count_ };

inline constexpr std::array<std::string_view, static_cast<std::size_t>(FrameFate::count_)> kFrameFateText{
    "TCP",
    "with a TCP checksum that their host had left to its network card",
    "of other traffic",
    "in fragments of IPv4, left out",
    "cut off by the capture, left out: capture whole frames, as tcpdump -s 0 does",
    "damaged, left out",
    "with a wrong TCP checksum, left out",
};

/// Fills `out` and returns taken or taken_partial, or says why not. With or without 802.1Q tags, up to four of them.
FrameFate read_tcp_frame(wire::Bytes frame, TcpFrame& out);

}  // namespace crosswire
