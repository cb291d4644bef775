// Rings, pool, lists, tables, ladder, histogram: what the stages stand on, one thread. (Hops between cores:
// ring_bench.)
#include <random>

#include "bench/meter.hpp"
#include "bench/order_mix.hpp"
#include "engine/book.hpp"
#include "engine/event.hpp"
#include "engine/order_lists.hpp"
#include "engine/user_refs.hpp"
#include "hugepages/base/histogram.hpp"
#include "hugepages/rings/broadcast_ring.hpp"

namespace crosswire::bench {
namespace {

constexpr std::size_t kArena = std::size_t{64} << 20;
constexpr std::uint32_t kOrders = 4'096;

/// An arena and what is made in it, kept together by the lambdas below.
template <class T>
struct In {
  template <class... Args>
  explicit In(Args&&... args) : arena(kArena, HugepagePolicy::off), it(arena, std::forward<Args>(args)...) {}
  Arena arena;
  T it;
};

template <class T, class... Args>
std::shared_ptr<In<T>> in_arena(Args&&... args) {
  return std::make_shared<In<T>>(std::forward<Args>(args)...);
}

/// One 64-byte event in and out again.
std::unique_ptr<Runner> broadcast_ring() {
  auto ring = in_arena<BroadcastRing<Event>>(1'024);
  auto* const reader = &ring->it.add_gating("bench");
  return repeated([ring, reader] {
    auto& producer = ring->it.producer();
    producer.claim().time_ns = 1;
    producer.publish();
    use(reader->available());
    use(reader->peek().time_ns);
    reader->release();
  });
}

/// A slot from receive to match and back.
std::unique_ptr<Runner> slot_round_trip() {
  struct Pool {
    Arena arena{kArena, HugepagePolicy::off};
    SlotReturnRing returns{arena, slot_return_capacity(kOrders)};
    SlotSource source{arena, returns, kOrders};
    SlotReturner returner{arena, returns, kOrders};
  };
  auto pool = std::make_shared<Pool>();
  return repeated([pool] {
    OrderIndex index;
    use(pool->source.take(index));
    pool->returner.retire(index, 0, 0);
    pool->returner.hand_back(1, 1);
  });
}

std::unique_ptr<Runner> order_lists() {
  auto lists = in_arena<OrderLists>(kOrders, 64u);
  return repeated([lists, order = std::uint32_t{0}]() mutable {
    lists->it.push_back(order % 64, OrderIndex{order});
    lists->it.remove(OrderIndex{order});
    order = (order + 1) % kOrders;
  });
}

/// In, found, out again, of a client that counts in such steps.
std::unique_ptr<Runner> user_refs_by(std::uint32_t step) {
  auto refs = in_arena<UserRefs>(1u, kOrders, std::uint64_t{7});
  return repeated([refs, step, channel = ChannelRefs{}, number = std::uint32_t{0}]() mutable {
    const UserRefNum next{number += step};
    refs->it.insert(channel, SessionId{0}, 0, next, OrderIndex{1});
    use(refs->it.find(SessionId{0}, 0, next));
    refs->it.erase(channel, refs->it.place(SessionId{0}, 0, next));
  });
}
std::unique_ptr<Runner> user_refs() { return user_refs_by(1); }
/// A block for each number.
std::unique_ptr<Runner> user_refs_apart() { return user_refs_by(UserRefs::kPerBlock); }

struct OneBook {
  OneBook() { book.init(pools, {{'B', 'E', 'N', 'C', 'H', ' ', ' ', ' '}, Price{kMid}, kTick}, SymbolId{1}); }

  void rest(std::uint32_t index, bool buy, std::uint32_t price) {
    HotOrder& order = pools.orders.hot(OrderIndex{index});
    order = {};
    order.open = 100;
    order.side_bits = HotOrder::bits_of(buy ? Side::buy : Side::sell) & 7u;
    book.rest(pools, OrderIndex{index}, order, buy, Price{price});
  }
  void remove(std::uint32_t index) { book.reduce(pools, pools.orders.hot(OrderIndex{index}), 100); }

  Arena arena{kArena, HugepagePolicy::off};
  Orders orders{arena, kOrders};
  BookPools pools{LadderNodes(arena, 16'384), Levels(arena, 8'192), orders, arena.array<Account>(1)};
  Book book;
};

/// An order behind others at its price, and out again.
std::unique_ptr<Runner> book_queue() {
  auto book = std::make_shared<OneBook>();
  book->rest(0, true, kMid);
  return repeated([book] {
    book->rest(1, true, kMid);
    book->remove(1);
  });
}

/// A price that comes and goes among 1,000 others.
std::unique_ptr<Runner> book_level() {
  auto book = std::make_shared<OneBook>();
  for (std::uint32_t i = 0; i < 1'000; ++i) book->rest(i, true, kMid - 2 * i * kTick);
  return repeated([book, at = std::uint32_t{0}]() mutable {
    book->rest(1'000, true, kMid - (2 * at + 1) * kTick);
    book->remove(1'000);
    at = (at + 7) % 1'000;
  });
}

/// The best price goes and the next one is found.
std::unique_ptr<Runner> book_best() {
  auto book = std::make_shared<OneBook>();
  for (std::uint32_t i = 0; i < 1'000; ++i) book->rest(i, true, kMid - 100 * i * kTick);
  return repeated([book] {
    book->remove(0);
    book->rest(0, true, kMid);
  });
}

std::unique_ptr<Runner> histogram() {
  auto histogram = std::make_shared<Histogram>();
  return repeated([histogram, value = std::uint64_t{1}]() mutable {
    histogram->record(value);
    value = value * 6'364'136'223'846'793'005u + 1;
  });
}

}  // namespace

std::vector<Case> memory_cases() {
  return {
      {"memory/broadcast_ring_hop", broadcast_ring},
      {"memory/slot_round_trip", slot_round_trip},
      {"memory/order_lists", order_lists},
      {"memory/histogram", histogram},
      {"book/user_refs", user_refs},
      {"book/user_refs_apart", user_refs_apart},
      {"book/queue", book_queue},
      {"book/level", book_level},
      {"book/best", book_best},
  };
}

}  // namespace crosswire::bench
