// What a replay did, compared with what the exchange did. Tools only; one thread, reads captures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace crosswire {

struct CheckOptions {
  std::string capture_path;  // of a replay's output
  std::string trades_path;   // empty: not compared
  std::string depth_path;    // empty: not compared
  std::string symbol;        // whose feed; empty: the only one there is
};

/// `summary`: the line for the user. `differences`: the first few, each with the line of the file.
struct CheckResult {
  std::string summary;
  std::vector<std::string> differences;
  bool identical() const { return differences.empty(); }
};

/// Compares executions, from the OUCH answers, in the order of their match numbers, with the exchange's: both orders,
/// price, shares, aggressor. Each must also be on the feed. Then the feed's book with the exchange's snapshots. One
/// result for each file given; one that cannot be read, or holds no row, is not identical and does not hide the
/// other's. Throws FlowError for files that cannot be read and captures that make no sense: message numbers that are
/// missing, executions with one side.
std::vector<CheckResult> check_day(const CheckOptions& options);

}  // namespace crosswire
