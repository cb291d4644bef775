// OUCH 5.0: reasons and flags that messages from the exchange carry (WIRE 3.4). Constant data, no dependencies.
#pragma once

#include <cstdint>

namespace crosswire::wire::ouch {

/// Rejected::reason.
enum class RejectReason : std::uint16_t {
  quote_unavailable = 0x0001,
  destination_closed = 0x0002,
  invalid_display = 0x0003,
  invalid_max_floor = 0x0004,
  invalid_peg_type = 0x0005,
  fat_finger = 0x0006,
  halted = 0x0007,
  iso_not_allowed = 0x0008,
  invalid_side = 0x0009,
  processing_error = 0x000A,
  cancel_pending = 0x000B,
  firm_not_authorised = 0x000C,
  invalid_min_quantity = 0x000D,
  no_closing_reference_price = 0x000E,
  other = 0x000F,
  cancel_not_allowed = 0x0010,
  pegging_not_allowed = 0x0011,
  crossed_market = 0x0012,
  invalid_quantity = 0x0013,
  invalid_cross_order = 0x0014,
  replace_not_allowed = 0x0015,
  routing_not_allowed = 0x0016,
  invalid_symbol = 0x0017,
  test = 0x0018,
  late_loc_too_aggressive = 0x0019,
  retail_not_allowed = 0x001A,
  invalid_midpoint_post_only_price = 0x001B,
  invalid_destination = 0x001C,
  invalid_price = 0x001D,
  shares_exceed_threshold = 0x001E,
  exceeds_maximum_notional_value = 0x001F,
  risk_aggregate_exposure_exceeded = 0x0020,
  risk_market_impact = 0x0021,
  risk_restricted_stock = 0x0022,
  risk_short_sell_restricted = 0x0023,
  risk_iso_not_allowed = 0x0024,
  risk_exceeds_adv_limit = 0x0025,
  risk_fat_finger = 0x0026,
  risk_locate_required = 0x0027,
  risk_symbol_message_rate = 0x0028,
  risk_port_message_rate = 0x0029,
  risk_duplicate_message_rate = 0x002A,
  risk_short_sell_not_allowed = 0x002B,
  risk_market_order_not_allowed = 0x002C,
  risk_pre_market_not_allowed = 0x002D,
  risk_post_market_not_allowed = 0x002E,
  risk_short_sell_exempt_not_allowed = 0x002F,
  risk_single_order_notional_exceeded = 0x0030,
  risk_max_quantity_exceeded = 0x0031,
  reg_sho_state_not_available = 0x0032,
  risk_ipo_market_buy_not_allowed = 0x0033,
};

/// OrderCanceled::reason and AiqCanceled::reason.
enum class CancelReason : char {
  regulatory_restriction = 'D',
  closed = 'E',                    // day order after the closing cross
  post_only_slid = 'F',            // would have been price slid
  post_only_slid_displayed = 'G',  // would have been price slid by a displayed contra order
  halted = 'H',                    // still, after the opening cross
  immediate_or_cancel = 'I',       // what was left of it
  market_collars = 'K',
  self_match_prevention = 'Q',
  supervisory = 'S',
  time_in_force_expired = 'T',
  user = 'U',  // asked for
  opening_price_protection = 'X',
  system = 'Z',
  direct_listing_above_offer = 'e',
};

/// BrokenTrade::reason.
enum class BreakReason : char { erroneous = 'E', consent = 'C', supervisory = 'S', external = 'X' };

/// OrderExecuted::liquidity and AiqCanceled::liquidity.
enum class Liquidity : char {
  added = 'A',
  closing_cross = 'C',
  retail_designated_added_displayed = 'e',
  halt_ipo_cross = 'H',
  after_hours_closing_cross = 'i',
  added_non_displayed = 'J',
  retail_price_improving_added = 'j',
  added_by_midpoint = 'k',
  halt_cross = 'K',
  closing_cross_imbalance_only = 'L',
  opening_cross_imbalance_only = 'M',
  removed_at_midpoint = 'm',
  passive_midpoint = 'N',
  midpoint_extended_life = 'n',
  opening_cross = 'O',
  removed_price_improving_non_displayed = 'p',
  retail_removed_non_rpi_midpoint = 'q',
  removed = 'R',
  retail_removed_rpi = 'r',
  retail_removed_price_improving_non_displayed = 't',
  added_non_displayed_reserve = 'u',
  supplemental = '0',
  added_improving_nbbo = '7',
  added_setting_qbbo = '8',  // and joining the NBBO
  rpi_added_no_rpii = '1',
};

}  // namespace crosswire::wire::ouch
