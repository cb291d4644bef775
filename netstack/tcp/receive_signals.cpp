// The receive half of TCP: what it tells the send half, and when it asks for proof (RFC 5961).
#include <algorithm>

#include "netstack/tcp/receive_half.hpp"

namespace crosswire::tcp {

using Count = TcpReceiveCounter;

ToSend& ReceiveHalf::signal(ToSendKind kind, ConnectionId id) {
  end_burst();
  ToSend& next = signals_.to_send.next();
  next.kind = kind;
  next.connection = id;
  return next;
}

/// What a connection's signal always says, field by field into its place; the rest is the caller's.
SegmentSignal& ReceiveHalf::signal_of(ToSend& next, ConnectionId id, const Hot& hot) {
  next.kind = ToSendKind::segment;
  next.connection = id;
  SegmentSignal& told = next.segment;
  told.ack = hot.una;
  told.window = hot.window;
  told.receive_next = hot.receive_next;
  told.receive_window = window_of(hot);
  told.ts_recent = hot.ts_recent;
  told.sacks = 0;
  return told;
}

void ReceiveHalf::tell_held() {
  SegmentSignal& told = signal_of(signals_.to_send.next(), held_.id, *held_.hot);
  told.ts_echo = held_.ts_echo;
  told.covers = held_.covers;
  told.bytes = held_.bytes;
  told.bits = held_.bits;
  told.segments = held_.segments;
  held_.hot = nullptr;
  held_.alike.station = kNoStation;
  signals_.to_send.publish();
}

/// `segment` may be none.
void ReceiveHalf::signal_segment(ConnectionId id, Hot& hot, const Segment* segment, std::uint8_t bits,
                                 std::uint64_t covers) {
  SegmentSignal& told = signal_of(signal(ToSendKind::segment, id), id, hot);
  told.covers = covers;
  told.ts_echo = 0;
  told.bytes = 0;
  told.segments = segment != nullptr ? 1 : 0;
  if (segment != nullptr) {
    told.bytes = static_cast<std::uint16_t>(segment->payload.size());
    if (segment->has_timestamps && (hot.bits & kTimestamps) != 0) {
      told.ts_echo = segment->ts_echo;
      bits |= kEchoes;
    }
    if (segment->sacks > 0 && (hot.bits & kSack) != 0) [[unlikely]] {
      told.sacks = static_cast<std::uint8_t>(std::min<std::size_t>(segment->sacks, told.sack.size()));
      std::copy_n(segment->sack.begin(), told.sacks, told.sack.begin());
    }
  }
  told.bits = bits;
  signals_.to_send.publish();
}

void ReceiveHalf::signal_holes(ConnectionId id, const Cold& cold) {
  HolesSignal& told = signal(ToSendKind::holes, id).holes;
  told.count = static_cast<std::uint8_t>(std::min(cold.reassembly.ranges(), told.ranges.size()));
  for (std::size_t i = 0; i < told.count; ++i) told.ranges[i] = cold.reassembly.range(i);
  signals_.to_send.publish();
}

void ReceiveHalf::note_station(ConnectionId id, Hot& hot, const Arrival& arrival) {
  const std::uint64_t station = station_number(arrival.from);
  if (station == hot.station) return;
  hot.station = station;
  signal(ToSendKind::moved, id).remote = {arrival.from.address, arrival.segment.source_port, arrival.from.vlan,
                                          arrival.from.mac};
  signals_.to_send.publish();
}

void ReceiveHalf::acknowledge_now(ConnectionId id, Hot& hot) { signal_segment(id, hot, nullptr, kAckNow, kNoNumber); }

void ReceiveHalf::challenge(ConnectionId id, Hot& hot, TimeNs now) {
  if (!may_challenge(cold_[id.value], now)) return;
  counters_.add(Count::tcp_challenges);
  acknowledge_now(id, hot);
}

/// RFC 5961 section 7. In all so many a second that nobody can count by them what others do: the number is another one
/// each second.
bool ReceiveHalf::may_challenge(Cold& cold, TimeNs now) {
  if (cold.challenged && now - cold.challenged_ns < config_.challenge_interval_ns) return false;
  if (!challenges_.take(numbers_, now)) return false;
  cold.challenged = true;
  cold.challenged_ns = now;
  return true;
}

}  // namespace crosswire::tcp
