// Why the engine refuses an order or a request.
#pragma once

#include <cstdint>

namespace crosswire {

/// Reject reasons (WIRE 3.4) that the engine itself gives.
enum class Reject : std::uint16_t {
  none = 0,
  quote_unavailable = 0x0001,  // a market order finds nobody who shows a price
  destination_closed = 0x0002,
  halted = 0x0007,
  processing = 0x000A,           // no room: a limit of live orders or price levels, of all or of the account
  cancel_pending = 0x000B,       // its orders are being cancelled: engine/jobs.hpp
  firm_not_authorised = 0x000C,  // its order entry is disabled
  invalid_min_quantity = 0x000D,
  other = 0x000F,  // terms that exclude each other
  invalid_cross_order = 0x0014,
  invalid_price = 0x001D,
  notional_sum = 0x001F,     // a sum of money that could not be counted any more
  risk_exposure = 0x0020,    // funds or a position's limit
  risk_restricted = 0x0022,  // a symbol that the account may not trade
  risk_price = 0x0026,       // too far from the last price
  symbol_rate = 0x0028,      // messages of the account in one symbol
  account_rate = 0x0029,     // messages, or it has looked at too much that it left as it was
  risk_duplicate = 0x002A,   // equal to one that the account entered just before
  risk_short_sale = 0x002B,
  risk_order_type = 0x002C,  // also a market order in a symbol that takes none
  risk_short_exempt = 0x002F,
  risk_notional = 0x0030,
  risk_quantity = 0x0031,
};

/// Whether it is for a limit of the account or its firm, rates apart.
constexpr bool is_limit(Reject reason) {
  switch (reason) {
    case Reject::notional_sum:
    case Reject::risk_exposure:
    case Reject::risk_restricted:
    case Reject::risk_price:
    case Reject::risk_duplicate:
    case Reject::risk_short_sale:
    case Reject::risk_order_type:
    case Reject::risk_short_exempt:
    case Reject::risk_notional:
    case Reject::risk_quantity:
      return true;
    default:
      return false;
  }
}

}  // namespace crosswire
