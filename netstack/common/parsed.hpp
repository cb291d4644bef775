// What a parser says: a value, or why there is none, by the name under which the receive stage counts it.
// Plain values; no DPDK.
#pragma once

#include "netstack/receive/counters.hpp"

namespace crosswire {

/// Parsed::drop of what was not dropped.
inline constexpr ReceiveCounter kNoDrop{0xFF};

/// What a parser made of its bytes: a value, or the reason why there is none.
template <class T>
struct Parsed {
  T value{};
  ReceiveCounter drop = kNoDrop;

  bool ok() const { return drop == kNoDrop; }
};

}  // namespace crosswire
