// The program's command line: `crosswire COMMAND OPTIONS`.
#pragma once

namespace crosswire {

/// Runs what main() was called with. Returns the exit status: 0 success, 1 a failure explained in one line on stderr, 2
/// wrong usage, told on stderr.
int command_line(int argc, const char* const* argv);

}  // namespace crosswire
