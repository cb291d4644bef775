// Symbols and phases: see the header.
#include "app/config/market.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "app/config/time_of_day.hpp"

namespace crosswire::config_file {
namespace {

/// Since midnight; negative of the evening before, where there may be one.
std::int64_t read_at(const Section& section, bool evening_allowed) {
  constexpr std::string_view kEveningBefore = "-1d ";
  const std::string_view remedy = evening_allowed ? "give a time of day in quotes, as \"09:15:00\", \"09:15:00.000\" "
                                                    "or, of the evening before, \"-1d 20:00:00\""
                                                  : "give a time of day in quotes, as \"09:15:00\" or \"09:15:00.000\"";
  const std::string at = section.text("at", remedy);
  const bool evening = evening_allowed && at.compare(0, kEveningBefore.size(), kEveningBefore) == 0;
  const auto time = parse_time_of_day(std::string_view(at).substr(evening ? kEveningBefore.size() : 0));
  if (!time) section.reject("at", fmt::format("\"{}\" is no time of day", at), remedy);
  return static_cast<std::int64_t>(*time) - (evening ? static_cast<std::int64_t>(kNsPerDay) : 0);
}

Phase read_state(const Section& section) {
  const std::string remedy = fmt::format("give one of {}", joined(kPhaseNames));
  const std::string state = section.text("state", remedy);
  const auto* found = std::find(kPhaseNames.begin(), kPhaseNames.end(), state);
  if (found == kPhaseNames.end()) section.reject("state", fmt::format("\"{}\" is unknown", state), remedy);
  return static_cast<Phase>(found - kPhaseNames.begin());
}

/// Times never fall, and at one time a symbol enters one phase.
void check_rising(const Section& section, const LocalSchedule& schedule, const LocalPhase& change) {
  if (!schedule.empty() && change.at_ns < schedule.back().at_ns) {
    section.reject("at", "is before the phase above", "put the phases in the order of their times");
  }
  for (auto other = schedule.rbegin(); other != schedule.rend() && other->at_ns == change.at_ns; ++other) {
    const bool same = other->symbol == change.symbol || other->symbol == kAllSymbols || change.symbol == kAllSymbols;
    if (same) section.reject("at", "the phase above has the same time and symbol", "keep one of the two");
  }
}

SymbolId read_symbol(const Section& section, const SymbolNumbers& symbols) {
  constexpr std::string_view kRemedy = "give the name of a [[symbol]]";
  if (!section.has("symbol")) return kAllSymbols;
  const std::string name = section.text("symbol", kRemedy);
  const auto found = symbols.find(name);
  if (found == symbols.end()) section.reject("symbol", fmt::format("\"{}\" is unknown", name), kRemedy);
  return SymbolId{static_cast<std::uint16_t>(found->second)};
}

}  // namespace

std::string read_symbol_name(const Section& section, std::string_view key) {
  constexpr std::string_view kRemedy = "give 1 to 8 printable ASCII characters";
  const std::string name = section.text(key, kRemedy);
  if (name.empty() || name.size() > 8 || !is_printable(name, '!')) {
    section.reject(key, fmt::format("\"{}\" cannot be a symbol", name), kRemedy);
  }
  return name;
}

SymbolPrices read_symbol_prices(const Section& section) {
  const auto tick_e4 = static_cast<std::uint32_t>(section.required_number("tick_e4", 1, kMaxPrice.value));
  const auto reference = static_cast<std::uint32_t>(section.required_number("reference_price_e4", 1, kMaxPrice.value));
  if (reference % tick_e4 != 0) {
    section.reject("reference_price_e4", fmt::format("{} is not a multiple of tick_e4 = {}", reference, tick_e4),
                   fmt::format("give {} or correct tick_e4", std::max(reference / tick_e4, 1u) * tick_e4));
  }
  return {Price{reference}, tick_e4};
}

SymbolNumbers read_symbols(const std::string& path, const toml::table& root, Config& config) {
  SymbolNumbers symbols;
  const auto tables = find_tables(path, root, "symbol");
  if (tables.empty()) fail(path, 1, "symbol", "missing", "add a [[symbol]] with name, reference_price_e4, tick_e4");
  if (tables.size() > 65'534) fail(path, line_of(*tables[65'534]), "symbol", "too many", "give at most 65534");
  for (const toml::table* table : tables) {
    const Section section(path, "symbol", *table, {"name", "reference_price_e4", "tick_e4"});
    const std::string name = read_symbol_name(section, "name");
    if (!symbols.emplace(name, symbols.size() + 1).second) {
      section.reject("name", fmt::format("\"{}\" is there twice", name), "give each symbol a name of its own");
    }
    const SymbolPrices prices = read_symbol_prices(section);
    SymbolConfig symbol{};
    symbol.name.fill(' ');
    std::copy(name.begin(), name.end(), symbol.name.begin());
    symbol.tick_e4 = prices.tick_e4;
    symbol.reference = prices.reference;
    config.engine.symbols.push_back(symbol);
  }
  return symbols;
}

LocalSchedule read_phases(const std::string& path, const toml::table& table, const SymbolNumbers& symbols,
                          std::string_view parent) {
  LocalSchedule schedule;
  for (const toml::table* phase : find_tables(path, table, "phase", parent)) {
    const Section section(path, fmt::format("{}phase", parent), *phase, {"at", "state", "symbol"});
    LocalPhase change{};
    change.at_ns = read_at(section, true);
    change.phase = read_state(section);
    change.symbol = read_symbol(section, symbols);
    check_rising(section, schedule, change);
    schedule.push_back(change);
  }
  return schedule;
}

std::vector<PhaseChange> read_recorded_phases(const std::string& path, const toml::table& root) {
  LocalSchedule schedule;
  std::vector<PhaseChange> elapsed;
  for (const toml::table* phase : find_tables(path, root, "phase")) {
    const Section section(path, "phase", *phase, {"at", "state"});
    const LocalPhase change{read_at(section, false), kAllSymbols, read_state(section)};
    check_rising(section, schedule, change);
    schedule.push_back(change);
    elapsed.push_back({static_cast<TimeNs>(change.at_ns), change.symbol, change.phase});
  }
  return elapsed;
}

}  // namespace crosswire::config_file
