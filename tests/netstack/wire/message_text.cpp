// Messages to text and back: see message_text.hpp.
#include "tests/netstack/wire/message_text.hpp"

#include <array>
#include <map>
#include <stdexcept>
#include <utility>

#include "netstack/wire/itch.hpp"
#include "netstack/wire/mold.hpp"
#include "netstack/wire/ouch.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire::wire::test {
namespace {

using Fields = std::map<std::string, std::string, std::less<>>;

[[noreturn]] void nonsense(std::string_view what) { throw std::runtime_error("nonsense in " + std::string(what)); }

std::vector<std::string_view> split_text(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::pair<std::string_view, std::string_view> cut(std::string_view text, char separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string_view::npos) nonsense(text);
  return {text.substr(0, at), text.substr(at + 1)};
}

// ---- Fields

template <class UInt>
std::string text_of(const BigEndian<UInt>& field) {
  return std::string("n:") + std::to_string(field.value());
}
std::string text_of(const be48& field) { return std::string("n:") + std::to_string(field.value()); }
std::string text_of(const char& field) { return std::string("t:") + to_hex(bytes_of(field)); }
template <std::size_t N>
std::string text_of(const alpha<N>& field) {
  return std::string("t:") + to_hex(bytes_of(field));
}

std::uint64_t number_in(std::string_view text) {
  if (text.substr(0, 2) != "n:") nonsense(text);
  const std::string digits(text.substr(2));
  return digits[0] == '-' ? static_cast<std::uint64_t>(std::stoll(digits)) : std::stoull(digits);
}

Octets characters_in(std::string_view text) {
  if (text.substr(0, 2) != "t:") nonsense(text);
  return from_hex(text.substr(2));
}

template <class UInt>
void set_from(BigEndian<UInt>& field, std::string_view text) {
  field = static_cast<UInt>(number_in(text));
}
void set_from(be48& field, std::string_view text) { field = number_in(text); }
void set_from(char& field, std::string_view text) { field = static_cast<char>(characters_in(text).at(0)); }
template <std::size_t N>
void set_from(alpha<N>& field, std::string_view text) {
  const Octets characters = characters_in(text);
  if (characters.size() != N) nonsense(text);
  std::copy(characters.begin(), characters.end(), field.chars.begin());
}

template <class M>
std::string fixed_text(const M& message) {
  std::string text;
  M copy = message;
  visit(copy, [&text](std::string_view name, auto& field) { text += '\t' + std::string(name) + '=' + text_of(field); });
  return text;
}

template <class M>
M fixed_from(const Fields& fields) {
  M message{};
  visit(message, [&fields](std::string_view name, auto& field) {
    const auto found = fields.find(name);
    if (found == fields.end()) nonsense(name);
    set_from(field, found->second);
  });
  return message;
}

Octets octets_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

// ---- OUCH

std::string option_text(const ouch::Option& option) {
  const ouch::TagInfo& info = tag_info(option.tag);
  const std::string name = std::string(info.name) + ',';
  if (info.kind == ouch::ValueKind::letter || info.kind == ouch::ValueKind::text)
    return name + std::string("t:") + to_hex(option.value);
  if (info.kind != ouch::ValueKind::i32) return name + std::string("n:") + std::to_string(option.number());
  return name + std::string("n:") +
         std::to_string(static_cast<std::int32_t>(static_cast<std::uint32_t>(option.number())));
}

std::string describe_options(Bytes options, ouch::TagSet allowed) {
  std::string text;
  ouch::OptionReader reader(options, allowed);
  while (reader.next()) {
    if (!text.empty()) text += ';';
    text += option_text(reader.option());
  }
  if (reader.fault() == ouch::OptionFault::none) return text;
  return std::string("!option fault ") + std::to_string(static_cast<int>(reader.fault()));
}

ouch::Tag tag_named(std::string_view name) {
  for (std::size_t place = 0; place < ouch::kTagTable.size(); ++place) {
    if (!name.empty() && ouch::kTagTable[place].name == name) return ouch::tag_at(place);
  }
  nonsense(name);
}

Octets option_value(ouch::Tag tag, std::string_view text) {
  const ouch::ValueKind kind = ouch::tag_info(tag).kind;
  if (kind == ouch::ValueKind::letter || kind == ouch::ValueKind::text) return characters_in(text);
  const be64 number = number_in(text);
  return octets_of(bytes_of(number).last(value_length(kind)));
}

Octets build_appendage(std::string_view text) {
  Octets bytes(1024);
  ouch::OptionWriter writer(bytes);
  for (const std::string_view option : split_text(text, ';')) {
    if (option.empty()) continue;
    const auto [name, value] = cut(option, ',');
    const ouch::Tag tag = tag_named(name);
    if (!writer.put(tag, option_value(tag, value))) nonsense(option);
  }
  bytes.resize(writer.finish());
  return bytes;
}

template <class M>
std::string describe_ouch_as(Bytes message) {
  const ouch::Split parts = ouch::split<M>(message);
  if (parts.fault != ouch::SplitFault::none)
    return std::string("!split fault ") + std::to_string(static_cast<int>(parts.fault));
  std::string text = std::string(M::kName) + fixed_text(*view_as<M>(message));
  if (!parts.has_appendage) return text;
  const std::string options = describe_options(parts.options, M::kTags);
  return options.starts_with('!') ? options : text + "\tappendage=" + options;
}

template <class M>
Octets build_ouch_as(const Fields& fields) {
  Octets bytes = octets_of(bytes_of(fixed_from<M>(fields)));
  const auto appendage = fields.find("appendage");
  if (appendage == fields.end()) return bytes;
  const Octets tail = build_appendage(appendage->second);
  bytes.insert(bytes.end(), tail.begin(), tail.end());
  return bytes;
}

template <class ForEach>
std::string describe_ouch(Bytes message, ForEach&& for_each) {
  std::string text = "!unknown type";
  if (message.empty()) return text;
  for_each([&]<class M>() {
    if (static_cast<char>(message[0]) == M::kType) text = describe_ouch_as<M>(message);
  });
  return text;
}

template <class ForEach>
Octets build_ouch(std::string_view name, const Fields& fields, ForEach&& for_each) {
  Octets bytes;
  for_each([&]<class M>() {
    if (name == M::kName) bytes = build_ouch_as<M>(fields);
  });
  if (bytes.empty()) nonsense(name);
  return bytes;
}

const auto kEachInbound = [](auto&& f) { for_each_inbound(f); };
const auto kEachOutbound = [](auto&& f) { for_each_outbound(f); };

// ---- ITCH

std::string describe_itch(Bytes message) {
  std::string text = "!unknown type";
  for_each_itch([&]<class M>() {
    if (message.empty() || static_cast<char>(message[0]) != M::kType) return;
    text = message.size() == sizeof(M) ? std::string(M::kName) + fixed_text(*view_as<M>(message)) : "!size";
  });
  return text;
}

Octets build_itch(std::string_view name, const Fields& fields) {
  Octets bytes;
  for_each_itch([&]<class M>() {
    if (name == M::kName) bytes = octets_of(bytes_of(fixed_from<M>(fields)));
  });
  if (bytes.empty()) nonsense(name);
  return bytes;
}

// ---- SoupBinTCP

struct SoupName {
  soup::PacketType type;
  std::string_view name;
  std::string_view payload;  // name of the only field where it is opaque
};
constexpr std::array kSoupNames{
    SoupName{soup::PacketType::debug, "Debug", "text"},
    SoupName{soup::PacketType::login_accepted, "LoginAccepted", ""},
    SoupName{soup::PacketType::login_rejected, "LoginRejected", ""},
    SoupName{soup::PacketType::sequenced_data, "SequencedData", "message"},
    SoupName{soup::PacketType::server_heartbeat, "ServerHeartbeat", ""},
    SoupName{soup::PacketType::end_of_session, "EndOfSession", ""},
    SoupName{soup::PacketType::login_request, "LoginRequest", ""},
    SoupName{soup::PacketType::unsequenced_data, "UnsequencedData", "message"},
    SoupName{soup::PacketType::client_heartbeat, "ClientHeartbeat", ""},
    SoupName{soup::PacketType::logout_request, "LogoutRequest", ""},
};

template <class Payload>
std::string soup_fixed_text(Bytes payload) {
  return payload.size() == sizeof(Payload) ? fixed_text(*view_as<Payload>(payload)) : "!size";
}

std::string soup_payload_text(const SoupName& kind, Bytes payload) {
  if (!kind.payload.empty()) return '\t' + std::string(kind.payload) + "=t:" + to_hex(payload);
  if (kind.type == soup::PacketType::login_request) return soup_fixed_text<soup::LoginRequest>(payload);
  if (kind.type == soup::PacketType::login_accepted) return soup_fixed_text<soup::LoginAccepted>(payload);
  if (kind.type == soup::PacketType::login_rejected) return std::string("\treason=t:") + to_hex(payload);
  return payload.empty() ? "" : "!size";
}

std::string describe_soup(Bytes packet) {
  const soup::Read read = soup::read_datagram(packet);
  if (read.status != soup::ReadStatus::packet) return "!framing";
  for (const SoupName& kind : kSoupNames) {
    if (kind.type == read.type) return std::string(kind.name) + soup_payload_text(kind, read.payload);
  }
  return "!unknown type";
}

template <class Payload>
Octets framed(const Payload& payload) {
  Octets bytes(sizeof(soup::Framed<Payload>));
  overlay<soup::Framed<Payload>>(bytes.data()) = {.payload = payload};
  return bytes;
}

// Logins go through parse() and the functions that justify, so that both are checked against the full-width text.
Octets build_soup(std::string_view name, const Fields& fields) {
  for (const SoupName& kind : kSoupNames) {
    if (kind.name != name) continue;
    if (kind.type == soup::PacketType::login_request) {
      const auto raw = fixed_from<soup::LoginRequest>(fields);
      const soup::Login login = soup::parse(raw);
      return framed(soup::login_request(login.username, login.password, login.session, login.sequence.value()));
    }
    if (kind.type == soup::PacketType::login_accepted) {
      const auto raw = fixed_from<soup::LoginAccepted>(fields);
      return framed(soup::login_accepted(raw.session.text(), raw.sequence.decimal().value()));
    }
    if (kind.type == soup::PacketType::login_rejected) {
      const char reason = static_cast<char>(characters_in(fields.find("reason")->second).at(0));
      return framed(soup::LoginRejected{static_cast<soup::RejectCode>(reason)});
    }
    const Octets payload = kind.payload.empty() ? Octets{} : characters_in(fields.find(kind.payload)->second);
    Octets bytes(sizeof(soup::Header) + payload.size());
    std::copy(payload.begin(), payload.end(), soup::begin_packet(bytes, kind.type, payload.size()));
    return bytes;
  }
  nonsense(name);
}

// ---- MoldUDP64

std::string describe_mold(Bytes packet) {
  mold::BlockReader reader(packet);
  if (reader.header() == nullptr) return "!too short";
  const mold::Header& header = *reader.header();
  std::string text = "Packet\tsession=" + text_of(header.session) + "\tsequence=" + text_of(header.sequence) +
                     "\tcount=" + text_of(header.count) + "\tmessages=";
  if (mold::packet_kind(packet) == mold::PacketKind::request) return text;
  for (bool first = true; reader.next(); first = false) {
    text += first ? "x" : ",x";
    text += to_hex(reader.block());
  }
  if (reader.fault() == mold::BlockFault::none) return text;
  return std::string("!block fault ") + std::to_string(static_cast<int>(reader.fault()));
}

Octets build_mold(std::string_view, const Fields& fields) {
  alpha<10> session;
  set_from(session, fields.find("session")->second);
  const std::uint64_t sequence = number_in(fields.find("sequence")->second);
  const std::uint64_t count = number_in(fields.find("count")->second);
  const std::string& messages = fields.find("messages")->second;
  Octets bytes(sizeof(mold::Header) + messages.size() + 2);
  mold::PacketWriter writer(bytes);
  for (const std::string_view message : split_text(messages, ',')) {
    if (message.empty()) continue;
    const Octets content = from_hex(message.substr(1));
    std::copy(content.begin(), content.end(), writer.try_append(content.size()));
  }
  const bool counts_blocks = writer.count() == count;
  bytes.resize(writer.finish(session, sequence));
  if (!counts_blocks) {
    overlay<mold::Header>(bytes.data()) = {session, sequence, static_cast<std::uint16_t>(count)};
  }
  return bytes;
}

constexpr std::array<std::string_view, 5> kProtocolNames{"ouch-in", "ouch-out", "itch", "soup", "mold"};

}  // namespace

Protocol protocol_of(std::string_view name) {
  for (std::size_t i = 0; i < kProtocolNames.size(); ++i) {
    if (kProtocolNames[i] == name) return static_cast<Protocol>(i);
  }
  nonsense(name);
}

std::string_view name_of(Protocol protocol) { return kProtocolNames[static_cast<std::size_t>(protocol)]; }

std::string describe(Protocol protocol, Bytes message) {
  switch (protocol) {
    case Protocol::ouch_in:
      return describe_ouch(message, kEachInbound);
    case Protocol::ouch_out:
      return describe_ouch(message, kEachOutbound);
    case Protocol::itch:
      return describe_itch(message);
    case Protocol::soup:
      return describe_soup(message);
    case Protocol::mold:
      return describe_mold(message);
  }
  nonsense("protocol");
}

Octets build(Protocol protocol, std::string_view text) {
  const std::vector<std::string_view> parts = split_text(text, '\t');
  Fields fields;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto [name, value] = cut(parts[i], '=');
    fields.emplace(name, value);
  }
  switch (protocol) {
    case Protocol::ouch_in:
      return build_ouch(parts[0], fields, kEachInbound);
    case Protocol::ouch_out:
      return build_ouch(parts[0], fields, kEachOutbound);
    case Protocol::itch:
      return build_itch(parts[0], fields);
    case Protocol::soup:
      return build_soup(parts[0], fields);
    case Protocol::mold:
      return build_mold(parts[0], fields);
  }
  nonsense("protocol");
}

std::string to_hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const std::uint8_t byte : bytes) hex += {kDigits[byte >> 4], kDigits[byte & 15]};
  return hex;
}

Octets from_hex(std::string_view hex) {
  Octets bytes;
  int high = -1;
  for (const char c : hex) {
    if (c == ' ') continue;
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) nonsense(hex);
    if (high >= 0) bytes.push_back(static_cast<std::uint8_t>(high << 4 | digit));
    high = high >= 0 ? -1 : digit;
  }
  if (high >= 0) nonsense(hex);
  return bytes;
}

}  // namespace crosswire::wire::test
