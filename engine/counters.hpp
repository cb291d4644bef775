// What the match stage counts. One enum, one table of labels; written by match alone, readable by any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hugepages/base/count_word.hpp"

namespace crosswire {

enum class EngineCounter : std::uint8_t {
  commands,
  orders,  // Enter, Replace, Cancel, Modify, Account Query, Mass Cancel, Disable, Enable: whatever became of them
  accepted,
  replaced,
  canceled,
  modified,
  mass_cancels,
  rejected,
  executions,
  executed_shares,
  crosses,
  operated,
  ignored_used_ref_num,  // UserRefNum not above the last one: taken for a repeat (WIRE 3.1)
  ignored_dead_order,    // Cancel, Modify, Replace of an order that is not live: "too late" has no message
  ignored_superfluous,   // Cancel that takes nothing off, Modify that changes nothing or may not
  count_
};

inline constexpr std::array<const char*, static_cast<std::size_t>(EngineCounter::count_)> kEngineCounterNames = {
    "commands",
    "orders",
    "accepted",
    "replaced",
    "canceled",
    "modified",
    "mass_cancels",
    "rejected",
    "executions",
    "executed_shares",
    "crosses",
    "operated",
    "ignored_used_ref_num",
    "ignored_dead_order",
    "ignored_superfluous"};

class EngineCounters {
 public:
  void add(EngineCounter counter, std::uint64_t n = 1) { values_[static_cast<std::size_t>(counter)].add(n); }
  void set(EngineCounter counter, std::uint64_t value) { values_[static_cast<std::size_t>(counter)].set(value); }
  std::uint64_t operator[](EngineCounter counter) const { return values_[static_cast<std::size_t>(counter)].get(); }

 private:
  std::array<CountWord, static_cast<std::size_t>(EngineCounter::count_)> values_{};
};

}  // namespace crosswire
