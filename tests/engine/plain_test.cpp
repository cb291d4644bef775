// The short way of plain Enters and Replaces against the way for all: with the flag or without it, the same.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "tests/engine/engine_rig.hpp"
#include "tests/seed.hpp"

namespace crosswire::testing::plain_test {
namespace {

constexpr std::uint32_t kPrice = 1'000'000, kStep = 100;
constexpr Side B = Side::buy, S = Side::sell;

/// Enters, Replaces and Cancels that are plain for the greater part, of clients who reach their shares now and then.
std::vector<Command> flow(std::mt19937_64& random, std::size_t commands) {
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  std::uint32_t next[4] = {};
  std::vector<Command> flow{phase(Phase::continuous)};
  while (flow.size() < commands) {
    const auto session = static_cast<std::uint16_t>(below(4));
    const bool buy = below(2) == 0;
    const std::uint32_t price = kPrice + (below(24) - 12) * kStep + (below(60) == 0);
    const std::uint32_t old = next[session] > 0 ? next[session] - below(std::min(next[session], 40u)) : 1;
    Command c{};
    switch (below(8)) {
      case 0:
      case 1:
        c = cancel(session, old, below(8) == 0 ? 5 : 0);
        break;
      case 2:
        c = replace(session, old, ++next[session], price, 1 + below(100));
        if (below(3) != 0) c.order.side = kNoSide;
        break;
      default:
        c = enter(session, ++next[session],
                  buy             ? B
                  : below(4) == 0 ? Side::sell_short
                                  : S,
                  price, 1 + below(100), below(8) == 0 ? TimeInForce::ioc : TimeInForce::day);
        break;
    }
    if (below(12) == 0) c.order.display = below(2) == 0 ? Display::hidden : Display::attributable;
    if (below(12) == 0) c.order.post_only = static_cast<PostOnly>("NPP"[below(3)]);
    if (below(6) == 0) c.order.stay_on_disconnect = static_cast<StayOnDisconnect>("NYY"[below(3)]);
    if (below(40) == 0) c.reject = 0x0022;
    flow.push_back(c);
    if (below(400) == 0) flow.push_back(session_close(session, SessionEndReason::silence));
    if (below(200) == 0) flow.push_back(phase(below(2) == 0 ? Phase::halted : Phase::closing_call));
    if (below(20) == 0) flow.push_back(phase(Phase::continuous));
  }
  return flow;
}

/// `event_ring`: events that fit; a command of more goes on in parts.
void compare(std::uint64_t event_ring, std::size_t commands) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE(::testing::Message() << "seed " << seed << ", a ring of " << event_ring);
  std::mt19937_64 random(seed);
  EngineConfig config = small_config();
  config.orders_per_account = 60;
  config.levels_per_account = 6;
  EngineBox with(config, {.event_ring = event_ring}), without(config, {.event_ring = event_ring});
  std::size_t plain_ones = 0;
  for (Command command : flow(random, commands)) {
    Command other = command;
    with.prepare(command);
    without.prepare(other);
    plain_ones += (command.flags & kPlain) != 0;
    other.flags &= static_cast<std::uint8_t>(~kPlain);
    std::vector<Event> events, others;
    while (with.apply({&command, 1}) == 0) with.take_events([&](const Event& event) { events.push_back(event); });
    with.take_events([&](const Event& event) { events.push_back(event); });
    while (without.apply({&other, 1}) == 0) without.take_events([&](const Event& event) { others.push_back(event); });
    without.take_events([&](const Event& event) { others.push_back(event); });
    ASSERT_EQ(events.size(), others.size());
    for (std::size_t i = 0; i < events.size(); ++i)
      ASSERT_EQ(std::memcmp(&events[i], &others[i], sizeof(Event)), 0)
          << "event " << i << " of command " << command.sequence.value;
    if (command.sequence.value % 64 == 0) {
      ASSERT_EQ(with.engine().state_hash(), without.engine().state_hash());
    }
  }
  EXPECT_EQ(with.engine().state_hash(), without.engine().state_hash());
  EXPECT_GT(plain_ones, commands / 3);
}

TEST(PlainOrders, ComeToTheSameOnTheShortWayAndOnTheWayForAll) { compare(256, 60'000); }

TEST(PlainOrders, ComeToTheSameWhereThereIsRoomForTwoEventsAtATime) { compare(2, 20'000); }

TEST(PlainOrders, AReplaceMaySayWhatIsToBeOpen) {
  EngineRig rig(small_config());
  rig.run(phase(Phase::continuous));
  rig.run(enter(0, 1, S, kPrice, 100));
  rig.run(enter(1, 1, B, kPrice, 30));
  Command open = replace(0, 1, 2, kPrice + kStep, 50);
  open.flags |= kQuantityIsOpen;
  const std::vector<Event> events = rig.run(open);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, EventKind::replaced);
  EXPECT_EQ(events[0].order.open, 50u) << "30 are executed and do not count";
  const std::vector<Event> again = rig.run(replace(0, 2, 3, kPrice + kStep, 50));
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].order.open, 20u) << "as on the wire they count";
  Command too_many = replace(0, 3, 4, kPrice + kStep, kMaxQuantity);
  too_many.flags |= kQuantityIsOpen;
  const std::vector<Event> refused = rig.run(too_many);
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].kind, EventKind::canceled);
}

}  // namespace
}  // namespace crosswire::testing::plain_test
