// The forms of a load generator's figures: see figures.hpp. At the end, never on a polling core.
#include "app/load/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace crosswire {
namespace {

constexpr double kNsPerUs = 1e3;

struct Percentile {
  std::string_view label;
  double percent;
  std::uint64_t least;  // of values, so that it says something: ten beyond it
};
constexpr std::array<Percentile, 6> kPercentiles = {{{"p50", 50, 1},
                                                     {"p90", 90, 100},
                                                     {"p99", 99, 1'000},
                                                     {"p99.9", 99.9, 10'000},
                                                     {"p99.99", 99.99, 100'000},
                                                     {"max", 100, 1}}};

double per_second(std::uint64_t count, std::uint64_t span_ns) {
  return span_ns == 0 ? 0 : static_cast<double>(count) * 1e9 / static_cast<double>(span_ns);
}

/// Thousands apart, to be read by people.
std::string grouped(std::uint64_t number) {
  std::string text = fmt::format("{}", number);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, 1, ' ');
  }
  return text;
}

std::string in_us(double ns) { return fmt::format("{:.{}f}", ns / kNsPerUs, ns < 1e5 ? 2 : 1); }

/// A row of the table; `floor`: the same of the floor, or nullptr.
std::string row(std::string_view name, const Histogram& histogram, const std::map<std::string, double>* floor) {
  std::string text = fmt::format("{:<20}{:>12}", name, grouped(histogram.count()));
  std::string beside = fmt::format("{:<20}{:>12}", "  above the floor", "");
  for (const Percentile& percentile : kPercentiles) {
    const bool enough = histogram.count() >= percentile.least;
    const auto value = static_cast<double>(histogram.percentile(percentile.percent));
    text += fmt::format("{:>11}", enough ? in_us(value) : "-");
    if (floor == nullptr) continue;
    const auto of_floor = floor->find(std::string(percentile.label));
    beside += fmt::format("{:>11}", enough && of_floor != floor->end() ? in_us(value - of_floor->second) : "-");
  }
  text += '\n';
  if (floor == nullptr) return text;
  return fmt::format("{}{}\n", text, beside);
}

std::string stream_text(std::string_view name, const LoadStream::Counts& counts) {
  if (counts.lost == 0 && counts.repeated == 0) return "";
  return fmt::format(
      "{:<13}{} did not come in their turn: {} came when asked for again, {} late by themselves, {} never; "
      "{} came twice\n",
      name, counts.lost, counts.recovered, counts.out_of_order, counts.still_missing(), counts.repeated);
}

std::string stream_json(const LoadStream::Counts& counts) {
  return fmt::format(R"({{"missed": {}, "recovered": {}, "out_of_order": {}, "never": {}, "repeated": {}}})",
                     counts.lost, counts.recovered, counts.out_of_order, counts.still_missing(), counts.repeated);
}

std::string tcp_text(const LoadTcpFigures& tcp) {
  return fmt::format(
      "tcp          {} connections, {} lost; of {} segments {} sent again, {} time-outs; of {} that came {} out of "
      "order, {} twice\n",
      tcp.connections, tcp.lost, grouped(tcp.segments_sent), tcp.retransmitted, tcp.timeouts,
      grouped(tcp.segments_received), tcp.out_of_order, tcp.repeated);
}

std::string tcp_json(const LoadTcpFigures& tcp) {
  return fmt::format(
      "  \"tcp\": {{\"connections\": {}, \"lost\": {}, \"segments_sent\": {}, \"segments_received\": {}, "
      "\"retransmitted\": {}, \"timeouts\": {}, \"out_of_order\": {}, \"repeated\": {}}},\n",
      tcp.connections, tcp.lost, tcp.segments_sent, tcp.segments_received, tcp.retransmitted, tcp.timeouts,
      tcp.out_of_order, tcp.repeated);
}

std::string quoted(std::string_view text) {
  std::string result;
  result += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (byte < 0x20) {
      result += fmt::format("\\u{:04x}", byte);
    } else {
      result += c;
    }
  }
  result += '"';
  return result;
}

std::string histogram_json(const Histogram& histogram) {
  std::string text =
      fmt::format(R"({{"count": {}, "min": {}, "mean": {:.1f})", histogram.count(), histogram.min(), histogram.mean());
  for (const Percentile& percentile : kPercentiles) {
    if (histogram.count() < percentile.least) continue;
    text += fmt::format(R"(, "{}": {})", percentile.label, histogram.percentile(percentile.percent));
  }
  return text + "}";
}

}  // namespace

/// More than half is no result of that rate, and neither is a server that has died.
void LoadFigures::judge_losses(std::uint64_t sent_in_all, std::uint64_t silent_ns) {
  if (2 * rejected > sent_in_all) {
    partial = fmt::format(
        "{} of {} messages ({:.0f} %) were rejected, the last with 0x{:04x} (docs/protocol.md, section 2.3); where the "
        "market is halted (0x0007) or closed (0x0002), crosswire ctl resume --all or ctl phase continuous --all",
        rejected, sent_in_all, 100.0 * static_cast<double>(rejected) / static_cast<double>(sent_in_all), last_reject);
    return;
  }
  if (lost == 0) return;
  const std::string share = fmt::format("{} of {} orders ({:.0f} %) had no answer", lost, sent_in_all,
                                        100.0 * static_cast<double>(lost) / static_cast<double>(sent_in_all));
  if (silent_ns > 0) {
    partial = fmt::format("the server has sent nothing for {} s; it is gone, or the link is: {}; see its log",
                          silent_ns / kNsPerSecond, share);
    return;
  }
  std::string& news = 2 * lost > sent_in_all ? partial : losses;
  news = share + "; see the other side's drops (crosswire top), and give a lower --rate";
}

double LoadFigures::rate_achieved() const { return per_second(sent, std::max(sending_ns, measured_ns)); }
double LoadFigures::rate_answered() const { return per_second(answered, std::max(answering_ns, measured_ns)); }

// --- text ------------------------------------------------------------------------------------------------------------

std::string to_text(const LoadFigures& figures, const LoadBeside& beside) {
  std::string text;
  if (!figures.partial.empty()) text += fmt::format("PARTIAL      {}\n", figures.partial);
  text += fmt::format("load         {}, {} sessions, seed {}; {:.3g} s measured after {:.3g} s{}\n", figures.arrivals,
                      figures.sessions, figures.seed, static_cast<double>(figures.measured_ns) / 1e9,
                      static_cast<double>(figures.warm_up_ns) / 1e9, figures.floor ? "; the floor: an echo" : "");
  if (!figures.host.empty()) text += fmt::format("host         {}\n", figures.host);
  const std::string asked = figures.rate_asked > 0 ? fmt::format("{} asked, ", grouped(figures.rate_asked)) : "";
  text += fmt::format("rate/s       {}{} sent, {} answered\n", asked,
                      grouped(static_cast<std::uint64_t>(figures.rate_achieved())),
                      grouped(static_cast<std::uint64_t>(figures.rate_answered())));
  text += fmt::format("orders       {} sent", grouped(figures.sent));
  for (std::size_t kind = 0; kind < kLoadKindNames.size(); ++kind) {
    if (figures.sent_by_kind[kind] > 0)
      text += fmt::format(", {} {}", grouped(figures.sent_by_kind[kind]), kLoadKindNames[kind]);
  }
  text += fmt::format("; {} executions\n", grouped(figures.executions));
  text += fmt::format("lost {}  rejected {}  late {}  not sent {}", figures.lost, figures.rejected, figures.late,
                      figures.not_sent);
  if (figures.too_late > 0) text += fmt::format("  of orders that were gone {}", figures.too_late);
  if (figures.malformed > 0) text += fmt::format("  malformed {}", figures.malformed);
  if (figures.feed_missing > 0) text += fmt::format("  not on the feed {}", figures.feed_missing);
  if (figures.tx_blocked > 0) text += fmt::format("  port full {}", figures.tx_blocked);
  text += '\n';
  text += stream_text("answers", figures.answers);
  text += stream_text("feed", figures.feed);
  if (figures.tcp) text += tcp_text(*figures.tcp);
  if (figures.send_lateness.count() > 0) {
    text += fmt::format("sent after due, us: p50 {}  p99 {}  max {}\n",
                        in_us(static_cast<double>(figures.send_lateness.percentile(50))),
                        in_us(static_cast<double>(figures.send_lateness.percentile(99))),
                        in_us(static_cast<double>(figures.send_lateness.max())));
  }

  text += fmt::format("{:<20}{:>12}", "latency, us", "count");
  for (const Percentile& percentile : kPercentiles) text += fmt::format("{:>11}", percentile.label);
  text += "\n";
  for (std::size_t i = 0; i < kLoadLatencyNames.size(); ++i) {
    if (figures.latencies[i].count() == 0) continue;
    auto of_floor = beside.find(kLoadLatencyNames[i]);
    // The echo has neither executions nor a feed: what it does for an order is the floor of those, too.
    if (!beside.empty() && of_floor == beside.end()) of_floor = beside.find("order_to_ack");
    text += row(kLoadLatencyNames[i], figures.latencies[i], of_floor == beside.end() ? nullptr : &of_floor->second);
  }
  return text;
}

// --- JSON ------------------------------------------------------------------------------------------------------------

std::string to_json(const LoadFigures& figures) {
  std::string text = fmt::format("{{\n  \"partial\": {},\n  \"floor\": {},\n  \"arrivals\": {},\n  \"host\": {},\n",
                                 figures.partial.empty() ? "null" : quoted(figures.partial), figures.floor,
                                 quoted(figures.arrivals), quoted(figures.host));
  text += fmt::format(
      "  \"rate_asked\": {},\n  \"rate_achieved\": {:.1f},\n  \"rate_answered\": {:.1f},\n  \"seed\": {},\n"
      "  \"sessions\": {},\n  \"warm_up_ns\": {},\n  \"measured_ns\": {},\n",
      figures.rate_asked, figures.rate_achieved(), figures.rate_answered(), figures.seed, figures.sessions,
      figures.warm_up_ns, figures.measured_ns);
  text += fmt::format("  \"sent\": {},\n  \"sent_by_kind\": {{", figures.sent);
  for (std::size_t kind = 0; kind < kLoadKindNames.size(); ++kind) {
    text += fmt::format("{}\"{}\": {}", kind == 0 ? "" : ", ", kLoadKindNames[kind], figures.sent_by_kind[kind]);
  }
  text += fmt::format(
      "}},\n  \"answered\": {},\n  \"executions\": {},\n  \"late\": {},\n  \"lost\": {},\n  \"rejected\": {},\n"
      "  \"of_orders_gone\": {},\n  \"not_sent\": {},\n  \"port_full\": {},\n  \"malformed\": {},\n"
      "  \"not_on_feed\": {},\n",
      figures.answered, figures.executions, figures.late, figures.lost, figures.rejected, figures.too_late,
      figures.not_sent, figures.tx_blocked, figures.malformed, figures.feed_missing);
  if (figures.tcp) text += tcp_json(*figures.tcp);
  text += fmt::format("  \"answers\": {},\n  \"feed\": {},\n  \"sent_after_due_ns\": {},\n  \"latency_ns\": {{\n",
                      stream_json(figures.answers), stream_json(figures.feed), histogram_json(figures.send_lateness));
  std::string lines;
  for (std::size_t i = 0; i < kLoadLatencyNames.size(); ++i) {
    if (figures.latencies[i].count() == 0) continue;
    lines += fmt::format("{}    \"{}\": {}", lines.empty() ? "" : ",\n", kLoadLatencyNames[i],
                         histogram_json(figures.latencies[i]));
  }
  text += fmt::format("{}\n  }},\n  \"intervals\": [\n", lines);
  lines.clear();
  for (const Histogram& interval : figures.intervals) {
    lines += fmt::format("{}    {}", lines.empty() ? "" : ",\n", histogram_json(interval));
  }
  return fmt::format("{}{}\n  ]\n}}\n", text, lines);
}

/// Only what to_json() writes is read: lines `    "NAME": {"count": .., "p50": .., ..}` of latency_ns.
LoadBeside read_beside(const std::string& path) {
  errno = 0;
  std::ifstream file(path);
  if (!file) throw std::runtime_error(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t begin = text.find("\"latency_ns\": {");
  const std::size_t end = text.find("\n  }", begin == std::string::npos ? 0 : begin);
  if (begin == std::string::npos || end == std::string::npos) {
    throw std::runtime_error(path + ": is no report of `crosswire load --json`");
  }
  LoadBeside beside;
  for (std::size_t i = 0; i < kLoadLatencyNames.size(); ++i) {
    const std::size_t at = text.find(fmt::format("\"{}\": {{", kLoadLatencyNames[i]), begin);
    if (at == std::string::npos || at > end) continue;
    const std::string line = text.substr(at, text.find('}', at) - at);
    for (const Percentile& percentile : kPercentiles) {
      const std::string label = fmt::format("\"{}\": ", percentile.label);
      const std::size_t value = line.find(label);
      if (value == std::string::npos) continue;
      beside[std::string(kLoadLatencyNames[i])][std::string(percentile.label)] =
          std::strtod(line.c_str() + value + label.size(), nullptr);
    }
  }
  if (beside.empty()) throw std::runtime_error(path + ": has no latencies");
  return beside;
}

}  // namespace crosswire
