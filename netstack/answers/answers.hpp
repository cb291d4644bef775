// Answers: an event and its order's cold lines in, OUCH messages out (WIRE 3), and for whom each is. Streams, numbers
// and frames are the caller's.
// transmit runs it, and may not be alone: pure functions over bytes, in sight of who calls them, because an answer is
// written on the way of every order.
//
//   event                   messages                                          for whom
//   accepted, replaced      A, U                                              the order's session
//   canceled, modified      C, M                                              the order's session
//   prevented               D                                                 the order's session
//   rejected                J                                                 the event's session
//   refused                 I                                                 the order's session
//   account                 Q, which may wait for others of its burst         the event's session
//   mass_cancel .. enable   X, G, K                                           the event's session
//   executed                E, liquidity R; then E, A or hidden J             aggressor, then resting order
//   crossed                 E, E, liquidity O, C or H of the cross            buyer, then seller
//   system 'S', 'E'         S                                                 every session
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "engine/event.hpp"
#include "engine/order.hpp"
#include "netstack/answers/appendage.hpp"
#include "netstack/wire/bytes.hpp"
#include "netstack/wire/ouch.hpp"
#include "netstack/wire/ouch_codes.hpp"

namespace crosswire::answers {

// ---- Messages -------------------------------------------------------------------------------------------------------
// Each writes one message at `at`, where there is room for kMaxBytes, and returns its length.

/// The message that `make` returns, made at `at`, and its options.
template <class Make>
[[gnu::always_inline]] inline std::size_t put(std::uint8_t* at, Make make, const Options& options) {
  wire::build_at(at, make);
  return put_options<std::invoke_result_t<Make>>(at, options);
}

/// Accepted or Replaced: the order as it is now, and the options that it was taken with.
template <class Message>
[[gnu::always_inline]] inline std::size_t write_order(std::uint8_t* at, const Event& event, const OrderAsked& asked,
                                                      const OrderResolved& resolved) {
  const OrderEvent& order = event.order;
  Message& message = wire::overlay<Message>(at);
  message.type = Message::kType;
  message.timestamp = event.time_ns;
  if constexpr (std::is_same_v<Message, wire::ouch::OrderReplaced>)
    message.orig_user_ref_num = order.user_ref_num.value;
  message.user_ref_num = asked.user_ref_num.value;
  message.side = static_cast<char>(order.side);
  message.quantity = order.quantity;
  message.symbol = resolved.symbol_name;
  message.price = order.price.value;
  message.time_in_force = static_cast<char>(asked.time_in_force);
  // As accepted: an order for a cross is never shown.
  message.display = resolved.cross_type == 'N' ? asked.display : static_cast<char>(Display::hidden);
  message.order_ref = order.ref.value;
  message.capacity = resolved.capacity;
  message.iso = asked.iso;
  message.cross_type = resolved.cross_type;
  message.order_state = order.code;
  message.cl_ord_id = asked.cl_ord_id;
  return put_options<Message>(at, {.firm = resolved.kept.firm_given ? resolved.firm : kNoFirm,
                                   .min_quantity = asked.min_quantity,
                                   .kept = resolved.kept,
                                   .group_given = resolved.kept.group_id != 0,
                                   .user_ref_idx = asked.user_ref_idx});
}

inline std::size_t write_canceled(std::uint8_t* at, const Event& event, const OrderAsked& asked) {
  return put(at,
             [&] {
               return wire::ouch::OrderCanceled{.timestamp = event.time_ns,
                                                .user_ref_num = event.order.user_ref_num.value,
                                                .quantity = event.order.quantity,
                                                .reason = event.order.code};
             },
             {.user_ref_idx = asked.user_ref_idx});
}

inline std::size_t write_modified(std::uint8_t* at, const Event& event, const OrderAsked& asked) {
  return put(at,
             [&] {
               return wire::ouch::OrderModified{.timestamp = event.time_ns,
                                                .user_ref_num = event.order.user_ref_num.value,
                                                .side = static_cast<char>(event.order.side),
                                                .quantity = event.order.open};
             },
             {.user_ref_idx = asked.user_ref_idx});
}

inline std::size_t write_prevented(std::uint8_t* at, const Event& event, const OrderAsked& asked) {
  const Prevention& prevention = event.prevention;
  const auto resting = wire::ouch::Liquidity::added;
  return put(at,
             [&] {
               return wire::ouch::AiqCanceled{
                   .timestamp = event.time_ns,
                   .user_ref_num = prevention.user_ref_num.value,
                   .decrement = prevention.quantity,
                   .reason = 'Q',
                   .prevented = prevention.would,
                   .execution_price = prevention.price.value,
                   .liquidity = static_cast<char>(prevention.resting ? resting : wire::ouch::Liquidity::removed),
                   .aiq_strategy = static_cast<char>(prevention.action)};
             },
             {.user_ref_idx = asked.user_ref_idx});
}

inline std::size_t write_cancel_rejected(std::uint8_t* at, const Event& event, const OrderAsked& asked) {
  return put(at,
             [&] {
               return wire::ouch::CancelReject{.timestamp = event.time_ns,
                                               .user_ref_num = event.order.user_ref_num.value};
             },
             {.user_ref_idx = asked.user_ref_idx});
}

/// `asked`: of the order, nullptr where none was asked for.
inline std::size_t write_rejected(std::uint8_t* at, const Event& event, const OrderAsked* asked) {
  const wire::alpha<14> no_cl_ord_id{std::string_view{}};
  return put(at,
             [&] {
               return wire::ouch::Rejected{
                   .timestamp = event.time_ns,
                   .user_ref_num = event.order.user_ref_num.value,
                   .reason = event.reject,
                   .cl_ord_id = asked == nullptr ? no_cl_ord_id : wire::alpha<14>{asked->cl_ord_id}};
             },
             {.user_ref_idx = asked == nullptr ? event.order.user_ref_idx : asked->user_ref_idx});
}

inline std::size_t write_account(std::uint8_t* at, const Event& event) {
  return put(at,
             [&] {
               return wire::ouch::AccountQueryResponse{.timestamp = event.time_ns,
                                                       .next_user_ref_num = event.order.user_ref_num.value};
             },
             {.user_ref_idx = event.order.user_ref_idx});
}

/// The symbol as asked: blank where it was all of them. So are Side and GroupID, left out where they were.
inline std::size_t write_mass_cancel(std::uint8_t* at, const Event& event) {
  const FirmAsk& firm = event.firm;
  return put(at,
             [&] {
               return wire::ouch::MassCancelResponse{.timestamp = event.time_ns,
                                                     .user_ref_num = firm.user_ref_num.value,
                                                     .firm = firm.firm,
                                                     .symbol = firm.symbol_name};
             },
             {.kept = {.group_id = firm.group_id},
              .group_given = firm.group_given,
              .side = firm.side,
              .user_ref_idx = firm.user_ref_idx});
}

/// Disable or Enable Order Entry Response.
template <class Message>
std::size_t write_switch(std::uint8_t* at, const Event& event) {
  const FirmAsk& firm = event.firm;
  return put(
      at,
      [&] { return Message{.timestamp = event.time_ns, .user_ref_num = firm.user_ref_num.value, .firm = firm.firm}; },
      {.user_ref_idx = firm.user_ref_idx, .kills = firm.kills});
}

/// `asked`: of the one of both orders that is told.
inline std::size_t write_execution(std::uint8_t* at, const Event& event, const OrderAsked& asked,
                                   wire::ouch::Liquidity liquidity) {
  return put(at,
             [&] {
               return wire::ouch::OrderExecuted{.timestamp = event.time_ns,
                                                .user_ref_num = asked.user_ref_num.value,
                                                .quantity = event.execution.quantity,
                                                .price = event.execution.price.value,
                                                .liquidity = static_cast<char>(liquidity),
                                                .match_number = event.execution.match.value};
             },
             {.user_ref_idx = asked.user_ref_idx});
}

inline std::size_t write_system(std::uint8_t* at, const Event& event) {
  return put(at, [&] { return wire::ouch::SystemEvent{.timestamp = event.time_ns, .event = event.system.event}; }, {});
}

/// What was there to execute against.
inline wire::ouch::Liquidity liquidity_of_resting(const OrderAsked& asked) {
  const bool hidden = asked.display == static_cast<char>(Display::hidden);
  return hidden ? wire::ouch::Liquidity::added_non_displayed : wire::ouch::Liquidity::added;
}

inline wire::ouch::Liquidity liquidity_of_cross(char cross_type) {
  switch (cross_type) {
    case 'O':
      return wire::ouch::Liquidity::opening_cross;
    case 'C':
      return wire::ouch::Liquidity::closing_cross;
    default:
      return wire::ouch::Liquidity::halt_ipo_cross;
  }
}

// ---- Events ---------------------------------------------------------------------------------------------------------

/// Whom an answer is for, where it is not one session.
struct EverySession {};

/// Whom an answer is for that may share a datagram with others like it: nobody waits for it as for an order's.
struct Sharing {
  SessionId session;
};

/// Writes a Message, as each() says. It is kUsualBytes long where it has no options, as most, and never shorter.
template <class Message, class Write>
struct Writing {
  static constexpr std::size_t kUsualBytes =
      sizeof(Message) + (Message::kAppendage == wire::ouch::Appendage::always ? sizeof(wire::be16) : 0);
  Write write;
  [[gnu::always_inline]] std::size_t operator()(std::uint8_t* at) const { return write(at); }
};
template <class Message, class Write>
constexpr Writing<Message, Write> writing(Write write) {
  return {write};
}

// What each() says of one event. Each on its own: in one function with the others, the compiler writes none in place.
// `take` is as small as a pointer, so that it needs no place in memory.

/// Answers the event's session with what `write(at, event)` writes.
template <class Message, auto write, class Take>
[[gnu::noinline]] bool answer_session(const Event& event, Take take) {
  return take(event.session, event, writing<Message>([&](std::uint8_t* at) { return write(at, event); }));
}

/// The same with an answer that may share a datagram.
template <class Message, auto write, class Take>
[[gnu::noinline]] bool answer_sharing(const Event& event, Take take) {
  return take(Sharing{event.session}, event, writing<Message>([&](std::uint8_t* at) { return write(at, event); }));
}

/// Answers the order's session with what `write(at, event, asked)` writes.
template <class Message, auto write, class Take>
[[gnu::noinline]] bool answer_owner(const Event& event, const Orders& orders, Take take) {
  const OrderAsked& asked = orders.asked(event.order.order);
  return take(asked.session, event, writing<Message>([&](std::uint8_t* at) { return write(at, event, asked); }));
}

template <class Message, class Take>
[[gnu::noinline]] bool answer_order(const Event& event, const Orders& orders, Take take) {
  const OrderAsked& asked = orders.asked(event.order.order);
  const OrderResolved& resolved = orders.resolved(event.order.order);
  return take(asked.session, event,
              writing<Message>([&](std::uint8_t* at) { return write_order<Message>(at, event, asked, resolved); }));
}

/// Of a rejected order only line 0 is written: a Replace never got its line 1. What asks for no order has none.
template <class Take>
[[gnu::noinline]] bool answer_rejected(const Event& event, const Orders& orders, Take take) {
  const OrderIndex order = event.order.order;
  const OrderAsked* const asked = order == kNoOrder ? nullptr : &orders.asked(order);
  return take(event.session, event,
              writing<wire::ouch::Rejected>([&](std::uint8_t* at) { return write_rejected(at, event, asked); }));
}

template <class Take>
[[gnu::noinline]] bool answer_execution(const Event& event, const Orders& orders, OrderIndex order,
                                        wire::ouch::Liquidity liquidity, Take take) {
  const OrderAsked& asked = orders.asked(order);
  return take(asked.session, event, writing<wire::ouch::OrderExecuted>([&](std::uint8_t* at) {
                return write_execution(at, event, asked, liquidity);
              }));
}

/// Both sides of it; `done` as in each().
template <class Take>
bool answer_both(const Event& event, const Orders& orders, wire::ouch::Liquidity first, wire::ouch::Liquidity second,
                 std::size_t& done, Take take) {
  if (done == 0) {
    if (!answer_execution(event, orders, event.execution.order, first, take)) return false;
    done = 1;
  }
  return answer_execution(event, orders, event.execution.resting, second, take);
}

template <class Take>
[[gnu::noinline]] bool answer_all(const Event& event, Take take) {
  const char letter = event.system.event;
  if (letter != 'S' && letter != 'E') return true;
  return take(EverySession{}, event,
              writing<wire::ouch::SystemEvent>([&](std::uint8_t* at) { return write_system(at, event); }));
}

/// The answers to an event, in their order: one, or both sides' of an execution. Calls `take(whom, event, write)` for
/// each: `whom` is a SessionId, EverySession{} or Sharing{}, and `write(at)` writes the message at `at`, where there is
/// room for kMaxBytes, and returns its length; take() may call it more than once. It is a Writing. If take() returns
/// false, so does each(), and with the same `done`, which is 0 for a new event, it goes on later with the very answer.
/// An event of a kind that has no answers goes to `otherwise(event)`, whose result is each()'s: so the kind is looked
/// at once. Of `orders` only cold lines of orders that the event names are read.
template <class Take, class Otherwise>
bool each(const Event& event, const Orders& orders, std::size_t& done, Take take, Otherwise otherwise) {
  namespace ouch = wire::ouch;
  switch (event.kind) {
    case EventKind::accepted:
      return answer_order<ouch::OrderAccepted>(event, orders, take);
    case EventKind::replaced:
      return answer_order<ouch::OrderReplaced>(event, orders, take);
    case EventKind::canceled:
      return answer_owner<ouch::OrderCanceled, write_canceled>(event, orders, take);
    case EventKind::modified:
      return answer_owner<ouch::OrderModified, write_modified>(event, orders, take);
    case EventKind::prevented:
      return answer_owner<ouch::AiqCanceled, write_prevented>(event, orders, take);
    case EventKind::rejected:
      return answer_rejected(event, orders, take);
    case EventKind::refused:
      return answer_owner<ouch::CancelReject, write_cancel_rejected>(event, orders, take);
    case EventKind::account:
      return answer_sharing<ouch::AccountQueryResponse, write_account>(event, take);
    case EventKind::mass_cancel:
      return answer_session<ouch::MassCancelResponse, write_mass_cancel>(event, take);
    case EventKind::disable:
      return answer_session<ouch::DisableOrderEntryResponse, write_switch<ouch::DisableOrderEntryResponse>>(event,
                                                                                                            take);
    case EventKind::enable:
      return answer_session<ouch::EnableOrderEntryResponse, write_switch<ouch::EnableOrderEntryResponse>>(event, take);
    case EventKind::executed: {
      const OrderAsked& resting = orders.asked(event.execution.resting);
      return answer_both(event, orders, ouch::Liquidity::removed, liquidity_of_resting(resting), done, take);
    }
    case EventKind::crossed: {
      const ouch::Liquidity liquidity = liquidity_of_cross(event.cross_type);
      return answer_both(event, orders, liquidity, liquidity, done, take);
    }
    case EventKind::system:
      return answer_all(event, take);
    default:
      return otherwise(event);
  }
}

}  // namespace crosswire::answers
