// The tables of counters, all together: their labels, and that docs/monitoring.md has just what they say.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "app/figures/figures.hpp"
#include "app/run/stall_monitor.hpp"
#include "netstack/port/counters.hpp"

namespace crosswire {
namespace {

constexpr std::string_view kMark = "<!-- counters: made by `CROSSWIRE_WRITE_DOCS=1 meson test -C build counters` -->\n";
constexpr std::string_view kEndMark = "<!-- end of counters -->\n";

/// Calls visit(stage, table) with every table there is, in the order of the figures.
template <class Visit>
void each_table(Visit visit) {
  visit("port", kDeviceCounters);
  visit("port", kRecorderCounters);
  visit("control", kStallCounters);
  visit("port", kCaptureCounters);
  each_stage_counters([&](std::string_view stage, const auto& table, auto) { visit(stage, table); });
}

std::string table_of_all() {
  std::string text = "| counter | kind | meaning |\n|---|---|---|\n";
  each_table([&](std::string_view stage, const auto& table) {
    for (const auto& row : table) {
      text += fmt::format("| {}/{} | {} | {} |\n", stage, row.label,
                          kCounterKindNames[static_cast<std::size_t>(row.kind)], row.meaning);
    }
  });
  return text;
}

TEST(CounterTables, HaveLabelsThatAreUniqueWordsAndMeaningsWithoutAFullStop) {
  std::set<std::string> seen;
  each_table([&](std::string_view stage, const auto& table) {
    for (const auto& row : table) {
      EXPECT_TRUE(seen.insert(fmt::format("{}/{}", stage, row.label)).second) << stage << " " << row.label;
      EXPECT_EQ(row.label.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos) << row.label;
      EXPECT_NE(row.meaning.back(), '.') << row.label;
      EXPECT_EQ(row.meaning.find('|'), std::string_view::npos) << row.label << ": the docs put it into a table";
    }
  });
  EXPECT_GT(seen.size(), 100u);
}

TEST(CounterTables, AreWhatTheDocsSayOfThem) {
  const std::string path = std::string(CROSSWIRE_SOURCE_ROOT) + "/docs/monitoring.md";
  std::ostringstream read;
  read << std::ifstream(path).rdbuf();
  const std::string docs = read.str();
  const std::size_t begin = docs.find(kMark);
  const std::size_t end = docs.find(kEndMark);
  ASSERT_TRUE(begin < end && end != std::string::npos) << path << " has lost the marks around its table of counters";
  const std::size_t first = begin + kMark.size();
  const std::string made = table_of_all();
  if (std::getenv("CROSSWIRE_WRITE_DOCS") != nullptr) {
    std::ofstream(path) << docs.substr(0, first) << made << docs.substr(end);
    return;
  }
  EXPECT_EQ(docs.substr(first, end - first), made)
      << "refresh it with: CROSSWIRE_WRITE_DOCS=1 meson test -C build counters";
}

}  // namespace
}  // namespace crosswire
