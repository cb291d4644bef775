// day.toml: what is to be known of one recorded exchange day besides its orders. Set-up only; no stage runs any of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/types.hpp"

namespace crosswire {

/// One day of one instrument at any venue.
struct Day {
  std::string venue;                  // for people; may be empty
  std::int64_t midnight_epoch_ns;     // 00:00 UTC of the date, ns since the Unix epoch
  std::string symbol;                 // 1 .. 8 printable characters
  Price reference;                    // previous close, a multiple of tick_e4
  std::uint32_t tick_e4;              // 1/10000, >= 1
  std::vector<PhaseChange> schedule;  // rising times, of all symbols; empty: continuous from the start
};

/// Reads and checks `path`. Throws ConfigError `FILE:LINE: key: what; how to fix it`: unknown keys, wrong types, values
/// out of range, phases that do not rise.
Day load_day(const std::string& path);

}  // namespace crosswire
