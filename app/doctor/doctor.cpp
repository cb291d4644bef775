// The doctor's command: see the header. Gathers needs from the configurations, examines, probes, prints.
#include "app/doctor/doctor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "app/config/config.hpp"
#include "app/run/cores.hpp"
#include "hugepages/host/core_claims.hpp"
#include "netstack/port/clock_reading.hpp"
#include "netstack/port/eal.hpp"

namespace crosswire {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kWeights = {"heavy", "middling", "light"};

const char* weight_name(DoctorWeight weight) { return kWeights[static_cast<std::size_t>(weight)]; }

/// Of one state, the heaviest first, else in the order of the checks.
DoctorResults of_state(const DoctorReport& report, DoctorState state) {
  DoctorResults results;
  std::copy_if(report.results.begin(), report.results.end(), std::back_inserter(results),
               [state](const DoctorResult& result) { return result.state == state; });
  std::stable_sort(results.begin(), results.end(),
                   [](const DoctorResult& a, const DoctorResult& b) { return a.weight < b.weight; });
  return results;
}

// --- what will poll ---

/// As `run` will choose. Of another host only what the configurations name is known.
std::vector<StageCores> stage_cores(const DoctorOptions& options, const std::vector<Config>& configs) {
  if (configs.empty()) return {};
  if (options.root == "/") return resolve_cores(configs).partitions;
  std::vector<StageCores> cores;
  for (const Config& config : configs) cores.push_back({config.placement.stages, config.placement.node.value_or(-1)});
  return cores;
}

/// Without a configuration: what is isolated is there for polling, else the highest core stands for one that polls.
void guess_cores(const HostFiles& files, DoctorReport& report) {
  const CpuList isolated = files.cpus("sys/devices/system/cpu/isolated").value_or(CpuList{});
  const CpuList online = files.cpus("sys/devices/system/cpu/online").value_or(CpuList{});
  report.cores =
      isolated.empty() ? CpuList(online.end() - (online.empty() ? 0 : 1), online.end()) : in_both(isolated, online);
  report.cores_reason =
      isolated.empty() ? "nobody names one: an example" : "these are isolated, and nobody names others";
}

/// Of a PCI device; -1 = it has none, or the host does not say.
int node_of_device(const HostFiles& files, const std::string& device) {
  const std::string address = pci_address(device.substr(0, device.find(',')));
  const auto node = address.empty() ? std::nullopt : files.number("sys/bus/pci/devices/" + address + "/numa_node");
  return static_cast<int>(std::clamp<std::int64_t>(node.value_or(-1), -1, kMaxCpu));
}

DoctorNeeds needs_of(const DoctorOptions& options, const HostFiles& files, const std::vector<Config>& configs) {
  DoctorNeeds needs;
  if (configs.empty()) return needs;
  const std::vector<StageCores> placed = stage_cores(options, configs);
  const auto node_of_stage = [&](const StageCores& cores, Stage stage) {
    return cores.of(stage) ? node_of(files, *cores.of(stage)) : -1;
  };
  std::vector<PartitionNodes> partition_nodes;
  for (std::size_t i = 0; i < configs.size(); ++i) {
    const Config& config = configs[i];
    const StageCores& cores = placed[i];
    for (const auto& core : cores.stages) {
      if (core) needs.cores.push_back(*core);
    }
    needs.devices.push_back(config.port.device);
    partition_nodes.push_back({shown(std::filesystem::path(config.path).stem().string(), 40),
                               cores.node < 0 ? node_of_stage(cores, Stage::match) : cores.node,
                               node_of_device(files, config.port.device)});
  }
  needs.memory = memory_wishes(configs, partition_nodes, node_of_stage(placed.front(), Stage::receive), options.record);
  std::sort(needs.cores.begin(), needs.cores.end());
  needs.cores.erase(std::unique(needs.cores.begin(), needs.cores.end()), needs.cores.end());
  return needs;
}

/// The cores that nobody polls: the probe would take the others away from a running appliance.
CpuList free_of_claims(const CpuList& cores, DoctorResults& results) {
  CpuList free;
  for (const unsigned core : cores) {
    const auto pid = core_holder(core);
    if (!pid) {
      free.push_back(core);
      continue;
    }
    results.push_back(informative(
        "polled", fmt::format("core {} is polled by a crosswire that runs (pid {}), so it is not probed", core, *pid)));
  }
  return free;
}

DoctorReport visit(const DoctorOptions& options) {
  std::vector<Config> configs;
  for (const std::string& path : options.configs) configs.push_back(load_config(path, ConfigUse::run));
  const HostFiles files(options.root);
  DoctorReport report;
  DoctorNeeds needs = needs_of(options, files, configs);
  report.cores = needs.cores;
  report.cores_reason = needs.cores.empty() ? "the configuration pins no stage" : "of the configuration";
  if (!options.cores.empty()) {
    const auto cores = parse_cpu_list(options.cores);
    if (!cores || cores->empty())
      throw std::runtime_error(fmt::format("--cores {}: no list of cores; give one as 2-5,8", shown(options.cores)));
    report.cores = *cores;
    report.cores_reason = "of --cores";
  } else if (configs.empty()) {
    guess_cores(files, report);
  }
  needs.cores = report.cores;
  report.results = examine(files, needs);
  // Another host's files say nothing of how this one's clock is kept, and its cores are.
  if (options.root == "/") report.results.push_back(judge_clock(clock_unsynchronised()));
  if (options.seconds <= 0 || options.root != "/" || report.cores.empty()) return report;
  report.threshold_ns = options.threshold_ns;
  const CpuList probed = free_of_claims(report.cores, report.results);
  if (!probed.empty()) report.jitter = probe_jitter({probed, options.seconds, options.threshold_ns});
  report.results.push_back(judge_jitter(report.jitter, static_cast<std::uint64_t>(options.gap_limit_us * 1000)));
  return report;
}

// --- text ---

struct Colours {
  const char* heavy = "";
  const char* middling = "";
  const char* plain = "";
};

std::string headline(const DoctorReport& report, const DoctorResults& findings) {
  std::array<std::size_t, kWeights.size()> counts{};
  for (const DoctorResult& result : findings) ++counts[static_cast<std::size_t>(result.weight)];
  std::string text = findings.empty() ? "nothing to fix"
                                      : fmt::format("{} finding{}", findings.size(), findings.size() == 1 ? "" : "s");
  if (!findings.empty()) text += fmt::format(": {} heavy, {} middling, {} light", counts[0], counts[1], counts[2]);
  return fmt::format("{}\npolling cores {} ({})\n", text, format_cpu_list(report.cores), report.cores_reason);
}

std::string finding_text(const DoctorResult& result, const Colours& colours) {
  const char* const colour = result.weight == DoctorWeight::heavy      ? colours.heavy
                             : result.weight == DoctorWeight::middling ? colours.middling
                                                                       : "";
  return fmt::format("\n{}{:<9}{}: {}{}\n  should be  {}\n  costs      {}\n  remedy     {}\n", colour,
                     weight_name(result.weight), result.name, result.is, *colour == '\0' ? "" : colours.plain,
                     result.should, result.costs, result.remedy);
}

std::string duration(std::uint64_t ns) {
  if (ns < 1'000) return fmt::format("{} ns", ns);
  if (ns < 1'000'000) return fmt::format("{:.1f} us", static_cast<double>(ns) / 1e3);
  return fmt::format("{:.1f} ms", static_cast<double>(ns) / 1e6);
}

/// "LOC 500, RES 3": the most frequent first.
std::string most_frequent(const std::map<std::string, std::uint64_t>& interrupts) {
  constexpr std::size_t kMost = 4;
  std::vector<std::pair<std::string, std::uint64_t>> sorted(interrupts.begin(), interrupts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (std::size_t i = 0; i < std::min(sorted.size(), kMost); ++i) {
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", sorted[i].first, sorted[i].second);
  }
  return text.empty() ? "none" : text;
}

std::string jitter_text(const DoctorReport& report) {
  if (report.jitter.empty()) return "";
  std::string text = fmt::format(
      "\njitter: gaps of {} ns or more in {:.1f} s\n  core     gaps  stolen %       p50       p99     p99.9     worst  "
      "at\n",
      report.threshold_ns, report.jitter.front().seconds);
  for (const JitterCore& core : report.jitter) {
    text += fmt::format("  {:>4} {:>8} {:>9.4f} {:>9} {:>9} {:>9} {:>9}  {:.3f} s\n", core.core, core.gaps,
                        core.stolen_percent, duration(core.p50_ns), duration(core.p99_ns), duration(core.p999_ns),
                        duration(core.worst_ns), core.worst_at_s);
  }
  for (const JitterCore& core : report.jitter) {
    text += fmt::format("  core {}: preempted {} times; interrupts {}\n   ", core.core, core.preempted,
                        most_frequent(core.interrupts));
    for (std::size_t i = 0; i < core.buckets.size(); ++i) {
      if (core.buckets[i] == 0) continue;
      text +=
          fmt::format(" [from {}: {}]", duration(std::max(kJitterBuckets[i], report.threshold_ns)), core.buckets[i]);
    }
    text += core.gaps == 0 ? " no gap\n" : "\n";
  }
  return text;
}

std::string names_of(const DoctorResults& results) {
  std::string text;
  for (const DoctorResult& result : results) text += (text.empty() ? "" : ", ") + result.name;
  return text.empty() ? "nothing" : text;
}

// --- JSON ---

Json jitter_json(const DoctorReport& report) {
  if (report.jitter.empty()) return nullptr;
  Json cores = Json::array();
  for (const JitterCore& core : report.jitter) {
    Json buckets = Json::array();
    for (std::size_t i = 0; i < core.buckets.size(); ++i) {
      buckets.push_back(
          {{"from_ns", std::max(kJitterBuckets[i], i == 0 ? report.threshold_ns : 0)}, {"gaps", core.buckets[i]}});
    }
    cores.push_back({{"core", core.core},
                     {"seconds", core.seconds},
                     {"gaps", core.gaps},
                     {"stolen_percent", core.stolen_percent},
                     {"p50_ns", core.p50_ns},
                     {"p99_ns", core.p99_ns},
                     {"p999_ns", core.p999_ns},
                     {"worst_ns", core.worst_ns},
                     {"worst_at_s", core.worst_at_s},
                     {"preempted", core.preempted},
                     {"interrupts", core.interrupts},
                     {"histogram", buckets}});
  }
  return {{"threshold_ns", report.threshold_ns}, {"cores", cores}};
}

Json brief_json(const DoctorResults& results) {
  Json list = Json::array();
  for (const DoctorResult& result : results) list.push_back({{"name", result.name}, {"is", result.is}});
  return list;
}

}  // namespace

DoctorResult judge_jitter(const std::vector<JitterCore>& cores, std::uint64_t limit_ns) {
  const auto worst = std::max_element(cores.begin(), cores.end(),
                                      [](const JitterCore& a, const JitterCore& b) { return a.worst_ns < b.worst_ns; });
  if (worst == cores.end()) return silent("jitter", "not probed");
  const std::string is = fmt::format("core {} was away for {} at its worst, {:.4f} % of the time in all", worst->core,
                                     duration(worst->worst_ns), worst->stolen_percent);
  if (worst->worst_ns <= limit_ns) return good("jitter", is);
  std::string remedy = "the findings above first; ";
  if (worst->preempted > 0) {
    remedy += fmt::format(
        "the scheduler gave core {0} to other threads {1} times: ps -eLo psr,comm | grep '^ *{0} ' shows whose",
        worst->core, worst->preempted);
  } else if (!worst->interrupts.empty()) {
    remedy += fmt::format("interrupts came to core {} meanwhile: {} (/proc/interrupts)", worst->core,
                          most_frequent(worst->interrupts));
  } else {
    remedy +=
        "the kernel knows of no interruption: firmware (SMI; see power and error reporting in its setup) or a "
        "hypervisor";
  }
  return {"jitter",
          DoctorState::finding,
          DoctorWeight::heavy,
          is,
          fmt::format("no gap above {}", duration(limit_ns)),
          "an order that comes in such a gap waits for its end",
          remedy,
          false};
}

std::string to_text(const DoctorReport& report, bool with_colours) {
  const Colours colours = with_colours ? Colours{"\033[1;31m", "\033[33m", "\033[0m"} : Colours{};
  const DoctorResults findings = of_state(report, DoctorState::finding);
  std::string text = headline(report, findings);
  std::string tunable;
  for (const DoctorResult& result : findings) {
    text += finding_text(result, colours);
    if (result.tune) tunable += (tunable.empty() ? "" : ", ") + result.name;
  }
  if (!tunable.empty()) {
    text += fmt::format("\nscripts/tune apply --cores {} fixes until the next boot: {}\n",
                        format_cpu_list(report.cores), tunable);
  }
  text += jitter_text(report) + "\nworth knowing\n";
  for (const DoctorResult& result : of_state(report, DoctorState::information))
    text += fmt::format("  {}: {}\n", result.name, result.is);
  text += fmt::format("\nok: {}\n", names_of(of_state(report, DoctorState::ok)));
  const DoctorResults silent = of_state(report, DoctorState::not_told);
  if (!silent.empty()) text += fmt::format("the host does not say: {} (--json: why)\n", names_of(silent));
  return text;
}

std::string to_json(const DoctorReport& report) {
  Json findings = Json::array();
  for (const DoctorResult& result : of_state(report, DoctorState::finding)) {
    findings.push_back({{"name", result.name},
                        {"weight", weight_name(result.weight)},
                        {"is", result.is},
                        {"should", result.should},
                        {"costs", result.costs},
                        {"mend", result.remedy},
                        {"tune", result.tune}});
  }
  const Json json = {{"cores", report.cores},
                     {"cores_reason", report.cores_reason},
                     {"findings", findings},
                     {"information", brief_json(of_state(report, DoctorState::information))},
                     {"ok", brief_json(of_state(report, DoctorState::ok))},
                     {"not_told", brief_json(of_state(report, DoctorState::not_told))},
                     {"jitter", jitter_json(report)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

int exit_code_of(const DoctorReport& report) { return of_state(report, DoctorState::finding).empty() ? 0 : 1; }

int doctor_main(const DoctorOptions& options) try {
  const DoctorReport report = visit(options);
  fmt::print("{}", options.json ? to_json(report) : to_text(report, isatty(STDOUT_FILENO) == 1));
  return exit_code_of(report);
} catch (const std::exception& error) {
  fmt::print(stderr, "crosswire doctor: {}\n", error.what());
  return 1;
}

}  // namespace crosswire
