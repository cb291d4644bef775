// The digest of books and order state: all that decides what the engine will say, and nothing else. See engine.hpp.
#include "engine/engine.hpp"

namespace crosswire {
namespace {

class Digest {
 public:
  void add(std::uint64_t value) {
    // splitmix64's finaliser over a running state: order matters, every bit spreads.
    std::uint64_t x = state_ + value * 0x9E3779B97F4A7C15u + 0x632BE59BD9B4E019u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    state_ = x ^ (x >> 31);
  }
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0;
};

void add_order(Digest& digest, const HotOrder& order) {
  digest.add(std::uint64_t{order.session().value} << 48 | order.ref().value);
  digest.add(std::uint64_t{order.user_ref_num.value} << 32 | order.open);
  digest.add(std::uint64_t{order.side} << 32 | order.executed);
  const unsigned marks = order.hidden | order.attributable * 2u | order.one_cross * 4u | order.has_channel * 8u;
  if (marks != 0) digest.add(marks);
}

}  // namespace

std::uint64_t Engine::state_hash() const {
  Digest digest;
  digest.add(last_ref_);
  digest.add(last_match_);
  digest.add(market_open_);
  digest.add(day_over_);
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    digest.add(sessions_[i].last[0].value);
    if (sessions_[i].disabled) digest.add(i + 1);
    for (std::size_t channel = 1; channel < kChannels; ++channel) {
      const std::uint64_t number = sessions_[i].last[channel].value;
      if (number != 0) digest.add(channel << 32 | number);
    }
  }
  for (const SymbolState& symbol : symbols_) {
    digest.add(static_cast<std::uint64_t>(symbol.phase) << 32 | symbol.reference.value);
    digest.add(symbol.volume);
    if (symbol.held) digest.add(0x10000u | static_cast<std::uint64_t>(symbol.scheduled));
    for (const bool buy : {true, false}) {
      const Ladder& side = symbol.book.side(buy);
      for (Rank rank = side.best(); rank != kNoRank; rank = side.after(pools_.nodes, rank)) {
        const Level& level = pools_.levels[side.find(pools_.nodes, rank)];
        digest.add(std::uint64_t{buy} << 63 | std::uint64_t{level.count} << 32 | level.price.value);
        for (OrderIndex i = level.head; i != kNoOrder; i = pools_.orders.hot(i).next) {
          add_order(digest, pools_.orders.hot(i));
        }
      }
    }
    const SymbolId id{static_cast<std::uint16_t>(&symbol - symbols_.data() + 1)};
    for (const CrossType cross : {CrossType::opening, CrossType::closing}) {
      for (OrderIndex i = waiting_.front(list_of(id, cross)); i != kNoOrder; i = waiting_.after(i)) {
        add_order(digest, pools_.orders.hot(i));
      }
    }
  }
  for (std::size_t i = 0; i < operator_log_.kept(); ++i) {
    const OperatorLog::Entry& done = operator_log_[i];
    digest.add(done.request);
    digest.add(done.done_by.value);
    digest.add(done.done_ns);
    digest.add(std::uint64_t{done.changed} << 48 | std::uint64_t{done.held} << 32 |
               std::uint64_t{done.symbol.value} << 16 | static_cast<std::uint64_t>(done.action) << 8 |
               static_cast<std::uint64_t>(done.to));
    digest.add(static_cast<std::uint64_t>(done.result) << 8 | static_cast<std::uint64_t>(done.phase));
  }
  // Which second each life ends at.
  for (std::uint64_t second = next_second_; second < next_second_ + kWheelSeconds; ++second) {
    for (OrderIndex i = waiting_.front(list_of(second)); i != kNoOrder; i = waiting_.after(i)) {
      digest.add(second);
      digest.add(pools_.orders.hot(i).ref().value);
    }
  }
  return digest.value();
}

}  // namespace crosswire
