// What is expected: see the header.
#include "app/scenario/expectation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace crosswire {
namespace {

constexpr std::array<std::string_view, 18> kEventWords = {
    "accepted", "replaced", "canceled",    "modified", "prevented", "rejected", "refused", "next",       "executed",
    "crossed",  "cross",    "mass_cancel", "disabled", "enabled",   "operated", "phase",   "halt_level", "imbalance"};
constexpr std::array<std::string_view, 7> kWithTheNext = {"@", "left", "by", "with", "held", "paired", "canceled"};

template <class List>
bool is_in(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// Words that belong together as one.
Words in_groups(const Words& words) {
  Words groups;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool pair = i > 0 && i + 1 < words.size() && is_in(kWithTheNext, words[i]);
    groups.push_back(pair ? words[i] + " " + words[i + 1] : words[i]);
    if (pair) ++i;
  }
  return groups;
}

}  // namespace

Words as_told(const Words& expected) {
  if (!is_in(kEventWords, expected.front())) {
    throw ScenarioFault(fmt::format("\"{}\" is no event; docs/scenarios.md lists them", expected.front()));
  }
  Words words = expected;
  for (std::size_t i = 1; i < words.size(); ++i) {
    std::string& word = words[i];
    if (words[i - 1] == "@") {
      const auto price = parse_order_price(word);
      if (!price) throw ScenarioFault(fmt::format("\"{}\" is no price, as 10.00 or market", word));
      if (word != "market") word = format_price(*price);
    } else if (const auto number = parse_number(word)) {
      word = std::to_string(*number);
    } else if (word.compare(0, 2, "0x") == 0) {
      std::transform(word.begin() + 2, word.end(), word.begin() + 2,
                     [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    }
  }
  return words;
}

bool is_expected(const Words& expected, std::string_view told) {
  const Words wanted = in_groups(expected), words = in_groups(split_line(told));
  if (wanted.front() != words.front()) return false;
  std::size_t at = 1;
  for (std::size_t i = 1; i < wanted.size(); ++i, ++at) {
    while (at < words.size() && words[at] != wanted[i]) ++at;
    if (at == words.size()) return false;
  }
  return true;
}

}  // namespace crosswire
