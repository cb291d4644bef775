// The control socket's client: see the header.
#include "app/ctl/client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>
#include <stdexcept>
#include <system_error>

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
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
    const bool rights = errno == EACCES || errno == EPERM;
    fail(errno, rights ? "ask as the user that the appliance runs as, or as root"
                       : "is crosswire run running here, as this user? give its --prefix or --socket");
  }
  ~Connection() { close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Throws std::runtime_error (one line) where no whole line comes in time.
  std::string ask(const std::string& line) {
    const std::string out = line + "\n";
    if (send(fd_, out.data(), out.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(out.size())) {
      if (errno != EPIPE) fail(errno, "try again");  // who hangs up may have said why
    }
    const auto until = std::chrono::steady_clock::now() + kPatience;
    std::string heard;
    while (heard.find('\n') == std::string::npos) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      pollfd waited{fd_, POLLIN, 0};
      if (left.count() <= 0 || poll(&waited, 1, static_cast<int>(left.count())) <= 0) {
        throw std::runtime_error(fmt::format("{}: no answer within {} s; whether it was done is not known", path_,
                                             std::chrono::seconds(kPatience).count()));
      }
      char bytes[kMostCtlLine];
      const ssize_t n = recv(fd_, bytes, sizeof bytes, 0);
      if (n <= 0) throw std::runtime_error(path_ + ": hung up without an answer; whether it was done is not known");
      heard.append(bytes, static_cast<std::size_t>(n));
      if (heard.size() > kMostCtlLine) throw std::runtime_error(path_ + ": is it crosswire that listens there?");
    }
    return heard.substr(0, heard.find('\n'));
  }

 private:
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

std::string symbols(std::uint16_t count) { return count == 1 ? "1 symbol" : fmt::format("{} symbols", count); }

}  // namespace

std::string answer_text(const CtlAsk& ask, const CtlAnswer& answer) {
  if (!answer.error.empty()) return fmt::format("{}: {}", describe(ask), answer.error);
  const TimeNs s = answer.time_ns / kNsPerSecond;
  const std::string when =
      fmt::format("{:02}:{:02}:{:02}.{:09}", s / 3600, s / 60 % 60, s % 60, answer.time_ns % kNsPerSecond);
  const std::string held =
      answer.held == 0 ? "" : fmt::format(", {} still halted by an operator", symbols(answer.held));
  const std::string what = answer.result == OperatorResult::done
                               ? fmt::format("done, {}{}", symbols(answer.changed), held)
                               : fmt::format("refused: {}", result_words(answer.result));
  const std::string again = answer.repeated ? "; asked before, not done again" : "";
  return fmt::format("{}: {} (command {}, {}, request {}{})", describe(ask), what, answer.sequence, when,
                     answer.request, again);
}

int ctl_main(const CtlOptions& options) {
  CtlAsk ask = options.ask;
  if (ask.request == 0) ask.request = random_request();
  try {
    Connection connection(options.socket.empty() ? ctl_socket_path(options.prefix) : options.socket);
    CtlAnswer answer;
    try {
      answer = read_answer(connection.ask(to_line(ask)));
    } catch (const std::runtime_error& error) {
      fmt::print(stderr, "crosswire ctl: {}; ask again with --request {}\n", error.what(), ask.request);
      return 1;
    }
    const bool done = answer.error.empty() && answer.result == OperatorResult::done;
    const std::string text = answer_text(ask, answer);
    fmt::print(done ? stdout : stderr, "{}{}\n", done ? "" : "crosswire ctl: ", text);
    return done ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "crosswire ctl: {}\n", error.what());
    return 1;
  }
}

}  // namespace crosswire
