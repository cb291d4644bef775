// OUCH 5.0 options: reading every malformed shape, writing within bounds.
#include "netstack/wire/ouch_options.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "netstack/wire/ouch.hpp"
#include "tests/netstack/wire/message_text.hpp"

namespace crosswire::wire::ouch {
namespace {

using test::from_hex;
using test::Octets;

struct Outcome {
  std::vector<Tag> tags;  // read before the end or the fault
  OptionFault fault;
};

Outcome read_all(const Octets& options, TagSet allowed) {
  Outcome outcome{};
  OptionReader reader(options, allowed);
  while (reader.next()) outcome.tags.push_back(reader.option().tag);
  EXPECT_FALSE(reader.next()) << "an end is an end";
  outcome.fault = reader.fault();
  return outcome;
}

Outcome read_all(std::string_view hex, TagSet allowed = EnterOrder::kTags) { return read_all(from_hex(hex), allowed); }

using Tags = std::vector<Tag>;

TEST(OptionReader, ReadsTheExamplesOfTheSpecification) {
  const Octets options = from_hex("021c05 05024c494d45");
  OptionReader reader(options, EnterOrder::kTags);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.option().tag, Tag::user_ref_idx);
  EXPECT_EQ(reader.option().number(), 5u);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.option().tag, Tag::firm);
  EXPECT_EQ(reader.option().text(), "LIME");
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.fault(), OptionFault::none);
}

TEST(OptionReader, ReadsNumbersOfEveryWidth) {
  const Octets options = from_hex("0318abcd 050f00015180 09090000000100000002 0507ffffffff 020650");
  OptionReader reader(options, EnterOrder::kTags);
  for (const std::uint64_t number : {0xabcdull, 86'400ull, 0x1'0000'0002ull, 0xffffffffull, 0x50ull}) {
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.option().number(), number);
  }
  EXPECT_EQ(reader.option().letter(), 'P');
}

TEST(OptionReader, HasNothingToSayOfAnEmptyAppendage) {
  const Outcome outcome = read_all("");
  EXPECT_TRUE(outcome.tags.empty());
  EXPECT_EQ(outcome.fault, OptionFault::none);
}

TEST(OptionReader, StopsAtALengthByteOfZero) {
  EXPECT_EQ(read_all("00").fault, OptionFault::bad_length);
  const Outcome outcome = read_all("021c05 00 021c06");
  EXPECT_EQ(outcome.tags, Tags{Tag::user_ref_idx});
  EXPECT_EQ(outcome.fault, OptionFault::bad_length);
}

TEST(OptionReader, StopsAtAnOptionThatEndsBehindTheAppendage) {
  for (const std::string_view hex : {"02", "021c", "ff", "05024c494d", "0502", "05"}) {
    const Outcome outcome = read_all(hex);
    EXPECT_TRUE(outcome.tags.empty()) << hex;
    EXPECT_EQ(outcome.fault, OptionFault::truncated) << hex;
  }
  EXPECT_EQ(read_all("021c05 05024c494d").fault, OptionFault::truncated);
}

TEST(OptionReader, StopsAtAValueOfTheWrongLength) {
  for (const std::string_view hex :
       {"011c", "031c0005", "04024c494d", "06024c494d4520", "0102", "091800000000000005"}) {
    const Outcome outcome = read_all(hex);
    EXPECT_TRUE(outcome.tags.empty()) << hex;
    EXPECT_EQ(outcome.fault, hex[0] == '0' && hex[1] == '9' ? OptionFault::truncated : OptionFault::wrong_length)
        << hex;
  }
}

TEST(OptionReader, TellsATagThatDoesNotExistFromOneThatTheMessageDoesNotTake) {
  for (const std::string_view hex : {"020041", "020841", "021341", "021441", "021541", "021d41", "022041", "02ff41"}) {
    EXPECT_EQ(read_all(hex).fault, OptionFault::unknown_tag) << hex;
  }
  EXPECT_EQ(read_all("021b42", EnterOrder::kTags).fault, OptionFault::not_allowed);
  EXPECT_EQ(read_all("021b42", ReplaceOrder::kTags).fault, OptionFault::none);
  EXPECT_EQ(read_all("05024c494d45", CancelOrder::kTags).fault, OptionFault::not_allowed);
  EXPECT_EQ(read_all("021c05", TagSet{}).fault, OptionFault::not_allowed);
}

TEST(OptionReader, TakesTagsOfOursFrom128On) {
  const Outcome outcome = read_all("021c05 028059", EnterOrder::kTags);
  EXPECT_EQ(outcome.tags, (Tags{Tag::user_ref_idx, Tag::stay_on_disconnect}));
  EXPECT_EQ(outcome.fault, OptionFault::none);
  EXPECT_EQ(read_all("028059 02804e", ReplaceOrder::kTags).fault, OptionFault::repeated);
  EXPECT_EQ(read_all("028059", CancelOrder::kTags).fault, OptionFault::not_allowed);
  for (const std::string_view hex : {"026041", "027f41", "028341", "029f41", "02a041"})
    EXPECT_EQ(read_all(hex, EnterOrder::kTags).fault, OptionFault::unknown_tag) << hex;
  for (unsigned number = 0; number < 256; ++number) {
    const std::size_t place = place_of(static_cast<Tag>(number));
    EXPECT_TRUE(place == 0 || tag_at(place) == static_cast<Tag>(number)) << number;
  }
}

TEST(OptionReader, StopsAtATagThatWasThereBefore) {
  const Outcome outcome = read_all("021c05 020650 021c05");
  EXPECT_EQ(outcome.tags, (Tags{Tag::user_ref_idx, Tag::price_type}));
  EXPECT_EQ(outcome.fault, OptionFault::repeated);
}

TEST(OptionReader, TakesExactlyTheTagsOfEachMessage) {
  const auto check = []<class M>() {
    for (unsigned number = 0; number < 256; ++number) {
      const Tag tag = static_cast<Tag>(number);
      const std::size_t length = value_length(tag_info(tag).kind);
      Octets option(2 + length);
      option[0] = static_cast<std::uint8_t>(1 + length);
      option[1] = static_cast<std::uint8_t>(number);
      const OptionFault expected = M::kTags.contains(tag) ? OptionFault::none
                                   : length == 0          ? OptionFault::unknown_tag
                                                          : OptionFault::not_allowed;
      ASSERT_EQ(read_all(option, M::kTags).fault, expected) << M::kName << ' ' << number;
    }
  };
  test::for_each_inbound(check);
  test::for_each_outbound(check);
}

TEST(OptionReader, StaysWithinRandomBytes) {
  test::Random random;
  for (int i = 0; i < 300'000; ++i) {
    // Small numbers, so that lengths and tags are often right. The vector is of exact size: a sanitizer sees any
    // excess.
    Octets noise = random.octets(random.below(24));
    for (std::uint8_t& octet : noise) octet = static_cast<std::uint8_t>(octet % (random.chance() ? 8 : 30));
    OptionReader reader(noise, EnterOrder::kTags);
    std::size_t seen = 0;
    for (; reader.next(); seen += 2 + reader.option().value.size()) {
      const Bytes value = reader.option().value;
      ASSERT_GE(value.data(), noise.data());
      ASSERT_LE(value.data() + value.size(), noise.data() + noise.size());
    }
    ASSERT_EQ(reader.fault() == OptionFault::none, seen == noise.size());
  }
}

TEST(OptionWriter, WritesTheLengthAloneWithoutOptions) {
  Octets room(2, 0xEE);
  OptionWriter writer(room);
  EXPECT_EQ(writer.finish(), 2u);
  EXPECT_EQ(test::to_hex(room), "0000");
}

TEST(OptionWriter, WritesEachKindOfValueAsItsTagWants) {
  Octets room(64);
  OptionWriter writer(room);
  EXPECT_TRUE(writer.put<Tag::price_type>('L'));
  EXPECT_TRUE(writer.put<Tag::user_ref_idx>(5));
  EXPECT_TRUE(writer.put<Tag::group_id>(0x0102));
  EXPECT_TRUE(writer.put<Tag::max_floor>(100));
  EXPECT_TRUE(writer.put<Tag::peg_offset>(static_cast<std::uint32_t>(-1)));
  EXPECT_TRUE(writer.put<Tag::discretion_price>(63'0200));
  EXPECT_TRUE(writer.put<Tag::firm>(std::string_view("AB")));
  room.resize(writer.finish());
  EXPECT_EQ(test::to_hex(room),
            "0026"
            "02064c"
            "021c05"
            "03180102"
            "050500000064"
            "0507ffffffff"
            "09090000000000099db8"
            "050241422020");
}

TEST(OptionWriter, WritesNothingBeyondItsRoom) {
  for (std::size_t size = 0; size < 11; ++size) {
    Octets room(size + 4, 0xEE);
    OptionWriter writer(std::span<std::uint8_t>(room).first(size));
    const bool first = writer.put<Tag::user_ref_idx>(1);
    const bool second = writer.put<Tag::firm>(std::string_view("LIME"));
    const std::size_t written = writer.finish();
    EXPECT_EQ(first, size >= 5) << size;
    EXPECT_EQ(second, size >= 8 && (size >= 11 || !first)) << size;
    EXPECT_LE(written, size);
    for (std::size_t i = written; i < room.size(); ++i) EXPECT_EQ(room[i], 0xEE) << size << ' ' << i;
  }
}

TEST(OptionWriter, RefusesAValueThatIsNotItsTags) {
  Octets room(64);
  OptionWriter writer(room);
  EXPECT_FALSE(writer.put(Tag::firm, from_hex("4c494d")));
  EXPECT_FALSE(writer.put(static_cast<Tag>(8), from_hex("")));
  EXPECT_FALSE(writer.put(static_cast<Tag>(200), from_hex("00")));
  EXPECT_TRUE(writer.put(Tag::firm, from_hex("4c494d45")));
  EXPECT_EQ(writer.finish(), 8u);
}

TEST(OptionWriter, StopsWhereTheLengthFieldDoes) {
  Octets room(100'000);
  OptionWriter writer(room);
  while (writer.put<Tag::discretion_price>(1)) continue;
  EXPECT_EQ(writer.finish(), 2u + 65'530u);  // 6,553 options of ten bytes
  EXPECT_EQ(overlay<be16>(room.data()), 65'530u);
}

}  // namespace
}  // namespace crosswire::wire::ouch
