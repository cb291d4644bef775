// How the flows of bench/engine are made. The random numbers are used as they come, without the library's
// distributions, so that a seed means the same flow everywhere.
#include "bench/workload.hpp"

#include <algorithm>
#include <random>

namespace crosswire::bench {
namespace {

class Flow {
 public:
  Flow(std::uint64_t seed, std::uint16_t symbols, std::uint16_t sessions)
      : random_(seed), model_(symbols), numbers_(sessions, 0) {
    made_.symbols = symbols;
  }

  std::uint32_t below(std::size_t n) { return static_cast<std::uint32_t>(random_() % n); }
  bool coin() { return below(2) == 0; }

  void add(std::uint16_t symbol, bool buy, std::uint32_t ticks) {
    const std::uint16_t session = static_cast<std::uint16_t>(below(numbers_.size()));
    take_in({AskKind::add, buy, false, session, symbol, ++numbers_[session], 0, ticks * kTick, 1 + below(100)});
  }
  /// Not through the middle, and at most `ticks` from it.
  void add_near(std::uint16_t symbol, std::uint32_t middle, std::uint32_t ticks) {
    const bool buy = coin();
    const std::uint32_t away = 1 + below(ticks);
    add(symbol, buy, buy ? middle - away : middle + away);
  }

  /// Of a random live order, if there is one.
  void cancel() {
    if (live_.empty()) return;
    const Live order = live_[below(live_.size())];
    take_in({AskKind::cancel, false, false, order.session, 0, order.number, 0, 0, 0});
  }
  void replace(const std::vector<std::uint32_t>& middles, std::uint32_t ticks) {
    const Live live = live_[below(live_.size())];
    const MapEngine::Order& order = *model_.find(live.session, live.number);
    const std::uint32_t middle = middles[order.symbol - 1u], away = 1 + below(ticks);
    take_in({AskKind::replace, order.buy, false, live.session, order.symbol, ++numbers_[live.session], live.number,
             (order.buy ? middle - away : middle + away) * kTick, order.executed + 1 + below(100)});
  }

  /// Takes `orders` of them off the other side whole, or all that there are. False: there are none.
  bool sweep(std::uint16_t symbol, bool buy, std::uint32_t orders) {
    const MapEngine::Book& book = model_.book(symbol);
    return buy ? sweep_of(book.asks, symbol, buy, orders) : sweep_of(book.bids, symbol, buy, orders);
  }

  /// One command of W1's mix. An Add in a Cancel's place while no more than `least` orders rest: left alone the mix
  /// adds as many as it takes, and the books would run dry by chance.
  void mix(std::uint16_t symbol, const std::vector<std::uint32_t>& middles, std::size_t least) {
    constexpr std::uint32_t kNear = 10;  // ticks
    const std::uint32_t dice = below(100);
    if (dice < 35 && live_.size() > least) return cancel();
    if (dice < 40 && !live_.empty()) return replace(middles, kNear);
    if (dice < 45 && sweep(symbol, coin(), 1 + below(5))) return;
    add_near(symbol, middles[symbol - 1u], kNear);
  }

  void measure_from_here() { made_.before.swap(made_.asks); }
  std::size_t made() const { return made_.asks.size(); }
  Workload finish() { return std::move(made_); }

 private:
  struct Live {
    std::uint16_t session;
    std::uint32_t number;
    std::uint64_t ref;
  };

  template <class Side>
  bool sweep_of(const Side& contra, std::uint16_t symbol, bool buy, std::uint32_t orders) {
    if (contra.empty()) return false;
    std::uint32_t quantity = 0, price = 0;
    for (auto level = contra.begin(); level != contra.end() && orders > 0; ++level) {
      price = level->first;
      for (auto order = level->second.begin(); order != level->second.end() && orders > 0; ++order, --orders)
        quantity += order->open;
    }
    const std::uint16_t session = static_cast<std::uint16_t>(below(numbers_.size()));
    take_in({AskKind::add, buy, true, session, symbol, ++numbers_[session], 0, price, quantity});
    return true;
  }

  void take_in(const Ask& ask) {
    made_.asks.push_back(ask);
    if (ask.kind != AskKind::add) forget(model_.find(ask.session, ask.original > 0 ? ask.original : ask.number)->ref);
    model_.apply(ask, [this](const MapEngine::Order&, const MapEngine::Order& maker, std::uint32_t, std::uint32_t) {
      if (maker.open == 0) forget(maker.ref);
    });
    places_.resize(model_.last_ref() + 1);
    if (ask.kind == AskKind::cancel || model_.find(ask.session, ask.number) == nullptr) return;
    places_[model_.last_ref()] = live_.size();
    live_.push_back({ask.session, ask.number, model_.last_ref()});
    made_.most_live = std::max(made_.most_live, live_.size());
  }

  void forget(std::uint64_t ref) {
    live_[places_[ref]] = live_.back();
    places_[live_.back().ref] = places_[ref];
    live_.pop_back();
  }

  std::mt19937_64 random_;
  MapEngine model_;
  std::vector<std::uint32_t> numbers_;  // the last one, by session
  std::vector<Live> live_;
  std::vector<std::size_t> places_;  // in live_, by ref
  Workload made_;
};

/// Symbol n is asked for n times as seldom as the first.
class Zipf {
 public:
  explicit Zipf(std::uint16_t symbols) {
    double sum = 0;
    for (std::uint16_t n = 1; n <= symbols; ++n) sums_.push_back(sum += 1'000'000.0 / n);
  }
  std::uint16_t symbol(Flow& flow) const {
    const double at = flow.below(static_cast<std::size_t>(sums_.back()));
    return static_cast<std::uint16_t>(1 + (std::upper_bound(sums_.begin(), sums_.end(), at) - sums_.begin()));
  }

 private:
  std::vector<double> sums_;
};

void drifting(Flow& flow, std::uint16_t symbols, std::size_t commands) {
  const std::size_t each = symbols == 1 ? 1'000 : 100;
  const Zipf zipf(symbols);
  std::vector<std::uint32_t> middles(symbols, kMiddle);
  for (std::uint16_t symbol = 1; symbol <= symbols; ++symbol)
    for (std::size_t i = 0; i < each; ++i) flow.add_near(symbol, kMiddle, 10);
  flow.measure_from_here();
  while (flow.made() < commands) {
    const std::uint16_t symbol = zipf.symbol(flow);
    if (flow.below(500) == 0) middles[symbol - 1u] += flow.coin() ? 1 : ~0u;
    flow.mix(symbol, middles, each * symbols);
  }
}

void deep(Flow& flow, std::size_t commands, std::size_t resting) {
  constexpr std::uint32_t kLevels = 2'000;
  for (std::size_t i = 0; i < resting; ++i) flow.add_near(1, kMiddle, kLevels / 2);
  flow.measure_from_here();
  while (flow.made() < commands) flow.coin() ? flow.cancel() : flow.add_near(1, kMiddle, kLevels / 2);
}

void sweeps(Flow& flow, std::size_t commands) {
  constexpr std::uint32_t kLevels = 20;
  for (std::uint32_t i = 0; i < 1'000; ++i) flow.add_near(1, kMiddle, kLevels);
  flow.measure_from_here();
  while (flow.made() < commands) {
    const bool buy = flow.coin();
    const std::uint32_t orders = 50 + flow.below(31);
    flow.sweep(1, buy, orders);
    for (std::uint32_t i = 0; i < orders && flow.made() < commands; ++i) {
      const std::uint32_t away = 1 + flow.below(kLevels);
      flow.add(1, !buy, buy ? kMiddle + away : kMiddle - away);
    }
  }
}

/// W1's mix around a middle that is where `away(command)` says, in ticks.
template <class Away>
void moving(Flow& flow, std::size_t commands, Away away) {
  constexpr std::uint32_t kResting = 20'000, kTicks = 25'000;
  for (std::uint32_t i = 0; i < kResting; ++i) flow.add_near(1, kMiddle, kTicks);
  flow.measure_from_here();
  while (flow.made() < commands) flow.mix(1, {static_cast<std::uint32_t>(kMiddle + away(flow.made()))}, kResting);
}

int swing(std::size_t command) {
  constexpr int kHalf = 100'000, kTicks = 8'000;
  const int at = static_cast<int>(command % (2 * kHalf));
  return (at < kHalf ? at : 2 * kHalf - at) * kTicks / kHalf;
}

/// In a run that is cut short the fall is as fast, and not as deep.
int crash(std::size_t command, std::size_t commands) {
  const double deep = -std::min(20'000.0, static_cast<double>(commands) / 50);
  const double part = static_cast<double>(command) / static_cast<double>(commands);
  if (part < 0.4 || part > 0.7) return 0;
  if (part < 0.45) return static_cast<int>(deep * (part - 0.4) / 0.05);
  return static_cast<int>(part < 0.5 ? deep : deep * (0.7 - part) / 0.2);
}

}  // namespace

Workload make_workload(std::string_view name, std::uint64_t seed, const WorkloadSize& size) {
  const std::uint16_t symbols = name == "W2" ? size.symbols : 1;
  const std::size_t commands = size.commands;
  Flow flow(seed, symbols, size.sessions);
  if (name == "W1" || name == "W2") drifting(flow, symbols, commands);
  if (name == "W3") deep(flow, commands, size.resting);
  if (name == "W4") sweeps(flow, commands);
  if (name == "swing") moving(flow, commands, swing);
  if (name == "crash") moving(flow, commands, [commands](std::size_t command) { return crash(command, commands); });
  return flow.finish();
}

}  // namespace crosswire::bench
