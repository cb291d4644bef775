// Sequence numbers of TCP: 32 bits that wrap (RFC 9293 section 3.4). Any stage; pure, standard library only.
#pragma once

#include <algorithm>
#include <cstdint>

namespace crosswire::tcp {

/// How far `later` lies behind `earlier`, -2^31 .. 2^31 - 1: all comparisons are of numbers less than 2^31 apart.
constexpr std::int32_t distance(std::uint32_t earlier, std::uint32_t later) {
  return static_cast<std::int32_t>(later - earlier);
}
constexpr bool before(std::uint32_t a, std::uint32_t b) { return distance(a, b) > 0; }
constexpr bool at_or_before(std::uint32_t a, std::uint32_t b) { return distance(a, b) >= 0; }
constexpr std::uint32_t earlier_of(std::uint32_t a, std::uint32_t b) { return before(a, b) ? a : b; }
constexpr std::uint32_t later_of(std::uint32_t a, std::uint32_t b) { return before(a, b) ? b : a; }

/// The numbers from `begin` up to, not including, `end`.
struct Range {
  std::uint32_t begin;
  std::uint32_t end;

  constexpr std::uint32_t size() const { return end - begin; }
  constexpr bool holds(std::uint32_t number) const { return number - begin < size(); }
  friend bool operator==(const Range&, const Range&) = default;
};

}  // namespace crosswire::tcp
