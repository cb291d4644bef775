// What the process tells the supervisor that started it (systemd's notification socket): ready, alive, stopping. The
// control thread calls these; no polling thread does, they make system calls. Without a supervisor, or built without
// libsystemd, they do nothing.
#pragma once

#include <string>

namespace crosswire {

/// Whether one has started the process: then nobody sits before it.
bool supervised();

/// The stages poll; `status` is one line for `systemctl status`.
void supervisor_ready(const std::string& status);

/// To be called at least every few 100 ms: it tells the supervisor half as often as that wants to hear (WatchdogSec).
void supervisor_alive();

/// The end has begun: it drains. Once.
void supervisor_stopping();

}  // namespace crosswire
