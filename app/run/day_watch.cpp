// The day's lines: see the header. On the control thread.
#include "app/run/day_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "app/run/log.hpp"
#include "netstack/common/address.hpp"
#include "netstack/wire/soup.hpp"

namespace crosswire {
namespace {

/// What the line of left out ones calls them, by kind.
constexpr std::array<std::string_view, SessionNews::count_ + 5> kKindNames = {
    "login", "takeover", "rebinding", "refused", "source_not_allowed", "logout",  "silence",
    "reset", "cut",      "phase",     "table",   "recorder",           "history", "breaker"};

std::string source_of(const SessionNews& news) {
  std::string source = fmt::format("{}:{}", format_address(news.address), news.port);
  if (news.vlan != 0) source += fmt::format("/{}", news.vlan);
  return source + (news.transport == Transport::tcp ? " tcp" : "");
}

/// As it was asked for: any bytes, which must not look like anything else in the log.
std::string plain(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    const bool as_it_is = letter >= 0x20 && letter < 0x7F && letter != '\\';
    result += as_it_is ? std::string(1, letter) : fmt::format("\\x{:02x}", static_cast<unsigned char>(letter));
  }
  return result;
}

std::string user_of(const SessionNews& news, const NetConfig& config) {
  if (news.session != kNoSession) return config.accounts[news.session.value].user;
  return plain(wire::stripped({news.user.data(), news.user.size()}));
}

std::string_view reason_of(const SessionNews& news) {
  if (news.kind == SessionNews::source_not_allowed) return "the account does not allow the address";
  if (news.code == static_cast<char>(wire::soup::RejectCode::session_not_available)) return "names another session";
  if (news.code == SessionNews::kTooOften) return "the account logs in, or is taken over, too often";
  if (news.code == SessionNews::kNoNumber) return "asks for a number that is none";
  return "user or password is wrong";
}

void say(const std::string& name, const SessionNews& news, const NetConfig& config) {
  const LogFields about = {{"partition", name}, {"user", user_of(news, config)}, {"source", source_of(news)}};
  switch (news.kind) {
    case SessionNews::login:
      return log_info("a client has logged in", about);
    case SessionNews::takeover:
      return log_warning("a login has taken a session over from another source", about);
    case SessionNews::rebinding:
      return log_warning("a session is closed because another account has logged in from its source", about);
    case SessionNews::refused:
    case SessionNews::source_not_allowed:
      return log_warning("a login is refused", {{"partition", name},
                                                {"user", user_of(news, config)},
                                                {"source", source_of(news)},
                                                {"reason", reason_of(news)}});
    case SessionNews::logout:
      return log_info("a client has logged out", about);
    case SessionNews::silence:
      return log_warning("a session is closed because nothing was heard of its client", about);
    case SessionNews::reset:
      return log_warning("a session is closed because its connection has ended without a logout", about);
    case SessionNews::cut:
      return log_warning("a session is closed because its client does not read, or sends what is no SoupBinTCP", about);
    case SessionNews::count_:
      break;
  }
}

}  // namespace

void DayWatch::begin_day(const Partition& partition) {
  phases_ = phases_of(partition);
  tables_.assign(tables_of(partition).size(), Fill::room);
  of_accounts_.resize(partition.config().net.accounts.size(), LineAllowance(kOfAccount, kOfAccountEachNs));
  trips_of_.assign(partition.config().net.accounts.size() * kBreakers, 0);
  trips_ = held_back_ = news_lost_ = 0;
}

void DayWatch::look(const std::string& name, Partition& partition, const RecordingRxPort* recorder,
                    std::uint64_t now_ns) {
  look_at_sessions(name, partition, now_ns);
  look_at_history(name, partition, now_ns);
  look_at_phases(name, partition, now_ns);
  look_at_breakers(name, partition, now_ns);
  look_at_tables(name, partition, now_ns);
  if (recorder != nullptr) look_at_recorder(name, *recorder, now_ns);
  tell_left_out(name, partition, now_ns);
}

void DayWatch::look_at_sessions(const std::string& name, Partition& partition, std::uint64_t now_ns) {
  SessionNewsRing& ring = partition.stages().receive.session_news();
  SessionNews news{};
  for (std::uint64_t n = 0; n < SessionNewsRing::kNews && ring.take(news); ++n) {
    LineAllowance& kind = allowances_[news.kind];
    if (!news.of_anybody() && !of_accounts_[news.session.value].take(now_ns)) {
      kind.leave_out();
    } else if (kind.take(now_ns)) {
      say(name, news, partition.config().net);
    }
  }
}

void DayWatch::look_at_history(const std::string& name, Partition& partition, std::uint64_t now_ns) {
  LoginNewsRing& ring = partition.stages().transmit.login_news();
  LoginNews news{};
  for (std::uint64_t n = 0; n < kLoginNews && ring.pop(news); ++n) {
    if (!of_accounts_[news.session.value].take(now_ns)) {
      allowances_[kHistory].leave_out();
    } else if (allowances_[kHistory].take(now_ns)) {
      log_warning("a login is refused because it asks for messages that are not kept any more",
                  {{"partition", name},
                   {"user", partition.config().net.accounts[news.session.value].user},
                   {"wanted", news.wanted},
                   {"oldest", news.oldest}});
    }
  }
}

void DayWatch::look_at_phases(const std::string& name, const Partition& partition, std::uint64_t now_ns) {
  const auto phases = phases_of(partition);
  if (phases == phases_) return;
  if (allowances_[kPhases].take(now_ns)) {
    log_info("the phase has changed",
             {{"partition", name}, {"symbols", phases_text(phases)}, {"before", phases_text(phases_)}});
  }
  phases_ = phases;
}

void DayWatch::look_at_breakers(const std::string& name, const Partition& partition, std::uint64_t now_ns) {
  const Engine& engine = partition.engine();
  std::uint64_t trips = 0;
  for (std::size_t i = 0; i < kBreakers; ++i) trips += engine.counters().get(counter_of(breaker_of(i)));
  if (trips == trips_) return;
  for (std::size_t i = 0; i < trips_of_.size(); ++i) {
    const SessionId session{static_cast<std::uint16_t>(i / kBreakers)};
    const std::uint64_t now = engine.risk().breakers(session)->trips[i % kBreakers].get();
    const std::uint64_t before = std::exchange(trips_of_[i], now);
    trips_ += now - before;
    if (now == before || !allowances_[kBreakerLines].take(now_ns)) continue;
    const RiskRow& row = kRiskRows[static_cast<std::size_t>(breaker_of(i % kBreakers))];
    log_warning(
        "an account is stopped by its breaker",
        {{"partition", name}, {"user", partition.config().net.accounts[session.value].user}, {"breaker", row.key}});
  }
}

void DayWatch::look_at_tables(const std::string& name, const Partition& partition, std::uint64_t now_ns) {
  const std::vector<TableFigure> tables = tables_of(partition);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const TableFigure& table = tables[i];
    const std::uint64_t percent = table.used * 100 / std::max<std::uint64_t>(table.limit, 1);
    const bool full = table.used + table.needs > table.limit;
    Fill now = full ? Fill::full : percent >= kFillsPercent ? Fill::fills : Fill::room;
    if (now == Fill::room && percent >= kRoomPercent && tables_[i] != Fill::room) now = Fill::fills;
    // What was full is told again only when it has had room.
    if (now == Fill::fills && tables_[i] == Fill::full) now = Fill::full;
    if (now == std::exchange(tables_[i], now) || !allowances_[kTables].take(now_ns)) continue;
    const LogFields about = {{"partition", name}, {"table", table.name}, {"used", table.used}, {"of", table.limit}};
    if (now == Fill::full) {
      log_error("a table is full; orders that need room in it are rejected", about);
    } else if (now == Fill::fills) {
      log_warning("a table fills", about);
    } else {
      log_info("a table has room again", about);
    }
  }
}

void DayWatch::look_at_recorder(const std::string& name, const RecordingRxPort& recorder, std::uint64_t now_ns) {
  const std::uint64_t held_back = recorder.counters().get(RecorderCounter::recorder_held_back);
  if (held_back == std::exchange(held_back_, held_back) || !allowances_[kRecorder].take(now_ns)) return;
  log_warning("the recording holds the wire up; its disk is too slow",
              {{"partition", name}, {"waiting_bytes", recorder.waiting_bytes()}, {"held_back", held_back}});
}

void DayWatch::tell_left_out(const std::string& name, const Partition& partition, std::uint64_t now_ns) {
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    const std::uint64_t more = allowances_[kind].left_out(now_ns);
    if (more == 0) continue;
    log_warning("more lines of a kind are left out",
                {{"partition", name}, {"kind", kKindNames[kind]}, {"lines", more}});
  }
  const std::uint64_t lost = partition.receive().session_news_lost();
  lost_news_.leave_out(lost - std::exchange(news_lost_, lost));
  if (const std::uint64_t more = lost_news_.left_out(now_ns); more > 0) {
    log_warning("more lines of a kind are left out", {{"partition", name}, {"kind", "sessions"}, {"lines", more}});
  }
}

}  // namespace crosswire
