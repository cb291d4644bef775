// What of the configuration changes while the day goes on: a row a command, applied between two others. What is open or
// owned beyond a limit that is lowered stays: the account may then only reduce. The rest of the engine: engine.cpp.
#include "engine/inside.hpp"

namespace crosswire {

bool Engine::configure(const Command& command, Out& out) {
  const ConfigureAsk& ask = command.configure;
  if (step_ == Step::begin) {
    configured_ = ask.refused != OperatorResult::none ? ask.refused : begin_configure(command);
    at_symbol_ = SymbolId{1};
    step_ = Step::close;
  }
  if (configured_ == OperatorResult::done && !configure_positions(command)) return false;
  if (!out.has_room()) return false;
  Configured& configured = emit(command, EventKind::configured, kNoSession, command.symbol, out).configured;
  configured.request = ask.request;
  configured.value = ask.row == ConfigRow::password ? 0 : ask.value;
  configured.slot = ask.slot;
  configured.of = ask.of;
  configured.row = ask.row;
  configured.limit = ask.limit;
  configured.result = configured_;
  retire(command, ask.slot, out);
  if (configured_ == OperatorResult::done) counters_.add(EngineCounter::configured);
  return true;
}

OperatorResult Engine::begin_configure(const Command& command) {
  const ConfigureAsk& ask = command.configure;
  const SessionId session{ask.of};
  const auto number = static_cast<std::uint32_t>(ask.value);
  CHECK(!is_of_account(ask.row) || ask.of < pools_.accounts.size(), "account %u", ask.of);
  switch (ask.row) {
    case ConfigRow::limit:
    case ConfigRow::position_limit:
    case ConfigRow::firm_limit:
    case ConfigRow::forbids:
      return configure_limit(command);
    case ConfigRow::self_trade:
      account(session).self_trade = static_cast<SelfTrade>(ask.value);
      break;
    case ConfigRow::cancel_on:
      account(session).cancel_on = static_cast<SessionEndReasons>(ask.value);
      break;
    case ConfigRow::enabled:
      switch_account(session, ask.value != 0);
      break;
    case ConfigRow::password:
      break;
    case ConfigRow::looks_per_second:
      look_ns_ = kNsPerSecond / number;
      break;
    case ConfigRow::account_queries_per_second:
      query_ns_ = kNsPerSecond / number;
      break;
    case ConfigRow::max_fills_per_order:
      max_fills_ = number;
      break;
    case ConfigRow::orders_per_account:
      orders_per_account_ = number;
      break;
    case ConfigRow::levels_per_account:
      levels_per_account_ = number;
      break;
    case ConfigRow::none:
      CHECK(false, "row %u", static_cast<unsigned>(ask.row));
  }
  return OperatorResult::done;
}

/// Where no account had a limit at the day's start nothing is kept for any.
OperatorResult Engine::configure_limit(const Command& command) {
  const ConfigureAsk& ask = command.configure;
  const auto limit = static_cast<RiskLimit>(ask.limit);
  const SessionId session{ask.of};
  bool done = risk_.is_on();
  if (done && ask.row == ConfigRow::limit) done = risk_.change_limit(session, limit, ask.value, command.time_ns);
  if (done && ask.row == ConfigRow::firm_limit) done = risk_.change_firm_limit(FirmId{ask.of}, ask.value);
  if (done && ask.row == ConfigRow::position_limit)
    done = risk_.change_own_limit(session, command.symbol, limit, ask.value);
  if (done && ask.row == ConfigRow::forbids) risk_.change_forbidden(session, static_cast<OrderTypes>(ask.value));
  if (done && is_of_account(ask.row)) account(session).checked |= kHasLimits;
  return done ? OperatorResult::done : OperatorResult::not_today;
}

/// A limit of the account may be that of its position in each symbol. False: there are more to look at than other
/// stages should wait for.
bool Engine::configure_positions(const Command& command) {
  const ConfigureAsk& ask = command.configure;
  const auto limit = static_cast<RiskLimit>(ask.limit);
  if (ask.row != ConfigRow::limit || !Risk::is_of_positions(limit)) return true;
  for (std::size_t looks = 0; at_symbol_.value <= symbol_count(); ++at_symbol_.value, ++looks) {
    if (looks == kMostLooks) return !(yielded_ = true);
    risk_.change_position(SessionId{ask.of}, at_symbol_, limit, command.time_ns);
  }
  return true;
}

/// Off, none of its orders is taken or executes, and they go in turns, as a killed one's.
void Engine::switch_account(SessionId session, bool on) {
  std::uint8_t& stops = account(session).stops;
  const bool was_on = (stops & kSwitchedOff) == 0;
  stops = static_cast<std::uint8_t>(on ? stops & ~kSwitchedOff : stops | kSwitchedOff);
  if (was_on && !on && !day_over_) open_sweep(session, {.reason = kReasonOfKill});
}

}  // namespace crosswire
