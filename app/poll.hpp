// The polling loop of `crosswire run`: what the polling core does from the start to the end of the day. It makes no
// system call (but to give the core away, where the operator asked for that), takes no lock, allocates nothing and
// meets no page for the first time; tests/system/clean_path_test.cpp proves it.
#pragma once

#include <cstdint>

#include "app/config.hpp"
#include "app/partition.hpp"
#include "netstack/port/device.hpp"
#include "netstack/port/tsc_clock.hpp"

namespace crosswire {

struct PollEnd {
  std::uint64_t wall_ns;  // how long it polled
  bool cut_off;           // the wire took too little for the drain to end in time: the last answers are not sent
};

/// Polls until the partition is finished, which it is some time after rx.request_end(), or until the drain has taken
/// 2 s. `idle`: what to do in rounds without work. On the polling thread; memory is resident (make_resident()).
PollEnd poll_until_ended(Partition& partition, const DeviceRxPort& rx, Idle idle, const TscClock& clock);

}  // namespace crosswire
