// OUCH 5.0: layouts, the tables, the split, and real bytes.
#include "netstack/wire/ouch.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "netstack/wire/soup.hpp"
#include "tests/netstack/wire/message_text.hpp"

namespace crosswire::wire::ouch {
namespace {

using test::from_hex;
using test::Octets;
using test::Protocol;
using test::Random;
using test::to_hex;

// The message of a SoupBinTCP packet that is all of `hex` (WIRE 3.6). Refers to `packet`.
Bytes message_in(const Octets& packet, soup::PacketType type) {
  const soup::Read read = soup::read_datagram(packet);
  EXPECT_EQ(read.status, soup::ReadStatus::packet);
  EXPECT_EQ(read.type, type);
  return read.payload;
}

TEST(OuchRealBytes, EnterOrder) {
  const Octets packet = from_hex(
      "0036 55 4f 00000071 54 000000e1 43564c5420202020 0000000000099db8 30 59 41 4e 4e 4845584642384955 "
      "5620202020 20 0006 05024c494d45");
  const Bytes message = message_in(packet, soup::PacketType::unsequenced_data);
  const Split parts = split<EnterOrder>(message);
  ASSERT_EQ(parts.fault, SplitFault::none);
  const EnterOrder& order = *view_as<EnterOrder>(message);
  EXPECT_EQ(order.type, EnterOrder::kType);
  EXPECT_EQ(order.user_ref_num, 113u);
  EXPECT_EQ(order.side, 'T');
  EXPECT_EQ(order.quantity, 225u);
  EXPECT_EQ(order.symbol.view(), "CVLT");
  EXPECT_EQ(order.price, 63'0200u);
  EXPECT_EQ(order.time_in_force, '0');
  EXPECT_EQ(order.display, 'Y');
  EXPECT_EQ(order.capacity, 'A');
  EXPECT_EQ(order.iso, 'N');
  EXPECT_EQ(order.cross_type, 'N');
  EXPECT_EQ(order.cl_ord_id.view(), "HEXFB8IUV");
  OptionReader options(parts.options, EnterOrder::kTags);
  ASSERT_TRUE(options.next());
  EXPECT_EQ(options.option().tag, Tag::firm);
  EXPECT_EQ(options.option().text(), "LIME");
  EXPECT_FALSE(options.next());
  EXPECT_EQ(options.fault(), OptionFault::none);
}

TEST(OuchRealBytes, OrderAccepted) {
  const Octets packet = from_hex(
      "004a 53 41 0000289b4d64af87 00753a8d 42 00000028 4144424520202020 000000000048e748 35 59 000000000f56b4f5 "
      "41 4e 4e 4c 3736383237303120202020202020 0009 05024d4c524f 021230");
  const Bytes message = message_in(packet, soup::PacketType::sequenced_data);
  Octets written(message.size());
  overlay<OrderAccepted>(written.data()) = {.timestamp = 0x289b4d64af87,
                                            .user_ref_num = 7'682'701,
                                            .side = 'B',
                                            .quantity = 40,
                                            .symbol = {"ADBE"},
                                            .price = 477'7800,
                                            .time_in_force = '5',
                                            .display = 'Y',
                                            .order_ref = 0x0f56b4f5,
                                            .capacity = 'A',
                                            .iso = 'N',
                                            .cross_type = 'N',
                                            .order_state = 'L',
                                            .cl_ord_id = {"7682701"}};
  OptionWriter options(std::span<std::uint8_t>(written).subspan(sizeof(OrderAccepted)));
  EXPECT_TRUE(options.put<Tag::firm>(std::string_view("MLRO")));
  EXPECT_TRUE(options.put<Tag::bbo_weight_indicator>('0'));
  EXPECT_EQ(options.finish(), 11u);
  EXPECT_EQ(to_hex(written), to_hex(message));
}

TEST(OuchRealBytes, CancelOrder) {
  const Octets packet = from_hex("000a 55 58 00752e71 00000000");
  const Bytes message = message_in(packet, soup::PacketType::unsequenced_data);
  const Split parts = split<CancelOrder>(message);
  ASSERT_EQ(parts.fault, SplitFault::none);
  EXPECT_FALSE(parts.has_appendage);
  EXPECT_EQ(view_as<CancelOrder>(message)->user_ref_num, 7'679'601u);
  EXPECT_EQ(view_as<CancelOrder>(message)->quantity, 0u);
}

TEST(OuchRealBytes, OrderCanceled) {
  const Octets packet = from_hex("0013 53 43 0000289b4d681317 00753a8d 00000028 55");
  Octets written(sizeof(OrderCanceled));
  overlay<OrderCanceled>(written.data()) = {.timestamp = 0x289b4d681317,
                                            .user_ref_num = 7'682'701,
                                            .quantity = 40,
                                            .reason = static_cast<char>(CancelReason::user)};
  EXPECT_EQ(to_hex(written), to_hex(message_in(packet, soup::PacketType::sequenced_data)));
}

template <class ForEach>
void expect_round_trips(Protocol protocol, ForEach&& for_each) {
  Random random;
  for_each([&]<class M>() {
    for (int i = 0; i < 200; ++i) {
      const Octets message = test::random_ouch<M>(random, i == 0);
      ASSERT_EQ(static_cast<char>(message[0]), M::kType);
      const std::string text = test::describe(protocol, message);
      ASSERT_TRUE(text.starts_with(M::kName)) << text;
      ASSERT_EQ(to_hex(test::build(protocol, text)), to_hex(message)) << text;
    }
  });
}

TEST(OuchMessages, FromClientsComeBackFromTheirFields) {
  expect_round_trips(Protocol::ouch_in, [](auto&& f) { test::for_each_inbound(f); });
}

TEST(OuchMessages, FromTheExchangeComeBackFromTheirFields) {
  expect_round_trips(Protocol::ouch_out, [](auto&& f) { test::for_each_outbound(f); });
}

// Big-endian by hand, one byte at a time: no code of the codec's.
struct ByHand {
  Octets bytes;
  void put(std::uint64_t number, std::size_t size) {
    while (size-- > 0) bytes.push_back(static_cast<std::uint8_t>(number >> 8 * size));
  }
  void operator()(std::string_view, const char& field) { bytes.push_back(static_cast<std::uint8_t>(field)); }
  template <class UInt>
  void operator()(std::string_view, const BigEndian<UInt>& field) {
    put(field.value(), sizeof(UInt));
  }
  void operator()(std::string_view, const be48& field) { put(field.value(), 6); }
  template <std::size_t N>
  void operator()(std::string_view, const alpha<N>& field) {
    for (const char c : field.chars) bytes.push_back(static_cast<std::uint8_t>(c));
  }
};

TEST(OuchMessages, LieOnTheWireFieldBehindFieldWithoutGaps) {
  Random random;
  const auto check = [&]<class M>() {
    M message = test::random_fixed<M>(random);
    ByHand by_hand;
    test::visit(message, by_hand);
    EXPECT_EQ(to_hex(by_hand.bytes), to_hex(bytes_of(message))) << M::kName;
  };
  test::for_each_inbound(check);
  test::for_each_outbound(check);
}

TEST(OuchTables, HaveEveryMessageOfADirectionOnceAndNothingElse) {
  EXPECT_EQ(kInbound.size(), 8u);
  EXPECT_EQ(kOutbound.size(), 17u);
  std::set<char> inbound;
  test::for_each_inbound([&]<class M>() {
    inbound.insert(M::kType);
    ASSERT_NE(kInbound.find(M::kType), nullptr);
    EXPECT_EQ(kInbound.find(M::kType)->name, M::kName);
    EXPECT_EQ(kInbound.find(M::kType)->size, sizeof(M));
  });
  std::set<char> outbound;
  test::for_each_outbound([&]<class M>() {
    outbound.insert(M::kType);
    ASSERT_NE(kOutbound.find(M::kType), nullptr);
    EXPECT_EQ(kOutbound.find(M::kType)->name, M::kName);
    EXPECT_EQ(kOutbound.find(M::kType)->size, sizeof(M));
  });
  for (int letter = 0; letter < 256; ++letter) {
    const char type = static_cast<char>(letter);
    EXPECT_EQ(kInbound.find(type) != nullptr, inbound.contains(type)) << letter;
    EXPECT_EQ(kOutbound.find(type) != nullptr, outbound.contains(type)) << letter;
  }
}

TEST(OuchSplit, WantsTheLengthOfTheOptionsWhereItIsNotOptional) {
  Octets message(sizeof(EnterOrder));
  EXPECT_EQ(split<EnterOrder>(message).fault, SplitFault::appendage_missing);
  message.push_back(0);
  EXPECT_EQ(split<EnterOrder>(message).fault, SplitFault::appendage_length);
  message.push_back(0);
  EXPECT_EQ(split<EnterOrder>(message).fault, SplitFault::none);
  EXPECT_TRUE(split<EnterOrder>(message).has_appendage);
  EXPECT_TRUE(split<EnterOrder>(message).options.empty());
}

TEST(OuchSplit, LetsTheOptionalAppendageBeAbsentOrEmpty) {
  Octets message(sizeof(CancelOrder));
  EXPECT_EQ(split<CancelOrder>(message).fault, SplitFault::none);
  EXPECT_FALSE(split<CancelOrder>(message).has_appendage);
  message.push_back(0);
  EXPECT_EQ(split<CancelOrder>(message).fault, SplitFault::appendage_length);
  message.push_back(0);
  EXPECT_EQ(split<CancelOrder>(message).fault, SplitFault::none);
  EXPECT_TRUE(split<CancelOrder>(message).has_appendage);
}

TEST(OuchSplit, RefusesALengthThatLiesEitherWay) {
  Octets message(sizeof(AccountQuery) + 2 + 3);
  for (unsigned length = 0; length < 0x10000; ++length) {
    message[1] = static_cast<std::uint8_t>(length >> 8);
    message[2] = static_cast<std::uint8_t>(length);
    const Split parts = split<AccountQuery>(message);
    ASSERT_EQ(parts.fault, length == 3 ? SplitFault::none : SplitFault::appendage_length) << length;
    ASSERT_EQ(parts.options.size(), length == 3 ? 3u : 0u);
  }
}

TEST(OuchSplit, RefusesBytesBehindAMessageThatTakesNoOptions) {
  Octets message(sizeof(SystemEvent));
  EXPECT_EQ(split<SystemEvent>(message).fault, SplitFault::none);
  message.resize(sizeof(SystemEvent) + 2);
  EXPECT_EQ(split<SystemEvent>(message).fault, SplitFault::trailing_bytes);
}

TEST(OuchSplit, RefusesEveryTruncationOfEveryMessage) {
  Random random;
  const auto check = [&]<class M>() {
    const Octets whole = test::random_ouch<M>(random, true);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Octets part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      const bool absent = size == sizeof(M) && M::kAppendage != Appendage::always;
      const SplitFault fault = split<M>(part).fault;
      ASSERT_EQ(fault == SplitFault::none, absent) << M::kName << ' ' << size;
      ASSERT_EQ(fault == SplitFault::too_short, size < sizeof(M)) << M::kName << ' ' << size;
    }
  };
  test::for_each_inbound(check);
  test::for_each_outbound(check);
}

TEST(OuchSplit, SurvivesRandomBytes) {
  Random random;
  for (int i = 0; i < 200'000; ++i) {
    const Octets noise = random.octets(random.below(80));
    if (noise.empty()) continue;
    for (const Protocol protocol : {Protocol::ouch_in, Protocol::ouch_out}) {
      const std::string text = test::describe(protocol, noise);
      if (text.starts_with('!')) continue;
      ASSERT_EQ(test::build(protocol, text), noise) << text;
    }
  }
}

}  // namespace
}  // namespace crosswire::wire::ouch
