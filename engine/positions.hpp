// Positions by account and symbol, of those accounts whose positions are kept. Match stage only; fixed size: each has
// its place from its first order on, for the day.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/risk_limits.hpp"
#include "engine/rolling_count.hpp"
#include "engine/types.hpp"
#include "hugepages/base/check.hpp"
#include "hugepages/memory/arena.hpp"

namespace crosswire {

/// How far positions may go.
struct PositionLimits {
  std::int64_t most_long = kMostShares;
  std::int64_t most_short = kMostShares;
  bool sale_needs_shares = false;  // one that is not marked short
};

/// One line. What an account has of a symbol, how far its open orders may still grow, and how far it may go. By side,
/// index 1 the purchases, so that no step has to branch on which it is:
///   room[1] = most_long - shares - open purchases,  room[0] = most_short + shares - open sales
struct alignas(64) Position {
  std::uint32_t key = 0;      // 0: the place is free
  Price mark{};               // of the account's last execution in it. This and `net`: of one with loss_of_day
  std::int64_t net : 62 = 0;  // shares bought today, less those sold
  bool own_long : 1 = false;  // most_long is the symbol's own, not the account's
  bool own_short : 1 = false;
  std::int64_t shares = 0;
  std::array<std::int64_t, 2> room{};  // below zero: it began beyond the limit
  std::int64_t most_long = 0;
  std::int64_t most_short = 0;
  std::int64_t least_sale_room = 0;  // that a sale which is not marked short may leave

  /// Nothing is open; sets all but the key.
  void begin(std::int64_t its_shares, const PositionLimits& limits) {
    shares = its_shares;
    most_long = limits.most_long;
    most_short = limits.most_short;
    least_sale_room = limits.sale_needs_shares ? most_short : 0;
    room = {most_short + shares, most_long - shares};
  }
  /// Bought so many shares, below zero sold.
  void trade(std::int64_t bought) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"  // 62 bits are enough for kMostShares
    net += bought;
#pragma GCC diagnostic pop
  }
  /// May go as far as `most` from now on, with what is open and owned as it is.
  void change_long(std::int64_t most) {
    room[1] += most - most_long;
    most_long = most;
  }
  /// The same below zero, of an account whose positions are limited.
  void change_short(std::int64_t most) {
    room[0] += most - most_short;
    most_short = least_sale_room = most;
  }
  /// Shares of live orders.
  std::int64_t open_buys() const { return most_long - shares - room[1]; }
  std::int64_t open_sells() const { return most_short + shares - room[0]; }
  /// The least room that an order of this side may leave.
  std::int64_t least_room(Side side) const { return side == Side::sell ? least_sale_room : 0; }
  /// Shares that are executed, and were not open before.
  void settle(bool buy, std::int64_t executed) {
    const std::int64_t more = buy ? executed : -executed;
    shares += more;
    room[0] += more;
    room[1] -= more;
  }
  /// The same of open ones.
  void fill(bool buy, std::int64_t executed) {
    shares += buy ? executed : -executed;
    room[!buy] += executed;
  }
};
static_assert(sizeof(Position) == 64);

class Positions {
 public:
  /// `most`: positions at once, 0 or more; below 2^31. `rates`: whether each has a count of messages beside it.
  Positions(Arena& arena, std::uint32_t most, bool rates)
      : table_(arena.array<Position>(places(most))),
        rates_(arena.array<RollingCount>(rates ? places(most) : 0)),
        shift_(64u - static_cast<unsigned>(std::countr_zero(table_.size()))),
        most_(most) {}
  static std::size_t bytes_for(std::uint32_t most, bool rates) {
    return Arena::bytes_for<Position>(places(most)) + Arena::bytes_for<RollingCount>(rates ? places(most) : 0);
  }

  /// nullptr: there is none yet.
  [[gnu::always_inline]] Position* find(SessionId session, SymbolId symbol) const {
    const std::uint32_t key = key_of(session, symbol);
    Position* const there = &table_[home(key)];
    return there->key == key ? there : find_on(key);
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
  /// Of a position that is kept, where there are such counts. Its limit is for who asks to set.
  RollingCount& rate_of(const Position& position) const {
    return rates_[static_cast<std::size_t>(&position - table_.data())];
  }
  void prefetch(SessionId session, SymbolId symbol) const {
    __builtin_prefetch(&table_[home(key_of(session, symbol))], 1);
  }

 private:
  friend struct EngineState;

  /// The same of one that is not where it most likely is.
  [[gnu::noinline]] Position* find_on(std::uint32_t key) const {
    for (std::size_t at = home(key); table_[at].key != 0; at = (at + 1) & (table_.size() - 1))
      if (table_[at].key == key) return &table_[at];
    return nullptr;
  }
  /// At most half of them are taken.
  static std::size_t places(std::uint32_t most) {
    return std::bit_ceil(std::max(std::size_t{2} * most, std::size_t{2}));
  }
  /// Never 0: symbols count from 1.
  static std::uint32_t key_of(SessionId session, SymbolId symbol) {
    return std::uint32_t{session.value} << 16 | symbol.value;
  }
  /// Accounts and symbols are the configuration's, not a client's to choose: a plain multiplication spreads them.
  std::size_t home(std::uint32_t key) const { return (key * 0x9E3779B97F4A7C15u) >> shift_; }

  std::span<Position> table_;
  std::span<RollingCount> rates_;  // by place in table_, or empty
  unsigned shift_;
  std::uint32_t most_;
  std::uint32_t count_ = 0;
};

}  // namespace crosswire
