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

#include <array>
#include <cstddef>
#include <cstdint>

#include "app/partition/chain.hpp"
#include "app/partition/layout.hpp"
#include "hugepages/base/cache_line.hpp"
#include "hugepages/base/stage.hpp"
#include "netstack/port/tsc_clock.hpp"

namespace crosswire {

struct Stages;  // of app/partition/partition

class alignas(2 * kCacheLine) CoreLoop {
 public:
  /// Polls those of `stages` that `layout` gives to loop `number`, at least one (CHECKed). Stages and chain outlive the
  /// loop.
  CoreLoop(Stages& stages, Chain& chain, const StageLayout& layout, std::size_t number, const TscClock& clock);
  CoreLoop(const CoreLoop&) = delete;
  CoreLoop& operator=(const CoreLoop&) = delete;

  /// Polls each of its stages once. The counter is read once before the first and once behind each stage that did
  /// work. Returns whether any did.
  bool round();

  /// Any thread.
  bool polls(Stage stage) const { return polls_[index_of(stage)]; }
  /// The first of its stages, by which it is numbered. Any thread.
  Stage first() const;
  /// Its stages have nothing more to do. Any thread.
  bool ended() const;

 private:
  using Passage = Chain::Passage;
  struct Work {
    Stage stage;
    std::size_t items;
    std::uint64_t ticks;
  };

  template <Stage stage>
  void follow(std::size_t items, std::uint64_t begun_tsc, std::uint64_t now_tsc);
  std::uint64_t note(Stage stage, std::size_t items, std::uint64_t begun_tsc);
  void book();
  std::uint64_t span_ns(std::uint64_t from_tsc, std::uint64_t to_tsc) const;
  std::uint64_t orders_taken() const;
  void begin_passage(std::uint64_t begun_tsc, std::uint64_t now_tsc);
  void match_passages(std::uint64_t now_tsc);
  void end_passages(std::uint64_t now_tsc);

  Stages& stages_;
  Chain& chain_;
  // The chain's, without the way there.
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
