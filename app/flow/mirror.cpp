// The engine run along: see flow_mirror.hpp. Tools only.
#include "app/flow/mirror.hpp"

#include <span>

namespace crosswire {
namespace {

constexpr std::uint64_t kEventRing = 256;

/// Live orders, the one under way, and the dead whose last event is still in the ring.
std::uint32_t slots_for(const EngineConfig& config) {
  return config.max_orders + 2 * static_cast<std::uint32_t>(kEventRing) + 2 * SlotReturner::kMostPerHandBack;
}

std::size_t arena_bytes(const EngineConfig& config) {
  const std::uint32_t slots = slots_for(config);
  return BroadcastRing<Event>::bytes_for(kEventRing) + SlotReturnRing::bytes_for(slot_return_capacity(slots)) +
         Orders::bytes_for(slots) + SlotSource::bytes_for(slots) + SlotReturner::bytes_for(slots) +
         Engine::bytes_for(config, slots);
}

std::vector<PhaseChange> or_continuous(std::vector<PhaseChange> schedule) {
  if (schedule.empty()) schedule.push_back({0, kAllSymbols, Phase::continuous});
  return schedule;
}

}  // namespace

EngineMirror::EngineMirror(const EngineConfig& config, std::vector<PhaseChange> schedule)
    : schedule_(or_continuous(std::move(schedule))),
      arena_(arena_bytes(config), HugepagePolicy::off, -1, "flow"),
      events_(arena_, kEventRing),
      reader_(events_.add_gating("flow")),
      returns_(arena_, slot_return_capacity(slots_for(config))),
      orders_(arena_, slots_for(config)),
      source_(arena_, returns_, slots_for(config)),
      returner_(arena_, returns_, slots_for(config)),
      engine_(config, orders_, returner_, arena_) {}

void EngineMirror::advance(TimeNs time_ns) {
  for (; next_phase_ < schedule_.size() && schedule_[next_phase_].at_ns <= time_ns; ++next_phase_) {
    const PhaseChange& change = schedule_[next_phase_];
    Command command{};
    command.sequence = Sequence{++commands_};
    command.time_ns = change.at_ns;
    command.kind = CommandKind::phase;
    command.flags = kLastOfBurst;
    command.session = kNoSession;
    command.symbol = change.symbol;
    command.phase = {.phase = change.phase, .reserved = {}};
    run(command);
  }
}

void EngineMirror::apply(const FlowMessage& message) {
  advance(message.time_ns);
  OrderIndex order = kNoOrder;
  if (message.kind == CommandKind::enter || message.kind == CommandKind::replace) {
    const bool taken = source_.take(order);
    CHECK(taken, "no slot for order %u of session %u", message.user_ref_num.value, message.session.value);
    // What the engine reads of the lines that receive writes: a Replace has the original's terms.
    orders_.asked(order) = {};
    orders_.resolved(order) = {};
    orders_.resolved(order).symbol = message.symbol;
    orders_.resolved(order).cross_type = static_cast<char>(CrossType::continuous);
    orders_.resolved(order).post_only = PostOnly::no;
  }
  run(command_of(message, Sequence{++commands_}, order));
}

const HotOrder* EngineMirror::find(SessionId session, UserRefNum number) const {
  const OrderIndex index = engine_.find(session, number);
  return index == kNoOrder ? nullptr : &orders_.hot(index);
}

void EngineMirror::run(const Command& command) {
  while (engine_.apply({&command, 1}, events_.producer()) == 0) reader_.release(reader_.available());
  reader_.release(reader_.available());
  while (returner_.hand_back(command.sequence.value, reader_.position()) != 0) {
  }
}

}  // namespace crosswire
