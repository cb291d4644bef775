// Prometheus: see the header. On prometheus-cpp's threads.
#include "app/figures/prometheus.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace crosswire {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr double kNsPerS = 1e9;

/// Upper bounds of the buckets that are shown, ns.
constexpr std::array<std::uint64_t, 19> kBounds = {
    100,    250,    500,     750,     1'000,     1'500,      2'500,       5'000,         7'500,         10'000,
    25'000, 50'000, 100'000, 250'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000, 10'000'000'000};

/// The families under way, each once, in the order in which they are first met.
class Metrics {
 public:
  void counter(std::string_view name, std::string_view help, Labels labels, double value) {
    add(name, help, MetricType::Counter, std::move(labels)).counter.value = value;
  }
  void gauge(std::string_view name, std::string_view help, Labels labels, double value) {
    add(name, help, MetricType::Gauge, std::move(labels)).gauge.value = value;
  }
  void histogram(std::string_view name, std::string_view help, Labels labels, const Histogram& times) {
    ClientMetric::Histogram& shown = add(name, help, MetricType::Histogram, std::move(labels)).histogram;
    shown.sample_count = times.count();
    shown.sample_sum = static_cast<double>(times.sum()) / kNsPerS;
    for (const std::uint64_t bound : kBounds) {
      shown.bucket.push_back({times.count_up_to(bound), static_cast<double>(bound) / kNsPerS});
    }
  }

  std::vector<MetricFamily> take() { return std::move(families_); }

 private:
  ClientMetric& add(std::string_view name, std::string_view help, MetricType type, Labels labels) {
    MetricFamily* family = nullptr;
    for (MetricFamily& known : families_) {
      if (known.name == name) family = &known;
    }
    if (family == nullptr)
      family = &families_.emplace_back(MetricFamily{std::string(name), std::string(help), type, {}});
    ClientMetric& metric = family->metric.emplace_back();
    metric.label = std::move(labels);
    return metric;
  }

  std::vector<MetricFamily> families_;
};

void add_totals(Metrics& metrics, const PartitionFigures& now) {
  const auto total = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    metrics.counter(name, help, {{"partition", now.name}}, static_cast<double>(value));
  };
  total("crosswire_frames_received_total", "Frames taken in.", now.frames_in());
  total("crosswire_frames_sent_total", "Frames given to the port.", now.frames_out());
  total("crosswire_orders_total", "Orders, cancels and other requests that the engine took.",
        now.counter("match", "orders"));
  total("crosswire_rejected_total", "Orders and requests that were answered with a reject.",
        now.counter("match", "rejected"));
  total("crosswire_executions_total", "Matches; each has two sides.", now.counter("match", "executions"));
  total("crosswire_executed_shares_total", "Shares of these.", now.counter("match", "executed_shares"));
  total("crosswire_answers_total", "OUCH messages to clients, sent or kept.", now.counter("transmit", "answers"));
  total("crosswire_feed_messages_total", "ITCH messages of the feed.", now.counter("publish", "messages"));
  total("crosswire_feed_datagrams_total", "Multicast datagrams with messages.", now.counter("publish", "datagrams"));
}

/// The family of a kind of counters, and the label that has the counter's name.
struct KindFamily {
  CounterKind kind;
  std::string_view name, help;
  const char* label;
};
constexpr std::array kKindFamilies = {
    KindFamily{CounterKind::figure, "crosswire_stage_events_total", "Everything else that the stages count.", "event"},
    KindFamily{CounterKind::notice, "crosswire_noticed_total", "What was done, but is not as it should be.", "reason"},
    KindFamily{CounterKind::drop, "crosswire_dropped_total", "Frames, messages and orders that came to nothing.",
               "reason"},
};
static_assert(kKindFamilies.size() == kCounterKindNames.size());

void add_counters(Metrics& metrics, const PartitionFigures& now) {
  for (const CounterFigure& counter : now.counters) {
    if (!counter.value) continue;  // a series that is not there alerts nobody, and a zero would be a lie
    const KindFamily& family = kKindFamilies[static_cast<std::size_t>(counter.kind)];
    metrics.counter(
        family.name, family.help,
        {{"partition", now.name}, {"stage", std::string(counter.stage)}, {family.label, std::string(counter.label)}},
        static_cast<double>(*counter.value));
  }
}

void add_stages(Metrics& metrics, const PartitionFigures& now) {
  for (const PlacedStageFigure& stage : now.stages) {
    const Labels labels = {{"partition", now.name}, {"stage", std::string(stage.figure.name)}};
    metrics.gauge("crosswire_stage_core", "Core that polls the stage; -1: wherever the operating system puts it.",
                  labels, stage.core ? static_cast<double>(*stage.core) : -1.0);
    metrics.counter("crosswire_stage_polls_total", "Polls, with work or without.", labels,
                    static_cast<double>(stage.figure.polls));
    metrics.counter("crosswire_stage_working_polls_total", "Polls that did work.", labels,
                    static_cast<double>(stage.figure.working_polls));
    metrics.counter("crosswire_stage_items_total", "Items of work done.", labels,
                    static_cast<double>(stage.figure.items));
    metrics.counter("crosswire_stage_busy_seconds_total", "Time in polls that did work.", labels,
                    static_cast<double>(stage.figure.busy_ns) / kNsPerS);
  }
}

void add_rings(Metrics& metrics, const PartitionFigures& now) {
  for (const RingFigure& ring : now.rings) {
    const Labels labels = {
        {"partition", now.name}, {"ring", std::string(ring.name)}, {"reader", std::string(ring.reader)}};
    metrics.gauge("crosswire_ring_waiting", "Items that wait for the reader.", labels,
                  static_cast<double>(ring.waiting));
    metrics.gauge("crosswire_ring_waiting_max", "Most items that waited since the start.", labels,
                  static_cast<double>(ring.most_waiting));
    metrics.gauge("crosswire_ring_capacity", "Items that the ring holds.", labels, static_cast<double>(ring.capacity));
  }
}

/// "receive poll" is of a stage, "in the box" of all.
void add_latencies(Metrics& metrics, const PartitionFigures& now) {
  for (const LatencyHistogram& latency : now.latencies) {
    const std::string_view name = latency.name;
    const std::size_t space = name.find(' ');
    const std::string first(name.substr(0, space));
    const std::string_view suffix = space == std::string_view::npos ? "" : name.substr(space + 1);
    if (suffix == "poll") {
      metrics.histogram("crosswire_stage_poll_seconds", "Length of a poll that did work.",
                        {{"partition", now.name}, {"stage", first}}, latency.times);
    } else if (suffix == "item") {
      metrics.histogram("crosswire_stage_item_seconds", "The same by the items that the poll did.",
                        {{"partition", now.name}, {"stage", first}}, latency.times);
    } else if (name == "in the box") {
      metrics.histogram("crosswire_in_the_box_seconds",
                        "A burst with orders, from the start of receive's poll to the flush of its last answer.",
                        {{"partition", now.name}}, latency.times);
    } else {
      metrics.histogram("crosswire_passage_seconds", "Parts of the time in the box.",
                        {{"partition", now.name}, {"part", std::string(name)}}, latency.times);
    }
  }
}

void add_link(Metrics& metrics, const PartitionFigures& now) {
  metrics.gauge("crosswire_link_up", "1 while frames can come and go on the partition's device, 0 while it is down.",
                {{"partition", now.name}}, now.link_up ? 1 : 0);
}

void add_tables(Metrics& metrics, const PartitionFigures& now) {
  for (const TableFigure& table : now.tables) {
    metrics.gauge(fmt::format("crosswire_{}", table.name), "Of a table of the partition's: entries that are taken.",
                  {{"partition", now.name}}, static_cast<double>(table.used));
    metrics.gauge(fmt::format("crosswire_{}_limit", table.name), "Entries that the table holds.",
                  {{"partition", now.name}}, static_cast<double>(table.limit));
  }
  metrics.gauge("crosswire_sessions_logged_in", "Accounts that are logged in.", {{"partition", now.name}},
                static_cast<double>(now.sessions_open));
  metrics.gauge("crosswire_accounts", "Accounts of the configuration.", {{"partition", now.name}},
                static_cast<double>(now.accounts));
  for (std::size_t i = 0; i < kPhaseNames.size(); ++i) {
    const auto found = std::find_if(now.phases.begin(), now.phases.end(),
                                    [i](const auto& phase) { return phase.first == static_cast<Phase>(i); });
    metrics.gauge("crosswire_symbols", "Symbols in a phase.", {{"partition", now.name}, {"phase", kPhaseNames[i]}},
                  found == now.phases.end() ? 0.0 : static_cast<double>(found->second));
  }
}

void add_recording(Metrics& metrics, const PartitionFigures& now) {
  if (!now.recording) return;
  if (now.recorder) {
    const Labels labels = {{"partition", now.name}};
    metrics.counter("crosswire_recording_written_bytes_total", "Bytes of frames given to the recording's file.", labels,
                    static_cast<double>(now.recorder->written_bytes));
    metrics.gauge("crosswire_recording_waiting_bytes", "Bytes that wait for the recording's thread.", labels,
                  static_cast<double>(now.recorder->waiting_bytes));
    metrics.gauge("crosswire_recording_waiting_bytes_limit", "Bytes that may wait before the wire is held up.", labels,
                  static_cast<double>(now.recorder->limit_bytes));
  }
  metrics.gauge("crosswire_recording", "1 while the recording goes on, 0 once it was broken off; absent without one.",
                {{"partition", now.name}}, *now.recording ? 1 : 0);
}

void add_memory(Metrics& metrics, const PartitionFigures& now) {
  const Labels labels = {{"partition", now.name}};
  metrics.gauge("crosswire_memory_bytes", "Memory of the partition, mapped at the start.", labels,
                static_cast<double>(now.memory.bytes));
  metrics.gauge("crosswire_memory_page_size_bytes", "Size of its pages; 0: the kernel does not say.", labels,
                static_cast<double>(now.memory.page_size));
  metrics.gauge("crosswire_memory_hugepages", "1 if it lies on hugepages, 0 if on ordinary pages.", labels,
                now.memory.huge ? 1.0 : 0.0);
  metrics.gauge("crosswire_memory_node", "NUMA node of the memory; -1: the kernel does not say.", labels,
                static_cast<double>(now.memory.node));
}

void add_clock(Metrics& metrics, const ClockFigure& now) {
  const auto seconds = [&](std::string_view name, std::string_view help, std::int64_t ns) {
    metrics.gauge(name, help, {}, static_cast<double>(ns) / kNsPerS);
  };
  seconds("crosswire_clock_offset_seconds", "The host's clock is ahead by so much, what was not followed apart.",
          now.offset_ns);
  seconds("crosswire_clock_bound_seconds", "Our time was within this of the host's clock since the look before.",
          now.bound_ns);
  seconds("crosswire_clock_unfollowed_seconds", "The host's clock has leapt by so much and was not followed.",
          now.unfollowed_ns);
  metrics.gauge("crosswire_clock_synchronised",
                "1 while NTP or PTP keeps the host's clock, as the kernel says; else 0.", {}, now.synchronised ? 1 : 0);
}

class Collector final : public prometheus::Collectable {
 public:
  explicit Collector(const LiveFigures& figures) : figures_(figures) {}
  std::vector<MetricFamily> Collect() const override { return prometheus_metrics(figures_); }

 private:
  const LiveFigures& figures_;
};

/// The server below says only that it cannot start; this says why, or nothing.
std::string why_not(const std::string& address) {
  const std::size_t colon = address.find(':');
  sockaddr_in socket_address{};
  socket_address.sin_family = AF_INET;
  socket_address.sin_port = htons(static_cast<std::uint16_t>(std::stoul(address.substr(colon + 1))));
  if (inet_pton(AF_INET, address.substr(0, colon).c_str(), &socket_address.sin_addr) != 1) return "is no address";
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool bound =
      fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&socket_address), sizeof socket_address) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  return bound ? "" : std::strerror(error);
}

}  // namespace

std::vector<MetricFamily> prometheus_metrics(const LiveFigures& figures) {
  Metrics metrics;
  metrics.gauge("crosswire_build_info", "1; the version is a label.", {{"version", CROSSWIRE_VERSION}}, 1);
  metrics.gauge("crosswire_uptime_seconds", "Since the start.", {}, static_cast<double>(figures.uptime_ms()) / 1e3);
  add_clock(metrics, figures.clock());
  metrics.counter("crosswire_log_lines_lost_total", "Lines of the log that nobody took in time.", {},
                  static_cast<double>(figures.log_lines_lost()));
  metrics.counter("crosswire_operators_refused_total", "Connections and lines of operators who may not.", {},
                  static_cast<double>(figures.operators_refused()));
  for (std::size_t i = 0; i < figures.sources().size(); ++i) {
    const PartitionFigures now = figures.partition(i);
    add_totals(metrics, now);
    add_counters(metrics, now);
    add_stages(metrics, now);
    add_rings(metrics, now);
    add_latencies(metrics, now);
    add_link(metrics, now);
    add_tables(metrics, now);
    add_recording(metrics, now);
    add_memory(metrics, now);
  }
  return metrics.take();
}

class PrometheusEndpoint::Impl {
 public:
  Impl(const LiveFigures& figures, const std::string& address)
      : collector_(std::make_shared<Collector>(figures)),
        exposer_({"listening_ports", address, "num_threads", kThreads, "request_timeout_ms", kPatienceMs}) {
    exposer_.RegisterCollectable(collector_);
  }

 private:
  // Whoever connects and says nothing, or does not read what he asked for, has a thread for so long. Some of them must
  // not make those wait in vain whose scrapes take milliseconds.
  static constexpr const char* kThreads = "4";
  static constexpr const char* kPatienceMs = "1000";

  std::shared_ptr<Collector> collector_;
  prometheus::Exposer exposer_;  // ends, and waits for scrapes, first
};

PrometheusEndpoint::PrometheusEndpoint(const LiveFigures& figures, const std::string& address) {
  const std::string fault = why_not(address);
  if (fault.empty()) {
    try {
      impl_ = std::make_unique<Impl>(figures, address);
      return;
    } catch (const std::exception&) {  // civetweb's own has no words
    }
  }
  throw std::runtime_error(
      fmt::format("{} cannot be listened on{}; give an address of this host and a port that is free", address,
                  fault.empty() ? "" : ": " + fault));
}

PrometheusEndpoint::~PrometheusEndpoint() = default;

}  // namespace crosswire
