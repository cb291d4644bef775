// The figures on DPDK's telemetry socket, as commands under /crosswire: for dpdk-telemetry.py, telegraf and `crosswire
// top`. The handlers run on threads of DPDK's, which are kept off the polling cores, and only read.
#pragma once

#include "app/figures/live_figures.hpp"

namespace crosswire {

/// Answers the commands while it lives; one at a time in a process. Behind eal_start(), and gone before what the
/// figures read is gone: its end waits for answers under way. The commands are
///
///   /crosswire/info                   version, uptime, names of the partitions
///   /crosswire/clock                  the time of the process beside the host's, ns
///   /crosswire/totals[,PARTITION]     the end's headline figures, sessions, memory
///   /crosswire/stages[,PARTITION]     core, polls, items and busy time of each stage
///   /crosswire/rings[,PARTITION]      items waiting, most ever, capacity of each ring and reader
///   /crosswire/drops[,PARTITION]      what came to nothing, by stage/reason
///   /crosswire/notices[,PARTITION]    what else an operator should know of when it is not zero
///   /crosswire/counters[,PARTITION]   every counter
///   /crosswire/latency[,PARTITION]    percentiles since the start, ns
///   /crosswire/histogram,NAME[,PARTITION]  its buckets: up_to_ns and count, coarser than inside
///   /crosswire/sessions[,PARTITION[,FIRST]]  columns, of up to 64 accounts from the FIRST (0)
///   /crosswire/accounts[,PARTITION[,FIRST]]  columns, of up to 64 accounts: what is left of their limits; `next` as of
///                                     positions, and so of limits
///   /crosswire/limits[,PARTITION[,FIRST]]    columns, of up to 16 accounts: their limits as configured
///   /crosswire/positions,USER[,PARTITION[,FIRST]]  columns, of up to 64 symbols; `account`: the account's number,
///                                     `next`: the FIRST to go on with, 0 where these were the last
///   /crosswire/books[,PARTITION[,FIRST]]     columns, of up to 64 symbols
///   /crosswire/book,SYMBOL            of that one, whatever partition it is in
///   /crosswire/ports[,PARTITION]      what the port and its device counted
///
/// PARTITION may be left out where there is one. Where one of the parameters names nothing, the answer is `error`,
/// which says so, and what there is: `partitions`, `latencies`.
class Telemetry {
 public:
  /// `figures` is complete and outlives this. Throws std::runtime_error (one line).
  explicit Telemetry(const LiveFigures& figures);
  ~Telemetry();
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;
};

}  // namespace crosswire
