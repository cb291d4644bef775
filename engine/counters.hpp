// What the match stage counts: the one list of names, and what they mean. Written by match alone, readable by any
// thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/breakers.hpp"
#include "hugepages/base/counters.hpp"

namespace crosswire {

enum class EngineCounter : std::uint8_t {
  commands,
  orders,
  accepted,
  replaced,
  canceled,
  canceled_with_session,
  modified,
  mass_cancels,
  rejected,
  overdrawn,
  no_room,
  over_limit,
  cancels_refused,
  self_trades_prevented,
  executions,
  executed_shares,
  crosses,
  interruptions_begun,
  interruptions_prolonged,
  interruptions_ended,
  operated,
  configured,
  symbols_held,
  symbols_released,
  accounts_killed,
  accounts_allowed,
  breaker_rejects,
  breaker_loss,
  breaker_executions,
  breaker_shares,
  breakers_ended,
  ignored_used_ref_num,
  ignored_dead_order,
  ignored_superfluous,
  ignored_query_rate,
  count_
};

/// By number of the enumerator. What is ignored gets no answer (WIRE 3.1).
inline constexpr std::array kEngineCounters = [] {
  using enum EngineCounter;
  using enum CounterKind;
  using enum Harm;
  using Row = CounterRow<EngineCounter>;
  return std::array{
      Row{commands, figure, "commands", "commands applied"},
      Row{orders, figure, "orders", "orders, cancels and other requests of clients, whatever became of them"},
      Row{accepted, figure, "accepted", "Enter Order messages accepted"},
      Row{replaced, figure, "replaced", "Replace Order messages accepted"},
      Row{canceled, figure, "canceled", "orders cancelled, in whole or in part, for whatever reason"},
      Row{canceled_with_session, figure, "canceled_with_session",
          "of these, because their session ended ([[account]] cancel_on)"},
      Row{modified, figure, "modified", "Modify Order messages accepted, those that leave nothing open apart"},
      Row{mass_cancels, figure, "mass_cancels", "Mass Cancel messages granted"},
      Row{rejected, notice, "rejected", "orders and requests answered with a reject"},
      Row{overdrawn, notice, "overdrawn", "of these, with 0x0029: the account's looks were used up"},
      Row{no_room, notice, "no_room",
          "of these, with 0x000A: no place or level left, of all or of the account's share"},
      Row{over_limit, notice, "over_limit",
          "of these, for a limit of their account or firm ([account.risk], [[firm]])"},
      Row{cancels_refused, notice, "cancels_refused",
          "Cancel and Modify messages refused: beyond their account's rate ([account.risk] cancels_per_second)"},
      Row{self_trades_prevented, notice, "self_trades_prevented",
          "executions that did not happen, because both orders were of one group (self_trade)"},
      Row{executions, figure, "executions", "matches; each has two sides"},
      Row{executed_shares, figure, "executed_shares", "shares of these"},
      Row{crosses, figure, "crosses", "crosses, each of one symbol"},
      Row{interruptions_begun, notice, "interruptions_begun",
          "times that a symbol was interrupted: an order would have executed outside its collar, or a halt is over"},
      Row{interruptions_prolonged, figure, "interruptions_prolonged",
          "times that such a call, or an opening call, went on, because its cross would have been outside the collar"},
      Row{interruptions_ended, figure, "interruptions_ended", "interruptions that are over, whatever ended them"},
      Row{operated, figure, "operated", "operators' commands answered, repeats included"},
      Row{configured, figure, "configured", "rows of the configuration that were changed while the day went on"},
      Row{symbols_held, notice, "symbols_held", "symbols that an operator's halt has taken out of trading, in all"},
      Row{symbols_released, figure, "symbols_released",
          "symbols of these that a resume, the close or the halt's end has let go"},
      Row{accounts_killed, notice, "accounts_killed",
          "accounts that an operator, or their own client, has killed, in all"},
      Row{accounts_allowed, figure, "accounts_allowed", "accounts of these that an operator has let go on"},
      Row{breaker_rejects, notice, "breaker_rejects",
          "accounts that their breaker has stopped: rejects_in_a_row ([account.risk])"},
      Row{breaker_loss, notice, "breaker_loss", "the same: loss_of_day_e4"},
      Row{breaker_executions, notice, "breaker_executions", "the same: executions_per_second_count"},
      Row{breaker_shares, notice, "breaker_shares", "the same: executions_per_second_shares"},
      Row{breakers_ended, figure, "breakers_ended",
          "accounts that an operator has let go on behind a breaker of their own"},
      Row{ignored_used_ref_num, drop, "ignored_used_ref_num",
          "messages whose UserRefNum is not above the last one: taken for repeats", harmless},
      Row{ignored_dead_order, drop, "ignored_dead_order",
          "cancels, modifies and replaces of an order that is not live: \"too late\" has no message", harmless},
      Row{ignored_superfluous, drop, "ignored_superfluous",
          "cancels that take nothing off, modifies that change nothing or may not", harmless},
      Row{ignored_query_rate, drop, "ignored_query_rate", "account queries beyond the account's rate", harmless},
  };
}();
static_assert(is_whole(kEngineCounters));

/// Of accounts that the breaker has stopped.
constexpr EngineCounter counter_of(RiskLimit breaker) {
  return static_cast<EngineCounter>(static_cast<std::size_t>(EngineCounter::breaker_rejects) + breaker_index(breaker));
}
static_assert(counter_of(RiskLimit::executions_per_second_shares) == EngineCounter::breaker_shares);

using EngineCounters = Counters<EngineCounter>;

}  // namespace crosswire
