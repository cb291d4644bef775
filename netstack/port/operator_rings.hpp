// The way of operators' commands past the wire: from the control thread to the port that receive polls, and what came
// of them from transmit back to the control thread. Neither side waits for the other.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/event.hpp"
#include "hugepages/memory/arena.hpp"
#include "hugepages/rings/spsc_ring.hpp"
#include "netstack/wire/operator_frame.hpp"

namespace crosswire {

class OperatorRings {
 public:
  /// Commands under way at most: the control thread gives no other in before it has taken the result of one out, so
  /// that transmit always finds room for a result (CHECKed there).
  static constexpr std::uint64_t kUnderWay = 64;

  explicit OperatorRings(Arena& arena) : requests(arena, kUnderWay), results(arena, kUnderWay) {}
  static std::size_t bytes_for() {
    return SpscRing<wire::OperatorFrame>::bytes_for(kUnderWay) + SpscRing<Event>::bytes_for(kUnderWay);
  }

  SpscRing<wire::OperatorFrame> requests;  // pushed by the control thread, popped by receive's
  SpscRing<Event> results;  // of kinds `operated` and `configured`; pushed by transmit's thread, popped by control's
};

}  // namespace crosswire
