// Logins: which account is bound to which source, and since when it was not heard (WIRE 7).
// receive stage alone; transmit keeps its own copy of where answers go. No allocation after construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/types.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/common/config.hpp"
#include "netstack/common/fixed_map.hpp"
#include "netstack/common/parsed.hpp"
#include "netstack/common/token_bucket.hpp"
#include "netstack/session/ended_sources.hpp"
#include "netstack/session/order_headers.hpp"
#include "netstack/session/source.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire {

/// A source whose session was taken over is not believed for so long when it logs in to it again: that may be an old
/// datagram that comes late (WIRE 7).
inline constexpr TimeNs kLateLoginNs = 5 * kNsPerSecond;

/// One account's binding.
struct alignas(kCacheLine) Login {
  OrderHeaders headers;  // of the source's frames. Like it, meaningful while open
  Source source;
  TimeNs heard_ns;              // when it last said something valid
  std::uint64_t next_upstream;  // the client's next MoldUDP64 number
  ConnectionRef connection;     // that carries it; kNoConnection: it is over UDP
  SessionId next_here;          // another open session of this address and port, by MAC or VLAN; kNoSession = none
  bool open;

  bool over_tcp() const { return connection != kNoConnection; }
};
static_assert(sizeof(Login) == kCacheLine);

/// What a login request deserves.
struct LoginVerdict {
  enum Kind : std::uint8_t {
    accepted,            // `session` may be opened
    refused,             // answer with `code`
    source_not_allowed,  // the account is not for this address: no answer
  };
  Kind kind;
  SessionId session = kNoSession;
  char code = 0;
};

class Logins {
 public:
  /// `config` and the arena outlive it. User names are unique without regard to case (CHECKed).
  Logins(const NetConfig& config, Arena& arena);

  static std::size_t bytes_for(const NetConfig& config);

  /// User and password without regard to padding and case, then the address and the transport, then the session's name
  /// (WIRE 1.3). The address is looked at first once the account is known, so that a stranger cannot try passwords.
  LoginVerdict judge(const wire::soup::LoginRequest& login, std::uint32_t address, Transport transport) const;

  /// From now on a login to the session needs the password with this digest, instead of its configuration's
  /// (netstack/session/password_digest.hpp). A session that is open stays so.
  void change_password(SessionId session, std::uint64_t salt, std::uint64_t digest) {
    passwords_[session.value] = {salt, digest, true};
  }

  /// The session bound to this very source; or why there is none.
  Parsed<SessionId> find(const Source& source) const;

  const Login& login(SessionId session) const { return logins_[session.value]; }

  /// The first of the open sessions with that OrderHeaders::source_key(), and its number; nullptr if there is none.
  const Login* first_by(std::uint64_t source_key, SessionId& session) const {
    const std::uint16_t* const found = by_source_.find(source_key);
    if (found == nullptr) return nullptr;
    session = SessionId{*found};
    return &logins_[*found];
  }

  /// Binds the session to the source, over UDP, whether it was open or not; upstream numbers start at 1 again. No other
  /// session is bound to that very source (CHECKed); one of the same address and port may be, so that forging these
  /// neither ends a session nor keeps one from being opened.
  void open(SessionId session, const Source& source, TimeNs now);
  /// The same over TCP: the session is found by its connection, no more by its source.
  void open(SessionId session, const Source& source, ConnectionRef connection, TimeNs now);
  /// The session is open, and ends for `reason`.
  void close(SessionId session, SessionEndReason reason, TimeNs now);

  /// A right login to the session, which another source or connection has if it is open: may it have it? A yes is
  /// counted, so it is asked once.
  bool may_open(SessionId session, TimeNs now);

  /// May a login of the source to the session, a right one, be an old one that comes late?
  bool may_be_late(SessionId session, const Source& source, TimeNs now) const {
    return ended_.lost_it_lately(source, session, now, kLateLoginNs);
  }

  /// How the session ended that was bound to the source, which has none now; none if it never had one.
  SessionEndReason end_of(const Source& source) const { return ended_.reason_of(source); }

  /// The session is open.
  void heard(SessionId session, TimeNs now) { logins_[session.value].heard_ns = now; }
  void expect_upstream(SessionId session, std::uint64_t next) { logins_[session.value].next_upstream = next; }
  /// The session is open, and its next message has been taken.
  void heard_next(SessionId session, TimeNs now) {
    heard(session, now);
    ++logins_[session.value].next_upstream;
  }

  /// Can anyone have been silent for `silence_ns` at `now`? Cheap: looks at no session.
  bool may_be_silent(TimeNs now, TimeNs silence_ns) const { return oldest_heard_ns_ + silence_ns <= now; }

  /// The next session at or after `from` that was not heard for `silence_ns` at `now`; nothing at the end, and then
  /// may_be_silent() is exact again. A scan starts at session 0 and nobody is heard meanwhile.
  std::optional<SessionId> next_silent(SessionId from, TimeNs now, TimeNs silence_ns);

 private:
  static constexpr TimeNs kNobody = TimeNs{1} << 62;  // far enough to add to

  std::uint64_t source_key(const Source& source) const { return OrderHeaders(config_, source).source_key(); }
  SessionId first_at(const Source& source) const;
  void leave(SessionId session, const Source& source, TimeNs now);
  void bind(Login& login, const Source& source, TimeNs now);
  void unbind(SessionId session);
  bool may_take_over(SessionId session, TimeNs now);

  /// When an account's session was taken over: the last ones, the oldest first.
  struct Takeovers {
    std::array<TimeNs, kMostTakeovers> at_ns;
    std::size_t count;
    TimeNs barred_until_ns;
  };

  struct NewPassword {
    std::uint64_t salt, digest;
    bool changed;  // else the configuration's
  };

  bool is_password(SessionId session, std::string_view said) const;

  const NetConfig& config_;
  std::span<Login> logins_;           // by SessionId
  std::span<NewPassword> passwords_;  // by SessionId
  std::span<Takeovers> takeovers_;    // by SessionId
  std::span<TokenBucket> rates_;      // of logins, by SessionId
  FixedMap by_source_;                // address and port of open sessions: the first, which leads to the others
  FixedMap by_user_;
  EndedSources ended_;
  TimeNs oldest_heard_ns_ = kNobody;  // no open session was heard before
};

}  // namespace crosswire
