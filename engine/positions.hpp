// Positions by account and symbol, of those accounts whose positions are kept. Match stage only; fixed size: each has
// its place from its first order on, for the day.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/types.hpp"
#include "hugepages/base/check.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

/// One line. What an account has of a symbol, what its open orders may make of that, and how far they may.
struct alignas(64) Position {
  std::uint32_t key = 0;  // 0: the place is free
  std::int64_t shares = 0;
  std::int64_t open_buys = 0;   // shares of live orders
  std::int64_t open_sells = 0;  // likewise
  std::int64_t most_long = 0;
  std::int64_t most_short = 0;
};

class Positions {
 public:
  /// `most`: positions at once, 0 or more; below 2^31.
  Positions(Arena& arena, std::uint32_t most)
      : table_(arena.array<Position>(places(most))),
        shift_(64u - static_cast<unsigned>(std::countr_zero(table_.size()))),
        most_(most) {}
  static std::size_t bytes_for(std::uint32_t most) { return Arena::bytes_for<Position>(places(most)); }

  /// nullptr: there is none yet.
  Position* find(SessionId session, SymbolId symbol) const {
    const std::uint32_t key = key_of(session, symbol);
    for (std::size_t at = home(key);; at = (at + 1) & (table_.size() - 1)) {
      if (table_[at].key == key) return &table_[at];
      if (table_[at].key == 0) return nullptr;
    }
  }
  bool has_room() const { return count_ < most_; }
  /// There is none yet, and room. Its limits are for who asks to set.
  Position& add(SessionId session, SymbolId symbol) {
    CHECK(has_room(), "%u positions", count_);
    const std::uint32_t key = key_of(session, symbol);
    std::size_t at = home(key);
    while (table_[at].key != 0) at = (at + 1) & (table_.size() - 1);
    table_[at].key = key;
    ++count_;
    return table_[at];
  }
  void prefetch(SessionId session, SymbolId symbol) const {
    __builtin_prefetch(&table_[home(key_of(session, symbol))], 1);
  }

 private:
  friend struct EngineState;

  /// At most half of them are taken.
  static std::size_t places(std::uint32_t most) { return std::bit_ceil(std::size_t{2} * most + 2); }
  /// Never 0: symbols count from 1.
  static std::uint32_t key_of(SessionId session, SymbolId symbol) {
    return std::uint32_t{session.value} << 16 | symbol.value;
  }
  /// Accounts and symbols are the configuration's, not a client's to choose: a plain multiplication spreads them.
  std::size_t home(std::uint32_t key) const { return (key * 0x9E3779B97F4A7C15u) >> shift_; }

  std::span<Position> table_;
  unsigned shift_;
  std::uint32_t most_;
  std::uint32_t count_ = 0;
};

}  // namespace crosswire
