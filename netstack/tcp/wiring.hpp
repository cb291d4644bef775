// What both halves of one TCP are made with, for the stages that have them: plain references.
#pragma once

#include "netstack/tcp/config.hpp"
#include "netstack/tcp/signals.hpp"

namespace crosswire::tcp {

/// Both outlive the halves.
struct Wiring {
  const TcpConfig& config;
  Signals& signals;
};

}  // namespace crosswire::tcp
