// What both halves of one TCP are made with, for the stages that have them: plain references.
#pragma once

#include "netstack/session/admission.hpp"
#include "netstack/tcp/config.hpp"
#include "netstack/tcp/signals.hpp"

namespace crosswire::tcp {

/// All outlive the halves.
struct Wiring {
  const TcpConfig& config;
  Signals& signals;
  AdmissionRing& admissions;  // of what stands above them
};

}  // namespace crosswire::tcp
