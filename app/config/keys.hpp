// The keys of a configuration file one by one, each under one name however its tables are ordered. Set-up, and the
// control thread for a reload.
#pragma once

#include <toml++/toml.h>

#include <map>
#include <string>

#include "app/config/config.hpp"

namespace crosswire::config_file {

/// All of the file's root into `keys`: "limits.max_orders", "account[ann].risk.funds_e4", "phase[3].at"; a table of a
/// list goes by what names it, or else by its place from 1 on.
void keep_keys(const std::string& file, const toml::table& root, std::map<std::string, ConfigKey>& keys);

}  // namespace crosswire::config_file
