// The engine alone, entered by apply(): each kind of order, and the budget's mix in bursts of 1 and 32.
#include <algorithm>

#include "bench/meter.hpp"
#include "bench/order_mix.hpp"
#include "engine/box.hpp"

namespace crosswire::bench {
namespace {

EngineConfig one_symbol() {
  EngineConfig config;
  config.symbols = {{{'B', 'E', 'N', 'C', 'H', ' ', ' ', ' '}, Price{kMid}, kTick}};
  config.max_orders = 1u << 13;
  config.max_levels = 1u << 12;
  return config;
}

/// With every limit of an account and its firm on, breakers apart, none of which is reached. Duplicates are what the
/// cases are made of, and what is asked by symbol takes the way for all.
EngineConfig with_limits() {
  EngineConfig config = one_symbol();
  config.risk.resize(1);
  for (const RiskRow& row : kRiskRows)
    if (!is_breaker(row.limit)) config.risk[0].limits[static_cast<std::size_t>(row.limit)] = row.high;
  for (const RiskLimit limit : {RiskLimit::duplicate_window, RiskLimit::symbol_orders_per_second})
    config.risk[0].limits[static_cast<std::size_t>(limit)] = RiskConfig::kNoLimit;
  config.risk[0].symbols = {SymbolId{1}};
  config.risk[0].positions = {{.symbol = SymbolId{1}, .shares = kMostShares / 2}};
  return config;
}

/// An engine in continuous trading.
class EngineRig {
 public:
  explicit EngineRig(const EngineConfig& config = one_symbol()) : box_(config, {.event_ring = 4'096}) {
    Command open{};
    open.kind = CommandKind::phase;
    open.phase.phase = Phase::continuous;
    apply({&open, 1});
  }

  /// What receive does, then apply(), then what the event readers do. Metered: apply() alone. Not inlined, so that what
  /// is metered does not depend on which of a caller's values are in registers.
  [[gnu::noinline]] void apply(std::span<Command> commands, Meter* meter = nullptr) {
    for (Command& command : commands) box_.prepare(command);
    std::size_t done = 0;
    if (meter != nullptr) {
      const Metered metered(*meter);
      done = box_.apply(commands);
    } else {
      done = box_.apply(commands);
    }
    CHECK(done == commands.size(), "%zu of %zu commands", done, commands.size());
    box_.take_events([](const Event&) {});
  }

 private:
  EngineBox box_;
};

Command order(CommandKind kind, std::uint32_t number, Side side = Side::buy, std::uint32_t price = kMid) {
  Command c{};
  c.kind = kind;
  c.session = SessionId{0};
  c.symbol = SymbolId{1};
  c.order.user_ref_num = UserRefNum{number};
  c.order.side = side;
  c.order.price = Price{price};
  c.order.quantity = 100;
  c.order.time_in_force = TimeInForce::day;
  c.order.display = Display::visible;
  c.order.cross_type = CrossType::continuous;
  c.order.post_only = PostOnly::no;
  return c;
}

/// One operation: `before` commands unmetered, then one metered. Numbers go on by themselves.
class OneKind final : public Runner {
 public:
  using Make = std::vector<Command> (*)(std::uint32_t& number);
  explicit OneKind(Make make, const EngineConfig& config) : make_(make), rig_(config) {}

  std::size_t run(std::size_t operations, Meter& meter) override {
    for (std::size_t i = 0; i < operations; ++i) {
      std::vector<Command> commands = make_(number_);
      const std::span all(commands);
      if (all.size() > 1) rig_.apply(all.first(all.size() - 1));
      rig_.apply(all.last(1), &meter);
      Command sweep = order(CommandKind::mass_cancel, 0);
      sweep.firm = {.user_ref_num = UserRefNum{++number_}};
      sweep.symbol = kAllSymbols;
      rig_.apply({&sweep, 1});
    }
    return operations;
  }

 private:
  Make make_;
  EngineRig rig_;
  std::uint32_t number_ = 0;
};

Case kind(std::string name, OneKind::Make make, EngineConfig (*config)() = one_symbol) {
  return {std::move(name), [make, config] { return std::make_unique<OneKind>(make, config()); }};
}

std::vector<Command> add(std::uint32_t& number) { return {order(CommandKind::enter, ++number)}; }
std::vector<Command> add_and_cancel(std::uint32_t& number) {
  ++number;
  Command cancel = order(CommandKind::cancel, number);
  cancel.order.quantity = 0;  // nothing more may execute
  return {order(CommandKind::enter, number), cancel};
}
std::vector<Command> execute(std::uint32_t& number) {
  number += 2;
  return {order(CommandKind::enter, number - 1, Side::sell), order(CommandKind::enter, number)};
}

class Mix final : public Runner {
 public:
  Mix(std::size_t burst, std::uint32_t resting) : burst_(burst), flow_(resting) {
    for (std::uint32_t i = 0; i < 4 * resting; i += 32) step(32, nullptr);
  }
  std::size_t run(std::size_t operations, Meter& meter) override {
    std::size_t done = 0;
    for (; done < operations; done += burst_) step(burst_, &meter);
    return done;
  }

 private:
  void step(std::size_t burst, Meter* meter) {
    commands_.clear();
    for (std::size_t i = 0; i < burst; ++i) commands_.push_back(flow_.next());
    rig_.apply(commands_, meter);
  }

  EngineRig rig_;
  std::size_t burst_;
  OrderMix flow_;
  std::vector<Command> commands_;
};

}  // namespace

std::vector<Case> engine_cases() {
  return {
      kind("engine/add", add),
      kind("engine/add_limited", add, with_limits),
      kind("engine/cancel", add_and_cancel),
      kind("engine/cancel_limited", add_and_cancel, with_limits),
      kind("engine/replace",
           [](std::uint32_t& number) {
             number += 2;
             Command replace = order(CommandKind::replace, number, kNoSide, kMid + kTick);
             replace.order.orig_user_ref_num = UserRefNum{number - 1};
             return std::vector{order(CommandKind::enter, number - 1), replace};
           }),
      kind("engine/execute", execute),
      kind("engine/execute_limited", execute, with_limits),
      kind("engine/fill_or_kill_of_5_levels",
           [](std::uint32_t& number) {
             std::vector<Command> commands;
             for (std::uint32_t i = 0; i < 5; ++i) {
               commands.push_back(order(CommandKind::enter, ++number, Side::sell, kMid + i * kTick));
             }
             commands.push_back(order(CommandKind::enter, ++number, Side::buy, kMid + 4 * kTick));
             commands.back().order.time_in_force = TimeInForce::ioc;
             commands.back().order.quantity = commands.back().order.min_quantity = 500;
             return commands;
           }),
      {"engine/mix_burst_1", [] { return std::make_unique<Mix>(1, 1'000); }},
      {"engine/mix_burst_32", [] { return std::make_unique<Mix>(32, 1'000); }},
  };
}

}  // namespace crosswire::bench
