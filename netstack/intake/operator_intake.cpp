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
  return known && (plain || halts) ? asked : nullptr;
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
  const bool all = asked->symbol.view().empty();
  Command& command = commands_.make(CommandKind::operate, kNoSession);
  command.symbol = all ? kAllSymbols : symbols_.find_symbol(asked->symbol);
  command.operate.request = asked->request;
  command.operate.slot = slot;
  command.operate.action = static_cast<OperatorAction>(asked->action);
  command.operate.phase = static_cast<Phase>(asked->phase);
  command.operate.level = asked->level;
  command.operate.seconds = asked->seconds;
  command.operate.account = SessionId{asked->account};
  command.operate.firm = FirmId{asked->firm};
  const bool there = all || command.symbol != kNoSymbol;
  command.operate.refused = !there                       ? OperatorResult::unknown_symbol
                            : !is_known(command.operate) ? OperatorResult::unknown_account
                                                         : OperatorResult::none;
  if (command.operate.seconds != 0) commands_.expect_reopening(command.operate.seconds);
  counters_.add(ReceiveCounter::operators);
  return true;
}

}  // namespace crosswire
