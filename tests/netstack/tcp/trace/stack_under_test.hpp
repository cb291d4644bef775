// What a trace drives: a TCP with its wire and its application, whoever made it. Tests only; standard library only.
// One thread calls it. Time is in nanoseconds since the stack began and never falls.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace crosswire::trace {

/// Who is on the wire, in host byte order. The stack has one station; a trace may speak for many peers.
inline constexpr std::uint32_t kStackAddress = 0x0A63'0001;  // 10.99.0.1
inline constexpr std::uint32_t kPeerAddress = 0x0A63'0064;   // 10.99.0.100, the peer that a trace does not name
inline constexpr std::uint8_t kStackMac[6] = {0x02, 0, 0, 0, 0, 0x01};
inline constexpr std::uint8_t kPeerMac[6] = {0x02, 0, 0, 0, 0, 0x64};  // of all peers

/// Both ends of a connection, as the stack sees them.
struct Connection {
  std::uint32_t peer_address = kPeerAddress;
  std::uint16_t peer_port = 0;
  std::uint16_t local_port = 0;
  auto operator<=>(const Connection&) const = default;
};

/// An Ethernet frame that the stack sent: without padding that a device would add, without the check sequence.
struct SentFrame {
  std::int64_t time_ns = 0;
  std::vector<std::uint8_t> bytes;
};

/// What a trace may ask of a stack before it begins; what it does not name is as shipped.
struct Options {
  std::optional<std::uint32_t> mtu;               // bytes of an IPv4 packet, 1500 where not said
  std::optional<std::uint32_t> connections;       // room of the connection table
  std::optional<std::uint32_t> backlog;           // handshakes that may be under way; then cookies
  std::optional<std::uint32_t> send_bytes;        // what the stack keeps of a connection until it is acknowledged
  std::optional<std::uint32_t> receive_bytes;     // largest window that it offers
  std::optional<std::int64_t> rto_floor_ns;       // least retransmission time-out
  std::optional<std::int64_t> keepalive_ns;       // silence before the first keepalive probe; 0: none
  std::optional<std::int64_t> time_wait_ns;       // how long TIME_WAIT lasts
  std::optional<std::uint32_t> challenges_per_s;  // challenge ACKs of one connection
  bool delayed_acks = false;                      // acknowledge every second full segment of bulk
  std::optional<std::uint32_t> wraps_within;      // initial sequence numbers lie at most so far below 2^32
};

/// The byte that stands at an offset of each stream that a trace's applications write, both ways. 251 is prime: a
/// shift by any power of two shows.
constexpr std::uint8_t pattern_at(std::uint64_t offset) { return static_cast<std::uint8_t>(offset % 251); }

class StackUnderTest {
 public:
  virtual ~StackUnderTest() = default;

  /// The machine's time, of a stack that cannot be given the trace's. None: time is what advance_to says, and exact.
  [[nodiscard]] virtual std::optional<std::int64_t> clock() const { return std::nullopt; }

  /// The frame arrives at the time last advanced to; the stack does all that it does at once before this returns.
  virtual void inject(std::span<const std::uint8_t> frame) = 0;
  /// All timers up to and at `now_ns` expire, each at its time and in order.
  virtual void advance_to(std::int64_t now_ns) = 0;
  /// What was sent since the last call, in order; ARP and ICMP as well.
  [[nodiscard]] virtual std::vector<SentFrame> take_frames() = 0;

  /// Connections to `port` are taken from now on; each is accepted at once, by an application that reads at once.
  /// `port` 0 to 65535; false: this stack cannot.
  virtual bool listen(std::uint16_t port) = 0;
  /// Actively opens; the local port, or 0: refused (the table is full). ARP is the trace's peer's to answer.
  virtual std::uint16_t connect(std::uint32_t peer_address, std::uint16_t peer_port) = 0;
  /// Appends `bytes` of the pattern to what is to be sent. False: no such connection, or it cannot be written to.
  virtual bool write(const Connection& connection, std::uint64_t bytes) = 0;
  /// False: the application lets lie what comes, so that the window closes. For connections that are accepted later,
  /// too, where `connection.peer_port` is 0.
  virtual void set_reading(const Connection& connection, bool reading) = 0;
  /// FIN behind what is written; the other direction stays open.
  virtual void shutdown(const Connection& connection) = 0;
  /// The application is done with it: FIN behind what is written, and nothing is read any more.
  virtual void close(const Connection& connection) = 0;
  /// RST at once.
  virtual void abort(const Connection& connection) = 0;

  /// Bytes of the peer's stream that the application has read, since the connection began.
  [[nodiscard]] virtual std::uint64_t bytes_read(const Connection& connection) const = 0;
  /// False once a byte was not the pattern's: a fault of the stack's.
  [[nodiscard]] virtual bool pattern_held(const Connection& connection) const = 0;
  /// In words of RFC 9293 3.3.2, lower case: "listen", "syn-sent", "syn-received", "established", "fin-wait-1",
  /// "fin-wait-2", "close-wait", "closing", "last-ack", "time-wait"; and "closed: " with why: "finished", "reset by
  /// peer", "refused", "silent", "no such address", "unreachable", "aborted", "fell behind", "data after close". A
  /// stack that does not know why says "closed". "none": never was (a handshake that is answered by a cookie leaves
  /// none).
  [[nodiscard]] virtual std::string state(const Connection& connection) const = 0;
  /// A counter of the stack's by its name; none: it has no such counter.
  [[nodiscard]] virtual std::optional<std::uint64_t> counter(std::string_view name) const = 0;
};

/// Makes a stack for one trace; none: it cannot be as asked, with the reason in `why`.
using MakeStack = std::unique_ptr<StackUnderTest> (*)(const Options& options, std::string& why);

}  // namespace crosswire::trace
