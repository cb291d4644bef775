// The event: what the match stage says happened. 64 bytes, one cache line, no pointers.
// Written by match into the EventRing; read by transmit (answers), publish (feed), later shadow. An order's identity is
// in its cold lines (engine/order.hpp), which stay readable until every gating reader has passed the order's last
// event.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>

#include "engine/command.hpp"
#include "engine/types.hpp"

namespace crosswire {

enum class EventKind : std::uint8_t {
  none = 0,
  //             OUCH to the client        ITCH on the feed                     body
  accepted,    // A                         by FeedAction: none or add           OrderEvent
  rested,      // -                         add: what executions left over       OrderEvent
  replaced,    // U                         replace; or remove, then rested      OrderEvent
  canceled,    // C                         reduce or remove (none: never rested) OrderEvent
  modified,    // M                         reduce or none                       OrderEvent
  prevented,   // D                         reduce or remove (none: never rested) Prevention
  rejected,    // J                         -                                    OrderEvent
  refused,     // I: a Cancel or Modify     -                                    OrderEvent
  account,     // Q                         -                                    OrderEvent
  executed,    // E to both                 E of the resting order, hidden: P    Execution
  crossed,     // E to both                 C of each displayed (printable N)    Execution
  cross_done,  // -                         Q                                    CrossEvent
  imbalance,   // -                         I                                    CrossEvent
  phase,       // -                         H of one symbol                      PhaseEvent
  system,      // S to all at 'S' and 'E'   S                                    SystemEvent
  halt_level,  // -                         W                                    HaltLevel
  declines,    // -                         V                                    Declines
  directory,   // -                         R of one symbol                      nothing
  burst_end,   // -                         -   only carries kLastOfBurst        nothing
  operated,    // -                         -   to the operator who asked        Operated
  configured,  // -                         -   to who has reloaded              Configured
  // Granted; body of the command of the same name, unchanged. What mass_cancel cancels follows.
  mass_cancel,  // X                        -                                    FirmAsk
  disable,      // G                        -                                    FirmAsk
  enable,       // K                        -                                    FirmAsk
  // Passed on from the command of the same name, body unchanged.
  tick,
  session_open,
  session_close,
  login_reject,
  resend,
  feed_resend,
  arp_reply,
  echo_reply,
  day_end,  // the trading day is over
  run_end,  // the last event of a run
  // Defined with their commands; match makes none yet.
  resumed,
  busted,
};

/// Who of its readers has something to do with an event; the other passes it over. A kind that match makes none of is
/// nobody's: who is told of one stops (CHECK).
enum class EventFor : std::uint8_t { nobody, neither, transmit, publish, both };

/// By number of the kind.
inline constexpr auto kEventFor = [] {
  std::array<EventFor, std::size_t{static_cast<std::size_t>(EventKind::busted)} + 1> of{};
  using enum EventKind;
  const auto set = [&of](EventFor who, std::initializer_list<EventKind> kinds) {
    for (const EventKind kind : kinds) of[static_cast<std::size_t>(kind)] = who;
  };
  set(EventFor::neither, {burst_end, run_end});
  set(EventFor::transmit, {rejected, refused, account, mass_cancel, disable, enable, operated, configured, session_open,
                           session_close, login_reject, resend, arp_reply, echo_reply});
  set(EventFor::publish, {rested, cross_done, imbalance, phase, halt_level, declines, directory, feed_resend});
  set(EventFor::both, {accepted, replaced, canceled, modified, prevented, executed, crossed, system, tick, day_end});
  return of;
}();

/// For the reader `reader` (transmit or publish) to pass over what it has no case for.
constexpr bool is_only_for_others(EventKind kind, EventFor reader) {
  const EventFor who = kEventFor[static_cast<std::size_t>(kind)];
  return who != EventFor::nobody && who != EventFor::both && who != reader;
}

/// What the feed has to say of an OrderEvent.
enum class FeedAction : std::uint8_t {
  none,
  add,      // ITCH A, attributable F: `ref`, `open` shares at `price`
  reduce,   // ITCH X: `quantity` shares off `ref`
  remove,   // ITCH D: of `ref`; for replaced: of `old_ref`
  replace,  // ITCH U: `old_ref` dies, `ref` has `open` shares at `price`
};

struct OrderEvent {
  OrderIndex order;         // whose cold lines name session, UserRefNum, ClOrdId. kNoOrder: account, a firm's rejected
  Price price;              // accepted, rested, replaced: the limit
  Quantity quantity;        // accepted: as entered. canceled, modified: canceled now. Else open
  Quantity open;            // left open after this event
  OrderRef ref;             // of `order`
  OrderRef old_ref;         // replaced: of the original
  UserRefNum user_ref_num;  // account: next free. replaced: the original's. Else the order's own
  Side side;                // the order's present side
  char code;                // accepted, replaced: order state 'L' or 'D'. canceled: reason letter (WIRE 3.4)
  FeedAction feed;
  Channel user_ref_idx;  // where `order` is kNoOrder
};

/// Shares of an order that were taken off because they would have executed against one of its own group.
struct Prevention {
  OrderIndex order;
  Price price;        // of the resting order, at which they would have
  Quantity quantity;  // taken off now
  Quantity open;      // left open after this event
  OrderRef ref;       // of `order`
  Quantity would;     // shares that would have executed; at most `quantity`
  UserRefNum user_ref_num;
  Side side;
  SelfTrade action;  // that decided
  FeedAction feed;   // as OrderEvent's
  bool resting;      // the one that rested; else the one that arrived
  std::uint8_t reserved[4];
};

/// executed: `order` is the aggressor, `resting` the other. crossed: `order` is the buyer, `resting` the seller. The
/// reference of an order that was in the book and is not on the feed is 0.
struct Execution {
  OrderIndex order;
  OrderIndex resting;
  Price price;
  Quantity quantity;
  MatchNumber match;
  OrderRef ref;          // of `order`
  OrderRef resting_ref;  // of `resting`
};

struct CrossEvent {
  std::uint64_t paired;     // cross_done: shares executed. imbalance: shares that would
  std::uint64_t imbalance;  // imbalance: shares left unpaired at `price`
  MatchNumber match;        // cross_done: a number of its own
  Price price;              // of the cross, or indicative: of all orders; kNoPrice if nothing pairs
  Price far_price;          // imbalance: that of the orders for the cross alone; kNoPrice if none of them pair
  char direction;           // imbalance: letter of WIRE 5 `I`: B, S, N, O
  char cross_type;          // O opening, C closing, H any other
  std::uint8_t reserved[6];
};

struct PhaseEvent {
  Phase phase;
  Phase from;
  std::uint8_t reserved[38];
};

/// What came of an operator's command: Event::cause, of the symbol Event::symbol or all.
struct Operated {
  std::uint64_t request;
  Sequence done_by;       // the command that did it: the cause, or where it is a repeat the first with this request
  TimeNs done_ns;         // of done_by
  OrderIndex slot;        // whose cold lines say who asked now, and why
  OperatorAction action;  // as asked now
  OperatorResult result;  // like what follows, of done_by
  std::uint16_t changed;  // symbols, or accounts, that did what was wanted
  std::uint16_t held;     // symbols that stay halted by an operator, and enter the phase when they are resumed
  Phase phase;            // of the one symbol, behind done_by; of all: nothing
  std::uint8_t reserved0;
  std::uint32_t canceled;  // kill: orders that lived; they are cancelled, in turns
};

/// What came of a `configure`: Event::cause, Event::symbol as there.
struct Configured {
  std::uint64_t request;
  std::int64_t value;  // as asked; of a password nothing
  OrderIndex slot;     // whose cold lines say who, and why
  std::uint16_t of;
  ConfigRow row;
  std::uint8_t limit;
  OperatorResult result;
  std::uint8_t reserved[15];
};

struct SystemEvent {
  char event;  // letter of WIRE 5 `S`: O S Q M E C. Order sessions get OUCH `S` for 'S' (start of day) and 'E' (end of
               // day)
  std::uint8_t reserved[39];
};

/// All symbols are about to be halted: the market-wide circuit breaker's level that is reached.
struct HaltLevel {
  char level;  // 1, 2, 3
  std::uint8_t reserved[39];
};

/// The values of the index with which a market-wide circuit breaker's levels are reached: EngineConfig.
struct Declines {
  std::array<std::uint64_t, kMostHaltLevel> levels_e8;
  std::uint8_t reserved[16];
};

struct alignas(64) Event {
  Sequence cause;  // the command that caused it
  TimeNs time_ns;  // that command's time
  EventKind kind;
  std::uint8_t flags;  // kLastOfBurst, on the last event of a marked command
  SessionId session;   // order's or command's session where there is one, else kNoSession
  SymbolId symbol;
  union {
    std::uint16_t reject;  // rejected: reason of WIRE 3.4
    char cross_type;       // crossed: as CrossEvent::cross_type
  };
  union {
    OrderEvent order;
    FirmAsk firm;
    Prevention prevention;
    Execution execution;
    CrossEvent cross;
    PhaseEvent phase;
    SystemEvent system;
    HaltLevel halt_level;
    Declines declines;
    Peer peer;
    ResendAsk resend;
    EchoAsk echo;
    Operated operated;
    Configured configured;
    SessionEnd end;
    std::uint8_t body[40];
  };
};

static_assert(sizeof(OrderEvent) == 40 && sizeof(Prevention) == 40 && sizeof(Execution) == 40 &&
              sizeof(CrossEvent) == 40 && sizeof(PhaseEvent) == 40 && sizeof(SystemEvent) == 40 &&
              sizeof(HaltLevel) == 40 && sizeof(Declines) == 40 && sizeof(Operated) == 40 && sizeof(Configured) == 40);
static_assert(sizeof(Event) == 64 && offsetof(Event, body) == 24);
static_assert(std::is_trivially_copyable_v<Event>);

}  // namespace crosswire
