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
#include <utility>
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
  std::uint32_t channel = 0, channel_b = 0;
  std::uint64_t price = 0, quantity = 0, open = 0, ref = 0, ref_b = 0, match = 0;
  int side = 0, code = 0, feed = 0;  // code: order state, cancel reason, reject, letters of the day
  auto operator<=>(const Outcome&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Outcome& o) {
  return out << "kind " << int(o.kind) << " symbol " << o.symbol << " of " << o.session << "/" << o.number << " and "
             << o.session_b << "/" << o.number_b << " channels " << o.channel << ", " << o.channel_b << " price "
             << o.price << " quantity " << o.quantity << " open " << o.open << " ref " << o.ref << " ref_b " << o.ref_b
             << " match " << o.match << " side " << char(o.side) << " code " << o.code << " feed " << o.feed;
}

/// The rigs' orders have a group by their number; a Replace keeps the original's.
inline std::uint16_t group_of(UserRefNum number) { return static_cast<std::uint16_t>(number.value % 3); }

class ReferenceExchange {
 public:
  explicit ReferenceExchange(const EngineConfig& config) : config_(config), symbols_(config.symbols.size() + 1) {
    for (std::uint32_t i = 0; i < config.risk.size(); ++i) {
      const RiskConfig& limits = config.risk[i];
      cash_[i] = std::max<std::int64_t>(0, limits.limit(RiskLimit::funds));
      if (limits.has(RiskLimit::firm_funds)) firm_cash_[firm_of(i)] = limits.limit(RiskLimit::firm_funds);
      for (const PositionConfig& position : limits.positions) shares_[{i, position.symbol.value}] = position.shares;
    }
    for (std::size_t i = 0; i < config.symbols.size(); ++i)
      symbols_[i + 1].reference = symbols_[i + 1].last_cross = config.symbols[i].reference.value;
    for (const SessionId off : config.switched_off) switched_off_.insert(off.value);
    had_limits_ = !config.risk.empty();
    drawn_ = config.interruption_seed;
  }

  /// The command's outcomes, in order.
  std::vector<Outcome> apply(const Command& c) {
    out_.clear();
    time_ns_ = std::max(time_ns_, c.time_ns);
    sequence_ = c.sequence.value != 0 ? c.sequence.value : sequence_ + 1;
    if (opens_closed(c)) {
      while (has_jobs()) {
        acts_ = looks_ = 0;
        turn();
      }
    }
    if (is_killing() && waits_for_kills(c)) finish_kills();
    acts_ = looks_ = 0;
    tripped_now_.clear();
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
        if (queries_[c.session.value].used_up(time_ns_)) break;
        queries_[c.session.value].use(time_ns_, 1, config_.account_queries_per_second);
        out_.push_back({.kind = EventKind::account,
                        .session = c.session.value,
                        .number = last_[{c.session.value, c.order.user_ref_idx}] + 1,
                        .channel = c.order.user_ref_idx});
        break;
      case CommandKind::mass_cancel:
      case CommandKind::disable:
      case CommandKind::enable:
        firm(c);
        break;
      case CommandKind::session_open:
      case CommandKind::session_close:
        session(c);
        break;
      case CommandKind::phase:
        enter_phases(c);
        break;
      case CommandKind::operate:
        operate(c);
        break;
      case CommandKind::configure:
        configure(c);
        break;
      case CommandKind::tick:
        tick(c);
        break;
      case CommandKind::turn:
        break;
      default:
        std::abort();
    }
    turn();
    if (!sweeps_.empty()) std::ranges::rotate(sweeps_, sweeps_.begin() + 1);
    return out_;
  }

  std::size_t live() const { return orders_.size(); }
  /// Something goes on in turns.
  bool has_jobs() const { return !sweeps_.empty() || lives_ || closing_ != 0; }

  /// The ledger, added up anew: money of an account or a whole firm, shares of a symbol.
  std::int64_t cash(std::uint32_t session) const { return of(cash_, session); }
  std::int64_t firm_cash(std::uint32_t firm) const { return of(firm_cash_, firm); }
  std::int64_t reserved(std::uint32_t session) const {
    return sum([&](const Order& o) { return o.session == session && o.buy() ? o.price * o.open : 0; });
  }
  std::int64_t firm_reserved(std::uint32_t firm) const {
    return sum([&](const Order& o) { return firm_of(o.session) == firm && o.buy() ? o.price * o.open : 0; });
  }
  /// Its funds were, so that more may be reserved than there is.
  bool was_lowered(std::uint32_t session) const { return lowered_.contains(session); }
  /// Breakers that have tripped.
  std::uint64_t trips() const { return trips_; }
  /// Since an operator has last allowed the account.
  std::int64_t result_of_day(std::uint32_t session) const { return result(session) - of(result_before_, session); }
  std::int64_t shares(std::uint32_t session, std::uint32_t symbol) const {
    return of(shares_, std::pair(session, symbol));
  }
  std::int64_t open(std::uint32_t session, std::uint32_t symbol, bool buy) const {
    return sum(
        [&](const Order& o) { return o.session == session && o.symbol == symbol && o.buy() == buy ? o.open : 0; });
  }

 private:
  struct Order {
    std::uint64_t ref, time_rank;
    std::uint32_t session, channel, number, symbol;
    char side;
    std::uint64_t price, open, executed;
    TimeInForce tif;
    Display display;
    CrossType cross;
    bool post_only;
    bool stays;
    SelfTrade self_trade;
    std::uint64_t min_quantity, life_seconds, ends_at_second;
    bool keeps_life = false;  // ends_at_second is its original's
    std::uint16_t group;
    std::uint64_t named = 0;  // the price as asked for; `price` is as far as a market order may go
    bool market = false;
    bool buy() const { return side == 'B'; }
    bool on_cross() const { return cross != CrossType::continuous; }
    /// 0 not on the feed, 1 shown, 2 shown with its firm.
    int shown() const {
      return display == Display::hidden || on_cross() || market ? 0 : display == Display::visible ? 1 : 2;
    }
    /// What comes first of one side: market orders, then by price.
    std::uint64_t rank() const { return market ? 0 : buy() ? 10'000'000'000 - price : price; }
    /// What makes no sense, as the reason to reject it.
    int nonsense() const {
      if (min_quantity > open) return 0x000D;
      if (tif == TimeInForce::gtt && life_seconds == 0) return 0x000F;
      if (tif != TimeInForce::gtt && life_seconds != 0) return 0x000F;
      if (on_cross() && tif != TimeInForce::day) return 0x0014;
      if (on_cross() && min_quantity != 0) return 0x000D;
      if (post_only && (tif == TimeInForce::ioc || on_cross() || min_quantity != 0 || market)) return 0x000F;
      return 0;
    }
  };
  struct Symbol {
    Phase phase = Phase::pre_open;
    Phase scheduled = Phase::pre_open;
    bool held = false;  // by an operator
    std::uint64_t reference = 0;
    std::uint64_t last_cross = 0;     // its price; before the first one the previous close
    std::uint64_t ends_ns = 0;        // a call that ends by itself; 0: none does
    std::uint64_t held_until_ns = 0;  // where it is held for a time; else 0
    std::uint32_t prolonged = 0;
  };
  /// So much a second, and once more than there is.
  struct Allowance {
    std::uint64_t owed_ns = 0, since_ns = 0;
    std::uint64_t owed(TimeNs now) const { return owed_ns - std::min(owed_ns, now - since_ns); }
    bool used_up(TimeNs now) const { return owed(now) >= 1'000'000'000; }
    void use(TimeNs now, std::uint64_t count, std::uint32_t per_second) {
      owed_ns = owed(now) + count * (1'000'000'000 / per_second);
      since_ns = now;
    }
  };
  struct Auction {
    std::uint64_t price = 0, paired = 0, imbalance = 0;
    bool buy_surplus = false;
  };

  // ---- Limits ----

  template <class Map, class Key>
  static std::int64_t of(const Map& map, const Key& key) {
    const auto found = map.find(key);
    return found == map.end() ? 0 : found->second;
  }
  template <class Each>
  std::int64_t sum(Each each) const {
    std::int64_t all = 0;
    for (const Order& o : orders_) all += static_cast<std::int64_t>(each(o));
    return all;
  }
  std::uint32_t firm_of(std::uint32_t session) const {
    return config_.firms.empty() ? session : config_.firms[session].value;
  }
  /// nullptr: it has none.
  const RiskConfig* limits_of(std::uint32_t session) const {
    return config_.risk.empty() || config_.risk[session].is_none() ? nullptr : &config_.risk[session];
  }

  /// Whether one more is within the rate; it counts then. By sixteenths of a second: this one and sixteen before it.
  /// `symbol`: 0 where the rate is of all.
  bool in_rate(std::uint32_t session, RiskLimit which, std::uint32_t symbol = 0) {
    const RiskConfig* limits = limits_of(session);
    if (limits == nullptr || !limits->has(which)) return true;
    std::vector<std::uint64_t>& taken = taken_[{session, which, symbol}];
    const std::uint64_t now = time_ns_ / 62'500'000;
    std::erase_if(taken, [&](std::uint64_t at) { return at + 16 < now; });
    if (static_cast<std::int64_t>(taken.size()) >= limits->limit(which)) return false;
    taken.push_back(now);
    return true;
  }

  static bool only_lowers(const Order& o, const Order& old) {
    return !o.market && o.price == old.price && o.side == old.side && o.open < old.open;
  }

  static bool is_of_type(const Order& o, OrderType type) {
    switch (type) {
      case OrderType::ioc:
        return o.tif == TimeInForce::ioc;
      case OrderType::gtt:
        return o.tif == TimeInForce::gtt;
      case OrderType::hidden:
        return o.display == Display::hidden;
      case OrderType::min_quantity:
        return o.min_quantity > 0;
      case OrderType::post_only:
        return o.post_only;
      case OrderType::on_open:
        return o.cross == CrossType::opening;
      case OrderType::on_close:
        return o.cross == CrossType::closing;
      case OrderType::short_sale:
        return o.side == 'T';
      case OrderType::short_exempt:
        return o.side == 'E';
      case OrderType::market:
        return o.market;
      case OrderType::count_:
        break;
    }
    std::abort();
  }

  /// What `cash`, of which live purchases reserve `reserved`, says to the order; `sells`: shares of live sales.
  static int purse_reject(const Order& o, std::int64_t cash, std::int64_t reserved, std::int64_t sells) {
    __extension__ using Wide = __int128;
    const Wide notional = Wide{static_cast<std::int64_t>(o.price)} * static_cast<std::int64_t>(o.open);
    if (o.buy()) return cash - reserved < notional ? 0x0020 : 0;
    const Wide fetch = Wide{sells + static_cast<std::int64_t>(o.open)} * 1'999'999'900;
    return fetch + std::max<std::int64_t>(0, cash) > (Wide{1} << 62) ? 0x001F : 0;
  }

  /// `old`: what a Replace takes away.
  int limit_reject(const Order& o, const Order* old) const {
    const RiskConfig* limits = limits_of(o.session);
    if (limits == nullptr) return 0;
    if (!limits->symbols.empty() &&
        std::count(limits->symbols.begin(), limits->symbols.end(), SymbolId{static_cast<std::uint16_t>(o.symbol)}) == 0)
      return 0x0022;
    for (const OrderTypeRow& row : kOrderTypes)
      if ((limits->forbidden & set_of({row.type})) != 0 && is_of_type(o, row.type)) return row.code;
    if (old != nullptr && only_lowers(o, *old)) return 0;
    const auto beyond = [&](RiskLimit which, std::uint64_t value) {
      return limits->has(which) && value > static_cast<std::uint64_t>(limits->limit(which));
    };
    if (beyond(RiskLimit::order_quantity, o.open)) return 0x0031;
    if (beyond(RiskLimit::order_notional, o.price * o.open)) return 0x0030;
    const std::uint64_t last = symbols_[o.symbol].reference;
    const std::uint64_t away = o.buy() ? o.price - std::min(last, o.price) : last - std::min(last, o.price);
    if (limits->has(RiskLimit::price_band) &&
        away * 10'000 > last * static_cast<std::uint64_t>(limits->limit(RiskLimit::price_band)))
      return 0x0026;
    const auto others = [&](auto of_whom, auto value) {
      return sum([&](const Order& x) { return of_whom(x) && &x != old ? value(x) : 0; });
    };
    const auto promised = [](const Order& x) { return x.buy() ? x.price * x.open : 0; };
    const auto sold = [](const Order& x) { return x.buy() ? 0 : x.open; };
    const auto mine = [&](const Order& x) { return x.session == o.session; };
    const auto ours = [&](const Order& x) { return firm_of(x.session) == firm_of(o.session); };
    if (limits->has(RiskLimit::funds)) {
      const int reason = purse_reject(o, cash(o.session), others(mine, promised), others(mine, sold));
      if (reason != 0) return reason;
    }
    if (limits->has(RiskLimit::firm_funds)) {
      const std::uint32_t firm = firm_of(o.session);
      const auto counts = [&](const Order& x) {
        return ours(x) && limits_of(x.session) != nullptr && limits_of(x.session)->has(RiskLimit::firm_funds);
      };
      const int reason = purse_reject(o, firm_cash(firm), others(counts, promised), others(counts, sold));
      if (reason != 0) return reason;
    }
    if (!limits->limits_positions()) return 0;
    std::int64_t most_long =
        limits->has(RiskLimit::position_long) ? limits->limit(RiskLimit::position_long) : kMostShares;
    std::int64_t most_short = std::max<std::int64_t>(0, limits->limit(RiskLimit::position_short));
    for (const PositionConfig& position : limits->positions) {
      if (position.symbol.value != o.symbol) continue;
      if (position.most_long >= 0) most_long = position.most_long;
      if (position.most_short >= 0) most_short = position.most_short;
    }
    const auto here = [&](const Order& x) { return mine(x) && x.symbol == o.symbol && x.buy() == o.buy(); };
    const std::int64_t with_it =
        others(here, [](const Order& x) { return x.open; }) + static_cast<std::int64_t>(o.open);
    const std::int64_t has = shares(o.session, o.symbol);
    if (o.buy()) return has + with_it > most_long ? 0x0020 : 0;
    return has - with_it < (o.side == 'S' ? 0 : -most_short) ? 0x0020 : 0;
  }

  /// Whether the account's last eight orders have one like it that is younger than the account's window.
  bool is_duplicate(const Order& o) const {
    const RiskConfig* limits = limits_of(o.session);
    const auto found = entered_.find(o.session);
    if (limits == nullptr || !limits->has(RiskLimit::duplicate_window) || found == entered_.end()) return false;
    const auto window_ns = static_cast<std::uint64_t>(limits->limit(RiskLimit::duplicate_window)) * 1'000'000;
    const std::vector<Entered>& all = found->second;
    return std::any_of(all.end() - std::min<std::ptrdiff_t>(8, all.end() - all.begin()), all.end(), [&](const auto& e) {
      return time_ns_ - e.first < window_ns && e.second == std::tuple(o.side, o.symbol, o.named, o.open);
    });
  }

  bool of_one_group(const Order& a, const Order& b) const {
    if (config_.self_trade.empty()) return false;
    const std::uint16_t group = config_.self_trade[a.session].group;
    return group != 0 && group == config_.self_trade[b.session].group;
  }

  void say_prevented(const Order& o, const Order& resting, std::uint64_t off, std::uint64_t would, SelfTrade action) {
    const bool rests = &o == &resting;
    out_.push_back({.kind = EventKind::prevented,
                    .symbol = static_cast<std::uint16_t>(o.symbol),
                    .session = o.session,
                    .number = o.number,
                    .channel = o.channel,
                    .price = resting.price,
                    .quantity = off,
                    .open = o.open,
                    .ref = o.ref,
                    .ref_b = would,
                    .side = o.side,
                    .code = static_cast<char>(action),
                    .feed = int(!rests || o.shown() == 0 ? FeedAction::none
                                : o.open > 0             ? FeedAction::reduce
                                                         : FeedAction::remove)});
  }

  /// Instead of an execution of `o`, which arrives, against one of its group.
  void prevent(Order& o, Order& resting) {
    const SelfTrade action = o.self_trade == SelfTrade::unsaid ? config_.self_trade[o.session].action : o.self_trade;
    const std::uint64_t would = std::min(o.open, resting.open), left = o.open;
    const std::uint64_t off = action == SelfTrade::decrement ? would : resting.open;
    if (action != SelfTrade::newest) {
      resting.open -= off;
      say_prevented(resting, resting, off, would, action);
    }
    if (action != SelfTrade::oldest) {
      const std::uint64_t own = action == SelfTrade::decrement ? would : left;
      o.open -= own;
      say_prevented(o, resting, own, would, action);
    }
  }

  static bool call(Phase p) {
    return p == Phase::opening_call || p == Phase::closing_call || p == Phase::intraday_call || p == Phase::interrupted;
  }
  static char letter(Phase p) { return p == Phase::opening_call ? 'O' : p == Phase::closing_call ? 'C' : 'H'; }

  /// The best resting order of a side by price, then shown before hidden, then time; null if none at `limit` or better
  /// (0: any).
  Order* best(std::uint32_t symbol, bool buy, std::uint64_t limit) {
    Order* found = nullptr;
    for (Order& o : orders_) {
      if (o.symbol != symbol || o.buy() != buy || o.open == 0 || o.time_rank == 0) continue;
      if (limit != 0 && (buy ? o.price < limit : o.price > limit)) continue;
      if (found == nullptr || std::tuple(o.rank(), o.shown() == 0, o.time_rank) <
                                  std::tuple(found->rank(), found->shown() == 0, found->time_rank))
        found = &o;
    }
    return found;
  }
  Order* find(const Command& c, UserRefNum number) {
    for (Order& o : orders_)
      if (o.session == c.session.value && o.channel == c.order.user_ref_idx && o.number == number.value) return &o;
    return nullptr;
  }
  /// The oldest order that is so; null if none is.
  template <class Is>
  Order* oldest(Is is) {
    Order* found = nullptr;
    for (Order& o : orders_)
      if (is(o) && (found == nullptr || o.ref < found->ref)) found = &o;
    return found;
  }
  void drop_dead() {
    std::erase_if(orders_, [](const Order& o) { return o.open == 0; });
  }

  int phase_reject(const Order& o) const {
    const Phase p = symbols_[o.symbol].phase;
    if (p == Phase::halted) return 0x0007;
    if (p == Phase::pre_open || p == Phase::closed) return 0x0002;
    return o.cross == CrossType::opening && p != Phase::opening_call ? 0x0014 : 0;
  }
  static Phase call_of(CrossType cross) {
    return cross == CrossType::opening ? Phase::opening_call : Phase::closing_call;
  }

  void say_reject(const Command& c, int reason) {
    out_.push_back({.kind = EventKind::rejected,
                    .symbol = c.symbol.value,
                    .session = c.session.value,
                    .number = c.order.user_ref_num.value,
                    .channel = c.order.user_ref_idx,
                    .side = static_cast<char>(c.order.side),
                    .code = reason});
    const std::uint32_t session = c.session.value;
    if (reason == 0x0007 || reason == 0x0028 || reason == 0x0029 || is_stopped(session) || sweep_of(session) != nullptr)
      return;
    if (reaches(session, RiskLimit::rejects_in_a_row, ++rejected_in_a_row_[session])) trip(session);
  }

  // ---- Breakers ----

  bool reaches(std::uint32_t session, RiskLimit which, std::int64_t value) const {
    const RiskConfig* limits = limits_of(session);
    return limits != nullptr && limits->has(which) && value >= limits->limit(which);
  }
  void trip(std::uint32_t session) {
    if (!tripped_.insert(session).second) return;
    tripped_now_.insert(session);
    ++trips_;
    open_sweep(session, {.reason = 'S'});
  }
  /// What the account's executions of the day have brought, with what they leave it with at the price of its last one
  /// in each symbol.
  std::int64_t result(std::uint32_t session) const {
    std::int64_t all = 0;
    for (const Traded& t : traded_)
      if (t.session == session)
        all += t.bought *
               (static_cast<std::int64_t>(last_own_.at({session, t.symbol})) - static_cast<std::int64_t>(t.price));
    return all;
  }
  /// One side of an execution, that is told and booked already.
  void count_execution(const Order& o, std::uint64_t price, std::uint64_t quantity, bool rested) {
    traded_.push_back({o.session, o.symbol, price, static_cast<std::int64_t>(quantity) * (o.buy() ? 1 : -1)});
    last_own_[{o.session, o.symbol}] = price;
    if (rested) filled_[o.session].emplace_back(time_ns_ / 62'500'000, quantity);
    std::int64_t executions = 0, shares = 0;
    for (const auto& [at, filled] : filled_[o.session]) {
      if (at + 16 < time_ns_ / 62'500'000) continue;
      ++executions;
      shares += static_cast<std::int64_t>(filled);
    }
    if (reaches(o.session, RiskLimit::loss_of_day, result_before_[o.session] - result(o.session)) ||
        (rested && reaches(o.session, RiskLimit::executions_per_second_count, executions)) ||
        (rested && reaches(o.session, RiskLimit::executions_per_second_shares, shares)))
      trip(o.session);
  }
  void begin_breakers_anew(std::uint32_t session) {
    rejected_in_a_row_[session] = 0;
    filled_[session].clear();
    result_before_[session] = result(session);
  }

  /// Whether the order finds no level where it rests: there is none at its price and none more to be had, or it would
  /// be one more at which its account stands and may be the first, beyond its share (tree nodes are not modelled: they
  /// last).
  bool no_level_for(const Order& order, const Order* leaving) const {
    const auto there = [&](const Order& o) {
      return o.symbol == order.symbol && o.buy() == order.buy() && o.rank() == order.rank();
    };
    if (leaving != nullptr && leaving->time_rank > 0 && there(*leaving)) return false;
    std::map<std::tuple<std::uint32_t, bool, std::uint64_t>, const Order*> first;
    for (const Order& o : orders_) {
      if (o.open == 0 || o.time_rank == 0 || &o == &order) continue;
      if (&o == leaving) continue;
      const Order*& at = first[{o.symbol, o.buy(), o.rank()}];
      if (at == nullptr || std::pair(o.shown() == 0, o.time_rank) < std::pair(at->shown() == 0, at->time_rank)) at = &o;
    }
    const auto at_price = first.find({order.symbol, order.buy(), order.rank()});
    if (at_price != first.end() && at_price->second->session == order.session) return false;
    const auto own = std::count_if(first.begin(), first.end(),
                                   [&](const auto& level) { return level.second->session == order.session; });
    return (at_price == first.end() && first.size() >= config_.max_levels) || own >= levels_per_account(config_);
  }
  /// Whether none of its orders executes.
  bool is_killed(std::uint32_t session) const { return killed_.contains(session) || killed_itself_.contains(session); }
  bool is_off(std::uint32_t session) const { return is_killed(session) || switched_off_.contains(session); }
  bool is_out(std::uint32_t session) const { return is_off(session) || tripped_.contains(session); }
  bool is_stopped(std::uint32_t session) const { return disabled_.contains(session) || is_out(session); }
  bool has_place(std::uint32_t session) const {
    const auto own =
        std::count_if(orders_.begin(), orders_.end(), [&](const Order& o) { return o.session == session; });
    return orders_.size() < config_.max_orders && own < orders_per_account(config_);
  }
  /// Whether an order that executes only if its minimum is there may ask whether it is.
  bool may_look(const Order& o) const {
    if (!aggressive(o) || o.post_only || o.min_quantity == 0) return true;
    const auto looks = budgets_.find(o.session);
    return looks == budgets_.end() || !looks->second.used_up(time_ns_);
  }

  Order asked(const Command& c) const {
    return {.ref = 0,
            .time_rank = 0,
            .session = c.session.value,
            .channel = c.order.user_ref_idx,
            .number = c.order.user_ref_num.value,
            .symbol = c.symbol.value,
            .side = static_cast<char>(c.order.side),
            .price = c.order.price.value,
            .open = c.order.quantity,
            .executed = 0,
            .tif = c.order.time_in_force,
            .display = c.order.display,
            .cross = c.order.cross_type,
            .post_only = c.order.post_only == PostOnly::yes,
            .stays = c.order.stay_on_disconnect == StayOnDisconnect::yes,
            .self_trade = c.order.self_trade,
            .min_quantity = c.order.min_quantity,
            .life_seconds = c.order.expire_seconds,
            .ends_at_second = 0,
            .group = group_of(c.order.user_ref_num),
            .named = c.order.price.value,
            .market = c.order.price == kMarketPrice};
  }

  Outcome said_of(EventKind kind, const Order& o) const {
    return {.kind = kind,
            .symbol = static_cast<std::uint16_t>(o.symbol),
            .session = o.session,
            .number = o.number,
            .channel = o.channel,
            .price = o.named,
            .quantity = o.open,
            .open = o.open,
            .ref = o.ref,
            .side = o.side,
            .code = 'L'};
  }

  void enter(const Command& c) {
    std::uint32_t& last = last_[{c.session.value, c.order.user_ref_idx}];
    if (c.order.user_ref_num.value <= last) return;
    last = c.order.user_ref_num.value;
    if (!in_rate(c.session.value, RiskLimit::orders_per_second)) return say_reject(c, 0x0029);
    if (c.reject != 0) return say_reject(c, c.reject);
    Order o = asked(c);
    if (!in_rate(o.session, RiskLimit::symbol_orders_per_second, o.symbol)) return say_reject(c, 0x0028);
    if (is_stopped(o.session)) return say_reject(c, 0x000C);
    if (sweep_of(o.session) != nullptr) return say_reject(c, 0x000B);
    if (const int reason = o.nonsense()) return say_reject(c, reason);
    if (const int reason = phase_reject(o)) return say_reject(c, reason);
    if (o.market) {
      if (const int reason = price_market(o)) return say_reject(c, reason);
    } else if (o.price % config_.symbols[o.symbol - 1].tick_e4 != 0) {
      return say_reject(c, 0x001D);
    }
    if (const int reason = limit_reject(o, nullptr)) return say_reject(c, reason);
    if (is_duplicate(o)) return say_reject(c, 0x002A);
    if (!may_look(o)) return say_reject(c, 0x0029);
    const bool place = has_place(o.session);
    if (!place && (will_rest(o) || o.on_cross())) return say_reject(c, 0x000A);
    if (will_rest(o) && no_level_for(o, nullptr)) return say_reject(c, 0x000A);
    entered_[o.session].emplace_back(time_ns_, std::tuple(o.side, o.symbol, o.named, o.open));
    o.ref = ++ref_;
    rejected_in_a_row_[o.session] = 0;
    match_or_rest(o, said_of(EventKind::accepted, o), 0, place);
  }

  // ---- Market orders ----

  /// How far it may go; or why it is rejected.
  int price_market(Order& o) {
    const std::uint64_t percent_e2 = collar_of(o.symbol).market_percent_e2;
    if (percent_e2 == 0) return 0x002C;
    if (symbols_[o.symbol].phase != Phase::continuous || o.on_cross()) {
      o.price = bound_in_a_cross(o);
      return 0;
    }
    std::map<std::uint64_t, bool> shown;  // whether anything is, by price
    for (const Order& x : orders_)
      if (x.symbol == o.symbol && x.buy() != o.buy() && x.time_rank > 0) shown[x.price] |= x.shown() != 0;
    std::vector<std::pair<std::uint64_t, bool>> best_first(shown.begin(), shown.end());
    if (!o.buy()) std::ranges::reverse(best_first);
    if (best_first.empty()) return 0x0001;
    Allowance& looks = budgets_[o.session];
    if (!best_first.front().second && looks.used_up(time_ns_)) return 0x0029;
    best_first.resize(std::min<std::size_t>(best_first.size(), std::max(1u, config_.looks_for_minimum)));
    const auto quote = std::ranges::find_if(best_first, [](const auto& level) { return level.second; });
    if (quote == best_first.end()) {
      looks.use(time_ns_, best_first.size(), config_.looks_per_second);
      return 0x0001;
    }
    o.price = farthest(o, quote->first, percent_e2);
    return 0;
  }
  /// The last tick that is `percent_e2` at most from a price, on the side where the order pays.
  std::uint64_t farthest(const Order& o, std::uint64_t from, std::uint64_t percent_e2) const {
    const std::uint64_t tick = config_.symbols[o.symbol - 1].tick_e4, away = from * percent_e2 / 10'000;
    if (o.buy()) return std::min<std::uint64_t>(from + away, kMaxPrice.value) / tick * tick;
    return std::max(tick, (from - away + tick - 1) / tick * tick);
  }

  std::uint64_t bound_in_a_cross(const Order& o) const {
    const Symbol& s = symbols_[o.symbol];
    const CollarConfig& collar = collar_of(o.symbol);
    if (collar.static_percent_e2 > 0) return farthest(o, s.last_cross, collar.static_percent_e2);
    return farthest(o, s.reference, collar.market_percent_e2);
  }
  /// Whether the purchase may go on at another price, which its account's and its firm's funds then pay.
  bool may_pay(const Order& o, std::uint64_t price) const {
    const RiskConfig* limits = limits_of(o.session);
    if (!o.buy() || price <= o.price || limits == nullptr) return true;
    const auto more = static_cast<std::int64_t>((price - o.price) * o.open);
    if (limits->has(RiskLimit::funds) && cash(o.session) - reserved(o.session) < more) return false;
    if (!limits->has(RiskLimit::firm_funds)) return true;
    const std::uint32_t firm = firm_of(o.session);
    const auto promised = sum([&](const Order& x) {
      const RiskConfig* theirs = limits_of(x.session);
      const bool counts = firm_of(x.session) == firm && theirs != nullptr && theirs->has(RiskLimit::firm_funds);
      return counts && x.buy() ? x.price * x.open : 0;
    });
    return firm_cash(firm) - promised >= more;
  }
  /// Those that fulfil it, to buy first, each side's oldest first.
  template <class Is>
  void cancel_market_orders(std::uint32_t symbol, Phase to, Is is) {
    for (const char side : {'B', 'S'})
      while (Order* o = earliest([&](const Order& x) {
               return x.symbol == symbol && x.market && x.time_rank > 0 && x.buy() == (side == 'B') && is(x);
             }))
        cancel_shares(*o, o->open, to == Phase::closed ? 'E' : o->on_cross() ? 'T' : 'K');
  }
  template <class Is>
  Order* earliest(Is is) {
    Order* found = nullptr;
    for (Order& o : orders_)
      if (is(o) && (found == nullptr || o.time_rank < found->time_rank)) found = &o;
    return found;
  }

  // ---- Collars ----

  const CollarConfig& collar_of(std::uint32_t symbol) const { return config_.symbols[symbol - 1].collar; }
  /// Whether the price is `percent_e2` at most from another.
  static bool near(std::uint64_t price, std::uint64_t from, std::uint64_t percent_e2) {
    const std::uint64_t away = price > from ? price - from : from - price;
    return percent_e2 == 0 || away * 10'000 <= from * percent_e2;
  }
  bool in_static_range(std::uint32_t symbol, std::uint64_t price) const {
    return near(price, symbols_[symbol].last_cross, collar_of(symbol).static_percent_e2);
  }
  /// Whether an order that comes now may execute at the price; `last`: the last execution's before it came.
  bool in_ranges(std::uint32_t symbol, std::uint64_t price, std::uint64_t last) const {
    return in_static_range(symbol, price) && near(price, last, collar_of(symbol).dynamic_percent_e2);
  }
  /// 0 .. most.
  std::uint64_t draw(std::uint64_t most) {
    drawn_ += 0x9E3779B97F4A7C15u;
    std::uint64_t x = drawn_;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    x ^= x >> 31;
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>(Wide{x} * (most + 1) >> 64);
  }
  std::uint64_t end_of_call(std::uint32_t symbol) {
    const CollarConfig& collar = collar_of(symbol);
    const std::uint64_t least = time_ns_ + collar.interruption_seconds * std::uint64_t{1'000'000'000};
    std::uint64_t ticks = least / kTickIntervalNs + (least % kTickIntervalNs != 0);
    if (collar.interruption_random_seconds > 0) ticks += draw(collar.interruption_random_seconds * std::uint64_t{10});
    return ticks * kTickIntervalNs;
  }
  void say_phase(std::uint32_t symbol, Phase to) {
    out_.push_back({.kind = EventKind::phase, .symbol = static_cast<std::uint16_t>(symbol), .code = int(to)});
  }
  /// Instead of an execution outside the ranges.
  void interrupt(std::uint32_t symbol) {
    Symbol& s = symbols_[symbol];
    s.phase = Phase::interrupted;
    s.prolonged = 0;
    s.ends_ns = end_of_call(symbol);
    say_phase(symbol, s.phase);
  }
  /// Instead of a cross outside the static range.
  bool prolong(std::uint32_t symbol, const Auction& a) {
    Symbol& s = symbols_[symbol];
    if (a.paired == 0 || in_static_range(symbol, a.price)) return false;
    if (s.prolonged >= collar_of(symbol).interruption_extensions) return false;
    ++s.prolonged;
    s.ends_ns = end_of_call(symbol);
    say_phase(symbol, s.phase);
    return true;
  }

  bool aggressive(const Order& o) const {
    return symbols_[o.symbol].phase == Phase::continuous && !o.on_cross() && !within(o).empty();
  }
  /// Prices of the other side that the order takes.
  std::set<std::uint64_t> within(const Order& taker) const {
    std::set<std::uint64_t> prices;
    for (const Order& o : orders_)
      if (o.symbol == taker.symbol && o.buy() != taker.buy() && o.time_rank > 0 &&
          (taker.buy() ? o.price <= taker.price : o.price >= taker.price))
        prices.insert(o.price);
    return prices;
  }
  /// Into the book for certain: does not execute at once, nor die, nor wait.
  bool will_rest(const Order& o) const {
    if (o.on_cross()) return symbols_[o.symbol].phase == call_of(o.cross);
    return o.tif != TimeInForce::ioc && o.min_quantity == 0 && !aggressive(o);
  }
  /// Shares that the order finds, of as many orders as it may meet; `looks`: a level is one, and where the last level
  /// counts in part, so is each of its orders that counts.
  std::uint64_t executable(const Order& taker, std::uint64_t& looks) const {
    std::vector<const Order*> found;
    for (const Order& o : orders_)
      if (o.symbol == taker.symbol && o.buy() != taker.buy() && o.time_rank > 0 &&
          (taker.buy() ? o.price <= taker.price : o.price >= taker.price))
        found.push_back(&o);
    std::ranges::sort(found, [&](const Order* a, const Order* b) {
      if (a->price != b->price) return taker.buy() ? a->price < b->price : a->price > b->price;
      return std::pair(a->shown() == 0, a->time_rank) < std::pair(b->shown() == 0, b->time_rank);
    });
    // What is behind a price outside the ranges is not met.
    const auto outside = std::ranges::find_if(
        found, [&](const Order* o) { return !in_ranges(o->symbol, o->price, symbols_[o->symbol].reference); });
    found.erase(outside, found.end());
    if (is_killing()) return executable_of_others(found, taker.min_quantity, looks);
    std::map<std::uint64_t, std::uint64_t> there, counted;
    for (const Order* o : found) ++there[o->price];
    std::uint64_t shares = 0, may_meet = config_.max_fills_per_order;
    looks = 0;
    for (const Order* o : found) {
      const bool is_new = !counted.contains(o->price);
      if (is_new && (looks == config_.looks_for_minimum || may_meet == 0)) break;
      if (is_new) ++looks;
      std::uint64_t& of_level = counted[o->price];
      const std::uint64_t left = may_meet + of_level;  // that it might meet when it came to the level
      if (there[o->price] > left) {
        if (of_level == std::min<std::uint64_t>(left, config_.looks_for_minimum)) break;
        ++looks;
      }
      ++of_level;
      --may_meet;
      shares += o->open;
    }
    return shares;
  }

  /// The same where some are of accounts that are stopped: each order is a look, until there is enough.
  std::uint64_t executable_of_others(const std::vector<const Order*>& found, std::uint64_t enough,
                                     std::uint64_t& looks) const {
    const std::uint64_t most = std::min(config_.looks_for_minimum, config_.max_fills_per_order);
    std::uint64_t shares = 0;
    looks = 0;
    for (const Order* o : found) {
      if (looks == most || shares >= enough) break;
      ++looks;
      if (!is_out(o->session)) shares += o->open;
    }
    return shares;
  }

  /// `before`: how the order that it replaces was shown.
  void match_or_rest(Order o, Outcome said, int before, bool place) {
    const FeedAction gone = before == 0 ? FeedAction::none : FeedAction::remove;
    said.feed = int(gone);
    const bool crosses = aggressive(o);
    const bool rests = will_rest(o);
    if (!crosses && !rests && o.on_cross()) {
      out_.push_back(said);
      orders_.push_back(o);
      return;
    }
    std::uint64_t looks = 0;
    const bool too_few = crosses && !o.post_only && executable(o, looks) < o.min_quantity;
    if (too_few) budgets_[o.session].use(time_ns_, looks, config_.looks_per_second);
    if ((!crosses && !rests) || too_few) {
      said.open = 0;
      said.code = 'D';
      out_.push_back(said);
      return;
    }
    const int now = o.shown();
    const bool two_messages = before != 0 && now != 0 && before != now;
    if (rests && !two_messages && now != 0) said.feed = int(before == 0 ? FeedAction::add : FeedAction::replace);
    out_.push_back(said);
    char reason = 0;
    if (crosses && o.post_only) reason = best(o.symbol, !o.buy(), o.price)->shown() != 0 ? 'G' : 'F';
    const std::uint64_t last = symbols_[o.symbol].reference;
    for (std::uint32_t met = 0; crosses && reason == 0 && o.open > 0;) {
      Order* other = best(o.symbol, !o.buy(), o.price);
      if (other == nullptr) break;
      const bool promised = o.min_quantity > 0 && tripped_now_.contains(other->session);
      const bool out = is_off(other->session) || (is_out(other->session) && !promised);
      if (!in_ranges(o.symbol, other->price, last) && !out) {
        interrupt(o.symbol);
        break;
      }
      if (met == config_.max_fills_per_order) {
        reason = 'Z';
        break;
      }
      if (out) {
        ++met;
        cancel_shares(*other, other->open, 'S');
        continue;
      }
      ++met;
      if (of_one_group(o, *other)) {
        prevent(o, *other);
        drop_dead();
        continue;
      }
      trade(EventKind::executed, o, *other, other->price, std::min(o.open, other->open), 0);
      drop_dead();
      if (is_out(o.session)) reason = 'S';
    }
    if (o.open == 0) return;
    if (crosses && reason == 0 && o.market) reason = best(o.symbol, !o.buy(), 0) == nullptr ? 'I' : 'K';
    if (crosses && reason == 0 && o.tif == TimeInForce::ioc) reason = 'I';
    if (crosses && reason == 0 && (!place || no_level_for(o, nullptr))) reason = 'Z';
    if (reason != 0) {
      Outcome canceled = said_of(EventKind::canceled, o);
      canceled.price = canceled.open = 0;
      canceled.code = reason;
      out_.push_back(canceled);
      return;
    }
    o.time_rank = ++time_rank_;
    if (o.tif == TimeInForce::gtt && !o.keeps_life)
      o.ends_at_second = (time_ns_ + 999'999'999) / 1'000'000'000 + o.life_seconds;
    orders_.push_back(o);
    if (!rests || two_messages) {
      Outcome rested = said_of(EventKind::rested, o);
      rested.feed = int(now == 0 ? FeedAction::none : FeedAction::add);
      out_.push_back(rested);
    }
  }

  void trade(EventKind kind, Order& a, Order& b, std::uint64_t price, std::uint64_t quantity, char code) {
    for (Order* o : {&a, &b}) {
      o->open -= quantity;
      o->executed += quantity;
      const auto money = static_cast<std::int64_t>(price * quantity) * (o->buy() ? -1 : 1);
      const RiskConfig* limits = limits_of(o->session);
      if (limits != nullptr && limits->has(RiskLimit::funds)) cash_[o->session] += money;
      if (limits != nullptr && limits->has(RiskLimit::firm_funds)) firm_cash_[firm_of(o->session)] += money;
      shares_[{o->session, o->symbol}] += static_cast<std::int64_t>(quantity) * (o->buy() ? 1 : -1);
    }
    symbols_[a.symbol].reference = price;
    out_.push_back({.kind = kind,
                    .symbol = static_cast<std::uint16_t>(a.symbol),
                    .session = a.session,
                    .number = a.number,
                    .session_b = b.session,
                    .number_b = b.number,
                    .channel = a.channel,
                    .channel_b = b.channel,
                    .price = price,
                    .quantity = quantity,
                    .ref = kind == EventKind::crossed && a.shown() == 0 ? 0 : a.ref,
                    .ref_b = b.shown() == 0 ? 0 : b.ref,
                    .match = ++match_,
                    .code = code});
    count_execution(a, price, quantity, false);
    count_execution(b, price, quantity, kind == EventKind::executed);
  }

  void cancel_shares(Order& o, std::uint64_t shares, char reason) {
    o.open -= shares;
    out_.push_back({.kind = EventKind::canceled,
                    .symbol = static_cast<std::uint16_t>(o.symbol),
                    .session = o.session,
                    .number = o.number,
                    .channel = o.channel,
                    .quantity = shares,
                    .open = o.open,
                    .ref = o.ref,
                    .side = o.side,
                    .code = reason,
                    .feed = int(o.shown() == 0 ? FeedAction::none
                                : o.open > 0   ? FeedAction::reduce
                                               : FeedAction::remove)});
    drop_dead();
  }

  void replace(const Command& c) {
    Order* old = find(c, c.order.orig_user_ref_num);
    std::uint32_t& last = last_[{c.session.value, c.order.user_ref_idx}];
    if (old == nullptr || c.order.user_ref_num.value <= last) return;
    Order o = asked(c);
    o.symbol = old->symbol;
    o.cross = old->cross;
    o.group = old->group;
    o.executed = old->executed;
    const std::uint64_t counted = (c.flags & kQuantityIsOpen) != 0 ? old->executed : 0;
    const std::uint64_t quantity = c.order.quantity + counted;
    o.open = quantity > old->executed ? quantity - old->executed : 0;
    if (c.order.side == kNoSide) o.side = old->side;
    if (c.order.post_only == PostOnly::unsaid) o.post_only = old->post_only;
    if (c.order.stay_on_disconnect == StayOnDisconnect::unsaid) o.stays = old->stays;
    if (o.tif == TimeInForce::gtt && o.life_seconds == 0) {
      o.life_seconds = old->life_seconds;
      o.ends_at_second = old->ends_at_second;
      o.keeps_life = true;
    }
    int reason = is_stopped(o.session) ? 0x000C : sweep_of(o.session) != nullptr ? 0x000B : phase_reject(o);
    if (!only_lowers(o, *old)) {
      if (!in_rate(o.session, RiskLimit::orders_per_second)) {
        reason = 0x0029;
      } else if (!in_rate(o.session, RiskLimit::symbol_orders_per_second, o.symbol)) {
        reason = 0x0028;
      }
    }
    if (reason != 0) {
      last = o.number;
      return say_reject(c, reason);
    }
    const bool executed_already = quantity <= old->executed;
    const bool off_tick = !o.market && o.price % config_.symbols[o.symbol - 1].tick_e4 != 0;
    if (c.reject != 0 || quantity > kMaxQuantity || off_tick || o.buy() != old->buy() ||
        (!executed_already && o.nonsense() != 0))
      return cancel_shares(*old, old->open, 'Z');
    if (executed_already) return cancel_shares(*old, old->open, 'U');
    last = o.number;
    if (const int unpriced = o.market ? price_market(o) : 0) return say_reject(c, unpriced);
    if (const int limit = limit_reject(o, old)) return say_reject(c, limit);
    if (!may_look(o)) return say_reject(c, 0x0029);
    if (will_rest(o) && no_level_for(o, old)) return say_reject(c, 0x000A);
    const int before = old->shown();
    old->open = 0;
    rejected_in_a_row_[o.session] = 0;
    drop_dead();
    o.ref = ++ref_;
    // As OUCH's Replaced: named by the original's number.
    Outcome said = said_of(EventKind::replaced, o);
    said.number_b = c.order.orig_user_ref_num.value;
    match_or_rest(o, said, before, true);
  }

  void firm(const Command& c) {
    const FirmAsk& ask = c.firm;
    std::uint32_t& last = last_[{c.session.value, ask.user_ref_idx}];
    if (ask.user_ref_num.value <= last) return;
    last = ask.user_ref_num.value;
    Outcome said{.kind = EventKind::rejected,
                 .symbol = c.symbol.value,
                 .session = c.session.value,
                 .number = ask.user_ref_num.value,
                 .channel = ask.user_ref_idx,
                 .code = c.reject};
    const bool kills = c.kind == CommandKind::disable && ask.kills;
    if (!in_rate(c.session.value, RiskLimit::cancels_per_second) && !kills) {
      said.code = 0x0029;
      return out_.push_back(said);
    }
    if (c.reject != 0) return out_.push_back(said);
    if (c.kind == CommandKind::enable && is_out(c.session.value)) {
      said.code = 0x000C;
      return out_.push_back(said);
    }
    const Ask meant{.reason = 'U',
                    .symbol = c.symbol.value,
                    .side = ask.side == kNoSide ? '\0' : static_cast<char>(ask.side),
                    .group = ask.group_given ? ask.group_id : -1};
    if (c.kind == CommandKind::mass_cancel) {
      Allowance& looks = budgets_[c.session.value];
      const bool every = c.symbol == kAllSymbols && ask.side == kNoSide && !ask.group_given;
      if (!every && looks.used_up(time_ns_)) {
        said.code = 0x0029;
        return out_.push_back(said);
      }
      const Sweep* const open = sweep_of(c.session.value);
      if (open != nullptr && !every && std::ranges::count(open->asks, 'U', &Ask::reason) >= 2 &&
          std::ranges::find(open->asks, meant) == open->asks.end()) {
        said.code = 0x000B;
        return out_.push_back(said);
      }
    }
    said.kind = c.kind == CommandKind::mass_cancel ? EventKind::mass_cancel
                : c.kind == CommandKind::disable   ? EventKind::disable
                                                   : EventKind::enable;
    out_.push_back(said);
    if (c.kind == CommandKind::disable && !kills) disabled_.insert(c.session.value);
    if (kills) {
      killed_itself_.insert(c.session.value);
      open_sweep(c.session.value, {.reason = 'S'});
    }
    if (c.kind == CommandKind::enable) disabled_.erase(c.session.value);
    if (c.kind == CommandKind::mass_cancel) open_sweep(c.session.value, meant);
  }

  /// Who comes takes over or ends nothing; who goes takes his orders with him, if his account wants it for that reason.
  void session(const Command& c) {
    const bool opens = c.kind == CommandKind::session_open;
    out_.push_back({.kind = opens ? EventKind::session_open : EventKind::session_close});
    const bool ends = !opens || c.peer.code == 'T';
    const auto reason = static_cast<unsigned>(opens ? SessionEndReason::takeover : c.end.reason);
    if (!ends || (config_.cancel_on.at(c.session.value) >> reason & 1u) == 0) return;
    open_sweep(c.session.value, {.reason = 'Z', .spares_staying = true});
  }

  // ---- What goes on in turns ----

  /// Which of an account's orders go: those of a symbol (0: all), so marked (0: all), of a group (-1: all).
  struct Ask {
    char reason;
    std::uint32_t symbol = 0;
    char side = 0;
    int group = -1;
    bool spares_staying = false;
    bool operator==(const Ask&) const = default;
    bool is_filtered() const { return reason == 'U' && (symbol != 0 || side != 0 || group >= 0); }
    bool means(const Order& o) const {
      return (symbol == 0 || o.symbol == symbol) && (side == 0 || o.side == side) && (group < 0 || o.group == group) &&
             !(spares_staying && o.stays);
    }
  };
  /// Of one account: channel by channel, and in each by number; one more ask begins anew.
  struct Sweep {
    std::uint32_t session;
    std::vector<Ask> asks;
    std::pair<std::uint32_t, std::uint32_t> passed = {0, 0};  // channel and number
  };

  Sweep* sweep_of(std::uint32_t session) {
    const auto found = std::ranges::find(sweeps_, session, &Sweep::session);
    return found == sweeps_.end() ? nullptr : &*found;
  }
  static bool is_kill(const Sweep& sweep) { return std::ranges::count(sweep.asks, 'S', &Ask::reason) > 0; }
  bool is_killing() const { return std::ranges::any_of(sweeps_, is_kill); }
  void bring_forward(std::vector<Sweep>::iterator sweep) { std::rotate(sweeps_.begin(), sweep, sweep + 1); }
  void open_sweep(std::uint32_t session, const Ask& ask) {
    if (std::ranges::count(orders_, session, &Order::session) == 0) return;
    Sweep* sweep = sweep_of(session);
    if (sweep == nullptr) {
      sweeps_.push_back({session, {}});
      sweep = &sweeps_.back();
    }
    const bool there = std::ranges::find(sweep->asks, ask) != sweep->asks.end();
    if (!there && ask.reason == 'U' && !ask.is_filtered())
      std::erase_if(sweep->asks, [](const Ask& a) { return a.reason == 'U'; });
    if (!there) sweep->asks.push_back(ask);
    if (!there || ask.side != 0) sweep->passed = {0, 0};
    bring_forward(sweeps_.begin() + (sweep - sweeps_.data()));
  }

  /// The next order that an account's job looks at.
  Order* next_of(const Sweep& sweep) {
    Order* first = nullptr;
    for (Order& o : orders_) {
      if (o.session != sweep.session || std::pair(o.channel, o.number) <= sweep.passed) continue;
      if (first == nullptr || std::tie(o.channel, o.number) < std::tie(first->channel, first->number)) first = &o;
    }
    return first;
  }
  /// The next order whose life is over.
  Order* next_over() {
    Order* first = nullptr;
    for (Order& o : orders_) {
      if (o.ends_at_second == 0 || o.ends_at_second * 1'000'000'000 > lives_until_ns_) continue;
      if (first == nullptr || std::pair(o.ends_at_second, o.ref) < std::pair(first->ends_at_second, first->ref))
        first = &o;
    }
    return first;
  }
  /// The next order of a closed symbol.
  Order* next_closed(std::uint32_t symbol) {
    for (const bool buy : {true, false})
      if (Order* o = best(symbol, buy, 0)) return o;
    return oldest([&](const Order& x) { return x.symbol == symbol; });
  }

  void finish_kills() {
    while (is_killing()) {
      acts_ = looks_ = 0;
      while (is_killing() && turn_has_more()) {
        bring_forward(std::ranges::find_if(sweeps_, is_kill));
        sweep();
      }
    }
    acts_ = looks_ = 0;
  }
  bool turn_has_more() const { return acts_ < config_.acts_of_turn && looks_ < config_.looks_of_turn; }
  void act(Order& o, char reason) {
    ++acts_;
    cancel_shares(o, o.open, reason);
  }
  void turn() {
    while (turn_has_more() && has_jobs()) {
      const bool others = lives_ || closing_ != 0;
      if (!sweeps_.empty() && (!others || sequence_ % 2 == 0 || is_killing())) {
        sweep();
      } else if (lives_) {
        if (Order* const o = next_over()) act(*o, 'T');
        lives_ = next_over() != nullptr;
      } else {
        // Symbol by symbol from the first that was left; each is a look.
        Order* const o = symbols_[closing_].phase == Phase::closed ? next_closed(closing_) : nullptr;
        if (o != nullptr) act(*o, 'E');
        if (symbols_[closing_].phase != Phase::closed || next_closed(closing_) == nullptr) {
          ++looks_;
          closing_ = closing_ + 1 < symbols_.size() ? closing_ + 1 : 0;
        }
      }
    }
  }
  void sweep() {
    Sweep& first = sweeps_.front();
    Order* o = next_of(first);
    for (; o != nullptr && turn_has_more(); o = next_of(first)) {
      ++looks_;
      first.passed = {o->channel, o->number};
      const auto ask = std::ranges::find_if(first.asks, [&](const Ask& a) { return a.means(*o); });
      if (ask == first.asks.end()) {
        if (std::ranges::any_of(first.asks, [](const Ask& a) { return a.is_filtered(); }))
          budgets_[first.session].use(time_ns_, 1, config_.looks_per_second);
      } else {
        act(*o, ask->reason);
      }
    }
    if (o != nullptr) return;
    sweeps_.erase(sweeps_.begin());
  }
  /// What no order of a closed book may live to see.
  bool opens_closed(const Command& c) const {
    if (closing_ == 0) return false;
    if (c.kind == CommandKind::phase) return c.phase.phase != Phase::closed;
    if (c.kind != CommandKind::operate) return false;
    const OperatorAsk& ask = c.operate;
    return ask.action == OperatorAction::resume || (ask.action == OperatorAction::phase && ask.phase != Phase::closed);
  }
  /// What has to know what can execute.
  bool waits_for_kills(const Command& c) {
    if (c.kind == CommandKind::phase) return c.phase.phase != Phase::halted;
    if (c.kind == CommandKind::configure) return c.configure.row == ConfigRow::enabled && c.configure.value != 0;
    return c.kind == CommandKind::operate && c.operate.action != OperatorAction::halt &&
           c.operate.action != OperatorAction::kill;
  }

  void say_refused(const Order& o) {
    out_.push_back({.kind = EventKind::refused,
                    .symbol = static_cast<std::uint16_t>(o.symbol),
                    .session = o.session,
                    .number = o.number,
                    .channel = o.channel,
                    .open = o.open,
                    .ref = o.ref,
                    .side = o.side});
  }

  void cancel(const Command& c) {
    Order* o = find(c, c.order.user_ref_num);
    if (o == nullptr || c.order.quantity >= o->executed + o->open) return;
    if (!in_rate(o->session, RiskLimit::cancels_per_second)) return say_refused(*o);
    const std::uint64_t stays = c.order.quantity > o->executed ? c.order.quantity - o->executed : 0;
    cancel_shares(*o, o->open - stays, 'U');
  }

  void modify(const Command& c) {
    Order* o = find(c, c.order.user_ref_num);
    if (o == nullptr) return;
    const char to = static_cast<char>(c.order.side);
    const bool same = o->side == to;
    const bool may = (o->side == 'S' && (to == 'E' || to == 'T')) || (o->side == 'E' && to == 'T');
    const std::uint64_t total = o->executed + o->open;
    const std::uint64_t wanted = std::max<std::uint64_t>(c.order.quantity, o->executed);
    const std::uint64_t canceled = wanted < total ? total - wanted : 0;
    if (!same && !may) return;
    if (same && canceled == 0) return;
    const RiskConfig* limits = limits_of(o->session);
    const auto forbidden = [&](char side, OrderType type) {
      return to == side && limits != nullptr && (limits->forbidden & set_of({type})) != 0;
    };
    if (!same && (forbidden('T', OrderType::short_sale) || forbidden('E', OrderType::short_exempt)))
      return say_refused(*o);
    if (!in_rate(o->session, RiskLimit::cancels_per_second)) return say_refused(*o);
    if (canceled == o->open) return cancel_shares(*o, canceled, 'U');
    o->side = to;
    o->open -= canceled;
    out_.push_back({.kind = EventKind::modified,
                    .symbol = static_cast<std::uint16_t>(o->symbol),
                    .session = o->session,
                    .number = o->number,
                    .channel = o->channel,
                    .quantity = canceled,
                    .open = o->open,
                    .ref = o->ref,
                    .side = o->side,
                    .feed = int(canceled > 0 && o->shown() != 0 ? FeedAction::reduce : FeedAction::none)});
  }

  /// By trying every price that anyone has named; `alone`: only orders for one cross count.
  Auction auction(std::uint32_t symbol, bool alone = false) const {
    const auto counts = [&](const Order& o) {
      return o.symbol == symbol && o.time_rank > 0 && (!alone || o.on_cross());
    };
    std::map<std::uint64_t, Auction> by_price;
    bool market_buys = false, market_sells = false;
    for (const Order& o : orders_) {
      if (!counts(o)) continue;
      if (!o.market) by_price[o.price] = {};
      (o.buy() ? market_buys : market_sells) |= o.market;
    }
    if (market_buys && market_sells) by_price[symbols_[symbol].reference] = {};
    std::uint64_t most = 0;
    for (auto& [price, a] : by_price) {
      std::uint64_t demand = 0, supply = 0;
      for (const Order& o : orders_) {
        if (!counts(o)) continue;
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

  /// An operator's command is done once; its result is told behind what it caused, or the first one's again.
  void operate(const Command& c) {
    const OperatorAsk& ask = c.operate;
    const auto before =
        std::find_if(requests_.begin(), requests_.end(), [&](const Request& r) { return r.number == ask.request; });
    if (before != requests_.end()) {
      Outcome again = before->outcome;
      const bool same = before->symbol == c.symbol.value && before->action == ask.action && before->to == ask.phase &&
                        before->account == ask.account.value && before->firm == ask.firm.value &&
                        before->level == ask.level && before->seconds == ask.seconds;
      if (!same) again.code = int(OperatorResult::other_request);
      again.symbol = c.symbol.value;
      again.side = int(ask.action);
      out_.push_back(again);
      return;
    }
    changed_ = held_ = canceled_ = 0;
    const bool accounts = ask.action == OperatorAction::kill || ask.action == OperatorAction::allow;
    if (ask.refused == OperatorResult::none) {
      if (ask.level != 0) out_.push_back({.kind = EventKind::halt_level, .code = '0' + ask.level});
      accounts ? stop_accounts(ask) : enter_phases(c);
      turn();
    }
    OperatorResult result = OperatorResult::done;
    if (ask.refused != OperatorResult::none) {
      result = ask.refused;
    } else if (ask.action == OperatorAction::halt && changed_ == 0 && ask.level == 0) {
      result = OperatorResult::halted_already;
    } else if (ask.action == OperatorAction::resume && changed_ == 0) {
      result = OperatorResult::not_halted;
    } else if (accounts && changed_ == 0) {
      result = ask.action == OperatorAction::kill ? OperatorResult::killed_already : OperatorResult::not_killed;
    }
    const bool of_one = c.symbol.value != 0 && ask.refused == OperatorResult::none;
    const Outcome done{.kind = EventKind::operated,
                       .symbol = c.symbol.value,
                       .price = of_one ? std::uint64_t(symbols_[c.symbol.value].phase) : 0,
                       .quantity = changed_,
                       .open = held_,
                       .ref = ask.request,
                       .ref_b = canceled_,
                       .side = int(ask.action),
                       .code = int(result)};
    requests_.push_back({ask.request, c.symbol.value, ask.action, ask.phase, ask.account.value, ask.firm.value,
                         ask.level, ask.seconds, done});
    if (requests_.size() > 256) requests_.erase(requests_.begin());
    out_.push_back(done);
  }

  /// The configuration is another one from here on.
  void configure(const Command& c) {
    const ConfigureAsk& ask = c.configure;
    const bool done = ask.refused == OperatorResult::none && change(c);
    const OperatorResult fault = ask.refused != OperatorResult::none ? ask.refused : OperatorResult::not_today;
    out_.push_back({.kind = EventKind::configured,
                    .symbol = c.symbol.value,
                    .session = ask.of,
                    .quantity = static_cast<std::uint64_t>(ask.value),
                    .ref = ask.request,
                    .side = int(ask.row),
                    .code = int(done ? OperatorResult::done : fault),
                    .feed = ask.limit});
  }
  bool change(const Command& c) {
    const ConfigureAsk& ask = c.configure;
    const auto number = static_cast<std::uint32_t>(ask.value);
    switch (ask.row) {
      case ConfigRow::limit:
      case ConfigRow::firm_limit:
      case ConfigRow::position_limit:
      case ConfigRow::forbids:
        return had_limits_ && change_limit(c);
      case ConfigRow::self_trade:
        config_.self_trade.resize(config_.sessions);
        config_.self_trade[ask.of].action = static_cast<SelfTrade>(ask.value);
        return true;
      case ConfigRow::cancel_on:
        config_.cancel_on.resize(config_.sessions, kCancelOn);
        config_.cancel_on[ask.of] = static_cast<SessionEndReasons>(ask.value);
        return true;
      case ConfigRow::enabled:
        if (ask.value == 0 && switched_off_.insert(ask.of).second) open_sweep(ask.of, {.reason = 'S'});
        if (ask.value != 0) switched_off_.erase(ask.of);
        return true;
      case ConfigRow::looks_per_second:
        config_.looks_per_second = number;
        return true;
      case ConfigRow::account_queries_per_second:
        config_.account_queries_per_second = number;
        return true;
      case ConfigRow::max_fills_per_order:
        config_.max_fills_per_order = number;
        return true;
      case ConfigRow::orders_per_account:
        config_.orders_per_account = number;
        return true;
      case ConfigRow::levels_per_account:
        config_.levels_per_account = number;
        return true;
      case ConfigRow::password:
        return true;
      case ConfigRow::none:
        break;
    }
    std::abort();
  }
  bool change_limit(const Command& c) {
    const ConfigureAsk& ask = c.configure;
    const auto which = static_cast<RiskLimit>(ask.limit);
    if (ask.row == ConfigRow::firm_limit) {
      bool any = false;
      for (std::uint32_t i = 0; i < config_.sessions; ++i) {
        std::int64_t& limit = config_.risk[i].limits[static_cast<std::size_t>(which)];
        if (firm_of(i) != ask.of || limit < 0 || ask.value < 0) continue;
        if (!std::exchange(any, true)) firm_cash_[ask.of] += ask.value - limit;
        limit = ask.value;
      }
      return any;
    }
    RiskConfig& limits = config_.risk[ask.of];
    if (ask.row == ConfigRow::forbids) {
      limits.forbidden = static_cast<OrderTypes>(ask.value);
      return true;
    }
    if (ask.row == ConfigRow::position_limit) {
      if (!limits.limits_positions()) return false;
      auto found = std::ranges::find(limits.positions, c.symbol, &PositionConfig::symbol);
      if (found == limits.positions.end()) found = limits.positions.insert(found, {.symbol = c.symbol});
      (which == RiskLimit::position_long ? found->most_long : found->most_short) = ask.value;
      return true;
    }
    std::int64_t& limit = limits.limits[static_cast<std::size_t>(which)];
    const bool free = which == RiskLimit::order_quantity || which == RiskLimit::order_notional ||
                      which == RiskLimit::price_band || which == RiskLimit::orders_per_second ||
                      which == RiskLimit::cancels_per_second;
    if (!free && (limit < 0 || ask.value < 0)) return false;
    if (limit < 0 || ask.value < 0) taken_.erase({ask.of, which, 0});
    if (which == RiskLimit::funds && ask.value < limit) lowered_.insert(ask.of);
    if (which == RiskLimit::funds) cash_[ask.of] += ask.value - limit;
    limit = ask.value;
    return true;
  }

  /// All are stopped, or let go; the orders of those that are stopped go in turns.
  void stop_accounts(const OperatorAsk& ask) {
    std::vector<std::uint32_t> meant;
    for (std::uint32_t i = 0; i < config_.sessions; ++i)
      if (ask.account == kNoSession ? firm_of(i) == ask.firm.value : ask.account.value == i) meant.push_back(i);
    const bool kills = ask.action == OperatorAction::kill;
    for (const std::uint32_t i : meant) {
      if (!kills) {
        changed_ += is_killed(i) || tripped_.contains(i);
        killed_.erase(i);
        killed_itself_.erase(i);
        if (tripped_.erase(i) > 0) begin_breakers_anew(i);
        continue;
      }
      changed_ += killed_.insert(i).second;
      canceled_ += static_cast<std::uint64_t>(std::ranges::count(orders_, i, &Order::session));
      open_sweep(i, {.reason = 'S'});
    }
  }

  /// What the schedule's or an operator's command has the symbol enter.
  Phase target(const Command& c, Symbol& symbol) {
    const bool operated = c.kind == CommandKind::operate;
    if (operated && c.operate.action == OperatorAction::halt) {
      const std::uint64_t least = time_ns_ + c.operate.seconds * std::uint64_t{1'000'000'000};
      const std::uint64_t until =
          c.operate.seconds == 0 ? UINT64_MAX : (least + 99'999'999) / 100'000'000 * 100'000'000;
      const std::uint64_t before = !symbol.held ? 0 : symbol.held_until_ns == 0 ? UINT64_MAX : symbol.held_until_ns;
      if (until <= before) return symbol.phase;
      symbol.held = true;
      symbol.held_until_ns = c.operate.seconds == 0 ? 0 : until;
      ++changed_;
      return symbol.phase == Phase::closed ? Phase::closed : Phase::halted;
    }
    if (operated && c.operate.action == OperatorAction::resume) {
      if (!symbol.held) return symbol.phase;
      symbol.held = false;
      symbol.held_until_ns = 0;
      ++changed_;
      return symbol.scheduled;
    }
    symbol.scheduled = operated ? c.operate.phase : c.phase.phase;
    if (symbol.scheduled == Phase::closed) symbol.held = false, symbol.held_until_ns = 0;
    if (symbol.held) {
      ++held_;
      return symbol.phase;
    }
    ++changed_;
    return symbol.scheduled;
  }

  /// `may_prolong`: its call goes on instead, if its cross would be outside the static range.
  void enter_phase(std::uint32_t s, Phase to, bool may_prolong) {
    Symbol& symbol = symbols_[s];
    const Phase from = symbol.phase;
    bool cross = false;
    if (from != to && call(from)) cross = to != Phase::halted && !(from == Phase::interrupted && call(to));
    if (from != to && !call(from) && to == Phase::continuous) {
      Order* bid = best(s, true, 0);
      Order* ask = best(s, false, 0);
      cross = bid != nullptr && ask != nullptr && (bid->market || ask->market || bid->price >= ask->price);
    }
    const auto name = static_cast<std::uint16_t>(s);
    if (cross) {
      const Auction a = auction(s);
      if (may_prolong && prolong(s, a)) return;
      if (a.paired > 0)
        cancel_market_orders(s, to, [&](const Order& o) { return o.buy() ? o.price < a.price : o.price > a.price; });
      for (std::uint64_t left = a.paired; left > 0;) {
        Order* buyer = best(s, true, 0);
        Order* seller = best(s, false, 0);
        const std::uint64_t quantity = std::min({buyer->open, seller->open, left});
        trade(EventKind::crossed, *buyer, *seller, a.price, quantity, letter(from));
        left -= quantity;
        drop_dead();
      }
      if (a.paired > 0) symbol.last_cross = a.price;
      out_.push_back({.kind = EventKind::cross_done,
                      .symbol = name,
                      .price = a.price,
                      .quantity = a.paired,
                      .match = ++match_,
                      .code = letter(from)});
    }
    if (to == Phase::closed) {
      Order* o = next_closed(s);
      for (; o != nullptr && turn_has_more(); o = next_closed(s)) act(*o, 'E');
      if (o != nullptr && (closing_ == 0 || s < closing_)) closing_ = s;
    } else if (to != Phase::halted) {
      for (const CrossType type : {CrossType::opening, CrossType::closing}) {
        if (to == call_of(type) || to == Phase::interrupted) continue;
        while (Order* o = oldest([&](const Order& x) { return x.symbol == s && x.cross == type && x.time_rank > 0; }))
          cancel_shares(*o, o->open, 'T');
      }
      const bool goes_on = from == to || (call(to) && (from == Phase::interrupted || !call(from)));
      if (!goes_on) cancel_market_orders(s, to, [](const Order&) { return true; });
    }
    if (to == Phase::closing_call && from != to) {
      while (Order* o = oldest(
                 [&](const Order& x) { return x.symbol == s && x.cross == CrossType::closing && x.time_rank == 0; })) {
        const std::uint64_t price = o->market ? bound_in_a_cross(*o) : o->price;
        if (no_level_for(*o, nullptr) || !may_pay(*o, price)) {
          cancel_shares(*o, o->open, 'Z');
        } else {
          o->price = price;
          o->time_rank = ++time_rank_;
        }
      }
    }
    if (from != to) {
      symbol.phase = to;
      symbol.ends_ns = symbol.prolonged = 0;
      say_phase(s, to);
    }
  }

  void enter_phases(const Command& c) {
    const bool all = c.symbol.value == 0;
    const bool opens = c.kind == CommandKind::phase
                           ? c.phase.phase == Phase::continuous
                           : c.operate.action == OperatorAction::phase && c.operate.phase == Phase::continuous;
    if (opens && !market_open_) {
      market_open_ = true;
      out_.push_back({.kind = EventKind::system, .code = 'Q'});
    }
    for (std::uint32_t s = all ? 1 : c.symbol.value; s <= (all ? symbols_.size() - 1 : c.symbol.value); ++s) {
      if (is_killing() && waits_for_kills(c)) finish_kills();
      const bool opening = c.kind == CommandKind::phase && symbols_[s].phase == Phase::opening_call;
      const Phase to = target(c, symbols_[s]);
      enter_phase(s, to, opening && to == Phase::continuous);
    }
    if (market_open_ &&
        std::all_of(symbols_.begin() + 1, symbols_.end(), [](const Symbol& s) { return s.phase == Phase::closed; })) {
      market_open_ = false;
      out_.push_back({.kind = EventKind::system, .code = 'M'});
    }
  }

  void tick(const Command& c) {
    lives_ = true;
    lives_until_ns_ = c.time_ns;
    turn();
    for (std::uint32_t i = 1; i < symbols_.size(); ++i) {
      Symbol& symbol = symbols_[i];
      const std::uint64_t due = symbol.held ? symbol.held_until_ns : symbol.ends_ns;
      if (due == 0 || due > c.time_ns) continue;
      if (is_killing()) finish_kills();
      if (!symbol.held) {
        enter_phase(i, Phase::continuous, true);
        continue;
      }
      symbol.held = false;
      symbol.held_until_ns = 0;
      const bool reopens = symbol.scheduled == Phase::continuous;
      enter_phase(i, reopens ? Phase::interrupted : symbol.scheduled, false);
      if (reopens) symbol.ends_ns = end_of_call(i);
    }
    if (c.time_ns % config_.imbalance_interval_ns == 0) {
      for (std::uint32_t s = 1; s < symbols_.size(); ++s) {
        if (!call(symbols_[s].phase)) continue;
        const Auction a = auction(s);
        out_.push_back({.kind = EventKind::imbalance,
                        .symbol = static_cast<std::uint16_t>(s),
                        .price = a.price,
                        .quantity = a.paired,
                        .open = a.imbalance,
                        .ref = auction(s, true).price,
                        .code = a.paired == 0      ? 'O'
                                : a.imbalance == 0 ? 'N'
                                : a.buy_surplus    ? 'B'
                                                   : 'S'});
      }
    }
    out_.push_back({.kind = EventKind::tick});
  }

  EngineConfig config_;
  std::vector<Symbol> symbols_;                                            // [0] unused
  std::vector<Order> orders_;                                              // live; time_rank 0 = not in the book yet
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> last_;  // by session and channel
  std::map<std::uint32_t, Allowance> budgets_, queries_;                   // by session
  std::set<std::uint32_t> disabled_, killed_, killed_itself_, switched_off_, lowered_;
  std::set<std::uint32_t> tripped_, tripped_now_;                            // now: with the command under way
  std::map<std::uint32_t, std::int64_t> rejected_in_a_row_, result_before_;  // by session; before: an allow
  struct Traded {
    std::uint32_t session, symbol;
    std::uint64_t price;
    std::int64_t bought;
  };
  std::vector<Traded> traded_;                                                            // sides of executions
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> last_own_;             // by session and symbol
  std::map<std::uint32_t, std::vector<std::pair<std::uint64_t, std::uint64_t>>> filled_;  // sixteenth, shares
  std::map<std::uint32_t, std::int64_t> cash_, firm_cash_;                                // by session, by firm
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t> shares_;                // by session and symbol
  std::map<std::tuple<std::uint32_t, RiskLimit, std::uint32_t>, std::vector<std::uint64_t>>
      taken_;  // sixteenths of a second
  using Entered = std::pair<TimeNs, std::tuple<char, std::uint32_t, std::uint64_t, std::uint64_t>>;
  std::map<std::uint32_t, std::vector<Entered>> entered_;  // accepted orders, by account
  TimeNs time_ns_ = 0;
  std::uint64_t ref_ = 0, match_ = 0, time_rank_ = 0;
  std::uint64_t drawn_ = 0;  // of the ends of interruptions
  std::uint64_t trips_ = 0;
  bool had_limits_ = false;  // somebody, as the day began
  bool market_open_ = false;
  struct Request {
    std::uint64_t number;
    std::uint16_t symbol;
    OperatorAction action;
    Phase to;
    std::uint16_t account, firm;
    std::uint8_t level;
    std::uint32_t seconds;
    Outcome outcome;
  };
  std::vector<Sweep> sweeps_;  // in the order in which they were opened
  std::uint32_t closing_ = 0;  // symbol from which on closed ones may have orders; 0: none has
  bool lives_ = false;
  TimeNs lives_until_ns_ = 0;
  std::uint64_t sequence_ = 0;                           // of the command
  std::uint64_t acts_ = 0, looks_ = 0;                   // of the turn
  std::vector<Request> requests_;                        // of operators, the newest 256
  std::uint64_t changed_ = 0, held_ = 0, canceled_ = 0;  // by the operator's command under way
  std::vector<Outcome> out_;
};

}  // namespace crosswire::testing
