// SessionDesk: who may log in, what becomes of the session that was there, and what is told of it: over UDP and over
// TCP by one set of rules (WIRE 1.3, 7). receive stage alone; it makes commands and news, and waits for nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hugepages/base/count_word.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/common/config.hpp"
#include "netstack/common/shared_rate.hpp"
#include "netstack/intake/command_writer.hpp"
#include "netstack/receive/counters.hpp"
#include "netstack/session/logins.hpp"
#include "netstack/session/session_news.hpp"
#include "netstack/session/source.hpp"
#include "netstack/wire/bytes.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire {

/// The source as an answer's peer, over UDP.
Peer peer_of(const Source& source, char code);

class SessionDesk {
 public:
  /// All outlive it. User names are unique without regard to case (CHECKed).
  SessionDesk(const NetConfig& net, CommandWriter& commands, ReceiveCounters& counters, Arena& arena);
  SessionDesk(const SessionDesk&) = delete;
  SessionDesk& operator=(const SessionDesk&) = delete;

  static std::size_t bytes_for(const NetConfig& net);

  Logins& logins() { return logins_; }
  const Logins& logins() const { return logins_; }

  // What follows is called when there is room for a command, and returns false when it needs room for another: it is
  // then called again at a later poll, and does nothing twice.

  /// A login in a datagram.
  bool take_login(const Source& source, wire::Bytes payload);
  /// A login over TCP: the account whose session the connection may carry, if transmit finds that the messages are kept
  /// which the client wants; `wanted` is the first of them then. kNoSession: it is refused, its client is told, and the
  /// connection ends.
  SessionId take_login(const Source& source, ConnectionRef connection, const wire::soup::LoginRequest& request,
                       std::uint64_t& wanted);
  /// And they are: the connection carries the session, whoever had it meanwhile.
  void open(SessionId session, const Source& source, ConnectionRef connection, std::uint64_t wanted);
  /// Of a source that Logins::find() knows no session for. One that only looks like a client's is told nothing: it may
  /// be forged.
  bool turn_away(const Source& source, ReceiveCounter counter);

  /// The session is open, and ends.
  void close(SessionId session, SessionEndReason reason);

  /// For the control thread to take.
  SessionNewsRing& news() { return news_; }
  /// Of these, what had no room. Any thread.
  std::uint64_t news_lost() const { return news_.lost(); }
  /// Sessions that are logged in. Any thread.
  std::uint64_t open_count() const { return open_count_.get(); }

 private:
  Peer& make_for_peer(CommandKind kind, SessionId session, const Source& source, char code);
  void tell_of(SessionNews::Kind kind, SessionId session, const Source& source, Transport transport);
  void tell_of_refusal(const wire::soup::LoginRequest& request, char code, const Source& source, Transport transport);
  [[gnu::cold]] bool tell_stranger(const Source& source, SessionEndReason ended, ReceiveCounter counter);
  /// `told`: what the news have for a code. `of`: the account that may not log in from there; else kNoSession.
  SessionId refuse(const Source& source, ConnectionRef connection, const wire::soup::LoginRequest& request, char code,
                   char told, SessionId of = kNoSession);
  Peer& make_for_connection(const Source& source, ConnectionRef connection, SessionId session, char code,
                            std::uint64_t wanted);
  void note_opened(SessionId session, const Source& source, Transport transport, bool was_open);

  bool count(ReceiveCounter counter) {
    counters_.add(counter);
    return true;
  }
  TimeNs now() const { return commands_.now(); }

  CommandWriter& commands_;
  ReceiveCounters& counters_;
  Logins logins_;
  SharedRate refusals_;
  SharedRate strangers_;
  SessionNewsRing news_;
  CountWord open_count_;
};

}  // namespace crosswire
