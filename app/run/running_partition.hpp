// A partition of `crosswire run`: its device, ports and memory, and one trading day on them after the other. Made,
// begun, looked after and ended by the control thread; each day's loops are polled by PollingThreads.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/figures/figures.hpp"
#include "app/figures/hgrm.hpp"
#include "app/figures/live_figures.hpp"
#include "app/files/whole_file.hpp"
#include "app/partition/impaired_ports.hpp"
#include "app/partition/partition.hpp"
#include "app/run/announcer.hpp"
#include "app/run/cores.hpp"
#include "app/run/day_watch.hpp"
#include "app/run/polling_threads.hpp"
#include "app/run/running_day.hpp"
#include "app/run/stall_monitor.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/port/device.hpp"
#include "netstack/port/device_keeper.hpp"
#include "netstack/port/tsc_clock.hpp"

namespace crosswire {

class RunningPartition {
 public:
  /// Patterns without fault (file_pattern.hpp), of which each day has a file of its own.
  struct Outputs {
    std::string record;                // capture of the input; "" = none
    std::string report;                // figures as JSON; "" = none
    const HgrmFolder* hgrm = nullptr;  // latency histograms; outlives this
  };

  /// Opens the device, which the EAL has, and makes the day that it is, with the reference prices of an earlier start
  /// on it where there is a recording of that; warnings go to the log. `clock` outlives this. `on_end`: see
  /// PollingThreads. Throws std::runtime_error (one line).
  RunningPartition(Config config, const StageCores& cores, const Outputs& outputs, const SharedClock& clock,
                   std::function<void()> on_end);
  RunningPartition(const RunningPartition&) = delete;
  RunningPartition& operator=(const RunningPartition&) = delete;

  /// Gives it a place among the live figures, from where its name is.
  void show_in(LiveFigures& figures);

  // The first day, in this order. The next ones roll_over() begins.
  /// All are ready on return, and poll nothing yet. Throws std::runtime_error (one line).
  void start_threads();
  /// When all else is ready. Throws std::runtime_error (one line).
  void begin_recording();
  /// Several lines on stdout, one in the log.
  void report_start() const;
  /// See RunningDay.
  bool began_late() const { return day_->began_late(rolled_); }
  /// It is not the first day.
  bool has_rolled() const { return rolled_; }
  /// The loops poll from now on. What waits at the port before a day that is not the first belongs to none, and is
  /// dropped.
  void go();

  /// The clock says that the day is over.
  bool day_is_over() const;
  /// The day ends, or has ended; to be called on, so that a port that does not come to say so itself lingers no longer
  /// than it should. `now_ns` of any steady clock. `now`: it is not to linger.
  void end_day(std::uint64_t now_ns, bool now);
  bool day_is_ending() const { return ending_since_ns_.has_value(); }
  /// And should have ended by now.
  bool day_end_is_overdue(std::uint64_t now_ns) const;
  /// The loops have polled their last.
  bool day_has_ended() const { return threads_->ended(); }

  struct DayEnd {
    bool cut_off;       // its port took too little for the last answers
    std::string error;  // "" or one line that says what could not be written
  };
  /// When the day has ended: sends what is left, ends the recording, prints the figures, of which the log gets some,
  /// and writes report and histograms. A disk may keep it waiting: any one control thread calls it, and meanwhile no
  /// other calls anything but what says so.
  DayEnd finish_day();
  /// Names of the symbols that an operator's halt holds, when the day has ended.
  std::vector<std::string> held_symbols() const;
  /// Users of the accounts that an operator has killed, likewise.
  std::vector<std::string> killed_accounts() const;
  /// The next day begins with what `running` says of accounts, limits and passwords. While a day goes on.
  void keep_for_next_day(const Config& running) { next_ = running; }
  /// Another day follows.
  bool rolls() const { return config_.rolls; }
  /// When a day is finished: makes the day that it is now, in the same memory, on the same port; go() begins it. Where
  /// a file of it cannot be made it goes on without, and the log says so. As finish_day(). Throws std::runtime_error
  /// (one line), and there is no day then: nobody may look at one any more.
  void roll_over(LiveFigures& figures);
  /// A recording that has been broken off.
  bool recording_is_broken() const { return day_->recorder() != nullptr && !day_->recorder()->going_on(); }

  /// What is new of its link since the last look, if anything is.
  struct LinkNews {
    std::string fault;    // "": it is up again
    double seconds_down;  // then: for so long
  };
  // To be called about every 100 ms; `now_ns` of any steady clock.
  std::optional<LinkNews> look_at_link(std::uint64_t now_ns);
  /// Brings a device back that has died under it.
  std::optional<DeviceKeeper::News> look_at_device(std::uint64_t now_ns);
  /// Logs what is new of sessions, phases and tables.
  void look_at_day(std::uint64_t now_ns) { watch_.look(name_, day_->partition(), day_->recorder(), now_ns); }
  std::vector<StallMonitor::News> look_at_stages(std::uint64_t now_ns) { return monitor_->look(now_ns); }

  /// The configuration file's name without its ending; among figures, the name that it has there.
  const std::string& name() const { return name_; }

  // Its address stays from day to day.
  const Partition& partition() const { return day_->partition(); }
  OperatorRings& operators() { return day_->partition().operators(); }

 private:
  void make_day(std::span<const ReferencePrice> references);
  void make_report();
  void take_reloaded();
  std::vector<ReferencePrice> references_of_earlier_start() const;
  void go_on_without(const std::string& why) const;
  void report_day(bool first) const;
  std::vector<PollingTask> tasks();
  void warn_of_mac() const;
  bool unsent() const;
  void flush_out();
  /// Any control thread.
  DayFigure day_figure() const;
  DeviceCounters count_ports() const;
  /// Of this day. `unsent`: frames of the last answers. Any control thread.
  std::vector<CounterFigure> port_counters(bool unsent) const;
  std::string write_outputs(const Figures& figures);

  std::string name_;
  Outputs outputs_;
  StageCores cores_;
  const SharedClock& clock_;
  std::function<void()> on_end_;
  Config config_;               // complete but for the day
  std::optional<Config> next_;  // reloaded since
  std::unique_ptr<Device> device_;
  DeviceRxPort rx_;
  DeviceTxPort transmit_;
  DeviceTxPort publish_;
  DeviceCounters counted_before_;    // by the ports, before this day
  DeviceCounters counted_;           // the same, when the day was finished
  std::atomic<bool> link_up_{true};  // written by the control thread, read for the figures
  std::string link_fault_;
  std::uint64_t link_fell_ns_ = 0;
  bool carried_ = false;  // at the last look frames could come and go
  DeviceKeeper keeper_;
  std::optional<Announcer> announcer_;
  std::optional<Arena> memory_;
  std::optional<Arena> record_memory_;
  bool rolled_ = false;  // it is not the first day
  DayWatch watch_;
  // The day's.
  std::uint64_t file_number_ = 0;  // of its files, %N
  std::optional<WholeFile> report_;
  std::string recording_;  // its file
  std::optional<ImpairedPorts> impaired_;
  std::optional<RunningDay> day_;
  std::optional<StallMonitor> monitor_;
  std::optional<PollingThreads> threads_;
  std::optional<std::uint64_t> ending_since_ns_;
};

}  // namespace crosswire
