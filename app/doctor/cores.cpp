// The polling cores: what else the kernel may run on them. See checks.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "app/doctor/checks.hpp"

namespace crosswire {
namespace {

using enum DoctorState;
using enum DoctorWeight;

std::string cpu_path(unsigned cpu, const std::string& file) {
  return fmt::format("sys/devices/system/cpu/cpu{}/{}", cpu, file);
}

std::string boot_with(const std::string& parameter, const CpuList& cores) {
  return fmt::format("boot with {0}{1}; scripts/tune boot --cores {1} prints the whole line", parameter,
                     format_cpu_list(cores));
}

/// The value of NAME=VALUE in the kernel's command line; of several the last, as the kernel does it.
std::optional<std::string> boot_parameter(const HostFiles& files, const std::string& name) {
  std::istringstream words(files.read("proc/cmdline").value_or(""));
  std::optional<std::string> value;
  for (std::string word; words >> word;) {
    if (word.compare(0, name.size() + 1, name + "=") == 0) value = word.substr(name.size() + 1);
  }
  return value;
}

DoctorResult check_online(const HostFiles& files, const CpuList& cores) {
  const auto online = files.cpus("sys/devices/system/cpu/online");
  if (!online) return silent("cores", "which cores are online");
  const CpuList missing = in_first_only(cores, *online);
  if (!missing.empty()) {
    return {"cores",
            finding,
            heavy,
            fmt::format("core {} is not online (online: {})", format_cpu_list(missing), format_cpu_list(*online)),
            "polling cores that are there and online",
            "the appliance does not start",
            fmt::format("place the stages on other cores, or: echo 1 > /sys/devices/system/cpu/cpu{}/online",
                        missing.front()),
            false};
  }
  if (cores.front() == 0 && online->size() > 1) {
    return {"cores",
            finding,
            middling,
            "core 0 is a polling core",
            "polling cores other than core 0",
            "the kernel does on core 0 what it can do nowhere else: boot-time timers, interrupts that cannot be moved",
            "place the stages on other cores ([placement] in the configuration, or leave it to crosswire plan)",
            false};
  }
  return good("cores", fmt::format("polling cores {} are online", format_cpu_list(cores)));
}

DoctorResult check_isolation(const HostFiles& files, const CpuList& cores) {
  const auto isolated = files.cpus("sys/devices/system/cpu/isolated");
  if (!isolated) return silent("isolation", "which cores are isolated");
  const CpuList missing = in_first_only(cores, *isolated);
  if (missing.empty()) return good("isolation", fmt::format("{} isolated", format_cpu_list(*isolated)));
  return {"isolation",
          finding,
          heavy,
          fmt::format("polling core {} is not isolated (isolated: {})", format_cpu_list(missing),
                      format_cpu_list(*isolated)),
          "every polling core isolated from the scheduler",
          "any process may be given the core; the stage then stands still for a whole time slice, milliseconds",
          boot_with("isolcpus=managed_irq,domain,", cores),
          false};
}

DoctorResult check_nohz(const HostFiles& files, const CpuList& cores) {
  const auto text = files.read("sys/devices/system/cpu/nohz_full");
  if (!text) return silent("nohz_full", "no /sys/devices/system/cpu/nohz_full: the kernel was built without it");
  const auto ticks_off = *text == "(null)" ? CpuList{} : parse_cpu_list(*text);
  if (!ticks_off) return silent("nohz_full", fmt::format("\"{}\" is no list of cores", shown(*text, 40)));
  const CpuList missing = in_first_only(cores, *ticks_off);
  if (missing.empty()) return good("nohz_full", fmt::format("no timer tick on {}", format_cpu_list(*ticks_off)));
  return {"nohz_full",
          finding,
          middling,
          fmt::format("the timer tick runs on polling core {}", format_cpu_list(missing)),
          "no tick on polling cores",
          "the tick interrupts the stage 100 to 1000 times a second (CONFIG_HZ)",
          boot_with("nohz_full=", cores),
          false};
}

/// Cores without tick are offloaded, too; rcu_nocbs=all and an empty value mean every core.
DoctorResult check_rcu(const HostFiles& files, const CpuList& cores) {
  if (!files.read("proc/cmdline")) return silent("rcu_nocbs", "no /proc/cmdline");
  const auto value = boot_parameter(files, "rcu_nocbs");
  CpuList offloaded = files.cpus("sys/devices/system/cpu/nohz_full").value_or(CpuList{});
  if (value) {
    if (*value == "all" || *value == "0-N") return good("rcu_nocbs", "RCU callbacks are offloaded from every core");
    const auto listed = parse_cpu_list(*value);
    if (!listed) return silent("rcu_nocbs", fmt::format("rcu_nocbs={} is no list of cores", shown(*value, 40)));
    offloaded.insert(offloaded.end(), listed->begin(), listed->end());
    std::sort(offloaded.begin(), offloaded.end());
  }
  const CpuList missing = in_first_only(cores, offloaded);
  if (missing.empty())
    return good("rcu_nocbs", fmt::format("RCU callbacks are offloaded from {}", format_cpu_list(cores)));
  return {"rcu_nocbs",
          finding,
          middling,
          fmt::format("RCU callbacks run on polling core {}", format_cpu_list(missing)),
          "RCU callbacks offloaded from polling cores",
          "what other cores free is cleaned up in soft interrupts on the stage's core",
          boot_with("rcu_nocbs=", cores),
          false};
}

struct Irqs {
  std::vector<std::string> here_now, may_come;  // "24 (nvme0q1)"; such as can be moved
  std::vector<std::string> kept;                // of both kinds those that cannot
  std::vector<std::string> leaving;             // sent elsewhere; some devices obey with their next interrupt only
  std::size_t seen = 0;
};

/// The kernel moves none that a driver manages, or that belongs to one core. It says so by the file's mode; older ones
/// only at the attempt, of which scripts/tune keeps a list.
bool can_be_moved(const HostFiles& files, const std::string& list_path, const std::string& refused) {
  return files.writable(list_path) && ("\n" + refused + "\n").find("\n/" + list_path + "\n") == std::string::npos;
}

/// An interrupt without an action (a folder named as its driver) has nobody who would raise it.
Irqs irqs_on(const HostFiles& files, const CpuList& cores) {
  Irqs irqs;
  const std::string refused = files.read("run/crosswire-host/tune.refused").value_or("");
  for (const std::string& irq : files.folders("proc/irq")) {
    const std::string path = "proc/irq/" + irq;
    const std::vector<std::string> actions = files.folders(path);
    const auto allowed = files.cpus(path + "/smp_affinity_list");
    if (!allowed || actions.empty()) continue;
    ++irqs.seen;
    const std::string name = fmt::format("{} ({})", shown(irq, 10), shown(actions.front(), 30));
    const auto effective = files.cpus(path + "/effective_affinity_list");
    const bool here_now = effective && !in_both(*effective, cores).empty();
    const bool wanted_here = !in_both(*allowed, cores).empty();
    if (!here_now && !wanted_here) continue;
    const bool kept = !can_be_moved(files, path + "/smp_affinity_list", refused);
    (kept ? irqs.kept : !wanted_here ? irqs.leaving : here_now ? irqs.here_now : irqs.may_come).push_back(name);
  }
  return irqs;
}

std::string first_few(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 4;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kMost ? text + fmt::format(" and {} more", names.size() - kMost) : text;
}

DoctorResult kept_irqs(const Irqs& irqs) {
  return informative(
      "irqs_kept", fmt::format("{} interrupts of polling cores cannot be moved, their driver or the kernel keeps them "
                               "there: {}; isolcpus=managed_irq at boot keeps away those that a driver spreads",
                               irqs.kept.size(), first_few(irqs.kept)));
}

DoctorResult leaving_irqs(const Irqs& irqs) {
  return informative("irqs_leaving", fmt::format("{} interrupts are sent to other cores, and come to a polling core "
                                                 "once more at most: {}",
                                                 irqs.leaving.size(), first_few(irqs.leaving)));
}

DoctorResult check_irqs(const Irqs& irqs) {
  if (irqs.seen == 0) return silent("irqs", "no interrupt under /proc/irq says where it goes");
  if (irqs.here_now.empty() && irqs.may_come.empty()) {
    return good("irqs", fmt::format("none of {} interrupts that can be moved goes to a polling core", irqs.seen));
  }
  std::string is;
  if (!irqs.here_now.empty()) {
    is = fmt::format("{} interrupts arrive on polling cores: {}", irqs.here_now.size(), first_few(irqs.here_now));
  }
  if (!irqs.may_come.empty()) {
    is += fmt::format("{}{} {}may be sent there: {}", is.empty() ? "" : "; ", irqs.may_come.size(),
                      is.empty() ? "interrupts " : "more ", first_few(irqs.may_come));
  }
  return {"irqs",
          finding,
          irqs.here_now.empty() ? light : heavy,
          is,
          "no interrupt on polling cores",
          "each interrupt stops the stage for as long as its handler takes, as often as its device has work",
          "scripts/tune apply; for one: echo LIST > /proc/irq/N/smp_affinity_list; for good: boot with "
          "irqaffinity=LIST of the other cores",
          true};
}

DoctorResult check_default_irq(const HostFiles& files, const CpuList& cores) {
  const auto text = files.read("proc/irq/default_smp_affinity");
  const auto cpus = text ? parse_cpu_mask(*text) : std::nullopt;
  if (!cpus) return silent("irq_default", "/proc/irq/default_smp_affinity");
  if (in_both(*cpus, cores).empty()) return good("irq_default", "new interrupts stay off polling cores");
  return {"irq_default",
          finding,
          light,
          fmt::format("interrupts of drivers yet to be loaded may go to {}", format_cpu_list(*cpus)),
          "new interrupts on other cores only",
          "a device that is added later may interrupt a stage",
          "scripts/tune apply, or boot with irqaffinity=LIST of the other cores",
          true};
}

DoctorResult check_governor(const HostFiles& files, const CpuList& cores) {
  std::map<std::string, CpuList> others;
  std::size_t seen = 0;
  for (const unsigned core : cores) {
    const auto governor = files.read(cpu_path(core, "cpufreq/scaling_governor"));
    if (!governor) continue;
    ++seen;
    if (*governor != "performance") others[shown(*governor, 20)].push_back(core);
  }
  if (seen == 0) return silent("governor", "no cpufreq: the firmware or the hypervisor sets the clock");
  if (others.empty()) return good("governor", "performance");
  const auto& [name, where] = *others.begin();
  return {"governor",
          finding,
          middling,
          fmt::format("\"{}\" on polling core {}", name, format_cpu_list(where)),
          "\"performance\"",
          "the clock follows the load of the past, and changing it halts the core for a moment",
          "scripts/tune apply, or: cpupower frequency-set -g performance",
          true};
}

DoctorResult turbo_information(const HostFiles& files) {
  const auto intel = files.number("sys/devices/system/cpu/intel_pstate/no_turbo");
  const auto others = files.number("sys/devices/system/cpu/cpufreq/boost");
  if (!intel && !others) return silent("turbo", "no intel_pstate/no_turbo and no cpufreq/boost");
  const bool on = intel ? *intel == 0 : *others != 0;
  return informative("turbo",
                     on ? "on: faster, but the clock depends on what the other cores do; off (firmware, or no_turbo) "
                          "is slower and steadier"
                        : "off: a steady clock, below the highest");
}

DoctorResult check_cstates(const HostFiles& files, const CpuList& cores) {
  constexpr std::int64_t kShallowUs = 2;  // C1: out of it in about a microsecond
  std::string deepest;
  std::int64_t worst_us = -1;
  CpuList where;
  bool seen = false;
  for (const unsigned core : cores) {
    for (const std::string& state : files.folders(cpu_path(core, "cpuidle"))) {
      const auto latency = files.number(cpu_path(core, "cpuidle/" + state + "/latency"));
      const auto disabled = files.number(cpu_path(core, "cpuidle/" + state + "/disable"));
      if (!latency || !disabled) continue;
      seen = true;
      if (*disabled != 0 || *latency <= kShallowUs) continue;
      if (where.empty() || where.back() != core) where.push_back(core);
      if (*latency <= worst_us) continue;
      worst_us = *latency;
      deepest = shown(files.read(cpu_path(core, "cpuidle/" + state + "/name")).value_or(state), 20);
    }
  }
  if (!seen) return silent("c_states", "no cpuidle: the hypervisor or the firmware decides");
  if (where.empty()) return good("c_states", "polling cores have no sleep state that takes long to leave");
  return {"c_states",
          finding,
          light,
          fmt::format("polling core {} may sleep down to {}, {} us to wake up from", format_cpu_list(where), deepest,
                      worst_us),
          "no deeper sleep than C1 on polling cores",
          "nothing while a stage spins; with idle = \"yield\", and at the start, the core wakes up late",
          "scripts/tune apply (cpuidle/state*/disable of these cores); for good: boot with intel_idle.max_cstate=1 "
          "processor.max_cstate=1",
          true};
}

DoctorResult latency_information(const HostFiles& files) {
  constexpr std::int32_t kNobodyAsks = 2'000'000'000;  // PM_QOS_CPU_LATENCY_DEFAULT_VALUE, us
  const auto us = files.word("dev/cpu_dma_latency");
  if (!us || *us < 0) return silent("cpu_dma_latency", "/dev/cpu_dma_latency cannot be read (it wants root)");
  if (*us >= kNobodyAsks)
    return informative("cpu_dma_latency", "nobody holds the sleep of all cores back; polling cores do not sleep");
  return informative("cpu_dma_latency", fmt::format("a program holds all cores to sleep states of at most {} us", *us));
}

DoctorResult check_smt(const HostFiles& files, const CpuList& cores) {
  const CpuList isolated = files.cpus("sys/devices/system/cpu/isolated").value_or(CpuList{});
  CpuList both_poll;
  CpuList in_use;
  bool seen = false;
  for (const unsigned core : cores) {
    const auto siblings = files.cpus(cpu_path(core, "topology/thread_siblings_list"));
    if (!siblings) continue;
    seen = true;
    const CpuList others = in_first_only(*siblings, {core});
    if (!in_both(others, cores).empty()) both_poll.push_back(core);
    const CpuList free = in_first_only(in_first_only(others, cores), isolated);
    in_use.insert(in_use.end(), free.begin(), free.end());
  }
  std::sort(in_use.begin(), in_use.end());
  if (!seen) return silent("smt", "no topology/thread_siblings_list");
  if (!both_poll.empty()) {
    return {"smt",
            finding,
            heavy,
            fmt::format("polling cores {} are hardware threads of one core", format_cpu_list(both_poll)),
            "one polling core on each physical core",
            "two stages share one core's execution units and caches",
            "place one of the stages on another core ([placement]); crosswire plan never chooses so",
            false};
  }
  if (!in_use.empty()) {
    return {"smt",
            finding,
            middling,
            fmt::format("the sibling threads {} of polling cores are open to every process", format_cpu_list(in_use)),
            "the siblings isolated, or off",
            "whatever runs on the sibling takes execution units and cache from the stage",
            fmt::format("add {0} to isolcpus=, or switch the thread off: echo 0 > "
                        "/sys/devices/system/cpu/cpu{1}/online; for all: boot with nosmt",
                        format_cpu_list(in_use), in_use.front()),
            false};
  }
  return good("smt", "nothing else runs on the polling cores' hardware threads");
}

DoctorResult check_workqueue(const HostFiles& files, const CpuList& cores) {
  const auto text = files.read("sys/devices/virtual/workqueue/cpumask");
  const auto cpus = text ? parse_cpu_mask(*text) : std::nullopt;
  if (!cpus) return silent("workqueue", "/sys/devices/virtual/workqueue/cpumask");
  const CpuList there = in_both(*cpus, cores);
  if (there.empty()) return good("workqueue", "the kernel's work queues stay off polling cores");
  return {"workqueue",
          finding,
          light,
          fmt::format("unbound kernel work may run on polling core {}", format_cpu_list(there)),
          "kernel work on other cores",
          "work of drivers and file systems may take the core from the stage",
          "scripts/tune apply",
          true};
}

DoctorResult check_irqbalance(const HostFiles& files) {
  for (const std::string& process : files.names("proc")) {
    if (process.find_first_not_of("0123456789") != std::string::npos) continue;
    if (files.read("proc/" + process + "/comm") != "irqbalance") continue;
    return {"irqbalance",
            finding,
            light,
            "irqbalance is running",
            "interrupts that stay where they are put",
            "it moves interrupts back to polling cores that it does not know to be isolated",
            "systemctl disable --now irqbalance, or name the polling cores in IRQBALANCE_BANNED_CPULIST",
            false};
  }
  return good("irqbalance", "not running");
}

}  // namespace

int node_of(const HostFiles& files, unsigned cpu) {
  for (const std::string& node : files.folders("sys/devices/system/node")) {
    if (node.compare(0, 4, "node") != 0) continue;
    const auto number = parse_whole(node.substr(4));
    const auto cpus = files.cpus("sys/devices/system/node/" + node + "/cpulist");
    if (number && cpus && std::binary_search(cpus->begin(), cpus->end(), cpu)) return static_cast<int>(*number);
  }
  return -1;
}

void examine_cores(const HostFiles& files, const DoctorNeeds& needs, DoctorResults& to) {
  to.push_back(turbo_information(files));
  to.push_back(latency_information(files));
  to.push_back(check_irqbalance(files));
  if (needs.cores.empty()) {
    to.push_back(informative(
        "cores", "no polling core is named, so none was examined: give --cores, or name one in [placement]"));
    return;
  }
  to.push_back(check_online(files, needs.cores));
  to.push_back(check_isolation(files, needs.cores));
  to.push_back(check_nohz(files, needs.cores));
  to.push_back(check_rcu(files, needs.cores));
  const Irqs irqs = irqs_on(files, needs.cores);
  to.push_back(check_irqs(irqs));
  if (!irqs.kept.empty()) to.push_back(kept_irqs(irqs));
  if (!irqs.leaving.empty()) to.push_back(leaving_irqs(irqs));
  to.push_back(check_default_irq(files, needs.cores));
  to.push_back(check_workqueue(files, needs.cores));
  to.push_back(check_governor(files, needs.cores));
  to.push_back(check_cstates(files, needs.cores));
  to.push_back(check_smt(files, needs.cores));
}

}  // namespace crosswire
