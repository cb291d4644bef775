// Which OUCH a client's message is of, by its type and length. Pure; standard library only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "netstack/wire/ouch.hpp"

namespace crosswire {

enum class OuchVersion : std::uint8_t { v5_0, v4_x, none };

/// The words for a message of OUCH 4.x of so many bytes.
inline std::string_view name_of_v4(std::size_t size) { return size == 48 ? "OUCH 4.0" : "OUCH 4.1 or 4.2"; }

/// Letters, digits and spaces: an order's name in OUCH 4.x, behind the type letter.
inline bool has_token(wire::Bytes message) {
  constexpr std::size_t kToken = 14;
  if (message.size() < 1 + kToken) return false;
  return std::all_of(message.begin() + 1, message.begin() + 1 + kToken, [](std::uint8_t c) {
    return c == ' ' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
  });
}

/// Of a client's message, whose transport told its exact size.
inline OuchVersion version_of(wire::Bytes message) {
  if (message.empty()) return OuchVersion::none;
  const char type = static_cast<char>(message[0]);
  const wire::ouch::MessageInfo* const info = wire::ouch::kInbound.find(type);
  if (info != nullptr && split(*info, message).fault == wire::ouch::SplitFault::none) return OuchVersion::v5_0;
  struct Old {
    char type;
    std::size_t size;
  };
  constexpr Old kOld[] = {{'O', 48}, {'O', 49}, {'U', 47}, {'X', 19}, {'M', 20}, {'N', 15}};
  const bool old = std::any_of(std::begin(kOld), std::end(kOld),
                               [&](const Old& known) { return known.type == type && known.size == message.size(); });
  return old && has_token(message) ? OuchVersion::v4_x : OuchVersion::none;
}

}  // namespace crosswire
