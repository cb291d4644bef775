// The jitter probe of `crosswire doctor`: threads that only read the time stamp counter, one pinned to each polling
// core, and note every gap between two readings. A gap is time that something else took from the core: an interrupt, a
// scheduled process, the firmware, a hypervisor. Its own threads; never beside a running stage.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "app/doctor/host.hpp"
#include "hugepages/base/histogram.hpp"

namespace crosswire {

/// What the gaps of one core add up to, in ticks of the counter.
class GapCounter {
 public:
  /// Gaps of `threshold` ticks or more count. `first` is the first reading.
  GapCounter(std::uint64_t threshold, std::uint64_t first) : threshold_(threshold), begin_(first), last_(first) {}

  /// The next reading. One that is before the last (another core's counter) counts as equal.
  void take(std::uint64_t now) {
    ++readings_;
    const std::uint64_t gap = now > last_ ? now - last_ : 0;
    if (gap >= threshold_) note(now, gap);
    if (now > last_) last_ = now;
  }

  std::uint64_t readings() const { return readings_; }  // the first one apart
  std::uint64_t span() const { return last_ - begin_; }
  std::uint64_t gaps() const { return lengths_.count(); }
  std::uint64_t stolen() const { return stolen_; }  // sum of the gaps
  std::uint64_t worst() const { return lengths_.max(); }
  std::uint64_t worst_at() const { return worst_at_; }  // when it began, since the first reading
  const Histogram& lengths() const { return lengths_; }

 private:
  [[gnu::noinline]] void note(std::uint64_t now, std::uint64_t gap) {
    if (gap > lengths_.max()) worst_at_ = now - gap - begin_;
    lengths_.record(gap);
    stolen_ += gap;
  }

  std::uint64_t threshold_;
  std::uint64_t begin_;
  std::uint64_t last_;
  std::uint64_t readings_ = 0;
  std::uint64_t stolen_ = 0;
  std::uint64_t worst_at_ = 0;
  Histogram lengths_;
};

/// Reads `clock()` until `span` ticks have passed since the first reading.
template <class Clock>
GapCounter count_gaps(Clock&& clock, std::uint64_t span, std::uint64_t threshold) {
  const std::uint64_t first = clock();
  GapCounter counter(threshold, first);
  for (std::uint64_t now = first; now - first < span || now < first;) {
    now = clock();
    counter.take(now);
  }
  return counter;
}

struct JitterOptions {
  CpuList cores;                     // one thread each, at once
  double seconds = 2.0;              // above 0
  std::uint64_t threshold_ns = 200;  // a reading takes about a tenth of it; an interrupt takes longer
};

/// From which length on the gaps of a bucket are, ns; the first one begins at the threshold.
inline constexpr std::array<std::uint64_t, 14> kJitterBuckets = {
    0, 500, 1'000, 2'000, 5'000, 10'000, 20'000, 50'000, 100'000, 200'000, 500'000, 1'000'000, 2'000'000, 5'000'000};

/// What one core was found to be like.
struct JitterCore {
  unsigned core = 0;
  double seconds = 0;  // that it was watched
  std::uint64_t gaps = 0;
  double stolen_percent = 0;
  std::uint64_t p50_ns = 0, p99_ns = 0, p999_ns = 0, worst_ns = 0;  // of the gaps
  double worst_at_s = 0;                                            // since the beginning
  std::array<std::uint64_t, kJitterBuckets.size()> buckets{};
  std::uint64_t preempted = 0;  // times that the scheduler gave the core to another thread
  /// Interrupts that came to the core meanwhile, as /proc/interrupts names them: "LOC", "24 eth0-rx". Zeros left out.
  std::map<std::string, std::uint64_t> interrupts;
};

JitterCore describe_gaps(unsigned core, const GapCounter& gaps, double ticks_per_ns);

/// Interrupts of each core by name, from the text of /proc/interrupts.
std::map<unsigned, std::map<std::string, std::uint64_t>> parse_interrupts(const std::string& text);

/// Runs the probe; takes `seconds` and a little. Throws std::runtime_error (one line) if a core cannot be had.
std::vector<JitterCore> probe_jitter(const JitterOptions& options);

}  // namespace crosswire
