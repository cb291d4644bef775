// The send half of TCP: see send_half.hpp. Signals in, and the lists of who has something to send. Frames are in
// frames.cpp, timers in timers.cpp, what becomes of a connection in fate.cpp, what may be sent in congestion.cpp.
#include "netstack/tcp/send_half.hpp"

#include <algorithm>

#include "hugepages/base/check.hpp"

namespace crosswire::tcp {

using Count = TcpSendCounter;

namespace {

constexpr std::size_t kMostFramesPerPoll = 2 * kMaxBurst;

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
    now_ = now;
  }
  // What the peer has said in a standstill may be behind what was taken so far: nothing was late yet. Not twice in a
  // row, or the timers of who polls seldom would never expire.
  const bool stood_still = config_.standstill_ns > 0 && now > now_ + config_.standstill_ns;
  if (stood_still && timers_looked_at_) [[unlikely]] {
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
    take_signal(*told);
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
  const bool heard = told.segments > 0;
  if (heard) {
    cold.heard_ns = now_;
    // It has answered a probe: silence counts from the first that it does not.
    if (line.una == line.most || (line.bits & kWindowProbed) != 0) cold.stuck_ns = kNever;
  }
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

void SendHalf::owe_acknowledgement(Line& line, Cold& cold, const SegmentSignal& told) {
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

/// What is owed, and has had nothing to ride on.
void SendHalf::put_off_acknowledgement(ConnectionId id, Line& line, Cold& cold) {
  if ((line.bits & (kAckOwed | kInDelay)) != kAckOwed) return;
  line.bits |= kInDelay;
  cold.next_delayed = kNobody;
  if (delayed_first_ == kNobody) {
    delayed_first_ = id.value;
  } else {
    cold_[delayed_last_].next_delayed = id.value;
  }
  delayed_last_ = id.value;
}

bool SendHalf::push(ToReceiveKind kind, ConnectionId id, const Cold& cold, std::uint32_t number, EndReason reason) {
  return signals_.to_receive.push(
      {kind, reason, id, number, cold.remote.address, cold.remote.port, cold.port, cold.turn});
}

// ---- Lists ---------------------------------------------------------------------------------------------------------

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

}  // namespace crosswire::tcp
