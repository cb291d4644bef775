// Reference prices that a partition has from the day before instead of its configuration. Set-up and control threads.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/partition/partition.hpp"
#include "netstack/port/recording_frames.hpp"

namespace crosswire {

/// Each symbol's: of its last execution, or where there was none the reference price with which it began.
/// The partition runs no more.
std::vector<ReferencePrice> last_prices(const Partition& partition);

/// Gives the symbols these, in the place of their own. Returns "" or what is wrong with one of them: "symbol AAA with a
/// reference price of 7, which ..."; then some have theirs already.
std::string set_references(Config& config, std::span<const ReferencePrice> references);

}  // namespace crosswire
