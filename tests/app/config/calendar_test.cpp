// The venue's days: when each begins and ends, what its schedule is, and the one line that each fault of theirs gets.
#include "app/config/calendar.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <string>

#include "app/config/config.hpp"
#include "tests/folder.hpp"

namespace crosswire::calendar_test {
namespace {

constexpr TimeNs kHour = 3'600 * kNsPerSecond;
constexpr auto kWholeDay = static_cast<std::int64_t>(kNsPerDay);

const std::string kRest =
    "[port]\naddress = \"10.99.0.1\"\n[[symbol]]\nname = \"AAA\"\nreference_price_e4 = 10000\ntick_e4 = 100\n"
    "[[account]]\nuser = \"U1\"\npassword = \"p\"\n";

std::string phase(const std::string& at, const std::string& state, const std::string& table = "phase") {
  return "[[" + table + "]]\nat = \"" + at + "\"\nstate = \"" + state + "\"\n";
}
std::string half_day_phase(const std::string& at, const std::string& state) {
  return phase(at, state, "calendar.half_day.phase");
}
std::string zone(const std::string& name) { return "[time]\nzone = \"" + name + "\"\n"; }

/// "2026-03-29 01:00:00" UTC, ns since the Unix epoch.
std::int64_t utc(const std::string& text) {
  const auto number = [&text](std::size_t at) { return std::stoll(text.substr(at, 2)); };
  const std::int64_t days = parse_date(text.substr(0, 10)).value().time_since_epoch().count();
  const std::int64_t second = number(11) * 3600 + number(14) * 60 + number(17);
  return days * kWholeDay + second * static_cast<std::int64_t>(kNsPerSecond);
}

std::int64_t begin_of(const TradingDay& day) { return day.midnight_epoch_ns + static_cast<std::int64_t>(day.begin_ns); }
std::int64_t end_of(const TradingDay& day) { return day.midnight_epoch_ns + static_cast<std::int64_t>(day.end_ns); }

class Days : public ::testing::Test {
 protected:
  Config load(const std::string& text) { return load_config(folder_.write("c.toml", text + kRest), ConfigUse::replay); }
  Calendar calendar(const std::string& text) { return load(text).calendar; }
  TradingDay day(const std::string& text, const std::string& date) { return calendar(text).on(*parse_date(date)); }

  /// The error without the file's path: "LINE: key: what; remedy". "" where there is none.
  std::string error_of(const std::string& text) {
    const std::string path = folder_.write("c.toml", text + kRest);
    try {
      load_config(path, ConfigUse::replay);
    } catch (const ConfigError& error) {
      return std::string(error.what()).substr(path.size() + 1);
    }
    return "";
  }
  void expect_error(const std::string& text, const std::string& begin) {
    const std::string error = error_of(text);
    EXPECT_EQ(error.substr(0, begin.size()), begin) << text;
    EXPECT_NE(error.find("; "), std::string::npos) << error;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }

  test::Folder folder_;
};

// --- days ---

TEST_F(Days, AreEveryDateInUtcUnlessSaid) {
  for (const Calendar& calendar : {Calendar(), this->calendar("")}) {
    const TradingDay day = calendar.day_at(utc("2026-03-29 12:00:00"));
    EXPECT_EQ(day.date, "2026-03-29");
    EXPECT_EQ(day.midnight_epoch_ns, utc("2026-03-29 00:00:00"));
    EXPECT_EQ(day.begin_ns, 0u);
    EXPECT_EQ(day.end_ns, kNsPerDay);
    EXPECT_EQ(day.no_trading, "");
    EXPECT_FALSE(day.phases_written);
    ASSERT_EQ(day.schedule.size(), 1u);
    EXPECT_EQ(day.schedule[0].at_ns, 0u);
    EXPECT_EQ(day.schedule[0].symbol, kAllSymbols);
    EXPECT_EQ(day.schedule[0].phase, Phase::continuous);
    EXPECT_EQ(calendar.after(day).date, "2026-03-30");
  }
}

TEST_F(Days, BeginAtMidnightOfTheZone) {
  const TradingDay day =
      calendar(zone("Asia/Shanghai") + phase("09:15:00", "opening_call")).day_at(utc("2026-01-30 16:00:00"));
  EXPECT_EQ(day.date, "2026-01-31");
  EXPECT_EQ(day.midnight_epoch_ns, utc("2026-01-30 16:00:00"));
  EXPECT_EQ(day.end_ns, 24 * kHour);
  EXPECT_EQ(day.schedule[0].at_ns, 9 * kHour + kHour / 4);
  EXPECT_TRUE(day.phases_written);
  EXPECT_EQ(local_time(day, day.schedule[0].at_ns), "2026-01-31 09:15:00");
  EXPECT_EQ(calendar(zone("+08:00")).day_at(utc("2026-01-30 15:59:59")).date, "2026-01-30");
}

TEST_F(Days, Have23HoursWhereTheClockIsSetForward) {
  const std::string phases = phase("01:59:59", "pre_open") + phase("02:15:00", "opening_call") +
                             phase("02:30:00", "continuous") + phase("09:00:00.5", "closed");
  for (const auto& [name, date] : {std::pair("Europe/Berlin", "2026-03-29"), {"America/New_York", "2026-03-08"}}) {
    const TradingDay day = this->day(zone(name) + phases, date);
    EXPECT_EQ(day.end_ns, 23 * kHour) << name;
    ASSERT_EQ(day.schedule.size(), 4u);
    EXPECT_EQ(day.schedule[0].at_ns, 2 * kHour - kNsPerSecond);
    EXPECT_EQ(day.schedule[1].at_ns, 2 * kHour) << "at the jump, as the file has them";
    EXPECT_EQ(day.schedule[2].at_ns, 2 * kHour);
    EXPECT_EQ(day.schedule[2].phase, Phase::continuous);
    EXPECT_EQ(day.schedule[3].at_ns, 8 * kHour + kNsPerSecond / 2);
    EXPECT_EQ(local_time(day, 2 * kHour), date + std::string(" 03:00:00"));
  }
}

TEST_F(Days, Have25HoursWhereItIsSetBackAndTheFirstOfTwoTimesCounts) {
  const struct {
    const char *zone, *date, *twice;
  } changes[] = {{"Europe/Berlin", "2026-10-25", "02:30:00"}, {"America/New_York", "2026-11-01", "01:30:00"}};
  for (const auto& change : changes) {
    const TradingDay day =
        this->day(zone(change.zone) + phase(change.twice, "continuous") + phase("17:00:00", "closed"), change.date);
    EXPECT_EQ(day.end_ns, 25 * kHour) << change.zone;
    EXPECT_EQ(local_time(day, day.schedule[0].at_ns), std::string(change.date) + " " + change.twice);
    EXPECT_EQ(local_time(day, day.schedule[0].at_ns + kHour), std::string(change.date) + " " + change.twice);
    EXPECT_EQ(day.schedule[1].at_ns, 18 * kHour);
    EXPECT_EQ(local_time(day, day.end_ns - 1), std::string(change.date) + " 23:59:59");
  }
}

TEST_F(Days, WhoseMidnightDoesNotExistBeginAtTheJump) {
  const Calendar santiago = calendar(zone("America/Santiago") + phase("00:30:00", "continuous"));
  const TradingDay day = santiago.on(*parse_date("2026-09-06"));
  EXPECT_EQ(begin_of(day), utc("2026-09-06 04:00:00"));
  EXPECT_EQ(day.midnight_epoch_ns, begin_of(day));
  EXPECT_EQ(local_time(day, 0), "2026-09-06 01:00:00");
  EXPECT_EQ(day.end_ns, 23 * kHour);
  EXPECT_EQ(day.schedule[0].at_ns, 0u);
  EXPECT_EQ(santiago.day_at(utc("2026-09-06 03:59:59")).date, "2026-09-05");
  EXPECT_EQ(santiago.day_at(utc("2026-09-06 04:00:00")).date, "2026-09-06");
}

TEST_F(Days, WhoseMidnightExistsTwiceBeginAtTheFirst) {
  const Calendar havana = calendar(zone("America/Havana"));
  const TradingDay day = havana.on(*parse_date("2026-11-01"));
  EXPECT_EQ(begin_of(day), utc("2026-11-01 04:00:00"));
  EXPECT_EQ(day.end_ns, 25 * kHour);
  // In the Azores of 1992 the clock was set back over midnight: the old date came again.
  const Calendar azores = calendar(zone("Atlantic/Azores"));
  const TradingDay sunday = azores.on(*parse_date("1992-09-27"));
  EXPECT_EQ(azores.day_at(begin_of(sunday)).date, "1992-09-27");
  EXPECT_EQ(azores.day_at(begin_of(sunday) - 1).date, "1992-09-26");
}

TEST_F(Days, ThatTheZoneLeapsOverAreNone) {
  const Calendar apia = calendar(zone("Pacific/Apia") + phase("09:00:00", "continuous"));
  const TradingDay before = apia.on(*parse_date("2011-12-29"));
  EXPECT_EQ(before.end_ns, 24 * kHour);
  EXPECT_EQ(apia.after(before).date, "2011-12-31");
  const TradingDay leapt = apia.on(*parse_date("2011-12-30"));
  EXPECT_EQ(leapt.begin_ns, leapt.end_ns);
}

TEST_F(Days, EndBehindTheirLastPhaseEvenIfTheClockLeapsOverBoth) {
  const TradingDay day =
      this->day(zone("Asia/Pyongyang") + phase("09:00:00", "continuous") + phase("23:45:00", "closed"), "2018-05-04");
  EXPECT_EQ(day.end_ns, 23 * kHour + kHour / 2);
  EXPECT_EQ(day.schedule[1].at_ns, day.end_ns - 1);
}

// --- which trade, and how ---

TEST_F(Days, MayBeginTheEveningBefore) {
  const Calendar calendar = this->calendar(zone("America/New_York") + "[calendar]\n" +
                                           phase("-1d 18:00:00", "continuous") + phase("17:00:00", "closed"));
  // The clock was set forward on that Sunday, so that it showed 18:00 after 17 hours.
  const TradingDay monday = calendar.day_at(utc("2026-03-08 22:00:00"));
  EXPECT_EQ(monday.date, "2026-03-09");
  EXPECT_EQ(monday.midnight_epoch_ns, utc("2026-03-08 05:00:00"));
  EXPECT_EQ(monday.begin_ns, 17 * kHour);
  EXPECT_EQ(monday.end_ns, 41 * kHour);
  ASSERT_EQ(monday.schedule.size(), 2u);
  EXPECT_EQ(monday.schedule[0].at_ns, 17 * kHour);
  EXPECT_EQ(monday.schedule[1].at_ns, 40 * kHour);
  EXPECT_EQ(local_time(monday, 40 * kHour), "2026-03-09 17:00:00");

  const TradingDay sunday = calendar.day_at(utc("2026-03-08 22:00:00") - 1);
  EXPECT_EQ(sunday.date, "2026-03-08");
  EXPECT_EQ(sunday.no_trading, "Sunday");
  EXPECT_EQ(sunday.begin_ns, 0u);
  EXPECT_EQ(sunday.end_ns, 17 * kHour);
  EXPECT_EQ(calendar.on(*parse_date("2026-03-13")).end_ns, 48 * kHour) << "to the midnight before Saturday";
}

TEST_F(Days, WithoutTradingAreClosedFromTheirBeginOn) {
  const Calendar calendar =
      this->calendar("[calendar]\nholidays = [2026-12-25, 2026-12-26]\n" + phase("09:00:00", "continuous"));
  const TradingDay christmas = calendar.day_at(utc("2026-12-25 09:00:00"));
  EXPECT_EQ(christmas.no_trading, "holiday");
  ASSERT_EQ(christmas.schedule.size(), 1u);
  EXPECT_EQ(christmas.schedule[0].at_ns, 0u);
  EXPECT_EQ(christmas.schedule[0].phase, Phase::closed);
  EXPECT_EQ(christmas.schedule[0].symbol, kAllSymbols);
  EXPECT_FALSE(christmas.phases_written);
  EXPECT_EQ(calendar.on(*parse_date("2026-12-26")).no_trading, "holiday") << "a Saturday as well";
  EXPECT_EQ(calendar.on(*parse_date("2026-12-27")).no_trading, "Sunday");
  EXPECT_EQ(calendar.next_trading(christmas)->date, "2026-12-28");
  EXPECT_EQ(calendar.next_trading(calendar.on(*parse_date("2026-12-23")))->date, "2026-12-24");
  EXPECT_EQ(this->calendar(phase("09:00:00", "continuous")).on(*parse_date("2026-12-27")).no_trading, "")
      << "without [calendar] every date trades";
}

TEST_F(Days, OfTheWeekAreThoseThatTheFileNames) {
  const std::string text = "[calendar]\nweekdays = [\"sun\", \"mon\", \"thu\"]\n";
  EXPECT_EQ(day(text, "2026-03-08").no_trading, "");
  EXPECT_EQ(day(text, "2026-03-09").no_trading, "");
  EXPECT_EQ(day(text, "2026-03-10").no_trading, "Tuesday");
  EXPECT_EQ(day(text, "2026-03-12").no_trading, "");
  EXPECT_EQ(day(text, "2026-03-13").no_trading, "Friday");
}

TEST_F(Days, MayBeHalfDaysWithAScheduleOfTheirOwn) {
  const Calendar calendar = this->calendar(
      "[calendar]\n[[calendar.half_day]]\ndates = [2026-12-24, 2026-12-31]\n" +
      half_day_phase("-1d 22:00:00", "opening_call") + half_day_phase("12:00:00", "closed") + "symbol = \"AAA\"\n" +
      "[[calendar.half_day]]\ndates = [2027-01-04]\n" + half_day_phase("10:00:00", "continuous"));
  const TradingDay eve = calendar.on(*parse_date("2026-12-24"));
  EXPECT_EQ(eve.begin_ns, 22 * kHour);
  ASSERT_EQ(eve.schedule.size(), 2u);
  EXPECT_EQ(eve.schedule[1].at_ns, 36 * kHour);
  EXPECT_EQ(eve.schedule[1].symbol, SymbolId{1});
  EXPECT_TRUE(eve.phases_written);
  EXPECT_EQ(calendar.on(*parse_date("2026-12-23")).end_ns, 22 * kHour) << "the next day begins on its evening";
  EXPECT_EQ(calendar.on(*parse_date("2026-12-31")).schedule.size(), 2u);
  EXPECT_EQ(calendar.on(*parse_date("2027-01-04")).schedule[0].at_ns, 10 * kHour);
  EXPECT_EQ(calendar.on(*parse_date("2027-01-05")).schedule[0].phase, Phase::continuous);
}

// --- the one day of midnight ---

TEST_F(Days, AreOneWhereMidnightNamesIt) {
  const Config config = load("[time]\nmidnight = 2026-01-31T00:00:00+08:00\n" + phase("09:15:00", "opening_call"));
  for (const std::int64_t at : {std::int64_t{0}, *config.midnight_epoch_ns, utc("2030-01-01 00:00:00")}) {
    const TradingDay day = config.calendar.day_at(at);
    EXPECT_EQ(day.date, "2026-01-31");
    EXPECT_EQ(day.midnight_epoch_ns, utc("2026-01-30 16:00:00"));
    EXPECT_EQ(day.end_ns, kNsPerDay);
    EXPECT_EQ(day.zone.name(), "+08:00");
  }
  EXPECT_FALSE(config.rolls);
  EXPECT_FALSE(config.calendar.next_trading(config.calendar.day_at(0)).has_value());
  ASSERT_EQ(config.net.schedule.size(), 1u);
  EXPECT_EQ(config.net.schedule[0].at_ns, 9 * kHour + kHour / 4);
}

TEST_F(Days, CountFromThatMidnightWhereTheyBeginTheEveningBefore) {
  const Config config = load("[time]\nmidnight = 2026-01-30T00:00:00Z\n" + phase("-1d 20:00:00", "continuous") +
                             phase("15:00:00", "closed"));
  const TradingDay day = config.calendar.day_at(0);
  EXPECT_EQ(day.date, "2026-01-31");
  EXPECT_EQ(day.midnight_epoch_ns, utc("2026-01-30 00:00:00"));
  EXPECT_EQ(day.begin_ns, 20 * kHour);
  EXPECT_EQ(day.end_ns, 48 * kHour);
  EXPECT_EQ(schedule_end_ns(config), 39 * kHour);
}

TEST_F(Days, FollowEachOtherUnlessTheFileSaysStop) {
  EXPECT_TRUE(load("").rolls);
  EXPECT_TRUE(load("[time]\nat_end = \"roll\"\n").rolls);
  EXPECT_FALSE(load("[time]\nat_end = \"stop\"\n").rolls);
  EXPECT_FALSE(load("[time]\nat_end = \"stop\"\nmidnight = 2026-01-31T00:00:00Z\n").rolls);
}

TEST_F(Days, LingerForThreeSecondsUnlessTheFileSaysElse) {
  EXPECT_EQ(load("").net.linger_ns, 3 * kNsPerSecond);
  EXPECT_EQ(load("[time]\nlinger_s = 0\n").net.linger_ns, 0u);
  EXPECT_EQ(load("[time]\nlinger_s = 3600\n").net.linger_ns, kHour);
  EXPECT_EQ(NetConfig().linger_ns, 0u);
}

TEST_F(Days, BecomeAConfigurationsSchedule) {
  Config config = load("[calendar]\n" + phase("09:15:00", "opening_call"));
  set_day(config, config.calendar.on(*parse_date("2026-03-09")));
  EXPECT_EQ(schedule_end_ns(config), 9 * kHour + kHour / 4);
  set_day(config, config.calendar.on(*parse_date("2026-03-08")));
  ASSERT_EQ(config.net.schedule.size(), 1u);
  EXPECT_EQ(config.net.schedule[0].phase, Phase::closed);
}

// --- faults ---

TEST_F(Days, WithAFaultOfTimeNameItsLine) {
  expect_error(zone("Asia/Shangai"), "2: time.zone: \"Asia/Shangai\" is no zone; did you mean Asia/Shanghai?");
  expect_error("[time]\nzone = 8\n", "2: time.zone: is a whole number; ");
  const std::string midnight = "[time]\nmidnight = 2026-01-31T00:00:00Z\n";
  expect_error(midnight + "zone = \"UTC\"\n", "3: time.zone: midnight is given as well; ");
  expect_error(midnight + "at_end = \"roll\"\n", "3: time.at_end: midnight names the one day that there is; ");
  expect_error(midnight + "[calendar]\n", "3: calendar: time.midnight names the one day that there is; ");
  expect_error("[time]\nat_end = \"go on\"\n", "2: time.at_end: \"go on\" is unknown; ");
  expect_error("[time]\nlinger_s = 3601\n", "2: time.linger_s: 3601 is out of range; ");
}

TEST_F(Days, WithAFaultOfTheCalendarNameItsLine) {
  expect_error("[calendar]\ncolour = 1\n", "2: calendar.colour: unknown key; known here: weekdays, holidays, half_day");
  expect_error("[calendar]\nweekdays = [\"mon\", \"Tue\"]\n",
               "2: calendar.weekdays: \"Tue\" is no weekday; give some of mon");
  expect_error("[calendar]\nweekdays = []\n", "2: calendar.weekdays: is empty; ");
  expect_error("[calendar]\nweekdays = [1]\n", "2: calendar.weekdays: holds a whole number; ");
  expect_error("[calendar]\nholidays = [\n2026-12-25,\n\"2026-12-26\"]\n", "4: calendar.holidays: holds a string; ");
  expect_error("[calendar]\nholidays = [2026-12-25T00:00:00]\n", "2: calendar.holidays: holds a date and time; ");
  expect_error("[calendar]\nholidays = [2026-12-25,\n2026-12-25]\n",
               "3: calendar.holidays: 2026-12-25 is there already, in calendar.holidays; ");
}

TEST_F(Days, WithAFaultOfAHalfDayNameItsLine) {
  const std::string noon = half_day_phase("12:00:00", "closed");
  expect_error("[calendar]\nhalf_day = 1\n", "2: calendar.half_day: is a whole number; write [[calendar.half_day]]");
  expect_error("[calendar]\nholidays = [2026-12-24]\n[[calendar.half_day]]\ndates = [2026-12-24]\n" + noon,
               "4: calendar.half_day.dates: 2026-12-24 is there already, in calendar.holidays; ");
  expect_error("[[calendar.half_day]]\ndates = [2026-12-24]\n" + noon +
                   "[[calendar.half_day]]\ndates = [2026-12-31,\n2026-12-24]\n" + noon,
               "8: calendar.half_day.dates: 2026-12-24 is there already, in calendar.half_day.dates; ");
  expect_error("[[calendar.half_day]]\ndates = [2026-12-26]\n" + noon,
               "2: calendar.half_day.dates: 2026-12-26 is a Saturday, without trading; ");
  expect_error("[[calendar.half_day]]\ndates = [2026-12-24]\n", "1: calendar.half_day.phase: missing; ");
  expect_error("[[calendar.half_day]]\n" + noon, "1: calendar.half_day.dates: missing; ");
  expect_error("[[calendar.half_day]]\ndates = []\n" + noon, "2: calendar.half_day.dates: is empty; ");
  expect_error("[[calendar.half_day]]\ndates = [2026-12-24]\n" + noon + half_day_phase("11:00:00", "closed"),
               "7: calendar.half_day.phase.at: is before the phase above; ");
}

TEST_F(Days, MayNotReachIntoTheNext) {
  const std::string evening = phase("-1d 20:00:00", "continuous");
  EXPECT_EQ(error_of(evening + phase("19:59:59.999999999", "closed")), "");
  expect_error(evening + phase("20:00:00", "closed"), "5: phase.at: the next day has begun, at \"-1d 20:00:00.000\"; ");
  expect_error(phase("09:00:00", "closed") + evening, "5: phase.at: is before the phase above; ");
  expect_error(evening + phase("-1d 20:00:00", "closed"),
               "5: phase.at: the phase above has the same time and symbol; ");
  for (const std::string at : {"-1d", "-1d 24:00:00", "-2d 20:00:00", "-1d  20:00:00", "+1d 20:00:00"}) {
    expect_error(phase(at, "closed"), "2: phase.at: \"" + at + "\" is no time of day; ");
  }
  // No two days of trading follow each other, but for the half day.
  const std::string apart = "[calendar]\nweekdays = [\"mon\", \"wed\", \"thu\"]\nholidays = [2026-03-11]\n";
  expect_error("[calendar]\nweekdays = [\"wed\", \"thu\"]\n" + evening + phase("23:00:00", "closed"),
               "7: phase.at: the next");
  EXPECT_EQ(error_of("[calendar]\nweekdays = [\"mon\", \"wed\"]\n" + evening + phase("23:00:00", "closed")), "");
  const std::string half = "[[calendar.half_day]]\ndates = [2026-03-12]\n";
  const std::string late = phase("21:00:00", "closed");
  expect_error("[calendar]\n" + half + half_day_phase("-1d 20:00:00", "continuous") + late,
               "8: phase.at: the next day has begun, at \"-1d 20:00:00.000\"; ");
  EXPECT_EQ(error_of(apart + half + half_day_phase("-1d 20:00:00", "continuous") + late), "") << "behind a holiday";
  expect_error("[calendar]\n" + half + half_day_phase("20:00:00", "closed") + evening,
               "5: calendar.half_day.phase.at: the next day has begun, at \"-1d 20:00:00.000\"; ");
}

// --- all of them ---

CalendarRules random_rules(std::mt19937_64& random) {
  constexpr std::array kZones = {"UTC",
                                 "Europe/Berlin",
                                 "America/New_York",
                                 "Asia/Shanghai",
                                 "America/Santiago",
                                 "America/Havana",
                                 "Africa/Cairo",
                                 "Pacific/Apia",
                                 "Pacific/Kwajalein",
                                 "Asia/Tehran",
                                 "Australia/Lord_Howe",
                                 "Antarctica/Troll",
                                 "Atlantic/Azores",
                                 "Asia/Pyongyang",
                                 "America/St_Johns",
                                 "Africa/Casablanca",
                                 "Asia/Kathmandu",
                                 "-03:30",
                                 "+14:00"};
  const auto below = [&random](std::uint64_t most) { return static_cast<std::int64_t>(random() % most); };
  // Of one cycle from evening to evening, so that no day reaches into the next.
  const std::int64_t begin_ns = below(3) == 0 ? 0 : -below(24 * 3600) * static_cast<std::int64_t>(kNsPerSecond);
  const auto schedule = [&] {
    std::vector<std::int64_t> times = {begin_ns};
    for (std::int64_t i = below(6); i > 0; --i) times.push_back(begin_ns + below(kNsPerDay));
    std::sort(times.begin(), times.end());
    LocalSchedule phases;
    for (const std::int64_t at_ns : times) phases.push_back({at_ns, kAllSymbols, Phase::continuous});
    return phases;
  };
  CalendarRules rules;
  rules.zone = std::get<Zone>(find_zone(kZones[random() % kZones.size()]));
  if (below(4) != 0) rules.schedule = schedule();
  for (bool& trades : rules.weekdays) trades = below(4) != 0;
  for (int i = 0; i < 2000; ++i) {
    const Date date{std::chrono::days(below(25'000))};
    if (i % 2 == 0) rules.holidays.insert(date);
    if (i % 2 == 1) rules.half_days[date] = schedule();
  }
  return rules;
}

TEST(DaysProperty, EachMomentLiesInOneDayAndTheyFollowEachOther) {
  std::mt19937_64 random(20'261'129);
  for (int i = 0; i < 300; ++i) {
    const Calendar calendar(random_rules(random));
    TradingDay day = calendar.day_at(static_cast<std::int64_t>(random() % (24'000 * kNsPerDay)));
    for (int j = 0; j < 60; ++j) {
      SCOPED_TRACE(calendar.zone().name() + " " + day.date);
      ASSERT_LT(day.begin_ns, day.end_ns);
      ASSERT_LT(day.end_ns, 50 * kHour);
      ASSERT_FALSE(day.schedule.empty());
      TimeNs last_ns = day.begin_ns;
      for (const PhaseChange& change : day.schedule) {
        ASSERT_LE(last_ns, change.at_ns);
        last_ns = change.at_ns;
      }
      ASSERT_LT(last_ns, day.end_ns);
      ASSERT_FALSE(day.phases_written && !day.no_trading.empty());
      const TimeNs inside = day.begin_ns + random() % (day.end_ns - day.begin_ns);
      for (const TimeNs time_ns : {day.begin_ns, inside, day.end_ns - 1}) {
        const TradingDay same = calendar.day_at(day.midnight_epoch_ns + static_cast<std::int64_t>(time_ns));
        ASSERT_EQ(same.date, day.date);
        ASSERT_EQ(begin_of(same), begin_of(day));
      }
      const TradingDay next = calendar.after(day);
      ASSERT_EQ(begin_of(next), end_of(day));
      ASSERT_LT(day.date, next.date);
      day = next;
    }
  }
}

TEST(DaysProperty, DatesReadAsTheyAreWritten) {
  for (int i = 0; i < 47'000; i += 13) {
    const Date date{std::chrono::days(i)};
    ASSERT_EQ(parse_date(format_date(date)), date);
  }
  EXPECT_EQ(format_date(Date{}), "1970-01-01");
  EXPECT_EQ(weekday_name(Date{}), "Thursday");
  for (const std::string bad : {"2026-02-29", "2026-13-01", "2026-00-01", "2026-1-01", "1969-12-31", "2100-01-01",
                                "20260101", "2026-01-01 ", ""}) {
    EXPECT_FALSE(parse_date(bad)) << bad;
  }
}

// ---- Groups and times that are drawn ----

const std::string kGrouped =
    "[port]\naddress = \"10.99.0.1\"\n"
    "[[symbol]]\nname = \"AAA\"\nreference_price_e4 = 10000\ntick_e4 = 100\ngroup = \"tech\"\n"
    "[[symbol]]\nname = \"BBB\"\nreference_price_e4 = 10000\ntick_e4 = 100\n"
    "[[symbol]]\nname = \"CCC\"\nreference_price_e4 = 10000\ntick_e4 = 100\ngroup = \"tech\"\n"
    "[[account]]\nuser = \"U1\"\npassword = \"p\"\n";

void expect_holds(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << '"' << text << "\" does not hold \"" << part << '"';
}

class Groups : public ::testing::Test {
 protected:
  TradingDay day(const std::string& phases, const std::string& date = "2026-03-30") {
    return load(phases).calendar.on(*parse_date(date));
  }
  Config load(const std::string& phases) {
    return load_config(folder_.write("c.toml", time_ + kGrouped + phases), ConfigUse::replay);
  }
  std::string error_of(const std::string& phases) {
    try {
      load(phases);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
  void has_key(const std::string& text = "000102030405060708090a0b0c0d0e0f\n") {
    folder_.write("end.key", text);
    time_ = "[time]\nzone = \"UTC\"\nrandom_key_file = \"end.key\"\n";
  }
  static std::string random_close(const std::string& more = "") {
    return phase("09:00:00", "continuous") + phase("17:00:00", "closing_call") + phase("17:05:00", "closed") +
           "random_seconds = 30\n" + more;
  }

  test::Folder folder_;
  std::string time_;
};

TEST_F(Groups, HavePhasesOfTheirOwnSymbolBySymbol) {
  const TradingDay got = day(phase("09:00:00", "continuous") + phase("16:00:00", "closed") + "group = \"tech\"\n" +
                             phase("16:00:00", "closing_call") + "symbol = \"BBB\"\n" + phase("17:00:00", "closed"));
  ASSERT_EQ(got.schedule.size(), 5u);
  EXPECT_EQ(got.schedule[0].symbol, kAllSymbols);
  EXPECT_EQ(got.schedule[1].symbol, SymbolId{1});
  EXPECT_EQ(got.schedule[2].symbol, SymbolId{3});
  EXPECT_EQ(got.schedule[2].at_ns, 16 * kHour);
  EXPECT_EQ(got.schedule[3].symbol, SymbolId{2});
  EXPECT_EQ(got.schedule[4].symbol, kAllSymbols);
}

TEST_F(Groups, WithAFaultNameItsLine) {
  expect_holds(error_of(phase("09:00:00", "continuous") + "group = \"none\"\n"), "phase.group: \"none\" is unknown");
  expect_holds(error_of(phase("09:00:00", "continuous") + "group = \"tech\"\nsymbol = \"BBB\"\n"),
               "phase.group: symbol is given as well");
  expect_holds(error_of(phase("09:00:00", "continuous") + "group = \"tech\"\n" + phase("09:00:00", "closed") +
                        "symbol = \"CCC\"\n"),
               "phase.at: the phase above has the same time and symbol");
  EXPECT_EQ(error_of(phase("09:00:00", "continuous") + "group = \"tech\"\n" + phase("09:00:00", "closed") +
                     "symbol = \"BBB\"\n"),
            "");
}

TEST_F(Groups, TimesThatAreDrawnLieInTheirWindowAndAreTheSameForOneDate) {
  has_key();
  std::set<TimeNs> drawn;
  for (int i = 0; i < 60; ++i) {
    const std::string date = format_date(*parse_date("2026-03-30") + std::chrono::days(i));
    const TradingDay got = day(random_close(), date);
    ASSERT_EQ(got.schedule.size(), 3u);
    const TimeNs late = got.schedule[2].at_ns - (17 * kHour + 300 * kNsPerSecond);
    EXPECT_LT(late, 30 * kNsPerSecond);
    EXPECT_EQ(late % 1'000'000, 0u);
    EXPECT_EQ(day(random_close(), date).schedule[2].at_ns, got.schedule[2].at_ns) << "a replay draws the same";
    EXPECT_EQ(got.windows[2].from_ns, 17 * kHour + 300 * kNsPerSecond);
    EXPECT_EQ(local_time_of_phase(got, 2), date + " 17:05:00 and up to 30 s later");
    EXPECT_EQ(local_time_of_phase(got, 1), date + " 17:00:00");
    drawn.insert(late);
  }
  EXPECT_GT(drawn.size(), 50u);
  EXPECT_LT(*drawn.begin(), 5 * kNsPerSecond);
  EXPECT_GT(*drawn.rbegin(), 25 * kNsPerSecond);
}

TEST_F(Groups, OfAGroupEnterAtOneDrawnTimeAndTheScheduleStaysInOrder) {
  has_key();
  bool overtaken = false;
  for (int i = 0; i < 60; ++i) {
    const TradingDay got = day(phase("09:00:00", "closed") + "group = \"tech\"\nrandom_seconds = 60\n" +
                                   phase("09:00:30", "closed") + "symbol = \"BBB\"\nrandom_seconds = 60\n",
                               format_date(*parse_date("2026-03-30") + std::chrono::days(i)));
    ASSERT_EQ(got.schedule.size(), 3u);
    EXPECT_TRUE(std::ranges::is_sorted(got.schedule, {}, &PhaseChange::at_ns));
    std::map<std::uint16_t, TimeNs> of;
    for (const PhaseChange& change : got.schedule) of[change.symbol.value] = change.at_ns;
    EXPECT_EQ(of[1], of[3]);
    EXPECT_NE(of[1], of[2]);
    overtaken |= of[2] < of[1];
  }
  EXPECT_TRUE(overtaken);
}

TEST_F(Groups, EachDayHasASeedOfItsOwn) {
  has_key();
  Config config = load("");
  set_day(config, config.calendar.on(*parse_date("2026-03-30")));
  const std::uint64_t first = config.engine.interruption_seed;
  set_day(config, config.calendar.on(*parse_date("2026-03-31")));
  EXPECT_NE(config.engine.interruption_seed, first);
  set_day(config, config.calendar.on(*parse_date("2026-03-30")));
  EXPECT_EQ(config.engine.interruption_seed, first);
}

TEST_F(Groups, AnotherKeyDrawsOtherTimes) {
  has_key();
  const TimeNs before = day(random_close()).schedule[2].at_ns;
  has_key("100102030405060708090a0b0c0d0e0f\n");
  EXPECT_NE(day(random_close()).schedule[2].at_ns, before);
}

TEST_F(Groups, TimesThatAreDrawnNeedAKeyAndRoom) {
  expect_holds(error_of(random_close()), "phase.random_seconds: times are drawn with a key, and there is none");
  expect_holds(error_of("[collars]\ninterruption_random_seconds = 5\n"),
               "collars.interruption_random_seconds: times are drawn with a key, and there is none");
  has_key();
  EXPECT_EQ(error_of("[collars]\ninterruption_random_seconds = 5\n"), "");
  EXPECT_EQ(error_of(random_close()), "");
  EXPECT_EQ(error_of(random_close(phase("17:05:30", "opening_call"))), "");
  expect_holds(error_of(random_close(phase("17:05:29", "opening_call"))),
               "phase.at: the phase above may be entered later, by its random_seconds");
  expect_holds(error_of(phase("-1d 20:00:00", "continuous") + "random_seconds = 5\n"),
               "phase.random_seconds: the day would not begin at one time");
  expect_holds(error_of(phase("09:00:00", "continuous") + "random_seconds = 3601\n"), "phase.random_seconds");
  has_key("0001020304050607\n");
  expect_holds(error_of(random_close()), "end.key holds no key");
  folder_.write("end.key", "000102030405060708090a0b0c0d0e0f\n", 0644);
  expect_holds(error_of(random_close()), "others may read");
}

TEST_F(Groups, ADrawnTimeMayNotReachIntoTheNextDay) {
  has_key();
  expect_holds(error_of(phase("-1d 20:00:00", "continuous") + phase("19:59:50", "closed") + "random_seconds = 30\n"),
               "the next day has begun");
}

}  // namespace
}  // namespace crosswire::calendar_test
