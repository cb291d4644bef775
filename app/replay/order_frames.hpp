// What became of the order frames of a replayed capture: how many it holds, what share of them was dropped, why, and
// what mends it. At a replay's input and at its end; never on the way of a live order.
#pragma once

#include <cstdint>
#include <string>

#include "app/figures/figures.hpp"
#include "netstack/port/port.hpp"

namespace crosswire {

/// Whether a frame carries orders to `order_port`, as far as a capture that may be cut short shows: TCP or UDP over
/// IPv4 to whatever address, with more in it than a login, heartbeat or re-request has.
/// `over_tcp`: orders are replayed over TCP, whose segments are told by counters of its own and are none here.
bool is_order_frame(const RxFrame& frame, std::uint16_t order_port, bool over_tcp = false);

/// Of one capture.
struct SeenOrders {
  std::uint64_t frames = 0;   // of which is_order_frame() is true
  std::uint16_t port = 0;     // to which
  bool of_recording = false;  // a run's own: one of a day without orders is as good as any
};

struct DroppedOrders {
  std::string text;   // "" or one line: the share, why, and what to do
  bool most = false;  // more than half of the order frames; where there is none, of all frames
};

/// `figures`: of the capture's replay.
DroppedOrders dropped_orders(const Figures& figures, const SeenOrders& seen);

}  // namespace crosswire
