// The receive half of TCP: see receive_half.hpp. The general way of a segment of a connection that there is; what is as
// foreseen goes through receive_predicted.cpp, how connections begin and end is in receive_ends.cpp, what the send half
// is told in receive_signals.cpp.
#include "netstack/tcp/receive_half.hpp"

#include <algorithm>
#include <bit>

#include "hugepages/base/check.hpp"

namespace crosswire::tcp {

using Count = TcpReceiveCounter;

ReceiveHalf::ReceiveHalf(const TcpConfig& config, std::uint32_t address, Signals& signals, StreamReader& reader,
                         Arena& arena)
    : config_(config),
      address_(address),
      our_sum_(pseudo_sum(0, address, 0)),
      signals_(signals),
      reader_(reader),
      numbers_(config.secret),
      table_(arena, config.connections, config.secret),
      hot_(arena.array<Hot>(config.connections)),
      cold_(arena.array<Cold>(config.connections)),
      free_(arena.array<std::uint16_t>(config.connections)),
      forgotten_(arena.array<std::uint16_t>(config.connections)),
      receive_shift_(window_shift(config.receive_bytes)),
      resets_(config.resets_per_second, 1),
      challenges_(config.challenges_per_second, 2),
      cookies_(config.cookies_per_second, std::max(1u, config.cookies_per_second / 20)) {
  CHECK(std::has_single_bit(config.receive_bytes), "a window of %u bytes", config.receive_bytes);
  CHECK(config.opened_by_us <= config.connections && config.connections <= 32'768, "%u connections of %u",
        config.opened_by_us, config.connections);
  for (Cold& cold : cold_) cold.reassembly = Reassembly(arena.array<std::uint8_t>(config.receive_bytes));
  // Those kept for connections that we open come first, and are the send half's to give.
  for (std::size_t id = config.connections; id > config.opened_by_us; --id) {
    free_[free_n_++] = static_cast<std::uint16_t>(id - 1);
  }
}

std::size_t ReceiveHalf::bytes_for(const TcpConfig& config) {
  return ConnectionTable::bytes_for(config.connections) + Arena::bytes_for<Hot>(config.connections) +
         Arena::bytes_for<Cold>(config.connections) + 2 * Arena::bytes_for<std::uint16_t>(config.connections) +
         config.connections * Arena::bytes_for<std::uint8_t>(config.receive_bytes);
}

bool ReceiveHalf::drop(Count counter) {
  counters_.add(counter);
  return true;
}

// ---- Segments -------------------------------------------------------------------------------------------------------

bool ReceiveHalf::take_any(const SegmentSource& from, wire::Bytes bytes, bool checked, TimeNs now) {
  if (!signals_.to_send.has_room(kMostSignals)) return false;
  end_burst();  // what changes here is not what was held
  counters_.add(Count::tcp_segments);
  Arrival arrival{from, {}, 0, now};
  const Count fault = parse_segment(bytes, from.address, address_, checked, arrival.segment);
  if (fault != kNoTcpDrop) return drop(fault);
  arrival.key = ConnectionTable::key_of(from.address, arrival.segment.source_port, arrival.segment.destination_port);
  const std::optional<ConnectionId> id = table_.find(arrival.key);
  return id ? take_general(*id, hot_[id->value], arrival) : take_unknown(arrival);
}

bool ReceiveHalf::take_general(ConnectionId id, Hot& hot, Arrival& arrival) {
  Segment& segment = arrival.segment;
  if (segment.has(kSyn) && (segment.has(kFin) || segment.has(kRst))) return drop(Count::tcp_flags);
  switch (hot.state) {
    case State::draining:
      return drop(Count::tcp_dead);
    case State::dead:
      return take_when_dead(id, hot, arrival);
    case State::syn_sent:
      return take_in_syn_sent(id, hot, arrival);
    case State::time_wait:
      return take_in_time_wait(id, hot, arrival);
    default:
      break;
  }
  Cold& cold = cold_[id.value];
  if (segment.has(kRst)) return take_reset(id, hot, arrival);
  if (segment.has(kSyn)) return take_syn_again(id, hot, arrival);
  if ((hot.bits & kTimestamps) != 0) {
    // RFC 7323 3.2 and 5.3, R1.
    if (!segment.has_timestamps) return drop(Count::tcp_no_timestamp);
    if (before(segment.ts_value, hot.ts_recent)) {
      // As seldom as an attack, but for what may have been data of this stream.
      const bool ours = segment.length() > 0 && hot.receive_next - segment.sequence <= cold.capacity + 1;
      ours ? acknowledge_now(id, hot) : challenge(id, hot, arrival.now);
      return drop(Count::tcp_old_timestamp);
    }
  }
  if (!is_acceptable(hot, segment)) return take_outside(id, hot, arrival);
  if (!segment.has(kAck)) return drop(Count::tcp_no_ack);

  if (hot.state == State::syn_received) {
    // RFC 9293 3.10.7.4, fifth.
    if (!before(hot.una, segment.acknowledgement) || before(hot.sent, segment.acknowledgement)) {
      return answer_reset(arrival, Count::tcp_ack_invalid);
    }
  } else {
    // RFC 5961 section 5: what is beyond, or older than any window.
    const bool beyond = before(hot.sent, segment.acknowledgement);
    const bool ancient = before(segment.acknowledgement, hot.una - cold.most_window);
    if (beyond && config_.replays) {
      hot.sent = segment.acknowledgement;
    } else if (beyond || ancient) {
      challenge(id, hot, arrival.now);
      return drop(Count::tcp_ack_invalid);
    }
  }
  note_station(id, hot, arrival);
  // R3: of what begins at or before what comes next.
  if (segment.has_timestamps && at_or_before(segment.sequence, hot.receive_next)) hot.ts_recent = segment.ts_value;
  std::uint8_t bits = take_acknowledgement(hot, cold, segment);
  if (hot.state == State::syn_received) {
    bits |= kTakesAck;
    become_open(id, hot);
  }
  std::uint64_t covers = kNoNumber;
  if (segment.length() > 0) {
    bits |= take_text(id, hot, cold, segment, covers);
    if (hot.state == State::dead) return true;
  } else {
    counters_.add(Count::tcp_acks);
  }
  signal_segment(id, hot, &segment, bits, covers);
  return true;
}

/// RFC 9293 3.4, table 5; an acknowledgement may also stand just beyond the window, as that of a peer that has filled
/// it does. A window that is shut lets in no data, but what comes next is heard for its acknowledgement.
bool ReceiveHalf::is_acceptable(const Hot& hot, const Segment& segment) const {
  const std::uint32_t window = room_of(hot);
  const std::uint32_t offset = segment.sequence - hot.receive_next;
  const std::uint32_t length = segment.length();
  if (length == 0 || window == 0) return offset <= window;
  const std::uint32_t last = offset + length - 1;
  return offset < window || last < window;
}

bool ReceiveHalf::take_outside(ConnectionId id, Hot& hot, Arrival& arrival) {
  const Segment& segment = arrival.segment;
  // Data that has just been taken comes again where our acknowledgement was lost: that is told at once. What never can
  // have been sent here is told as seldom as an attack.
  const std::uint32_t behind = hot.receive_next - segment.sequence;
  if (segment.length() > 0 && behind <= cold_[id.value].capacity + 1) {
    acknowledge_now(id, hot);
    return drop(before(segment.sequence, hot.receive_next) ? Count::tcp_repeated : Count::tcp_out_of_window);
  }
  challenge(id, hot, arrival.now);
  return drop(Count::tcp_out_of_window);
}

/// RFC 9293 3.10.7.4, fifth, and RFC 5681 section 2 for what repeats an acknowledgement.
std::uint8_t ReceiveHalf::take_acknowledgement(Hot& hot, Cold& cold, const Segment& segment) {
  std::uint8_t bits = 0;
  const std::uint32_t window = std::uint32_t{segment.window} << hot.shift;
  const bool newer = before(hot.una, segment.acknowledgement);
  if (newer) {
    hot.una = segment.acknowledgement;
    bits |= kTakesAck;
  } else if (segment.acknowledgement == hot.una && segment.length() == 0 && window == hot.window &&
             hot.una != hot.sent) {
    bits |= kRepeatsAck;
  }
  const bool current =
      before(hot.window_sequence, segment.sequence) ||
      (hot.window_sequence == segment.sequence && at_or_before(hot.window_ack, segment.acknowledgement));
  if (current && at_or_before(hot.una, segment.acknowledgement)) {
    hot.window_sequence = segment.sequence;
    hot.window_ack = segment.acknowledgement;
    hot.window = window;
    cold.most_window = std::max(cold.most_window, window);
    bits |= kTakesWindow;
  }
  return bits;
}

/// Data and FIN, cut to the window. Returns how it is to be acknowledged.
std::uint8_t ReceiveHalf::take_text(ConnectionId id, Hot& hot, Cold& cold, Segment& segment, std::uint64_t& covers) {
  if ((hot.bits & kFinished) != 0) return kAckNow;  // behind a FIN nothing comes
  std::uint32_t sequence = segment.sequence;
  wire::Bytes bytes = segment.payload;
  bool fin = segment.has(kFin);
  if (before(sequence, hot.receive_next)) {
    const auto again = std::min<std::size_t>(hot.receive_next - sequence, bytes.size());
    bytes = bytes.subspan(again);
    sequence += static_cast<std::uint32_t>(again);
  }
  const std::uint32_t room = room_of(hot) - (sequence - hot.receive_next);
  if (bytes.size() > room) {
    bytes = bytes.first(room);
    fin = false;
    counters_.add(Count::tcp_windows_full);
  }
  if (!bytes.empty() && (hot.bits & kDeaf) != 0) {
    end(id, hot, EndReason::data_after_close, true);
    return 0;
  }
  // A FIN below what has come already contradicts it, and is none.
  const std::uint32_t end = sequence + static_cast<std::uint32_t>(bytes.size());
  if (fin && (hot.bits & kFinKnown) == 0 && !cold.reassembly.reaches_beyond(end)) {
    hot.bits |= kFinKnown;
    cold.fin = end;
  }
  // Bytes behind the peer's own FIN are nobody's.
  if ((hot.bits & kFinKnown) != 0 && before(cold.fin, sequence + static_cast<std::uint32_t>(bytes.size()))) {
    bytes = bytes.first(before(sequence, cold.fin) ? cold.fin - sequence : 0);
  }

  std::uint8_t bits = kAckNow;
  if (sequence != hot.receive_next) {
    if (!cold.reassembly.keep(sequence, bytes)) {
      counters_.add(Count::tcp_too_many_holes);
    } else {
      note_holes(hot, cold);
      counters_.add(Count::tcp_out_of_order);
      signal_holes(id, cold);
    }
    return bits;
  }
  if (!bytes.empty()) {
    counters_.add(Count::tcp_in_order);
    const bool had_holes = cold.reassembly.has_holes();
    if (!had_holes && segment.sequence == sequence && bytes.size() == segment.payload.size()) bits = kAckLater;
    covers = hand_over(id, hot, cold, bytes);
    if (had_holes) {
      const std::uint32_t next = cold.reassembly.close_hole(hot.receive_next);
      hot.unread += next - hot.receive_next;
      hot.receive_next = next;
      const std::uint64_t more = drain(id, hot, cold);
      if (more != kNoNumber) covers = more;
      note_holes(hot, cold);
      signal_holes(id, cold);
    }
  }
  if ((hot.bits & kFinKnown) != 0 && hot.receive_next == cold.fin) {
    ++hot.receive_next;
    ++hot.edge;  // FIN takes a number, and no room
    ++hot.widens_at;
    hot.bits |= kFinished;
    bits = kAckNow | kPeerFinished;
    tell_finished(id, hot);
  }
  widen(hot, cold);
  return bits;
}

/// The next bytes of the stream: to the reader, and what it leaves to the connection's memory.
std::uint64_t ReceiveHalf::hand_over(ConnectionId id, Hot& hot, Cold& cold, wire::Bytes bytes) {
  std::uint64_t covers = kNoNumber;
  if (hot.unread == 0) {
    const StreamReader::Taken taken = reader_.take(id, bytes);
    CHECK(taken.bytes <= bytes.size(), "%zu bytes taken of %zu", taken.bytes, bytes.size());
    covers = taken.covers;
    counters_.add(Count::tcp_bytes, taken.bytes);
    hot.receive_next += static_cast<std::uint32_t>(taken.bytes);
    bytes = bytes.subspan(taken.bytes);
    if (bytes.empty()) return covers;
  }
  leave_unread(id, hot, cold, bytes);
  return covers;
}

void ReceiveHalf::leave_unread(ConnectionId id, Hot& hot, Cold& cold, wire::Bytes bytes) {
  cold.reassembly.store(hot.receive_next, bytes);
  hot.receive_next += static_cast<std::uint32_t>(bytes.size());
  hot.unread += static_cast<std::uint32_t>(bytes.size());
  if ((hot.bits & kUnread) == 0) {
    hot.bits |= kUnread;
    cold.next_unread = first_unread_;
    first_unread_ = id.value;
  }
}

/// Unread bytes to the reader, as far as it takes them.
std::uint64_t ReceiveHalf::drain(ConnectionId id, Hot& hot, Cold& cold) {
  std::uint64_t covers = kNoNumber;
  const std::uint32_t behind = (hot.bits & kFinished) != 0 ? 1 : 0;
  while (hot.unread > 0) {
    const wire::Bytes bytes = cold.reassembly.read(hot.receive_next - behind - hot.unread, hot.unread);
    const StreamReader::Taken taken = reader_.take(id, bytes);
    CHECK(taken.bytes <= bytes.size(), "%zu bytes taken of %zu", taken.bytes, bytes.size());
    if (taken.covers != kNoNumber) covers = taken.covers;
    counters_.add(Count::tcp_bytes, taken.bytes);
    hot.unread -= static_cast<std::uint32_t>(taken.bytes);
    if (taken.bytes < bytes.size()) break;
  }
  if (hot.unread > 0 && (hot.bits & kUnread) == 0) {
    hot.bits |= kUnread;
    cold.next_unread = first_unread_;
    first_unread_ = id.value;
  }
  return covers;
}

void ReceiveHalf::tell_finished(ConnectionId id, Hot& hot) {
  if ((hot.bits & (kFinished | kToldFinished)) != kFinished || hot.unread > 0) return;
  hot.bits |= kToldFinished;
  reader_.finished(id);
}

std::size_t ReceiveHalf::offer_again() {
  if (first_unread_ == kNobody) [[likely]]
    return 0;
  std::size_t taken = 0;
  std::uint16_t* link = &first_unread_;
  while (*link != kNobody) {
    const ConnectionId id{*link};
    Hot& hot = hot_[id.value];
    Cold& cold = cold_[id.value];
    const bool reads = hot.state == State::open || hot.state == State::time_wait || hot.state == State::draining;
    if (reads && hot.unread > 0 && signals_.to_send.has_room(2)) {
      const std::uint32_t before = hot.unread;
      offer(id, hot, cold);
      taken += before - hot.unread;
    }
    if (reads && hot.unread > 0) {
      link = &cold.next_unread;
      continue;
    }
    hot.bits &= static_cast<std::uint16_t>(~kUnread);
    *link = cold.next_unread;
    if (hot.state == State::draining) forget(id, EndReason::finished);
  }
  return taken;
}

void ReceiveHalf::offer(ConnectionId id, Hot& hot, Cold& cold) {
  const std::uint32_t before = hot.unread;
  const std::uint64_t covers = drain(id, hot, cold);
  tell_finished(id, hot);
  if (hot.unread == before || hot.state == State::draining) return;
  // The peer may wait for the window, and hears of it only from us; the writer, for what the reader has taken.
  const bool widens = widen(hot, cold) && (hot.bits & kFinished) == 0;
  signal_segment(id, hot, nullptr, widens ? kAckNow : std::uint8_t{0}, covers);
}

/// Opens the window by a good piece or not at all (RFC 9293 3.8.6.2.2), and never takes back what was said.
bool ReceiveHalf::widen(Hot& hot, const Cold& cold) {
  if (!widens(hot)) return false;
  set_edge(hot, cold, hot.receive_next - hot.unread + cold.capacity);
  return true;
}

void ReceiveHalf::set_edge(Hot& hot, const Cold& cold, std::uint32_t edge) {
  hot.edge = edge;
  hot.widens_at = edge - cold.capacity + std::min<std::uint32_t>(cold.capacity / 2, kOurMss);
}

}  // namespace crosswire::tcp
