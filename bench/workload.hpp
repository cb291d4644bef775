// The flows that bench/engine runs: what each is stands in kWorkloads. Made beforehand, beside a MapEngine that knows
// which orders live, so that every cancel finds its order and a sweep takes as many as it says. Benchmarks only.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/map_engine.hpp"

namespace crosswire::bench {

inline constexpr std::uint32_t kTick = 100;                   // of all symbols, in 1/10000
inline constexpr std::uint32_t kMiddle = 10'000'000 / kTick;  // where prices begin, in ticks

struct WorkloadName {
  std::string_view name;
  std::string_view what;
};
inline constexpr std::array<WorkloadName, 6> kWorkloads = {{
    {"W1",
     "one symbol: 55 % adds within 10 ticks of a drifting middle, 35 % cancels, 5 % replaces, 5 % that take 1 to 5"},
    {"W2", "the same over many symbols, by Zipf"},
    {"W3", "many resting orders on 2,000 levels, as many random cancels as adds"},
    {"W4", "sweeps of 50 to 80 orders, and what refills the book"},
    {"swing",
     "W1's mix over 20,000 orders far and wide, while the middle goes up by 8,000 ticks and down, 100,000 commands "
     "each"},
    {"crash", "the same, while the middle falls by 20,000 ticks and comes back"},
}};

struct Workload {
  std::uint16_t symbols = 1;
  std::vector<Ask> before;  // fills the books; not measured
  std::vector<Ask> asks;    // measured
  std::size_t most_live = 0;
};

struct WorkloadSize {
  std::size_t commands = 1'000'000;
  std::uint16_t sessions = 16;    // 1 .. 65,533; each order is one's at random
  std::uint16_t symbols = 100;    // of W2
  std::size_t resting = 500'000;  // of W3
};

/// `name`: one of kWorkloads. Always the same for the same arguments.
Workload make_workload(std::string_view name, std::uint64_t seed, const WorkloadSize& size);

}  // namespace crosswire::bench
