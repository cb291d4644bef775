// What one account may cost the others: the instructions that match spends on a message of account 0 between two
// commands of a bystander, for each kind of message, in an engine whose shares that account has filled. Run by
// scripts/weapons under callgrind, a dump a shot; without valgrind around it, it only fires.
#include <valgrind/callgrind.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "engine/box.hpp"

namespace crosswire::bench {
namespace {

constexpr std::uint32_t kMid = 1'000'000'000, kTick = 100;
constexpr std::uint32_t kResting = 20'000;  // orders of account 0, on kLevels prices, and as many of account 2 beside
constexpr std::uint32_t kLevels = 2'048;
constexpr std::uint32_t kApart = 4'096 * kTick;  // between two levels: no two of them share a leaf of the ladder
constexpr int kShots = 64;
constexpr TimeNs kBetween = 1'000;  // from shot to shot

EngineConfig three_accounts() {
  EngineConfig config;
  config.symbols = {{{'B', 'E', 'N', 'C', 'H', ' ', ' ', ' '}, Price{kMid}, kTick}};
  config.symbols[0].collar.market_percent_e2 = 10'000;
  config.sessions = 3;
  config.max_orders = 1u << 17;
  config.max_levels = 1u << 16;
  return config;
}

Command order(CommandKind kind, std::uint16_t session, std::uint32_t number, Side side, std::uint32_t price,
              Quantity quantity, TimeInForce time_in_force = TimeInForce::day) {
  Command c{};
  c.kind = kind;
  c.session = SessionId{session};
  c.symbol = SymbolId{1};
  c.order.user_ref_num = UserRefNum{number};
  c.order.side = side;
  c.order.price = Price{price};
  c.order.quantity = quantity;
  c.order.time_in_force = time_in_force;
  c.order.display = Display::visible;
  c.order.cross_type = CrossType::continuous;
  c.order.post_only = PostOnly::no;
  return c;
}

/// An engine in continuous trading: account 0 has bids on kLevels prices below kMid, account 2 asks as far above.
class Range {
 public:
  Range() {
    Command open{};
    open.kind = CommandKind::phase;
    open.phase.phase = Phase::continuous;
    apply(open);
    for (std::uint32_t i = 0; i < kResting; ++i) {
      const std::uint32_t away = (1 + i % kLevels) * kApart;
      apply(order(CommandKind::enter, 0, next(0), Side::buy, kMid - away, 100));
      apply(order(CommandKind::enter, 2, next(2), Side::sell, kMid + away / 8, 1));
    }
  }

  std::uint32_t next(std::uint16_t session) { return ++numbers_[session]; }

  /// The instructions of its apply() are counted; events are read between.
  void shoot(Command command) {
    command.time_ns = time_ns_ += kBetween;
    box_.prepare(command);
    CALLGRIND_TOGGLE_COLLECT;
    std::size_t done = box_.apply({&command, 1});
    CALLGRIND_TOGGLE_COLLECT;
    while (done == 0) {
      box_.take_events([](const Event&) {});
      CALLGRIND_TOGGLE_COLLECT;
      done = box_.apply({&command, 1});
      CALLGRIND_TOGGLE_COLLECT;
    }
    box_.take_events([](const Event&) {});
  }

  void bystander() {
    const std::uint32_t number = next(1);
    apply(order(CommandKind::enter, 1, number, Side::buy, kTick, 1));
    apply(order(CommandKind::cancel, 1, number, Side::buy, 0, 0));
  }

 private:
  void apply(Command command) {
    command.time_ns = time_ns_;
    box_.run(command, [](const Event&) {});
  }

  EngineBox box_{three_accounts(), {.event_ring = 8'192}};
  std::uint32_t numbers_[3] = {};
  TimeNs time_ns_ = 36'000 * kNsPerSecond;
};

struct Weapon {
  std::string name;
  std::function<Command(Range&)> make;
};

Command enter(Range& range, Side side, std::uint32_t price, Quantity quantity, TimeInForce tif = TimeInForce::day) {
  return order(CommandKind::enter, 0, range.next(0), side, price, quantity, tif);
}

Command firm_wide(Range& range, CommandKind kind) {
  Command c{};
  c.kind = kind;
  c.session = SessionId{0};
  c.symbol = kAllSymbols;
  c.firm = {.user_ref_num = UserRefNum{range.next(0)}};
  return c;
}

std::vector<Weapon> weapons() {
  constexpr std::uint32_t kFar = kMid + (kLevels + 1) * kApart;
  return {
      {"enter_joins_a_level", [](Range& r) { return enter(r, Side::buy, kMid - kApart, 1); }},
      {"enter_opens_a_level",
       [](Range& r) { return enter(r, Side::buy, kMid - kApart * (r.next(0) % 997) - kTick, 1); }},
      {"ioc_meets_nobody", [](Range& r) { return enter(r, Side::buy, kTick, 1, TimeInForce::ioc); }},
      {"ioc_takes_one", [](Range& r) { return enter(r, Side::buy, kFar, 1, TimeInForce::ioc); }},
      {"ioc_takes_200", [](Range& r) { return enter(r, Side::buy, kFar, 200, TimeInForce::ioc); }},
      {"market_order_takes_200", [](Range& r) { return enter(r, Side::buy, kMarketPrice.value, 200); }},
      {"fill_or_kill_of_too_many",
       [](Range& r) {
         Command c = enter(r, Side::buy, kFar, 999'999, TimeInForce::ioc);
         c.order.min_quantity = 999'999;
         return c;
       }},
      {"replace",
       [](Range& r) {
         const std::uint32_t number = r.next(0);
         Command c = order(CommandKind::replace, 0, number, kNoSide, kMid - 2 * kApart, 50);
         c.order.orig_user_ref_num = UserRefNum{number - kResting / 2};
         c.order.post_only = PostOnly::unsaid;
         return c;
       }},
      {"cancel", [n = 0u](Range&) mutable { return order(CommandKind::cancel, 0, ++n, Side::buy, 0, 0); }},
      {"modify", [n = 0u](Range&) mutable { return order(CommandKind::modify, 0, ++n, Side::buy, 0, 50); }},
      {"account_query", [](Range&) { return order(CommandKind::account_query, 0, 0, Side::buy, 0, 0); }},
      {"mass_cancel_of_nothing",
       [](Range& r) {
         Command c = firm_wide(r, CommandKind::mass_cancel);
         c.firm.group_given = true;
         c.firm.group_id = 7;
         return c;
       }},
      {"mass_cancel_of_all", [](Range& r) { return firm_wide(r, CommandKind::mass_cancel); }},
      {"disable", [](Range& r) { return firm_wide(r, CommandKind::disable); }},
      {"kill",
       [](Range& r) {
         Command c = firm_wide(r, CommandKind::disable);
         c.firm.kills = true;
         return c;
       }},
  };
}

void fire(const Weapon& weapon) {
  Range range;
  for (int shot = 0; shot < kShots; ++shot) {
    range.bystander();
    const Command command = weapon.make(range);
    CALLGRIND_ZERO_STATS;
    range.shoot(command);
    const std::string label = weapon.name + "/" + std::to_string(shot) + " 1";
    CALLGRIND_DUMP_STATS_AT(label.c_str());
  }
}

}  // namespace
}  // namespace crosswire::bench

int main(int argc, char** argv) {
  const std::vector<std::string> wanted(argv + 1, argv + argc);
  std::size_t done = 0;
  for (const crosswire::bench::Weapon& one : crosswire::bench::weapons()) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), one.name) == wanted.end()) continue;
    crosswire::bench::fire(one);
    ++done;
  }
  if (done == 0) {
    std::fprintf(stderr, "weapons: no weapon of that name\n");
    return 2;
  }
  return 0;
}
