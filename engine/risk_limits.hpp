// What an account may ask for and own, as its configuration says: the one table of limits, from which the
// configuration's keys, the page docs/rules.md and the tests are made. Plain values.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "engine/types.hpp"

namespace crosswire {

/// A sum of money in 1/10000 of the partition's one currency.
using Money = std::int64_t;
/// Beyond it no sum of an account goes: who could reach it is refused first (0x001F).
inline constexpr Money kMostMoney = Money{1} << 62;
/// The same for shares of a position.
inline constexpr std::int64_t kMostShares = std::int64_t{1} << 40;

/// Limits that are a number.
enum class RiskLimit : std::uint8_t {
  order_quantity,
  order_notional,
  price_band,
  orders_per_second,
  cancels_per_second,
  symbol_orders_per_second,
  funds,
  position_long,
  position_short,
  duplicate_window,
  rejects_in_a_row,
  loss_of_day,
  executions_per_second_count,
  executions_per_second_shares,
  firm_funds,
  count_
};

/// Whether it stops the account where it is reached (engine/breakers.hpp), instead of refusing an order.
constexpr bool is_breaker(RiskLimit limit) {
  return limit >= RiskLimit::rejects_in_a_row && limit <= RiskLimit::executions_per_second_shares;
}

/// Whether a limit may come or go while a day goes on: one that is measured against nothing which would have to be kept
/// from the day's start on. Of the others only the number may change.
constexpr bool comes_within_a_day(RiskLimit limit) { return limit <= RiskLimit::cancels_per_second; }

enum class RiskScope : std::uint8_t { account, firm };

/// How a limit is named, measured and answered.
struct RiskRow {
  RiskLimit limit;
  std::string_view key;  // in the configuration: [account.risk] or [[firm]]
  RiskScope scope;
  std::string_view unit;
  std::int64_t low, high;  // what it may be
  std::uint16_t code;      // Reject that an order beyond it gets (WIRE 3.4)
  std::string_view about;  // what is refused, beyond what
};

/// By number of the enumerator.
inline constexpr std::array kRiskRows = [] {
  using enum RiskLimit;
  using enum RiskScope;
  using Row = RiskRow;
  return std::array{
      Row{order_quantity, "order_quantity", account, "shares", 1, kMaxQuantity, 0x0031, "an order of more shares"},
      Row{order_notional, "order_notional_e4", account, "1/10000 of the currency", 1, kMostMoney, 0x0030,
          "an order whose price times shares is more"},
      Row{price_band, "price_band_e4", account, "1/10000 of the last price", 1, 10'000'000, 0x0026,
          "a purchase at a price so far above the last one, a sale so far below it"},
      Row{orders_per_second, "orders_per_second", account, "messages", 1, 10'000'000, 0x0029,
          "an Enter or Replace beyond so many within a second, those not counted that were refused for this"},
      Row{cancels_per_second, "cancels_per_second", account, "messages", 1, 10'000'000, 0x0029,
          "a Cancel, Modify, Mass Cancel, Disable or Enable beyond so many within a second, those not counted that "
          "were "
          "refused for this"},
      Row{symbol_orders_per_second, "symbol_orders_per_second", account, "messages", 1, 10'000'000, 0x0028,
          "an Enter or Replace beyond so many within a second in one symbol, those not counted that were refused for "
          "this"},
      Row{funds, "funds_e4", account, "1/10000 of the currency", 0, kMostMoney / 2, 0x0020,
          "a purchase that the funds, less what open purchases reserve, do not pay"},
      Row{position_long, "position_long", account, "shares of a symbol", 0, kMostShares, 0x0020,
          "a purchase with which the position, open purchases counted in, would be more"},
      Row{position_short, "position_short", account, "shares of a symbol", 0, kMostShares, 0x0020,
          "a sale with which the position, open sales counted in, would be further below zero; of a sale that is not "
          "marked short, below zero at all"},
      Row{duplicate_window, "duplicate_window_ms", account, "milliseconds", 1, 3'600'000, 0x002A,
          "an Enter of the side, symbol, price and shares of one of the account's last eight that were accepted, if "
          "less time than this has passed since"},
      Row{rejects_in_a_row, "rejects_in_a_row", account, "Rejected answers", 1, 65'535, 0x000C,
          "all orders, from when so many Enters and Replaces were Rejected and none Accepted or Replaced between them, "
          "rates and halts apart"},
      Row{loss_of_day, "loss_of_day_e4", account, "1/10000 of the currency", 1, kMostMoney / 2, 0x000C,
          "all orders, from when the account's result of the day is so far below zero"},
      Row{executions_per_second_count, "executions_per_second_count", account, "executions", 1, 10'000'000, 0x000C,
          "all orders, from when orders of the account that rested have executed so often within a second"},
      Row{executions_per_second_shares, "executions_per_second_shares", account, "shares", 1, 1'000'000'000, 0x000C,
          "all orders, from when so many shares of orders of the account that rested have executed within a second"},
      Row{firm_funds, "funds_e4", firm, "1/10000 of the currency", 0, kMostMoney / 2, 0x0020,
          "a purchase that the firm's funds, less what open purchases of its accounts reserve, do not pay"},
  };
}();
static_assert(kRiskRows.size() == static_cast<std::size_t>(RiskLimit::count_));

/// What an order is, where an account may be forbidden to enter such.
enum class OrderType : std::uint8_t {
  ioc,
  gtt,
  hidden,
  min_quantity,
  post_only,
  on_open,
  on_close,
  short_sale,
  short_exempt,
  market,
  count_
};
struct OrderTypeRow {
  OrderType type;
  std::string_view name;  // in [account.risk] forbids
  std::uint16_t code;
};
inline constexpr std::array kOrderTypes = {
    OrderTypeRow{OrderType::ioc, "ioc", 0x002C},
    OrderTypeRow{OrderType::gtt, "gtt", 0x002C},
    OrderTypeRow{OrderType::hidden, "hidden", 0x002C},
    OrderTypeRow{OrderType::min_quantity, "min_quantity", 0x002C},
    OrderTypeRow{OrderType::post_only, "post_only", 0x002C},
    OrderTypeRow{OrderType::on_open, "on_open", 0x002C},
    OrderTypeRow{OrderType::on_close, "on_close", 0x002C},
    OrderTypeRow{OrderType::short_sale, "short_sale", 0x002B},
    OrderTypeRow{OrderType::short_exempt, "short_exempt", 0x002F},
    OrderTypeRow{OrderType::market, "market", 0x002C},
};
static_assert(kOrderTypes.size() == static_cast<std::size_t>(OrderType::count_));
/// A set of them: bit n is that of enumerator n.
using OrderTypes = std::uint16_t;
constexpr OrderTypes set_of(std::initializer_list<OrderType> types) {
  OrderTypes set = 0;
  for (const OrderType type : types) set |= static_cast<OrderTypes>(1u << static_cast<unsigned>(type));
  return set;
}

/// What a position is at the day's start, and limits of its own.
struct PositionConfig {
  SymbolId symbol;
  std::int64_t shares = 0;      // -kMostShares .. kMostShares
  std::int64_t most_long = -1;  // -1: the account's
  std::int64_t most_short = -1;
};

/// Of an account. kNoLimit: nothing is checked.
struct RiskConfig {
  static constexpr std::int64_t kNoLimit = -1;

  std::array<std::int64_t, kRiskRows.size()> limits = [] {
    std::array<std::int64_t, kRiskRows.size()> none{};
    none.fill(kNoLimit);
    return none;
  }();
  OrderTypes forbidden = 0;
  std::vector<SymbolId> symbols;  // that it may trade, rising; empty: all
  std::vector<PositionConfig> positions;

  std::int64_t limit(RiskLimit of) const { return limits[static_cast<std::size_t>(of)]; }
  bool has(RiskLimit of) const { return limit(of) != kNoLimit; }
  /// Whether the account's positions are limited.
  bool limits_positions() const {
    return has(RiskLimit::position_long) || has(RiskLimit::position_short) || !positions.empty();
  }
  /// Whether they are kept.
  bool keeps_positions() const {
    return limits_positions() || has(RiskLimit::loss_of_day) || has(RiskLimit::symbol_orders_per_second);
  }
  bool has_breaker() const {
    return std::any_of(kRiskRows.begin(), kRiskRows.end(),
                       [this](const RiskRow& row) { return is_breaker(row.limit) && has(row.limit); });
  }
  /// Whether any of its breakers counts its executions.
  bool counts_executions() const {
    return has(RiskLimit::loss_of_day) || has(RiskLimit::executions_per_second_count) ||
           has(RiskLimit::executions_per_second_shares);
  }
  bool is_none() const {
    for (const std::int64_t limit : limits)
      if (limit != kNoLimit) return false;
    return forbidden == 0 && symbols.empty() && positions.empty();
  }
};

}  // namespace crosswire
