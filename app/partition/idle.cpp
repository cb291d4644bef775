// Rests of a polling thread: see the header.
#include "app/partition/idle.hpp"

#include <rte_pause.h>

#include <thread>

namespace crosswire {

void rest(Idle idle) {
  if (idle == Idle::pause) rte_pause();
  if (idle == Idle::yield) std::this_thread::yield();
}

}  // namespace crosswire
