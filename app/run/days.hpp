// The days of the partitions of `crosswire run`, from when they poll on: each partition's ends when the clock, or a
// signal, says so, is finished, and is followed by the next. The control thread asks it to look; what a disk or memory
// may keep waiting it has done in the background, so that one partition's night is not another's.
#pragma once

#include <cstdint>
#include <deque>
#include <future>
#include <string>
#include <vector>

#include "app/ctl/control_socket.hpp"
#include "app/ctl/desk.hpp"
#include "app/figures/live_figures.hpp"
#include "app/run/line_allowance.hpp"
#include "app/run/running_partition.hpp"

namespace crosswire {

/// Of any steady clock.
std::uint64_t steady_ns();

/// A line of the log for each.
void report(const CtlNews& news);
/// What has come of reloads: a line for each, and for each key that has changed.
void report(const std::vector<Reload::Done>& reloads);
/// The same, but of refusals as many as are allowed: anybody may be refused, as often as he likes.
void report(const std::vector<CtlNotice>& notices, LineAllowance& refusals, std::uint64_t now_ns);

class Days {
 public:
  /// All outlive this; a desk for each partition. `control`: none where nobody can ask.
  Days(std::deque<RunningPartition>& partitions, std::deque<OperatorDesk>& desks, ControlSocket* control,
       LiveFigures& figures);

  /// The partitions poll from now on; those that begin late, halted, unless `resume`.
  void begin(bool resume);

  /// To be called every 20 ms (StallMonitor): hands the wish to end on, and looks whether all is well. False when the
  /// last day of each partition is finished.
  bool look();

  /// What could not be written, in the order in which that was found.
  const std::vector<std::string>& errors() const { return errors_; }

 private:
  struct Kept {
    RunningPartition& running;
    OperatorDesk& desk;
    // In the background, as a disk may keep it waiting, and memory takes long: then nobody else looks at the partition.
    std::future<RunningPartition::DayEnd> finishing = {};
    std::future<void> rolling = {};
    bool overdue_told = false;
    bool broken_recording_told = false;
    bool finished = false;
    std::vector<std::string> killed = {};  // accounts, from day to day; the last of them first
  };

  void look_at(Kept& kept);
  static void look_for_trouble(Kept& kept);
  void look_at_finishing(Kept& kept);
  void look_at_rolling(Kept& kept);
  static void kill_again(Kept& kept);

  ControlSocket* control_;
  LiveFigures& figures_;
  std::vector<Kept> kept_;
  std::uint64_t devices_looked_ns_ = 0;
  bool devices_too_ = false;  // in this look
  std::vector<std::string> errors_;
};

}  // namespace crosswire
