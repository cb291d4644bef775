// The lines of the control socket: see the header.
#include "app/ctl/protocol.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

namespace crosswire {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 6> kActions = {"none", "halt", "resume", "phase", "kill", "allow"};
static_assert(kActions.size() == static_cast<std::size_t>(kLastOperatorAction) + 1);

struct ResultText {
  std::string_view name, words;
};
constexpr std::array<ResultText, 9> kResults = {{
    {"none", "nothing"},
    {"done", "done"},
    {"unknown_symbol", "no such symbol"},
    {"halted_already", "an operator has halted it already"},
    {"not_halted", "no operator has halted it"},
    {"other_request", "that request number is another command's; give one of its own, or none"},
    {"unknown_account", "no such account or firm"},
    {"killed_already", "an operator has killed it already"},
    {"not_killed", "no operator has killed it, and no breaker of its own has stopped it"},
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
      fmt::format("\"{}\" is no command; give halt, resume, phase, kill or allow", name.substr(0, 40)));
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

}  // namespace

std::string to_line(const CtlAsk& ask) {
  Json json = {{"command", action_name(ask.action)}, {"request", ask.request}};
  if (ask.action == OperatorAction::phase) json["phase"] = phase_name(ask.phase);
  if (!ask.partition.empty()) json["partition"] = ask.partition;
  if (!ask.account.empty()) json["account"] = ask.account;
  if (!ask.firm.empty()) json["firm"] = ask.firm;
  if (!ask.symbol.empty()) json["symbol"] = ask.symbol;
  if (ask.symbol.empty() && !is_about_accounts(ask.action)) json["all"] = true;
  if (!ask.reason.empty()) json["reason"] = ask.reason;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_line(const CtlAnswer& answer) {
  Json json;
  if (!answer.error.empty()) {
    json = {{"error", answer.error}, {"done", answer.unknown ? "unknown" : "no"}};
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  json = {{"command", action_name(answer.action)}, {"partition", answer.partition}, {"request", answer.request},
          {"result", result_name(answer.result)},  {"sequence", answer.sequence},   {"time_ns", answer.time_ns},
          {"repeated", answer.repeated},           {"changed", answer.changed},     {"held", answer.held}};
  if (!answer.symbol.empty()) json["symbol"] = answer.symbol;
  if (!answer.account.empty()) json["account"] = answer.account;
  if (!answer.firm.empty()) json["firm"] = answer.firm;
  if (answer.action == OperatorAction::kill) json["canceled"] = answer.canceled;
  if (answer.phase) json["phase"] = phase_name(*answer.phase);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

CtlAsk read_ask(std::string_view line) {
  const Json json =
      parse(line, {"command", "phase", "partition", "symbol", "all", "account", "firm", "request", "reason"});
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
  return ask;
}

CtlAnswer read_answer(std::string_view line) {
  const Json json = parse(line, {"error", "done", "command", "partition", "symbol", "request", "result", "sequence",
                                 "time_ns", "repeated", "changed", "held", "phase", "account", "firm", "canceled"});
  CtlAnswer answer;
  answer.error = text(json, "error");
  answer.unknown = text(json, "done") == "unknown";
  if (!answer.error.empty()) return answer;
  if (!json.contains("result")) throw CtlError("an answer without a result");
  answer.action = action_of(text(json, "command"));
  answer.partition = text(json, "partition");
  answer.symbol = text(json, "symbol");
  answer.request = number(json, "request", kMost64);
  const std::string result = text(json, "result");
  answer.result = static_cast<OperatorResult>(index_in(
      kResults, [&](const ResultText& one) { return one.name == result; }, "a result that is not known"));
  answer.sequence = number(json, "sequence", kMost64);
  answer.time_ns = number(json, "time_ns", kMost64);
  answer.repeated = truth(json, "repeated");
  answer.changed = static_cast<std::uint16_t>(number(json, "changed", 0xFFFF));
  answer.held = static_cast<std::uint16_t>(number(json, "held", 0xFFFF));
  answer.account = text(json, "account");
  answer.firm = text(json, "firm");
  answer.canceled = static_cast<std::uint32_t>(number(json, "canceled", 0xFFFF'FFFF));
  if (json.contains("phase")) answer.phase = phase_of(text(json, "phase"), kPhaseNames);
  return answer;
}

std::string_view action_name(OperatorAction action) { return kActions[static_cast<std::size_t>(action)]; }

std::string describe(const CtlAsk& ask) {
  const std::string phase = ask.action == OperatorAction::phase ? fmt::format(" {}", phase_name(ask.phase)) : "";
  const std::string what = !ask.account.empty() ? "account " + ask.account
                           : !ask.firm.empty()  ? "firm " + ask.firm
                           : ask.symbol.empty() ? "all symbols"
                                                : ask.symbol;
  return fmt::format("{}{}, {}", action_name(ask.action), phase, what);
}

std::string_view result_name(OperatorResult result) { return kResults[static_cast<std::size_t>(result)].name; }
std::string_view result_words(OperatorResult result) { return kResults[static_cast<std::size_t>(result)].words; }

}  // namespace crosswire
