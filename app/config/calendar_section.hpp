// The venue's days in the configuration: [time], [calendar] and [[phase]]. Set-up only. Throws ConfigError.
#pragma once

#include <string>

#include "app/config/config.hpp"
#include "app/config/market.hpp"
#include "app/config/section.hpp"

namespace crosswire::config_file {

/// Fills in the calendar, `rolls`, `midnight_epoch_ns`, `net.linger_ns` and, as Config says, the day. `root`: the
/// table of the file `path`.
void read_calendar(const std::string& path, const toml::table& root, const Symbols& symbols, Logins logins,
                   Config& config);

}  // namespace crosswire::config_file
