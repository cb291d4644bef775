// Symbols and phases: see the header.
#include "app/config/market.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

namespace crosswire::config_file {
namespace {

/// "HH:MM:SS" with up to nine digits of a fraction, below 24 h.
std::optional<TimeNs> parse_time_of_day(std::string_view text) {
  if (text.size() < 8 || text.size() == 9 || text.size() > 18) return std::nullopt;
  constexpr std::string_view kPattern = "dd:dd:dd.ddddddddd";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool fits = kPattern[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == kPattern[i];
    if (!fits) return std::nullopt;
  }
  const auto two = [text](std::size_t at) { return TimeNs(text[at] - '0') * 10 + TimeNs(text[at + 1] - '0'); };
  if (two(0) > 23 || two(3) > 59 || two(6) > 59) return std::nullopt;
  TimeNs time = ((two(0) * 60 + two(3)) * 60 + two(6)) * kNsPerSecond;
  TimeNs unit = kNsPerSecond / 10;
  for (std::size_t i = 9; i < text.size(); ++i, unit /= 10) time += TimeNs(text[i] - '0') * unit;
  return time;
}

Phase read_phase(const Section& section) {
  const std::string mend = fmt::format("give one of {}", joined(kPhaseNames));
  const std::string state = section.text("state", mend);
  const auto* found = std::find(kPhaseNames.begin(), kPhaseNames.end(), state);
  if (found == kPhaseNames.end()) section.reject("state", fmt::format("\"{}\" is unknown", state), mend);
  return static_cast<Phase>(found - kPhaseNames.begin());
}

/// Times never fall, and at one time a symbol enters one phase.
void check_rising(const Section& section, const std::vector<PhaseChange>& schedule, const PhaseChange& change) {
  if (!schedule.empty() && change.at_ns < schedule.back().at_ns) {
    section.reject("at", "is before the phase above", "put the phases in the order of their times");
  }
  for (auto other = schedule.rbegin(); other != schedule.rend() && other->at_ns == change.at_ns; ++other) {
    const bool same = other->symbol == change.symbol || other->symbol == kAllSymbols || change.symbol == kAllSymbols;
    if (same) section.reject("at", "the phase above has the same time and symbol", "keep one of the two");
  }
}

}  // namespace

SymbolNumbers read_symbols(const std::string& path, const toml::table& root, Config& config) {
  SymbolNumbers symbols;
  const auto tables = find_tables(path, root, "symbol");
  if (tables.empty()) fail(path, 1, "symbol", "missing", "add a [[symbol]] with name, reference_price_e4, tick_e4");
  if (tables.size() > 65'534) fail(path, line_of(*tables[65'534]), "symbol", "too many", "give at most 65534");
  for (const toml::table* table : tables) {
    const Section section(path, "symbol", *table, {"name", "reference_price_e4", "tick_e4"});
    SymbolConfig symbol{};
    constexpr std::string_view kMend = "give 1 to 8 printable ASCII characters, each name once";
    const std::string name = section.text("name", kMend);
    if (name.empty() || name.size() > 8 || !is_printable(name, '!')) {
      section.reject("name", fmt::format("\"{}\" cannot be a symbol", name), kMend);
    }
    if (!symbols.emplace(name, symbols.size() + 1).second) {
      section.reject("name", fmt::format("\"{}\" is there twice", name), kMend);
    }
    symbol.name.fill(' ');
    std::copy(name.begin(), name.end(), symbol.name.begin());
    symbol.tick_e4 = static_cast<std::uint32_t>(section.required_number("tick_e4", 1, kMaxPrice.value));
    const std::uint64_t reference = section.required_number("reference_price_e4", 1, kMaxPrice.value);
    if (reference % symbol.tick_e4 != 0) {
      section.reject("reference_price_e4",
                     fmt::format("{} is not a multiple of tick_e4 = {}", reference, symbol.tick_e4),
                     fmt::format("give {} or mend tick_e4",
                                 std::max<std::uint64_t>(reference / symbol.tick_e4, 1) * symbol.tick_e4));
    }
    symbol.reference = Price{static_cast<std::uint32_t>(reference)};
    config.engine.symbols.push_back(symbol);
  }
  return symbols;
}

void read_phases(const std::string& path, const toml::table& root, const SymbolNumbers& symbols, Config& config) {
  std::vector<PhaseChange>& schedule = config.net.schedule;
  for (const toml::table* table : find_tables(path, root, "phase")) {
    const Section section(path, "phase", *table, {"at", "state", "symbol"});
    PhaseChange change{};
    constexpr std::string_view kAt = "give a time of day in quotes, as \"09:15:00\" or \"09:15:00.000\"";
    const std::string at = section.text("at", kAt);
    const auto time = parse_time_of_day(at);
    if (!time) section.reject("at", fmt::format("\"{}\" is no time of day", at), kAt);
    change.at_ns = *time;
    change.phase = read_phase(section);
    change.symbol = kAllSymbols;
    if (section.has("symbol")) {
      const std::string name = section.text("symbol", "give the name of a [[symbol]]");
      const auto found = symbols.find(name);
      if (found == symbols.end()) {
        section.reject("symbol", fmt::format("\"{}\" is unknown", name), "give the name of a [[symbol]]");
      }
      change.symbol = SymbolId{static_cast<std::uint16_t>(found->second)};
    }
    check_rising(section, schedule, change);
    schedule.push_back(change);
  }
  if (schedule.empty()) schedule.push_back({0, kAllSymbols, Phase::continuous});
}

}  // namespace crosswire::config_file
