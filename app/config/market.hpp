// What is traded and when: the [[symbol]] and [[phase]] tables of a configuration. Set-up only.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "app/config/config.hpp"
#include "app/config/section.hpp"

namespace crosswire::config_file {

using SymbolNumbers = std::map<std::string, std::size_t>;  // name -> SymbolId

/// Into engine.symbols of `config`; returns what phases need of them. `root`: the table of the file `path`. Throws
/// ConfigError, as the next.
SymbolNumbers read_symbols(const std::string& path, const toml::table& root, Config& config);

/// Into net.schedule of `config`: continuous from the start on where there are none.
void read_phases(const std::string& path, const toml::table& root, const SymbolNumbers& symbols, Config& config);

}  // namespace crosswire::config_file
