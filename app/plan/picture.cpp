// The machine of a plan as a picture: see the header. Both pictures are drawn from one tree of boxes.
#include "app/plan/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <vector>

namespace crosswire {
namespace {

/// A physical core with what runs on it.
struct CoreBox {
  enum class Use { not_allowed, spare, idle, control, polling };
  std::vector<const HostCpu*> threads;
  Use use = Use::not_allowed;
  std::size_t partition = 0;        // of a polling one
  std::vector<std::string> labels;  // stages, control
};
struct CacheBox {
  int l3;
  std::vector<CoreBox> cores;
};
struct NodeBox {
  int node;
  std::vector<CacheBox> caches;
};
struct PackageBox {
  int package;
  std::vector<NodeBox> nodes;
};

/// The item of a list whose `field` is `value`, made if it is not there.
template <class Box>
Box& box_of(std::vector<Box>& boxes, int Box::*field, int value) {
  const auto found = std::find_if(boxes.begin(), boxes.end(), [&](const Box& box) { return box.*field == value; });
  if (found != boxes.end()) return *found;
  Box& made = boxes.emplace_back();
  made.*field = value;
  return made;
}

/// "receive", or "a receive" where there are several partitions.
void add_stages(const Plan& plan, const HostCpu& cpu, CoreBox& box) {
  for (std::size_t p = 0; p < plan.placement.partitions.size(); ++p) {
    const PlacedPartition& placed = plan.placement.partitions[p];
    for (std::size_t i = 0; i < placed.stages.size() && !placed.unpinned; ++i) {
      if (placed.stages[i].core != cpu.number) continue;
      box.use = CoreBox::Use::polling;
      box.partition = p;
      box.labels.emplace_back(kStageNames[i]);
    }
  }
}

void add_use(const Plan& plan, const HostCpu& cpu, CoreBox& box) {
  using Use = CoreBox::Use;
  add_stages(plan, cpu, box);
  if (plan.placement.control == cpu.number) {
    box.use = std::max(box.use, Use::control);
    box.labels.emplace_back("control");
  }
  const std::vector<unsigned>& spare = plan.placement.housekeeping;
  if (std::binary_search(spare.begin(), spare.end(), cpu.number)) box.use = std::max(box.use, Use::spare);
}

std::vector<PackageBox> boxes_of(const Plan& plan) {
  std::vector<PackageBox> packages;
  for (const HostCpu& cpu : plan.host.cpus) {
    PackageBox& package = box_of(packages, &PackageBox::package, cpu.package);
    NodeBox& node = box_of(package.nodes, &NodeBox::node, cpu.node);
    std::vector<CoreBox>& cores = box_of(node.caches, &CacheBox::l3, cpu.l3).cores;
    const auto same = std::find_if(cores.begin(), cores.end(), [&](const CoreBox& box) {
      return cpu.physical_core >= 0 && box.threads.front()->physical_core == cpu.physical_core;
    });
    CoreBox& box = same == cores.end() ? cores.emplace_back() : *same;
    box.threads.push_back(&cpu);
    add_use(plan, cpu, box);
  }
  return packages;
}

/// "4,5", with * for isolated.
std::string numbers_of(const CoreBox& box, std::string_view isolated) {
  std::string text;
  for (const HostCpu* const cpu : box.threads) {
    text += fmt::format("{}{}{}", text.empty() ? "" : ",", cpu->number, cpu->isolated ? isolated : "");
  }
  return text;
}

std::string package_title(const PackageBox& box) {
  return box.package < 0 ? "machine" : fmt::format("package {}", box.package);
}
std::string cache_title(const CacheBox& box) { return box.l3 < 0 ? "no L3 told" : fmt::format("L3 {}", box.l3); }

/// With the network devices that are there, those in use marked.
std::string node_title(const Plan& plan, const NodeBox& box, std::size_t most_devices) {
  std::string text = box.node < 0 ? "no node told" : fmt::format("node {}", box.node);
  std::size_t shown = 0;
  for (const HostDevice& device : plan.host.devices) {
    if (device.node != box.node || box.node < 0) continue;
    if (++shown > most_devices) continue;
    const bool used = std::any_of(plan.devices.begin(), plan.devices.end(), [&](const std::string& name) {
      return !name.empty() && plan.host.device(name) == &device;
    });
    text += fmt::format("  {}{} {}{}", used ? "[" : "", device.name.empty() ? "NIC" : device.name, device.pci,
                        used ? " in use]" : "");
  }
  if (shown > most_devices) text += fmt::format("  and {} more", shown - most_devices);
  for (std::size_t p = 0; p < plan.names.size(); ++p) {
    const bool elsewhere = plan.nic_nodes[p] == box.node && plan.host.device(plan.devices[p]) == nullptr;
    if (box.node >= 0 && elsewhere) text += fmt::format("  [NIC of {}]", plan.names[p]);
    if (box.node >= 0 && plan.placement.partitions[p].memory_node == box.node) {
      text += fmt::format("  [memory of {}]", plan.names[p]);
    }
  }
  return text;
}

// --- for terminals ---

constexpr std::size_t kColumns = 100;
constexpr std::size_t kIndents = 6;  // "| | | " on the left, and as much on the right

std::string use_word(const Plan& plan, const CoreBox& box) {
  std::string text;
  for (const std::string& label : box.labels) text += fmt::format("{}{}", text.empty() ? "" : "+", label);
  if (box.use == CoreBox::Use::polling && plan.names.size() > 1) {
    text = fmt::format("{}: {}", plan.names[box.partition], text);
  }
  if (!text.empty()) return text;
  return box.use == CoreBox::Use::not_allowed ? "not allowed" : "";
}

std::string cell_of(const Plan& plan, const CoreBox& box) {
  const std::string word = use_word(plan, box);
  return fmt::format("{}{}{}{}", numbers_of(box, "*"), box.threads.front()->efficiency ? " E" : "",
                     word.empty() ? "" : " ", word);
}

/// A line inside `depth` boxes.
std::string inside(std::size_t depth, std::string text) {
  const std::size_t room = kColumns - 4 * depth;
  if (text.size() > room) text = fmt::format("{:.{}}..", text, room - 2);
  std::string left, right;
  for (std::size_t i = 0; i < depth; ++i) {
    left += "| ";
    right += " |";
  }
  return fmt::format("{}{:<{}}{}\n", left, text, room, right);
}

std::string edge(std::size_t depth, const std::string& title) {
  const std::size_t room = kColumns - 4 * depth - 2;
  const std::string text = title.empty() ? "" : fmt::format("- {:.{}} ", title, room - 3);
  return inside(depth, fmt::format("+{:-<{}}+", text, room));
}

std::string cells_text(const Plan& plan, const CacheBox& box) {
  std::vector<std::string> cells;
  std::size_t widest = 0;
  for (const CoreBox& core : box.cores) {
    cells.push_back(fmt::format("[{}]", cell_of(plan, core)));
    // One long word (a fused core's) does not make all cells wide.
    if (core.labels.size() < 2) widest = std::max(widest, cells.back().size());
  }
  std::string text, line;
  const auto end_line = [&] {
    if (!line.empty()) text += inside(kIndents / 2, line);
    line.clear();
  };
  for (const std::string& cell : cells) {
    if (line.size() + std::max(widest, cell.size()) > kColumns - 2 * kIndents) end_line();
    line += fmt::format("{:<{}} ", cell, widest);
  }
  end_line();
  return text;
}

// --- for documents ---

constexpr std::array<std::string_view, 6> kColors = {"#1f6fb4", "#d9730d", "#2e8b57", "#8e44ad", "#a02c2c", "#00808a"};
constexpr double kCellWidth = 92, kCellHeight = 78, kGap = 8, kTitle = 22;
constexpr std::size_t kMostAcross = 8;  // cores in a row of a cache group
constexpr double kMostWidth = 1240;     // of a row of cache groups

std::string escaped(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    switch (letter) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += static_cast<unsigned char>(letter) < 0x20 ? ' ' : letter;
    }
  }
  return result;
}

struct Drawn {
  double width, height;
  std::string svg;  // with its corner at 0, 0
};

std::string at(double x, double y, const std::string& svg) {
  return fmt::format("<g transform='translate({:.0f},{:.0f})'>{}</g>\n", x, y, svg);
}

std::string box_svg(double width, double height, std::string_view style, const std::string& title) {
  return fmt::format("<rect width='{:.0f}' height='{:.0f}' rx='4' class='{}'/><text x='{}' y='16' class='t'>{}</text>",
                     width, height, style, kGap, escaped(title));
}

/// Boxes in rows, inside a box of their own.
Drawn flow(const std::vector<Drawn>& parts, double most_width, std::string_view style, const std::string& title) {
  double x = kGap, y = kTitle, row = 0, width = 0;
  std::string svg;
  for (const Drawn& part : parts) {
    if (x > kGap && x + part.width + kGap > most_width) {
      x = kGap;
      y += row + kGap;
      row = 0;
    }
    svg += at(x, y, part.svg);
    x += part.width + kGap;
    row = std::max(row, part.height);
    width = std::max(width, x);
  }
  width = std::max(width, 7.2 * static_cast<double>(title.size()) + 2 * kGap);
  const double height = y + row + kGap;
  return {width, height, box_svg(width, height, style, title) + svg};
}

Drawn core_svg(const CoreBox& box) {
  constexpr std::array<std::string_view, 5> kFill = {"#e4e4e4", "white", "white", "#fff3c4", ""};
  const bool polling = box.use == CoreBox::Use::polling;
  const std::string_view fill =
      polling ? kColors[box.partition % kColors.size()] : kFill[static_cast<std::size_t>(box.use)];
  const HostCpu& first = *box.threads.front();
  std::string svg = fmt::format("<rect width='{}' height='{}' rx='3' fill='{}' stroke='{}' stroke-width='{}'{}/>",
                                kCellWidth, kCellHeight, fill, first.isolated ? "#222" : "#999",
                                first.isolated ? 2.5 : 1, first.efficiency ? " stroke-dasharray='5 3'" : "");
  const std::string_view ink = polling ? "white" : "#222";
  svg += fmt::format("<text x='6' y='16' fill='{}' class='n'>{}</text>", ink, numbers_of(box, ""));
  double y = 30;
  for (const std::string& label : box.labels) {
    svg += fmt::format("<text x='6' y='{:.0f}' fill='{}' class='l'>{}</text>", y, ink, label);
    y += 11;
  }
  if (box.use == CoreBox::Use::not_allowed) svg += "<text x='6' y='30' fill='#777' class='l'>not allowed</text>";
  return {kCellWidth, kCellHeight, svg};
}

Drawn cache_svg(const CacheBox& box) {
  std::vector<Drawn> cores;
  for (const CoreBox& core : box.cores) cores.push_back(core_svg(core));
  const std::size_t across = std::min(cores.size(), kMostAcross);
  return flow(cores, kGap + static_cast<double>(across) * (kCellWidth + kGap), "c", cache_title(box));
}

Drawn legend_svg(const Plan& plan) {
  std::vector<Drawn> items;
  const auto item = [&items](const std::string& shape, const std::string& text) {
    items.push_back({34 + 7.0 * static_cast<double>(text.size()), 20,
                     fmt::format("{}<text x='24' y='13' class='l'>{}</text>", shape, escaped(text))});
  };
  const auto square = [](std::string_view fill, std::string_view more) {
    return fmt::format("<rect x='2' y='3' width='16' height='12' rx='2' fill='{}' {}/>", fill, more);
  };
  for (std::size_t p = 0; p < plan.names.size(); ++p) {
    if (!plan.placement.partitions[p].unpinned)
      item(square(kColors[p % kColors.size()], ""), "partition " + plan.names[p]);
  }
  item(square("#fff3c4", "stroke='#999'"), "control");
  item(square("white", "stroke='#222' stroke-width='2.5'"), "isolated");
  item(square("white", "stroke='#999' stroke-dasharray='3 2'"), "efficiency core");
  item(square("#e4e4e4", "stroke='#999'"), "not allowed");
  return flow(items, kMostWidth, "p", plan.host.source);
}

}  // namespace

std::string plan_ascii(const Plan& plan) {
  std::string text;
  for (const PackageBox& package : boxes_of(plan)) {
    text += edge(0, package_title(package));
    for (const NodeBox& node : package.nodes) {
      text += edge(1, node_title(plan, node, 2));
      for (const CacheBox& cache : node.caches) {
        text += edge(2, cache_title(cache)) + cells_text(plan, cache) + edge(2, "");
      }
      text += edge(1, "");
    }
    text += edge(0, "");
  }
  return text + "[4*,5] a physical core with cores 4 and 5; * isolated, E efficiency core\n";
}

std::string plan_svg(const Plan& plan) {
  std::vector<Drawn> packages = {};
  for (const PackageBox& package : boxes_of(plan)) {
    std::vector<Drawn> nodes;
    for (const NodeBox& node : package.nodes) {
      std::vector<Drawn> caches;
      for (const CacheBox& cache : node.caches) caches.push_back(cache_svg(cache));
      nodes.push_back(flow(caches, kMostWidth, "m", node_title(plan, node, 4)));
    }
    packages.push_back(flow(nodes, kMostWidth, "p", package_title(package)));
  }
  packages.push_back(legend_svg(plan));
  double width = 0, height = kGap;
  std::string body;
  for (const Drawn& package : packages) {
    body += at(kGap, height, package.svg);
    height += package.height + kGap;
    width = std::max(width, package.width + 2 * kGap);
  }
  return fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' width='{0:.0f}' height='{1:.0f}' viewBox='0 0 {0:.0f} {1:.0f}'>\n"
      "<style>text{{font-family:sans-serif}}.t{{font-size:13px;font-weight:bold;fill:#333}}.n{{font-size:13px;"
      "font-weight:bold}}.l{{font-size:11px}}.p{{fill:#f2f4f7;stroke:#888}}.m{{fill:#e3e9f0;stroke:#999}}"
      ".c{{fill:#f7f7f2;stroke:#bbb}}</style>\n<rect width='{0:.0f}' height='{1:.0f}' fill='white'/>\n{2}</svg>\n",
      width, height, body);
}

}  // namespace crosswire
