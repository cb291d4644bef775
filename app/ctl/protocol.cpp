// The lines of the control socket: see the header.
#include "app/ctl/protocol.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <utility>

namespace crosswire {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 7> kActions = {"none", "halt", "resume", "phase", "kill", "allow", "reload"};
static_assert(kActions.size() == static_cast<std::size_t>(kLastOperatorAction) + 1);

struct ResultText {
  std::string_view name, words;
};
constexpr std::array<ResultText, 10> kResults = {{
    {"none", "nothing"},
    {"done", "done"},
    {"unknown_symbol", "no such symbol"},
    {"halted_already", "an operator has halted it already"},
    {"not_halted", "no operator has halted it"},
    {"other_request", "that request number is another command's; give one of its own, or none"},
    {"unknown_account", "no such account or firm"},
    {"killed_already", "an operator has killed it already"},
    {"not_killed", "nobody has killed it, and no breaker of its own has stopped it"},
    {"not_today", "it may not change within a day"},
}};
static_assert(kResults.size() == static_cast<std::size_t>(kLastOperatorResult) + 1);

template <class Names, class Name>
std::size_t index_in(const Names& names, const Name& is_it, const std::string& what) {
  const auto found = std::find_if(names.begin(), names.end(), is_it);
  if (found == names.end()) throw CtlError(what);
  return static_cast<std::size_t>(found - names.begin());
}

std::string list_of(std::span<const char* const> names) {
  std::string text;
  for (const char* const name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

Json parse(std::string_view line, std::initializer_list<std::string_view> keys) {
  std::set<std::string> seen;
  std::string twice;
  const auto note = [&](int depth, Json::parse_event_t event, const Json& parsed) {
    const bool key = event == Json::parse_event_t::key && depth == 1;
    if (key && !seen.insert(parsed.get<std::string>()).second) twice = parsed.get<std::string>();
    return depth <= 1;  // nothing here holds lists or objects
  };
  const Json json = Json::parse(line, note, false);
  if (!json.is_object()) throw CtlError("a line that is no JSON object");
  if (!twice.empty()) throw CtlError(fmt::format("\"{}\" is there twice", twice.substr(0, 40)));
  for (const auto& [key, value] : json.items()) {
    const bool known = std::find(keys.begin(), keys.end(), key) != keys.end();
    if (!known) throw CtlError(fmt::format("\"{}\" is no key of it", key.substr(0, 40)));
  }
  return json;
}

/// No control characters, C1's and those that turn the direction of text included: it goes to logs and terminals.
bool is_clean(std::string_view utf8) {
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = [&](std::size_t at) { return at < utf8.size() ? static_cast<unsigned char>(utf8[at]) : 0u; };
    if (byte(i) < 0x20 || byte(i) == 0x7F) return false;
    if (byte(i) == 0xC2 && byte(i + 1) < 0xA0) return false;
    const bool general = byte(i) == 0xE2 && byte(i + 1) == 0x80;
    if (general && ((byte(i + 2) >= 0x8E && byte(i + 2) <= 0x8F) || (byte(i + 2) >= 0xA8 && byte(i + 2) <= 0xAE)))
      return false;
    if (byte(i) == 0xE2 && byte(i + 1) == 0x81 && byte(i + 2) >= 0xA6 && byte(i + 2) <= 0xA9) return false;
  }
  return true;
}

std::string text(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return "";
  if (!found->is_string()) throw CtlError(fmt::format("{} is no text", key));
  std::string value = found->get<std::string>();
  if (!is_clean(value)) throw CtlError(fmt::format("{} has control characters", key));
  return value;
}

bool truth(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return false;
  if (!found->is_boolean()) throw CtlError(fmt::format("{} is neither true nor false", key));
  return found->get<bool>();
}

Phase phase_of(const std::string& name, std::span<const char* const> names) {
  const std::size_t i = index_in(
      names, [&](std::string_view one) { return one == name; },
      fmt::format("\"{}\" is no phase; give one of {}", name.substr(0, 40), list_of(names)));
  return static_cast<Phase>(i);
}

std::uint64_t number(const Json& json, const char* key, std::uint64_t most) {
  const auto found = json.find(key);
  if (found == json.end()) return 0;
  const bool good = found->is_number_unsigned() && found->get<std::uint64_t>() <= most;
  if (!good) throw CtlError(fmt::format("{} is no number from 0 to {}", key, most));
  return found->get<std::uint64_t>();
}

OperatorAction action_of(const std::string& name) {
  const std::size_t i = index_in(
      kActions, [&](std::string_view one) { return one == name && one != kActions[0]; },
      fmt::format("\"{}\" is no command; give halt, resume, phase, kill, allow, pending, approve, withdraw or view",
                  name.substr(0, 40)));
  return static_cast<OperatorAction>(i);
}

/// What it is about, named once and in one way.
void check_target(const CtlAsk& ask, bool all) {
  const bool symbols = !ask.symbol.empty() || all, accounts = !ask.account.empty() || !ask.firm.empty();
  if (is_about_accounts(ask.action)) {
    if (symbols || ask.account.empty() == ask.firm.empty()) throw CtlError("give either an account or a firm");
    return;
  }
  if (accounts || all == !ask.symbol.empty()) throw CtlError("give either a symbol or \"all\": true");
}

constexpr std::uint64_t kMost64 = ~std::uint64_t{0};

/// Of those that are no command to the market.
constexpr std::pair<std::string_view, CtlWish> kWishes[] = {{"pending", CtlWish::pending},
                                                            {"approve", CtlWish::approve},
                                                            {"withdraw", CtlWish::withdraw},
                                                            {"view", CtlWish::view},
                                                            {"reload", CtlWish::reload}};

std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json row_of(const CtlPending& one) {
  return {{"number", one.number},          {"partition", one.partition}, {"asked", one.asked},
          {"operator", one.operator_name}, {"role", one.role},           {"why", one.why},
          {"reason", one.reason},          {"seconds", one.seconds}};
}

CtlPending pending_of(const Json& row) {
  if (!row.is_object()) throw CtlError("a pending command that is no JSON object");
  return {.number = number(row, "number", kMost64),
          .partition = text(row, "partition"),
          .asked = text(row, "asked"),
          .operator_name = text(row, "operator"),
          .role = text(row, "role"),
          .why = text(row, "why"),
          .reason = text(row, "reason"),
          .seconds = number(row, "seconds", kMost64)};
}

/// How long a halt is, and of which level.
void read_halt(const Json& json, CtlAsk& ask) {
  ask.seconds = static_cast<std::uint32_t>(number(json, "seconds", kMostHaltSeconds));
  ask.level = static_cast<std::uint8_t>(number(json, "level", kMostHaltLevel));
  if ((json.contains("seconds") && ask.seconds == 0) || (json.contains("level") && ask.level == 0))
    throw CtlError(fmt::format("give seconds from 1 to {}, level from 1 to {}", kMostHaltSeconds, kMostHaltLevel));
  if (ask.action != OperatorAction::halt && (ask.seconds | ask.level) != 0)
    throw CtlError("seconds and level go with the command halt alone");
  if (ask.level != 0 && !ask.symbol.empty()) throw CtlError("a level is of all symbols");
  if (ask.level == kMostHaltLevel && ask.seconds != 0)
    throw CtlError(fmt::format("a halt at level {} is until resumed", kMostHaltLevel));
}

/// Whether it is what a question on the telemetry socket may be made of.
bool is_question(std::string_view question) {
  constexpr std::string_view kOurs = "/crosswire/";
  return question.size() <= kMostQuestion && question.substr(0, kOurs.size()) == kOurs &&
         std::all_of(question.begin(), question.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

std::string to_line(const CtlAsk& ask) {
  Json json = {{"command", action_name(ask.action)}, {"request", ask.request}};
  if (ask.action == OperatorAction::phase) json["phase"] = phase_name(ask.phase);
  if (ask.seconds != 0) json["seconds"] = ask.seconds;
  if (ask.level != 0) json["level"] = ask.level;
  if (!ask.partition.empty()) json["partition"] = ask.partition;
  if (!ask.account.empty()) json["account"] = ask.account;
  if (!ask.firm.empty()) json["firm"] = ask.firm;
  if (!ask.symbol.empty()) json["symbol"] = ask.symbol;
  if (ask.symbol.empty() && !is_about_accounts(ask.action)) json["all"] = true;
  if (!ask.reason.empty()) json["reason"] = ask.reason;
  return dumped(json);
}

std::string to_line(const CtlAnswer& answer) {
  Json json;
  if (!answer.error.empty()) {
    json = {{"error", answer.error}, {"done", answer.unknown ? "unknown" : "no"}};
    return dumped(json);
  }
  json = {{"command", action_name(answer.action)}, {"partition", answer.partition}, {"request", answer.request}};
  if (!answer.symbol.empty()) json["symbol"] = answer.symbol;
  if (!answer.account.empty()) json["account"] = answer.account;
  if (!answer.firm.empty()) json["firm"] = answer.firm;
  if (answer.pending != 0) {
    json.update(Json::object({{"pending", answer.pending}, {"seconds", answer.seconds}, {"why", answer.why}}));
    return dumped(json);
  }
  json.update(Json::object({{"result", result_name(answer.result)},
                            {"sequence", answer.sequence},
                            {"time_ns", answer.time_ns},
                            {"repeated", answer.repeated},
                            {"changed", answer.changed},
                            {"held", answer.held}}));
  if (!answer.asked.empty()) json["asked"] = answer.asked;
  if (!answer.operator_name.empty()) json["operator"] = answer.operator_name;
  if (answer.action == OperatorAction::kill) json["canceled"] = answer.canceled;
  if (answer.phase) json["phase"] = phase_name(*answer.phase);
  return dumped(json);
}

static CtlAsk read_reload_ask(std::string_view line) {
  const Json json = parse(line, {"command", "request", "dry_run", "only_what_may", "reason"});
  CtlAsk ask;
  ask.action = OperatorAction::reload;
  ask.request = number(json, "request", kMost64);
  ask.reason = text(json, "reason");
  ask.dry_run = truth(json, "dry_run");
  ask.only_what_may = truth(json, "only_what_may");
  if (ask.request == 0) throw CtlError("request is missing; give a number from 1 on");
  if (ask.reason.size() > kMostReason) throw CtlError(fmt::format("reason has over {} bytes", kMostReason));
  return ask;
}

CtlAsk read_ask(std::string_view line) {
  const Json json = parse(line, {"command", "phase", "partition", "symbol", "all", "account", "firm", "request",
                                 "reason", "seconds", "level"});
  CtlAsk ask;
  ask.action = action_of(text(json, "command"));
  ask.partition = text(json, "partition");
  ask.symbol = text(json, "symbol");
  ask.reason = text(json, "reason");
  ask.request = number(json, "request", kMost64);
  ask.account = text(json, "account");
  ask.firm = text(json, "firm");
  check_target(ask, truth(json, "all"));
  if (ask.request == 0) throw CtlError("request is missing; give a number from 1 on");
  if (ask.reason.size() > kMostReason) throw CtlError(fmt::format("reason has over {} bytes", kMostReason));
  if (ask.action == OperatorAction::phase) {
    ask.phase = phase_of(text(json, "phase"), kAskedPhaseNames);
  } else if (json.contains("phase")) {
    throw CtlError("phase goes with the command phase alone");
  }
  read_halt(json, ask);
  return ask;
}

CtlAnswer read_answer(std::string_view line) {
  const Json json = parse(line, {"error",    "done",     "command",  "partition", "symbol", "request", "result",
                                 "sequence", "time_ns",  "repeated", "changed",   "held",   "phase",   "account",
                                 "firm",     "canceled", "pending",  "seconds",   "why",    "asked",   "operator"});
  CtlAnswer answer;
  answer.error = text(json, "error");
  answer.unknown = text(json, "done") == "unknown";
  if (!answer.error.empty()) return answer;
  answer.pending = number(json, "pending", kMost64);
  if (answer.pending == 0 && !json.contains("result")) throw CtlError("an answer without a result");
  answer.action = action_of(text(json, "command"));
  answer.partition = text(json, "partition");
  answer.symbol = text(json, "symbol");
  answer.account = text(json, "account");
  answer.firm = text(json, "firm");
  answer.request = number(json, "request", kMost64);
  answer.seconds = number(json, "seconds", kMost64);
  answer.why = text(json, "why");
  answer.asked = text(json, "asked");
  answer.operator_name = text(json, "operator");
  if (answer.pending != 0) return answer;
  const std::string result = text(json, "result");
  answer.result = static_cast<OperatorResult>(index_in(
      kResults, [&](const ResultText& one) { return one.name == result; }, "a result that is not known"));
  answer.sequence = number(json, "sequence", kMost64);
  answer.time_ns = number(json, "time_ns", kMost64);
  answer.repeated = truth(json, "repeated");
  answer.changed = static_cast<std::uint16_t>(number(json, "changed", 0xFFFF));
  answer.held = static_cast<std::uint16_t>(number(json, "held", 0xFFFF));
  answer.canceled = static_cast<std::uint32_t>(number(json, "canceled", 0xFFFF'FFFF));
  if (json.contains("phase")) answer.phase = phase_of(text(json, "phase"), kPhaseNames);
  return answer;
}

std::string to_line(const CtlLine& line) {
  if (line.wish == CtlWish::operate) return to_line(line.ask);
  Json json;
  for (const auto& [name, wish] : kWishes) {
    if (wish == line.wish) json["command"] = name;
  }
  if (line.wish == CtlWish::approve || line.wish == CtlWish::withdraw) json["number"] = line.number;
  if (line.wish == CtlWish::view) json["question"] = line.question;
  if (line.wish == CtlWish::reload) {
    json["request"] = line.ask.request;
    if (line.ask.dry_run) json["dry_run"] = true;
    if (line.ask.only_what_may) json["only_what_may"] = true;
    if (!line.ask.reason.empty()) json["reason"] = line.ask.reason;
  }
  return dumped(json);
}

CtlLine read_line(std::string_view line) {
  const Json json = parse(line, {"command", "phase", "partition", "symbol", "all", "account", "firm", "request",
                                 "reason", "number", "question", "seconds", "level", "dry_run", "only_what_may"});
  const std::string command = text(json, "command");
  const auto* const found = std::find_if(std::begin(kWishes), std::end(kWishes),
                                         [&command](const auto& one) { return one.first == command; });
  CtlLine read;
  if (found == std::end(kWishes)) {
    read.ask = read_ask(line);
    return read;
  }
  read.wish = found->second;
  if (read.wish == CtlWish::reload) {
    read.ask = read_reload_ask(line);
    return read;
  }
  const bool numbered = read.wish == CtlWish::approve || read.wish == CtlWish::withdraw;
  const bool asks = read.wish == CtlWish::view;
  if (json.size() != std::size_t{1} + (numbered || asks))
    throw CtlError(fmt::format("{} takes nothing of that", command));
  if (numbered) read.number = number(json, "number", kMost64);
  if (numbered && read.number == 0) throw CtlError("number is missing; give that of a pending command");
  read.question = text(json, "question");
  if (asks && !is_question(read.question)) throw CtlError("question is none for figures; give \"/crosswire/..\"");
  return read;
}

std::string to_line(const std::vector<CtlPending>& pending) {
  Json rows = Json::array();
  for (const CtlPending& one : pending) rows.push_back(row_of(one));
  return dumped(Json::object({{"commands", std::move(rows)}}));
}

std::vector<CtlPending> read_pending(std::string_view line) {
  constexpr int kMostDepth = 3;
  const auto shallow = [](int depth, Json::parse_event_t, const Json&) { return depth <= kMostDepth; };
  const Json json = Json::parse(line, shallow, false);
  if (!json.is_object()) throw CtlError("a line that is no JSON object");
  if (const std::string error = text(json, "error"); !error.empty()) throw CtlError(error);
  const auto commands = json.find("commands");
  if (commands == json.end() || !commands->is_array()) throw CtlError("an answer without commands");
  std::vector<CtlPending> pending;
  for (const Json& row : *commands) pending.push_back(pending_of(row));
  return pending;
}

std::string withdrawn_line(const CtlPending& withdrawn) {
  return dumped(Json::object(
      {{"withdrawn", withdrawn.number}, {"asked", withdrawn.asked}, {"operator", withdrawn.operator_name}}));
}

CtlPending read_withdrawn(std::string_view line) {
  const Json json = parse(line, {"error", "done", "withdrawn", "asked", "operator"});
  if (const std::string error = text(json, "error"); !error.empty()) throw CtlError(error);
  CtlPending withdrawn;
  withdrawn.number = number(json, "withdrawn", kMost64);
  withdrawn.asked = text(json, "asked");
  withdrawn.operator_name = text(json, "operator");
  if (withdrawn.number == 0) throw CtlError("an answer without a number");
  return withdrawn;
}

namespace {
constexpr std::array<std::string_view, 4> kReloadStates = {"same", "checked", "done", "pending"};
}  // namespace

std::string to_line(const CtlReload& reload) {
  Json rows = Json::array();
  for (const CtlReloadRow& row : reload.rows) {
    rows.push_back({{"partition", row.partition},
                    {"key", row.key},
                    {"before", row.before},
                    {"after", row.after},
                    {"may", row.may},
                    {"loosens", row.loosens}});
  }
  Json json = Json::object({{"request", reload.request}, {"rows", std::move(rows)}});
  if (reload.left_out > 0) json["left_out"] = reload.left_out;
  if (!reload.error.empty()) {
    json.update(Json::object({{"error", reload.error}, {"done", reload.unknown ? "unknown" : "no"}}));
    return dumped(json);
  }
  json["reload"] = kReloadStates[static_cast<std::size_t>(reload.state)];
  if (reload.state == CtlReloadState::pending)
    json.update(Json::object({{"pending", reload.pending}, {"seconds", reload.seconds}, {"why", reload.why}}));
  return dumped(json);
}

CtlReload read_reload(std::string_view line) {
  constexpr int kMostDepth = 3;
  const auto shallow = [](int depth, Json::parse_event_t, const Json&) { return depth <= kMostDepth; };
  const Json json = Json::parse(line, shallow, false);
  if (!json.is_object()) throw CtlError("a line that is no JSON object");
  CtlReload reload;
  reload.error = text(json, "error");
  reload.unknown = text(json, "done") == "unknown";
  reload.request = number(json, "request", kMost64);
  reload.left_out = number(json, "left_out", kMost64);
  reload.pending = number(json, "pending", kMost64);
  reload.seconds = number(json, "seconds", kMost64);
  reload.why = text(json, "why");
  if (const auto rows = json.find("rows"); rows != json.end() && rows->is_array()) {
    for (const Json& row : *rows) {
      if (!row.is_object()) throw CtlError("a row that is no JSON object");
      reload.rows.push_back({text(row, "partition"), text(row, "key"), text(row, "before"), text(row, "after"),
                             truth(row, "may"), truth(row, "loosens")});
    }
  }
  if (!reload.error.empty()) return reload;
  const std::string state = text(json, "reload");
  reload.state = static_cast<CtlReloadState>(index_in(
      kReloadStates, [&](std::string_view one) { return one == state; }, "a result that is not known"));
  return reload;
}

std::string_view action_name(OperatorAction action) { return kActions[static_cast<std::size_t>(action)]; }

std::string describe(const CtlAsk& ask) {
  if (ask.action == OperatorAction::reload) return ask.what.empty() ? "reload" : ask.what;
  const std::string phase = ask.action == OperatorAction::phase ? fmt::format(" {}", phase_name(ask.phase)) : "";
  const std::string level = ask.level == 0 ? "" : fmt::format(" at level {}", ask.level);
  const std::string time = ask.seconds == 0 ? "" : fmt::format(" for {} s", ask.seconds);
  const std::string what = !ask.account.empty() ? "account " + ask.account
                           : !ask.firm.empty()  ? "firm " + ask.firm
                           : ask.symbol.empty() ? "all symbols"
                                                : ask.symbol;
  return fmt::format("{}{}{}{}, {}", action_name(ask.action), phase, level, time, what);
}

std::string_view result_name(OperatorResult result) { return kResults[static_cast<std::size_t>(result)].name; }
std::string_view result_words(OperatorResult result) { return kResults[static_cast<std::size_t>(result)].words; }

}  // namespace crosswire
