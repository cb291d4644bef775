// What the engine's state is made of: every field of it moves the digest, and nothing else does.
#include "engine/state.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/engine/engine_rig.hpp"

namespace crosswire::testing::state_test {
namespace {

constexpr std::uint32_t kPrice = 1'000'000;
constexpr auto B = Side::buy;
constexpr auto S = Side::sell;

Command with(Command command, auto change) {
  change(command.order);
  return command;
}
Command for_close(Command command) {
  return with(command, [](OrderAsk& ask) { ask.cross_type = CrossType::closing; });
}
Command gtt(std::uint32_t seconds, Command command) {
  return with(command, [&](OrderAsk& ask) {
    ask.time_in_force = TimeInForce::gtt;
    ask.expire_seconds = seconds;
  });
}

/// Two symbols, in which everything that the state has fields for has happened.
std::vector<Command> eventful() {
  return {plain(CommandKind::day_start),
          phase(Phase::opening_call),
          enter(0, 1, B, kPrice, 300),
          enter(1, 1, S, kPrice, 100),
          phase(Phase::continuous),
          enter(0, 2, B, kPrice, 200),
          with(enter(0, 3, B, kPrice, 50), [](OrderAsk& ask) { ask.display = Display::hidden; }),
          with(enter(1, 7, B, kPrice - 300, 60), [](OrderAsk& ask) { ask.display = Display::attributable; }),
          with(enter(1, 8, S, kPrice + 100, 70), [](OrderAsk& ask) { ask.user_ref_idx = 5; }),
          with(enter(1, 9, S, kPrice + 200, 70), [](OrderAsk& ask) { ask.post_only = PostOnly::yes; }),
          for_close(enter(2, 1, B, kPrice - 100, 80)),
          for_close(enter(2, 2, S, kPrice, 90)),
          gtt(5, enter(2, 3, B, kPrice - 400, 10)),
          gtt(5, enter(2, 4, B, kPrice - 400, 20)),
          gtt(6, enter(2, 5, B, kPrice - 500, 30)),
          enter(3, 1, S, kPrice, 150),
          tick(kNsPerSecond),
          replace(0, 2, 4, kPrice - 100, 250),
          modify(1, 9, Side::sell_short, 60),
          firm_wide(CommandKind::disable, 3, 2),
          operate(OperatorAction::halt, 77, 2),
          operate(OperatorAction::resume, 78, 1),
          enter(0, 5, B, kPrice - 100, 10)};
}

void run(EngineBox& box, const std::vector<Command>& commands) {
  for (const Command& command : commands) box.run(command, [](const Event&) {});
}

/// Where each field lies; of what has no place of its own, the name.
struct Places {
  struct Place {
    std::string name;
    std::uint8_t* bytes;
    std::size_t size;
  };
  std::vector<Place> places;
  std::set<std::string> copies;

  template <class Value>
  void operator()(const char* name, Value&& value) {
    if constexpr (std::is_lvalue_reference_v<Value>) {
      // The engine itself is not constant, only the visitor's sight of it.
      places.push_back({name, const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(&value)), sizeof value});
    } else {
      copies.insert(name);
    }
  }
};

Places places_of(const Engine& engine) {
  Places places;
  EngineState::visit(engine, places);
  return places;
}

/// Whether the digest differs while the bits are turned.
bool moves(const Engine& engine, std::uint8_t& byte, unsigned bits = 1) {
  const std::uint64_t before = engine.state_hash();
  byte ^= static_cast<std::uint8_t>(bits);
  const bool moved = engine.state_hash() != before;
  byte ^= static_cast<std::uint8_t>(bits);
  EXPECT_EQ(engine.state_hash(), before);
  return moved;
}

TEST(EngineState, EachFieldMovesTheDigest) {
  EngineConfig config = small_config(2);
  config.risk.resize(config.sessions);
  for (RiskConfig& account : config.risk) {
    account.limits[static_cast<std::size_t>(RiskLimit::orders_per_second)] = 100;
    account.limits[static_cast<std::size_t>(RiskLimit::funds)] = 1'000'000'000'000;
    account.limits[static_cast<std::size_t>(RiskLimit::firm_funds)] = 1'000'000'000'000;
    account.limits[static_cast<std::size_t>(RiskLimit::position_short)] = 1'000;
    account.limits[static_cast<std::size_t>(RiskLimit::symbol_orders_per_second)] = 100;
    account.limits[static_cast<std::size_t>(RiskLimit::rejects_in_a_row)] = 100;
    account.limits[static_cast<std::size_t>(RiskLimit::loss_of_day)] = 1'000'000'000'000;
    account.limits[static_cast<std::size_t>(RiskLimit::executions_per_second_count)] = 1'000'000;
    account.limits[static_cast<std::size_t>(RiskLimit::executions_per_second_shares)] = 1'000'000;
    account.positions = {{.symbol = SymbolId{2}, .shares = 5}, {.symbol = SymbolId{1}, .shares = 500}};
  }
  EngineBox box(config);
  run(box, eventful());
  const Places places = places_of(box.engine());
  EXPECT_GT(places.places.size(), 1'000u);
  for (const Places::Place& place : places.places) {
    EXPECT_TRUE(moves(box.engine(), place.bytes[0])) << place.name;
    EXPECT_TRUE(moves(box.engine(), place.bytes[place.size - 1])) << place.name;
  }
  // Bits of records, what is in which list, how many are kept, and words that others read: the tests below, the
  // operator's and the configuration's.
  EXPECT_EQ(places.copies, (std::set<std::string>{"executed",
                                                  "side",
                                                  "hidden",
                                                  "attributable",
                                                  "one_cross",
                                                  "waits",
                                                  "has_channel",
                                                  "kept.flags",
                                                  "queued",
                                                  "waits_for_cross",
                                                  "ends_at_second",
                                                  "ends",
                                                  "operated",
                                                  "user_ref_num",
                                                  "near_key",
                                                  "limit",
                                                  "forbidden",
                                                  "firm_limit",
                                                  "position.net",
                                                  "position.own_long",
                                                  "position.own_short"}));
}

TEST(EngineState, EachBitOfALiveOrdersRecordsMovesTheDigest) {
  EngineBox box(small_config(2));
  run(box, eventful());
  const auto is_in = [](std::size_t offset, std::size_t first, std::size_t size) {
    return offset >= first && offset < first + size;
  };
  for (const auto& [session, number] : {std::pair{0, 4}, {2, 1}, {2, 3}}) {  // in the book, on-close, GTT
    const OrderIndex index = box.engine().find(SessionId{static_cast<std::uint16_t>(session)},
                                               UserRefNum{static_cast<std::uint32_t>(number)});
    ASSERT_NE(index, kNoOrder);
    const auto bytes_of = [](auto& record) { return reinterpret_cast<std::uint8_t*>(&record); };
    std::uint8_t* const hot = bytes_of(box.orders().hot(index));
    for (std::size_t i = offsetof(HotOrder, open); i < offsetof(HotOrder, ref_block); ++i) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        HotOrder placed_elsewhere{};
        placed_elsewhere.place_in_refs = 7;
        const bool is_place = (bytes_of(placed_elsewhere)[i] >> bit & 1) != 0;
        EXPECT_NE(moves(box.engine(), hot[i], 1u << bit), is_place) << i << " bit " << bit;
      }
    }
    std::uint8_t* const asked = bytes_of(box.orders().asked(index));
    for (std::size_t i = 0; i < sizeof(OrderAsked); ++i) {
      const bool reserved = is_in(i, offsetof(OrderAsked, reserved0), sizeof OrderAsked::reserved0) ||
                            is_in(i, offsetof(OrderAsked, reserved1), sizeof OrderAsked::reserved1);
      EXPECT_EQ(moves(box.engine(), asked[i]), !reserved) << "asked, byte " << i;
    }
    std::uint8_t* const resolved = bytes_of(box.orders().resolved(index));
    for (std::size_t i = 0; i < sizeof(OrderResolved); ++i) {
      const bool reserved = is_in(i, offsetof(OrderResolved, reserved0), sizeof OrderResolved::reserved0) ||
                            is_in(i, offsetof(OrderResolved, reserved1), sizeof OrderResolved::reserved1);
      const bool of_market_orders = is_in(i, offsetof(OrderResolved, bound), sizeof OrderResolved::bound);
      EXPECT_EQ(moves(box.engine(), resolved[i]), !reserved && !of_market_orders) << "resolved, byte " << i;
    }
  }
}

TEST(EngineState, TheOrderOfAQueueMovesTheDigest) {
  EngineBox box(small_config());
  run(box, {phase(Phase::continuous), enter(0, 1, B, kPrice, 100), enter(1, 1, B, kPrice, 100)});
  const std::uint64_t before = box.engine().state_hash();
  const OrderIndex first = box.engine().find(SessionId{0}, UserRefNum{1});
  const OrderIndex second = box.engine().find(SessionId{1}, UserRefNum{1});
  HotOrder& one = box.orders().hot(first);
  HotOrder& other = box.orders().hot(second);
  auto& level = const_cast<Level&>(box.engine().pools().levels[one.level]);
  level.head = second;
  level.tail = first;
  other.next = first;
  one.next = kNoOrder;
  EXPECT_NE(box.engine().state_hash(), before);
}

/// What each run ends with, of runs that begin alike.
std::set<std::uint64_t> digests(const std::vector<std::vector<Command>>& runs) {
  std::set<std::uint64_t> digests;
  for (const std::vector<Command>& commands : runs) {
    EngineBox box(small_config());
    run(box, {phase(Phase::continuous)});
    run(box, commands);
    digests.insert(box.engine().state_hash());
  }
  return digests;
}

TEST(EngineState, ThePriceOfAWaitingOnCloseOrderMovesTheDigest) {
  EXPECT_EQ(digests({{for_close(enter(0, 1, B, kPrice, 100))}, {for_close(enter(0, 1, B, kPrice + 100, 100))}}).size(),
            2u);
}

TEST(EngineState, PostOnlyMovesTheDigest) {
  const Command order = enter(0, 1, B, kPrice, 100);
  EXPECT_EQ(digests({{order}, {with(order, [](OrderAsk& ask) { ask.post_only = PostOnly::yes; })}}).size(), 2u);
}

TEST(EngineState, StayOnDisconnectMovesTheDigest) {
  const Command order = enter(0, 1, B, kPrice, 100);
  const Command staying = with(order, [](OrderAsk& ask) { ask.stay_on_disconnect = StayOnDisconnect::yes; });
  EXPECT_EQ(digests({{order}, {staying}}).size(), 2u);
}

TEST(EngineState, ExpireTimeMovesTheDigestWhereTheLifeEndsInTheSameSecond) {
  const auto at = [](TimeNs time_ns, Command command) {
    command.time_ns = time_ns;
    return command;
  };
  const Command order = enter(0, 1, B, kPrice, 100);
  EXPECT_EQ(digests({{at(0, gtt(9, order)), tick(kNsPerSecond)}, {at(kNsPerSecond, gtt(8, order)), tick(kNsPerSecond)}})
                .size(),
            2u);
}

TEST(EngineState, TheSecondAtWhichALifeEndsMovesTheDigest) {
  Command later = gtt(9, enter(0, 1, B, kPrice, 100));
  const Command at_once = later;
  later.time_ns = kNsPerSecond;
  EXPECT_EQ(digests({{at_once, tick(kNsPerSecond)}, {later, tick(kNsPerSecond)}}).size(), 2u);
}

TEST(EngineState, WhereTheLastLevelOfAnEmptySideWasMovesTheDigest) {
  const auto there_and_gone = [](std::uint32_t price) {
    return std::vector{enter(0, 1, B, price, 100), cancel(0, 1, 0)};
  };
  EXPECT_EQ(digests({there_and_gone(kPrice), there_and_gone(2 * kPrice)}).size(), 2u);
  EXPECT_EQ(digests({there_and_gone(kPrice), there_and_gone(kPrice + 100)}).size(), 1u) << "the same way down";
}

TEST(EngineState, GroupIdMovesTheDigest) {
  std::set<std::uint64_t> digests;
  for (std::uint16_t group = 0; group < 3; ++group) {
    EngineBox box(small_config());
    run(box, {phase(Phase::continuous)});
    Command order = enter(0, 1, B, kPrice, 100);
    box.prepare(order);
    box.orders().resolved(order.order.order).kept.group_id = group;
    EXPECT_EQ(box.apply({&order, 1}), 1u);
    digests.insert(box.engine().state_hash());
  }
  EXPECT_EQ(digests.size(), 3u);
}

TEST(EngineState, NeitherSlotsNorTheHashKeyMoveTheDigest) {
  EngineConfig config = small_config(2);
  EngineBox plain_box(config);
  config.hash_key ^= 0x123456789ABCDEF;
  EngineBox other(config);
  for (int i = 0; i < 5; ++i) other.take_slot();  // all that follow have others
  run(plain_box, eventful());
  run(other, eventful());
  EXPECT_NE(plain_box.engine().find(SessionId{0}, UserRefNum{4}), other.engine().find(SessionId{0}, UserRefNum{4}));
  EXPECT_EQ(plain_box.engine().state_hash(), other.engine().state_hash());
}

}  // namespace
}  // namespace crosswire::testing::state_test
