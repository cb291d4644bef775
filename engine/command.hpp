// The command: what the receive stage asks of the match stage. 64 bytes, one cache line, no pointers.
// Written by receive into the CommandRing; read by match (and later by journal and replicate).
// Everything that makes an output, an answer to a ping included, is a command: so output is a pure function of the
// command sequence, whatever cores the stages run on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/types.hpp"

namespace crosswire {

enum class CommandKind : std::uint8_t {
  none = 0,
  // Orders. Body: OrderAsk.
  enter,
  replace,
  cancel,
  modify,
  account_query,
  // A firm's order entry as a whole. Body: FirmAsk.
  mass_cancel,
  disable,
  enable,
  // The day. Body: PhaseAsk for phase, nothing for the others.
  phase,
  tick,       // time has reached the next point of the tick grid (kTickIntervalNs)
  day_start,  // the first command of a run
  day_end,    // the last command of a run
  // What the engine only passes on, body unchanged, so that it leaves in its place in the sequence.
  session_open,   // a login was accepted.     Body: Peer
  session_close,  // logout, silence.          Body: nothing
  login_reject,   // a login was refused.      Body: Peer (Peer::code says why)
  resend,         // order session re-request. Body: ResendAsk
  feed_resend,    // feed re-request.          Body: ResendAsk (with the peer to answer)
  arp_reply,      // Body: Peer
  echo_reply,     // ICMP echo.                Body: EchoAsk
};

/// Timers are commands too: receive emits a tick at each multiple of this, before anything of the same or a later time.
inline constexpr TimeNs kTickIntervalNs = 100'000'000;

/// Command::flags and Event::flags.
inline constexpr std::uint8_t kLastOfBurst = 1;  // feed datagrams close after it

/// Body of enter, replace, cancel, modify, account_query. Fields that a kind does not use are zero. Single fields are
/// in range, or Command::reject says why not; what they mean together is the engine's to judge.
struct OrderAsk {
  OrderIndex order;              // enter, replace: the slot receive took; its cold lines are written. Else kNoOrder
  UserRefNum user_ref_num;       // enter, replace: the new number. cancel, modify: the order meant
  UserRefNum orig_user_ref_num;  // replace: the order to replace
  Price price;                   // enter, replace
  Quantity quantity;             // as on the wire, unchecked: WIRE 3.3
  Side side;                     // enter, modify. replace: the new one, or kNoSide
  TimeInForce time_in_force;     // enter, replace
  Channel user_ref_idx;          // the channel that the numbers belong to (WIRE 3.1)
  Display display;               // enter, replace
  Quantity min_quantity;         // enter, replace: shares that must execute at once, or none may; 0 = any
  std::uint32_t expire_seconds;  // enter, replace: life of a GTT order, 0 = not said; at most kMaxExpireSeconds
  PostOnly post_only;            // enter, replace
  CrossType cross_type;          // enter
  std::uint8_t reserved[6];
};

/// Body of mass_cancel, disable, enable. Command::symbol: mass_cancel's, or kAllSymbols.
struct FirmAsk {
  UserRefNum user_ref_num;   // consumed, on `user_ref_idx`
  std::array<char, 4> firm;  // as on the wire; the account's own or blank, unless Command::reject says otherwise
  SymbolName symbol_name;    // mass_cancel: as on the wire; blank = all
  std::uint16_t group_id;    // mass_cancel: only orders of this group (0: without a group), if group_given
  bool group_given;
  Side side;  // mass_cancel: only orders so marked; kNoSide = all
  Channel user_ref_idx;
  std::uint8_t reserved[19];
};

/// Body of phase.
struct PhaseAsk {
  Phase phase;
  std::uint8_t reserved[39];
};

/// Where an answer goes: the source of the frame that asked. Network values in host byte order.
struct Peer {
  std::uint8_t mac[6];
  std::uint16_t vlan;     // 802.1Q tag control's VLAN id, 0 = untagged
  std::uint32_t address;  // IPv4
  std::uint16_t port;     // UDP
  char code;              // login_reject: the reason letter of WIRE 1.1 `J`. session_open: 'T' if it takes over, else 0
  std::uint8_t reserved[25];
};

/// Body of resend and feed_resend.
struct ResendAsk {
  std::uint64_t first;  // first message number wanted
  std::uint16_t count;  // how many
  std::uint8_t mac[6];  // feed_resend only, as Peer
  std::uint16_t vlan;
  std::uint16_t port;
  std::uint32_t address;
  std::uint8_t reserved[16];
};

/// Body of echo_reply: where receive put the ICMP message to send back (netstack/ip/echo_store.hpp).
struct EchoAsk {
  std::uint8_t mac[6];
  std::uint16_t vlan;
  std::uint32_t address;
  std::uint16_t slot;    // index in the EchoStore
  std::uint16_t length;  // bytes of the ICMP message
  std::uint8_t reserved[24];
};

struct alignas(64) Command {
  Sequence sequence;  // 1, 2, .. without gaps
  TimeNs time_ns;     // never falls
  CommandKind kind;
  std::uint8_t flags;    // kLastOfBurst
  SessionId session;     // orders, sessions, resend; else kNoSession
  SymbolId symbol;       // enter: the symbol asked for. phase, mass_cancel: which, or kAllSymbols
  std::uint16_t reject;  // orders and firms: reason (WIRE 3.4) that parsing found, 0 = none. The engine answers it
  union {
    OrderAsk order;
    FirmAsk firm;
    PhaseAsk phase;
    Peer peer;
    ResendAsk resend;
    EchoAsk echo;
    std::uint8_t body[40];
  };
};

static_assert(sizeof(OrderAsk) == 40 && sizeof(FirmAsk) == 40 && sizeof(PhaseAsk) == 40 && sizeof(Peer) == 40 &&
              sizeof(ResendAsk) == 40 && sizeof(EchoAsk) == 40);
static_assert(sizeof(Command) == 64 && offsetof(Command, body) == 24);
static_assert(std::is_trivially_copyable_v<Command>);

}  // namespace crosswire
