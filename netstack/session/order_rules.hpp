// What parsing alone can find wrong with an Enter or Replace Order: fields out of range and options not offered.
// receive stage; pure functions over a message. What needs the book (price ticks, phases, numbers) is the engine's.
#pragma once

#include <array>
#include <cstdint>

#include "engine/types.hpp"
#include "netstack/wire/bytes.hpp"
#include "netstack/wire/ouch.hpp"

namespace crosswire {

/// No fault was found.
inline constexpr wire::ouch::RejectReason kNoReject{};

/// What the appendage of an Enter or Replace says, as far as it is offered.
struct OrderOptions {
  wire::ouch::RejectReason reject = kNoReject;  // the first option's that cannot be accepted, in the client's order
  bool firm_given = false;                      // named a firm, and it is the account's own
  std::uint8_t user_ref_idx = 0;
};

/// `split` is of the message M. `firm`: the account's. A broken appendage is RejectReason::other (WIRE 3.2).
OrderOptions read_options(const wire::ouch::Split& split, wire::ouch::TagSet allowed, const std::array<char, 4>& firm);

/// OUCH's side letters. A Side must not be made from any other.
constexpr bool is_side(char letter) { return letter == 'B' || letter == 'S' || letter == 'T' || letter == 'E'; }
/// Agency, principal, riskless, other.
constexpr bool is_capacity(char letter) { return letter == 'A' || letter == 'P' || letter == 'R' || letter == 'O'; }
/// 0 day and 3 immediate-or-cancel are offered.
constexpr bool is_time_in_force(char letter) { return letter == '0' || letter == '3'; }

/// The first fault of the fixed part, in the order of docs/protocol.md; else the options'. Replace has no symbol,
/// side, capacity or cross type of its own.
wire::ouch::RejectReason find_fault(const wire::ouch::EnterOrder& message, bool symbol_known,
                                    wire::ouch::RejectReason options);
wire::ouch::RejectReason find_fault(const wire::ouch::ReplaceOrder& message, wire::ouch::RejectReason options);

/// The wire's 64-bit price where it is a limit, else kNoPrice.
constexpr Price limit_price(std::uint64_t wire_price) {
  return wire_price <= kMaxPrice.value ? Price{static_cast<std::uint32_t>(wire_price)} : kNoPrice;
}

}  // namespace crosswire
