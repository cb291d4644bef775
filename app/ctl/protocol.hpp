// What `crosswire ctl` and a running appliance say to each other: one JSON object a line, one line each way.
//
//   {"command": "halt", "partition": "one", "symbol": "AAA", "request": 7, "reason": "news pending"}
//   {"command": "halt", "partition": "one", "symbol": "AAA", "request": 7, "result": "done", "sequence": 4711,
//    "repeated": false, "time_ns": 34200000000000, "changed": 1, "held": 0, "phase": "halted"}
//   {"command": "halt", "partition": "one", "all": true, "level": 1, "seconds": 900, "request": 8}
//   {"error": "no symbol is called AAB", "done": "no"}
//
// Either a symbol or "all": true; with kill and allow an "account" or a "firm". Where a second person has to approve
// it, the answer is its number instead, by which others approve or withdraw it; and who may not see the telemetry
// socket asks for figures here.
//
//   {"command": "allow", .., "request": 7, "pending": 4711, "seconds": 300, "why": "a kill is lifted by two"}
//   {"command": "approve", "number": 4711}     answered as the command itself, with "asked" and "operator" beside it
//   {"command": "withdraw", "number": 4711}    {"withdrawn": 4711, "asked": "allow, account ann", "operator": "alice"}
//   {"command": "pending"}                     {"commands": [{"number": 4711, "partition": "one", ..}]}
//   {"command": "view", "question": "/crosswire/info"}         the telemetry's answer
//   {"command": "reload", "request": 7, "dry_run": true}       {"reload": "checked", "rows": [{"key": .., }]}
//
// Control threads only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "engine/command.hpp"
#include "engine/event.hpp"

namespace crosswire {

/// Longest line, its end included. Whoever says more is not listened to.
inline constexpr std::size_t kMostCtlLine = 4096;
/// Longest line of an answer: of figures, or of all that is pending.
inline constexpr std::size_t kMostCtlAnswer = 1u << 17;
/// Bytes of a question for figures.
inline constexpr std::size_t kMostQuestion = 200;
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
  std::string account, firm;  // kill, allow: one of the two
  std::uint32_t seconds = 0;  // halt: so long, at most kMostHaltSeconds; 0: until resumed
  std::uint8_t level = 0;  // halt of all: of a market-wide circuit breaker; kMostHaltLevel: until resumed; 0: of none
  // reload, of all partitions: in words how much changes, and why a second person has to approve it ("": he has not),
  // and of what was checked. All but the two flags are the appliance's to say.
  std::string what, why_two;
  std::uint64_t digest = 0;
  bool dry_run = false;        // nothing changes
  bool only_what_may = false;  // what may not change within a day is left for the next start
};

/// What a line wants.
enum class CtlWish { operate, pending, approve, withdraw, view, reload };
struct CtlLine {
  CtlWish wish = CtlWish::operate;
  CtlAsk ask;                // operate, reload
  std::uint64_t number = 0;  // approve, withdraw: which, not 0
  std::string question;      // view: as on the telemetry socket, "/crosswire/.."
};

/// What came of it.
struct CtlAnswer {
  std::string error;     // why match has given no result; then only `unknown` counts beside it
  bool unknown = false;  // and it may still be done, or be done already; else it is not done and will not be
  OperatorAction action = OperatorAction::none;
  std::string partition;
  std::string symbol;  // "": all
  std::string account, firm;
  std::uint64_t request = 0;
  OperatorResult result = OperatorResult::none;
  std::uint64_t sequence = 0;  // of the command that did it
  TimeNs time_ns = 0;          // its time, ns since midnight
  bool repeated = false;       // it was an earlier one
  std::uint16_t changed = 0;
  std::uint16_t held = 0;
  std::uint32_t canceled = 0;  // orders
  std::optional<Phase> phase;  // of the one symbol, behind it
  // Where it waits for a second person: its number, for how long, and why. Nothing of what came of it then.
  std::uint64_t pending = 0;
  std::uint64_t seconds = 0;
  std::string why;
  // Of approve: what was asked, and by whom.
  std::string asked, operator_name;
};

/// A command that waits for a second person.
struct CtlPending {
  std::uint64_t number = 0;
  std::string partition, asked, operator_name, role, why, reason;
  std::uint64_t seconds = 0;  // that it is still valid
};

/// A key of the configuration that is another one.
struct CtlReloadRow {
  std::string partition, key, before, after;  // "": not there
  bool may = false, loosens = false;
};
/// What came of a reload.
enum class CtlReloadState { same, checked, done, pending };
struct CtlReload {
  std::string error;     // why nothing has changed; rows may say more
  bool unknown = false;  // as of CtlAnswer
  CtlReloadState state = CtlReloadState::same;
  std::vector<CtlReloadRow> rows;
  std::uint64_t left_out = 0;  // rows of which there were too many for a line
  std::uint64_t request = 0;
  std::uint64_t pending = 0;  // as of CtlAnswer
  std::uint64_t seconds = 0;
  std::string why;
};

/// what() is one line: what is wrong with a line.
class CtlError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Without the line's end.
std::string to_line(const CtlAsk& ask);
std::string to_line(const CtlAnswer& answer);
/// Throw CtlError. Keys that are unknown or there twice are faults, and so is neither a symbol nor all: a slip of the
/// pen must not halt all instead of one.
CtlAsk read_ask(std::string_view line);
std::string to_line(const CtlLine& line);
/// Any line; one that gives a command as read_ask() does. Throws CtlError.
CtlLine read_line(std::string_view line);
/// The answer to pending, and to withdraw. read_pending() throws CtlError, also with the words of an error's line.
std::string to_line(const std::vector<CtlPending>& pending);
std::vector<CtlPending> read_pending(std::string_view line);
std::string withdrawn_line(const CtlPending& withdrawn);
CtlPending read_withdrawn(std::string_view line);
/// The answer to reload.
std::string to_line(const CtlReload& reload);
CtlReload read_reload(std::string_view line);
CtlAnswer read_answer(std::string_view line);

/// "halt", "resume", "phase", "kill", "allow".
std::string_view action_name(OperatorAction action);
/// "halt, AAA", "halt at level 1 for 900 s, all symbols", "phase continuous, all symbols", "kill, account ann".
std::string describe(const CtlAsk& ask);
/// Of a result: "done", "closed", .. as in the lines, and in words for people.
std::string_view result_name(OperatorResult result);
std::string_view result_words(OperatorResult result);

}  // namespace crosswire
