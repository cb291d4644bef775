// The engine as a library: an order rests, another takes a part of it. docs/engine.md shows this file and its output.
#include <cstdio>

#include "engine/box.hpp"

using namespace crosswire;

Command order(UserRefNum number, Side side, Price price, Quantity quantity) {
  return {.kind = CommandKind::enter,
          .session = SessionId{0},
          .symbol = SymbolId{1},
          .order = {.user_ref_num = number,
                    .price = price,
                    .quantity = quantity,
                    .side = side,
                    .time_in_force = TimeInForce::day,
                    .display = Display::visible,
                    .cross_type = CrossType::continuous}};
}

int main() {
  EngineConfig config;
  config.symbols = {{{'A', 'A', 'A', ' ', ' ', ' ', ' ', ' '}, Price{1'000'000}, 100}};
  EngineBox box(config);
  const auto tell = [](const Event& event) {
    const OrderEvent& order = event.order;
    const Execution& execution = event.execution;
    if (event.kind == EventKind::accepted) std::printf("accepted %u at %u\n", order.quantity, order.price.value);
    if (event.kind == EventKind::executed)
      std::printf("executed %u at %u\n", execution.quantity, execution.price.value);
  };
  box.run({.kind = CommandKind::phase, .session = kNoSession, .phase = {.phase = Phase::continuous}},
          tell);  // of all symbols
  box.run(order(UserRefNum{1}, Side::sell, Price{1'000'100}, 200), tell);
  box.run(order(UserRefNum{2}, Side::buy, Price{1'000'200}, 50), tell);
  std::printf("orders live: %u\n", box.engine().live_orders());
}
