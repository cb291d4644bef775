// The orders that an account has entered last, so that one sent twice is known again. Match stage only.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/types.hpp"

namespace crosswire {

/// What makes two orders of one account equal, and when the one that is remembered came.
struct RecentOrder {
  TimeNs at_ns = 0;
  Price price{};
  Quantity shares = 0;  // 0: none is remembered here
  SymbolId symbol{};
  Side side{};

  bool equals(const RecentOrder& other) const {
    return price == other.price && shares == other.shares && symbol == other.symbol && side == other.side;
  }
};

/// The last kKept orders of one account.
struct RecentOrders {
  static constexpr std::size_t kKept = 8;

  /// Whether one is remembered that equals `order` and came less than `span_ns` before it.
  bool has(const RecentOrder& order, TimeNs span_ns) const {
    return std::any_of(kept.begin(), kept.end(), [&](const RecentOrder& before) {
      return before.equals(order) && order.at_ns - before.at_ns < span_ns;
    });
  }
  /// In the place of the oldest.
  void add(const RecentOrder& order) {
    kept[next] = order;
    next = (next + 1) % kKept;
  }

  std::array<RecentOrder, kKept> kept{};
  std::uint32_t next = 0;  // place of the oldest
};

}  // namespace crosswire
