// The match stage: commands from their ring through the engine into the event ring, and dead orders' slots back to
// receive. The only thread that touches the books.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/engine.hpp"

namespace crosswire {

using CommandRing = BroadcastRing<Command>;
using EventRing = BroadcastRing<Event>;

class MatchStage {
 public:
  /// `in` is a gating reader of `commands`. All outlive the stage.
  MatchStage(Engine& engine, CommandRing& commands, CommandRing::GatingReader& in, EventRing& events,
             SlotReturner& returner)
      : engine_(engine), commands_(commands), in_(in), events_(events), returner_(returner) {}

  /// Applies up to kMaxCommands that wait, as far as the event ring has room. Returns how many it finished, and one
  /// more if it stopped in the middle of a long one.
  std::size_t poll() {
    std::size_t done = 0;
    if (const std::uint64_t waiting = in_.available(); waiting > 0) {
      const std::uint64_t until_wrap = commands_.capacity() - (in_.position() & (commands_.capacity() - 1));
      const std::size_t n = static_cast<std::size_t>(std::min({waiting, until_wrap, kMaxCommands}));
      done = engine_.apply({&in_.peek(0), n}, events_.producer());
      in_.release(done);
      done += engine_.yielded();
    }
    if (returner_.waiting() > 0) {
      returner_.hand_back(commands_.slowest_gating_position(), events_.slowest_gating_position());
    }
    return done;
  }

  const Engine& engine() const { return engine_; }

 private:
  static constexpr std::uint64_t kMaxCommands = 32;

  Engine& engine_;
  CommandRing& commands_;
  CommandRing::GatingReader& in_;
  EventRing& events_;
  SlotReturner& returner_;
};

}  // namespace crosswire
