// `crosswire replay`: captures through the stages of `crosswire run`, time from the capture. Several are replayed side
// by side, a partition each, on oneTBB. An ordinary user can run it: no EAL, no device, no hugepages needed.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/figures/figures.hpp"
#include "app/replay/order_frames.hpp"
#include "netstack/port/capture.hpp"
#include "netstack/port/tsc_clock.hpp"

namespace crosswire {

struct ReplayJob {
  Config config;
  std::string in;
  std::string out;
  std::string report;     // JSON; "" = none
  std::string hgrm;       // folder for the latency histograms; "" = none
  std::string name;       // of their files
  std::string session;    // name of the order session, for captures whose clients know one; "" = by the start time
  std::size_t cores = 1;  // threads that poll, as StageLayout::over; with 1 it is the caller's
  bool partial_checksums = false;  // CaptureRxPort::take_partial_checksums()
  CaptureRxPort::LongFall long_fall = CaptureRxPort::LongFall::is_an_error;
};

/// How far replays are; written by each replay's thread, read by whoever shows it.
struct ReplayProgress {
  std::atomic<std::uint64_t> bytes{0};  // of captures, taken in
  std::atomic<std::uint64_t> frames{0};
};

struct Replayed : Figures {
  SeenOrders seen;
};

/// Replays one capture to its end and writes output and report. Throws std::runtime_error (one line)
/// when something cannot be read or written.
Replayed replay(const ReplayJob& job, const TscClock& clock, ReplayProgress& progress);

/// What the command line gave, lists of equal length (config may also be given once for all, report not at all).
struct ReplayOptions {
  std::vector<std::string> configs, ins, outs, reports;
  std::string session;
  std::string hgrm;    // folder; "" = none
  unsigned cores = 1;  // 1 .. 4
  bool partial_checksums = false;
  bool allow_time_fall = false;
  bool allow_drops = false;
};

/// The subcommand: checks everything first, replays, prints figures and, last, what became of order frames that were
/// dropped. Returns the exit status.
int replay_main(const ReplayOptions& options);

}  // namespace crosswire
