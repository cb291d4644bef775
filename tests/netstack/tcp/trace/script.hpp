// A trace as it is written: its lines read, its loops unrolled, its parts put in. The language: docs/tcp-traces.md.
// Tests only; standard library only.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/netstack/tcp/trace/packet.hpp"

namespace crosswire::trace {

/// A line that cannot be read, or that did not come true; `what()` is for people.
struct TraceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A sequence number, timestamp or window as a trace says it.
struct Number {
  enum class Kind {
    unsaid,    // of an injected segment: what follows from those before; of an expected one: not looked at
    relative,  // to the first number of its side
    absolute,  // "=5"
    any,       // "*"
    some,      // "some": not zero
    last       // "last": the newest timestamp heard
  };
  Kind kind = Kind::unsaid;
  std::int64_t value = 0;
};

struct OptionSpec {
  OptionKind kind = OptionKind::other;
  Number first, second;
  std::vector<std::pair<std::int64_t, std::int64_t>> blocks;  // of sack, relative
  std::vector<std::uint8_t> bytes;                            // of `other`: all of it
};

/// What stands between [ and ]: a word or two, and a number where there is one.
struct Quirk {
  std::string words;  // "bad checksum", "vlan"
  std::string value;  // "5"
};

struct PacketSpec {
  Packet::Kind kind = Packet::Kind::tcp;
  std::uint8_t flags = 0;
  Number seq, ack, window;
  std::uint32_t length = 0;  // of the payload
  std::optional<std::uint16_t> urgent;
  std::optional<std::vector<OptionSpec>> options;  // none: not said
  bool further_options = false;                    // "..." among them
  std::vector<Quirk> quirks;
  std::uint8_t icmp_type = 0, icmp_code = 0;
  std::uint16_t icmp_mtu = 0;
};

enum class Verb {
  option,
  listen,
  peer,
  again,
  connect,
  inject,
  expect,
  nothing,
  advance,
  skip,
  tolerance,
  write,
  read,
  stop_reading,
  shutdown,
  close,
  abort,
  state,
  got,
  counter,
  arp,
};

/// When an expected packet leaves: so long after what came before. Both zero: at once.
struct When {
  std::int64_t from_ns = 0, to_ns = 0;
};

struct Statement {
  std::string where;  // "established.trace:12"
  std::string text;   // as it stands there, its {…} computed
  std::string peer;   // whose; "": the peer without a name
  Verb verb = Verb::inject;
  PacketSpec packet;
  When when;
  std::string word;         // option's name, state, counter's name
  std::int64_t number = 0;  // bytes, port, value
  std::uint32_t address = 0;
  std::optional<std::int64_t> isn;
};

/// One walk through a fresh stack.
struct Case {
  std::string name;  // "": the file has no cases
  std::vector<Statement> statements;
};

struct Script {
  std::string name;        // of the file, without folder and ending
  std::string not_kernel;  // why it does not run against the kernel; "": nothing is said against it
  std::vector<Case> cases;
};

/// Reads a file of traces; throws TraceError that names file and line.
Script read_script(const std::string& path);
/// The same of a text, for tests; `folder` is where its parts lie.
Script parse_script(const std::string& name, const std::string& text, const std::string& folder);

}  // namespace crosswire::trace
