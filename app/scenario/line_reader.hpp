// Reads the words of one line of a scenario, one after the other.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "app/scenario/words.hpp"

namespace crosswire {

/// Throws ScenarioFault where the line has something else than is asked for.
class LineReader {
 public:
  /// `words` outlive it; those before `at` are read already.
  explicit LineReader(const Words& words, std::size_t at = 0) : words_(words), at_(at) {}

  bool done() const { return at_ >= words_.size(); }
  /// The next word, "" at the end; it stays.
  std::string_view peek(std::size_t ahead = 0) const {
    return at_ + ahead < words_.size() ? std::string_view(words_[at_ + ahead]) : "";
  }
  /// How many are read.
  std::size_t at() const { return at_; }

  std::string_view next(std::string_view what) {
    if (done()) throw ScenarioFault(fmt::format("{} is missing", what));
    return words_[at_++];
  }
  /// Takes the word if it is the next one.
  bool take(std::string_view word) {
    if (done() || words_[at_] != word) return false;
    ++at_;
    return true;
  }
  void need(std::string_view word) {
    if (!take(word)) throw ScenarioFault(fmt::format("\"{}\" is wanted, not \"{}\"", word, peek()));
  }
  std::uint32_t number(std::string_view what) {
    const std::string_view word = next(what);
    const auto value = parse_number(word);
    if (!value) throw ScenarioFault(fmt::format("\"{}\" is no number of {}", word, what));
    return *value;
  }
  /// Behind "@".
  /// In 1/10000, or kMarketPrice.
  std::uint64_t price() {
    need("@");
    const std::string_view word = next("a price");
    const auto value = parse_order_price(word);
    if (!value) throw ScenarioFault(fmt::format("\"{}\" is no price, as 10.00 or market", word));
    return *value;
  }
  void end() const {
    if (!done()) throw ScenarioFault(fmt::format("\"{}\" does not belong there", peek()));
  }

 private:
  const Words& words_;
  std::size_t at_;
};

}  // namespace crosswire
