// What parsing alone can say of a client's message: its options, and what is wrong with each field and option by
// itself. receive stage; pure functions over a message. What needs the book (price ticks, phases, numbers), and what
// fields mean together (a Replace inherits some of them), is the engine's.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "engine/order.hpp"
#include "engine/types.hpp"
#include "netstack/wire/bytes.hpp"
#include "netstack/wire/ouch.hpp"

namespace crosswire {

/// No fault was found.
inline constexpr wire::ouch::RejectReason kNoReject{};

/// What a message's appendage says, as far as it is offered. What it does not say, or what cannot be accepted, is as
/// here.
struct OrderOptions {
  wire::ouch::RejectReason reject = kNoReject;  // the first option's that cannot be accepted, in the client's order
  bool broken = false;                          // it cannot be read to its end: `reject` is `other` or from before
  Channel user_ref_idx = 0;
  Side side = kNoSide;
  bool group_given = false;
  Quantity min_quantity = 0;  // as on the wire
  KeptOptions kept;           // a firm that was named is the account's own
  // For a Replace, which may leave it unsaid.
  StayOnDisconnect stay_on_disconnect = StayOnDisconnect::unsaid;
  SelfTrade self_trade = SelfTrade::unsaid;
  bool kills = false;  // of a Disable
};

/// `split` is of a message that takes the options `allowed`. `firm`: the account's.
OrderOptions read_any_options(const wire::ouch::Split& split, wire::ouch::TagSet allowed,
                              const std::array<char, 4>& firm);
/// Not of most messages; where there are none, read_any_options() returns an OrderOptions{}.
inline bool has_options(const wire::ouch::Split& split) {
  return !split.options.empty() || split.fault != wire::ouch::SplitFault::none;
}
/// The same, with the way of most messages in sight of the compiler.
inline OrderOptions read_options(const wire::ouch::Split& split, wire::ouch::TagSet allowed,
                                 const std::array<char, 4>& firm) {
  if (!has_options(split)) return {};
  return read_any_options(split, allowed, firm);
}

/// A firm that an account may speak for: its own, or blank for it.
bool is_own_firm(std::string_view named, const std::array<char, 4>& firm);

/// OUCH's side letters. A Side must not be made from any other.
constexpr bool is_side(char letter) { return letter == 'B' || letter == 'S' || letter == 'T' || letter == 'E'; }
/// Agency, principal, riskless, other.
constexpr bool is_capacity(char letter) { return letter == 'A' || letter == 'P' || letter == 'R' || letter == 'O'; }

/// The letter's meaning where it is offered, else the plain one: of a message that is rejected.
constexpr Side side_or_buy(char letter) { return is_side(letter) ? static_cast<Side>(letter) : Side::buy; }
constexpr bool is_offered(TimeInForce value) {
  return value == TimeInForce::day || value == TimeInForce::ioc || value == TimeInForce::gtt;
}
constexpr bool is_offered(Display value) {
  return value == Display::visible || value == Display::attributable || value == Display::hidden;
}
constexpr bool is_offered(CrossType value) {
  return value == CrossType::continuous || value == CrossType::opening || value == CrossType::closing;
}
template <class Letter>
constexpr Letter offered_or(char letter, Letter plain) {
  return is_offered(static_cast<Letter>(letter)) ? static_cast<Letter>(letter) : plain;
}

/// The fields that a letter is offered for, as a set of bits.
enum LetterField : std::uint8_t {
  kSideField = 1,
  kTimeInForceField = 2,
  kDisplayField = 4,
  kCapacityField = 8,
  kIsoField = 16,
  kCrossTypeField = 32,
  kAllFields = 63,
  kPlainTimeInForce = 64,  // as is_plain() wants it
  kPlainDisplay = 128,
};
inline constexpr auto kOfferedFor = [] {
  std::array<std::uint8_t, 256> fields{};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const char letter = static_cast<char>(i);
    const TimeInForce life{letter};
    const Display display{letter};
    fields[i] = static_cast<std::uint8_t>(
        (is_side(letter) ? kSideField : 0) | (is_offered(life) ? kTimeInForceField : 0) |
        (is_offered(display) ? kDisplayField : 0) | (is_capacity(letter) ? kCapacityField : 0) |
        (letter == 'N' ? kIsoField : 0) | (is_offered(CrossType{letter}) ? kCrossTypeField : 0) |
        (life == TimeInForce::day || life == TimeInForce::ioc ? kPlainTimeInForce : 0) |
        (is_offered(display) && display != Display::hidden ? kPlainDisplay : 0));
  }
  return fields;
}();
/// Those of `fields` that the letter is offered for.
constexpr unsigned offered(char letter, unsigned fields) {
  return kOfferedFor[static_cast<unsigned char>(letter)] & fields;
}

constexpr bool is_quantity(std::uint32_t wire_quantity) { return wire_quantity - 1 < kMaxQuantity; }
/// A limit: market prices are above the greatest.
constexpr bool is_price(std::uint64_t wire_price) { return wire_price - 1 < kMaxPrice.value; }
/// The two prices that say "market" (WIRE 3.3).
constexpr bool is_market(std::uint64_t wire_price) {
  return wire_price == kMarketPrice.value || wire_price == 2'000'000'000;
}

/// What one look at the fixed part of an Enter tells. Which fault it is, find_first_fault() says.
struct EnterLook {
  bool faultless;  // nothing is wrong with it by itself
  bool plain;      // nor is anything rare in it: engine/command.hpp, is_plain()
};
inline EnterLook look_at(const wire::ouch::EnterOrder& message) {
  const unsigned letters =
      offered(message.side, kSideField) | offered(message.time_in_force, kTimeInForceField | kPlainTimeInForce) |
      offered(message.display, kDisplayField | kPlainDisplay) | offered(message.capacity, kCapacityField) |
      offered(message.iso, kIsoField) | offered(message.cross_type, kCrossTypeField);
  const bool numbers = is_quantity(message.quantity) && is_price(message.price);
  return {.faultless = (letters & kAllFields) == kAllFields && numbers,
          .plain = letters == (kAllFields | kPlainTimeInForce | kPlainDisplay) && numbers &&
                   message.cross_type == static_cast<char>(CrossType::continuous)};
}

/// The first fault of the fixed part, in the order of docs/protocol.md; else the options'.
wire::ouch::RejectReason find_first_fault(const wire::ouch::EnterOrder& message, bool symbol_known,
                                          wire::ouch::RejectReason options);
inline wire::ouch::RejectReason find_fault(const wire::ouch::EnterOrder& message, bool symbol_known,
                                           wire::ouch::RejectReason options) {
  if (symbol_known && look_at(message).faultless) [[likely]]
    return options;
  return find_first_fault(message, symbol_known, options);
}
/// The same; a Replace has no symbol, side, capacity or cross type of its own.
wire::ouch::RejectReason find_fault(const wire::ouch::ReplaceOrder& message, wire::ouch::RejectReason options);

/// What an order's fixed part comes to: what is wrong with it or its options, and its letters as the engine takes them,
/// which are plain ones where they are not offered.
struct Judgement {
  wire::ouch::RejectReason reject;
  Side side;
  TimeInForce time_in_force;
  Display display;
  CrossType cross_type;
  bool plain = false;  // nothing is wrong, and nothing rare but perhaps in the options
};
inline Judgement judge(const wire::ouch::EnterOrder& message, bool symbol_known, wire::ouch::RejectReason options) {
  const EnterLook look = look_at(message);
  if (symbol_known && look.faultless) [[likely]]
    return {.reject = options,
            .side = static_cast<Side>(message.side),
            .time_in_force = static_cast<TimeInForce>(message.time_in_force),
            .display = static_cast<Display>(message.display),
            .cross_type = static_cast<CrossType>(message.cross_type),
            .plain = look.plain && options == kNoReject};
  return {.reject = find_first_fault(message, symbol_known, options),
          .side = side_or_buy(message.side),
          .time_in_force = offered_or(message.time_in_force, TimeInForce::day),
          .display = offered_or(message.display, Display::visible),
          .cross_type = offered_or(message.cross_type, CrossType::continuous)};
}

/// The wire's 64-bit price where it is a limit, kMarketPrice where it is a market price, else kNoPrice.
constexpr Price price_of(std::uint64_t wire_price) {
  if (wire_price <= kMaxPrice.value) [[likely]]
    return Price{static_cast<std::uint32_t>(wire_price)};
  return is_market(wire_price) ? kMarketPrice : kNoPrice;
}

}  // namespace crosswire
