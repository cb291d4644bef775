// The price list in time: every case of meter.hpp under Google Benchmark, with the time stamp counter around the
// metered part alone. Time lies on a busy machine; scripts/price counts instructions instead.
#include <benchmark/benchmark.h>

#include <utility>

#include "bench/meter.hpp"
#include "netstack/port/tsc_clock.hpp"

namespace crosswire::bench {
namespace {

class TscMeter final : public Meter {
 public:
  void start() override { begun_ = TscClock::read(); }
  void stop() override { ticks_ += TscClock::read() - begun_; }
  std::uint64_t take() { return std::exchange(ticks_, 0); }

 private:
  std::uint64_t begun_ = 0;
  std::uint64_t ticks_ = 0;
};

void register_all(const TscClock& clock) {
  for (const Case& one : all_cases()) {
    benchmark::RegisterBenchmark(one.name.c_str(), [make = one.make, clock](benchmark::State& state) {
      constexpr std::size_t kBatch = 1'024;
      const std::unique_ptr<Runner> runner = make();
      TscMeter meter;
      runner->run(kBatch, meter);
      meter.take();
      std::size_t operations = 0;
      for (auto _ : state) {
        operations += runner->run(kBatch, meter);
        state.SetIterationTime(static_cast<double>(clock.span_ns(meter.take())) / 1e9);
      }
      state.SetItemsProcessed(static_cast<std::int64_t>(operations));
      state.counters["ns_each"] = benchmark::Counter(static_cast<double>(operations) / 1e9,
                                                     benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    })->UseManualTime();
  }
}

}  // namespace
}  // namespace crosswire::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  crosswire::bench::register_all(crosswire::TscClock::calibrated());
  benchmark::RunSpecifiedBenchmarks();
}
