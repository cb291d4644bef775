// A station of TCP alone: what stands between a port and each half where no other stage does it: ARP, and nothing else
// of IPv4. `crosswire echo --tcp`, tests and simulators; the appliance has its own stages for it.
// Each half on its own thread, or both on one. Nothing here waits, allocates after construction, or locks.
#pragma once

#include <cstddef>
#include <span>

#include "netstack/common/config.hpp"
#include "netstack/link/vlan_filter.hpp"
#include "netstack/port/port.hpp"
#include "netstack/receive/counters.hpp"
#include "netstack/tcp/receive_half.hpp"
#include "netstack/tcp/send_half.hpp"

namespace crosswire::tcp {

class ReceivingHost {
 public:
  /// All outlive this.
  ReceivingHost(const NetConfig& net, ReceiveHalf& half, RxPort& port);

  /// At most one burst. What has no room for its signals waits, with all behind it, for the next call. Returns
  /// frames finished, and one where a reader took what waited.
  std::size_t poll();

  /// The port's time, as of the last burst.
  TimeNs now() const { return now_; }
  /// The port has ended, and its last burst is done with.
  bool ended() const { return ended_ && frame_ == frames_.size(); }
  /// What is dropped before TCP.
  const Counters<ReceiveCounter>& counters() const { return counters_; }

 private:
  bool take(const RxFrame& frame);
  bool drop(ReceiveCounter counter);

  const NetConfig& net_;
  link::VlanFilter vlans_;
  ReceiveHalf& half_;
  RxPort& port_;
  std::span<const RxFrame> frames_;
  std::size_t frame_ = 0;
  TimeNs now_ = 0;
  bool ended_ = false;
  Counters<ReceiveCounter> counters_;
};

}  // namespace crosswire::tcp
