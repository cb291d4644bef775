// What the receive stage counts: the one list of names, and what they mean. Every frame or message that is dropped is
// counted under exactly one of the names marked `drop`. Constant data; no DPDK.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "netstack/common/counters.hpp"

namespace crosswire {

enum class ReceiveCounter : std::uint8_t {
  frames,
  commands,
  time_fell,
  // Ethernet and 802.1Q.
  ether_short,
  ether_source_invalid,
  ether_source_ours,
  ether_multicast,
  ether_other_destination,
  ether_type_unknown,
  vlan_not_accepted,
  // ARP.
  arp_requests,
  arp_malformed,
  arp_not_request,
  arp_other_target,
  arp_sender_invalid,
  arp_sender_ours,
  arp_sender_differs,
  arp_rate,
  // IPv4.
  ip_short,
  ip_version,
  ip_header_length,
  ip_total_length,
  ip_too_long,
  ip_checksum,
  ip_fragment,
  ip_other_destination,
  ip_link_broadcast,
  ip_source_invalid,
  ip_source_ours,
  ip_protocol_unknown,
  // ICMP.
  icmp_echoes,
  icmp_short,
  icmp_checksum,
  icmp_not_echo,
  icmp_rate,
  // UDP.
  udp_short,
  udp_length,
  udp_checksum,
  udp_source_port_zero,
  udp_port_unknown,
  // Re-requests of the feed.
  feed_requests,
  feed_request_malformed,
  feed_request_session,
  feed_request_rate,
  // Logins and what keeps a session.
  logins,
  logins_repeated,
  logins_taking_over,
  logins_rebinding,
  logins_refused,
  login_refused_rate,
  login_source_not_allowed,
  heartbeats,
  logouts,
  silences,
  soup_malformed,
  soup_type,
  // Order datagrams.
  order_datagrams,
  order_requests,
  order_gaps,
  order_empty,
  order_source_unknown,
  order_source_changed,
  order_short,
  order_session,
  order_count,
  order_blocks,
  order_sequence,
  order_repeats,
  // OUCH messages.
  enters,
  replaces,
  cancels,
  modifies,
  account_queries,
  mass_cancels,
  disables,
  enables,
  rejects,
  ouch_short,
  ouch_type_unknown,
  ouch_appendage,
  ouch_side,
};

struct ReceiveCounterInfo {
  ReceiveCounter counter;
  bool drop;
  std::string_view label;
  std::string_view meaning;
};

/// By number of the enumerator. The unit is frames unless the meaning names another.
inline constexpr std::array kReceiveCounters = [] {
  using enum ReceiveCounter;
  return std::array{
      ReceiveCounterInfo{frames, false, "frames", "frames taken in"},
      ReceiveCounterInfo{commands, false, "commands", "commands published"},
      ReceiveCounterInfo{time_fell, false, "time_fell",
                         "bursts of frames from before the last command, taken as of its time"},

      ReceiveCounterInfo{ether_short, true, "ether_short", "too short for its Ethernet or 802.1Q header"},
      ReceiveCounterInfo{ether_source_invalid, true, "ether_source_invalid", "source MAC is a group's or zero"},
      ReceiveCounterInfo{ether_source_ours, true, "ether_source_ours", "source MAC is ours"},
      ReceiveCounterInfo{ether_multicast, true, "ether_multicast", "to a multicast MAC"},
      ReceiveCounterInfo{ether_other_destination, true, "ether_other_destination", "to another station's MAC"},
      ReceiveCounterInfo{ether_type_unknown, true, "ether_type_unknown", "neither IPv4 nor ARP, or tagged twice"},
      ReceiveCounterInfo{vlan_not_accepted, true, "vlan_not_accepted", "VLAN is not configured, or a tag is missing"},

      ReceiveCounterInfo{arp_requests, false, "arp_requests", "ARP requests for our address, answered"},
      ReceiveCounterInfo{arp_malformed, true, "arp_malformed", "ARP too short, or not of IPv4 over Ethernet"},
      ReceiveCounterInfo{arp_not_request, true, "arp_not_request", "ARP other than a request"},
      ReceiveCounterInfo{arp_other_target, true, "arp_other_target", "ARP request for another address"},
      ReceiveCounterInfo{arp_sender_invalid, true, "arp_sender_invalid", "ARP sender cannot be a station"},
      ReceiveCounterInfo{arp_sender_ours, true, "arp_sender_ours", "ARP sender claims our address or MAC"},
      ReceiveCounterInfo{arp_sender_differs, true, "arp_sender_differs", "ARP request of another MAC than its frame"},
      ReceiveCounterInfo{arp_rate, true, "arp_rate", "ARP request above the rate that is answered"},

      ReceiveCounterInfo{ip_short, true, "ip_short", "too short for its IPv4 header"},
      ReceiveCounterInfo{ip_version, true, "ip_version", "IP version other than 4"},
      ReceiveCounterInfo{ip_header_length, true, "ip_header_length", "IPv4 header length below 20"},
      ReceiveCounterInfo{ip_total_length, true, "ip_total_length",
                         "IPv4 total length below the header or beyond the frame"},
      ReceiveCounterInfo{ip_too_long, true, "ip_too_long", "IPv4 datagram longer than the MTU of 1500"},
      ReceiveCounterInfo{ip_checksum, true, "ip_checksum", "wrong IPv4 header checksum"},
      ReceiveCounterInfo{ip_fragment, true, "ip_fragment", "IPv4 fragment"},
      ReceiveCounterInfo{ip_other_destination, true, "ip_other_destination", "to another IPv4 address"},
      ReceiveCounterInfo{ip_link_broadcast, true, "ip_link_broadcast", "our IPv4 address by an Ethernet broadcast"},
      ReceiveCounterInfo{ip_source_invalid, true, "ip_source_invalid", "IPv4 source cannot be a station"},
      ReceiveCounterInfo{ip_source_ours, true, "ip_source_ours", "IPv4 source is our address"},
      ReceiveCounterInfo{ip_protocol_unknown, true, "ip_protocol_unknown", "neither ICMP nor UDP"},

      ReceiveCounterInfo{icmp_echoes, false, "icmp_echoes", "ICMP echo requests answered"},
      ReceiveCounterInfo{icmp_short, true, "icmp_short", "too short for its ICMP header"},
      ReceiveCounterInfo{icmp_checksum, true, "icmp_checksum", "wrong ICMP checksum"},
      ReceiveCounterInfo{icmp_not_echo, true, "icmp_not_echo", "ICMP other than an echo request"},
      ReceiveCounterInfo{icmp_rate, true, "icmp_rate", "ICMP echo above the rate that is answered"},

      ReceiveCounterInfo{udp_short, true, "udp_short", "too short for its UDP header"},
      ReceiveCounterInfo{udp_length, true, "udp_length", "UDP length below the header or beyond the IPv4 datagram"},
      ReceiveCounterInfo{udp_checksum, true, "udp_checksum", "wrong UDP checksum"},
      ReceiveCounterInfo{udp_source_port_zero, true, "udp_source_port_zero", "UDP from port 0, which takes no answer"},
      ReceiveCounterInfo{udp_port_unknown, true, "udp_port_unknown", "to a UDP port that nothing listens on"},

      ReceiveCounterInfo{feed_requests, false, "feed_requests", "re-requests of the feed, answered"},
      ReceiveCounterInfo{feed_request_malformed, true, "feed_request_malformed",
                         "feed re-request of wrong size, number or count"},
      ReceiveCounterInfo{feed_request_session, true, "feed_request_session", "feed re-request for another session"},
      ReceiveCounterInfo{feed_request_rate, true, "feed_request_rate",
                         "feed re-request above the rate that is answered"},

      ReceiveCounterInfo{logins, false, "logins", "logins accepted, those of the next three lines included"},
      ReceiveCounterInfo{logins_repeated, false, "logins_repeated", "logins again from the bound source"},
      ReceiveCounterInfo{logins_taking_over, false, "logins_taking_over",
                         "logins that took a session over from another source"},
      ReceiveCounterInfo{logins_rebinding, false, "logins_rebinding",
                         "logins that closed another account's session of their source"},
      ReceiveCounterInfo{logins_refused, false, "logins_refused", "logins answered with a refusal"},
      ReceiveCounterInfo{login_refused_rate, true, "login_refused_rate",
                         "refused login above the rate that is answered"},
      ReceiveCounterInfo{login_source_not_allowed, true, "login_source_not_allowed",
                         "login from an address that the account does not allow"},
      ReceiveCounterInfo{heartbeats, false, "heartbeats", "client heartbeats"},
      ReceiveCounterInfo{logouts, false, "logouts", "sessions closed by the client"},
      ReceiveCounterInfo{silences, false, "silences", "sessions closed because nothing was heard"},
      ReceiveCounterInfo{soup_malformed, true, "soup_malformed", "SoupBinTCP packet of a wrong length"},
      ReceiveCounterInfo{soup_type, true, "soup_type", "SoupBinTCP packet of a type that order entry over UDP has not"},

      ReceiveCounterInfo{order_datagrams, false, "order_datagrams", "datagrams with orders from bound sources"},
      ReceiveCounterInfo{order_requests, false, "order_requests", "re-requests of order sessions"},
      ReceiveCounterInfo{order_gaps, false, "order_gaps", "order datagrams that skipped numbers"},
      ReceiveCounterInfo{order_empty, true, "order_empty", "nothing in it, to the order port"},
      ReceiveCounterInfo{order_source_unknown, true, "order_source_unknown",
                         "from an address and port that is not logged in"},
      ReceiveCounterInfo{order_source_changed, true, "order_source_changed",
                         "from a bound address and port, but another MAC or VLAN"},
      ReceiveCounterInfo{order_short, true, "order_short", "too short for its MoldUDP64 header"},
      ReceiveCounterInfo{order_session, true, "order_session", "names another MoldUDP64 session"},
      ReceiveCounterInfo{order_count, true, "order_count", "MoldUDP64 count that a client may not send"},
      ReceiveCounterInfo{order_blocks, true, "order_blocks", "message blocks do not fill the datagram exactly"},
      ReceiveCounterInfo{order_sequence, true, "order_sequence", "impossible MoldUDP64 sequence number"},
      ReceiveCounterInfo{order_repeats, true, "order_repeats", "messages whose number was there before"},

      ReceiveCounterInfo{enters, false, "enters", "Enter Order messages"},
      ReceiveCounterInfo{replaces, false, "replaces", "Replace Order messages"},
      ReceiveCounterInfo{cancels, false, "cancels", "Cancel Order messages"},
      ReceiveCounterInfo{modifies, false, "modifies", "Modify Order messages"},
      ReceiveCounterInfo{account_queries, false, "account_queries", "Account Query messages"},
      ReceiveCounterInfo{mass_cancels, false, "mass_cancels", "Mass Cancel messages"},
      ReceiveCounterInfo{disables, false, "disables", "Disable Order Entry messages"},
      ReceiveCounterInfo{enables, false, "enables", "Enable Order Entry messages"},
      ReceiveCounterInfo{rejects, false, "rejects", "messages that are rejected for a fault that parsing found"},
      ReceiveCounterInfo{ouch_short, true, "ouch_short", "messages too short for their type"},
      ReceiveCounterInfo{ouch_type_unknown, true, "ouch_type_unknown", "messages of no OUCH type"},
      ReceiveCounterInfo{ouch_appendage, true, "ouch_appendage",
                         "bad options in a message that is not Enter Order or Replace Order"},
      ReceiveCounterInfo{ouch_side, true, "ouch_side", "Modify Order messages with no OUCH side"},
  };
}();

using ReceiveCounters = Counters<ReceiveCounter, kReceiveCounters.size()>;

constexpr const ReceiveCounterInfo& info_of(ReceiveCounter counter) {
  return kReceiveCounters[static_cast<std::size_t>(counter)];
}

static_assert([] {
  for (std::size_t i = 0; i < kReceiveCounters.size(); ++i) {
    if (static_cast<std::size_t>(kReceiveCounters[i].counter) != i) return false;
  }
  return kReceiveCounters.back().counter == ReceiveCounter::ouch_side;
}());

}  // namespace crosswire
