// DPDK telemetry: see the header. On threads of DPDK's telemetry.
#include "app/figures/telemetry.hpp"

#include <fmt/format.h>
#include <rte_telemetry.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "app/figures/telemetry_accounts.hpp"
#include "app/figures/telemetry_answer.hpp"

namespace crosswire {
namespace {

using telemetry::add_partitions;
using telemetry::Columns;
using telemetry::Dict;
using telemetry::fail;
using telemetry::find_partition;
using telemetry::find_rows;
using telemetry::named;
using telemetry::new_array;
using telemetry::no_partition;

constexpr int kRefused = -1;  // DPDK answers null: out of memory, or at the end

// Commands cannot be taken back, and registering one twice is no error to DPDK but would leave two: so they are
// registered once, and answer for whoever is here.
std::mutex g_mutex;
const LiveFigures* g_figures = nullptr;
bool g_registered = false;

using Answer = bool (*)(const LiveFigures& figures, std::string_view parameters, rte_tel_data* data);

bool info(const LiveFigures& figures, std::string_view, rte_tel_data* data) {
  Dict dict(data);
  dict.add("version", std::string(CROSSWIRE_VERSION));
  dict.add("uptime_ms", figures.uptime_ms());
  dict.add("log_lines_lost", figures.log_lines_lost());
  dict.add("operators_refused", figures.operators_refused());
  add_partitions(figures, dict);
  return true;
}

/// DPDK's signed numbers have 32 bits: two seconds of nanoseconds, which an offset seldom exceeds, and 24 days of
/// milliseconds.
int in_32_bits(std::int64_t value) {
  return static_cast<int>(
      std::clamp<std::int64_t>(value, -std::numeric_limits<int>::max(), std::numeric_limits<int>::max()));
}

bool clock(const LiveFigures& figures, std::string_view, rte_tel_data* data) {
  const ClockFigure now = figures.clock();
  Dict dict(data);
  dict.add("offset_ns", in_32_bits(now.offset_ns));
  dict.add("bound_ns", static_cast<std::uint64_t>(now.bound_ns));
  dict.add("unfollowed_ms", in_32_bits(std::llround(static_cast<double>(now.unfollowed_ns) / 1e6)));
  dict.add("synchronised", std::uint64_t{now.synchronised});
  return true;
}

template <void (*Write)(const PartitionFigures& now, Dict& dict)>
bool of_partition(const LiveFigures& figures, std::string_view parameters, rte_tel_data* data) {
  const auto number = find_partition(figures, parameters);
  if (!number) return no_partition(figures, parameters, data);
  Dict dict(data);
  Write(figures.partition(*number), dict);
  return true;
}

void write_totals(const PartitionFigures& now, Dict& dict) {
  dict.add("order_session", now.order_session);
  dict.add("feed_session", now.feed_session);
  dict.add("frames_in", now.frames_in());
  dict.add("frames_out", now.frames_out());
  dict.add("orders", now.counter("match", "orders"));
  dict.add("answers", now.counter("transmit", "answers"));
  dict.add("executions", now.counter("match", "executions"));
  dict.add("feed_messages", now.counter("publish", "messages"));
  dict.add("feed_datagrams", now.counter("publish", "datagrams"));
  dict.add("memory_bytes", std::uint64_t{now.memory.bytes});
  dict.add("memory_page_size", std::uint64_t{now.memory.page_size});
  dict.add("memory_hugepages", std::uint64_t{now.memory.huge});
  dict.add("memory_node", now.memory.node);
  dict.add("day_ms", now.day_ms);
  if (now.recording) dict.add("recording", std::uint64_t{*now.recording});
  if (now.recorder) {
    dict.add("recording_written_bytes", now.recorder->written_bytes);
    dict.add("recording_waiting_bytes", now.recorder->waiting_bytes);
    dict.add("recording_waiting_bytes_limit", now.recorder->limit_bytes);
  }
  for (const TableFigure& table : now.tables) {
    dict.add(table.name, table.used);
    dict.add(fmt::format("{}_limit", table.name), table.limit);
  }
  dict.add("sessions_logged_in", now.sessions_open);
  dict.add("accounts", now.accounts);
  dict.add("symbols", now.symbols);
  dict.add("date", now.day.date);
  dict.add("phase", phases_text(now.phases));
  dict.add("next_phase", now.day.next_phase);
}

void write_stages(const PartitionFigures& now, Dict& dict) {
  for (const PlacedStageFigure& stage : now.stages) {
    const auto add = [&](const char* what, auto value) {
      dict.add(fmt::format("{}/{}", stage.figure.name, what), value);
    };
    add("core", stage.core ? static_cast<int>(*stage.core) : -1);
    add("polls", stage.figure.polls);
    add("working_polls", stage.figure.working_polls);
    add("items", stage.figure.items);
    add("busy_ns", stage.figure.busy_ns);
    add("batch_p50", stage.figure.batch_p50);
    add("batch_max", stage.figure.batch_max);
  }
}

void write_rings(const PartitionFigures& now, Dict& dict) {
  for (const RingFigure& ring : now.rings) {
    const auto add = [&](const char* what, std::uint64_t value) {
      dict.add(fmt::format("{}/{}/{}", ring.name, ring.reader, what), value);
    };
    add("waiting", ring.waiting);
    add("most_waiting", ring.most_waiting);
    add("capacity", ring.capacity);
  }
}

void write_counter(const std::string& name, const CounterFigure& counter, Dict& dict) {
  if (counter.value) {
    dict.add(name, *counter.value);
  } else {
    dict.add(name, std::string(kNotKnown));  // DPDK has no null in a dictionary
  }
}
std::string name_of(const CounterFigure& counter) { return fmt::format("{}/{}", counter.stage, counter.label); }
template <CounterKind kKind>
void write_kind(const PartitionFigures& now, Dict& dict) {
  for (const CounterFigure& counter : now.counters) {
    if (counter.kind == kKind) write_counter(name_of(counter), counter, dict);
  }
}
void write_counters(const PartitionFigures& now, Dict& dict) {
  for (const CounterFigure& counter : now.counters) write_counter(name_of(counter), counter, dict);
}
void write_ports(const PartitionFigures& now, Dict& dict) {
  for (const CounterFigure& counter : now.counters) {
    if (counter.stage == "port") write_counter(std::string(counter.label), counter, dict);
  }
}

void write_latency(const PartitionFigures& now, Dict& dict) {
  for (const LatencyHistogram& latency : now.latencies) {
    const auto add = [&](const char* what, std::uint64_t value) {
      dict.add(fmt::format("{}/{}", latency.name, what), value);
    };
    const Histogram& times = latency.times;
    add("count", times.count());
    add("mean", static_cast<std::uint64_t>(times.mean()));
    add("p50", times.percentile(50));
    add("p90", times.percentile(90));
    add("p99", times.percentile(99));
    add("p99_9", times.percentile(99.9));
    add("max", times.max());
  }
}

/// Four buckets in one, so that all fit into an answer: 16 for each power of two.
void write_buckets(const Histogram& times, Dict& dict) {
  constexpr std::size_t kMost = RTE_TEL_MAX_ARRAY_ENTRIES;
  constexpr std::uint64_t kFewest = 64;  // below it each value is its own
  rte_tel_data* const ends = new_array(RTE_TEL_U64_VAL);
  rte_tel_data* const counts = new_array(RTE_TEL_U64_VAL);
  std::size_t written = 0;
  std::uint64_t end = 0;
  std::uint64_t count = 0;
  const auto write = [&] {
    if (count == 0 || written == kMost) return;
    rte_tel_data_add_array_u64(ends, end);
    rte_tel_data_add_array_u64(counts, count);
    ++written;
    count = 0;
  };
  times.each_bucket([&](std::uint64_t last_value, std::uint64_t n) {
    std::uint64_t coarse = last_value;
    if (last_value >= kFewest) {
      const auto shift = static_cast<unsigned>(std::bit_width(last_value)) - 5;
      coarse = (((last_value >> shift) + 1) << shift) - 1;
    }
    // The last entry there is room for takes all that follows.
    if (coarse != end && written + 1 < kMost) write();
    end = coarse;
    count += n;
  });
  write();
  dict.add("up_to_ns", ends);
  dict.add("count", counts);
}

bool histogram(const LiveFigures& figures, std::string_view parameters, rte_tel_data* data) {
  const std::size_t comma = parameters.find(',');
  const std::string_view partition =
      comma == std::string_view::npos ? std::string_view() : parameters.substr(comma + 1);
  const auto number = find_partition(figures, partition);
  if (!number) return no_partition(figures, partition, data);
  std::string name(parameters.substr(0, comma));
  std::replace(name.begin(), name.end(), '_', ' ');
  const PartitionFigures now = figures.partition(*number);
  const auto found = std::find_if(now.latencies.begin(), now.latencies.end(),
                                  [&](const LatencyHistogram& l) { return l.name == name; });
  Dict dict(data);
  if (found == now.latencies.end()) {
    dict.add("error", fmt::format("there is no latency {}", named(parameters.substr(0, comma))));
    rte_tel_data* const names = new_array(RTE_TEL_STRING_VAL);
    for (const LatencyHistogram& other : now.latencies) {
      std::string asked(other.name);
      std::replace(asked.begin(), asked.end(), ' ', '_');
      rte_tel_data_add_array_string(names, asked.c_str());
    }
    dict.add("latencies", names);
    return true;
  }
  write_buckets(found->times, dict);
  return true;
}

bool sessions(const LiveFigures& figures, std::string_view parameters, rte_tel_data* data) {
  const auto rows = find_rows(figures, parameters, data);
  if (!rows) return true;
  Columns columns;
  for (const SessionFigure& session : figures.sessions(rows->first, rows->second)) {
    columns.text("user", session.user);
    columns.number("bound", session.bound ? 1 : 0);
    columns.text("source", session.source);
    columns.number("heard_ms", session.heard_ms);
    columns.number("next_in", session.next_in);
    columns.number("next_out", session.next_out);
    columns.number("kept", session.kept);
  }
  Dict dict(data);
  columns.give_to(dict);
  return true;
}

/// Market orders of a call, which come first, have no price: 0.
std::uint64_t shown(Price price) { return price > kMaxPrice ? 0 : price.value; }

bool books(const LiveFigures& figures, std::string_view parameters, rte_tel_data* data) {
  const auto rows = find_rows(figures, parameters, data);
  if (!rows) return true;
  Columns columns;
  for (const BookFigure& book : figures.books(rows->first, rows->second)) {
    columns.text("symbol", book.symbol);
    columns.text("phase", phase_name(book.top.phase));
    columns.number("bid_e4", shown(book.top.bid));
    columns.number("bid_shares", book.top.bid_shares);
    columns.number("ask_e4", shown(book.top.ask));
    columns.number("ask_shares", book.top.ask_shares);
    columns.number("last_e4", book.top.last.value);
    columns.number("volume", book.top.volume);
  }
  Dict dict(data);
  columns.give_to(dict);
  return true;
}

bool book(const LiveFigures& figures, std::string_view parameters, rte_tel_data* data) {
  const std::size_t comma = parameters.find(',');
  const std::string_view symbol = parameters.substr(0, comma);
  const std::string_view partition = comma == std::string_view::npos ? "" : parameters.substr(comma + 1);
  if (!partition.empty() && !find_partition(figures, partition)) return no_partition(figures, partition, data);
  for (std::size_t i = 0; i < figures.sources().size(); ++i) {
    if (!partition.empty() && figures.sources()[i].name != partition) continue;
    if (const auto number = figures.symbol(i, symbol)) {
      const std::vector<BookFigure> found = figures.books(i, *number);
      if (found.empty()) return fail(data, "the match stage gives no answer; does it stand still?");
      const BookTop& top = found.front().top;
      Dict dict(data);
      dict.add("partition", figures.sources()[i].name);
      dict.add("phase", std::string(phase_name(top.phase)));
      dict.add("bid_e4", shown(top.bid));
      dict.add("bid_shares", top.bid_shares);
      dict.add("ask_e4", shown(top.ask));
      dict.add("ask_shares", top.ask_shares);
      dict.add("last_e4", std::uint64_t{top.last.value});
      dict.add("volume", top.volume);
      return true;
    }
  }
  return fail(data, fmt::format("there is no symbol {}", named(symbol)));
}

struct TelemetryCommand {
  const char* name;
  const char* help;  // DPDK takes 63 characters
  Answer answer;
};

constexpr std::array kCommands = {
    TelemetryCommand{"/crosswire/info", "Version, uptime in ms, names of the partitions", info},
    TelemetryCommand{"/crosswire/clock", "Offset and bound to the host's clock, ns; synchronised", clock},
    TelemetryCommand{"/crosswire/totals", "Headline figures and memory. Parameter: partition",
                     of_partition<write_totals>},
    TelemetryCommand{"/crosswire/stages", "Core, polls, items, busy ns. Parameter: partition",
                     of_partition<write_stages>},
    TelemetryCommand{"/crosswire/rings", "Items waiting and capacity. Parameter: partition", of_partition<write_rings>},
    TelemetryCommand{"/crosswire/drops", "What came to nothing, and why. Parameter: partition",
                     of_partition<write_kind<CounterKind::drop>>},
    TelemetryCommand{"/crosswire/notices", "What else to look into. Parameter: partition",
                     of_partition<write_kind<CounterKind::notice>>},
    TelemetryCommand{"/crosswire/counters", "Every counter. Parameter: partition", of_partition<write_counters>},
    TelemetryCommand{"/crosswire/latency", "Percentiles since the start, ns. Parameter: partition",
                     of_partition<write_latency>},
    TelemetryCommand{"/crosswire/histogram", "Buckets of a latency. Parameters: name[,partition]", histogram},
    TelemetryCommand{"/crosswire/sessions", "Up to 64 sessions. Parameters: partition[,first]", sessions},
    TelemetryCommand{"/crosswire/accounts", "Limits of up to 64 accounts. Parameters: partition[,first]",
                     telemetry::accounts},
    TelemetryCommand{"/crosswire/limits", "Limits of up to 16 accounts. Parameters: partition[,first]",
                     telemetry::limits},
    TelemetryCommand{"/crosswire/positions", "Of an account. Parameters: user[,partition[,first]]",
                     telemetry::positions},
    TelemetryCommand{"/crosswire/books", "Tops of up to 64 books. Parameters: partition[,first]", books},
    TelemetryCommand{"/crosswire/book", "Top of one book. Parameters: symbol[,partition]", book},
    TelemetryCommand{"/crosswire/ports", "What port and device counted. Parameter: partition",
                     of_partition<write_ports>},
};

/// DPDK's callback; no exception may leave it.
int answer(const char* name, const char* parameters, rte_tel_data* data) {
  const auto command = std::find_if(kCommands.begin(), kCommands.end(),
                                    [name](const TelemetryCommand& c) { return std::strcmp(c.name, name) == 0; });
  if (command == kCommands.end()) return kRefused;
  try {
    const std::lock_guard lock(g_mutex);
    if (g_figures == nullptr) return kRefused;
    return command->answer(*g_figures, parameters == nullptr ? "" : parameters, data) ? 0 : kRefused;
  } catch (const std::exception&) {  // out of memory
    return kRefused;
  }
}

}  // namespace

Telemetry::Telemetry(const LiveFigures& figures) {
  const std::lock_guard lock(g_mutex);
  if (g_figures != nullptr) throw std::runtime_error("telemetry: the figures of this process are there already");
  for (const TelemetryCommand& command : kCommands) {
    if (g_registered) break;
    if (rte_telemetry_register_cmd(command.name, answer, command.help) != 0) {
      throw std::runtime_error(
          fmt::format("telemetry: DPDK does not take the command {}; it has no room", command.name));
    }
  }
  g_registered = true;
  g_figures = &figures;
}

Telemetry::~Telemetry() {
  const std::lock_guard lock(g_mutex);
  g_figures = nullptr;
}

}  // namespace crosswire
