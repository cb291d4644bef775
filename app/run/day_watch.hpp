// What the log says of a partition's day: who logs in, who is refused and why, whose session ends, which phase it is,
// and which table fills. The control thread asks the words and the ring of the stages, which do not log; lines of one
// kind are no more than their allowance.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "app/figures/live_figures.hpp"
#include "app/partition/partition.hpp"
#include "app/run/line_allowance.hpp"
#include "netstack/port/recorder.hpp"

namespace crosswire {

class DayWatch {
 public:
  /// A table is told of from this share on, and as having room again below that one, in percent.
  static constexpr std::uint64_t kFillsPercent = 80, kRoomPercent = 70;
  /// Lines of one account: at once, and one more after so long.
  static constexpr std::uint64_t kOfAccount = 30, kOfAccountEachNs = 60'000'000'000;

  /// A day begins, in a Partition made for it.
  void begin_day(const Partition& partition);
  /// Logs what is new. To be called about every 100 ms. `name`: of the partition. `recorder`: none where nothing is
  /// recorded. `now_ns` of any steady clock.
  void look(const std::string& name, Partition& partition, const RecordingRxPort* recorder, std::uint64_t now_ns);

 private:
  enum class Fill : std::uint8_t { room, fills, full };
  /// Kinds of lines, each with an allowance: those of SessionNews, then these.
  enum Kind : std::size_t { kPhases = SessionNews::count_, kTables, kRecorder, kHistory, kBreakerLines, kKinds };

  void look_at_sessions(const std::string& name, Partition& partition, std::uint64_t now_ns);
  void look_at_history(const std::string& name, Partition& partition, std::uint64_t now_ns);
  void look_at_phases(const std::string& name, const Partition& partition, std::uint64_t now_ns);
  void look_at_breakers(const std::string& name, const Partition& partition, std::uint64_t now_ns);
  void look_at_tables(const std::string& name, const Partition& partition, std::uint64_t now_ns);
  void look_at_recorder(const std::string& name, const RecordingRxPort& recorder, std::uint64_t now_ns);
  void tell_left_out(const std::string& name, const Partition& partition, std::uint64_t now_ns);

  std::array<LineAllowance, kKinds> allowances_;
  std::vector<LineAllowance> of_accounts_;  // by SessionId: of a kind's lines no account has more than a few
  LineAllowance lost_news_;
  // Of the day, as of the last look.
  std::vector<std::pair<Phase, std::uint64_t>> phases_;
  std::vector<Fill> tables_;
  std::uint64_t trips_ = 0;              // of all accounts, as far as they are told
  std::vector<std::uint64_t> trips_of_;  // by SessionId and breaker
  std::uint64_t held_back_ = 0;
  std::uint64_t news_lost_ = 0;
};

}  // namespace crosswire
