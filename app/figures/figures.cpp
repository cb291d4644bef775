// Figures: see the header. Reads counters and histograms of stopped stages.
#include "app/figures/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace crosswire {
namespace {

LatencyFigure latency(std::string_view name, const Histogram& times) {
  return {name,
          times.count(),
          times.percentile(50),
          times.percentile(90),
          times.percentile(99),
          times.percentile(99.9),
          times.max(),
          times.mean()};
}

/// "receive poll", by Stage.
std::array<std::string, kStages> stage_names_with(std::string_view what) {
  std::array<std::string, kStages> names;
  for (const StageRow& row : kStageTable) names[index_of(row.stage)] = fmt::format("{}{}", row.name, what);
  return names;
}

/// "12", or what stands for a count that is not known.
std::string value_or(std::optional<std::uint64_t> value, std::string_view otherwise) {
  return value ? std::to_string(*value) : std::string(otherwise);
}

/// "  stage.label N" of each counter of that kind that is not zero; "  nothing" without any.
std::string line_of(const std::vector<CounterFigure>& counters, CounterKind kind) {
  std::string line;
  for (const CounterFigure& counter : counters) {
    if (counter.value == 0 || counter.kind != kind) continue;
    fmt::format_to(std::back_inserter(line), "  {}.{} {}", counter.stage, counter.label,
                   value_or(counter.value, kNotKnown));
  }
  return line.empty() ? "  nothing" : line;
}

double per_second(std::uint64_t n, std::uint64_t ns) {
  return ns == 0 ? 0.0 : static_cast<double>(n) * 1e9 / static_cast<double>(ns);
}

}  // namespace

std::vector<CounterFigure> counters_of(const Partition& partition, std::vector<CounterFigure> port) {
  std::vector<CounterFigure> to = std::move(port);
  each_stage_counters([&](std::string_view stage, const auto& table, auto counters) {
    append_counters(to, stage, table, counters(partition));
  });
  return to;
}

void each_latency(const Partition& partition,
                  const std::function<void(std::string_view name, const Histogram& times)>& visit) {
  static const std::array kPoll = stage_names_with(" poll");
  static const std::array kItem = stage_names_with(" item");
  const Chain& chain = partition.chain();
  visit("in the box", chain.box().all_ns);
  if (chain.box().match_ns.count() > 0) {  // on several cores
    visit("of it match", chain.box().match_ns);
    visit("of it transmit", chain.box().transmit_ns);
  }
  for (const Stage stage : kAllStages) {
    const StageTimes& times = chain.times(stage);
    visit(kPoll[index_of(stage)], times.poll_ns);
    visit(kItem[index_of(stage)], times.item_ns);
  }
}

std::vector<StageFigure> stages_of(const Chain& chain) {
  std::vector<StageFigure> stages;
  for (const StageRow& row : kStageTable) {
    const StageTimes& times = chain.times(row.stage);
    stages.push_back({row.name, times.polls.get(), times.poll_ns.count(), times.items.get(), times.batch.percentile(50),
                      times.batch.percentile(100), times.busy_ns(), chain.most_waiting(row.stage)});
  }
  return stages;
}

/// Of the loop that was busy longest: the one that would be the first without time to spare.
static std::uint64_t busy_ns(const Partition& partition) {
  std::uint64_t busiest = 0;
  for (const CoreLoop& loop : partition.loops()) {
    std::uint64_t busy = 0;
    for (const Stage stage : kAllStages) {
      busy += loop.polls(stage) ? partition.chain().times(stage).busy_ns() : 0;
    }
    busiest = std::max(busiest, busy);
  }
  return busiest;
}

Figures figures_of(const Partition& partition, std::uint64_t wall_ns, std::vector<CounterFigure> port) {
  const EngineCounters& engine = partition.engine().counters();
  const TransmitCounters& transmit = partition.transmit().counters();
  const PublishCounters& publish = partition.publish().counters();
  Figures figures{};
  figures.frames_in = partition.receive().counters().get(ReceiveCounter::frames);
  figures.frames_out = transmit.get(TransmitCounter::frames) + publish.get(PublishCounter::frames);
  figures.orders = engine.get(EngineCounter::orders);
  figures.answers = transmit.get(TransmitCounter::answers);
  figures.executions = engine.get(EngineCounter::executions);
  figures.feed_messages = publish.get(PublishCounter::messages);
  figures.feed_datagrams = publish.get(PublishCounter::datagrams);
  figures.counters = counters_of(partition, std::move(port));
  each_latency(partition, [&figures](std::string_view name, const Histogram& times) {
    figures.latencies.push_back(latency(name, times));
  });
  figures.stages = stages_of(partition.chain());
  figures.wall_ns = wall_ns;
  figures.busy_ns = busy_ns(partition);
  figures.live_orders = partition.engine().live_orders();
  figures.state_hash = partition.engine().state_hash();
  figures.order_session = partition.config().net.order_session;
  figures.feed_session = partition.config().net.feed_session;
  figures.memory = partition.memory();
  return figures;
}

std::string to_text(const Figures& f) {
  std::string text;
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "sessions     orders {}  feed {}\n", f.order_session, f.feed_session);
  fmt::format_to(out, "frames       in {}  out {}\n", f.frames_in, f.frames_out);
  fmt::format_to(out, "orders       {}  answers {}  executions {}  live at the end {}\n", f.orders, f.answers,
                 f.executions, f.live_orders);
  fmt::format_to(out, "feed         messages {}  datagrams {}\n", f.feed_messages, f.feed_datagrams);
  fmt::format_to(out, "dropped    {}\n", line_of(f.counters, CounterKind::drop));
  fmt::format_to(out, "noticed    {}\n", line_of(f.counters, CounterKind::notice));
  fmt::format_to(out, "orders/s     {:.0f} by the wall clock ({:.3f} s)  {:.0f} while busy ({:.3f} s)\n",
                 per_second(f.orders, f.wall_ns), static_cast<double>(f.wall_ns) / 1e9, per_second(f.orders, f.busy_ns),
                 static_cast<double>(f.busy_ns) / 1e9);
  for (const StageFigure& s : f.stages) {
    fmt::format_to(out, "{:<12} polls {}  with work {}  items {}  in one {}, at most {}  waiting at most {}\n", s.name,
                   s.polls, s.working_polls, s.items, s.batch_p50, s.batch_max, s.most_waiting);
  }
  fmt::format_to(out, "memory       {}\n", format_memory(f.memory));
  if (const std::string complaint = complaint_of(f.memory); !complaint.empty()) {
    fmt::format_to(out, "memory       NOT AS IT SHOULD BE: {}\n", complaint);
  }
  fmt::format_to(out, "state_hash   {:016x}\n", f.state_hash);
  fmt::format_to(out, "{:<14} {:>10} {:>9} {:>9} {:>9} {:>9} {:>11}\n", "latency, ns", "count", "p50", "p90", "p99",
                 "p99.9", "max");
  for (const LatencyFigure& l : f.latencies) {
    fmt::format_to(out, "{:<14} {:>10} {:>9} {:>9} {:>9} {:>9} {:>11}\n", l.name, l.count, l.p50, l.p90, l.p99, l.p999,
                   l.max);
  }
  return text;
}

std::string to_json(const Figures& f) {
  std::string json;
  const auto out = std::back_inserter(json);
  // Every string here is a name of ours: letters, digits, underscores, dots, spaces. Nothing to escape.
  fmt::format_to(out, "{{\n  \"order_session\": \"{}\",\n  \"feed_session\": \"{}\",\n", f.order_session,
                 f.feed_session);
  fmt::format_to(out, "  \"state_hash\": \"{:016x}\",\n", f.state_hash);
  fmt::format_to(out, "  \"frames_in\": {},\n  \"frames_out\": {},\n", f.frames_in, f.frames_out);
  fmt::format_to(out, "  \"orders\": {},\n  \"answers\": {},\n  \"executions\": {},\n  \"live_orders\": {},\n",
                 f.orders, f.answers, f.executions, f.live_orders);
  fmt::format_to(out, "  \"feed_messages\": {},\n  \"feed_datagrams\": {},\n", f.feed_messages, f.feed_datagrams);
  fmt::format_to(out, "  \"wall_ns\": {},\n  \"busy_ns\": {},\n", f.wall_ns, f.busy_ns);
  fmt::format_to(out, "  \"orders_per_second_wall\": {:.1f},\n  \"orders_per_second_busy\": {:.1f},\n",
                 per_second(f.orders, f.wall_ns), per_second(f.orders, f.busy_ns));
  fmt::format_to(
      out, "  \"memory\": {{\"bytes\": {}, \"page_size\": {}, \"hugepages\": {}, \"node\": {}, \"uniform\": {}}},\n",
      f.memory.bytes, f.memory.page_size, f.memory.huge, f.memory.node, complaint_of(f.memory).empty());
  fmt::format_to(out, "  \"stages\": {{");
  const char* stage_comma = "";
  for (const StageFigure& s : f.stages) {
    fmt::format_to(out,
                   "{}\n    \"{}\": {{\"polls\": {}, \"working_polls\": {}, \"items\": {}, \"batch_p50\": {}, "
                   "\"batch_max\": {}, \"busy_ns\": {}, \"most_waiting\": {}}}",
                   stage_comma, s.name, s.polls, s.working_polls, s.items, s.batch_p50, s.batch_max, s.busy_ns,
                   s.most_waiting);
    stage_comma = ",";
  }
  fmt::format_to(out, "\n  }},\n  \"counters\": {{");
  std::string_view stage;
  for (const CounterFigure& c : f.counters) {
    const bool same = c.stage == stage;
    if (!same) fmt::format_to(out, "{}\n    \"{}\": {{", stage.empty() ? "" : "},", c.stage);
    fmt::format_to(out, "{}\"{}\": {}", same ? ", " : "", c.label, value_or(c.value, "null"));
    stage = c.stage;
  }
  fmt::format_to(out, "}}\n  }},\n  \"drops\": {{");
  const char* comma = "";
  for (const CounterFigure& c : f.counters) {
    if (c.kind != CounterKind::drop) continue;
    fmt::format_to(out, "{}\"{}.{}\": {}", comma, c.stage, c.label, value_or(c.value, "null"));
    comma = ", ";
  }
  fmt::format_to(out, "}},\n  \"latency_ns\": {{");
  comma = "";
  for (const LatencyFigure& l : f.latencies) {
    fmt::format_to(
        out,
        "{}\n    \"{}\": {{\"count\": {}, \"mean\": {:.1f}, \"p50\": {}, \"p90\": {}, \"p99\": {}, \"p99.9\": {}, "
        "\"max\": {}}}",
        comma, l.name, l.count, l.mean, l.p50, l.p90, l.p99, l.p999, l.max);
    comma = ",";
  }
  fmt::format_to(out, "\n  }}\n}}\n");
  return json;
}

std::string format_memory(const ArenaReport& memory) {
  return fmt::format("{} MiB on {} KiB {}{}", memory.bytes >> 20, memory.page_size >> 10,
                     memory.huge ? "hugepages" : "ordinary pages (no hugepages)",
                     memory.node >= 0 ? fmt::format(", node {}", memory.node) : "");
}

}  // namespace crosswire
