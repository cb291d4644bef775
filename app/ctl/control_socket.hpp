// The control socket of `crosswire run`: takes lines (app/ctl/protocol.hpp) from `crosswire ctl`, has the desks carry
// them out, and answers. The control thread polls it between two looks at the stages; nothing here waits.
#pragma once

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "app/ctl/desk.hpp"

namespace crosswire {

/// `RUNTIME FOLDER/crosswire/FILE-PREFIX.ctl`.
std::string ctl_socket_path(const std::string& prefix);

/// What has become of a command, for the log. Where `done` has an error, the asker was told that it is not known.
using CtlNews = std::vector<OperatorDesk::Done>;

class ControlSocket {
 public:
  using Clock = std::chrono::steady_clock;
  /// For so long the stages have time to carry a command out.
  static constexpr std::chrono::seconds kPatience{5};
  /// A peer that has not said its line by then is cut off: `crosswire ctl` says it at once.
  static constexpr std::chrono::seconds kPeerPatience{1};
  static constexpr std::size_t kMostPeers = 16;

  /// Listens at `path`, mode 0600, in a folder of this user's that is made where it is not there. Where another process
  /// listens already a number is put behind the name, as DPDK does. The desks outlive this. Throws std::runtime_error
  /// (one line).
  ControlSocket(const std::string& path, std::deque<OperatorDesk>& desks);
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  const std::string& path() const { return path_; }

  /// What to poll for, behind what is there already.
  void add_to(std::vector<pollfd>& polled) const;
  /// Whether a command is under way, so that the next look should be soon.
  bool waits() const;

  /// Takes in and answers what it can; to be called when something is there to read, and every look. Returns what has
  /// become of commands since the last call.
  CtlNews serve(Clock::time_point now);

  /// A partition's day has ended, and its stages with it, so what was not carried out will not be: answers all who wait
  /// at its desk. Where the drain was cut off (`cut_off`), a command may have been carried out whose result has not
  /// come. Returns what has become of commands since the last call.
  /// The desk has left its rings then.
  CtlNews end_day(OperatorDesk& desk, bool cut_off);

  /// As end_day(), of all desks, and listens no more. No serve() behind it.
  CtlNews end(bool cut_off = false);

 private:
  struct Peer {
    int fd;
    std::string operator_name;
    std::string heard;  // of its line
    Clock::time_point since;
    OperatorDesk* desk = nullptr;  // its command is under way there
    std::uint64_t ticket = 0;
    CtlAsk ask;
    bool done = false;
  };

  void listen();
  void collect(CtlNews& news);
  void accept_all(Clock::time_point now);
  void make_place();
  void listen_to(Peer& peer, Clock::time_point now);
  void take_line(Peer& peer, std::string_view line, Clock::time_point now);
  void look_at_time(Peer& peer, Clock::time_point now, CtlNews& news);
  void close_done();
  OperatorDesk& desk_of(const CtlAsk& ask);
  static void answer(Peer& peer, const CtlAnswer& answer);
  static void refuse(Peer& peer, const std::string& why, bool unknown = false);

  std::string path_;
  std::deque<OperatorDesk>& desks_;
  // Who may ask: looked up once, since a name service may keep one waiting.
  std::string own_name_, root_name_;
  int listener_ = -1;
  bool accept_failed_ = false;  // no file descriptor is left: not again before the next look
  std::list<Peer> peers_;
};

}  // namespace crosswire
