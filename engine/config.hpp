// What the engine has to know before it starts. Plain values, checked by the caller (app/config/config).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "engine/command.hpp"
#include "engine/risk_limits.hpp"
#include "engine/types.hpp"

namespace crosswire {

/// Outside of which prices a symbol executes nothing in continuous trading, and what comes instead (engine/collar.hpp).
struct CollarConfig {
  std::uint32_t static_percent_e2 = 0;   // about the last cross's price, in 1/100 of a percent; at most 10,000; 0: none
  std::uint32_t dynamic_percent_e2 = 0;  // about the last execution's, likewise
  std::uint32_t interruption_seconds = 120;       // 1 .. 86,400
  std::uint32_t interruption_random_seconds = 0;  // so many more at most, drawn; at most 86,400
  std::uint32_t interruption_extensions = 1;      // how often a call is prolonged, at most
  // How far through the best opposite price a market order executes, in 1/100 of a percent of that price; at most
  // 10,000; 0: the symbol takes no market orders.
  std::uint32_t market_percent_e2 = 0;

  bool is_on() const { return static_percent_e2 > 0 || dynamic_percent_e2 > 0; }
};

struct SymbolConfig {
  SymbolName name;
  Price reference;        // previous close; 1 .. kMaxPrice
  std::uint32_t tick_e4;  // prices are multiples of it, in 1/10000; >= 1
  CollarConfig collar{};
};

/// Of a market-wide circuit breaker: values of its index, in 1/100,000,000, with which each level is reached; all of
/// them, or none is 0. The feed tells them when the day begins; who watches the index halts all (OperatorAsk::level).
using DeclineLevels = std::array<std::uint64_t, kMostHaltLevel>;

/// Orders of accounts with one group do not execute against each other.
struct SelfTradeConfig {
  std::uint16_t group = 0;  // 0: none; else any number
  SelfTrade action = SelfTrade::newest;
};

struct EngineConfig {
  std::vector<SymbolConfig> symbols;    // SymbolId n is symbols[n - 1]; 1 .. 65,534 of them
  std::uint32_t sessions = 1;           // SessionId 0 .. sessions - 1
  std::vector<FirmId> firms;            // of each session, by SessionId; empty: each is a firm of its own
  std::uint32_t max_orders = 1u << 20;  // live at once; one more Enter may execute, but not rest
  std::uint32_t max_levels = 1u << 18;  // price levels of all books together
  // The ends of a session with which its orders go, but for those that stay: by SessionId; empty: kCancelOn for each.
  std::vector<SessionEndReasons> cancel_on;
  std::vector<SelfTradeConfig> self_trade;  // by SessionId; empty: everything executes
  std::vector<RiskConfig> risk;             // limits by SessionId; empty: no account has any
  std::vector<SessionId> switched_off;      // accounts that begin the day so: none of their orders is taken
  std::uint32_t max_positions = 1u << 20;   // of all accounts whose positions are kept, by account and symbol
  // Of an account; 0: fair_share() of the above.
  std::uint32_t orders_per_account = 0;
  std::uint32_t levels_per_account = 0;
  std::uint32_t looks_per_second = 20'000;         // of an account, at what its command leaves as it is
  std::uint32_t account_queries_per_second = 256;  // of an account, answered; as many as there are channels
  // Resting orders that one order may execute against on arrival, or have cancelled as its own group's; at least 1.
  // What would go on is cancelled.
  std::uint32_t max_fills_per_order = 10'000;
  // Price levels, and orders of one that has more than may be met, at which a MinQty is looked for; at least 1. Tests
  // have less.
  std::uint32_t looks_for_minimum = 128;
  DeclineLevels decline_levels_e8{};
  std::uint64_t interruption_seed = 1;  // of what is drawn of interruptions' ends; secret where clients are not trusted
  TimeNs imbalance_interval_ns = kNsPerSecond;  // during a call; a multiple of kTickIntervalNs
  // What jobs do behind each command (engine/jobs.hpp); at least 1. Tests have less.
  std::uint32_t acts_of_turn = 40;    // orders cancelled
  std::uint32_t looks_of_turn = 128;  // orders and symbols looked at
  std::uint64_t hash_key =
      0x5bd1e9955bd1e995;  // of the UserRefNum directory; secret where clients are not trusted. Changes no output
};

/// Firms there are: they are numbered without gaps.
constexpr std::uint32_t firm_count(const EngineConfig& config) {
  std::uint32_t firms = config.firms.empty() ? config.sessions : 0;
  for (const FirmId firm : config.firms) firms = std::max(firms, firm.value + 1u);
  return firms;
}

/// What one account may take of a limit that all share: a quarter, or its equal share where there are fewer than four.
constexpr std::uint32_t fair_share(std::uint32_t limit, std::uint32_t accounts) {
  return std::max({1u, limit / 4, limit / accounts});
}
constexpr std::uint32_t orders_per_account(const EngineConfig& config) {
  return config.orders_per_account > 0 ? config.orders_per_account : fair_share(config.max_orders, config.sessions);
}
constexpr std::uint32_t levels_per_account(const EngineConfig& config) {
  return config.levels_per_account > 0 ? config.levels_per_account : fair_share(config.max_levels, config.sessions);
}

/// Turns that are enough for what one command opens over so many live orders (engine/jobs.hpp): of an account, or of
/// all for a change of phase, which looks at `symbols` too.
constexpr std::uint64_t turns_of(std::uint32_t acts_of_turn, std::uint32_t looks_of_turn, std::uint64_t orders,
                                 std::uint64_t symbols) {
  return orders / acts_of_turn + (orders + symbols) / looks_of_turn + 2;
}

}  // namespace crosswire
