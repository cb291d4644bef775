// MoldUDP64: counts that lie, blocks that do not fit, packets written within bounds.
#include "netstack/wire/mold.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/netstack/wire/message_text.hpp"

namespace crosswire::wire::mold {
namespace {

using test::Octets;

const alpha<10> kSession{std::string_view("O1ABC2DEF3")};

Octets packet(std::uint16_t count, const std::vector<Octets>& messages) {
  Octets bytes(2'000);
  PacketWriter writer(bytes);
  for (const Octets& message : messages) {
    std::uint8_t* const at = writer.try_append(message.size());
    EXPECT_NE(at, nullptr);
    std::copy(message.begin(), message.end(), at);
  }
  bytes.resize(writer.finish(kSession, 7));
  overlay<Header>(bytes.data()).count = count;
  return bytes;
}

struct Outcome {
  std::vector<Octets> blocks;
  BlockFault fault;
};

Outcome read_all(const Octets& datagram) {
  Outcome outcome{};
  BlockReader reader(datagram);
  while (reader.next()) outcome.blocks.emplace_back(reader.block().begin(), reader.block().end());
  EXPECT_FALSE(reader.next()) << "an end is an end";
  outcome.fault = reader.fault();
  return outcome;
}

const std::vector<Octets> kThree{{1, 2, 3}, {}, {4}};

TEST(BlockReader, HandsOutTheBlocksOfAnHonestPacket) {
  const Octets bytes = packet(3, kThree);
  const BlockReader reader(bytes);
  ASSERT_NE(reader.header(), nullptr);
  EXPECT_EQ(reader.header()->session, kSession);
  EXPECT_EQ(reader.header()->sequence, 7u);
  EXPECT_EQ(read_all(bytes).blocks, kThree);
  EXPECT_EQ(read_all(bytes).fault, BlockFault::none);
}

TEST(BlockReader, TellsACountThatPromisesMoreThanIsThere) {
  for (const std::uint16_t count : {std::uint16_t{4}, std::uint16_t{1000}, std::uint16_t{0xFFFE}}) {
    const Outcome outcome = read_all(packet(count, kThree));
    EXPECT_EQ(outcome.blocks, kThree) << count;
    EXPECT_EQ(outcome.fault, BlockFault::truncated) << count;
  }
}

TEST(BlockReader, TellsACountThatPromisesLessThanIsThere) {
  const Outcome outcome = read_all(packet(2, kThree));
  EXPECT_EQ(outcome.blocks, (std::vector<Octets>{kThree[0], kThree[1]}));
  EXPECT_EQ(outcome.fault, BlockFault::trailing_bytes);
}

TEST(BlockReader, FindsNoBlocksInAHeartbeatOrAnEndOfSession) {
  for (const std::uint16_t count : {kHeartbeat, kEndOfSession}) {
    EXPECT_TRUE(read_all(packet(count, {})).blocks.empty());
    EXPECT_EQ(read_all(packet(count, {})).fault, BlockFault::none);
    EXPECT_TRUE(read_all(packet(count, kThree)).blocks.empty());
    EXPECT_EQ(read_all(packet(count, kThree)).fault, BlockFault::trailing_bytes);
  }
}

TEST(BlockReader, TellsEveryTruncation) {
  const Octets whole = packet(3, kThree);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Outcome outcome = read_all(Octets(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    EXPECT_EQ(outcome.fault, size < sizeof(Header) ? BlockFault::short_header : BlockFault::truncated) << size;
    EXPECT_LE(outcome.blocks.size(), 2u) << size;
  }
}

TEST(BlockReader, TellsABlockLengthThatLies) {
  Octets bytes = packet(1, {{1, 2, 3}});
  for (unsigned length = 0; length < 0x10000; ++length) {
    overlay<be16>(bytes.data() + sizeof(Header)) = static_cast<std::uint16_t>(length);
    const BlockFault expected = length < 3    ? BlockFault::trailing_bytes
                                : length == 3 ? BlockFault::none
                                              : BlockFault::truncated;
    ASSERT_EQ(read_all(bytes).fault, expected) << length;
  }
}

TEST(BlockReader, StaysWithinRandomBytes) {
  test::Random random;
  for (int i = 0; i < 300'000; ++i) {
    Octets noise = random.octets(random.below(60));
    for (std::size_t at = 18; at < noise.size(); ++at) noise[at] = static_cast<std::uint8_t>(noise[at] % 4);
    BlockReader reader(noise);
    std::size_t seen = sizeof(Header);
    unsigned blocks = 0;
    for (; reader.next(); seen += 2 + reader.block().size(), ++blocks) {
      ASSERT_LE(reader.block().data() + reader.block().size(), noise.data() + noise.size());
    }
    ASSERT_EQ(reader.header() == nullptr, noise.size() < sizeof(Header));
    if (reader.header() == nullptr) continue;
    const bool whole = seen == noise.size() && blocks == reader.header()->count;
    ASSERT_EQ(reader.fault() == BlockFault::none, whole) << test::to_hex(noise);
  }
}

TEST(PacketKind, IsToldByCountAndSize) {
  EXPECT_EQ(packet_kind(Octets(19)), PacketKind::too_short);
  EXPECT_EQ(packet_kind(packet(0, {})), PacketKind::heartbeat);
  EXPECT_EQ(packet_kind(packet(0xFFFF, {})), PacketKind::end_of_session);
  EXPECT_EQ(packet_kind(packet(1, {})), PacketKind::request);
  EXPECT_EQ(packet_kind(packet(0xFFFE, {})), PacketKind::request);
  EXPECT_EQ(packet_kind(packet(1, {{}})), PacketKind::data);
}

TEST(PacketWriter, WritesAHeartbeatWithoutBlocks) {
  Octets bytes(20);
  EXPECT_EQ(PacketWriter(bytes).finish(kSession, 0x0102), 20u);
  EXPECT_EQ(test::to_hex(bytes),
            "4f314142433244454633"
            "0000000000000102"
            "0000");
}

TEST(PacketWriter, TakesABlockThatJustFitsAndRefusesOneByteMore) {
  Octets bytes(20 + 2 + 5 + 2 + 3 + 4, 0xEE);
  PacketWriter writer(std::span<std::uint8_t>(bytes).first(bytes.size() - 4));
  EXPECT_NE(writer.try_append(5), nullptr);
  EXPECT_EQ(writer.try_append(4), nullptr);
  std::uint8_t* const last = writer.try_append(3);
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(last + 3, bytes.data() + bytes.size() - 4);
  EXPECT_EQ(writer.try_append(0), nullptr);
  EXPECT_EQ(writer.count(), 2u);
  EXPECT_EQ(writer.finish(kSession, 1), bytes.size() - 4);
  EXPECT_EQ(test::to_hex(Bytes(bytes).last(4)), "eeeeeeee");
}

TEST(PacketWriter, TakesNothingWhereNotEvenTheHeaderFits) {
  for (std::size_t size = 0; size < sizeof(Header); ++size) {
    Octets bytes(64, 0xEE);
    PacketWriter writer(std::span<std::uint8_t>(bytes).first(size));
    EXPECT_EQ(writer.try_append(0), nullptr);
    EXPECT_EQ(writer.finish(kSession, 1), 0u);
    EXPECT_EQ(bytes, Octets(64, 0xEE));
  }
}

TEST(PacketWriter, CountsNoFurtherThanTheCountFieldMeansBlocks) {
  Octets bytes(20 + 2 * 70'000);
  PacketWriter writer(bytes);
  for (unsigned i = 0; i < 0xFFFE; ++i) ASSERT_NE(writer.try_append(0), nullptr);
  EXPECT_EQ(writer.try_append(0), nullptr);
  bytes.resize(writer.finish(kSession, 1));
  EXPECT_EQ(read_all(bytes).blocks.size(), 0xFFFEu);
}

TEST(PacketWriter, RefusesAMessageBeyondTheLengthField) {
  Octets bytes(80'000);
  PacketWriter writer(bytes);
  EXPECT_EQ(writer.try_append(0x10000), nullptr);
  EXPECT_NE(writer.try_append(0xFFFF), nullptr);
}

}  // namespace
}  // namespace crosswire::wire::mold
