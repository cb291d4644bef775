// The engine run along while a flow is made, so that the flow knows what has executed and which orders live.
// Tools only: one thread, no stages, no frames.
#pragma once

#include <cstdint>
#include <vector>

#include "app/flow/message.hpp"
#include "engine/box.hpp"
#include "engine/config.hpp"

namespace crosswire {

class EngineMirror {
 public:
  /// `schedule`: rising times; a phase takes effect before any message of the same or a later time, as in a replay.
  /// Without a schedule all symbols are continuous from the start. Throws std::runtime_error without memory.
  EngineMirror(const EngineConfig& config, std::vector<PhaseChange> schedule);

  /// Brings the phases up to `time_ns`, which must not fall.
  void advance(TimeNs time_ns);

  /// Applies `message` at its time, after the phases that are due.
  void apply(const FlowMessage& message);

  /// The live order, or nullptr. Valid until the next call that is not const.
  const HotOrder* find(SessionId session, UserRefNum number) const;

  const Engine& engine() const { return box_.engine(); }

 private:
  std::vector<PhaseChange> schedule_;
  std::size_t next_phase_ = 0;
  EngineBox box_;
};

}  // namespace crosswire
