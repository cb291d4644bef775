// The loops over a partition's stages. A CoreLoop polls the stages that are placed on its core in chain order, run to
// completion (DESIGN 2), and takes their times; a partition has one for each core. Makes no system call and allocates
// nothing after construction.
//
//   one loop:     [receive match transmit publish]                       the rings stay in L1
//   three loops:  [receive] -> [match] -> [transmit publish]             the same stages, as a pipeline
//
// Who may call what: round() is of the loop's thread. What says "any thread" reads words that one thread writes. All
// else is for before the loops run, or when they have ended and their threads are joined.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/match_stage.hpp"
#include "hugepages/base/count_word.hpp"
#include "hugepages/base/histogram.hpp"
#include "hugepages/base/stage.hpp"
#include "hugepages/memory/arena.hpp"
#include "hugepages/rings/spsc_ring.hpp"
#include "netstack/port/tsc_clock.hpp"
#include "netstack/publish/publish.hpp"
#include "netstack/receive/receive.hpp"
#include "netstack/transmit/transmit.hpp"

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

/// Which stages share a loop: loops are numbered from 0 by their first stage.
struct StageLayout {
  std::array<std::size_t, kStages> loop_of{};

  std::size_t loops() const;
  /// Over 1 .. 4 loops: all; receive | match, transmit and publish; publish shares transmit's; each its own.
  static StageLayout over(std::size_t loops);
};

/// What a partition's loops have in common.
class Chain {
 public:
  struct Stages {
    ReceiveStage& receive;
    MatchStage& match;
    TransmitStage& transmit;
    PublishStage& publish;
  };
  /// The readers' positions tell how far each stage is. All outlive the chain.
  struct Rings {
    CommandRing& commands;
    EventRing& events;
    const CommandRing::GatingReader& match;
    const EventRing::GatingReader& transmit;
    const EventRing::GatingReader& publish;
  };

  Chain(const Stages& stages, const Rings& rings, Arena& arena);
  static std::size_t bytes_for();

  /// Receive has made its last command, and `stage` has passed all that comes of it: there is nothing more for it to
  /// do. Publish has then closed its datagram. Any thread.
  bool done(Stage stage) const;
  bool finished() const { return done(Stage::transmit) && done(Stage::publish); }

  /// Items that wait for a stage now, and the most that it found waiting; 0 for receive, whose ring is the device's.
  /// Any thread.
  std::uint64_t waiting(Stage stage) const;
  std::uint64_t most_waiting(Stage stage) const;

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

  Stages stages_;
  Rings rings_;
  std::span<StageTimes> times_;
  BoxTimes& box_;
  SpscRing<Passage> to_match_;
  SpscRing<Passage> to_transmit_;
  alignas(kCacheLine) std::atomic<bool> all_received_{false};  // written by receive's loop
};

class alignas(2 * kCacheLine) CoreLoop {
 public:
  /// Polls the stages that `layout` gives to loop `number`, at least one. `chain` outlives the loop.
  CoreLoop(Chain& chain, const StageLayout& layout, std::size_t number, const TscClock& clock);
  CoreLoop(const CoreLoop&) = delete;
  CoreLoop& operator=(const CoreLoop&) = delete;

  /// Polls each of its stages once. The counter is read once before the first and once behind each stage that did
  /// work. Returns whether any did.
  bool round();

  bool polls(Stage stage) const { return polls_[index_of(stage)]; }
  /// Its stages have nothing more to do. Any thread.
  bool ended() const;

 private:
  using Passage = Chain::Passage;
  struct Work {
    Stage stage;
    std::size_t items;
    std::uint64_t ticks;
  };

  template <class Polled>
  std::size_t poll(Stage stage, Polled& polled);
  std::uint64_t note(Stage stage, std::size_t items, std::uint64_t begun_tsc);
  void book();
  std::uint64_t span_ns(std::uint64_t from_tsc, std::uint64_t to_tsc) const;
  std::uint64_t orders_taken() const;
  void begin_passage(std::uint64_t begun_tsc, std::uint64_t now_tsc);
  void match_passages(std::uint64_t now_tsc);
  void end_passages(std::uint64_t now_tsc);

  Chain& chain_;
  // The chain's, without the way there.
  Chain::Stages stages_;
  Chain::Rings rings_;
  StageTimes* times_;  // by Stage
  TscClock clock_;
  std::array<bool, kStages> polls_{};
  bool alone_;                        // it polls all stages
  std::array<Work, kStages> work_{};  // of this round
  std::size_t noted_ = 0;
  // Receive's loop.
  std::uint64_t orders_ = 0;  // orders_taken() when last looked at
  // Match's and transmit's loop: the oldest passage that has not passed yet, if there is one.
  bool has_matching_ = false;
  bool has_sending_ = false;
  Passage matching_{};
  Passage sending_{};
};

}  // namespace crosswire
