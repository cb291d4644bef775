// What a stage or port counts: an enum of the counters, ended by `count_`; a constexpr table that says of each what
// kind it is, how figures call it and what it means; and the cells themselves, written by the stage's thread alone,
// readable by any. No allocation, no locks; a count is a plain load, add and store. Standard library only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hugepages/base/count_word.hpp"

namespace crosswire {

enum class CounterKind : std::uint8_t {
  figure,  // what was done
  notice,  // was done, but not as it should be: an operator should know of it when it is not zero
  drop,    // was not done: a frame, message or order that came to nothing
};
inline constexpr std::array<std::string_view, 3> kCounterKindNames = {"figure", "notice", "drop"};

/// Whether a drop is anything to look into. Rules and dashboard are made of it (tests/app/figures/counters_test.cpp).
enum class Harm : std::uint8_t {
  harmful,
  harmless,  // happens on any day, by what others on the network do or by clients that err in passing
};

/// `label` is the counter's name in every output, in lower case and underscores, unique in its table. `meaning` has no
/// full stop.
template <class Name>
struct CounterRow {
  Name counter;
  CounterKind kind;
  std::string_view label;
  std::string_view meaning;
  Harm harm = Harm::harmful;  // of a drop: one that says nothing is to be looked into
};

/// A table is whole when it has a row for each enumerator, in their order, and each row has its words.
template <class Name, std::size_t N>
constexpr bool is_whole(const std::array<CounterRow<Name>, N>& table) {
  for (std::size_t i = 0; i < N; ++i) {
    if (table[i].counter != static_cast<Name>(i) || table[i].label.empty() || table[i].meaning.empty()) return false;
  }
  return N == static_cast<std::size_t>(Name::count_);
}

/// A cell for each enumerator of `Name`.
template <class Name>
class Counters {
 public:
  /// The writing thread.
  void add(Name name, std::uint64_t n = 1) { cells_[static_cast<std::size_t>(name)].add(n); }
  /// The writing thread.
  void set(Name name, std::uint64_t value) { cells_[static_cast<std::size_t>(name)].set(value); }

  /// Any thread; counts of one moment need not agree with each other.
  std::uint64_t get(Name name) const { return cells_[static_cast<std::size_t>(name)].get(); }

 private:
  std::array<CountWord, static_cast<std::size_t>(Name::count_)> cells_{};
};

}  // namespace crosswire
