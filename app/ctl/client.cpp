// The control socket's client: see the header.
#include "app/ctl/client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "app/ctl/control_socket.hpp"

namespace crosswire {
namespace {

/// Longer than the appliance gives its stages, so that it is the appliance that says what is wrong.
constexpr std::chrono::seconds kPatience = ControlSocket::kPatience + std::chrono::seconds(3);

class Connection {
 public:
  explicit Connection(const std::string& path) : path_(path), fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (fd_ < 0) fail(errno, "raise ulimit -n");
    if (path.size() >= sizeof address.sun_path) fail(ENAMETOOLONG, "give a shorter --socket");
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    // connect() waits for a place in the queue of one that does not answer.
    const timeval patience{std::chrono::seconds(kPatience).count(), 0};
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      const bool rights = errno == EACCES || errno == EPERM;
      const bool full = errno == EAGAIN;
      fail(errno, rights ? "ask as the user that the appliance runs as, or as root; others may where it has [operators]"
                  : full ? "the appliance takes nobody in, does it stand still? Nothing is done"
                         : "is crosswire run running here, as this user? give its --prefix or --socket");
    }
    check_peer();
  }
  ~Connection() { close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Throws std::runtime_error (one line) where no whole line of at most so many bytes comes in time.
  std::string ask(const std::string& line, std::size_t most = kMostCtlLine) {
    const std::string out = line + "\n";
    if (send(fd_, out.data(), out.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(out.size()) && errno != EPIPE) {
      throw std::runtime_error(path_ + ": " + std::generic_category().message(errno));
    }  // who hangs up may have said why
    const auto until = std::chrono::steady_clock::now() + kPatience;
    std::string heard;
    while (heard.find('\n') == std::string::npos) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      pollfd waited{fd_, POLLIN, 0};
      if (left.count() <= 0 || poll(&waited, 1, static_cast<int>(left.count())) <= 0) {
        throw std::runtime_error(
            fmt::format("{}: no answer within {} s", path_, std::chrono::seconds(kPatience).count()));
      }
      char bytes[kMostCtlLine];
      const ssize_t n = recv(fd_, bytes, sizeof bytes, 0);
      if (n <= 0) throw std::runtime_error(path_ + ": hung up without an answer");
      heard.append(bytes, static_cast<std::size_t>(n));
      if (heard.size() > most) throw std::runtime_error(path_ + ": is it crosswire that listens there?");
    }
    return heard.substr(0, heard.find('\n'));
  }

 private:
  /// In a folder that all may write, anybody may have put a socket.
  void check_peer() const {
    ucred who{};
    socklen_t size = sizeof who;
    struct stat file {};
    const bool told = getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && stat(path_.c_str(), &file) == 0;
    const bool trusted = who.uid == geteuid() || who.uid == 0 || (geteuid() == 0 && who.uid == file.st_uid);
    if (!told || (!trusted && !is_kept_by(who.uid))) fail(EPERM, "another user listens there");
  }

  /// Whether nobody but root and that user can have put it where it is.
  bool is_kept_by(uid_t uid) const {
    std::error_code error;
    std::filesystem::path at = std::filesystem::canonical(path_, error);
    if (error) return false;
    do {
      at = at.parent_path();
      struct stat folder {};
      if (stat(at.c_str(), &folder) != 0) return false;
      if ((folder.st_uid != 0 && folder.st_uid != uid) || (folder.st_mode & 022) != 0) return false;
    } while (at != at.root_path());
    return true;
  }

  [[noreturn]] void fail(int error, const char* remedy) const {
    const std::string what = std::generic_category().message(error);
    if (fd_ >= 0) close(fd_);
    throw std::runtime_error(fmt::format("{}: {}; {}", path_, what, remedy));
  }

  std::string path_;
  int fd_;
};

std::uint64_t random_request() {
  std::random_device random;
  return (std::uint64_t{random() & 0x3FFFFFFFu} << 32 | random()) + 1;
}

std::string number_of(std::uint64_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string symbols(std::uint16_t count) { return number_of(count, "symbol"); }

/// Whether it is an answer to this, and not to something else. An approval does not say what it approves.
bool answers(const CtlAsk& ask, const CtlAnswer& answer) {
  if (ask.action == OperatorAction::none) return !answer.asked.empty();
  return answer.request == ask.request && answer.action == ask.action && answer.symbol == ask.symbol &&
         answer.account == ask.account && answer.firm == ask.firm &&
         (ask.partition.empty() || answer.partition == ask.partition);
}

std::string socket_of(const CtlOptions& options) {
  return options.socket.empty() ? find_ctl_socket(options.prefix) : options.socket;
}

/// `ask`: what the line asks for; nothing where it is an approval. `again`: how to ask once more.
int ask_and_tell(const CtlOptions& options, const CtlAsk& ask, const std::string& line, const std::string& again) try {
  Connection connection(socket_of(options));
  CtlAnswer answer;
  try {
    answer = read_answer(connection.ask(line));
  } catch (const std::runtime_error& error) {
    fmt::print(stderr, "crosswire ctl: {}; {}\n", error.what(), again);
    return 1;
  }
  if (answer.error.empty() && !answers(ask, answer)) {
    fmt::print(stderr, "crosswire ctl: an answer to something else; is it crosswire that listens there? {}\n", again);
    return 1;
  }
  const bool waits = answer.error.empty() && answer.pending != 0;
  const bool done = answer.error.empty() && answer.result == OperatorResult::done;
  const std::string text = answer_text(ask, answer) + (answer.unknown ? "; " + again : "");
  fmt::print(done || waits ? stdout : stderr, "{}{}\n", done || waits ? "" : "crosswire ctl: ", text);
  return done ? 0 : waits ? kWaitsForAnother : 1;
} catch (const std::exception& error) {
  fmt::print(stderr, "crosswire ctl: {}\n", error.what());
  return 1;
}

}  // namespace

std::string find_ctl_socket(const std::string& prefix) {
  const std::string path = ctl_socket_path(prefix);
  std::error_code error;
  if (std::filesystem::exists(path, error)) return path;
  if (std::getenv("RUNTIME_DIRECTORY") != nullptr) return path;  // told where to look
  const std::string of_root = "/var/run/crosswire/" + prefix + ".ctl";
  if (std::filesystem::exists(of_root, error)) return of_root;
  std::vector<std::string> found;
  for (const auto& unit : std::filesystem::directory_iterator("/run/crosswire", error)) {
    const std::string one = unit.path().string() + "/crosswire/" + prefix + ".ctl";
    std::error_code unseen;
    if (std::filesystem::exists(one, unseen)) found.push_back(one);
  }
  if (found.size() > 1) {
    throw std::runtime_error(
        fmt::format("{} units have a socket here; give --socket, as {}", found.size(), found.front()));
  }
  return found.empty() ? path : found.front();
}

std::string ask_figures_of(const std::string& socket, const std::string& question) {
  Connection connection(socket);
  CtlLine line;
  line.wish = CtlWish::view;
  line.question = question;
  std::string answer = connection.ask(to_line(line), kMostCtlAnswer);
  constexpr std::string_view kRefusal = "{\"done\":";  // of a line of our own, whose keys are in order
  if (answer.substr(0, kRefusal.size()) == kRefusal) {
    throw std::runtime_error(fmt::format("{}: {}", socket, read_answer(answer).error));
  }
  return answer;
}

std::string pending_page(const std::vector<CtlPending>& pending) {
  if (pending.empty()) return "no command waits for a second person\n";
  std::string page;
  const auto row = [&page](auto... cells) {
    page += fmt::format("{:>8}  {:>7}  {:<12}  {:<32}  {:<16}  {:<14}  {}\n", cells...);
  };
  row("number", "seconds", "partition", "command", "asked for by", "role", "reason");
  for (const CtlPending& one : pending)
    row(one.number, one.seconds, one.partition, one.asked, one.operator_name, one.role, one.reason);
  return page;
}

std::string answer_text(const CtlAsk& ask, const CtlAnswer& answer) {
  const bool approves = ask.action == OperatorAction::none;
  if (!answer.error.empty()) return approves ? answer.error : fmt::format("{}: {}", describe(ask), answer.error);
  const std::string asked =
      approves ? fmt::format("{}, asked for by {}", answer.asked, answer.operator_name) : describe(ask);
  if (answer.pending != 0) {
    return fmt::format(
        "{}: {}: waits for a second person, as {}; within {} s another one may: crosswire ctl approve {} (request {})",
        answer.partition, asked, answer.why, answer.seconds, answer.pending, answer.request);
  }
  const TimeNs s = answer.time_ns / kNsPerSecond;
  const std::string when =
      fmt::format("{:02}:{:02}:{:02}.{:09}", s / 3600, s / 60 % 60, s % 60, answer.time_ns % kNsPerSecond);
  const std::string held =
      answer.held == 0 ? "" : fmt::format(", {} still halted by an operator", symbols(answer.held));
  const std::string now = answer.phase ? fmt::format(", now {}", phase_name(*answer.phase)) : "";
  const std::string canceled =
      answer.action == OperatorAction::kill ? fmt::format(", {} cancelled", number_of(answer.canceled, "order")) : "";
  const std::string changed = is_about_accounts(answer.action) ? number_of(answer.changed, "account") + canceled
                              : answer.action == OperatorAction::reload
                                  ? number_of(answer.changed, "row") + " of the configuration"
                                  : symbols(answer.changed);
  const std::string what = answer.result == OperatorResult::done
                               ? fmt::format("done, {}{}{}", changed, held, now)
                               : fmt::format("refused: {}{}", result_words(answer.result), now);
  const bool again = answer.repeated && answer.result != OperatorResult::other_request;
  return fmt::format("{}: {}: {}{} (command {}, {}, request {})", answer.partition, asked,
                     again ? "not done again; it was: " : "", what, answer.sequence, when, answer.request);
}

int ctl_main(const CtlOptions& options) {
  CtlAsk ask = options.ask;
  if (ask.request == 0) ask.request = random_request();
  return ask_and_tell(options, ask, to_line(ask),
                      fmt::format("whether it is done is not known; ask again with --request {}", ask.request));
}

int ctl_approve_main(const CtlOptions& options) {
  CtlLine line;
  line.wish = CtlWish::approve;
  line.number = options.number;
  return ask_and_tell(options, {}, to_line(line), "whether it is done is not known; see crosswire ctl pending");
}

int ctl_withdraw_main(const CtlOptions& options) try {
  CtlLine line;
  line.wish = CtlWish::withdraw;
  line.number = options.number;
  Connection connection(socket_of(options));
  const CtlPending withdrawn = read_withdrawn(connection.ask(to_line(line)));
  fmt::print("withdrawn: command {}, {}, asked for by {}\n", withdrawn.number, withdrawn.asked,
             withdrawn.operator_name);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "crosswire ctl: {}\n", error.what());
  return 1;
}

std::string reload_page(const CtlReload& reload) {
  std::string page;
  const auto row = [&page](auto... cells) { page += fmt::format("{:<12}  {:<44}  {:<20}  {:<20}  {}\n", cells...); };
  if (!reload.rows.empty()) row("partition", "key", "before", "after", "");
  const auto told = [](const std::string& value) { return value.empty() ? std::string("-") : value; };
  for (const CtlReloadRow& one : reload.rows) {
    const bool secret = one.after == "(secret)" || one.before == "(secret)";
    row(one.partition, one.key, told(one.before), told(one.after),
        !one.may      ? "not within a day"
        : secret      ? "a secret has changed"
        : one.loosens ? "loosens"
                      : "");
  }
  if (reload.left_out > 0) page += fmt::format("and {}\n", number_of(reload.left_out, "row"));
  const std::size_t may = static_cast<std::size_t>(
      std::count_if(reload.rows.begin(), reload.rows.end(), [](const CtlReloadRow& one) { return one.may; }));
  const std::string rows = number_of(may + reload.left_out, "row");
  if (!reload.error.empty()) return page;
  switch (reload.state) {
    case CtlReloadState::same:
      return page + "the configuration is the same: nothing changes\n";
    case CtlReloadState::checked:
      return page + fmt::format("{} would change; nothing is changed\n", rows);
    case CtlReloadState::done:
      return page + fmt::format("done, {} changed (request {})\n", rows, reload.request);
    case CtlReloadState::pending:
      return page + fmt::format(
                        "waits for a second person, as {}; within {} s another one may: crosswire ctl approve {} "
                        "(request {})\n",
                        reload.why, reload.seconds, reload.pending, reload.request);
  }
  return page;
}

int ctl_reload_main(const CtlOptions& options) try {
  CtlLine line;
  line.wish = CtlWish::reload;
  line.ask = options.ask;
  if (line.ask.request == 0) line.ask.request = random_request();
  Connection connection(socket_of(options));
  const std::string said = connection.ask(to_line(line), kMostCtlAnswer);
  const CtlReload reload = read_reload(said);
  fmt::print("{}", options.json ? said + "\n" : reload_page(reload));
  if (!reload.error.empty()) {
    fmt::print(stderr, "crosswire ctl: reload: {}{}\n", reload.error,
               reload.unknown ? "; whether it is done is not known" : "");
    return 1;
  }
  return reload.state == CtlReloadState::pending ? kWaitsForAnother : 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "crosswire ctl: {}\n", error.what());
  return 1;
}

int ctl_pending_main(const CtlOptions& options) try {
  CtlLine line;
  line.wish = CtlWish::pending;
  Connection connection(socket_of(options));
  const std::string answer = connection.ask(to_line(line), kMostCtlAnswer);
  const std::vector<CtlPending> pending = read_pending(answer);
  fmt::print("{}", options.json ? answer + "\n" : pending_page(pending));
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "crosswire ctl: {}\n", error.what());
  return 1;
}

}  // namespace crosswire
