// The engine in a box, for those who want an exchange without the stages around it: tests, benchmarks, tools. Owns the
// memory, the orders' pool, the event ring and the way by which dead orders' slots come back. One thread. It maps its
// memory when it is made, and allocates nothing after that.
//
//   EngineBox box(config);
//   box.run(command, [&](const Event& event) { ... box.orders().asked(event.order.order) ... });
//
// That is prepare(), apply() and take_events() in one; each can be called alone, for bursts of commands.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "engine/command.hpp"
#include "engine/config.hpp"
#include "engine/engine.hpp"
#include "engine/event.hpp"
#include "engine/match_stage.hpp"
#include "engine/order.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

struct EngineBoxOptions {
  std::uint64_t event_ring = 256;     // events that fit, a power of two, at least 2: commands of more go on in parts
  std::uint32_t commands_ahead = 64;  // commands that may be prepared and not applied yet
  HugepagePolicy hugepages = HugepagePolicy::off;
};

class EngineBox {
 public:
  /// `config` is checked already (app/config/config), and read here alone. Throws std::runtime_error (one line) without
  /// memory.
  explicit EngineBox(const EngineConfig& config, const EngineBoxOptions& options = {});
  EngineBox(const EngineBox&) = delete;
  EngineBox& operator=(const EngineBox&) = delete;

  /// Makes of what a command asks one that may be applied, as receive does: gives it the next number and no earlier
  /// time than the last one's, and an Enter or Replace a slot whose cold lines say what the command does. What a
  /// command does not carry (ClOrdId, firm, GroupID, the symbol's name) is zero there; the caller may write it.
  void prepare(Command& command) {
    command.sequence = Sequence{++prepared_};
    command.time_ns = time_ns_ = std::max(time_ns_, command.time_ns);
    command.flags &= static_cast<std::uint8_t>(~kPlain);  // of what the caller's record was before
    switch (command.kind) {
      case CommandKind::enter:
      case CommandKind::replace:
        if (is_plain(command)) command.flags |= kPlain;
        command.order.order = take_slot();
        write_lines(command);
        break;
      case CommandKind::operate:
      case CommandKind::configure:
        prepare_operator(command);
        break;
      default:
        break;
    }
  }

  /// A slot for an Enter or Replace, its cold lines as they were left. For callers who number their commands themselves
  /// in prepare()'s place: 1, 2, .. without gaps. CHECKs that no more than max_orders and commands_ahead are out.
  OrderIndex take_slot() {
    OrderIndex slot = kNoOrder;
    const bool taken = source_.take(slot);
    CHECK(taken, "no slot with %u orders live of %u", engine_.live_orders(), orders_.capacity());
    orders_.prefetch_cold(source_.ahead(kSlotsAhead));
    return slot;
  }

  /// Applies commands in the order of their numbers, as far as the event ring has room. Returns how many are finished:
  /// take the events, and come again with the others.
  std::size_t apply(std::span<const Command> commands) { return engine_.apply(commands, events_.producer()); }

  /// Calls visit(const Event&) with each event since the last time. Cold lines of the orders that they name can be read
  /// meanwhile; then the slots of those that are dead are free again.
  template <class Visit>
  void take_events(Visit visit) {
    read_events(visit);
    while (returner_.waiting() > 0 &&
           returner_.hand_back(engine_.counters().get(EngineCounter::commands), reader_.position()) != 0) {
    }
  }

  /// The same without giving slots back.
  template <class Visit>
  void read_events(Visit visit) {
    const std::uint64_t waiting = reader_.available();
    for (std::uint64_t i = 0; i < waiting; ++i) visit(reader_.peek(i));
    reader_.release(waiting);
  }

  /// Prepares the command and applies it to its end; calls visit(const Event&) with all that came of it.
  template <class Visit>
  void run(Command command, Visit visit) {
    prepare(command);
    while (apply({&command, 1}) == 0) take_events(visit);
    take_events(visit);
  }

  /// Runs `turn` commands until nothing goes on in turns (engine/jobs.hpp); calls visit(const Event&) as run() does.
  /// Who does not call it has every later command do a turn.
  template <class Visit>
  void finish_jobs(Visit visit) {
    while (engine_.has_jobs()) run({.kind = CommandKind::turn, .session = kNoSession}, visit);
  }

  /// A match stage around this engine, in apply()'s place: it gives slots back, read_events() takes its events.
  /// `commands` and the box outlive it.
  MatchStage stage(CommandRing& commands, CommandRing::GatingReader& in) {
    return {engine_, commands, in, events_, returner_};
  }

  const Engine& engine() const { return engine_; }
  Orders& orders() { return orders_; }
  const Orders& orders() const { return orders_; }
  std::uint32_t slots() const { return orders_.capacity(); }
  std::uint64_t free_slots() const { return source_.free_count(); }

 private:
  EngineBox(const EngineConfig& config, const EngineBoxOptions& options, std::uint32_t slots);
  void prepare_operator(Command& command);

  /// In place, field by field: lines made aside would be copied before their own stores have settled. Of a Replace
  /// match writes the second one anew, from the original's: that it is one is not asked here, since nobody can predict
  /// it.
  void write_lines(const Command& command) {
    const OrderAsk& ask = command.order;
    Orders::Cold& lines = orders_.cold(ask.order);
    std::memset(static_cast<void*>(&lines), 0, sizeof lines);
    OrderAsked& asked = lines.asked;
    asked.session = command.session;
    asked.user_ref_idx = ask.user_ref_idx;
    asked.user_ref_num = ask.user_ref_num;
    asked.time_in_force = ask.time_in_force;
    asked.display = static_cast<char>(ask.display);
    asked.quantity = ask.quantity;
    asked.price = ask.price.value;
    asked.min_quantity = ask.min_quantity;
    OrderResolved& resolved = lines.resolved;
    resolved.symbol = command.symbol;
    resolved.side = ask.side;
    resolved.cross_type = static_cast<char>(ask.cross_type);
    resolved.kept.post_only = ask.post_only;
    resolved.kept.expire_seconds = ask.expire_seconds;
    resolved.kept.stays_on_disconnect = ask.stay_on_disconnect == StayOnDisconnect::yes;
  }

  static constexpr std::size_t kSlotsAhead = 8;  // whose cold lines are on their way

  Arena arena_;
  EventRing events_;
  EventRing::GatingReader& reader_;
  SlotReturnRing returns_;
  Orders orders_;
  SlotSource source_;
  SlotReturner returner_;
  Engine engine_;
  std::uint64_t prepared_ = 0;  // commands; the last one's number
  TimeNs time_ns_ = 0;          // of the last command prepared
};

}  // namespace crosswire
