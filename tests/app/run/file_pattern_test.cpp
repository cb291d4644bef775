// Patterns of file names: what is refused and how to write it instead, and which name is next.
#include "app/run/file_pattern.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/folder.hpp"

namespace crosswire {
namespace {

TEST(FilePattern, OfKnownLettersInTheFilesNameHasNoFault) {
  for (const char* const pattern : {"day.pcap", "/var/lib/crosswire/%F-%N.pcap", "%N", "100%%-%F.pcap", "a%%b/%N"}) {
    EXPECT_EQ(fault_of_pattern(pattern, false), "") << pattern;
  }
}

TEST(FilePattern, WithALetterThatStandsForNothingIsRefused) {
  EXPECT_EQ(fault_of_pattern("day-%d.pcap", false),
            "day-%d.pcap: %d stands for nothing; %F is the trading date, %N a number, %% a percent sign");
  EXPECT_EQ(fault_of_pattern("100%", false).find("100%: % stands for nothing; "), 0u);
  EXPECT_EQ(fault_of_pattern("%F/%N.pcap", false),
            "%F/%N.pcap: %F is in the name of a folder; write it behind the last /");
  EXPECT_EQ(fault_of_pattern("%N-%N.pcap", false), "%N-%N.pcap: has more than one %N; a name has one number");
}

TEST(FilePattern, OfAProcessThatRollsNeedsANumber) {
  EXPECT_EQ(fault_of_pattern("/a.b/%F-%N.pcap", true), "");
  EXPECT_EQ(fault_of_pattern("%N", true), "");
  EXPECT_EQ(fault_of_pattern("/a.b/day.pcap", true),
            "/a.b/day.pcap: names one file for ever, and the next day could not go on; write /a.b/day-%F-%N.pcap");
  EXPECT_EQ(fault_of_pattern("/a.b/day", true),
            "/a.b/day: names one file for ever, and the next day could not go on; write /a.b/day-%F-%N");
  EXPECT_EQ(fault_of_pattern("%F.pcap", true),
            "%F.pcap: names one file for a date, and a second start on it could not go on; write %F-%N.pcap");
  EXPECT_NE(fault_of_pattern("%%N.pcap", true), "") << "a percent sign and an N are no number";
}

TEST(FilePattern, WithoutANumberNamesTheFileOfTheDate) {
  EXPECT_EQ(file_of("day.pcap", "2026-03-29", 7), "day.pcap");
  EXPECT_EQ(file_of("/nowhere/%F.pcap", "2026-03-29", 7), "/nowhere/2026-03-29.pcap");
  EXPECT_EQ(file_of("a%%b/100%%N-%F%%", "2026-03-29", 7), "a%b/100%N-2026-03-29%");
  EXPECT_FALSE(is_numbered("a%%b/100%%N-%F%%"));
}

TEST(FilePattern, CountsFromOneAboveTheHighestNumberOfItsDate) {
  const test::Folder folder;
  const std::string pattern = folder.file("%F-%N.pcap");
  const auto next = [&](const char* date) {
    const std::string path = file_of(pattern, date, next_number({pattern}, date));
    return path.substr(path.rfind('/') + 1);
  };
  EXPECT_EQ(next("2026-03-29"), "2026-03-29-1.pcap");
  folder.write("2026-03-29-1.pcap", "");
  EXPECT_EQ(next("2026-03-29"), "2026-03-29-2.pcap") << "also where the file is empty";
  folder.write("2026-03-29-9.pcap", "x");
  EXPECT_EQ(next("2026-03-29"), "2026-03-29-10.pcap") << "never back into a gap";
  folder.write("2026-03-29-10.pcap", "x");
  folder.write("2026-03-29-99.pcap.old", "x");
  folder.write("2026-03-29-x9.pcap", "x");
  folder.write("2026-03-29-.pcap", "x");
  EXPECT_EQ(next("2026-03-29"), "2026-03-29-11.pcap");
  EXPECT_EQ(next("2026-03-30"), "2026-03-30-1.pcap");
  folder.write("2026-03-29-20.pcap.part", "x");
  EXPECT_EQ(next("2026-03-29"), "2026-03-29-21.pcap") << "somebody writes it";
}

TEST(FilePattern, HasOneNumberForAllFilesOfADay) {
  const test::Folder folder;
  folder.write("in-3.pcap", "");
  folder.write("r-1.json", "");
  EXPECT_EQ(next_number({folder.file("in-%N.pcap"), "", folder.file("r-%N.json")}, ""), 4u);
  EXPECT_EQ(next_number({"", "day.pcap"}, ""), 1u);
}

TEST(FilePattern, KnowsTheNumbersThatThereAreHoweverFarApart) {
  const test::Folder folder;
  const std::string pattern = folder.file("%F-%N.pcap");
  folder.write("2026-03-29-2.pcap", "");
  folder.write("2026-03-29-9999999999999999.pcap", "");
  folder.write("2026-03-30-5.pcap", "");
  EXPECT_EQ(numbers_of(pattern, "2026-03-29"), (std::set<std::uint64_t>{2, 9'999'999'999'999'999}));
  EXPECT_EQ(numbers_of(pattern, "2026-03-31"), std::set<std::uint64_t>{});
}

TEST(FilePattern, NeverGoesBackToALowNumber) {
  const test::Folder folder;
  EXPECT_THROW(next_number({"/nowhere/%N.pcap"}, ""), std::runtime_error);
  folder.write("18446744073709551615", "");
  EXPECT_THROW(next_number({folder.file("%N")}, ""), std::runtime_error);
}

}  // namespace
}  // namespace crosswire
