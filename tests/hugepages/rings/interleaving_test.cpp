// Every interleaving, and every stale value that memory order permits, of small pieces of work over the rings and over
// the way of a slot through the pool: the product's own templates over a model of atomics
// (tests/hugepages/rings/model). Each pair of release and acquire is seen to be needed: a mutant without one of them
// has a fault.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>

#include "hugepages/memory/order_pool.hpp"
#include "hugepages/rings/broadcast_ring.hpp"
#include "hugepages/rings/seqlock.hpp"
#include "hugepages/rings/spsc_ring.hpp"
#include "tests/hugepages/rings/model/model.hpp"

namespace crosswire::interleaving_test {
namespace {

using test::Model;
using test::ModelAtomic;
using Weak = Model::Weak;
using Bodies = std::vector<Model::Body>;

/// Holds as it is, and does not without each of `needed`.
void expect_each_needed(const Model::Setup& setup, std::initializer_list<Model::Mutant> needed) {
  const Model::Outcome whole = Model::explore(setup);
  EXPECT_EQ(whole.fault, "");
  EXPECT_GT(whole.executions, 100u);
  std::cout << whole.executions << " executions\n";
  for (const Model::Mutant& mutant : needed) {
    EXPECT_NE(Model::explore(setup, mutant).fault, "")
        << (mutant.weak == Weak::releases ? "releases" : "acquires") << " of thread " << mutant.thread;
  }
}

/// Memory of one execution after the other.
Arena& arena() {
  static Arena memory(std::size_t{1} << 20, HugepagePolicy::off);
  return memory;
}

// --- BroadcastRing, gating readers: thread 0 produces, the others read -----------------------------------------------

using Ring = BroadcastRing<std::uint64_t, ModelAtomic>;

void produce(Model& model, Ring& ring, std::uint64_t tries) {
  for (std::uint64_t i = 0; i < tries; ++i) {
    if (!ring.producer().has_room()) continue;
    std::uint64_t& slot = ring.producer().claim();
    model.writes(&slot);
    slot = ring.producer().published() + 1;
    ring.producer().publish();
  }
}

void read_some(Model& model, Ring::GatingReader& reader, std::uint64_t tries) {
  std::uint64_t next = 1;
  for (std::uint64_t i = 0; i < tries; ++i) {
    if (reader.available() == 0) continue;
    model.reads(&reader.peek());
    model.expect(reader.peek() == next++, "an item is not the next one");
    reader.release();
  }
}

/// Of `items`, `before` are there before all threads.
Model::Setup broadcast(std::size_t readers, std::uint64_t before, std::uint64_t items, std::uint64_t tries) {
  return [=](Model& model) {
    arena().clear();
    const auto ring = std::make_shared<Ring>(arena(), 2);
    Bodies bodies = {[&model, ring, before, items] { produce(model, *ring, items - before); }};
    for (std::size_t i = 0; i < readers; ++i) {
      Ring::GatingReader& reader = ring->add_gating("reader");
      bodies.push_back([&model, ring, &reader, tries] { read_some(model, reader, tries); });
    }
    produce(model, *ring, before);
    return bodies;
  };
}

TEST(Interleavings, AGatingReaderSeesEachItemWholeAndTheProducerOverwritesNoneThatIsRead) {
  expect_each_needed(broadcast(1, 0, 4, 2),
                     {{Weak::releases, 0}, {Weak::acquires, 0}, {Weak::releases, 1}, {Weak::acquires, 1}});
}

TEST(Interleavings, TheProducerWaitsForTheSlowestOfTwoReaders) {
  expect_each_needed(broadcast(2, 2, 3, 1), {{Weak::acquires, 0}, {Weak::releases, 1}, {Weak::releases, 2}});
}

// --- BroadcastRing, a lappable reader: thread 0 produces, thread 1 looks on
// -------------------------------------------

struct Pair {
  std::uint64_t one = 0;
  std::uint64_t other = 0;
};

Model::Setup lapping(int items, int reads) {
  using PairRing = BroadcastRing<Pair, ModelAtomic>;
  return [=](Model& model) {
    arena().clear();
    const auto ring = std::make_shared<PairRing>(arena(), 2);
    PairRing::LappableReader& reader = ring->add_lappable("onlooker");
    const auto put = [ring] {
      const std::uint64_t number = ring->producer().published();
      ring->producer().claim() = {number, number};
      ring->producer().publish();
    };
    put();
    put();
    return Bodies{[put, items] {
                    for (int i = 0; i < items; ++i) put();
                  },
                  [&model, ring, &reader, reads] {
                    Pair item;
                    for (int i = 0; i < reads; ++i) {
                      if (reader.read(item) != PairRing::LappableReader::Read::item) continue;
                      const std::uint64_t number = reader.position() - 1;
                      model.expect(item.one == number && item.other == number, "an item is torn or another");
                    }
                  }};
  };
}

TEST(Interleavings, ALappableReaderTakesWholeItemsOrKnowsThatItWasLapped) {
  EXPECT_EQ(Model::explore(lapping(1, 2)).fault, "");
  expect_each_needed(lapping(2, 1), {{Weak::releases, 0}, {Weak::acquires, 1}});
}

// --- SpscRing: thread 0 pushes, thread 1 pops ------------------------------------------------------------------------

/// Says when it is copied from and to, as plain memory.
struct Watched {
  Watched() noexcept = default;
  explicit Watched(std::uint64_t number) noexcept : value(number) {}
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched& other) noexcept {
    Model::current().reads(&other);
    Model::current().writes(this);
    value = other.value;
    return *this;
  }

  std::uint64_t value = 0;
};

Model::Setup single_file() {
  return [](Model& model) {
    arena().clear();
    const auto ring = std::make_shared<SpscRing<Watched, ModelAtomic>>(arena(), 2);
    return Bodies{[ring] {
                    std::uint64_t number = 1;
                    for (int i = 0; i < 3; ++i) number += ring->push(Watched(number)) ? 1 : 0;
                  },
                  [&model, ring] {
                    std::uint64_t next = 1;
                    Watched item;
                    for (int i = 0; i < 2; ++i) {
                      if (ring->pop(item)) model.expect(item.value == next++, "an item is not the next one");
                    }
                  }};
  };
}

TEST(Interleavings, AnSpscRingHandsEachItemOverOnce) {
  expect_each_needed(single_file(),
                     {{Weak::releases, 0}, {Weak::acquires, 0}, {Weak::releases, 1}, {Weak::acquires, 1}});
}

/// The same without a copy: written and read where the items lie.
Model::Setup single_file_in_place() {
  using Numbers = SpscRing<std::uint64_t, ModelAtomic>;
  return [](Model& model) {
    arena().clear();
    const auto ring = std::make_shared<Numbers>(arena(), 1);
    return Bodies{[&model, ring] {
                    std::uint64_t number = 1;
                    for (int i = 0; i < 2; ++i) {
                      if (!ring->has_room(1)) continue;
                      std::uint64_t& slot = ring->next();
                      model.writes(&slot);
                      slot = number++;
                      ring->publish();
                    }
                  },
                  [&model, ring] {
                    std::uint64_t next = 1;
                    for (int i = 0; i < 2; ++i) {
                      const std::uint64_t* const item = ring->front();
                      if (item == nullptr) continue;
                      model.reads(item);
                      model.expect(*item == next++, "an item is not the next one");
                      ring->drop_front();
                    }
                  }};
  };
}

TEST(Interleavings, AnSpscRingHandsEachItemOverWhereItLies) {
  expect_each_needed(single_file_in_place(),
                     {{Weak::releases, 0}, {Weak::acquires, 0}, {Weak::releases, 1}, {Weak::acquires, 1}});
}

// --- Seqlock: thread 0 writes, thread 1 has a copy -------------------------------------------------------------------

Model::Setup renewing() {
  using Lock = Seqlock<Pair, ModelAtomic>;
  return [](Model& model) {
    const auto lock = std::make_shared<Lock>(Pair{1, 1});
    const auto copy = std::make_shared<Lock::Copy>(*lock);
    return Bodies{[lock] {
                    lock->write({2, 2});
                    lock->write({3, 3});
                  },
                  [&model, lock, copy] {
                    const Pair value = copy->latest();
                    model.expect(value.one == value.other, "a value is torn");
                  }};
  };
}

TEST(Interleavings, ACopyOfASeqlockIsNeverTorn) {
  expect_each_needed(renewing(), {{Weak::releases, 0}, {Weak::acquires, 1}});
}

// --- a slot's way back: thread 0 takes slots, thread 1 hands them back, thread 2 still reads cold lines
// ---------------

Model::Setup a_slot_comes_back() {
  using Returns = SpscRing<OrderIndex, ModelAtomic>;
  struct Shared {
    Returns returns{arena(), 1};
    SlotSourceOf<Returns> source{arena(), returns, 1};
    SlotReturnerOf<Returns> returner{arena(), returns, 1};
    Ring commands{arena(), 2};
    Ring::GatingReader& match = commands.add_gating("match");
    Ring::GatingReader& journal = commands.add_gating("journal");
    int cold_line = 0;
  };
  return [](Model& model) {
    arena().clear();
    const auto shared = std::make_shared<Shared>();
    // Before: the only slot was taken, and match has done its command. journal has yet to look.
    OrderIndex slot;
    shared->source.take(slot);
    model.writes(&shared->cold_line);
    produce(model, shared->commands, 1);
    shared->match.available();
    shared->match.release();
    shared->journal.available();
    shared->returner.retire(slot, 1, 0);
    return Bodies{[&model, shared] {
                    OrderIndex again;
                    if (shared->source.take(again)) model.writes(&shared->cold_line);
                  },
                  [shared] {
                    for (int i = 0; i < 2; ++i) {
                      shared->returner.hand_back(shared->commands.slowest_gating_position(), 0);
                    }
                  },
                  [&model, shared] {
                    model.reads(&shared->cold_line);
                    shared->journal.release();
                  }};
  };
}

TEST(Interleavings, ASlotComesBackWhenItsLastReaderHasPassedIt) {
  expect_each_needed(a_slot_comes_back(),
                     {{Weak::acquires, 0}, {Weak::releases, 1}, {Weak::acquires, 1}, {Weak::releases, 2}});
}

// --- the model itself ------------------------------------------------------------------------------------------------

TEST(Interleavings, TheModelShowsWhatRelaxedAccessesPermit) {
  bool stale = false;
  const auto message = [&stale](std::memory_order order) {
    return [&stale, order](Model&) {
      struct Shared {
        ModelAtomic<std::uint64_t> data;
        ModelAtomic<std::uint64_t> flag;
      };
      const auto shared = std::make_shared<Shared>();
      return Bodies{[shared, order] {
                      shared->data.store(1, std::memory_order_relaxed);
                      shared->flag.store(1, order);
                    },
                    [&stale, shared] {
                      const bool flag = shared->flag.load(std::memory_order_acquire) == 1;
                      const bool data = shared->data.load(std::memory_order_relaxed) == 1;
                      stale = stale || (flag && !data);
                    }};
    };
  };
  EXPECT_EQ(Model::explore(message(std::memory_order_release)).fault, "");
  EXPECT_FALSE(stale);
  EXPECT_EQ(Model::explore(message(std::memory_order_relaxed)).fault, "");
  EXPECT_TRUE(stale);
}

}  // namespace
}  // namespace crosswire::interleaving_test
