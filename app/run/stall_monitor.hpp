// Watches that every polling core polls: a loop whose counts of polls stand still is stuck in a stage (a driver that
// waits, a CHECK that a debugger holds) or does not get its core. Loops that poll and find no work are
// app/partition/standstill's affair. On the control thread; it only reads counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/partition/chain.hpp"
#include "app/partition/core_loop.hpp"

namespace crosswire {

class StallMonitor {
 public:
  /// A loop that stands still for longer is reported.
  static constexpr std::uint64_t kLimitNs = 1'000'000'000;
  /// Between two looks at most this much counts: where all of the process stood still, for instance because its
  /// machine did, no stage did so by itself.
  static constexpr std::uint64_t kLongestStepNs = 200'000'000;

  /// To be called before the first look. `partition` is its name; both references outlive this. `core`: of the loop.
  void watch(std::string partition, const Chain& chain, const CoreLoop& loop, std::optional<unsigned> core);

  struct News {
    std::string partition;
    Stage stage{};                 // in which its loop stands or stood still
    std::optional<unsigned> core;  // of the loop
    double seconds = 0;            // for so long
    bool stands_still = true;      // false: it goes on
  };
  /// To be called about every 100 ms; `now_ns` of any steady clock. Returns what is new since the last look: of each
  /// loop that began or ceased to stand still.
  std::vector<News> look(std::uint64_t now_ns);

 private:
  struct Watched {
    std::string partition;
    const Chain* chain;
    const CoreLoop* loop;
    std::optional<unsigned> core;
    std::uint64_t polls = 0;     // of all its stages
    std::uint64_t still_ns = 0;  // since they last rose
    bool reported = false;
    Stage stage = Stage::receive;  // in which it stood still
  };

  static News news_of(const Watched& watched, bool stands_still);

  std::vector<Watched> watched_;
  std::optional<std::uint64_t> last_look_ns_;
};

}  // namespace crosswire
