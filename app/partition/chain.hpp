// A partition's chain: how far each stage is, and what the loops over the stages have in common. Asked by any thread;
// makes no system call and allocates nothing after construction.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "app/partition/stage_times.hpp"
#include "engine/match_stage.hpp"
#include "hugepages/base/stage.hpp"
#include "hugepages/memory/arena.hpp"
#include "hugepages/rings/broadcast_ring.hpp"
#include "hugepages/rings/spsc_ring.hpp"

namespace crosswire {

class Chain {
 public:
  /// All outlive the chain.
  struct Rings {
    CommandRing& commands;
    EventRing& events;
    std::array<ReaderProgress, kStages> readers;  // by Stage; there for each that reads a ring (CHECKed)
  };

  Chain(const Rings& rings, Arena& arena);
  static std::size_t bytes_for();

  /// Receive has made its last command, and `stage` has passed all that comes of it: there is nothing more for it to
  /// do. Publish has then closed its datagram. Any thread.
  bool done(Stage stage) const;
  /// All stages are. Any thread.
  bool finished() const;

  /// Items that wait for a stage now, the most that it found waiting, and how many its ring holds; 0 for receive, whose
  /// ring is the device's. Any thread.
  std::uint64_t waiting(Stage stage) const;
  std::uint64_t most_waiting(Stage stage) const;
  std::uint64_t capacity(Stage stage) const;

  /// No burst is half taken in, and every stage has passed all that was published to it: no frame is still to come for
  /// a command so far, and publish has closed its datagram. For who calls all loops' round() himself.
  bool idle() const;

  const StageTimes& times(Stage stage) const { return times_[index_of(stage)]; }
  const BoxTimes& box() const { return box_; }

 private:
  friend class CoreLoop;

  /// A burst with orders on its way through the box; handed on from receive's loop to match's to transmit's.
  struct Passage {
    std::uint64_t begun_tsc;
    std::uint64_t received_tsc;
    std::uint64_t matched_tsc;
    std::uint64_t last;  // number of its last command; behind match: of the last event
  };
  /// More than bursts that are under way as a rule: beyond it bursts go unmeasured.
  static constexpr std::uint64_t kPassages = 64;

  const ReaderProgress& reader(Stage stage) const { return rings_.readers[index_of(stage)]; }

  Rings rings_;
  std::span<StageTimes> times_;
  BoxTimes& box_;
  SpscRing<Passage> to_match_;
  SpscRing<Passage> to_transmit_;
  alignas(kCacheLine) std::atomic<bool> all_received_{false};  // written by receive's loop
};

}  // namespace crosswire
