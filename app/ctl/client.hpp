// `crosswire ctl`: asks a running appliance to do something to its market, and says what came of it.
#pragma once

#include <string>
#include <vector>

#include "app/ctl/protocol.hpp"

namespace crosswire {

/// Exit status of a command that is kept until a second person approves it.
inline constexpr int kWaitsForAnother = 3;

struct CtlOptions {
  CtlAsk ask;                        // request 0: a random number is taken
  std::uint64_t number = 0;          // approve, withdraw: of the pending command
  std::string prefix = "crosswire";  // DPDK file prefix of the appliance
  std::string socket;                // path; "" = by the prefix
  bool json = false;                 // pending, reload
};

/// The subcommands. They return the exit status: 0 done, 1 refused or not reached, kWaitsForAnother.
int ctl_main(const CtlOptions& options);
int ctl_pending_main(const CtlOptions& options);
int ctl_approve_main(const CtlOptions& options);
int ctl_withdraw_main(const CtlOptions& options);
int ctl_reload_main(const CtlOptions& options);

/// What a person reads of an answer to `ask`: one line, without its end.
std::string answer_text(const CtlAsk& ask, const CtlAnswer& answer);
/// Of an answer to reload: the table of what has changed, or would, and one line behind it; lines ended.
std::string reload_page(const CtlReload& reload);
/// Of all that is pending: a table, lines ended.
std::string pending_page(const std::vector<CtlPending>& pending);

/// The control socket of the appliance with this prefix: of this user's own, of root's, or of the one unit that runs
/// (scripts/systemd); where RUNTIME_DIRECTORY is set, there alone. Where there is none, the path at which it would be.
/// Throws std::runtime_error (one line) where several units run.
std::string find_ctl_socket(const std::string& prefix);
/// A question on the telemetry socket, asked on the control socket, where more may. Returns its JSON, in a line. Throws
/// std::runtime_error (one line) where there is no answer, or a refusal.
std::string ask_figures_of(const std::string& socket, const std::string& question);

}  // namespace crosswire
