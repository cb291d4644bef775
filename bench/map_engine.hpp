// The peer that crosswire's engine is measured beside, written as a textbook has it: a std::map of prices a side, a
// std::list of orders a price, a std::unordered_map to find an order by. Price-time order, no sessions' limits, no
// phases, no checks; of its events it tells the fills alone. Also the model that bench/workload.cpp makes its flows by.
// Benchmarks only; any one thread; allocates as it goes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <unordered_map>
#include <vector>

namespace crosswire::bench {

enum class AskKind : std::uint8_t { add, cancel, replace };

/// What a client wants, in no engine's own terms: both engines get the same of these.
struct Ask {
  AskKind kind;
  bool buy;  // add, replace: of the order
  bool ioc;  // add: what does not execute at once dies
  std::uint16_t session;
  std::uint16_t symbol;    // 1 ..
  std::uint32_t number;    // add, replace: the order's, rising by session. cancel: of the order meant
  std::uint32_t original;  // replace: the number of the order that it takes the place of
  std::uint32_t price;     // add, replace: in 1/10000
  std::uint32_t quantity;  // add: shares. replace: with what the original has executed, as in OUCH
};

class MapEngine {
 public:
  struct Order {
    std::uint64_t ref;  // 1, 2, .. in the order in which Adds and Replaces are taken
    std::uint16_t session;
    std::uint16_t symbol;
    bool buy;
    std::uint32_t number;
    std::uint32_t price;
    std::uint32_t open;      // shares
    std::uint32_t executed;  // by the whole chain of replaces
  };
  using Queue = std::list<Order>;
  struct Book {
    std::map<std::uint32_t, Queue, std::greater<>> bids;
    std::map<std::uint32_t, Queue> asks;
  };

  explicit MapEngine(std::size_t symbols) : books_(symbols) {}

  /// Calls fill(const Order& taker, const Order& maker, price, quantity) for each execution, both orders as they are
  /// behind it.
  template <class Fill>
  void apply(const Ask& ask, Fill fill) {
    switch (ask.kind) {
      case AskKind::add:
        enter({++last_ref_, ask.session, ask.symbol, ask.buy, ask.number, ask.price, ask.quantity, 0}, ask.ioc, fill);
        break;
      case AskKind::cancel:
        cancel(ask.session, ask.number);
        break;
      case AskKind::replace:
        replace(ask, fill);
        break;
    }
  }

  /// The live order, or nullptr.
  const Order* find(std::uint16_t session, std::uint32_t number) const {
    const auto found = orders_.find(key(session, number));
    return found == orders_.end() ? nullptr : &*found->second;
  }
  const Book& book(std::uint16_t symbol) const { return books_[symbol - 1u]; }
  std::size_t live() const { return orders_.size(); }
  std::uint64_t last_ref() const { return last_ref_; }

 private:
  static std::uint64_t key(std::uint16_t session, std::uint32_t number) {
    return std::uint64_t{session} << 32 | number;
  }

  template <class Fill>
  void enter(Order order, bool ioc, Fill fill) {
    Book& book = books_[order.symbol - 1u];
    if (order.buy) {
      match(
          book.asks, order, [&](std::uint32_t price) { return price <= order.price; }, fill);
      if (order.open > 0 && !ioc) rest(book.bids, order);
    } else {
      match(
          book.bids, order, [&](std::uint32_t price) { return price >= order.price; }, fill);
      if (order.open > 0 && !ioc) rest(book.asks, order);
    }
  }

  template <class Side, class Crosses, class Fill>
  void match(Side& contra, Order& taker, Crosses crosses, Fill fill) {
    while (taker.open > 0 && !contra.empty() && crosses(contra.begin()->first)) {
      Queue& queue = contra.begin()->second;
      Order& maker = queue.front();
      const std::uint32_t quantity = std::min(taker.open, maker.open);
      taker.open -= quantity;
      taker.executed += quantity;
      maker.open -= quantity;
      maker.executed += quantity;
      fill(taker, maker, maker.price, quantity);
      if (maker.open > 0) continue;
      orders_.erase(key(maker.session, maker.number));
      queue.pop_front();
      if (queue.empty()) contra.erase(contra.begin());
    }
  }

  template <class Side>
  void rest(Side& side, const Order& order) {
    Queue& queue = side[order.price];
    queue.push_back(order);
    orders_.emplace(key(order.session, order.number), std::prev(queue.end()));
  }

  void cancel(std::uint16_t session, std::uint32_t number) {
    const auto found = orders_.find(key(session, number));
    if (found == orders_.end()) return;
    const Queue::iterator order = found->second;
    Book& book = books_[order->symbol - 1u];
    order->buy ? unlink(book.bids, order) : unlink(book.asks, order);
    orders_.erase(found);
  }

  template <class Side>
  static void unlink(Side& side, Queue::iterator order) {
    const auto level = side.find(order->price);
    level->second.erase(order);
    if (level->second.empty()) side.erase(level);
  }

  template <class Fill>
  void replace(const Ask& ask, Fill fill) {
    const Order* found = find(ask.session, ask.original);
    if (found == nullptr) return;
    Order order = *found;
    cancel(ask.session, ask.original);
    if (ask.quantity <= order.executed) return;
    order.ref = ++last_ref_;
    order.number = ask.number;
    order.price = ask.price;
    order.open = ask.quantity - order.executed;
    enter(order, false, fill);
  }

  std::vector<Book> books_;
  std::unordered_map<std::uint64_t, Queue::iterator> orders_;
  std::uint64_t last_ref_ = 0;
};

}  // namespace crosswire::bench
