// Accounts with limits, two of a firm each, in an engine of their own: what tests of limits share.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "tests/engine/engine_rig.hpp"

namespace crosswire::testing {

/// Accounts 0 and 1 are one firm, 2 and 3 another. Account 3 has no limits.
class LimitsRig : public ::testing::Test {
 protected:
  LimitsRig() {
    config.risk.resize(config.sessions);
    config.firms = {FirmId{0}, FirmId{0}, FirmId{1}, FirmId{1}};
  }
  void limit(std::uint32_t session, RiskLimit which, std::int64_t to) {
    config.risk[session].limits[static_cast<std::size_t>(which)] = to;
  }
  void start() {
    rig.emplace(config);
    rig->run(phase(Phase::continuous));
  }

  EngineConfig config = small_config(2);
  std::optional<EngineRig> rig;
};

}  // namespace crosswire::testing
