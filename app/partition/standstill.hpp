// Watches whether a partition's stages wait for each other: all loops poll, and none finds work. Where there always is
// some, as in a replay, they will for ever. On a thread that looks on, or the one that polls; it only reads counts.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "app/partition/chain.hpp"
#include "app/partition/core_loop.hpp"

namespace crosswire {

class Standstill {
 public:
  /// So many rounds of each loop.
  static constexpr std::uint64_t kRounds = 1000;

  /// Both outlive this.
  Standstill(const Chain& chain, const std::deque<CoreLoop>& loops);
  /// To be called now and then while they poll. Whether since an earlier look no stage has had work, for kRounds, and
  /// no loop has ended.
  bool look();

 private:
  std::vector<std::uint64_t> polls() const;
  std::uint64_t items() const;
  std::vector<bool> ended() const;

  const Chain& chain_;
  const std::deque<CoreLoop>& loops_;
  std::uint64_t items_ = 0;           // done when they were last seen to rise, or a loop to have ended
  std::vector<bool> ended_;           // which loops had then
  std::vector<std::uint64_t> polls_;  // of each loop then
};

}  // namespace crosswire
