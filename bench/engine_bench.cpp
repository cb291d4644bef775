// The engine alone, entered by apply(span of commands), bursts of 1 to 32: what a command costs without the stages
// around it. The flow is the budget's (45 % adds, 45 % cancels, 10 % crossing) on one symbol, or many, with resting
// orders.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "bench/order_mix.hpp"
#include "engine/match_stage.hpp"

namespace crosswire {
namespace {

constexpr std::uint32_t kSlots = 1u << 22;
constexpr std::uint64_t kEventRing = 4096;
using bench::kMid, bench::kTick;

EngineConfig bench_config(std::uint32_t symbols) {
  EngineConfig config;
  config.symbols.assign(symbols, {{'B', 'E', 'N', 'C', 'H', ' ', ' ', ' '}, Price{kMid}, kTick});
  config.max_orders = kSlots / 2;
  config.user_ref_window = 1u << 22;
  return config;
}

void engine_apply(benchmark::State& state) {
  const auto burst = static_cast<std::size_t>(state.range(0));
  const auto resting = static_cast<std::uint32_t>(state.range(1));
  const auto symbols = static_cast<std::uint32_t>(state.range(2));
  const EngineConfig config = bench_config(symbols);
  Arena arena(Engine::bytes_for(config, kSlots) + Orders::bytes_for(kSlots) + SlotSource::bytes_for(kSlots) +
              SlotReturner::bytes_for(kSlots) + SlotReturnRing::bytes_for(slot_return_capacity(kSlots)) +
              EventRing::bytes_for(kEventRing));
  Orders orders(arena, kSlots);
  SlotReturnRing returns(arena, slot_return_capacity(kSlots));
  SlotSource source(arena, returns, kSlots);
  SlotReturner returner(arena, returns, kSlots);
  EventRing events(arena, kEventRing);
  EventRing::GatingReader& reader = events.add_gating("bench");
  Engine engine(config, orders, returner, arena);

  Command open{};
  open.kind = CommandKind::phase;
  open.sequence = Sequence{1};
  open.phase.phase = Phase::continuous;
  while (engine.apply({&open, 1}, events.producer()) == 0) reader.release(reader.available());
  reader.release(reader.available());

  // Far more commands than the caches hold are made beforehand, so that making them is not measured.
  bench::OrderMix flow(resting, 50, symbols);
  std::uint64_t sequence = 1;  // the first command opens the market
  constexpr std::size_t kBatch = 1u << 20;
  std::vector<Command> commands(kBatch, Command{});
  std::uint64_t applied = 0;
  const auto run = [&](std::size_t at, std::size_t n) {
    for (std::size_t i = at; i < at + n; ++i) {
      if (commands[i].kind == CommandKind::enter) {
        const bool taken = source.take(commands[i].order.order);
        CHECK(taken, "no slot with %u orders live", engine.live_orders());
      }
    }
    const std::size_t done = engine.apply({&commands[at], n}, events.producer());
    CHECK(done == n, "%zu of %zu", done, n);
    reader.release(reader.available());
    returner.hand_back(UINT64_MAX, UINT64_MAX);
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
