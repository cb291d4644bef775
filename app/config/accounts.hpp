// The accounts of a configuration: [[account]] tables, in it or in a file of their own, and their passwords. Set-up
// only.
#pragma once

#include <string>

#include "app/config/config.hpp"
#include "app/config/market.hpp"
#include "app/config/section.hpp"

namespace crosswire::config_file {

/// Into `config`: net.accounts, what of `engine` goes by account or firm, and the names of the files that are read.
/// `root`: the section of the table `tables`, that of the file `path`. Throws ConfigError.
void read_accounts(const Section& root, const std::string& path, const toml::table& tables,
                   const SymbolNumbers& symbols, Logins logins, Config& config);

}  // namespace crosswire::config_file
