// Logins and ends of sessions: see the header.
#include "netstack/receive/session_desk.hpp"

#include <algorithm>
#include <optional>

namespace crosswire {
namespace {

using namespace wire;
using Count = ReceiveCounter;

constexpr char kNotAuthorised = static_cast<char>(soup::RejectCode::not_authorised);
constexpr char kNoSuchSession = static_cast<char>(soup::RejectCode::session_not_available);

SessionNews::Kind news_of(SessionEndReason why) {
  switch (why) {
    case SessionEndReason::logout:
      return SessionNews::logout;
    case SessionEndReason::silence:
      return SessionNews::silence;
    case SessionEndReason::reset:
      return SessionNews::reset;
    case SessionEndReason::cut:
      return SessionNews::cut;
    default:
      return SessionNews::rebinding;
  }
}

}  // namespace

Peer peer_of(const Source& source, char code) {
  Peer peer{};
  std::copy(source.mac.begin(), source.mac.end(), peer.mac);
  peer.vlan = source.vlan;
  peer.address = source.address;
  peer.port = source.port;
  peer.code = code;
  peer.connection = kNoConnection;
  return peer;
}

SessionDesk::SessionDesk(const NetConfig& net, CommandWriter& commands, ReceiveCounters& counters, Arena& arena)
    : commands_(commands),
      counters_(counters),
      logins_(net, arena),
      refusals_(net.failed_logins_per_second),
      strangers_(net.strangers_told_per_second),
      news_(arena, net.accounts.size()) {}

std::size_t SessionDesk::bytes_for(const NetConfig& net) {
  return Logins::bytes_for(net) + SessionNewsRing::bytes_for(net.accounts.size());
}

Peer& SessionDesk::make_for_peer(CommandKind kind, SessionId session, const Source& source, char code) {
  return commands_.make(kind, session).peer = peer_of(source, code);
}

void SessionDesk::tell_of(SessionNews::Kind kind, SessionId session, const Source& source, Transport transport) {
  news_.tell({kind, transport, 0, {}, session, source.port, source.vlan, source.address}, now());
}

void SessionDesk::tell_of_refusal(const soup::LoginRequest& request, char code, const Source& source,
                                  Transport transport) {
  SessionNews news{SessionNews::refused, transport, code, {}, kNoSession, source.port, source.vlan, source.address};
  news.user = request.username.chars;
  news_.tell(news, now());
}

void SessionDesk::close(SessionId session, SessionEndReason reason) {
  const Login& login = logins_.login(session);
  tell_of(news_of(reason), session, login.source, login.over_tcp() ? Transport::tcp : Transport::udp);
  open_count_.set(open_count_.get() - 1);
  logins_.close(session, reason, now());
  SessionEnd& end = commands_.make(CommandKind::session_close, session).end;
  end.reason = reason;
  end.connection = kNoConnection;
}

/// Who has no session here and sends is told so, as often as its MAC has it coming (WIRE 7), and dropped as `counter`.
bool SessionDesk::tell_stranger(const Source& source, SessionEndReason ended, ReceiveCounter counter) {
  if (strangers_.take(source.mac, now())) {
    Peer& peer = make_for_peer(CommandKind::login_reject, kNoSession, source, kNoSuchSession);
    peer.told = true;
    peer.ended = ended;
    counters_.add(Count::strangers_told);
  }
  return count(counter);
}

bool SessionDesk::turn_away(const Source& source, ReceiveCounter counter) {
  if (counter != Count::order_source_unknown) return count(counter);
  return tell_stranger(source, logins_.end_of(source), counter);
}

void SessionDesk::note_opened(SessionId session, const Source& source, Transport transport, bool was_open) {
  if (!was_open) open_count_.add();
  if (was_open) counters_.add(Count::logins_taking_over);
  counters_.add(Count::logins);
  tell_of(was_open ? SessionNews::takeover : SessionNews::login, session, source, transport);
}

/// A source is one client: if another account is logged in from there, that session ends first.
bool SessionDesk::take_login(const Source& source, Bytes payload) {
  if (payload.size() != sizeof(soup::LoginRequest)) return count(Count::soup_malformed);
  const soup::LoginRequest& request = *view_as<soup::LoginRequest>(payload);
  LoginVerdict verdict = logins_.judge(request, source.address, Transport::udp);
  if (verdict.kind == LoginVerdict::source_not_allowed) {
    tell_of(SessionNews::source_not_allowed, verdict.session, source, Transport::udp);
    return count(Count::login_source_not_allowed);
  }
  bool takes_over = false;
  bool barred = false;
  if (verdict.kind == LoginVerdict::accepted) {
    if (logins_.may_be_late(verdict.session, source, now())) {
      return tell_stranger(source, SessionEndReason::takeover, Count::login_late);
    }
    const Parsed<SessionId> tenant = logins_.find(source);
    if (tenant.ok() && tenant.value != verdict.session) {
      close(tenant.value, SessionEndReason::takeover);
      counters_.add(Count::logins_rebinding);
      if (!commands_.has_room()) return false;  // next time the source is free
    }
    const Login& login = logins_.login(verdict.session);
    takes_over = login.open && (login.over_tcp() || login.source != source);
    const bool repeated = login.open && !takes_over;
    if (!repeated && !logins_.may_open(verdict.session, now())) {
      counters_.add(Count::logins_barred);
      barred = true;
      verdict = {LoginVerdict::refused, verdict.session, kNotAuthorised};
    }
  }
  if (verdict.kind == LoginVerdict::refused) {
    if (!refusals_.take(source.mac, now())) return count(Count::login_refused_rate);
    make_for_peer(CommandKind::login_reject, kNoSession, source, verdict.code);
    tell_of_refusal(request, barred ? SessionNews::kTooOften : verdict.code, source, Transport::udp);
    return count(Count::logins_refused);
  }
  const Login& login = logins_.login(verdict.session);
  const bool repeated = login.open && !takes_over;
  const bool told = takes_over && !login.over_tcp() && strangers_.take(login.source.mac, now());
  if (repeated) {
    counters_.add(Count::logins);
    counters_.add(Count::logins_repeated);
  } else {
    note_opened(verdict.session, source, Transport::udp, takes_over);
  }
  logins_.open(verdict.session, source, now());
  make_for_peer(CommandKind::session_open, verdict.session, source, takes_over ? 'T' : char{0}).told = told;
  return true;
}

/// The rate of refusals bounds what is told, not what ends: a refused connection is closed in any case.
SessionId SessionDesk::refuse(const Source& source, ConnectionRef connection, const soup::LoginRequest& request,
                              char code, char told, SessionId of) {
  Peer& peer = make_for_peer(CommandKind::login_reject, kNoSession, source, code);
  peer.transport = Transport::tcp;
  peer.connection = connection;
  if (refusals_.take(source.mac, now())) {
    if (of == kNoSession) {
      tell_of_refusal(request, told, source, Transport::tcp);
    } else {
      tell_of(SessionNews::source_not_allowed, of, source, Transport::tcp);
    }
  }
  counters_.add(Count::logins_refused);
  return kNoSession;
}

SessionId SessionDesk::take_login(const Source& source, ConnectionRef connection, const soup::LoginRequest& request,
                                  std::uint64_t& wanted) {
  const LoginVerdict verdict = logins_.judge(request, source.address, Transport::tcp);
  if (verdict.kind == LoginVerdict::source_not_allowed) {
    return refuse(source, connection, request, kNotAuthorised, kNotAuthorised, verdict.session);
  }
  if (verdict.kind == LoginVerdict::refused) return refuse(source, connection, request, verdict.code, verdict.code);
  const std::optional<std::uint64_t> number = soup::parse(request).sequence;
  if (!number) return refuse(source, connection, request, kNoSuchSession, SessionNews::kNoNumber);
  if (!logins_.may_open(verdict.session, now())) {
    counters_.add(Count::logins_barred);
    return refuse(source, connection, request, kNotAuthorised, SessionNews::kTooOften);
  }
  wanted = *number;
  make_for_connection(source, connection, verdict.session, 0, wanted).asks = true;
  return verdict.session;
}

void SessionDesk::open(SessionId session, const Source& source, ConnectionRef connection, std::uint64_t wanted) {
  const Login& login = logins_.login(session);
  const bool takes_over = login.open;
  const bool told = takes_over && !login.over_tcp() && strangers_.take(login.source.mac, now());
  note_opened(session, source, Transport::tcp, takes_over);
  logins_.open(session, source, connection, now());
  make_for_connection(source, connection, session, takes_over ? 'T' : char{0}, wanted).told = told;
}

Peer& SessionDesk::make_for_connection(const Source& source, ConnectionRef connection, SessionId session, char code,
                                       std::uint64_t wanted) {
  Peer& peer = make_for_peer(CommandKind::session_open, session, source, code);
  peer.transport = Transport::tcp;
  peer.connection = connection;
  peer.wanted = wanted;
  return peer;
}

}  // namespace crosswire
