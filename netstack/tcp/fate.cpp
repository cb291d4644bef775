// The send half of TCP: what becomes of a connection (RFC 9293 sections 3.5, 3.6, 3.10), and what the writer may ask.
#include <algorithm>
#include <utility>

#include "hugepages/base/check.hpp"
#include "netstack/common/address.hpp"
#include "netstack/common/mac_number.hpp"
#include "netstack/frame_writer/arp_request.hpp"
#include "netstack/tcp/send_half.hpp"

namespace crosswire::tcp {

using Count = TcpSendCounter;

// ---- Beginnings -----------------------------------------------------------------------------------------------------

/// As new, but for the lists and the wheel, in which the place may still stand.
void SendHalf::start_over(Line& line, Cold& cold) {
  const std::uint32_t listed = line.bits & (kReady | kInDelay);
  const std::uint16_t next_ready = cold.next_ready;
  const std::uint16_t next_delayed = cold.next_delayed;
  const TimeNs wheel_ns = cold.wheel_ns;
  const std::uint16_t turn = cold.turn;
  line = {};
  cold = {};
  line.bits = listed;
  line.due_ns = kNever;
  cold.next_ready = next_ready;
  cold.next_delayed = next_delayed;
  cold.wheel_ns = wheel_ns;
  cold.turn = turn;
  cold.timed_ns = kNever;
  cold.stuck_ns = kNever;
  cold.started_ns = cold.heard_ns = cold.last_sent_ns = now_;
  cold.syn_shift = kNoShift;
}

void SendHalf::set_remote(Cold& cold, const Remote& remote) {
  cold.remote = remote;
  cold.header = SegmentTemplate(net_, cold.port, remote);
}

/// The peer's SYN: of a connection that he opens, or the answer to ours.
void SendHalf::take_opening(ConnectionId id, const OpeningSignal& told) {
  Line& line = lines_[id.value];
  Cold& cold = cold_[id.value];
  const bool ours = line.state == State::syn_sent;
  // One of ours that has ended meanwhile: `gone` is on its way.
  if (id.value < ours_free_.size() && !ours) return;
  if (!ours) {
    if (line.state == State::time_wait && (line.bits & kOpened) != 0) writer_.closed(id, EndReason::reused);
    start_over(line, cold);
    cold.turn = told.turn;
    cold.iss = told.iss;
    line.una = told.iss;
    line.next = line.most = line.end = told.iss + 1;
  }
  cold.port = told.port;
  set_remote(cold, told.remote);
  const std::uint64_t key =
      std::uint64_t{told.remote.address} << 32 | std::uint64_t{told.remote.port} << 16 | told.port;
  if (!ours) cold.ts_offset = numbers_.timestamp(key, 0);
  line.bits |= kKnown;
  line.receive_next = line.acknowledged = told.receive_next;
  line.receive_edge = told.receive_next + told.receive_window;
  line.ts_recent = told.ts_recent;
  line.window = told.window;
  cold.most_window = told.window;
  const bool stamps = (told.bits & kWithTimestamps) != 0;
  if (stamps) line.bits |= kTimestamps;
  if ((told.bits & kWithSack) != 0) line.bits |= kSack;
  cold.shift = told.receive_shift == kNoShift ? 0 : told.receive_shift;
  cold.syn_shift = told.receive_shift;
  line.mss = static_cast<std::uint16_t>(std::min(told.mss, kOurMss) - (stamps ? kTimestampBytes : 0));
  if ((told.bits & kToOurSyn) != 0) return;  // what acknowledges our SYN comes behind this
  line.state = State::syn_received;
  if ((told.bits & kFromCookie) == 0) line.bits |= kSynOwed;
  make_ready(id, line);
}

void SendHalf::establish(ConnectionId id, Line& line, Cold& cold) {
  line.state = State::established;
  line.una_offset = 0;
  line.bits |= kOpened;
  line.bits &= ~kSynOwed;
  cold.recover = line.una - 1;
  cold.again = line.una;
  const std::uint32_t mss = line.mss;
  // RFC 6928; and RFC 5681 3.1 where a SYN of ours was lost.
  constexpr std::uint32_t kTenSegments = 14'600;
  line.congestion = (line.bits & kSynRepeated) != 0 ? mss : std::min(10 * mss, std::max(2 * mss, kTenSegments));
  cold.threshold = ~std::uint32_t{0};
  if (cold.timed_ns != kNever && (line.bits & kSynRepeated) == 0) cold.round_trip.sample(now_ - cold.timed_ns);
  cold.round_trip.end_back_off();
  cold.started_ns = now_;
  cold.stuck_ns = kNever;
  writer_.ready(id);
}

std::optional<ConnectionId> SendHalf::connect(Remote to, std::uint16_t port) {
  const auto in_use = [&](std::uint16_t candidate) {
    // Where peers connect, one of theirs may have the pair.
    if (std::find(config_.ports.begin(), config_.ports.end(), candidate) != config_.ports.end()) return true;
    for (std::size_t i = 0; i < ours_free_.size(); ++i) {
      const bool same = cold_[i].remote.address == to.address && cold_[i].remote.port == to.port;
      if (!ours_free_[i] && same && cold_[i].port == candidate) return true;
    }
    return false;
  };
  const auto free = std::find(ours_free_.begin(), ours_free_.end(), true);
  if (free == ours_free_.end() || to.port == 0 || !ip::is_station(to.address)) return std::nullopt;
  for (unsigned tries = 0; port == 0 && tries < 64; ++tries) {
    // RFC 6056: from the dynamic ports, where nobody can foresee.
    const auto candidate = static_cast<std::uint16_t>(49'152 + numbers_.random(++connects_) % 16'384);
    if (!in_use(candidate)) port = candidate;
  }
  if (port == 0 || in_use(port)) return std::nullopt;

  const ConnectionId id{static_cast<std::uint16_t>(free - ours_free_.begin())};
  ours_free_[id.value] = false;
  Line& line = lines_[id.value];
  Cold& cold = cold_[id.value];
  start_over(line, cold);
  ++cold.turn;
  cold.port = port;
  set_remote(cold, to);
  const std::uint64_t key = std::uint64_t{to.address} << 32 | std::uint64_t{to.port} << 16 | port;
  cold.iss = config_.initial_sequence.value_or(numbers_.initial(key, now_));
  cold.ts_offset = numbers_.timestamp(key, 0);
  cold.syn_shift = window_shift(config_.receive_bytes);
  line.una = cold.iss;
  line.next = line.most = line.end = cold.iss + 1;
  line.bits |= kOurs;
  if (link::mac_number(to.mac) == 0) {
    line.state = State::resolving;
    line.bits |= kAskOwed;
  } else {
    line.state = State::syn_sent;
    line.bits |= kOpeningOwed | kSynOwed;
  }
  make_ready(id, line);
  return id;
}

bool SendHalf::ask_for_mac(Line& line, Cold& cold) {
  std::uint8_t* const frame = port_.reserve();
  if (frame == nullptr) return false;
  port_.commit(write_arp_request(frame, net_, cold.remote.vlan, cold.remote.address), origin_);
  ++committed_;
  ++cold.resolve_tries;
  line.bits &= ~kAskOwed;
  return true;
}

void SendHalf::take_resolved(const Remote& who) {
  for (std::size_t i = 0; i < ours_free_.size(); ++i) {
    Line& line = lines_[i];
    Cold& cold = cold_[i];
    if (line.state != State::resolving || cold.remote.address != who.address) continue;
    cold.remote.mac = who.mac;
    set_remote(cold, cold.remote);
    line.state = State::syn_sent;
    line.bits &= ~kAskOwed;
    line.bits |= kOpeningOwed | kSynOwed;
    line.timer = Timer::none;
    line.due_ns = kNever;
    make_ready(ConnectionId{static_cast<std::uint16_t>(i)}, line);
  }
}

// ---- What the writer asks -------------------------------------------------------------------------------------------

std::optional<ConnectionId> SendHalf::find(std::uint32_t address, std::uint16_t port, std::uint16_t ours) const {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const Cold& cold = cold_[i];
    const bool it = cold.remote.address == address && cold.remote.port == port && cold.port == ours;
    if (it && lines_[i].state != State::unused) return ConnectionId{static_cast<std::uint16_t>(i)};
  }
  return std::nullopt;
}

std::uint64_t SendHalf::offered(ConnectionId connection) const {
  const Line& line = lines_[connection.value];
  if (line.state < State::established) return 0;
  return line.una_offset + static_cast<std::uint32_t>(std::max(distance(line.una, line.end), 0));
}

void SendHalf::finish(ConnectionId connection) {
  Line& line = lines_[connection.value];
  if (line.state == State::resolving || line.state == State::syn_sent) {
    end(connection, line, EndReason::aborted, false);
    return;
  }
  const bool open =
      line.state == State::syn_received || line.state == State::established || line.state == State::close_wait;
  if (!open) return;
  line.bits |= kFinWanted;
  make_ready(connection, line);
}

void SendHalf::close(ConnectionId connection) {
  Line& line = lines_[connection.value];
  if (line.state < State::established || line.state >= State::time_wait) return finish(connection);
  if ((line.bits & kDeaf) != 0) return;
  line.bits |= kDeaf | kDeafOwed;
  cold_[connection.value].lonely_ns = now_;
  finish(connection);
  make_ready(connection, line);
}

void SendHalf::abort(ConnectionId connection, EndReason reason) {
  Line& line = lines_[connection.value];
  if (line.state == State::unused || line.state == State::ended) return;
  end(connection, line, reason, line.state >= State::syn_received && line.state < State::time_wait);
}

// ---- Ends -----------------------------------------------------------------------------------------------------------

void SendHalf::take_fin(ConnectionId id, Line& line, Cold& cold) {
  switch (line.state) {
    case State::established:
      line.state = State::close_wait;
      break;
    case State::fin_wait_1:
      line.state = State::closing;
      break;
    case State::fin_wait_2:
      wait_out(id, line, cold);
      break;
    case State::time_wait:
      set_timer(id, line, cold, Timer::time_wait, now_ + config_.time_wait_ns);
      return;
    default:
      return;
  }
  if ((line.bits & kOpened) != 0) writer_.finished_by_peer(id);
}

void SendHalf::fin_acknowledged(ConnectionId id, Line& line, Cold& cold) {
  switch (line.state) {
    case State::fin_wait_1:
      line.state = State::fin_wait_2;
      cold.lonely_ns = now_;
      break;
    case State::closing:
      wait_out(id, line, cold);
      break;
    case State::last_ack:
      end(id, line, EndReason::finished, false);
      break;
    default:
      break;
  }
}

void SendHalf::wait_out(ConnectionId id, Line& line, Cold& cold) {
  line.state = State::time_wait;
  line.bits |= kTimeWaitOwed;
  set_timer(id, line, cold, Timer::time_wait, now_ + config_.time_wait_ns);
  make_ready(id, line);
}

void SendHalf::take_end(ConnectionId id, Line& line, EndReason reason, bool reset) {
  if (line.state != State::unused && line.state != State::ended) end(id, line, reason, reset);
}

/// Nothing more will happen; what is left is to say so to the peer, if `reset`, and to the receive half.
void SendHalf::end(ConnectionId id, Line& line, EndReason reason, bool reset) {
  Cold& cold = cold_[id.value];
  const bool told = (line.bits & (kOpened | kOurs)) != 0;
  line.state = State::ended;
  line.timer = Timer::none;
  line.due_ns = kNever;
  constexpr std::uint32_t kKept = kReady | kInDelay | kKnown | kTimestamps;
  line.bits = (line.bits & kKept) | (reset ? kResetOwed : 0);
  cold.reason = reason;
  cold.hole_count = 0;
  switch (reason) {
    case EndReason::finished:
      counters_.add(Count::tcp_finished);
      break;
    case EndReason::reset:
    case EndReason::refused:
      counters_.add(Count::tcp_reset_by_peer);
      break;
    case EndReason::silent:
      counters_.add(Count::tcp_silent);
      break;
    case EndReason::unresolved:
    case EndReason::unreachable:
      counters_.add(Count::tcp_unreachable);
      break;
    case EndReason::fell_behind:
      counters_.add(Count::tcp_cut);
      break;
    default:
      break;
  }
  make_ready(id, line);
  if (told) writer_.closed(id, reason);
}

/// What the receive half and the peer are still to hear, and ARP.
bool SendHalf::say_owed(ConnectionId id, Line& line, Cold& cold) {
  if (line.state == State::ended) {
    if ((line.bits & kResetOwed) != 0) {
      // RFC 9293 3.5.2: what answers a segment takes its number from there, and acknowledges nothing.
      const auto flags = static_cast<std::uint8_t>(cold.reason == EndReason::data_after_close ? kRst : kRst | kAck);
      if (!send_bare(line, cold, sequence_to_tell(line), flags)) return false;
      counters_.add(Count::tcp_resets_sent);
      line.bits &= ~kResetOwed;
    }
    if ((line.bits & kKnown) == 0) {
      ours_free_[id.value] = true;
    } else if (!push(ToReceiveKind::gone, id, cold, 0, cold.reason)) {
      return false;
    }
    line.state = State::unused;
    line.bits &= kReady | kInDelay;
    return true;
  }
  if ((line.bits & kAskOwed) != 0) {
    if (!ask_for_mac(line, cold)) return false;
    set_timer(id, line, cold, Timer::resolve, now_ + kNsPerSecond);
  }
  if ((line.bits & kOpeningOwed) != 0) {
    if (!push(ToReceiveKind::opening, id, cold, cold.iss)) return false;
    line.bits &= ~kOpeningOwed;
    line.bits |= kKnown;
  }
  if ((line.bits & kDeafOwed) != 0) {
    if (!push(ToReceiveKind::deaf, id, cold)) return false;
    line.bits &= ~kDeafOwed;
  }
  if ((line.bits & kTimeWaitOwed) != 0) {
    if (!push(ToReceiveKind::time_wait, id, cold)) return false;
    line.bits &= ~kTimeWaitOwed;
  }
  return true;
}

}  // namespace crosswire::tcp
