// The send half of TCP: see send_half.hpp. Signals in, frames out, the lists and the timers; what becomes of a
// connection is in fate.cpp, what may be sent in congestion.cpp.
#include "netstack/tcp/send_half.hpp"

#include <algorithm>
#include <cstring>

#include "hugepages/base/check.hpp"
#include "netstack/common/mac_number.hpp"
#include "netstack/frame_writer/arp_reply.hpp"

namespace crosswire::tcp {

using Count = TcpSendCounter;

namespace {

constexpr std::size_t kMostFramesPerPoll = 2 * kMaxBurst;

void put_word(std::uint8_t* at, std::uint32_t value) {
  const std::uint32_t word = __builtin_bswap32(value);
  std::memcpy(at, &word, sizeof word);
}

std::size_t put_timestamps(std::uint8_t* at, std::uint32_t value, std::uint32_t echo) {
  put_word(at, 0x0101'080A);
  put_word(at + 4, value);
  put_word(at + 8, echo);
  return kTimestampBytes;
}

}  // namespace

SendHalf::SendHalf(const TcpConfig& config, const NetConfig& net, Signals& signals, StreamWriter& writer, TxPort& port,
                   Arena& arena)
    : config_(config),
      net_(net),
      signals_(signals),
      writer_(writer),
      port_(port),
      numbers_(config.secret),
      wheel_(arena, config.connections),
      lines_(arena.array<Line>(config.connections)),
      cold_(arena.array<Cold>(config.connections)),
      ours_free_(arena.array<bool>(config.opened_by_us)) {
  std::fill(ours_free_.begin(), ours_free_.end(), true);
}

std::size_t SendHalf::bytes_for(const TcpConfig& config) {
  return TimerWheel::bytes_for(config.connections) + Arena::bytes_for<Line>(config.connections) +
         Arena::bytes_for<Cold>(config.connections) + Arena::bytes_for<bool>(config.opened_by_us);
}

std::size_t SendHalf::poll(TimeNs now) {
  if (!started_) [[unlikely]] {
    started_ = true;
    wheel_.start_at(now);
  }
  now_ = now;
  committed_ = 0;
  std::size_t taken = 0;
  for (; const ToSend* const told = signals_.to_send.front(); ++taken) {
    take_signal(*told);
    signals_.to_send.drop_front();
  }
  wheel_.advance(now, [this](std::uint16_t entry) { expired(ConnectionId{entry}); });
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

TimeNs SendHalf::next_timer(TimeNs none) const {
  TimeNs next = wheel_.earliest(none);
  if (delayed_first_ != kNobody) next = std::min(next, cold_[delayed_first_].delay_until_ns);
  return next;
}

// ---- Signals --------------------------------------------------------------------------------------------------------

void SendHalf::take_signal(const ToSend& told) {
  const ConnectionId id = told.connection;
  switch (told.kind) {
    case ToSendKind::segment: {
      Line& line = lines_[id.value];
      if (line.state >= State::syn_sent && line.state < State::ended) take_segment(id, line, told.segment);
      break;
    }
    case ToSendKind::holes: {
      Cold& cold = cold_[id.value];
      cold.holes = told.holes.ranges;
      cold.hole_count = told.holes.count;
      break;
    }
    case ToSendKind::moved:
      cold_[id.value].remote = told.remote;
      cold_[id.value].header = SegmentTemplate(net_, cold_[id.value].port, told.remote);
      break;
    case ToSendKind::opening:
      take_opening(id, told.opening);
      break;
    case ToSendKind::answer:
      answer(told.answer);
      break;
    case ToSendKind::ended:
      take_end(id, lines_[id.value], told.reason, told.reset);
      break;
    case ToSendKind::resolved:
      take_resolved(told.remote);
      break;
    case ToSendKind::asked:
      answer_arp(told.remote);
      break;
    case ToSendKind::forgotten:
      CHECK(id.value < ours_free_.size() && !ours_free_[id.value], "connection %u is forgotten", id.value);
      ours_free_[id.value] = true;
      break;
  }
}

void SendHalf::take_segment(ConnectionId id, Line& line, const SegmentSignal& told) {
  Cold& cold = cold_[id.value];
  cold.heard_ns = now_;
  if (line.una == line.most) cold.stuck_ns = kNever;
  line.receive_next = told.receive_next;
  line.receive_edge = told.receive_next + told.receive_window;
  line.ts_recent = told.ts_recent;
  if ((told.bits & kTakesWindow) != 0) {
    const bool opens = line.window == 0 && told.window != 0;
    line.window = told.window;
    cold.most_window = std::max(cold.most_window, told.window);
    if (opens && line.state >= State::established) [[unlikely]] {
      // What was sent into the shut window was most likely not taken.
      if ((line.bits & kWindowProbed) != 0) line.next = line.una;
      line.bits &= ~kWindowProbed;
      cold.started_ns = now_;
      cold.stuck_ns = kNever;
      cold.round_trip.end_back_off();
    }
  }
  // It has answered a probe: silence counts from the first that it does not.
  if ((line.bits & kWindowProbed) != 0) cold.stuck_ns = kNever;
  if ((told.bits & kTakesAck) != 0) {
    take_acknowledgement(id, line, cold, told);
    if (line.state == State::ended) return;
  } else if ((told.bits & kRepeatsAck) != 0 || told.sacks > 0) {
    take_duplicate(line, cold, told);
  }
  if ((told.bits & (kSynAgain | kPeerFinished)) != 0) [[unlikely]] {
    if ((told.bits & kSynAgain) != 0 && line.state == State::syn_received) line.bits |= kSynOwed;
    if ((told.bits & kPeerFinished) != 0) take_fin(id, line, cold);
  }
  owe_acknowledgement(id, line, cold, told);
  if ((line.bits & kOpened) != 0) writer_.heard(id);
  constexpr std::uint32_t kOwed = kAckAtOnce | kSynOwed | kResendFirst | kRecovering;
  if ((line.bits & kOwed) != 0 || line.next != line.most || has_waiting(line)) {
    make_ready(id, line);
  } else {
    arm(id, line, cold);
  }
}

void SendHalf::owe_acknowledgement(ConnectionId id, Line& line, Cold& cold, const SegmentSignal& told) {
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
  if ((line.bits & kInDelay) != 0) return;
  line.bits |= kInDelay;
  cold.next_delayed = kNobody;
  if (delayed_first_ == kNobody) {
    delayed_first_ = id.value;
  } else {
    cold_[delayed_last_].next_delayed = id.value;
  }
  delayed_last_ = id.value;
}

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
  port_.commit(write_arp_reply(frame, net_, {who.mac, who.vlan, who.address}), {});
  ++committed_;
}

bool SendHalf::push(ToReceiveKind kind, ConnectionId id, const Cold& cold, std::uint32_t number, EndReason reason) {
  return signals_.to_receive.push(
      {kind, reason, id, number, cold.remote.address, cold.remote.port, cold.port, cold.turn});
}

// ---- Frames ---------------------------------------------------------------------------------------------------------

void SendHalf::make_ready(ConnectionId id, Line& line) {
  if ((line.bits & kReady) != 0) return;
  line.bits |= kReady;
  cold_[id.value].next_ready = kNobody;
  if (ready_first_ == kNobody) {
    ready_first_ = id.value;
  } else {
    cold_[ready_last_].next_ready = id.value;
  }
  ready_last_ = id.value;
}

/// All that the connection may send now. What has no room stays owed.
SendHalf::Turn SendHalf::turn(ConnectionId id) {
  Line& line = lines_[id.value];
  Cold& cold = cold_[id.value];
  constexpr std::uint32_t kSeldom =
      kDeafOwed | kTimeWaitOwed | kOpeningOwed | kResetOwed | kAskOwed | kTailProbeOwed | kWindowProbeOwed | kKeepaliveOwed;
  if ((line.bits & kSeldom) != 0 || line.state == State::ended || line.state == State::unused) [[unlikely]] {
    if (line.state == State::unused) return Turn::done;
    if (!say_owed(id, line, cold) || !send_probes(id, line, cold)) return Turn::no_room;
    if (line.state == State::unused) return Turn::done;
  }
  if ((line.bits & kSynOwed) != 0 && !send_syn(id, line, cold)) [[unlikely]]
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
  arm(id, line, cold);
  return outcome;
}

bool SendHalf::send_piece(ConnectionId id, Line& line, Cold& cold, const Piece& piece, bool again) {
  const bool beyond = before(line.most, piece.end());
  if (beyond && !signals_.to_receive.has_room(1)) return false;
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  if (beyond) push(ToReceiveKind::sent, id, cold, piece.end());

  std::uint8_t* const options = frame + cold.header.options_offset();
  const std::size_t option_bytes = put_options(options, line, cold);
  // What ranges take of the segment is missing for data.
  const std::size_t room = kOurMss - option_bytes;
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
    cold.again = later_of(cold.again, sent.end());
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

bool SendHalf::send_syn(ConnectionId id, Line& line, Cold& cold) {
  (void)id;
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
  const std::uint32_t window = std::min<std::uint32_t>(
      answers ? line.receive_edge - line.receive_next : config_.receive_bytes - 1, 0xFFFF);
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
    if (!fresh) {
      const std::uint32_t end = (line.bits & kFinWanted) != 0 && line.most == line.end + 1 ? line.end : line.most;
      const std::uint32_t size = std::min<std::uint32_t>(line.mss, end - line.una);
      probe = piece_at(line, cold, end - size, line.mss);
    }
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

/// Acknowledgements that wait for an answer to ride on, the oldest first: alone when their time has come, or when the
/// answers have passed.
bool SendHalf::send_delayed() {
  std::uint16_t stop = kNobody;  // the first that was put off in this call
  while (delayed_first_ != kNobody && delayed_first_ != stop) {
    const std::uint16_t place = delayed_first_;
    Line& line = lines_[place];
    Cold& cold = cold_[place];
    const bool owed = (line.bits & kAckOwed) != 0 && line.state >= State::syn_received && line.state < State::ended;
    const bool due = cold.delay_until_ns <= now_ || (cold.covers != kNoNumber && cold.covers <= passed_);
    if (owed && due) {
      if (!send_bare(line, cold, sequence_to_tell(line), kAck)) return false;
      counters_.add(Count::tcp_acks_alone);
    }
    delayed_first_ = cold.next_delayed;
    if (delayed_first_ == kNobody) delayed_last_ = kNobody;
    if (!owed || due) {
      line.bits &= ~kInDelay;
      continue;
    }
    // It has come anew while it stood here: behind those that came before.
    if (stop == kNobody) stop = place;
    cold.next_delayed = kNobody;
    if (delayed_first_ == kNobody) {
      delayed_first_ = place;
    } else {
      cold_[delayed_last_].next_delayed = place;
    }
    delayed_last_ = place;
  }
  return true;
}

void SendHalf::commit(std::size_t length) {
  port_.commit(length, {});
  counters_.add(Count::tcp_sent);
  ++committed_;
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

/// Rounded up: what is told never moves back by the rounding, and the receive half has kept room for it.
std::uint16_t SendHalf::window_to_tell(const Line& line, const Cold& cold) const {
  const std::uint32_t window = line.receive_edge - line.receive_next;
  return static_cast<std::uint16_t>(std::min<std::uint32_t>((window + (1u << cold.shift) - 1) >> cold.shift, 0xFFFF));
}

/// SND.NXT, but within the peer's window: what is beyond it, its other words are not heard.
std::uint32_t SendHalf::sequence_to_tell(const Line& line) const {
  return earlier_of(line.most, later_of(line.una, line.una + line.window));
}

void SendHalf::acknowledged_now(Line& line) {
  line.acknowledged = line.receive_next;
  line.bits &= ~(kAckOwed | kAckAtOnce);
}

// ---- Timers ---------------------------------------------------------------------------------------------------------

/// The one timer that the connection has, from what it waits for. The wheel is told only of what comes earlier: what it
/// has then expires in vain, and is set again.
void SendHalf::arm(ConnectionId id, Line& line, Cold& cold) {
  // The usual case: all is acknowledged, and nothing waits.
  const bool open = line.state == State::established || line.state == State::close_wait;
  if (open && line.una == line.most && line.end == line.most && config_.keepalive_ns == 0 &&
      (line.bits & kFinWanted) == 0) [[likely]] {
    line.timer = Timer::none;
    line.due_ns = kNever;
    return;
  }
  const TimeNs timeout = cold.round_trip.timeout_ns(config_);
  const TimeNs gives_up = cold.stuck_ns == kNever ? kNever : cold.stuck_ns + config_.silence_ns;
  const TimeNs retransmit_at = std::min(cold.started_ns + timeout, gives_up);
  switch (line.state) {
    case State::unused:
    case State::ended:
    case State::resolving:
    case State::time_wait:
      return;  // set where they begin
    case State::syn_sent:
    case State::syn_received:
      if ((line.bits & kSynOwed) == 0) set_timer(id, line, cold, Timer::retransmit, retransmit_at);
      return;
    default:
      break;
  }
  const bool under_way = line.una != line.most;
  if (line.window == 0 && (under_way || has_waiting(line))) {
    set_timer(id, line, cold, Timer::window_probe, retransmit_at);
  } else if (under_way) {
    const bool alone = line.most - line.una <= line.mss;
    const TimeNs probe_at = std::max(cold.last_sent_ns, cold.started_ns) + cold.round_trip.probe_timeout_ns(config_, alone);
    const bool probes = (line.bits & kSack) != 0 && (line.bits & (kRecovering | kTimedOut | kProbing)) == 0 &&
                        line.next == line.most && cold.scoreboard.empty() && probe_at < retransmit_at;
    set_timer(id, line, cold, probes ? Timer::tail_probe : Timer::retransmit, probes ? probe_at : retransmit_at);
  } else if (line.state == State::fin_wait_2 && (line.bits & kDeaf) != 0) {
    set_timer(id, line, cold, Timer::fin_wait, cold.started_ns + config_.fin_wait_ns);
  } else if (config_.keepalive_ns > 0) {
    const TimeNs again = cold.stuck_ns == kNever ? cold.heard_ns + config_.keepalive_ns : now_ + kNsPerSecond;
    set_timer(id, line, cold, Timer::keepalive, std::min(again, gives_up));
  } else {
    line.timer = Timer::none;
    line.due_ns = kNever;
  }
}

void SendHalf::set_timer(ConnectionId id, Line& line, Cold& cold, Timer timer, TimeNs at) {
  line.timer = timer;
  line.due_ns = at;
  if (wheel_.is_set(id.value) && cold.wheel_ns <= at) [[likely]]
    return;
  cold.wheel_ns = at;
  wheel_.set(id.value, at);
}

void SendHalf::expired(ConnectionId id) {
  Line& line = lines_[id.value];
  if (line.timer == Timer::none || line.state == State::unused) return;
  if (line.due_ns > now_) {
    set_timer(id, line, cold_[id.value], line.timer, line.due_ns);
    return;
  }
  fire(id, line, cold_[id.value]);
}

void SendHalf::fire(ConnectionId id, Line& line, Cold& cold) {
  const Timer timer = line.timer;
  line.timer = Timer::none;
  line.due_ns = kNever;
  const TimeNs stuck = cold.stuck_ns;
  switch (timer) {
    case Timer::none:
      return;
    case Timer::resolve: {
      constexpr std::uint8_t kTries = 3;
      if (cold.resolve_tries >= kTries) {
        end(id, line, EndReason::unresolved, false);
        return;
      }
      line.bits |= kAskOwed;
      break;
    }
    case Timer::retransmit:
      time_out(id, line, cold);
      return;
    case Timer::tail_probe:
      line.bits |= kTailProbeOwed;
      break;
    case Timer::window_probe:
      // Whoever answers probes is alive, however long it reads nothing: its connection falls behind alone.
      if (stuck != kNever && now_ - stuck >= config_.silence_ns) {
        end(id, line, EndReason::silent, true);
        return;
      }
      cold.round_trip.back_off();
      line.bits |= kWindowProbeOwed;
      break;
    case Timer::keepalive:
      if (stuck != kNever && cold.heard_ns > stuck) cold.stuck_ns = kNever;
      if (now_ - cold.heard_ns < config_.keepalive_ns) break;
      if (cold.stuck_ns == kNever) cold.stuck_ns = now_;
      if (now_ - cold.stuck_ns >= config_.silence_ns) {
        end(id, line, EndReason::silent, true);
        return;
      }
      line.bits |= kKeepaliveOwed;
      break;
    case Timer::fin_wait:
      end(id, line, EndReason::silent, false);
      return;
    case Timer::time_wait:
      end(id, line, EndReason::finished, false);
      return;
  }
  make_ready(id, line);
}

}  // namespace crosswire::tcp
