// The replay configuration that goes with a flow's capture. Tools only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/config.hpp"
#include "engine/types.hpp"
#include "netstack/common/config.hpp"

namespace crosswire {

/// What a flow is played against.
struct FlowVenue {
  std::string title;                  // first line of the file; for people
  std::int64_t midnight_epoch_ns;     // ns since the Unix epoch
  EngineConfig engine;                // symbols, sessions and limits
  std::vector<PhaseChange> schedule;  // empty: continuous from the start
};

/// Limits that hold for `live_orders` at once. `prices`: different prices.
void size_limits(EngineConfig& engine, std::uint64_t live_orders, std::uint64_t prices);

/// Writes the configuration as TOML; a regular file is readable by its owner alone, for the passwords in it.
/// `accounts` as OrderEntryFrames and ClientFrames have them. Throws FlowError.
void write_flow_config(const std::string& path, const FlowVenue& venue, const std::vector<AccountConfig>& accounts);

}  // namespace crosswire
