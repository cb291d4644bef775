// `crosswire ctl`: asks a running appliance to do something to its market, and says what came of it.
#pragma once

#include <string>

#include "app/ctl/protocol.hpp"

namespace crosswire {

struct CtlOptions {
  CtlAsk ask;                        // request 0: a random number is taken
  std::string prefix = "crosswire";  // DPDK file prefix of the appliance
  std::string socket;                // path; "" = by the prefix
};

/// The subcommand. Returns the exit status: 0 done, 1 refused or not reached.
int ctl_main(const CtlOptions& options);

/// What a person reads of an answer to `ask`: one line, without its end.
std::string answer_text(const CtlAsk& ask, const CtlAnswer& answer);

}  // namespace crosswire
