// `crosswire load`: an open-loop load generator and latency meter, itself a DPDK client.
#pragma once

namespace CLI {
class App;
}

namespace crosswire {

/// Adds the subcommand; running it sets `exit_code`.
void add_load_command(CLI::App& root, int& exit_code);

}  // namespace crosswire
