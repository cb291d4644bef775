// Lists of orders beside the books: in the order in which they were added, an order in at most one list of a set. Match
// stage only; fixed size. Circular, each with a sentinel of its own, so that an order leaves its list without naming
// it.
#pragma once

#include <cstdint>
#include <span>

#include "engine/types.hpp"
#include "hugepages/base/check.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

class OrderLists {
 public:
  /// `slots`: of the order pool. `lists`: how many, numbered 0 .. lists - 1, all empty.
  OrderLists(Arena& arena, std::uint32_t slots, std::uint32_t lists)
      : links_(arena.array<Links>(std::size_t{slots} + lists)), slots_(slots) {
    CHECK(std::uint64_t{slots} + lists < kNoOrder.value, "%u slots and %u lists", slots, lists);
    for (std::uint32_t node = slots; node < links_.size(); ++node) links_[node] = {node, node};
  }
  static std::size_t bytes_for(std::uint32_t slots, std::uint32_t lists) {
    return Arena::bytes_for<Links>(std::size_t{slots} + lists);
  }

  /// `order` is in no list of this set.
  void push_back(std::uint32_t list, OrderIndex order) {
    const std::uint32_t sentinel = slots_ + list;
    const std::uint32_t last = links_[sentinel].before;
    links_[order.value] = {sentinel, last};
    links_[last].after = order.value;
    links_[sentinel].before = order.value;
  }

  /// `order` is in a list of this set.
  void remove(OrderIndex order) {
    const Links links = links_[order.value];
    links_[links.before].after = links.after;
    links_[links.after].before = links.before;
  }

  void prefetch(OrderIndex order) const { __builtin_prefetch(&links_[order.value], 1); }

  /// The oldest of a list; kNoOrder: it is empty.
  OrderIndex front(std::uint32_t list) const { return order_at(links_[slots_ + list].after); }
  /// The one after `order`, which is in a list; kNoOrder: it is the last.
  OrderIndex after(OrderIndex order) const { return order_at(links_[order.value].after); }

 private:
  struct Links {
    std::uint32_t after;
    std::uint32_t before;
  };

  OrderIndex order_at(std::uint32_t node) const { return node < slots_ ? OrderIndex{node} : kNoOrder; }

  std::span<Links> links_;  // of the orders, then of the sentinels
  std::uint32_t slots_;
};

}  // namespace crosswire
