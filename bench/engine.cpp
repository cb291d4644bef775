// The engine alone beside a textbook std::map engine (bench/map_engine.hpp), in one run and in turns: the same asks in,
// and a difference in what comes out ends it with 1. Timed is all that a caller of the library does: the command is
// made of the ask, gets its number and slot (EngineBox::prepare), is applied, and every event is read. One thread; its
// figures are for an idle machine, those under callgrind (scripts/engine-bench) for any.
//
// Compared is a hash of every fill (taker, maker, price, shares, in order), and behind the last command two orders a
// symbol take all that rests, so that each resting order's place is in the hash too.
#include <time.h>
#include <x86intrin.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bench/map_engine.hpp"
#include "bench/workload.hpp"
#include "engine/box.hpp"

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else  // then nobody asks for it: scripts/price says that valgrind is missing
#define CALLGRIND_TOGGLE_COLLECT
#define CALLGRIND_ZERO_STATS
#define CALLGRIND_DUMP_STATS_AT(label) static_cast<void>(label)
#endif

namespace crosswire::bench {
namespace {

constexpr std::size_t kBurst = 32;

struct Options {
  std::vector<std::string> workloads;
  WorkloadSize size;
  std::uint64_t seed = 1;
  int rounds = 5;
  bool latency = false;
  bool callgrind = false;
  bool risk = false;
  std::string json;
};

/// What came out of an engine.
struct Fills {
  std::uint64_t hash = 0;
  std::uint64_t count = 0;

  void add(std::uint64_t taker, std::uint64_t maker, std::uint32_t price, std::uint32_t shares) {
    constexpr std::uint64_t kA = 0x9E3779B97F4A7C15, kB = 0xC2B2AE3D27D4EB4F, kC = 0x165667B19E3779F9;
    const std::uint64_t fill = taker * kA + maker * kB + (std::uint64_t{price} << 32 | shares) * kC;
    hash = (hash ^ fill ^ fill >> 29) * kA;
    ++count;
  }
  bool operator==(const Fills&) const = default;
};

class Crosswire {
 public:
  Crosswire(const Workload& workload, const Options& options) : Crosswire(config(workload, options), workload) {}

 protected:
  Crosswire(const EngineConfig& config, const Workload&) : box_(config, box_options()) {
    Command open{};
    open.kind = CommandKind::phase;
    open.phase.phase = Phase::continuous;
    box_.run(open, [](const Event&) {});
  }

 public:
  /// At most kBurst of them.
  void apply(std::span<const Ask> asks) {
    for (std::size_t i = 0; i < asks.size(); ++i) {
      make(commands_[i], asks[i]);
      box_.prepare(commands_[i]);
    }
    std::span<const Command> left(commands_.data(), asks.size());
    for (;;) {
      left = left.subspan(box_.apply(left));
      box_.take_events([this](const Event& event) {
        if (event.kind != EventKind::executed) return;
        const Execution& e = event.execution;
        fills_.add(e.ref.value, e.resting_ref.value, e.price.value, e.quantity);
      });
      if (left.empty()) return;
    }
  }

  const Fills& fills() const { return fills_; }
  std::size_t live() const { return box_.engine().live_orders(); }
  std::uint64_t rejected() const { return box_.engine().counters().get(EngineCounter::rejected); }

 protected:
  static EngineConfig config(const Workload& workload, const Options& options) {
    EngineConfig config;
    config.symbols.assign(workload.symbols, {{'B', 'E', 'N', 'C', 'H', ' ', ' ', ' '}, Price{kMiddle * kTick}, kTick});
    config.sessions = options.size.sessions + 1u;  // one more takes what rests at the end
    const auto most = static_cast<std::uint32_t>(workload.most_live);
    config.max_orders = std::max(config.max_orders, most + 1);
    config.orders_per_account = config.max_orders;
    config.max_fills_per_order = config.max_orders;  // the others have no such limit, and the book is swept at the end
    config.levels_per_account = config.max_levels;
    return config;
  }

 private:
  static EngineBoxOptions box_options() { return {.hugepages = HugepagePolicy::automatic}; }

  /// In place, field by field: one made aside would be copied before its own stores have settled.
  static void make(Command& c, const Ask& ask) {
    std::memset(static_cast<void*>(&c), 0, sizeof c);
    c.session = SessionId{ask.session};
    c.order.user_ref_num = UserRefNum{ask.number};
    if (ask.kind == AskKind::cancel) {
      c.kind = CommandKind::cancel;
      return;
    }
    c.kind = ask.kind == AskKind::add ? CommandKind::enter : CommandKind::replace;
    c.symbol = SymbolId{ask.symbol};
    c.order.orig_user_ref_num = UserRefNum{ask.original};
    c.order.side = ask.kind == AskKind::replace ? kNoSide : ask.buy ? Side::buy : Side::sell;
    c.order.price = Price{ask.price};
    c.order.quantity = ask.quantity;
    c.order.time_in_force = ask.ioc ? TimeInForce::ioc : TimeInForce::day;
    c.order.display = Display::visible;
    c.order.cross_type = CrossType::continuous;
    c.order.post_only = PostOnly::no;
  }

  EngineBox box_;
  std::array<Command, kBurst> commands_{};
  Fills fills_;
};

/// The same with every limit of an account and of its firm on, breakers apart, none of which is reached.
class Limited : public Crosswire {
 public:
  Limited(const Workload& workload, const Options& options) : Crosswire(limited(workload, options), workload) {}

 private:
  static EngineConfig limited(const Workload& workload, const Options& options) {
    EngineConfig config = Crosswire::config(workload, options);
    config.risk.resize(config.sessions);
    // Who takes what rests at the end has none.
    for (std::size_t i = 0; i + 1 < config.risk.size(); ++i) {
      RiskConfig& account = config.risk[i];
      for (const RiskRow& row : kRiskRows)
        if (!is_breaker(row.limit)) account.limits[static_cast<std::size_t>(row.limit)] = row.high;
      for (const RiskLimit limit : {RiskLimit::duplicate_window, RiskLimit::symbol_orders_per_second})  // flows repeat
        account.limits[static_cast<std::size_t>(limit)] = RiskConfig::kNoLimit;
      for (std::uint16_t symbol = 1; symbol <= workload.symbols; ++symbol) {
        account.symbols.push_back(SymbolId{symbol});
        account.positions.push_back({.symbol = SymbolId{symbol}, .shares = kMostShares / 2});
      }
    }
    return config;
  }
};

class StdMap {
 public:
  StdMap(const Workload& workload, const Options&) : engine_(workload.symbols) {}

  void apply(std::span<const Ask> asks) {
    for (const Ask& ask : asks) {
      engine_.apply(ask, [this](const MapEngine::Order& taker, const MapEngine::Order& maker, std::uint32_t price,
                                std::uint32_t shares) { fills_.add(taker.ref, maker.ref, price, shares); });
    }
  }

  const Fills& fills() const { return fills_; }
  std::size_t live() const { return engine_.live(); }
  std::uint64_t rejected() const { return 0; }

 private:
  MapEngine engine_;
  Fills fills_;
};

[[noreturn]] void fail(const std::string& text) {
  std::fprintf(stderr, "engine: %s\n", text.c_str());
  std::exit(1);
}

template <class Engine>
void apply_all(Engine& engine, std::span<const Ask> asks, std::size_t burst) {
  for (; !asks.empty(); asks = asks.subspan(std::min(burst, asks.size())))
    engine.apply(asks.first(std::min(burst, asks.size())));
}

template <class Engine>
std::unique_ptr<Engine> filled(const Workload& workload, const Options& options) {
  auto engine = std::make_unique<Engine>(workload, options);
  apply_all(*engine, workload.before, kBurst);
  return engine;
}

/// What an engine has done and left, the same of both for the same asks.
struct Outcome {
  Fills fills;             // those that emptied the books at the end included
  std::uint64_t made = 0;  // fills before that
  std::size_t live = 0;    // orders that rested then
  bool operator==(const Outcome&) const = default;
};

/// Takes all that rests, and says what came of everything.
template <class Engine>
Outcome drain(Engine& engine, const Workload& workload, const Options& options) {
  Outcome outcome{{}, engine.fills().count, engine.live()};
  std::uint32_t number = 0;
  for (std::uint16_t symbol = 1; symbol <= workload.symbols; ++symbol) {
    for (const bool buy : {true, false}) {
      for (std::uint64_t before = ~std::uint64_t{0}; before != engine.fills().count;) {
        before = engine.fills().count;
        const Ask all{AskKind::add, buy,      true, options.size.sessions,
                      symbol,       ++number, 0,    buy ? kMaxPrice.value : kTick,
                      kMaxQuantity};
        engine.apply({&all, 1});
      }
    }
  }
  if (engine.live() > 0) fail("orders are left that nobody can take");
  if (engine.rejected() > 0) fail("orders were rejected: the workload does not fit the engine's limits");
  outcome.fills = engine.fills();
  return outcome;
}

/// All runs of one workload must end alike.
class Judge {
 public:
  explicit Judge(std::string workload) : workload_(std::move(workload)) {}
  void hear(const char* engine, const Outcome& outcome) {
    if (!first_) first_ = outcome;
    if (outcome == *first_) return;
    fail(workload_ + ": " + engine + " has " + std::to_string(outcome.made) + " fills and " +
         std::to_string(outcome.live) + " resting orders, the first run " + std::to_string(first_->made) + " and " +
         std::to_string(first_->live) + ", or the same in another order");
  }
  const Outcome& outcome() const { return *first_; }

 private:
  std::string workload_;
  std::optional<Outcome> first_;
};

/// This thread's own time: what others do on the core meanwhile does not count.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Million commands a second.
template <class Engine>
double throughput(const char* name, const Workload& workload, const Options& options, std::size_t burst, Judge& judge) {
  const auto engine = filled<Engine>(workload, options);
  const double begun = processor_seconds();
  apply_all(*engine, workload.asks, burst);
  const double took = processor_seconds() - begun;
  judge.hear(name, drain(*engine, workload, options));
  return static_cast<double>(workload.asks.size()) / took / 1e6;
}

/// Nanoseconds of each command alone, two reads of the counter included: p50, p99, p99.9, max.
template <class Engine>
std::vector<double> latency(const char* name, const Workload& workload, const Options& options, Judge& judge) {
  const auto engine = filled<Engine>(workload, options);
  std::vector<std::uint64_t> ticks(workload.asks.size());
  const auto begun = std::chrono::steady_clock::now();
  const std::uint64_t first = __rdtsc();
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    const std::uint64_t before = __rdtsc();
    engine->apply({&workload.asks[i], 1});
    ticks[i] = __rdtsc() - before;
  }
  const double all_ticks = static_cast<double>(__rdtsc() - first);
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begun;
  judge.hear(name, drain(*engine, workload, options));
  std::sort(ticks.begin(), ticks.end());
  std::vector<double> of;
  for (const double part : {0.5, 0.99, 0.999, 1.0}) {
    const auto at = std::min(ticks.size() - 1, static_cast<std::size_t>(part * static_cast<double>(ticks.size())));
    of.push_back(std::round(static_cast<double>(ticks[at]) * took.count() / all_ticks));
  }
  return of;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

nlohmann::json measure(const std::string& name, const Workload& workload, const Options& options) {
  Judge judge(name);
  std::vector<double> bursts, alone, peer, bursts_to_peer, alone_to_peer, limited, limited_to_bursts;
  for (int round = 0; round < options.rounds; ++round) {
    std::fprintf(stderr, "engine: %s, round %d of %d\n", name.c_str(), round + 1, options.rounds);
    bursts.push_back(throughput<Crosswire>("crosswire by 32", workload, options, kBurst, judge));
    alone.push_back(throughput<Crosswire>("crosswire one at a time", workload, options, 1, judge));
    peer.push_back(throughput<StdMap>("std::map", workload, options, 1, judge));
    bursts_to_peer.push_back(bursts.back() / peer.back());
    alone_to_peer.push_back(alone.back() / peer.back());
    if (!options.risk) continue;
    limited.push_back(throughput<Limited>("crosswire with limits", workload, options, kBurst, judge));
    limited_to_bursts.push_back(limited.back() / bursts.back());
  }
  nlohmann::json row = {{"workload", name}, {"commands", workload.asks.size()}, {"fills", judge.outcome().made}};
  row["resting"] = judge.outcome().live;
  row["million_a_second"] = {
      {"crosswire_32", median(bursts)}, {"crosswire_1", median(alone)}, {"std_map", median(peer)}};
  row["to_std_map"] = {{"crosswire_32", median(bursts_to_peer)}, {"crosswire_1", median(alone_to_peer)}};
  if (options.risk) {
    row["million_a_second"]["limited_32"] = median(limited);
    row["limited_to_unlimited"] = median(limited_to_bursts);
  }
  if (options.latency) {
    row["latency_ns"] = {{"crosswire_1", latency<Crosswire>("crosswire one at a time", workload, options, judge)},
                         {"std_map", latency<StdMap>("std::map", workload, options, judge)}};
  }
  return row;
}

/// One dump, of the asks that `counts` alone, for scripts/price.
template <class Engine, class Counts>
void count(const std::string& label, const Workload& workload, const Options& options, std::size_t burst, bool by_fills,
           Counts counts) {
  const auto engine = filled<Engine>(workload, options);
  std::uint64_t asks = 0, fills = 0;
  CALLGRIND_ZERO_STATS;
  for (std::span<const Ask> left = workload.asks; !left.empty(); left = left.subspan(std::min(burst, left.size()))) {
    const std::span<const Ask> now = left.first(std::min(burst, left.size()));
    const std::uint64_t before = engine->fills().count;
    const bool counted = counts(now);
    if (counted) CALLGRIND_TOGGLE_COLLECT;
    engine->apply(now);
    if (counted) CALLGRIND_TOGGLE_COLLECT;
    asks += counted ? now.size() : 0;
    fills += counted ? engine->fills().count - before : 0;
  }
  const std::string text = label + " " + std::to_string(by_fills ? fills : asks);
  CALLGRIND_DUMP_STATS_AT(text.c_str());
}

void count(const std::string& name, const Workload& workload, const Options& options) {
  const auto all = [](std::span<const Ask>) { return true; };
  count<Crosswire>(name + "/crosswire_32", workload, options, kBurst, false, all);
  count<Crosswire>(name + "/crosswire_1", workload, options, 1, false, all);
  if (options.risk) count<Limited>(name + "/limited_32", workload, options, kBurst, false, all);
  count<StdMap>(name + "/std_map", workload, options, 1, false, all);
  if (name != "W4") return;
  const auto sweeps = [](std::span<const Ask> asks) { return asks.front().ioc; };
  count<Crosswire>(name + "_fill/crosswire_1", workload, options, 1, true, sweeps);
  count<StdMap>(name + "_fill/std_map", workload, options, 1, true, sweeps);
}

void show(const nlohmann::json& rows, bool latency) {
  std::printf("%-8s %15s %9s %9s %9s %12s %12s\n", "", "M commands/s:", "", "", "", "to std::map:", "");
  std::printf("%-8s %15s %9s %9s %9s %12s %12s\n", "workload", "crosswire by 32", "alone", "std::map", "fills/cmd",
              "by 32", "alone");
  for (const nlohmann::json& row : rows) {
    const nlohmann::json& rate = row["million_a_second"];
    const nlohmann::json& ratio = row["to_std_map"];
    std::printf("%-8s %15.1f %9.1f %9.1f %9.2f %12.2f %12.2f\n", row["workload"].get<std::string>().c_str(),
                rate["crosswire_32"].get<double>(), rate["crosswire_1"].get<double>(), rate["std_map"].get<double>(),
                row["fills"].get<double>() / row["commands"].get<double>(), ratio["crosswire_32"].get<double>(),
                ratio["crosswire_1"].get<double>());
  }
  for (const nlohmann::json& row : rows) {
    if (!row.contains("limited_to_unlimited")) continue;
    std::printf("%s with every limit on, by 32: %.1f M commands/s, %.2f of what it does without\n",
                row["workload"].get<std::string>().c_str(), row["million_a_second"]["limited_32"].get<double>(),
                row["limited_to_unlimited"].get<double>());
  }
  if (!latency) return;
  std::printf("\n%-8s %-12s %9s %9s %9s %11s\n", "ns alone", "", "p50", "p99", "p99.9", "max");
  for (const nlohmann::json& row : rows) {
    for (const auto& [engine, of] : row["latency_ns"].items()) {
      std::printf("%-8s %-12s %9.0f %9.0f %9.0f %11.0f\n", row["workload"].get<std::string>().c_str(), engine.c_str(),
                  of[0].get<double>(), of[1].get<double>(), of[2].get<double>(), of[3].get<double>());
    }
  }
}

constexpr const char* kUsage =
    "engine [OPTION...] [WORKLOAD...]: the engine beside a std::map engine, the same commands into both.\n"
    "Without a WORKLOAD all of them. Exit 0: both made the same fills and books; 1: they differ; 2: wrong usage.\n\n"
    "  --commands N   of each workload, measured (default 1000000)\n"
    "  --rounds N     of each engine, in turns; medians are printed (default 5)\n"
    "  --seed N       of the flows (default 1)\n"
    "  --sessions N   1 to 65533 that the orders come from (default 16)\n"
    "  --symbols N    of W2, 1 to 65534 (default 100)\n"
    "  --resting N    orders of W3 (default 500000)\n"
    "  --risk         also with every limit of accounts and firms on\n"
    "  --latency      a pass of its own: nanoseconds of each command alone\n"
    "  --json FILE    all figures\n"
    "  --callgrind    nothing is timed; counts for callgrind around it, as scripts/engine-bench runs it\n\n";

[[noreturn]] void wrong(const std::string& text) {
  std::fprintf(stderr, "engine: %s; see engine --help\n", text.c_str());
  std::exit(2);
}

std::uint64_t number(const std::string& option, const char* text, std::uint64_t least, std::uint64_t most) {
  char* end = nullptr;
  const std::uint64_t value = text == nullptr ? 0 : std::strtoull(text, &end, 10);
  if (text == nullptr || end == text || *end != 0 || value < least || value > most)
    wrong(option + " wants a number from " + std::to_string(least) + " to " + std::to_string(most));
  return value;
}

Options read_options(char** argument) {
  Options options;
  while (*argument != nullptr) {
    const std::string name = *argument++;
    const auto value = [&](std::uint64_t least, std::uint64_t most) {
      const std::uint64_t of = number(name, *argument, least, most);
      ++argument;
      return of;
    };
    const auto is_name = [&](const WorkloadName& w) { return w.name == name; };
    if (name == "--help") {
      std::printf("%s", kUsage);
      for (const WorkloadName& w : kWorkloads)
        std::printf("  %-6s %s\n", std::string(w.name).c_str(), std::string(w.what).c_str());
      std::exit(0);
    } else if (name == "--commands") {
      options.size.commands = value(1, 100'000'000);
    } else if (name == "--rounds") {
      options.rounds = static_cast<int>(value(1, 1'000));
    } else if (name == "--seed") {
      options.seed = value(0, ~std::uint64_t{0});
    } else if (name == "--sessions") {
      options.size.sessions = static_cast<std::uint16_t>(value(1, 65'533));
    } else if (name == "--symbols") {
      options.size.symbols = static_cast<std::uint16_t>(value(1, 65'534));
    } else if (name == "--resting") {
      options.size.resting = value(1, 50'000'000);
    } else if (name == "--risk") {
      options.risk = true;
    } else if (name == "--latency") {
      options.latency = true;
    } else if (name == "--callgrind") {
      options.callgrind = true;
    } else if (name == "--json") {
      if (*argument == nullptr) wrong("--json wants a file");
      options.json = *argument++;
    } else if (std::any_of(kWorkloads.begin(), kWorkloads.end(), is_name)) {
      options.workloads.push_back(name);
    } else {
      wrong("no option or workload is called " + name);
    }
  }
  if (options.workloads.empty())
    for (const WorkloadName& w : kWorkloads) options.workloads.emplace_back(w.name);
  return options;
}

void write(const std::string& path, const Options& options, const nlohmann::json& rows) {
  std::ofstream file(path);
  file << nlohmann::json{{"seed", options.seed},
                         {"sessions", options.size.sessions},
                         {"rounds", options.rounds},
                         {"workloads", rows}}
              .dump(1)
       << '\n';
  if (!file.flush()) fail("cannot write " + path);
}

}  // namespace
}  // namespace crosswire::bench

int main(int, char** argv) {
  using namespace crosswire::bench;
  const Options options = read_options(argv + 1);
  nlohmann::json rows = nlohmann::json::array();
  for (const std::string& name : options.workloads) {
    std::fprintf(stderr, "engine: %s, making %zu commands\n", name.c_str(), options.size.commands);
    const Workload workload = make_workload(name, options.seed, options.size);
    if (options.callgrind) {
      count(name, workload, options);
    } else {
      rows.push_back(measure(name, workload, options));
    }
  }
  if (options.callgrind) return 0;
  show(rows, options.latency);
  if (!options.json.empty()) write(options.json, options, rows);
  return 0;
}
