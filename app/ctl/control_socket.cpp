// The control socket: see the header.
#include "app/ctl/control_socket.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

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

}  // namespace

std::string ctl_socket_path(const std::string& prefix) { return runtime_folder() + "/crosswire/" + prefix + ".ctl"; }

ControlSocket::ControlSocket(const std::string& path, std::deque<OperatorDesk>& desks) : path_(path), desks_(desks) {
  constexpr int kMostProcesses = 16;
  make_folder(std::filesystem::path(path).parent_path().string());
  sockaddr_un address = address_of(path_);
  for (int i = 1; is_in_use(address) && i < kMostProcesses; ++i) {
    path_ = fmt::format("{}:{}", path, i);
    address = address_of(path_);
  }
  unlink(path_.c_str());
  listener_ = new_socket();
  if (listener_ < 0) fail(path_, reason_of(errno), "raise ulimit -n");
  fchmod(listener_, 0600);  // the file that bind() makes has it from the start
  const bool listens = bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                       chmod(path_.c_str(), 0600) == 0 && listen(listener_, kMostPeers) == 0;
  if (listens) return;
  const int error = errno;
  close(listener_);
  fail(path_, "cannot be listened on: " + reason_of(error), "see who may write its folder");
}

ControlSocket::~ControlSocket() {
  end();
  close(listener_);
  unlink(path_.c_str());
}

void ControlSocket::add_to(std::vector<pollfd>& polled) const {
  if (peers_.size() < kMostPeers) polled.push_back({listener_, POLLIN, 0});
  for (const Peer& peer : peers_) polled.push_back({peer.fd, static_cast<short>(peer.desk == nullptr ? POLLIN : 0), 0});
}

bool ControlSocket::waits() const {
  for (const OperatorDesk& desk : desks_) {
    if (desk.under_way() > 0) return true;
  }
  return false;
}

std::vector<OperatorDesk::Done> ControlSocket::serve(Clock::time_point now) {
  std::vector<OperatorDesk::Done> news;
  for (OperatorDesk& desk : desks_) {
    while (auto done = desk.collect()) {
      for (Peer& peer : peers_) {
        if (peer.desk == &desk && peer.ticket == done->ticket) answer(peer, done->answer);
      }
      news.push_back(std::move(*done));
    }
  }
  accept_all(now);
  for (Peer& peer : peers_) {
    if (!peer.done && peer.desk == nullptr) listen_to(peer, now);
    if (peer.done || now - peer.since < (peer.desk == nullptr ? kPeerPatience : kPatience)) continue;
    refuse(peer, peer.desk == nullptr ? "no whole line has come"
                                      : "the stages have not answered; whether it will be done is not known");
  }
  peers_.remove_if([](const Peer& peer) {
    if (peer.done) close(peer.fd);
    return peer.done;
  });
  return news;
}

void ControlSocket::end() {
  for (Peer& peer : peers_) {
    if (!peer.done) refuse(peer, "the day is over; what was not answered is not done, or was the last to be done");
    close(peer.fd);
  }
  peers_.clear();
}

void ControlSocket::accept_all(Clock::time_point now) {
  while (peers_.size() < kMostPeers) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    ucred who{};
    socklen_t size = sizeof who;
    const bool told = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0;
    Peer& peer = peers_.emplace_back(Peer{fd, told ? user_name(who.uid) : "", {}, now});
    if (!told || (who.uid != geteuid() && who.uid != 0)) {
      refuse(peer,
             fmt::format("{} may not; ask as {} or root", told ? peer.operator_name : "nobody", user_name(geteuid())));
    }
  }
}

void ControlSocket::listen_to(Peer& peer, Clock::time_point now) {
  char bytes[kMostCtlLine];
  const ssize_t n = recv(peer.fd, bytes, sizeof bytes, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    peer.done = true;  // gone, and nobody to tell
    return;
  }
  peer.heard.append(bytes, static_cast<std::size_t>(n));
  const std::size_t end = peer.heard.find('\n');
  if (end != std::string::npos && end < kMostCtlLine)
    return take_line(peer, std::string_view(peer.heard).substr(0, end), now);
  if (peer.heard.size() >= kMostCtlLine) refuse(peer, fmt::format("a line has at most {} bytes", kMostCtlLine));
}

void ControlSocket::take_line(Peer& peer, std::string_view line, Clock::time_point now) try {
  const CtlAsk ask = read_ask(line);
  OperatorDesk& desk = desk_of(ask);
  std::string error;
  const auto ticket = desk.submit(ask, peer.operator_name, error);
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
  if (ask.partition.empty())
    throw CtlError(fmt::format("there are several partitions; give --partition, one of {}", names));
  throw CtlError(fmt::format("no partition is called \"{}\"; there is {}", ask.partition.substr(0, 48), names));
}

/// An answer is far smaller than a socket's buffer; a peer for whom even that has no room has not read for long.
void ControlSocket::answer(Peer& peer, const CtlAnswer& answer) {
  const std::string line = to_line(answer) + "\n";
  send(peer.fd, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  peer.done = true;
}

void ControlSocket::refuse(Peer& peer, const std::string& why) {
  CtlAnswer answer;
  answer.error = why;
  ControlSocket::answer(peer, answer);
}

}  // namespace crosswire
