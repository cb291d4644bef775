// The engine in a box: see the header. What is here is not on the path of an order.
#include "engine/box.hpp"

#include <algorithm>

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

OrderAsked asked_of(const Command& command) {
  const OrderAsk& ask = command.order;
  OrderAsked asked{};
  asked.session = command.session;
  asked.user_ref_idx = ask.user_ref_idx;
  asked.user_ref_num = ask.user_ref_num;
  asked.time_in_force = ask.time_in_force;
  asked.display = static_cast<char>(ask.display);
  asked.quantity = ask.quantity;
  asked.price = ask.price.value;
  asked.min_quantity = ask.min_quantity;
  return asked;
}

OrderResolved resolved_of(const Command& command) {
  const OrderAsk& ask = command.order;
  OrderResolved resolved{};
  resolved.symbol = command.symbol;
  resolved.side = ask.side;
  resolved.cross_type = static_cast<char>(ask.cross_type);
  resolved.kept.post_only = ask.post_only;
  resolved.kept.expire_seconds = ask.expire_seconds;
  return resolved;
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

void EngineBox::prepare(Command& command) {
  command.sequence = Sequence{++prepared_};
  command.time_ns = time_ns_ = std::max(time_ns_, command.time_ns);
  if (command.kind == CommandKind::operate) {
    command.operate.slot = take_slot();
    put_operator(orders_, command.operate.slot, {}, {});
  }
  if (command.kind != CommandKind::enter && command.kind != CommandKind::replace) return;
  command.order.order = take_slot();
  orders_.asked(command.order.order) = asked_of(command);
  // Of a Replace match writes it, from the original's.
  if (command.kind == CommandKind::enter) orders_.resolved(command.order.order) = resolved_of(command);
}

OrderIndex EngineBox::take_slot() {
  OrderIndex slot = kNoOrder;
  const bool taken = source_.take(slot);
  CHECK(taken, "no slot with %u orders live of %u", engine_.live_orders(), orders_.capacity());
  return slot;
}

}  // namespace crosswire
