// `crosswire echo`: the floor. A plain DPDK echo in an appliance's place, for `crosswire load --floor`.
#pragma once

namespace CLI {
class App;
}

namespace crosswire {

/// Adds the subcommand; running it sets `exit_code`.
void add_echo_command(CLI::App& root, int& exit_code);

}  // namespace crosswire
