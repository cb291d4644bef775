// The polling loop: see the header. On the polling core.
#include "app/poll.hpp"

#include <rte_pause.h>

#include <thread>

namespace crosswire {
namespace {

void rest(Idle idle) {
  if (idle == Idle::pause) rte_pause();
  if (idle == Idle::yield) std::this_thread::yield();
}

}  // namespace

PollEnd poll_until_ended(Partition& partition, const DeviceRxPort& rx, Idle idle, const TscClock& clock) {
  // From the wish to end on. A wire that takes nothing must not keep the figures and the recording back.
  constexpr std::uint64_t kLongestDrainNs = 2'000'000'000;
  const std::uint64_t begun = TscClock::read();
  std::uint64_t ending = 0;
  bool cut_off = false;
  while (!partition.finished() && !cut_off) {
    if (!partition.round()) rest(idle);
    if (!rx.end_requested()) continue;
    const std::uint64_t now = TscClock::read();
    if (ending == 0) ending = now;
    cut_off = clock.span_ns(now - ending) >= kLongestDrainNs;
  }
  return {clock.span_ns(TscClock::read() - begun), cut_off && !partition.finished()};
}

}  // namespace crosswire
