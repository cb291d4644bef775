// The page of `crosswire top`: what it shows of made-up figures, and in how much room.
#include "app/top/page.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/app/top/top_rig.hpp"

namespace crosswire {
namespace {

using test::expect_words;
using test::kAll;

TopFigures figures(std::int64_t uptime_ms, std::int64_t orders) {
  TopPartition day;
  day.name = "day";
  day.totals = {{"orders", orders}, {"executions", orders / 2}, {"memory_hugepages", 1}};
  day.stages = {{"match/core", 3},       {"match/polls", 1'000 * uptime_ms},     {"match/working_polls", orders / 4},
                {"match/items", orders}, {"match/busy_ns", 500'000 * uptime_ms}, {"publish/core", -1}};
  day.rings = {{"commands/match/waiting", 7}, {"commands/match/most_waiting", 90}, {"commands/match/capacity", 4'096}};
  day.drops = {{"receive/ip_checksum", orders / 100}, {"receive/ip_short", 0}};
  day.latency = {{"in_the_box/count", orders}, {"in_the_box/p50", 480}, {"in_the_box/p99", 900}};
  day.box = {{"511", 9 * orders / 10}, {"1023", orders / 10}};
  return {"1.2.3", uptime_ms, {day}};
}

std::string line_with(const std::string& page, const std::string& what) {
  const std::size_t at = page.find(what);
  if (at == std::string::npos) return "";
  const std::size_t begin = page.rfind('\n', at) + 1;
  return page.substr(begin, page.find('\n', at) - begin);
}

TEST(TopPage, ShowsRatesSinceTheStartOnItsFirstPage) {
  const std::string page = top_page(figures(2'000, 1'000), nullptr, kAll);
  expect_words(line_with(page, "crosswire 1.2.3"), {"0:00:02", "since the day began"});
  expect_words(line_with(page, "orders      "), {"1000 (500/s)", "executions 500 (250/s)"});
  expect_words(line_with(page, "match "), {" 3 ", "50.0 %", "1000000", "500", "4.0", "7 of 4096, most 90"});
  expect_words(line_with(page, "publish "), {"any"});
  expect_words(line_with(page, "dropped"), {"receive/ip_checksum", "10"});
  EXPECT_EQ(page.find("ip_short"), std::string::npos) << "a drop that did not happen";
  expect_words(line_with(page, "noticed"), {"nothing"});
}

TEST(TopPage, ShowsOfLongListsHowManyItLeavesOutAndOnRequestAll) {
  TopFigures now = figures(2'000, 1'000);
  TopPartition& day = now.partitions[0];
  for (int i = 0; i < 67; ++i) day.sessions.push_back({"u" + std::to_string(i), "", 0, 0, 1, 1});
  for (int i = 0; i < 9; ++i) day.books.push_back({"S" + std::to_string(i), "continuous", 0, 0, 0, 0, 0, i});
  day.totals.emplace_back("accounts", 300);  // of which 67 were asked for
  std::string page = top_page(now, nullptr, kAll);
  expect_words(page, {"and 284 more; crosswire top --once shows all", "and 1 more; crosswire top --once shows all"});
  EXPECT_EQ(page.find("u16 "), std::string::npos);
  day.totals.back().second = 67;
  page = top_page(now, nullptr, kAll, "", TopLists::whole);
  expect_words(page, {"u0 ", "u16 ", "u66 ", "S0 ", "S8 "});
  EXPECT_EQ(page.find(" more"), std::string::npos) << page;
}

TEST(TopPage, ShowsTheDayItsPhaseTheNextOneAndHowFullTheTablesAre) {
  TopFigures now = figures(2'000, 1'000);
  TopPartition& day = now.partitions[0];
  EXPECT_EQ(line_with(top_page(now, nullptr, kAll), "day      "), "") << "an appliance that does not tell";
  day.date = "2026-01-31";
  day.phase = "continuous 7, halted 1";
  day.next_phase = "closing_call at 2026-01-31 14:57:00";
  day.totals.insert(day.totals.end(), {{"live_orders", 5},
                                       {"live_orders_limit", 1'000},
                                       {"price_levels", 3},
                                       {"price_levels_limit", 100},
                                       {"price_nodes", 7},
                                       {"price_nodes_limit", 200},
                                       {"sessions_logged_in", 2},
                                       {"accounts", 4}});
  const std::string page = top_page(now, nullptr, kAll);
  EXPECT_EQ(line_with(page, "day      "),
            "day         2026-01-31  phase continuous 7, halted 1  next closing_call at 2026-01-31 14:57:00");
  EXPECT_EQ(line_with(page, "tables"), "tables      live orders 5 of 1000  price levels 3 of 100  price nodes 7 of 200  sessions 2 of 4");
  const std::string low = top_page(now, nullptr, {.rows = 5, .columns = 200});
  EXPECT_NE(low.find("more lines: a taller terminal, or crosswire top --once"), std::string::npos) << low;
  EXPECT_EQ(std::count(low.begin(), low.end(), '\n'), 5);
  day.next_phase = "";
  expect_words(line_with(top_page(now, nullptr, kAll), "day      "), {"next none"});
}

TEST(TopPage, SaysOfWhichDropsNobodyKnowsHowMany) {
  TopFigures now = figures(2'000, 1'000);
  now.partitions[0].unknown_drops = {"port/rx_missed"};
  std::string page = top_page(now, nullptr, kAll);
  expect_words(line_with(page, "port/rx_missed"), {"not known"});
  expect_words(line_with(page, "dropped"), {"receive/ip_checksum", "10"});
  now.partitions[0].drops.clear();
  page = top_page(now, nullptr, kAll);
  expect_words(line_with(page, "dropped"), {"port/rx_missed", "not known"});
}

TEST(TopPage, ShowsRatesAndPercentilesSinceThePageBefore) {
  TopFigures before = figures(2'000, 1'000);
  TopFigures now = figures(4'000, 1'100);
  // Of the hundred since, half are slow; of all eleven hundred only a few.
  now.partitions[0].box = {{"511", 950}, {"1023", 100}, {"2047", 50}};
  const std::string page = top_page(now, &before, kAll);
  expect_words(line_with(page, "crosswire 1.2.3"), {"of the last 2.0 s"});
  expect_words(line_with(page, "orders      "), {"1100 (50/s)"});
  expect_words(line_with(page, "in the box"), {"1100", "480", "900"});
  expect_words(line_with(page, "since last"), {"100", "511", "2047"});
  expect_words(line_with(page, "dropped"), {"11", "0/s"});
}

TEST(TopPage, BeginsAnewWhenTheApplianceWasStartedAnew) {
  const TopFigures before = figures(60'000, 50'000);
  const std::string page = top_page(figures(1'000, 10), &before, kAll);
  expect_words(line_with(page, "crosswire 1.2.3"), {"since the day began"});
  expect_words(line_with(page, "orders      "), {"10 (10/s)"});
}

TEST(TopPage, ShowsRatesOfTheNewDayWhereOneHasBegunSinceThePageBefore) {
  TopFigures before = figures(100'000, 50'000);
  TopFigures now = figures(102'000, 30);
  before.partitions[0].order_session = "O1";
  now.partitions[0].order_session = "O2";
  now.partitions[0].totals.emplace_back("day_ms", 1'500);
  const std::string page = top_page(now, &before, kAll);
  expect_words(line_with(page, "orders      "), {"30 (20/s)", "executions 15 (10/s)"});
}

TEST(TopPage, ShowsTheLastFiguresAndWhyThereAreNoneSince) {
  const std::string page = top_page(figures(2'000, 1'000), nullptr, kAll, "nobody is there");
  EXPECT_EQ(line_with(page, "NO ANSWER"), "NO ANSWER   nobody is there");
  expect_words(line_with(page, "orders      "), {"1000"});
}

TEST(TopPage, SaysWhetherTheRecordingGoesOnWhereThereIsOne) {
  TopFigures now = figures(2'000, 1'000);
  EXPECT_EQ(line_with(top_page(now, nullptr, kAll), "recording"), "");
  now.partitions[0].totals.emplace_back("recording", 1);
  EXPECT_EQ(line_with(top_page(now, nullptr, kAll), "recording"), "recording   goes on");
  now.partitions[0].totals.back().second = 0;
  EXPECT_EQ(line_with(top_page(now, nullptr, kAll), "recording"), "recording   broken off; the log says why");
}

TEST(TopPage, ShowsTheClockBesideTheHosts) {
  TopFigures now = figures(2'000, 1'000);
  EXPECT_EQ(line_with(top_page(now, nullptr, kAll), "clock "), "") << "an appliance that does not tell";
  now.clock = {{"offset_ns", -1'234}, {"bound_ns", 2'500}, {"unfollowed_ms", 0}, {"synchronised", 1}};
  EXPECT_EQ(line_with(top_page(now, nullptr, kAll), "clock "), "clock       off -1.23 us, bound 2.50 us, synchronised");
  now.clock = {{"offset_ns", 50}, {"bound_ns", 90}, {"unfollowed_ms", -3'600'000}, {"synchronised", 0}};
  EXPECT_EQ(line_with(top_page(now, nullptr, kAll), "clock "),
            "clock       -3600.000 s NOT FOLLOWED, off +0.05 us, bound 0.09 us, NOT SYNCHRONISED");
}

TEST(TopPage, KeepsToTheSizeOfTheTerminal) {
  const std::string page = top_page(figures(2'000, 1'000), nullptr, {5, 20});
  EXPECT_EQ(std::count(page.begin(), page.end(), '\n'), 5);
  for (std::size_t at = 0; at < page.size();) {
    const std::size_t end = page.find('\n', at);
    EXPECT_LE(end - at, 20u);
    at = end + 1;
  }
  EXPECT_EQ(top_page(figures(2'000, 1'000), nullptr, {0, 0}), "");
}

}  // namespace
}  // namespace crosswire
