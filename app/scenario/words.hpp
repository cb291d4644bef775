// The words of scenarios: lines split into words, numbers, prices, and the names that both statements and events use.
// Pure but for Names; values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config/config.hpp"
#include "engine/types.hpp"

namespace crosswire {

/// what() is what is wrong with a line, and how to write it.
class ScenarioFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using Words = std::vector<std::string>;

/// Split at spaces; from a word that begins with # on it is a comment.
Words split_line(std::string_view line);
/// "a b c".
std::string joined_words(const Words& words, std::size_t from = 0);

/// "1000" or "1_000"; nothing if it is anything else, or beyond 32 bits.
std::optional<std::uint32_t> parse_number(std::string_view text);
/// "10", "10.5", "10.0001" in 1/10000; nothing if it is anything else.
std::optional<std::uint64_t> parse_price(std::string_view text);
/// "10.00", "10.0001".
std::string format_price(std::uint64_t price_e4);
/// The same of an order's price, which may be "market": kMarketPrice.
std::optional<std::uint64_t> parse_order_price(std::string_view text);
/// Of an order or a level; what is no limit is "market".
std::string format_order_price(Price price);
/// "1s", "2.5s", "100ms", "3m", "2h"; nothing if it is anything else.
std::optional<TimeNs> parse_span(std::string_view text);

/// A word and the value that it stands for.
template <class Value>
struct Word {
  std::string_view word;
  Value value;
};
template <class Value, std::size_t n>
std::optional<Value> meaning_of(const Word<Value> (&table)[n], std::string_view word) {
  for (const Word<Value>& row : table) {
    if (row.word == word) return row.value;
  }
  return std::nullopt;
}
template <class Value, std::size_t n>
std::string_view word_for(const Word<Value> (&table)[n], Value value) {
  for (const Word<Value>& row : table) {
    if (row.value == value) return row.word;
  }
  return "unknown";
}

inline constexpr Word<Side> kSideWords[] = {
    {"buy", Side::buy}, {"sell", Side::sell}, {"short", Side::sell_short}, {"short_exempt", Side::sell_short_exempt}};
inline constexpr Word<SelfTrade> kSelfTradeWords[] = {{"newest", SelfTrade::newest},
                                                      {"oldest", SelfTrade::oldest},
                                                      {"both", SelfTrade::both},
                                                      {"decrement", SelfTrade::decrement}};

/// Who and what a scenario speaks of: accounts, firms and symbols of its configuration, and orders by the labels that
/// it gives them.
class Names {
 public:
  /// `config` outlives it.
  explicit Names(const Config& config) : config_(config) {}

  std::optional<SessionId> find_account(std::string_view name) const;
  std::optional<FirmId> find_firm(std::string_view name) const;
  std::optional<SymbolId> find_symbol(std::string_view name) const;
  /// These throw ScenarioFault if there is none.
  SessionId account(std::string_view name) const;
  FirmId firm(std::string_view name) const;
  SymbolId symbol(std::string_view name) const;

  struct Order {
    SessionId account;
    UserRefNum number;
  };
  /// The label means that order, or "ann#7" without one. Throws ScenarioFault where it means another.
  void label(std::string_view label, Order order);
  Order order(std::string_view label) const;

  const std::string& account_name(SessionId account) const { return config_.net.accounts[account.value].user; }
  std::string symbol_name(SymbolId symbol) const;
  /// Its label, or else "ann#7".
  std::string order_name(Order order) const;

 private:
  const Config& config_;
  std::map<std::string, Order, std::less<>> orders_;
  std::map<std::pair<std::uint16_t, std::uint32_t>, std::string> labels_;
};

}  // namespace crosswire
