// A seeded, realistic order flow: many symbols of Zipf-like activity, prices around mids that walk at random, sizes in
// lots, cancels of orders that are live, bursts at Poisson times, a whole day's phases. Same options, same messages.
// Tools and benchmarks; one thread. It runs the engine along to know what lives, so it is made before it is used, not
// beside a measurement.
#pragma once

#include <cstdint>
#include <queue>
#include <string>
#include <vector>

#include "app/flow/message.hpp"
#include "app/flow/mirror.hpp"
#include "app/flow/random.hpp"
#include "engine/config.hpp"

namespace crosswire {

/// Messages by kind in percent; they add up to 100.
struct FlowMix {
  std::uint32_t adds = 45;       // passive day orders
  std::uint32_t cancels = 37;    // of all that is open
  std::uint32_t reductions = 2;  // Cancel to fewer shares
  std::uint32_t modifies = 1;    // Modify: fewer shares, or a sale marked short
  std::uint32_t replaces = 5;
  std::uint32_t marketable = 10;  // orders priced through the touch
};

struct SyntheticOptions {
  std::uint64_t seed = 1;
  std::uint64_t messages = 100'000;
  std::uint32_t symbols = 10;      // 1 .. kMaxFlowSymbols
  std::uint32_t sessions = 4;      // 1 .. kMaxFlowSessions
  std::uint64_t rate = 100'000;    // messages per second on average, 1 .. 10^9
  std::uint32_t burst = 4;         // most messages of one time, 1 .. 32; 1 .. burst are equally likely
  std::uint32_t ioc_percent = 30;  // of marketable orders in continuous trading
  FlowMix mix;
};
inline constexpr std::uint32_t kMaxFlowSymbols = 10'000;
inline constexpr std::uint64_t kMaxFlowMessages = 1'000'000'000;
inline constexpr std::uint64_t kMaxFlowRate = 1'000'000'000;
inline constexpr std::uint32_t kMaxFlowBurst = 32;

class SyntheticFlow {
 public:
  /// Throws FlowError for options out of range, and when the messages do not fit the day at that rate.
  explicit SyntheticFlow(const SyntheticOptions& options);

  /// The next message in time order. False after the last.
  bool next(FlowMessage& out);

  const EngineConfig& engine_config() const { return engine_; }
  /// Opening call with the first twentieth of the messages, continuous, closing call with the last, closed.
  const std::vector<PhaseChange>& schedule() const { return schedule_; }
  const EngineMirror& mirror() const { return mirror_; }
  std::uint32_t most_live_orders() const { return most_live_; }

 private:
  /// When messages come: bursts with exponential gaps. Runs twice, first to place the phases.
  class Arrivals {
   public:
    explicit Arrivals(const SyntheticOptions& options);
    TimeNs next();

   private:
    FlowRandom random_;
    std::uint64_t mean_gap_ns_;
    std::uint32_t burst_;
    TimeNs now_ns_;
    std::uint32_t left_ = 0;
  };

  struct Symbol {
    std::uint32_t mid;  // ticks
    std::uint32_t reference;
  };

  /// An order that is to be cancelled or replaced about then, if it still lives.
  struct Plan {
    TimeNs at_ns;
    std::uint64_t number;  // breaks ties
    SessionId session;
    SymbolId symbol;
    UserRefNum user_ref_num;
    Side side;
    bool operator>(const Plan& other) const {
      return at_ns != other.at_ns ? at_ns > other.at_ns : number > other.number;
    }
  };

  static const SyntheticOptions& checked(const SyntheticOptions& options);
  static std::vector<PhaseChange> day_of(const SyntheticOptions& options);
  EngineConfig make_engine();

  void choose(FlowMessage& out);
  void add(FlowMessage& out, bool marketable);
  bool change(FlowMessage& out, CommandKind kind, bool all);
  bool take_plan(Plan& out);
  void plan(const Plan& order, std::uint32_t distance);
  SymbolId pick_symbol();
  void walk(Symbol& symbol);
  Price price_of(const Symbol& symbol, Side side, std::int64_t distance) const;
  Quantity size(std::uint32_t median_lots);

  SyntheticOptions options_;
  std::vector<PhaseChange> schedule_;
  FlowRandom random_;
  Arrivals arrivals_;
  std::vector<Symbol> symbols_;
  std::vector<std::uint64_t> activity_;  // running sum of the symbols' weights
  EngineConfig engine_;
  EngineMirror mirror_;
  std::vector<std::uint32_t> next_ref_;
  std::priority_queue<Plan, std::vector<Plan>, std::greater<>> plans_;
  std::uint64_t sent_ = 0;
  std::uint64_t orders_ = 0;  // the last ClOrdId
  std::uint32_t most_live_ = 0;
};

struct SyntheticFigures {
  std::uint64_t frames;
  std::uint64_t executions;  // by the engine that was run along
  std::uint32_t most_live_orders;
};

/// Writes the flow as an order-entry capture of 2025-01-02, and the configuration if `config_path` is not empty. Throws
/// std::runtime_error (one line); then neither file is written.
SyntheticFigures write_synthetic_flow(const SyntheticOptions& options, const std::string& capture_path,
                                      const std::string& config_path);

}  // namespace crosswire
