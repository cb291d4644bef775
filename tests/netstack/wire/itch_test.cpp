// ITCH 5.0 and GLIMPSE's Snapshot: layouts and the table.
#include "netstack/wire/itch.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/netstack/wire/message_text.hpp"

namespace crosswire::wire::itch {
namespace {

using test::Octets;
using test::Protocol;
using test::to_hex;

TEST(ItchMessages, ComeBackFromTheirFields) {
  test::Random random;
  test::for_each_itch([&]<class M>() {
    for (int i = 0; i < 100; ++i) {
      const M message = test::random_fixed<M>(random);
      const Octets bytes(bytes_of(message).begin(), bytes_of(message).end());
      const std::string text = test::describe(Protocol::itch, bytes);
      ASSERT_TRUE(text.starts_with(M::kName)) << text;
      ASSERT_EQ(to_hex(test::build(Protocol::itch, text)), to_hex(bytes)) << text;
    }
  });
}

TEST(ItchMessages, AreRefusedAtAnyOtherSize) {
  test::for_each_itch([&]<class M>() {
    for (std::size_t size = 1; size < 60; ++size) {
      Octets bytes(size);
      bytes[0] = static_cast<std::uint8_t>(M::kType);
      EXPECT_EQ(test::describe(Protocol::itch, bytes).starts_with('!'), size != sizeof(M)) << M::kName << ' ' << size;
      EXPECT_EQ(view_as<M>(bytes) == nullptr, size < sizeof(M));
    }
  });
}

TEST(ItchMessages, AreWrittenInPlaceWithTheirHeader) {
  Octets bytes(sizeof(AddOrder));
  overlay<AddOrder>(bytes.data()) = {.head = head<AddOrder>(7, 1, 0x010203040506),
                                     .order_ref = 9,
                                     .side = 'B',
                                     .shares = 100,
                                     .stock = {"600519"},
                                     .price = 1808'0800};
  EXPECT_EQ(to_hex(bytes),
            "4100070001010203040506"
            "0000000000000009"
            "42"
            "00000064"
            "3630303531392020"
            "0113e420");
}

TEST(ItchMessages, CarryTheirTypeLetterWhenTheHeaderIsLeftOut) {
  test::for_each_itch([&]<class M>() { EXPECT_EQ(static_cast<char>(bytes_of(M{})[0]), M::kType) << M::kName; });
}

TEST(ItchTable, HasEveryMessageOnceAndNothingElse) {
  std::set<char> types;
  test::for_each_itch([&]<class M>() {
    types.insert(M::kType);
    ASSERT_NE(kMessages.find(M::kType), nullptr);
    EXPECT_EQ(kMessages.find(M::kType)->name, M::kName);
    EXPECT_EQ(kMessages.find(M::kType)->size, sizeof(M));
  });
  EXPECT_EQ(types.size(), 24u);
  EXPECT_EQ(kMessages.size(), types.size());
  for (int letter = 0; letter < 256; ++letter) {
    const char type = static_cast<char>(letter);
    EXPECT_EQ(kMessages.find(type) != nullptr, types.contains(type)) << letter;
  }
}

}  // namespace
}  // namespace crosswire::wire::itch
