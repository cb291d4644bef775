// When `turn` commands are due: while a job of the engine may be open (engine/jobs.hpp), by the commands alone, so that
// a replay makes the same ones, and an idle exchange makes none. Each command does a turn; what one may open takes a
// number of turns that is known beforehand, from how many orders can live at most. Receive stage alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include "engine/command.hpp"
#include "engine/config.hpp"
#include "engine/types.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

/// How many lives of GTT orders may end with each second, at most.
class LifeEnds {
 public:
  explicit LifeEnds(Arena& arena) : counts_(arena.array<std::uint32_t>(kSeconds)) {}
  static std::size_t bytes_for() { return Arena::bytes_for<std::uint32_t>(kSeconds); }

  /// A GTT order asks for a life. A Replace that names none has its original's, which was counted already: of the two
  /// only one lives.
  void add(TimeNs now_ns, std::uint32_t seconds) {
    if (seconds > 0) ++counts_[((now_ns + kNsPerSecond - 1) / kNsPerSecond + seconds) % kSeconds];
  }

  /// Those that may be over at a point of the tick grid, the last one having been asked about.
  std::uint64_t take(TimeNs tick_ns) {
    if (tick_ns % kNsPerSecond != 0) return 0;
    std::uint32_t& count = counts_[tick_ns / kNsPerSecond % kSeconds];
    return std::exchange(count, 0);
  }

 private:
  static constexpr std::uint32_t kSeconds = 1u << 17;
  static_assert(kSeconds > kMaxExpireSeconds + 2);

  std::span<std::uint32_t> counts_;  // by second
};

class TurnClock {
 public:
  static constexpr TimeNs kNever = std::numeric_limits<TimeNs>::max();

  explicit TurnClock(const EngineConfig& config)
      : acts_(config.acts_of_turn),
        looks_(config.looks_of_turn),
        all_(config.max_orders),
        of_account_(orders_per_account(config)),
        symbols_(config.symbols.size()),
        breakers_(std::any_of(config.risk.begin(), config.risk.end(),
                              [](const RiskConfig& risk) { return risk.has_breaker(); })) {
    for (const SymbolConfig& symbol : config.symbols) {
      const TimeNs longest = longest_ns(symbol.collar);
      longest_reopening_ns_ = std::max(longest_reopening_ns_, longest);
      if (symbol.collar.is_on()) longest_interruption_ns_ = std::max(longest_interruption_ns_, longest);
    }
  }

  /// Whether each command of this kind may open a job; of a tick: see lives_end(). A disable may only where it kills.
  static constexpr bool may_open(CommandKind kind) {
    return (is_of_account(kind) && kind != CommandKind::disable) || kind == CommandKind::phase ||
           kind == CommandKind::operate || kind == CommandKind::configure;
  }

  /// Such a command, or a disable that kills, the `made`th, is made at `now_ns`; `entered`: orders so far, of which
  /// more cannot live.
  void expect(CommandKind kind, SessionId session, std::uint64_t entered, std::uint64_t made, TimeNs now_ns) {
    if (!is_of_account(kind)) {
      crosses_by(now_ns + longest_interruption_ns_);  // an opening call may be prolonged
      return owe(entered, symbols_, entered, made, now_ns);
    }
    if (session != kNoSession) owe(std::min(of_account_, entered), 0, entered, made, now_ns);
  }
  /// An operator halts symbols for so long from `now_ns` on; they may reopen by themselves.
  void expect_reopening(TimeNs now_ns, std::uint32_t seconds) {
    crosses_by(now_ns + TimeNs{seconds} * kNsPerSecond + longest_reopening_ns_);
  }
  /// An account may have so many live orders from now on; what it has by then may be more.
  void account_may_have(std::uint64_t orders) { of_account_ = std::max(of_account_, orders); }
  /// With the `made`th command, a tick, so many lives may end.
  void lives_end(std::uint64_t lives, std::uint64_t entered, std::uint64_t made, TimeNs now_ns) {
    owe(std::min(lives, entered), 0, entered, made, now_ns);
  }

  /// With the `made`th command, a tick: of `orders`, the Enters and Replaces so far, each since the last tick may have
  /// tripped breakers of accounts (engine/breakers.hpp), and so opened jobs. Asked of each order it would be too dear.
  /// Where there are collars, also the cross that ends an interruption may, and that ends by itself with a tick when
  /// nothing comes any more.
  void breakers_trip(std::uint64_t orders, std::uint64_t entered, std::uint64_t made, TimeNs now_ns) {
    if (!breakers_) return;
    if (orders != std::exchange(orders_, orders)) crosses_by(now_ns + longest_interruption_ns_);
    if (now_ns <= crosses_until_ns_) owe(entered, 0, entered, made, now_ns);
  }

  /// When the next turn is due, `made` commands being made; kNever: none is. After expect() not before `now_ns`.
  TimeNs next(std::uint64_t made) {
    if (made >= until_) next_ns_ = kNever;
    return next_ns_;
  }
  /// That turn is being made.
  void pass() { next_ns_ += kTurnIntervalNs; }

 private:
  /// From the order that causes an interruption to the tick with which that ends, however often it is prolonged.
  static TimeNs longest_ns(const CollarConfig& collar) {
    const TimeNs once = TimeNs{collar.interruption_seconds} + collar.interruption_random_seconds;
    return (once * kNsPerSecond + 2 * kTickIntervalNs) * (1 + TimeNs{collar.interruption_extensions});
  }
  void crosses_by(TimeNs time_ns) { crosses_until_ns_ = std::max(crosses_until_ns_, time_ns); }
  static constexpr bool is_of_account(CommandKind kind) {
    return kind == CommandKind::mass_cancel || kind == CommandKind::disable || kind == CommandKind::session_open ||
           kind == CommandKind::session_close;
  }
  /// Whatever is open, no more than the orders that live can be left to do.
  void owe(std::uint64_t orders, std::uint64_t symbols, std::uint64_t entered, std::uint64_t made, TimeNs now_ns) {
    if (orders == 0) return;
    const std::uint64_t turns = turns_of(acts_, looks_, std::min(orders, all_), symbols);
    const std::uint64_t most = turns_of(acts_, looks_, std::min(entered, all_), symbols_);
    until_ = std::min(std::max(until_, made) + turns, made + most);
    if (next_ns_ == kNever) next_ns_ = (now_ns / kTurnIntervalNs + 1) * kTurnIntervalNs;
  }

  std::uint32_t acts_, looks_;      // of a turn
  std::uint64_t all_, of_account_;  // orders that can live
  std::uint64_t symbols_;
  bool breakers_;                       // some account has any
  std::uint64_t orders_ = 0;            // as of the last tick
  TimeNs longest_interruption_ns_ = 0;  // of symbols that have a collar
  TimeNs longest_reopening_ns_ = 0;     // of all
  TimeNs crosses_until_ns_ = 0;         // an interruption that orders, or halts, so far cause may end until then
  std::uint64_t until_ = 0;             // behind so many commands no job is open
  TimeNs next_ns_ = kNever;
};

}  // namespace crosswire
