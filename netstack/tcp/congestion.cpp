// The send half of TCP: what may be sent, what is lost, and how much at once: RFC 5681 (slow start, congestion
// avoidance), RFC 6582 (NewReno) and where SACK is on RFC 6675, RFC 6298 (time-outs), RFC 8985 section 7 (tail loss
// probes), RFC 3522 with RFC 4015 (what timestamps show to have been for nothing).
#include <algorithm>

#include "netstack/tcp/send_half.hpp"

namespace crosswire::tcp {

using Count = TcpSendCounter;

// ---- Acknowledgements -----------------------------------------------------------------------------------------------

void SendHalf::take_acknowledgement(ConnectionId id, Line& line, Cold& cold, const SegmentSignal& told) {
  const bool clamped = config_.replays && before(line.most, told.ack);
  const std::uint32_t ack = clamped ? line.most : told.ack;
  if (before(line.most, ack) || !before(line.una, ack)) [[unlikely]] {
    // It is told to the receive half before it leaves: somebody guesses.
    if (before(line.most, ack)) counters_.add(Count::tcp_ack_beyond);
    return;
  }
  if (line.state < State::established) [[unlikely]] {
    line.una = line.next = ack;
    establish(id, line, cold);
    return;
  }
  if (told.sacks > 0 || !cold.scoreboard.empty()) [[unlikely]]
    take_sacks(line, cold, told);
  if ((line.bits & kMaybeSpurious) != 0) [[unlikely]] {
    if ((told.bits & kEchoes) != 0 && before(told.ts_echo, cold.resent_ts)) undo_spurious(line, cold);
    line.bits &= ~kMaybeSpurious;
  }
  if ((line.bits & kTiming) != 0) {
    if (at_or_before(cold.timed_end, ack)) {
      cold.round_trip.sample(now_ - cold.timed_ns);
      line.bits &= ~kTiming;
    }
  } else if ((told.bits & kEchoes) != 0 && cold.round_trip.backed_off() > 0) {
    // RFC 7323 4: a timestamp says which of two it answers, where Karn's rule would wait for something new.
    const std::uint32_t took = cold.ts_offset + Numbers::ticks(now_) - told.ts_echo;
    cold.round_trip.sample(TimeNs{std::min(took, 1u << 20)} << 20);
  }
  // FIN is acknowledged, and is no byte of the stream.
  const bool fin = ack == line.end + 1 && (line.bits & kFinWanted) != 0;
  const std::uint32_t bytes = ack - line.una - (fin ? 1 : 0);
  line.una_offset += bytes;
  line.una = ack;
  if (before(line.next, ack)) line.next = ack;
  if (!cold.scoreboard.empty()) cold.scoreboard.forget_before(ack);
  line.bits &= ~(kWindowProbed | kResendFirst);
  if ((line.bits & kProbing) != 0) [[unlikely]]
    judge_tail_probe(line, cold, told);
  if ((line.bits & (kRecovering | kTimedOut)) != 0) [[unlikely]] {
    leave_or_go_on(line, cold, bytes, told.segments);
  } else {
    grow(line, cold, bytes, told.segments);
  }
  cold.duplicates = 0;
  cold.started_ns = now_;  // RFC 6298 (5.3)
  cold.lonely_ns = now_;
  cold.stuck_ns = kNever;
  if (bytes > 0) writer_.acknowledged(id, line.una_offset);
  if (fin) fin_acknowledged(id, line, cold);
}

/// RFC 5681 3.1, counted in bytes (RFC 3465), of which behind a time-out one segment an acknowledgement counts at most;
/// else all do, since peers that gather segments (GRO) acknowledge many at once. Only where the window was what held us
/// back, or nearly.
void SendHalf::grow(Line& line, Cold& cold, std::uint32_t bytes, std::uint32_t segments) {
  constexpr std::uint32_t kWidest = 1u << 28;
  if (!used_window(line, bytes) || line.congestion >= kWidest) return;
  if (line.congestion < cold.threshold) {
    line.congestion += (line.bits & kTimedOut) != 0 ? std::min(bytes, segments * line.mss) : bytes;
  } else {
    cold.grown += bytes;
    if (cold.grown >= line.congestion) {
      cold.grown -= line.congestion;
      line.congestion += line.mss;
    }
  }
}

/// In recovery an acknowledgement is the end of it, or tells of the next hole.
void SendHalf::leave_or_go_on(Line& line, Cold& cold, std::uint32_t bytes, std::uint32_t segments) {
  const bool whole = at_or_before(cold.recover, line.una);
  if ((line.bits & kTimedOut) != 0) {
    line.bits |= kLimited;
    grow(line, cold, bytes, segments);
    if (whole) line.bits &= ~kTimedOut;
    return;
  }
  if (whole) {
    line.bits &= ~kRecovering;
    // RFC 6582 3.2 (3), the first choice: no burst of what has gathered.
    if ((line.bits & kSack) == 0) {
      line.congestion = std::min(cold.threshold, std::max(line.most - line.una, std::uint32_t{line.mss}) + line.mss);
    }
  } else if ((line.bits & kSack) == 0) {
    line.bits |= kResendFirst;
    line.congestion -= std::min(bytes, line.congestion - line.mss);
    if (bytes >= line.mss) line.congestion += line.mss;
  } else if (cold.scoreboard.empty() && cold.recover == line.most && !cold.rescued) {
    // The peer has all up to here, and nothing of what was sent behind it, before what went again.
    cold.rescued = true;
    line.bits |= kRescueOwed;
  }
}

/// RFC 5681 3.2 and RFC 6675 section 5.
void SendHalf::take_duplicate(Line& line, Cold& cold, const SegmentSignal& told) {
  if (line.una == line.most) return;
  const bool news = take_sacks(line, cold, told);
  // What answers a probe of a shut window repeats the last acknowledgement, and tells of no loss.
  const bool repeats = (told.bits & kRepeatsAck) != 0 && (line.bits & kWindowProbed) == 0;
  if (!repeats && !news) return;
  if ((line.bits & kProbing) != 0 && repeats && !news && told.ack == cold.probe_end) line.bits &= ~kProbing;
  if ((line.bits & kRecovering) != 0) {
    if ((line.bits & kSack) == 0) line.congestion += line.mss;
    return;
  }
  // With SACK, one that tells of nothing new is no sign of a loss.
  if (repeats && ((line.bits & kSack) == 0 || news) && cold.duplicates < 0xFF) ++cold.duplicates;
  if ((line.bits & kTimedOut) != 0) return;
  const bool lost = cold.duplicates >= Scoreboard::kDuplicates || cold.scoreboard.is_lost(line.una, line.mss);
  if (lost) enter_recovery(line, cold);
}

bool SendHalf::take_sacks(Line& line, Cold& cold, const SegmentSignal& told) {
  bool news = false;
  const std::uint32_t una = later_of(line.una, told.ack);
  for (std::size_t i = 0; i < told.sacks; ++i) news |= cold.scoreboard.add(told.sack[i], una, line.most);
  return news;
}

void SendHalf::enter_recovery(Line& line, Cold& cold) {
  counters_.add(Count::tcp_fast_recoveries);
  remember_for_undo(line, cold);
  const std::uint32_t flight = std::min(line.most - line.una, line.congestion);
  cold.threshold = std::max(flight / 2, 2u * line.mss);
  cold.recover = line.most;
  cold.again = line.una;
  line.congestion = cold.threshold + ((line.bits & kSack) == 0 ? Scoreboard::kDuplicates * line.mss : 0);
  line.bits |= kRecovering | kResendFirst | kLimited;
  line.bits &= ~(kProbing | kRescueOwed);
  cold.rescued = false;
  line.next = line.most;
}

void SendHalf::remember_for_undo(Line& line, Cold& cold) {
  if ((line.bits & (kRecovering | kTimedOut)) == 0) {
    cold.saved_congestion = line.congestion;
    cold.saved_threshold = cold.threshold;
    cold.resent_ts = cold.ts_offset + Numbers::ticks(now_);
    if ((line.bits & kTimestamps) != 0) line.bits |= kMaybeSpurious;
  }
}

/// RFC 3522: the acknowledgement answers what was sent first. RFC 4015: as it was before, and nothing goes again.
void SendHalf::undo_spurious(Line& line, Cold& cold) {
  counters_.add(Count::tcp_timeouts_spurious);
  line.congestion = std::max(cold.saved_congestion, line.congestion);
  cold.threshold = cold.saved_threshold;
  line.bits &= ~(kRecovering | kTimedOut | kResendFirst);
  line.next = line.most;
  cold.round_trip.end_back_off();
}

/// RFC 8985 7.4. DSACK, which would tell both cases apart, is heard here and sent nowhere.
void SendHalf::judge_tail_probe(Line& line, Cold& cold, const SegmentSignal& told) {
  if (before(line.una, cold.probe_end)) return;
  const bool twice = told.sacks > 0 && at_or_before(told.sack[0].end, told.ack);
  const bool repaired = (line.bits & kProbeAgain) != 0 && !twice && before(cold.probe_end, line.una);
  const bool open = (line.bits & kProbeAgain) != 0 && !twice && line.una == cold.probe_end;
  if (repaired) {
    cold.threshold = std::max(line.congestion / 2, 2u * line.mss);
    line.congestion = cold.threshold;
  }
  if (!open || line.una == line.most) line.bits &= ~(kProbing | kProbeAgain);
}

/// RFC 6298 section 5, (5.4) to (5.7).
void SendHalf::time_out(ConnectionId id, Line& line, Cold& cold) {
  if (cold.stuck_ns == kNever) cold.stuck_ns = cold.started_ns;
  if (now_ - std::max(cold.stuck_ns, cold.heard_ns) >= config_.silence_ns) {
    end(id, line, EndReason::silent, line.state >= State::established);
    return;
  }
  counters_.add(Count::tcp_timeouts);
  cold.round_trip.back_off();
  cold.started_ns = now_;
  line.bits &= ~kTiming;
  make_ready(id, line);
  if (line.state < State::established) {
    line.bits |= kSynOwed;
    return;
  }
  remember_for_undo(line, cold);
  if ((line.bits & kTimedOut) == 0) {
    const std::uint32_t flight = std::min(line.most - line.una, line.congestion);
    cold.threshold = std::max(flight / 2, 2u * line.mss);
  }
  // RFC 2018 section 8: a peer may have taken back its word.
  if (cold.scoreboard.holding(line.una) || line.next == line.una) cold.scoreboard.clear();
  line.congestion = line.mss;
  line.next = line.una;
  cold.recover = line.most;
  cold.again = line.una;
  cold.duplicates = 0;
  cold.grown = 0;
  line.bits |= kTimedOut;
  line.bits &= ~(kRecovering | kResendFirst | kProbing | kProbeAgain | kLimited);
}

// ---- What to send ---------------------------------------------------------------------------------------------------

std::uint32_t SendHalf::in_flight(const Line& line, const Cold& cold) const {
  std::uint32_t flight = line.next - line.una;
  for (std::size_t i = 0; i < cold.scoreboard.count(); ++i) {
    const Range& range = cold.scoreboard.range(i);
    if (at_or_before(range.end, line.next)) flight -= range.size();
  }
  return flight;
}

/// At most `most` bytes from `sequence` on, up to what the peer has already, with FIN if it follows.
SendHalf::Piece SendHalf::piece_at(const Line& line, const Cold& cold, std::uint32_t sequence,
                                   std::uint32_t most) const {
  const std::int32_t left = distance(sequence, line.end);
  if (left < 0) return {sequence, 0, false};
  std::uint32_t bytes = std::min(static_cast<std::uint32_t>(left), most);
  if (!cold.scoreboard.empty()) {
    bytes = std::min(bytes, cold.scoreboard.next_begin(sequence, sequence + bytes) - sequence);
  }
  const bool fin = (line.bits & kFinWanted) != 0 && sequence + bytes == line.end && !cold.scoreboard.holding(line.end);
  return {sequence, bytes, fin};
}

/// The last segment that was sent, to go again, with the FIN behind it if there is one.
SendHalf::Piece SendHalf::last_piece(const Line& line, const Cold& cold) const {
  const std::uint32_t end = (line.bits & kFinWanted) != 0 && line.most == line.end + 1 ? line.end : line.most;
  const std::uint32_t size = std::min<std::uint32_t>(line.mss, end - line.una);
  return piece_at(line, cold, end - size, line.mss);
}

SendHalf::Piece SendHalf::pick(Line& line, Cold& cold) {
  if (!can_send_data(line.state)) return {};
  if ((line.bits & kResendFirst) != 0) [[unlikely]]
    return piece_at(line, cold, line.una, line.mss);
  if ((line.bits & (kRecovering | kSack)) == (kRecovering | kSack)) return pick_in_recovery(line, cold);
  return pick_next(line, cold);
}

SendHalf::Piece SendHalf::pick_next(Line& line, Cold& cold) {
  if (line.next == line.most && !has_waiting(line)) {
    line.bits &= ~kLimited;
    return {};
  }
  while (before(line.next, line.most)) {  // behind a time-out: what the peer has is passed over
    const std::optional<Range> had = cold.scoreboard.holding(line.next);
    if (!had) break;
    line.next = had->end;
  }
  Piece piece = piece_at(line, cold, line.next, line.mss);
  if (piece.empty()) return {};
  const std::int32_t room = distance(piece.sequence, line.una + line.window);
  if (room <= 0) {
    line.bits &= ~kLimited;
    return {};
  }
  const bool cut =
      piece.bytes > static_cast<std::uint32_t>(room) || (piece.fin && piece.bytes == static_cast<std::uint32_t>(room));
  if (cut) {
    piece.bytes = static_cast<std::uint32_t>(room);
    piece.fin = false;
    // RFC 9293 3.8.6.2.1: no small segments for a window that opens by drops.
    if (piece.bytes < line.mss && piece.bytes < cold.most_window / 2 && line.una != line.next &&
        piece.sequence + piece.bytes != line.end) {
      return {};
    }
  }
  std::uint32_t allowed = line.congestion;
  // RFC 3042: the first two duplicates let one new segment go each. With SACK what they tell of is out of the pipe.
  if ((line.bits & (kRecovering | kTimedOut | kSack)) == 0)
    allowed += std::min<std::uint32_t>(cold.duplicates, 2) * line.mss;
  if (in_flight(line, cold) + piece.bytes > allowed) {
    line.bits |= kLimited;
    return {};
  }
  return piece;
}

/// RFC 6675's NextSeg, while pipe leaves room for a segment. Its (4) waits for an acknowledgement that shows the tail
/// to be lost, as we often have nothing more to send while it is still on its way, and then for no room: what was
/// acknowledged has made it.
SendHalf::Piece SendHalf::pick_in_recovery(Line& line, Cold& cold) {
  if (cold.scoreboard.pipe(line.una, line.most, cold.again, line.mss) + line.mss <= line.congestion) {
    const Piece next = next_in_recovery(line, cold);
    if (!next.empty()) return next;
  }
  if ((line.bits & kRescueOwed) == 0 || cold.recover != line.most) return {};
  Piece rescue = last_piece(line, cold);  // (4)
  rescue.rescue = true;
  return rescue;
}

SendHalf::Piece SendHalf::next_in_recovery(const Line& line, const Cold& cold) const {
  const Scoreboard& board = cold.scoreboard;
  if (const auto hole = board.next_hole(cold.again, line.una, line.mss, false)) {  // (1)
    return piece_at(line, cold, hole->begin, std::min<std::uint32_t>(line.mss, hole->size()));
  }
  const Piece fresh = piece_at(line, cold, line.most, line.mss);  // (2)
  const bool taken = at_or_before(fresh.end(), line.una + line.window);
  if (has_waiting(line) && !fresh.empty() && taken) return fresh;
  if (const auto hole = board.next_hole(cold.again, line.una, line.mss, true)) {  // (3)
    return piece_at(line, cold, hole->begin, std::min<std::uint32_t>(line.mss, hole->size()));
  }
  return {};
}

}  // namespace crosswire::tcp
