// day.toml: what is read, and how each fault is named.
#include "app/flow/recorded_day.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "app/config/config.hpp"
#include "tests/app/flow/flow_files.hpp"

namespace crosswire {
namespace {

using test::Folder;
using test::kDay;
using test::with;

/// What the ConfigError says; "" if there is none.
std::string error_of(const std::string& path) {
  try {
    load_day(path);
    return "";
  } catch (const ConfigError& error) {
    return error.what();
  }
}

TEST(DayToml, IsReadWhole) {
  const Folder folder;
  const Day day = load_day(folder.write("day.toml", kDay));
  EXPECT_EQ(day.venue, "Nowhere");
  EXPECT_EQ(day.midnight_epoch_ns, 1'709'164'800'000'000'000);  // date -d 2024-02-29T00:00Z +%s
  EXPECT_EQ(day.symbol, "TST");
  EXPECT_EQ(day.reference, Price{100'000});
  EXPECT_EQ(day.tick_e4, 100u);
  ASSERT_EQ(day.schedule.size(), 4u);
  EXPECT_EQ(day.schedule[1].at_ns, 34'200 * kNsPerSecond);
  EXPECT_EQ(day.schedule[3].phase, Phase::closed);
}

TEST(DayToml, NamesFileLineAndKeyOfEachFault) {
  const Folder folder;
  const auto fault = [&](std::string_view from, std::string_view to) {
    const std::string path = folder.write("day.toml", with(std::string(kDay), from, to));
    return with(error_of(path), path, "FILE");
  };
  EXPECT_EQ(fault("venue", "place"),
            "FILE:1: place: unknown key; known here: venue, date, symbol, reference_price_e4, tick_e4, phase");
  EXPECT_EQ(fault("date = 2024-02-29\n", ""), "FILE:1: date: missing; give a date without quotes, as 2023-02-07");
  EXPECT_EQ(fault("2024-02-29", "\"2024-02-29\""),
            "FILE:2: date: is a string; give a date without quotes, as 2023-02-07");
  EXPECT_EQ(fault("\"TST\"", "\"TOO LONG A NAME\""),
            "FILE:3: symbol: \"TOO LONG A NAME\" cannot be a symbol; give 1 to 8 printable ASCII characters");
  EXPECT_EQ(fault("100000", "100050"),
            "FILE:4: reference_price_e4: 100050 is not a multiple of tick_e4 = 100; give 100000 or correct tick_e4");
  EXPECT_EQ(fault("tick_e4 = 100", "tick_e4 = 0"), "FILE:5: tick_e4: 0 is out of range; give 1 .. 1999999900");
  EXPECT_EQ(fault("\"09:30:00.000\"", "\"9:30\""),
            "FILE:10: phase.at: \"9:30\" is no time of day; give a time of day in quotes, as \"09:15:00\" or "
            "\"09:15:00.000\"");
  EXPECT_EQ(
      fault("\"09:30:00.000\"", "\"-1d 20:00:00\"").find("FILE:10: phase.at: \"-1d 20:00:00\" is no time of day; "),
      0u);
  EXPECT_EQ(fault("\"09:30:00.000\"", "\"08:30:00\""),
            "FILE:10: phase.at: is before the phase above; put the phases in the order of their times");
  EXPECT_EQ(fault("\"09:30:00.000\"", "\"09:00:00\""),
            "FILE:10: phase.at: the phase above has the same time and symbol; keep one of the two");
  EXPECT_EQ(fault("state = \"continuous\"", "symbol = \"TST\""),
            "FILE:11: phase.symbol: unknown key; known here: at, state");
  EXPECT_EQ(
      fault("\"continuous\"", "\"trading\""),
      "FILE:11: phase.state: \"trading\" is unknown; give one of pre_open, opening_call, continuous, closing_call, "
      "closed, halted, intraday_call");
  EXPECT_EQ(fault("state = \"closed\"", "stat = \"closed\""),
            "FILE:17: phase.stat: unknown key; known here: at, state");
  EXPECT_EQ(fault("tick_e4 =", "tick_e4").substr(0, 15), "FILE:5: syntax:");
}

TEST(DayToml, IsNoFolder) {
  const Folder folder;
  EXPECT_EQ(
      error_of(folder.file("")),
      folder.file("") + ":1: file: cannot be read: Is a directory; give the path of a TOML file that you may read");
}

}  // namespace
}  // namespace crosswire
