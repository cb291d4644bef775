// What stands for a password that is changed while the appliance runs: its keyed hash. So it leaves the control thread
// in no other form, and a recording of the change holds no password. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "netstack/common/siphash.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire {

/// Equal for what is the same credential (wire::soup::same_credential), of at most 16 characters; `salt`: another one
/// for each change.
constexpr std::uint64_t password_digest(std::string_view password, std::uint64_t salt) {
  std::array<std::uint64_t, 2> words{};
  const std::string_view said = wire::stripped(password);
  for (std::size_t i = 0; i < said.size() && i < sizeof words; ++i) {
    const char c = said[i];
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    words[i / 8] |= std::uint64_t{static_cast<unsigned char>(lower)} << 8 * (i % 8);
  }
  return siphash(SipKey{salt, 0x63726f7373776972}, words);
}

}  // namespace crosswire
