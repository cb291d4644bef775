// Who may say what to a running appliance, and what needs a second person: the rules of [operators], without sockets,
// clocks and names of groups. The control socket asks it of each line, and tells it what was given in and what came of
// it. The control thread's alone.
//
// Without [operators] the process's own user, and root, may do all alone, and nobody else anything. With it each does
// what the groups of his process say, those two included; only to see the figures they need no group. What tightens
// (halt, kill, a less permissive phase) acts at once. What loosens waits, for five minutes at most, until another
// person who may do it as well approves it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/ctl/desk.hpp"
#include "app/ctl/protocol.hpp"
#include "engine/order.hpp"

namespace crosswire {

/// Who is at the other end of the control socket.
struct Person {
  uid_t uid = 0;
  std::string name;           // "alice", or "uid 1001"
  std::vector<gid_t> groups;  // of the process, its primary one among them
};

/// [operators], by the groups' numbers on this host.
struct OperatorGroups {
  struct FirmGroup {
    std::string firm;
    gid_t group;
  };
  std::vector<gid_t> viewer, market_control, house_risk;
  std::vector<FirmGroup> firms;
};

/// "owner", "market_control", .. as in the configuration.
std::string_view role_name(OperatorRole role);

class Authority {
 public:
  using Clock = std::chrono::steady_clock;
  /// So long a command waits for a second person.
  static constexpr std::chrono::minutes kValid{5};
  static constexpr std::size_t kMostPending = 1024;
  /// Of one role, or of firms' risk of one firm: the others' places are not theirs to take.
  static constexpr std::size_t kMostOfSeat = 64;
  /// Of one person, so that he alone does not take all places.
  static constexpr std::size_t kMostOfOne = 16;
  /// Commands that are pending no more, and of which is still known why.
  static constexpr std::size_t kSettledKept = 256;

  /// What a partition has that a command may be about.
  struct Place {
    std::string partition;
    std::vector<std::string> symbols;
    std::vector<DeskAccount> accounts;
  };

  /// `groups`: none where the configuration has no [operators]. `owner`: the process's own user. Pending commands are
  /// numbered from `first_number` on: another one at each start, so that none is approved that was another's.
  Authority(std::vector<Place> places, std::optional<OperatorGroups> groups, uid_t owner,
            std::uint64_t first_number = 1);

  /// There is [operators]: anybody may connect, and is asked for his groups.
  /// The name of who has sent a signal: nobody knows him.
  static constexpr std::string_view kSignal = "SIGHUP";
  bool has_roles() const { return groups_.has_value(); }
  /// Whether a person may say anything at all.
  bool is_known(const Person& person) const;

  /// What a person sees of an answer to a question on the telemetry socket ("/crosswire/accounts,one,64").
  struct Sight {
    bool all = false;
    std::vector<std::string> users;  // else: rows of these alone; and where there are none,
    std::string refused;             // why, one line
  };
  Sight sight(const Person& person, std::string_view question) const;

  /// As whom a person may do it, whether alone or not; none: he may not. `ask` names its partition.
  std::optional<OperatorRole> role_for(const Person& person, const CtlAsk& ask) const;
  /// Whether decide() has to be told in which phases the symbols are that `ask` is about.
  bool wants_phases(const CtlAsk& ask) const;

  /// [operators] names other groups from now on. Only where there is [operators].
  void change_groups(const OperatorGroups& groups) { groups_ = groups; }
  /// A person who may reload as the signal SIGHUP does, which only this process's own user and root can send.
  Person hanging_up() const;

  enum class Verdict { act, wait, refuse };
  struct Decision {
    Verdict verdict = Verdict::refuse;
    OperatorRole role = OperatorRole::owner;  // act, wait: of who asks
    std::uint64_t number = 0;                 // wait: of the command, which is kept
    std::chrono::seconds valid{0};            // wait
    std::string why;                          // wait: why it needs a second person. refuse: one line
  };
  /// `ask` names its partition, and what there is in it. `phases`: those of its symbols at this moment; none: not
  /// known.
  Decision decide(const Person& person, const CtlAsk& ask, const std::optional<std::vector<Phase>>& phases,
                  Clock::time_point now);

  /// The same command of one person is answered with the same pending one, whatever its number.
  struct Pending {
    std::uint64_t number;
    CtlAsk ask;
    Person person;
    OperatorRole role;
    std::string why;  // it needs a second person
    Clock::time_point until;
    std::uint64_t stop;  // newest_stop() as it was asked for: what is stopped behind that is not its to let go
  };
  /// The command that a person may approve by now, or none, and why in `error`, one line. It stays pending until
  /// approved() says that it was given in.
  const Pending* to_approve(const Person& person, std::uint64_t number, Clock::time_point now,
                            std::string& error) const;
  void approved(std::uint64_t number, const Person& by);
  /// Takes it back: who asked for it, or could approve it.
  std::optional<Pending> withdraw(const Person& person, std::uint64_t number, Clock::time_point now,
                                  std::string& error);
  /// Takes out those whose time is over.
  std::vector<Pending> lapse(Clock::time_point now);
  /// Those that a person may see: all, or what he could approve, and his own; oldest first.
  std::vector<CtlPending> pending(const Person& person, Clock::time_point now) const;

  /// A command was given in, with the desk's `ticket`; and this came of it. Both in the order of the tickets.
  void given_in(const CtlAsk& ask, OperatorRole role, std::uint64_t ticket, Clock::time_point now);
  void carried_out(const CtlAsk& ask, std::uint64_t ticket, const CtlAnswer& answer);
  /// A partition's day is over: operators' halts end with it, kills do not. Returns what was pending of it, which
  /// lapses.
  std::vector<Pending> end_day(const std::string& partition);

 private:
  struct Halt {
    std::uint64_t ticket;     // the newest one's
    Clock::time_point until;  // it counts; max(): until it is let go
  };
  struct Kill {
    std::uint64_t ticket;
    bool by_house;
  };
  /// What operators have stopped in a partition and not let go again: as given in, so that what is not known to be done
  /// counts as done.
  struct Stopped {
    std::map<std::string, Halt> halted;  // by symbol
    std::map<std::string, Kill> killed;  // by account
  };
  struct Settled {
    std::uint64_t number;
    CtlAsk ask;
    uid_t uid;
    std::string how;  // "bob has approved it"
  };

  bool is_owner(const Person& person) const { return person.uid == owner_ || person.uid == 0; }
  bool sees_all(const Person& person) const;
  std::vector<std::string> firms_of(const Person& person) const;
  const Place* place_of(const std::string& partition) const;
  std::vector<std::string> symbols_of(const CtlAsk& ask) const;
  std::vector<DeskAccount> accounts_of(const CtlAsk& ask) const;
  const Stopped& stopped(const std::string& partition) const;
  std::string why_two(const CtlAsk& ask, const std::optional<std::vector<Phase>>& phases, Clock::time_point now) const;
  std::string seat_of(OperatorRole role, const CtlAsk& ask) const;
  std::uint64_t newest_stop(const CtlAsk& ask) const;
  std::string why_not_lifted(const CtlAsk& ask, OperatorRole role) const;
  std::string why_refused(const Person& person, const CtlAsk& ask) const;
  Decision keep(const Person& person, const CtlAsk& ask, OperatorRole role, const std::string& why,
                Clock::time_point now);
  bool may_see(const Person& person, const Pending& pending) const;
  std::deque<Pending>::const_iterator find(const Person& person, std::uint64_t number, Clock::time_point now,
                                           std::string& error) const;
  void settle(std::deque<Pending>::const_iterator pending, const std::string& how);
  std::uint64_t next_number() { return next_number_++; }

  std::vector<Place> places_;
  std::optional<OperatorGroups> groups_;
  uid_t owner_;
  std::uint64_t next_number_;
  std::map<std::string, Stopped> stopped_;  // by partition
  std::deque<Pending> pending_;             // oldest first
  std::deque<Settled> settled_;             // oldest first
};

}  // namespace crosswire
