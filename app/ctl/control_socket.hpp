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

class ControlSocket {
 public:
  using Clock = std::chrono::steady_clock;
  /// For so long the stages have time to carry a command out.
  static constexpr std::chrono::seconds kPatience{5};
  /// A peer that has not said a whole line, or not read its answer, by then is cut off.
  static constexpr std::chrono::seconds kPeerPatience{10};
  static constexpr std::size_t kMostPeers = 16;

  /// Listens at `path`, mode 0600, in a folder of this user's that is made where it is not there. Where another process
  /// listens already a number is put behind the name, as DPDK does. The desks outlive this. Throws std::runtime_error
  /// (one line).
  ControlSocket(const std::string& path, std::deque<OperatorDesk>& desks);
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  const std::string& path() const { return path_; }

  /// What to poll for, in this order behind what is there already.
  void add_to(std::vector<pollfd>& polled) const;
  /// Whether a command is under way, so that the next look should be soon.
  bool waits() const;

  /// Takes in and answers what it can; to be called when something is there to read, and every look. Returns what was
  /// carried out since the last call, for the log.
  std::vector<OperatorDesk::Done> serve(Clock::time_point now);

  /// The day is over: those who wait are told so. No serve() behind it.
  void end();

 private:
  struct Peer {
    int fd;
    std::string operator_name;
    std::string heard;  // of its line
    Clock::time_point since;
    OperatorDesk* desk = nullptr;  // its command is under way there
    std::uint64_t ticket = 0;
    bool done = false;
  };

  void accept_all(Clock::time_point now);
  void listen_to(Peer& peer, Clock::time_point now);
  void take_line(Peer& peer, std::string_view line, Clock::time_point now);
  OperatorDesk& desk_of(const CtlAsk& ask);
  static void answer(Peer& peer, const CtlAnswer& answer);
  static void refuse(Peer& peer, const std::string& why);

  std::string path_;
  std::deque<OperatorDesk>& desks_;
  int listener_ = -1;
  std::list<Peer> peers_;
};

}  // namespace crosswire
