// Lists of cores: as the kernel writes them, those it keeps work away from, and what they leave a process. Set-up only;
// values and files, no hwloc.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crosswire {

/// Above any kernel's CONFIG_NR_CPUS: a number from here on is a slip, not a core.
inline constexpr unsigned kMostCores = 1u << 16;

/// The kernel's lists of cores that it keeps work away from, each ascending.
struct KernelLists {
  std::vector<unsigned> isolated;
  std::vector<unsigned> nohz_full;
  std::vector<unsigned> rcu_nocbs;
};

/// "0-3,8,10-20:2/4", as the kernel writes lists of cores (N for the last core and "all" included, which are `last`).
/// Nothing: it is none, or names a core beyond any that Linux supports. Ascending, each once.
std::optional<std::vector<unsigned>> parse_cores(std::string_view text, unsigned last = 0);
/// The other way round, with ranges.
std::string format_cores(const std::vector<unsigned>& cores);

/// From /sys/devices/system/cpu and /proc/cmdline below `root`; a list that is not there is empty.
KernelLists read_kernel_lists(const std::string& root = "/");

/// Online no longer, ascending; empty where the kernel does not say. From the same folder.
std::vector<unsigned> read_offline_cores(const std::string& root = "/");

/// Which cores a process may use. The affinity of a process that nobody bound leaves out the isolated cores: that is
/// the kernel's default and no limit; any other affinity is the operator's (taskset, a unit file). All ascending.
std::vector<unsigned> usable_cores(const std::vector<unsigned>& online, const std::vector<unsigned>& cpuset,
                                   const std::vector<unsigned>& affinity, const std::vector<unsigned>& isolated);

}  // namespace crosswire
