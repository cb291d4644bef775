// The polling loop: see the header. On the polling cores.
#include "app/run/poll.hpp"

#include "app/partition/idle.hpp"

namespace crosswire {

PollEnd poll_until_ended(CoreLoop& loop, const DeviceRxPort& rx, Idle idle, const TscClock& clock) {
  // From the port's end on. A wire that takes nothing must not keep the figures and the recording back.
  constexpr std::uint64_t kLongestDrainNs = 2'000'000'000;
  const std::uint64_t begun = TscClock::read();
  std::uint64_t ending = 0;
  bool cut_off = false;
  while (!loop.ended() && !cut_off) {
    if (!loop.round()) idle_once(idle);
    if (!rx.ending()) continue;
    const std::uint64_t now = TscClock::read();
    if (ending == 0) ending = now;
    cut_off = clock.span_ns(now - ending) >= kLongestDrainNs;
  }
  return {clock.span_ns(TscClock::read() - begun), cut_off && !loop.ended()};
}

}  // namespace crosswire
