// Whose the cores are that `run` is about to poll: it claims them (hugepages/host/core_claims), and does not start on
// one that another crosswire polls where that core was meant for it alone. Set-up only.
#pragma once

#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/run/cores.hpp"
#include "hugepages/host/core_claims.hpp"

namespace crosswire {

/// Claims each core of the plan, shared where a partition yields. One that another process has is refused if the
/// configuration names it or the kernel has isolated it, and is a warning of the log if not, with `share`, or where
/// this partition yields: on a host of few cores such loops take turns. So is a claim that cannot be made. Throws
/// std::runtime_error (one line, with the holder's process id). The claims last as long as what is returned.
CoreClaims claim_cores(const std::vector<Config>& configs, const CorePlan& plan, bool share,
                       const std::string& folder = kCoreClaimsFolder);

}  // namespace crosswire
