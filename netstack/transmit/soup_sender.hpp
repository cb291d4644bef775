// SoupSender: sessions' messages as SoupBinTCP streams (WIRE 1). It stands above TCP's send half. What is sent lies in
// the session's message store and is composed again from there whenever TCP asks; only control packets lie here.
// transmit stage alone; no allocation after construction. It never waits for a window: what a client does not take
// stays in the store, its connection falls behind alone, and is cut before a message that it has still to get is
// overwritten.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/command.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/common/config.hpp"
#include "netstack/common/message_store.hpp"
#include "netstack/port/port.hpp"
#include "netstack/session/soup_stream.hpp"
#include "netstack/tcp/send_half.hpp"
#include "netstack/tcp/service.hpp"
#include "netstack/tcp/wiring.hpp"
#include "netstack/transmit/counters.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire {

class SoupSender final : public tcp::StreamWriter {
 public:
  using Store = MessageStore<128>;

  /// All outlive it.
  SoupSender(const NetConfig& net, const tcp::Wiring& wiring, TxPort& port, TransmitCounters& counters, Arena& arena);
  SoupSender(const SoupSender&) = delete;
  SoupSender& operator=(const SoupSender&) = delete;

  static std::size_t bytes_for(const tcp::TcpConfig& config);

  /// Behind the events of a transmit's poll: TCP has its turn, and history its share. `now` never falls. `newest`: of
  /// the newest event that is handled; what leaves is said to be caused by it. Returns frames committed and signals
  /// taken.
  std::size_t poll(TimeNs now, const FrameOrigin& newest) {
    now_ = now;
    half_.passed(newest.cause.value);
    half_.set_origin(newest);
    if (waiting_first_ != kNobody) [[unlikely]]
      send_history();
    return half_.poll(now);
  }

  /// Of a connection that an event names.
  enum class Standing : std::uint8_t {
    ready,
    not_yet,  // what makes it ready is on its way: the event is to be handled at a later poll
    gone,
  };
  Standing standing(ConnectionRef connection) const;

  // The connection is ready. All packets leave at the next poll(), behind what was said before.

  /// It carries the session from now on: Login Accepted, and the messages from first_of(`wanted`) on, old ones first.
  /// `ends`: and then the end of the session. What was overwritten since the client was told that it is kept costs it
  /// the connection.
  void accept(ConnectionRef connection, SessionId session, const Store& store, std::uint64_t wanted,
              std::string_view session_name, bool ends);
  void reject(ConnectionRef connection, wire::soup::RejectCode reason);
  /// The first message that a client gets which wants `wanted`: 0, or a number beyond the end, is the next one
  /// (WIRE 1.3).
  static std::uint64_t first_of(const Store& store, std::uint64_t wanted) {
    return wanted == 0 ? store.next() : std::min(wanted, store.next());
  }

  // For a connection that carries the session, or did until it ended by itself: nothing happens then.

  /// A message has been kept. False: the connection is gone.
  bool offer(ConnectionRef connection, const Store& store);
  void heartbeat(ConnectionRef connection);
  /// The end of the session behind all its messages, and of the connection.
  void end_session(ConnectionRef connection);

  /// The connection is to end, whoever it belongs to; `word`: with a word that says why.
  void leave(ConnectionRef connection, SessionEndReason reason, bool word);
  /// It is reset: another one needs its place.
  void cut(ConnectionRef connection);

  /// A message is about to overwrite the oldest of the session. Cuts the connections that still need it, or soon will:
  /// those that are behind by half of what is kept, so that they find what they have missed when they log in again; one
  /// that has logged in for older messages only when it must be, until it has caught up. Returns the number of the
  /// message before which it is to be called again. Looks at all connections.
  std::uint64_t make_way(SessionId session, const Store& store);

  /// Connections that were told to end and whose clients do not, though they have all that was said, are reset. Once a
  /// tick.
  void look_for_late_ends();

  const Counters<tcp::TcpSendCounter>& counters() const { return half_.counters(); }

  // StreamWriter.
  void ready(tcp::ConnectionId id) override;
  void copy(tcp::ConnectionId id, std::uint64_t offset, std::span<std::uint8_t> to) override;
  void acknowledged(tcp::ConnectionId id, std::uint64_t offset) override;
  void heard(tcp::ConnectionId) override {}
  void finished_by_peer(tcp::ConnectionId) override {}  // receive says what ends by that
  void closed(tcp::ConnectionId id, tcp::EndReason reason) override;

  /// Segments of history that leave in a poll, of all connections together.
  static constexpr std::size_t kHistorySegments = 8;
  /// Runs of messages and control packets of a connection that may be under way.
  static constexpr std::size_t kRuns = 128;
  /// What a client that was told has to close its side.
  static constexpr TimeNs kLeaveNs = kNsPerSecond;
  /// So many of those who never logged in may take their time at once; beyond that their oldest is reset, so that who
  /// only comes to be refused cannot hold the places of all others.
  static constexpr std::size_t kMostRefused = 256;

 private:
  static constexpr std::uint16_t kNobody = 0xFFFF;

  enum class Phase : std::uint8_t {
    none,
    stranger,  // ready, and nobody's
    session,
    leaving,  // its last byte is said
  };

  struct Connection {
    SoupStream stream;
    const Store* store = nullptr;  // of the session, once there was one
    std::uint64_t next = 0;        // number of the next message to be said
    TimeNs left_ns = 0;            // of Phase::leaving
    SessionId session = kNoSession;
    std::uint16_t next_waiting = 0;
    std::uint16_t before = 0, after = 0;  // of those that are leaving
    Phase phase = Phase::none;
    bool waits = false;  // it is in the list of those with history
    bool ends = false;   // the session ends when all is said
    bool caught_up = false;
  };

  /// Connections that are leaving, in the order in which they were told, or have taken something since.
  struct Leaving {
    std::uint16_t oldest = kNobody;
    std::uint16_t newest = kNobody;
    std::size_t count = 0;
  };

  Connection* live(ConnectionRef connection);
  Connection& at(tcp::ConnectionId id) { return connections_[id.value]; }
  static tcp::ConnectionId id_of(ConnectionRef connection) { return tcp::ConnectionId{connection.place}; }

  bool say(tcp::ConnectionId id, Connection& connection, wire::Bytes packet);
  template <class Packet>
  bool say_packet(tcp::ConnectionId id, Connection& connection, const Packet& packet);
  void finish(tcp::ConnectionId id, Connection& connection);
  Leaving& leaving_with(const Connection& connection) {
    return connection.session == kNoSession ? refused_ : sessions_leaving_;
  }
  void add_leaving(tcp::ConnectionId id, Connection& connection);
  void remove_leaving(Connection& connection);
  void abort_late(const Leaving& leaving);
  void end_if_all_said(tcp::ConnectionId id, Connection& connection);
  bool has_history(const Connection& connection) const;
  void wait(tcp::ConnectionId id, Connection& connection);
  void send_history();
  std::size_t say_a_segment(tcp::ConnectionId id, Connection& connection);

  tcp::SendHalf half_;
  TransmitCounters& counters_;
  std::span<Connection> connections_;  // by ConnectionId
  std::uint16_t waiting_first_ = kNobody;
  std::uint16_t waiting_last_ = kNobody;
  Leaving sessions_leaving_;
  Leaving refused_;  // those that never carried a session
  TimeNs now_ = 0;
};

}  // namespace crosswire
