// The exchange again, as plainly as it can be said: orders in one vector, every question answered by looking at all of
// them. Slow on purpose; the engine must say exactly the same. Shares nothing with engine/ but the record types.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <ostream>
#include <set>
#include <tuple>
#include <vector>

#include "engine/command.hpp"
#include "engine/config.hpp"
#include "engine/event.hpp"

namespace crosswire::testing {

/// What happened, without slots: comparable and printable. Fields that a kind does not use are zero.
struct Outcome {
  EventKind kind;
  std::uint16_t symbol = 0;
  std::uint32_t session = 0, number = 0;      // whose
  std::uint32_t session_b = 0, number_b = 0;  // executions: the other side. replaced: number_b is the original's
  std::uint64_t price = 0, quantity = 0, open = 0, ref = 0, ref_b = 0, match = 0;
  int side = 0, code = 0, feed = 0;  // code: order state, cancel reason, reject, letters of the day
  auto operator<=>(const Outcome&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Outcome& o) {
  return out << "kind " << int(o.kind) << " symbol " << o.symbol << " of " << o.session << "/" << o.number << " and "
             << o.session_b << "/" << o.number_b << " price " << o.price << " quantity " << o.quantity << " open "
             << o.open << " ref " << o.ref << " ref_b " << o.ref_b << " match " << o.match << " side " << char(o.side)
             << " code " << o.code << " feed " << o.feed;
}

class ReferenceExchange {
 public:
  explicit ReferenceExchange(const EngineConfig& config) : config_(config), symbols_(config.symbols.size() + 1) {
    for (std::size_t i = 0; i < config.symbols.size(); ++i)
      symbols_[i + 1].reference = config.symbols[i].reference.value;
  }

  /// The command's outcomes, in order.
  std::vector<Outcome> apply(const Command& c) {
    out_.clear();
    switch (c.kind) {
      case CommandKind::enter:
        enter(c);
        break;
      case CommandKind::replace:
        replace(c);
        break;
      case CommandKind::cancel:
        cancel(c);
        break;
      case CommandKind::modify:
        modify(c);
        break;
      case CommandKind::account_query:
        out_.push_back({.kind = EventKind::account, .session = c.session.value, .number = last_[c.session.value] + 1});
        break;
      case CommandKind::phase:
        phase(c);
        break;
      case CommandKind::tick:
        tick(c);
        break;
      default:
        std::abort();
    }
    return out_;
  }

  std::size_t live() const { return orders_.size(); }

 private:
  struct Order {
    std::uint64_t ref, time_rank;
    std::uint32_t session, number, symbol;
    char side;
    std::uint64_t price, open, executed;
    bool buy() const { return side == 'B'; }
  };
  struct Symbol {
    Phase phase = Phase::pre_open;
    std::uint64_t reference = 0;
  };
  struct Auction {
    std::uint64_t price = 0, paired = 0, imbalance = 0;
    bool buy_surplus = false;
  };

  static bool call(Phase p) { return p == Phase::opening_call || p == Phase::closing_call; }
  static char letter(Phase p) { return p == Phase::opening_call ? 'O' : p == Phase::closing_call ? 'C' : 'H'; }

  /// The best resting order of a side by price, then time; null if none at `limit` or better (0: any).
  Order* best(std::uint32_t symbol, bool buy, std::uint64_t limit) {
    Order* found = nullptr;
    for (Order& o : orders_) {
      if (o.symbol != symbol || o.buy() != buy || o.open == 0 || o.time_rank == 0) continue;
      if (limit != 0 && (buy ? o.price < limit : o.price > limit)) continue;
      if (found == nullptr || (buy ? o.price > found->price : o.price < found->price) ||
          (o.price == found->price && o.time_rank < found->time_rank))
        found = &o;
    }
    return found;
  }
  Order* find(std::uint32_t session, std::uint32_t number) {
    for (Order& o : orders_)
      if (o.session == session && o.number == number) return &o;
    return nullptr;
  }
  void drop_dead() {
    std::erase_if(orders_, [](const Order& o) { return o.open == 0; });
  }

  int phase_reject(std::uint32_t symbol) const {
    const Phase p = symbols_[symbol].phase;
    if (p == Phase::halted) return 0x0007;
    return p == Phase::pre_open || p == Phase::closed ? 0x0002 : 0;
  }

  void say_reject(const Command& c, int reason) {
    out_.push_back({.kind = EventKind::rejected,
                    .symbol = c.symbol.value,
                    .session = c.session.value,
                    .number = c.order.user_ref_num.value,
                    .side = static_cast<char>(c.order.side),
                    .code = reason});
  }

  /// Levels that are taken, and whether one more is to be had (tree nodes are not modelled: they last).
  bool no_level_for(std::uint32_t symbol, bool buy, std::uint64_t price, const Order* leaving) const {
    std::set<std::tuple<std::uint32_t, bool, std::uint64_t>> levels;
    for (const Order& o : orders_)
      if (o.open > 0 && &o != leaving) levels.insert({o.symbol, o.buy(), o.price});
    return levels.size() >= config_.max_levels && !levels.contains({symbol, buy, price});
  }

  void enter(const Command& c) {
    if (c.order.user_ref_idx != 0) return say_reject(c, c.reject);
    std::uint32_t& last = last_[c.session.value];
    if (c.order.user_ref_num.value <= last) return;
    last = c.order.user_ref_num.value;
    if (c.reject != 0) return say_reject(c, c.reject);
    if (const int reason = phase_reject(c.symbol.value)) return say_reject(c, reason);
    if (c.order.price.value % config_.symbols[c.symbol.value - 1].tick_e4 != 0) return say_reject(c, 0x001D);
    if (orders_.size() >= config_.max_orders) return say_reject(c, 0x000A);
    if (will_rest(c, c.symbol.value, c.order.side == Side::buy) &&
        no_level_for(c.symbol.value, c.order.side == Side::buy, c.order.price.value, nullptr))
      return say_reject(c, 0x000A);
    Order o{++ref_,
            0,
            c.session.value,
            c.order.user_ref_num.value,
            c.symbol.value,
            static_cast<char>(c.order.side),
            c.order.price.value,
            c.order.quantity,
            0};
    Outcome said{.kind = EventKind::accepted,
                 .symbol = c.symbol.value,
                 .session = o.session,
                 .number = o.number,
                 .price = o.price,
                 .quantity = o.open,
                 .open = o.open,
                 .ref = o.ref,
                 .side = o.side,
                 .code = 'L'};
    place(c, o, said, FeedAction::add, FeedAction::none);
  }

  /// Rests for certain: does not execute at once.
  bool will_rest(const Command& c, std::uint32_t symbol, bool buy) {
    if (c.order.time_in_force == TimeInForce::ioc) return false;
    return symbols_[symbol].phase != Phase::continuous || best(symbol, !buy, c.order.price.value) == nullptr;
  }

  void place(const Command& c, Order o, Outcome said, FeedAction rests, FeedAction gone) {
    const bool ioc = c.order.time_in_force == TimeInForce::ioc;
    const bool crosses = symbols_[o.symbol].phase == Phase::continuous && best(o.symbol, !o.buy(), o.price) != nullptr;
    said.feed = int(crosses || ioc ? gone : rests);
    if (!crosses && ioc) {
      said.open = 0;
      said.code = 'D';
    }
    out_.push_back(said);
    if (!crosses && ioc) return;
    while (crosses && o.open > 0) {
      Order* other = best(o.symbol, !o.buy(), o.price);
      if (other == nullptr) break;
      trade(EventKind::executed, o, *other, other->price, std::min(o.open, other->open), 0);
      drop_dead();
    }
    if (o.open == 0) return;
    if (ioc) {
      out_.push_back({.kind = EventKind::canceled,
                      .symbol = static_cast<std::uint16_t>(o.symbol),
                      .session = o.session,
                      .number = o.number,
                      .quantity = o.open,
                      .ref = o.ref,
                      .side = o.side,
                      .code = 'I'});
      return;
    }
    o.time_rank = ++time_rank_;
    orders_.push_back(o);
    if (crosses)
      out_.push_back({.kind = EventKind::rested,
                      .symbol = static_cast<std::uint16_t>(o.symbol),
                      .session = o.session,
                      .number = o.number,
                      .price = o.price,
                      .quantity = o.open,
                      .open = o.open,
                      .ref = o.ref,
                      .side = o.side,
                      .code = 'L',
                      .feed = int(FeedAction::add)});
  }

  void trade(EventKind kind, Order& a, Order& b, std::uint64_t price, std::uint64_t quantity, char code) {
    for (Order* o : {&a, &b}) {
      o->open -= quantity;
      o->executed += quantity;
    }
    symbols_[a.symbol].reference = price;
    out_.push_back({.kind = kind,
                    .symbol = static_cast<std::uint16_t>(a.symbol),
                    .session = a.session,
                    .number = a.number,
                    .session_b = b.session,
                    .number_b = b.number,
                    .price = price,
                    .quantity = quantity,
                    .ref = a.ref,
                    .ref_b = b.ref,
                    .match = ++match_,
                    .code = code});
  }

  void take_off(Order& o, std::uint64_t shares, char reason) {
    o.open -= shares;
    out_.push_back({.kind = EventKind::canceled,
                    .symbol = static_cast<std::uint16_t>(o.symbol),
                    .session = o.session,
                    .number = o.number,
                    .quantity = shares,
                    .open = o.open,
                    .ref = o.ref,
                    .side = o.side,
                    .code = reason,
                    .feed = int(o.open > 0 ? FeedAction::reduce : FeedAction::remove)});
    drop_dead();
  }

  void replace(const Command& c) {
    Order* old = c.order.user_ref_idx == 0 ? find(c.session.value, c.order.orig_user_ref_num.value) : nullptr;
    std::uint32_t& last = last_[c.session.value];
    if (old == nullptr || c.order.user_ref_num.value <= last) return;
    if (const int reason = phase_reject(old->symbol)) {
      last = c.order.user_ref_num.value;
      return say_reject(c, reason);
    }
    const bool off_tick = c.order.price.value % config_.symbols[old->symbol - 1].tick_e4 != 0;
    if (c.reject != 0 || off_tick) return take_off(*old, old->open, 'Z');
    if (c.order.quantity <= old->executed) return take_off(*old, old->open, 'U');
    if (will_rest(c, old->symbol, old->buy()) && no_level_for(old->symbol, old->buy(), c.order.price.value, old)) {
      last = c.order.user_ref_num.value;
      return say_reject(c, 0x000A);
    }
    last = c.order.user_ref_num.value;
    Order o = *old;
    old->open = 0;
    drop_dead();
    o.ref = ++ref_;
    o.number = c.order.user_ref_num.value;
    o.price = c.order.price.value;
    o.open = c.order.quantity - o.executed;
    o.time_rank = 0;
    // As OUCH's Replaced: named by the original's number.
    Outcome said{.kind = EventKind::replaced,
                 .symbol = static_cast<std::uint16_t>(o.symbol),
                 .session = o.session,
                 .number = o.number,
                 .number_b = c.order.orig_user_ref_num.value,
                 .price = o.price,
                 .quantity = o.open,
                 .open = o.open,
                 .ref = o.ref,
                 .ref_b = 0,
                 .side = o.side,
                 .code = 'L'};
    place(c, o, said, FeedAction::replace, FeedAction::remove);
  }

  void cancel(const Command& c) {
    Order* o = find(c.session.value, c.order.user_ref_num.value);
    if (o == nullptr || c.order.quantity >= o->executed + o->open) return;
    const std::uint64_t stays = c.order.quantity > o->executed ? c.order.quantity - o->executed : 0;
    take_off(*o, o->open - stays, 'U');
  }

  void modify(const Command& c) {
    Order* o = find(c.session.value, c.order.user_ref_num.value);
    if (o == nullptr) return;
    const char to = static_cast<char>(c.order.side);
    const bool same = o->side == to;
    const bool may = (o->side == 'S' && (to == 'E' || to == 'T')) || (o->side == 'E' && to == 'T');
    const std::uint64_t total = o->executed + o->open;
    const std::uint64_t wanted = std::max<std::uint64_t>(c.order.quantity, o->executed);
    const std::uint64_t taken = wanted < total ? total - wanted : 0;
    if (!same && !may) return;
    if (same && taken == 0) return;
    if (taken == o->open) return take_off(*o, taken, 'U');
    o->side = to;
    o->open -= taken;
    out_.push_back({.kind = EventKind::modified,
                    .symbol = static_cast<std::uint16_t>(o->symbol),
                    .session = o->session,
                    .number = o->number,
                    .quantity = taken,
                    .open = o->open,
                    .ref = o->ref,
                    .side = o->side,
                    .feed = int(taken > 0 ? FeedAction::reduce : FeedAction::none)});
  }

  /// By trying every price that anyone has named.
  Auction auction(std::uint32_t symbol) const {
    std::map<std::uint64_t, Auction> by_price;
    for (const Order& o : orders_)
      if (o.symbol == symbol) by_price[o.price] = {};
    std::uint64_t most = 0;
    for (auto& [price, a] : by_price) {
      std::uint64_t demand = 0, supply = 0;
      for (const Order& o : orders_) {
        if (o.symbol != symbol) continue;
        if (o.buy() && o.price >= price) demand += o.open;
        if (!o.buy() && o.price <= price) supply += o.open;
      }
      a = {price, std::min(demand, supply), demand > supply ? demand - supply : supply - demand, demand > supply};
      most = std::max(most, a.paired);
    }
    if (most == 0) return {};
    std::erase_if(by_price, [&](const auto& e) { return e.second.paired != most; });
    std::uint64_t least = UINT64_MAX;
    for (const auto& [price, a] : by_price) least = std::min(least, a.imbalance);
    std::erase_if(by_price, [&](const auto& e) { return e.second.imbalance != least; });
    bool all_buy = true, all_sell = true;
    for (const auto& [price, a] : by_price) {
      all_buy &= a.imbalance > 0 && a.buy_surplus;
      all_sell &= a.imbalance > 0 && !a.buy_surplus;
    }
    if (all_buy) return by_price.rbegin()->second;
    if (all_sell) return by_price.begin()->second;
    const auto far = [&](std::uint64_t p) {
      const std::uint64_t r = symbols_[symbol].reference;
      return p > r ? p - r : r - p;
    };
    Auction nearest = by_price.begin()->second;
    for (const auto& [price, a] : by_price)
      if (far(price) <= far(nearest.price)) nearest = a;  // rising prices: the higher of two as near
    return nearest;
  }

  void phase(const Command& c) {
    const Phase to = c.phase.phase;
    const bool all = c.symbol.value == 0;
    if (to == Phase::continuous && !market_open_) {
      market_open_ = true;
      out_.push_back({.kind = EventKind::system, .code = 'Q'});
    }
    for (std::uint32_t s = all ? 1 : c.symbol.value; s <= (all ? symbols_.size() - 1 : c.symbol.value); ++s) {
      Symbol& symbol = symbols_[s];
      const Phase from = symbol.phase;
      bool cross = false;
      if (from != to && call(from)) cross = to != Phase::halted;
      if (from != to && !call(from) && to == Phase::continuous) {
        Order* bid = best(s, true, 0);
        Order* ask = best(s, false, 0);
        cross = bid != nullptr && ask != nullptr && bid->price >= ask->price;
      }
      const auto name = static_cast<std::uint16_t>(s);
      if (cross) {
        const Auction a = auction(s);
        for (std::uint64_t left = a.paired; left > 0;) {
          Order* buyer = best(s, true, 0);
          Order* seller = best(s, false, 0);
          const std::uint64_t quantity = std::min({buyer->open, seller->open, left});
          trade(EventKind::crossed, *buyer, *seller, a.price, quantity, letter(from));
          left -= quantity;
          drop_dead();
        }
        out_.push_back({.kind = EventKind::cross_done,
                        .symbol = name,
                        .price = a.price,
                        .quantity = a.paired,
                        .match = ++match_,
                        .code = letter(from)});
      }
      if (to == Phase::closed) {
        for (const bool buy : {true, false})
          while (Order* o = best(s, buy, 0)) take_off(*o, o->open, 'E');
      }
      if (from != to) {
        symbol.phase = to;
        out_.push_back({.kind = EventKind::phase, .symbol = name, .code = int(to)});
      }
    }
    if (market_open_ &&
        std::all_of(symbols_.begin() + 1, symbols_.end(), [](const Symbol& s) { return s.phase == Phase::closed; })) {
      market_open_ = false;
      out_.push_back({.kind = EventKind::system, .code = 'M'});
    }
  }

  void tick(const Command& c) {
    if (c.time_ns % config_.imbalance_interval_ns == 0) {
      for (std::uint32_t s = 1; s < symbols_.size(); ++s) {
        if (!call(symbols_[s].phase)) continue;
        const Auction a = auction(s);
        out_.push_back({.kind = EventKind::imbalance,
                        .symbol = static_cast<std::uint16_t>(s),
                        .price = a.price,
                        .quantity = a.paired,
                        .open = a.imbalance,
                        .ref = symbols_[s].reference,
                        .code = a.paired == 0      ? 'O'
                                : a.imbalance == 0 ? 'N'
                                : a.buy_surplus    ? 'B'
                                                   : 'S'});
      }
    }
    out_.push_back({.kind = EventKind::tick});
  }

  EngineConfig config_;
  std::vector<Symbol> symbols_;  // [0] unused
  std::vector<Order> orders_;    // live; time_rank 0 = not in the book yet
  std::map<std::uint32_t, std::uint32_t> last_;
  std::uint64_t ref_ = 0, match_ = 0, time_rank_ = 0;
  bool market_open_ = false;
  std::vector<Outcome> out_;
};

}  // namespace crosswire::testing
