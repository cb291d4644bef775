// The engine in a box: see the header. What is here is not on the path of an order.
#include "engine/box.hpp"

namespace crosswire {
namespace {

/// Live orders, those on their way in, and the dead that the event ring still names: an event names two at most.
std::uint32_t slots_for(const EngineConfig& config, const EngineBoxOptions& options) {
  return config.max_orders + options.commands_ahead + 2 * static_cast<std::uint32_t>(options.event_ring) +
         SlotReturner::kMostPerHandBack;
}

std::size_t bytes_for(const EngineConfig& config, const EngineBoxOptions& options, std::uint32_t slots) {
  return EventRing::bytes_for(options.event_ring) + SlotReturnRing::bytes_for(slot_return_capacity(slots)) +
         Orders::bytes_for(slots) + SlotSource::bytes_for(slots) + SlotReturner::bytes_for(slots) +
         Engine::bytes_for(config, slots);
}

}  // namespace

EngineBox::EngineBox(const EngineConfig& config, const EngineBoxOptions& options)
    : EngineBox(config, options, slots_for(config, options)) {}

EngineBox::EngineBox(const EngineConfig& config, const EngineBoxOptions& options, std::uint32_t slots)
    : arena_(bytes_for(config, options, slots), options.hugepages, -1, "engine"),
      events_(arena_, options.event_ring),
      reader_(events_.add_gating("box")),
      returns_(arena_, slot_return_capacity(slots)),
      orders_(arena_, slots),
      source_(arena_, returns_, slots),
      returner_(arena_, returns_, slots),
      engine_(config, orders_, returner_, arena_) {}

void EngineBox::prepare_operator(Command& command) {
  OrderIndex& slot = command.kind == CommandKind::configure ? command.configure.slot : command.operate.slot;
  slot = take_slot();
  put_operator(orders_, slot, {}, {});
}

}  // namespace crosswire
