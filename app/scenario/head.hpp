// The head of a scenario: the exchange's configuration, between two lines `---`, as TOML. It is read by the reader of
// configuration files; what it leaves out has a default here. Set-up only.
#pragma once

#include <string>

#include "app/config/config.hpp"

namespace crosswire {

/// `text`: what stands between the lines, which are `first_line` - 1 and the one behind it of the file `path`; empty
/// where there are none. Without [[symbol]] there is AAA at 10.00 with a tick of 0.01; without [[account]] there are
/// ann of the firm ANNS and bob of the firm BOBS. Throws ConfigError.
Config read_scenario_head(const std::string& path, const std::string& text, std::size_t first_line);

}  // namespace crosswire
