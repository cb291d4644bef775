// The send half of TCP: a poll, and the short ways of what it does nearly always, as receive_predicted.cpp is of the
// receive half. A connection is plain where nothing was lost, nothing ends and nothing odd is owed (is_plain()). What
// acknowledges and what is sent there goes by the ways here, which do what the general ones do of it, in fewer steps:
// whose every condition they ask first. All else goes the general way; nothing has happened then.
#include <algorithm>

#include "netstack/tcp/finish_in_place.hpp"
#include "netstack/tcp/send_half.hpp"

namespace crosswire::tcp {

using Count = TcpSendCounter;

namespace {

constexpr std::size_t kMostFramesPerPoll = 2 * kMaxBurst;

}  // namespace

// ---- Signals --------------------------------------------------------------------------------------------------------

/// The usual segment, by the shortest way: at a plain connection, data or what acknowledges some of what is under way,
/// with nothing odd about it. It does what take_any() does of it. False: it is another one, and nothing has happened.
[[gnu::always_inline]] inline bool SendHalf::take_plain(ConnectionId id, Line& line, Cold& cold,
                                                        const SegmentSignal& told) {
  constexpr std::uint8_t kUsual = kTakesAck | kTakesWindow | kAckLater | kEchoes;
  if (!is_plain(line) || (told.bits & ~kUsual) != 0 || told.sacks > 0 || told.segments == 0) return false;
  const bool takes_window = (told.bits & kTakesWindow) != 0;
  const bool acknowledges = (told.bits & kTakesAck) != 0;
  const std::uint32_t bytes = told.ack - line.una;
  if (acknowledges && bytes - 1 >= line.most - line.una) return false;
  if (takes_window && (told.window == 0 || line.window == 0)) return false;
  if (!cold.scoreboard.empty() || cold.round_trip.backed_off() > 0) return false;

  cold.heard_ns = now_;
  if (line.una == line.most) cold.stuck_ns = kNever;
  line.receive_next = told.receive_next;
  line.receive_edge = told.receive_next + told.receive_window;
  line.ts_recent = told.ts_recent;
  if (takes_window) {
    line.window = told.window;
    cold.most_window = std::max(cold.most_window, told.window);
  }
  if (!acknowledges) return true;
  if ((line.bits & kTiming) != 0 && at_or_before(cold.timed_end, told.ack)) {
    cold.round_trip.sample(now_ - cold.timed_ns);
    line.bits &= ~kTiming;
  }
  line.una_offset += bytes;
  line.una = told.ack;
  if (used_window(line, bytes)) grow(line, cold, bytes, told.segments);
  cold.duplicates = 0;
  cold.started_ns = now_;  // RFC 6298 (5.3)
  cold.lonely_ns = now_;
  cold.stuck_ns = kNever;
  writer_.acknowledged(id, line.una_offset);
  return true;
}

[[gnu::always_inline]] inline void SendHalf::owe_acknowledgement(Line& line, Cold& cold, const SegmentSignal& told) {
  cold.peer_segment = std::max(cold.peer_segment, told.bytes);
  if ((told.bits & kAckNow) != 0) {
    line.bits |= kAckAtOnce;
    return;
  }
  if ((told.bits & kAckLater) == 0) return;
  // RFC 9293 SHLD-19: every second full segment at once.
  const std::uint32_t two = 2u * std::max(cold.peer_segment, kDefaultMss);
  if (told.receive_next - line.acknowledged >= two) {
    line.bits |= kAckAtOnce;
    return;
  }
  cold.covers = told.covers;
  if ((line.bits & kAckOwed) == 0) cold.delay_until_ns = now_ + config_.ack_delay_ns;
  line.bits |= kAckOwed;
}

[[gnu::always_inline]] inline void SendHalf::take_segment(ConnectionId id, Line& line, const SegmentSignal& told) {
  Cold& cold = cold_[id.value];
  if (!take_plain(id, line, cold, told)) take_any(id, line, cold, told);
  if (line.state == State::ended) return;
  owe_acknowledgement(line, cold, told);
  if ((line.bits & kOpened) != 0) writer_.heard(id);
  constexpr std::uint32_t kOwed = kAckAtOnce | kSynOwed | kResendFirst | kRecovering;
  if ((line.bits & kOwed) != 0 || line.next != line.most || has_waiting(line)) {
    make_ready(id, line);
  } else {
    put_off_acknowledgement(id, line, cold);
    arm(id, line, cold);
  }
}

// ---- Frames ---------------------------------------------------------------------------------------------------------

/// Whether all that waits is one new segment, which peer and network have room for, with no option but timestamps: then
/// pick() would pick it whole, and nothing behind it.
[[gnu::always_inline]] inline bool SendHalf::goes_at_once(const Line& line, const Cold& cold) {
  const std::uint32_t flight = line.most - line.una;
  const std::uint32_t bytes = line.end - line.most;
  return is_plain(line) && bytes - 1 < line.mss && flight + bytes <= std::min(line.window, line.congestion) &&
         cold.hole_count == 0 && cold.scoreboard.empty();
}

/// What any_turn() does of it.
[[gnu::always_inline]] inline bool SendHalf::send_at_once(ConnectionId id, Line& line, Cold& cold) {
  if (!signals_.to_receive.has_room(1)) return false;
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  say_sent(id, cold, line.end);
  const std::uint32_t flight = line.most - line.una;
  const std::uint32_t bytes = line.end - line.most;
  std::uint8_t* const options = frame + cold.header.options_offset();
  const std::size_t option_bytes = (line.bits & kTimestamps) != 0
                                       ? put_timestamps(options, cold.ts_offset + Numbers::ticks(now_), line.ts_recent)
                                       : 0;
  writer_.copy(id, line.una_offset + flight, {options + option_bytes, bytes});
  const SegmentHead head{line.most, line.receive_next, window_to_tell(line, cold), kAck | kPsh};
  commit(cold.header.finish_in_place(frame, head, option_bytes, option_bytes + bytes));
  counters_.add(Count::tcp_sent_bytes, bytes);
  acknowledged_now(line);
  if ((line.bits & kTiming) == 0) {
    line.bits |= kTiming;
    cold.timed_end = line.end;
    cold.timed_ns = now_;
  }
  line.bits &= ~kLimited;
  if (flight == 0) {
    cold.started_ns = now_;  // RFC 6298 (5.1)
    cold.stuck_ns = kNever;
  }
  line.next = line.most = line.end;
  cold.last_sent_ns = now_;
  // No time-out is shorter than the least: what is to be probed for before that need not know it.
  const TimeNs probe = probe_at(line, cold);
  const bool probes = (line.bits & kSack) != 0 && cold.stuck_ns == kNever && cold.round_trip.measured();
  if (probes && probe < cold.started_ns + config_.least_rto_ns) [[likely]] {
    set_timer(id, line, cold, Timer::tail_probe, probe);
  } else {
    arm(id, line, cold);
  }
  return true;
}

[[gnu::always_inline]] inline SendHalf::Turn SendHalf::turn(ConnectionId id) {
  Line& line = lines_[id.value];
  Cold& cold = cold_[id.value];
  if (goes_at_once(line, cold)) [[likely]]
    return send_at_once(id, line, cold) ? Turn::done : Turn::no_room;
  return any_turn(id, line, cold);
}

// ---- A poll ---------------------------------------------------------------------------------------------------------

/// poll(), where there may be something to do.
std::size_t SendHalf::work(TimeNs now) {
  if (no_timer_before_ns_ == kNever) [[unlikely]] {
    no_timer_before_ns_ = 0;
    wheel_.start_at(now);
    now_ = now;
  }
  // What the peer has said in a standstill may be behind what was taken so far: nothing was late yet. Not twice in a
  // row, or the timers of who polls seldom would never expire.
  if (stood_still(now) && timers_looked_at_) [[unlikely]] {
    no_timer_before_ns_ = now + config_.standstill_ns;
    timers_looked_at_ = false;
  }
  now_ = now;
  committed_ = 0;
  std::size_t taken = 0;
  // As many as the ring holds: on another core the receive half may say as much as is taken here.
  for (; taken < Signals::kToSend; ++taken) {
    const ToSend* const told = signals_.to_send.front();
    if (told == nullptr) break;
    if (told->kind == ToSendKind::segment) [[likely]] {
      Line& line = lines_[told->connection.value];
      if (line.state >= State::syn_sent && line.state < State::ended)
        take_segment(told->connection, line, told->segment);
    } else {
      take_other(*told);
    }
    signals_.to_send.drop_front();
  }
  if (now >= no_timer_before_ns_) [[likely]] {
    wheel_.advance(now, [this](std::uint16_t entry) { expired(ConnectionId{entry}); });
    timers_looked_at_ = true;
  }
  while (ready_first_ != kNobody && committed_ < kMostFramesPerPoll) {
    const ConnectionId id{ready_first_};
    const Turn outcome = turn(id);
    if (outcome == Turn::no_room) return taken + committed_;
    ready_first_ = cold_[id.value].next_ready;
    if (ready_first_ == kNobody) ready_last_ = kNobody;
    lines_[id.value].bits &= ~kReady;
    if (outcome == Turn::more) make_ready(id, lines_[id.value]);
  }
  if (delayed_first_ != kNobody) send_delayed();
  return taken + committed_;
}

}  // namespace crosswire::tcp
