// The receive half of TCP: how connections begin and end (RFC 9293 sections 3.5, 3.6 and 3.10.7).
#include <algorithm>
#include <cstring>
#include <utility>

#include "hugepages/base/check.hpp"
#include "netstack/tcp/receive_half.hpp"

namespace crosswire::tcp {

using Count = TcpReceiveCounter;

bool ReceiveHalf::listens(std::uint16_t port) const {
  return std::find(config_.ports.begin(), config_.ports.end(), port) != config_.ports.end();
}

// ---- What belongs to no connection ----------------------------------------------------------------------------------

bool ReceiveHalf::take_unknown(Arrival& arrival) {
  const Segment& segment = arrival.segment;
  if (segment.has(kRst)) return drop(Count::tcp_no_connection);
  if (segment.has(kSyn) && segment.has(kFin)) return drop(Count::tcp_flags);
  if (!listens(segment.destination_port)) return answer_reset(arrival, Count::tcp_no_connection);
  if (segment.has(kAck)) return take_cookie(arrival);
  if (segment.has(kSyn)) return take_syn(arrival);
  return drop(Count::tcp_no_ack);
}

bool ReceiveHalf::take_syn(Arrival& arrival) {
  if (free_n_ == 0) return answer_reset(arrival, Count::tcp_refused_full);
  const Segment& syn = arrival.segment;
  if (half_open_ >= config_.backlog) {
    if (!cookies_.take(arrival.now)) return drop(Count::tcp_cookie_limit);
    constexpr TimeNs kCookieLife = 140 * kNsPerSecond;
    cookies_until_ns_ = arrival.now + kCookieLife;
    const std::uint16_t mss = syn.mss == 0 ? kDefaultMss : syn.mss;
    answer(arrival, numbers_.cookie(arrival.key, syn.sequence, mss, arrival.now), syn.sequence + 1, kSyn | kAck);
    counters_.add(Count::tcp_cookies_sent);
    return true;
  }
  const ConnectionId id{free_[--free_n_]};
  Hot& hot = hot_[id.value];
  begin(id, hot, syn, arrival.key, arrival.from);
  Cold& cold = cold_[id.value];
  cold.iss = config_.initial_sequence.value_or(numbers_.initial(arrival.key, arrival.now));
  hot.una = cold.iss;
  hot.sent = cold.iss + 1;
  hot.state = State::syn_received;
  cold.counted_half_open = true;
  ++half_open_;
  table_.insert(arrival.key, id);
  signal_opening(id, hot, arrival, syn.mss, 0);
  return true;
}

/// An ACK of no connection: of one that was answered by a cookie, or of one that ended long ago.
bool ReceiveHalf::take_cookie(Arrival& arrival) {
  const Segment& segment = arrival.segment;
  if (segment.has(kSyn) || arrival.now >= cookies_until_ns_) return answer_reset(arrival, Count::tcp_no_connection);
  const std::optional<std::uint16_t> mss =
      numbers_.mss_of_cookie(arrival.key, segment.sequence - 1, segment.acknowledgement - 1, arrival.now);
  if (!mss || was_taken(arrival.key, segment.acknowledgement - 1))
    return answer_reset(arrival, Count::tcp_cookie_wrong);
  if (free_n_ == 0) return answer_reset(arrival, Count::tcp_refused_full);
  const ConnectionId id{free_[--free_n_]};
  Hot& hot = hot_[id.value];
  Segment syn = segment;
  syn.sequence = segment.sequence - 1;
  syn.has_timestamps = syn.sack_permitted = false;
  syn.shift = kNoShift;
  begin(id, hot, syn, arrival.key, arrival.from);
  Cold& cold = cold_[id.value];
  cold.iss = segment.acknowledgement - 1;
  hot.una = cold.iss;
  hot.sent = segment.acknowledgement;
  hot.state = State::syn_received;
  table_.insert(arrival.key, id);
  taken_cookies_[taken_n_++ % taken_cookies_.size()] = {arrival.key, cold.iss};
  counters_.add(Count::tcp_cookies_taken);
  signal_opening(id, hot, arrival, *mss, kFromCookie);
  return take_general(id, hot, arrival);
}

/// A cookie opens once: a late copy of what came with it would begin the stream again.
bool ReceiveHalf::was_taken(std::uint64_t key, std::uint32_t iss) const {
  return std::find(taken_cookies_.begin(), taken_cookies_.end(), TakenCookie{key, iss}) != taken_cookies_.end();
}

bool ReceiveHalf::answer_reset(const Arrival& arrival, Count counter) {
  const Segment& segment = arrival.segment;
  if (segment.has(kRst)) return drop(counter);
  if (!resets_.take(numbers_, arrival.now)) return drop(Count::tcp_reset_limit);
  // RFC 9293 3.5.2, group 1.
  if (segment.has(kAck)) {
    answer(arrival, segment.acknowledgement, 0, kRst);
  } else {
    answer(arrival, 0, segment.sequence + segment.length(), kRst | kAck);
  }
  return drop(counter);
}

void ReceiveHalf::answer(const Arrival& arrival, std::uint32_t sequence, std::uint32_t acknowledgement,
                         std::uint8_t flags) {
  const Remote to{arrival.from.address, arrival.segment.source_port, arrival.from.vlan, arrival.from.mac};
  const std::uint32_t window = (flags & kSyn) != 0 ? std::min<std::uint32_t>(config_.receive_bytes - 1, 0xFFFF) : 0;
  signal(ToSendKind::answer, ConnectionId{}).answer = {
      to, arrival.segment.destination_port, static_cast<std::uint16_t>(window), sequence, acknowledgement, flags};
  signals_.to_send.publish();
}

// ---- Beginnings -----------------------------------------------------------------------------------------------------

/// All that the peer's SYN says. Sequence numbers of our own are the caller's to set.
void ReceiveHalf::begin(ConnectionId id, Hot& hot, const Segment& syn, std::uint64_t key, const SegmentSource& from) {
  CHECK(hot.state == State::unused || hot.state == State::syn_sent, "connection %u is in use", id.value);
  Cold& cold = cold_[id.value];
  const auto kept = static_cast<std::uint16_t>(hot.bits & (kOurs | kUnread));
  hot = {.key = key, .station = station_number(from), .bits = kept};
  cold.reassembly.clear();
  cold.challenged = false;
  cold.counted_half_open = false;
  if ((kept & kOurs) == 0) ++cold.turn;
  agree(hot, cold, syn);
}

void ReceiveHalf::agree(Hot& hot, Cold& cold, const Segment& syn) {
  if (syn.has_timestamps) hot.bits |= kTimestamps;
  if (syn.sack_permitted) hot.bits |= kSack;
  hot.ts_recent = syn.has_timestamps ? syn.ts_value : 0;
  const bool scaled = syn.shift != kNoShift;
  hot.shift = scaled ? syn.shift : 0;
  hot.receive_shift = scaled ? receive_shift_ : 0;
  // Less by what rounding a scaled window up may add, so that all of it can be held.
  cold.capacity = config_.receive_bytes - (1u << hot.receive_shift);
  if (!scaled) cold.capacity = std::min<std::uint32_t>(cold.capacity, 0xFFFF);
  cold.irs = syn.sequence;
  hot.receive_next = syn.sequence + 1;
  set_edge(hot, cold, hot.receive_next + window_of_syn(cold));
  hot.window = syn.window;  // of a SYN, not scaled
  hot.window_sequence = syn.sequence;
  hot.window_ack = syn.acknowledgement;
  cold.most_window = syn.window;
}

std::uint32_t ReceiveHalf::window_of_syn(const Cold& cold) const {
  return std::min<std::uint32_t>(cold.capacity, 0xFFFF);
}

void ReceiveHalf::signal_opening(ConnectionId id, const Hot& hot, const Arrival& arrival, std::uint16_t mss,
                                 std::uint8_t bits) {
  if ((hot.bits & kTimestamps) != 0) bits |= kWithTimestamps;
  if ((hot.bits & kSack) != 0) bits |= kWithSack;
  const Segment& syn = arrival.segment;
  const bool scaled = (bits & kFromCookie) == 0 && syn.shift != kNoShift;
  OpeningSignal& told = signal(ToSendKind::opening, id).opening;
  told = {.remote = {arrival.from.address, syn.source_port, arrival.from.vlan, arrival.from.mac},
          .port = syn.destination_port,
          .mss = mss == 0 ? kDefaultMss : std::max(mss, kLeastMss),
          .iss = cold_[id.value].iss,
          .receive_next = hot.receive_next,
          .receive_window = hot.edge - hot.receive_next,
          .window = hot.window,
          .ts_recent = hot.ts_recent,
          .receive_shift = scaled ? hot.receive_shift : kNoShift,
          .bits = bits,
          .turn = cold_[id.value].turn};
  signals_.to_send.publish();
}

void ReceiveHalf::become_open(ConnectionId id, Hot& hot) {
  Cold& cold = cold_[id.value];
  if (cold.counted_half_open) {
    cold.counted_half_open = false;
    --half_open_;
  }
  hot.state = State::open;
  cold.told_opened = true;
  counters_.add(Count::tcp_opened);
  const auto address = static_cast<std::uint32_t>(hot.key >> 32);
  MacAddress mac;
  std::memcpy(mac.data(), &hot.station, mac.size());
  reader_.opened(
      id, {address, static_cast<std::uint16_t>(hot.key >> 16), static_cast<std::uint16_t>(hot.station >> 48), mac},
      static_cast<std::uint16_t>(hot.key));
}

/// RFC 9293 3.10.7.3.
bool ReceiveHalf::take_in_syn_sent(ConnectionId id, Hot& hot, Arrival& arrival) {
  const Segment& segment = arrival.segment;
  const bool acks = segment.has(kAck);
  const bool right =
      acks && before(hot.una, segment.acknowledgement) && at_or_before(segment.acknowledgement, hot.sent);
  if (acks && !right) return answer_reset(arrival, segment.has(kRst) ? Count::tcp_rst_invalid : Count::tcp_ack_invalid);
  if (segment.has(kRst)) {
    if (!acks) return drop(Count::tcp_rst_invalid);
    end(id, hot, EndReason::refused, false);
    return drop(Count::tcp_resets_taken);
  }
  if (!segment.has(kSyn)) return drop(Count::tcp_no_ack);
  const std::uint32_t una = hot.una;
  const std::uint32_t sent = hot.sent;
  begin(id, hot, segment, arrival.key, arrival.from);
  hot.una = una;
  hot.sent = sent;
  hot.state = State::syn_received;
  signal_opening(id, hot, arrival, segment.mss, static_cast<std::uint8_t>(acks ? kToOurSyn : 0));
  if (!acks) return true;  // both open at once: our SYN goes again, with an acknowledgement
  hot.una = segment.acknowledgement;
  become_open(id, hot);
  signal_segment(id, hot, &segment, kTakesAck | kTakesWindow | kAckNow, kNoNumber);
  return true;
}

/// RFC 5961 section 4: whatever its number, it may be a rebooted peer's, who answers our acknowledgement by an RST.
bool ReceiveHalf::take_syn_again(ConnectionId id, Hot& hot, Arrival& arrival) {
  const bool same = hot.state == State::syn_received && arrival.segment.sequence == cold_[id.value].irs;
  if (same && !arrival.segment.has(kAck)) {
    signal_segment(id, hot, nullptr, kSynAgain, kNoNumber);
    return drop(Count::tcp_repeated);
  }
  if (same) {
    // Both have opened at once, and this is the peer's answer to our SYN.
    Segment& segment = arrival.segment;
    if (before(hot.una, segment.acknowledgement) && at_or_before(segment.acknowledgement, hot.sent)) {
      hot.una = segment.acknowledgement;
      become_open(id, hot);
      signal_segment(id, hot, &segment, kTakesAck | kTakesWindow | kAckNow, kNoNumber);
      return true;
    }
  }
  challenge(id, hot, arrival.now);
  return drop(Count::tcp_syn_unexpected);
}

// ---- Ends -----------------------------------------------------------------------------------------------------------

/// RFC 5961 section 3: only the very next number resets; one within the window asks for proof.
bool ReceiveHalf::take_reset(ConnectionId id, Hot& hot, Arrival& arrival) {
  const std::uint32_t offset = arrival.segment.sequence - hot.receive_next;
  if (offset == 0) {
    end(id, hot, hot.state == State::syn_received && (hot.bits & kOurs) != 0 ? EndReason::refused : EndReason::reset,
        false);
    return drop(Count::tcp_resets_taken);
  }
  if (offset < room_of(hot)) challenge(id, hot, arrival.now);
  return drop(Count::tcp_rst_invalid);
}

/// RFC 9293 3.10.7.4 with RFC 6191 for a SYN and RFC 1337 for an RST.
bool ReceiveHalf::take_in_time_wait(ConnectionId id, Hot& hot, Arrival& arrival) {
  const Segment& segment = arrival.segment;
  if (segment.has(kRst)) return drop(Count::tcp_rst_invalid);
  if (segment.has(kSyn) && !segment.has(kAck) && listens(segment.destination_port) && (hot.bits & kOurs) == 0) {
    const bool stamped = segment.has_timestamps && (hot.bits & kTimestamps) != 0;
    const bool newer = stamped ? before(hot.ts_recent, segment.ts_value) ||
                                     (segment.ts_value == hot.ts_recent && before(hot.receive_next, segment.sequence))
                               : before(hot.receive_next, segment.sequence);
    if (newer && hot.unread == 0) return begin_anew(id, hot, arrival);
  }
  if (segment.has(kSyn)) {
    challenge(id, hot, arrival.now);
    return drop(Count::tcp_syn_unexpected);
  }
  // A FIN that comes again has not heard our acknowledgement, and the wait begins anew.
  if (segment.length() > 0) {
    const bool last = segment.has(kFin) && segment.sequence + segment.length() == hot.receive_next;
    signal_segment(id, hot, nullptr, static_cast<std::uint8_t>(kAckNow | (last ? kPeerFinished : 0)), kNoNumber);
  } else if (segment.sequence != hot.receive_next) {
    challenge(id, hot, arrival.now);
  }
  return drop(segment.length() > 0 ? Count::tcp_repeated : Count::tcp_dead);
}

/// The peer opens a connection whose last one is over for it, though the send half has not said so yet: of one that the
/// peer has reset the next SYN comes right behind the RST. It has its place, so that no backlog keeps it out. All that
/// is said of the last one is of another turn.
bool ReceiveHalf::begin_anew(ConnectionId id, Hot& hot, const Arrival& arrival) {
  const std::uint32_t sent = hot.sent;
  if (std::exchange(cold_[id.value].told_opened, false)) reader_.gone(id, EndReason::reused);
  hot.state = State::unused;
  begin(id, hot, arrival.segment, arrival.key, arrival.from);
  Cold& cold = cold_[id.value];
  // Beyond all that the connection before may have under way.
  cold.iss = later_of(numbers_.initial(arrival.key, arrival.now), sent + 0x1'0002);
  hot.una = cold.iss;
  hot.sent = cold.iss + 1;
  hot.state = State::syn_received;
  cold.counted_half_open = true;
  ++half_open_;
  signal_opening(id, hot, arrival, arrival.segment.mss, 0);
  return true;
}

bool ReceiveHalf::take_when_dead(ConnectionId id, Hot& hot, const Arrival& arrival) {
  const Segment& segment = arrival.segment;
  const bool opens = segment.has(kSyn) && !segment.has(kAck) && listens(segment.destination_port);
  if (opens && (hot.bits & kOurs) == 0) return begin_anew(id, hot, arrival);
  return drop(Count::tcp_dead);
}

/// Dead to this half at once. The place is free again when the send half has said `gone`.
void ReceiveHalf::end(ConnectionId id, Hot& hot, EndReason reason, bool reset) {
  hot.state = State::dead;
  hot.unread = 0;
  if (std::exchange(cold_[id.value].counted_half_open, false)) --half_open_;
  ToSend& told = signal(ToSendKind::ended, id);
  told.reason = reason;
  told.reset = reset;
  signals_.to_send.publish();
}

void ReceiveHalf::forget(ConnectionId id, EndReason reason) {
  Hot& hot = hot_[id.value];
  Cold& cold = cold_[id.value];
  CHECK(hot.state != State::unused, "connection %u is forgotten twice", id.value);
  if (cold.counted_half_open) --half_open_;
  cold.counted_half_open = false;
  table_.erase(hot.key);
  if (std::exchange(cold.told_opened, false)) reader_.gone(id, reason);
  hot.unread = 0;
  hot.state = State::unused;
  if ((hot.bits & kOurs) != 0) {
    forgotten_[forgotten_n_++] = id.value;
  } else {
    free_[free_n_++] = id.value;
  }
}

void ReceiveHalf::take_sent(const ToReceive& told) {
  Hot& hot = hot_[told.connection.value];
  if (told.turn != cold_[told.connection.value].turn) return;
  if (!config_.replays || before(hot.sent, told.number)) hot.sent = told.number;
}

void ReceiveHalf::take_waiting_signals() {
  end_burst();  // nothing is held by the rules, and what was would be of what connections were
  // As many as the ring holds: what was said before the burst is among them, and the other core may say more meanwhile.
  for (std::uint64_t n = 0; n < Signals::kToReceive; ++n) {
    const ToReceive* const told = signals_.to_receive.front();
    if (told == nullptr) break;
    if (told->kind == ToReceiveKind::sent) [[likely]] {
      take_sent(*told);
      signals_.to_receive.drop_front();
      continue;
    }
    const ToReceive signal = *told;
    signals_.to_receive.drop_front();
    Hot& hot = hot_[signal.connection.value];
    if (signal.kind != ToReceiveKind::opening && signal.turn != cold_[signal.connection.value].turn) continue;
    switch (signal.kind) {
      case ToReceiveKind::opening: {
        CHECK(hot.state == State::unused, "connection %u is in use", signal.connection.value);
        const std::uint64_t key = ConnectionTable::key_of(signal.address, signal.port, signal.ours);
        const std::uint16_t unread = hot.bits & kUnread;
        hot = {.key = key, .una = signal.number, .sent = signal.number + 1, .state = State::syn_sent};
        hot.bits = static_cast<std::uint16_t>(kOurs | unread);
        cold_[signal.connection.value].iss = signal.number;
        cold_[signal.connection.value].counted_half_open = false;
        cold_[signal.connection.value].turn = signal.turn;
        table_.insert(key, signal.connection);
        break;
      }
      case ToReceiveKind::sent:
        break;  // above
      case ToReceiveKind::deaf:
        hot.bits |= kDeaf;
        break;
      case ToReceiveKind::time_wait:
        if (hot.state != State::dead) hot.state = State::time_wait;
        break;
      case ToReceiveKind::gone:
        if (signal.reason == EndReason::finished && hot.unread > 0) {
          hot.state = State::draining;  // it was acknowledged: it is not lost
        } else {
          forget(signal.connection, signal.reason);
        }
        break;
    }
  }
  for (; forgotten_n_ > 0 && signals_.to_send.has_room(2); --forgotten_n_) {
    signal(ToSendKind::forgotten, ConnectionId{forgotten_[forgotten_n_ - 1]});
    signals_.to_send.publish();
  }
}

// ---- Neighbours and ICMP --------------------------------------------------------------------------------------------

bool ReceiveHalf::take_resolved(const Remote& who) {
  if (!signals_.to_send.has_room(kMostSignals)) return false;
  signal(ToSendKind::resolved, ConnectionId{}).remote = who;
  signals_.to_send.publish();
  return true;
}

bool ReceiveHalf::take_asked(const Remote& who) {
  if (!signals_.to_send.has_room(kMostSignals)) return false;
  signal(ToSendKind::asked, ConnectionId{}).remote = who;
  signals_.to_send.publish();
  return true;
}

/// RFC 5927: it counts only if it quotes what is under way, and then it ends nothing but what is not established yet.
bool ReceiveHalf::take_unreachable(wire::Bytes message) {
  if (!signals_.to_send.has_room(kMostSignals)) return false;
  constexpr std::size_t kIcmpHeader = 8, kQuotedIp = 20, kQuotedTcp = 8;
  if (message.size() < kIcmpHeader + kQuotedIp + kQuotedTcp) return drop(Count::tcp_icmp_ignored);
  const wire::Bytes quoted = message.subspan(kIcmpHeader);
  const std::size_t header_bytes = (quoted[0] & 15u) * 4u;
  const bool whole = quoted[0] >> 4 == 4 && header_bytes >= kQuotedIp && quoted.size() >= header_bytes + kQuotedTcp;
  if (!whole || quoted[9] != kProtocol) return drop(Count::tcp_icmp_ignored);
  const auto word = [&](std::size_t at) { return reinterpret_cast<const wire::be32*>(quoted.data() + at)->value(); };
  const auto half = [&](std::size_t at) { return reinterpret_cast<const wire::be16*>(quoted.data() + at)->value(); };
  if (word(12) != address_) return drop(Count::tcp_icmp_ignored);
  const std::optional<ConnectionId> id =
      table_.find(ConnectionTable::key_of(word(16), half(header_bytes + 2), half(header_bytes)));
  if (!id) return drop(Count::tcp_icmp_ignored);
  Hot& hot = hot_[id->value];
  const bool under_way = word(header_bytes + 4) - hot.una < hot.sent - hot.una;
  const bool hard = message[1] == 2 || message[1] == 3;  // no such protocol, no such port
  const bool opening = hot.state == State::syn_sent || hot.state == State::syn_received;
  if (!under_way || !hard || !opening) return drop(Count::tcp_icmp_ignored);
  end(*id, hot, EndReason::unreachable, false);
  return true;
}

}  // namespace crosswire::tcp
