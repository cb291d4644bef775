// Why a `crosswire flow` cannot go on. Tools and set-up only; no stage throws.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace crosswire {

/// `text` with its control characters as \n or \x1b, so that no name out of a file can break a line or steer a
/// terminal.
inline std::string one_line(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      line += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      line += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      line += c;
    }
  }
  return line;
}

/// The same of what a file says, cut where it is long: what is shown of a line that is no row must not bury the
/// message.
inline std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 60;
  if (text.size() <= kMost) return one_line(text);
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not within a letter
  return one_line(text.substr(0, end)) + "...";
}

/// "1 order", "2 orders".
inline std::string counted(std::uint64_t number, std::string_view what) {
  return std::to_string(number) + " " + std::string(what) + (number == 1 ? "" : "s");
}

/// what(), passed through one_line(), is the one line for the user: where (file and line), what, how to fix it.
class FlowError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace crosswire
