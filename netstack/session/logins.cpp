// Accounts, bindings, silence: see the header.
#include "netstack/session/logins.hpp"

#include <algorithm>

#include "hugepages/base/check.hpp"
#include "netstack/common/address.hpp"
#include "netstack/session/password_digest.hpp"

namespace crosswire {
namespace {

/// A user name without padding and case, as a key. At most six characters, so the two top bytes are 0.
std::uint64_t user_key(std::string_view name) {
  std::uint64_t key = 0;
  for (const char c : wire::stripped(name)) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    key = key << 8 | static_cast<unsigned char>(lower);
  }
  return key;
}

bool is_allowed(const AccountConfig& account, std::uint32_t address) {
  return account.sources.empty() || std::any_of(account.sources.begin(), account.sources.end(),
                                                [&](const auto& range) { return ip::contains(range, address); });
}

}  // namespace

Logins::Logins(const NetConfig& config, Arena& arena)
    : config_(config),
      logins_(arena.array<Login>(config.accounts.size())),
      passwords_(arena.array<NewPassword>(config.accounts.size())),
      takeovers_(arena.array<Takeovers>(config.accounts.size())),
      rates_(arena.array<TokenBucket>(config.accounts.size())),
      by_source_(arena, config.accounts.size()),
      by_user_(arena, config.accounts.size()),
      ended_(arena, config.accounts.size()) {
  CHECK(config.accounts.size() < kNoSession.value, "%zu accounts", config.accounts.size());
  for (std::size_t i = 0; i < config.accounts.size(); ++i) {
    const AccountConfig& account = config.accounts[i];
    CHECK(!account.user.empty() && account.user.size() <= 6, "user name of %zu characters", account.user.size());
    by_user_.insert(user_key(account.user), static_cast<std::uint16_t>(i));
    rates_[i] = TokenBucket(kLoginsPerSecond, kLoginsAtOnce);
  }
}

std::size_t Logins::bytes_for(const NetConfig& config) {
  const std::size_t accounts = config.accounts.size();
  return Arena::bytes_for<Login>(accounts) + Arena::bytes_for<NewPassword>(accounts) +
         Arena::bytes_for<Takeovers>(accounts) + Arena::bytes_for<TokenBucket>(accounts) +
         2 * FixedMap::bytes_for(accounts) + EndedSources::bytes_for(accounts);
}

bool Logins::is_password(SessionId session, std::string_view said) const {
  const NewPassword& changed = passwords_[session.value];
  return changed.changed ? password_digest(said, changed.salt) == changed.digest
                         : wire::soup::same_credential(said, config_.accounts[session.value].password);
}

LoginVerdict Logins::judge(const wire::soup::LoginRequest& login, std::uint32_t address, Transport transport) const {
  const wire::soup::Login request = wire::soup::parse(login);
  constexpr LoginVerdict kNotAuthorised{LoginVerdict::refused, kNoSession,
                                        static_cast<char>(wire::soup::RejectCode::not_authorised)};
  const std::uint16_t* const found = by_user_.find(user_key(request.username));
  if (found == nullptr) return kNotAuthorised;
  const SessionId session{*found};
  const AccountConfig& account = config_.accounts[session.value];
  if (!is_allowed(account, address)) return {LoginVerdict::source_not_allowed, session};
  const bool allowed = transport == Transport::udp ? account.over_udp : account.over_tcp;
  if (!allowed || !is_password(session, request.password)) return kNotAuthorised;
  if (!request.session.empty() && request.session != wire::stripped(config_.order_session)) {
    return {LoginVerdict::refused, session, static_cast<char>(wire::soup::RejectCode::session_not_available)};
  }
  return {LoginVerdict::accepted, session};
}

SessionId Logins::first_at(const Source& source) const {
  const std::uint16_t* const found = by_source_.find(source_key(source));
  return found == nullptr ? kNoSession : SessionId{*found};
}

Parsed<SessionId> Logins::find(const Source& source) const {
  const SessionId first = first_at(source);
  for (SessionId session = first; session != kNoSession; session = logins_[session.value].next_here) {
    if (logins_[session.value].source == source) return {.value = session};
  }
  return {.drop = first == kNoSession ? ReceiveCounter::order_source_unknown : ReceiveCounter::order_source_changed};
}

void Logins::open(SessionId session, const Source& source, TimeNs now) {
  leave(session, source, now);
  CHECK(!find(source).ok(), "session %u is bound to this source", find(source).value.value);
  Login& login = logins_[session.value];
  login.next_here = first_at(source);
  if (login.next_here != kNoSession) by_source_.erase(source_key(source));
  by_source_.insert(source_key(source), session.value);
  login.connection = kNoConnection;
  bind(login, source, now);
}

void Logins::open(SessionId session, const Source& source, ConnectionRef connection, TimeNs now) {
  leave(session, source, now);
  Login& login = logins_[session.value];
  login.next_here = kNoSession;
  login.connection = connection;
  bind(login, source, now);
}

/// Where the session was, if it was anywhere, it is no more.
void Logins::leave(SessionId session, const Source& source, TimeNs now) {
  const Login& login = logins_[session.value];
  if (!login.open) return;
  const Source before = login.source;
  const bool known = !login.over_tcp();
  unbind(session);
  if (known && before != source) ended_.remember(before, session, SessionEndReason::takeover, true, now);
}

void Logins::bind(Login& login, const Source& source, TimeNs now) {
  login.headers = OrderHeaders(config_, source);
  login.source = source;
  login.open = true;
  login.heard_ns = now;
  login.next_upstream = 1;
  oldest_heard_ns_ = std::min(oldest_heard_ns_, now);
}

bool Logins::may_open(SessionId session, TimeNs now) {
  return (!logins_[session.value].open || may_take_over(session, now)) && rates_[session.value].take(now);
}

bool Logins::may_take_over(SessionId session, TimeNs now) {
  Takeovers& taken = takeovers_[session.value];
  if (now < taken.barred_until_ns) return false;
  if (taken.count == kMostTakeovers && now < taken.at_ns[0] + kTakeoversNs) {
    taken.barred_until_ns = now + kTakeoversNs;
    return false;
  }
  if (taken.count == kMostTakeovers) {
    std::copy(taken.at_ns.begin() + 1, taken.at_ns.end(), taken.at_ns.begin());
    --taken.count;
  }
  taken.at_ns[taken.count++] = now;
  return true;
}

void Logins::close(SessionId session, SessionEndReason reason, TimeNs now) {
  const bool known = !logins_[session.value].over_tcp();  // a TCP source is told on its connection
  unbind(session);
  if (known) ended_.remember(logins_[session.value].source, session, reason, false, now);
}

void Logins::unbind(SessionId session) {
  Login& login = logins_[session.value];
  CHECK(login.open, "session %u is not open", session.value);
  login.open = false;
  if (login.over_tcp()) return;
  SessionId before = first_at(login.source);
  if (before == session) {
    by_source_.erase(source_key(login.source));
    if (login.next_here != kNoSession) by_source_.insert(source_key(login.source), login.next_here.value);
    return;
  }
  while (logins_[before.value].next_here != session) before = logins_[before.value].next_here;
  logins_[before.value].next_here = login.next_here;
}

std::optional<SessionId> Logins::next_silent(SessionId from, TimeNs now, TimeNs silence_ns) {
  for (std::size_t i = from.value; i < logins_.size(); ++i) {
    const Login& login = logins_[i];
    if (login.open && login.heard_ns + silence_ns <= now) return SessionId{static_cast<std::uint16_t>(i)};
  }
  oldest_heard_ns_ = kNobody;
  for (const Login& login : logins_) {
    if (login.open) oldest_heard_ns_ = std::min(oldest_heard_ns_, login.heard_ns);
  }
  return std::nullopt;
}

}  // namespace crosswire
