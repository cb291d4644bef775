// `crosswire doctor`: looks at the host as the appliance will use it, and says what is wrong, what that costs and how
// to fix it. Changes nothing; scripts/tune does. The checks are in checks.hpp, the jitter probe in jitter.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/doctor/checks.hpp"
#include "app/doctor/jitter.hpp"

namespace crosswire {

/// All that a doctor's visit has found.
struct DoctorReport {
  CpuList cores;             // that were examined
  std::string cores_reason;  // why these
  DoctorResults results;
  std::uint64_t threshold_ns = 0;
  std::vector<JitterCore> jitter;  // empty: not probed
};

/// The probe's verdict: a finding if any gap is above `limit_ns`.
DoctorResult judge_jitter(const std::vector<JitterCore>& cores, std::uint64_t limit_ns);

/// For a terminal: findings first, the heaviest first; then the probe, what is worth knowing, and one line of what is
/// well. `colours`: with ANSI colours.
std::string to_text(const DoctorReport& report, bool colours);
/// One JSON object, ended by a newline. Keys are stable: cores, findings, information, ok, not_told, jitter.
std::string to_json(const DoctorReport& report);

/// 0: no finding. 1: some.
int exit_code_of(const DoctorReport& report);

/// What the command line gave.
struct DoctorOptions {
  std::vector<std::string> configs;
  std::string cores;
  std::string root = "/";
  double seconds = 2.0;
  double gap_limit_us = 10.0;
  std::uint64_t threshold_ns = 200;
  bool json = false;
  bool record = false;
};

/// The subcommand. Returns the exit status.
int doctor_main(const DoctorOptions& options);

}  // namespace crosswire
