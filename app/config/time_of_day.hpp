// Times of day as files write them. Set-up only; values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/types.hpp"

namespace crosswire {

/// "HH:MM:SS", or that with a fraction of one to nine digits, below 24 h, as ns since midnight; nothing if it is
/// anything else.
std::optional<TimeNs> parse_time_of_day(std::string_view text);

/// "09:25:00.080", or with nine digits where milliseconds do not hold it. Hours go on behind 24.
std::string format_time_of_day(TimeNs time_ns);

}  // namespace crosswire
