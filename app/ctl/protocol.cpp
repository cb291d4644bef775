// The lines of the control socket: see the header.
#include "app/ctl/protocol.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <nlohmann/json.hpp>

namespace crosswire {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 4> kActions = {"none", "halt", "resume", "phase"};
static_assert(kActions.size() == static_cast<std::size_t>(kLastOperatorAction) + 1);

struct ResultText {
  std::string_view name, words;
};
constexpr std::array<ResultText, 6> kResults = {{
    {"none", "nothing"},
    {"done", "done"},
    {"unknown_symbol", "no such symbol"},
    {"closed", "closed for the day"},
    {"halted_already", "an operator has halted it already"},
    {"not_halted", "no operator has halted it"},
}};
static_assert(kResults.size() == static_cast<std::size_t>(OperatorResult::not_halted) + 1);

template <class Names, class Name>
std::size_t index_in(const Names& names, const Name& is_it, const std::string& what) {
  const auto found = std::find_if(names.begin(), names.end(), is_it);
  if (found == names.end()) throw CtlError(what);
  return static_cast<std::size_t>(found - names.begin());
}

Json parse(std::string_view line, std::initializer_list<std::string_view> keys) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) throw CtlError("a line that is no JSON object");
  for (const auto& [key, value] : json.items()) {
    const bool known = std::find(keys.begin(), keys.end(), key) != keys.end();
    if (!known) throw CtlError(fmt::format("\"{}\" is no key of it", key.substr(0, 40)));
  }
  return json;
}

std::string text(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return "";
  if (!found->is_string()) throw CtlError(fmt::format("{} is no text", key));
  const std::string value = found->get<std::string>();
  const bool clean =
      std::all_of(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) >= ' '; });
  if (!clean) throw CtlError(fmt::format("{} has control characters", key));
  return value;
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
      fmt::format("\"{}\" is no command; give halt, resume or phase", name.substr(0, 40)));
  return static_cast<OperatorAction>(i);
}

std::string phases() {
  std::string text;
  for (const char* const name : kPhaseNames) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

constexpr std::uint64_t kMost64 = ~std::uint64_t{0};

}  // namespace

std::string to_line(const CtlAsk& ask) {
  Json json = {{"command", action_name(ask.action)}, {"request", ask.request}};
  if (ask.action == OperatorAction::phase) json["phase"] = phase_name(ask.phase);
  if (!ask.partition.empty()) json["partition"] = ask.partition;
  if (!ask.symbol.empty()) json["symbol"] = ask.symbol;
  if (!ask.reason.empty()) json["reason"] = ask.reason;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_line(const CtlAnswer& answer) {
  Json json;
  if (!answer.error.empty()) {
    json = {{"error", answer.error}};
  } else {
    json = {{"command", action_name(answer.action)},
            {"request", answer.request},
            {"result", result_name(answer.result)},
            {"sequence", answer.sequence},
            {"repeated", answer.repeated},
            {"time_ns", answer.time_ns},
            {"changed", answer.changed},
            {"held", answer.held}};
    if (!answer.symbol.empty()) json["symbol"] = answer.symbol;
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

CtlAsk read_ask(std::string_view line) {
  const Json json = parse(line, {"command", "phase", "partition", "symbol", "request", "reason"});
  CtlAsk ask;
  ask.action = action_of(text(json, "command"));
  ask.partition = text(json, "partition");
  ask.symbol = text(json, "symbol");
  ask.reason = text(json, "reason");
  ask.request = number(json, "request", kMost64);
  if (json.contains("symbol") && ask.symbol.empty()) throw CtlError("symbol is empty; leave it out for all");
  if (ask.request == 0) throw CtlError("request is missing; give a number from 1 on");
  if (ask.reason.size() > kMostReason) throw CtlError(fmt::format("reason has over {} bytes", kMostReason));
  const std::string phase = text(json, "phase");
  if (ask.action == OperatorAction::phase) {
    const std::size_t i = index_in(
        kPhaseNames, [&](std::string_view one) { return one == phase; },
        fmt::format("\"{}\" is no phase; give one of {}", phase.substr(0, 40), phases()));
    ask.phase = static_cast<Phase>(i);
  } else if (json.contains("phase")) {
    throw CtlError("phase goes with the command phase alone");
  }
  return ask;
}

CtlAnswer read_answer(std::string_view line) {
  const Json json = parse(
      line, {"error", "command", "symbol", "request", "result", "sequence", "repeated", "time_ns", "changed", "held"});
  CtlAnswer answer;
  answer.error = text(json, "error");
  if (!answer.error.empty()) return answer;
  answer.action = action_of(text(json, "command"));
  answer.symbol = text(json, "symbol");
  answer.request = number(json, "request", kMost64);
  const std::string result = text(json, "result");
  answer.result = static_cast<OperatorResult>(index_in(
      kResults, [&](const ResultText& one) { return one.name == result; }, "a result that is not known"));
  answer.sequence = number(json, "sequence", kMost64);
  answer.repeated = json.value("repeated", Json(false)) == Json(true);
  answer.time_ns = number(json, "time_ns", kMost64);
  answer.changed = static_cast<std::uint16_t>(number(json, "changed", 0xFFFF));
  answer.held = static_cast<std::uint16_t>(number(json, "held", 0xFFFF));
  return answer;
}

std::string_view action_name(OperatorAction action) { return kActions[static_cast<std::size_t>(action)]; }

std::string describe(const CtlAsk& ask) {
  const std::string phase = ask.action == OperatorAction::phase ? fmt::format(" {}", phase_name(ask.phase)) : "";
  return fmt::format("{}{}, {}", action_name(ask.action), phase, ask.symbol.empty() ? "all symbols" : ask.symbol);
}

std::string_view result_name(OperatorResult result) { return kResults[static_cast<std::size_t>(result)].name; }
std::string_view result_words(OperatorResult result) { return kResults[static_cast<std::size_t>(result)].words; }

}  // namespace crosswire
