// The engine against the reference exchange over random commands, alone and in bursts of every length: every event, in
// order, in every phase.
// CROSSWIRE_PROPERTY_COMMANDS sets how many in all (default 2,000,000), CROSSWIRE_SEED the first seed. Seeds run side
// by side on oneTBB.
#include <gtest/gtest.h>
#include <oneapi/tbb/parallel_for.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/engine/engine_rig.hpp"

namespace crosswire::testing::property_test {
namespace {

constexpr std::size_t kSessionEnds = static_cast<std::size_t>(SessionEndReason::end_of_day) + 1;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class RandomClient {
 public:
  RandomClient(std::uint64_t seed, const EngineConfig& config) : random_(seed), config_(config) {
    range_ = std::uint32_t{1} << below(7);  // from one price to a wide book
    for (auto& of_session : next_)
      for (auto& number : of_session)
        number = below(20) == 0 ? 0xFFFFF000u : 1;  // some start near the end of the numbers
    plain_ = below(4) == 0;
    crosses_ = below(4) == 0;
    for (const SymbolConfig& symbol : config.symbols) collared_ |= symbol.collar.is_on();
    for (const SymbolConfig& symbol : config.symbols) markets_ |= symbol.collar.market_percent_e2 > 0;
    opens_ = collared_;
    if (collared_) range_ = std::max(range_, 16u);
    for (const RiskConfig& risk : config.risk)
      for (const RiskRow& row : kRiskRows) breaks_ |= is_breaker(row.limit) && risk.has(row.limit);
  }

  /// Commands of the next burst: 1 .. MatchStage::kMaxCommands, often 1.
  std::uint32_t burst() { return below(3) == 0 ? 1 : 1 + below(MatchStage::kMaxCommands); }

  Command next() {
    const std::uint32_t dice = below(1000);
    if (below(50) == 0) return plain(CommandKind::turn);
    // What a breaker has stopped goes on soon.
    if (breaks_ && below(60) == 0)
      return stop(OperatorAction::allow, ++requests_, SessionId{static_cast<std::uint16_t>(below(config_.sessions))});
    if (crosses_ && below(20) == 0) return tick(time_ns_ += kTickIntervalNs);
    if (crosses_ && below(100) == 0)
      return phase(below(2) == 0 ? Phase::opening_call : Phase::closing_call, a_symbol());
    if (std::exchange(opens_, false)) return phase(Phase::continuous);
    // An interruption is to see its end by itself.
    if (collared_ && (below(30) == 0 || (dice < 6 && below(4) != 0)))
      return tick(time_ns_ += kTickIntervalNs * (1 + below(5)));
    if (dice < 3) return phase(a_phase(), below(2) == 0 ? 0 : a_symbol());
    if (dice < 6) return phase(Phase::continuous);
    if (dice < 9) return operators();
    if (dice < 12) return reload();
    if (dice < 20) return tick(time_ns_ += kTickIntervalNs * (1 + below(10)));
    const std::uint16_t session = static_cast<std::uint16_t>(below(config_.sessions));
    if (dice < 24) return session_command(session);
    lane_ = below(4) == 0;
    if (dice < 40) return on_channel(account_query(session));
    if (dice < 50) return firm_command(session);
    if (dice < 600)
      return on_channel(damaged(
          attributes(enter(session, new_number(session), a_side(), a_price(), a_quantity(), a_tif(), a_symbol()))));
    if (dice < 730) {
      Command c = replace(session, old_number(session), new_number(session), a_price(), a_quantity(), a_tif());
      if (below(10) == 0) c.flags |= kQuantityIsOpen;
      return on_channel(damaged(attributes(c)));
    }
    if (dice < 900) return on_channel(cancel(session, old_number(session), below(2) == 0 ? 0 : a_quantity()));
    return on_channel(modify(session, old_number(session), a_side(), a_quantity()));
  }

 private:
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
  std::uint16_t a_symbol() {
    return static_cast<std::uint16_t>(1 + below(static_cast<std::uint32_t>(config_.symbols.size())));
  }
  Side a_side() {
    constexpr Side kSides[] = {
        Side::buy, Side::buy, Side::buy, Side::sell, Side::sell, Side::sell_short, Side::sell_short_exempt};
    return kSides[below(std::size(kSides))];
  }
  Phase a_phase() {
    constexpr Phase kOften[] = {Phase::opening_call, Phase::closing_call, Phase::opening_call, Phase::halted,
                                Phase::intraday_call};
    return below(3) == 0 ? static_cast<Phase>(below(static_cast<std::uint32_t>(kAskedPhaseNames.size())))
                         : kOften[below(std::size(kOften))];
  }
  std::uint32_t a_price() {
    if (below(300) == 0) return below(2) == 0 ? kMaxPrice.value / 100 * 100 : 100;
    if (below(markets_ ? 10 : 300) == 0) return kMarketPrice.value;
    const std::uint32_t price = 1'000'000 + 100 * below(range_) - 50 * range_ / 100 * 100;
    return below(50) == 0 ? price + 1 + below(99) : price;  // off the tick for every other symbol
  }
  Quantity a_quantity() { return below(100) == 0 ? kMaxQuantity : (1 + below(20)) * (below(3) == 0 ? 1 : 100); }
  TimeInForce a_tif() { return below(5) == 0 ? TimeInForce::ioc : TimeInForce::day; }
  /// Two channels are enough to be mixed up.
  Command on_channel(Command c) {
    c.order.user_ref_idx = lane_ ? 200 : 0;
    return c;
  }
  /// Every attribute, alone and with others that it may not be with.
  Command attributes(Command c) {
    const bool is_new = c.kind == CommandKind::enter;
    OrderAsk& ask = c.order;
    ask.post_only = is_new ? PostOnly::no : PostOnly::unsaid;
    if (plain_) return c;
    if (below(4) == 0) ask.display = below(3) == 0 ? Display::attributable : Display::hidden;
    if (below(12) == 0) ask.min_quantity = below(4) == 0 ? ask.quantity : 1 + below(2 * ask.quantity);
    if (below(8) == 0) ask.post_only = below(4) == 0 ? PostOnly::no : PostOnly::yes;
    if (below(8) == 0) ask.time_in_force = TimeInForce::gtt;
    if (ask.time_in_force == TimeInForce::gtt ? below(8) != 0 : below(50) == 0) ask.expire_seconds = 1 + below(20);
    if (is_new && below(crosses_ ? 2 : 8) == 0)
      ask.cross_type = below(2) == 0 ? CrossType::opening : CrossType::closing;
    if (!is_new && below(6) == 0) ask.side = a_side();
    constexpr SelfTrade kSelfTrades[] = {SelfTrade::newest, SelfTrade::oldest, SelfTrade::both, SelfTrade::decrement};
    if (below(3) == 0) ask.self_trade = kSelfTrades[below(std::size(kSelfTrades))];
    if (below(3) == 0) ask.stay_on_disconnect = below(3) == 0 ? StayOnDisconnect::no : StayOnDisconnect::yes;
    return c;
  }
  /// Any end, or a login that takes over or does not.
  Command session_command(std::uint16_t session) {
    if (below(3) == 0) return session_open(session, below(2) == 0 ? 'T' : char{0});
    return session_close(session, static_cast<SessionEndReason>(below(static_cast<std::uint32_t>(kSessionEnds))));
  }
  /// Now and then a repeat, of one that is remembered or of one that is not any more, or one of a symbol unknown.
  Command operators() {
    constexpr OperatorAction kOften[] = {OperatorAction::halt, OperatorAction::resume, OperatorAction::resume,
                                         OperatorAction::phase};
    const std::uint64_t request = below(6) == 0 ? 1 + below(static_cast<std::uint32_t>(requests_ + 1)) : ++requests_;
    const auto before = operated_.find(request);
    if (before != operated_.end() && below(2) == 0) return before->second;  // the very same again
    Command c = operate(kOften[below(std::size(kOften))], request, below(3) == 0 ? 0 : a_symbol());
    if (c.operate.action == OperatorAction::halt && below(2) == 0) c.operate.seconds = 1 + below(5);
    if (c.operate.action == OperatorAction::halt && c.symbol == kAllSymbols && below(3) == 0)
      c.operate.level = static_cast<std::uint8_t>(1 + below(kMostHaltLevel));
    if (below(3) == 0) {
      const bool of_firm = below(2) == 0;
      const SessionId account = of_firm ? kNoSession : SessionId{static_cast<std::uint16_t>(below(config_.sessions))};
      const FirmId firm = of_firm ? FirmId{static_cast<std::uint16_t>(below(2))} : kNoFirm;
      c = stop(below(3) == 0 ? OperatorAction::kill : OperatorAction::allow, request, account, firm);
    }
    if (c.operate.action == OperatorAction::phase) c.operate.phase = below(3) == 0 ? a_phase() : Phase::continuous;
    if (below(20) == 0) {
      c.symbol = kNoSymbol;
      c.operate.refused = OperatorResult::unknown_symbol;
    }
    operated_.insert_or_assign(request, c);
    return c;
  }
  /// A row of the configuration: of each kind, tighter or looser, and some that may not change within a day.
  Command reload() {
    constexpr ConfigRow kPartition[] = {ConfigRow::looks_per_second, ConfigRow::account_queries_per_second,
                                        ConfigRow::max_fills_per_order, ConfigRow::orders_per_account,
                                        ConfigRow::levels_per_account};
    constexpr SelfTrade kActions[] = {SelfTrade::newest, SelfTrade::oldest, SelfTrade::both, SelfTrade::decrement};
    const auto of = static_cast<std::uint16_t>(below(config_.sessions));
    Command c = a_limit(of);
    if (below(3) == 0) {
      const auto row = static_cast<ConfigRow>(static_cast<unsigned>(ConfigRow::forbids) + below(5));
      std::int64_t value = below(2);
      if (row == ConfigRow::forbids) value = below(1u << kOrderTypes.size()) & below(1u << kOrderTypes.size());
      if (row == ConfigRow::self_trade) value = static_cast<int>(kActions[below(std::size(kActions))]);
      if (row == ConfigRow::cancel_on) value = below(1u << kSessionEnds) & ~1u;
      if (row == ConfigRow::enabled) value = below(3) != 0;
      c = configure(row, of, row == ConfigRow::password ? 0 : value);
    } else if (below(8) == 0) {
      const ConfigRow row = kPartition[below(std::size(kPartition))];
      c = configure(row, 0, 1 + below(row == ConfigRow::max_fills_per_order ? 30 : 300));
    }
    c.configure.request = ++requests_;
    if (below(30) == 0) c.configure.refused = OperatorResult::unknown_symbol;
    return c;
  }
  /// Of the size that add_limits() gives it.
  Command a_limit(std::uint16_t of) {
    using enum RiskLimit;
    constexpr std::pair<RiskLimit, std::uint32_t> kLimits[] = {{order_quantity, 3'000},
                                                               {order_notional, 3'000'000'000},
                                                               {price_band, 400},
                                                               {orders_per_second, 20},
                                                               {cancels_per_second, 5},
                                                               {symbol_orders_per_second, 10},
                                                               {funds, 4'000'000'000},
                                                               {position_long, 20'000},
                                                               {position_short, 20'000},
                                                               {duplicate_window, 3'000},
                                                               {rejects_in_a_row, 30},
                                                               {loss_of_day, 3'000'000},
                                                               {executions_per_second_count, 8},
                                                               {executions_per_second_shares, 3'000},
                                                               {firm_funds, 4'000'000'000}};
    const auto [limit, most] = kLimits[below(std::size(kLimits))];
    const std::int64_t value = below(10) == 0 ? RiskConfig::kNoLimit : 1 + below(most);
    if (limit == firm_funds)
      return configure(ConfigRow::firm_limit, static_cast<std::uint16_t>(of / 2), value < 0 ? value : 8 * value, limit);
    const bool own = (limit == position_long || limit == position_short) && below(2) == 0;
    if (own) return configure(ConfigRow::position_limit, of, value, limit, a_symbol());
    return configure(ConfigRow::limit, of, value, limit);
  }
  Command firm_command(std::uint16_t session) {
    constexpr CommandKind kKinds[] = {CommandKind::mass_cancel, CommandKind::mass_cancel, CommandKind::disable};
    const CommandKind kind = below(3) != 0 ? CommandKind::enable : kKinds[below(std::size(kKinds))];
    Command c = firm_wide(kind, session, new_number(session));
    c.firm.user_ref_idx = lane_ ? 200 : 0;
    if (below(30) == 0) c.reject = 0x000C;
    c.firm.kills = kind == CommandKind::disable && below(6) == 0;
    if (c.kind != CommandKind::mass_cancel) return c;
    if (below(3) != 0) c.symbol = SymbolId{a_symbol()};
    if (below(3) != 0) c.firm.side = a_side();
    c.firm.group_given = below(2) == 0;
    c.firm.group_id = static_cast<std::uint16_t>(c.firm.group_given ? below(3) : 0);
    return c;
  }
  std::uint32_t new_number(std::uint16_t session) {
    std::uint32_t& next = next_[session][lane_];
    if (below(40) == 0) return old_number(session);  // repeated or falling
    // Gaps are legal; some leave out whole blocks of numbers.
    const std::uint32_t step = below(30) == 0 ? (below(3) == 0 ? 16 * UserRefs::kPerBlock : below(100)) : 1;
    next = next > 0xFFFFFFFFu - step ? 0xFFFFFFFFu : next + step;
    return next;
  }
  std::uint32_t old_number(std::uint16_t session) {
    const std::uint32_t back = below(below(4) == 0 ? 400 : below(2) == 0 ? 40 : 8);
    const std::uint32_t next = next_[session][lane_];
    return next > back ? next - back : below(3);
  }
  Command damaged(Command c) {
    if (below(60) == 0) {
      c.reject = static_cast<std::uint16_t>(1 + below(0x33));
      if (below(2) == 0) c.order.quantity = 0;
    }
    return c;
  }

  std::mt19937_64 random_;
  EngineConfig config_;
  std::uint32_t range_;
  std::uint32_t next_[4][2];  // by session and channel
  bool lane_ = false;         // of the command under way
  std::uint64_t requests_ = 0;
  std::map<std::uint64_t, Command> operated_;  // the newest of each number
  bool plain_;                                 // a client of limit orders alone
  bool collared_ = false;                      // a client of symbols that may be interrupted, with few other phases
  bool opens_ = false;                         // its first command
  bool crosses_;                               // a client of calls, whose every other order is for a cross
  bool breaks_ = false;                        // some account has breakers
  bool markets_ = false;                       // some symbol takes market orders
  TimeNs time_ns_ = 0;
};

std::string difference(const std::vector<Outcome>& want, const std::vector<Outcome>& got) {
  std::ostringstream text;
  for (std::size_t i = 0; i < std::max(want.size(), got.size()); ++i) {
    if (i < want.size() && i < got.size() && want[i] == got[i]) continue;
    if (i < want.size()) text << "\n  reference: " << want[i];
    if (i < got.size()) text << "\n  engine:    " << got[i];
    break;
  }
  return text.str();
}

/// How often each kind of event came, and how full the books were: a property that met nothing proves nothing.
struct Coverage {
  std::array<std::uint64_t, 64> kinds{};
  std::uint64_t commands = 0, with_jobs = 0, live_sum = 0, live_most = 0, auctions_with_volume = 0;
  std::array<std::uint64_t, 128> cancels{};  // by reason
  std::array<std::uint64_t, 64> rejects{};   // by reason
  std::array<std::uint64_t, kBreakers> trips{};
  std::uint64_t hidden_executions = 0, dead_on_arrival = 0, far_prices = 0, gone_with_session = 0;
  std::array<std::uint64_t, MatchStage::kMaxCommands + 1> bursts{};  // by length
  // Of interruptions; `opened_later`: opening calls that were prolonged.
  std::uint64_t begun = 0, prolonged = 0, opened_later = 0, crossed_by_time = 0, ended_by_operator = 0,
                ended_by_schedule = 0;
  std::uint64_t killed_itself = 0;
  std::uint64_t midday = 0;    // intraday calls that ended in continuous trading
  std::uint64_t reopened = 0;  // interruptions that began behind a halt for a time

  void merge(const Coverage& other) {
    for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i] += other.kinds[i];
    commands += other.commands;
    with_jobs += other.with_jobs;
    live_sum += other.live_sum;
    live_most = std::max(live_most, other.live_most);
    auctions_with_volume += other.auctions_with_volume;
    for (std::size_t i = 0; i < cancels.size(); ++i) cancels[i] += other.cancels[i];
    for (std::size_t i = 0; i < rejects.size(); ++i) rejects[i] += other.rejects[i];
    for (std::size_t i = 0; i < trips.size(); ++i) trips[i] += other.trips[i];
    hidden_executions += other.hidden_executions;
    dead_on_arrival += other.dead_on_arrival;
    far_prices += other.far_prices;
    gone_with_session += other.gone_with_session;
    begun += other.begun;
    prolonged += other.prolonged;
    opened_later += other.opened_later;
    crossed_by_time += other.crossed_by_time;
    ended_by_operator += other.ended_by_operator;
    ended_by_schedule += other.ended_by_schedule;
    reopened += other.reopened;
    midday += other.midday;
    killed_itself += other.killed_itself;
    for (std::size_t i = 0; i < bursts.size(); ++i) bursts[i] += other.bursts[i];
  }
  std::uint64_t operator[](EventKind kind) const { return kinds[static_cast<std::size_t>(kind)]; }
};

void note(Coverage& seen, const Outcome& o) {
  ++seen.kinds[static_cast<std::size_t>(o.kind)];
  seen.auctions_with_volume += o.kind == EventKind::cross_done && o.quantity > 0;
  if (o.kind == EventKind::canceled) ++seen.cancels[static_cast<std::size_t>(o.code)];
  if (o.kind == EventKind::rejected) ++seen.rejects[static_cast<std::size_t>(o.code)];
  seen.hidden_executions += o.kind == EventKind::executed && o.ref_b == 0;
  seen.far_prices += o.kind == EventKind::imbalance && o.ref > 0 && o.ref != o.price;
  seen.dead_on_arrival += o.kind == EventKind::accepted && o.code == 'D';
}

/// `phases`: those of the symbols before the command, by SymbolId; then those after it.
void note_interruptions(Coverage& seen, CommandKind kind, const std::vector<Outcome>& outcomes,
                        std::vector<Phase>& phases) {
  for (const Outcome& o : outcomes) {
    if (o.kind != EventKind::phase) continue;
    const Phase from = std::exchange(phases[o.symbol], static_cast<Phase>(o.code)), to = phases[o.symbol];
    seen.opened_later += from == to && to == Phase::opening_call;
    seen.begun += from != to && to == Phase::interrupted;
    seen.midday += from == Phase::intraday_call && to == Phase::continuous;
    seen.reopened += from == Phase::halted && to == Phase::interrupted;
    if (from != Phase::interrupted) continue;
    const bool ended = to != Phase::interrupted;
    seen.prolonged += !ended;
    seen.crossed_by_time += ended && kind == CommandKind::tick;
    seen.ended_by_operator += ended && kind == CommandKind::operate;
    seen.ended_by_schedule += ended && kind == CommandKind::phase;
  }
}

/// Ranges of the size of what the client's prices are apart, and calls of a few ticks, of two symbols in three.
void add_collars(EngineConfig& config, std::mt19937_64& random) {
  const auto below = [&random](std::uint64_t n) { return static_cast<std::uint32_t>(random() % n); };
  for (SymbolConfig& symbol : config.symbols) {
    if (below(3) == 0) continue;
    symbol.collar = {.static_percent_e2 = below(3) == 0 ? 0 : 1 + below(1u << below(6)),
                     .dynamic_percent_e2 = below(3) == 0 ? 0 : 1 + below(1u << below(6)),
                     .interruption_seconds = 1 + below(4),
                     .interruption_random_seconds = below(2) * below(4),
                     .interruption_extensions = below(3)};
  }
  config.interruption_seed = random();
}

/// Limits as strict as to be met now and then, of three accounts in four.
void add_limits(EngineConfig& config, std::mt19937_64& random) {
  using enum RiskLimit;
  const auto below = [&random](std::uint64_t n) { return random() % n; };
  const bool firm_limit = below(2) == 0, breakers = below(2) == 0;
  const auto firm_money = static_cast<std::int64_t>(below(40'000'000'000));
  for (std::uint32_t i = 0; i < config.sessions; ++i) config.firms.push_back(FirmId{static_cast<std::uint16_t>(i / 2)});
  for (std::uint32_t i = 0; i < config.sessions; ++i) {
    RiskConfig& account = config.risk.emplace_back();
    const auto set = [&](RiskLimit limit, std::uint64_t most) {
      if (below(2) == 0) account.limits[static_cast<std::size_t>(limit)] = static_cast<std::int64_t>(1 + below(most));
    };
    // Of a firm with funds all accounts count.
    if (firm_limit && i < 2) account.limits[static_cast<std::size_t>(firm_funds)] = firm_money;
    if (i == 3) continue;
    set(order_quantity, 3'000);
    set(order_notional, 3'000'000'000);
    set(price_band, 400);
    set(orders_per_second, 20);
    set(cancels_per_second, 5);
    if (below(2) == 0) set(symbol_orders_per_second, 10);
    set(funds, 30'000'000'000);
    set(position_long, 20'000);
    set(position_short, 20'000);
    set(duplicate_window, 3'000);
    if (breakers) {
      set(rejects_in_a_row, 30);
      set(loss_of_day, 3'000'000);
      set(executions_per_second_count, 8);
      set(executions_per_second_shares, 3'000);
    }
    if (below(3) == 0) account.forbidden = static_cast<OrderTypes>(below(1u << kOrderTypes.size()) & random());
    if (config.symbols.size() > 1 && below(4) == 0) account.symbols = {SymbolId{1}};
    if (below(3) == 0)
      account.positions = {{.symbol = SymbolId{1},
                            .shares = static_cast<std::int64_t>(below(20'000)) - 5'000,
                            .most_long = static_cast<std::int64_t>(below(30'000))}};
  }
}

/// Accounts 0 and 2 are of one group, or all are.
void add_groups(EngineConfig& config, std::mt19937_64& random) {
  constexpr SelfTrade kActions[] = {SelfTrade::newest, SelfTrade::oldest, SelfTrade::both, SelfTrade::decrement};
  const bool all = random() % 4 == 0;
  for (std::uint32_t i = 0; i < config.sessions; ++i)
    config.self_trade.push_back({static_cast<std::uint16_t>(all || i % 2 == 0 ? 7 : 0), kActions[random() % 4]});
}

/// Empty, or in what the engine's ledger differs from the reference's.
std::string ledger_difference(const EngineConfig& config, const Risk& risk, const ReferenceExchange& reference) {
  const auto compare = [](const char* what, std::uint32_t of, std::int64_t want, std::int64_t got) {
    if (want == got) return std::string();
    return std::string(what) + " of " + std::to_string(of) + ": " + std::to_string(got) + " instead of " +
           std::to_string(want);
  };
  for (std::uint16_t i = 0; i < config.risk.size(); ++i) {
    const SessionId session{i};
    const RiskAccount& account = risk.account(session);
    std::string text;
    if (account.has(kHasFunds)) {
      text += compare("cash", i, reference.cash(i), account.purse.cash);
      text += compare("reserved", i, reference.reserved(i), account.purse.reserved());
      if (account.purse.cash < account.purse.reserved() && !reference.was_lowered(i))
        text += "more is reserved than there is";
    }
    if (const Breakers* const breakers = risk.breakers(session); breakers != nullptr && breakers->most_loss != 0)
      text += compare("result of the day", i, reference.result_of_day(i), breakers->result);
    const std::uint16_t firm = account.firm.value;
    if (account.has(kFirmHasFunds)) {
      text += compare("cash of a firm", firm, reference.firm_cash(firm), risk.firm(account.firm).cash);
      text += compare("reserved of a firm", firm, reference.firm_reserved(firm), risk.firm(account.firm).reserved());
    }
    for (std::uint16_t s = 1; account.has(kHasPositions) && s <= config.symbols.size(); ++s) {
      const Position* const position = risk.position(session, SymbolId{s});
      const Position none{};
      const Position& kept = position == nullptr ? none : *position;
      text += compare("shares", i, reference.shares(i, s), kept.shares);
      text += compare("open purchases", i, reference.open(i, s, true), kept.open_buys());
      text += compare("open sales", i, reference.open(i, s, false), kept.open_sells());
    }
    if (!text.empty()) return text;
  }
  return {};
}

/// Whether the command may open a job.
bool may_open_job(const Command& c) {
  switch (c.kind) {
    case CommandKind::mass_cancel:
    case CommandKind::disable:
    case CommandKind::session_open:
    case CommandKind::session_close:
    case CommandKind::operate:
    case CommandKind::configure:
    case CommandKind::phase:
    case CommandKind::tick:
      return true;
    default:
      return false;
  }
}

/// Empty, or what differed.
std::string play(std::uint64_t seed, std::uint64_t commands, Coverage& seen) {
  EngineConfig config = small_config(1 + seed % 3);
  config.max_orders = seed % 5 == 0 ? 20 : 300;
  config.max_levels = seed % 3 == 0 ? 6 : 1000;
  if (seed % 4 == 0) config.orders_per_account = config.levels_per_account = 0;
  if (seed % 4 == 1) config.orders_per_account = static_cast<std::uint32_t>(5 + seed % 11);
  if (seed % 4 == 2) config.levels_per_account = static_cast<std::uint32_t>(2 + seed % 3);
  if (seed % 2 == 1) {
    config.looks_per_second = 3;
    config.account_queries_per_second = 3;
  }
  std::mt19937_64 random(seed);
  for (std::uint32_t i = 0; i < config.sessions; ++i)
    config.cancel_on.push_back(i == 0 ? kCancelOn
                                      : static_cast<SessionEndReasons>(random() % (1u << kSessionEnds) & ~1u));
  // Turns so short that nearly every job takes some.
  if (seed % 4 != 3) {
    config.acts_of_turn = static_cast<std::uint32_t>(1 + random() % 2);
    config.looks_of_turn = static_cast<std::uint32_t>(1 + random() % 8);
  }
  if (seed % 5 == 2) config.looks_for_minimum = static_cast<std::uint32_t>(1 + random() % 4);
  if (seed % 5 <= 1) config.max_fills_per_order = static_cast<std::uint32_t>(1 + random() % 3);
  if (seed % 10 == 1) config.looks_for_minimum = static_cast<std::uint32_t>(1 + random() % 3);
  if (seed % 2 == 0) add_limits(config, random);
  if (seed % 3 == 0) add_groups(config, random);
  if (seed % 7 < 4) add_collars(config, random);
  if (seed % 5 < 3)
    for (SymbolConfig& symbol : config.symbols)
      symbol.collar.market_percent_e2 = random() % 4 == 0 ? 0 : 1 + static_cast<std::uint32_t>(random() % 40);
  // Rings from the smallest there is, so that commands stop and go on at every event.
  EngineRig rig(config, std::uint64_t{2} << (seed % 7));
  ReferenceExchange reference(config);
  RandomClient client(seed, config);
  std::vector<Command> burst;
  std::vector<Outcome> want;
  std::vector<Phase> phases(config.symbols.size() + 1, Phase::pre_open);
  std::uint64_t turns = 0, turns_until = 0;  // jobs are over behind so many commands: turns_of()
  for (std::uint64_t done = 0; done < commands; done += burst.size()) {
    burst.clear();
    want.clear();
    for (const std::uint32_t length = client.burst(); burst.size() < length;) {
      burst.push_back(client.next());
      if (may_open_job(burst.back()))
        turns_until = std::max(turns, turns_until) +
                      turns_of(config.acts_of_turn, config.looks_of_turn, reference.live(), config.symbols.size());
      const std::size_t live_before = reference.live();
      const std::uint64_t trips_before = reference.trips();
      const auto outcomes = reference.apply(burst.back());
      if (reference.trips() != trips_before)
        turns_until = std::max(turns, turns_until) +
                      turns_of(config.acts_of_turn, config.looks_of_turn, live_before, config.symbols.size());
      want.insert(want.end(), outcomes.begin(), outcomes.end());
      const CommandKind kind = burst.back().kind;
      note_interruptions(seen, kind, outcomes, phases);
      seen.killed_itself += kind == CommandKind::disable && burst.back().firm.kills && outcomes.size() > 1;
      if (kind == CommandKind::session_open || kind == CommandKind::session_close)
        seen.gone_with_session += outcomes.size() - 1;
      seen.with_jobs += reference.has_jobs();
      if (++turns >= turns_until && reference.has_jobs())
        return "a job takes more turns than it may, seed " + std::to_string(seed);
      seen.live_sum += reference.live();
      seen.live_most = std::max<std::uint64_t>(seen.live_most, reference.live());
    }
    auto got = rig.outcomes(burst);
    std::erase_if(got, [](const Outcome& o) { return o.kind == EventKind::burst_end; });
    const std::string where =
        "command " + std::to_string(done) + " and the " + std::to_string(burst.size() - 1) + " behind it";
    if (want != got) return where + " of seed " + std::to_string(seed) + difference(want, got);
    if (rig.engine().has_jobs() != reference.has_jobs()) return "jobs differ after " + where;
    if (rig.engine().live_orders() != reference.live()) return "live orders differ after " + where;
    const std::string ledger = ledger_difference(config, rig.engine().risk(), reference);
    if (!ledger.empty()) return where + " of seed " + std::to_string(seed) + ": " + ledger;
    for (const Outcome& o : want) note(seen, o);
    seen.commands += burst.size();
    ++seen.bursts[burst.size()];
  }
  for (const RiskRow& row : kRiskRows)
    if (is_breaker(row.limit))
      seen.trips[breaker_index(row.limit)] += rig.engine().counters().get(counter_of(row.limit));
  return {};
}

/// What is rare is not met by fewer commands, whatever the seed.
constexpr std::uint64_t kEnoughForAll = 2'000'000;

/// A property that did not meet something proves nothing of it.
void expect_all_met(const Coverage& coverage) {
  for (const EventKind kind :
       {EventKind::accepted, EventKind::rested,     EventKind::replaced,     EventKind::canceled,
        EventKind::modified, EventKind::rejected,   EventKind::account,      EventKind::executed,
        EventKind::crossed,  EventKind::cross_done, EventKind::imbalance,    EventKind::phase,
        EventKind::system,   EventKind::halt_level, EventKind::tick,         EventKind::mass_cancel,
        EventKind::disable,  EventKind::prevented,  EventKind::refused,      EventKind::enable,
        EventKind::operated, EventKind::configured, EventKind::session_open, EventKind::session_close}) {
    EXPECT_GT(coverage[kind], 0u) << "no event of kind " << static_cast<int>(kind);
  }
  for (const char reason : {'E', 'F', 'G', 'I', 'K', 'S', 'T', 'U', 'Z'})
    EXPECT_GT(coverage.cancels[static_cast<std::size_t>(reason)], 0u) << "nothing was cancelled for " << reason;
  for (const int reason : {0x0001, 0x0002, 0x0007, 0x000A, 0x000B, 0x000C, 0x000D, 0x000F, 0x0014, 0x001D, 0x0020,
                           0x0022, 0x0026, 0x0028, 0x0029, 0x002A, 0x002B, 0x002C, 0x002F, 0x0030, 0x0031})
    EXPECT_GT(coverage.rejects[static_cast<std::size_t>(reason)], 0u) << "nothing was rejected for " << reason;
  // More than those that the parser is said to have refused.
  EXPECT_GT(coverage.rejects[0x0028], 2 * coverage.rejects[0x0003]) << "hardly a symbol had too many messages";
  EXPECT_GT(coverage.rejects[0x0029], 2 * coverage.rejects[0x0003]) << "hardly an account used up its looks";
  EXPECT_GT(coverage.rejects[0x000B], 2 * coverage.rejects[0x0003]) << "hardly an account had a job when it entered";
  EXPECT_GT(coverage.with_jobs, coverage.commands / 400) << "hardly a job was open";
  for (const RiskRow& row : kRiskRows)
    EXPECT_TRUE(!is_breaker(row.limit) || coverage.trips[breaker_index(row.limit)] > 0) << row.key << " never tripped";
  EXPECT_GT(coverage.hidden_executions, 0u);
  EXPECT_GT(coverage.dead_on_arrival, 0u);
  EXPECT_GT(coverage.gone_with_session, 0u);
  EXPECT_GT(coverage.far_prices, 0u) << "no call in which the orders for its cross alone had a price of their own";
  EXPECT_GT(coverage.begun, 0u) << "no symbol was interrupted";
  EXPECT_GT(coverage.prolonged, 0u) << "no interruption was prolonged";
  EXPECT_GT(coverage.opened_later, 0u) << "no opening call was prolonged";
  EXPECT_GT(coverage.crossed_by_time, 0u) << "no interruption ended by itself";
  EXPECT_GT(coverage.ended_by_operator, 0u) << "no operator ended an interruption";
  EXPECT_GT(coverage.killed_itself, 0u) << "no account has killed itself";
  EXPECT_GT(coverage.midday, 0u) << "no intraday call ended";
  EXPECT_GT(coverage.reopened, 0u) << "no halt for a time ended by itself";
  EXPECT_GT(coverage.ended_by_schedule, 0u) << "the schedule ended no interruption";
  for (std::size_t length = 1; length < coverage.bursts.size(); ++length)
    EXPECT_GT(coverage.bursts[length], 0u) << "no burst of " << length << " commands";
}

TEST(EngineProperty, SaysWhatTheReferenceExchangeSaysToRandomCommandsInAllPhases) {
  const std::uint64_t total = from_environment("CROSSWIRE_PROPERTY_COMMANDS", 2'000'000);
  const std::uint64_t first_seed = from_environment("CROSSWIRE_SEED", std::random_device{}());
  constexpr std::uint64_t kPerSeed = 5'000;
  const std::uint64_t seeds = std::max<std::uint64_t>(1, total / kPerSeed);
  std::cout << "seeds " << first_seed << " .. " << first_seed + seeds - 1 << ", " << kPerSeed << " commands each\n";
  std::mutex mutex;
  std::vector<std::string> faults;
  Coverage coverage;
  std::uint64_t done = 0;
  oneapi::tbb::parallel_for(std::uint64_t{0}, seeds, [&](std::uint64_t i) {
    Coverage seen;
    const std::string fault = play(first_seed + i, kPerSeed, seen);
    const std::lock_guard lock(mutex);
    coverage.merge(seen);
    if (!fault.empty()) faults.push_back(fault);
    if (++done % 500 == 0) std::cout << done << " of " << seeds << " seeds\n" << std::flush;
  });
  std::sort(faults.begin(), faults.end());
  std::cout << coverage.commands << " commands met " << coverage[EventKind::accepted] << " accepted, "
            << coverage[EventKind::replaced] << " replaced, " << coverage[EventKind::executed] << " executed, "
            << coverage[EventKind::crossed] << " crossed in " << coverage.auctions_with_volume << " crosses, "
            << coverage[EventKind::rejected] << " rejected; "
            << coverage.live_sum / std::max<std::uint64_t>(1, coverage.commands) << " orders live on average, "
            << coverage.live_most << " at most; " << coverage.with_jobs << " commands left a job open; "
            << coverage.hidden_executions << " executions of hidden orders; " << coverage.far_prices
            << " calls with a price of the orders for its cross alone; " << coverage.begun
            << " interruptions, of which " << coverage.crossed_by_time << " crossed in their time, an operator ended "
            << coverage.ended_by_operator << ", the schedule " << coverage.ended_by_schedule << ", prolonged "
            << coverage.prolonged << " times, opening calls " << coverage.opened_later << " times\n";
  std::cout << "rejected for:";
  for (std::size_t reason = 0; reason < coverage.rejects.size(); ++reason) {
    if (coverage.rejects[reason] > 0)
      std::cout << " 0x" << std::hex << reason << std::dec << " " << coverage.rejects[reason];
  }
  std::cout << "\ntripped:";
  for (const RiskRow& row : kRiskRows)
    if (is_breaker(row.limit)) std::cout << " " << row.key << " " << coverage.trips[breaker_index(row.limit)];
  std::cout << "\ncancelled for:";
  for (std::size_t reason = 0; reason < coverage.cancels.size(); ++reason) {
    if (coverage.cancels[reason] > 0) std::cout << " " << static_cast<char>(reason) << " " << coverage.cancels[reason];
  }
  std::cout << "\n";
  EXPECT_TRUE(faults.empty()) << faults.size() << " seeds differ, the first: " << faults.front();
  if (coverage.commands >= kEnoughForAll) expect_all_met(coverage);
}

}  // namespace
}  // namespace crosswire::testing::property_test
