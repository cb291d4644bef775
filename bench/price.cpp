// The price list in instructions: every case under callgrind, its metered part alone counted, one dump a case. Run by
// scripts/price; without valgrind around it, it only runs the cases once.
//   price [--once] [CASE...]      --once: a single operation is counted, the last after many
#include <valgrind/callgrind.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/meter.hpp"

namespace crosswire::bench {
namespace {

constexpr std::size_t kWarmUp = 2'000;
constexpr std::size_t kOperations = 20'000;

class CallgrindMeter final : public Meter {
 public:
  void start() override { CALLGRIND_TOGGLE_COLLECT; }
  void stop() override { CALLGRIND_TOGGLE_COLLECT; }
};

class NoMeter final : public Meter {
 public:
  void start() override {}
  void stop() override {}
};

void price(const Case& one, std::size_t least) {
  const std::unique_ptr<Runner> runner = one.make();
  NoMeter unmetered;
  runner->run(kWarmUp, unmetered);
  CALLGRIND_ZERO_STATS;
  CallgrindMeter meter;
  const std::size_t operations = runner->run(least, meter);
  const std::string label = one.name + " " + std::to_string(operations);
  CALLGRIND_DUMP_STATS_AT(label.c_str());
}

}  // namespace
}  // namespace crosswire::bench

int main(int argc, char** argv) {
  std::vector<std::string> wanted(argv + 1, argv + argc);
  const bool once = !wanted.empty() && wanted.front() == "--once";
  if (once) wanted.erase(wanted.begin());
  std::size_t done = 0;
  for (const crosswire::bench::Case& one : crosswire::bench::all_cases()) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), one.name) == wanted.end()) continue;
    crosswire::bench::price(one, once ? 1 : crosswire::bench::kOperations);
    ++done;
  }
  if (done == 0) {
    std::fprintf(stderr, "price: no case of that name\n");
    return 2;
  }
  return 0;
}
