// What a control thread is told of logins that only transmit can refuse: those for messages that are not kept any more.
// Over a ring; where that is full the news is lost, and the counter alone tells of it. Constant size, no allocation.
#pragma once

#include <cstdint>

#include "engine/types.hpp"
#include "hugepages/memory/arena.hpp"
#include "hugepages/rings/spsc_ring.hpp"

namespace crosswire {

struct LoginNews {
  SessionId session;
  std::uint64_t wanted;  // the first message that the client wants
  std::uint64_t oldest;  // that is kept
};

using LoginNewsRing = SpscRing<LoginNews>;
inline constexpr std::uint64_t kLoginNews = 64;

}  // namespace crosswire
