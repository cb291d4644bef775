// The engine's state, every field of it by name: what decides what the engine will say to later commands. Made from it
// is the digest (digest.cpp). Whoever may read the engine, between two commands; no allocation, nothing is changed.
//
// Each record is taken apart by a structured binding, which compiles only with a name for each of its fields: a new one
// has to be visited here, or left out with its reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/engine.hpp"

namespace crosswire {

struct EngineState {
  /// Calls visit(name, value) for each field, in an order that equal command sequences have in common whatever slots,
  /// levels and nodes they were given. `name`: the field's, a literal. `value`: an integer, an enumerator, a Strong or
  /// an array of char; the field itself, or a copy where it is a bit-field or is worked out here.
  template <class Visit>
  static void visit(const Engine& engine, Visit&& visit) {
    const auto& [pools, returner, symbols, collars, risk, users, channels, waiting, max_orders, orders_per_account,
                 levels_per_account, look_ns, query_ns, imbalance_interval_ns, max_fills, looks_for_minimum,
                 acts_of_turn, looks_of_turn, decline_levels, live, last_ref, last_match, last_command, last_time_ns,
                 next_second, calls, closed, market_open, day_over, burst_has_events, next_end_ns, draws, open_jobs,
                 at_closing, lives_until_ns, sweeps, step, events_before, terms, aggressor, owed, refusal, fills_left,
                 may_rest, acts, looks, at_order, at_symbol, walk, auction, cross_left, to, changed, held, canceled,
                 configured, yielded, operator_log, counters, in_phase] = engine;
    leave_out("configuration", max_orders, imbalance_interval_ns, looks_for_minimum, acts_of_turn, looks_of_turn,
              decline_levels);
    leave_out("which slots are free decides no output", returner);
    leave_out("of the command under way: between two commands nothing reads them that has not written them", step,
              events_before, terms, aggressor, owed, refusal, fills_left, may_rest, acts, looks, at_order, at_symbol,
              walk, auction, cross_left, to, changed, held, canceled, configured, yielded);
    leave_out("are told, and decide nothing", counters, in_phase);
    visit("orders_per_account", orders_per_account);
    visit("levels_per_account", levels_per_account);
    visit("look_ns", look_ns);
    visit("query_ns", query_ns);
    visit("max_fills", max_fills);
    visit("live", live);
    visit("last_ref", last_ref);
    visit("last_match", last_match);
    visit("last_command", last_command);
    visit("last_time_ns", last_time_ns);
    visit("next_second", next_second);
    visit("calls", calls);
    visit("closed", closed);
    visit("market_open", market_open);
    visit("day_over", day_over);
    visit("burst_has_events", burst_has_events);
    visit("next_end_ns", next_end_ns);
    visit("draws", draws.state_);
    visit("open_jobs", open_jobs);
    visit("at_closing", at_closing);
    visit("lives_until_ns", lives_until_ns);
    visit_sweeps(pools.orders, sweeps, visit);
    visit_users(users, channels);
    visit_pools(pools);
    for (std::uint32_t i = 0; i < pools.accounts.size(); ++i) {
      visit_account(pools.accounts[i], visit);
      if (pools.accounts[i].checked) visit_risk(risk, i, symbols.size(), visit);
      for (std::uint32_t channel = 0; channel < kChannels; ++channel) {
        const ChannelRefs& refs = engine.refs(SessionId{static_cast<std::uint16_t>(i)}, static_cast<Channel>(channel));
        visit_refs(pools.orders, users, refs, visit);
      }
    }
    for (std::uint16_t i = 0; i < symbols.size(); ++i) {
      visit_symbol(pools, symbols[i], visit);
      visit_collar(collars[i], visit);
      visit_waiting(pools.orders, waiting, SymbolId{static_cast<std::uint16_t>(i + 1)}, visit);
    }
    visit_lives(pools.orders, waiting, next_second, visit);
    visit_purses(risk, visit);
    visit_operator_log(operator_log, visit);
  }

 private:
  /// Of fields that are not part of the state. `why`: for the reader.
  template <class... Fields>
  static void leave_out([[maybe_unused]] const char* why, const Fields&...) {}

  static void visit_users(const UserRefs& users, std::span<ChannelRefs> channels) {
    const auto& [blocks, directory, free, multiplier, shift] = users;
    leave_out("hold and find the live orders by numbers that these have themselves", blocks, directory);
    leave_out("memory: there is a block for each order that may live", free);
    leave_out("random from start to start; configuration", multiplier, shift);
    leave_out("visited with its account", channels);
  }

  /// The live orders of a channel by number: so a Mass Cancel goes through them.
  template <class Visit>
  static void visit_refs(const Orders& orders, const UserRefs& users, const ChannelRefs& refs, Visit& visit) {
    const auto& [last, oldest, newest] = refs;
    leave_out("where in memory, and whether an empty one is kept for the next number", oldest, newest);
    visit("last", last);
    users.for_each(refs, [&](UserRefNum number, OrderIndex order) {
      visit("user_ref_num", std::uint32_t{number.value});
      visit_order(orders, order, visit);
    });
  }

  /// The accounts' jobs, in the order in which they go on.
  template <class Visit>
  static void visit_sweeps(const Orders& orders, const Sweeps& sweeps, Visit& visit) {
    const auto& [all, first, kills] = sweeps;
    leave_out("of accounts without a job nobody reads them", all);
    leave_out("a count over them", kills);
    for (SessionId session = first; session != kNoSession;) {
      const auto& [at, next, before, asked, asks] = sweeps.of(session);
      leave_out("the ring backwards", before);
      visit("sweep.session", session);
      visit("sweep.at", at == kNoOrder ? OrderRef{} : orders.hot(at).ref());
      visit("sweep.asked", asked);
      for (std::size_t i = 0; i < asked; ++i) {
        const auto& [symbol, group_id, side, reason, group_given, spares_staying] = asks[i];
        visit("ask.symbol", symbol);
        visit("ask.group_id", group_id);
        visit("ask.side", side);
        visit("ask.reason", reason);
        visit("ask.group_given", group_given);
        visit("ask.spares_staying", spares_staying);
      }
      session = next == first ? kNoSession : next;
    }
  }

  static void visit_pools(const BookPools& pools) {
    const auto& [nodes, levels, orders, accounts] = pools;
    leave_out("memory of the ladders: as many are free as their levels and near_key leave", nodes);
    leave_out("memory: each that is in a book is visited there", levels);
    leave_out("memory: each that is live is visited with its session", orders);
    leave_out("visited one by one", accounts);
  }

  template <class Visit>
  static void visit_account(const Account& account, Visit& visit) {
    const auto& [live, levels, firm, stops, checked, ledger, self_trade, self_trade_group, cancel_on, looks, queries,
                 own] = account;
    leave_out("configuration", firm, ledger, self_trade_group);
    leave_out("whether it has limits, and they are visited", checked);
    visit("self_trade", self_trade);
    visit("cancel_on", cancel_on);
    visit("account.live", live);
    visit("account.levels", levels);
    visit("stops", stops);
    visit_budget(looks, visit);
    visit_budget(queries, visit);
    leave_out("visited with the other channels", own);
  }

  template <class Visit>
  static void visit_budget(const Budget& budget, Visit& visit) {
    const auto& [paid_back_ns] = budget;
    visit("paid_back_ns", paid_back_ns);
  }

  /// Of an account that has limits.
  template <class Visit>
  static void visit_risk(const Risk& risk, std::uint32_t i, std::size_t symbols, Visit& visit) {
    const auto& [accounts, firms, sets, positions, recent, symbol_rates, breakers, limits, firm_limits,
                 counts_executions] = risk;
    leave_out("visited behind the accounts", firms, firm_limits);
    leave_out("configuration", sets, counts_executions);
    leave_out("made of the limits", symbol_rates);
    for (const RiskRow& row : kRiskRows) visit("limit", limits[i].limit(row.limit));
    visit("forbidden", limits[i].forbidden.get());
    const auto& [checks, forbidden, order_quantity, order_notional, price_band, set, firm, rejected_in_a_row,
                 duplicate_window_ms, purse, orders, cancels, most_long, most_short] = accounts[i];
    leave_out("configuration", set, firm);
    leave_out("made of the limits", checks, forbidden, order_quantity, order_notional, price_band, duplicate_window_ms,
              most_long, most_short);
    visit_purse(purse, visit);
    visit_rate(orders, visit);
    visit_rate(cancels, visit);
    visit("rejected_in_a_row", rejected_in_a_row);
    if (accounts[i].has(kRefusesDuplicates)) visit_recent(recent[i], visit);
    if (!breakers.empty()) visit_breakers(breakers[i], visit);
    const SessionId session{static_cast<std::uint16_t>(i)};
    for (std::size_t symbol = 1; accounts[i].has(kHasPositions) && symbol <= symbols; ++symbol) {
      const Position* const position = positions.find(session, SymbolId{static_cast<std::uint16_t>(symbol)});
      if (position == nullptr) continue;
      visit_position(*position, visit);
      if (accounts[i].has(kCountsInSymbols)) visit_rate(positions.rate_of(*position), visit);
    }
  }

  template <class Visit>
  static void visit_recent(const RecentOrders& recent, Visit& visit) {
    const auto& [kept, next] = recent;
    visit("recent.next", next);
    for (const RecentOrder& order : kept) {
      const auto& [at_ns, price, shares, symbol, side] = order;
      visit("recent.at_ns", at_ns);
      visit("recent.price", price);
      visit("recent.shares", shares);
      visit("recent.symbol", symbol);
      visit("recent.side", side);
    }
  }

  template <class Visit>
  static void visit_breakers(const Breakers& breakers, Visit& visit) {
    const auto& [most_loss, most_rejects, tripped, tripped_with, result, executions, shares, trips] = breakers;
    leave_out("made of the limits", most_loss, most_rejects);
    leave_out("are told, and decide nothing", trips);
    leave_out("of the command under way", tripped_with);
    visit("breakers.tripped", tripped);
    visit("breakers.result", result);
    visit_rate(executions, visit);
    visit_rate(shares, visit);
  }

  template <class Visit>
  static void visit_position(const Position& position, Visit& visit) {
    const auto& [key, mark, net, own_long, own_short, shares, room, most_long, most_short, least_sale_room] = position;
    leave_out("made of most_short", least_sale_room);
    visit("position.own_long", bool{own_long});
    visit("position.own_short", bool{own_short});
    visit("position.most_long", most_long);
    visit("position.most_short", most_short);
    visit("position", key);
    visit("position.mark", mark);
    visit("position.net", std::int64_t{net});
    visit("position.shares", shares);
    for (const std::int64_t& left : room) visit("position.room", left);
  }

  template <class Visit>
  static void visit_purses(const Risk& risk, Visit& visit) {
    for (const Purse& purse : risk.firms_) visit_purse(purse, visit);
    for (const CountWord& limit : risk.firm_limits_) visit("firm_limit", limit.get());
  }

  template <class Visit>
  static void visit_purse(const Purse& purse, Visit& visit) {
    const auto& [cash, room] = purse;
    visit("cash", cash);
    for (const Money& left : room) visit("room", left);
  }

  template <class Visit>
  static void visit_rate(const RollingCount& rate, Visit& visit) {
    const auto& [ends_ns, left, limit, past, before] = rate;
    leave_out("made of the limits", limit);
    visit("rate.ends_ns", ends_ns);
    visit("rate.left", left);
    visit("rate.past", past);
    for (const std::uint32_t& count : before) visit("rate.before", count);
  }

  template <class Visit>
  static void visit_order(const Orders& orders, OrderIndex index, Visit& visit) {
    const auto& [next, prev, level, open, ref_and_session, executed, side_bits, place_in_refs, hidden, attributable,
                 one_cross, waits, has_channel, ref_block] = orders.hot(index);
    leave_out("slots and levels: the queue is visited with its level", next, prev, level);
    leave_out("where its number stands", ref_block, place_in_refs);
    visit("ref_and_session", ref_and_session);
    visit("open", open);
    visit("executed", std::uint32_t{executed});
    visit("side", static_cast<char>(orders.hot(index).side()));
    leave_out("the letter's", side_bits);
    visit("hidden", std::uint32_t{hidden});
    visit("attributable", std::uint32_t{attributable});
    visit("one_cross", std::uint32_t{one_cross});
    visit("waits", std::uint32_t{waits});
    visit("has_channel", std::uint32_t{has_channel});
    visit_asked(orders.asked(index), visit);
    visit_resolved(orders.resolved(index), visit);
    if (orders.asked(index).price > kMaxPrice.value) visit("resolved.bound", orders.resolved(index).bound);
  }

  template <class Visit>
  static void visit_asked(const OrderAsked& asked, Visit& visit) {
    const auto& [session, user_ref_idx, firm_given, user_ref_num, cl_ord_id, time_in_force, display, iso, reserved0,
                 quantity, price, min_quantity, reserved1] = asked;
    leave_out("nobody reads them", reserved0, reserved1);
    visit("asked.session", session);
    visit("asked.user_ref_idx", user_ref_idx);
    visit("asked.firm_given", firm_given);
    visit("asked.user_ref_num", user_ref_num);
    visit("asked.cl_ord_id", cl_ord_id);
    visit("asked.time_in_force", time_in_force);
    visit("asked.display", display);
    visit("asked.iso", iso);
    visit("asked.quantity", quantity);
    visit("asked.price", price);  // at which an on-close order enters the book
    visit("asked.min_quantity", min_quantity);
  }

  template <class Visit>
  static void visit_resolved(const OrderResolved& resolved, Visit& visit) {
    const auto& [symbol_name, firm, symbol, side, capacity, cross_type, reserved0, kept, life_ends_s, bound,
                 reserved1] = resolved;
    leave_out("of market orders alone, and visited with these", bound);
    const auto& [firm_given, stays_on_disconnect, post_only, group_id, expire_seconds] = kept;
    leave_out("nobody reads them", reserved0, reserved1);
    visit("resolved.life_ends_s", life_ends_s);
    visit("resolved.symbol_name", symbol_name);
    visit("resolved.firm", firm);
    visit("resolved.symbol", symbol);
    visit("resolved.side", side);
    visit("resolved.capacity", capacity);
    visit("resolved.cross_type", cross_type);
    visit("kept.flags", std::uint32_t{firm_given} | std::uint32_t{stays_on_disconnect} << 1);
    visit("kept.post_only", post_only);
    visit("kept.group_id", group_id);
    visit("kept.expire_seconds", expire_seconds);
  }

  template <class Visit>
  static void visit_collar(const Collar& collar, Visit& visit) {
    const auto& [config, reference, prolonged, ends_ns, halted_until_ns] = collar;
    leave_out("configuration", config);
    visit("collar.reference", reference);
    visit("collar.prolonged", prolonged);
    visit("collar.ends_ns", ends_ns);
    visit("halted_until_ns", halted_until_ns);
  }

  template <class Visit>
  static void visit_symbol(const BookPools& pools, const Engine::SymbolState& symbol, Visit& visit) {
    const auto& [book, phase, scheduled, held, reference, volume, low, high] = symbol;
    leave_out("made of these and the collar", low, high);
    visit("phase", phase);
    visit("scheduled", scheduled);
    visit("held", held);
    visit("reference", reference);
    visit("volume", volume);
    const auto& [sides, scale, id] = book;
    leave_out("configuration", scale, id);
    for (const Ladder& side : sides) visit_side(pools, side, visit);
  }

  template <class Visit>
  static void visit_side(const BookPools& pools, const Ladder& side, Visit& visit) {
    const auto& [best, best_level, near, near_key, level_count, root, top_shift] = side;
    leave_out("configuration", top_shift);
    leave_out("where in memory", best_level, root, near);
    leave_out("the first level's", best);
    visit("level_count", level_count);
    // The way to where the last level was stays, and with it its nodes. Elsewhere it is only where the last search was.
    visit("near_key", side.empty() ? near_key : 0);
    for (Rank rank = best; rank != kNoRank; rank = side.after(pools.nodes, rank)) {
      visit_level(pools.orders, pools.levels[side.find(pools.nodes, rank)], visit);
    }
  }

  template <class Visit>
  static void visit_level(const Orders& orders, const Level& level, Visit& visit) {
    const auto& [head, tail, shares, count, price, last_displayed, symbol, buy] = level;
    leave_out("slots: the queue is visited, and its orders know whether they are hidden", tail, last_displayed);
    visit("level.price", price);
    visit("level.shares", shares);
    visit("level.count", count);
    visit("level.symbol", symbol);
    visit("level.buy", buy);
    for (OrderIndex at = head; at != kNoOrder; at = orders.hot(at).next) visit("queued", orders.hot(at).ref());
  }

  /// The orders for one cross of a symbol, in the book or not, oldest first.
  template <class Visit>
  static void visit_waiting(const Orders& orders, const OrderLists& waiting, SymbolId symbol, Visit& visit) {
    for (const CrossType cross : {CrossType::opening, CrossType::closing}) {
      const std::uint32_t list = Engine::list_of(symbol, cross);
      for (OrderIndex at = waiting.front(list); at != kNoOrder; at = waiting.after(at)) {
        visit("waits_for_cross", orders.hot(at).ref());
      }
    }
  }

  /// The GTT orders, by the second at which they end.
  template <class Visit>
  static void visit_lives(const Orders& orders, const OrderLists& waiting, std::uint64_t first, Visit& visit) {
    for (std::uint64_t second = first; second < first + Engine::kWheelSeconds; ++second) {
      const std::uint32_t list = Engine::list_of(second);
      for (OrderIndex at = waiting.front(list); at != kNoOrder; at = waiting.after(at)) {
        visit("ends_at_second", std::uint64_t{second});
        visit("ends", orders.hot(at).ref());
      }
    }
  }

  template <class Visit>
  static void visit_operator_log(const OperatorLog& log, Visit& visit) {
    const auto& [entries, count] = log;
    leave_out("a ring, of which the kept ones are visited, oldest first", entries, count);
    visit("operated", log.kept());
    for (std::size_t i = 0; i < log.kept(); ++i) {
      const auto& [request, done_by, done_ns, symbol, action, to, account, firm, level, seconds, result, phase, changed,
                   held, canceled] = log[i];
      visit("operated.request", request);
      visit("operated.done_by", done_by);
      visit("operated.done_ns", done_ns);
      visit("operated.symbol", symbol);
      visit("operated.action", action);
      visit("operated.to", to);
      visit("operated.result", result);
      visit("operated.phase", phase);
      visit("operated.changed", changed);
      visit("operated.held", held);
      visit("operated.account", account);
      visit("operated.firm", firm);
      visit("operated.level", level);
      visit("operated.seconds", seconds);
      visit("operated.canceled", canceled);
    }
  }
};

}  // namespace crosswire
