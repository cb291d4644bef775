// The engine alone, entered by apply(span of commands), bursts of 1 to 32: what a command costs without the stages
// around it. The flow is the budget's (45 % adds, 45 % cancels, 10 % crossing) on one symbol, or many, with resting
// orders.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "bench/order_mix.hpp"
#include "engine/box.hpp"

namespace crosswire {
namespace {

using bench::kMid, bench::kTick;

EngineConfig bench_config(std::uint32_t symbols) {
  EngineConfig config;
  config.symbols.assign(symbols, {{'B', 'E', 'N', 'C', 'H', ' ', ' ', ' '}, Price{kMid}, kTick});
  config.max_orders = 1u << 21;
  config.user_ref_window = 1u << 22;
  return config;
}

void engine_apply(benchmark::State& state) {
  const auto burst = static_cast<std::size_t>(state.range(0));
  const auto resting = static_cast<std::uint32_t>(state.range(1));
  const auto symbols = static_cast<std::uint32_t>(state.range(2));
  EngineBox box(bench_config(symbols), {.event_ring = 4096, .hugepages = HugepagePolicy::automatic});
  const Engine& engine = box.engine();

  Command open{};
  open.kind = CommandKind::phase;
  open.phase.phase = Phase::continuous;
  box.run(open, [](const Event&) {});

  // Far more commands than the caches hold are made beforehand, so that making them is not measured.
  bench::OrderMix flow(resting, 50, symbols);
  std::uint64_t sequence = 1;  // the first command opens the market
  constexpr std::size_t kBatch = 1u << 20;
  std::vector<Command> commands(kBatch, Command{});
  std::uint64_t applied = 0;
  const auto run = [&](std::size_t at, std::size_t n) {
    for (std::size_t i = at; i < at + n; ++i) {
      if (commands[i].kind == CommandKind::enter) commands[i].order.order = box.take_slot();
    }
    const std::size_t done = box.apply({&commands[at], n});
    CHECK(done == n, "%zu of %zu", done, n);
    box.take_events([](const Event&) {});
    applied += n;
  };
  const auto refill = [&] {
    for (Command& command : commands) {
      command = flow.next();
      command.sequence = Sequence{++sequence};
      command.time_ns = sequence;
    }
  };
  refill();
  do {  // warm: the book fills
    for (std::size_t at = 0; at < kBatch; at += 32) run(at, 32);
    refill();
  } while (engine.live_orders() < resting / 2);
  applied = 0;
  std::size_t at = 0;
  for (auto _ : state) {
    if (at == kBatch) {
      state.PauseTiming();
      refill();
      at = 0;
      state.ResumeTiming();
    }
    run(at, burst);
    at += burst;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(applied));
  const EngineCounters& counters = engine.counters();
  state.counters["live"] = engine.live_orders();
  state.counters["executions_per_order"] = static_cast<double>(counters.get(EngineCounter::executions)) /
                                           static_cast<double>(counters.get(EngineCounter::orders));
}
BENCHMARK(engine_apply)
    ->ArgNames({"burst", "resting", "symbols"})
    ->ArgsProduct({{1, 8, 32}, {1'000, 50'000, 1'000'000}, {1}})
    ->ArgsProduct({{1, 8, 32}, {100'000}, {1'000, 10'000}});

}  // namespace
}  // namespace crosswire
