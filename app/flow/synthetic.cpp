// A seeded flow: see synthetic.hpp. Tools and benchmarks.
#include "app/flow/synthetic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "app/files/whole_file.hpp"
#include "app/flow/config.hpp"
#include "app/flow/error.hpp"
#include "app/flow/frames.hpp"
#include "app/flow/progress.hpp"

namespace crosswire {
namespace {

constexpr TimeNs kOpenNs = 9 * 3600 * kNsPerSecond;
constexpr std::int64_t kMidnightEpochNs = 1'735'776'000ll * 1'000'000'000;  // 2025-01-02T00:00:00Z, a Thursday
constexpr std::uint32_t kTick = 100;                                        // 0.01
constexpr std::uint32_t kLot = 100;
constexpr std::uint32_t kLeastReference = 500;  // ticks: 5.00
constexpr std::uint32_t kMostReference = 50'000;
constexpr std::uint32_t kWalkPercent = 12;  // of a symbol's new orders move its mid by a tick
constexpr std::uint32_t kMeanDistance = 6;  // ticks from the mid
constexpr std::uint32_t kFarPercent = 1;    // of passive orders lie up to kFar ticks away
constexpr std::uint32_t kFar = 300;
constexpr std::uint64_t kMeanLife = 300;  // messages, of an order at the touch; more the farther away it is
constexpr std::uint64_t kMostOrders = 1u << 22;
constexpr std::uint64_t kPrices = 512;  // of one symbol with orders at one time, by a wide margin

/// The two streams must not be the same numbers.
constexpr std::uint64_t kArrivalStream = 0xA5A5A5A5A5A5A5A5u;

SymbolName symbol_name(std::uint32_t index) {
  SymbolName name;
  fmt::format_to_n(name.begin(), name.size(), "SYM{:05}", index + 1);
  return name;
}

}  // namespace

SyntheticFlow::Arrivals::Arrivals(const SyntheticOptions& options)
    : random_(options.seed ^ kArrivalStream),
      mean_gap_ns_(std::max<std::uint64_t>(kNsPerSecond * (options.burst + 1) / 2 / options.rate, 1)),
      burst_(options.burst),
      now_ns_(kOpenNs) {}

TimeNs SyntheticFlow::Arrivals::next() {
  if (left_ == 0) {
    now_ns_ += 1 + random_.exponential(mean_gap_ns_);
    left_ = 1 + random_.below(burst_);
  }
  --left_;
  return now_ns_;
}

const SyntheticOptions& SyntheticFlow::checked(const SyntheticOptions& options) {
  const auto in_range = [](std::string_view name, std::uint64_t value, std::uint64_t least, std::uint64_t most) {
    if (value < least || value > most)
      throw FlowError(fmt::format("{} {} is not in {} .. {}", name, value, least, most));
  };
  in_range("--orders-count", options.messages, 1, kMaxFlowMessages);
  in_range("--symbols", options.symbols, 1, kMaxFlowSymbols);
  in_range("--sessions", options.sessions, 1, kMaxFlowSessions);
  in_range("--rate", options.rate, 1, kMaxFlowRate);
  in_range("--burst", options.burst, 1, kMaxFlowBurst);
  in_range("--ioc", options.ioc_percent, 0, 100);
  const FlowMix& mix = options.mix;
  const std::uint64_t sum =
      std::uint64_t{mix.adds} + mix.cancels + mix.reductions + mix.modifies + mix.replaces + mix.marketable;
  if (sum != 100) throw FlowError(fmt::format("the kinds of messages add up to {} percent; make it 100", sum));
  if (mix.adds + mix.marketable == 0)
    throw FlowError("without adds and marketable orders there is nothing to cancel; give some");
  return options;
}

/// Runs the arrivals once to learn when the messages come at which the phases change.
std::vector<PhaseChange> SyntheticFlow::day_of(const SyntheticOptions& options) {
  const std::uint64_t call = options.messages / 20;
  Arrivals arrivals(options);
  TimeNs open_ns = 0;
  TimeNs close_ns = 0;
  TimeNs now_ns = 0;
  for (std::uint64_t i = 0; i < options.messages && now_ns < kNsPerDay; ++i) {
    now_ns = arrivals.next();
    if (i == call) open_ns = now_ns;
    if (i == options.messages - call - 1) close_ns = now_ns;
  }
  const TimeNs continuous_ns = std::max(open_ns, kOpenNs + 1);
  const TimeNs closing_ns = std::max(close_ns, continuous_ns) + 1;
  const TimeNs closed_ns = std::max(now_ns, closing_ns) + kNsPerSecond;
  if (closed_ns >= kNsPerDay) {
    throw FlowError(
        fmt::format("{} messages at {} a second from 09:00 do not fit the day; raise --rate or lower --orders-count",
                    options.messages, options.rate));
  }
  return {{kOpenNs, kAllSymbols, Phase::opening_call},
          {continuous_ns, kAllSymbols, Phase::continuous},
          {closing_ns, kAllSymbols, Phase::closing_call},
          {closed_ns, kAllSymbols, Phase::closed}};
}

EngineConfig SyntheticFlow::make_engine() {
  EngineConfig engine;
  std::uint64_t weights = 0;
  for (std::uint32_t i = 0; i < options_.symbols; ++i) {
    const std::uint32_t reference = kLeastReference + random_.below(kMostReference - kLeastReference);
    symbols_.push_back({reference, reference});
    activity_.push_back(weights += (1u << 28) / (i + 1));  // Zipf's law; 10,000 of them sum to less than 2^32
    engine.symbols.push_back({symbol_name(i), Price{reference * kTick}, kTick});
  }
  engine.sessions = options_.sessions;
  size_limits(engine, std::min(options_.messages, kMostOrders), kPrices * options_.symbols);
  return engine;
}

SyntheticFlow::SyntheticFlow(const SyntheticOptions& options)
    : options_(checked(options)),
      schedule_(day_of(options_)),
      random_(options_.seed),
      arrivals_(options_),
      engine_(make_engine()),
      mirror_(engine_, schedule_),
      next_ref_(options_.sessions, 1) {}

bool SyntheticFlow::next(FlowMessage& out) {
  if (sent_ == options_.messages) {
    mirror_.advance(schedule_.back().at_ns);
    return false;
  }
  ++sent_;
  out = {};
  out.time_ns = arrivals_.next();
  mirror_.advance(out.time_ns);
  choose(out);
  mirror_.apply(out);
  most_live_ = std::max(most_live_, mirror_.engine().live_orders());
  return true;
}

/// By the mix; where nothing is live that could be changed, a new order.
void SyntheticFlow::choose(FlowMessage& out) {
  const FlowMix& mix = options_.mix;
  std::uint32_t roll = random_.below(100);
  const auto falls_to = [&roll](std::uint32_t percent) {
    if (roll < percent) return true;
    roll -= percent;
    return false;
  };
  if (falls_to(mix.adds)) return add(out, false);
  if (falls_to(mix.marketable)) return add(out, true);
  bool done = false;
  if (falls_to(mix.cancels)) {
    done = change(out, CommandKind::cancel, true);
  } else if (falls_to(mix.reductions)) {
    done = change(out, CommandKind::cancel, false);
  } else if (falls_to(mix.modifies)) {
    done = change(out, CommandKind::modify, false);
  } else {
    done = change(out, CommandKind::replace, false);
  }
  if (!done) add(out, false);
}

void SyntheticFlow::add(FlowMessage& out, bool marketable) {
  out.kind = CommandKind::enter;
  out.session = SessionId{static_cast<std::uint16_t>(random_.below(options_.sessions))};
  out.symbol = pick_symbol();
  Symbol& symbol = symbols_[out.symbol.value - 1u];
  walk(symbol);
  out.side = random_.chance(50) ? Side::buy : random_.chance(90) ? Side::sell : Side::sell_short;
  const auto distance = static_cast<std::uint32_t>(
      random_.chance(kFarPercent) ? random_.below(kFar) : random_.exponential(kMeanDistance * 16) / 16);
  out.price = price_of(symbol, out.side, marketable ? -1 - std::int64_t{random_.below(4)} : std::int64_t{distance} + 1);
  out.quantity = size(marketable ? 4 : 2);
  const bool call = mirror_.engine().phase(out.symbol) != Phase::continuous;  // where an IOC would die at once
  out.time_in_force = marketable && !call && random_.chance(options_.ioc_percent) ? TimeInForce::ioc : TimeInForce::day;
  out.user_ref_num = UserRefNum{next_ref_[out.session.value]++};
  out.cl_ord_id = ++orders_;
  if (out.time_in_force == TimeInForce::ioc) return;
  plan({out.time_ns, orders_, out.session, out.symbol, out.user_ref_num, out.side}, marketable ? 0 : distance);
}

/// Cancels (`all`), reduces, modifies or replaces the live order whose plan is due next. False: none lives.
bool SyntheticFlow::change(FlowMessage& out, CommandKind kind, bool all) {
  Plan order{};
  if (!take_plan(order)) return false;
  const HotOrder& live = *mirror_.find(order.session, order.user_ref_num);
  out.kind = kind;
  out.session = order.session;
  out.user_ref_num = order.user_ref_num;
  out.side = live.side();
  if (all) return true;  // quantity 0
  order.at_ns = out.time_ns;
  if (kind == CommandKind::replace) {
    Symbol& symbol = symbols_[order.symbol.value - 1u];
    const auto distance = static_cast<std::uint32_t>(random_.exponential(kMeanDistance * 16) / 16);
    out.orig_user_ref_num = order.user_ref_num;
    out.user_ref_num = order.user_ref_num = UserRefNum{next_ref_[order.session.value]++};
    out.price = price_of(symbol, out.side, std::int64_t{distance} + 1);
    out.quantity = std::min<Quantity>(live.executed + size(2), kMaxQuantity);
    out.time_in_force = TimeInForce::day;
    out.cl_ord_id = order.number = ++orders_;
    plan(order, distance);
    return true;
  }
  const bool mark = kind == CommandKind::modify && out.side == Side::sell;
  if (mark) out.side = Side::sell_short;
  out.quantity = live.executed + (mark ? live.open : std::max<Quantity>(live.open / 2, 1));
  plan(order, 0);
  return true;
}

bool SyntheticFlow::take_plan(Plan& out) {
  while (!plans_.empty()) {
    out = plans_.top();
    plans_.pop();
    if (mirror_.find(out.session, out.user_ref_num) != nullptr) return true;
  }
  return false;
}

/// Lives are exponential, and longer away from the touch: so most cancels are near it.
void SyntheticFlow::plan(const Plan& order, std::uint32_t distance) {
  const std::uint64_t message_ns = std::max<std::uint64_t>(kNsPerSecond / options_.rate, 1);
  const std::uint64_t mean = std::min<std::uint64_t>(message_ns * kMeanLife * (1 + distance / 4), 1'000'000'000'000);
  Plan later = order;
  later.at_ns += random_.exponential(mean);
  plans_.push(later);
}

SymbolId SyntheticFlow::pick_symbol() {
  const std::uint32_t weight = random_.below(static_cast<std::uint32_t>(activity_.back()));
  const auto found = std::upper_bound(activity_.begin(), activity_.end(), weight);
  return SymbolId{static_cast<std::uint16_t>(found - activity_.begin() + 1)};
}

/// One tick up or down now and then, within half and twice the reference price.
void SyntheticFlow::walk(Symbol& symbol) {
  if (!random_.chance(kWalkPercent)) return;
  if (random_.chance(50)) {
    symbol.mid = std::min(symbol.mid + 1, symbol.reference * 2);
  } else {
    symbol.mid = std::max(symbol.mid - 1, symbol.reference / 2);
  }
}

/// `distance` ticks away from the mid on the order's own side; negative: through it.
Price SyntheticFlow::price_of(const Symbol& symbol, Side side, std::int64_t distance) const {
  const std::int64_t ticks = is_buy(side) ? symbol.mid - distance : symbol.mid + distance;
  return Price{static_cast<std::uint32_t>(std::max<std::int64_t>(ticks, 1)) * kTick};
}

/// Roughly lognormal around the median.
Quantity SyntheticFlow::size(std::uint32_t median_lots) {
  const std::int32_t exponent = (10 << 16) + random_.normal();  // 2^10 stands for 1, so that fractions count
  const std::uint64_t lots = (median_lots * FlowRandom::power_of_2(static_cast<std::uint32_t>(exponent)) + 512) >> 10;
  return static_cast<Quantity>(std::clamp<std::uint64_t>(lots * kLot, kLot, kMaxQuantity / kLot * kLot));
}

SyntheticFigures write_synthetic_flow(const SyntheticOptions& options, const std::string& capture_path,
                                      const std::string& config_path) {
  SyntheticFlow flow(options);
  std::vector<SymbolName> names;
  for (const SymbolConfig& symbol : flow.engine_config().symbols) names.push_back(symbol.name);
  WholeFile capture(capture_path);
  std::optional<WholeFile> config;
  if (!config_path.empty()) config.emplace(config_path);
  CaptureWriter writer(capture.path());
  OrderEntryFrames frames(writer, kMidnightEpochNs, options.sessions, std::move(names), kOpenNs - kNsPerSecond);
  FlowProgress progress(options.messages);
  for (FlowMessage message; writer.error().empty() && flow.next(message);) {
    frames.send(message);
    progress.step();
  }
  frames.finish(flow.schedule().back().at_ns);
  const std::string error = writer.close();
  if (!error.empty()) throw FlowError(error);

  FlowVenue venue{.title = fmt::format("synthetic flow, seed {}", options.seed),
                  .midnight_epoch_ns = kMidnightEpochNs,
                  .engine = flow.engine_config(),
                  .schedule = flow.schedule()};
  // The flow was made with room to spare; its replay needs what really lived.
  size_limits(venue.engine, 2 * std::uint64_t{flow.most_live_orders()}, kPrices * options.symbols);
  if (config) {
    write_flow_config(config->path(), venue, frames.accounts());
    config->commit();
  }
  capture.commit();
  return {writer.frames(), flow.mirror().engine().counters().get(EngineCounter::executions), flow.most_live_orders()};
}

}  // namespace crosswire
