// Field types: big-endian integers, padded text, decimal numbers, bounded views.
#include "netstack/wire/bytes.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "tests/netstack/wire/message_text.hpp"

namespace crosswire::wire {
namespace {

using test::Octets;

TEST(BigEndian, PutsTheMostSignificantByteFirst) {
  EXPECT_EQ(test::to_hex(bytes_of(be16{0x0102})), "0102");
  EXPECT_EQ(test::to_hex(bytes_of(be32{0x01020304})), "01020304");
  EXPECT_EQ(test::to_hex(bytes_of(be48{0x010203040506})), "010203040506");
  EXPECT_EQ(test::to_hex(bytes_of(be64{0x0102030405060708})), "0102030405060708");
}

TEST(BigEndian, ReadsBackWhatWasAssignedAtAnyAddress) {
  test::Random random;
  Octets room(sizeof(be64) + 8);
  for (int i = 0; i < 10'000; ++i) {
    std::uint8_t* const at = room.data() + random.below(8);
    const std::uint64_t number = random.bits();
    overlay<be64>(at) = number;
    ASSERT_EQ(overlay<be64>(at), number);
    overlay<be48>(at) = number >> 16;
    ASSERT_EQ(overlay<be48>(at), number >> 16);
    overlay<be32>(at) = static_cast<std::uint32_t>(number);
    ASSERT_EQ(overlay<be32>(at), static_cast<std::uint32_t>(number));
    overlay<be16>(at) = static_cast<std::uint16_t>(number);
    ASSERT_EQ(overlay<be16>(at), static_cast<std::uint16_t>(number));
  }
}

TEST(BigEndian, DropsWhatSixBytesCannotHold) {
  const be48 field{0xABCD'0000'0000'0001};
  EXPECT_EQ(field.value(), 1u);
}

TEST(BigEndian, IsAConstantWhereItsValueIs) {
  static_assert(be32{7}.value() == 7 && be48{1ull << 47}.value() == 1ull << 47);
}

TEST(Alpha, PadsOnTheRightAndCutsWhatIsTooLong) {
  alpha<8> field;
  field.set("CVLT");
  EXPECT_EQ(field.raw(), "CVLT    ");
  EXPECT_EQ(field.view(), "CVLT");
  field.set("ABCDEFGHIJ");
  EXPECT_EQ(field.raw(), "ABCDEFGH");
  EXPECT_EQ(field.view(), "ABCDEFGH");
  field.set("");
  EXPECT_EQ(field.raw(), "        ");
  EXPECT_EQ(field.view(), "");
}

TEST(Alpha, PadsOnTheLeftWhereAskedTo) {
  alpha<10> field;
  field.set_right("S1");
  EXPECT_EQ(field.raw(), "        S1");
  EXPECT_EQ(field.text(), "S1");
  field.set_right("0123456789ABC");
  EXPECT_EQ(field.raw(), "0123456789");
}

TEST(Alpha, KeepsSpacesOnTheLeftAndInsideInItsView) {
  EXPECT_EQ(alpha<8>(" A B").view(), " A B");
  EXPECT_EQ(alpha<8>(" A B").text(), "A B");
}

TEST(Alpha, ComparesRawBytes) {
  alpha<4> right;
  right.set_right("A");
  EXPECT_EQ(alpha<4>("A"), alpha<4>("A   "));
  EXPECT_NE(alpha<4>("A"), right);
}

TEST(Alpha, TakesAndGivesAnArrayOfItsSize) {
  const std::array<char, 4> raw{'L', 'I', 'M', 'E'};
  const alpha<4> field = raw;
  EXPECT_EQ(field.view(), "LIME");
  EXPECT_EQ(field.chars, raw);
}

TEST(Alpha, WritesDecimalNumbersJustified) {
  alpha<20> field;
  field.set_decimal_right(1);
  EXPECT_EQ(field.raw(), "                   1");
  field.set_decimal(1);
  EXPECT_EQ(field.raw(), "1                   ");
  field.set_decimal_right(0);
  EXPECT_EQ(field.raw(), "                   0");
  field.set_decimal_right(std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(field.raw(), "18446744073709551615");
}

std::optional<std::uint64_t> decimal(std::string_view raw) {
  EXPECT_LE(raw.size(), 20u);
  return alpha<20>(raw).decimal();
}

TEST(Alpha, ReadsDecimalNumbersPaddedOnEitherSideWithSpacesOrNuls) {
  using namespace std::string_view_literals;
  EXPECT_EQ(decimal("                   1"), 1u);
  EXPECT_EQ(decimal("1                   "), 1u);
  EXPECT_EQ(decimal("     12345          "), 12345u);
  EXPECT_EQ(decimal("1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"sv), 1u);
  EXPECT_EQ(decimal("\0\0\0\0\0\0\0\0\0\0 \0\0\0\0\0\0\0\0007"sv), 7u);
  EXPECT_EQ(decimal("00000000000000000042"), 42u);
  EXPECT_EQ(decimal("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
}

TEST(Alpha, RefusesWhatIsNoDecimalNumber) {
  using namespace std::string_view_literals;
  for (const std::string_view raw : {""sv, "1 2"sv, "-1"sv, "+1"sv, "0x1"sv, "1.0"sv, "1a"sv, "1\0002"sv,
                                     "18446744073709551616"sv, "99999999999999999999"sv}) {
    EXPECT_EQ(decimal(raw), std::nullopt) << raw;
  }
}

TEST(View, IsNothingOverTooFewBytes) {
  const Octets bytes(7);
  EXPECT_EQ(view_as<be64>(bytes), nullptr);
  EXPECT_EQ(view_as<be64>(Bytes{}), nullptr);
  EXPECT_NE(view_as<be32>(bytes), nullptr);
}

}  // namespace
}  // namespace crosswire::wire
