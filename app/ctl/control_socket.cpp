// The control socket: see the header.
#include "app/ctl/control_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "app/files/runtime_folder.hpp"

namespace crosswire {
namespace {

std::string reason_of(int error) { return std::generic_category().message(error); }

[[noreturn]] void fail(const std::string& path, const std::string& what, const std::string& remedy) {
  throw std::runtime_error(fmt::format("{}: {}; {}", path, what, remedy));
}

/// Whoever may write in the folder could put a socket of his own in our place.
void make_folder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) == 0) return;
  if (errno != EEXIST) fail(folder, "cannot be made: " + reason_of(errno), "make it, for this user");
  struct stat status {};
  if (lstat(folder.c_str(), &status) != 0) fail(folder, reason_of(errno), "make it, for this user");
  if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 022) != 0) {
    fail(folder, "is not a folder that this user alone may write", "take it away, or chown and chmod 700 it");
  }
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    fail(path, "is too long for a socket", "set XDG_RUNTIME_DIR to a shorter one");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

int new_socket() { return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

/// Whether a process listens there. What nobody listens on a crash has left.
bool is_in_use(const sockaddr_un& address) {
  const int fd = new_socket();
  if (fd < 0) return true;
  const int result = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  close(fd);
  return result == 0 || (error != ECONNREFUSED && error != ENOENT);
}

std::string user_name(uid_t uid) {
  char buffer[1024];
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr) return found->pw_name;
  return fmt::format("uid {}", uid);
}

/// The other end is closed both ways: nobody is there to hear an answer.
bool has_hung_up(int fd) {
  pollfd peer{fd, 0, 0};
  return poll(&peer, 1, 0) == 1 && (peer.revents & (POLLHUP | POLLERR)) != 0;
}

/// Two processes that start at once must not take each other's socket for a dead one's: one after the other.
class StartLock {
 public:
  explicit StartLock(const std::string& folder) : fd_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ < 0 || flock(fd_, LOCK_EX) != 0) fail(folder, reason_of(errno), "see who may write it");
  }
  ~StartLock() { close(fd_); }
  StartLock(const StartLock&) = delete;
  StartLock& operator=(const StartLock&) = delete;

 private:
  int fd_;
};

}  // namespace

std::string ctl_socket_path(const std::string& prefix) { return runtime_folder() + "/crosswire/" + prefix + ".ctl"; }

ControlSocket::ControlSocket(const std::string& path, std::deque<OperatorDesk>& desks)
    : path_(path), desks_(desks), own_name_(user_name(geteuid())), root_name_(user_name(0)) {
  constexpr int kMostProcesses = 16;
  const std::string folder = std::filesystem::path(path).parent_path().string();
  make_folder(folder);
  const StartLock lock(folder);
  for (int i = 1; is_in_use(address_of(path_)); ++i) {
    if (i == kMostProcesses) fail(path, fmt::format("{} processes listen here already", i), "end one");
    path_ = fmt::format("{}:{}", path, i);
  }
  unlink(path_.c_str());
  listen();
}

void ControlSocket::listen() {
  const sockaddr_un address = address_of(path_);
  listener_ = new_socket();
  if (listener_ < 0) fail(path_, reason_of(errno), "raise ulimit -n");
  fchmod(listener_, 0600);  // the file that bind() makes has it from the start
  const bool listens = bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                       chmod(path_.c_str(), 0600) == 0 && ::listen(listener_, kMostPeers) == 0;
  if (listens) return;
  const int error = errno;
  close(listener_);
  fail(path_, "cannot be listened on: " + reason_of(error), "see who may write its folder");
}

ControlSocket::~ControlSocket() {
  if (listener_ >= 0) end();
}

/// A peer whose command is under way is not listened to; were it in the list, its hanging up would keep poll() awake.
void ControlSocket::add_to(std::vector<pollfd>& polled) const {
  if (!accept_failed_) polled.push_back({listener_, POLLIN, 0});
  for (const Peer& peer : peers_) {
    if (peer.desk == nullptr) polled.push_back({peer.fd, POLLIN, 0});
  }
}

bool ControlSocket::waits() const {
  return std::any_of(desks_.begin(), desks_.end(), [](const OperatorDesk& desk) { return desk.under_way() > 0; });
}

CtlNews ControlSocket::serve(Clock::time_point now) {
  CtlNews news;
  collect(news);
  accept_all(now);
  for (Peer& peer : peers_) {
    if (!peer.done && peer.desk == nullptr) listen_to(peer, now);
    if (!peer.done) look_at_time(peer, now, news);
  }
  close_done();
  return news;
}

void ControlSocket::collect(CtlNews& news) {
  for (OperatorDesk& desk : desks_) {
    while (auto done = desk.collect()) {
      for (Peer& peer : peers_) {
        if (peer.desk == &desk && peer.ticket == done->ticket && !peer.done) answer(peer, done->answer);
      }
      news.push_back(std::move(*done));
    }
  }
}

void ControlSocket::look_at_time(Peer& peer, Clock::time_point now, CtlNews& news) {
  if (now - peer.since < (peer.desk == nullptr ? kPeerPatience : kPatience)) return;
  if (peer.desk == nullptr) return refuse(peer, "no whole line has come");
  constexpr const char* kWhy = "the stages have not answered; does one stand still?";
  refuse(peer, kWhy, true);
  CtlAnswer none;
  none.error = kWhy;
  none.unknown = true;
  news.push_back({peer.desk->name(), peer.ticket, peer.ask, peer.operator_name, none});
}

void ControlSocket::close_done() {
  peers_.remove_if([](const Peer& peer) {
    if (peer.done) close(peer.fd);
    return peer.done;
  });
}

CtlNews ControlSocket::end_day(OperatorDesk& desk, bool cut_off) {
  CtlNews news;
  collect(news);
  for (Peer& peer : peers_) {
    if (!peer.done && peer.desk == &desk) refuse(peer, "the day is over", cut_off);
  }
  close_done();
  desk.leave();
  return news;
}

CtlNews ControlSocket::end(bool cut_off) {
  CtlNews news;
  collect(news);
  unlink(path_.c_str());
  for (accept_failed_ = false; !accept_failed_;) {  // who is in the kernel's queue is told, too
    const std::size_t before = peers_.size();
    accept_all({});
    for (Peer& peer : peers_) {
      if (!peer.done) refuse(peer, "the day is over", cut_off && peer.desk != nullptr);
    }
    if (peers_.size() == before) break;
    close_done();
  }
  close_done();
  close(std::exchange(listener_, -1));
  return news;
}

void ControlSocket::accept_all(Clock::time_point now) {
  accept_failed_ = false;
  for (std::size_t accepted = 0; accepted < kMostPeers; ++accepted) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      accept_failed_ = errno != EAGAIN && errno != EINTR && errno != ECONNABORTED;
      return;
    }
    make_place();
    ucred who{};
    socklen_t size = sizeof who;
    const bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0;
    Peer& peer = peers_.emplace_back(Peer{fd, who.uid == geteuid() ? own_name_ : root_name_, {}, now});
    if (known && (who.uid == geteuid() || who.uid == 0)) continue;
    const std::string allowed = geteuid() == 0 ? own_name_ : own_name_ + " or " + root_name_;
    refuse(peer, fmt::format("uid {} may not; ask as {}", who.uid, allowed));
  }
}

/// Whoever has said nothing for longest goes for one more, if all places are taken by such.
void ControlSocket::make_place() {
  if (peers_.size() < kMostPeers) return;
  const auto silent =
      std::find_if(peers_.begin(), peers_.end(), [](const Peer& peer) { return peer.desk == nullptr && !peer.done; });
  if (silent == peers_.end()) return;  // all wait for the stages: their number is bounded by the desks
  refuse(*silent, "too many ask at once");
  close(silent->fd);
  peers_.erase(silent);
}

void ControlSocket::listen_to(Peer& peer, Clock::time_point now) {
  char bytes[kMostCtlLine];
  const ssize_t n = recv(peer.fd, bytes, sizeof bytes, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    peer.done = true;  // gone, and nobody to answer
    return;
  }
  peer.heard.append(bytes, static_cast<std::size_t>(n));
  const std::size_t end = peer.heard.find('\n');
  if (end == std::string::npos || end >= kMostCtlLine) {
    if (peer.heard.size() >= kMostCtlLine) refuse(peer, fmt::format("a line has at most {} bytes", kMostCtlLine));
    return;
  }
  if (end + 1 != peer.heard.size()) return refuse(peer, "one line a connection; nothing of it is done");
  // A line that has waited while we stood still, and whose sender has given up, is not to surprise anyone now.
  if (has_hung_up(peer.fd)) {
    peer.done = true;
    return;
  }
  take_line(peer, std::string_view(peer.heard).substr(0, end), now);
}

void ControlSocket::take_line(Peer& peer, std::string_view line, Clock::time_point now) try {
  peer.ask = read_ask(line);
  OperatorDesk& desk = desk_of(peer.ask);
  std::string error;
  const auto ticket = desk.submit(peer.ask, peer.operator_name, error);
  if (!ticket) return refuse(peer, error);
  peer.desk = &desk;
  peer.ticket = *ticket;
  peer.since = now;
} catch (const CtlError& error) {
  refuse(peer, error.what());
}

OperatorDesk& ControlSocket::desk_of(const CtlAsk& ask) {
  std::string names;
  for (OperatorDesk& desk : desks_) {
    if (desk.name() == ask.partition || (ask.partition.empty() && desks_.size() == 1)) return desk;
    names += (names.empty() ? "" : ", ") + desk.name();
  }
  if (ask.partition.empty()) {
    throw CtlError(fmt::format("there are several partitions; give --partition, one of {}", names));
  }
  throw CtlError(fmt::format("no partition is called \"{}\"; there is {}", ask.partition.substr(0, 48), names));
}

/// An answer is far smaller than a socket's buffer; a peer for whom even that has no room has not read for long.
void ControlSocket::answer(Peer& peer, const CtlAnswer& answer) {
  const std::string line = to_line(answer) + "\n";
  send(peer.fd, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  peer.done = true;
}

void ControlSocket::refuse(Peer& peer, const std::string& why, bool unknown) {
  CtlAnswer answer;
  answer.error = why;
  answer.unknown = unknown;
  ControlSocket::answer(peer, answer);
}

}  // namespace crosswire
