// In what two configurations of one partition differ, and what of that may change while a day goes on:
// docs/operating.md lists it. Pure; the control thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "engine/command.hpp"
#include "engine/risk_limits.hpp"

namespace crosswire {

/// A key whose value is another one.
struct ConfigDifference {
  std::string key;            // "account[ann].risk.funds_e4"
  std::string before, after;  // as in the files; "": not there. Of what is secret only that there is one
  std::string where;          // "FILE:LINE", where it is now, or was
  bool may = false;           // within a day
  bool loosens = false;       // lets somebody do more than before, or might
};

/// What the exchange is told: a command each.
struct ConfigChange {
  std::string key;  // of the difference that it follows from
  ConfigRow row{};
  RiskLimit limit{};  // where the row takes one
  SessionId account = kNoSession;
  FirmId firm = kNoFirm;
  SymbolId symbol = kNoSymbol;
  std::int64_t value = 0;
  std::string password;  // of ConfigRow::password
  bool loosens = false;
};

struct ConfigDifferences {
  std::vector<ConfigDifference> rows;  // by key
  std::vector<ConfigChange> changes;   // of rows that may change
  bool operators = false;              // [operators] is another one
};

/// From `running` to `next`, both read by load_config().
ConfigDifferences differences(const Config& running, const Config& next);

/// Makes `running` what it is when those of the differences that may have changed: the next comparison, and the next
/// day, begin with it.
void take_changes(const ConfigDifferences& from_here, const Config& next, Config& running);

}  // namespace crosswire
