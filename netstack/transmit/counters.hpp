// What the transmit stage counts: the list of names, and what they mean. Constant data; no DPDK.
#pragma once

#include <array>
#include <cstdint>

#include "netstack/common/counters.hpp"

namespace crosswire {

enum class TransmitCounter : std::uint8_t {
  frames,
  answers,
  answers_unsent,
  logins_accepted,
  logins_refused,
  takeovers,
  heartbeats,
  sessions_ended,
  resends,
  resent_messages,
  resends_past_end,
  resends_too_early,
  resends_unbound,
  arp_replies,
  echo_replies,
  port_full,
};

/// By number of the enumerator.
inline constexpr std::array kTransmitCounters = [] {
  using enum TransmitCounter;
  using Info = CounterInfo<TransmitCounter>;
  return std::array{
      Info{frames, "frames", "frames given to the port"},
      Info{answers, "answers", "OUCH messages numbered and kept"},
      Info{answers_unsent, "answers_unsent", "of these, not sent because nobody is logged in: to be re-requested"},
      Info{logins_accepted, "logins_accepted", "Login Accepted packets"},
      Info{logins_refused, "logins_refused", "Login Rejected packets"},
      Info{takeovers, "takeovers", "ends of session to a client whose session another took over"},
      Info{heartbeats, "heartbeats", "heartbeats because nothing else was sent"},
      Info{sessions_ended, "sessions_ended", "ends of session at the end of the day"},
      Info{resends, "resends", "re-requests answered, the next three lines included"},
      Info{resent_messages, "resent_messages", "messages in these answers"},
      Info{resends_past_end, "resends_past_end", "re-requests beyond the last message, answered with a heartbeat"},
      Info{resends_too_early, "resends_too_early", "re-requests for messages that are not kept any more"},
      Info{resends_unbound, "resends_unbound", "re-requests of a session that was closed meanwhile, not answered"},
      Info{arp_replies, "arp_replies", "ARP replies"},
      Info{echo_replies, "echo_replies", "ICMP echo replies"},
      Info{port_full, "port_full", "polls that ended because the port had no room"},
  };
}();

using TransmitCounters = Counters<TransmitCounter, kTransmitCounters.size()>;

static_assert(in_order_of_enumerators(kTransmitCounters));
static_assert(kTransmitCounters.back().counter == TransmitCounter::port_full);

}  // namespace crosswire
