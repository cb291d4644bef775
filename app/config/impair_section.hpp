// What befalls frames on purpose, in the configuration: [impair], [impair.receive] and [impair.transmit]. Set-up only.
// Throws ConfigError.
#pragma once

#include <string>

#include "app/config/config.hpp"
#include "app/config/section.hpp"

namespace crosswire::config_file {

/// `root`: the table of the file `path`. Without the section nothing befalls them.
ImpairConfig read_impair(const std::string& path, const toml::table& root);

/// "loss=0.01 delay_us=100": the keys that are not at their defaults, or "nothing".
std::string to_text(const ImpairmentConfig& config);

}  // namespace crosswire::config_file
