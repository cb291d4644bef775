// CommandWriter: how a command is made, whatever it came from. It numbers commands and stamps them with the time, holds
// the newest one back so that it can be marked as its burst's last, and publishes the others.
// receive stage alone, its order intake included; never waits or allocates. Short functions on the way of every order:
// they are in sight of who calls them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "engine/command.hpp"
#include "hugepages/rings/broadcast_ring.hpp"
#include "netstack/intake/turn_clock.hpp"
#include "netstack/receive/counters.hpp"

namespace crosswire {

class CommandWriter {
 public:
  /// What is passed outlives it, but for `engine`; commands are counted in `counters`. `start`: the time until it is
  /// moved on.
  CommandWriter(BroadcastRing<Command>::Producer& ring, ReceiveCounters& counters, const EngineConfig& engine,
                TimeNs start)
      : ring_(ring), counters_(counters), turns_(engine), now_(start) {}
  CommandWriter(const CommandWriter&) = delete;
  CommandWriter& operator=(const CommandWriter&) = delete;

  /// What commands are stamped with.
  TimeNs now() const { return now_; }
  /// `now` is at least now().
  void move_on(TimeNs now) { now_ = now; }

  /// May make() be called now?
  bool has_room() { return ring_.has_room(); }

  /// The caller has seen that there is room, and writes the body, which is zero.
  Command& make(CommandKind kind, SessionId session) {
    Command& command = make_head(kind, session);
    std::memset(command.body, 0, sizeof(command.body));
    if (TurnClock::may_open(kind)) expect_turns(kind, session);
    return command;
  }

  /// The same of who writes all of the body.
  Command& make_head(CommandKind kind, SessionId session) {
    Command& command = ring_.claim();
    ring_.publish_all_but_last();
    command.sequence = Sequence{++sequence_};
    command.time_ns = now_;
    command.kind = kind;
    command.flags = 0;
    command.session = session;
    command.symbol = kNoSymbol;
    command.reject = 0;
    counters_.add(ReceiveCounter::commands);
    return command;
  }

  /// With the newest command, a tick, so many lives may end.
  void lives_end(std::uint64_t lives) {
    const std::uint64_t entered = counters_.get(ReceiveCounter::enters);
    turns_.lives_end(lives, entered, sequence_, now_);
    turns_.breakers_trip(entered + counters_.get(ReceiveCounter::replaces), entered, sequence_, now_);
    due_ = std::min(due_, turns_.next(sequence_));
  }
  /// When the next `turn` is due; TurnClock::kNever: none is.
  TimeNs next_turn() { return turns_.next(sequence_); }
  void make_turn() {
    turns_.pass();
    make(CommandKind::turn, kNoSession);
  }

  /// Up to when nothing is due, as set; a turn may have become due before that.
  TimeNs due() const { return due_; }
  void set_due(TimeNs due) { due_ = due; }

  /// Marks and publishes the newest command, if it is still held back.
  void finish_burst() {
    if (ring_.unpublished() == 0) return;
    ring_.last_claimed().flags |= kLastOfBurst;
    ring_.publish();
  }

  /// Publishes the newest command unmarked, for want of what its readers will give back: another one of the burst
  /// follows.
  void publish_held_back() { ring_.publish(); }

  /// See TurnClock.
  void account_may_have(std::int64_t orders) { turns_.account_may_have(static_cast<std::uint64_t>(orders)); }

  /// Number of the newest command: how many were made since the start.
  std::uint64_t made() const { return sequence_; }

  /// The newest command is a disable that kills.
  void expect_kill(SessionId session) { expect_turns(CommandKind::disable, session); }
  /// The newest command is a halt for so long.
  void expect_reopening(std::uint32_t seconds) { turns_.expect_reopening(now_, seconds); }

 private:
  void expect_turns(CommandKind kind, SessionId session) {
    turns_.expect(kind, session, counters_.get(ReceiveCounter::enters), sequence_, now_);
    due_ = std::min(due_, turns_.next(sequence_));
  }

  BroadcastRing<Command>::Producer& ring_;
  ReceiveCounters& counters_;
  TurnClock turns_;
  TimeNs now_;
  TimeNs due_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace crosswire
