// What the receive stage counts: the one list of names, and what they mean. Every frame or message that is dropped is
// counted under exactly one of the rows of kind `drop`. Constant data; no DPDK.
#pragma once

#include <array>
#include <cstdint>

#include "hugepages/base/counters.hpp"

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
  logins_barred,
  login_refused_rate,
  login_late,
  login_source_not_allowed,
  heartbeats,
  logouts,
  silences,
  soup_malformed,
  soup_type,
  strangers_told,
  // SoupBinTCP over TCP.
  soup_packets,
  soup_logins_late,
  soup_strangers_cut,
  soup_cut,
  soup_before_login,
  soup_login_again,
  soup_too_long,
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
  order_day_over,
  order_request_rate,
  order_request_bytes,
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
  // What comes past the wire.
  operators,
  operator_unknown,
  count_
};

/// By number of the enumerator. The unit is frames unless the meaning names another.
inline constexpr std::array kReceiveCounters = [] {
  using enum ReceiveCounter;
  using enum CounterKind;
  using enum Harm;
  using Row = CounterRow<ReceiveCounter>;
  return std::array{
      Row{frames, figure, "frames", "frames taken in"},
      Row{commands, figure, "commands", "commands published"},
      Row{time_fell, notice, "time_fell", "bursts of frames from before the last command, taken as of its time"},

      Row{ether_short, drop, "ether_short", "too short for its Ethernet or 802.1Q header", harmless},
      Row{ether_source_invalid, drop, "ether_source_invalid", "source MAC is a group's or zero"},
      Row{ether_source_ours, drop, "ether_source_ours", "source MAC is ours"},
      Row{ether_multicast, drop, "ether_multicast", "to a multicast MAC", harmless},
      Row{ether_other_destination, drop, "ether_other_destination", "to another station's MAC", harmless},
      Row{ether_type_unknown, drop, "ether_type_unknown", "neither IPv4 nor ARP, or tagged twice", harmless},
      Row{vlan_not_accepted, drop, "vlan_not_accepted", "VLAN is not configured, or a tag is missing"},

      Row{arp_requests, figure, "arp_requests", "ARP requests for our address, answered"},
      Row{arp_malformed, drop, "arp_malformed", "ARP too short, or not of IPv4 over Ethernet", harmless},
      Row{arp_not_request, drop, "arp_not_request", "ARP other than a request", harmless},
      Row{arp_other_target, drop, "arp_other_target", "ARP request for another address", harmless},
      Row{arp_sender_invalid, drop, "arp_sender_invalid", "ARP sender cannot be a station", harmless},
      Row{arp_sender_ours, drop, "arp_sender_ours", "ARP sender claims our address or MAC"},
      Row{arp_sender_differs, drop, "arp_sender_differs", "ARP request of another MAC than its frame", harmless},
      Row{arp_rate, drop, "arp_rate", "ARP request above the rate that is answered", harmless},

      Row{ip_short, drop, "ip_short", "too short for its IPv4 header"},
      Row{ip_version, drop, "ip_version", "IP version other than 4"},
      Row{ip_header_length, drop, "ip_header_length", "IPv4 header length below 20"},
      Row{ip_total_length, drop, "ip_total_length", "IPv4 total length below the header or beyond the frame"},
      Row{ip_too_long, drop, "ip_too_long", "IPv4 datagram longer than the MTU of 1500"},
      Row{ip_checksum, drop, "ip_checksum", "wrong IPv4 header checksum"},
      Row{ip_fragment, drop, "ip_fragment", "IPv4 fragment"},
      Row{ip_other_destination, drop, "ip_other_destination", "to another IPv4 address", harmless},
      Row{ip_link_broadcast, drop, "ip_link_broadcast", "our IPv4 address by an Ethernet broadcast", harmless},
      Row{ip_source_invalid, drop, "ip_source_invalid", "IPv4 source cannot be a station", harmless},
      Row{ip_source_ours, drop, "ip_source_ours", "IPv4 source is our address"},
      Row{ip_protocol_unknown, drop, "ip_protocol_unknown", "neither ICMP nor UDP, nor TCP where that is configured",
          harmless},

      Row{icmp_echoes, figure, "icmp_echoes", "ICMP echo requests answered"},
      Row{icmp_short, drop, "icmp_short", "too short for its ICMP header"},
      Row{icmp_checksum, drop, "icmp_checksum", "wrong ICMP checksum"},
      Row{icmp_not_echo, drop, "icmp_not_echo", "ICMP other than an echo request", harmless},
      Row{icmp_rate, drop, "icmp_rate", "ICMP echo above the rate that is answered", harmless},

      Row{udp_short, drop, "udp_short", "too short for its UDP header"},
      Row{udp_length, drop, "udp_length", "UDP length below the header or beyond the IPv4 datagram"},
      Row{udp_checksum, drop, "udp_checksum", "wrong UDP checksum"},
      Row{udp_source_port_zero, drop, "udp_source_port_zero", "UDP from port 0, which takes no answer", harmless},
      Row{udp_port_unknown, drop, "udp_port_unknown", "to a UDP port that nothing listens on", harmless},

      Row{feed_requests, figure, "feed_requests", "re-requests of the feed, answered"},
      Row{feed_request_malformed, drop, "feed_request_malformed", "feed re-request of wrong size, number or count",
          harmless},
      Row{feed_request_session, drop, "feed_request_session", "feed re-request for another session", harmless},
      Row{feed_request_rate, drop, "feed_request_rate", "feed re-request above the rate that is answered", harmless},

      Row{logins, figure, "logins", "logins accepted, those of the next three lines included"},
      Row{logins_repeated, figure, "logins_repeated", "logins again from the bound source"},
      Row{logins_taking_over, notice, "logins_taking_over", "logins that took a session over from another source"},
      Row{logins_rebinding, notice, "logins_rebinding", "logins that closed another account's session of their source"},
      Row{logins_refused, notice, "logins_refused", "logins answered with a refusal, those of the next line included"},
      Row{logins_barred, notice, "logins_barred", "logins to an account that logs in, or is taken over, too often"},
      Row{login_refused_rate, drop, "login_refused_rate", "refused login above the rate that is answered"},
      Row{login_late, drop, "login_late",
          "login again from a source whose session another took over less than 5 s ago: perhaps an old datagram",
          harmless},
      Row{login_source_not_allowed, drop, "login_source_not_allowed",
          "login from an address that the account does not allow"},
      Row{heartbeats, figure, "heartbeats", "client heartbeats"},
      Row{logouts, figure, "logouts", "sessions closed by the client"},
      Row{silences, notice, "silences", "sessions closed because nothing was heard"},
      Row{soup_malformed, drop, "soup_malformed", "SoupBinTCP packet of a wrong length"},
      Row{soup_type, drop, "soup_type", "SoupBinTCP packet of a type that order entry has not"},
      Row{strangers_told, figure, "strangers_told", "answers to who has no session and sends: + with a word, J with S"},

      Row{soup_packets, figure, "soup_packets", "SoupBinTCP packets over TCP"},
      Row{soup_logins_late, notice, "soup_logins_late", "TCP connections closed because no login came in time"},
      Row{soup_strangers_cut, notice, "soup_strangers_cut",
          "TCP connections without a login closed because there were too many"},
      Row{soup_cut, notice, "soup_cut", "TCP connections closed for what is no SoupBinTCP"},
      Row{soup_before_login, drop, "soup_before_login", "SoupBinTCP packets ahead of the login"},
      Row{soup_login_again, drop, "soup_login_again", "SoupBinTCP logins on a connection that has one"},
      Row{soup_too_long, drop, "soup_too_long", "SoupBinTCP packets longer than any message"},

      Row{order_datagrams, figure, "order_datagrams", "datagrams with orders from bound sources"},
      Row{order_requests, figure, "order_requests", "re-requests of order sessions"},
      Row{order_gaps, notice, "order_gaps", "order datagrams that skipped numbers"},
      Row{order_empty, drop, "order_empty", "nothing in it, to the order port", harmless},
      Row{order_source_unknown, drop, "order_source_unknown", "from an address and port that is not logged in",
          harmless},
      Row{order_source_changed, drop, "order_source_changed",
          "from a bound address and port, but another MAC or VLAN: a client behind two routers, a failover, or forged"},
      Row{order_short, drop, "order_short", "too short for its MoldUDP64 header"},
      Row{order_session, drop, "order_session", "names another MoldUDP64 session"},
      Row{order_count, drop, "order_count", "MoldUDP64 count that a client may not send"},
      Row{order_blocks, drop, "order_blocks", "message blocks do not fill the datagram exactly"},
      Row{order_sequence, drop, "order_sequence", "impossible MoldUDP64 sequence number"},
      Row{order_repeats, drop, "order_repeats", "messages whose number was there before", harmless},
      Row{order_day_over, drop, "order_day_over", "datagrams with orders behind the day's end", harmless},
      Row{order_request_rate, drop, "order_request_rate",
          "re-requests of order sessions above the rate of their account", harmless},
      Row{order_request_bytes, drop, "order_request_bytes",
          "re-requests of order sessions above the share of the transmit link that is theirs", harmless},

      Row{enters, figure, "enters", "Enter Order messages"},
      Row{replaces, figure, "replaces", "Replace Order messages"},
      Row{cancels, figure, "cancels", "Cancel Order messages"},
      Row{modifies, figure, "modifies", "Modify Order messages"},
      Row{account_queries, figure, "account_queries", "Account Query messages"},
      Row{mass_cancels, figure, "mass_cancels", "Mass Cancel messages"},
      Row{disables, figure, "disables", "Disable Order Entry messages"},
      Row{enables, figure, "enables", "Enable Order Entry messages"},
      Row{rejects, figure, "rejects", "messages that are rejected for a fault that parsing found"},
      Row{ouch_short, drop, "ouch_short", "messages too short for their type"},
      Row{ouch_type_unknown, drop, "ouch_type_unknown", "messages of no OUCH type"},
      Row{ouch_appendage, drop, "ouch_appendage", "bad options in a message that is not Enter Order or Replace Order"},
      Row{ouch_side, drop, "ouch_side", "Modify Order messages with no OUCH side"},

      Row{operators, figure, "operators", "operators' commands"},
      Row{operator_unknown, drop, "operator_unknown",
          "operators' commands of another version, or that ask for what is not known"},
  };
}();

static_assert(is_whole(kReceiveCounters));

using ReceiveCounters = Counters<ReceiveCounter>;

}  // namespace crosswire
