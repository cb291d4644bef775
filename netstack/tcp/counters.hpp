// What TCP counts, a list for each half. Every segment that comes to nothing is counted under exactly one row of kind
// `drop` of the receive half. Constant data.
#pragma once

#include <array>
#include <cstdint>

#include "hugepages/base/counters.hpp"

namespace crosswire::tcp {

/// The receive half, in segments unless the meaning names another unit.
enum class TcpReceiveCounter : std::uint8_t {
  tcp_segments,
  tcp_in_order,
  tcp_bytes,
  tcp_acks,
  tcp_opened,
  tcp_cookies_sent,
  tcp_cookies_taken,
  tcp_out_of_order,
  tcp_resets_taken,
  tcp_challenges,
  tcp_windows_full,
  // Drops.
  tcp_short,
  tcp_data_offset,
  tcp_checksum,
  tcp_port_zero,
  tcp_flags,
  tcp_no_connection,
  tcp_refused_full,
  tcp_cookie_wrong,
  tcp_rst_invalid,
  tcp_syn_unexpected,
  tcp_no_ack,
  tcp_ack_invalid,
  tcp_out_of_window,
  tcp_old_timestamp,
  tcp_no_timestamp,
  tcp_repeated,
  tcp_too_many_holes,
  tcp_reset_limit,
  tcp_cookie_limit,
  tcp_dead,
  tcp_icmp_ignored,
  count_
};

inline constexpr TcpReceiveCounter kNoTcpDrop{0xFF};

inline constexpr std::array kTcpReceiveCounters = [] {
  using enum TcpReceiveCounter;
  using enum CounterKind;
  using enum Harm;
  using Row = CounterRow<TcpReceiveCounter>;
  return std::array{
      Row{tcp_segments, figure, "tcp_segments", "TCP segments taken in"},
      Row{tcp_in_order, figure, "tcp_in_order", "segments that brought the next bytes of their stream"},
      Row{tcp_bytes, figure, "tcp_bytes", "bytes of streams handed on, in order"},
      Row{tcp_acks, figure, "tcp_acks", "segments without data whose acknowledgement was taken"},
      Row{tcp_opened, figure, "tcp_opened", "connections established"},
      Row{tcp_cookies_sent, notice, "tcp_cookies_sent", "handshakes answered by a SYN cookie, the backlog being full"},
      Row{tcp_cookies_taken, figure, "tcp_cookies_taken", "connections opened by a SYN cookie that came back"},
      Row{tcp_out_of_order, figure, "tcp_out_of_order", "segments kept for those missing before them"},
      Row{tcp_resets_taken, figure, "tcp_resets_taken", "connections ended by a peer's RST"},
      Row{tcp_challenges, notice, "tcp_challenges", "challenge ACKs asked for (RFC 5961)"},
      Row{tcp_windows_full, notice, "tcp_windows_full", "segments cut at the end of the window"},

      Row{tcp_short, drop, "tcp_short", "too short for its TCP header"},
      Row{tcp_data_offset, drop, "tcp_data_offset", "TCP header length below 20 or beyond the datagram"},
      Row{tcp_checksum, drop, "tcp_checksum", "wrong TCP checksum"},
      Row{tcp_port_zero, drop, "tcp_port_zero", "TCP port 0"},
      Row{tcp_flags, drop, "tcp_flags", "flags that make no sense together"},
      Row{tcp_no_connection, drop, "tcp_no_connection", "no such connection, nor anybody who listens", harmless},
      Row{tcp_refused_full, drop, "tcp_refused_full", "refused: all connections are in use"},
      Row{tcp_cookie_wrong, drop, "tcp_cookie_wrong", "ACK of no connection that is no cookie of ours either"},
      Row{tcp_rst_invalid, drop, "tcp_rst_invalid", "RST whose number is not the very next one"},
      Row{tcp_syn_unexpected, drop, "tcp_syn_unexpected", "SYN on a live connection"},
      Row{tcp_no_ack, drop, "tcp_no_ack", "neither SYN, RST nor ACK"},
      Row{tcp_ack_invalid, drop, "tcp_ack_invalid", "acknowledges what was not sent, or what is too old"},
      Row{tcp_out_of_window, drop, "tcp_out_of_window", "outside of the window", harmless},
      Row{tcp_old_timestamp, drop, "tcp_old_timestamp", "timestamp older than the last (PAWS)", harmless},
      Row{tcp_no_timestamp, drop, "tcp_no_timestamp", "timestamp missing where they were agreed upon"},
      Row{tcp_repeated, drop, "tcp_repeated", "data that had come before", harmless},
      Row{tcp_too_many_holes, drop, "tcp_too_many_holes", "out of order, and no room to remember another hole"},
      Row{tcp_reset_limit, drop, "tcp_reset_limit", "no such connection, above the rate of RSTs"},
      Row{tcp_cookie_limit, drop, "tcp_cookie_limit", "SYN above the rate of SYN cookies"},
      Row{tcp_dead, drop, "tcp_dead", "of a connection that has just ended", harmless},
      Row{tcp_icmp_ignored, drop, "tcp_icmp_ignored", "ICMP error that quotes nothing of ours under way"},
  };
}();
static_assert(is_whole(kTcpReceiveCounters));

/// The send half, in segments unless the meaning names another unit.
enum class TcpSendCounter : std::uint8_t {
  tcp_sent,
  tcp_sent_bytes,
  tcp_acks_alone,
  tcp_retransmitted,
  tcp_fast_recoveries,
  tcp_timeouts,
  tcp_timeouts_spurious,
  tcp_probes_of_tail,
  tcp_probes_of_window,
  tcp_keepalives,
  tcp_resets_sent,
  tcp_resets_answered,
  tcp_answers_lost,
  tcp_finished,
  tcp_reset_by_peer,
  tcp_silent,
  tcp_cut,
  tcp_unreachable,
  tcp_ack_beyond,
  count_
};

inline constexpr std::array kTcpSendCounters = [] {
  using enum TcpSendCounter;
  using enum CounterKind;
  using Row = CounterRow<TcpSendCounter>;
  return std::array{
      Row{tcp_sent, figure, "tcp_sent", "segments sent, of all kinds"},
      Row{tcp_sent_bytes, figure, "tcp_sent_bytes", "bytes of streams sent, each time that they were"},
      Row{tcp_acks_alone, figure, "tcp_acks_alone", "acknowledgements that no data carried"},
      Row{tcp_retransmitted, notice, "tcp_retransmitted", "segments sent again"},
      Row{tcp_fast_recoveries, notice, "tcp_fast_recoveries", "losses told by acknowledgements"},
      Row{tcp_timeouts, notice, "tcp_timeouts", "retransmission time-outs"},
      Row{tcp_timeouts_spurious, notice, "tcp_timeouts_spurious",
          "recoveries that timestamps showed to be for nothing"},
      Row{tcp_probes_of_tail, notice, "tcp_probes_of_tail", "tail loss probes"},
      Row{tcp_probes_of_window, notice, "tcp_probes_of_window", "probes of a window that is shut"},
      Row{tcp_keepalives, figure, "tcp_keepalives", "keepalives of idle connections"},
      Row{tcp_resets_sent, notice, "tcp_resets_sent", "connections that we have reset"},
      Row{tcp_resets_answered, figure, "tcp_resets_answered", "RSTs to who has no connection"},
      Row{tcp_answers_lost, notice, "tcp_answers_lost",
          "RSTs, SYN cookies and ARP replies for which no frame was free"},
      Row{tcp_finished, figure, "tcp_finished", "connections closed by both sides"},
      Row{tcp_reset_by_peer, notice, "tcp_reset_by_peer", "connections reset by their peer"},
      Row{tcp_silent, notice, "tcp_silent", "connections whose peer fell silent"},
      Row{tcp_cut, notice, "tcp_cut", "connections that fell behind what is kept for them"},
      Row{tcp_unreachable, notice, "tcp_unreachable", "connections that never came about: no address, or unreachable"},
      Row{tcp_ack_beyond, notice, "tcp_ack_beyond", "acknowledgements of what had not left yet"},
  };
}();
static_assert(is_whole(kTcpSendCounters));

}  // namespace crosswire::tcp
