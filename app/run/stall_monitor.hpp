// Watches that every polling core of a partition polls: a loop whose counts of polls stand still is stuck in a stage (a
// driver that waits, a CHECK that a debugger holds) or does not get its core. Loops that poll and find no work are
// app/partition/standstill's affair. On the control thread; it only reads counts.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "app/partition/chain.hpp"
#include "app/partition/core_loop.hpp"
#include "hugepages/base/counters.hpp"

namespace crosswire {

/// Of each stage how often it stood still. Written by the control thread.
enum class StallCounter : std::uint8_t { receive_stalls, match_stalls, transmit_stalls, publish_stalls, count_ };

/// By number of the enumerator, which is that of the stage.
inline constexpr std::array kStallCounters = [] {
  using enum StallCounter;
  using enum CounterKind;
  using Row = CounterRow<StallCounter>;
  return std::array{
      Row{receive_stalls, notice, "receive_stalls", "times that receive did not poll for 100 ms"},
      Row{match_stalls, notice, "match_stalls", "times that match did not poll for 100 ms"},
      Row{transmit_stalls, notice, "transmit_stalls", "times that transmit did not poll for 100 ms"},
      Row{publish_stalls, notice, "publish_stalls", "times that publish did not poll for 100 ms"},
  };
}();
static_assert(is_whole(kStallCounters) && kStallCounters.size() == kStages);

using StallCounters = Counters<StallCounter>;

class StallMonitor {
 public:
  /// To be called so often, so that a stage that does not poll for 100 ms is met standing still for kCountedNs at
  /// least, and is counted: in that of its stages in which its loop stands.
  static constexpr std::uint64_t kLookEveryNs = 20'000'000;
  static constexpr std::uint64_t kCountedNs = 80'000'000;
  /// A loop that stands still for longer is reported.
  static constexpr std::uint64_t kLimitNs = 1'000'000'000;
  /// Between two looks at most this much counts: where all of the process stood still, for instance because its
  /// machine did, no stage did so by itself.
  static constexpr std::uint64_t kLongestStepNs = 200'000'000;

  /// To be called before the first look. Both references outlive this. `core`: of the loop.
  void watch(const Chain& chain, const CoreLoop& loop, std::optional<unsigned> core);

  struct News {
    Stage stage{};                 // in which its loop stands or stood still
    std::optional<unsigned> core;  // of the loop
    double seconds = 0;            // for so long
    bool stands_still = true;      // false: it goes on
  };
  /// `now_ns` of any steady clock. Returns what is new since the last look: of each
  /// loop that began or ceased to stand still.
  std::vector<News> look(std::uint64_t now_ns);

  /// Any thread.
  const StallCounters& counters() const { return counters_; }

 private:
  struct Watched {
    const Chain* chain;
    const CoreLoop* loop;
    std::optional<unsigned> core;
    std::uint64_t polls = 0;     // of all its stages
    std::uint64_t still_ns = 0;  // since they last rose
    bool counted = false;
    bool reported = false;
    Stage stage = Stage::receive;  // in which it stood still
  };

  static News news_of(const Watched& watched, bool stands_still);

  std::vector<Watched> watched_;
  StallCounters counters_;
  std::optional<std::uint64_t> last_look_ns_;
};

}  // namespace crosswire
