// Collars: in continuous trading a symbol executes nothing outside its ranges about a static and a dynamic price. An
// order that would interrupts the symbol instead: a call, at whose end the engine crosses and trading goes on by
// itself.
//
// The static price is that of the last cross, before the first one the configured reference; the dynamic one is that of
// the last execution. Both stay as they are while an order executes: it is judged by the ranges that it finds. What is
// exactly at the end of a range is within.
//
// A call ends at the first tick at or behind its time, several of one tick by number of the symbol. Where the price of
// its cross would be outside the static range it is prolonged, as often as the configuration says; likewise the opening
// call where the schedule ends it.
//
// An operator's halt that is for a time ends likewise: where the schedule has continuous trading by then the symbol is
// interrupted, whether it has a collar or not, else it enters what the schedule has.
//
// Match stage only. What the engine does with it is in engine/collar.cpp.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/config.hpp"
#include "engine/types.hpp"

namespace crosswire {

/// Of a symbol. What matching asks of it is in the symbol itself: the ranges' lowest and highest price in common.
struct Collar {
  CollarConfig config;
  Price reference;          // of the static range
  std::uint32_t prolonged;  // how often the call under way was
  TimeNs ends_ns;          // of an interruption, or of an opening call that was prolonged, on the tick grid; 0: of none
  TimeNs halted_until_ns;  // by an operator, on the tick grid; 0: until resumed, or not at all

  /// What ends by itself next, of the two of which there is one at most; 0: nothing.
  TimeNs due_ns() const { return ends_ns | halted_until_ns; }
};

struct PriceRange {
  Price low;  // both are within
  Price high;

  bool has(Price price) const { return low <= price && price <= high; }
};

/// `percent_e2` of `reference` to both sides; of 0 every price.
constexpr PriceRange range_about(Price reference, std::uint32_t percent_e2) {
  if (percent_e2 == 0) return {Price{0}, kMaxPrice};
  const std::uint64_t price = reference.value;
  const std::uint64_t high = price * (10'000 + percent_e2) / 10'000;
  const std::uint64_t low = (price * (10'000 - percent_e2) + 9'999) / 10'000;
  return {Price{static_cast<std::uint32_t>(low)},
          Price{static_cast<std::uint32_t>(std::min<std::uint64_t>(high, kMaxPrice.value))}};
}

/// Draws of splitmix64 (Steele, Lea, Flood 2014): its whole state is one number.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}

  /// 0 .. below - 1; `below` >= 1.
  std::uint64_t draw(std::uint64_t below) {
    std::uint64_t x = state_ += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return static_cast<std::uint64_t>((Uint128{x ^ (x >> 31)} * below) >> 64);
  }

 private:
  friend struct EngineState;

  std::uint64_t state_;
};

}  // namespace crosswire
