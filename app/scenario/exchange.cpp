// The exchange of a scenario: see the header.
#include "app/scenario/exchange.hpp"

#include <algorithm>
#include <utility>

#include "hugepages/base/check.hpp"

namespace crosswire {
namespace {

std::uint32_t pool_slots(const Config& config) { return static_cast<std::uint32_t>(order_pool_slots(config)); }

}  // namespace

std::size_t ScenarioExchange::bytes_for(const Config& config) {
  const std::uint32_t slots = pool_slots(config);
  return CommandRing::bytes_for(config.command_ring) + EventRing::bytes_for(config.event_ring) +
         Orders::bytes_for(slots) + SlotReturnRing::bytes_for(slot_return_capacity(slots)) +
         SlotSource::bytes_for(slots) + SlotReturner::bytes_for(slots) + Engine::bytes_for(config.engine, slots) +
         OrderIntake::bytes_for(config.net, config.engine);
}

ScenarioExchange::ScenarioExchange(const Config& config, TimeNs begin, Listener listener)
    : config_(config),
      listener_(std::move(listener)),
      arena_(bytes_for(config), HugepagePolicy::off, -1, "scenario"),
      commands_(arena_, config.command_ring),
      events_(arena_, config.event_ring),
      match_in_(commands_.add_gating("match")),
      events_in_(events_.add_gating("scenario")),
      orders_(arena_, pool_slots(config)),
      returns_(arena_, slot_return_capacity(pool_slots(config))),
      source_(arena_, returns_, pool_slots(config)),
      returner_(arena_, returns_, pool_slots(config)),
      engine_(config.engine, orders_, returner_, arena_),
      match_(engine_, commands_, match_in_, events_, returner_),
      writer_(commands_.producer(), counters_, config.engine, begin),
      intake_(config.net, config.engine, writer_, orders_, source_, counters_, arena_),
      operators_(config.engine, intake_, writer_, orders_, source_, counters_, nullptr),
      next_tick_((begin + kTickIntervalNs - 1) / kTickIntervalNs * kTickIntervalNs) {
  make(CommandKind::day_start, kNoSession);
  move_on(begin);
  for (std::uint32_t i = 0; i < config.engine.sessions; ++i) {
    make(CommandKind::session_open, SessionId{static_cast<std::uint16_t>(i)});
  }
}

void ScenarioExchange::say(SessionId account, wire::Bytes message) {
  CHECK(intake_.take(account, message), "no room for a message with %u orders live", engine_.live_orders());
  finish();
}

void ScenarioExchange::operate(const wire::OperatorFrame& frame) {
  const bool taken = operators_.take({reinterpret_cast<const std::uint8_t*>(&frame), sizeof frame});
  CHECK(taken, "no room for a command with %u orders live", engine_.live_orders());
  finish();
}

void ScenarioExchange::end_session(SessionId account, SessionEndReason reason) {
  writer_.make(CommandKind::session_close, account).end.reason = reason;
  finish();
}

void ScenarioExchange::take_over(SessionId account) {
  writer_.make(CommandKind::session_open, account).peer.code = 'T';
  finish();
}

void ScenarioExchange::move_on(TimeNs to) {
  constexpr TimeNs kNever = TurnClock::kNever;
  const auto& schedule = config_.net.schedule;
  for (;;) {
    const TimeNs phase_at = next_phase_ < schedule.size() ? schedule[next_phase_].at_ns : kNever;
    const TimeNs turn_at = writer_.next_turn();
    const TimeNs due = std::min({phase_at, next_tick_, turn_at});
    if (due > to) break;
    writer_.move_on(std::max(now(), due));
    if (turn_at < phase_at && turn_at < next_tick_) {
      writer_.make_turn();
      finish();
    } else if (phase_at <= next_tick_) {
      const PhaseChange& change = schedule[next_phase_++];
      Command& command = writer_.make(CommandKind::phase, kNoSession);
      command.symbol = change.symbol;
      command.phase.phase = change.phase;
      finish();
    } else {
      next_tick_ += kTickIntervalNs;
      writer_.make(CommandKind::tick, kNoSession);
      writer_.lives_end(intake_.lives_over(now()));
      finish();
    }
  }
  writer_.move_on(to);
}

void ScenarioExchange::make(CommandKind kind, SessionId session) {
  writer_.make(kind, session);
  finish();
}

/// Match until it has done what was made.
void ScenarioExchange::finish() {
  writer_.finish_burst();
  while (match_in_.position() < commands_.published()) {
    match_.poll();
    const std::uint64_t waiting = events_in_.available();
    for (std::uint64_t i = 0; i < waiting; ++i) listener_(events_in_.peek(i));
    events_in_.release(waiting);
  }
}

}  // namespace crosswire
