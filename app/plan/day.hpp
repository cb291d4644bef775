// The day as `crosswire plan` shows it: when it begins and ends, its phases, or why there is no trading. Set-up only.
#pragma once

#include <string>

#include "app/config/config.hpp"

namespace crosswire {

/// The day of `date` ("2026-12-24"), or without one that of `now_epoch_ns`. Throws std::runtime_error (one line) where
/// there is no such day.
TradingDay planned_day(const Config& config, const std::string& date, std::int64_t now_epoch_ns);

/// In lines. `name`: of the partition.
std::string day_text(const std::string& name, const Config& config, const TradingDay& day);

}  // namespace crosswire
