// Events and books in the words of scenarios: what `expect` is compared with and `--verbose` prints.
#pragma once

#include <string>

#include "app/scenario/exchange.hpp"
#include "app/scenario/words.hpp"
#include "engine/event.hpp"
#include "engine/order.hpp"

namespace crosswire {

/// Empty: of what a scenario says nothing (a login, a tick, that the rest of an order rests). While the cold lines of
/// the event's orders can be read.
std::string tell(const Event& event, const Orders& orders, const Names& names);

/// "bid 100 x 10.00 hidden 50 x 9.99 ask 20 x 10.01": the best price first, of each the displayed shares first; a side
/// without orders is left out.
std::string tell_book(const Engine& engine, SymbolId symbol);

}  // namespace crosswire
