// What a running appliance says of itself: questions to DPDK's telemetry socket, or to the control socket for those who
// may not reach it, and its answers as plain values. For `crosswire top` and `crosswire ctl account`, without DPDK.
// Blocks until the other side has answered, or for ten seconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace crosswire {

/// Names and values of one answer, in its order.
using TopNumbers = std::vector<std::pair<std::string, std::int64_t>>;
std::int64_t value_of(const TopNumbers& numbers, std::string_view name, std::int64_t missing = 0);

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
  std::string date, phase, next_phase;  // "continuous 7, halted 1"; "" where it is not told, or none follows
  TopNumbers totals, stages, rings, drops, notices, latency;
  std::vector<std::string> unknown_drops;  // their names: the appliance does not know how many
  TopNumbers box;                          // buckets of "in the box": end in ns as text, how many
  std::vector<TopSession> sessions;
  std::vector<TopBook> books;
};

/// What the appliance said in one round of questions.
struct TopFigures {
  std::string version;
  std::int64_t uptime_ms = 0;
  std::vector<TopPartition> partitions;
  TopNumbers clock;
};

/// An account and what is left of its limits: numbers by the names of /crosswire/accounts, for each symbol of
/// /crosswire/positions.
struct TopAccount {
  std::string partition, user, firm;
  TopNumbers numbers;
  std::vector<std::pair<std::string, TopNumbers>> positions;
  std::string forbids = "";  // of ask_top_accounts("limits"): kinds of orders, "ioc hidden"
};

/// The telemetry socket of the process with this DPDK file prefix, where DPDK puts it for this user; where there is
/// none that he may ask, but a control socket, that.
std::string top_socket_path(const std::string& prefix);

/// Waits for an answer, as poll() for what can be read of `fd`: above 0, it can; 0, the limit has passed; below 0,
/// errno says why. What it throws goes through to who asked.
using TopWait = std::function<int(int fd, std::chrono::milliseconds limit)>;
int wait_for_answer(int fd, std::chrono::milliseconds limit);

/// Sessions, and books, that are asked for to fill a terminal; those that there can be.
inline constexpr std::size_t kTerminalRows = 256, kAllRows = 1u << 16;

/// Asks for everything, of sessions and books for `most_rows` at most, and up to 64 more. Throws std::runtime_error
/// (one line) where nobody answers, or not as crosswire does. `raw`: the answers as one JSON object, in a line.
TopFigures ask_top_figures(const std::string& socket_path, std::string* raw = nullptr,
                           const TopWait& wait = wait_for_answer, std::size_t most_rows = kAllRows);

/// Asks for one account. `partition`: "" where there is one. Throws std::runtime_error (one line) also where there is
/// no such account. `raw`: the same as one JSON object, in a line.
TopAccount ask_top_account(const std::string& socket_path, const std::string& partition, const std::string& user,
                           std::string* raw = nullptr);

/// Of all accounts, or of `user` alone where it is not "", what the table "accounts" or "limits" has of them, without
/// positions. Else as ask_top_account().
std::vector<TopAccount> ask_top_accounts(const std::string& socket_path, std::string_view table,
                                         const std::string& partition, const std::string& user,
                                         std::string* raw = nullptr);

}  // namespace crosswire
