// The send half of TCP: its frames, from a connection's turn to the bytes.
#include <algorithm>
#include <cstring>

#include "netstack/frame_writer/arp_reply.hpp"
#include "netstack/tcp/finish_in_place.hpp"
#include "netstack/tcp/send_half.hpp"

namespace crosswire::tcp {

using Count = TcpSendCounter;

/// All that the connection may send now. What has no room stays owed.
SendHalf::Turn SendHalf::any_turn(ConnectionId id, Line& line, Cold& cold) {
  constexpr std::uint32_t kSeldom = kDeafOwed | kTimeWaitOwed | kOpeningOwed | kResetOwed | kAskOwed | kTailProbeOwed |
                                    kWindowProbeOwed | kKeepaliveOwed;
  if ((line.bits & kSeldom) != 0 || line.state == State::ended || line.state == State::unused) [[unlikely]] {
    if (line.state == State::unused) return Turn::done;
    if (!say_owed(id, line, cold) || !send_probes(id, line, cold)) return Turn::no_room;
    if (line.state == State::unused) return Turn::done;
  }
  if ((line.bits & kSynOwed) != 0 && !send_syn(line, cold)) [[unlikely]]
    return Turn::no_room;
  Turn outcome = Turn::more;
  for (unsigned n = 0; n < kMostAtOnce; ++n) {
    const Piece piece = pick(line, cold);
    if (piece.empty()) {
      outcome = Turn::done;
      break;
    }
    if (!send_piece(id, line, cold, piece, before(piece.sequence, line.most))) return Turn::no_room;
  }
  if ((line.bits & kAckAtOnce) != 0 && line.state >= State::syn_received) {
    if (!send_bare(line, cold, sequence_to_tell(line), kAck)) return Turn::no_room;
    counters_.add(Count::tcp_acks_alone);
  }
  put_off_acknowledgement(id, line, cold);
  arm(id, line, cold);
  return outcome;
}

bool SendHalf::send_piece(ConnectionId id, Line& line, Cold& cold, const Piece& piece, bool again) {
  const bool beyond = before(line.most, piece.end());
  if (beyond && !signals_.to_receive.has_room(1)) return false;
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  if (beyond) say_sent(id, cold, piece.end());

  std::uint8_t* const options = frame + cold.header.options_offset();
  const std::size_t option_bytes = put_options(options, line, cold);
  // What ranges take of the segment is missing for data.
  const std::size_t whole = line.mss + ((line.bits & kTimestamps) != 0 ? kTimestampBytes : 0);
  const std::size_t room = whole - std::min(whole - 1, option_bytes);
  const std::uint32_t bytes = std::min<std::uint32_t>(piece.bytes, static_cast<std::uint32_t>(room));
  const bool fin = piece.fin && bytes == piece.bytes;
  const Piece sent{piece.sequence, bytes, fin};
  if (bytes > 0) {
    const std::uint64_t offset = line.una_offset + (piece.sequence - line.una);
    writer_.copy(id, offset, {options + option_bytes, bytes});
  }
  const bool last = piece.sequence + bytes == line.end;
  const auto flags = static_cast<std::uint8_t>(kAck | (fin ? kFin : 0) | (last && bytes > 0 ? kPsh : 0));
  const SegmentHead head{piece.sequence, line.receive_next, window_to_tell(line, cold), flags};
  commit(cold.header.finish(frame, head, option_bytes, option_bytes + bytes));
  counters_.add(Count::tcp_sent_bytes, bytes);
  acknowledged_now(line);

  if (again) [[unlikely]] {
    counters_.add(Count::tcp_retransmitted);
    line.bits &= ~(kTiming | kResendFirst);
    if (piece.rescue) {
      line.bits &= ~kRescueOwed;
    } else {
      cold.again = later_of(cold.again, sent.end());
    }
  } else if ((line.bits & kTiming) == 0) {
    line.bits |= kTiming;
    cold.timed_end = sent.end();
    cold.timed_ns = now_;
  }
  if (line.una == line.most) {
    cold.started_ns = now_;  // RFC 6298 (5.1)
    cold.stuck_ns = kNever;
  }
  line.next = later_of(line.next, sent.end());
  line.most = later_of(line.most, sent.end());
  cold.last_sent_ns = now_;
  if (fin) {
    if (line.state == State::established) line.state = State::fin_wait_1;
    if (line.state == State::close_wait) line.state = State::last_ack;
  }
  return true;
}

bool SendHalf::send_syn(Line& line, Cold& cold) {
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  const bool answers = line.state == State::syn_received;
  std::uint8_t* const options = frame + cold.header.options_offset();
  std::size_t n = 0;
  put_word(options, 0x0204'0000u | kOurMss);
  n += 4;
  const bool sack = !answers || (line.bits & kSack) != 0;
  const bool stamps = !answers || (line.bits & kTimestamps) != 0;
  if (stamps) {
    put_word(options + n, sack ? 0x0402'080A : 0x0101'080A);
    put_word(options + n + 4, cold.ts_offset + Numbers::ticks(now_));
    put_word(options + n + 8, answers ? line.ts_recent : 0);
    n += kTimestampBytes;
  } else if (sack) {
    put_word(options + n, 0x0101'0402);
    n += 4;
  }
  if (cold.syn_shift != kNoShift) {
    put_word(options + n, 0x0103'0300u | cold.syn_shift);
    n += 4;
  }
  const std::uint32_t window =
      std::min<std::uint32_t>(answers ? line.receive_edge - line.receive_next : config_.receive_bytes - 1, 0xFFFF);
  const auto flags = static_cast<std::uint8_t>(kSyn | (answers ? kAck : 0));
  commit(cold.header.finish(frame, {cold.iss, line.receive_next, static_cast<std::uint16_t>(window), flags}, n, n));
  line.bits &= ~kSynOwed;
  if (cold.timed_ns == kNever) {
    cold.timed_ns = now_;
    cold.stuck_ns = kNever;
  } else {
    line.bits |= kSynRepeated;
    counters_.add(Count::tcp_retransmitted);
  }
  cold.started_ns = now_;
  if (answers) acknowledged_now(line);
  return true;
}

/// Only headers and options.
bool SendHalf::send_bare(Line& line, Cold& cold, std::uint32_t sequence, std::uint8_t flags) {
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  const std::size_t options = put_options(frame + cold.header.options_offset(), line, cold);
  const std::uint16_t window = (flags & kRst) != 0 ? std::uint16_t{0} : window_to_tell(line, cold);
  commit(cold.header.finish(frame, {sequence, line.receive_next, window, flags}, options, options));
  acknowledged_now(line);
  return true;
}

/// Probes of a tail, of a window, of an idle peer.
bool SendHalf::send_probes(ConnectionId id, Line& line, Cold& cold) {
  if ((line.bits & kTailProbeOwed) != 0) {
    // RFC 8985 7.3: something new if the peer takes it, else the last segment again.
    const std::uint32_t limit = line.una + line.window;
    Piece probe = piece_at(line, cold, line.most, line.mss);
    const bool fresh = !probe.empty() && at_or_before(probe.end(), limit) && line.next == line.most;
    if (!fresh) probe = last_piece(line, cold);
    if (!probe.empty()) {
      if (!send_piece(id, line, cold, probe, !fresh)) return false;
      counters_.add(Count::tcp_probes_of_tail);
      line.bits |= kProbing | (fresh ? 0 : kProbeAgain);
      cold.probe_end = line.most;
      cold.started_ns = now_;
    }
    line.bits &= ~kTailProbeOwed;
  }
  if ((line.bits & kWindowProbeOwed) != 0) {
    const Piece probe = piece_at(line, cold, line.una, 1);
    if (!probe.empty()) {
      const bool first = line.una == line.most;
      if (!send_piece(id, line, cold, probe, !first)) return false;
      line.bits |= kWindowProbed;
      line.bits &= ~kTiming;
      counters_.add(Count::tcp_probes_of_window);
      if (cold.stuck_ns == kNever) cold.stuck_ns = now_;
    }
    cold.started_ns = now_;
    line.bits &= ~kWindowProbeOwed;
  }
  if ((line.bits & kKeepaliveOwed) != 0) {
    if (!send_bare(line, cold, line.una - 1, kAck)) return false;
    counters_.add(Count::tcp_keepalives);
    line.bits &= ~kKeepaliveOwed;
  }
  return true;
}

std::size_t SendHalf::put_options(std::uint8_t* at, const Line& line, const Cold& cold) const {
  std::size_t n = 0;
  if ((line.bits & kTimestamps) != 0) n = put_timestamps(at, cold.ts_offset + Numbers::ticks(now_), line.ts_recent);
  if (cold.hole_count == 0 || (line.bits & kSack) == 0) [[likely]]
    return n;
  const auto ranges = std::min<std::size_t>(cold.hole_count, n > 0 ? 3 : kMaxSackRanges);
  put_word(at + n, 0x0101'0500u | static_cast<std::uint32_t>(2 + 8 * ranges));
  n += 4;
  for (std::size_t i = 0; i < ranges; ++i) {
    put_word(at + n, cold.holes[i].begin);
    put_word(at + n + 4, cold.holes[i].end);
    n += 8;
  }
  return n;
}

/// SND.NXT, but within the peer's window: what is beyond it, its other words are not heard.
std::uint32_t SendHalf::sequence_to_tell(const Line& line) const {
  return earlier_of(line.most, later_of(line.una, line.una + line.window));
}

// ---- What belongs to no connection ---------------------------------------------------------------------------------

/// A segment of no connection: RST, or SYN and ACK with a cookie. Nothing is kept of it, not even for want of a frame.
void SendHalf::answer(const AnswerSignal& told) {
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return counters_.add(Count::tcp_answers_lost);
  const SegmentTemplate header(net_, told.port, told.remote);
  std::size_t options = 0;
  if ((told.flags & kSyn) != 0) {
    put_word(frame + header.options_offset(), 0x0204'0000u | kOurMss);
    options = 4;
  } else {
    counters_.add(Count::tcp_resets_answered);
  }
  commit(header.finish(frame, {told.sequence, told.acknowledgement, told.window, told.flags}, options, options));
}

void SendHalf::answer_arp(const Remote& who) {
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return counters_.add(Count::tcp_answers_lost);
  port_.commit(write_arp_reply(frame, net_, {who.mac, who.vlan, who.address}), origin_);
  ++committed_;
}

}  // namespace crosswire::tcp
