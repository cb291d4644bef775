// A distinct type around an integer, so that an order index cannot be passed where a price is wanted.
// Any stage; no allocation, no dependencies.
#pragma once

#include <compare>
#include <cstdint>

namespace crosswire {

/// `Tag` names the type and is never defined; `Rep` is the unsigned integer that it holds.
template <class Tag, class Rep>
struct Strong {
  using rep = Rep;
  Rep value{};

  constexpr auto operator<=>(const Strong&) const = default;
};

/// Position in a ring or stream: counts items from the start of the run. The first command is number 1.
using Sequence = Strong<struct SequenceTag, std::uint64_t>;

/// Index of an order's slot in the OrderPool. Never reaches the wire, the journal's meaning or state_hash().
using OrderIndex = Strong<struct OrderIndexTag, std::uint32_t>;
inline constexpr OrderIndex kNoOrder{0xFFFFFFFFu};

}  // namespace crosswire
