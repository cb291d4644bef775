// The tables of counters, all together: their labels, and that docs/monitoring.md, the alert rules and the dashboard
// have just what they say.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

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
  visit("impaired_rx", kImpairmentCounters);
  visit("impaired_tx", kImpairmentCounters);
  each_stage_counters([&](std::string_view stage, const auto& table, auto) { visit(stage, table); });
}

std::string kind_of(CounterKind kind, Harm harm) {
  const std::string_view name = kCounterKindNames[static_cast<std::size_t>(kind)];
  return fmt::format("{}{}", name, kind == CounterKind::drop && harm == Harm::harmless ? ", harmless" : "");
}

std::string table_of_all() {
  std::string text = "| counter | kind | meaning |\n|---|---|---|\n";
  each_table([&](std::string_view stage, const auto& table) {
    for (const auto& row : table) {
      text += fmt::format("| {}/{} | {} | {} |\n", stage, row.label, kind_of(row.kind, row.harm), row.meaning);
    }
  });
  return text;
}

/// Labels of the drops of that kind.
std::set<std::string> drops_that_are(Harm harm) {
  std::set<std::string> labels;
  each_table([&](std::string_view, const auto& table) {
    for (const auto& row : table) {
      if (row.kind == CounterKind::drop && row.harm == harm) labels.emplace(row.label);
    }
  });
  return labels;
}

std::string file_of(const std::string& name) { return std::string(CROSSWIRE_SOURCE_ROOT) + "/" + name; }

std::string text_of(const std::string& name) {
  std::ostringstream read;
  read << std::ifstream(file_of(name)).rdbuf();
  return read.str();
}

/// With the harmless drops as they are now in each expression on crosswire_dropped_total that picks by a pattern of
/// reasons: reason=~"..." or reason!~"...", in JSON with a backslash before the quotes. `found`: how many there are.
std::string with_harmless_drops(const std::string& text, int& found) {
  std::string pattern;
  for (const std::string& label : drops_that_are(Harm::harmless)) pattern += (pattern.empty() ? "" : "|") + label;
  static const std::regex kPicks(R"((crosswire_dropped_total\{[^}\n]*reason[=!]~\\?")[^"\\]*)");
  found = static_cast<int>(std::distance(std::sregex_iterator(text.begin(), text.end(), kPicks), {}));
  return std::regex_replace(text, kPicks, "$1" + pattern);
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
  const std::string path = file_of("docs/monitoring.md");
  const std::string docs = text_of("docs/monitoring.md");
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

TEST(CounterTables, CallNoDropHarmlessThatIsHarmfulElsewhere) {
  const std::set<std::string> harmful = drops_that_are(Harm::harmful);
  for (const std::string& label : drops_that_are(Harm::harmless)) EXPECT_FALSE(harmful.contains(label)) << label;
  EXPECT_TRUE(harmful.contains("rx_missed"));
}

TEST(CounterTables, AreWhatRulesAndDashboardTakeForHarmless) {
  for (const auto& [name, picks] :
       {std::pair("scripts/monitoring/alerts.yml", 1), std::pair("scripts/monitoring/dashboard.json", 2)}) {
    const std::string text = text_of(name);
    int found = 0;
    const std::string made = with_harmless_drops(text, found);
    EXPECT_EQ(found, picks) << name << " picks drops by their reasons in another number of places";
    if (std::getenv("CROSSWIRE_WRITE_DOCS") != nullptr) {
      std::ofstream(file_of(name)) << made;
      continue;
    }
    EXPECT_TRUE(text == made) << name
                              << " is stale; refresh it with: CROSSWIRE_WRITE_DOCS=1 meson test -C build counters";
  }
}

}  // namespace
}  // namespace crosswire
