// The kernel: clocks, watchdogs, and what it does of its own accord. See checks.hpp.
#include <fmt/format.h>

#include <sstream>

#include "app/doctor/checks.hpp"

namespace crosswire {
namespace {

using enum DoctorState;
using enum DoctorWeight;

constexpr char kClocks[] = "sys/devices/system/clocksource/clocksource0/";

bool has_word(const std::string& text, const std::string& wanted) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word == wanted) return true;
  }
  return false;
}

/// The flags line of the first processor.
std::optional<std::string> cpu_flags(const HostFiles& files) {
  std::istringstream lines(files.read("proc/cpuinfo").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (line.compare(0, 5, "flags") == 0) return line;
  }
  return std::nullopt;
}

DoctorResult check_tsc(const HostFiles& files) {
  const auto flags = cpu_flags(files);
  if (!flags) return silent("tsc", "no flags in /proc/cpuinfo");
  if (has_word(*flags, "constant_tsc") && has_word(*flags, "nonstop_tsc"))
    return good("tsc", "constant and never stopping");
  return {"tsc",
          finding,
          heavy,
          "the time stamp counter is not invariant (no constant_tsc, nonstop_tsc)",
          "an invariant counter",
          "the time of orders and every latency figure drift with the clock of the core",
          "use another machine; in a virtual machine: let it see the host's invariant TSC (QEMU: -cpu host,+invtsc)",
          false};
}

DoctorResult check_clocksource(const HostFiles& files) {
  const auto current = files.read(std::string(kClocks) + "current_clocksource");
  if (!current) return silent("clocksource", "no clocksource0/current_clocksource");
  if (*current == "tsc") return good("clocksource", "tsc");
  const bool offered = has_word(files.read(std::string(kClocks) + "available_clocksource").value_or(""), "tsc");
  return {"clocksource",
          finding,
          middling,
          fmt::format("\"{}\"", shown(*current, 20)),
          "\"tsc\"",
          offered ? "reading the system's time is slow"
                  : "the kernel has found the time stamp counter unfit, and crosswire takes its time from there",
          offered
              ? "scripts/tune apply, or: echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource"
              : "see dmesg | grep -i tsc for the reason; firmware or hypervisor have to fix it",
          offered};
}

DoctorResult check_nmi_watchdog(const HostFiles& files) {
  const auto on = files.number("proc/sys/kernel/nmi_watchdog");
  if (!on) return silent("nmi_watchdog", "/proc/sys/kernel/nmi_watchdog");
  if (*on == 0) return good("nmi_watchdog", "off");
  return {"nmi_watchdog",
          finding,
          light,
          "on",
          "off",
          "it interrupts each core every few seconds and takes a performance counter",
          "scripts/tune apply, or: sysctl -w kernel.nmi_watchdog=0; for good: boot with nmi_watchdog=0",
          true};
}

DoctorResult check_soft_watchdog(const HostFiles& files, const CpuList& cores) {
  const auto on = files.number("proc/sys/kernel/soft_watchdog");
  const auto cpus = files.cpus("proc/sys/kernel/watchdog_cpumask");
  if (!on || !cpus) return silent("soft_watchdog", "/proc/sys/kernel/soft_watchdog and watchdog_cpumask");
  const CpuList there = in_both(*cpus, cores);
  if (*on == 0 || there.empty()) return good("soft_watchdog", "not on polling cores");
  return {"soft_watchdog",
          finding,
          light,
          fmt::format("the lockup detector runs on polling core {}", format_cpu_list(there)),
          "the lockup detector on other cores only",
          "a timer and a thread of the highest class run on the stage's core every few seconds",
          "scripts/tune apply, or: sysctl -w kernel.watchdog_cpumask=LIST of the other cores",
          true};
}

DoctorResult check_numa_balancing(const HostFiles& files) {
  const auto on = files.number("proc/sys/kernel/numa_balancing");
  if (!on) return silent("numa_balancing", "/proc/sys/kernel/numa_balancing");
  if (*on == 0) return good("numa_balancing", "off");
  return {"numa_balancing",
          finding,
          middling,
          "on",
          "off",
          "it unmaps pages to see who uses them: the stage meets page faults in memory that it has long used",
          "scripts/tune apply, or: sysctl -w kernel.numa_balancing=0; for good: boot with numa_balancing=disable",
          true};
}

DoctorResult check_stat_interval(const HostFiles& files) {
  constexpr std::int64_t kSeldom = 10;
  const auto seconds = files.number("proc/sys/vm/stat_interval");
  if (!seconds) return silent("stat_interval", "/proc/sys/vm/stat_interval");
  if (*seconds >= kSeldom) return good("stat_interval", fmt::format("{} s", *seconds));
  return {"stat_interval",
          finding,
          light,
          fmt::format("memory statistics are folded every {} s", *seconds),
          fmt::format("every {} s or more", kSeldom),
          "a kernel thread comes to each core that has something to fold",
          fmt::format("scripts/tune apply, or: sysctl -w vm.stat_interval={}", kSeldom),
          true};
}

DoctorResult rt_information(const HostFiles& files) {
  const auto us = files.number("proc/sys/kernel/sched_rt_runtime_us");
  if (!us) return silent("rt_throttling", "/proc/sys/kernel/sched_rt_runtime_us");
  if (*us < 0) return informative("rt_throttling", "off");
  return informative(
      "rt_throttling",
      fmt::format(
          "real-time threads get {} us of each period: of no account, crosswire's threads have the ordinary class. "
          "If you start it under chrt: sysctl -w kernel.sched_rt_runtime_us=-1",
          *us));
}

DoctorResult preemption_information(const HostFiles& files) {
  if (const auto mode = files.read("sys/kernel/debug/sched/preempt"); mode && !mode->empty())
    return informative("preemption", shown(*mode));
  const auto version = files.read("proc/version");
  if (!version) return silent("preemption", "/proc/version");
  for (const char* const model : {"PREEMPT_RT", "PREEMPT_DYNAMIC", "PREEMPT"}) {
    if (version->find(model) != std::string::npos)
      return informative("preemption", fmt::format("{}; on an isolated core there is nobody to preempt for", model));
  }
  return informative("preemption", "none or voluntary; on an isolated core there is nobody to preempt for");
}

DoctorResult mitigations_information(const HostFiles& files) {
  const std::string folder = "sys/devices/system/cpu/vulnerabilities";
  std::string active;
  const std::vector<std::string> names = files.names(folder);
  for (const std::string& name : names) {
    const std::string text = files.read(folder + "/" + name).value_or("");
    if (text.compare(0, 10, "Mitigation") == 0) active += (active.empty() ? "" : ", ") + shown(name, 40);
  }
  if (names.empty()) return silent("mitigations", "no vulnerabilities folder");
  return informative("mitigations", fmt::format("{}; they make system calls slower, and a polling stage makes none",
                                                active.empty() ? "none is active" : "active against " + active));
}

DoctorResult machine_information(const HostFiles& files) {
  const auto flags = cpu_flags(files);
  if (!flags) return silent("machine", "no flags in /proc/cpuinfo");
  if (!has_word(*flags, "hypervisor")) return informative("machine", "no hypervisor says that it is there");
  return informative(
      "machine",
      "virtual: its cores are threads of a host that may give them to others at any time; only the host can pin them");
}

}  // namespace

DoctorResult judge_clock(bool unsynchronised) {
  if (!unsynchronised) return good("clock", "kept, as the kernel says");
  return {"clock",
          finding,
          middling,
          "the kernel takes its clock for unsynchronised (STA_UNSYNC)",
          "a clock that NTP or PTP keeps",
          "the time of orders and feed follows the host's clock, and parts from everybody else's with it",
          "run chrony, or ptp4l with phc2sys; chronyc tracking, or timedatectl, says how far it is",
          false};
}

void examine_kernel(const HostFiles& files, const DoctorNeeds& needs, DoctorResults& to) {
  to.push_back(machine_information(files));
  to.push_back(check_tsc(files));
  to.push_back(check_clocksource(files));
  to.push_back(check_numa_balancing(files));
  to.push_back(check_nmi_watchdog(files));
  if (!needs.cores.empty()) to.push_back(check_soft_watchdog(files, needs.cores));
  to.push_back(check_stat_interval(files));
  to.push_back(rt_information(files));
  to.push_back(preemption_information(files));
  to.push_back(mitigations_information(files));
}

}  // namespace crosswire
