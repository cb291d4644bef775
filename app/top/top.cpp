// `crosswire top`: see the header.
#include "app/top/top.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace crosswire {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostAnswer = 1u << 16;  // DPDK says it sends 16 KiB at most
constexpr std::size_t kMostText = 64;          // of a name or string that is shown
constexpr int kMostDepth = 8;                  // lists in an answer; the library copies and prints by recursion
constexpr int kPatienceS = 10;

volatile std::sig_atomic_t g_end = 0;
extern "C" void end_top(int) { g_end = 1; }
extern "C" void resized(int) {}  // ends a wait

/// While it lives, the signals that are to end us come only in wait_for(): one that came between a look at g_end and
/// the wait behind it would not end that wait.
class SignalsOnlyWhileWaiting {
 public:
  SignalsOnlyWhileWaiting() {
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGINT);
    sigaddset(&end, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &end, &before_);
  }
  ~SignalsOnlyWhileWaiting() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsOnlyWhileWaiting(const SignalsOnlyWhileWaiting&) = delete;
  SignalsOnlyWhileWaiting& operator=(const SignalsOnlyWhileWaiting&) = delete;

  /// As poll() for what can be read of `fd`.
  int wait_for(int fd, std::chrono::milliseconds limit) const {
    pollfd readable{fd, POLLIN, 0};
    const timespec time{limit.count() / 1000, limit.count() % 1000 * 1'000'000};
    return ppoll(&readable, 1, &time, &before_);
  }

 private:
  sigset_t before_{};
};

// ---- The socket -----------------------------------------------------------------------------------------------------

[[noreturn]] void fail(const std::string& path, const std::string& what, const std::string& mend) {
  throw std::runtime_error(fmt::format("{}: {}; {}", path, what, mend));
}
constexpr const char* kMendRunning = "is crosswire run running here, as this user? give its --prefix or --socket";
constexpr const char* kMendPeer = "is it crosswire that listens there? give its --prefix or --socket";

/// Somebody wanted the end while an answer was waited for.
struct TopEnded {};

/// A conversation with DPDK's telemetry, version 2: one packet a question, one packet an answer.
class TelemetrySocket {
 public:
  explicit TelemetrySocket(const std::string& path) : path_(path) {
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof place.sun_path) fail(path, "is no path of a socket", kMendRunning);
    std::copy(path.begin(), path.end(), place.sun_path);
    fd_ = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd_ < 0) fail(path, std::strerror(errno), "try again");
    const timeval patience{kPatienceS, 0};
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&place), sizeof place) != 0) {
      const int error = errno;
      close(fd_);
      fail(path, std::strerror(error), kMendRunning);
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
    if (send(fd_, command.data(), command.size(), MSG_NOSIGNAL) < 0) fail(path_, std::strerror(errno), kMendRunning);
    Json answer = receive();
    if (!answer.contains(name)) fail(path_, fmt::format("gives no answer to {}", name), kMendPeer);
    return std::move(answer[name]);
  }
  [[noreturn]] void reject(const std::string& what) const { fail(path_, what, kMendPeer); }

 private:
  Json receive() {
    int ready = 0;
    {
      const SignalsOnlyWhileWaiting signals;
      do {
        if (g_end != 0) throw TopEnded();
        ready = signals.wait_for(fd_, std::chrono::seconds(kPatienceS));
      } while (ready < 0 && errno == EINTR);
    }
    if (ready == 0) fail(path_, fmt::format("no answer within {} s", kPatienceS), kMendPeer);
    const ssize_t length = recv(fd_, buffer_.data(), buffer_.size(), MSG_TRUNC | MSG_DONTWAIT);
    if (length < 0) fail(path_, std::strerror(errno), kMendPeer);
    if (length == 0) fail(path_, "the other side has hung up", kMendRunning);
    if (static_cast<std::size_t>(length) > buffer_.size()) {
      fail(path_, fmt::format("an answer of {} bytes is too long", length), kMendPeer);
    }
    bool deep = false;
    const auto look = [&deep](int depth, Json::parse_event_t, Json&) { return !(deep = deep || depth > kMostDepth); };
    Json answer = Json::parse(buffer_.begin(), buffer_.begin() + length, look, false);
    if (deep || answer.is_discarded() || !answer.is_object())
      fail(path_, "the answer is not telemetry's JSON", kMendPeer);
    return answer;
  }

  std::string path_;
  int fd_ = -1;
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

/// Within what can be added and subtracted a few times; 0 for what is no number.
std::int64_t number(const Json& value) {
  constexpr std::int64_t kMost = std::int64_t{1} << 60;
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

TopNumbers buckets(const Json& object) {
  TopNumbers result;
  for (std::size_t i = 0; i < rows_of(object, "up_to_ns"); ++i) {
    result.emplace_back(std::to_string(number(cell(object, "up_to_ns", i))), number(cell(object, "count", i)));
  }
  return result;
}

/// Some hundreds are enough for a page; of the books those with most volume are shown.
constexpr std::size_t kMostRows = 256;

template <class Ask>
std::vector<TopSession> ask_sessions(Ask ask) {
  std::vector<TopSession> sessions;
  for (std::size_t n = 1; n > 0 && sessions.size() < kMostRows;) {
    const Json& table = ask(sessions.size());
    n = std::min(rows_of(table, "user"), kMostRows);
    for (std::size_t i = 0; i < n; ++i) {
      sessions.push_back({text_cell(table, "user", i), text_cell(table, "source", i), number(cell(table, "bound", i)),
                          number(cell(table, "heard_ms", i)), number(cell(table, "next_in", i)),
                          number(cell(table, "next_out", i))});
    }
  }
  return sessions;
}

template <class Ask>
std::vector<TopBook> ask_books(Ask ask) {
  std::vector<TopBook> books;
  for (std::size_t n = 1; n > 0 && books.size() < kMostRows;) {
    const Json& table = ask(books.size());
    n = std::min(rows_of(table, "symbol"), kMostRows);
    for (std::size_t i = 0; i < n; ++i) {
      books.push_back({text_cell(table, "symbol", i), text_cell(table, "phase", i), number(cell(table, "bid_e4", i)),
                       number(cell(table, "bid_shares", i)), number(cell(table, "ask_e4", i)),
                       number(cell(table, "ask_shares", i)), number(cell(table, "last_e4", i)),
                       number(cell(table, "volume", i))});
    }
  }
  return books;
}

TopPartition ask_partition(TelemetrySocket& socket, const std::string& name, Json& raw) {
  // The answer stays where it is until the next question.
  const auto ask = [&](const char* what, const std::string& parameters) -> const Json& {
    const std::string command = fmt::format("/crosswire/{}", what);
    Json answer = socket.ask(fmt::format("{},{}", command, parameters));
    if (!answer.is_object()) socket.reject(fmt::format("{} is answered with something else than figures", command));
    return raw[what] = std::move(answer);
  };
  TopPartition partition;
  partition.name = plain(name);
  const Json& totals = ask("totals", name);
  partition.order_session = text(totals, "order_session");
  partition.feed_session = text(totals, "feed_session");
  partition.totals = numbers(totals);
  partition.stages = numbers(ask("stages", name));
  partition.rings = numbers(ask("rings", name));
  partition.drops = numbers(ask("drops", name));
  partition.notices = numbers(ask("notices", name));
  partition.latency = numbers(ask("latency", name));
  partition.box = buckets(ask("histogram", "in_the_box," + name));
  partition.sessions = ask_sessions(
      [&](std::size_t first) -> const Json& { return ask("sessions", fmt::format("{},{}", name, first)); });
  partition.books =
      ask_books([&](std::size_t first) -> const Json& { return ask("books", fmt::format("{},{}", name, first)); });
  return partition;
}

// ---- The page -------------------------------------------------------------------------------------------------------

std::int64_t value_of(const TopNumbers& numbers, std::string_view name) {
  const auto found =
      std::find_if(numbers.begin(), numbers.end(), [&](const auto& entry) { return entry.first == name; });
  return found == numbers.end() ? 0 : found->second;
}

/// "1234567", "12.3 M", "4.56 G": at most seven characters up to 10^15.
std::string short_number(double value) {
  if (std::abs(value) < 1e7) return fmt::format("{:.0f}", value);
  if (std::abs(value) < 1e10) return fmt::format("{:.1f} M", value / 1e6);
  return fmt::format("{:.1f} G", value / 1e9);
}

std::string clock(std::int64_t ms) {
  const std::int64_t s = std::max<std::int64_t>(ms, 0) / 1000;
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

/// Of one partition, now and at an earlier page.
class Page {
 public:
  Page(const TopPartition& now, const TopPartition* before, double seconds)
      : now_(now), before_(before), seconds_(std::max(seconds, 1e-3)) {}

  std::vector<std::string> lines() {
    headline();
    stages();
    latencies();
    counters("dropped", now_.drops, before_ != nullptr ? &before_->drops : nullptr);
    counters("noticed", now_.notices, before_ != nullptr ? &before_->notices : nullptr);
    sessions();
    books();
    return std::move(lines_);
  }

 private:
  template <class... Values>
  void line(fmt::format_string<Values...> format, Values&&... values) {
    lines_.push_back(fmt::format(format, std::forward<Values>(values)...));
  }

  double rate(const TopNumbers TopPartition::*numbers, const std::string& name) const {
    const std::int64_t before = before_ != nullptr ? value_of(before_->*numbers, name) : 0;
    return static_cast<double>(value_of(now_.*numbers, name) - before) / seconds_;
  }

  std::string total(const char* name) const {
    return fmt::format("{} ({}/s)", value_of(now_.totals, name), short_number(rate(&TopPartition::totals, name)));
  }

  void headline() {
    const bool huge = value_of(now_.totals, "memory_hugepages") != 0;
    line("partition {}   sessions: orders {}  feed {}   memory {} MiB on {} KiB {}, node {}", now_.name,
         now_.order_session, now_.feed_session, value_of(now_.totals, "memory_bytes") >> 20,
         value_of(now_.totals, "memory_page_size") >> 10, huge ? "hugepages" : "ordinary pages",
         value_of(now_.totals, "memory_node"));
    line("frames      in {}  out {}", total("frames_in"), total("frames_out"));
    line("orders      {}  answers {}  executions {}", total("orders"), total("answers"), total("executions"));
    line("feed        messages {}  datagrams {}", total("feed_messages"), total("feed_datagrams"));
  }

  /// The ring that a stage reads: "events/transmit/waiting".
  std::string ring(const std::string& stage) const {
    for (const char* const name : {"commands", "events"}) {
      const std::string key = fmt::format("{}/{}/", name, stage);
      const std::int64_t capacity = value_of(now_.rings, key + "capacity");
      if (capacity == 0) continue;
      return fmt::format("{} of {}, most {}", value_of(now_.rings, key + "waiting"), capacity,
                         value_of(now_.rings, key + "most_waiting"));
    }
    return "the device's";
  }

  void stages() {
    line("");
    line("{:<10}{:>5}{:>8}{:>11}{:>11}{:>8}{:>9}  {}", "stage", "core", "busy", "polls/s", "items/s", "batch",
         "ns/item", "ring");
    constexpr std::string_view kCore = "/core";
    for (const auto& [key, core] : now_.stages) {
      if (key.size() <= kCore.size() || key.substr(key.size() - kCore.size()) != kCore) continue;
      const std::string stage = key.substr(0, key.size() - kCore.size());
      const auto per_second = [&](const char* what) { return rate(&TopPartition::stages, stage + "/" + what); };
      const double items = per_second("items");
      const double working = per_second("working_polls");
      const double busy_ns = per_second("busy_ns");
      line("{:<10}{:>5}{:>6.1f} %{:>11}{:>11}{:>8.1f}{:>9.0f}  {}", stage, core < 0 ? "any" : std::to_string(core),
           busy_ns / 1e7, short_number(per_second("polls")), short_number(items), working > 0 ? items / working : 0.0,
           items > 0 ? busy_ns / items : 0.0, ring(stage));
    }
  }

  void latencies() {
    line("");
    line("{:<16}{:>11}{:>9}{:>9}{:>9}{:>9}{:>12}", "latency, ns", "count", "p50", "p90", "p99", "p99.9", "max");
    constexpr std::string_view kCount = "/count";
    for (const auto& [key, count] : now_.latency) {
      if (key.size() <= kCount.size() || key.substr(key.size() - kCount.size()) != kCount) continue;
      const std::string name = key.substr(0, key.size() - kCount.size());
      const auto of = [&](const char* what) { return value_of(now_.latency, name + "/" + what); };
      std::string shown = name;
      std::replace(shown.begin(), shown.end(), '_', ' ');
      line("{:<16}{:>11}{:>9}{:>9}{:>9}{:>9}{:>12}", shown, count, of("p50"), of("p90"), of("p99"), of("p99_9"),
           of("max"));
      if (name == "in_the_box" && before_ != nullptr) box_since();
    }
  }

  /// What came into each bucket since the earlier page, and percentiles of that.
  void box_since() {
    std::vector<std::pair<std::string, std::int64_t>> since;
    std::int64_t count = 0;
    for (const auto& [end, n] : now_.box) {
      since.emplace_back(end, std::max<std::int64_t>(n - value_of(before_->box, end), 0));
      count = std::min(count + since.back().second, std::int64_t{1} << 60);
    }
    const auto percentile = [&](double p) -> std::string {
      const double wanted = std::ceil(p / 100 * static_cast<double>(count));
      double seen = 0;
      for (const auto& [end, n] : since) {
        seen += static_cast<double>(n);
        if (n > 0 && seen >= wanted) return end;
      }
      return "-";
    };
    line("{:<16}{:>11}{:>9}{:>9}{:>9}{:>9}", "  since last", count, percentile(50), percentile(90), percentile(99),
         percentile(99.9));
  }

  void counters(const char* title, const TopNumbers& now, const TopNumbers* before) {
    line("");
    bool any = false;
    for (const auto& [name, value] : now) {
      if (value == 0) continue;
      const std::int64_t earlier = before != nullptr ? value_of(*before, name) : 0;
      line("{:<12}{:<36}{:>12}  {}/s", any ? "" : title, name, value,
           short_number(static_cast<double>(value - earlier) / seconds_));
      any = true;
    }
    if (!any) line("{:<12}nothing", title);
  }

  /// Those that are bound first.
  void sessions() {
    constexpr std::size_t kShown = 16;
    if (now_.sessions.empty()) return;
    std::vector<TopSession> shown = now_.sessions;
    std::stable_sort(shown.begin(), shown.end(),
                     [](const TopSession& a, const TopSession& b) { return a.bound > b.bound; });
    shown.resize(std::min(shown.size(), kShown));
    line("");
    line("{:<10}{:<8}{:<22}{:>12}{:>12}{:>12}", "session", "bound", "source", "heard ms ago", "next in", "next out");
    for (const TopSession& session : shown) {
      line("{:<10}{:<8}{:<22}{:>12}{:>12}{:>12}", session.user, session.bound != 0 ? "yes" : "no", session.source,
           session.bound != 0 ? std::to_string(session.heard_ms) : "-", session.next_in, session.next_out);
    }
  }

  /// Those with most volume first.
  void books() {
    constexpr std::size_t kShown = 8;
    if (now_.books.empty()) return;
    std::vector<TopBook> shown = now_.books;
    std::stable_sort(shown.begin(), shown.end(),
                     [](const TopBook& a, const TopBook& b) { return a.volume > b.volume; });
    shown.resize(std::min(shown.size(), kShown));
    const auto price = [](std::int64_t e4) {
      return e4 == 0 ? "-" : fmt::format("{:.4f}", static_cast<double>(e4) / 1e4);
    };
    line("");
    line("{:<10}{:<14}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}", "symbol", "phase", "bid", "shares", "ask", "shares",
         "last", "volume");
    for (const TopBook& book : shown) {
      line("{:<10}{:<14}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}", book.symbol, book.phase, price(book.bid_e4), book.bid,
           price(book.ask_e4), book.ask, price(book.last_e4), book.volume);
    }
  }

  const TopPartition& now_;
  const TopPartition* before_;
  double seconds_;
  std::vector<std::string> lines_;
};

// ---- The terminal ---------------------------------------------------------------------------------------------------

/// Keys come at once and are not shown, and the page has a screen of its own, while it lives.
class Screen {
 public:
  Screen() {
    tcgetattr(STDIN_FILENO, &before_);
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    std::fputs("\033[?1049h\033[?25l", stdout);
    struct sigaction action {};
    action.sa_handler = end_top;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    action.sa_handler = resized;
    sigaction(SIGWINCH, &action, nullptr);
  }
  ~Screen() {
    std::fputs("\033[?25h\033[?1049l", stdout);
    std::fflush(stdout);
    tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  static TopSize size() {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {24, 80};
    return {size.ws_row, size.ws_col};
  }

  static void show(const std::string& page) {
    // Line by line, each cleared to its end: a whole clear would flicker.
    std::string out = "\033[H";
    for (const char letter : page) {
      if (letter == '\n') out += "\033[K\r";
      out += letter;
    }
    // The last line has no line feed behind it, or a full screen would scroll.
    if (!page.empty()) out.pop_back();
    std::fputs((out + "\033[J").c_str(), stdout);
    std::fflush(stdout);
  }

 private:
  termios before_{};
};

/// Waits for the interval's end, a key or a new size of the terminal. Returns whether to go on.
bool wait_for_key(std::chrono::steady_clock::time_point until, bool& resized_now) {
  resized_now = false;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  const SignalsOnlyWhileWaiting signals;
  if (g_end != 0) return false;
  const int ready = signals.wait_for(STDIN_FILENO, std::max(left, std::chrono::milliseconds(0)));
  if (g_end != 0) return false;
  if (ready < 0) resized_now = true;
  if (ready <= 0) return true;
  char letter = 0;
  const ssize_t n = read(STDIN_FILENO, &letter, 1);
  return n == 1 && letter != 'q' && letter != 'Q';
}

void refresh_until_quit(const std::string& path, double interval_s) try {
  const auto interval =
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(interval_s));
  TopFigures now = ask_top_figures(path);  // before the screen is taken over
  std::optional<TopFigures> before;
  const Screen screen;
  for (auto next = std::chrono::steady_clock::now();;) {
    Screen::show(top_page(now, before ? &*before : nullptr, Screen::size()));
    next = std::max(next + interval, std::chrono::steady_clock::now());
    bool resized_now = true;
    while (resized_now) {
      if (!wait_for_key(next, resized_now)) return;
      if (resized_now) Screen::show(top_page(now, before ? &*before : nullptr, Screen::size()));
    }
    // A key other than q comes early: that is a wish for fresh figures.
    TopFigures newer = ask_top_figures(path);
    before = std::move(now);
    now = std::move(newer);
  }
} catch (const TopEnded&) {  // as by q
}

}  // namespace

std::string top_socket_path(const std::string& prefix) {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  std::string folder = variable("RUNTIME_DIRECTORY");  // as DPDK: systemd's first
  if (folder.empty()) folder = geteuid() == 0 ? "/var/run" : variable("XDG_RUNTIME_DIR");
  if (folder.empty()) folder = "/tmp";
  return fmt::format("{}/dpdk/{}/dpdk_telemetry.v2", folder, prefix);
}

TopFigures ask_top_figures(const std::string& socket_path, std::string* raw) {
  constexpr std::size_t kMostPartitions = 64;
  TelemetrySocket socket(socket_path);
  Json all;
  const Json info = socket.ask("/crosswire/info");
  all["info"] = info;
  if (!info.is_object() || rows_of(info, "partitions") == 0 || rows_of(info, "partitions") > kMostPartitions) {
    socket.reject("it tells of no partitions");
  }
  TopFigures figures;
  figures.version = text(info, "version");
  figures.uptime_ms = number(info.value("uptime_ms", Json(0)));
  for (std::size_t i = 0; i < rows_of(info, "partitions"); ++i) {
    const std::string name = text_cell(info, "partitions", i);
    figures.partitions.push_back(ask_partition(socket, name, all["partitions"][name]));
  }
  if (raw != nullptr) *raw = all.dump(-1, ' ', true, Json::error_handler_t::replace);
  return figures;
}

std::string top_page(const TopFigures& now, const TopFigures* before, TopSize size) {
  const bool same = before != nullptr && before->uptime_ms <= now.uptime_ms &&
                    before->partitions.size() == now.partitions.size();  // else it was started anew
  const double seconds = static_cast<double>(now.uptime_ms - (same ? before->uptime_ms : 0)) / 1e3;
  std::vector<std::string> lines = {
      fmt::format("crosswire {}   up {}   rates {}", now.version, clock(now.uptime_ms),
                  same ? fmt::format("of the last {:.1f} s", seconds) : "since the start")};
  for (std::size_t i = 0; i < now.partitions.size(); ++i) {
    lines.emplace_back();
    const std::vector<std::string> more =
        Page(now.partitions[i], same ? &before->partitions[i] : nullptr, seconds).lines();
    lines.insert(lines.end(), more.begin(), more.end());
  }
  std::string page;
  for (std::size_t i = 0; i < std::min(lines.size(), size.rows); ++i) page += lines[i].substr(0, size.columns) + "\n";
  return page;
}

int top_main(const TopOptions& options) try {
  const std::string path = options.socket.empty() ? top_socket_path(options.prefix) : options.socket;
  if (options.json) {
    std::string raw;
    ask_top_figures(path, &raw);
    fmt::print("{}\n", raw);
  } else if (options.once || isatty(STDOUT_FILENO) == 0 || isatty(STDIN_FILENO) == 0) {
    constexpr TopSize kAll{std::size_t{1} << 30, std::size_t{1} << 30};
    fmt::print("{}", top_page(ask_top_figures(path), nullptr, kAll));
  } else {
    refresh_until_quit(path, options.interval_s);
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "crosswire top: {}\n", error.what());
  return 1;
}

}  // namespace crosswire
