// The section [operators] of a configuration: which of the system's groups may say what to a running appliance. Set-up
// only.
#pragma once

#include <toml++/toml.h>

#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"

namespace crosswire::config_file {

/// Of the root of the file `path`; none where the section is left out. A firm has to be one of `accounts`. Whether this
/// host has the groups is not looked at. Throws ConfigError.
std::optional<OperatorsConfig> read_operators(const std::string& path, const toml::table& root,
                                              const std::vector<AccountConfig>& accounts);

}  // namespace crosswire::config_file
