// Live figures: what the partitions of a running process show at this moment, for DPDK's telemetry, the Prometheus
// endpoint and `crosswire top`. Read from the very counters and histograms that the end's figures are made of, so the
// totals are the same. Control threads only; a snapshot stops no stage and takes no lock that one could wait for.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/figures/figures.hpp"
#include "app/partition/partition.hpp"
#include "hugepages/base/histogram.hpp"
#include "hugepages/base/stage.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

struct LatencyHistogram {
  std::string_view name;  // as in LatencyFigure
  Histogram times;        // a copy
};

struct PlacedStageFigure {
  StageFigure figure;
  std::optional<unsigned> core;
};

/// A ring as one of its readers sees it.
struct RingFigure {
  std::string_view name;    // of the ring
  std::string_view reader;  // the stage
  std::uint64_t waiting;    // items published and not yet released
  std::uint64_t most_waiting;
  std::uint64_t capacity;
};

/// An account's session. Numbers are of MoldUDP64.
struct SessionFigure {
  std::string user;
  bool bound;
  std::string source;  // "10.99.0.100:40001" while bound, with "/VLAN" where tagged, and " tcp"
  std::uint64_t heard_ms;
  std::uint64_t next_in, next_out;
  std::uint64_t kept;  // messages that it can still ask for again
};

struct BookFigure {
  std::string symbol;
  BookTop top;
};

struct AccountFigure {
  std::string user, firm;
  AccountState state;
};

/// What an account may ask for and own, as configured.
struct LimitsFigure {
  std::string user, firm;
  RiskConfig limits;
};

struct PositionFigure {
  std::string symbol;
  Position position;
  std::uint32_t messages;  // PositionState
};
/// Some of an account's positions, in the order of the symbols.
struct PositionFigures {
  std::vector<PositionFigure> positions;
  std::size_t next = 0;  // as `first` to go on with; 0: these were the last
};

/// The time of the process beside that of the host, as the control thread saw it last.
struct ClockFigure {
  std::int64_t offset_ns = 0;      // CLOCK_REALTIME is ahead by so much, what of it was not followed apart
  std::int64_t bound_ns = 0;       // within this of it was our time since the look before
  std::int64_t unfollowed_ns = 0;  // CLOCK_REALTIME has leapt by so much and was not followed
  bool synchronised = true;        // somebody keeps the host's clock
};

/// A table of the partition's, and how much of it is taken.
struct TableFigure {
  std::string_view name;
  std::uint64_t used, limit;
  std::uint64_t needs = 1;  // what one more may need
};
/// The tables that can fill: "live_orders", "price_levels", "price_nodes". Any thread, also while the stages run.
std::vector<TableFigure> tables_of(const Partition& partition);

/// Symbols by phase; of the phases that some symbol has. Any thread, also while the stages run.
std::vector<std::pair<Phase, std::uint64_t>> phases_of(const Partition& partition);
/// "continuous 7, halted 1".
std::string phases_text(const std::vector<std::pair<Phase, std::uint64_t>>& phases);

struct RecorderFigure {
  std::uint64_t written_bytes;               // of frames, given to the file
  std::uint64_t waiting_bytes, limit_bytes;  // for that, and as many as may
};

/// Of a partition's trading day.
struct DayFigure {
  std::string date;        // "2026-01-31"
  std::string next_phase;  // "closing_call at 2026-01-31 14:57:00"; "" where none follows
};

struct PartitionFigures {
  std::string name;
  std::string order_session, feed_session;
  std::vector<CounterFigure> counters;  // as in Figures
  std::vector<LatencyHistogram> latencies;
  std::vector<PlacedStageFigure> stages;  // by Stage
  std::vector<RingFigure> rings;
  ArenaReport memory;
  std::uint64_t day_ms = 0;  // since its day began, as its counters did
  bool link_up = true;
  std::optional<bool> recording;  // false: broken off; nothing where none was asked for
  std::optional<RecorderFigure> recorder;
  std::vector<TableFigure> tables;
  std::uint64_t sessions_open = 0, accounts = 0;
  std::vector<std::pair<Phase, std::uint64_t>> phases;
  std::uint64_t symbols = 0;
  DayFigure day;

  /// 0 if there is no such counter, or it is not known.
  std::uint64_t counter(std::string_view stage, std::string_view label) const;
  std::uint64_t frames_in() const { return counter("receive", "frames"); }
  std::uint64_t frames_out() const { return counter("transmit", "frames") + counter("publish", "frames"); }
};

/// A partition as the figures see it. All outlive the LiveFigures, or are made anew at their places between two days,
/// under pause().
struct FigureSource {
  std::string name;  // of the partition: letters, digits, "_", "-" and "."
  Partition& partition;
  std::array<std::optional<unsigned>, kStages> cores;
  std::function<std::vector<CounterFigure>()> port;     // what its port counted; any control thread
  std::function<bool()> link_up = [] { return true; };  // as the control thread saw it last; any control thread
  std::function<std::optional<bool>()> recording = [] {
    return std::nullopt;
  };  // whether it goes on; any control thread
  std::function<std::optional<RecorderFigure>()> recorder = [] { return std::nullopt; };  // any control thread
  std::function<DayFigure()> day = [] { return DayFigure{}; };                            // any control thread
};

class LiveFigures {
  using Clock = std::chrono::steady_clock;

 public:
  /// For how long a stage is waited for. Those who ask should not wait longer for one that is stalled.
  static constexpr std::chrono::milliseconds kPatience{200};
  explicit LiveFigures(std::chrono::milliseconds patience = kPatience);
  LiveFigures(const LiveFigures&) = delete;
  LiveFigures& operator=(const LiveFigures&) = delete;

  /// Before anybody asks. A name that is taken gets a number behind it; returns what it is called.
  const std::string& add(FigureSource source);
  /// Before anybody asks. `clock`: any control thread.
  void tell_clock(std::function<ClockFigure()> clock) { clock_ = std::move(clock); }
  /// The same of lines of the log that nobody took in time.
  void tell_log_lines_lost(std::function<std::uint64_t()> lost) { log_lines_lost_ = std::move(lost); }

  /// The same of what operators were refused.
  void tell_operators_refused(std::function<std::uint64_t()> refused) { operators_refused_ = std::move(refused); }

  /// While it lives nobody looks: whoever asks waits for it. To be taken by the control thread, for the short while in
  /// which it makes a partition anew.
  [[nodiscard]] std::unique_lock<std::shared_mutex> pause() { return std::unique_lock(looking_); }
  /// The partition of that name begins another day, and its counters begin anew. While paused.
  void begin_day(const std::string& name);

  // From here on any thread but a polling one.
  const std::vector<FigureSource>& sources() const { return sources_; }
  PartitionFigures partition(std::size_t number) const;
  std::uint64_t uptime_ms() const;
  ClockFigure clock() const { return clock_(); }
  std::uint64_t log_lines_lost() const { return log_lines_lost_(); }
  std::uint64_t operators_refused() const { return operators_refused_(); }

  /// Asks receive and transmit, or match, for some from `first` on: at most as many as a mailbox holds. Waits for their
  /// answers, as long as its patience lasts; then, and beyond the last, there are none.
  std::vector<SessionFigure> sessions(std::size_t number, std::size_t first) const;
  std::vector<BookFigure> books(std::size_t number, std::size_t first) const;
  std::vector<AccountFigure> accounts(std::size_t number, std::size_t first) const;
  /// Of some accounts from `first` on; kMostLimits at most. Waits for nobody.
  std::vector<LimitsFigure> limits(std::size_t number, std::size_t first) const;
  static constexpr std::size_t kMostLimits = 16;
  /// How many accounts a partition has.
  std::size_t account_count(std::size_t number) const;
  /// Of the account of that number, those that are kept, of the symbols from `first` on. None: match gives no answer.
  std::optional<PositionFigures> positions(std::size_t number, std::size_t account, std::size_t first) const;
  /// The number of a partition's account, for accounts() and positions(); none of that name.
  std::optional<std::size_t> account(std::size_t number, std::string_view user) const;
  /// The number of a partition's symbol, for books(); none of that name.
  std::optional<std::size_t> symbol(std::size_t number, std::string_view name) const;

 private:
  Clock::time_point begun_;
  std::chrono::milliseconds patience_;
  std::vector<FigureSource> sources_;
  std::vector<Clock::time_point> days_begun_;  // of each
  mutable std::shared_mutex looking_;          // held by all who look; no stage knows it
  std::function<ClockFigure()> clock_ = [] { return ClockFigure{}; };
  std::function<std::uint64_t()> log_lines_lost_ = [] { return std::uint64_t{0}; };
  std::function<std::uint64_t()> operators_refused_ = [] { return std::uint64_t{0}; };
};

/// Of a configuration's path (or a capture's): its file name without extension, cut to 48 characters, with everything
/// but letters, digits, "_", "-" and "." made "_".
std::string partition_name(const std::string& config_path);
/// `name`, with a number behind it where it is `used`.
std::string name_beside(const std::string& name, const std::vector<std::string>& used);

}  // namespace crosswire
