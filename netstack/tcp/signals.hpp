// What the two halves of TCP tell each other, each by a ring of its own (docs/architecture.md, "TCP"). The halves share
// no field: the receive half knows of the send half what has come through here, and the other way round.
#pragma once

#include <array>
#include <cstdint>

#include "hugepages/base/cache_line.hpp"
#include "hugepages/rings/spsc_ring.hpp"
#include "netstack/common/config.hpp"
#include "netstack/tcp/config.hpp"
#include "netstack/tcp/segment.hpp"

namespace crosswire::tcp {

/// The other end of a connection. Host byte order; vlan 0 = untagged.
struct Remote {
  std::uint32_t address;
  std::uint16_t port;
  std::uint16_t vlan;
  MacAddress mac;
};

/// Why a connection is gone.
enum class EndReason : std::uint8_t {
  none,
  finished,          // both sides have closed
  reset,             // by the peer's RST
  refused,           // an RST answered our SYN
  silent,            // the peer did not answer for TcpConfig::silence_ns
  unresolved,        // nobody has the address (ARP)
  unreachable,       // an ICMP error answered our SYN
  aborted,           // by us
  fell_behind,       // by us: it has not taken what is about to be overwritten
  data_after_close,  // the peer sends to who has closed
  reused,            // the peer has opened it anew: out of TIME-WAIT, or right behind its RST
};
inline constexpr std::array kEndReasonWords = {"open",        "finished",         "reset by peer", "refused",
                                               "silent",      "no such address",  "unreachable",   "aborted",
                                               "fell behind", "data after close", "opened anew"};

/// Numbers that a service gives to what it was handed: an acknowledgement of it leaves alone when the sender has passed
/// that number, or when it has waited long enough. kNoNumber: of nothing that would be answered.
inline constexpr std::uint64_t kNoNumber = ~std::uint64_t{0};

enum class ToSendKind : std::uint8_t {
  opening,    // a SYN was taken, or a cookie came back: the connection begins, in place of one in TIME-WAIT too
  segment,    // what a segment says to the send half
  holes,      // what of the stream has come out of order: for the SACK option, newest first
  moved,      // the peer's MAC or VLAN is another one
  answer,     // a segment of no connection: RST, or SYN and ACK with a cookie
  ended,      // the connection is dead to the receive half: an RST was taken, or is to be sent
  resolved,   // who has an address
  asked,      // who asks for ours (ARP)
  forgotten,  // the connection's place may be used again: the answer to ToReceiveKind::gone
};

// Bits of SegmentSignal::bits.
inline constexpr std::uint8_t kTakesAck = 1;       // `ack` is right, and was not taken before
inline constexpr std::uint8_t kRepeatsAck = 2;     // `ack` is the last one again
inline constexpr std::uint8_t kTakesWindow = 4;    // `window` is newer than the last
inline constexpr std::uint8_t kAckNow = 8;         // to be acknowledged at once
inline constexpr std::uint8_t kAckLater = 16;      // to be acknowledged, with an answer if there is one
inline constexpr std::uint8_t kPeerFinished = 32;  // the peer's FIN has been taken, in order
inline constexpr std::uint8_t kSynAgain = 64;      // the peer has not seen our SYN and ACK
inline constexpr std::uint8_t kEchoes = 128;       // ts_echo is meant

struct SegmentSignal {
  std::uint32_t ack;
  std::uint32_t window;          // of the peer, in bytes
  std::uint32_t receive_next;    // RCV.NXT
  std::uint32_t receive_window;  // from there on
  std::uint32_t ts_recent;
  std::uint32_t ts_echo;
  std::uint64_t covers;
  std::uint16_t bytes;  // of payload, of the largest
  std::uint8_t bits;
  std::uint8_t sacks;
  std::uint8_t segments;  // accepted, that this tells of: those of a burst that follow each other with nothing odd
  std::array<Range, 3> sack;
};

// Bits of OpeningSignal::bits.
inline constexpr std::uint8_t kWithTimestamps = 1;
inline constexpr std::uint8_t kWithSack = 2;
inline constexpr std::uint8_t kFromCookie = 4;  // no SYN and ACK is owed: it came back
inline constexpr std::uint8_t kToOurSyn = 8;    // the answer to a SYN of ours

struct OpeningSignal {
  Remote remote;
  std::uint16_t port;  // ours
  std::uint16_t mss;   // of the peer
  std::uint32_t iss;
  std::uint32_t receive_next;
  std::uint32_t receive_window;
  std::uint32_t window;
  std::uint32_t ts_recent;
  std::uint8_t receive_shift;  // of ours; kNoShift: none
  std::uint8_t bits;
  std::uint16_t turn;  // ToReceive::turn of all that is said of this connection
};

struct HolesSignal {
  std::array<Range, kMaxSackRanges> ranges;
  std::uint8_t count;
};

struct AnswerSignal {
  Remote remote;
  std::uint16_t port;
  std::uint16_t window;
  std::uint32_t sequence;
  std::uint32_t acknowledgement;
  std::uint8_t flags;
};

struct alignas(kCacheLine) ToSend {
  ToSendKind kind;
  EndReason reason = EndReason::none;  // of `ended`
  bool reset = false;                  // of `ended`: an RST is owed
  ConnectionId connection{};
  union {
    SegmentSignal segment;
    OpeningSignal opening;
    HolesSignal holes;
    Remote remote;  // of `moved`, `resolved` and `asked`
    AnswerSignal answer;
  };
};
static_assert(sizeof(ToSend) == 2 * kCacheLine || sizeof(ToSend) == kCacheLine);

enum class ToReceiveKind : std::uint8_t {
  opening,    // a SYN of ours is about to leave: segments of this connection are known from now on
  sent,       // up to this number all may be acknowledged, a moment before it leaves
  deaf,       // nobody listens any more: data is answered by an RST
  time_wait,  // both sides have closed
  gone,       // no segment of this connection is known any more
};

struct ToReceive {
  ToReceiveKind kind;
  EndReason reason;
  ConnectionId connection;
  std::uint32_t number;  // SND.NXT; of `opening` ISS
  std::uint32_t address;
  std::uint16_t port;  // the peer's
  std::uint16_t ours;
  // Which of the connections that have had this place. One in TIME-WAIT may be opened anew by its peer while its end is
  // on the way: that is then of another turn, and counts for nothing.
  std::uint16_t turn;
};
static_assert(sizeof(ToReceive) <= 32);

/// The rings between two halves. The arena outlives them.
struct Signals {
  explicit Signals(Arena& arena) : to_send(arena, kToSend), to_receive(arena, kToReceive) {}

  static constexpr std::uint64_t kToSend = 1024;
  static constexpr std::uint64_t kToReceive = 2048;
  static std::size_t bytes_for() {
    return SpscRing<ToSend>::bytes_for(kToSend) + SpscRing<ToReceive>::bytes_for(kToReceive);
  }

  SpscRing<ToSend> to_send;
  SpscRing<ToReceive> to_receive;
};

}  // namespace crosswire::tcp
