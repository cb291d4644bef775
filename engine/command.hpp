// The command: what the receive stage asks of the match stage. 64 bytes, one cache line, no pointers.
// Written by receive into the CommandRing; read by match (and later by journal and replicate).
// Everything that makes an output, an answer to a ping included, is a command: so output is a pure function of the
// command sequence, whatever cores the stages run on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
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
  phase,      // of the schedule
  tick,       // time has reached the next point of the tick grid (kTickIntervalNs)
  day_start,  // the first command of a run
  day_end,    // nothing trades any more; who asks for what he has missed is still answered
  run_end,    // behind day_end and its linger: the last command of a run
  // An operator's, never a frame's from the wire. Body: OperatorAsk.
  operate,
  configure,  // a row of the configuration changes. Body: ConfigureAsk
  // What the engine only passes on, body unchanged, so that it leaves in its place in the sequence.
  // A session's end, and a takeover, may cancel its account's orders behind it (EngineConfig::cancel_on).
  session_open,   // a login was accepted.     Body: Peer
  session_close,  // a session has ended.      Body: SessionEnd
  login_reject,   // a login was refused.      Body: Peer (Peer::code says why)
  resend,         // order session re-request. Body: ResendAsk
  feed_resend,    // feed re-request.          Body: ResendAsk (with the peer to answer)
  arp_reply,      // Body: Peer
  echo_reply,     // ICMP echo.                Body: EchoAsk
  // Defined so that the record need not change; but for `turn`, no stage makes them yet, and match stops at one
  // (CHECK).
  resumed,  // the downtime between two runs of one day is over. Body: Downtime
  turn,     // jobs go on (engine/jobs.hpp).                     Body: nothing
  bust,     // an execution is undone.                           Body: BustAsk
};

/// Timers are commands too: receive emits a tick at each multiple of this, before anything of the same or a later time.
inline constexpr TimeNs kTickIntervalNs = 100'000'000;
/// And a turn at each multiple of this while a job may be open (engine/jobs.hpp).
inline constexpr TimeNs kTurnIntervalNs = 100'000;

/// Command::flags and Event::flags.
inline constexpr std::uint8_t kLastOfBurst = 1;  // feed datagrams close after it
/// Command::flags: an Enter or Replace that asks for nothing rare (is_plain), which lets match ask for nothing rare
/// either.
inline constexpr std::uint8_t kPlain = 2;
/// Command::flags: the quantity of a Replace is what is to be open, instead of that and what its original has executed.
/// For callers of the engine as a library, who need no count then; receive never sets it.
inline constexpr std::uint8_t kQuantityIsOpen = 4;

/// Body of enter, replace, cancel, modify, account_query. Fields that a kind does not use are zero. Single fields are
/// in range, or Command::reject says why not; what they mean together is the engine's to judge.
struct OrderAsk {
  OrderIndex order;              // enter, replace: the slot receive took; its cold lines are written. Else kNoOrder
  UserRefNum user_ref_num;       // enter, replace: the new number. cancel, modify: the order meant
  UserRefNum orig_user_ref_num;  // replace: the order to replace
  Price price;                   // enter, replace: the limit, or kMarketPrice
  Quantity quantity;             // as on the wire, unchecked: WIRE 3.3
  Side side;                     // enter, modify. replace: the new one, or kNoSide
  TimeInForce time_in_force;     // enter, replace
  Channel user_ref_idx;          // the channel that the numbers belong to (WIRE 3.1)
  Display display;               // enter, replace
  Quantity min_quantity;         // enter, replace: shares that must execute at once, or none may; 0 = any
  std::uint32_t expire_seconds;  // enter, replace: life of a GTT order, 0 = not said; at most kMaxExpireSeconds
  PostOnly post_only;            // enter, replace
  CrossType cross_type;          // enter
  StayOnDisconnect stay_on_disconnect;  // replace. An Enter's decides by its cold lines
  SelfTrade self_trade;                 // enter, replace
  std::uint8_t reserved[4];
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
  bool kills;  // disable: until an operator allows the account again, and all of it is cancelled
  std::uint8_t reserved[18];
};

/// What an operator wants of one symbol, or of all; or of one account, or of all of a firm.
enum class OperatorAction : std::uint8_t {
  none = 0,
  halt,    // halted until resumed, or for a time, whatever the schedule says meanwhile but `closed`
  resume,  // ends such a halt: the phase that the schedule has by now
  phase,   // OperatorAsk::phase, as if the schedule said so
  kill,    // of accounts: no order is taken until allowed, whatever their clients say; those that live are cancelled
  allow,   // ends that
  reload,  // a row of the configuration changes: a command of its own, `configure`
};
inline constexpr OperatorAction kLastOperatorAction = OperatorAction::reload;
/// Whether it is about accounts; else about symbols.
constexpr bool is_about_accounts(OperatorAction action) {
  return action == OperatorAction::kill || action == OperatorAction::allow;
}

/// Of OperatorAsk. What is halted at the highest level is halted until resumed.
inline constexpr std::uint8_t kMostHaltLevel = 3;
inline constexpr std::uint32_t kMostHaltSeconds = 86'400;

/// What came of it.
enum class OperatorResult : std::uint8_t {
  none = 0,
  done,             // Operated::changed and ::held say for how many symbols
  unknown_symbol,   // no such symbol here
  halted_already,   // halt: all are halted by an operator
  not_halted,       // resume: none is halted by an operator
  other_request,    // the request number is that of another command, Operated::done_by
  unknown_account,  // no such account or firm here
  killed_already,   // kill: all are killed
  not_killed,       // allow: none is killed
  not_today,        // configure: not within a day
};
inline constexpr OperatorResult kLastOperatorResult = OperatorResult::not_today;

/// Body of operate. Command::symbol: which, or kAllSymbols.
struct OperatorAsk {
  std::uint64_t request;  // the operator's number of it; a repeat of one is answered and not done again
  OrderIndex slot;        // whose cold lines say who and why (engine/order.hpp: OperatorWho, OperatorWhy)
  OperatorAction action;
  Phase phase;             // of OperatorAction::phase
  OperatorResult refused;  // what receive found wrong with it, or none
  std::uint8_t level;      // halt of all: of a market-wide circuit breaker, 1 .. kMostHaltLevel; 0: of none
  SessionId account;       // kill, allow: the account, or kNoSession, and then
  FirmId firm;             // the firm; else kNoFirm
  std::uint32_t seconds;   // halt: so long, 1 .. kMostHaltSeconds; 0: until resumed
  std::uint8_t reserved[16];
};

/// Why a session has ended.
enum class SessionEndReason : std::uint8_t {
  none = 0,
  logout,       // the client's Logout Request
  reset,        // its connection was reset
  silence,      // nothing was heard of it
  cut,          // we cut it off: it did not read, or did what is not allowed
  takeover,     // another login took its place
  by_operator,  // an operator ended it
  recovery,     // the appliance was started anew
  end_of_day,
};

/// A TCP connection that carries a session or may come to: netstack/tcp/config.hpp has what the numbers are.
struct ConnectionRef {
  std::uint16_t place;  // in the table of connections
  std::uint16_t turn;   // which of those that have had the place

  friend bool operator==(const ConnectionRef&, const ConnectionRef&) = default;
};
inline constexpr ConnectionRef kNoConnection{0xFFFF, 0};

/// A set of reasons: bit n is that of enumerator n. `none` is in none.
using SessionEndReasons = std::uint16_t;
constexpr SessionEndReasons set_of(std::initializer_list<SessionEndReason> reasons) {
  SessionEndReasons set = 0;
  for (const SessionEndReason reason : reasons)
    set |= static_cast<SessionEndReasons>(1u << static_cast<unsigned>(reason));
  return set;
}
/// For which an account's orders go with its session, unless its configuration says otherwise.
inline constexpr SessionEndReasons kCancelOn =
    set_of({SessionEndReason::logout, SessionEndReason::reset, SessionEndReason::silence, SessionEndReason::cut,
            SessionEndReason::by_operator});

/// Body of session_close. Without a session it is a connection that ends, to which nobody has logged in.
struct SessionEnd {
  SessionEndReason reason;
  bool at_once;              // where there is no session: reset, because its place is needed
  ConnectionRef connection;  // where there is no session
  std::uint8_t reserved[34];
};

/// Body of resumed.
struct Downtime {
  TimeNs stopped_ns;  // time of the last command before it
  std::uint8_t reserved[32];
};

/// What of the configuration may change within a day, each row by a command of its own. `of`: ConfigureAsk::of.
enum class ConfigRow : std::uint8_t {
  none = 0,
  limit,           // of the account `of`: ConfigureAsk::limit, one of accounts; kNoLimit takes it away
  position_limit,  // the same of one symbol, position_long or position_short; kNoLimit: the account's holds again
  firm_limit,      // of the firm `of`: ConfigureAsk::limit, one of firms
  forbids,         // of the account: a set of OrderType
  self_trade,      // of the account: a SelfTrade, for orders that say none
  cancel_on,       // of the account: SessionEndReasons
  enabled,         // of the account: 1, or 0: none of its orders is taken, those that live are cancelled
  password,        // of the account. Not match's: it only answers it
  // Of the partition.
  looks_per_second,
  account_queries_per_second,
  max_fills_per_order,
  orders_per_account,
  levels_per_account,
};
inline constexpr ConfigRow kLastConfigRow = ConfigRow::levels_per_account;
constexpr bool is_of_account(ConfigRow row) {
  return row >= ConfigRow::limit && row <= ConfigRow::password && row != ConfigRow::firm_limit;
}

/// Body of configure. Command::symbol: of position_limit; else kNoSymbol.
struct ConfigureAsk {
  std::uint64_t request;  // the number of it
  std::int64_t value;     // from now on
  OrderIndex slot;        // whose cold lines say who and why (engine/order.hpp: OperatorWho, OperatorWhy)
  std::uint16_t of;       // SessionId or FirmId, by the row
  ConfigRow row;
  std::uint8_t limit;      // RiskLimit, where the row takes one
  OperatorResult refused;  // what receive found wrong with it, or none
  std::uint8_t reserved[15];
};

/// Body of bust.
struct BustAsk {
  MatchNumber match;
  OrderIndex slot;  // whose cold lines hold both sides
  std::uint8_t reserved[28];
};

/// Body of phase.
struct PhaseAsk {
  Phase phase;
  std::uint8_t reserved[39];
};

enum class Transport : std::uint8_t { udp, tcp };

/// Where an answer goes: the source of the frame that asked. Network values in host byte order.
struct Peer {
  std::uint8_t mac[6];
  std::uint16_t vlan;     // 802.1Q tag control's VLAN id, 0 = untagged
  std::uint32_t address;  // IPv4
  std::uint16_t port;     // UDP or TCP
  char code;              // login_reject: the reason letter of WIRE 1.1 `J`. session_open: 'T' if it takes over, else 0
  bool told;              // login_reject: to no login, but to who has sent without a session, who is told why.
                          // session_open that takes over: the source that had the session is told
  SessionEndReason ended;  // login_reject that is told: how its session ended; none if it never had one
  Transport transport;
  ConnectionRef connection;  // over TCP
  bool asks;                 // session_open over TCP: only whether `wanted` is kept (netstack/session/admission.hpp)
  std::uint8_t reserved0[1];
  std::uint64_t wanted;  // session_open over TCP: the first message that the client wants; 0 = the next one
  std::uint8_t reserved[8];
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
  std::uint8_t flags;    // kLastOfBurst, kPlain, kQuantityIsOpen
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
    OperatorAsk operate;
    SessionEnd end;
    Downtime downtime;
    ConfigureAsk configure;
    BustAsk bust;
    std::uint8_t body[40];
  };
};

/// Whether kPlain holds of an Enter or Replace: a limit order, day or IOC, displayed, on the session's own channel, for
/// continuous trading, with no condition, and nothing found wrong with it. Who makes the command asks it once.
inline bool is_plain(const Command& command) {
  const OrderAsk& ask = command.order;
  return command.reject == 0 && (ask.time_in_force == TimeInForce::day || ask.time_in_force == TimeInForce::ioc) &&
         ask.display != Display::hidden && ask.user_ref_idx == 0 && (ask.min_quantity | ask.expire_seconds) == 0 &&
         ask.post_only != PostOnly::yes && ask.cross_type == CrossType::continuous && ask.price != kMarketPrice;
}

static_assert(sizeof(OrderAsk) == 40 && sizeof(FirmAsk) == 40 && sizeof(PhaseAsk) == 40 && sizeof(Peer) == 40 &&
              sizeof(ResendAsk) == 40 && sizeof(EchoAsk) == 40 && sizeof(OperatorAsk) == 40 &&
              sizeof(SessionEnd) == 40 && sizeof(Downtime) == 40 && sizeof(ConfigureAsk) == 40 &&
              sizeof(BustAsk) == 40);
static_assert(sizeof(Command) == 64 && offsetof(Command, body) == 24);
static_assert(std::is_trivially_copyable_v<Command>);

}  // namespace crosswire
