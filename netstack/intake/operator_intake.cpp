// The intake of operators' commands: see the header.
#include "netstack/intake/operator_intake.hpp"

#include "netstack/wire/operator_frame.hpp"

namespace crosswire {
namespace {

/// The command in it, if it is one of this version that asks for something known.
const wire::OperatorFrame* read(wire::Bytes frame) {
  const auto* const asked = wire::view_as<wire::OperatorFrame>(frame);
  if (asked == nullptr || asked->version != wire::OperatorFrame::kVersion || asked->request == 0) return nullptr;
  const bool known = asked->action >= 1 && asked->action <= static_cast<std::uint8_t>(kLastOperatorAction) &&
                     asked->phase < kAskedPhaseNames.size() && asked->level <= kMostHaltLevel &&
                     asked->seconds <= kMostHaltSeconds;
  const bool plain = asked->level == 0 && asked->seconds == 0u;
  const bool halts = asked->action == static_cast<std::uint8_t>(OperatorAction::halt) &&
                     (asked->level == 0 || asked->symbol.view().empty()) &&
                     (asked->level < kMostHaltLevel || asked->seconds == 0u);
  const bool reloads = asked->action == static_cast<std::uint8_t>(OperatorAction::reload);
  const bool row = !reloads || (asked->row >= 1 && asked->row <= static_cast<std::uint8_t>(kLastConfigRow));
  return known && row && (plain || halts) ? asked : nullptr;
}

}  // namespace

/// Whether the accounts are there that it is about, if it is about any.
bool OperatorIntake::is_known(const OperatorAsk& ask) const {
  if (!is_about_accounts(ask.action)) return ask.account == kNoSession && ask.firm == kNoFirm;
  return ask.account != kNoSession ? ask.firm == kNoFirm && ask.account.value < accounts_ : ask.firm.value < firms_;
}

bool OperatorIntake::take(wire::Bytes frame) {
  const wire::OperatorFrame* const asked = read(frame);
  if (asked == nullptr) {
    counters_.add(ReceiveCounter::operator_unknown);
    return true;
  }
  OrderIndex slot;
  if (!commands_.has_room() || !slots_.take(slot)) return false;
  put_operator(orders_, slot, {asked->name, asked->approver, static_cast<OperatorRole>(asked->role), {}},
               {asked->reason});
  if (asked->action == static_cast<std::uint8_t>(OperatorAction::reload)) {
    make_configure(*asked, slot);
  } else {
    make_operate(*asked, slot);
  }
  counters_.add(ReceiveCounter::operators);
  return true;
}

void OperatorIntake::make_operate(const wire::OperatorFrame& asked, OrderIndex slot) {
  const bool all = asked.symbol.view().empty();
  Command& command = commands_.make(CommandKind::operate, kNoSession);
  command.symbol = all ? kAllSymbols : symbols_.find_symbol(asked.symbol);
  command.operate.request = asked.request;
  command.operate.slot = slot;
  command.operate.action = static_cast<OperatorAction>(asked.action);
  command.operate.phase = static_cast<Phase>(asked.phase);
  command.operate.level = asked.level;
  command.operate.seconds = asked.seconds;
  command.operate.account = SessionId{asked.account};
  command.operate.firm = FirmId{asked.firm};
  const bool there = all || command.symbol != kNoSymbol;
  command.operate.refused = !there                       ? OperatorResult::unknown_symbol
                            : !is_known(command.operate) ? OperatorResult::unknown_account
                                                         : OperatorResult::none;
  if (command.operate.seconds != 0) commands_.expect_reopening(command.operate.seconds);
}

/// What is there of a row to change, and what it says is in range: the engine takes it as it is. A file that somebody
/// has written by hand may say anything.
OperatorResult OperatorIntake::fault_of(const wire::OperatorFrame& asked, SymbolId symbol) const {
  const auto row = static_cast<ConfigRow>(asked.row);
  const auto value = static_cast<std::int64_t>(std::uint64_t{asked.value});
  if (is_of_account(row) && asked.account >= accounts_) return OperatorResult::unknown_account;
  if (row == ConfigRow::firm_limit && asked.firm >= firms_) return OperatorResult::unknown_account;
  if (row == ConfigRow::position_limit && symbol == kNoSymbol) return OperatorResult::unknown_symbol;
  bool good = true;
  if (row == ConfigRow::limit || row == ConfigRow::position_limit || row == ConfigRow::firm_limit) {
    const auto limit = static_cast<RiskLimit>(asked.limit);
    if (limit >= RiskLimit::count_) return OperatorResult::not_today;
    const RiskRow& about = kRiskRows[asked.limit];
    const bool position = limit == RiskLimit::position_long || limit == RiskLimit::position_short;
    good = (about.scope == RiskScope::firm) == (row == ConfigRow::firm_limit) &&
           (position || row != ConfigRow::position_limit) &&
           (value == RiskConfig::kNoLimit || (value >= about.low && value <= about.high));
  } else if (row == ConfigRow::forbids) {
    good = value >= 0 && value < 1 << kOrderTypes.size();
  } else if (row == ConfigRow::self_trade) {
    good = value == static_cast<int>(SelfTrade::newest) || value == static_cast<int>(SelfTrade::oldest) ||
           value == static_cast<int>(SelfTrade::both) || value == static_cast<int>(SelfTrade::decrement);
  } else if (row > ConfigRow::password) {
    good = value >= 1 && value <= 1 << 30;
  }
  return good ? OperatorResult::none : OperatorResult::not_today;
}

void OperatorIntake::make_configure(const wire::OperatorFrame& asked, OrderIndex slot) {
  const auto row = static_cast<ConfigRow>(asked.row);
  Command& command = commands_.make(CommandKind::configure, kNoSession);
  command.symbol = asked.symbol.view().empty() ? kNoSymbol : symbols_.find_symbol(asked.symbol);
  ConfigureAsk& ask = command.configure;
  ask.request = asked.request;
  ask.value = row == ConfigRow::password ? 0 : static_cast<std::int64_t>(std::uint64_t{asked.value});
  ask.slot = slot;
  ask.of = row == ConfigRow::firm_limit ? asked.firm : asked.account;
  ask.row = row;
  ask.limit = asked.limit;
  ask.refused = fault_of(asked, command.symbol);
  if (row == ConfigRow::orders_per_account && ask.refused == OperatorResult::none)
    commands_.account_may_have(static_cast<std::int64_t>(asked.value.value()));
  const bool password = row == ConfigRow::password && ask.refused == OperatorResult::none;
  if (password && logins_ != nullptr) logins_->change_password(SessionId{asked.account}, asked.salt, asked.value);
}

}  // namespace crosswire
