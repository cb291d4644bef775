// Accounts on DPDK's telemetry socket: what is left of their limits, and what they have (app/figures/telemetry.hpp). On
// threads of DPDK's telemetry.
#pragma once

#include <string_view>

#include "app/figures/live_figures.hpp"

struct rte_tel_data;

namespace crosswire::telemetry {

/// The answers to /crosswire/accounts, /crosswire/limits and /crosswire/positions. True: it is in `data`.
bool accounts(const LiveFigures& figures, std::string_view parameters, rte_tel_data* data);
bool limits(const LiveFigures& figures, std::string_view parameters, rte_tel_data* data);
bool positions(const LiveFigures& figures, std::string_view parameters, rte_tel_data* data);

}  // namespace crosswire::telemetry
