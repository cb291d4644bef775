// What the transmit stage counts: the list of names, and what they mean. Constant data; no DPDK.
#pragma once

#include <array>
#include <cstdint>

#include "hugepages/base/counters.hpp"

namespace crosswire {

enum class TransmitCounter : std::uint8_t {
  frames,
  answers,
  answers_unsent,
  logins_accepted,
  logins_refused,
  no_session_told,
  takeovers,
  ends_told,
  logins_too_early,
  readers_cut,
  messages_replayed,
  heartbeats,
  sessions_ended,
  ends_repeated,
  shared_datagrams,
  resends,
  resent_messages,
  resends_past_end,
  resends_too_early,
  resends_unbound,
  arp_replies,
  echo_replies,
  echoes_gone,
  port_full,
  count_
};

/// By number of the enumerator.
inline constexpr std::array kTransmitCounters = [] {
  using enum TransmitCounter;
  using enum CounterKind;
  using Row = CounterRow<TransmitCounter>;
  return std::array{
      Row{frames, figure, "frames", "frames given to the port, those of TCP apart"},
      Row{answers, figure, "answers", "OUCH messages numbered and kept"},
      Row{answers_unsent, notice, "answers_unsent",
          "of these, not sent because nobody is logged in: to be re-requested"},
      Row{logins_accepted, figure, "logins_accepted", "Login Accepted packets"},
      Row{logins_refused, figure, "logins_refused", "Login Rejected packets"},
      Row{no_session_told, figure, "no_session_told", "clients told why they have no session: + with a word, J with S"},
      Row{takeovers, figure, "takeovers", "of these, because another source took their session over"},
      Row{ends_told, figure, "ends_told", "clients over TCP told why their connection ends: + with a word"},
      Row{logins_too_early, notice, "logins_too_early",
          "logins over TCP for messages that are not kept any more, refused with S"},
      Row{readers_cut, notice, "readers_cut", "TCP connections cut because their client does not read"},
      Row{messages_replayed, figure, "messages_replayed",
          "messages sent late over TCP: history, and behind a full window"},
      Row{heartbeats, figure, "heartbeats", "heartbeats because nothing else was sent"},
      Row{sessions_ended, figure, "sessions_ended", "ends of session at the end of the day"},
      Row{ends_repeated, figure, "ends_repeated", "the same again, each second until the run ends"},
      Row{shared_datagrams, figure, "shared_datagrams", "datagrams of answers to account queries"},
      Row{resends, notice, "resends", "re-requests answered, the next three lines included"},
      Row{resent_messages, figure, "resent_messages", "messages in these answers"},
      Row{resends_past_end, notice, "resends_past_end",
          "re-requests beyond the last message, answered with a heartbeat"},
      Row{resends_too_early, notice, "resends_too_early", "re-requests for messages that are not kept any more"},
      Row{resends_unbound, notice, "resends_unbound",
          "re-requests of a session that was closed meanwhile, not answered"},
      Row{arp_replies, figure, "arp_replies", "ARP replies"},
      Row{echo_replies, figure, "echo_replies", "ICMP echo replies"},
      Row{echoes_gone, notice, "echoes_gone",
          "ICMP echoes of commands that are run again, not replied to: their data is not kept"},
      Row{port_full, notice, "port_full", "polls that ended because the port had no room"},
  };
}();
static_assert(is_whole(kTransmitCounters));

using TransmitCounters = Counters<TransmitCounter>;

}  // namespace crosswire
