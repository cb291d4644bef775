// Notifications to systemd: see the header.
#include "app/run/supervisor.hpp"

#include <cstdlib>

#ifdef CROSSWIRE_SYSTEMD
#include <systemd/sd-daemon.h>

#include <chrono>
#include <cstdint>
#endif

namespace crosswire {

bool supervised() { return std::getenv("NOTIFY_SOCKET") != nullptr; }

#ifdef CROSSWIRE_SYSTEMD

void supervisor_ready(const std::string& status) { sd_notifyf(0, "READY=1\nSTATUS=%s", status.c_str()); }

void supervisor_alive() {
  using Clock = std::chrono::steady_clock;
  static const std::chrono::microseconds kEvery = [] {
    std::uint64_t within_us = 0;
    return std::chrono::microseconds(sd_watchdog_enabled(0, &within_us) > 0 ? within_us / 2 : 0);
  }();
  static Clock::time_point last{};
  if (kEvery.count() == 0) return;
  const Clock::time_point now = Clock::now();
  if (now - last < kEvery) return;
  last = now;
  sd_notify(0, "WATCHDOG=1");
}

void supervisor_stopping() { sd_notify(0, "STOPPING=1"); }

#else

void supervisor_ready(const std::string&) {}
void supervisor_alive() {}
void supervisor_stopping() {}

#endif

}  // namespace crosswire
