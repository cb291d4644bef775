// One message of a client to the exchange, before it has a frame: what flows are made of. Plain data; flow, load
// generator and benchmarks turn it into frames or commands.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>

#include "engine/command.hpp"
#include "engine/types.hpp"

namespace crosswire {

struct FlowMessage {
  TimeNs time_ns;
  CommandKind kind;  // enter, replace, cancel or modify
  SessionId session;
  SymbolId symbol;               // enter
  UserRefNum user_ref_num;       // enter, replace: the new number. cancel, modify: the order meant
  UserRefNum orig_user_ref_num;  // replace
  Price price;                   // enter, replace
  Quantity quantity;          // as in OUCH: replace, cancel, modify: of the whole chain, executions included (WIRE 3.1)
  Side side;                  // enter, modify
  TimeInForce time_in_force;  // enter, replace
  std::uint64_t cl_ord_id;    // enter, replace: the ClOrdId in plain decimal, at most kMaxClOrdId
};

/// Fourteen digits, what OUCH's ClOrdId holds.
inline constexpr std::uint64_t kMaxClOrdId = 99'999'999'999'999;

inline std::array<char, 14> cl_ord_id_text(std::uint64_t number) {
  std::array<char, 14> text;
  text.fill(' ');
  std::to_chars(text.data(), text.data() + text.size(), number);
  return text;
}

/// The command that receive would make of it, but for its number and slot: EngineBox::prepare() gives these.
inline Command command_of(const FlowMessage& message) {
  Command command{};
  command.time_ns = message.time_ns;
  command.kind = message.kind;
  command.flags = kLastOfBurst;
  command.session = message.session;
  command.symbol = message.symbol;
  command.order = {.order = kNoOrder,
                   .user_ref_num = message.user_ref_num,
                   .orig_user_ref_num = message.orig_user_ref_num,
                   .price = message.price,
                   .quantity = message.quantity,
                   .side = message.side,
                   .time_in_force = message.time_in_force,
                   .user_ref_idx = 0,
                   .display = Display::visible,
                   .min_quantity = 0,
                   .expire_seconds = 0,
                   .post_only = PostOnly::no,
                   .cross_type = CrossType::continuous,
                   .stay_on_disconnect = StayOnDisconnect::unsaid,
                   .self_trade = SelfTrade::unsaid,
                   .reserved = {}};
  return command;
}

}  // namespace crosswire
