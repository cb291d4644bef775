// SoupBinTCP streams out of message stores: see the header.
#include "netstack/transmit/soup_sender.hpp"

#include <algorithm>

#include "hugepages/base/check.hpp"
#include "netstack/session/end_words.hpp"

namespace crosswire {

namespace soup = wire::soup;
using Count = TransmitCounter;

SoupSender::SoupSender(const NetConfig& net, const tcp::Wiring& wiring, TxPort& port, TransmitCounters& counters,
                       Arena& arena)
    : half_(wiring.config, net, wiring.signals, *this, port, arena),
      counters_(counters),
      connections_(arena.array<Connection>(wiring.config.connections)) {
  for (Connection& connection : connections_) connection.stream = SoupStream(arena, kRuns);
}

std::size_t SoupSender::bytes_for(const tcp::TcpConfig& config) {
  return tcp::SendHalf::bytes_for(config) + Arena::bytes_for<Connection>(config.connections) +
         config.connections * SoupStream::bytes_for(kRuns);
}

// ---- What connections are -------------------------------------------------------------------------------------------

SoupSender::Standing SoupSender::standing(ConnectionRef connection) const {
  using State = tcp::SendHalf::State;
  const tcp::ConnectionId id = id_of(connection);
  // The signal that opens it comes before the command, by a ring of its own, and may be seen behind it.
  const bool of_before = static_cast<std::int16_t>(half_.turn_of(id) - connection.turn) < 0;
  if (of_before) return Standing::not_yet;
  if (half_.turn_of(id) != connection.turn) return Standing::gone;
  if (half_.state(id) == State::syn_received) return Standing::not_yet;
  return connections_[connection.place].phase == Phase::none ? Standing::gone : Standing::ready;
}

/// Carrying a session, and not another one than when `connection` was noted.
SoupSender::Connection* SoupSender::live(ConnectionRef connection) {
  Connection& found = connections_[connection.place];
  const bool same = found.phase == Phase::session && half_.turn_of(id_of(connection)) == connection.turn;
  return same ? &found : nullptr;
}

void SoupSender::ready(tcp::ConnectionId id) {
  Connection& connection = at(id);
  connection.stream.clear();
  connection.store = nullptr;
  connection.session = kNoSession;
  connection.phase = Phase::stranger;
  connection.ends = false;
}

void SoupSender::closed(tcp::ConnectionId id, tcp::EndReason) {
  Connection& connection = at(id);
  if (connection.phase == Phase::leaving) remove_leaving(connection);
  connection.phase = Phase::none;
  connection.store = nullptr;
  connection.session = kNoSession;
}

void SoupSender::finish(tcp::ConnectionId id, Connection& connection) {
  if (connection.phase == Phase::leaving) return;
  half_.finish(id);
  connection.phase = Phase::leaving;
  add_leaving(id, connection);
  if (refused_.count > kMostRefused) half_.abort(tcp::ConnectionId{refused_.oldest});
}

void SoupSender::add_leaving(tcp::ConnectionId id, Connection& connection) {
  Leaving& leaving = leaving_with(connection);
  connection.left_ns = now_;
  connection.before = leaving.newest;
  connection.after = kNobody;
  (leaving.newest == kNobody ? leaving.oldest : connections_[leaving.newest].after) = id.value;
  leaving.newest = id.value;
  ++leaving.count;
}

void SoupSender::remove_leaving(Connection& connection) {
  Leaving& leaving = leaving_with(connection);
  (connection.before == kNobody ? leaving.oldest : connections_[connection.before].after) = connection.after;
  (connection.after == kNobody ? leaving.newest : connections_[connection.after].before) = connection.before;
  --leaving.count;
}

void SoupSender::abort_late(const Leaving& leaving) {
  for (std::size_t n = leaving.count; n > 0 && now_ >= connections_[leaving.oldest].left_ns + kLeaveNs; --n) {
    half_.abort(tcp::ConnectionId{leaving.oldest});
  }
}

void SoupSender::look_for_late_ends() {
  abort_late(sessions_leaving_);
  abort_late(refused_);
}

void SoupSender::cut(ConnectionRef ref) {
  const Connection& connection = at(id_of(ref));
  if (connection.phase != Phase::none && half_.turn_of(id_of(ref)) == ref.turn) half_.abort(id_of(ref));
}

// ---- Packets --------------------------------------------------------------------------------------------------------

/// False: the client has not taken what was said before.
bool SoupSender::say(tcp::ConnectionId id, Connection& connection, wire::Bytes packet) {
  if (!connection.stream.append_control(packet)) return false;
  half_.extend(id, static_cast<std::uint32_t>(packet.size()));
  return true;
}

template <class Packet>
bool SoupSender::say_packet(tcp::ConnectionId id, Connection& connection, const Packet& packet) {
  return say(id, connection, wire::bytes_of(packet));
}

void SoupSender::accept(ConnectionRef ref, SessionId session, const Store& store, std::uint64_t wanted,
                        std::string_view session_name, bool ends) {
  const tcp::ConnectionId id = id_of(ref);
  Connection& connection = at(id);
  if (connection.phase != Phase::stranger) return;  // it has ended meanwhile
  const std::uint64_t first = first_of(store, wanted);
  if (first < store.oldest()) return half_.abort(id, tcp::EndReason::fell_behind);
  connection.store = &store;
  connection.session = session;
  connection.next = first;
  connection.phase = Phase::session;
  connection.ends = ends;
  connection.caught_up = first + store.kept() / 4 >= store.next();
  say_packet(id, connection, soup::Framed<soup::LoginAccepted>{.payload = soup::login_accepted(session_name, first)});
  counters_.add(Count::logins_accepted);
  if (has_history(connection)) wait(id, connection);
  end_if_all_said(id, connection);
}

void SoupSender::reject(ConnectionRef ref, soup::RejectCode reason) {
  const tcp::ConnectionId id = id_of(ref);
  Connection& connection = at(id);
  if (connection.phase != Phase::stranger) return;
  say_packet(id, connection, soup::Framed<soup::LoginRejected>{.payload = {.reason = reason}});
  finish(id, connection);
  counters_.add(Count::logins_refused);
}

bool SoupSender::offer(ConnectionRef ref, const Store& store) {
  Connection* const connection = live(ref);
  if (connection == nullptr) return false;
  const std::uint64_t number = store.next() - 1;
  const std::size_t bytes = store.newest_size();
  if (connection->next == number && connection->stream.append_message(number, bytes)) [[likely]] {
    ++connection->next;
    half_.extend(id_of(ref), static_cast<std::uint32_t>(sizeof(soup::Header) + bytes));
  } else {
    wait(id_of(ref), *connection);
  }
  return true;
}

void SoupSender::heartbeat(ConnectionRef ref) {
  Connection* const connection = live(ref);
  if (connection == nullptr) return;
  constexpr soup::Header kHeartbeat{.length = std::uint16_t{1}, .type = soup::PacketType::server_heartbeat};
  // Where there is no room, what lies there is life enough.
  if (say_packet(id_of(ref), *connection, kHeartbeat)) counters_.add(Count::heartbeats);
}

void SoupSender::end_session(ConnectionRef ref) {
  Connection* const connection = live(ref);
  if (connection == nullptr) return;
  connection->ends = true;
  end_if_all_said(id_of(ref), *connection);
}

void SoupSender::end_if_all_said(tcp::ConnectionId id, Connection& connection) {
  if (!connection.ends || connection.phase != Phase::session || has_history(connection)) return;
  constexpr soup::Header kEnd{.length = std::uint16_t{1}, .type = soup::PacketType::end_of_session};
  if (!say_packet(id, connection, kEnd)) return wait(id, connection);
  finish(id, connection);
  counters_.add(Count::sessions_ended);
}

void SoupSender::leave(ConnectionRef ref, SessionEndReason reason, bool word) {
  const tcp::ConnectionId id = id_of(ref);
  Connection& connection = at(id);
  const bool there = connection.phase != Phase::none && connection.phase != Phase::leaving;
  if (!there || half_.turn_of(id) != ref.turn) return;
  if (word) {
    std::uint8_t packet[sizeof(soup::Header) + kMostEndWord];
    const std::string_view text = word_of(reason);
    std::uint8_t* const at = soup::begin_packet(packet, soup::PacketType::debug, text.size());
    std::copy(text.begin(), text.end(), at);
    if (say(id, connection, {packet, sizeof(soup::Header) + text.size()})) counters_.add(Count::ends_told);
  }
  finish(id, connection);
}

// ---- History --------------------------------------------------------------------------------------------------------

bool SoupSender::has_history(const Connection& connection) const {
  return connection.phase == Phase::session && connection.next < connection.store->next();
}

void SoupSender::wait(tcp::ConnectionId id, Connection& connection) {
  if (connection.waits) return;
  connection.waits = true;
  connection.next_waiting = kNobody;
  (waiting_first_ == kNobody ? waiting_first_ : connections_[waiting_last_].next_waiting) = id.value;
  waiting_last_ = id.value;
}

/// A segment of each that waits in turn, until the share is used up; who has no room waits until room is acknowledged.
void SoupSender::send_history() {
  for (std::size_t segments = 0; segments < kHistorySegments && waiting_first_ != kNobody; ++segments) {
    const tcp::ConnectionId id{waiting_first_};
    Connection& connection = at(id);
    waiting_first_ = connection.next_waiting;
    connection.waits = false;
    if (connection.phase != Phase::session) continue;
    const std::size_t said = say_a_segment(id, connection);
    if (has_history(connection)) {
      if (said > 0) wait(id, connection);
    } else {
      end_if_all_said(id, connection);
    }
  }
}

std::size_t SoupSender::say_a_segment(tcp::ConnectionId id, Connection& connection) {
  std::uint32_t bytes = 0;
  std::size_t messages = 0;
  while (connection.next < connection.store->next()) {
    const std::size_t size = connection.store->get(connection.next).size();
    if (bytes + sizeof(soup::Header) + size > tcp::kOurMss) break;
    if (!connection.stream.append_message(connection.next, size)) break;
    ++connection.next;
    bytes += static_cast<std::uint32_t>(sizeof(soup::Header) + size);
    ++messages;
  }
  if (bytes > 0) half_.extend(id, bytes);
  counters_.add(Count::messages_replayed, messages);
  return messages;
}

void SoupSender::acknowledged(tcp::ConnectionId id, std::uint64_t offset) {
  Connection& connection = at(id);
  connection.stream.acknowledged(offset);
  if (connection.phase == Phase::leaving) {  // it reads what was said before
    remove_leaving(connection);
    add_leaving(id, connection);
  }
  if (has_history(connection) || connection.ends) [[unlikely]]
    wait(id, connection);
}

void SoupSender::copy(tcp::ConnectionId id, std::uint64_t offset, std::span<std::uint8_t> to) {
  static const Store kNone;
  Connection& connection = at(id);
  connection.stream.copy(connection.store == nullptr ? kNone : *connection.store, offset, to);
}

// ---- What is still needed -------------------------------------------------------------------------------------------

std::uint64_t SoupSender::make_way(SessionId session, const Store& store) {
  const std::uint64_t kept = store.kept();
  const std::uint64_t next = store.next();
  // What is acknowledged is known by runs of messages: too few to be halved.
  const std::uint64_t backlog = kept >= 8 * SoupStream::kMostMessages ? kept / 2 : kept;
  // Not just so many, so that the next look is not at the next message.
  const std::uint64_t least = next + std::min<std::uint64_t>(kept / 8, 64) + 1;
  std::uint64_t look_at = next + backlog;
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    Connection& connection = connections_[i];
    if (connection.session != session || connection.phase == Phase::none) continue;
    std::uint64_t needed = connection.phase == Phase::session ? connection.next : next;
    if (const std::uint64_t under_way = connection.stream.oldest_message(); under_way != 0) {
      needed = std::min(needed, under_way);
    }
    connection.caught_up |= connection.phase == Phase::session && needed + kept / 4 >= next;
    const std::uint64_t until = needed + (connection.caught_up ? backlog : kept);
    if (until >= least) {
      look_at = std::min(look_at, until);
      continue;
    }
    counters_.add(Count::readers_cut);
    half_.abort(tcp::ConnectionId{static_cast<std::uint16_t>(i)}, tcp::EndReason::fell_behind);
  }
  return look_at;
}

}  // namespace crosswire
