// Watches that every polling core polls: a loop whose counts of polls stand still is stuck in a stage (a driver that
// waits, a CHECK that a debugger holds) or does not get its core. On the control thread; it only reads counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/loop.hpp"

namespace crosswire {

class StallMonitor {
 public:
  /// A loop that stands still for longer is told of.
  static constexpr std::uint64_t kLimitNs = 1'000'000'000;
  /// Between two looks at most this much counts: where all of the process stood still, for instance because its
  /// machine did, no stage did so by itself.
  static constexpr std::uint64_t kLongestStepNs = 200'000'000;

  /// To be called before the first look. `partition` is its name; both references outlive this. `core`: of the loop.
  void watch(std::string partition, const Chain& chain, const CoreLoop& loop, std::optional<unsigned> core);

  /// To be called about every 100 ms; `now_ns` of any steady clock. Returns a line for each loop that began or ceased
  /// to stand still since the last look: which stage, on which core, how long.
  std::vector<std::string> look(std::uint64_t now_ns);

 private:
  struct Watched {
    std::string partition;
    const Chain* chain;
    const CoreLoop* loop;
    std::optional<unsigned> core;
    std::uint64_t polls = 0;     // of all its stages
    std::uint64_t still_ns = 0;  // since they last rose
    bool told = false;
    Stage stage = Stage::receive;  // in which it stood still
  };

  static std::string describe(const Watched& watched);

  std::vector<Watched> watched_;
  std::optional<std::uint64_t> last_look_ns_;
};

}  // namespace crosswire
