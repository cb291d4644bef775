// A load generator's picture: see picture.hpp.
#include "app/load/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

namespace crosswire {
namespace {

/// One diagram with a logarithmic latency axis; x is 0 .. 1.
class Diagram {
 public:
  Diagram(double top, double least_ns, double most_ns)
      : top_(top),
        low_(std::floor(std::log10(std::max(least_ns, 1.0)))),
        high_(std::max(std::ceil(std::log10(std::max(most_ns, 10.0))), low_ + 1)) {}

  std::string frame(std::string_view title) const {
    std::string text = fmt::format("<text x='{}' y='{}' class='title'>{}</text>\n", kLeft, top_ - 12, title);
    for (double power = low_; power <= high_; ++power) {
      const double at = y(std::pow(10, power));
      text +=
          fmt::format("<line x1='{}' y1='{:.1f}' x2='{}' y2='{:.1f}' class='grid'/>", kLeft, at, kLeft + kWidth, at);
      text += fmt::format("<text x='{}' y='{:.1f}' class='axis' text-anchor='end'>{}</text>\n", kLeft - 6, at + 4,
                          short_time(std::pow(10, power)));
    }
    return text;
  }
  std::string tick(double x, std::string_view label) const {
    const double at = kLeft + x * kWidth;
    return fmt::format(
        "<line x1='{:.1f}' y1='{:.1f}' x2='{:.1f}' y2='{:.1f}' class='grid'/><text x='{:.1f}' y='{:.1f}' "
        "class='axis' text-anchor='middle'>{}</text>\n",
        at, top_, at, top_ + kHeight, at, top_ + kHeight + 16, label);
  }
  std::string line(const std::vector<std::pair<double, double>>& points, std::string_view color) const {
    std::string text = fmt::format("<polyline fill='none' stroke='{}' stroke-width='1.5' points='", color);
    for (const auto& [x, ns] : points) text += fmt::format("{:.1f},{:.1f} ", kLeft + x * kWidth, y(ns));
    return text + "'/>\n";
  }
  std::string label(int number, std::string_view name, std::string_view color) const {
    return fmt::format("<text x='{}' y='{}' fill='{}' class='axis'>{}</text>\n", kLeft + kWidth - 60,
                       top_ + 14 + 15 * number, color, name);
  }

  static constexpr double kLeft = 80, kWidth = 780, kHeight = 240;

 private:
  double y(double ns) const {
    const double share = (std::log10(std::max(ns, 1.0)) - low_) / (high_ - low_);
    return top_ + kHeight * (1 - std::clamp(share, 0.0, 1.0));
  }

  double top_;
  double low_, high_;  // powers of ten
};

constexpr std::array<std::string_view, 3> kColors = {"#1f6fb4", "#d9730d", "#a02c2c"};

constexpr std::string_view kFloorColor = "#888888";

/// The floor's latencies that its report has: how many nines, and nanoseconds.
std::vector<std::pair<double, double>> floor_points(const LoadBeside& beside) {
  std::vector<std::pair<double, double>> points;
  const auto of_floor = beside.find("order_to_ack");
  if (of_floor == beside.end()) return points;
  for (const auto& [nines, label] :
       {std::pair{std::log10(2.0), "p50"}, {1.0, "p90"}, {2.0, "p99"}, {3.0, "p99.9"}, {4.0, "p99.99"}}) {
    const auto value = of_floor->second.find(label);
    if (value != of_floor->second.end()) points.emplace_back(nines, value->second);
  }
  return points;
}

std::string percentile_diagram(const LoadFigures& figures, const LoadBeside& beside, double top) {
  constexpr double kNines = 5;
  const Histogram& acks = figures.of(LoadLatency::ack);
  std::vector<std::pair<double, double>> floor = floor_points(beside);
  auto least = static_cast<double>(acks.min()), most = static_cast<double>(acks.max());
  for (auto& [x, ns] : floor) {
    x /= kNines;
    least = std::min(least, ns);
    most = std::max(most, ns);
  }
  const Diagram diagram(top, least, most);
  std::string text = diagram.frame("Latency by percentile");
  for (const auto& [x, label] :
       {std::pair{0.0, "0"}, {1.0, "90"}, {2.0, "99"}, {3.0, "99.9"}, {4.0, "99.99"}, {5.0, "99.999 %"}}) {
    text += diagram.tick(x / kNines, label);
  }
  int number = 0;
  for (const LoadLatency latency : {LoadLatency::ack, LoadLatency::execution, LoadLatency::feed}) {
    const Histogram& histogram = figures.of(latency);
    if (histogram.count() == 0) continue;
    std::vector<std::pair<double, double>> points;
    const double nines = std::min(kNines, std::log10(static_cast<double>(histogram.count())));
    for (double x = 0; x <= nines; x += 0.02) {
      points.emplace_back(x / kNines, static_cast<double>(histogram.percentile(100 * (1 - std::pow(10, -x)))));
    }
    const std::string_view color = kColors[static_cast<std::size_t>(number)];
    text += diagram.line(points, color);
    text += fmt::format("<text x='{}' y='{}' fill='{}' class='axis'>{}</text>\n", Diagram::kLeft + 8,
                        top + 14 + 15 * number, color, kLoadLatencyNames[static_cast<std::size_t>(latency)]);
    ++number;
  }
  if (!floor.empty()) {
    text += diagram.line(floor, kFloorColor);
    text += fmt::format("<text x='{}' y='{}' fill='{}' class='axis'>floor, order_to_ack</text>\n", Diagram::kLeft + 8,
                        top + 14 + 15 * number, kFloorColor);
  }
  return text;
}

std::string time_diagram(const LoadFigures& figures, double top) {
  const Histogram& acks = figures.of(LoadLatency::ack);
  const Diagram diagram(top, static_cast<double>(acks.min()), static_cast<double>(acks.max()));
  std::string text = diagram.frame("Order to acknowledgement over time, by the second at which the order was due");
  const double seconds = static_cast<double>(std::max<TimeNs>(figures.measured_ns, 1)) / 1e9;
  for (const double mark : round_marks(seconds)) text += diagram.tick(mark / seconds, fmt::format("{:g}", mark));
  const std::array<std::pair<double, std::string_view>, 3> lines = {{{50, "p50"}, {99, "p99"}, {100, "max"}}};
  for (std::size_t line = 0; line < lines.size(); ++line) {
    std::vector<std::pair<double, double>> points;
    for (std::size_t i = 0; i < figures.intervals.size(); ++i) {
      if (figures.intervals[i].count() == 0) continue;
      points.emplace_back((static_cast<double>(i) + 0.5) / static_cast<double>(figures.intervals.size()),
                          static_cast<double>(figures.intervals[i].percentile(lines[line].first)));
    }
    text += diagram.line(points, kColors[line]);
    text += diagram.label(static_cast<int>(line), lines[line].second, kColors[line]);
  }
  return text;
}

/// Of a text that stands in an XML element.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '&') {
      out += "&amp;";
    } else if (letter == '<') {
      out += "&lt;";
    } else {
      out += letter;
    }
  }
  return out;
}

}  // namespace

std::string short_time(double ns) {
  for (const auto& [size, unit] : {std::pair{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}}) {
    if (ns >= size) return fmt::format("{:g} {}", ns / size, unit);
  }
  return fmt::format("{:g} ns", ns);
}

std::vector<double> round_marks(double most) {
  const double power = std::pow(10, std::floor(std::log10(most)));
  double step = power;
  if (most / power < 2) {
    step = power / 5;
  } else if (most / power < 5) {
    step = power / 2;
  }
  std::vector<double> marks;
  for (int i = 0; i * step <= most * (1 + 1e-9); ++i) marks.push_back(i * step);
  return marks;
}

std::string to_svg(const LoadFigures& figures, const LoadBeside& beside) {
  std::string text =
      "<svg xmlns='http://www.w3.org/2000/svg' width='900' height='700' viewBox='0 0 900 700'>\n"
      "<style>text{font-family:sans-serif;font-size:12px}.title{font-size:14px;font-weight:bold}.axis{font-size:11px}"
      ".grid{stroke:#ddd}</style>\n<rect width='900' height='700' fill='white'/>\n";
  text += percentile_diagram(figures, beside, 50) + time_diagram(figures, 370);
  text += fmt::format("<text x='80' y='668' class='axis'>{}: {:.0f} orders/s achieved, {} answered</text>\n",
                      figures.floor ? "Floor" : "Appliance", figures.rate_achieved(), figures.answered);
  if (!figures.partial.empty()) {
    text +=
        fmt::format("<text x='80' y='686' class='axis' fill='#a02c2c'>PARTIAL: {}</text>\n", escaped(figures.partial));
  }
  return text + "</svg>\n";
}

}  // namespace crosswire
