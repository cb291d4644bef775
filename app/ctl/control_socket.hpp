// The control socket of `crosswire run`: takes lines (app/ctl/protocol.hpp) from `crosswire ctl`, asks the authority
// whether their senders may, has the desks carry them out, and answers. The control thread polls it between two looks
// at the stages; nothing here waits.
#pragma once

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/ctl/authority.hpp"
#include "app/ctl/desk.hpp"
#include "app/ctl/figure_relay.hpp"
#include "app/ctl/groups.hpp"
#include "app/ctl/reload.hpp"

namespace crosswire {

/// `RUNTIME FOLDER/crosswire/FILE-PREFIX.ctl`.
std::string ctl_socket_path(const std::string& prefix);

/// What has become of a command, for the log. Where `done` has an error, the asker was told that it is not known.
using CtlNews = std::vector<OperatorDesk::Done>;

/// What else there is of operators, for the log.
struct CtlNotice {
  enum class What { pending, withdrawn, lapsed, refused };
  What what;
  std::string name;        // of who asked for the command, or is refused
  std::string other;       // withdrawn: who has
  std::string why;         // pending, refused
  std::uint64_t number{};  // of the pending command
  CtlAsk ask;              // not of who is refused before he has said anything
};

class ControlSocket {
 public:
  using Clock = std::chrono::steady_clock;
  /// For so long the stages have time to carry a command out.
  static constexpr std::chrono::seconds kPatience{5};
  /// A peer that has not said its line by then is cut off: `crosswire ctl` says it at once.
  static constexpr std::chrono::seconds kPeerPatience{1};
  static constexpr std::size_t kMostPeers = 16;

  /// Of notices that nobody takes.
  static constexpr std::size_t kMostNotices = 256;

  /// Listens at `path`, mode 0600, in a folder of this user's that is made where it is not there. Where the authority
  /// has roles others may connect, too: mode 0666, in a folder that they may enter. Where another process listens
  /// already a number is put behind the name, as DPDK does. `figures`: path of the telemetry socket, by which this
  /// process is asked for figures; "": it is not. Desks and authority outlive this. Throws std::runtime_error (one
  /// line).
  /// `reload`: nullptr where none is taken; it outlives this, too.
  ControlSocket(const std::string& path, std::deque<OperatorDesk>& desks, Authority& authority, UserNames names,
                const std::string& figures = "", Reload* reload = nullptr);
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
  /// A reload that the signal SIGHUP asks for. False: it is dropped, as too many wait.
  bool hang_up();
  /// What has come of reloads since the last call, for the log.
  std::vector<Reload::Done> take_reloads() { return std::exchange(reloads_, {}); }
  /// What else has happened since the last call.
  std::vector<CtlNotice> take_notices() { return std::exchange(notices_, {}); }
  /// Connections and lines that the authority has refused, ever.
  std::uint64_t refused() const { return refused_; }

  /// A partition's day has ended, and its stages with it, so what was not carried out will not be: answers all who wait
  /// at its desk. Where the drain was cut off (`cut_off`), a command may have been carried out whose result has not
  /// come. Returns what has become of commands since the last call.
  /// The desk has left its rings then.
  CtlNews end_day(OperatorDesk& desk, bool cut_off);

  /// As end_day(), of all desks, and listens no more. No serve() behind it.
  CtlNews end(bool cut_off = false);

 private:
  struct Peer {
    int fd = -1;
    Person person;
    std::string heard;  // of its line
    Clock::time_point since{};
    OperatorDesk* desk = nullptr;  // its command is under way there
    std::uint64_t ticket = 0;
    CtlAsk ask;
    OperatorSignature by;
    // It waits for figures: its own (`views`), or the phases that its command is judged by.
    std::optional<std::uint64_t> question;
    bool views = false;
    std::optional<std::vector<std::string>> rows_of;  // own: of these users alone
    // Of a command that it has approved.
    std::string asked, asked_by;
    // Of its reload, or the one that it has approved; 0: none.
    std::uint64_t reload = 0;
    bool done = false;

    bool waits() const { return desk != nullptr || question.has_value() || reload != 0; }
  };

  void listen();
  void collect(CtlNews& news);
  void accept_all(Clock::time_point now);
  void make_place(Clock::time_point now);
  void listen_to(Peer& peer, Clock::time_point now);
  void take_line(Peer& peer, std::string_view line, Clock::time_point now);
  void take_command(Peer& peer, Clock::time_point now);
  void decide(Peer& peer, const std::optional<std::vector<Phase>>& phases, Clock::time_point now);
  bool give_in(Peer& peer, const CtlAsk& ask, const OperatorSignature& by, Clock::time_point now);
  void approve(Peer& peer, std::uint64_t number, Clock::time_point now);
  void reload(Peer& peer, const CtlAsk& ask);
  void approve_reload(Peer& peer, const Authority::Pending& pending);
  void look_at_reloads(Clock::time_point now);
  void tell_reload(Peer& peer, const Reload::Done& done);
  void withdraw(Peer& peer, std::uint64_t number, Clock::time_point now);
  void view(Peer& peer, const std::string& question);
  void collect_figures(Clock::time_point now);
  void take_figures(Peer& peer, const std::string& json, Clock::time_point now);
  void tell_lapsed(std::vector<Authority::Pending> lapsed);
  void notice(CtlNotice notice);
  void turn_away(Peer& peer, const std::string& why);
  std::string owners() const;
  void look_at_time(Peer& peer, Clock::time_point now, CtlNews& news);
  void close_done();
  OperatorDesk& desk_of(const CtlAsk& ask);
  static void say(Peer& peer, const std::string& line);
  static void answer(Peer& peer, CtlAnswer answer);
  static void refuse(Peer& peer, const std::string& why, bool unknown = false);

  std::string path_;
  std::deque<OperatorDesk>& desks_;
  Authority& authority_;
  UserNames names_;
  FigureRelay figures_;
  Reload* reload_;
  std::vector<Reload::Done> reloads_;
  std::vector<CtlNotice> notices_;
  std::uint64_t refused_ = 0;
  int listener_ = -1;
  bool accept_failed_ = false;  // no file descriptor is left: not again before the next look
  std::list<Peer> peers_;
};

}  // namespace crosswire
