// MessageStore and the packet that answers a re-request.
#include "netstack/common/message_store.hpp"

#include "tests/netstack/transmit/transmit_fixture.hpp"

namespace crosswire::message_store_test {
namespace {

using testing::Block;
using testing::read_packet;
using testing::ReadPacket;

using Store = MessageStore<64>;
const wire::alpha<10> kSession{std::string_view("F0KZ3M7QX1")};

struct StoreTest : ::testing::Test {
  /// Message n is n mod 50 + 1 bytes of value n.
  static Block message(std::uint64_t n) { return Block(n % 50 + 1, static_cast<std::uint8_t>(n)); }

  void append(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) store.append(message(store.next()));
  }

  ReadPacket ask(std::uint64_t first, std::uint16_t count, std::size_t room = 1472) {
    Block payload(room);
    outcome = write_resend(payload, kSession, store, store.next(), {.first = first, .count = count});
    EXPECT_LE(outcome.size, room);
    payload.resize(outcome.size);
    const ReadPacket packet = read_packet(payload);
    EXPECT_EQ(packet.count, outcome.count);
    for (std::size_t i = 0; i < packet.messages.size(); ++i) {
      EXPECT_EQ(packet.messages[i], message(packet.sequence + i));
    }
    return packet;
  }

  Arena arena{Store::bytes_for(16), HugepagePolicy::off};
  Store store{arena, 16};
  Resend outcome{};
};

TEST_F(StoreTest, NumbersMessagesFromOneAndKeepsTheNewest) {
  EXPECT_EQ(store.next(), 1u);
  EXPECT_EQ(store.oldest(), 1u);
  for (std::uint64_t n = 1; n <= 100; ++n) {
    append(1);
    EXPECT_EQ(store.next(), n + 1);
    EXPECT_EQ(store.oldest(), n <= 16 ? 1 : n - 15);
    for (std::uint64_t kept = store.oldest(); kept < store.next(); ++kept) {
      const wire::Bytes bytes = store.get(kept);
      EXPECT_EQ(Block(bytes.begin(), bytes.end()), message(kept));
    }
  }
}

TEST_F(StoreTest, TakesMessagesBuiltInPlaceAndOnesOfNoLength) {
  store.fill()[0] = 'x';
  EXPECT_EQ(store.commit(1), 1u);
  EXPECT_EQ(store.append({}), 2u);
  EXPECT_EQ(store.get(1)[0], 'x');
  EXPECT_EQ(store.get(2).size(), 0u);
}

TEST_F(StoreTest, AnswersExactlyWhatWasAskedFor) {
  append(10);
  const ReadPacket packet = ask(3, 4);
  EXPECT_EQ(packet.session, "F0KZ3M7QX1");
  EXPECT_EQ(packet.sequence, 3u);
  EXPECT_EQ(packet.count, 4);
  EXPECT_FALSE(outcome.begins_too_early);
}

TEST_F(StoreTest, AnswersOnlyWithWhatExists) {
  append(10);
  EXPECT_EQ(ask(8, 65'534).count, 3);
  EXPECT_EQ(ask(10, 1).count, 1);
}

TEST_F(StoreTest, AnswersARequestPastTheEndWithAHeartbeat) {
  append(10);
  for (const std::uint64_t first : {std::uint64_t{11}, std::uint64_t{5000}, ~std::uint64_t{0}}) {
    const ReadPacket packet = ask(first, 7);
    EXPECT_EQ(packet.count, wire::mold::kHeartbeat);
    EXPECT_EQ(packet.sequence, 11u);
  }
}

TEST_F(StoreTest, AnswersARequestForLostMessagesFromTheOldestKept) {
  append(40);
  const ReadPacket packet = ask(1, 5);
  EXPECT_EQ(packet.sequence, 25u);
  EXPECT_EQ(packet.count, 5);
  EXPECT_TRUE(outcome.begins_too_early);
}

TEST_F(StoreTest, AnswersWithNoMoreThanOnePacketHolds) {
  append(16);
  for (std::size_t room = 20; room < 700; ++room) {
    const ReadPacket packet = ask(1, 16, room);
    std::size_t size = 20;
    std::uint16_t fit = 0;
    while (fit < 16 && size + 2 + message(fit + 1u).size() <= room) size += 2 + message(++fit).size();
    EXPECT_EQ(packet.count, fit) << room;
  }
}

TEST_F(StoreTest, SendsNothingAtOrBeyondTheGivenEnd) {
  append(10);
  Block payload(1472);
  Resend resend = write_resend(payload, kSession, store, 6, {.first = 4, .count = 100});
  EXPECT_EQ(resend.count, 2);
  resend = write_resend(payload, kSession, store, 6, {.first = 6, .count = 1});
  EXPECT_EQ(resend.count, 0);
  payload.resize(resend.size);
  EXPECT_EQ(read_packet(payload).sequence, 6u);
}

using StoreDeathTest = StoreTest;

TEST_F(StoreDeathTest, RefusesToInventMessages) {
  append(40);
  EXPECT_DEATH(store.get(41), "message 41");
  EXPECT_DEATH(store.get(24), "message 24");
  EXPECT_DEATH(store.append(Block(63)), "63 bytes");
}

}  // namespace
}  // namespace crosswire::message_store_test
