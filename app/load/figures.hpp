// What a load generator has measured, and its forms: a table for people, JSON, HdrHistogram's percentile text. The run
// writes it; everything else here is for the end, never on a polling core. The picture: picture.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/load/mix.hpp"
#include "app/load/stream.hpp"
#include "engine/types.hpp"
#include "hugepages/base/histogram.hpp"

namespace crosswire {

/// What is measured, always from the time at which the message was due (window: was sent) to the time at which the
/// frame that answers it was polled.
enum class LoadLatency : std::uint8_t {
  ack,             // any message to its first answer; the next four are its parts
  ack_add,         // Enter to Accepted
  ack_cross,       // Enter of a crossing order to Accepted
  ack_cancel,      // Cancel to Canceled
  ack_other,       // Replace, Modify
  execution,       // crossing order to its first Executed
  feed,            // any message to what the feed tells of it; the next three are its parts
  feed_add,        // Enter to Add Order
  feed_execution,  // crossing order to its first Order Executed, by match number
  feed_delete,     // Cancel to Order Delete
};
inline constexpr std::array<std::string_view, 10> kLoadLatencyNames = {
    "order_to_ack",       "add_to_ack",    "cross_to_ack", "cancel_to_ack", "other_to_ack",
    "order_to_execution", "order_to_feed", "add_to_feed",  "cross_to_feed", "cancel_to_feed"};

/// Latency over time is kept for this many equal parts of the measured time.
inline constexpr std::size_t kLoadIntervals = 100;

/// Of the whole run, over TCP: what lies between an order's time and its answer's, besides the server.
struct LoadTcpFigures {
  std::uint32_t connections = 0;
  std::uint64_t lost = 0;  // of these, not by our leave
  std::uint64_t segments_sent = 0, segments_received = 0;
  std::uint64_t retransmitted = 0;  // segments of ours, sent again
  std::uint64_t timeouts = 0;       // of these, because nothing at all was acknowledged for too long
  std::uint64_t out_of_order = 0;   // the server's segments that had to wait for those before them
  std::uint64_t repeated = 0;       // the server's segments that had come before
};

struct LoadFigures {
  // What was asked for, in words and numbers.
  std::string arrivals;          // "constant", "poisson", "burst of 8", "gaps of FILE", "window of 16"
  std::uint64_t rate_asked = 0;  // orders per second; 0 = as fast as the window lets, or as the capture was
  std::uint64_t seed = 0;
  std::uint64_t warm_up_ns = 0, measured_ns = 0;
  std::uint32_t sessions = 0;
  bool floor = false;
  std::string losses;  // "" or one line: what share had no answer, where that is no partial result yet

  // Of the measured time, unless said otherwise.
  std::uint64_t sent = 0;
  std::array<std::uint64_t, kLoadKindNames.size()> sent_by_kind{};  // by LoadKind
  std::uint64_t sending_ns = 0;                                     // from its start to the last message sent
  std::uint64_t answered = 0;                                       // Rejected included
  std::uint64_t answering_ns = 0;                                   // from its start to the last answer
  std::uint64_t executions = 0;
  std::uint64_t late = 0;            // sent more than kLoadLateNs after they were due
  std::uint64_t too_late = 0;        // whole run: cancels of what was executed or gone by then; silence is their answer
  std::uint64_t lost = 0;            // whole run: messages without any answer, though it was asked for again
  std::uint64_t rejected = 0;        // whole run
  std::uint16_t last_reject = 0;     // its reason
  std::uint64_t not_sent = 0;        // whole run: due, and not sent
  std::uint64_t tx_blocked = 0;      // whole run: polls in which the port took no more
  LoadStream::Counts answers, feed;  // whole run, in messages of the streams
  std::uint64_t feed_missing = 0;    // whole run: what the feed never told of our orders
  std::uint64_t malformed = 0;       // whole run: frames, over TCP packets, that an appliance does not send
  std::optional<LoadTcpFigures> tcp;  // over TCP alone

  std::array<Histogram, kLoadLatencyNames.size()> latencies;
  Histogram send_lateness;           // how long after it was due a message was sent, ns
  std::vector<Histogram> intervals;  // order_to_ack by when the order was due; kLoadIntervals or none

  std::string partial;  // why this is not all that was asked for; "" = it is
  std::string host;     // load average and what else to judge the figures by

  const Histogram& of(LoadLatency latency) const { return latencies[static_cast<std::size_t>(latency)]; }
  Histogram& of(LoadLatency latency) { return latencies[static_cast<std::size_t>(latency)]; }
  /// Orders per second. Never more than was asked for and done.
  /// Says what share of `sent_in_all` had no answer, and what to do, once `lost` is known. `silent_ns`: for so long
  /// nothing at all came; 0: something did.
  void judge_losses(std::uint64_t sent_in_all, std::uint64_t silent_ns);

  double rate_achieved() const;
  double rate_answered() const;
};

/// A message sent later than this after it was due counts as late; the wait is in its latency either way.
inline constexpr TimeNs kLoadLateNs = 10'000;

/// Percentiles of a report, by latency name and label ("p50"): what --beside takes from the floor's JSON.
using LoadBeside = std::map<std::string, std::map<std::string, double>, std::less<>>;
/// Reads them from the JSON that to_json() wrote. Throws std::runtime_error (one line).
LoadBeside read_beside(const std::string& path);

/// Several lines. `beside`: empty for none.
std::string to_text(const LoadFigures& figures, const LoadBeside& beside);
std::string to_json(const LoadFigures& figures);

}  // namespace crosswire
