// Questions to the telemetry socket: see the header.
#include "app/top/ask.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

#include "app/ctl/client.hpp"
#include "app/files/runtime_folder.hpp"

namespace crosswire {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostAnswer = 1u << 16;  // DPDK says it sends 16 KiB at most
constexpr std::size_t kMostText = 128;         // of a name or string that is shown
constexpr int kMostDepth = 8;                  // lists in an answer; the library copies and prints by recursion
constexpr int kPatienceS = 10;

// ---- The socket -----------------------------------------------------------------------------------------------------

[[noreturn]] void fail(const std::string& path, const std::string& what, const std::string& remedy) {
  throw std::runtime_error(fmt::format("{}: {}; {}", path, what, remedy));
}
constexpr const char* kRemedyRunning = "is crosswire run running here, as this user? give its --prefix or --socket";
constexpr const char* kRemedyPeer = "is it crosswire that listens there? give its --prefix or --socket";

/// A conversation with DPDK's telemetry, version 2: one packet a question, one packet an answer. Or with the control
/// socket, which asks there for those who may: a connection for each question, so that `wait` is not asked.
class TelemetrySocket {
 public:
  TelemetrySocket(const std::string& path, const TopWait& wait) : path_(path), wait_(wait) {
    sockaddr_un socket_address{};
    socket_address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof socket_address.sun_path)
      fail(path, "is no path of a socket", kRemedyRunning);
    std::copy(path.begin(), path.end(), socket_address.sun_path);
    fd_ = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd_ < 0) fail(path, std::strerror(errno), "try again");
    const timeval patience{kPatienceS, 0};
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&socket_address), sizeof socket_address) != 0) {
      const int error = errno;
      if (error == EPROTOTYPE) {  // a stream: no telemetry's
        is_control_ = true;
        return;
      }
      close(fd_);
      fail(path, std::strerror(error), kRemedyRunning);
    }
    try {
      receive();  // DPDK's version, process and longest answer
    } catch (...) {
      close(fd_);
      throw;
    }
  }
  ~TelemetrySocket() { close(fd_); }
  TelemetrySocket(const TelemetrySocket&) = delete;
  TelemetrySocket& operator=(const TelemetrySocket&) = delete;

  /// The answer without the command's name around it.
  Json ask(const std::string& command) {
    const std::string name = command.substr(0, command.find(','));
    if (is_control_) return inside(parse(ask_figures_of(path_, command)), name);
    if (send(fd_, command.data(), command.size(), MSG_NOSIGNAL) < 0) fail(path_, std::strerror(errno), kRemedyRunning);
    return inside(receive(), name);
  }
  [[noreturn]] void reject(const std::string& what) const { fail(path_, what, kRemedyPeer); }

 private:
  Json inside(Json answer, const std::string& name) const {
    if (!answer.contains(name)) fail(path_, fmt::format("gives no answer to {}", name), kRemedyPeer);
    return std::move(answer[name]);
  }

  Json parse(std::string_view text) const {
    bool deep = false;
    const auto look = [&deep](int depth, Json::parse_event_t, Json&) { return !(deep = deep || depth > kMostDepth); };
    Json answer = Json::parse(text, look, false);
    if (deep || answer.is_discarded() || !answer.is_object())
      fail(path_, "the answer is not telemetry's JSON", kRemedyPeer);
    return answer;
  }

  Json receive() {
    int ready = 0;
    do {
      ready = wait_(fd_, std::chrono::seconds(kPatienceS));
    } while (ready < 0 && errno == EINTR);
    if (ready == 0) fail(path_, fmt::format("no answer within {} s", kPatienceS), kRemedyPeer);
    const ssize_t length = recv(fd_, buffer_.data(), buffer_.size(), MSG_TRUNC | MSG_DONTWAIT);
    if (length < 0) fail(path_, std::strerror(errno), kRemedyPeer);
    if (length == 0) fail(path_, "the other side has hung up", kRemedyRunning);
    if (static_cast<std::size_t>(length) > buffer_.size()) {
      fail(path_, fmt::format("an answer of {} bytes is too long", length), kRemedyPeer);
    }
    return parse(std::string_view(buffer_.data(), static_cast<std::size_t>(length)));
  }

  std::string path_;
  const TopWait& wait_;
  int fd_ = -1;
  bool is_control_ = false;
  std::vector<char> buffer_ = std::vector<char>(kMostAnswer);
};

// ---- From JSON ------------------------------------------------------------------------------------------------------

/// What a terminal shows as it is: who answers may be anybody.
std::string plain(std::string_view text) {
  std::string result(text.substr(0, kMostText));
  for (char& letter : result) {
    if (letter < ' ' || letter > '~') letter = '?';
  }
  return result;
}

/// Within what can be added and subtracted a few times, and an account can have; 0 for what is no number.
std::int64_t number(const Json& value) {
  constexpr std::int64_t kMost = std::int64_t{1} << 61;
  if (value.is_number_unsigned())
    return static_cast<std::int64_t>(std::min<std::uint64_t>(value.get<std::uint64_t>(), kMost));
  if (value.is_number_integer()) return std::clamp(value.get<std::int64_t>(), -kMost, kMost);
  if (value.is_number_float()) return static_cast<std::int64_t>(std::clamp(value.get<double>(), -1e18, 1e18));
  return 0;
}

std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? plain(found->get_ref<const std::string&>()) : "";
}

/// The i-th of the list `key` of a table that comes as columns; null beyond its end.
const Json& cell(const Json& columns, const char* key, std::size_t i) {
  static const Json kNothing;
  const auto column = columns.find(key);
  return column != columns.end() && column->is_array() && i < column->size() ? (*column)[i] : kNothing;
}
std::string text_cell(const Json& columns, const char* key, std::size_t i) {
  const Json& value = cell(columns, key, i);
  return value.is_string() ? plain(value.get_ref<const std::string&>()) : "";
}
std::size_t rows_of(const Json& columns, const char* key) {
  const auto column = columns.find(key);
  return column != columns.end() && column->is_array() ? column->size() : 0;
}

TopNumbers numbers(const Json& object) {
  TopNumbers result;
  for (const auto& [name, value] : object.items()) {
    if (value.is_number()) result.emplace_back(plain(name), number(value));
  }
  return result;
}

std::vector<std::string> not_known(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) {
    if (value == "not known") names.push_back(plain(name));
  }
  return names;
}

TopNumbers buckets(const Json& object) {
  TopNumbers result;
  for (std::size_t i = 0; i < rows_of(object, "up_to_ns"); ++i) {
    result.emplace_back(std::to_string(number(cell(object, "up_to_ns", i))), number(cell(object, "count", i)));
  }
  return result;
}

/// Puts the columns of a part behind those of the parts before.
void append_columns(Json& all, const Json& part) {
  if (!all.is_object()) all = Json::object();
  for (const auto& [name, column] : part.items()) {
    if (!column.is_array()) continue;
    Json& to = all[name];
    for (const Json& value : column) to.push_back(value);
  }
}

/// A table that comes in parts: `ask(first)` gives the columns of the rows from that one on, of which `key` is one;
/// `row_of(columns, i)` makes a row. `all` gets the columns of all parts.
template <class Ask, class RowOf>
auto ask_rows(const char* key, std::size_t most, Json& all, Ask ask, RowOf row_of) {
  constexpr std::size_t kMostOfAPart = 256;  // it has 64
  std::vector<decltype(row_of(Json(), 0))> rows;
  all = Json::object();
  for (std::size_t n = 1; n > 0 && rows.size() < most;) {
    const Json columns = ask(rows.size());
    n = std::min(rows_of(columns, key), kMostOfAPart);
    for (std::size_t i = 0; i < n; ++i) rows.push_back(row_of(columns, i));
    append_columns(all, columns);
  }
  return rows;
}

TopSession session_of(const Json& columns, std::size_t i) {
  const auto count = [&](const char* key) { return number(cell(columns, key, i)); };
  return {text_cell(columns, "user", i),
          text_cell(columns, "source", i),
          count("bound"),
          count("heard_ms"),
          count("next_in"),
          count("next_out")};
}

TopBook book_of(const Json& columns, std::size_t i) {
  const auto count = [&](const char* key) { return number(cell(columns, key, i)); };
  return {text_cell(columns, "symbol", i),
          text_cell(columns, "phase", i),
          count("bid_e4"),
          count("bid_shares"),
          count("ask_e4"),
          count("ask_shares"),
          count("last_e4"),
          count("volume")};
}

/// Row i of a table as an object.
Json row(const Json& columns, std::size_t i) {
  Json result = Json::object();
  for (const auto& [name, column] : columns.items()) {
    if (column.is_array() && i < column.size()) result[name] = column[i];
  }
  return result;
}

/// The partition's name, which may be left out where there is one.
std::string partition_of(const Json& info, const std::string& wanted) {
  std::string all;
  for (std::size_t i = 0; i < rows_of(info, "partitions"); ++i) {
    const std::string name = text_cell(info, "partitions", i);
    if (name == wanted || (wanted.empty() && rows_of(info, "partitions") == 1)) return name;
    all += (all.empty() ? "" : ", ") + name;
  }
  if (wanted.empty()) throw std::runtime_error(fmt::format("there are several partitions; give --partition: {}", all));
  throw std::runtime_error(fmt::format("no partition is called \"{}\"; there is {}", plain(wanted), all));
}

TopPartition ask_partition(TelemetrySocket& socket, const std::string& name, std::size_t most_rows, Json& raw) {
  // The answer stays where it is until the next question.
  const auto ask = [&](const char* what, const std::string& parameters) -> const Json& {
    const std::string command = fmt::format("/crosswire/{}", what);
    Json answer = socket.ask(fmt::format("{},{}", command, parameters));
    if (!answer.is_object()) socket.reject(fmt::format("{} is answered with something else than figures", command));
    if (const std::string error = text(answer, "error"); !error.empty()) {
      socket.reject(fmt::format("{} is answered with: {}", command, error));
    }
    return raw[what] = std::move(answer);
  };
  TopPartition partition;
  partition.name = plain(name);
  const Json& totals = ask("totals", name);
  partition.order_session = text(totals, "order_session");
  partition.feed_session = text(totals, "feed_session");
  partition.date = text(totals, "date");
  partition.phase = text(totals, "phase");
  partition.next_phase = text(totals, "next_phase");
  partition.totals = numbers(totals);
  partition.stages = numbers(ask("stages", name));
  partition.rings = numbers(ask("rings", name));
  const Json& drops = ask("drops", name);
  partition.drops = numbers(drops);
  partition.unknown_drops = not_known(drops);
  partition.notices = numbers(ask("notices", name));
  partition.latency = numbers(ask("latency", name));
  partition.box = buckets(ask("histogram", "in_the_box," + name));
  const auto from = [&name](std::size_t first) { return fmt::format("{},{}", name, first); };
  Json sessions, books;
  partition.sessions = ask_rows(
      "user", most_rows, sessions, [&](std::size_t first) { return ask("sessions", from(first)); }, session_of);
  partition.books = ask_rows(
      "symbol", most_rows, books, [&](std::size_t first) { return ask("books", from(first)); }, book_of);
  raw["sessions"] = std::move(sessions);
  raw["books"] = std::move(books);
  return partition;
}

}  // namespace

std::int64_t value_of(const TopNumbers& numbers, std::string_view name, std::int64_t missing) {
  const auto found =
      std::find_if(numbers.begin(), numbers.end(), [&](const auto& entry) { return entry.first == name; });
  return found == numbers.end() ? missing : found->second;
}

std::string top_socket_path(const std::string& prefix) {
  const std::string path = telemetry_socket_path(prefix);
  if (access(path.c_str(), W_OK) == 0) return path;
  const std::string control = find_ctl_socket(prefix);
  return access(control.c_str(), W_OK) == 0 ? control : path;
}

int wait_for_answer(int fd, std::chrono::milliseconds limit) {
  pollfd readable{fd, POLLIN, 0};
  return poll(&readable, 1, static_cast<int>(limit.count()));
}

TopFigures ask_top_figures(const std::string& socket_path, std::string* raw, const TopWait& wait,
                           std::size_t most_rows) {
  constexpr std::size_t kMostPartitions = 64;
  TelemetrySocket socket(socket_path, wait);
  Json all;
  const Json info = socket.ask("/crosswire/info");
  all["info"] = info;
  if (!info.is_object() || rows_of(info, "partitions") == 0 || rows_of(info, "partitions") > kMostPartitions) {
    socket.reject("it tells of no partitions");
  }
  TopFigures figures;
  figures.version = text(info, "version");
  figures.uptime_ms = number(info.value("uptime_ms", Json(0)));
  const Json& clock = all["clock"] = socket.ask("/crosswire/clock");
  if (!clock.is_object()) socket.reject("/crosswire/clock is answered with something else than figures");
  figures.clock = numbers(clock);
  for (std::size_t i = 0; i < rows_of(info, "partitions"); ++i) {
    const std::string name = text_cell(info, "partitions", i);
    figures.partitions.push_back(ask_partition(socket, name, most_rows, all["partitions"][name]));
  }
  if (raw != nullptr) *raw = all.dump(-1, ' ', true, Json::error_handler_t::replace);
  return figures;
}

namespace {

/// An answer with columns, or what it says is wrong.
Json ask_table(TelemetrySocket& socket, const std::string& command, const std::string& partition) {
  Json answer = socket.ask(command);
  if (!answer.is_object()) socket.reject("it answers with something else than figures");
  const std::string error = text(answer, "error");
  if (!error.empty()) throw std::runtime_error(fmt::format("partition {}: {}", partition, error));
  return answer;
}

/// The first row is that user's, or match has said nothing.
void check_user(const Json& columns, const std::string& user, const std::string& partition) {
  if (text_cell(columns, "user", 0) == plain(user)) return;
  throw std::runtime_error(
      fmt::format("partition {}: the match stage gives no answer; does it stand still?", partition));
}

TopAccount account_of(const Json& columns, std::size_t i, const std::string& partition) {
  const Json one = row(columns, i);
  return {.partition = partition,
          .user = text(one, "user"),
          .firm = text(one, "firm"),
          .numbers = numbers(one),
          .positions = {},
          .forbids = text(one, "forbids")};
}

}  // namespace

TopAccount ask_top_account(const std::string& socket_path, const std::string& partition, const std::string& user,
                           std::string* raw) {
  const TopWait wait = wait_for_answer;
  TelemetrySocket socket(socket_path, wait);
  TopAccount account;
  const Json info = socket.ask("/crosswire/info");
  if (!info.is_object() || rows_of(info, "partitions") == 0) socket.reject("it tells of no partitions");
  account.partition = partition_of(info, partition);
  const auto ask = [&](const std::string& command) { return ask_table(socket, command, account.partition); };
  Json positions = Json::array();
  std::int64_t at = 0;
  for (std::int64_t next = 0, last = -1; next > last && next < std::int64_t{kAllRows};) {
    const Json part = ask(fmt::format("/crosswire/positions,{},{},{}", user, account.partition, next));
    for (std::size_t i = 0; i < rows_of(part, "symbol"); ++i) positions.push_back(row(part, i));
    at = number(part.value("account", Json(0)));
    last = next;
    next = number(part.value("next", Json(0)));
  }
  const Json columns = ask(fmt::format("/crosswire/accounts,{},{}", account.partition, at));
  check_user(columns, user, account.partition);
  Json all = Json::object({{"partition", account.partition}});
  all.update(row(columns, 0));
  account.user = text(all, "user");
  account.firm = text(all, "firm");
  account.numbers = numbers(all);
  for (const Json& position : positions) account.positions.emplace_back(text(position, "symbol"), numbers(position));
  all["positions"] = std::move(positions);
  if (raw != nullptr) *raw = all.dump(-1, ' ', true, Json::error_handler_t::replace);
  return account;
}

std::vector<TopAccount> ask_top_accounts(const std::string& socket_path, std::string_view table,
                                         const std::string& partition, const std::string& user, std::string* raw) {
  const TopWait wait = wait_for_answer;
  TelemetrySocket socket(socket_path, wait);
  const Json info = socket.ask("/crosswire/info");
  if (!info.is_object() || rows_of(info, "partitions") == 0) socket.reject("it tells of no partitions");
  const std::string name = partition_of(info, partition);
  std::int64_t next = 0;
  if (!user.empty()) {
    const Json about = ask_table(socket, fmt::format("/crosswire/positions,{},{},0", user, name), name);
    next = number(about.value("account", Json(0)));
  }
  std::vector<TopAccount> accounts;
  Json rows = Json::array();
  for (std::int64_t last = -1; next > last && next < std::int64_t{kAllRows};) {
    const Json columns = ask_table(socket, fmt::format("/crosswire/{},{},{}", table, name, next), name);
    if (!user.empty()) check_user(columns, user, name);
    for (std::size_t i = 0; i < (user.empty() ? rows_of(columns, "user") : 1); ++i) {
      accounts.push_back(account_of(columns, i, name));
      rows.push_back(row(columns, i));
    }
    last = next;
    next = user.empty() ? number(columns.value("next", Json(0))) : 0;
  }
  if (accounts.empty()) check_user(Json::object(), "?", name);
  const Json all = Json::object({{"partition", name}, {"accounts", std::move(rows)}});
  if (raw != nullptr) *raw = all.dump(-1, ' ', true, Json::error_handler_t::replace);
  return accounts;
}

}  // namespace crosswire
