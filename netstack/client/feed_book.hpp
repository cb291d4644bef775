// The market as a feed shows it: every displayed order, each side's levels, volume, trading state, from ITCH messages
// in order (WIRE 5). Clients only (tests, tools, the load generator); one thread. It allocates as it goes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <unordered_map>

#include "netstack/wire/bytes.hpp"
#include "netstack/wire/itch.hpp"

namespace crosswire::client {

/// Why a message cannot be right. The book is unchanged then.
enum class FeedFault : std::uint8_t {
  none,
  unknown_type,
  wrong_length,
  unknown_order,    // named by an execution, cancel, delete or replace
  repeated_order,   // an Add or Replace of a number that is in the book
  too_many_shares,  // more executed or cancelled than the order has
};

class FeedBook {
 public:
  struct Order {
    std::uint16_t locate;
    char side;  // B, S
    std::uint32_t shares;
    std::uint32_t price;              // 1/10000
    std::array<char, 4> attribution;  // spaces: none
  };
  struct Level {
    std::uint64_t shares = 0;
    std::uint32_t orders = 0;
    bool operator==(const Level&) const = default;
  };
  /// By price, lowest first.
  using Side = std::map<std::uint32_t, Level>;
  struct Symbol {
    std::array<char, 8> name{' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
    char state = 'H';  // of Stock Trading Action
    Side bids, asks;
    std::uint64_t volume = 0;  // E, C printable, P, Q
    std::uint64_t trades = 0;  // messages that volume comes from
  };

  /// One ITCH message. Types that do not change a book are checked for their length.
  FeedFault apply(wire::Bytes message);

  /// By locate code; one that nothing was said of is empty.
  const std::map<std::uint16_t, Symbol>& symbols() const { return symbols_; }
  const std::unordered_map<std::uint64_t, Order>& orders() const { return orders_; }

 private:
  FeedFault add(std::uint64_t ref, const Order& order);
  FeedFault take(std::uint64_t ref, std::uint32_t shares, bool all = false);
  FeedFault replace(const wire::itch::OrderReplace& message);
  void trade(std::uint16_t locate, std::uint64_t shares);
  Side& side_of(const Order& order);

  std::map<std::uint16_t, Symbol> symbols_;
  std::unordered_map<std::uint64_t, Order> orders_;
};

}  // namespace crosswire::client
