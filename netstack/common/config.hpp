// What the netstack's stages have to know before they start. Plain values in host byte order, checked by
// app/config/config.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/types.hpp"

namespace crosswire {

using MacAddress = std::array<std::uint8_t, 6>;

/// IPv4 addresses an account may log in from.
struct AddressRange {
  std::uint32_t address;  // host byte order
  std::uint8_t prefix;    // 0 .. 32 leading bits that count
};

/// A trading firm's account: SessionId n is NetConfig::accounts[n].
struct AccountConfig {
  std::string user;      // 1 .. 6 characters, unique without regard to case (WIRE 1.3)
  std::string password;  // 0 .. 10 characters
  std::array<char, 4> firm;
  std::vector<AddressRange> sources;      // empty: from anywhere
  bool over_udp = true, over_tcp = true;  // how it may log in
};

/// An account's session that other sources take over more often than so many times in the time is barred to further
/// ones for as long again: two copies of one client would evict each other for ever.
inline constexpr std::size_t kMostTakeovers = 3;
inline constexpr TimeNs kTakeoversNs = 10 * kNsPerSecond;
/// Logins of one account that are believed, at once and in a second: each end of a session may walk over all orders of
/// its account, and all others wait.
inline constexpr std::uint32_t kLoginsAtOnce = 100, kLoginsPerSecond = 20;

/// Behind the day's end it is said again at each multiple of this, as long as the port lingers.
inline constexpr TimeNs kEndRepeatNs = kNsPerSecond;

struct NetConfig {
  MacAddress mac{};
  std::uint32_t address = 0;         // our IPv4 address
  std::vector<std::uint16_t> vlans;  // accepted 802.1Q ids; empty: untagged frames only. Answers use the asker's tag
  std::uint16_t feed_vlan = 0;       // tag of feed datagrams, 0 = untagged

  std::uint16_t order_port = 26400;  // over UDP: WIRE 7
  std::uint16_t tcp_port = 0;        // over TCP: SoupBinTCP (WIRE 1); 0 = none
  // Of TCP's sequence numbers (RFC 6528): nobody else may know it. Filled in at the start.
  std::array<std::uint64_t, 2> tcp_secret{};
  // In a replay sessions over TCP end where the recording says so, and no frame is taken before all earlier ones are
  // answered.
  bool replays = false;
  std::uint32_t feed_group = 0xEFC00001;  // 239.192.0.1
  std::uint16_t feed_port = 26477;
  std::uint16_t feed_request_port = 26478;  // re-requests of the feed; answers come from it
  std::uint8_t feed_ttl = 1;
  bool feed_enabled = true;  // false: nothing goes to the group, and re-requests have no answer

  std::string order_session;  // 10 characters (WIRE 2), of all order sessions
  std::string feed_session;   // 10 characters
  std::vector<AccountConfig> accounts;
  std::vector<PhaseChange> schedule;  // of the day, rising times
  TimeNs start_ns = 0;                // time of day_start
  TimeNs linger_ns = 0;               // between day_end and run_end, unless a recording says otherwise

  TimeNs silence_ns = 15 * kNsPerSecond;          // a client not heard for this long is gone (WIRE 7)
  TimeNs heartbeat_ns = kNsPerSecond;             // after this long without sending
  TimeNs login_ns = 5 * kNsPerSecond;             // a TCP connection without a login for this long is closed (WIRE 1.3)
  std::uint32_t strangers = 64;                   // TCP connections that wait for their login, at most; the oldest goes
  std::uint32_t messages_kept = 1u << 16;         // per order session, for re-requests; a power of two
  std::uint32_t feed_messages_kept = 1u << 20;    // a power of two
  std::uint32_t failed_logins_per_second = 10;    // answered; more are dropped
  std::uint32_t feed_requests_per_second = 1000;  // answered in all; more are dropped
  std::uint32_t pings_per_second = 100;           // ICMP echo, answered in all; more are dropped
  std::uint32_t strangers_told_per_second = 100;  // who sends without a session is told, in all; more are not
  // Re-requests of order sessions that are answered: of one account, and for all the bytes of the answers' frames, at
  // their longest. A tenth of it at once; more are dropped.
  std::uint32_t order_requests_per_second = 100;
  std::uint32_t order_resend_bytes_per_second = 12'500'000;  // 1 % of 10 Gbit/s
};

}  // namespace crosswire
