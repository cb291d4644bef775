// A polling thread's idle round: see the header.
#include "app/partition/idle.hpp"

#include <rte_pause.h>

#include <thread>

namespace crosswire {

void idle_once(Idle idle) {
  if (idle == Idle::pause) rte_pause();
  if (idle == Idle::yield) std::this_thread::yield();
}

}  // namespace crosswire
