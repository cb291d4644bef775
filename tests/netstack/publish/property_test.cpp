// The publish stage: the same bytes whatever the port does, and a book that a client can keep from them.
#include <gtest/gtest.h>

#include "netstack/publish/publish.hpp"
#include "netstack/wire/itch.hpp"
#include "tests/netstack/transmit/transmit_fixture.hpp"
#include "tests/seed.hpp"

namespace crosswire::publish_property_test {
namespace {

namespace itch = wire::itch;
namespace mold = wire::mold;
using testing::as;
using testing::Block;
using testing::RandomDay;
using testing::read_frame;
using testing::read_packet;
using testing::ReadFrame;
using testing::ReadPacket;
using testing::StubbornTxPort;

std::vector<MemoryTxPort::Sent> frames_of(const RandomDay& day, std::uint64_t ring_size, std::uint64_t seed,
                                          double refuses) {
  const NetConfig config = testing::net_config();
  const EngineConfig engine = testing::engine_config();
  const auto slots = static_cast<std::uint32_t>(day.asked.size());
  Arena arena(
      BroadcastRing<Event>::bytes_for(ring_size) + Orders::bytes_for(slots) + PublishStage::bytes_for(config, engine),
      HugepagePolicy::off);
  BroadcastRing<Event> ring(arena, ring_size);
  BroadcastRing<Event>::GatingReader& reader = ring.add_gating("publish");
  Orders orders(arena, slots);
  day.install(orders);
  StubbornTxPort port(seed, refuses);
  PublishStage stage(config, engine, reader, orders, port, arena);
  std::mt19937_64 random(seed);
  std::size_t next = 0;
  while (next < day.steps.size() || reader.available() > 0 || port.unsent()) {
    for (std::uint64_t n = random() % ring_size + 1; n > 0 && next < day.steps.size(); --n) {
      if (!ring.producer().has_room()) break;
      ring.producer().claim() = day.steps[next++].event;
    }
    ring.producer().publish();
    stage.poll();
  }
  EXPECT_EQ(stage.counters().get(PublishCounter::frames), port.frames().size());
  return port.frames();
}

TEST(PublishProperty, TheSameEventsMakeTheSameFramesWhateverRoomThePortHas) {
  const std::uint64_t seed = test::seed();
  for (std::uint64_t i = 0; i < 5; ++i) {
    const RandomDay day(seed + i, 1000);
    const std::vector<MemoryTxPort::Sent> expected = frames_of(day, 1024, 1, 0.0);
    ASSERT_GT(expected.size(), 100u);
    Sequence last_cause{};
    for (const MemoryTxPort::Sent& sent : expected) {
      EXPECT_GE(sent.origin.cause, last_cause) << "a capture is in the order of causes";
      last_cause = sent.origin.cause;
    }
    for (const std::uint64_t ring_size : {2u, 4u, 16u, 256u}) {
      const std::vector<MemoryTxPort::Sent> frames = frames_of(day, ring_size, seed + ring_size, 0.6);
      ASSERT_EQ(frames.size(), expected.size());
      for (std::size_t f = 0; f < frames.size(); ++f) {
        ASSERT_EQ(frames[f].bytes, expected[f].bytes) << "frame " << f;
        ASSERT_EQ(frames[f].origin.cause, expected[f].origin.cause);
      }
    }
  }
}

/// A client's book, kept by the rules of WIRE 5 alone.
struct ClientBook {
  struct Order {
    std::uint16_t symbol;
    bool buy;
    std::uint32_t price;
    std::uint32_t open;
    bool operator==(const Order&) const = default;
  };
  std::map<std::uint64_t, Order> orders;

  void take(std::uint64_t ref, std::uint32_t shares) {
    const auto found = orders.find(ref);
    ASSERT_NE(found, orders.end()) << ref;
    ASSERT_LE(shares, found->second.open);
    found->second.open -= shares;
    if (found->second.open == 0) orders.erase(found);
  }

  void apply(const Block& message) {
    switch (message.at(0)) {
      case 'A': {
        const auto add = as<itch::AddOrder>(message);
        const Order order{add.head.locate, add.side == 'B', add.price, add.shares};
        EXPECT_TRUE(orders.emplace(add.order_ref, order).second);
        break;
      }
      case 'F': {
        const auto add = as<itch::AddOrderMpid>(message);
        const Order order{add.head.locate, add.side == 'B', add.price, add.shares};
        EXPECT_TRUE(orders.emplace(add.order_ref, order).second);
        EXPECT_EQ(add.attribution.raw(), "LIME");
        break;
      }
      case 'E':
        take(as<itch::OrderExecuted>(message).order_ref, as<itch::OrderExecuted>(message).shares);
        break;
      case 'C':
        take(as<itch::OrderExecutedWithPrice>(message).order_ref, as<itch::OrderExecutedWithPrice>(message).shares);
        break;
      case 'X':
        take(as<itch::OrderCancel>(message).order_ref, as<itch::OrderCancel>(message).shares);
        break;
      case 'D':
        EXPECT_EQ(orders.erase(as<itch::OrderDelete>(message).order_ref), 1u);
        break;
      case 'U': {
        const auto replaced = as<itch::OrderReplace>(message);
        const auto found = orders.find(replaced.old_ref);
        ASSERT_NE(found, orders.end());
        const Order order{found->second.symbol, found->second.buy, replaced.price, replaced.shares};
        orders.erase(found);
        EXPECT_TRUE(orders.emplace(replaced.new_ref, order).second);
        break;
      }
      default:
        break;
    }
  }
};

TEST(PublishProperty, ABookKeptFromTheFeedIsTheBookOfTheEvents) {
  const std::uint64_t seed = test::seed();
  for (std::uint64_t i = 0; i < 10; ++i) {
    const RandomDay day(seed + i, 3000);
    ClientBook book;
    std::uint64_t next = 1;
    bool ended = false;
    std::map<char, int> kinds;
    for (const MemoryTxPort::Sent& sent : frames_of(day, 64, seed, 0.3)) {
      const ReadFrame frame = read_frame(sent.bytes);
      if (frame.to_port != 26477) continue;  // an answer to a re-request
      const ReadPacket packet = read_packet(frame.payload);
      ASSERT_FALSE(ended);
      ASSERT_EQ(packet.sequence, next) << "a gap";
      next += packet.messages.size();
      for (const Block& message : packet.messages) {
        book.apply(message);
        ++kinds[static_cast<char>(message.at(0))];
      }
      ended = packet.count == mold::kEndOfSession;
    }
    EXPECT_TRUE(ended);
    ASSERT_GT(next, 1000u);
    std::map<std::uint64_t, ClientBook::Order> expected;
    for (const auto& [ref, order] : day.live) {
      if (!order.hidden) expected[ref] = {order.symbol.value, order.buy, order.price.value, order.open};
    }
    EXPECT_EQ(book.orders, expected);
    for (const char kind : std::string_view("AFECXDUPQ")) EXPECT_GT(kinds[kind], 0) << kind;
  }
}

}  // namespace
}  // namespace crosswire::publish_property_test
