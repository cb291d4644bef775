// The fused loop: one thread polls a partition's stages in chain order, run to completion (DESIGN 2), and takes each
// stage's times. Runs on the polling core; makes no system call and allocates nothing after construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "app/stage.hpp"
#include "engine/match_stage.hpp"
#include "hugepages/arena.hpp"
#include "hugepages/histogram.hpp"
#include "netstack/port/tsc_clock.hpp"
#include "netstack/publish.hpp"
#include "netstack/receive.hpp"
#include "netstack/transmit.hpp"

namespace crosswire {

/// Of one stage; only polls that did work count.
struct StageTimes {
  Histogram poll_ns;        // length of a poll
  Histogram item_ns;        // the same by the items it did: one value a poll
  std::uint64_t items = 0;  // what poll() returned, summed up
};

struct LoopTimes {
  std::array<StageTimes, kStages> stages;
  Histogram in_the_box_ns;  // a burst with orders: start of receive's poll to the flush of its last answer
  std::uint64_t rounds = 0;
  std::uint64_t busy_rounds = 0;  // some stage did work
  std::uint64_t busy_ns = 0;      // sum of their lengths
};

class FusedLoop {
 public:
  struct Stages {
    ReceiveStage& receive;
    MatchStage& match;
    TransmitStage& transmit;
    PublishStage& publish;
  };
  /// The readers' positions tell how far each stage is. All outlive the loop.
  struct Rings {
    CommandRing& commands;
    EventRing& events;
    const CommandRing::GatingReader& match;
    const EventRing::GatingReader& transmit;
    const EventRing::GatingReader& publish;
  };

  FusedLoop(const Stages& stages, const Rings& rings, const TscClock& clock, Arena& arena);
  static std::size_t bytes_for();

  /// Polls each stage once. The counter is read once before receive and once behind each stage that did work. Returns
  /// whether any did.
  bool round();

  /// No burst is half taken in, and every stage has passed all that was published to it: no frame is still to come for
  /// a command so far, and publish has closed its datagram.
  bool idle() const;

  /// Receive has made its last command, and it is through.
  bool finished() const { return stages_.receive.ended() && idle(); }

  /// Of the loop's thread, or when it has stopped.
  const LoopTimes& times() const { return times_; }

 private:
  enum Stage : std::size_t { kReceive, kMatch, kTransmit, kPublish };

  /// A burst with orders on its way through the box.
  struct Passage {
    std::uint64_t begun_tsc;
    std::uint64_t last_command;  // number
    std::uint64_t last_event;    // number; 0 = match has not passed the commands yet
  };
  /// More than bursts that can be under way when each round takes one in: beyond it bursts go unmeasured.
  static constexpr std::uint64_t kPassages = 64;

  std::uint64_t note(Stage stage, std::size_t items, std::uint64_t begun_tsc);
  std::uint64_t orders_taken() const;
  void begin_passage(std::uint64_t begun_tsc);
  void match_passages();
  void end_passages(std::uint64_t now_tsc);

  Stages stages_;
  Rings rings_;
  TscClock clock_;
  LoopTimes& times_;
  std::span<Passage> passages_;
  std::uint64_t passages_begun_ = 0;
  std::uint64_t passages_matched_ = 0;
  std::uint64_t passages_ended_ = 0;
  std::uint64_t orders_ = 0;  // orders_taken() when last looked at
};

}  // namespace crosswire
