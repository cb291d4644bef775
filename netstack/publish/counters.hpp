// What the publish stage counts: the list of names, and what they mean. Constant data; no DPDK.
#pragma once

#include <array>
#include <cstdint>

#include "netstack/common/counters.hpp"

namespace crosswire {

enum class PublishCounter : std::uint8_t {
  frames,
  messages,
  datagrams,
  heartbeats,
  resends,
  resent_messages,
  resends_past_end,
  resends_too_early,
  port_full,
};

/// By number of the enumerator.
inline constexpr std::array kPublishCounters = [] {
  using enum PublishCounter;
  using Info = CounterInfo<PublishCounter>;
  return std::array{
      Info{frames, "frames", "frames given to the port"},
      Info{messages, "messages", "ITCH messages numbered and kept"},
      Info{datagrams, "datagrams", "multicast datagrams with messages"},
      Info{heartbeats, "heartbeats", "multicast heartbeats because nothing else was sent"},
      Info{resends, "resends", "re-requests answered, the next two lines included"},
      Info{resent_messages, "resent_messages", "messages in these answers"},
      Info{resends_past_end, "resends_past_end", "re-requests beyond the last message sent, answered with a heartbeat"},
      Info{resends_too_early, "resends_too_early", "re-requests for messages that are not kept any more"},
      Info{port_full, "port_full", "polls that ended because the port had no room"},
  };
}();

using PublishCounters = Counters<PublishCounter, kPublishCounters.size()>;

static_assert(in_order_of_enumerators(kPublishCounters));
static_assert(kPublishCounters.back().counter == PublishCounter::port_full);

}  // namespace crosswire
