// The name of an order session or feed: a letter and the start time, so that every start has its own (DESIGN 3).
// Set-up only; standard library only.
#pragma once

#include <cstdint>
#include <string>

namespace crosswire {

/// First letters: of all order sessions of a partition, and of its feed.
inline constexpr char kOrderSessionPrefix = 'O';
inline constexpr char kFeedSessionPrefix = 'F';

/// `prefix` and nine base-36 digits of `epoch_ms`, milliseconds since the Unix epoch (below 36^9, the year 5188): ten
/// characters, as MoldUDP64 and SoupBinTCP want (WIRE 1.1, 2). A later start has a greater name.
inline std::string session_name(char prefix, std::uint64_t epoch_ms) {
  std::string name(10, prefix);
  for (std::size_t i = 9; i > 0; --i, epoch_ms /= 36) name[i] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[epoch_ms % 36];
  return name;
}

}  // namespace crosswire
