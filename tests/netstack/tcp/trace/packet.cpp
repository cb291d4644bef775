// Bytes of frames: Ethernet with one 802.1Q tag, ARP, IPv4, TCP, ICMP.
#include "tests/netstack/tcp/trace/packet.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace crosswire::trace {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint16_t kVlanType = 0x8100, kArpType = 0x0806, kIpType = 0x0800;
constexpr std::uint8_t kTcp = 6, kIcmp = 1;
constexpr std::size_t kArpBytes = 28;

void put16(Bytes& out, std::uint32_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}
void put32(Bytes& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value);
}
void put(Bytes& out, std::span<const std::uint8_t> bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }
void set16(Bytes& out, std::size_t at, std::uint16_t value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value);
}
std::uint16_t get16(std::span<const std::uint8_t> in, std::size_t at) {
  return static_cast<std::uint16_t>(in[at] << 8 | in[at + 1]);
}
std::uint32_t get32(std::span<const std::uint8_t> in, std::size_t at) {
  return std::uint32_t{get16(in, at)} << 16 | get16(in, at + 2);
}

std::uint32_t sum_of(std::span<const std::uint8_t> bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? std::uint32_t{bytes[i]} << 8 : bytes[i];
  return sum;
}

Bytes segment_of(const Packet& packet) {
  Bytes out;
  put16(out, packet.from_port);
  put16(out, packet.to_port);
  put32(out, packet.seq);
  put32(out, packet.ack);
  out.push_back(static_cast<std::uint8_t>((20 + packet.options.size()) / 4 << 4));
  out.push_back(packet.flags);
  put16(out, packet.window);
  put16(out, 0);
  put16(out, packet.urgent);
  put(out, packet.options);
  put(out, packet.payload);
  set16(out, 16, checksum_of(out, pseudo_header_sum(packet, out.size())));
  return out;
}

Bytes icmp_of(const Packet& packet) {
  Bytes out = {packet.icmp_type, packet.icmp_code, 0, 0};
  put(out, packet.payload);
  set16(out, 2, checksum_of(out));
  return out;
}

Bytes arp_of(const Packet& packet) {
  Bytes out;
  for (const std::uint32_t word : {0x0001'0800U, 0x0604'0000U | packet.icmp_type}) put32(out, word);
  put(out, packet.from_mac);
  put32(out, packet.from_address);
  put(out, packet.to_mac);
  put32(out, packet.to_address);
  return out;
}

void read_arp(std::span<const std::uint8_t> in, Packet& packet) {
  packet.kind = Packet::Kind::arp;
  if (in.size() < kArpBytes) {
    packet.fault = "ARP is cut short";
    return;
  }
  packet.icmp_type = in[7];
  packet.from_address = get32(in, 14);
  packet.to_address = get32(in, 24);
}

void read_tcp(std::span<const std::uint8_t> in, Packet& packet) {
  packet.kind = Packet::Kind::tcp;
  const std::size_t header = in.size() < 20 ? 0 : std::size_t{in[12]} / 16 * 4;
  if (header < 20 || header > in.size()) {
    packet.fault = "the TCP header is cut short";
    return;
  }
  packet.from_port = get16(in, 0);
  packet.to_port = get16(in, 2);
  packet.seq = get32(in, 4);
  packet.ack = get32(in, 8);
  packet.flags = in[13];
  packet.window = get16(in, 14);
  packet.urgent = get16(in, 18);
  packet.options.assign(in.begin() + 20, in.begin() + static_cast<std::ptrdiff_t>(header));
  packet.payload.assign(in.begin() + static_cast<std::ptrdiff_t>(header), in.end());
  if (checksum_of(in, pseudo_header_sum(packet, in.size())) != 0) packet.fault = "the TCP checksum is wrong";
  if (in[12] % 16 != 0) packet.fault = "reserved bits are set";
}

void read_ip(std::span<const std::uint8_t> in, Packet& packet) {
  const std::size_t header = in.size() < 20 ? 0 : std::size_t{in[0]} % 16 * 4;
  const std::size_t total = in.size() < 20 ? 0 : get16(in, 2);
  if (header < 20 || header > total || total > in.size() || in[0] / 16 != 4) {
    packet.fault = "the IPv4 header is wrong";
    return;
  }
  if (checksum_of(in.first(header)) != 0) packet.fault = "the IPv4 checksum is wrong";
  packet.traffic_class = in[1];
  packet.identity = get16(in, 4);
  packet.fragment = get16(in, 6);
  packet.ttl = in[8];
  packet.from_address = get32(in, 12);
  packet.to_address = get32(in, 16);
  const auto body = in.subspan(header, total - header);
  if (in[9] == kTcp) read_tcp(body, packet);
  if (in[9] == kIcmp && body.size() >= 4) {
    packet.kind = Packet::Kind::icmp;
    packet.icmp_type = body[0];
    packet.icmp_code = body[1];
    packet.payload.assign(body.begin() + 4, body.end());
    if (checksum_of(body) != 0) packet.fault = "the ICMP checksum is wrong";
  }
}

TcpOption option_of(std::span<const std::uint8_t> bytes) {
  TcpOption option;
  option.bytes.assign(bytes.begin(), bytes.end());
  const std::uint8_t kind = bytes[0];
  const std::size_t length = bytes.size();
  if (kind == 2 && length == 4) {
    option.kind = OptionKind::mss;
    option.first = get16(bytes, 2);
  } else if (kind == 3 && length == 3) {
    option.kind = OptionKind::wscale;
    option.first = bytes[2];
  } else if (kind == 4 && length == 2) {
    option.kind = OptionKind::sack_permitted;
  } else if (kind == 5 && length >= 10 && (length - 2) % 8 == 0) {
    option.kind = OptionKind::sack;
    for (std::size_t at = 2; at < length; at += 8) option.blocks.emplace_back(get32(bytes, at), get32(bytes, at + 4));
  } else if (kind == 8 && length == 10) {
    option.kind = OptionKind::timestamps;
    option.first = get32(bytes, 2);
    option.second = get32(bytes, 6);
  }
  return option;
}

std::string hex_of(std::span<const std::uint8_t> bytes) {
  std::string text;
  char two[3];
  for (const std::uint8_t byte : bytes) {
    std::snprintf(two, sizeof two, "%02x", byte);
    text += two;
  }
  return text;
}

/// Near its base a number is told by its distance, elsewhere as it is.
std::string number_text(std::uint32_t number, std::uint32_t base) {
  const auto distance = static_cast<std::int32_t>(number - base);
  if (distance > -100'000'000 && distance < 100'000'000) return std::to_string(distance);
  return "=" + std::to_string(number);
}

std::string option_text(const TcpOption& option, std::uint32_t ack_base, std::uint32_t ts_base) {
  switch (option.kind) {
    case OptionKind::mss:
      return "mss " + std::to_string(option.first);
    case OptionKind::wscale:
      return "wscale " + std::to_string(option.first);
    case OptionKind::sack_permitted:
      return "sack";
    case OptionKind::timestamps:
      return "ts " + number_text(option.first, ts_base) + " " + std::to_string(option.second);
    case OptionKind::sack:
      break;
    case OptionKind::other:
      return "raw " + hex_of(option.bytes);
  }
  std::string text = "sacks";
  for (const auto& [left, right] : option.blocks)
    text += " " + number_text(left, ack_base) + ":" + number_text(right, ack_base);
  return text;
}

}  // namespace

std::uint16_t checksum_of(std::span<const std::uint8_t> bytes, std::uint32_t start) {
  std::uint32_t sum = start + sum_of(bytes);
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::uint32_t pseudo_header_sum(const Packet& packet, std::size_t length) {
  Bytes header;
  put32(header, packet.from_address);
  put32(header, packet.to_address);
  put16(header, kTcp);
  put16(header, static_cast<std::uint32_t>(length));
  return sum_of(header);
}

std::vector<std::uint8_t> frame_of(const Packet& packet) {
  Bytes out;
  put(out, packet.to_mac);
  put(out, packet.from_mac);
  if (packet.vlan) {
    put16(out, kVlanType);
    put16(out, *packet.vlan);
  }
  put16(out, packet.kind == Packet::Kind::arp ? kArpType : kIpType);
  if (packet.kind == Packet::Kind::arp) {
    put(out, arp_of(packet));
    return out;
  }
  const Bytes body = packet.kind == Packet::Kind::tcp ? segment_of(packet) : icmp_of(packet);
  const std::size_t header_bytes = 20 + packet.ip_options.size();
  Bytes header = {static_cast<std::uint8_t>(0x40 + header_bytes / 4), packet.traffic_class};
  put16(header, static_cast<std::uint32_t>(header_bytes + body.size()));
  put16(header, packet.identity);
  put16(header, packet.fragment);
  header.push_back(packet.ttl);
  header.push_back(packet.kind == Packet::Kind::tcp ? kTcp : kIcmp);
  put16(header, 0);
  put32(header, packet.from_address);
  put32(header, packet.to_address);
  put(header, packet.ip_options);
  set16(header, 10, checksum_of(header));
  put(out, header);
  put(out, body);
  return out;
}

Packet packet_of(std::span<const std::uint8_t> frame) {
  Packet packet;
  if (frame.size() < 14) {
    packet.fault = "the frame is cut short";
    return packet;
  }
  std::memcpy(packet.to_mac, frame.data(), 6);
  std::memcpy(packet.from_mac, frame.data() + 6, 6);
  std::size_t at = 12;
  if (get16(frame, at) == kVlanType && frame.size() >= 18) {
    packet.vlan = static_cast<std::uint16_t>(get16(frame, 14) & 0xFFF);
    at = 16;
  }
  const std::uint16_t type = get16(frame, at);
  if (type == kArpType) read_arp(frame.subspan(at + 2), packet);
  if (type == kIpType) read_ip(frame.subspan(at + 2), packet);
  return packet;
}

std::vector<TcpOption> options_of(std::span<const std::uint8_t> bytes) {
  std::vector<TcpOption> options;
  std::size_t at = 0;
  while (at < bytes.size() && bytes[at] != 0) {
    if (bytes[at] == 1) {
      ++at;
      continue;
    }
    const std::size_t length = at + 1 < bytes.size() ? bytes[at + 1] : 0;
    const bool good = length >= 2 && at + length <= bytes.size();
    const auto option = bytes.subspan(at, good ? length : bytes.size() - at);
    if (!good) {
      options.push_back({.kind = OptionKind::other, .blocks = {}, .bytes = {option.begin(), option.end()}});
      return options;
    }
    options.push_back(option_of(option));
    at += length;
  }
  return options;
}

std::string flags_text(std::uint8_t flags) {
  std::string text;
  const std::pair<Flag, char> letters[] = {{kSyn, 'S'}, {kFin, 'F'}, {kRst, 'R'}, {kPsh, 'P'},
                                           {kUrg, 'U'}, {kEce, 'E'}, {kCwr, 'C'}, {kAck, 'A'}};
  for (const auto& [flag, letter] : letters)
    if ((flags & flag) != 0) text += letter;
  return text.empty() ? "." : text;
}

std::string address_text(std::uint32_t address) {
  return std::to_string(address >> 24) + "." + std::to_string(address >> 16 & 255) + "." +
         std::to_string(address >> 8 & 255) + "." + std::to_string(address & 255);
}

std::string time_text(std::int64_t time_ns) {
  char text[40];
  if (time_ns % 1000 == 0)
    std::snprintf(text, sizeof text, "%.6f s", static_cast<double>(time_ns) / 1e9);
  else
    std::snprintf(text, sizeof text, "%.9f s", static_cast<double>(time_ns) / 1e9);
  return text;
}

std::string text_of(const Packet& packet, std::uint32_t seq_base, std::uint32_t ack_base, std::uint32_t ts_base) {
  std::string text;
  if (packet.kind == Packet::Kind::arp) {
    text = "arp " + std::string(packet.icmp_type == 1 ? "who has " : "reply to ") + address_text(packet.to_address);
  } else if (packet.kind == Packet::Kind::icmp) {
    text = "icmp " + std::to_string(packet.icmp_type) + "/" + std::to_string(packet.icmp_code);
  } else if (packet.kind == Packet::Kind::other) {
    text = "a frame that is neither ARP nor TCP nor ICMP";
  } else {
    text = flags_text(packet.flags);
    const std::string seq = number_text(packet.seq, seq_base);
    const std::size_t length = packet.payload.size();
    if (length == 0)
      text += " seq " + seq;
    else
      text += " " + seq + ":" + number_text(packet.seq + static_cast<std::uint32_t>(length), seq_base) + "(" +
              std::to_string(length) + ")";
    if (packet.has(kAck)) text += " ack " + number_text(packet.ack, ack_base);
    text += " win " + std::to_string(packet.window);
    if (packet.has(kUrg)) text += " urg " + std::to_string(packet.urgent);
    std::string options;
    for (const TcpOption& option : options_of(packet.options))
      options += (options.empty() ? "" : ", ") + option_text(option, ack_base, ts_base);
    if (!options.empty()) text += " <" + options + ">";
  }
  if (packet.vlan) text += " [vlan " + std::to_string(*packet.vlan) + "]";
  if (!packet.fault.empty()) text += " (" + packet.fault + ")";
  return text;
}

}  // namespace crosswire::trace
