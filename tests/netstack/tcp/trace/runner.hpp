// Walks a stack through a trace: injects, waits, and compares each packet with what the trace expects. Tests only;
// standard library only. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/netstack/tcp/trace/packet.hpp"
#include "tests/netstack/tcp/trace/script.hpp"
#include "tests/netstack/tcp/trace/stack_under_test.hpp"

namespace crosswire::trace {

/// How one case ended.
struct Outcome {
  std::string failure;  // "": it came true; else script, line, expected, got, and the packets so far
  std::string skipped;  // why the stack could not be as asked
  std::string story;    // all packets, a line each
};

/// Walks a fresh stack through a case.
Outcome run_case(const Case& walk, MakeStack make_stack);

/// One end of the wire that a trace speaks for, and what it knows of the stack's end of the connection.
struct Peer {
  std::uint32_t address = kPeerAddress;
  std::uint16_t port = 40000;
  std::uint16_t stack_port = 26400;
  std::uint32_t isn = 1'000'000;
  std::int64_t next = 0;   // behind what it sent, relative
  std::int64_t heard = 0;  // behind what it got in order, relative to the stack's first number
  std::uint16_t window = 65535;
  std::optional<std::uint32_t> stack_isn;
  bool offers_timestamps = false;         // in its SYN
  std::uint32_t clock_at_zero = 0;       // its timestamp at the beginning of the trace
  bool hears_timestamps = false;          // in the stack's
  std::optional<std::uint32_t> stack_ts;  // the first timestamp heard
  std::uint32_t newest_ts = 0;            // the last one
};

class Runner {
 public:
  explicit Runner(StackUnderTest& stack);
  /// Throws TraceError where the statement does not come true.
  void run(const Statement& statement);
  /// All packets so far, and what the application did.
  [[nodiscard]] std::string story() const;
  /// Nothing may be left that no statement expected.
  void end();

 private:
  struct Left {
    std::int64_t time_ns;
    Packet packet;
  };

  [[nodiscard]] bool real_time() const { return stack_.clock().has_value(); }
  [[nodiscard]] std::int64_t allowance_ns(const When& when) const;
  Peer& peer(const Statement& statement);
  [[nodiscard]] Connection connection(const Statement& statement);
  [[noreturn]] void fail(const Statement& statement, const std::string& got) const;

  void collect();
  void act();
  void advance_to(std::int64_t time_ns);
  void answer_arp(const Packet& request);
  void note(const char* direction, std::int64_t time_ns, const std::string& text);
  [[nodiscard]] std::string described(const Packet& packet);
  Peer* peer_of(const Packet& packet);

  void inject(const Statement& statement);
  void send(const Packet& packet, const std::vector<Quirk>& quirks);
  void expect(const Statement& statement);
  std::optional<Left> take(const Statement& statement);
  void wait_for(const Statement& statement, std::int64_t until_ns);
  void check_time(const Statement& statement, const Left& left, std::int64_t began_ns) const;
  void learn(Peer& who, const Packet& packet);
  void nothing_left(const Statement& statement);
  void advance(const Statement& statement);
  void application(const Statement& statement);
  void look(const Statement& statement);

  StackUnderTest& stack_;
  std::int64_t now_ns_ = 0;
  std::int64_t event_ns_ = 0;      // when the last thing happened from which times are measured
  std::int64_t tolerance_ns_ = 0;  // so much later than said a timer's packet may leave
  bool arp_answers_ = true;
  std::map<std::string, Peer> peers_{{"", Peer{}}};
  std::deque<Left> left_;
  std::vector<std::string> story_;
};

/// The segment that a peer sends by what a trace says and leaves unsaid; it counts as sent.
Packet segment_of(const PacketSpec& spec, Peer& from, std::int64_t now_ns);
/// The ICMP error that quotes a segment of the stack's.
Packet icmp_of(const PacketSpec& spec, const Peer& from);
/// Bends the frame's fields before it is laid (true: a quirk of fields), and its bytes behind.
void bend(Packet& packet, const std::vector<Quirk>& quirks);
void bend(std::vector<std::uint8_t>& frame, const std::vector<Quirk>& quirks);
/// "" where the packet is as said, else what is not.
std::string difference(const PacketSpec& spec, const Packet& packet, const Peer& to);

}  // namespace crosswire::trace
