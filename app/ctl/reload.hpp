// A reload: the configuration files are read again while the appliance runs, checked whole, compared with what runs,
// and what may change within a day is given to the exchange row by row. One after the other, as they are asked for. The
// control thread's alone; files are read in the background, as a disk may keep one waiting.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/config/difference.hpp"
#include "app/ctl/authority.hpp"
#include "app/ctl/desk.hpp"
#include "app/ctl/protocol.hpp"

namespace crosswire {

class Reload {
 public:
  using Clock = Authority::Clock;
  /// Rows that an answer tells; the others are counted.
  static constexpr std::size_t kMostTold = 400;
  /// Reloads that wait for their turn.
  static constexpr std::size_t kMostWaiting = 16;

  struct Partition {
    OperatorDesk& desk;
    Config running;  // as load_config() read it
    /// Has the partition's next day begin with it.
    std::function<void(const Config&)> keep;
  };

  /// `check`: throws what a start would not bear of the configurations together. Desks and authority outlive this.
  /// `wake`: called by another thread when a look() has something to see.
  Reload(std::vector<Partition> partitions, Authority& authority, std::function<void(const std::vector<Config>&)> check,
         std::function<void()> wake);

  /// Gives one in. `ask`: reload. `by`: of an approval, who approves the pending command `number`, which is `ask`.
  /// Returns a ticket; 0: too many wait.
  std::uint64_t ask(const Person& person, const CtlAsk& ask);
  std::uint64_t approve(const Person& by, const Authority::Pending& pending);

  struct Done {
    std::uint64_t ticket;
    CtlAsk ask;
    OperatorSignature by;
    CtlReload answer;
    bool refused = false;  // who asks may not
  };
  /// To be called every look of the control thread. Returns what has come of them since the last call.
  std::vector<Done> look(Clock::time_point now);
  /// A desk's result of one of its rows.
  void carried_out(const OperatorDesk::Done& row);
  /// One that a signal has asked for, and that nobody has begun to read: another one would say the same.
  bool signal_waits() const;
  /// Something is under way, and the next look should be soon.
  bool is_busy() const { return !asks_.empty(); }
  /// The groups of [operators], where a reload has changed them since the last call.
  std::optional<OperatorGroups> take_groups() { return std::exchange(new_groups_, std::nullopt); }

 private:
  struct Read {
    std::string fault;  // "", or one line
    std::vector<Config> configs;
    std::optional<OperatorGroups> groups;
    std::uint64_t digest = 0;
  };
  struct Ask {
    std::uint64_t ticket;
    Person person;
    CtlAsk ask;
    std::uint64_t pending = 0;  // that `person` approves
    Person asked_by;            // then
    std::future<Read> reading = {};
    std::vector<ConfigDifferences> differences = {};  // by partition
    OperatorSignature by = {};
    bool gives_in = false;
    std::size_t at_partition = 0, at_change = 0;  // the next row to give in
  };

  Read read() const;
  std::uint64_t digest_of(const std::vector<Config>& configs) const;
  std::uint64_t digest_of_changes(std::uint64_t files, const std::vector<ConfigDifferences>& changes) const;
  void judge(Ask& ask, Read read, Clock::time_point now);
  bool may(Ask& ask, Clock::time_point now);
  void give_in(Ask& ask);
  void answer(const Ask& ask, CtlReload answer, bool refused = false);
  void fail(const Ask& ask, const std::string& why, bool refused = false);
  std::vector<CtlReloadRow> rows_of(const Ask& ask) const;

  std::vector<Partition> partitions_;
  Authority& authority_;
  std::function<void(const std::vector<Config>&)> check_;
  std::function<void()> wake_;
  SipKey digest_key_;
  std::uint64_t last_ticket_ = 0;
  std::deque<Ask> asks_;  // the first is under way
  std::vector<Config> read_configs_;
  std::optional<OperatorGroups> read_groups_, new_groups_;
  std::size_t under_way_ = 0;  // rows given in and not carried out
  std::string not_taken_;      // a row that the exchange has refused
  std::vector<Done> done_;
};

}  // namespace crosswire
