// `crosswire scenario`: runs rule-book scenarios against the real engine, in virtual time, without network.
#pragma once

#include <string>
#include <vector>

namespace crosswire {

struct ScenarioOptions {
  std::vector<std::string> paths;  // files, or folders whose *.scenario are meant
  bool verbose = false;            // print each line and what comes of it
  bool tap = false;                // print the Test Anything Protocol
};

/// Exit status: 0 all hold, 1 one does not, or cannot be read.
int scenario_main(const ScenarioOptions& options);

}  // namespace crosswire
