// The operator desk: see the header.
#include "app/ctl/desk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <random>
#include <string_view>
#include <tuple>
#include <utility>

#include "engine/order.hpp"
#include "hugepages/base/check.hpp"
#include "netstack/session/password_digest.hpp"

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

wire::OperatorFrame frame_of(const CtlAsk& ask, const OperatorSignature& by, SessionId account, FirmId firm) {
  wire::OperatorFrame frame{};
  frame.ether_type = wire::kRecorderEtherType;
  frame.version = wire::OperatorFrame::kVersion;
  frame.request = ask.request;
  frame.action = static_cast<std::uint8_t>(ask.action);
  frame.phase = static_cast<std::uint8_t>(ask.phase);
  frame.symbol.set(ask.symbol);
  frame.account = account.value;
  frame.firm = firm.value;
  frame.level = ask.level;
  frame.seconds = ask.seconds;
  frame.role = static_cast<std::uint8_t>(by.role);
  put(frame.name, recorded_name(by.name));
  put(frame.approver, recorded_name(by.approver));
  put(frame.reason, ask.reason);
  return frame;
}

}  // namespace

std::string recorded_name(std::string_view name) {
  constexpr std::size_t kPlaces = std::tuple_size_v<decltype(wire::OperatorFrame::name)>;
  constexpr std::size_t kKept = kPlaces - 5;
  if (name.size() <= kPlaces) return std::string(name);
  std::uint32_t hash = 2'166'136'261;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619;
  return fmt::format("{}~{:04x}", name.substr(0, kKept), (hash ^ hash >> 16) & 0xFFFF);
}

namespace {

CtlAnswer answer_of(const CtlAsk& ask, const std::string& partition, const Event& event) {
  const Operated& operated = event.operated;
  CtlAnswer answer;
  answer.action = operated.action;
  answer.partition = partition;
  answer.symbol = ask.symbol;
  answer.account = ask.account;
  answer.firm = ask.firm;
  answer.request = operated.request;
  answer.result = operated.result;
  answer.sequence = operated.done_by.value;
  answer.time_ns = operated.done_ns;
  answer.repeated = operated.done_by != event.cause;
  answer.changed = operated.changed;
  answer.held = operated.held;
  answer.canceled = operated.canceled;
  if (!ask.symbol.empty() && operated.result != OperatorResult::other_request) answer.phase = operated.phase;
  return answer;
}

CtlAnswer answer_of_row(const CtlAsk& ask, const std::string& partition, const Event& event) {
  CtlAnswer answer;
  answer.action = OperatorAction::reload;
  answer.partition = partition;
  answer.request = ask.request;
  answer.result = event.configured.result;
  answer.sequence = event.cause.value;
  answer.time_ns = event.time_ns;
  answer.changed = answer.result == OperatorResult::done;
  return answer;
}

}  // namespace

bool is_same_user(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::vector<DeskAccount> desk_accounts(const Config& config) {
  std::vector<DeskAccount> accounts;
  for (std::size_t i = 0; i < config.net.accounts.size(); ++i) {
    const AccountConfig& account = config.net.accounts[i];
    const std::string firm(account.firm.begin(), std::find(account.firm.begin(), account.firm.end(), ' '));
    accounts.push_back({account.user, firm, config.engine.firms[i]});
  }
  return accounts;
}

std::vector<std::string> desk_symbols(const Config& config) {
  std::vector<std::string> symbols;
  for (const SymbolConfig& symbol : config.engine.symbols) symbols.push_back(text_of(symbol.name));
  return symbols;
}

OperatorDesk::OperatorDesk(std::string name, const std::vector<SymbolConfig>& symbols,
                           const std::vector<DeskAccount>& accounts, OperatorRings& rings)
    : name_(std::move(name)), accounts_(accounts), rings_(rings) {
  for (const SymbolConfig& symbol : symbols) symbols_.push_back(text_of(symbol.name));
}

/// Whether there is what the command is about, if it is about accounts.
bool OperatorDesk::find_accounts(const CtlAsk& ask, SessionId& account, FirmId& firm) const {
  if (!is_about_accounts(ask.action)) return true;
  const auto found = std::find_if(accounts_.begin(), accounts_.end(), [&ask](const DeskAccount& one) {
    return ask.account.empty() ? one.firm == ask.firm : is_same_user(one.user, ask.account);
  });
  if (found == accounts_.end() || (ask.account.empty() && ask.firm.empty())) return false;
  if (ask.account.empty()) {
    firm = found->id;
  } else {
    account = SessionId{static_cast<std::uint16_t>(found - accounts_.begin())};
  }
  return true;
}

std::string OperatorDesk::fault_of(const CtlAsk& ask) const {
  if (!open_) return "the day is over";
  const bool known = ask.symbol.empty() || std::find(symbols_.begin(), symbols_.end(), ask.symbol) != symbols_.end();
  if (!known) return fmt::format("no symbol of partition {} is called \"{}\"", name_, ask.symbol.substr(0, 40));
  SessionId account = kNoSession;
  FirmId firm = kNoFirm;
  if (!find_accounts(ask, account, firm)) {
    return ask.account.empty()
               ? fmt::format("no firm of partition {} is called \"{}\"", name_, ask.firm.substr(0, 40))
               : fmt::format("no account of partition {} is called \"{}\"", name_, ask.account.substr(0, 40));
  }
  const bool full = under_way_.size() >= OperatorRings::kUnderWay;
  return full ? "too many commands wait for the stages; does one stand still?" : "";
}

std::optional<std::uint64_t> OperatorDesk::submit(const CtlAsk& ask, const OperatorSignature& by, std::string& error) {
  error = fault_of(ask);
  if (!error.empty()) return std::nullopt;
  SessionId account = kNoSession;
  FirmId firm = kNoFirm;
  find_accounts(ask, account, firm);
  const bool pushed = rings_.requests.push(frame_of(ask, by, account, firm));
  CHECK(pushed, "%zu commands under way and no room for another", under_way_.size());
  under_way_.push_back({++last_ticket_, ask, by});
  return last_ticket_;
}

void OperatorDesk::submit(const ConfigChange& change, std::uint64_t request, const std::string& reason,
                          const OperatorSignature& by) {
  CHECK(may_take(), "%zu commands under way", under_way_.size());
  CtlAsk ask;
  ask.action = OperatorAction::reload;
  ask.partition = name_;
  ask.request = request;
  ask.reason = reason;
  ask.what = change.key;
  if (change.symbol != kNoSymbol) ask.symbol = symbols_[change.symbol.value - 1u];
  wire::OperatorFrame frame = frame_of(ask, by, change.account, change.firm);
  frame.row = static_cast<std::uint8_t>(change.row);
  frame.limit = static_cast<std::uint8_t>(change.limit);
  frame.value = static_cast<std::uint64_t>(change.value);
  if (change.row == ConfigRow::password) {
    std::random_device random;
    const std::uint64_t salt = std::uint64_t{random()} << 32 | random();
    frame.salt = salt;
    frame.value = password_digest(change.password, salt);
  }
  const bool pushed = rings_.requests.push(frame);
  CHECK(pushed, "%zu commands under way and no room for another", under_way_.size());
  under_way_.push_back({++last_ticket_, std::move(ask), by});
}

std::optional<OperatorDesk::Done> OperatorDesk::collect() {
  Event event{};
  if (!at_rings_ || !rings_.results.pop(event)) return std::nullopt;
  // Both rings and all between them keep the order.
  CHECK(!under_way_.empty() && under_way_.front().ask.request == event.operated.request,
        "a result for request %llu, which is not the oldest", static_cast<unsigned long long>(event.operated.request));
  Submitted oldest = std::move(under_way_.front());
  under_way_.pop_front();
  const bool row = event.kind == EventKind::configured;
  CtlAnswer answer = row ? answer_of_row(oldest.ask, name_, event) : answer_of(oldest.ask, name_, event);
  return Done{name_, oldest.ticket, std::move(oldest.ask), std::move(oldest.by), std::move(answer)};
}

}  // namespace crosswire
