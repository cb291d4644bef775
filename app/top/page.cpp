// The page of `crosswire top`: see the header.
#include "app/top/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace crosswire {
namespace {

/// "1234567", "12.3 M", "4.56 G": at most seven characters up to 10^15.
std::string short_number(double value) {
  if (std::abs(value) < 1e7) return fmt::format("{:.0f}", value);
  if (std::abs(value) < 1e10) return fmt::format("{:.1f} M", value / 1e6);
  return fmt::format("{:.1f} G", value / 1e9);
}

std::string clock(std::int64_t ms) {
  const std::int64_t s = std::max<std::int64_t>(ms, 0) / 1000;
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

/// Of one partition, now and at an earlier page.
class Page {
 public:
  /// `before`: of the same day, `seconds` earlier; without it rates are since the day began.
  Page(const TopPartition& now, const TopPartition* before, double seconds, TopLists lists)
      : now_(now), before_(before), seconds_(std::max(seconds, 1e-3)), lists_(lists) {}

  std::vector<std::string> lines() {
    headline();
    stages();
    day();
    latencies();
    counters("dropped", now_.drops, before_ != nullptr ? &before_->drops : nullptr, now_.unknown_drops);
    counters("noticed", now_.notices, before_ != nullptr ? &before_->notices : nullptr, {});
    sessions();
    books();
    return std::move(lines_);
  }

 private:
  template <class... Values>
  void line(fmt::format_string<Values...> format, Values&&... values) {
    lines_.push_back(fmt::format(format, std::forward<Values>(values)...));
  }

  double rate(const TopNumbers TopPartition::*numbers, const std::string& name) const {
    const std::int64_t before = before_ != nullptr ? value_of(before_->*numbers, name) : 0;
    return static_cast<double>(value_of(now_.*numbers, name) - before) / seconds_;
  }

  std::string total(const char* name) const {
    return fmt::format("{} ({}/s)", value_of(now_.totals, name), short_number(rate(&TopPartition::totals, name)));
  }

  void headline() {
    const bool huge = value_of(now_.totals, "memory_hugepages") != 0;
    line("partition {}   sessions: orders {}  feed {}   memory {} MiB on {} KiB {}, node {}", now_.name,
         now_.order_session, now_.feed_session, value_of(now_.totals, "memory_bytes") >> 20,
         value_of(now_.totals, "memory_page_size") >> 10, huge ? "hugepages" : "ordinary pages",
         value_of(now_.totals, "memory_node"));
    line("frames      in {}  out {}", total("frames_in"), total("frames_out"));
    line("orders      {}  answers {}  executions {}", total("orders"), total("answers"), total("executions"));
    line("feed        messages {}  datagrams {}", total("feed_messages"), total("feed_datagrams"));
    const std::int64_t recording = value_of(now_.totals, "recording", -1);
    if (recording >= 0) {
      line("recording   {}{}", recording != 0 ? "goes on" : "broken off; the log says why", recorder());
    }
  }

  /// "" where it is not told.
  std::string recorder() const {
    const std::int64_t limit = value_of(now_.totals, "recording_waiting_bytes_limit");
    if (limit == 0) return "";
    return fmt::format(", {} MiB written, {} of {} KiB wait", value_of(now_.totals, "recording_written_bytes") >> 20,
                       value_of(now_.totals, "recording_waiting_bytes") >> 10, limit >> 10);
  }

  /// Behind the stages: a small terminal has no room for all.
  void day() {
    if (now_.date.empty()) return;
    line("");
    line("day         {}  phase {}  next {}", now_.date, now_.phase,
         now_.next_phase.empty() ? "none" : now_.next_phase);
    tables();
  }

  void tables() {
    const auto of = [&](const char* name) {
      return fmt::format("{} of {}", value_of(now_.totals, name), value_of(now_.totals, fmt::format("{}_limit", name)));
    };
    line("tables      live orders {}  price levels {}  price nodes {}  sessions {} of {}", of("live_orders"),
         of("price_levels"), of("price_nodes"), value_of(now_.totals, "sessions_logged_in"),
         value_of(now_.totals, "accounts"));
  }

  template <class Row>
  void shorten(std::vector<Row>& rows, std::size_t shown) const {
    if (lists_ == TopLists::shortened) rows.resize(std::min(rows.size(), shown));
  }
  void more(const char* total, std::size_t asked, std::size_t shown) {
    const auto all = std::max(static_cast<std::size_t>(value_of(now_.totals, total)), asked);
    if (all > shown) line("and {} more; crosswire top --once shows all", all - shown);
  }

  /// The ring that a stage reads: "events/transmit/waiting".
  std::string ring(const std::string& stage) const {
    for (const char* const name : {"commands", "events"}) {
      const std::string key = fmt::format("{}/{}/", name, stage);
      const std::int64_t capacity = value_of(now_.rings, key + "capacity");
      if (capacity == 0) continue;
      return fmt::format("{} of {}, most {}", value_of(now_.rings, key + "waiting"), capacity,
                         value_of(now_.rings, key + "most_waiting"));
    }
    return "the device's";
  }

  void stages() {
    line("");
    line("{:<10}{:>5}{:>8}{:>11}{:>11}{:>8}{:>9}  {}", "stage", "core", "busy", "polls/s", "items/s", "batch",
         "ns/item", "ring");
    constexpr std::string_view kCore = "/core";
    for (const auto& [key, core] : now_.stages) {
      if (key.size() <= kCore.size() || key.substr(key.size() - kCore.size()) != kCore) continue;
      const std::string stage = key.substr(0, key.size() - kCore.size());
      const auto per_second = [&](const char* what) { return rate(&TopPartition::stages, stage + "/" + what); };
      const double items = per_second("items");
      const double working = per_second("working_polls");
      const double busy_ns = per_second("busy_ns");
      line("{:<10}{:>5}{:>6.1f} %{:>11}{:>11}{:>8.1f}{:>9.0f}  {}", stage, core < 0 ? "any" : std::to_string(core),
           busy_ns / 1e7, short_number(per_second("polls")), short_number(items), working > 0 ? items / working : 0.0,
           items > 0 ? busy_ns / items : 0.0, ring(stage));
    }
  }

  void latencies() {
    line("");
    line("{:<16}{:>11}{:>9}{:>9}{:>9}{:>9}{:>12}", "latency, ns", "count", "p50", "p90", "p99", "p99.9", "max");
    constexpr std::string_view kCount = "/count";
    for (const auto& [key, count] : now_.latency) {
      if (key.size() <= kCount.size() || key.substr(key.size() - kCount.size()) != kCount) continue;
      const std::string name = key.substr(0, key.size() - kCount.size());
      const auto of = [&](const char* what) { return value_of(now_.latency, name + "/" + what); };
      std::string shown = name;
      std::replace(shown.begin(), shown.end(), '_', ' ');
      line("{:<16}{:>11}{:>9}{:>9}{:>9}{:>9}{:>12}", shown, count, of("p50"), of("p90"), of("p99"), of("p99_9"),
           of("max"));
      if (name == "in_the_box" && before_ != nullptr) box_since();
    }
  }

  /// What came into each bucket since the earlier page, and percentiles of that.
  void box_since() {
    std::vector<std::pair<std::string, std::int64_t>> since;
    std::int64_t count = 0;
    for (const auto& [end, n] : now_.box) {
      since.emplace_back(end, std::max<std::int64_t>(n - value_of(before_->box, end), 0));
      count = std::min(count + since.back().second, std::int64_t{1} << 60);
    }
    const auto percentile = [&](double p) -> std::string {
      const double wanted = std::ceil(p / 100 * static_cast<double>(count));
      double seen = 0;
      for (const auto& [end, n] : since) {
        seen += static_cast<double>(n);
        if (n > 0 && seen >= wanted) return end;
      }
      return "-";
    };
    line("{:<16}{:>11}{:>9}{:>9}{:>9}{:>9}", "  since last", count, percentile(50), percentile(90), percentile(99),
         percentile(99.9));
  }

  void counters(const char* title, const TopNumbers& now, const TopNumbers* before,
                const std::vector<std::string>& unknown) {
    line("");
    bool any = false;
    for (const auto& [name, value] : now) {
      if (value == 0) continue;
      const std::int64_t earlier = before != nullptr ? value_of(*before, name) : 0;
      line("{:<12}{:<36}{:>12}  {}/s", any ? "" : title, name, value,
           short_number(static_cast<double>(value - earlier) / seconds_));
      any = true;
    }
    for (const std::string& name : unknown) {
      line("{:<12}{:<36}{:>12}", any ? "" : title, name, "not known");
      any = true;
    }
    if (!any) line("{:<12}nothing", title);
  }

  /// Those that are bound first.
  void sessions() {
    constexpr std::size_t kShown = 16;
    if (now_.sessions.empty()) return;
    std::vector<TopSession> shown = now_.sessions;
    std::stable_sort(shown.begin(), shown.end(),
                     [](const TopSession& a, const TopSession& b) { return a.bound > b.bound; });
    shorten(shown, kShown);
    line("");
    line("{:<10}{:<8}{:<22}{:>12}{:>12}{:>12}", "session", "bound", "source", "heard ms ago", "next in", "next out");
    for (const TopSession& session : shown) {
      line("{:<10}{:<8}{:<22}{:>12}{:>12}{:>12}", session.user, session.bound != 0 ? "yes" : "no", session.source,
           session.bound != 0 ? std::to_string(session.heard_ms) : "-", session.next_in, session.next_out);
    }
    more("accounts", now_.sessions.size(), shown.size());
  }

  /// Those with most volume first.
  void books() {
    constexpr std::size_t kShown = 8;
    if (now_.books.empty()) return;
    std::vector<TopBook> shown = now_.books;
    std::stable_sort(shown.begin(), shown.end(),
                     [](const TopBook& a, const TopBook& b) { return a.volume > b.volume; });
    shorten(shown, kShown);
    const auto price = [](std::int64_t e4) {
      return e4 == 0 ? "-" : fmt::format("{:.4f}", static_cast<double>(e4) / 1e4);
    };
    line("");
    line("{:<10}{:<14}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}", "symbol", "phase", "bid", "shares", "ask", "shares",
         "last", "volume");
    for (const TopBook& book : shown) {
      line("{:<10}{:<14}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}", book.symbol, book.phase, price(book.bid_e4), book.bid,
           price(book.ask_e4), book.ask, price(book.last_e4), book.volume);
    }
    more("symbols", now_.books.size(), shown.size());
  }

  const TopPartition& now_;
  const TopPartition* before_;
  double seconds_;
  TopLists lists_;
  std::vector<std::string> lines_;
};

/// Of the process.
std::string clock_line(const TopNumbers& clock) {
  const auto us = [&](const char* name) { return static_cast<double>(value_of(clock, name)) / 1e3; };
  std::string line = "clock       ";
  if (const std::int64_t ms = value_of(clock, "unfollowed_ms"); ms != 0) {
    line += fmt::format("{:+.3f} s NOT FOLLOWED, ", static_cast<double>(ms) / 1e3);
  }
  return line + fmt::format("off {:+.2f} us, bound {:.2f} us, {}", us("offset_ns"), us("bound_ns"),
                            value_of(clock, "synchronised") != 0 ? "synchronised" : "NOT SYNCHRONISED");
}

}  // namespace

std::string top_page(const TopFigures& now, const TopFigures* before, TopSize size, const std::string& trouble,
                     TopLists lists) {
  const bool same = before != nullptr && before->uptime_ms <= now.uptime_ms &&
                    before->partitions.size() == now.partitions.size();  // else it was started anew
  const double seconds = static_cast<double>(now.uptime_ms - (same ? before->uptime_ms : 0)) / 1e3;
  std::vector<std::string> lines = {
      fmt::format("crosswire {}   up {}   rates {}", now.version, clock(now.uptime_ms),
                  same ? fmt::format("of the last {:.1f} s", seconds) : "since the day began")};
  if (!trouble.empty()) lines.push_back("NO ANSWER   " + trouble);
  if (!now.clock.empty()) lines.push_back(clock_line(now.clock));
  for (std::size_t i = 0; i < now.partitions.size(); ++i) {
    if (i > 0 || now.clock.empty()) lines.emplace_back();  // a small terminal has no room for both
    const TopPartition& partition = now.partitions[i];
    const bool same_day = same && before->partitions[i].order_session == partition.order_session;
    const double day_seconds = static_cast<double>(value_of(partition.totals, "day_ms", now.uptime_ms)) / 1e3;
    const std::vector<std::string> more =
        Page(partition, same_day ? &before->partitions[i] : nullptr, same_day ? seconds : day_seconds, lists).lines();
    lines.insert(lines.end(), more.begin(), more.end());
  }
  if (lines.size() > size.rows && size.rows > 1) {
    const std::size_t more = lines.size() - size.rows + 1;
    lines.resize(size.rows - 1);
    lines.push_back(fmt::format("{} more lines: a taller terminal, or crosswire top --once", more));
  }
  std::string page;
  for (std::size_t i = 0; i < std::min(lines.size(), size.rows); ++i) page += lines[i].substr(0, size.columns) + "\n";
  return page;
}

}  // namespace crosswire
