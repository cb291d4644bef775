// The exchange as a deterministic state machine: see engine.hpp. Its memory is here, and who does which command; by
// file what is done: apply.cpp the commands' round with what most are, orders.cpp all that an order may ask,
// matching.cpp how it meets the book, firm.cpp what a firm asks of all its orders, jobs.cpp what goes on in turns,
// day.cpp phases and crosses, collar.cpp interruptions, operator.cpp what operators do, configure.cpp what changes of
// the configuration, digest.cpp the digest. What they share is in inside.hpp.
#include "engine/engine.hpp"

#include <cstring>

#include "engine/inside.hpp"

namespace crosswire {
namespace {

/// Every side has a root and, while it is empty, may keep one way down; beyond that a level shares most of its path
/// with its neighbours. Prices that do not, scattered over the whole range, may run the nodes out before the levels:
/// the engine answers both alike.
std::uint32_t ladder_nodes(const EngineConfig& config) {
  return static_cast<std::uint32_t>(config.symbols.size()) * 2 * Ladder::kMaxDepth + 2 * config.max_levels;
}

std::size_t other_channels(const EngineConfig& config) { return std::size_t{config.sessions} * (kChannels - 1); }

/// The event of what is passed on. Both lists have these in one order.
constexpr EventKind same_name(CommandKind kind) {
  return static_cast<EventKind>(static_cast<int>(EventKind::session_open) + static_cast<int>(kind) -
                                static_cast<int>(CommandKind::session_open));
}
static_assert(same_name(CommandKind::session_close) == EventKind::session_close &&
              same_name(CommandKind::login_reject) == EventKind::login_reject &&
              same_name(CommandKind::resend) == EventKind::resend &&
              same_name(CommandKind::feed_resend) == EventKind::feed_resend &&
              same_name(CommandKind::arp_reply) == EventKind::arp_reply &&
              same_name(CommandKind::echo_reply) == EventKind::echo_reply);

}  // namespace

Engine::Engine(const EngineConfig& config, Orders& orders, SlotReturner& returner, Arena& arena)
    : pools_{LadderNodes(arena, ladder_nodes(config)), Levels(arena, config.max_levels), orders,
             arena.array<Account>(config.sessions)},
      returner_(returner),
      symbols_(arena.array<SymbolState>(config.symbols.size())),
      collars_(arena.array<Collar>(config.symbols.size())),
      risk_(config, arena),
      users_(arena, config.sessions, config.max_orders, config.hash_key),
      channels_(arena.array<ChannelRefs>(other_channels(config))),
      waiting_(arena, orders.capacity(), waiting_lists(config)),
      max_orders_(config.max_orders),
      orders_per_account_(orders_per_account(config)),
      levels_per_account_(levels_per_account(config)),
      look_ns_(kNsPerSecond / config.looks_per_second),
      query_ns_(kNsPerSecond / config.account_queries_per_second),
      imbalance_interval_ns_(config.imbalance_interval_ns),
      max_fills_(config.max_fills_per_order),
      looks_for_minimum_(config.looks_for_minimum),
      acts_of_turn_(config.acts_of_turn),
      looks_of_turn_(config.looks_of_turn),
      decline_levels_e8_(config.decline_levels_e8),
      draws_(config.interruption_seed),
      sweeps_(arena, config.sessions) {
  CHECK(!config.symbols.empty() && config.symbols.size() < 0xFFFF, "%zu symbols", config.symbols.size());
  CHECK(orders.capacity() > config.max_orders, "%u slots for %u live orders", orders.capacity(), config.max_orders);
  for (std::uint16_t i = 0; i < symbol_count(); ++i) {
    symbols_[i].book.init(pools_, config.symbols[i], SymbolId{static_cast<std::uint16_t>(i + 1)});
    symbols_[i].reference = config.symbols[i].reference;
    collars_[i] = {config.symbols[i].collar, config.symbols[i].reference, 0, 0, 0};
    move_collar(SymbolId{static_cast<std::uint16_t>(i + 1)});
  }
  CHECK(config.firms.empty() || config.firms.size() == config.sessions, "%zu firms of %u sessions", config.firms.size(),
        config.sessions);
  in_phase_[static_cast<std::size_t>(Phase::pre_open)].set(symbol_count());
  for (std::uint16_t i = 0; i < config.sessions; ++i)
    pools_.accounts[i].firm = config.firms.empty() ? FirmId{i} : config.firms[i];
  CHECK(config.cancel_on.empty() || config.cancel_on.size() == config.sessions, "%zu cancel_on of %u sessions",
        config.cancel_on.size(), config.sessions);
  for (std::uint16_t i = 0; i < config.sessions; ++i)
    pools_.accounts[i].cancel_on = config.cancel_on.empty() ? kCancelOn : config.cancel_on[i];
  CHECK(config.self_trade.empty() || config.self_trade.size() == config.sessions, "%zu self_trade of %u sessions",
        config.self_trade.size(), config.sessions);
  for (std::uint16_t i = 0; i < config.self_trade.size(); ++i) {
    pools_.accounts[i].self_trade_group = config.self_trade[i].group;
    pools_.accounts[i].self_trade = config.self_trade[i].action;
  }
  for (const SessionId session : config.switched_off) account(session).stops |= kSwitchedOff;
  for (std::uint16_t i = 0; i < config.risk.size(); ++i) {
    const RiskConfig& limits = config.risk[i];
    const bool by_symbol = limits.has(RiskLimit::symbol_orders_per_second);
    pools_.accounts[i].checked = limits.is_none() ? 0 : by_symbol ? kHasLimits | kHasSymbolRate : kHasLimits;
    pools_.accounts[i].ledger =
        limits.has(RiskLimit::funds) || limits.has(RiskLimit::firm_funds) || limits.keeps_positions();
  }
}

std::size_t Engine::bytes_for(const EngineConfig& config, std::uint32_t slots) {
  return LadderNodes::bytes_for(ladder_nodes(config)) + Levels::bytes_for(config.max_levels) +
         Arena::bytes_for<SymbolState>(config.symbols.size()) + Arena::bytes_for<Collar>(config.symbols.size()) +
         Arena::bytes_for<Account>(config.sessions) + Risk::bytes_for(config) +
         UserRefs::bytes_for(config.sessions, config.max_orders) +
         Arena::bytes_for<ChannelRefs>(other_channels(config)) + OrderLists::bytes_for(slots, waiting_lists(config)) +
         Sweeps::bytes_for(config.sessions);
}

std::uint32_t Engine::waiting_lists(const EngineConfig& config) {
  return kWheelSeconds + 2 * static_cast<std::uint32_t>(config.symbols.size());
}

/// Does as much of the command as there is room for. True: all of it.
bool Engine::advance(const Command& command, Out& out) {
  if (step_ == Step::jobs || step_ == Step::kills) [[unlikely]] {
    if (!(step_ == Step::jobs ? finish_jobs(command, out) : finish_kills(command, out))) return false;
    begin_turn();
    step_ = Step::begin;
  }
  switch (command.kind) {
    case CommandKind::enter:
    case CommandKind::replace:
      if (step_ == Step::match) return match(command, out);
      if (step_ == Step::settle) return settle(command, out);
      if (step_ == Step::show) return show(command, out);
      if (step_ == Step::interrupt) return interrupt(command, out);
      return command.kind == CommandKind::enter ? enter(command, out) : replace(command, out);
    case CommandKind::cancel:
      cancel(command, out);
      return true;
    case CommandKind::modify:
      modify(command, out);
      return true;
    case CommandKind::account_query:
      account_query(command, out);
      return true;
    case CommandKind::mass_cancel:
      mass_cancel(command, out);
      return true;
    case CommandKind::disable:
      set_disabled(command, true, out);
      return true;
    case CommandKind::enable:
      set_disabled(command, false, out);
      return true;
    case CommandKind::phase:
      return change_phase(command, out);
    case CommandKind::tick:
      return tick(command, out);
    case CommandKind::operate:
      return operate(command, out);
    case CommandKind::configure:
      return configure(command, out);
    case CommandKind::day_start:
      return day_start(command, out);
    case CommandKind::day_end:
      return day_end(command, out);
    case CommandKind::run_end:
      emit(command, EventKind::run_end, kNoSession, kNoSymbol, out);
      return true;
    case CommandKind::session_open:
    case CommandKind::session_close:
      session_changes(command, same_name(command.kind), out);
      return true;
    case CommandKind::login_reject:
    case CommandKind::resend:
    case CommandKind::feed_resend:
    case CommandKind::arp_reply:
    case CommandKind::echo_reply:
      pass_on(command, same_name(command.kind), out);
      return true;
    case CommandKind::turn:
      return true;
    case CommandKind::resumed:
    case CommandKind::bust:
    case CommandKind::none:
      break;
  }
  CHECK(false, "command of kind %u", static_cast<unsigned>(command.kind));
}

void Engine::pass_on(const Command& command, EventKind kind, Out& out) {
  Event& event = emit(command, kind, command.session, command.symbol, out);
  std::memcpy(event.body, command.body, sizeof event.body);
}

}  // namespace crosswire
