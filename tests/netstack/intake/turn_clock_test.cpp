// When `turn` commands are due, by commands alone.
#include "netstack/intake/turn_clock.hpp"

#include <gtest/gtest.h>

namespace crosswire {
namespace {

constexpr SessionId kSomeone{0};

EngineConfig config() {
  EngineConfig config;
  config.symbols.resize(3);
  config.sessions = 2;
  config.max_orders = 1'000;
  config.orders_per_account = 640;
  return config;
}

/// Turns that are made until no more is due, each at the time that it was due at.
std::vector<TimeNs> turns(TurnClock& clock, std::uint64_t made) {
  std::vector<TimeNs> times;
  for (TimeNs due = clock.next(made); due != TurnClock::kNever; due = clock.next(++made)) {
    times.push_back(due);
    clock.pass();
  }
  return times;
}

TEST(TurnClock, IsNeverDueWhereNoOrderWasEntered) {
  TurnClock clock(config());
  clock.expect(CommandKind::mass_cancel, kSomeone, 0, 1, 50);
  clock.expect(CommandKind::phase, kNoSession, 0, 2, 50);
  EXPECT_EQ(clock.next(2), TurnClock::kNever);
}

TEST(TurnClock, IsDueOnItsGridAsOftenAsTheOrdersThatMayLiveNeed) {
  TurnClock clock(config());
  clock.expect(CommandKind::mass_cancel, kSomeone, 100, 101, 250'000);
  EXPECT_EQ(turns(clock, 101), (std::vector<TimeNs>{300'000, 400'000, 500'000, 600'000})) << "100 / 40 + 100 / 128 + 2";
}

TEST(TurnClock, IsDueBehindTicksWithWhichAnInterruptionMayEndWhereThereAreBreakers) {
  EngineConfig collared = config();
  collared.risk.resize(2);
  collared.risk[1].limits[static_cast<std::size_t>(RiskLimit::rejects_in_a_row)] = 3;
  collared.symbols[1].collar = {.dynamic_percent_e2 = 100, .interruption_seconds = 5, .interruption_extensions = 1};
  TurnClock clock(collared);
  std::uint64_t made = 101;
  const auto owes = [&](std::uint64_t orders, TimeNs now_ns) {
    clock.breakers_trip(orders, 100, ++made, now_ns);
    const bool due = clock.next(made) != TurnClock::kNever;
    made += 100;  // other commands are turns too
    clock.next(made);
    return due;
  };
  EXPECT_TRUE(owes(100, 100'000'000));
  EXPECT_TRUE(owes(100, 5'100'000'000)) << "the interruption ends";
  EXPECT_TRUE(owes(100, 10'400'000'000)) << "prolonged";
  EXPECT_FALSE(owes(100, 10'900'000'000)) << "an idle exchange makes none";
  clock.expect(CommandKind::phase, kNoSession, 100, made, 11'000'000'000);
  EXPECT_TRUE(owes(100, 16'000'000'000)) << "an opening call that was prolonged";
}

TEST(TurnClock, IsDueBehindATickWhereABreakerMayHaveTrippedSinceTheLast) {
  TurnClock without(config());
  without.breakers_trip(100, 100, 101, 250'000);
  EXPECT_EQ(without.next(101), TurnClock::kNever);
  EngineConfig breaking = config();
  breaking.risk.resize(2);
  breaking.risk[1].limits[static_cast<std::size_t>(RiskLimit::loss_of_day)] = 1;
  TurnClock clock(breaking);
  clock.breakers_trip(100, 100, 101, 250'000);
  EXPECT_EQ(turns(clock, 101), (std::vector<TimeNs>{300'000, 400'000, 500'000, 600'000}));
  clock.breakers_trip(100, 100, 105, 100'000'000);
  EXPECT_EQ(clock.next(105), TurnClock::kNever) << "no order has come";
  clock.breakers_trip(101, 100, 107, 200'000'000);
  EXPECT_EQ(turns(clock, 107).size(), 4u) << "a Replace has";
}

TEST(TurnClock, IsDueBehindTicksWithWhichASymbolMayReopenBehindAHaltForATime) {
  EngineConfig breaking = config();
  for (SymbolConfig& symbol : breaking.symbols) {  // without collars
    symbol.collar.interruption_seconds = 5;
    symbol.collar.interruption_extensions = 0;
  }
  breaking.risk.resize(2);
  breaking.risk[0].limits[static_cast<std::size_t>(RiskLimit::rejects_in_a_row)] = 1;
  TurnClock clock(breaking);
  std::uint64_t made = 100;
  const auto is_due_at = [&](TimeNs now_ns) {
    made += 1'000;  // what was due is over
    clock.next(made);
    clock.breakers_trip(0, 100, made, now_ns);
    return clock.next(made) != TurnClock::kNever;
  };
  EXPECT_FALSE(is_due_at(1'000'000'000));
  clock.expect_reopening(1'000'000'000, 60);
  EXPECT_TRUE(is_due_at(2'000'000'000));
  EXPECT_TRUE(is_due_at(66'000'000'000));
  EXPECT_FALSE(is_due_at(67'000'000'000));
}

TEST(TurnClock, IsDueBehindADisableThatKills) {
  TurnClock clock(config());
  clock.expect(CommandKind::disable, kSomeone, 100, 101, 250'000);
  EXPECT_NE(clock.next(101), TurnClock::kNever);
  EXPECT_FALSE(TurnClock::may_open(CommandKind::disable)) << "most do not";
}

TEST(TurnClock, CountsNoMoreThanAnAccountsShareOrAll) {
  TurnClock clock(config());
  clock.expect(CommandKind::session_close, kSomeone, 100'000, 1, 0);
  EXPECT_EQ(turns(clock, 1).size(), 640u / 40 + 640 / 128 + 2);
  clock.expect(CommandKind::operate, kNoSession, 100'000, 50, 0);
  EXPECT_EQ(turns(clock, 50).size(), 1'000u / 40 + 1'003 / 128 + 2);
}

TEST(TurnClock, OtherCommandsAreTurnsToo) {
  TurnClock clock(config());
  clock.expect(CommandKind::mass_cancel, kSomeone, 100, 101, 0);
  EXPECT_NE(clock.next(104), TurnClock::kNever);
  EXPECT_EQ(clock.next(105), TurnClock::kNever);
}

TEST(TurnClock, WhatTwoCommandsOpenTakesTheTurnsOfBothButNeverMoreThanAllOrdersNeed) {
  TurnClock clock(config());
  clock.expect(CommandKind::mass_cancel, kSomeone, 1'000, 101, 0);
  const std::uint64_t one = 640 / 40 + 640 / 128 + 2, all = 1'000 / 40 + 1'003 / 128 + 2;
  clock.expect(CommandKind::mass_cancel, SessionId{1}, 1'000, 101, 10);
  EXPECT_LT(all, 2 * one);
  for (int i = 0; i < 1'000; ++i) clock.expect(CommandKind::mass_cancel, kSomeone, 1'000, 101, 10);
  EXPECT_EQ(turns(clock, 101).size(), all);
}

TEST(TurnClock, AConnectionsEndWithoutASessionOpensNothing) {
  TurnClock clock(config());
  clock.expect(CommandKind::session_close, kNoSession, 100, 1, 0);
  EXPECT_EQ(clock.next(1), TurnClock::kNever);
}

TEST(LifeEnds, AreCountedByTheSecondWithWhichTheyEnd) {
  Arena arena(LifeEnds::bytes_for(), HugepagePolicy::off);
  LifeEnds ends(arena);
  ends.add(1'500'000'000, 2);
  ends.add(1'000'000'000, 3);
  ends.add(1'000'000'001, 1);
  EXPECT_EQ(ends.take(3'000'000'000), 1u);
  EXPECT_EQ(ends.take(3'100'000'000), 0u) << "no whole second";
  EXPECT_EQ(ends.take(4'000'000'000), 2u);
  EXPECT_EQ(ends.take(5'000'000'000), 0u);
}

TEST(LifeEnds, OneThatAReplaceKeepsIsCountedAlready) {
  Arena arena(LifeEnds::bytes_for(), HugepagePolicy::off);
  LifeEnds ends(arena);
  ends.add(1'000'000'000, 2);
  ends.add(1'000'000'000, 0);
  EXPECT_EQ(ends.take(2'000'000'000), 0u);
  EXPECT_EQ(ends.take(3'000'000'000), 1u);
}

}  // namespace
}  // namespace crosswire
