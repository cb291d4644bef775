// What a polling thread does in a round in which its stages found no work. On the polling cores.
#pragma once

#include "app/config/config.hpp"

namespace crosswire {

/// Makes no system call but, for Idle::yield, the one that gives the core away.
void idle_once(Idle idle);

}  // namespace crosswire
