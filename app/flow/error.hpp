// Why a `crosswire flow` cannot go on. Tools and set-up only; no stage throws.
#pragma once

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

/// what(), passed through one_line(), is the one line for the user: where (file and line), what, how to fix it.
class FlowError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace crosswire
