// The exchange that a scenario speaks to: order intake, match and its rings as a partition has them, without the
// network before and behind. OUCH messages and operators' frames go in by the intake, events come out; time is the
// scenario's. One thread; it maps its memory when it is made.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "app/config/config.hpp"
#include "engine/engine.hpp"
#include "engine/match_stage.hpp"
#include "hugepages/memory/arena.hpp"
#include "netstack/intake/command_writer.hpp"
#include "netstack/intake/operator_intake.hpp"
#include "netstack/intake/order_intake.hpp"
#include "netstack/wire/bytes.hpp"
#include "netstack/wire/operator_frame.hpp"

namespace crosswire {

class ScenarioExchange {
 public:
  /// Told of each event, in their order, before the call that caused it returns. The cold lines of the orders that it
  /// names can be read meanwhile.
  using Listener = std::function<void(const Event&)>;

  /// `config` outlives it. The day begins at `begin`, ns since midnight, with the phases that its schedule has by then.
  /// Throws std::runtime_error without memory.
  ScenarioExchange(const Config& config, TimeNs begin, Listener listener);
  ScenarioExchange(const ScenarioExchange&) = delete;
  ScenarioExchange& operator=(const ScenarioExchange&) = delete;

  /// An OUCH message of that account's.
  void say(SessionId account, wire::Bytes message);
  /// An operator's command.
  void operate(const wire::OperatorFrame& frame);
  void end_session(SessionId account, SessionEndReason reason);
  /// Another login of the account takes its session over.
  void take_over(SessionId account);
  /// Makes what is due until then, each at its own time: at one time phases of the schedule before the tick, and that
  /// before a turn of what goes on in turns. `to` is not before now().
  void move_on(TimeNs to);

  /// Ns since midnight.
  TimeNs now() const { return writer_.now(); }
  const Engine& engine() const { return engine_; }
  const Orders& orders() const { return orders_; }

 private:
  static std::size_t bytes_for(const Config& config);
  void make(CommandKind kind, SessionId session);
  void finish();

  const Config& config_;
  Listener listener_;
  Arena arena_;
  CommandRing commands_;
  EventRing events_;
  CommandRing::GatingReader& match_in_;
  EventRing::GatingReader& events_in_;
  Orders orders_;
  SlotReturnRing returns_;
  SlotSource source_;
  SlotReturner returner_;
  Engine engine_;
  MatchStage match_;
  ReceiveCounters counters_;
  CommandWriter writer_;
  OrderIntake intake_;
  OperatorIntake operators_;
  std::size_t next_phase_ = 0;  // of the schedule
  TimeNs next_tick_;
};

}  // namespace crosswire
