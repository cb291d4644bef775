// The time of a process: made at the start, disciplined while it runs, told to stages, log and figures. Made and looked
// after by the control thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "app/figures/live_figures.hpp"
#include "netstack/port/clock_discipline.hpp"
#include "netstack/port/tsc_clock.hpp"

namespace crosswire {

/// What is new of the host's clock, and of ours beside it.
struct ClockNews {
  enum class Kind { leapt, leapt_back, unsynchronised, synchronised, beyond_bound, within_bound };
  Kind kind;
  double leap_s;        // of these, where it has leapt
  double unfollowed_s;  // in all
  double offset_us;
  double bound_us;
};

class ClockKeeper {
 public:
  /// The host, for tests to make up: its clocks, and whether nobody keeps them.
  struct HostClocks {
    std::function<ClockReading()> read = read_clocks;
    std::function<bool()> unsynchronised = clock_unsynchronised;
  };

  /// Calibrates: sleeps 200 ms. Throws std::runtime_error (one line) if the counter does not run.
  ClockKeeper();
  /// `discipline`: of a calibration.
  ClockKeeper(const ClockDiscipline& discipline, HostClocks host);
  ClockKeeper(const ClockKeeper&) = delete;
  ClockKeeper& operator=(const ClockKeeper&) = delete;

  /// To be called about every 100 ms; `now_ns` of any steady clock. Looks only where kLeastBetweenNs have passed since
  /// the last time. Returns what is new.
  std::vector<ClockNews> look(std::uint64_t now_ns);

  /// The time of the process. Any thread.
  std::shared_ptr<const SharedClock> shared() const { return shared_; }
  /// Of the last look. Any thread.
  ClockFigure figure() const;

 private:
  /// The control thread is woken for other things as well.
  static constexpr std::uint64_t kLeastBetweenNs = 50'000'000;

  void publish();
  ClockNews news(ClockNews::Kind kind) const;

  HostClocks host_;
  ClockDiscipline discipline_;
  std::shared_ptr<SharedClock> shared_;
  std::optional<std::uint64_t> looked_ns_;
  bool synchronised_ = true;
  bool within_bound_ = true;
  std::atomic<std::int64_t> offset_ns_{0};
  std::atomic<std::int64_t> bound_ns_{0};
  std::atomic<std::int64_t> unfollowed_ns_{0};
  std::atomic<bool> synchronised_told_{true};
};

/// A line of the log for each.
void report(const std::vector<ClockNews>& news);

}  // namespace crosswire
