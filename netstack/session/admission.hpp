// What transmit finds of a login over TCP: whether the messages are kept that the client wants. Over a ring, transmit
// to receive, which opens the session only then: a login that is refused takes no session from anybody. Plain values.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "engine/command.hpp"
#include "hugepages/rings/spsc_ring.hpp"

namespace crosswire {

struct Admission {
  ConnectionRef connection;
  bool admitted;
};

using AdmissionRing = SpscRing<Admission>;

/// Places of the ring for so many connections: each has one login at most that waits, and one that came before it on
/// the same place, whose end is on its way. So transmit always has room.
constexpr std::uint64_t admissions_for(std::size_t connections) {
  return std::bit_ceil(std::uint64_t{2} * connections);
}

}  // namespace crosswire
