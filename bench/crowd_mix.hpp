// The budget's order flow (order_mix.hpp) of many accounts on many symbols: at random, or each in its turn, so that an
// order meets a session and a book that nothing has touched for as many orders as there are of them. Benchmarks only.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "bench/order_mix.hpp"
#include "engine/command.hpp"

namespace crosswire::bench {

/// Every second account buys, the others sell: nobody meets himself. Always the same.
class CrowdMix {
 public:
  struct Shape {
    std::uint32_t accounts;            // an even number, at most 65,534
    std::uint32_t symbols;             // at most 65,534; in turn: half as many as accounts
    std::uint32_t resting_an_account;  // orders, about
    bool in_turn;                      // all buyers, then all sellers, each account on a symbol of its own
  };

  explicit CrowdMix(const Shape& shape) : shape_(shape), traders_(shape.accounts) {}

  /// Of the account that Command::session says.
  Command next() {
    const std::uint32_t at = shape_.in_turn ? in_turn() : below(shape_.accounts);
    Trader& trader = traders_[at];
    Command c{};
    c.session = SessionId{static_cast<std::uint16_t>(at)};
    const std::uint32_t dice = below(100);
    if (trader.live.size() > shape_.resting_an_account && dice >= 10 && dice < 55) return cancel(c, trader);
    c.kind = CommandKind::enter;
    c.symbol = SymbolId{static_cast<std::uint16_t>(1 + (shape_.in_turn ? at / 2 : below(shape_.symbols)))};
    const bool buy = at % 2 == 0;
    const bool crossing = dice < 10 && trader.live.size() > shape_.resting_an_account / 2;
    const std::uint32_t away = crossing ? kLevels * kTick : below(kLevels) * kTick;
    c.order.user_ref_num = UserRefNum{++trader.number};
    c.order.side = buy ? Side::buy : Side::sell;
    c.order.price = Price{buy != crossing ? kMid - kTick - away : kMid + kTick + away};
    c.order.quantity = 100;
    c.order.time_in_force = crossing ? TimeInForce::ioc : TimeInForce::day;
    if (!crossing) trader.live.push_back(trader.number);
    return c;
  }

 private:
  static constexpr std::uint32_t kLevels = 10;  // prices a side

  struct Trader {
    std::vector<std::uint32_t> live;  // as far as he knows
    std::uint32_t number = 0;
  };

  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }

  std::uint32_t in_turn() {
    const std::uint32_t half = shape_.accounts / 2;
    const std::uint32_t turn = turn_++ % shape_.accounts;
    return 2 * (turn % half) + turn / half;
  }

  Command cancel(Command c, Trader& trader) {
    const std::size_t at = random_() % trader.live.size();
    c.kind = CommandKind::cancel;
    c.order.user_ref_num = UserRefNum{trader.live[at]};
    trader.live[at] = trader.live.back();
    trader.live.pop_back();
    return c;
  }

  Shape shape_;
  std::vector<Trader> traders_;
  std::uint32_t turn_ = 0;
  std::mt19937_64 random_{42};
};

}  // namespace crosswire::bench
