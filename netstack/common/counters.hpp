// Counters of a stage: one cell per enumerator, written by the stage's thread alone, readable by any.
// No allocation, no locks; a count is a plain load, add and store.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hugepages/base/count_word.hpp"

namespace crosswire {

/// `Name` is an enum whose enumerators are 0 .. N-1.
template <class Name, std::size_t N>
class Counters {
 public:
  /// The stage's thread.
  void add(Name name, std::uint64_t n = 1) { cells_[static_cast<std::size_t>(name)].add(n); }

  /// Any thread; counts of one moment need not agree with each other.
  std::uint64_t get(Name name) const { return cells_[static_cast<std::size_t>(name)].get(); }

 private:
  std::array<CountWord, N> cells_{};
};

template <class Counter>
struct CounterInfo {
  Counter counter;
  std::string_view label;
  std::string_view meaning;
};

template <class Table>
constexpr bool in_order_of_enumerators(const Table& table) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].counter) != i) return false;
  }
  return true;
}

}  // namespace crosswire
