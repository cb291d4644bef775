// The send half of TCP: its timers, one of each connection, and what happens when one expires.
#include <algorithm>

#include "netstack/tcp/send_half.hpp"

namespace crosswire::tcp {

using Count = TcpSendCounter;

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
  const TimeNs gives_up =
      cold.stuck_ns == kNever ? kNever : std::max(cold.stuck_ns, cold.heard_ns) + config_.silence_ns;
  // Of one that nobody listens to any more, as long as nothing goes on.
  const bool deaf = (line.bits & kDeaf) != 0;
  const TimeNs lonely_until = deaf ? cold.lonely_ns + config_.fin_wait_ns : kNever;
  const TimeNs retransmit_at = std::min({cold.started_ns + timeout, gives_up, lonely_until});
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
    // One probe that is lost does not make a peer silent: several go before it is.
    const TimeNs again = cold.stuck_ns == kNever ? kNever : cold.started_ns + config_.silence_ns / 8;
    set_timer(id, line, cold, Timer::window_probe, std::min(retransmit_at, again));
  } else if (under_way) {
    const TimeNs probe = probe_at(line, cold);
    const bool probes = (line.bits & kSack) != 0 && (line.bits & (kRecovering | kTimedOut | kProbing)) == 0 &&
                        line.next == line.most && cold.scoreboard.empty() && probe < retransmit_at;
    set_timer(id, line, cold, probes ? Timer::tail_probe : Timer::retransmit, probes ? probe : retransmit_at);
  } else if (line.state == State::fin_wait_2 && deaf) {
    set_timer(id, line, cold, Timer::fin_wait, lonely_until);
  } else if (config_.keepalive_ns > 0) {
    const TimeNs again = cold.stuck_ns == kNever ? cold.heard_ns + config_.keepalive_ns : now_ + kNsPerSecond;
    set_timer(id, line, cold, Timer::keepalive, std::min(again, gives_up));
  } else {
    line.timer = Timer::none;
    line.due_ns = kNever;
  }
}

void SendHalf::set_wheel(ConnectionId id, Cold& cold, TimeNs at) {
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
  const bool deaf = (line.bits & kDeaf) != 0 && line.state < State::time_wait;
  if (deaf && now_ >= cold.lonely_ns + config_.fin_wait_ns) {
    end(id, line, EndReason::silent, line.state != State::fin_wait_2);
    return;
  }
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
      if (stuck != kNever && now_ - std::max(stuck, cold.heard_ns) >= config_.silence_ns) {
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
