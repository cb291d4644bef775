// Files that a configuration names for what is secret: passwords, keys. Set-up only. All of it throws ConfigError.
#pragma once

#include <string>
#include <string_view>

#include "app/config/section.hpp"

namespace crosswire::config_file {

/// A file named in the configuration `config_path` is sought beside it.
std::string beside(const std::string& config_path, const std::string& name);

/// A secret is worth as much as the file that holds it: `path`, which `key` names, is a file that only its owner may
/// read.
void check_owner_only(const Section& section, std::string_view key, const std::string& path);

/// The first line of the file `path`, never empty. Nobody but its owner may read it. `key`, of `section`, names it;
/// `what` is in it, as "the password".
std::string read_secret_file(const Section& section, std::string_view key, const std::string& path,
                             std::string_view what);

}  // namespace crosswire::config_file
