// A partition of `crosswire run`: its device, ports, recording and report around a Partition. Made, begun and finished
// by the control thread; its loops are polled by PollingThreads in between.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/figures/figures.hpp"
#include "app/figures/live_figures.hpp"
#include "app/files/whole_file.hpp"
#include "app/partition/partition.hpp"
#include "app/run/announcer.hpp"
#include "app/run/cores.hpp"
#include "app/run/polling_threads.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/port/device.hpp"
#include "netstack/port/device_keeper.hpp"
#include "netstack/port/recorder.hpp"
#include "netstack/port/tsc_clock.hpp"

namespace crosswire {

class RunningPartition {
 public:
  struct Outputs {
    std::string record;  // capture of the input; "" = none
    std::string report;  // figures as JSON; "" = none
  };

  /// Opens the device, which the EAL has; warnings go to the log. `clock` outlives this. Throws std::runtime_error (one
  /// line).
  RunningPartition(Config config, const StageCores& cores, const Outputs& outputs, const SharedClock& clock);
  RunningPartition(const RunningPartition&) = delete;
  RunningPartition& operator=(const RunningPartition&) = delete;

  /// When all else is ready, so that a start that is refused leaves no recording. The recording's thread inherits the
  /// cores of the calling one. Throws std::runtime_error (one line).
  void begin_recording();
  /// Several lines on stdout, one in the log. `locked`: the memory is.
  void report_start(bool locked) const;
  /// A task for each loop, in the loops' order. They live as long as this does.
  std::vector<PollingTask> tasks();
  /// The day ends, `since_ns` ago; to be called on, so that a port that does not come to say so itself lingers no
  /// longer than it should. `now`: it is not to linger.
  void end_day(std::uint64_t since_ns, bool now);
  /// When no loop runs any more: sends what is left, ends the recording, prints the figures, of which the log gets
  /// some, and writes the report. Returns "" or one line that says what could not be written.
  std::string finish(const std::vector<PollEnd>& ends);

  /// Brings its device back where that has died. What there is to say. As look_at_link(), and before it.
  std::optional<DeviceKeeper::News> look_at_device(std::uint64_t now_ns);
  /// What is new of its link since the last look, if anything is. Our address is announced when frames can come and go
  /// again.
  struct LinkNews {
    std::string fault;    // "": it is up again
    double seconds_down;  // then: for so long
  };
  /// To be called about every 100 ms by the control thread; `now_ns` of any steady clock.
  std::optional<LinkNews> look_at_link(std::uint64_t now_ns);

  /// The configuration file's name without its ending.
  const std::string& name() const { return name_; }
  /// What the live figures show of it.
  FigureSource figure_source();

  const Partition& partition() const { return *partition_; }
  OperatorRings& operators() { return partition_->operators(); }
  const StageCores& cores() const { return cores_; }

 private:
  void warn_of_mac() const;
  void flush_out();
  /// `unsent`: frames of the last answers. Any control thread.
  std::vector<CounterFigure> port_counters(bool unsent) const;

  std::string name_;
  Outputs outputs_;
  StageCores cores_;
  const SharedClock& clock_;
  std::unique_ptr<Device> device_;
  TradingDay day_;
  DeviceRxPort rx_;
  DeviceTxPort transmit_;
  DeviceTxPort publish_;
  std::atomic<bool> link_up_{true};  // written by the control thread, read for the figures
  std::string link_fault_;
  std::uint64_t link_fell_ns_ = 0;
  bool carried_ = false;  // at the last look frames could come and go
  DeviceKeeper keeper_;
  std::optional<Announcer> announcer_;
  std::optional<WholeFile> report_;
  std::optional<Arena> record_memory_;
  std::unique_ptr<RecordingRxPort> recorder_;
  std::unique_ptr<Partition> partition_;
};

}  // namespace crosswire
