// Symbols and phases: see the header.
#include "app/config/market.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "app/config/time_of_day.hpp"

namespace crosswire::config_file {
namespace {

constexpr std::uint64_t kMostRandomS = 3600;

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
  const std::string remedy = fmt::format("give one of {}", joined(kAskedPhaseNames));
  const std::string state = section.text("state", remedy);
  const auto found = std::find(kAskedPhaseNames.begin(), kAskedPhaseNames.end(), state);
  if (found == kAskedPhaseNames.end()) section.reject("state", fmt::format("\"{}\" is unknown", state), remedy);
  return static_cast<Phase>(found - kAskedPhaseNames.begin());
}

/// The symbols that a phase is of: one, those of a group, or kAllSymbols alone.
std::vector<SymbolId> read_whose(const Section& section, const Symbols& symbols) {
  const auto find = [&section](std::string_view key, const auto& known, std::string_view remedy) {
    const std::string name = section.text(key, remedy);
    const auto found = known.find(name);
    if (found == known.end()) section.reject(key, fmt::format("\"{}\" is unknown", name), remedy);
    return found->second;
  };
  if (section.has("group")) {
    if (section.has("symbol")) section.reject("group", "symbol is given as well", "keep one of the two");
    return find("group", symbols.groups, "give a name that a [[symbol]] has as its group");
  }
  if (!section.has("symbol")) return {kAllSymbols};
  return {SymbolId{static_cast<std::uint16_t>(find("symbol", symbols.numbers, "give the name of a [[symbol]]"))}};
}

/// Reads the phases of one schedule, one by one. Times never fall, at one time a symbol enters one phase, and while the
/// time of one may still come it enters no other.
class ScheduleReader {
 public:
  void add(const Section& section, LocalPhase change, const std::vector<SymbolId>& whose) {
    if (!schedule_.empty() && change.at_ns < schedule_.back().at_ns) {
      section.reject("at", "is before the phase above", "put the phases in the order of their times");
    }
    std::erase_if(open_, [&change](const Open& phase) { return phase.until_ns < change.at_ns; });
    for (const Open& other : open_) {
      if (!shares_a_symbol(other.whose, whose)) continue;
      if (other.at_ns == change.at_ns) {
        section.reject("at", "the phase above has the same time and symbol", "keep one of the two");
      }
      section.reject("at", "the phase above may be entered later, by its random_seconds",
                     "begin this one behind them, or make them fewer");
    }
    // One without random_seconds is over at once, but for others of the same time.
    open_.push_back({change.at_ns, change.at_ns + std::max<std::int64_t>(change.random_ns - 1, 0), whose});
    change.draw = draws_++;
    for (const SymbolId symbol : whose) {
      change.symbol = symbol;
      schedule_.push_back(change);
    }
  }
  LocalSchedule take() { return std::move(schedule_); }

 private:
  struct Open {
    std::int64_t at_ns, until_ns;
    std::vector<SymbolId> whose;
  };

  static bool shares_a_symbol(const std::vector<SymbolId>& a, const std::vector<SymbolId>& b) {
    if (a.front() == kAllSymbols || b.front() == kAllSymbols) return true;
    return std::ranges::any_of(a, [&b](SymbolId symbol) { return std::ranges::binary_search(b, symbol); });
  }

  LocalSchedule schedule_;
  std::vector<Open> open_;  // that a phase at the time of the last one might meet
  std::uint32_t draws_ = 0;
};

/// Those of `given` where a key is not there.
CollarConfig read_collar(const Section& section, const CollarConfig& given) {
  const auto number = [&section](std::string_view key, std::uint64_t low, std::uint64_t high, std::uint32_t otherwise) {
    return static_cast<std::uint32_t>(section.number(key, low, high, otherwise));
  };
  constexpr std::uint64_t kMostSeconds = 86'400;
  return {number("collar_static_percent_e2", 0, 10'000, given.static_percent_e2),
          number("collar_dynamic_percent_e2", 0, 10'000, given.dynamic_percent_e2),
          number("interruption_seconds", 1, kMostSeconds, given.interruption_seconds),
          number("interruption_random_seconds", 0, kMostSeconds, given.interruption_random_seconds),
          number("interruption_extensions", 0, 1'000, given.interruption_extensions),
          number("market_order_percent_e2", 0, 10'000, given.market_percent_e2)};
}

/// The keys of read_collar(), and `more`.
std::vector<std::string_view> with_collar_keys(std::vector<std::string_view> more) {
  more.insert(more.end(), {"collar_static_percent_e2", "collar_dynamic_percent_e2", "interruption_seconds",
                           "interruption_random_seconds", "interruption_extensions", "market_order_percent_e2"});
  return more;
}

/// A range of less than a tick has every new price interrupt the symbol.
void check_collar(const Section& section, const SymbolConfig& symbol) {
  for (const auto& [key, percent_e2] : {std::pair{"collar_static_percent_e2", symbol.collar.static_percent_e2},
                                        std::pair{"collar_dynamic_percent_e2", symbol.collar.dynamic_percent_e2}}) {
    const std::uint64_t range_e4 = std::uint64_t{symbol.reference.value} * percent_e2 / 10'000;
    if (percent_e2 == 0 || range_e4 >= symbol.tick_e4) continue;
    section.reject(section.has(key) ? key : "tick_e4",
                   fmt::format("the range of {} is {} at the reference price, less than a tick", key, range_e4),
                   "give the symbol a wider one, or 0 for none");
  }
}

/// What [market_halts] says: three levels that fall, or nothing.
DeclineLevels read_decline_levels(const std::string& path, const toml::table& root) {
  const toml::table* const table = find_table(path, root, "market_halts");
  if (table == nullptr) return {};
  constexpr std::array<std::string_view, kMostHaltLevel> kKeys = {"level_1_e8", "level_2_e8", "level_3_e8"};
  const Section section(path, "market_halts", *table, {kKeys.begin(), kKeys.end()});
  DeclineLevels levels{};
  for (std::size_t i = 0; i < levels.size(); ++i) {
    levels[i] = section.required_number(kKeys[i], 1, std::uint64_t{1} << 62);
    if (i > 0 && levels[i] >= levels[i - 1])
      section.reject(kKeys[i], "is not below the level before it", "give the index's values, which fall");
  }
  return levels;
}

/// What [collars] says for every symbol.
CollarConfig read_collars(const std::string& path, const toml::table& root) {
  const toml::table* const table = find_table(path, root, "collars");
  if (table == nullptr) return {};
  return read_collar(Section(path, "collars", *table, with_collar_keys({})), {});
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

std::string read_symbol_group(const Section& section) {
  constexpr std::string_view kRemedy = "give 1 to 16 printable ASCII characters";
  const std::string name = section.text("group", kRemedy);
  if (name.empty() || name.size() > 16 || !is_printable(name, '!')) {
    section.reject("group", fmt::format("\"{}\" cannot be a group", name), kRemedy);
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

Symbols read_symbols(const std::string& path, const toml::table& root, Config& config) {
  Symbols symbols;
  const CollarConfig collar = read_collars(path, root);
  config.engine.decline_levels_e8 = read_decline_levels(path, root);
  const std::vector<std::string_view> keys = with_collar_keys({"name", "reference_price_e4", "tick_e4", "group"});
  const auto tables = find_tables(path, root, "symbol");
  if (tables.empty()) fail(path, 1, "symbol", "missing", "add a [[symbol]] with name, reference_price_e4, tick_e4");
  if (tables.size() > 65'534) fail(path, line_of(*tables[65'534]), "symbol", "too many", "give at most 65534");
  for (const toml::table* table : tables) {
    const Section section(path, "symbol", *table, keys);
    const std::string name = read_symbol_name(section, "name");
    const SymbolId id{static_cast<std::uint16_t>(symbols.numbers.size() + 1)};
    if (!symbols.numbers.emplace(name, id.value).second) {
      section.reject("name", fmt::format("\"{}\" is there twice", name), "give each symbol a name of its own");
    }
    const SymbolPrices prices = read_symbol_prices(section);
    SymbolConfig symbol{};
    symbol.name.fill(' ');
    std::copy(name.begin(), name.end(), symbol.name.begin());
    symbol.tick_e4 = prices.tick_e4;
    symbol.reference = prices.reference;
    symbol.collar = read_collar(section, collar);
    check_collar(section, symbol);
    config.engine.symbols.push_back(symbol);
    if (section.has("group")) symbols.groups[read_symbol_group(section)].push_back(id);
  }
  return symbols;
}

LocalSchedule read_phases(const std::string& path, const toml::table& table, const Symbols& symbols,
                          std::string_view parent) {
  ScheduleReader schedule;
  for (const toml::table* phase : find_tables(path, table, "phase", parent)) {
    const Section section(path, fmt::format("{}phase", parent), *phase,
                          {"at", "state", "symbol", "group", "random_seconds"});
    LocalPhase change{};
    change.at_ns = read_at(section, true);
    change.phase = read_state(section);
    const std::uint64_t random_s = section.number("random_seconds", 0, kMostRandomS, 0);
    if (random_s > 0 && change.at_ns < 0) {
      section.reject("random_seconds", "the day would not begin at one time", "leave it out of the evening before");
    }
    change.random_ns = static_cast<std::int64_t>(random_s * kNsPerSecond);
    schedule.add(section, change, read_whose(section, symbols));
  }
  return schedule.take();
}

std::vector<PhaseChange> read_recorded_phases(const std::string& path, const toml::table& root) {
  ScheduleReader schedule;
  for (const toml::table* phase : find_tables(path, root, "phase")) {
    const Section section(path, "phase", *phase, {"at", "state"});
    LocalPhase change{};
    change.at_ns = read_at(section, false);
    change.phase = read_state(section);
    schedule.add(section, change, {kAllSymbols});
  }
  std::vector<PhaseChange> elapsed;
  for (const LocalPhase& change : schedule.take())
    elapsed.push_back({static_cast<TimeNs>(change.at_ns), change.symbol, change.phase});
  return elapsed;
}

}  // namespace crosswire::config_file
