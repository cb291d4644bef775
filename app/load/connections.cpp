// A load generator's connections: see connections.hpp. On the generator's one polling thread.
#include "app/load/connections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "app/config/config.hpp"
#include "hugepages/base/check.hpp"
#include "netstack/wire/mold.hpp"

namespace crosswire {
namespace {

namespace mold = wire::mold;
namespace soup = wire::soup;

/// Of orders that the server's TCP has not acknowledged, a power of two: who waits for one connection's time-out must
/// not hold up the others. So much for all together, and within these bounds for each.
constexpr std::size_t kAllRingsBytes = std::size_t{64} << 20;
constexpr std::size_t kLeastRingBytes = std::size_t{64} << 10, kMostRingBytes = std::size_t{1} << 20;
/// Handshakes and logins under way at once: a server's backlog is not what is measured.
constexpr std::size_t kOpeningAtOnce = 32;
/// SoupBinTCP wants a heartbeat when nothing was sent for a second. One connection is looked at in a poll.
constexpr TimeNs kHeartbeatNs = kNsPerSecond / 2;
/// After which SoupBinTCP takes the server for gone, that sends one each second.
constexpr TimeNs kServerGoneNs = 15 * kNsPerSecond;
/// Polls so far apart: this process was without its core.
constexpr TimeNs kStandstillNs = kNsPerSecond / 1000;
constexpr std::uint32_t kNobody = ~std::uint32_t{0};

tcp::TcpConfig tcp_config(const LoadOptions& options) {
  tcp::TcpConfig config;
  config.connections = config.opened_by_us = static_cast<std::uint16_t>(options.parties.size());
  config.backlog = 1;  // nobody connects to us
  config.standstill_ns = kStandstillNs;
  config.secret = options.tcp->secret;
  return config;
}

NetConfig net_config(const LoadOptions& options) {
  NetConfig net = side_of(options.parties.front());
  if (options.vlan != 0) net.vlans = {options.vlan};
  return net;
}

std::size_t ring_bytes(std::size_t connections) {
  return std::clamp(std::bit_floor(kAllRingsBytes / connections), kLeastRingBytes, kMostRingBytes);
}

std::size_t bytes_for(const tcp::TcpConfig& config) {
  return tcp::Signals::bytes_for() + tcp::ReceiveHalf::bytes_for(config) + tcp::SendHalf::bytes_for(config) +
         config.connections * Arena::bytes_for<std::uint8_t>(ring_bytes(config.connections)) + 4096;
}

}  // namespace

LoadConnections::LoadConnections(const LoadOptions& options, TxPort& tx, LoadAnswers& answers)
    : options_(options),
      answers_(answers),
      config_(tcp_config(options)),
      net_(net_config(options)),
      memory_(bytes_for(config_), options.tcp->hugepages, -1, "TCP"),
      signals_(memory_),
      receive_(config_, net_.address, signals_, *this, memory_),
      send_(config_, net_, signals_, *this, tx, memory_),
      host_(net_, receive_, burst_),
      lines_(options.parties.size()),
      echoes_(options.floor ? options.parties.size() : 0),
      session_of_(config_.connections, kNobody) {
  CHECK(options.parties.size() <= kMaxLoadConnections, "%zu connections", options.parties.size());
  for (Line& line : lines_) line.ring = memory_.array<std::uint8_t>(ring_bytes(lines_.size()));
  clients_.reserve(options.parties.size());
  for (const LoadParty& party : options.parties) {
    CHECK(party.address == net_.address, "the party of port %u has another address", party.port);
    clients_.emplace_back(party.user, party.password);
  }
}

/// A burst that has no room for its signals goes on when the send half has taken some.
void LoadConnections::take_burst(std::span<const RxFrame> frames, TimeNs now) {
  now_ = std::max(now_, now);
  burst_.give(frames, now_);
  for (host_.poll(); !burst_.asked_for_more(); host_.poll()) send_.poll(now_);
}

// --- beginnings and ends ---------------------------------------------------------------------------------------------

void LoadConnections::open(const MacAddress& server) {
  while (next_opened_ < lines_.size() && opening_ < kOpeningAtOnce) {
    const auto session = static_cast<std::uint32_t>(next_opened_++);
    Line& line = lines_[session];
    const tcp::Remote to{options_.server.address, options_.tcp->port, options_.vlan, server};
    line.stage = Stage::opening;
    ++opening_;
    const auto connection = send_.connect(to, options_.parties[session].port);
    if (!connection) return lose(session, "its port is in use");
    line.connection = *connection;
    session_of_[connection->value] = session;
  }
}

void LoadConnections::ready(tcp::ConnectionId id) {
  const std::uint32_t session = session_of_[id.value];
  Line& line = lines_[session];
  line.heard_ns = now_;
  if (options_.floor) return become_open(line);
  std::array<std::uint8_t, sizeof(soup::Framed<soup::LoginRequest>)> packet;
  // Messages from before are another day's work.
  put(line, {packet.data(), clients_[session].login(packet, 0)});
}

void LoadConnections::become_open(Line& line) {
  line.stage = Stage::open;
  --opening_;
  ++open_;
}

void LoadConnections::note_stream(std::uint32_t session, client::SoupState state) {
  Line& line = lines_[session];
  switch (state) {
    case client::SoupState::logged_in:
      if (line.stage == Stage::opening) become_open(line);
      return;
    case client::SoupState::refused:
      if (refusal_ == 0) refusal_ = clients_[session].refusal();
      return cut(session, "its login is refused");
    case client::SoupState::ended:
      return cut(session, "the server has ended the session");
    case client::SoupState::broken:
      return cut(session, "what comes is not SoupBinTCP");
    case client::SoupState::idle:
    case client::SoupState::awaiting:
      return;
  }
}

/// Not by our leave: said once of each, and the first time in words.
void LoadConnections::lose(std::uint32_t session, std::string_view why) {
  Line& line = lines_[session];
  const Stage before = line.stage;
  if (before == Stage::gone || before == Stage::closed) return;
  line.stage = Stage::gone;
  opening_ -= before == Stage::opening;
  open_ -= before == Stage::open;
  if (before == Stage::leaving) return;
  ++lost_;
  if (!fault_.empty()) return;
  const std::string_view remark = clients_[session].remark();
  fault_ = fmt::format("{} of {} to {}:{} {}: {}{}{}", before == Stage::opening ? "no connection" : "the connection",
                       options_.floor ? fmt::format("number {}", session + 1) : options_.parties[session].user,
                       format_address(options_.server.address), options_.tcp->port,
                       before == Stage::opening ? "came about" : "is lost", why,
                       remark.empty() ? "" : ", and says: ", remark);
}

/// The same, by us.
void LoadConnections::cut(std::uint32_t session, std::string_view why) {
  lose(session, why);
  send_.abort(lines_[session].connection);
}

void LoadConnections::finished(tcp::ConnectionId id) {
  const std::uint32_t session = session_of_[id.value];
  if (lines_[session].stage == Stage::leaving) return;
  lose(session, "the server has closed it");
  send_.finish(id);
}

void LoadConnections::gone(tcp::ConnectionId id, tcp::EndReason reason) { closed(id, reason); }

void LoadConnections::closed(tcp::ConnectionId id, tcp::EndReason reason) {
  lose(session_of_[id.value], tcp::kEndReasonWords[static_cast<std::size_t>(reason)]);
}

void LoadConnections::leave() {
  next_opened_ = lines_.size();
  for (std::uint32_t session = 0; session < lines_.size(); ++session) {
    Line& line = lines_[session];
    if (line.stage == Stage::opening) {
      line.stage = Stage::gone;
      --opening_;
      send_.abort(line.connection);
    } else if (line.stage == Stage::open) {
      std::array<std::uint8_t, sizeof(soup::Header)> packet;
      if (!options_.floor && room(line) >= packet.size()) put(line, {packet.data(), clients_[session].logout(packet)});
      line.stage = Stage::leaving;
      --open_;
      send_.finish(line.connection);
    }
  }
}

bool LoadConnections::left() const {
  return std::all_of(lines_.begin(), lines_.end(), [this](const Line& line) {
    return line.stage != Stage::leaving || send_.state(line.connection) == tcp::SendHalf::State::time_wait;
  });
}

void LoadConnections::abort() {
  for (Line& line : lines_) {
    if (line.stage != Stage::leaving) continue;
    line.stage = Stage::gone;
    send_.abort(line.connection);
  }
}

// --- bytes -----------------------------------------------------------------------------------------------------------

tcp::StreamReader::Taken LoadConnections::take(tcp::ConnectionId id, wire::Bytes bytes) {
  const std::uint32_t session = session_of_[id.value];
  Line& line = lines_[session];
  line.heard_ns = heard_ns_ = now_;
  const Taken all{bytes.size(), tcp::kNoNumber};
  if (options_.floor) [[unlikely]] {
    const bool readable =
        echoes_[session].take(bytes, [this, session, &line](const client::SoupPackets::Packet& packet) {
          answers_.answer(session, ++line.answers, packet.payload);
        });
    if (!readable) cut(session, "what comes is not SoupBinTCP");
    return all;
  }
  const auto deliver = [this, session](std::uint64_t number, wire::Bytes message) {
    answers_.answer(session, number, message);
  };
  const client::SoupState state = clients_[session].take(bytes, deliver);
  if (state != client::SoupState::logged_in || line.stage != Stage::open) [[unlikely]]
    note_stream(session, state);
  return all;
}

std::size_t LoadConnections::room(const Line& line) const {
  return line.ring.size() - (line.written - line.acknowledged);
}

/// There is room.
void LoadConnections::put(Line& line, wire::Bytes bytes) {
  const std::size_t at = line.written & (line.ring.size() - 1);
  const std::size_t first = std::min(bytes.size(), line.ring.size() - at);
  std::memcpy(line.ring.data() + at, bytes.data(), first);
  if (first < bytes.size()) std::memcpy(line.ring.data(), bytes.data() + first, bytes.size() - first);
  line.written += bytes.size();
  line.sent_ns = now_;
  send_.extend(line.connection, static_cast<std::uint32_t>(bytes.size()));
}

void LoadConnections::copy(tcp::ConnectionId id, std::uint64_t offset, std::span<std::uint8_t> to) {
  const Line& line = lines_[session_of_[id.value]];
  const std::size_t at = offset & (line.ring.size() - 1);
  const std::size_t first = std::min(to.size(), line.ring.size() - at);
  std::memcpy(to.data(), line.ring.data() + at, first);
  if (first < to.size()) std::memcpy(to.data() + first, line.ring.data(), to.size() - first);
}

void LoadConnections::acknowledged(tcp::ConnectionId id, std::uint64_t offset) {
  lines_[session_of_[id.value]].acknowledged = offset;
}

bool LoadConnections::send_orders(std::uint32_t session, wire::Bytes mold) {
  Line& line = lines_[session];
  if (line.stage != Stage::open) return false;
  std::size_t wanted = 0;
  for (mold::BlockReader blocks(mold); blocks.next();) wanted += sizeof(soup::Header) + blocks.block().size();
  if (wanted > room(line)) return false;
  for (mold::BlockReader blocks(mold); blocks.next();) {
    std::array<std::uint8_t, sizeof(soup::Header) + kMaxUdpPayload> packet;
    put(line, {packet.data(), clients_[session].order(packet, blocks.block())});
  }
  return true;
}

void LoadConnections::keep_alive() {
  const auto session = static_cast<std::uint32_t>(next_kept_alive_);
  if (++next_kept_alive_ == lines_.size()) next_kept_alive_ = 0;
  Line& line = lines_[session];
  if (line.stage != Stage::open || options_.floor) return;
  if (now_ >= line.heard_ns + kServerGoneNs) return cut(session, "nothing has come for 15 s");
  std::array<std::uint8_t, sizeof(soup::Header)> packet;
  if (now_ < line.sent_ns + kHeartbeatNs || room(line) < packet.size()) return;
  put(line, {packet.data(), clients_[session].heartbeat(packet)});
}

std::uint64_t LoadConnections::odd_packets() const {
  std::uint64_t sum = 0;
  for (const client::SoupClient& client : clients_) {
    sum += client.counts().unknown + client.counts().unexpected + client.counts().too_long;
  }
  return sum;
}

LoadTcpFigures LoadConnections::figures() const {
  using Sent = tcp::TcpSendCounter;
  using Came = tcp::TcpReceiveCounter;
  return {.connections = static_cast<std::uint32_t>(lines_.size()),
          .lost = lost_,
          .segments_sent = send_.counters().get(Sent::tcp_sent),
          .segments_received = receive_.counters().get(Came::tcp_segments),
          .retransmitted = send_.counters().get(Sent::tcp_retransmitted),
          .timeouts = send_.counters().get(Sent::tcp_timeouts),
          .out_of_order = receive_.counters().get(Came::tcp_out_of_order),
          .repeated = receive_.counters().get(Came::tcp_repeated)};
}

}  // namespace crosswire
