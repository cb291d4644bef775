// The orders of a load generator: adds, cancels and crossing orders in given parts, around a number of orders resting.
// It keeps the books that its own orders make, so that every cancel finds its order alive and every crossing order
// executes against exactly one, as long as nobody else trades and nothing is lost. Its memory is taken at the start,
// however long it goes on. The generator's thread; no clock, no allocation after the constructor.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "app/flow/random.hpp"
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
  bool buy;
  std::uint16_t session;
  std::uint16_t symbol;  // from 0
  std::uint32_t price;
  std::uint32_t slot;  // its own; of a cancel: that of the order meant
};

/// Each session has as many slots, used in turn by its adds and crossing orders: the n-th (from 0) has slot n modulo
/// per_session(), behind those of the sessions before. An order still alive when its slot's turn comes again in
/// turns_ahead() is cancelled first, so that its end is answered long before its slot is another's; few live that long.
class LoadMix {
 public:
  static constexpr std::uint32_t kShares = 100;

  /// `symbols` are not empty, and have a reference price of two ticks or more. `sessions` >= 1.
  LoadMix(const LoadMixOptions& options, const std::vector<SymbolConfig>& symbols, std::uint32_t sessions);

  /// To fill the books before the run: an order that rests, or the cancel of one whose slot is wanted.
  LoadOrder next_add() { return add(Dice(random_.next())); }
  LoadOrder next();
  std::uint64_t live() const { return live_.size(); }

  /// Of all sessions together, and what they and the books take in bytes.
  static std::uint64_t slots(const LoadMixOptions& options, std::uint32_t sessions);
  static std::uint64_t memory(const LoadMixOptions& options, std::uint32_t sessions);

  /// A power of two.
  std::uint32_t per_session() const { return per_session_; }
  std::uint32_t turns_ahead() const { return per_session_ / 32; }
  std::uint32_t slots() const { return static_cast<std::uint32_t>(orders_.size()); }
  /// Adds and crossing orders of a session so far.
  std::uint32_t used(std::uint32_t session) const { return used_[session]; }

 private:
  static constexpr std::uint32_t kLevels = 50;  // prices a side that adds are spread over
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// One random number, thrown several times: each throw uses up its part of the bits.
  class Dice {
   public:
    explicit Dice(std::uint64_t bits) : bits_(bits) {}
    /// 0 .. n-1.
    std::uint32_t below(std::uint32_t n) {
      const Wide product = Wide{bits_} * n;
      bits_ = static_cast<std::uint64_t>(product);
      return static_cast<std::uint32_t>(product >> 64);
    }

   private:
    __extension__ using Wide = unsigned __int128;
    std::uint64_t bits_;
  };

  /// Of every slot.
  struct Resting {
    std::uint32_t at = 0;                        // in live_
    std::uint32_t before = kNone, next = kNone;  // slots of its price level, in time order
    std::uint16_t symbol = 0;
    std::uint8_t level = 0;
    bool buy : 1 = false;
    bool alive : 1 = false;
  };
  static_assert(sizeof(Resting) == 16);
  struct Level {
    std::uint32_t first = kNone, last = kNone;  // slots
  };
  struct Side {
    std::uint64_t used = 0;               // a bit for each level that has orders; the lowest is the best
    std::array<Level, kLevels> levels{};  // 0 is best
  };
  struct Book {
    std::uint32_t mid;  // of prices, a multiple of the tick
    std::uint32_t tick;
    std::uint32_t levels;         // at most kLevels, where the price has room for them
    std::array<Side, 2> sides{};  // sells, buys
  };
  static_assert(kLevels <= 64);

  LoadOrder add(Dice dice);
  LoadOrder cancel(std::uint32_t slot);
  LoadOrder cross(Dice dice);
  /// The slot of the session's next order, or of the one so many turns behind that.
  std::uint32_t slot_of(std::uint32_t session, std::uint32_t ahead = 0) const {
    return session * per_session_ + ((used_[session] + ahead) & (per_session_ - 1));
  }
  void end(std::uint32_t slot);

  LoadMixOptions options_;
  std::uint32_t sessions_;
  std::uint32_t per_session_;
  FlowRandom random_;
  std::vector<Book> books_;
  std::vector<Resting> orders_;      // by slot
  std::vector<std::uint32_t> live_;  // slots
  std::vector<std::uint32_t> used_;  // by session
};

}  // namespace crosswire
