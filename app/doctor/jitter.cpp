// The jitter probe: see the header.
#include "app/doctor/jitter.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <latch>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "hugepages/host/pinning.hpp"
#include "netstack/port/tsc_clock.hpp"

namespace crosswire {
namespace {

struct Probe {
  std::string error;
  JitterCore result;
};

std::uint64_t times_preempted() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return static_cast<std::uint64_t>(usage.ru_nivcsw);
}

/// One thread's work. All begin together, also those that cannot be pinned: nobody waits for ever. `failure`: of the
/// whole probe, known when all are ready.
void watch(unsigned core, const JitterOptions& options, double ticks_per_ns, std::latch& ready,
           const std::string& failure, Probe& probe) {
  probe.error = pin_this_thread(core);
  ready.arrive_and_wait();
  if (!probe.error.empty() || !failure.empty()) return;
  const auto ticks = [ticks_per_ns](double ns) { return static_cast<std::uint64_t>(ns * ticks_per_ns); };
  const std::uint64_t preempted = times_preempted();
  const GapCounter gaps =
      count_gaps(&TscClock::read, ticks(options.seconds * 1e9), ticks(static_cast<double>(options.threshold_ns)));
  probe.result = describe_gaps(core, gaps, ticks_per_ns);
  probe.result.preempted = times_preempted() - preempted;
}

std::map<unsigned, std::map<std::string, std::uint64_t>> interrupts_now() {
  return parse_interrupts(HostFiles().read("proc/interrupts").value_or(""));
}

}  // namespace

JitterCore describe_gaps(unsigned core, const GapCounter& gaps, double ticks_per_ns) {
  const auto ns = [ticks_per_ns](std::uint64_t ticks) {
    return static_cast<std::uint64_t>(static_cast<double>(ticks) / ticks_per_ns);
  };
  const Histogram& lengths = gaps.lengths();
  JitterCore result;
  result.core = core;
  result.seconds = static_cast<double>(ns(gaps.span())) / 1e9;
  result.gaps = gaps.gaps();
  result.stolen_percent =
      gaps.span() == 0 ? 0 : 100.0 * static_cast<double>(gaps.stolen()) / static_cast<double>(gaps.span());
  result.p50_ns = ns(lengths.percentile(50));
  result.p99_ns = ns(lengths.percentile(99));
  result.p999_ns = ns(lengths.percentile(99.9));
  result.worst_ns = ns(gaps.worst());
  result.worst_at_s = static_cast<double>(ns(gaps.worst_at())) / 1e9;
  lengths.each_bucket([&](std::uint64_t length, std::uint64_t count) {
    const auto* const above = std::upper_bound(kJitterBuckets.begin(), kJitterBuckets.end(), ns(length));
    result.buckets[static_cast<std::size_t>(above - kJitterBuckets.begin() - 1)] += count;
  });
  return result;
}

std::map<unsigned, std::map<std::string, std::uint64_t>> parse_interrupts(const std::string& text) {
  std::map<unsigned, std::map<std::string, std::uint64_t>> counts;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  std::vector<unsigned> columns;  // "CPU0 CPU1": offline ones have none
  std::istringstream heads(line);
  for (std::string head; heads >> head;) {
    const auto cpu = head.compare(0, 3, "CPU") == 0 ? parse_whole(head.substr(3)) : std::nullopt;
    if (!cpu || *cpu < 0 || *cpu > kMaxCpu) return counts;
    columns.push_back(static_cast<unsigned>(*cpu));
  }
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string label;
    words >> label;
    if (label.size() < 2 || label.back() != ':') continue;
    label.pop_back();
    std::vector<std::uint64_t> values;
    std::string word;
    while (values.size() < columns.size() && words >> word) {
      const auto value = parse_whole(word);
      if (!value || *value < 0) break;
      values.push_back(static_cast<std::uint64_t>(*value));
      word.clear();
    }
    if (values.size() != columns.size()) continue;  // ERR and MIS have one number for all
    std::string last;
    while (words >> word) last = word;
    const bool device = label.find_first_not_of("0123456789") == std::string::npos;
    const std::string name = shown(device && !last.empty() ? label + " " + last : label, 40);
    for (std::size_t i = 0; i < columns.size(); ++i) counts[columns[i]][name] += values[i];
  }
  return counts;
}

std::vector<JitterCore> probe_jitter(const JitterOptions& options) {
  const double ticks_per_ns = TscClock::calibrated().ticks_per_ns();
  std::vector<Probe> probes(options.cores.size());
  std::latch ready(static_cast<std::ptrdiff_t>(options.cores.size()));
  auto before = interrupts_now();
  std::string failure;
  {
    std::vector<std::jthread> threads;
    threads.reserve(probes.size());
    try {
      for (std::size_t i = 0; i < probes.size(); ++i) {
        threads.emplace_back([&, i] { watch(options.cores[i], options, ticks_per_ns, ready, failure, probes[i]); });
      }
    } catch (const std::system_error& error) {
      failure = fmt::format("cannot start a thread for each of {} cores: {}; give fewer, or raise ulimit -u",
                            probes.size(), error.what());
      ready.count_down(static_cast<std::ptrdiff_t>(probes.size() - threads.size()));  // those that are not there
    }
  }
  if (!failure.empty()) throw std::runtime_error(failure);
  const auto after = interrupts_now();
  std::vector<JitterCore> results;
  for (Probe& probe : probes) {
    if (!probe.error.empty()) throw std::runtime_error(probe.error);
    const auto counts = after.find(probe.result.core);
    if (counts != after.end()) {
      for (const auto& [name, count] : counts->second) {
        const std::uint64_t earlier = before[probe.result.core][name];
        if (count > earlier) probe.result.interrupts[name] = count - earlier;
      }
    }
    results.push_back(std::move(probe.result));
  }
  return results;
}

}  // namespace crosswire
