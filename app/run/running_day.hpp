// A trading day of a partition: the Partition, made for that day, and its recording, on ports and in memory that stay
// from day to day. Made, begun and ended by the control thread, between two days while nobody polls.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/partition/layout.hpp"
#include "app/partition/partition.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/port/recorder.hpp"
#include "netstack/port/tsc_clock.hpp"

namespace crosswire {

class RunningDay {
 public:
  /// What it stands on, and what outlives it. The arenas' former contents are forgotten.
  struct Ground {
    RxPort& rx;
    TxPort& transmit;
    TxPort& publish;
    Arena& memory;         // Partition::bytes_for(config)
    Arena* record_memory;  // RecordingRxPort::bytes_for(); none: nothing is recorded
  };

  /// `config`: complete but for what the day says of it. `start_ns`: of `day`, when the port's began. `references`: of
  /// the day before; none on the first one, which has those of the configuration. Throws std::runtime_error (one line).
  RunningDay(Config config, TradingDay day, TimeNs start_ns, std::span<const ReferencePrice> references,
             const Ground& ground, const TscClock& clock, const StageLayout& layout);
  RunningDay(const RunningDay&) = delete;
  RunningDay& operator=(const RunningDay&) = delete;

  /// When all else is ready, so that a start that is refused leaves no recording. The recording's thread inherits the
  /// cores of the calling one. Not without memory for it. Throws std::runtime_error (one line).
  void begin_recording(const std::string& path);
  /// In its place: the day goes on without.
  void give_up_recording(const std::string& why) { recorder_->give_up(why); }
  /// When nobody polls any more. Returns "" or one line that says why the recording is not whole.
  std::string end_recording() { return recorder_ ? recorder_->finish() : ""; }

  const TradingDay& day() const { return day_; }
  /// For the day it began too late to let trade: of phases that its schedule has written, some of its first changes
  /// were over, more than those at the day's very begin where the day before `rolled` over to it.
  bool began_late(bool rolled) const;
  Partition& partition() { return partition_; }
  const Partition& partition() const { return partition_; }
  /// None where nothing is recorded.
  const RecordingRxPort* recorder() const { return recorder_.get(); }

 private:
  TradingDay day_;
  std::vector<ReferencePrice> references_;  // that are not the configuration's
  std::unique_ptr<RecordingRxPort> recorder_;
  Partition partition_;
};

}  // namespace crosswire
