// The control socket: see the header.
#include "app/ctl/control_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
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

/// Whoever may write in the folder could put a socket of his own in our place. `open`: others may enter it.
void make_folder(const std::string& folder, bool open) {
  constexpr mode_t kEnter = 0711;
  const bool made = mkdir(folder.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) fail(folder, "cannot be made: " + reason_of(errno), "make it, for this user");
  struct stat status {};
  if (lstat(folder.c_str(), &status) != 0) fail(folder, reason_of(errno), "make it, for this user");
  if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 022) != 0) {
    fail(folder, "is not a folder that this user alone may write", "take it away, or chown and chmod 700 it");
  }
  if (open && chmod(folder.c_str(), (status.st_mode & 07777) | kEnter) != 0) {
    fail(folder, "cannot be entered by others: " + reason_of(errno), "chmod 711 it");
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

ControlSocket::ControlSocket(const std::string& path, std::deque<OperatorDesk>& desks, Authority& authority,
                             UserNames names, const std::string& figures, Reload* reload)
    : path_(path), desks_(desks), authority_(authority), names_(std::move(names)), figures_(figures), reload_(reload) {
  constexpr int kMostProcesses = 16;
  const std::string folder = std::filesystem::path(path).parent_path().string();
  make_folder(folder, authority_.has_roles());
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
  const mode_t mode = authority_.has_roles() ? 0666 : 0600;
  fchmod(listener_, 0600);  // the file that bind() makes has it from the start
  const bool listens = bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                       chmod(path_.c_str(), mode) == 0 && ::listen(listener_, kMostPeers) == 0;
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
    if (!peer.waits()) polled.push_back({peer.fd, POLLIN, 0});
  }
  if (figures_.fd() >= 0) polled.push_back({figures_.fd(), POLLIN, 0});
}

bool ControlSocket::waits() const {
  if (reload_ != nullptr && reload_->is_busy()) return true;
  return std::any_of(desks_.begin(), desks_.end(), [](const OperatorDesk& desk) { return desk.under_way() > 0; });
}

CtlNews ControlSocket::serve(Clock::time_point now) {
  CtlNews news;
  collect(news);
  tell_lapsed(authority_.lapse(now));
  accept_all(now);
  for (Peer& peer : peers_) {
    if (!peer.done && !peer.waits()) listen_to(peer, now);
    if (!peer.done) look_at_time(peer, now, news);
  }
  collect_figures(now);
  look_at_reloads(now);
  close_done();
  return news;
}

void ControlSocket::collect(CtlNews& news) {
  for (OperatorDesk& desk : desks_) {
    while (auto done = desk.collect()) {
      if (done->ask.action == OperatorAction::reload) {
        reload_->carried_out(*done);
        continue;
      }
      authority_.carried_out(done->ask, done->ticket, done->answer);
      for (Peer& peer : peers_) {
        if (peer.desk == &desk && peer.ticket == done->ticket && !peer.done) answer(peer, done->answer);
      }
      news.push_back(std::move(*done));
    }
  }
}

void ControlSocket::look_at_time(Peer& peer, Clock::time_point now, CtlNews& news) {
  if (peer.question) return;  // the relay has a patience of its own
  if (now - peer.since < (peer.waits() ? kPatience : kPeerPatience)) return;
  if (peer.reload != 0) return refuse(peer, "the configuration is not read yet; see the log", true);
  if (peer.desk == nullptr) return refuse(peer, "no whole line has come");
  constexpr const char* kWhy = "the stages have not answered; does one stand still?";
  refuse(peer, kWhy, true);
  CtlAnswer none;
  none.error = kWhy;
  none.unknown = true;
  news.push_back({peer.desk->name(), peer.ticket, peer.ask, peer.by, none});
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
  tell_lapsed(authority_.end_day(desk.name()));
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
    const std::optional<Person> person = peer_of(fd, names_);
    Peer peer;
    peer.fd = fd;
    peer.since = now;
    if (person) peer.person = *person;
    if (person && authority_.is_known(*person)) {
      make_place(now);
      peers_.push_back(std::move(peer));
      continue;
    }
    // A stranger takes nobody's place: the socket is open to all.
    if (!person) {
      refuse(peer, "the system does not say who asks");
    } else {
      turn_away(peer, authority_.has_roles() ? fmt::format("{} is in none of the groups of [operators]", person->name)
                                             : fmt::format("{} may not; ask as {}", person->name, owners()));
    }
    close(fd);
  }
}

std::string ControlSocket::owners() const {
  return geteuid() == 0 ? names_.of(0) : names_.of(geteuid()) + " or " + names_.of(0);
}

/// Who is refused for what he is.
void ControlSocket::turn_away(Peer& peer, const std::string& why) {
  ++refused_;
  notice({.what = CtlNotice::What::refused,
          .name = peer.person.name,
          .other = "",
          .why = why,
          .number = 0,
          .ask = peer.ask});
  refuse(peer, why);
}

void ControlSocket::notice(CtlNotice notice) {
  if (notices_.size() < kMostNotices) notices_.push_back(std::move(notice));
}

void ControlSocket::tell_lapsed(std::vector<Authority::Pending> lapsed) {
  for (Authority::Pending& one : lapsed) {
    notice({.what = CtlNotice::What::lapsed,
            .name = one.person.name,
            .other = "",
            .why = one.why,
            .number = one.number,
            .ask = std::move(one.ask)});
  }
}

/// Whoever has said nothing for longest goes for one more, if all places are taken by such. What has come of them is
/// heard first.
void ControlSocket::make_place(Clock::time_point now) {
  if (peers_.size() < kMostPeers) return;
  for (Peer& peer : peers_)
    if (!peer.done && !peer.waits()) listen_to(peer, now);
  close_done();
  if (peers_.size() < kMostPeers) return;
  const auto silent = std::find_if(peers_.begin(), peers_.end(), [](const Peer& peer) { return !peer.waits(); });
  if (silent == peers_.end()) return;  // all wait for the stages, or for figures: desks and the relay bound these
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
  CtlLine said = read_line(line);
  switch (said.wish) {
    case CtlWish::operate:
      peer.ask = std::move(said.ask);
      return take_command(peer, now);
    case CtlWish::pending:
      return say(peer, to_line(authority_.pending(peer.person, now)));
    case CtlWish::approve:
      return approve(peer, said.number, now);
    case CtlWish::withdraw:
      return withdraw(peer, said.number, now);
    case CtlWish::view:
      return view(peer, said.question);
    case CtlWish::reload:
      peer.since = now;
      return reload(peer, said.ask);
  }
} catch (const CtlError& error) {
  refuse(peer, error.what());
}

/// By the way of a question where the phases of this moment decide whether he may alone.
void ControlSocket::take_command(Peer& peer, Clock::time_point now) {
  const OperatorDesk& desk = desk_of(peer.ask);
  peer.ask.partition = desk.name();
  const bool may = authority_.role_for(peer.person, peer.ask).has_value();
  if (may && authority_.wants_phases(peer.ask) && desk.fault_of(peer.ask).empty()) {
    peer.question =
        figures_.ask(peer.ask.symbol.empty() ? fmt::format("/crosswire/totals,{}", desk.name())
                                             : fmt::format("/crosswire/book,{},{}", peer.ask.symbol, desk.name()));
    if (peer.question) return;
  }
  decide(peer, std::nullopt, now);
}

void ControlSocket::decide(Peer& peer, const std::optional<std::vector<Phase>>& phases, Clock::time_point now) {
  // Who may not is not told what there is.
  if (authority_.role_for(peer.person, peer.ask)) {
    const std::string fault = desk_of(peer.ask).fault_of(peer.ask);
    if (!fault.empty()) return refuse(peer, fault);
  }
  const Authority::Decision decision = authority_.decide(peer.person, peer.ask, phases, now);
  switch (decision.verdict) {
    case Authority::Verdict::refuse:
      return turn_away(peer, decision.why);
    case Authority::Verdict::act:
      give_in(peer, peer.ask, {peer.person.name, "", decision.role}, now);
      return;
    case Authority::Verdict::wait:
      break;
  }
  notice({.what = CtlNotice::What::pending,
          .name = peer.person.name,
          .other = "",
          .why = decision.why,
          .number = decision.number,
          .ask = peer.ask});
  CtlAnswer kept;
  kept.action = peer.ask.action;
  kept.partition = peer.ask.partition;
  kept.symbol = peer.ask.symbol;
  kept.account = peer.ask.account;
  kept.firm = peer.ask.firm;
  kept.request = peer.ask.request;
  kept.pending = decision.number;
  kept.seconds = static_cast<std::uint64_t>(decision.valid.count());
  kept.why = decision.why;
  answer(peer, kept);
}

/// False: the desk does not take it, and the peer was told why.
bool ControlSocket::give_in(Peer& peer, const CtlAsk& ask, const OperatorSignature& by, Clock::time_point now) {
  std::string error;
  OperatorDesk& desk = desk_of(ask);
  const auto ticket = desk.submit(ask, by, error);
  if (!ticket) {
    refuse(peer, error);
    return false;
  }
  authority_.given_in(ask, by.role, *ticket, now);
  peer.ask = ask;
  peer.by = by;
  peer.desk = &desk;
  peer.ticket = *ticket;
  peer.since = now;
  return true;
}

void ControlSocket::view(Peer& peer, const std::string& question) {
  Authority::Sight sight = authority_.sight(peer.person, question);
  if (!sight.refused.empty()) return turn_away(peer, sight.refused);
  peer.question = figures_.ask(question);
  if (!peer.question) return refuse(peer, "too many ask for figures at once; ask again");
  peer.views = true;
  if (!sight.all) peer.rows_of = std::move(sight.users);
}

void ControlSocket::collect_figures(Clock::time_point now) {
  for (const FigureRelay::Answer& one : figures_.look(now)) {
    for (Peer& peer : peers_) {
      if (!peer.done && peer.question == one.ticket) take_figures(peer, one.json, now);
    }
  }
}

void ControlSocket::take_figures(Peer& peer, const std::string& json, Clock::time_point now) {
  peer.question.reset();
  if (peer.views) {
    const std::string seen = peer.rows_of && !json.empty() ? rows_of_users(json, *peer.rows_of) : json;
    if (seen.empty()) return refuse(peer, "no figures have come; ask again");
    return say(peer, seen);
  }
  std::optional<std::vector<Phase>> phases;
  for (const std::string& name : phases_in(json)) {
    const auto found = std::find(kPhaseNames.begin(), kPhaseNames.end(), name);
    if (found == kPhaseNames.end()) {
      phases.reset();
      break;
    }
    if (!phases) phases.emplace();
    phases->push_back(static_cast<Phase>(found - kPhaseNames.begin()));
  }
  decide(peer, phases, now);
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
void ControlSocket::say(Peer& peer, const std::string& line) {
  const std::string whole = line + "\n";
  send(peer.fd, whole.data(), whole.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  peer.done = true;
}

void ControlSocket::answer(Peer& peer, CtlAnswer answer) {
  answer.asked = peer.asked;
  answer.operator_name = peer.asked_by;
  say(peer, to_line(answer));
}

void ControlSocket::refuse(Peer& peer, const std::string& why, bool unknown) {
  CtlAnswer answer;
  answer.error = why;
  answer.unknown = unknown;
  ControlSocket::answer(peer, answer);
}

}  // namespace crosswire
