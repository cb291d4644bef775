// What `crosswire ctl` and a running appliance say to each other: one JSON object a line, one line each way.
//
//   {"command": "halt", "partition": "one", "symbol": "AAA", "request": 7, "reason": "news pending"}
//   {"command": "halt", "symbol": "AAA", "request": 7, "result": "done", "sequence": 4711, "repeated": false,
//    "time_ns": 34200000000000, "changed": 1, "held": 0}
//   {"error": "no symbol is called AAB"}
//
// A symbol that is left out means all. Control threads only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "engine/command.hpp"
#include "engine/event.hpp"

namespace crosswire {

/// Longest line, its end included. Whoever says more is not listened to.
inline constexpr std::size_t kMostCtlLine = 4096;
/// Characters of a reason (OperatorWhy).
inline constexpr std::size_t kMostReason = 64;

/// What an operator wants.
struct CtlAsk {
  OperatorAction action = OperatorAction::none;
  Phase phase{};              // of OperatorAction::phase
  std::string partition;      // "": the only one
  std::string symbol;         // "": all
  std::uint64_t request = 0;  // its number, not 0
  std::string reason;         // at most kMostReason bytes
};

/// What came of it.
struct CtlAnswer {
  std::string error;  // where it was not done for a reason that match did not give; then nothing else counts
  OperatorAction action = OperatorAction::none;
  std::string symbol;
  std::uint64_t request = 0;
  OperatorResult result = OperatorResult::none;
  std::uint64_t sequence = 0;  // of the command that did it
  bool repeated = false;       // an earlier one did it
  TimeNs time_ns = 0;          // of the command that is answered, ns since midnight
  std::uint16_t changed = 0;
  std::uint16_t held = 0;
};

/// what() is one line: what is wrong with a line.
class CtlError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Without the line's end.
std::string to_line(const CtlAsk& ask);
std::string to_line(const CtlAnswer& answer);
/// Throw CtlError. Unknown keys are faults, so that a slip of the pen does not halt all instead of one.
CtlAsk read_ask(std::string_view line);
CtlAnswer read_answer(std::string_view line);

/// "halt", "resume", "phase".
std::string_view action_name(OperatorAction action);
/// "halt AAA", "phase continuous, all symbols".
std::string describe(const CtlAsk& ask);
/// Of a result: "done", "closed", .. as in the lines, and in words for people.
std::string_view result_name(OperatorResult result);
std::string_view result_words(OperatorResult result);

}  // namespace crosswire
