// What `load` and `echo` need of a host to poll a device: the EAL, signals, a core, memory, chance. Set-up and end
// only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hugepages/memory/arena.hpp"
#include "netstack/common/siphash.hpp"

namespace crosswire {

struct DpdkProcessOptions {
  std::string device;  // DPDK's name of it
  std::vector<std::string> dpdk_args;
  std::optional<unsigned> core;
  HugepagePolicy hugepages = HugepagePolicy::automatic;
};

/// The EAL while it lives, with one device. One in a process.
class DpdkProcess {
 public:
  /// `prefix`: of DPDK's files, apart from the appliance's. Throws std::runtime_error (one line).
  DpdkProcess(const DpdkProcessOptions& options, const std::string& prefix);
  ~DpdkProcess();
  DpdkProcess(const DpdkProcess&) = delete;
  DpdkProcess& operator=(const DpdkProcess&) = delete;
};

/// From then on SIGINT and SIGTERM only set end_wanted(); a second one ends the process.
void end_on_signals();
bool end_wanted();

/// Binds the calling thread where a core is given. Throws std::runtime_error (one line).
void pin_to(const std::optional<unsigned>& core);

/// "load average 0.52 0.41 0.30 on 2 cores": what figures of this moment have to be judged by, and
/// whether they are worth anything: a polling core that is shared waits for milliseconds.
std::string describe_host();
/// What nobody can guess, for TCP. Throws std::runtime_error (one line).
SipKey random_key();
/// Bytes that could be taken without harm.
std::uint64_t available_memory();

}  // namespace crosswire
