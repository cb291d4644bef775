// The wish to end, which comes as a signal: SIGINT or SIGTERM. SIGHUP is none: it asks for the configuration to be read
// again, and a terminal that is closed must not close a market. And what wakes the control thread for that and for
// other news. One of a process; the control thread asks.
#pragma once

#include <string>

namespace crosswire {

/// From then on a signal is a wish to end the day, or the start of it; a second one, at least 0.2 s later, to end the
/// lingering behind it, and a third ends the process. (A terminal and a supervisor often both send one.) Throws
/// std::runtime_error (one line).
void end_days_on_signals();

bool stop_wanted();
/// Without lingering.
bool stop_wanted_now();
/// "SIGTERM".
std::string last_signal();
/// A SIGHUP has come since the last call.
bool take_hang_up();

/// Wakes who polls news_fd(). Any thread or signal handler.
void wake_control();
/// Readable when there is news; from end_days_on_signals() on.
int news_fd();
/// Until there is more.
void forget_news();

}  // namespace crosswire
