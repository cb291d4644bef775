// The figures of a run or replay: what came in, what went out, what was dropped and why, and how long it took. Gathered
// from a partition that has stopped (app/figures/live_figures: from one that runs); printed as text, written as JSON.
// Never on a polling core.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/partition/partition.hpp"
#include "engine/counters.hpp"
#include "hugepages/base/counters.hpp"
#include "hugepages/base/histogram.hpp"
#include "netstack/port/counters.hpp"
#include "netstack/receive/counters.hpp"
#include "netstack/tcp/counters.hpp"
#include "netstack/transmit/counters.hpp"

namespace crosswire {

/// A row of a stage's or port's table of counters, and how far it has counted.
struct CounterFigure {
  std::string_view stage;
  std::string_view label;
  CounterKind kind;
  std::optional<std::uint64_t> value;  // nothing: it is not known, and nobody may take it for 0
};
/// What figures say of a counter that is not known.
inline constexpr std::string_view kNotKnown = "not known";

/// Puts what `counters` say behind `to`, in the order of their table.
template <class Table, class Name>
void append_counters(std::vector<CounterFigure>& to, std::string_view stage, const Table& table,
                     const Counters<Name>& counters) {
  for (const CounterRow<Name>& row : table) to.push_back({stage, row.label, row.kind, counters.get(row.counter)});
}

/// Of impaired ports, where there are any: the way in, the way out.
inline void append_impairments(std::vector<CounterFigure>& to, const ImpairmentCounters& received,
                               const ImpairmentCounters& sent) {
  append_counters(to, "impaired_rx", kImpairmentCounters, received);
  append_counters(to, "impaired_tx", kImpairmentCounters, sent);
}

/// Calls visit(stage, table, counters) for each stage, in the order of the figures; `counters` finds the counters that
/// the table explains in a Partition. A further stage's counters are one line here.
template <class Visit>
void each_stage_counters(Visit visit) {
  visit(
      "receive", kReceiveCounters, [](const Partition& p) -> auto& { return p.receive().counters(); });
  visit(
      "tcp_receive", tcp::kTcpReceiveCounters, [](const Partition& p) -> auto& { return p.receive().tcp_counters(); });
  visit(
      "match", kEngineCounters, [](const Partition& p) -> auto& { return p.engine().counters(); });
  visit(
      "transmit", kTransmitCounters, [](const Partition& p) -> auto& { return p.transmit().counters(); });
  visit(
      "tcp_send", tcp::kTcpSendCounters, [](const Partition& p) -> auto& { return p.transmit().tcp_counters(); });
  visit(
      "publish", kPublishCounters, [](const Partition& p) -> auto& { return p.publish().counters(); });
}

/// Nanoseconds; percentiles as Histogram::percentile.
struct LatencyFigure {
  std::string_view name;
  std::uint64_t count;
  std::uint64_t p50, p90, p99, p999, max;
  double mean;
};

/// Of a stage's polls. A batch is what a poll with work did.
struct StageFigure {
  std::string_view name;
  std::uint64_t polls, working_polls;
  std::uint64_t items;
  std::uint64_t batch_p50, batch_max;
  std::uint64_t busy_ns;       // in polls with work
  std::uint64_t most_waiting;  // items in its ring; 0 for receive
};

struct Figures {
  std::uint64_t frames_in, frames_out;
  std::uint64_t orders;      // Enter, Replace, Cancel, Modify, Account Query messages that the engine took
  std::uint64_t answers;     // OUCH messages to clients, sent or kept
  std::uint64_t executions;  // matches; each has two sides
  std::uint64_t feed_messages, feed_datagrams;
  std::vector<CounterFigure> counters;  // every counter of every stage
  std::vector<LatencyFigure> latencies;
  std::vector<StageFigure> stages;
  std::uint64_t wall_ns;  // from the first round to the last
  std::uint64_t busy_ns;  // of that, in polls that did work; of the busiest loop
  std::uint64_t live_orders;
  std::uint64_t state_hash;
  std::string order_session, feed_session;
  ArenaReport memory;
};

/// Every counter of the partition, behind those of its port. Any thread, also while the stages run.
std::vector<CounterFigure> counters_of(const Partition& partition, std::vector<CounterFigure> port);

/// Calls `visit` with each of the partition's histograms, in the order of the figures. Any thread, also while the
/// stages run; then it copies what it looks at.
void each_latency(const Partition& partition,
                  const std::function<void(std::string_view name, const Histogram& times)>& visit);

/// By Stage. Any thread, also while the stages run.
std::vector<StageFigure> stages_of(const Chain& chain);

/// `wall_ns`: how long the loop ran. `port` has what the port counted, and goes in front of the stages' counters.
Figures figures_of(const Partition& partition, std::uint64_t wall_ns, std::vector<CounterFigure> port);

/// Several lines, each ended: the headline figures, drops and what else to notice where not zero, latencies.
std::string to_text(const Figures& figures);

/// One JSON object with everything, ended by a newline. Times in ns.
std::string to_json(const Figures& figures);

/// "64 MiB on 2048 KiB hugepages, node 0".
std::string format_memory(const ArenaReport& memory);

}  // namespace crosswire
