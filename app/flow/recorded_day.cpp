// Reading and checking of day.toml. Set-up only.
#include "app/flow/recorded_day.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <system_error>

#include "app/flow/error.hpp"

namespace crosswire {
namespace {

/// "a, b, c". (fmt::join of version 9 does not pass this compiler's warnings.)
template <class Names>
std::string joined(const Names& names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

/// A table of the file, and how to complain of it.
class DayTable {
 public:
  DayTable(const std::string& file, std::string prefix, const toml::table& table,
           std::initializer_list<std::string_view> known)
      : file_(file), prefix_(std::move(prefix)), table_(table) {
    for (const auto& [key, node] : table) {
      if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
      fail(key.source().begin.line, key.str(), "unknown key", fmt::format("known here: {}", joined(known)));
    }
  }

  bool has(std::string_view key) const { return table_.contains(key); }

  [[noreturn]] void reject(std::string_view key, std::string_view what, std::string_view mend) const {
    const toml::node* const node = table_.get(key);
    fail((node == nullptr ? table_.source() : node->source()).begin.line, key, what, mend);
  }

  std::string text(std::string_view key, std::string_view mend) const {
    const std::optional<std::string> value = need(key, mend).value_exact<std::string>();
    if (!value) reject(key, "is no string", mend);
    return *value;
  }

  std::uint32_t price(std::string_view key) const {
    const std::string mend = fmt::format("give a whole number, 1 .. {}, in 1/10000", kMaxPrice.value);
    const std::optional<std::int64_t> value = need(key, mend).value_exact<std::int64_t>();
    if (!value) reject(key, "is no whole number", mend);
    if (*value < 1 || *value > std::int64_t{kMaxPrice.value})
      reject(key, fmt::format("{} is out of range", *value), mend);
    return static_cast<std::uint32_t>(*value);
  }

  toml::date date(std::string_view key) const {
    constexpr std::string_view kMend = "give a date without quotes, as 2023-02-07";
    const std::optional<toml::date> value = need(key, kMend).value_exact<toml::date>();
    if (!value) reject(key, "is no date", kMend);
    if (value->year < 1970 || value->year > 2200) reject(key, "is not in 1970 .. 2200", kMend);
    return *value;
  }

 private:
  const toml::node& need(std::string_view key, std::string_view mend) const {
    const toml::node* const node = table_.get(key);
    if (node == nullptr) reject(key, "missing", mend);
    return *node;
  }

  [[noreturn]] void fail(std::int64_t line, std::string_view key, std::string_view what, std::string_view mend) const {
    throw FlowError(
        fmt::format("{}:{}: {}{}: {}; {}", file_, std::max<std::int64_t>(line, 1), prefix_, key, what, mend));
  }

  const std::string& file_;
  std::string prefix_;
  const toml::table& table_;
};

PhaseChange read_phase(const DayTable& table, const std::vector<PhaseChange>& before) {
  const std::string at = table.text("at", "give a time of day in quotes, as \"09:15:00.000\"");
  const std::optional<TimeNs> time = parse_clock(at);
  if (!time) table.reject("at", fmt::format("\"{}\" is no time of day", at), "give one as \"09:15:00.000\"");
  if (!before.empty() && *time <= before.back().at_ns) {
    table.reject("at", "is not after the phase above", "put the phases in the order of their times");
  }
  const std::string mend = fmt::format("give one of {}", joined(kPhaseNames));
  const std::string state = table.text("state", mend);
  const auto* const found = std::find(kPhaseNames.begin(), kPhaseNames.end(), state);
  if (found == kPhaseNames.end()) table.reject("state", fmt::format("\"{}\" is unknown", state), mend);
  return {*time, kAllSymbols, static_cast<Phase>(found - kPhaseNames.begin())};
}

std::vector<PhaseChange> read_phases(const std::string& path, const DayTable& root, const toml::table& file) {
  std::vector<PhaseChange> schedule;
  if (!root.has("phase")) return schedule;
  constexpr std::string_view kMend = "write [[phase]] above each";
  const toml::array* const phases = file.get_as<toml::array>("phase");
  if (phases == nullptr) root.reject("phase", "is no list of tables", kMend);
  for (const toml::node& node : *phases) {
    if (!node.is_table()) root.reject("phase", "is no list of tables", kMend);
    schedule.push_back(read_phase(DayTable(path, "phase.", *node.as_table(), {"at", "state"}), schedule));
  }
  return schedule;
}

toml::table parse_file(const std::string& path) {
  std::error_code error;  // what cannot be looked at cannot be opened either
  std::ifstream in(path, std::ios::binary);
  if (!in.is_open() || std::filesystem::is_directory(path, error)) {
    throw FlowError(fmt::format("{}:1: file: cannot be read; give the path of a day.toml that you may read", path));
  }
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& fault) {
    throw FlowError(
        fmt::format("{}:{}: syntax: {}; write it as TOML 1.0", path, fault.source().begin.line, fault.description()));
  }
}

}  // namespace

Day load_day(const std::string& path) {
  const toml::table file = parse_file(path);
  const DayTable root(path, "", file, {"venue", "date", "symbol", "reference_price_e4", "tick_e4", "phase"});
  Day day{};
  if (root.has("venue")) day.venue = root.text("venue", "give its name");

  const toml::date date = root.date("date");
  const std::chrono::sys_days midnight{std::chrono::year{date.year} / std::chrono::month{date.month} /
                                       std::chrono::day{date.day}};
  day.midnight_epoch_ns = std::chrono::nanoseconds(midnight.time_since_epoch()).count();

  constexpr std::string_view kSymbol = "give 1 to 8 printable ASCII characters";
  day.symbol = root.text("symbol", kSymbol);
  const bool printable = std::all_of(day.symbol.begin(), day.symbol.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (day.symbol.empty() || day.symbol.size() > 8 || !printable) {
    root.reject("symbol", fmt::format("\"{}\" cannot be a symbol", day.symbol), kSymbol);
  }
  day.tick_e4 = root.price("tick_e4");
  day.reference = Price{root.price("reference_price_e4")};
  if (day.reference.value % day.tick_e4 != 0) {
    root.reject("reference_price_e4", fmt::format("{} is not a multiple of tick_e4", day.reference.value),
                "mend one of the two");
  }
  day.schedule = read_phases(path, root, file);
  return day;
}

std::optional<TimeNs> parse_clock(std::string_view text) {
  constexpr std::string_view kPattern = "dd:dd:dd.ddddddddd";
  if (text.size() < 8 || text.size() == 9 || text.size() > kPattern.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kPattern[i] == 'd' ? !digit : text[i] != kPattern[i]) return std::nullopt;
  }
  const auto two = [text](std::size_t at) { return static_cast<TimeNs>((text[at] - '0') * 10 + (text[at + 1] - '0')); };
  if (two(0) > 23 || two(3) > 59 || two(6) > 59) return std::nullopt;
  TimeNs time_ns = (two(0) * 3600 + two(3) * 60 + two(6)) * kNsPerSecond;
  TimeNs digit_ns = kNsPerSecond / 10;
  for (std::size_t i = 9; i < text.size(); ++i, digit_ns /= 10)
    time_ns += static_cast<TimeNs>(text[i] - '0') * digit_ns;
  return time_ns;
}

std::string format_clock(TimeNs time_ns) {
  const TimeNs seconds = time_ns / kNsPerSecond;
  const TimeNs fraction = time_ns % kNsPerSecond;
  const std::string clock = fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (fraction % 1'000'000 == 0) return fmt::format("{}.{:03}", clock, fraction / 1'000'000);
  return fmt::format("{}.{:09}", clock, fraction);
}

}  // namespace crosswire
