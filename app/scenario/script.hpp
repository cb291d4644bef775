// One scenario, run: its lines one after the other, what is said and what is expected. docs/scenarios.md has the
// language.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace crosswire {

struct ScenarioOutcome {
  std::string fault;             // "" if all held; else "FILE:LINE: what", then what came of the step, a line each
  bool differs = false;          // the fault is that something else came than was expected, not the file's
  std::size_t expectations = 0;  // that held
};

/// Runs the scenario of the file `path` until its first fault. Each line and what comes of it is told to `verbose`,
/// which may be empty. Never throws for what is in the file, or that it cannot be read: that is the fault.
ScenarioOutcome run_scenario(const std::string& path, const std::function<void(const std::string&)>& verbose);

}  // namespace crosswire
