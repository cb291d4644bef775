// What the publish stage counts: the list of names, and what they mean. Constant data; no DPDK.
#pragma once

#include <array>
#include <cstdint>

#include "hugepages/base/counters.hpp"

namespace crosswire {

enum class PublishCounter : std::uint8_t {
  frames,
  messages,
  datagrams,
  heartbeats,
  ends_repeated,
  resends,
  resent_messages,
  resends_past_end,
  resends_too_early,
  port_full,
  count_
};

/// By number of the enumerator.
inline constexpr std::array kPublishCounters = [] {
  using enum PublishCounter;
  using enum CounterKind;
  using Row = CounterRow<PublishCounter>;
  return std::array{
      Row{frames, figure, "frames", "frames given to the port"},
      Row{messages, figure, "messages", "ITCH messages numbered and kept"},
      Row{datagrams, figure, "datagrams", "multicast datagrams with messages"},
      Row{heartbeats, figure, "heartbeats", "multicast heartbeats because nothing else was sent"},
      Row{ends_repeated, figure, "ends_repeated", "ends of session again, each second until the run ends"},
      Row{resends, notice, "resends", "re-requests answered, the next two lines included"},
      Row{resent_messages, figure, "resent_messages", "messages in these answers"},
      Row{resends_past_end, notice, "resends_past_end",
          "re-requests beyond the last message sent, answered with a heartbeat"},
      Row{resends_too_early, notice, "resends_too_early", "re-requests for messages that are not kept any more"},
      Row{port_full, notice, "port_full", "polls that ended because the port had no room"},
  };
}();
static_assert(is_whole(kPublishCounters));

using PublishCounters = Counters<PublishCounter>;

}  // namespace crosswire
