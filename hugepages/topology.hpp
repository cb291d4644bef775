// The host's cores and NUMA nodes, from hwloc. Used by the app at set-up; never by a stage.
// A "core" is a Linux CPU number, as in taskset, isolcpus and DPDK's -l.
#pragma once

#include <string>
#include <vector>

namespace crosswire {

/// The cores that this process might use when it first asked about the host, ascending. Any thread.
const std::vector<unsigned>& allowed_cores();

/// Binds the calling thread to one core. Empty: done. Else one line that says what failed and how to mend it.
[[nodiscard]] std::string pin_this_thread(unsigned core);

/// NUMA node of a core, -1 = there is no such core or the host does not say. Any thread.
int node_of_core(unsigned core);

}  // namespace crosswire
