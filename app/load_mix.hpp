// The orders of a load generator: adds, cancels and crossing orders in given parts, around a number of orders resting.
// It keeps the books that its own orders make, so that every cancel finds its order alive and every crossing order
// executes against exactly one, as long as nobody else trades and nothing is lost. Set-up only.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "app/flow_random.hpp"
#include "engine/config.hpp"

namespace crosswire {

struct LoadMixOptions {
  std::uint32_t adds = 45;     // percent; the three together are 100
  std::uint32_t cancels = 45;  // a cancel while fewer than `resting` orders rest is an add instead
  std::uint32_t crossing = 10;
  std::uint32_t resting = 10'000;
  std::uint64_t seed = 1;
  bool operator==(const LoadMixOptions&) const = default;
};

enum class LoadKind : std::uint8_t {
  add,     // rests
  cross,   // immediate or cancel, through the other side's prices: executes at once
  cancel,  // of an order that rests
  replace,
  modify,
};
inline constexpr std::array<std::string_view, 5> kLoadKindNames = {"adds", "crossing", "cancels", "replaces",
                                                                   "modifies"};

/// One message to be sent. All orders are of 100 shares.
struct LoadOrder {
  LoadKind kind;
  std::uint16_t session;
  std::uint16_t symbol;  // from 0
  bool buy;
  std::uint32_t price;
  std::uint32_t number;  // its own, from 0; of a cancel: that of the order meant
};

class LoadMix {
 public:
  static constexpr std::uint32_t kShares = 100;

  /// `symbols` are not empty, and have a reference price of two ticks or more.
  LoadMix(const LoadMixOptions& options, const std::vector<SymbolConfig>& symbols, std::uint32_t sessions);

  /// An order that rests, to fill the books before the run. A message's number is how many came before it.
  LoadOrder next_add() { return add(); }
  LoadOrder next();
  std::uint64_t live() const { return live_.size(); }

 private:
  static constexpr std::uint32_t kLevels = 50;  // prices a side that adds are spread over

  /// Of every message; of a cancel and a crossing order nothing is looked at.
  struct Resting {
    std::uint32_t at;  // in live_
    std::uint16_t session;
    std::uint16_t symbol;
    std::uint8_t level;
    bool buy;
    bool alive;
  };
  struct Side {
    std::array<std::deque<std::uint32_t>, kLevels> levels;  // 0 is best; numbers in time order, some dead by now
    std::uint32_t alive = 0;
  };
  struct Book {
    std::uint32_t mid;  // of prices, a multiple of the tick
    std::uint32_t tick;
    std::uint32_t levels;         // at most kLevels, where the price has room for them
    std::array<Side, 2> sides{};  // sells, buys
  };

  LoadOrder add();
  LoadOrder cancel();
  LoadOrder cross(std::uint16_t symbol, bool buy);
  void end(std::uint32_t number);
  LoadOrder begin(LoadKind kind);

  LoadMixOptions options_;
  std::uint32_t sessions_;
  FlowRandom random_;
  std::vector<Book> books_;
  std::vector<Resting> orders_;      // by number
  std::vector<std::uint32_t> live_;  // numbers
};

}  // namespace crosswire
