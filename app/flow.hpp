// `crosswire flow`: recorded or made-up order flows as captures, and what a replay did against what the exchange did.
#pragma once

namespace CLI {
class App;
}

namespace crosswire {

/// Adds the subcommand to `root`. When it runs it writes its exit status: 0, or 1 after one line on stderr. Wrong usage
/// is CLI11's own error, thrown out of the parsing.
void add_flow_command(CLI::App& root, int& exit_code);

}  // namespace crosswire
