// `crosswire top`: a running appliance in the terminal, from the figures on its telemetry socket. A process of its own,
// without DPDK: it needs only the right to the socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace crosswire {

/// Names and values of one answer, in its order.
using TopNumbers = std::vector<std::pair<std::string, std::int64_t>>;

struct TopSession {
  std::string user, source;
  std::int64_t bound, heard_ms, next_in, next_out;
};

struct TopBook {
  std::string symbol, phase;
  std::int64_t bid_e4, bid, ask_e4, ask, last_e4, volume;
};

struct TopPartition {
  std::string name, order_session, feed_session;
  TopNumbers totals, stages, rings, drops, notices, latency;
  TopNumbers box;  // buckets of "in the box": end in ns as text, how many
  std::vector<TopSession> sessions;
  std::vector<TopBook> books;
};

/// What the appliance said in one round of questions.
struct TopFigures {
  std::string version;
  std::int64_t uptime_ms = 0;
  std::vector<TopPartition> partitions;
};

struct TopSize {
  std::size_t rows, columns;
};

/// The telemetry socket of the process with this DPDK file prefix, where DPDK puts it for this user.
std::string top_socket_path(const std::string& prefix);

/// Asks for everything. Throws std::runtime_error (one line) where nobody answers, or not as crosswire does.
/// `raw`: the answers as one JSON object, in a line.
TopFigures ask_top_figures(const std::string& socket_path, std::string* raw = nullptr);

/// The page, lines ended, none longer than the size. `before`: the figures of an earlier page, for rates and for the
/// percentiles since; none: rates since the start.
std::string top_page(const TopFigures& now, const TopFigures* before, TopSize size);

/// What the command line gave.
struct TopOptions {
  std::string prefix = "crosswire";
  std::string socket;
  double interval_s = 1;
  bool once = false;
  bool json = false;
};

/// The subcommand: a page, or pages until q is pressed. Returns the exit status.
int top_main(const TopOptions& options);

}  // namespace crosswire
