// From a trace's words to a segment, with what is wrong with it on purpose; and a segment held against a trace's words.
#include <algorithm>
#include <charconv>
#include <cstring>
#include <sstream>

#include "tests/netstack/tcp/trace/runner.hpp"

namespace crosswire::trace {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::uint32_t absolute(const Number& number, std::uint32_t base, std::int64_t unsaid) {
  const std::int64_t value = number.kind == Number::Kind::unsaid ? unsaid : number.value;
  return static_cast<std::uint32_t>(value) + (number.kind == Number::Kind::absolute ? 0 : base);
}

void put(Bytes& out, std::uint32_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

std::uint32_t milliseconds(std::int64_t ns) { return static_cast<std::uint32_t>(ns / 1'000'000); }

std::uint32_t timestamp_echo(const Number& number, const Peer& from) {
  if (number.kind == Number::Kind::last) return from.newest_ts;
  return absolute(number, from.stack_ts.value_or(0), 0);
}

void lay_option(Bytes& out, const OptionSpec& option, const Peer& from) {
  const auto first = static_cast<std::uint32_t>(option.first.value);
  switch (option.kind) {
    case OptionKind::mss:
      put(out, 0x0204'0000U | first, 4);
      return;
    case OptionKind::wscale:
      put(out, 0x0003'0300U | first, 3);
      return;
    case OptionKind::sack_permitted:
      put(out, 0x0402U, 2);
      return;
    case OptionKind::timestamps:
      put(out, 0x080AU, 2);
      put(out, first, 4);
      put(out, timestamp_echo(option.second, from), 4);
      return;
    case OptionKind::sack:
      put(out, 0x0500U | static_cast<std::uint32_t>(2 + 8 * option.blocks.size()), 2);
      for (const auto& [left, right] : option.blocks) {
        put(out, static_cast<std::uint32_t>(left) + from.stack_isn.value_or(0), 4);
        put(out, static_cast<std::uint32_t>(right) + from.stack_isn.value_or(0), 4);
      }
      return;
    case OptionKind::other:
      out.insert(out.end(), option.bytes.begin(), option.bytes.end());
  }
}

Bytes options_of(const PacketSpec& spec, Peer& from, std::int64_t now_ns) {
  Bytes out;
  if (spec.options) {
    for (const OptionSpec& option : *spec.options) lay_option(out, option, from);
  } else if (from.offers_timestamps && from.hears_timestamps && (spec.flags & kRst) == 0) {
    put(out, 0x0101'080AU, 4);
    put(out, from.clock_at_zero + milliseconds(now_ns), 4);
    put(out, from.newest_ts, 4);
  }
  while (out.size() % 4 != 0) out.push_back(0);
  return out;
}

/// A peer's clock counts milliseconds from what its SYN says.
void note_timestamps(const PacketSpec& spec, Peer& from, std::int64_t now_ns) {
  from.offers_timestamps = false;
  for (const OptionSpec& option : spec.options.value_or(std::vector<OptionSpec>{})) {
    if (option.kind != OptionKind::timestamps) continue;
    from.offers_timestamps = true;
    from.clock_at_zero = static_cast<std::uint32_t>(option.first.value) - milliseconds(now_ns);
  }
}

const Quirk* find(const std::vector<Quirk>& quirks, std::string_view words) {
  const auto found =
      std::find_if(quirks.begin(), quirks.end(), [&](const Quirk& quirk) { return quirk.words == words; });
  return found == quirks.end() ? nullptr : &*found;
}

std::int64_t value_of(const Quirk& quirk) {
  std::int64_t value = 0;
  const char* const end = quirk.value.data() + quirk.value.size();
  if (quirk.value.empty() || std::from_chars(quirk.value.data(), end, value).ptr != end)
    throw TraceError("[" + quirk.words + "] wants a number");
  return value;
}

std::uint32_t address_of(const std::string& text) {
  std::istringstream in(text);
  std::uint32_t value = 0;
  for (std::string byte; std::getline(in, byte, '.');) value = value << 8 | static_cast<std::uint32_t>(std::stoi(byte));
  return value;
}

void read_mac(const std::string& text, std::uint8_t (&mac)[6]) {
  unsigned bytes[6] = {};
  if (std::sscanf(text.c_str(), "%x:%x:%x:%x:%x:%x", &bytes[0], &bytes[1], &bytes[2], &bytes[3], &bytes[4],
                  &bytes[5]) != 6)
    throw TraceError("no MAC: " + text);
  for (int i = 0; i < 6; ++i) mac[i] = static_cast<std::uint8_t>(bytes[i]);
}

std::string said(const Number& number) {
  switch (number.kind) {
    case Number::Kind::relative:
      return std::to_string(number.value);
    case Number::Kind::absolute:
      return "=" + std::to_string(number.value);
    case Number::Kind::some:
      return "some";
    case Number::Kind::last:
      return "last";
    default:
      return "*";
  }
}

bool fits(const Number& number, std::uint32_t seen, std::uint32_t base) {
  switch (number.kind) {
    case Number::Kind::unsaid:
    case Number::Kind::any:
      return true;
    case Number::Kind::some:
      return seen != 0;
    case Number::Kind::last:
      return false;
    default:
      return seen == absolute(number, base, 0);
  }
}

bool fits(const OptionSpec& spec, const TcpOption& seen, const Peer& to) {
  if (spec.kind != seen.kind) return false;
  if (spec.kind == OptionKind::timestamps)
    return fits(spec.first, seen.first, to.stack_ts.value_or(seen.first)) && fits(spec.second, seen.second, 0);
  if (spec.kind == OptionKind::mss || spec.kind == OptionKind::wscale) return fits(spec.first, seen.first, 0);
  if (spec.kind == OptionKind::other) return spec.bytes == seen.bytes;
  if (spec.blocks.size() != seen.blocks.size()) return false;
  for (std::size_t i = 0; i < spec.blocks.size(); ++i) {
    if (seen.blocks[i].first != static_cast<std::uint32_t>(spec.blocks[i].first) + to.isn) return false;
    if (seen.blocks[i].second != static_cast<std::uint32_t>(spec.blocks[i].second) + to.isn) return false;
  }
  return true;
}

std::string options_difference(const PacketSpec& spec, const Packet& packet, const Peer& to) {
  if (!spec.options) return "";
  std::vector<TcpOption> seen = trace::options_of(packet.options);
  for (const OptionSpec& option : *spec.options) {
    const auto found =
        std::find_if(seen.begin(), seen.end(), [&](const TcpOption& one) { return fits(option, one, to); });
    if (found == seen.end()) return "the options differ";
    seen.erase(found);
  }
  return seen.empty() || spec.further_options ? "" : "it has further options";
}

std::string quirk_difference(const Quirk& quirk, const Packet& packet) {
  const auto is = [&](bool good) { return good ? "" : "[" + quirk.words + " " + quirk.value + "] does not hold"; };
  if (quirk.words == "vlan") return is(packet.vlan == static_cast<std::uint16_t>(value_of(quirk)));
  if (quirk.words == "ttl") return is(packet.ttl == value_of(quirk));
  if (quirk.words == "df") return is((packet.fragment & 0x4000) != 0);
  if (quirk.words == "dscp") return is(packet.traffic_class >> 2 == value_of(quirk));
  if (quirk.words == "to mac") {
    std::uint8_t mac[6];
    read_mac(quirk.value, mac);
    return is(std::memcmp(mac, packet.to_mac, 6) == 0);
  }
  return "[" + quirk.words + "] cannot be expected";
}

/// PSH is looked at only where the trace says it.
std::string flags_difference(const PacketSpec& spec, const Packet& packet) {
  const std::uint8_t ignored = (spec.flags & kPsh) != 0 ? 0 : kPsh;
  return (packet.flags | ignored) == (spec.flags | ignored) ? "" : "the flags differ";
}

}  // namespace

Packet segment_of(const PacketSpec& spec, Peer& from, std::int64_t now_ns) {
  Packet packet;
  packet.kind = Packet::Kind::tcp;
  std::memcpy(packet.to_mac, kStackMac, 6);
  std::memcpy(packet.from_mac, kPeerMac, 6);
  packet.from_address = from.address;
  packet.to_address = kStackAddress;
  packet.from_port = from.port;
  packet.to_port = from.stack_port;
  packet.flags = spec.flags;
  packet.fragment = 0x4000;
  packet.seq = absolute(spec.seq, from.isn, from.next);
  if ((spec.flags & kAck) != 0 || spec.ack.kind != Number::Kind::unsaid)
    packet.ack = absolute(spec.ack, from.stack_isn.value_or(0), from.heard);
  if (spec.window.kind != Number::Kind::unsaid) from.window = static_cast<std::uint16_t>(spec.window.value);
  packet.window = from.window;
  packet.urgent = spec.urgent.value_or(0);
  if (packet.has(kSyn)) note_timestamps(spec, from, now_ns);
  packet.options = options_of(spec, from, now_ns);
  const std::uint32_t first = packet.seq + (packet.has(kSyn) ? 1 : 0) - (from.isn + 1);
  for (std::uint32_t i = 0; i < spec.length; ++i) packet.payload.push_back(pattern_at(first + i));
  const auto behind = static_cast<std::int32_t>(packet.seq + packet.sequence_length() - from.isn);
  if (packet.sequence_length() != 0 && find(spec.quirks, "bad checksum") == nullptr)
    from.next = std::max<std::int64_t>(from.next, behind);
  return packet;
}

Packet icmp_of(const PacketSpec& spec, const Peer& from) {
  Packet quoted;
  quoted.kind = Packet::Kind::tcp;
  quoted.from_address = kStackAddress;
  quoted.to_address = from.address;
  quoted.from_port = from.stack_port;
  quoted.to_port = from.port;
  quoted.seq = absolute(spec.seq, from.stack_isn.value_or(0), from.heard);
  quoted.flags = kAck;
  const Bytes whole = frame_of(quoted);
  Packet packet;
  packet.kind = Packet::Kind::icmp;
  std::memcpy(packet.to_mac, kStackMac, 6);
  std::memcpy(packet.from_mac, kPeerMac, 6);
  packet.from_address = from.address;
  packet.to_address = kStackAddress;
  packet.icmp_type = spec.icmp_type;
  packet.icmp_code = spec.icmp_code;
  put(packet.payload, spec.icmp_mtu, 4);
  packet.payload.insert(packet.payload.end(), whole.begin() + 14, whole.begin() + 14 + 20 + 8);
  return packet;
}

void bend(Packet& packet, const std::vector<Quirk>& quirks) {
  if (const Quirk* quirk = find(quirks, "vlan")) packet.vlan = static_cast<std::uint16_t>(value_of(*quirk));
  if (const Quirk* quirk = find(quirks, "from mac")) read_mac(quirk->value, packet.from_mac);
  if (const Quirk* quirk = find(quirks, "to mac")) read_mac(quirk->value, packet.to_mac);
  if (const Quirk* quirk = find(quirks, "ttl")) packet.ttl = static_cast<std::uint8_t>(value_of(*quirk));
  if (const Quirk* quirk = find(quirks, "dscp"))
    packet.traffic_class = static_cast<std::uint8_t>(value_of(*quirk) << 2);
  if (const Quirk* quirk = find(quirks, "port")) packet.to_port = static_cast<std::uint16_t>(value_of(*quirk));
  if (const Quirk* quirk = find(quirks, "to")) packet.to_address = address_of(quirk->value);
  if (const Quirk* quirk = find(quirks, "from")) packet.from_address = address_of(quirk->value);
  if (find(quirks, "own address") != nullptr) {
    packet.from_address = packet.to_address;
    packet.from_port = packet.to_port;
  }
  if (find(quirks, "junk") != nullptr) std::fill(packet.payload.begin(), packet.payload.end(), std::uint8_t{0xEE});
  if (find(quirks, "ip options") != nullptr) packet.ip_options = {1, 1, 1, 0};
  if (const Quirk* quirk = find(quirks, "fragment"))
    packet.fragment = quirk->value == "first" ? 0x2000 : quirk->value == "last" ? 0x0003 : 0x2003;
}

void bend(std::vector<std::uint8_t>& frame, const std::vector<Quirk>& quirks) {
  const std::size_t ip = frame[12] == 0x81 ? 18 : 14;
  const std::size_t tcp = ip + std::size_t{frame[ip]} % 16 * 4;
  const auto sum_anew = [&] {  // checksums come right with what was bent
    const Packet packet = packet_of(frame);
    frame[tcp + 16] = frame[tcp + 17] = 0;
    const std::span<const std::uint8_t> segment(frame.data() + tcp, frame.size() - tcp);
    const std::uint16_t sum = checksum_of(segment, pseudo_header_sum(packet, segment.size()));
    frame[tcp + 16] = static_cast<std::uint8_t>(sum >> 8);
    frame[tcp + 17] = static_cast<std::uint8_t>(sum);
  };
  if (const Quirk* quirk = find(quirks, "data offset")) {
    frame[tcp + 12] = static_cast<std::uint8_t>(value_of(*quirk) << 4);
    sum_anew();
  }
  if (find(quirks, "reserved") != nullptr) {
    frame[tcp + 12] |= 0x0E;
    sum_anew();
  }
  if (const Quirk* quirk = find(quirks, "ip length")) {
    const auto length = static_cast<std::uint16_t>(value_of(*quirk));
    frame[ip + 2] = static_cast<std::uint8_t>(length >> 8);
    frame[ip + 3] = static_cast<std::uint8_t>(length);
    frame[ip + 10] = frame[ip + 11] = 0;
    const std::uint16_t sum = checksum_of(std::span<const std::uint8_t>(frame.data() + ip, tcp - ip));
    frame[ip + 10] = static_cast<std::uint8_t>(sum >> 8);
    frame[ip + 11] = static_cast<std::uint8_t>(sum);
  }
  if (const Quirk* quirk = find(quirks, "ip version")) frame[ip] = static_cast<std::uint8_t>(value_of(*quirk) << 4 | 5);
  if (find(quirks, "bad checksum") != nullptr) frame[tcp + 16] ^= 0x5A;
  if (const Quirk* quirk = find(quirks, "checksum")) {
    frame[tcp + 16] = static_cast<std::uint8_t>(value_of(*quirk) >> 8);
    frame[tcp + 17] = static_cast<std::uint8_t>(value_of(*quirk));
  }
  if (find(quirks, "bad ip checksum") != nullptr) frame[ip + 10] ^= 0x5A;
  if (const Quirk* quirk = find(quirks, "truncated"))
    frame.resize(frame.size() - static_cast<std::size_t>(value_of(*quirk)));
  if (const Quirk* quirk = find(quirks, "padded"))
    frame.resize(frame.size() + static_cast<std::size_t>(value_of(*quirk)));
}

std::string difference(const PacketSpec& spec, const Packet& packet, const Peer& to) {
  if (!packet.fault.empty()) return packet.fault;
  if (packet.kind != spec.kind) return "it is of another kind";
  if (spec.kind == Packet::Kind::arp) return "";
  if (spec.kind == Packet::Kind::icmp)
    return packet.icmp_type == spec.icmp_type && packet.icmp_code == spec.icmp_code ? "" : "type or code differ";
  if (const std::string flags = flags_difference(spec, packet); !flags.empty()) return flags;
  const std::uint32_t stack_isn = to.stack_isn.value_or(packet.has(kSyn) ? packet.seq : 0);
  if (!fits(spec.seq, packet.seq, stack_isn)) return "seq is not " + said(spec.seq);
  if (packet.payload.size() != spec.length) return "it carries " + std::to_string(packet.payload.size()) + " bytes";
  if (!fits(spec.ack, packet.ack, to.isn)) return "ack is not " + said(spec.ack);
  if (!fits(spec.window, packet.window, 0)) return "win is not " + said(spec.window);
  if (spec.urgent && *spec.urgent != packet.urgent) return "the urgent pointer differs";
  for (std::uint32_t i = 0; i < spec.length; ++i)
    if (packet.payload[i] != pattern_at(packet.seq - stack_isn - 1 + i)) return "its bytes are not those written";
  if (const std::string options = options_difference(spec, packet, to); !options.empty()) return options;
  for (const Quirk& quirk : spec.quirks)
    if (const std::string quirks = quirk_difference(quirk, packet); !quirks.empty()) return quirks;
  return "";
}

}  // namespace crosswire::trace
