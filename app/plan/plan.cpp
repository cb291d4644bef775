// The plan: see the header. Set-up only.
#include "app/plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <iterator>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "app/files/file_clash.hpp"
#include "app/files/whole_file.hpp"
#include "app/plan/day.hpp"
#include "app/plan/picture.hpp"
#include "hugepages/host/core_claims.hpp"
#include "hugepages/host/host_file.hpp"
#include "netstack/port/eal.hpp"

namespace crosswire {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

std::string name_of(const Config& config) {
  return config.path.empty() ? "default" : std::filesystem::path(config.path).stem().string();
}

PlacementRequest request_of(const HostTopology& host, const std::vector<Config>& configs, std::optional<int> nic_node) {
  PlacementRequest request;
  for (const Config& config : configs) {
    const PlacementConfig& wanted = config.placement;
    PlacementWish wish{name_of(config), wanted.mode, wanted.stages, wanted.node, -1};
    const HostDevice* const device = config.port.device.empty() ? nullptr : host.device(config.port.device);
    if (device != nullptr) wish.nic_node = device->node;
    wish.nic_node = nic_node.value_or(wish.nic_node);
    request.partitions.push_back(std::move(wish));
    if (!wanted.control) continue;
    if (request.control && request.control != wanted.control) {
      throw std::runtime_error(fmt::format("{}: is {} and another file's is {}; one process has one control core",
                                           location_of(config, "placement.control"), *wanted.control,
                                           *request.control));
    }
    request.control = wanted.control;
  }
  return request;
}

/// Whose core it is does not matter to control: the first file that names it is to be fixed.
const Config& config_of(const PlacementError& error, const std::vector<Config>& configs) {
  if (error.key != "placement.control") return configs[error.partition];
  const auto named = [](const Config& config) { return config.placement.control.has_value(); };
  return *std::find_if(configs.begin(), configs.end(), named);
}

// --- memory ---

std::vector<MemoryNeed> memory_of(const Plan& plan, const std::vector<Config>& configs, bool recording) {
  std::vector<PartitionNodes> partition_nodes;
  for (std::size_t p = 0; p < configs.size(); ++p) {
    partition_nodes.push_back({plan.names[p], plan.placement.partitions[p].memory_node, plan.nic_nodes[p]});
  }
  const PlacedPartition& first = plan.placement.partitions.front();
  const int dpdk_node = first.unpinned ? -1 : first.stages.front().node;
  return meet(memory_wishes(configs, partition_nodes, dpdk_node, recording), plan.host.nodes);
}

// --- words ---

std::string or_dash(int number) { return number < 0 ? "-" : std::to_string(number); }
std::string or_dash(const std::vector<unsigned>& cores) { return cores.empty() ? "-" : format_cores(cores); }

/// Not fmt::join, which GCC 12 warns of at -O3 (stringop-overflow, wrongly).
std::string size_of(std::uint64_t bytes) {
  return bytes >= kGiB && bytes % kGiB == 0 ? fmt::format("{} GiB", bytes / kGiB)
         : bytes >= kMiB                    ? fmt::format("{} MiB", (bytes + kMiB - 1) / kMiB)
                                            : fmt::format("{} KiB", (bytes + 1023) / 1024);
}

std::string_view state_name(MemoryNeed::State state) {
  switch (state) {
    case MemoryNeed::State::fits:
      return "fits";
    case MemoryNeed::State::not_told:
      return "fits if all are free";
    case MemoryNeed::State::smaller_pages:
      return "too few: 2 MiB pages, slower";
    case MemoryNeed::State::ordinary_pages:
      return "too few: ordinary pages, slower";
    case MemoryNeed::State::refused:
      return "too few: run will refuse to start";
    case MemoryNeed::State::too_large:
      return "more than the machine has: run will refuse to start";
  }
  return "";
}

std::vector<unsigned> cores_that(const HostTopology& host, bool (*keep)(const HostCpu&)) {
  std::vector<unsigned> cores;
  for (const HostCpu& cpu : host.cpus) {
    if (keep(cpu)) cores.push_back(cpu.number);
  }
  return cores;
}

std::vector<HeldCore> held_cores(const Plan& plan) {
  std::vector<HeldCore> held;
  for (const PlacedPartition& placed : plan.placement.partitions) {
    for (const unsigned core : polling_cores(placed)) {
      if (const auto pid = core_holder(core)) held.push_back({core, *pid});
    }
  }
  return held;
}

/// How many different values a core's property has.
template <class Of>
std::size_t distinct(const HostTopology& host, Of of) {
  std::set<int> values;
  for (const HostCpu& cpu : host.cpus) {
    if (of(cpu) >= 0) values.insert(of(cpu));
  }
  return values.size();
}

std::string count(std::size_t number, std::string_view one) {
  return fmt::format("{} {}{}", number, one, number == 1 ? "" : "s");
}

std::string host_text(const HostTopology& host) {
  const std::size_t physical = distinct(host, [](const HostCpu& cpu) { return cpu.physical_core; });
  std::string text =
      fmt::format("host         {}: {}, {}, {}, {} on {}\n", host.source,
                  count(distinct(host, [](const HostCpu& cpu) { return cpu.package; }), "package"),
                  count(host.nodes.size(), "NUMA node"),
                  count(distinct(host, [](const HostCpu& cpu) { return cpu.l3; }), "L3 group"),
                  count(host.cpus.size(), "core"), count(physical == 0 ? host.cpus.size() : physical, "physical core"));
  const auto line = [&text](std::string_view name, const std::vector<unsigned>& cores, bool always) {
    if (always || !cores.empty()) text += fmt::format("{:<13}{}\n", name, cores.empty() ? "none" : format_cores(cores));
  };
  line("allowed", cores_that(host, [](const HostCpu& cpu) { return cpu.allowed; }), true);
  line("isolated", cores_that(host, [](const HostCpu& cpu) { return cpu.isolated; }), true);
  line("nohz_full", cores_that(host, [](const HostCpu& cpu) { return cpu.nohz_full; }), false);
  line("rcu_nocbs", cores_that(host, [](const HostCpu& cpu) { return cpu.rcu_nocbs; }), false);
  line("efficiency", cores_that(host, [](const HostCpu& cpu) { return cpu.efficiency; }), false);
  line("offline", host.offline, false);
  return text;
}

using Rows = std::vector<std::vector<std::string>>;

/// Columns as wide as they need to be; the last one is ragged.
std::string table(const Rows& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) text += fmt::format("{:<{}}  ", row[i], widths[i]);
    text += row.back() + "\n";
  }
  return text;
}

std::string stages_text(const Plan& plan) {
  Rows rows = {{"partition", "stage", "core", "idle", "node", "L3", "why"}};
  for (std::size_t p = 0; p < plan.names.size(); ++p) {
    const PlacedPartition& placed = plan.placement.partitions[p];
    if (placed.unpinned) {
      rows.push_back({plan.names[p], "all", "any", "-", "-", "-", placed.shape});
      continue;
    }
    for (std::size_t i = 0; i < placed.stages.size(); ++i) {
      const PlacedStage& stage = placed.stages[i];
      rows.push_back({plan.names[p], std::string(kStageNames[i]), std::to_string(stage.core),
                      or_dash(stage.idle_siblings), or_dash(stage.node), or_dash(stage.l3), stage.why});
    }
  }
  const auto& control = plan.placement.control;
  rows.push_back({"(all)", "control", control ? std::to_string(*control) : "any", "-",
                  control ? or_dash(plan.host.cpu(*control)->node) : "-",
                  control ? or_dash(plan.host.cpu(*control)->l3) : "-", plan.placement.control_why});
  return table(rows);
}

std::string memory_text(const Plan& plan) {
  Rows rows = {{"memory", "node", "needs", "pages", "free", "so"}};
  for (const MemoryNeed& need : plan.memory) {
    rows.push_back(
        {need.wish.what, or_dash(need.wish.node), size_of(need.wish.bytes),
         fmt::format("{} of {}", need.pages, size_of(need.page_bytes)), need.free ? fmt::format("{}", *need.free) : "-",
         need.page_bytes == 4096 && need.state == MemoryNeed::State::fits ? "ordinary pages, as configured"
                                                                          : std::string(state_name(need.state))});
  }
  Rows nodes = {{"node", "memory", "free", "hugepages free/total"}};
  for (const HostNode& node : plan.host.nodes) {
    std::string pages;
    for (const HostPages& size : node.hugepages) {
      pages += fmt::format("{}{}/{} of {}", pages.empty() ? "" : ", ",
                           size.free ? fmt::format("{}", *size.free) : std::string("?"), size.total,
                           size_of(size.page_bytes));
    }
    nodes.push_back({std::to_string(node.number), node.bytes == 0 ? "none" : size_of(node.bytes),
                     node.free_bytes ? size_of(*node.free_bytes) : "?", pages.empty() ? "none" : pages});
  }
  return table(rows) + "\n" + table(nodes);
}

std::string warning_text(const Plan& plan, const PlacementWarning& warning) {
  const PlacementRuleText& rule = kPlacementRules[static_cast<std::size_t>(warning.rule)];
  return fmt::format("{}: {} (rule {}: {})", plan.names[warning.partition], warning.text, rule.name, rule.sentence);
}

// --- JSON ---

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') {
      result += '\\';
      result += letter;
    } else if (static_cast<unsigned char>(letter) < 0x20) {
      result += fmt::format("\\u{:04x}", static_cast<unsigned>(letter));
    } else {
      result += letter;
    }
  }
  return result + '"';
}

std::string list(const std::vector<unsigned>& cores) {
  std::string text;
  for (const unsigned core : cores) text += fmt::format("{}{}", text.empty() ? "" : ", ", core);
  return "[" + text + "]";
}

std::string or_null(int number) { return number < 0 ? "null" : std::to_string(number); }

template <class Number>
std::string or_null(const std::optional<Number>& number) {
  return number ? fmt::format("{}", *number) : "null";
}

/// Items on lines of their own, between brackets.
std::string lines(const std::vector<std::string>& items, std::string_view indent) {
  std::string text;
  for (const std::string& item : items) text += fmt::format("{}\n{}  {}", text.empty() ? "" : ",", indent, item);
  return items.empty() ? "[]" : fmt::format("[{}\n{}]", text, indent);
}

std::string partition_json(const Plan& plan, std::size_t p) {
  const PlacedPartition& placed = plan.placement.partitions[p];
  std::vector<std::string> stages;
  for (std::size_t i = 0; i < placed.stages.size() && !placed.unpinned; ++i) {
    const PlacedStage& stage = placed.stages[i];
    stages.push_back(
        fmt::format("{{\"stage\": \"{}\", \"core\": {}, \"node\": {}, \"l3\": {}, \"pinned\": {}, \"idle_siblings\": "
                    "{}, \"why\": {}}}",
                    kStageNames[i], stage.core, or_null(stage.node), or_null(stage.l3), stage.pinned,
                    list(stage.idle_siblings), in_quotes(stage.why)));
  }
  std::string rules;
  for (std::size_t i = 0; i < kPlacementRules.size(); ++i) {
    rules += fmt::format("{}\"{}\": {}", i == 0 ? "" : ", ", kPlacementRules[i].name, placed.kept[i]);
  }
  return fmt::format(
      "{{\"name\": {}, \"device\": {}, \"nic_node\": {}, \"pinned\": {}, \"shape\": {}, \"memory_node\": {},\n"
      "     \"rules\": {{{}}},\n     \"stages\": {}}}",
      in_quotes(plan.names[p]), plan.devices[p].empty() ? "null" : in_quotes(plan.devices[p]),
      or_null(plan.nic_nodes[p]), !placed.unpinned, in_quotes(placed.shape), or_null(placed.memory_node), rules,
      lines(stages, "     "));
}

std::string host_json(const HostTopology& host) {
  std::vector<std::string> cores;
  for (const HostCpu& cpu : host.cpus) {
    cores.push_back(fmt::format(
        "{{\"core\": {}, \"package\": {}, \"node\": {}, \"l3\": {}, \"physical_core\": {}, \"efficiency\": {}, "
        "\"allowed\": {}, \"isolated\": {}, \"nohz_full\": {}, \"rcu_nocbs\": {}}}",
        cpu.number, or_null(cpu.package), or_null(cpu.node), or_null(cpu.l3), or_null(cpu.physical_core),
        cpu.efficiency, cpu.allowed, cpu.isolated, cpu.nohz_full, cpu.rcu_nocbs));
  }
  std::vector<std::string> nodes;
  for (const HostNode& node : host.nodes) {
    std::vector<std::string> pages;
    for (const HostPages& size : node.hugepages) {
      pages.push_back(fmt::format("{{\"page_bytes\": {}, \"total\": {}, \"free\": {}}}", size.page_bytes, size.total,
                                  or_null(size.free)));
    }
    nodes.push_back(fmt::format("{{\"node\": {}, \"bytes\": {}, \"free_bytes\": {}, \"hugepages\": {}}}", node.number,
                                node.bytes, or_null(node.free_bytes), lines(pages, "      ")));
  }
  std::vector<std::string> devices;
  for (const HostDevice& device : host.devices) {
    devices.push_back(fmt::format("{{\"pci\": {}, \"name\": {}, \"node\": {}}}", in_quotes(device.pci),
                                  device.name.empty() ? "null" : in_quotes(device.name), or_null(device.node)));
  }
  return fmt::format(
      "{{\"source\": {}, \"offline\": {},\n    \"cores\": {},\n    \"nodes\": {},\n    \"devices\": {}}}",
      in_quotes(host.source), list(host.offline), lines(cores, "    "), lines(nodes, "    "), lines(devices, "    "));
}

// --- the command ---

std::vector<unsigned> cores_given(const HostTopology& host, const std::string& option, const std::string& text) {
  const auto cores = parse_cores(text, host.cpus.back().number);
  if (!cores) throw std::runtime_error(fmt::format("{} {}: is no list of cores; give one as 2-7,12", option, text));
  for (const unsigned core : *cores) {
    if (host.cpu(core) != nullptr || std::binary_search(host.offline.begin(), host.offline.end(), core)) continue;
    throw std::runtime_error(
        fmt::format("{} {}: there is no core {}; give cores up to {}", option, text, core, host.cpus.back().number));
  }
  return *cores;
}

HostTopology host_of(const PlanOptions& options) {
  HostTopology host = options.topology.empty() ? read_host() : read_host_file(options.topology);
  KernelLists lists{cores_that(host, [](const HostCpu& cpu) { return cpu.isolated; }),
                    cores_that(host, [](const HostCpu& cpu) { return cpu.nohz_full; }),
                    cores_that(host, [](const HostCpu& cpu) { return cpu.rcu_nocbs; })};
  if (options.isolated) lists.isolated = cores_given(host, "--isolated", *options.isolated);
  if (options.nohz_full) lists.nohz_full = cores_given(host, "--nohz-full", *options.nohz_full);
  apply_lists(host, lists);
  if (options.nic_node && host.node(*options.nic_node) == nullptr) {
    std::vector<unsigned> nodes;
    for (const HostNode& node : host.nodes) nodes.push_back(static_cast<unsigned>(node.number));
    throw std::runtime_error(
        fmt::format("--nic-node {}: there is no such node; give one of {}", *options.nic_node, format_cores(nodes)));
  }
  return host;
}

/// A PCI address that is not there would only be told at the start, and the plan would be for no node.
void check_device(const HostTopology& host, bool this_host, const Config& config) {
  const std::string& device = config.port.device;
  const std::string address = pci_address(device);
  if (address.empty() || host.device(device) != nullptr) return;
  std::error_code error;  // hwloc leaves out what it does not take for a network device
  if (this_host && std::filesystem::exists("/sys/bus/pci/devices/" + address, error)) return;
  std::string known;
  for (const HostDevice& other : host.devices) {
    const std::string name = other.name.empty() ? "" : fmt::format(" ({})", other.name);
    known += fmt::format("{}{}{}", known.empty() ? "" : ", ", other.pci, name);
  }
  throw std::runtime_error(fmt::format(
      "{}: {} is no PCI device of {}; {}, or plan for another host by --topology", location_of(config, "port.device"),
      device, host.source, known.empty() ? "there is none on PCI: give a vdev of DPDK" : "give one of " + known));
}

}  // namespace

Plan make_plan(HostTopology host, const std::vector<Config>& configs, std::optional<int> nic_node, bool recording) {
  const PlacementRequest request = request_of(host, configs, nic_node);
  Plan plan;
  plan.placement = place(host, request);
  if (const auto& error = plan.placement.error; error) {
    throw std::runtime_error(fmt::format("{}: {}", location_of(config_of(*error, configs), error->key), error->text));
  }
  for (std::size_t p = 0; p < configs.size(); ++p) {
    plan.names.push_back(request.partitions[p].name);
    plan.devices.push_back(configs[p].port.device);
    plan.nic_nodes.push_back(request.partitions[p].nic_node);
  }
  plan.host = std::move(host);
  plan.memory = memory_of(plan, configs, recording);
  return plan;
}

std::string placement_lines(const Plan& plan) {
  std::string text;
  const bool several = plan.names.size() > 1;
  for (std::size_t p = 0; p < plan.names.size(); ++p) {
    const PlacedPartition& placed = plan.placement.partitions[p];
    const std::string whose = several ? plan.names[p] + " " : "";
    if (placed.unpinned) text += fmt::format("{}stages       any core: {}\n", whose, placed.shape);
    for (std::size_t i = 0; i < placed.stages.size() && !placed.unpinned; ++i) {
      text += fmt::format("{}{:<13}core {}: {}\n", whose, kStageNames[i], placed.stages[i].core, placed.stages[i].why);
    }
  }
  if (plan.placement.control) {
    text += fmt::format("{:<13}core {}: {}\n", "control", *plan.placement.control, plan.placement.control_why);
  }
  for (const PlacementWarning& warning : plan.placement.warnings) {
    text += fmt::format("{:<13}{}\n", "warning", warning_text(plan, warning));
  }
  return text;
}

std::string plan_text(const Plan& plan) {
  std::string text = host_text(plan.host);
  for (std::size_t p = 0; p < plan.names.size(); ++p) {
    const PlacedPartition& placed = plan.placement.partitions[p];
    text += fmt::format("{:<13}{}{}\n", "NIC", plan.devices[p].empty() ? "none given" : plan.devices[p],
                        plan.nic_nodes[p] < 0 ? ", its node is not told" : fmt::format(", node {}", plan.nic_nodes[p]));
    text += fmt::format("{:<13}{}\n", plan.names[p], placed.shape);
    text += fmt::format("{:<13}{}: {}\n", "memory",
                        placed.memory_node < 0 ? "any node" : fmt::format("node {}", placed.memory_node),
                        placed.memory_why);
  }
  text += fmt::format("{:<13}{}\n\n", "left over", or_dash(plan.placement.housekeeping));
  text += stages_text(plan) + "\n" + memory_text(plan);
  if (!plan.placement.warnings.empty()) text += "\n";
  for (const PlacementWarning& warning : plan.placement.warnings) {
    text += fmt::format("warning: {}\n", warning_text(plan, warning));
  }
  for (const HeldCore& held : plan.held) {
    text += fmt::format("warning: core {} is polled by a crosswire that runs (pid {})\n", held.core, held.pid);
  }
  return text;
}

std::string plan_json(const Plan& plan) {
  std::vector<std::string> partitions;
  for (std::size_t p = 0; p < plan.names.size(); ++p) partitions.push_back(partition_json(plan, p));
  std::vector<std::string> warnings;
  for (const PlacementWarning& warning : plan.placement.warnings) {
    warnings.push_back(
        fmt::format("{{\"partition\": {}, \"rule\": \"{}\", \"text\": {}}}", in_quotes(plan.names[warning.partition]),
                    kPlacementRules[static_cast<std::size_t>(warning.rule)].name, in_quotes(warning.text)));
  }
  std::vector<std::string> memory;
  for (const MemoryNeed& need : plan.memory) {
    constexpr std::array<std::string_view, 6> kStates = {"fits",           "not_told", "smaller_pages",
                                                         "ordinary_pages", "refused",  "too_large"};
    memory.push_back(
        fmt::format("{{\"for\": {}, \"node\": {}, \"bytes\": {}, \"page_bytes\": {}, \"pages\": {}, \"free\": {}, "
                    "\"state\": \"{}\"}}",
                    in_quotes(need.wish.what), or_null(need.wish.node), need.wish.bytes, need.page_bytes, need.pages,
                    or_null(need.free), kStates[static_cast<std::size_t>(need.state)]));
  }
  std::vector<std::string> held;
  for (const HeldCore& core : plan.held) {
    held.push_back(fmt::format("{{\"core\": {}, \"pid\": {}}}", core.core, core.pid));
  }
  return fmt::format(
      "{{\n  \"partitions\": {},\n  \"control\": {{\"core\": {}, \"why\": {}}},\n  \"housekeeping\": {},\n"
      "  \"warnings\": {},\n  \"polled_already\": {},\n  \"memory\": {},\n  \"host\": {}\n}}\n",
      lines(partitions, "  "), or_null(plan.placement.control), in_quotes(plan.placement.control_why),
      list(plan.placement.housekeeping), lines(warnings, "  "), lines(held, "  "), lines(memory, "  "),
      host_json(plan.host));
}

int plan_main(const PlanOptions& options) try {
  std::vector<Config> configs;
  for (const std::string& path : options.configs) configs.push_back(load_config(path, ConfigUse::run));
  if (configs.empty()) configs.emplace_back();
  std::vector<std::string> read = {options.topology};
  for (const Config& config : configs) read.insert(read.end(), config.files.begin(), config.files.end());
  if (const std::string clash = file_clash(read, {options.svg, options.save}); !clash.empty()) {
    throw std::runtime_error(clash);
  }
  if (!options.save.empty()) save_host(options.save);
  HostTopology host = host_of(options);
  for (const Config& config : configs) check_device(host, options.topology.empty(), config);
  Plan plan = make_plan(std::move(host), configs, options.nic_node, options.record);
  if (options.topology.empty()) plan.held = held_cores(plan);
  std::string days;
  for (std::size_t p = 0; p < options.configs.size(); ++p) {
    const TradingDay day = planned_day(configs[p], options.date, std::time(nullptr) * std::int64_t{1'000'000'000});
    days += fmt::format("\n{}", day_text(plan.names[p], configs[p], day));
  }
  if (!options.svg.empty()) write_whole(options.svg, plan_svg(plan));
  if (options.json) {
    fmt::print("{}", plan_json(plan));
  } else {
    fmt::print("{}{}{}{}", plan_text(plan), days, options.ascii ? "\n" : "", options.ascii ? plan_ascii(plan) : "");
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "crosswire plan: {}\n", error.what());
  return 1;
}

}  // namespace crosswire
