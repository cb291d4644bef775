// What TCP has to know before it starts: sizes, times, limits, the secret. Plain values in host byte order.
// Where an RFC leaves a choice, the default here is the one for a few hundred long-lived sessions in one rack;
// docs/tcp-compliance.md has the reasons.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/types.hpp"
#include "hugepages/base/strong.hpp"
#include "netstack/common/limits.hpp"
#include "netstack/common/siphash.hpp"

namespace crosswire::tcp {

/// A connection's place in both halves' tables. It is given to another connection when the one before is forgotten.
struct ConnectionTag;
using ConnectionId = Strong<ConnectionTag, std::uint16_t>;

inline constexpr std::size_t kTcpHeaderBytes = 20;
/// What we offer as largest segment, and send at most: the port's MTU without both headers (RFC 9293 3.7.1).
inline constexpr std::uint16_t kOurMss = kMtu - kIpv4Bytes - kTcpHeaderBytes;
/// Of a peer that offers none (RFC 9293 MUST-15), and the least that is believed: smaller ones would make a peer's
/// window cost us a frame for a few bytes each.
inline constexpr std::uint16_t kDefaultMss = 536;
inline constexpr std::uint16_t kLeastMss = 64;
/// Timestamps in an option, with two bytes of padding (RFC 7323 appendix A).
inline constexpr std::size_t kTimestampBytes = 12;

struct TcpConfig {
  std::uint16_t connections = 512;       // at once, in all; 1 .. 32768
  std::uint16_t opened_by_us = 0;        // of these, kept for those that connect() opens
  std::uint16_t backlog = 64;            // peers' handshakes under way at once; the next get SYN cookies
  std::uint32_t receive_bytes = 65'536;  // a connection's window, and its memory; a power of two, 4 KiB .. 1 MiB
  std::vector<std::uint16_t> ports;      // where peers may connect

  TimeNs least_rto_ns = 60'000'000;         // RFC 6298 (2.4) has 1 s. Linux may hold a lone segment's ACK for 40 ms
  TimeNs first_rto_ns = kNsPerSecond;       // RFC 6298 (2.1)
  TimeNs most_rto_ns = 60 * kNsPerSecond;   // RFC 6298 (2.5)
  TimeNs peers_ack_delay_ns = 40'000'000;   // RFC 8985's max_ack_delay: what a probe of a lone segment waits
  TimeNs silence_ns = 15 * kNsPerSecond;    // so long unheard while we retransmit, and the peer is gone
  TimeNs ack_delay_ns = 50'000;             // RFC 9293 SHLD-18 allows 500 ms
  TimeNs time_wait_ns = 60 * kNsPerSecond;  // twice an MSL of 30 s
  TimeNs fin_wait_ns = 60 * kNsPerSecond;   // for the FIN of a peer to whom nobody listens any more
  // Polls of the send half so far apart: it was without its core, and its timers wait as long again for what has come
  // meanwhile. 0: never, as on virtual time.
  TimeNs standstill_ns = 0;
  TimeNs keepalive_ns = 0;  // idle so long, and the peer is asked once a second; 0: never (MUST-25)

  // In a replay: what the recorded run accepted has been sent, though maybe not yet here.
  bool replays = false;

  std::uint32_t resets_per_second = 1000;      // to who has no connection, in all; random as challenges are
  std::uint32_t cookies_per_second = 50'000;   // SYN cookies sent, in all
  std::uint32_t challenges_per_second = 1000;  // RFC 5961 section 7; each second a random half to one and a half
  TimeNs challenge_interval_ns = 500'000'000;  // between two of one connection

  SipKey secret;                                  // of sequence numbers, cookies and the table; nobody may know it
  std::optional<std::uint32_t> initial_sequence;  // of every connection: tests alone
};

/// The shift by which a window of so many bytes fits into 16 bits (RFC 7323 section 2).
constexpr std::uint8_t window_shift(std::uint32_t bytes) {
  std::uint8_t shift = 0;
  while (bytes >> shift > 0xFFFF) ++shift;
  return shift;
}

}  // namespace crosswire::tcp
