// Figures for others: see the header.
#include "app/ctl/figure_relay.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

namespace crosswire {
namespace {

using FigureJson = nlohmann::ordered_json;

constexpr std::size_t kMostPacket = 1u << 16;  // DPDK says it sends 16 KiB at most
constexpr int kMostSockets = 16;               // that DPDK may have put sockets beside each other for
constexpr int kDeepestAnswer = 8;

/// A connection to a telemetry socket of this very process, or -1.
int connect_to_own(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return -1;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  ucred who{};
  socklen_t size = sizeof who;
  const bool own = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                   getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.pid == getpid();
  if (own) return fd;
  close(fd);
  return -1;
}

/// The one value of an answer, which stands under the command's name.
FigureJson inside(const std::string& json) {
  const auto shallow = [](int depth, FigureJson::parse_event_t, const FigureJson&) { return depth <= kDeepestAnswer; };
  FigureJson answer = FigureJson::parse(json, shallow, false);
  return answer.is_object() && answer.size() == 1 ? answer : FigureJson();
}

}  // namespace

std::optional<std::uint64_t> FigureRelay::ask(const std::string& question) {
  if (asked_.size() >= kMostAsked) return std::nullopt;
  asked_.push_back({++last_ticket_, question});
  return last_ticket_;
}

bool FigureRelay::connect() {
  if (fd_ >= 0) return true;
  for (int i = 0; i < kMostSockets && fd_ < 0; ++i) {
    fd_ = connect_to_own(i == 0 ? socket_ : fmt::format("{}:{}", socket_, i));
  }
  return fd_ >= 0;
}

void FigureRelay::hang_up() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  greeted_ = under_way_ = false;
}

/// A packet, if one has come. The other side's end hangs up.
std::optional<std::string> FigureRelay::receive() {
  std::string packet(kMostPacket, '\0');
  const ssize_t n = recv(fd_, packet.data(), packet.size(), MSG_DONTWAIT | MSG_TRUNC);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (n <= 0 || static_cast<std::size_t>(n) > packet.size()) {
    failed_ = true;
    return std::nullopt;
  }
  packet.resize(static_cast<std::size_t>(n));
  std::replace(packet.begin(), packet.end(), '\n', ' ');  // an answer is a line
  return packet;
}

bool FigureRelay::is_greeted() {
  if (!greeted_) greeted_ = receive().has_value();
  return greeted_;
}

std::vector<FigureRelay::Answer> FigureRelay::look(Clock::time_point now) {
  std::vector<Answer> answers;
  const auto answer_first = [&](std::string json) {
    answers.push_back({asked_.front().ticket, std::move(json)});
    asked_.pop_front();
    under_way_ = false;
  };
  while (!asked_.empty()) {
    if (!under_way_) {
      failed_ = !connect();
      under_way_ = true;
      since_ = now;
      const std::string& text = asked_.front().text;
      failed_ = failed_ || send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0;
    }
    std::optional<std::string> json;
    if (!failed_ && is_greeted()) json = receive();
    if (json) {
      answer_first(std::move(*json));
    } else if (failed_) {
      hang_up();
      answer_first("");
    } else if (now - since_ >= kPatience) {
      hang_up();                                 // a late answer is to be no later question's
      while (!asked_.empty()) answer_first("");  // who asks has as much patience
    } else {
      break;
    }
  }
  return answers;
}

std::string rows_of_users(const std::string& json, const std::vector<std::string>& users) {
  FigureJson answer = inside(json);
  if (answer.is_null()) return "";
  FigureJson& table = answer.front();
  if (!table.is_object()) return "";
  if (table.contains("error")) return answer.dump(-1, ' ', true, FigureJson::error_handler_t::replace);
  const FigureJson names = table.value("user", FigureJson::array());
  if (!names.is_array()) return "";
  for (FigureJson& column : table) {
    if (!column.is_array()) continue;
    if (column.size() != names.size()) return "";
    FigureJson rows = FigureJson::array();
    for (std::size_t i = 0; i < names.size(); ++i) {
      const bool kept =
          names[i].is_string() && std::find(users.begin(), users.end(), names[i].get<std::string>()) != users.end();
      if (kept) rows.push_back(column[i]);
    }
    column = std::move(rows);
  }
  return answer.dump(-1, ' ', true, FigureJson::error_handler_t::replace);
}

std::vector<std::string> phases_in(const std::string& json) {
  const FigureJson answer = inside(json);
  std::vector<std::string> phases;
  if (answer.is_null() || !answer.front().is_object()) return phases;
  const auto found = answer.front().find("phase");
  if (found == answer.front().end() || !found->is_string()) return phases;
  // "continuous", or "continuous 7, halted 1".
  const std::string text = found->get<std::string>() + ",";
  for (std::size_t at = 0, end = 0; (end = text.find(',', at)) != std::string::npos; at = end + 1) {
    const std::size_t begin = text.find_first_not_of(' ', at);
    phases.push_back(text.substr(begin, text.find_first_of(" ,", begin) - begin));
  }
  return phases;
}

}  // namespace crosswire
