// What is traded and when: symbols, their prices, and phases, in a configuration and in the day.toml of a recorded day.
// Set-up only. All of it throws ConfigError.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/config.hpp"
#include "app/config/section.hpp"

namespace crosswire::config_file {

using SymbolNumbers = std::map<std::string, std::size_t>;           // name -> SymbolId
using SymbolGroups = std::map<std::string, std::vector<SymbolId>>;  // name -> its symbols
/// What phases and accounts may name.
struct Symbols {
  SymbolNumbers numbers;
  SymbolGroups groups;
};

/// 1 to 8 printable characters.
std::string read_symbol_name(const Section& section, std::string_view key);

/// 1 to 16 printable characters, of the key group.
std::string read_symbol_group(const Section& section);

struct SymbolPrices {
  Price reference;        // a multiple of tick_e4, at most kMaxPrice
  std::uint32_t tick_e4;  // 1/10000, >= 1
};
/// The keys reference_price_e4 and tick_e4.
SymbolPrices read_symbol_prices(const Section& section);

/// The [[symbol]] tables, [collars] and [market_halts], into `config`.engine; returns what phases need of them. `root`:
/// the table of the file `path`.
Symbols read_symbols(const std::string& path, const toml::table& root, Config& config);

/// The [[phase]] tables of `table`, at times that never fall; empty where there are none. `parent` as of find_tables().
/// One of a group is one of each of its symbols.
LocalSchedule read_phases(const std::string& path, const toml::table& table, const Symbols& symbols,
                          std::string_view parent = "");
/// The same of a recorded day: each phase is of all symbols, `symbol` is no key, and none is on the evening before.
std::vector<PhaseChange> read_recorded_phases(const std::string& path, const toml::table& root);

}  // namespace crosswire::config_file
