// How long a partition's stages and the way through it take, and how much they do at once. Written by the threads that
// poll the stages, read by any; it can lie in an Arena.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "hugepages/base/cache_line.hpp"
#include "hugepages/base/count_word.hpp"
#include "hugepages/base/histogram.hpp"

namespace crosswire {

/// How many items working polls did, each number by itself; one thread writes, any may read.
class BatchSizes {
 public:
  /// Greater ones count as this.
  static constexpr std::size_t kMost = 255;

  void record(std::size_t items) { polls_[std::min(items, kMost)].add(); }
  /// Polls that did so many items.
  std::uint64_t polls(std::size_t items) const { return polls_[items].get(); }
  /// The number that `p` per cent (0 .. 100) of the polls do not exceed (nearest rank); 0 without any.
  std::size_t percentile(double p) const;

 private:
  std::array<CountWord, kMost + 1> polls_{};
};

/// Of one stage; written by the thread that polls it. A poll that did work is a working one.
struct alignas(kCacheLine) StageTimes {
  CountWord polls;    // begun, with work or without: one that stands still is not coming back from its last
  CountWord items;    // what poll() returned, summed up
  Histogram poll_ns;  // length of a working poll
  Histogram item_ns;  // the same by the items it did: one value a poll
  BatchSizes batch;

  std::uint64_t busy_ns() const { return poll_ns.sum(); }  // of the working polls; never falls
};

/// Of bursts with orders, from the start of receive's poll to the flush of their last answer; written by the thread
/// that polls transmit.
struct BoxTimes {
  Histogram all_ns;
  // Where the stages are on several cores, what came behind receive's poll: until match had passed the commands, and
  // from there on. The hop to the stage's core and the wait for it are in both. On one core the polls' lengths tell it.
  Histogram match_ns;
  Histogram transmit_ns;
};

}  // namespace crosswire
