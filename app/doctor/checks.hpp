// What `crosswire doctor` looks at: a host's files against what a polling appliance needs of it. Pure functions of
// HostFiles and needs, so that tests examine hosts of their own making; the command (app/doctor/doctor) gathers and
// prints. Never a stage.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "app/doctor/host.hpp"
#include "app/plan/memory_need.hpp"

namespace crosswire {

/// finding: something to fix. information: worth knowing, nothing to fix. not_told: the host does not say, as virtual
/// machines and containers often do not.
enum class DoctorState { finding, information, ok, not_told };

/// How much a finding costs the appliance, heaviest first.
enum class DoctorWeight { heavy, middling, light };

struct DoctorResult {
  std::string name;  // one word, stable: scripts may look for it
  DoctorState state = DoctorState::ok;
  DoctorWeight weight = DoctorWeight::light;
  std::string is;      // what is
  std::string should;  // what it should be; findings only, as all below
  std::string costs;   // what it does to the appliance
  std::string remedy;  // the command or boot parameter
  bool tune = false;   // `scripts/tune apply` fixes it, until the next boot
};
using DoctorResults = std::vector<DoctorResult>;

/// What the appliance will ask of the host.
struct DoctorNeeds {
  CpuList cores;                     // that poll
  std::vector<std::string> devices;  // as [port] device names them
  std::vector<MemoryWish> memory;    // none without a configuration
};

/// Every check, in the order in which one would fix a host. Reads only; never throws for what the files say.
DoctorResults examine(const HostFiles& files, const DoctorNeeds& needs);

// The parts of it, a file each.
void examine_cores(const HostFiles& files, const DoctorNeeds& needs, DoctorResults& to);    // cores.cpp
void examine_kernel(const HostFiles& files, const DoctorNeeds& needs, DoctorResults& to);   // kernel.cpp
void examine_memory(const HostFiles& files, const DoctorNeeds& needs, DoctorResults& to);   // memory.cpp
void examine_devices(const HostFiles& files, const DoctorNeeds& needs, DoctorResults& to);  // devices.cpp

/// Whether somebody keeps the host's clock, which the kernel says in no file (netstack/port/clock_reading). kernel.cpp.
DoctorResult judge_clock(bool unsynchronised);

/// NUMA node of a CPU, -1 = the host does not say.
int node_of(const HostFiles& files, unsigned cpu);

/// Makes a result of that state without the fields that belong to findings.
inline DoctorResult good(std::string name, std::string is) {
  return {std::move(name), DoctorState::ok, {}, std::move(is), "", "", "", false};
}
inline DoctorResult informative(std::string name, std::string is) {
  return {std::move(name), DoctorState::information, {}, std::move(is), "", "", "", false};
}
inline DoctorResult silent(std::string name, std::string is) {
  return {std::move(name), DoctorState::not_told, {}, std::move(is), "", "", "", false};
}

}  // namespace crosswire
