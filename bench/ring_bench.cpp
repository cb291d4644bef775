// What a hop between stages costs: on one thread (fused placement) and between two cores (pipeline placement).
// The hop needs two idle cores that share a cache; on a busy machine its figure says nothing.
#include <benchmark/benchmark.h>
#include <rte_ring.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "hugepages/host/pinning.hpp"
#include "hugepages/rings/broadcast_ring.hpp"
#include "hugepages/rings/spsc_ring.hpp"

namespace crosswire {
namespace {

struct alignas(64) Item {
  std::array<std::uint64_t, 8> words;
};
using Ring = BroadcastRing<Item>;

constexpr std::uint64_t kCapacity = 4096;

/// Items of bursts of range(0), with range(1) lappable readers attached (they cost the producer, read or not).
void same_thread(benchmark::State& state) {
  const auto burst = static_cast<std::uint64_t>(state.range(0));
  const bool lappable = state.range(1) != 0;
  Arena arena(Ring::bytes_for(kCapacity, lappable), HugepagePolicy::automatic, -1, "ring_bench");
  Ring ring(arena, kCapacity);
  Ring::GatingReader& reader = ring.add_gating("reader");
  if (lappable) ring.add_lappable("shadow");
  std::uint64_t number = 0;
  for (auto step : state) {
    for (std::uint64_t i = 0; i < burst; ++i) ring.producer().claim().words.fill(++number);
    ring.producer().publish();
    const std::uint64_t available = reader.available();
    for (std::uint64_t i = 0; i < available; ++i) benchmark::DoNotOptimize(reader.peek(i).words[7]);
    reader.release(available);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(number));
}
BENCHMARK(same_thread)->ArgNames({"burst", "lappable"})->Args({1, 0})->Args({32, 0})->Args({1, 1})->Args({32, 1});

void spsc_same_thread(benchmark::State& state) {
  Arena arena(SpscRing<std::uint32_t>::bytes_for(kCapacity), HugepagePolicy::automatic, -1, "ring_bench");
  SpscRing<std::uint32_t> ring(arena, kCapacity);
  std::uint32_t number = 0;
  for (auto step : state) {
    ring.push(++number);
    ring.pop(number);
    benchmark::DoNotOptimize(number);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(spsc_same_thread);

/// There and back over two rings: the time per iteration is two hops.
void round_trip_between_cores(benchmark::State& state) {
  if (allowed_cores().size() < 2) return state.SkipWithError("needs two cores");
  Arena arena(2 * Ring::bytes_for(kCapacity), HugepagePolicy::automatic, -1, "ring_bench");
  Ring there(arena, kCapacity);
  Ring back(arena, kCapacity);
  Ring::GatingReader& at_echo = there.add_gating("echo");
  Ring::GatingReader& at_home = back.add_gating("home");
  std::atomic<bool> stop{false};
  std::thread echo([&] {
    if (!pin_this_thread(allowed_cores()[1]).empty()) std::abort();
    while (!stop.load(std::memory_order_relaxed)) {
      if (at_echo.available() == 0) continue;
      back.producer().claim() = at_echo.peek();
      back.producer().publish();
      at_echo.release();
    }
  });
  if (const std::string error = pin_this_thread(allowed_cores()[0]); !error.empty()) state.SkipWithError(error.c_str());
  std::uint64_t number = 0;
  for (auto step : state) {
    there.producer().claim().words.fill(++number);
    there.producer().publish();
    while (at_home.available() == 0) {
    }
    benchmark::DoNotOptimize(at_home.peek().words[7]);
    at_home.release();
  }
  stop.store(true, std::memory_order_relaxed);
  echo.join();
  state.counters["hop_s"] = benchmark::Counter(static_cast<double>(2 * state.iterations()),
                                               benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(round_trip_between_cores)->UseRealTime();

/// DPDK's ring of pointers, in memory of its own: it needs no EAL for that.
class PointerRing {
 public:
  PointerRing() : ring_(static_cast<rte_ring*>(std::aligned_alloc(64, size()))) {
    if (rte_ring_init(ring_, "bench", kCapacity, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0) std::abort();
  }
  ~PointerRing() { std::free(ring_); }
  PointerRing(const PointerRing&) = delete;
  PointerRing& operator=(const PointerRing&) = delete;

  bool push(void* item) { return rte_ring_enqueue(ring_, item) == 0; }
  bool pop(void** item) { return rte_ring_dequeue(ring_, item) == 0; }

 private:
  static std::size_t size() { return static_cast<std::size_t>(rte_ring_get_memsize(kCapacity)); }
  rte_ring* ring_;
};

/// The same way there and back over rte_ring: what is handed on is a pointer to an item, written and read as above.
void round_trip_between_cores_over_rte_ring(benchmark::State& state) {
  if (allowed_cores().size() < 2) return state.SkipWithError("needs two cores");
  std::vector<Item> there_items(kCapacity), back_items(kCapacity);
  PointerRing there, back;
  std::atomic<bool> stop{false};
  std::thread echo([&] {
    if (!pin_this_thread(allowed_cores()[1]).empty()) std::abort();
    std::uint64_t n = 0;
    void* item = nullptr;
    while (!stop.load(std::memory_order_relaxed)) {
      if (!there.pop(&item)) continue;
      Item& copy = back_items[n++ % kCapacity];
      copy = *static_cast<const Item*>(item);
      back.push(&copy);
    }
  });
  if (const std::string error = pin_this_thread(allowed_cores()[0]); !error.empty()) state.SkipWithError(error.c_str());
  std::uint64_t number = 0;
  for (auto step : state) {
    Item& item = there_items[number % kCapacity];
    item.words.fill(++number);
    there.push(&item);
    void* answer = nullptr;
    while (!back.pop(&answer)) {
    }
    benchmark::DoNotOptimize(static_cast<const Item*>(answer)->words[7]);
  }
  stop.store(true, std::memory_order_relaxed);
  echo.join();
  state.counters["hop_s"] = benchmark::Counter(static_cast<double>(2 * state.iterations()),
                                               benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(round_trip_between_cores_over_rte_ring)->UseRealTime();

}  // namespace
}  // namespace crosswire

BENCHMARK_MAIN();
