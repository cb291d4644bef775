// The operator desk: see the header.
#include "app/ctl/desk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/order.hpp"
#include "hugepages/base/check.hpp"

namespace crosswire {
namespace {

std::string text_of(const SymbolName& name) {
  return std::string(name.begin(), std::find(name.begin(), name.end(), ' '));
}

template <std::size_t N>
void put(std::array<char, N>& to, std::string_view text) {
  to.fill('\0');
  std::copy_n(text.begin(), std::min(text.size(), N), to.begin());
}

wire::OperatorFrame frame_of(const CtlAsk& ask, const std::string& operator_name) {
  wire::OperatorFrame frame{};
  frame.ether_type = wire::kRecorderEtherType;
  frame.version = wire::OperatorFrame::kVersion;
  frame.request = ask.request;
  frame.action = static_cast<std::uint8_t>(ask.action);
  frame.phase = static_cast<std::uint8_t>(ask.phase);
  frame.symbol.set(ask.symbol);
  frame.role = static_cast<std::uint8_t>(OperatorRole::owner);
  put(frame.name, operator_name);
  put(frame.reason, ask.reason);
  return frame;
}

CtlAnswer answer_of(const CtlAsk& ask, const std::string& partition, const Event& event) {
  const Operated& operated = event.operated;
  CtlAnswer answer;
  answer.action = operated.action;
  answer.partition = partition;
  answer.symbol = ask.symbol;
  answer.request = operated.request;
  answer.result = operated.result;
  answer.sequence = operated.done_by.value;
  answer.time_ns = operated.done_ns;
  answer.repeated = operated.done_by != event.cause;
  answer.changed = operated.changed;
  answer.held = operated.held;
  if (!ask.symbol.empty() && operated.result != OperatorResult::other_request) answer.phase = operated.phase;
  return answer;
}

}  // namespace

OperatorDesk::OperatorDesk(std::string name, const std::vector<SymbolConfig>& symbols, OperatorRings& rings)
    : name_(std::move(name)), rings_(rings) {
  for (const SymbolConfig& symbol : symbols) symbols_.push_back(text_of(symbol.name));
}

std::optional<std::uint64_t> OperatorDesk::submit(const CtlAsk& ask, const std::string& operator_name,
                                                  std::string& error) {
  if (!open_) {
    error = "the day is over";
    return std::nullopt;
  }
  const bool known = ask.symbol.empty() || std::find(symbols_.begin(), symbols_.end(), ask.symbol) != symbols_.end();
  if (!known) {
    error = fmt::format("no symbol of partition {} is called \"{}\"", name_, ask.symbol.substr(0, 40));
    return std::nullopt;
  }
  if (under_way_.size() >= OperatorRings::kUnderWay) {
    error = "too many commands wait for the stages; does one stand still?";
    return std::nullopt;
  }
  const bool pushed = rings_.requests.push(frame_of(ask, operator_name));
  CHECK(pushed, "%zu commands under way and no room for another", under_way_.size());
  under_way_.push_back({++last_ticket_, ask, operator_name});
  return last_ticket_;
}

std::optional<OperatorDesk::Done> OperatorDesk::collect() {
  Event event{};
  if (!at_rings_ || !rings_.results.pop(event)) return std::nullopt;
  // Both rings and all between them keep the order.
  CHECK(!under_way_.empty() && under_way_.front().ask.request == event.operated.request,
        "a result for request %llu, which is not the oldest", static_cast<unsigned long long>(event.operated.request));
  Submitted oldest = std::move(under_way_.front());
  under_way_.pop_front();
  CtlAnswer answer = answer_of(oldest.ask, name_, event);
  return Done{name_, oldest.ticket, std::move(oldest.ask), std::move(oldest.operator_name), std::move(answer)};
}

}  // namespace crosswire
