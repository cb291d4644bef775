// Packets out of a stream: see the header. Tools only.
#include "app/flow/soup_reader.hpp"

#include <algorithm>

#include "app/flow/ouch_version.hpp"

namespace crosswire {
namespace {

namespace soup = wire::soup;
using soup::PacketType;
using soup::ReadStatus;

bool is_text(wire::Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t c) { return c == 0 || (c >= ' ' && c <= '~'); });
}

bool is_clients(PacketType type) {
  return type == PacketType::login_request || type == PacketType::unsequenced_data ||
         type == PacketType::client_heartbeat || type == PacketType::logout_request || type == PacketType::debug;
}

bool is_login(const soup::Read& packet) {
  return packet.type == PacketType::login_request && packet.payload.size() == sizeof(soup::LoginRequest) &&
         is_text(packet.payload);
}

bool is_order(const soup::Read& packet) {
  return packet.type == PacketType::unsequenced_data && version_of(packet.payload) != OuchVersion::none;
}

bool is_certain(const soup::Read& packet) {
  if (packet.type == PacketType::debug) return is_text(packet.payload);
  const bool empty = packet.type == PacketType::client_heartbeat || packet.type == PacketType::logout_request;
  return empty ? packet.payload.empty() : is_login(packet) || is_order(packet);
}

/// Whether a packet may begin so that is not there as a whole.
bool may_begin_packet(wire::Bytes bytes) {
  if (bytes.size() < sizeof(soup::Header)) return true;
  const auto& header = *wire::view_as<soup::Header>(bytes);
  return is_clients(header.type) && header.length >= 1 && header.length < SoupReader::kLongestPacket;
}

}  // namespace

bool is_packet_chain(wire::Bytes bytes, bool heartbeats_will_do) {
  std::size_t packets = 0;
  bool telling = heartbeats_will_do;
  while (!bytes.empty()) {
    const soup::Read packet = soup::read(bytes);
    if (packet.status == ReadStatus::incomplete) return packets >= 2 && telling && may_begin_packet(bytes);
    if (packet.status != ReadStatus::packet || !is_certain(packet)) return false;
    telling = telling || is_login(packet) || is_order(packet);
    ++packets;
    bytes = bytes.subspan(packet.size);
  }
  return packets > 0 && telling;
}

void SoupReader::bytes(wire::Bytes bytes, bool segment, CapturedAt at) {
  if (verdict_ == Verdict::not_soup) return;
  if (skip_ > 0) {
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, bytes.size()));
    skip_ -= size;
    skip(size);
    bytes = bytes.subspan(size);
    segment = false;
  }
  if (bytes.empty()) return;
  if (lost_ && !find_boundary(bytes, segment)) return skip(bytes.size());
  if (partial_.empty()) {
    bytes = bytes.subspan(read_packets(bytes, at));
    partial_.assign(bytes.begin(), bytes.end());
  } else {
    partial_.insert(partial_.end(), bytes.begin(), bytes.end());
    const std::size_t read = read_packets(partial_, at);
    partial_.erase(partial_.begin(), partial_.begin() + static_cast<std::ptrdiff_t>(read));
  }
}

bool SoupReader::find_boundary(wire::Bytes bytes, bool segment) {
  if (!segment || !is_packet_chain(bytes, trusted_ || verdict_ == Verdict::soup)) return false;
  lost_ = false;
  ++figures_.resynced;
  verdict_ = Verdict::soup;
  return true;
}

/// Takes the whole packets in `bytes`, which begin with one. Returns how many bytes need not be kept.
std::size_t SoupReader::read_packets(wire::Bytes bytes, CapturedAt at) {
  const std::size_t all = bytes.size();
  while (!bytes.empty()) {
    if (verdict_ == Verdict::open && !may_be_first(bytes)) verdict_ = Verdict::not_soup;
    if (verdict_ == Verdict::not_soup) return all;
    const soup::Read packet = soup::read(bytes);
    if (packet.status == ReadStatus::malformed) {  // there is no next packet
      lost_ = true;
      skip(bytes.size());
      return all;
    }
    if (packet.status == ReadStatus::packet) {
      take(packet, at);
      bytes = bytes.subspan(packet.size);
      continue;
    }
    const std::size_t size = bytes.size() < 2 ? 0 : 2 + std::size_t{*wire::view_as<wire::be16>(bytes)};
    if (size <= kLongestPacket) break;
    skip_ = size - bytes.size();
    skip(bytes.size());
    ++figures_.others;
    return all;
  }
  return all - bytes.size();
}

/// As far as is there of it.
bool SoupReader::may_be_first(wire::Bytes bytes) const {
  if (trusted_) return may_begin_packet(bytes);
  constexpr std::uint8_t kLogin[] = {0, 1 + sizeof(soup::LoginRequest),
                                     static_cast<std::uint8_t>(PacketType::login_request)};
  return std::equal(kLogin, kLogin + std::min(sizeof kLogin, bytes.size()), bytes.begin());
}

void SoupReader::take(const soup::Read& packet, CapturedAt at) {
  if (verdict_ == Verdict::open) {
    verdict_ = is_certain(packet) ? Verdict::soup : Verdict::not_soup;
    if (verdict_ == Verdict::not_soup) return;
  }
  const bool login = packet.type == PacketType::login_request && packet.payload.size() == sizeof(soup::LoginRequest);
  if (login) {
    ++figures_.logins;
    handler_.login(*wire::view_as<soup::LoginRequest>(packet.payload), at);
  } else if (packet.type == PacketType::unsequenced_data) {
    ++figures_.messages;
    handler_.message(packet.payload, at);
  } else if (packet.type == PacketType::logout_request) {
    ++figures_.logouts;
    handler_.logout(at);
  } else if (packet.type == PacketType::client_heartbeat) {
    ++figures_.heartbeats;
  } else {
    ++figures_.others;
  }
}

void SoupReader::gap(std::uint64_t length) {
  if (verdict_ == Verdict::not_soup || lost_) return;
  std::uint64_t remaining = skip_;
  if (partial_.size() >= 2) remaining = 2 + std::uint64_t{*wire::view_as<wire::be16>(partial_)} - partial_.size();
  skip(partial_.size());
  partial_.clear();
  // A packet whose length is known ends where it says, whatever is in it.
  const bool within = verdict_ == Verdict::soup && remaining > 0 && length <= remaining;
  skip_ = within ? remaining - length : 0;
  lost_ = !within;
}

}  // namespace crosswire
