// The polling loop of `crosswire run`: what a polling core does from the start to the end of the day. It makes no
// system call (but to give the core away, where the operator asked for that), takes no lock, allocates nothing and
// meets no page for the first time; tests/system/clean_path_test.cpp proves it.
#pragma once

#include <cstdint>

#include "app/config/config.hpp"
#include "app/partition/core_loop.hpp"
#include "netstack/port/device.hpp"
#include "netstack/port/tsc_clock.hpp"

namespace crosswire {

struct PollEnd {
  std::uint64_t wall_ns;  // how long it polled
  bool cut_off;           // the wire took too little for the drain to end in time: the last answers are not sent
};

/// Polls until the loop has ended, which it does some time after the port's end, or until that has been 2 s ago. On
/// the loop's thread; its memory is resident (make_resident()).
PollEnd poll_until_ended(CoreLoop& loop, const DeviceRxPort& rx, Idle idle, const TscClock& clock);

}  // namespace crosswire
