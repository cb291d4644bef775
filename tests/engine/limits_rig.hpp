// Accounts with limits, two of a firm each, in an engine of their own: what tests of limits share.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

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
  /// "A", "J 0020", "C", ..: kinds by the letter of their answer, with the reason of a reject.
  std::string told(const Command& command) {
    std::string text;
    for (const Outcome& o : rig->outcomes(command)) {
      if (!text.empty()) text += " ";
      if (o.kind == EventKind::accepted) text += o.code == 'D' ? "dead" : "A";
      if (o.kind == EventKind::replaced) text += "U";
      if (o.kind == EventKind::canceled) text += "C";
      if (o.kind == EventKind::modified) text += "M";
      if (o.kind == EventKind::refused) text += "I";
      if (o.kind == EventKind::executed) text += "E";
      if (o.kind == EventKind::mass_cancel) text += "X";
      if (o.kind == EventKind::disable) text += "G";
      if (o.kind == EventKind::rejected) {
        char reason[16];
        std::snprintf(reason, sizeof reason, "J %04x", static_cast<unsigned>(o.code));
        text += reason;
      }
    }
    return text;
  }
  std::string told(TimeNs at, Command command) {
    command.time_ns = at;
    return told(command);
  }

  EngineConfig config = small_config(2);
  std::optional<EngineRig> rig;
};

}  // namespace crosswire::testing
