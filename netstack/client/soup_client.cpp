// Order entry over SoupBinTCP, from the client's side: see soup_client.hpp. What is not an answer.
#include "netstack/client/soup_client.hpp"

#include <algorithm>
#include <optional>

namespace crosswire::client {
namespace {

namespace soup = wire::soup;

/// A packet of this payload; 0 if there is no room.
std::size_t put(std::span<std::uint8_t> room, soup::PacketType type, wire::Bytes payload = {}) {
  std::uint8_t* const at = soup::begin_packet(room, type, payload.size());
  if (at == nullptr) return 0;
  std::copy(payload.begin(), payload.end(), at);
  return sizeof(soup::Header) + payload.size();
}

}  // namespace

std::size_t SoupClient::login(std::span<std::uint8_t> room, std::uint64_t wanted) {
  if (room.size() < sizeof(soup::Framed<soup::LoginRequest>)) return 0;
  wire::overlay<soup::Framed<soup::LoginRequest>>(room.data()) = {
      .payload = soup::login_request(user_, password_, "", wanted)};
  packets_.clear();
  state_ = SoupState::awaiting;
  refusal_ = 0;
  return sizeof(soup::Framed<soup::LoginRequest>);
}

std::size_t SoupClient::heartbeat(std::span<std::uint8_t> room) const {
  return put(room, soup::PacketType::client_heartbeat);
}

std::size_t SoupClient::logout(std::span<std::uint8_t> room) const {
  return put(room, soup::PacketType::logout_request);
}

std::size_t SoupClient::order(std::span<std::uint8_t> room, wire::Bytes message) const {
  return put(room, soup::PacketType::unsequenced_data, message);
}

void SoupClient::take_other(const SoupPackets::Packet& packet) {
  switch (packet.type) {
    case soup::PacketType::server_heartbeat:
      ++counts_.heartbeats;
      return;
    case soup::PacketType::debug:
      remark_size_ = std::min(packet.payload.size(), kMostRemark);
      std::copy_n(packet.payload.begin(), remark_size_, remark_.begin());
      return;
    case soup::PacketType::login_accepted:
      return take_accepted(packet);
    case soup::PacketType::login_rejected:
      if (state_ != SoupState::awaiting) break;
      refusal_ = packet.payload.empty() ? '?' : static_cast<char>(packet.payload[0]);
      state_ = SoupState::refused;
      return;
    case soup::PacketType::end_of_session:
      if (state_ != SoupState::logged_in) break;
      state_ = SoupState::ended;
      return;
    case soup::PacketType::sequenced_data:
      break;
    default:
      ++counts_.unknown;
      return;
  }
  ++counts_.unexpected;
}

/// Without its number nothing that follows could be counted.
void SoupClient::take_accepted(const SoupPackets::Packet& packet) {
  if (state_ != SoupState::awaiting) {
    ++counts_.unexpected;
    return;
  }
  const auto* const accepted = wire::view_as<soup::LoginAccepted>(packet.payload);
  const bool readable = accepted != nullptr && packet.size == sizeof *accepted;
  const std::optional<std::uint64_t> next = readable ? accepted->sequence.decimal() : std::nullopt;
  if (!next || *next == 0) {
    state_ = SoupState::broken;
    return;
  }
  session_.set(accepted->session.text());
  next_ = *next;
  state_ = SoupState::logged_in;
}

}  // namespace crosswire::client
