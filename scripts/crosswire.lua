-- Wireshark and tshark: reads what crosswire speaks (docs/protocol.md), every field with what its value means.
--   tshark -X lua_script:scripts/crosswire.lua -r out.pcap
--   tshark -X lua_script:scripts/crosswire.lua -r out.pcap -Y 'crosswire.ouch.user_ref_num == 7' -V
-- Ports other than the defaults: -o crosswire.order_port:26500 (feed_port, request_port), or Wireshark's preferences.
-- Order entry over UDP mixes SoupBinTCP and MoldUDP64 packets on one port, so Wireshark's own moldudp64 dissector calls
-- logins malformed there. This one tells them apart, and marks what lies or is not known. Over TCP it puts packets
-- together that lie over segments (crosswire_tcp).

-- The tables: an option's name, filter, length, form and meanings; a message's title, length and fields, each with its
-- filter, offset, length, form and meanings.
-- messages: made by `CROSSWIRE_WRITE_DOCS=1 meson test -C build messages`
local OPTIONS = {
  [2] = {"Firm", "crosswire.ouch.option.firm", 4, "text"},
  [3] = {"MinQty", "crosswire.ouch.option.min_qty", 4, "number"},
  [4] = {"CustomerType", "crosswire.ouch.option.customer_type", 1, "letter", {["N"] = "not retail", [" "] = "not said"}},
  [5] = {"MaxFloor", "crosswire.ouch.option.max_floor", 4, "number"},
  [6] = {"PriceType", "crosswire.ouch.option.price_type", 1, "letter", {["L"] = "limit"}},
  [7] = {"PegOffset", "crosswire.ouch.option.peg_offset", 4, "price"},
  [9] = {"DiscretionPrice", "crosswire.ouch.option.discretion_price", 8, "price"},
  [10] = {"DiscretionPriceType", "crosswire.ouch.option.discretion_price_type", 1, "letter", {["L"] = "limit"}},
  [11] = {"DiscretionPegOffset", "crosswire.ouch.option.discretion_peg_offset", 4, "price"},
  [12] = {"PostOnly", "crosswire.ouch.option.post_only", 1, "letter", {["P"] = "yes", ["N"] = "no"}},
  [13] = {"RandomReserves", "crosswire.ouch.option.random_reserves", 4, "number"},
  [15] = {"ExpireTime", "crosswire.ouch.option.expire_time", 4, "number"},
  [16] = {"TradeNow", "crosswire.ouch.option.trade_now", 1, "letter", {["N"] = "no", [" "] = "not said"}},
  [17] = {"HandleInst", "crosswire.ouch.option.handle_inst", 1, "letter", {[" "] = "none"}},
  [24] = {"GroupID", "crosswire.ouch.option.group_id", 2, "number"},
  [25] = {"SharesLocated", "crosswire.ouch.option.shares_located", 1, "letter", {["Y"] = "yes", ["N"] = "no"}},
  [26] = {"LocateBroker", "crosswire.ouch.option.locate_broker", 4, "text"},
  [27] = {"Side", "crosswire.ouch.option.side", 1, "letter", {["B"] = "buy", ["S"] = "sell", ["T"] = "sell short", ["E"] = "sell short exempt"}},
  [28] = {"UserRefIdx", "crosswire.ouch.option.user_ref_idx", 1, "number"},
  [128] = {"StayOnDisconnect", "crosswire.ouch.option.stay_on_disconnect", 1, "letter", {["Y"] = "yes", ["N"] = "no"}},
  [129] = {"SelfTrade", "crosswire.ouch.option.self_trade", 1, "letter", {["N"] = "the arriving order is cancelled", ["O"] = "the resting one is", ["B"] = "both are", ["D"] = "both lose what would have executed"}},
  [130] = {"Kill", "crosswire.ouch.option.kill", 1, "letter", {["Y"] = "yes"}},
}
local MESSAGES = {
  soup = {
    ["L"] = {"Login Request", 49, {
      {"crosswire.soup.length", 0, 2, "number"},
      {"crosswire.soup.type", 2, 1, "letter"},
      {"crosswire.soup.username", 3, 6, "text"},
      {"crosswire.soup.password", 9, 10, "text"},
      {"crosswire.soup.session", 19, 10, "text"},
      {"crosswire.soup.sequence", 29, 20, "text"},
    }},
    ["R"] = {"Client Heartbeat", 3, {
      {"crosswire.soup.length", 0, 2, "number"},
      {"crosswire.soup.type", 2, 1, "letter"},
    }},
    ["O"] = {"Logout Request", 3, {
      {"crosswire.soup.length", 0, 2, "number"},
      {"crosswire.soup.type", 2, 1, "letter"},
    }},
    ["A"] = {"Login Accepted", 33, {
      {"crosswire.soup.length", 0, 2, "number"},
      {"crosswire.soup.type", 2, 1, "letter"},
      {"crosswire.soup.session", 3, 10, "text"},
      {"crosswire.soup.sequence", 13, 20, "text"},
    }},
    ["J"] = {"Login Rejected", 4, {
      {"crosswire.soup.length", 0, 2, "number"},
      {"crosswire.soup.type", 2, 1, "letter"},
      {"crosswire.soup.reason", 3, 1, "letter", {["A"] = "unknown user or wrong password", ["S"] = "no such session here"}},
    }},
    ["+"] = {"Debug", 3, {
      {"crosswire.soup.length", 0, 2, "number"},
      {"crosswire.soup.type", 2, 1, "letter"},
    }},
  },
  ouch_in = {
    ["O"] = {"Enter Order", 45, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.user_ref_num", 1, 4, "number"},
      {"crosswire.ouch.side", 5, 1, "letter", {["B"] = "buy", ["S"] = "sell", ["T"] = "sell short", ["E"] = "sell short exempt"}},
      {"crosswire.ouch.quantity", 6, 4, "number"},
      {"crosswire.ouch.symbol", 10, 8, "text"},
      {"crosswire.ouch.price", 18, 8, "price"},
      {"crosswire.ouch.time_in_force", 26, 1, "letter", {["0"] = "day", ["3"] = "at once; what is left dies (IOC)", ["6"] = "for ExpireTime (GTT)"}},
      {"crosswire.ouch.display", 27, 1, "letter", {["Y"] = "visible", ["A"] = "attributable", ["N"] = "hidden"}},
      {"crosswire.ouch.capacity", 28, 1, "letter", {["A"] = "agency", ["P"] = "principal", ["R"] = "riskless", ["O"] = "other"}},
      {"crosswire.ouch.iso", 29, 1, "letter", {["N"] = "not eligible"}},
      {"crosswire.ouch.cross_type", 30, 1, "letter", {["N"] = "continuous", ["O"] = "on-open", ["C"] = "on-close"}},
      {"crosswire.ouch.cl_ord_id", 31, 14, "text"},
    }},
    ["U"] = {"Replace Order", 38, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.orig_user_ref_num", 1, 4, "number"},
      {"crosswire.ouch.user_ref_num", 5, 4, "number"},
      {"crosswire.ouch.quantity", 9, 4, "number"},
      {"crosswire.ouch.price", 13, 8, "price"},
      {"crosswire.ouch.time_in_force", 21, 1, "letter", {["0"] = "day", ["3"] = "at once; what is left dies (IOC)", ["6"] = "for ExpireTime (GTT)"}},
      {"crosswire.ouch.display", 22, 1, "letter", {["Y"] = "visible", ["A"] = "attributable", ["N"] = "hidden"}},
      {"crosswire.ouch.iso", 23, 1, "letter", {["N"] = "not eligible"}},
      {"crosswire.ouch.cl_ord_id", 24, 14, "text"},
    }},
    ["X"] = {"Cancel Order", 9, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.user_ref_num", 1, 4, "number"},
      {"crosswire.ouch.quantity", 5, 4, "number"},
    }},
    ["M"] = {"Modify Order", 10, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.user_ref_num", 1, 4, "number"},
      {"crosswire.ouch.side", 5, 1, "letter", {["B"] = "buy", ["S"] = "sell", ["T"] = "sell short", ["E"] = "sell short exempt"}},
      {"crosswire.ouch.quantity", 6, 4, "number"},
    }},
    ["C"] = {"Mass Cancel", 17, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.user_ref_num", 1, 4, "number"},
      {"crosswire.ouch.firm", 5, 4, "text"},
      {"crosswire.ouch.symbol", 9, 8, "text"},
    }},
    ["D"] = {"Disable Order Entry", 9, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.user_ref_num", 1, 4, "number"},
      {"crosswire.ouch.firm", 5, 4, "text"},
    }},
    ["E"] = {"Enable Order Entry", 9, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.user_ref_num", 1, 4, "number"},
      {"crosswire.ouch.firm", 5, 4, "text"},
    }},
    ["Q"] = {"Account Query", 1, {
      {"crosswire.ouch.type", 0, 1, "letter"},
    }},
  },
  ouch_out = {
    ["S"] = {"System Event", 10, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.timestamp", 1, 8, "time"},
      {"crosswire.ouch.event", 9, 1, "letter", {["S"] = "start of day", ["E"] = "end of day"}},
    }},
    ["A"] = {"Accepted", 62, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.timestamp", 1, 8, "time"},
      {"crosswire.ouch.user_ref_num", 9, 4, "number"},
      {"crosswire.ouch.side", 13, 1, "letter", {["B"] = "buy", ["S"] = "sell", ["T"] = "sell short", ["E"] = "sell short exempt"}},
      {"crosswire.ouch.quantity", 14, 4, "number"},
      {"crosswire.ouch.symbol", 18, 8, "text"},
      {"crosswire.ouch.price", 26, 8, "price"},
      {"crosswire.ouch.time_in_force", 34, 1, "letter", {["0"] = "day", ["3"] = "at once; what is left dies (IOC)", ["6"] = "for ExpireTime (GTT)"}},
      {"crosswire.ouch.display", 35, 1, "letter", {["Y"] = "visible", ["A"] = "attributable", ["N"] = "hidden"}},
      {"crosswire.ouch.order_ref", 36, 8, "number"},
      {"crosswire.ouch.capacity", 44, 1, "letter", {["A"] = "agency", ["P"] = "principal", ["R"] = "riskless", ["O"] = "other"}},
      {"crosswire.ouch.iso", 45, 1, "letter", {["N"] = "not eligible"}},
      {"crosswire.ouch.cross_type", 46, 1, "letter", {["N"] = "continuous", ["O"] = "on-open", ["C"] = "on-close"}},
      {"crosswire.ouch.order_state", 47, 1, "letter", {["L"] = "live", ["D"] = "dead: nothing more comes for it"}},
      {"crosswire.ouch.cl_ord_id", 48, 14, "text"},
    }},
    ["U"] = {"Replaced", 66, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.timestamp", 1, 8, "time"},
      {"crosswire.ouch.orig_user_ref_num", 9, 4, "number"},
      {"crosswire.ouch.user_ref_num", 13, 4, "number"},
      {"crosswire.ouch.side", 17, 1, "letter", {["B"] = "buy", ["S"] = "sell", ["T"] = "sell short", ["E"] = "sell short exempt"}},
      {"crosswire.ouch.quantity", 18, 4, "number"},
      {"crosswire.ouch.symbol", 22, 8, "text"},
      {"crosswire.ouch.price", 30, 8, "price"},
      {"crosswire.ouch.time_in_force", 38, 1, "letter", {["0"] = "day", ["3"] = "at once; what is left dies (IOC)", ["6"] = "for ExpireTime (GTT)"}},
      {"crosswire.ouch.display", 39, 1, "letter", {["Y"] = "visible", ["A"] = "attributable", ["N"] = "hidden"}},
      {"crosswire.ouch.order_ref", 40, 8, "number"},
      {"crosswire.ouch.capacity", 48, 1, "letter", {["A"] = "agency", ["P"] = "principal", ["R"] = "riskless", ["O"] = "other"}},
      {"crosswire.ouch.iso", 49, 1, "letter", {["N"] = "not eligible"}},
      {"crosswire.ouch.cross_type", 50, 1, "letter", {["N"] = "continuous", ["O"] = "on-open", ["C"] = "on-close"}},
      {"crosswire.ouch.order_state", 51, 1, "letter", {["L"] = "live", ["D"] = "dead: nothing more comes for it"}},
      {"crosswire.ouch.cl_ord_id", 52, 14, "text"},
    }},
    ["C"] = {"Canceled", 18, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.timestamp", 1, 8, "time"},
      {"crosswire.ouch.user_ref_num", 9, 4, "number"},
      {"crosswire.ouch.quantity", 13, 4, "number"},
      {"crosswire.ouch.reason", 17, 1, "letter", {["U"] = "asked for", ["I"] = "rest of an IOC", ["E"] = "the close", ["T"] = "its time or its cross is over", ["F"] = "post-only, against a hidden order", ["G"] = "post-only, against a displayed order", ["S"] = "an operator stopped the account", ["K"] = "a market order may go no further", ["Z"] = "by the system"}},
    }},
    ["D"] = {"AIQ Canceled", 32, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.timestamp", 1, 8, "time"},
      {"crosswire.ouch.user_ref_num", 9, 4, "number"},
      {"crosswire.ouch.decrement", 13, 4, "number"},
      {"crosswire.ouch.reason", 17, 1, "letter", {["Q"] = "self-trade prevention"}},
      {"crosswire.ouch.prevented", 18, 4, "number"},
      {"crosswire.ouch.execution_price", 22, 8, "price"},
      {"crosswire.ouch.liquidity", 30, 1, "letter", {["R"] = "the aggressor", ["A"] = "it rested"}},
      {"crosswire.ouch.aiq_strategy", 31, 1, "letter", {["N"] = "the arriving order is cancelled", ["O"] = "the resting one is", ["B"] = "both are", ["D"] = "both lose what would have executed"}},
    }},
    ["E"] = {"Executed", 34, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.timestamp", 1, 8, "time"},
      {"crosswire.ouch.user_ref_num", 9, 4, "number"},
      {"crosswire.ouch.quantity", 13, 4, "number"},
      {"crosswire.ouch.price", 17, 8, "price"},
      {"crosswire.ouch.liquidity", 25, 1, "letter", {["R"] = "removed: the aggressor", ["A"] = "added: it rested", ["J"] = "added: it rested hidden", ["O"] = "opening cross", ["C"] = "closing cross", ["H"] = "halt cross"}},
      {"crosswire.ouch.match_number", 26, 8, "number"},
    }},
    ["J"] = {"Rejected", 29, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.timestamp", 1, 8, "time"},
      {"crosswire.ouch.user_ref_num", 9, 4, "number"},
      {"crosswire.ouch.reject_reason", 13, 2, "number", {["1"] = "a market order, and the other side shows no price", ["2"] = "the instrument is not open yet, or closed", ["3"] = "display", ["4"] = "MaxFloor or RandomReserves, which are not offered", ["5"] = "PriceType other than limit", ["7"] = "the instrument is halted", ["8"] = "ISO is not offered", ["9"] = "side", ["10"] = "no room: orders or price levels", ["11"] = "the account's orders are being cancelled: come again", ["12"] = "another firm, or order entry is disabled", ["13"] = "MinQty above the quantity, or where it cannot be", ["15"] = "another field or option, or some that exclude each other", ["17"] = "pegging and discretion are not offered", ["19"] = "quantity", ["20"] = "cross type, or not at this time", ["23"] = "symbol", ["26"] = "retail is not offered", ["29"] = "price: out of range, or off the tick", ["31"] = "a sum of money that could not be counted any more", ["32"] = "the account's or the firm's funds, or the limit of a position", ["34"] = "a symbol that the account may not trade", ["38"] = "price: too far from the last one", ["40"] = "more than the account's rate in the symbol", ["41"] = "more than the account's rate", ["42"] = "equal to one that the account entered just before", ["43"] = "the account may not sell short", ["44"] = "an order type that the account may not use, or a market order in a symbol that takes none", ["47"] = "the account may not sell short exempt", ["48"] = "price times shares: more than the account's limit", ["49"] = "quantity: more than the account's limit"}},
      {"crosswire.ouch.cl_ord_id", 15, 14, "text"},
    }},
    ["I"] = {"Cancel Reject", 13, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.timestamp", 1, 8, "time"},
      {"crosswire.ouch.user_ref_num", 9, 4, "number"},
    }},
    ["M"] = {"Modified", 18, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.timestamp", 1, 8, "time"},
      {"crosswire.ouch.user_ref_num", 9, 4, "number"},
      {"crosswire.ouch.side", 13, 1, "letter", {["B"] = "buy", ["S"] = "sell", ["T"] = "sell short", ["E"] = "sell short exempt"}},
      {"crosswire.ouch.quantity", 14, 4, "number"},
    }},
    ["X"] = {"Mass Cancel Response", 25, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.timestamp", 1, 8, "time"},
      {"crosswire.ouch.user_ref_num", 9, 4, "number"},
      {"crosswire.ouch.firm", 13, 4, "text"},
      {"crosswire.ouch.symbol", 17, 8, "text"},
    }},
    ["G"] = {"Disable Response", 17, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.timestamp", 1, 8, "time"},
      {"crosswire.ouch.user_ref_num", 9, 4, "number"},
      {"crosswire.ouch.firm", 13, 4, "text"},
    }},
    ["K"] = {"Enable Response", 17, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.timestamp", 1, 8, "time"},
      {"crosswire.ouch.user_ref_num", 9, 4, "number"},
      {"crosswire.ouch.firm", 13, 4, "text"},
    }},
    ["Q"] = {"Account Query Response", 13, {
      {"crosswire.ouch.type", 0, 1, "letter"},
      {"crosswire.ouch.timestamp", 1, 8, "time"},
      {"crosswire.ouch.next_user_ref_num", 9, 4, "number"},
    }},
  },
  itch = {
    ["S"] = {"System Event", 12, {
      {"crosswire.itch.type", 0, 1, "letter"},
      {"crosswire.itch.locate", 1, 2, "number"},
      {"crosswire.itch.tracking", 3, 2, "number"},
      {"crosswire.itch.timestamp", 5, 6, "time"},
      {"crosswire.itch.event", 11, 1, "letter", {["O"] = "start of messages", ["S"] = "start of system hours", ["Q"] = "the first symbol trades", ["M"] = "the last symbol has closed", ["E"] = "end of system hours", ["C"] = "end of messages"}},
    }},
    ["R"] = {"Stock Directory", 39, {
      {"crosswire.itch.type", 0, 1, "letter"},
      {"crosswire.itch.locate", 1, 2, "number"},
      {"crosswire.itch.tracking", 3, 2, "number"},
      {"crosswire.itch.timestamp", 5, 6, "time"},
      {"crosswire.itch.stock", 11, 8, "text"},
      {"crosswire.itch.market_category", 19, 1, "letter", {[" "] = "none"}},
      {"crosswire.itch.financial_status", 20, 1, "letter", {[" "] = "none"}},
      {"crosswire.itch.round_lot_size", 21, 4, "number"},
      {"crosswire.itch.round_lots_only", 25, 1, "letter", {["N"] = "any size"}},
      {"crosswire.itch.issue_class", 26, 1, "letter", {["C"] = "common"}},
      {"crosswire.itch.issue_subtype", 27, 2, "text", {["Z"] = "none"}},
      {"crosswire.itch.authenticity", 29, 1, "letter", {["P"] = "production"}},
      {"crosswire.itch.short_threshold", 30, 1, "letter", {[" "] = "none"}},
      {"crosswire.itch.ipo_flag", 31, 1, "letter", {[" "] = "none"}},
      {"crosswire.itch.luld_tier", 32, 1, "letter", {[" "] = "none"}},
      {"crosswire.itch.etp_flag", 33, 1, "letter", {["N"] = "no"}},
      {"crosswire.itch.etp_leverage", 34, 4, "number"},
      {"crosswire.itch.inverse", 38, 1, "letter", {["N"] = "no"}},
    }},
    ["H"] = {"Stock Trading Action", 25, {
      {"crosswire.itch.type", 0, 1, "letter"},
      {"crosswire.itch.locate", 1, 2, "number"},
      {"crosswire.itch.tracking", 3, 2, "number"},
      {"crosswire.itch.timestamp", 5, 6, "time"},
      {"crosswire.itch.stock", 11, 8, "text"},
      {"crosswire.itch.state", 19, 1, "letter", {["T"] = "they trade at once", ["Q"] = "a call: they wait for its cross", ["P"] = "interrupted: likewise", ["H"] = "they do not trade"}},
      {"crosswire.itch.reserved", 20, 1, "letter", {[" "] = "none"}},
      {"crosswire.itch.reason", 21, 4, "text"},
    }},
    ["V"] = {"MWCB Decline Level", 35, {
      {"crosswire.itch.type", 0, 1, "letter"},
      {"crosswire.itch.locate", 1, 2, "number"},
      {"crosswire.itch.tracking", 3, 2, "number"},
      {"crosswire.itch.timestamp", 5, 6, "time"},
      {"crosswire.itch.level1", 11, 8, "number"},
      {"crosswire.itch.level2", 19, 8, "number"},
      {"crosswire.itch.level3", 27, 8, "number"},
    }},
    ["W"] = {"MWCB Status", 12, {
      {"crosswire.itch.type", 0, 1, "letter"},
      {"crosswire.itch.locate", 1, 2, "number"},
      {"crosswire.itch.tracking", 3, 2, "number"},
      {"crosswire.itch.timestamp", 5, 6, "time"},
      {"crosswire.itch.breached", 11, 1, "letter", {["1"] = "the first", ["2"] = "the second", ["3"] = "the third"}},
    }},
    ["A"] = {"Add Order", 36, {
      {"crosswire.itch.type", 0, 1, "letter"},
      {"crosswire.itch.locate", 1, 2, "number"},
      {"crosswire.itch.tracking", 3, 2, "number"},
      {"crosswire.itch.timestamp", 5, 6, "time"},
      {"crosswire.itch.order_ref", 11, 8, "number"},
      {"crosswire.itch.side", 19, 1, "letter", {["B"] = "buy", ["S"] = "sell, however marked"}},
      {"crosswire.itch.shares", 20, 4, "number"},
      {"crosswire.itch.stock", 24, 8, "text"},
      {"crosswire.itch.price", 32, 4, "price"},
    }},
    ["F"] = {"Add Order with MPID", 40, {
      {"crosswire.itch.type", 0, 1, "letter"},
      {"crosswire.itch.locate", 1, 2, "number"},
      {"crosswire.itch.tracking", 3, 2, "number"},
      {"crosswire.itch.timestamp", 5, 6, "time"},
      {"crosswire.itch.order_ref", 11, 8, "number"},
      {"crosswire.itch.side", 19, 1, "letter", {["B"] = "buy", ["S"] = "sell, however marked"}},
      {"crosswire.itch.shares", 20, 4, "number"},
      {"crosswire.itch.stock", 24, 8, "text"},
      {"crosswire.itch.price", 32, 4, "price"},
      {"crosswire.itch.attribution", 36, 4, "text"},
    }},
    ["E"] = {"Order Executed", 31, {
      {"crosswire.itch.type", 0, 1, "letter"},
      {"crosswire.itch.locate", 1, 2, "number"},
      {"crosswire.itch.tracking", 3, 2, "number"},
      {"crosswire.itch.timestamp", 5, 6, "time"},
      {"crosswire.itch.order_ref", 11, 8, "number"},
      {"crosswire.itch.shares", 19, 4, "number"},
      {"crosswire.itch.match_number", 23, 8, "number"},
    }},
    ["C"] = {"Order Executed With Price", 36, {
      {"crosswire.itch.type", 0, 1, "letter"},
      {"crosswire.itch.locate", 1, 2, "number"},
      {"crosswire.itch.tracking", 3, 2, "number"},
      {"crosswire.itch.timestamp", 5, 6, "time"},
      {"crosswire.itch.order_ref", 11, 8, "number"},
      {"crosswire.itch.shares", 19, 4, "number"},
      {"crosswire.itch.match_number", 23, 8, "number"},
      {"crosswire.itch.printable", 31, 1, "letter", {["N"] = "not in the volume: the Cross Trade is"}},
      {"crosswire.itch.price", 32, 4, "price"},
    }},
    ["X"] = {"Order Cancel", 23, {
      {"crosswire.itch.type", 0, 1, "letter"},
      {"crosswire.itch.locate", 1, 2, "number"},
      {"crosswire.itch.tracking", 3, 2, "number"},
      {"crosswire.itch.timestamp", 5, 6, "time"},
      {"crosswire.itch.order_ref", 11, 8, "number"},
      {"crosswire.itch.shares", 19, 4, "number"},
    }},
    ["D"] = {"Order Delete", 19, {
      {"crosswire.itch.type", 0, 1, "letter"},
      {"crosswire.itch.locate", 1, 2, "number"},
      {"crosswire.itch.tracking", 3, 2, "number"},
      {"crosswire.itch.timestamp", 5, 6, "time"},
      {"crosswire.itch.order_ref", 11, 8, "number"},
    }},
    ["U"] = {"Order Replace", 35, {
      {"crosswire.itch.type", 0, 1, "letter"},
      {"crosswire.itch.locate", 1, 2, "number"},
      {"crosswire.itch.tracking", 3, 2, "number"},
      {"crosswire.itch.timestamp", 5, 6, "time"},
      {"crosswire.itch.old_ref", 11, 8, "number"},
      {"crosswire.itch.new_ref", 19, 8, "number"},
      {"crosswire.itch.shares", 27, 4, "number"},
      {"crosswire.itch.price", 31, 4, "price"},
    }},
    ["P"] = {"Trade", 44, {
      {"crosswire.itch.type", 0, 1, "letter"},
      {"crosswire.itch.locate", 1, 2, "number"},
      {"crosswire.itch.tracking", 3, 2, "number"},
      {"crosswire.itch.timestamp", 5, 6, "time"},
      {"crosswire.itch.order_ref", 11, 8, "number"},
      {"crosswire.itch.side", 19, 1, "letter", {["B"] = "says nothing"}},
      {"crosswire.itch.shares", 20, 4, "number"},
      {"crosswire.itch.stock", 24, 8, "text"},
      {"crosswire.itch.price", 32, 4, "price"},
      {"crosswire.itch.match_number", 36, 8, "number"},
    }},
    ["Q"] = {"Cross Trade", 40, {
      {"crosswire.itch.type", 0, 1, "letter"},
      {"crosswire.itch.locate", 1, 2, "number"},
      {"crosswire.itch.tracking", 3, 2, "number"},
      {"crosswire.itch.timestamp", 5, 6, "time"},
      {"crosswire.itch.shares", 11, 8, "number"},
      {"crosswire.itch.stock", 19, 8, "text"},
      {"crosswire.itch.price", 27, 4, "price"},
      {"crosswire.itch.match_number", 31, 8, "number"},
      {"crosswire.itch.cross_type", 39, 1, "letter", {["O"] = "opening", ["C"] = "closing", ["H"] = "behind a halt or an interruption"}},
    }},
    ["I"] = {"Net Order Imbalance", 50, {
      {"crosswire.itch.type", 0, 1, "letter"},
      {"crosswire.itch.locate", 1, 2, "number"},
      {"crosswire.itch.tracking", 3, 2, "number"},
      {"crosswire.itch.timestamp", 5, 6, "time"},
      {"crosswire.itch.paired", 11, 8, "number"},
      {"crosswire.itch.imbalance", 19, 8, "number"},
      {"crosswire.itch.direction", 27, 1, "letter", {["B"] = "buyers'", ["S"] = "sellers'", ["N"] = "none are left", ["O"] = "nothing pairs"}},
      {"crosswire.itch.stock", 28, 8, "text"},
      {"crosswire.itch.far_price", 36, 4, "price"},
      {"crosswire.itch.near_price", 40, 4, "price"},
      {"crosswire.itch.reference_price", 44, 4, "price"},
      {"crosswire.itch.cross_type", 48, 1, "letter", {["O"] = "opening", ["C"] = "closing", ["H"] = "of an interruption"}},
      {"crosswire.itch.variation", 49, 1, "letter", {["L"] = "under 1 %", [" "] = "no price"}},
    }},
  },
}
-- end of messages

local proto = Proto("crosswire", "crosswire")
proto.prefs.order_port = Pref.uint("Order port", 26400, "Port of order entry, [orders] udp_port and tcp_port; 0: none")
proto.prefs.feed_port = Pref.uint("Feed port", 26477, "UDP port of the feed, [feed] udp_port; 0: none")
proto.prefs.request_port = Pref.uint("Request port", 26478, "UDP port of re-requests, [feed] request_port; 0: none")

local packet_type = ProtoField.string("crosswire.packet", "SoupBinTCP packet")
local message_type = ProtoField.string("crosswire.message", "Message")
local session = ProtoField.string("crosswire.session", "Session")
local number = ProtoField.uint64("crosswire.number", "First message number")
local count_field = ProtoField.uint16("crosswire.count", "Messages")
local word = ProtoField.string("crosswire.word", "Word for people")
local fields, by_filter = {packet_type, message_type, session, number, count_field, word}, {}

local function define(filter, form)
  if by_filter[filter] then return end
  local label = filter:match("[^.]+$"):gsub("_", " "):gsub("^%l", string.upper)
  local text = form == "letter" or form == "text"
  by_filter[filter] = text and ProtoField.string(filter, label) or ProtoField.uint64(filter, label)
  fields[#fields + 1] = by_filter[filter]
end
for _, protocol in pairs(MESSAGES) do
  for _, message in pairs(protocol) do
    for _, field in ipairs(message[3]) do define(field[1], field[4]) end
  end
end
for _, option in pairs(OPTIONS) do define(option[2], option[4]) end
proto.fields = fields
local lies = ProtoExpert.new("crosswire.lies", "Lengths do not fill the packet", expert.group.MALFORMED, expert.severity.ERROR)
local unknown = ProtoExpert.new("crosswire.unknown", "Unknown message or option", expert.group.UNDECODED, expert.severity.WARN)
proto.experts = {lies, unknown}

-- What a number says to people, where it is not itself.
local function worded(value, form)
  if form == "price" then return string.format("%s.%04d", tostring(value / 10000), (value % 10000):tonumber()) end
  local seconds = (value / 1000000000):tonumber()
  return string.format("%02d:%02d:%02d.%09d", math.floor(seconds / 3600), math.floor(seconds / 60) % 60, seconds % 60,
    (value % 1000000000):tonumber())
end

local function show(branch, filter, range, form, meanings)
  local value, item
  if form == "letter" or form == "text" then
    value = range:string():gsub(" +$", "")
    item = branch:add(by_filter[filter], range, value)
    if value == "" then value = " " end
  else
    -- Of any length up to eight bytes.
    value = range:len() > 4 and range:uint64() or UInt64(range:uint())
    item = branch:add(by_filter[filter], range, value)
    if form == "price" or form == "time" then item:append_text(" (" .. worded(value, form) .. ")") end
  end
  local meaning = meanings and meanings[tostring(value)]
  if meaning then item:append_text(" (" .. meaning .. ")") end
end

local function options(branch, buf)
  if buf:len() < 2 or buf(0, 2):uint() ~= buf:len() - 2 then
    branch:add_proto_expert_info(lies)
    return
  end
  local at = 2
  while at < buf:len() do
    local length = buf(at, 1):uint()
    if length == 0 or at + 1 + length > buf:len() then
      branch:add_proto_expert_info(lies)
      return
    end
    local option = OPTIONS[buf(at + 1, 1):uint()]
    if option and option[3] == length - 1 then
      show(branch, option[2], buf(at + 2, length - 1), option[4], option[5])
    else
      branch:add_proto_expert_info(unknown)
    end
    at = at + 1 + length
  end
end

-- The message in all of `buf`; its title.
local function message(branch, buf, names)
  local known = names[buf(0, 1):string()]
  local title = known and known[1] or ("unknown " .. buf(0, 1):string())
  local item = branch:add(message_type, buf(), title)
  if not known then
    item:add_proto_expert_info(unknown)
  elseif buf:len() < known[2] then
    item:add_proto_expert_info(lies)
  else
    for _, field in ipairs(known[3]) do show(item, field[1], buf(field[2], field[3]), field[4], field[5]) end
    if buf:len() > known[2] then options(item, buf(known[2])) end
  end
  return title
end

local function soup(buf, pinfo, tree)
  local known = MESSAGES.soup[buf(2, 1):string()]
  local name = known and known[1] or ("packet " .. buf(2, 1):string())
  pinfo.cols.protocol = "SoupBinTCP"
  pinfo.cols.info = name
  local branch = tree:add(proto, buf(), "crosswire order entry, " .. name)
  branch:add(packet_type, buf(2, 1), name)
  if not known then
    branch:add_proto_expert_info(unknown)
  elseif buf:len() ~= known[2] and known[2] > 3 or buf(0, 2):uint() ~= buf:len() - 2 then
    branch:add_proto_expert_info(lies)
  else
    for _, field in ipairs(known[3]) do show(branch, field[1], buf(field[2], field[3]), field[4], field[5]) end
    if buf:len() > known[2] then branch:add(word, buf(known[2])) end
  end
end

local function messages(buf, pinfo, tree, names)
  pinfo.cols.protocol = "MoldUDP64"
  local branch = tree:add(proto, buf(), "MoldUDP64")
  if buf:len() < 20 then
    branch:add_proto_expert_info(lies)
    return
  end
  local count, at, list = buf(18, 2):uint(), 20, {}
  branch:add(session, buf(0, 10))
  branch:add(number, buf(10, 8))
  branch:add(count_field, buf(18, 2))
  local first = buf(10, 8):uint64():tonumber()
  if count == 0xFFFF then
    pinfo.cols.info = string.format("End of session, next is %d", first)
  elseif count == 0 then
    pinfo.cols.info = string.format("Heartbeat, next is %d", first)
  elseif buf:len() == 20 then
    pinfo.cols.info = string.format("Request for %d from %d", count, first)
  else
    while #list < count and at + 2 <= buf:len() do
      local length = buf(at, 2):uint()
      if length == 0 or at + 2 + length > buf:len() then break end
      list[#list + 1] = message(branch, buf(at + 2, length), names)
      at = at + 2 + length
    end
    if #list < count or at ~= buf:len() then branch:add_proto_expert_info(lies) end
    pinfo.cols.info = string.format("%d: %s", first, table.concat(list, ", "))
  end
end

function proto.dissector(buf, pinfo, tree)
  if buf:len() < 3 then return 0 end
  local prefs = proto.prefs
  local function is(port) return pinfo.src_port == port or pinfo.dst_port == port end
  if is(prefs.feed_port) or is(prefs.request_port) then
    messages(buf, pinfo, tree, MESSAGES.itch)
  elseif buf(0, 1):uint() == 0 then
    soup(buf, pinfo, tree)
  else
    messages(buf, pinfo, tree, pinfo.src_port == prefs.order_port and MESSAGES.ouch_out or MESSAGES.ouch_in)
  end
  return buf:len()
end

-- ---- order entry over TCP ----

local over_tcp = Proto("crosswire_tcp", "crosswire order entry over TCP")
local PLAIN = {S = "Sequenced Data", U = "Unsequenced Data", H = "Server Heartbeat", Z = "End of Session"}

-- One packet, all of `buf`.
local function packet(buf, pinfo, tree)
  local letter = buf:len() > 2 and buf(2, 1):string() or ""
  local name = PLAIN[letter]
  if letter == "" then
    tree:add(proto, buf(), "crosswire order entry, no packet"):add_proto_expert_info(lies)
  elseif not name then
    soup(buf, pinfo, tree)
  else
    local branch = tree:add(proto, buf(), "crosswire order entry, " .. name)
    branch:add(packet_type, buf(2, 1), name)
    if (letter == "S" or letter == "U") and buf:len() > 3 then
      name = message(branch, buf(3), letter == "S" and MESSAGES.ouch_out or MESSAGES.ouch_in)
    elseif buf:len() ~= 3 or letter == "S" or letter == "U" then
      branch:add_proto_expert_info(lies)
    end
    pinfo.cols.protocol = "SoupBinTCP"
    pinfo.cols.info = name
  end
  return buf:len()
end

local function packet_length(buf, _, offset) return 2 + buf(offset, 2):uint() end

function over_tcp.dissector(buf, pinfo, tree)
  dissect_tcp_pdus(buf, tree, 2, packet_length, packet)
  return buf:len()
end

-- Said again by Wireshark when a preference changes.
local table_of_ports, listening = DissectorTable.get("udp.port"), {}
local tcp_ports, tcp_port = DissectorTable.get("tcp.port"), 0
local function listen()
  for _, port in ipairs(listening) do table_of_ports:remove(port, proto) end
  listening = {}
  for _, port in ipairs({proto.prefs.order_port, proto.prefs.feed_port, proto.prefs.request_port}) do
    if port ~= 0 then
      table_of_ports:add(port, proto)
      listening[#listening + 1] = port
    end
  end
  if tcp_port ~= 0 then tcp_ports:remove(tcp_port, over_tcp) end
  tcp_port = proto.prefs.order_port
  if tcp_port ~= 0 then tcp_ports:add(tcp_port, over_tcp) end
end
proto.prefs_changed = listen
listen()
