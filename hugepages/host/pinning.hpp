// This process's threads and the host's cores: which it may use, and the binding of a thread to one. Set-up only; never
// by a stage.
#pragma once

#include <string>
#include <vector>

namespace crosswire {

/// The cores that this process might use when it first asked about the host, ascending. Any thread.
const std::vector<unsigned>& allowed_cores();

/// Binds the calling thread to one core. Empty: done. Else one line that says what failed and how to fix it.
[[nodiscard]] std::string pin_this_thread(unsigned core);

/// Lets the calling thread run on each of allowed_cores() again. Empty: done. Else one line.
[[nodiscard]] std::string free_this_thread();

/// NUMA node of a core, -1 = there is no such core or the host does not say. Any thread.
int node_of_core(unsigned core);

}  // namespace crosswire
