// The words of scenarios: see the header.
#include "app/scenario/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>

namespace crosswire {
namespace {

constexpr std::string_view kMarketWord = "market";

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// Digits, with _ between them; at most 15 of them.
std::optional<std::uint64_t> parse_digits(std::string_view text) {
  std::uint64_t value = 0;
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == '_' && digits > 0) continue;
    if (!is_digit(c) || ++digits > 15) return std::nullopt;
    value = 10 * value + static_cast<std::uint64_t>(c - '0');
  }
  return digits > 0 ? std::optional(value) : std::nullopt;
}

/// "12.5" in units of 10^-places.
std::optional<std::uint64_t> parse_decimal(std::string_view text, std::size_t places) {
  const std::size_t point = text.find('.');
  const auto whole = parse_digits(text.substr(0, point));
  if (!whole) return std::nullopt;
  std::string fraction(point == std::string_view::npos ? "" : text.substr(point + 1));
  if (fraction.size() > places || (point != std::string_view::npos && fraction.empty())) return std::nullopt;
  fraction.resize(places, '0');
  const auto part = parse_digits(fraction);
  if (!part) return std::nullopt;
  std::uint64_t scale = 1;
  for (std::size_t i = 0; i < places; ++i) scale *= 10;
  if (*whole > std::numeric_limits<std::uint64_t>::max() / scale - 1) return std::nullopt;
  return *whole * scale + *part;
}

std::string_view without_padding(std::string_view padded) { return padded.substr(0, padded.find_last_not_of(' ') + 1); }

}  // namespace

Words split_line(std::string_view line) {
  Words words;
  std::size_t at = 0;
  for (;;) {
    at = line.find_first_not_of(" \t\r", at);
    if (at == std::string_view::npos || line[at] == '#') return words;
    const std::size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
    words.emplace_back(line.substr(at, end - at));
    at = end;
  }
}

std::string joined_words(const Words& words, std::size_t from) {
  std::string text;
  for (std::size_t i = from; i < words.size(); ++i) text += (text.empty() ? "" : " ") + words[i];
  return text;
}

std::optional<std::uint32_t> parse_number(std::string_view text) {
  const auto value = parse_digits(text);
  if (!value || *value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::optional<std::uint64_t> parse_price(std::string_view text) { return parse_decimal(text, 4); }

std::string format_price(std::uint64_t price_e4) {
  const std::uint64_t fraction = price_e4 % 10'000;
  return fraction % 100 == 0 ? fmt::format("{}.{:02}", price_e4 / 10'000, fraction / 100)
                             : fmt::format("{}.{:04}", price_e4 / 10'000, fraction);
}

std::optional<std::uint64_t> parse_order_price(std::string_view text) {
  return text == kMarketWord ? std::optional<std::uint64_t>(kMarketPrice.value) : parse_price(text);
}

std::string format_order_price(Price price) {
  return price == kNoPrice || price > kMaxPrice ? std::string(kMarketWord) : format_price(price.value);
}

std::optional<TimeNs> parse_span(std::string_view text) {
  static constexpr Word<TimeNs> kUnits[] = {
      {"ms", 1'000'000}, {"s", kNsPerSecond}, {"m", 60 * kNsPerSecond}, {"h", 3600 * kNsPerSecond}};
  const auto letter = std::find_if(text.begin(), text.end(), [](char c) { return std::isalpha(c) != 0; });
  const std::size_t digits = static_cast<std::size_t>(letter - text.begin());
  const auto unit = meaning_of(kUnits, text.substr(digits));
  const auto amount = parse_decimal(text.substr(0, digits), 6);
  constexpr std::uint64_t kMost = 48 * 3600ull * 1'000'000;
  if (!unit || !amount || *amount > kMost) return std::nullopt;
  return *amount * (*unit / 1'000'000);
}

std::optional<SessionId> Names::find_account(std::string_view name) const {
  const auto& accounts = config_.net.accounts;
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    if (accounts[i].user == name) return SessionId{static_cast<std::uint16_t>(i)};
  }
  return std::nullopt;
}

std::optional<FirmId> Names::find_firm(std::string_view name) const {
  const auto& accounts = config_.net.accounts;
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    const std::string_view firm(accounts[i].firm.data(), accounts[i].firm.size());
    if (!name.empty() && without_padding(firm) == name) return config_.engine.firms[i];
  }
  return std::nullopt;
}

std::optional<SymbolId> Names::find_symbol(std::string_view name) const {
  const auto& symbols = config_.engine.symbols;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const SymbolId symbol{static_cast<std::uint16_t>(i + 1)};
    if (symbol_name(symbol) == name) return symbol;
  }
  return std::nullopt;
}

SessionId Names::account(std::string_view name) const {
  const auto found = find_account(name);
  if (!found) throw ScenarioFault(fmt::format("no account is called {}", name));
  return *found;
}

FirmId Names::firm(std::string_view name) const {
  const auto found = find_firm(name);
  if (!found) throw ScenarioFault(fmt::format("no account is of a firm {}", name));
  return *found;
}

SymbolId Names::symbol(std::string_view name) const {
  const auto found = find_symbol(name);
  if (!found) throw ScenarioFault(fmt::format("no symbol is called {}", name));
  return *found;
}

void Names::label(std::string_view label, Order order) {
  if (label.empty()) {
    orders_.insert_or_assign(order_name(order), order);
    return;
  }
  if (!orders_.emplace(label, order).second) {
    throw ScenarioFault(fmt::format("an order is called {} already; give this one another label", label));
  }
  labels_.insert_or_assign({order.account.value, order.number.value}, std::string(label));
}

Names::Order Names::order(std::string_view label) const {
  const auto found = orders_.find(label);
  if (found == orders_.end()) throw ScenarioFault(fmt::format("no order is called {}", label));
  return found->second;
}

std::string Names::symbol_name(SymbolId symbol) const {
  if (symbol == kNoSymbol) return "?";
  const SymbolName& name = config_.engine.symbols[symbol.value - 1u].name;
  return std::string(without_padding({name.data(), name.size()}));
}

std::string Names::order_name(Order order) const {
  const auto found = labels_.find({order.account.value, order.number.value});
  return found != labels_.end() ? found->second : fmt::format("{}#{}", account_name(order.account), order.number.value);
}

}  // namespace crosswire
