// The send half of TCP: see send_half.hpp. Signals in, and the lists of who has something to send. A poll and what it
// does nearly always are in send_plain.cpp, frames in frames.cpp, timers in timers.cpp, what becomes of a connection in
// fate.cpp, what may be sent in congestion.cpp.
#include "netstack/tcp/send_half.hpp"

#include <algorithm>

#include "hugepages/base/check.hpp"

namespace crosswire::tcp {

using Count = TcpSendCounter;

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
  CHECK(config.least_rto_ns <= config.most_rto_ns, "a time-out of at least %llu ns",
        static_cast<unsigned long long>(config.least_rto_ns));
}

std::size_t SendHalf::bytes_for(const TcpConfig& config) {
  return TimerWheel::bytes_for(config.connections) + Arena::bytes_for<Line>(config.connections) +
         Arena::bytes_for<Cold>(config.connections) + Arena::bytes_for<bool>(config.opened_by_us);
}

TimeNs SendHalf::next_timer(TimeNs none) const {
  TimeNs next = wheel_.earliest(none);
  if (delayed_first_ != kNobody) next = std::min(next, cold_[delayed_first_].delay_until_ns);
  return next;
}

// ---- Signals --------------------------------------------------------------------------------------------------------

/// What is no segment's.
void SendHalf::take_other(const ToSend& told) {
  const ConnectionId id = told.connection;
  switch (told.kind) {
    case ToSendKind::segment:
      break;
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

void SendHalf::take_any(ConnectionId id, Line& line, Cold& cold, const SegmentSignal& told) {
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
